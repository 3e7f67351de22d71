"""Columns as the context of others: numbers without holes, words that are only words, so that what is known of a row is
known exactly.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import integers
from synthcli.contracts.modelling import Allowed, Job, Model, Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Base

UNIT = "^unit"  # the column that tells a table method whose rows belong together
_TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_NUMBER = Traits(type="float", spikes=())  # no value of it is set apart: all of them are numbers to the codec
_WORD = Traits(type="category")
WHOLE = Traits(type="integer")
ANY: Mapping[str, Allowed] = MappingProxyType({})


@dataclass(frozen=True)
class Aspect:
    """A column as context. name: what it is called there; code: of few values; fill: what stands for null; holes:
    whether null is told apart.
    """

    source: str
    name: str
    code: bool
    fill: float = 0.0
    holes: bool = False

    @classmethod
    def of(cls, column: Column, cells: np.ndarray, name: str) -> Aspect:
        """cells: what `cells` makes of the column."""
        if column.kind in frames.CODES:
            return cls(column.name, name, True)
        known = cells[~np.isnan(cells)]
        return cls(
            column.name, name, False, float(np.median(known)) if len(known) else 0.0, bool(len(known) < len(cells))
        )

    def put(self, into: dict[str, Any], values: np.ndarray) -> None:
        """Add it to the columns of a frame. values: cells of the rows, null where there are none."""
        if self.code:
            into[self.name] = values
            return
        null = np.isnan(values)
        into[self.name] = np.where(null, self.fill, values)
        if self.holes:
            into[f"{self.name}?"] = np.where(null, "null", "known").astype(object)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def cells(values: pd.Series, kind: str) -> np.ndarray:
    """Numbers as floats (times in seconds), NaN where null or infinite; codes as words, None where null. (rows,)"""
    if kind in frames.CODES:
        words = "=" + values.astype(frames.STRING)  # with a sign before it, "5" is no number
        return words.to_numpy(dtype=object, na_value=None)
    if kind in ("datetime", "timedelta"):
        out = np.full(len(values), np.nan)
        known = values.notna().to_numpy()
        out[known] = integers(values[known]) / _TICKS[unit_of(values)]
        return out
    floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(floats), floats, np.nan)


def unit_of(values: pd.Series) -> str:
    """The unit of a time column: s, ms, us or ns."""
    return str(getattr(values.dtype, "unit", None) or np.datetime_data(values.dtype)[0])


def taken(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Cells at positions, null where the position is below 0. (len(at),)"""
    out: np.ndarray = np.full(len(at), None if values.dtype == object else np.nan, dtype=values.dtype)
    out[at >= 0] = values[at[at >= 0]]
    return out


def framed(columns: Mapping[str, np.ndarray], rows: int) -> pd.DataFrame:
    """Context as a canonical frame."""
    series = {
        n: pd.Series(v if v.dtype == np.float64 else pd.array(v, dtype=frames.STRING)) for n, v in columns.items()
    }
    return pd.DataFrame(series, index=pd.RangeIndex(rows))


class Conditional:
    """A table model that draws some columns given others. given: the context, in order; drawn: the columns that it
    makes.
    """

    def __init__(self, model: Model, given: tuple[str, ...], drawn: tuple[str, ...]) -> None:
        self.model, self.given, self.drawn = model, given, drawn

    @classmethod
    def fit(
        cls,
        base: Base,
        known: pd.DataFrame,
        wanted: pd.DataFrame,
        schema: Schema,
        units: np.ndarray | None,
        job: Job,
        name: str,
    ) -> Conditional:
        """known: context; wanted: the columns of the schema that are to be drawn, over the same rows; units:
        (rows,).
        """
        given = tuple(known.columns)
        said = [
            (
                Column(c, _NUMBER, Traits(), "double")
                if known[c].dtype == np.float64
                else Column(c, _WORD, Traits(), "string")
            )
            for c in given
        ]
        columns = (*said, *schema.columns)
        frame = pd.concat([known.reset_index(drop=True), wanted[schema.names].reset_index(drop=True)], axis=1)
        if units is not None:
            columns = (Column(UNIT, Traits(type="id", unique=False), Traits(), "int64"), *columns)
            frame.insert(0, UNIT, pd.array(units, dtype="Int64"))
        table = base.table(frame, Schema(columns, UNIT if units is not None else None))
        own = Job(
            seeds.key(job.seed, "related", name) % 2**63,
            job.folder,
            job.device,
            job.limits,
            job.progress,
            None,
            job.started,
        )
        order = (*given, *(c for c in base.params.get("order", ()) if c in schema.names))
        asked: dict[str, Any] = {**base.params, "order": order}
        if "given" in base.method.Params.model_fields:  # what is always known need not be learned
            asked["given"] = given
        model = base.method.fit(table, base.method.Params.model_validate(asked), job=own)
        job.reached = job.reached or own.reached
        return cls(model, given, tuple(schema.names))

    def draw(
        self, known: pd.DataFrame | None, rows: int, *, allowed: Mapping[str, Allowed] = ANY, rng: np.random.Generator
    ) -> pd.DataFrame:
        """The drawn columns of rows of which the context is known. allowed: what each row may hold."""
        frame = None if known is None or not len(known.columns) else known[list(self.given)]
        made: Any = self.model.complete(Request(rows, frame=frame, allowed=allowed), 0, rng=rng)
        return made.frame[list(self.drawn)]
