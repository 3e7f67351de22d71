"""The column codec under every method: a frame of any types becomes parts of two kinds, codes and numbers, and back.

column                                   parts
constant, all null                       none: put back as it was
id, text, e-mail and other made kinds    none: made up when decoded (columns/made.py), never learned
boolean, category, integer of few values  one code; null is the last code
integer, float, datetime, timedelta      a number; before it, where there are nulls or spikes, a code for its state
                                         (0 the value, 1 null, 2... the spikes)

A number is NaN where the state is not "value". Integers and times are counted in their own granularity from their minimum, so
that they stay exact in float64 up to 2^53 steps.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns import made
from synthcli.contracts import Column, Schema
from synthcli.errors import DataError

FEW = 12  # an integer of at most so many distinct values is modelled as a category
SPIKES = 5  # at most so many atoms are looked for in a number
SPIKE_SHARE = 0.1  # of the known values, from which a repeated number is an atom


@dataclass(frozen=True)
class Part:
    """What a method models. size: number of codes, 0 for a number. column: where it comes from."""

    name: str
    column: str
    size: int = 0

    @property
    def is_code(self) -> bool:
        return self.size > 0


Values = dict[str, np.ndarray]  # part name -> (rows,) int32 codes or float64 numbers


@dataclass(frozen=True)
class Codec:
    """Column codecs in schema order. merged: rare categories that were merged, per column. key: of the made-up values."""

    schema: Schema
    columns: tuple[Any, ...]
    key: int
    merged: dict[str, int] = field(default_factory=dict)

    @classmethod
    def fit(cls, data: pd.DataFrame, schema: Schema, *, key: int, units: np.ndarray | None = None) -> Codec:
        """Learn how each column is coded. units: (rows,) privacy unit of each row, for the rare-category rule."""
        merged: dict[str, int] = {}
        columns = []
        for column in schema.columns:
            values = data[column.name]
            if (rare := column.get("rare")) is not None and column.kind == "category":
                values, merged[column.name] = merge_rare(values, rare.min_units, rare.as_, units, column)
            columns.append(_choose(column, values))
        return cls(schema, tuple(columns), key, merged)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts in column order; a state comes before its value."""
        return tuple(part for column in self.columns for part in column.parts)

    def encode(self, data: pd.DataFrame) -> Values:
        """Parts of a frame. A category that the codec has not seen is coded as its rare category, else as null, else as the first."""
        out: Values = {}
        for column, codec in zip(self.schema.columns, self.columns):
            out.update(codec.encode(data[column.name]))
        return out

    def decode(self, values: Mapping[str, np.ndarray], rows: int, *, start: int, rng: np.random.Generator) -> pd.DataFrame:
        """A canonical frame of `rows` rows, which stand at positions start... of the output (made-up keys count by position)."""
        made_up = rng.spawn(len(self.columns))
        out = {}
        for column, codec, stream in zip(self.schema.columns, self.columns, made_up):
            if isinstance(codec, Made):
                out[column.name] = codec.make(column, start, rows, key=self.key, rng=stream)
            else:
                out[column.name] = codec.decode(values, rows)
        return pd.DataFrame(out)

    def check_rows(self, rows: int) -> None:
        """Raise SpecError where a unique made-up column has fewer values than rows."""
        for column, codec in zip(self.schema.columns, self.columns):
            if isinstance(codec, Made):
                made.check_rows(_relaxed(column, rows), rows)

    def save(self, folder: Path) -> None:
        """Write codec.json."""
        body = {
            "schema": self.schema.to_json(),
            "key": self.key,
            "merged": self.merged,
            "columns": [{"codec": type(c).__name__, **c.to_json()} for c in self.columns],
        }
        (folder / "codec.json").write_text(json.dumps(body, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path) -> Codec:
        body = json.loads((folder / "codec.json").read_text())
        kinds = {kind.__name__: kind for kind in (Constant, Made, Codes, Numbers)}
        columns = tuple(kinds[c.pop("codec")].from_json(c) for c in body["columns"])
        return cls(Schema.from_json(body["schema"]), columns, body["key"], body["merged"])


def _choose(column: Column, values: pd.Series) -> Any:
    if column.kind not in frames.MODELLED:
        return Made.fit(values)
    known = values.dropna()
    distinct = known.nunique()
    declared = column.declared.categories is not None
    if (distinct == 0 or (distinct == 1 and len(known) == len(values))) and not declared:
        return Constant.fit(column, values)
    few = column.kind == "integer" and distinct <= FEW and column.declared.spikes is None and _within(column, known)
    if column.kind in frames.CODES or few:
        return Codes.fit(column, values)
    return Numbers.fit(column, values)


def merge_rare(values: pd.Series, least: int, other: str, units: np.ndarray | None, column: Column) -> tuple[pd.Series, int]:
    """Categories of fewer than `least` units replaced by `other`; with the number of categories merged."""
    if values.dtype != frames.STRING:
        raise DataError(f"columns.{column.name}.rare: categories stored as {column.storage} cannot become {other!r}; remedy: store them as words")
    codes, known = pd.factorize(values)
    pairs = pd.DataFrame({"code": codes, "unit": np.arange(len(values)) if units is None else units})
    counts = pairs[pairs["code"] >= 0].drop_duplicates()["code"].value_counts()
    rare = known[np.sort(counts.index[counts < least].to_numpy())]
    return values.where(~values.isin(rare), other), len(rare)


@dataclass(frozen=True)
class Constant:
    """A column of one value, or of none. value: JSON; a number of the storage unit for times."""

    name: str
    dtype: str
    value: Any
    parts: tuple[Part, ...] = ()

    @classmethod
    def fit(cls, column: Column, values: pd.Series) -> Constant:
        known = values.dropna()
        value = None
        if len(known):
            value = int(_integers(known)[0]) if column.kind in ("datetime", "timedelta") else known.iloc[0]
            value = value.item() if isinstance(value, np.generic) else value
        return cls(column.name, _dtype_name(values), value)

    def encode(self, values: pd.Series) -> Values:
        return {}

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        if self.dtype.startswith(("timestamp", "duration")):
            return _times(np.full(rows, self.value or 0, dtype=np.int64), np.full(rows, self.value is None), self.dtype)
        return pd.Series([self.value] * rows, dtype=_dtype(self.dtype))

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "value": repr(self.value) if isinstance(self.value, float) else self.value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Constant:
        value = data["value"]  # floats are words in JSON, which has no infinity
        return cls(data["name"], data["dtype"], float(value) if data["dtype"] == "float64" and value is not None else value)


@dataclass(frozen=True)
class Made:
    """A column whose values are made up. nulls: the share of nulls it has at the source, unless declared."""

    nulls: float
    parts: tuple[Part, ...] = ()

    @classmethod
    def fit(cls, values: pd.Series) -> Made:
        return cls(float(values.isna().mean()) if len(values) else 0.0)

    def encode(self, values: pd.Series) -> Values:
        return {}

    def make(self, column: Column, start: int, rows: int, *, key: int, rng: np.random.Generator) -> pd.Series:
        """Values for positions start..., with the source's share of nulls where the spec does not declare one."""
        out = made.make(_relaxed(column, start + rows), start, rows, key=key, rng=rng)
        if column.get("nulls") is None and self.nulls > 0:
            out = out.mask(rng.random(rows) < self.nulls)
        return out

    def to_json(self) -> dict[str, Any]:
        return {"nulls": self.nulls}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Made:
        return cls(**data)


def _relaxed(column: Column, rows: int) -> Column:
    """A key that repeats at the source, and has too few spellings for a fresh one per row, may repeat in the output too."""
    room = made.capacity(column)
    if column.declared.unique is None and not column.inferred.unique and room is not None and rows > room:
        return replace(column, declared=column.declared.model_copy(update={"unique": False}))
    return column


@dataclass(frozen=True)
class Codes:
    """A column of few values. categories in natural order; with `nullable`, null is the code after the last."""

    name: str
    dtype: str
    categories: tuple[Any, ...]
    nullable: bool
    other: str | None = None  # takes what the codec has not seen

    @property
    def parts(self) -> tuple[Part, ...]:
        return (Part(_escaped(self.name), self.name, len(self.categories) + self.nullable),)

    @classmethod
    def fit(cls, column: Column, values: pd.Series) -> Codes:
        seen = [v.item() if isinstance(v, np.generic) else v for v in values.dropna().unique()]
        declared = column.declared.categories
        if declared is not None and column.kind == "category":
            if unknown := [v for v in seen if v not in declared and v != (column.get("rare").as_ if column.get("rare") else None)]:
                raise DataError(f"columns.{column.name}.categories lacks {unknown[0]!r}, which the source holds; remedy: add it, or mend the source")
            seen = list(dict.fromkeys([*declared, *seen]))
        rare = column.get("rare")
        return cls(
            column.name,
            str(values.dtype),
            tuple(sorted(seen, key=_natural)),
            bool(values.isna().any()),
            rare.as_ if rare and rare.as_ in seen else None,
        )

    def encode(self, values: pd.Series) -> Values:
        index = pd.Index(self._series(self.categories))
        codes = index.get_indexer(pd.Index(values.astype(index.dtype)))
        codes = np.where(values.isna().to_numpy(), len(self.categories) if self.nullable else -1, codes)
        fallback = self.categories.index(self.other) if self.other in self.categories else len(self.categories) if self.nullable else 0
        return {_escaped(self.name): np.where(codes < 0, fallback, codes).astype(np.int32)}

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        lookup = self._series((*self.categories, None))
        return lookup.take(values[_escaped(self.name)]).reset_index(drop=True)

    def _series(self, values: tuple[Any, ...]) -> pd.Series:
        return pd.Series(list(values), dtype=_dtype(self.dtype))

    def to_json(self) -> dict[str, Any]:
        return {"name": self.name, "dtype": self.dtype, "categories": list(self.categories), "nullable": self.nullable, "other": self.other}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Codes:
        return cls(**{**data, "categories": tuple(data["categories"])})


@dataclass(frozen=True)
class Numbers:
    """A number with an order. A whole one (integer, time) is base + step * number; a float is rounded to `decimals`.

    low, high: in the units of the part. spikes: in the units of the part as well; infinities are spikes.
    """

    name: str
    dtype: str
    whole: bool
    base: int
    step: int
    decimals: int | None
    low: float
    high: float
    nullable: bool
    spikes: tuple[float, ...]

    @property
    def states(self) -> int:
        return 2 + len(self.spikes) if self.nullable or self.spikes else 1

    @property
    def parts(self) -> tuple[Part, ...]:
        name = _escaped(self.name)
        state = (Part(f"{name}#state", self.name, self.states),) if self.states > 1 else ()
        return (*state, Part(name, self.name))

    @classmethod
    def fit(cls, column: Column, values: pd.Series) -> Numbers:
        known = values.dropna()
        whole = column.kind != "float"
        base, step = 0, 1
        if whole:
            raw = _integers(known)
            base = int(raw.min())
            step = int(np.gcd.reduce(raw.astype(np.uint64) - np.uint64(base % 2**64))) or 1
            numbers = _offsets(raw, base, step)
        else:
            numbers = known.to_numpy(dtype=np.float64)
        finite = numbers[np.isfinite(numbers)]
        spikes = _declared_spikes(column, base, step) if column.declared.spikes is not None else _find_spikes(finite)
        spikes = (*spikes, *sorted(set(numbers[~np.isfinite(numbers)].tolist())))
        rest = finite[~np.isin(finite, spikes)]
        rest = rest if len(rest) else (finite if len(finite) else np.zeros(1))
        low, high = _bounds(column, base, step, float(rest.min()), float(rest.max()))
        decimals = None if whole else column.get("precision")
        return cls(column.name, _dtype_name(values), whole, base, step, decimals, low, high, bool(values.isna().any()), spikes)

    def encode(self, values: pd.Series) -> Values:
        null = values.isna().to_numpy()
        numbers = np.full(len(values), np.nan)
        known = values[~null]
        numbers[~null] = _offsets(_integers(known), self.base, self.step) if self.whole else known.to_numpy(dtype=np.float64)
        if self.states == 1:  # an unseen null has no state to go to: it takes the middle of the range
            return {_escaped(self.name): np.where(null, (self.low + self.high) / 2, numbers)}
        state = np.where(null, 1, 0).astype(np.int32)
        for i, spike in enumerate(self.spikes):
            state[numbers == spike] = 2 + i
        numbers[state != 0] = np.nan
        return {f"{_escaped(self.name)}#state": state, _escaped(self.name): numbers}

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        numbers = np.clip(np.nan_to_num(values[_escaped(self.name)], nan=self.low), self.low, self.high)
        null = np.zeros(rows, dtype=bool)
        if self.states > 1:
            state = values[f"{_escaped(self.name)}#state"]
            null = state == 1
            for i, spike in enumerate(self.spikes):
                numbers[state == 2 + i] = spike
        if not self.whole:
            rounded = numbers if self.decimals is None else np.round(numbers, self.decimals)
            return pd.Series(np.where(null, np.nan, rounded))
        most = (2**63 - 1 - self.base) // self.step  # which a float may round up to more than 64 bits hold
        steps = np.where(numbers < float(most), np.rint(np.minimum(numbers, 2.0**64 - 2**11)).astype(np.uint64), np.uint64(most))
        raw = (steps * np.uint64(self.step) + np.uint64(self.base % 2**64)).astype(np.int64)
        if self.dtype == "Int64":
            return pd.Series(pd.arrays.IntegerArray(raw, null))
        return _times(raw, null, self.dtype)

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "spikes": [repr(s) for s in self.spikes]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Numbers:
        return cls(**{**data, "spikes": tuple(float(s) for s in data["spikes"])})


def _escaped(column: str) -> str:
    """The column's name as a part: # doubled, so that a column called x#state is not the state of x."""
    return column.replace("#", "##")


def _find_spikes(numbers: np.ndarray) -> tuple[float, ...]:
    """Values far more frequent than the typical one: at least a tenth of all, and twenty times the median count."""
    if len(numbers) < 50:
        return ()
    distinct, counts = np.unique(numbers, return_counts=True)
    if len(distinct) <= FEW:
        return ()
    bar = max(SPIKE_SHARE * len(numbers), 20 * float(np.median(counts)))
    top = np.argsort(-counts, kind="stable")[:SPIKES]
    return tuple(sorted(float(distinct[i]) for i in top if counts[i] >= bar))


def _declared_spikes(column: Column, base: int, step: int) -> tuple[float, ...]:
    spikes = column.declared.spikes or ()
    if column.kind == "float":
        return tuple(sorted(float(s) for s in spikes))
    return tuple(sorted((float(s) - base) / step for s in spikes if (float(s) - base) % step == 0 and s >= base))


def _bounds(column: Column, base: int, step: int, low: float, high: float) -> tuple[float, float]:
    """Declared bounds in the units of the part, else the observed ones; whole numbers never go below their base."""
    out = []
    for declared, seen in ((column.declared.min, low), (column.declared.max, high)):
        if declared is None:
            out.append(seen)
        elif column.kind == "float":
            out.append(float(declared))
        else:
            out.append((_bound(column, declared) - base) / step)
    first, last = out
    if column.kind != "float":
        first, last = max(0.0, np.ceil(first)), max(0.0, np.floor(last))
    return float(first), float(max(first, last))


def _bound(column: Column, declared: float | str) -> int:
    """A declared bound as an integer in the column's own unit."""
    if column.kind == "integer":
        return int(np.floor(float(declared)))
    value = pd.Timestamp(declared) if column.kind == "datetime" else pd.Timedelta(declared)
    zone = getattr(frames.arrow_type(column.storage), "tz", None)
    if zone and isinstance(value, pd.Timestamp) and value.tz is None:
        value = value.tz_localize(zone)
    return int(value.as_unit(_unit(column)).to_numpy().astype(np.int64))  # .value would be nanoseconds, whatever the unit


def _within(column: Column, known: pd.Series) -> bool:
    """Whether an integer column's values keep to its declared bounds."""
    low, high = column.declared.min, column.declared.max
    return (low is None or known.min() >= _bound(column, low)) and (high is None or known.max() <= _bound(column, high))


def _unit(column: Column) -> str:
    for unit in ("ns", "us", "ms"):
        if unit in column.storage:
            return unit
    return "s"


def _integers(values: pd.Series) -> np.ndarray:
    """Integers, or times in their own unit since the epoch. (rows,) int64, of a series without nulls"""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    return values.to_numpy(dtype=np.int64) if values.dtype == "Int64" else values.to_numpy().view(np.int64)


def _offsets(raw: np.ndarray, base: int, step: int) -> np.ndarray:
    """Steps from the base; in wrapped unsigned arithmetic, so that the whole int64 range fits. Below the base: clipped to it."""
    steps = (raw.astype(np.uint64) - np.uint64(base % 2**64)).astype(np.float64) / step
    return np.where(raw < base, 0.0, steps)


def _times(raw: np.ndarray, null: np.ndarray, type_: str) -> pd.Series:
    """A datetime or timedelta series from int64 in the unit of its Arrow type."""
    return pa.array(raw, pa.int64(), mask=null).cast(frames.arrow_type(type_)).to_pandas()


def _dtype_name(values: pd.Series) -> str:
    """What names the dtype in files: for times the Arrow type, whose zones every version of pandas reads; else pandas' own name."""
    if values.dtype.kind in "mM":
        return str(pa.Array.from_pandas(values[:0]).type)
    return str(values.dtype)


def _dtype(text: str) -> Any:
    return frames.STRING if text in ("string", "str") else text


def _natural(value: Any) -> tuple[int, float, str]:
    """Numbers by size, also those spelled as words; then words."""
    try:
        return (0, float(value), str(value))
    except ValueError:
        return (1, 0.0, str(value))
