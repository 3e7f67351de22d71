"""Columns of children that follow from the rows above in the whole source: copies, and ages at the time of the row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd

from synthcli.contracts.schema import Schema

How = Literal["copy", "years", "age", "days"]
FEWEST = 10  # rows that a column is derived from, at least


@dataclass(frozen=True)
class Derived:
    """A column that follows from a column of an ancestor, and from the time of the row unless it is a copy.

    how: copy, calendar years from the date to the time, years completed, or days.
    """

    column: str
    how: How
    table: str
    source: str

    def values(self, time: pd.Series | None, above: pd.Series) -> pd.Series:
        """Compute the column. time: (rows,) of the row; above: (rows,) the column of the ancestor."""
        if self.how == "copy" or time is None:
            return above
        return _elapsed(self.how, time, above)


def _elapsed(how: How, time: pd.Series, from_: pd.Series) -> pd.Series:
    """Compute the whole years or days from a date to a time, null where one is null. (rows,) Int64"""
    if how == "days":
        return (time - from_).dt.days.astype("Int64")
    years = _year(time) - _year(from_)
    if how == "years":
        return years
    early = (time.dt.month < from_.dt.month) | ((time.dt.month == from_.dt.month) & (time.dt.day < from_.dt.day))
    return years - early.astype("Int64")


def _year(values: pd.Series) -> pd.Series:
    return values if values.dtype == "Int64" else values.dt.year.astype("Int64")


def find_derived(
    frame: pd.DataFrame,
    schema: Schema,
    own: Sequence[str],
    clock: str | None,
    offered: Sequence[tuple[str, str, str, pd.Series]],
) -> tuple[Derived, ...]:
    """Find the columns that follow from an ancestor in every row. own: candidates, without the clock.

    clock: the column that is the time of a row, None without one; offered: table, column, kind and (rows,) values of
    each column of an ancestor.
    """
    found = []
    for column in own:
        for table, source, kind, above in offered:
            ways = _ways(schema[column].kind, kind, None if clock is None else schema[clock].kind)
            tried = (Derived(column, how, table, source) for how in ways)
            time = None if clock is None else frame[clock]
            each = next((d for d in tried if _holds(frame[column], d.values(time, above))), None)
            if each is not None:
                found.append(each)
                break
    return tuple(found)


def _ways(mine: str, theirs: str, time: str | None) -> Iterator[How]:
    """Return how a column of one kind may follow from one of another kind, at a time of a third kind."""
    if mine == theirs:
        yield "copy"
    if mine != "integer" or time is None or theirs not in ("integer", "datetime"):
        return
    yield "years"
    if time == theirs == "datetime":
        yield from (how for how in get_args(How) if how in ("age", "days"))


def _holds(values: pd.Series, computed: pd.Series) -> bool:
    """Say whether two columns are equal in all rows, nulls included, and not constant."""
    if values.dtype != computed.dtype or values.nunique() < 2 or values.notna().sum() < FEWEST:
        return False
    null = values.isna().to_numpy()
    if (null != computed.isna().to_numpy()).any():
        return False
    return bool(np.asarray(values[~null].reset_index(drop=True) == computed[~null].reset_index(drop=True)).all())
