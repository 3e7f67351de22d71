"""Tables encoded as arrays for comparison: numbers as floats, categories as codes that all tables share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import natural
from synthcli.columns.table import Table
from synthcli.contracts.schema import Schema

_HUGE = 1e100  # beyond it, squares and ranges overflow
_TICKS = {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}  # of a second


@dataclass(frozen=True)
class EncodedTable:
    """One encoded table. numbers: (rows, numbers) float64, NaN where null; codes: (rows, categories) int64, -1 where
    null; units: (rows,).
    """

    numbers: np.ndarray
    codes: np.ndarray
    units: np.ndarray

    def __len__(self) -> int:
        return len(self.units)

    def matrix(self) -> np.ndarray:
        """All columns as floats with NaN for null, numbers first. (rows, columns)"""
        return np.hstack([self.numbers, np.where(self.codes < 0, np.nan, self.codes)])

    def take(self, rows: np.ndarray) -> EncodedTable:
        return EncodedTable(self.numbers[rows], self.codes[rows], self.units[rows])


@dataclass(frozen=True)
class Encoded:
    """Tables with a common coding. sizes: number of categories of each coded column, over all tables."""

    numbers: list[str]
    categories: list[str]
    sizes: np.ndarray
    tables: dict[str, EncodedTable]

    @property
    def names(self) -> list[str]:
        return [*self.numbers, *self.categories]


def columns_by_kind(schema: Schema) -> tuple[list[str], list[str]]:
    """The names of the number columns and of the category columns. Ids, text and fake values are in neither."""
    return (
        [c.name for c in schema.columns if c.kind in frames.NUMBERS],
        [c.name for c in schema.columns if c.kind in frames.CODES],
    )


def as_floats(values: pd.Series) -> np.ndarray:
    """A number column as float64, with times in seconds. Nulls and infinities are NaN."""
    dtype = values.dtype
    if isinstance(dtype, pd.DatetimeTZDtype) or (isinstance(dtype, np.dtype) and dtype.kind in "mM"):
        floats = _seconds(values, "timedelta64" if getattr(dtype, "kind", "M") == "m" else "datetime64")
    else:
        if not pd.api.types.is_numeric_dtype(dtype):
            values = pd.to_numeric(values, errors="coerce")
        floats = values.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(floats), np.clip(floats, -_HUGE, _HUGE), np.nan)


def _seconds(values: pd.Series, type_: str) -> np.ndarray:
    """Times since 1970 (UTC) or durations, NaN where null."""
    ticks = values.to_numpy(dtype=f"{type_}[{values.dt.unit}]")
    return np.where(np.isnat(ticks), np.nan, ticks.view(np.int64) / _TICKS[values.dt.unit])


def as_codes(columns: list[pd.Series]) -> tuple[list[np.ndarray], int]:
    """Encode the same column of several tables by natural order, -1 for null; also return the number of categories.

    Not by frequency: values that only one table holds would then be neighbours, which would help a detector.
    """
    if len({str(c.dtype) for c in columns}) > 1:
        columns = [c.astype(object) for c in columns]
    codes, known = pd.factorize(pd.concat(columns, ignore_index=True))
    rank = np.empty(len(known) + 1, dtype=np.int64)
    rank[sorted(range(len(known)), key=lambda i: natural(known[i]))] = np.arange(len(known))
    rank[-1] = -1  # code -1, null, looks up the last place
    return np.split(rank[codes], np.cumsum([len(c) for c in columns])[:-1]), len(known)


def encode(tables: Mapping[str, Table], schema: Schema) -> Encoded:
    """Encode tables of one schema with a common coding."""
    numbers, categories = columns_by_kind(schema)
    coded = [as_codes([t.frame[name] for t in tables.values()]) for name in categories]
    out = {}
    for i, (name, table) in enumerate(tables.items()):
        floats = [as_floats(table.frame[c]) for c in numbers]
        out[name] = EncodedTable(
            _stack(floats, len(table), np.float64),
            _stack([c[i] for c, _ in coded], len(table), np.int64),
            table.units(),
        )
    return Encoded(numbers, categories, np.array([size for _, size in coded], dtype=np.int64), out)


def _stack(columns: list[np.ndarray], rows: int, dtype: type) -> np.ndarray:
    """Columns side by side, each contiguous. (rows, columns)"""
    out: np.ndarray = np.empty((rows, len(columns)), dtype=dtype, order="F")
    for j, column in enumerate(columns):
        out[:, j] = column
    return out


def cut(table: Table, rows: int, *, rng: np.random.Generator) -> Table:
    """Draw at most this many rows without replacement, in their order."""
    if len(table) <= rows:
        return table
    return table.take(np.sort(rng.choice(len(table), rows, replace=False)))


def one_per_unit(table: Table, *, rng: np.random.Generator) -> Table:
    """Draw one row of each privacy unit, so that the rows are independent."""
    if table.schema.unit is None:
        return table
    order = rng.permutation(len(table))
    first = np.unique(table.units()[order], return_index=True)[1]
    return table.take(np.sort(order[first]))
