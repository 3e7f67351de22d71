"""Columns as context for other columns: numbers without nulls, and categories as strings.

A table method conditions on the context of a row when it draws the rest of the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import integers
from synthcli.contracts.schema import Column, Schema, Traits

UNIT = "^unit"  # the column that tells a table method which rows belong to one privacy unit
WHOLE = Traits(type="integer")
_TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}
_NUMBER = Traits(type="float", spikes=())  # no value of it is a point mass: all of them are numbers to the codec
_CATEGORY = Traits(type="category")


@dataclass(frozen=True)
class ContextFeature:
    """A column as context. name: the context column; code: whether it is categorical; fill: replaces null in a number;
    holes: whether a second column says which numbers are null.
    """

    source: str
    name: str
    code: bool
    fill: float = 0.0
    holes: bool = False

    @classmethod
    def of(cls, column: Column, values: np.ndarray, name: str) -> ContextFeature:
        """Derive the feature from the cells of a column."""
        if column.kind in frames.CODES:
            return cls(column.name, name, True)
        known = values[~np.isnan(values)]
        fill = float(np.median(known)) if len(known) else 0.0
        return cls(column.name, name, False, fill, bool(len(known) < len(values)))

    def columns(self, values: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context columns from cells. values: (rows,), null where a row has none."""
        if self.code:
            return {self.name: values}
        null = np.isnan(values)
        out = {self.name: np.where(null, self.fill, values)}
        if self.holes:
            out[f"{self.name}?"] = np.where(null, "null", "known").astype(object)
        return out

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def cells(values: pd.Series, kind: str) -> np.ndarray:
    """Convert a column to numbers (times in seconds) or strings. (rows,)

    Numbers that are null or infinite become NaN, null categories None.
    """
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
    """Return the unit of a time column: s, ms, us or ns."""
    return str(getattr(values.dtype, "unit", None) or np.datetime_data(values.dtype)[0])


def take_cells(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Take the cells at these positions, null where a position is negative. (len(at),)"""
    out: np.ndarray = np.full(len(at), None if values.dtype == object else np.nan, dtype=values.dtype)
    out[at >= 0] = values[at[at >= 0]]
    return out


def null_flags(at: np.ndarray) -> np.ndarray:
    """Say of each row whether it has a parent. at: (rows,) positions of parents, negative without one."""
    return np.where(at < 0, "null", "known").astype(object)


def context_frame(columns: Mapping[str, np.ndarray], rows: int) -> pd.DataFrame:
    """Build a canonical frame of context columns."""
    series = {
        n: pd.Series(v if v.dtype == np.float64 else pd.array(v, dtype=frames.STRING)) for n, v in columns.items()
    }
    return pd.DataFrame(series, index=pd.RangeIndex(rows))


def context_schema(frame: pd.DataFrame) -> Schema:
    """Return the schema of context columns."""
    return Schema(
        tuple(
            Column(c, _NUMBER, Traits(), "double")
            if frame[c].dtype == np.float64
            else Column(c, _CATEGORY, Traits(), "string")
            for c in frame
        )
    )
