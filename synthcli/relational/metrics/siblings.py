"""Compare how the children of one parent resemble and follow each other, in synthetic and in real data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.contracts.schema import Column
from synthcli.relational.data import Tables
from synthcli.relational.judging import key_columns, pair_trends, table_with_units
from synthcli.relational.model.context import cells
from synthcli.relational.relationships import Relationship

TRENDS = Gauge(
    "sibling_trend",
    "higher",
    frozenset({"control", "relationships", "synthetic"}),
    "mean over columns of children of the similarity that column_pair_trends takes between a row and the one of "
    "the same parent before it",
)
GAUGES: tuple[Gauge, ...] = (TRENDS,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Measure the trend between each column and the same column of the previous sibling, for each relationship.

    Siblings are sorted by their first time column without nulls, else they keep their order.
    """

    def rows(tables: Tables, r: Relationship) -> Table:
        return join_previous_siblings(tables, r, sort_column(evidence.control, r))

    return pair_trends(TRENDS, evidence, rows, _pairs, rng=rng)


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    return [(f"{name.removeprefix('this ')} before", name) for name in names if name.startswith("this ")]


def sort_column(tables: Tables, r: Relationship) -> str | None:
    """Return the first time column of the child table that has no nulls."""
    frame = tables.frames[r.child]
    for column in tables.schemas[r.child].columns:
        if column.kind == "datetime" and not frame[column.name].isna().any():
            return column.name
    return None


def join_previous_siblings(tables: Tables, r: Relationship, by: str | None) -> Table:
    """Join each child row with the previous row of the same parent: columns `x before` and `this x`."""
    at, frame, schema = tables.parents(r), tables.frames[r.child], tables.schemas[r.child]
    keys = [cells(frame[by], "datetime")] if by is not None else []
    order = np.lexsort((*keys, at))
    same = (at[order][1:] == at[order][:-1]) & (at[order][1:] >= 0)
    current, previous = order[1:][same], order[:-1][same]
    values: dict[str, pd.Series] = {}
    columns: list[Column] = []
    for column in schema.columns:
        if column.kind in frames.MODELLED and column.name not in key_columns(tables, r.child):
            for name, rows in ((f"{column.name} before", previous), (f"this {column.name}", current)):
                values[name] = frame[column.name].take(rows).reset_index(drop=True)
                columns.append(Column(name, column.declared, column.inferred, column.storage))
    return table_with_units(values, columns, at[current])
