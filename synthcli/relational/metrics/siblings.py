"""Do the children of one parent resemble each other, and follow one another, as in real data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.judging import Trend, across, key_columns
from synthcli.relational.model.context import UNIT, cells
from synthcli.relational.relationships import Relationship

TRENDS = Gauge(
    "sibling_trend",
    "higher",
    frozenset({"control", "relationships", "synthetic"}),
    "mean over columns of children of the similarity that column_pair_trends takes between a row and the one of "
    "the same parent before it",
)
GAUGES: tuple[Gauge, ...] = (TRENDS,)


def measure(evidence: Evidence, *, rng: np.random.Generator, trend: Trend, table: Any) -> list[Measurement]:
    """For every relationship; siblings stand in the order of their first time column without nulls, else as they
    come.
    """

    def pairs(names: list[str]) -> list[tuple[str, str]]:
        return [(f"{name.removeprefix('this ')} before", name) for name in names if name.startswith("this ")]

    def rows(tables: Tables, r: Relationship) -> Any:
        return _following(tables, r, _time(evidence.control, r), table)

    return across(TRENDS, evidence, rows, pairs, trend, table, rng=rng)


def _time(tables: Tables, r: Relationship) -> str | None:
    frame = tables.frames[r.child]
    return next(
        (c.name for c in tables.schemas[r.child].columns if c.kind == "datetime" and not frame[c.name].isna().any()),
        None,
    )


def _following(tables: Tables, r: Relationship, by: str | None, table: Any) -> Any:
    """Each child row beside the one before it, as a table: `x before`, `this x`."""
    at, frame, schema = tables.parents(r), tables.frames[r.child], tables.schemas[r.child]
    keys = [cells(frame[by], "datetime")] if by is not None else []
    order = np.lexsort((*keys, at))
    same = (at[order][1:] == at[order][:-1]) & (at[order][1:] >= 0)
    now, before = order[1:][same], order[:-1][same]
    out, columns = {}, []
    for column in schema.columns:
        if column.kind in frames.MODELLED and column.name not in key_columns(tables, r.child):
            for name, rows in ((f"{column.name} before", before), (f"this {column.name}", now)):
                out[name] = frame[column.name].take(rows).reset_index(drop=True)
                columns.append(Column(name, column.declared, column.inferred, column.storage))
    out[UNIT] = pd.Series(pd.array(at[now], dtype="Int64"))
    return table(pd.DataFrame(out), Schema((*columns, Column(UNIT, Traits(type="id"), Traits(), "int64")), UNIT))
