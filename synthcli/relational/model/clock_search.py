"""The search for the column that orders the rows of each parent, and for the dates of ancestors it is related to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from synthcli.contracts.schema import Schema
from synthcli.relational.data import Tables
from synthcli.relational.graph import Order, lineage
from synthcli.relational.model.anchors import Anchor, Candidate, find_anchors, may_be_anchor
from synthcli.relational.model.event_times import Clock
from synthcli.relational.model.ordering import ordering_integer, time_column
from synthcli.relational.relationships import NULL, rows_at


def find_clock(
    tables: Tables,
    order: Order,
    table: str,
    schema: Schema,
    own: Mapping[str, tuple[str, ...]],
    number: str | None,
) -> tuple[Clock, tuple[Anchor, ...]] | None:
    """Find the clock of a table with parents, and its anchors; None if nothing orders its rows.

    own: the modelled columns of this table and of its ancestors; number: a column that counts the rows of a parent.
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
    offered = [
        Candidate(ancestor, column, values)
        for ancestor, at in _ancestors(tables, order, driver.parent)
        for column in own[ancestor]
        if may_be_anchor(
            values := rows_at(tables.frames[ancestor][column], at), tables.schemas[ancestor][column].kind, clock
        )
    ]
    return clock, find_anchors(clock, clock.ticks(frame[by]), owner, units, offered)


def _ancestors(tables: Tables, order: Order, parent: str) -> Iterator[tuple[str, np.ndarray]]:
    """Return a table and its ancestors, with the position of each row's ancestor there."""
    at = np.arange(len(tables.frames[parent]))
    yield parent, at
    for r in lineage(parent, order.driver):
        above = tables.parents(r)
        at = np.where(at < 0, NULL, above[at] if len(above) else NULL)
        yield r.parent, at
