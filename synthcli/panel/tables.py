"""A panel as two related tables, and back: its units, each with its first row, and their other rows.

Times beside the one that orders the rows are learned as the time since it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import times
from synthcli.columns.discovery.infer import look
from synthcli.columns.table import Table
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.panel.layout import PanelLayout, numbers
from synthcli.relational.data import Tables
from synthcli.relational.model.context import WHOLE
from synthcli.relational.model.event_times import difference, since
from synthcli.relational.relationships import Relationship

UNITS, ROWS = "units", "rows"
KEY = "^key"  # the key of a unit: its number
OF_UNIT = Relationship(ROWS, (KEY,), UNITS, (KEY,))
_KEY = Column(KEY, Traits(type="id"), Traits(), "int64")


def gap(name: str) -> str:
    """Name the column that says in which rows a column of the unit is null."""
    return f"^gap.{name}"


def split(table: Table, layout: PanelLayout) -> Tables:
    """The units and the rows of a panel. A row whose unit is null is a unit of its own."""
    units = table.units()
    order = layout.rows_in_order(table.frame, units)
    frame, units = table.frame.iloc[order].reset_index(drop=True), units[order]
    first = np.r_[True, units[1:] != units[:-1]]
    rows = _rows(frame, layout, first).assign(**{KEY: pd.array(units, dtype="Int64")})
    own = layout.schema.unit
    constant = frame[[c for c in layout.schema.names if c == own or c in layout.constant]]
    above = constant.groupby(units).first().astype(constant.dtypes).reset_index(drop=True)
    opening = _opening(frame[first].reset_index(drop=True), rows[first].reset_index(drop=True), layout)
    above = pd.concat([opening[[KEY]], above, opening.drop(columns=KEY)], axis=1)
    columns = {c.name: c for c in (_KEY, *layout.schema.columns, *_row_columns(layout, opening=True))}
    columns |= {} if own is None else {own: _identifier(layout.schema[own])}
    of_units = look(Schema(tuple(columns[c] for c in above)), above)
    of_rows = Schema((_KEY, *_row_columns(layout, opening=False)))
    tables = {UNITS: above, ROWS: rows[~first].reset_index(drop=True)[of_rows.names]}
    return Tables(tables, {UNITS: of_units, ROWS: of_rows}, (OF_UNIT,), unit=(UNITS, None)).checked()[0]


def openings(layout: PanelLayout) -> frozenset[str]:
    """The columns that units have for their first row, and that mean the same in their other rows."""
    return frozenset(c.name for c in _row_columns(layout, opening=True)) - layout.paths.keys()


def _identifier(column: Column) -> Column:
    """The column that identifies a unit, in the table of units: no value twice, and none is null."""
    kind = {"type": column.kind, "unique": True, "nulls": 0.0}
    return replace(column, declared=column.declared.model_copy(update=kind))


def _row_columns(layout: PanelLayout, *, opening: bool) -> list[Column]:
    """The columns of rows. opening: of the first row of a unit, which has the values of paths and nothing made up."""
    out = []
    for name in layout.varying:
        column = layout.schema[name]
        if opening and column.kind not in frames.MODELLED:
            continue
        if name in layout.paths and not opening:
            column = _change(column)
        elif layout.relative(name):
            column = Column(name, WHOLE, Traits(), "int64")
        out.append(column)
    return out + [Column(gap(name), Traits(type="boolean"), Traits(), "bool") for name in layout.gaps]


def _change(column: Column) -> Column:
    """The column with the changes of a path."""
    if column.kind != "float":
        return Column(column.name, WHOLE, Traits(), "int64")
    return Column(column.name, Traits(type="float", precision=column.get("precision")), Traits(), "double")


def _rows(frame: pd.DataFrame, layout: PanelLayout, first: np.ndarray) -> pd.DataFrame:
    """The columns of all rows, of paths the changes, which mean nothing in a first row. frame: sorted by unit; first:
    (rows,) whether a row is the first of its unit.
    """
    out: dict[str, pd.Series] = {}
    for name in layout.varying:
        values = frame[name]
        if (path := layout.paths.get(name)) is not None:
            change = np.diff(numbers(values), prepend=0)
            change[first] = 0
            if path.grain is None:
                precision = layout.schema[name].get("precision")
                out[name] = pd.Series(change if precision is None else change.round(precision)).astype(values.dtype)
            else:
                out[name] = pd.Series(pd.array(change // path.grain, dtype="Int64"))
        elif layout.relative(name):
            out[name] = difference(values, frame[str(layout.sort_by)])
        else:
            out[name] = values
    return pd.DataFrame(out | {gap(name): frame[name].isna().astype("boolean") for name in layout.gaps})


def _opening(frame: pd.DataFrame, rows: pd.DataFrame, layout: PanelLayout) -> pd.DataFrame:
    """The first rows of all units, with the values of paths."""
    names = [KEY, *(c.name for c in _row_columns(layout, opening=True))]
    return pd.DataFrame({name: frame[name] if name in layout.paths else rows[name] for name in names})


def join(tables: Tables, layout: PanelLayout) -> pd.DataFrame:
    """The rows of a panel, those of a unit together and in their order; null in columns of rows that are made up."""
    above, below = tables.frames[UNITS], tables.frames[ROWS]
    owner = np.r_[np.arange(len(above)), tables.parents(OF_UNIT)]
    order = np.argsort(owner, kind="stable")
    owner = owner[order]
    first = np.r_[True, owner[1:] != owner[:-1]][: len(owner)]
    rows = {name: _stacked(above[name], below[name], order) for name in openings(layout)}
    values: dict[str, pd.Series] = {}
    for name in layout.schema.names:
        if name == layout.schema.unit or name in layout.constant:
            values[name] = above[name].take(owner).reset_index(drop=True)
            if name in layout.gaps:
                values[name] = values[name].mask(rows[gap(name)].fillna(False).to_numpy(dtype=bool))
        elif name in layout.paths:
            change = np.r_[np.zeros(len(above)), below[name].to_numpy(dtype=np.float64)][order]
            values[name] = _walked(above[name], change, owner, first, layout, name)
        elif name in rows:
            values[name] = rows[name]
        else:
            values[name] = below[name].reindex(range(-len(above), len(below))).reset_index(drop=True)
    for name in (c for c in values if layout.relative(c)):
        kind = layout.times[name]
        values[name] = since(values[name], values[str(layout.sort_by)], *kind)
    out = pd.DataFrame(values)
    return out.iloc[np.lexsort((-np.arange(len(out)), owner))].reset_index(drop=True) if layout.descending else out


def _stacked(above: pd.Series, below: pd.Series, order: np.ndarray) -> pd.Series:
    return pd.concat([above, below.astype(above.dtype)], ignore_index=True).iloc[order].reset_index(drop=True)


def _walked(
    above: pd.Series, change: np.ndarray, owner: np.ndarray, first: np.ndarray, layout: PanelLayout, name: str
) -> pd.Series:
    """The values of a path: the first of the unit, and the sum of the changes since. owner, first: (rows,)

    A path that leaves the range of the column is moved into it as a whole, and clipped if it is longer than the range.
    """
    path, column = layout.paths[name], layout.schema[name]
    grain = path.grain or 1
    start = (numbers(above) - path.low) / grain  # small numbers also for times
    top = (path.high - path.low) / grain
    total = np.cumsum(change)
    value = start[owner] + total - total[first][owner]
    low, high = (np.full(len(above), end) for end in (np.inf, -np.inf))
    np.minimum.at(low, owner, value)
    np.maximum.at(high, owner, value)
    down = np.maximum(high - top, 0)
    up = np.maximum(-(low - down), 0)
    value = np.clip(value + (up - down)[owner], 0, top)
    if path.grain is None:
        raw = value + path.low
        precision = column.get("precision")
        return pd.Series(raw if precision is None else raw.round(precision)).astype(above.dtype)
    whole = np.rint(value).astype(np.int64) * grain + int(path.low)
    if column.kind == "datetime":
        return times(whole, np.zeros(len(whole), dtype=bool), layout.times[name][0])
    return pd.Series(pd.array(whole, dtype="Int64"))
