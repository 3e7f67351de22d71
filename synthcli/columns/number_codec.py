"""The codec of numbers: a state, where there are nulls or spikes, and a value on the scale of the column's own granularity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.parts import Part, Values, dtype_name, escaped, integers, times
from synthcli.contracts import Column

FEW = 12  # an integer of at most so many distinct values is modelled as a category
SPIKES = 5  # at most so many atoms are looked for in a number
SPIKE_SHARE = 0.1  # of the known values, from which a repeated number is an atom


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
        name = escaped(self.name)
        state = (Part(f"{name}#state", self.name, self.states),) if self.states > 1 else ()
        return (*state, Part(name, self.name))

    @classmethod
    def fit(cls, column: Column, values: pd.Series) -> Numbers:
        known = values.dropna()
        whole = column.kind != "float"
        base, step = 0, 1
        if whole:
            raw = integers(known)
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
        return cls(column.name, dtype_name(values), whole, base, step, decimals, low, high, bool(values.isna().any()), spikes)

    def encode(self, values: pd.Series) -> Values:
        null = values.isna().to_numpy()
        numbers = np.full(len(values), np.nan)
        known = values[~null]
        numbers[~null] = _offsets(integers(known), self.base, self.step) if self.whole else known.to_numpy(dtype=np.float64)
        if self.states == 1:  # an unseen null has no state to go to: it takes the middle of the range
            return {escaped(self.name): np.where(null, (self.low + self.high) / 2, numbers)}
        state = np.where(null, 1, 0).astype(np.int32)
        for i, spike in enumerate(self.spikes):
            state[numbers == spike] = 2 + i
        numbers[state != 0] = np.nan
        return {f"{escaped(self.name)}#state": state, escaped(self.name): numbers}

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        numbers = np.clip(np.nan_to_num(values[escaped(self.name)], nan=self.low), self.low, self.high)
        null = np.zeros(rows, dtype=bool)
        if self.states > 1:
            state = values[f"{escaped(self.name)}#state"]
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
        return times(raw, null, self.dtype)

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "spikes": [repr(s) for s in self.spikes]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Numbers:
        return cls(**{**data, "spikes": tuple(float(s) for s in data["spikes"])})


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


def _unit(column: Column) -> str:
    for unit in ("ns", "us", "ms"):
        if unit in column.storage:
            return unit
    return "s"


def _offsets(raw: np.ndarray, base: int, step: int) -> np.ndarray:
    """Steps from the base; in wrapped unsigned arithmetic, so that the whole int64 range fits. Below the base: clipped to it."""
    steps = (raw.astype(np.uint64) - np.uint64(base % 2**64)).astype(np.float64) / step
    return np.where(raw < base, 0.0, steps)


def within(column: Column, known: pd.Series) -> bool:
    """Whether an integer column's values keep to its declared bounds."""
    low, high = column.declared.min, column.declared.max
    return (low is None or known.min() >= _bound(column, low)) and (high is None or known.max() <= _bound(column, high))
