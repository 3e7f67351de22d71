"""The search for the column that orders the rows of each parent, and for the dates of ancestors it is related to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations

import numpy as np
import pandas as pd

from synthcli.contracts.schema import Schema
from synthcli.relational.data import Tables
from synthcli.relational.graph import Order, lineage
from synthcli.relational.model.anchors import Anchor, Candidate, days_between, find_anchors, latest_ticks, may_be_anchor
from synthcli.relational.model.derived_columns import Derived, find_derived
from synthcli.relational.model.event_times import NUMBER, Clock
from synthcli.relational.model.ordering import ordering_integer, time_column
from synthcli.relational.relationships import NULL, rows_at


def find_clock(
    tables: Tables,
    order: Order,
    table: str,
    schema: Schema,
    own: Mapping[str, tuple[str, ...]],
    number: str | None,
) -> tuple[Clock, tuple[Anchor, ...], list[np.ndarray]] | None:
    """Find the clock of a table with parents, and its anchors; None if nothing orders its rows.

    own: the modelled columns of this table and of its ancestors; number: a column that counts the rows of a parent.
    Also returns the last tick on or before each anchor, (rows,) each.
    """
    driver, frame = order.driver[table], tables.frames[table]
    owner, units = tables.parents(driver), tables.units()[table]
    by = time_column(frame, schema, own[table])
    if by is None:
        rank = None if number is None else frame[number].to_numpy(dtype=np.int64)
        by = ordering_integer(frame, schema, own[table], owner, rank)
    if by is None:
        return None
    clock = Clock.of(by, frame[by], owner, units)
    ticks, offered = clock.ticks(frame[by]), list[Candidate]()
    for ancestor, at in _ancestors(tables, order, driver.parent):
        above = tables.frames[ancestor].take(np.maximum(at, 0)).reset_index(drop=True)
        above = above if (at >= 0).all() else above.mask(pd.Series(at < 0))
        for column in own[ancestor]:
            if may_be_anchor(above[column], tables.schemas[ancestor][column].kind, clock):
                offered.append(Candidate(ancestor, column, above[column]))
        dates = [c for c in own[ancestor] if tables.schemas[ancestor][c].kind == "datetime"]
        offered += _lengths(ancestor, above, dates, ticks, owner) if clock.unit == NUMBER else []
    anchors = find_anchors(clock, ticks, owner, units, offered)
    values = {(c.table, c.column, c.since): c.values for c in offered}
    steps = [a.steps(values[a.table, a.column, a.since], clock) for a in anchors]
    return clock, anchors, [latest_ticks(clock, each, owner) for each in steps]


def _lengths(
    table: str, above: pd.DataFrame, dates: list[str], numbers: np.ndarray, owner: np.ndarray
) -> Iterator[Candidate]:
    """Return the lengths in days of periods of an ancestor that no number exceeds, such as days of a stay.

    above: (parents,) the ancestor of each parent; numbers, owner: (rows,) of the children, counted from 0 or 1.
    """
    has = owner >= 0
    for first, last in permutations(dates, 2):
        days = days_between(above, first, last)
        if days.isna().any() or (days < 0).any() or not has.any():
            continue
        over = int((numbers[has] - days.to_numpy(dtype=np.int64)[owner[has]]).max())
        if over <= 1:
            yield Candidate(table, last, days + max(over, 0), first, max(over, 0))


def find_derivations(
    tables: Tables,
    order: Order,
    table: str,
    schema: Schema,
    own: Mapping[str, tuple[str, ...]],
    clock: Clock | None,
    ruled: frozenset[str],
) -> tuple[Derived, ...]:
    """Find the columns of a table that follow from the rows above and its time. ruled: columns that rules read.

    own: the modelled columns of this table and of its ancestors.
    """
    time = None if clock is None else clock.column
    free = [c for c in own[table] if c != time and c not in ruled]
    owner = tables.parents(order.driver[table])
    offered = [
        (ancestor, c, tables.schemas[ancestor][c].kind, rows_at(tables.frames[ancestor][c], _at(at, owner)))
        for ancestor, at in _ancestors(tables, order, order.driver[table].parent)
        for c in own[ancestor]
    ]
    return find_derived(tables.frames[table], schema, free, time, offered)


def _at(above: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Find the ancestor of each row. above: (parents,) ancestor of each parent; owner: (rows,) parent of each row."""
    return np.where(owner < 0, NULL, above[owner] if len(above) else NULL)


def _ancestors(tables: Tables, order: Order, parent: str) -> Iterator[tuple[str, np.ndarray]]:
    """Return a table and its ancestors, with the position of each row's ancestor there."""
    at = np.arange(len(tables.frames[parent]))
    yield parent, at
    for r in lineage(parent, order.driver):
        at = _at(tables.parents(r), at)
        yield r.parent, at
