"""Columns that can be the key of a table: unique, without nulls, of whole numbers or short strings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.init.related import names

_SPARSE = 100  # possible numbers for each that is a key
_LONGEST = 64  # letters of a key, by the median


@dataclass(frozen=True)
class Values:
    """The values of a column that may be a key or a reference. known: without nulls, int64 or object; distinct: of
    them.
    """

    known: pd.Series
    distinct: pd.Index
    rows: int

    @property
    def whole(self) -> bool:
        """Whether the values are whole numbers."""
        return bool(pd.api.types.is_integer_dtype(self.known.dtype))

    @property
    def is_key(self) -> bool:
        return len(self.distinct) == self.rows > 0

    def spelled(self) -> Values:
        """The same values as strings."""
        known = self.known.astype(str)
        return Values(known, pd.Index(known.unique()), self.rows)


def values_of(column: pd.Series) -> Values | None:
    """The values of a column as whole numbers or strings; None for a column that cannot hold keys."""
    known = column.dropna()
    if pd.api.types.is_bool_dtype(known.dtype) or not len(known):
        return None
    if pd.api.types.is_integer_dtype(known.dtype):
        plain = known.astype("int64")
    elif pd.api.types.is_float_dtype(known.dtype):  # whole numbers with nulls, as pandas reads them
        numbers = known.to_numpy(dtype=float)
        if column.notna().all() or not np.isfinite(numbers).all() or (numbers % 1).any() or abs(numbers).max() > 2**53:
            return None
        plain = known.astype("int64")
    elif isinstance(known.dtype, pd.CategoricalDtype) or known.dtype == object or known.dtype == frames.STRING:
        plain = known.astype(str).astype(object)
        if plain.str.len().median() > _LONGEST:
            return None
    else:
        return None
    return Values(plain, pd.Index(plain.unique()), len(column))


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    """The frame with whole numbers as Int64 and words as strings, so that keys of one table compare with another's."""
    out = {}
    for name in frame.columns:
        column, values = frame[name], values_of(frame[name])
        if values is None:
            out[str(name)] = column
        else:
            out[str(name)] = (
                column.astype("Int64")
                if values.whole
                else column.astype(str).where(column.notna()).astype(frames.STRING)
            )
    return pd.DataFrame(out, index=frame.index)


def primary(table: str, columns: Mapping[str, Values]) -> str | None:
    """The column that is most likely the primary key; None if no column looks like one."""
    keys = [name for name, values in columns.items() if values.is_key]
    own = [name for name in keys if names.names_own(name, table)]
    called = [name for name in keys if names.is_key(name)]
    first = next(iter(columns), None)
    leading = [first] if first in keys and _may_lead(columns[first]) else []
    return next(iter([*own, *called, *leading]), None)


def _may_lead(values: Values) -> bool:
    """Whether the first column of a table may be its key whatever its name: words, numbers in order, or few of many
    possible numbers.
    """
    if not values.whole or values.known.is_monotonic_increasing:
        return True
    return int(values.distinct.max()) - int(values.distinct.min()) > _SPARSE * len(values.distinct)
