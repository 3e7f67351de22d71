"""The role of each column of related tables: drawn, positional, numbered, a time, or a foreign key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import dtype_name
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.graph import Order
from synthcli.relational.model.anchors import Anchor
from synthcli.relational.model.clock_search import find_clock
from synthcli.relational.model.context import WHOLE, unit_of
from synthcli.relational.model.event_times import Clock
from synthcli.relational.relationships import Relationship, counted

LEVEL = "#level"


def count(k: int) -> str:
    """Name the column of a parent that counts its children by the k-th relationship."""
    return f"#{k}.n"


@dataclass(frozen=True)
class Numbered:
    """A column that counts the rows which agree in the columns `among`, from `start` on."""

    column: str
    among: tuple[str, ...]
    start: int

    def values(self, frame: pd.DataFrame) -> pd.Series:
        """Number the rows of a frame."""
        counted = frame.groupby(list(self.among), dropna=False, sort=False).cumcount()
        return (counted + self.start).astype("Int64")


@dataclass(frozen=True)
class Relative:
    """A time column that is drawn as ticks since the row's own time."""

    column: str
    type: str
    unit: str


@dataclass(frozen=True)
class Layout:
    """The roles of the columns of one table.

    own: modelled columns, the clock's among them; positional: values that follow from the position of a row, such as
    ids and fake names; foreign: keys of other rows; clock: orders siblings; anchors: dates of ancestors that its times
    are related to.
    """

    schema: Schema
    own: tuple[str, ...]
    positional: tuple[str, ...]
    foreign: tuple[str, ...]
    numbered: tuple[Numbered, ...] = ()
    clock: Clock | None = None
    relative: tuple[Relative, ...] = ()
    anchors: tuple[Anchor, ...] = ()

    def drawn(self) -> tuple[Column, ...]:
        """Return the columns that a table method draws; times relative to the clock are numbers of ticks."""
        ticks = {r.column for r in self.relative}
        apart = self.clock.column if self.clock else None
        return tuple(
            Column(c, WHOLE, Traits(), "int64") if c in ticks else self.schema[c] for c in self.own if c != apart
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": self.schema.to_json(),
            "own": self.own,
            "made": self.positional,
            "foreign": self.foreign,
            "numbered": [[n.column, n.among, n.start] for n in self.numbered],
            "clock": self.clock and self.clock.to_json(),
            "relative": [[r.column, r.type, r.unit] for r in self.relative],
            "anchors": [anchor.to_json() for anchor in self.anchors],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Layout:
        return cls(
            Schema.from_json(data["schema"]),
            tuple(data["own"]),
            tuple(data["made"]),
            tuple(data["foreign"]),
            tuple(Numbered(c, tuple(among), start) for c, among, start in data["numbered"]),
            Clock.from_json(data["clock"]) if data["clock"] else None,
            tuple(Relative(*r) for r in data["relative"]),
            tuple(Anchor.from_json(anchor) for anchor in data["anchors"]),
        )


def lay_out(tables: Tables, order: Order) -> tuple[Tables, dict[str, Layout]]:
    """Find the layout of every table, and sort the rows of each table by parent, then by time or number."""
    layouts: dict[str, Layout] = {}
    for name in order.tables:
        layout, frame = _roles(tables, name, order), tables.frames[name]
        driver = order.driver.get(name)
        if driver is not None:
            layout = _numbers(layout, tables, driver)
            layout = _clocked(layout, name, tables, order, {t: each.own for t, each in layouts.items()})
            layout = _numbers_at_once(layout, frame, driver)
            tables = _reordered(tables, name, _sibling_order(layout, frame, driver, tables.parents(driver)))
        layouts[name] = layout
    return tables, layouts


def _roles(tables: Tables, name: str, order: Order) -> Layout:
    """Divide the columns into keys, positional and modelled ones; a key that nothing else determines is an id."""
    schema = tables.schemas[name]
    foreign = tuple(dict.fromkeys(c for r in tables.relationships if r.child == name for c in r.columns))
    frame, keys, numbered, carriers = (
        tables.frames[name],
        {r.keys for r in tables.relationships if r.parent == name},
        list[Numbered](),
        set[str](),
    )
    for key in sorted(keys):
        open_ = [c for c in key if c not in foreign]
        if not open_:
            continue
        carrier = max(open_, key=lambda c: frame[c].nunique())
        among = tuple(c for c in key if c != carrier)
        start = tables.counted.get((name, carrier, among))
        if start is None:
            carriers.add(carrier)
        elif carrier not in carriers:
            numbered.append(Numbered(carrier, among, start))
    columns = tuple(_as_key(c) if c.name in carriers else c for c in schema.columns)
    counted = {n.column for n in numbered}
    positional = tuple(
        c.name for c in columns if c.kind not in frames.MODELLED and c.name not in foreign and c.name not in counted
    )
    own = tuple(
        c.name for c in columns if c.kind in frames.MODELLED and c.name not in foreign and c.name not in counted
    )
    return Layout(Schema(columns, schema.unit), own, positional, foreign, tuple(numbered))


def _as_key(column: Column) -> Column:
    """Declare a column as one of unique positional values."""
    kind = column.declared.type if column.declared.type not in (None, *frames.MODELLED) else "id"
    return replace(column, declared=column.declared.model_copy(update={"type": kind, "unique": True, "nulls": None}))


def _numbers(layout: Layout, tables: Tables, driver: Relationship) -> Layout:
    """Number the modelled integers that count the rows of a parent."""
    found = []
    for column in layout.own:
        if (
            layout.schema[column].kind == "integer"
            and (start := tables.counted.get((driver.child, column, driver.columns))) is not None
        ):
            found.append(Numbered(column, driver.columns, start))
    names = {n.column for n in found}
    return replace(layout, own=tuple(c for c in layout.own if c not in names), numbered=(*layout.numbered, *found))


def _clocked(layout: Layout, table: str, tables: Tables, order: Order, above: Mapping[str, tuple[str, ...]]) -> Layout:
    """Find the column that orders the rows of each parent. above: the modelled columns of the ancestors."""
    driver, frame = order.driver[table], tables.frames[table]
    number = next((n.column for n in layout.numbered if n.among == driver.columns), None)
    found = find_clock(tables, order, table, layout.schema, {**above, table: layout.own}, number)
    if found is None:
        return layout
    clock, anchors = found
    others = [c for c in layout.own if layout.schema[c].kind == "datetime" and c != clock.column and clock.is_time]
    relative = tuple(Relative(c, dtype_name(frame[c]), unit_of(frame[c])) for c in others)
    return replace(layout, clock=clock, relative=relative, anchors=anchors)


def _numbers_at_once(layout: Layout, frame: pd.DataFrame, driver: Relationship) -> Layout:
    """Number the modelled integers that count the rows of a parent at one time, such as the teams of a season."""
    if layout.clock is None:
        return layout
    among = (*driver.columns, layout.clock.column)
    found = [
        Numbered(column, among, start)
        for column in layout.own
        if column != layout.clock.column and (start := counted(frame, column, among)) is not None
    ]
    names = {n.column for n in found}
    return replace(layout, own=tuple(c for c in layout.own if c not in names), numbered=(*layout.numbered, *found))


def _sibling_order(layout: Layout, frame: pd.DataFrame, driver: Relationship, owner: np.ndarray) -> np.ndarray:
    """Sort rows by parent, then by time, then by the number that counts them. Returns their positions."""
    clock = () if layout.clock is None else (layout.clock.column,)
    groups = (driver.columns, (*driver.columns, *clock))
    by = [frame[n.column].to_numpy(dtype=np.int64) for n in layout.numbered if n.among in groups][:1]
    if layout.clock is not None:
        by = [*by, layout.clock.ticks(frame[layout.clock.column])]
    return np.lexsort((*by, owner))


def _reordered(tables: Tables, name: str, rows: np.ndarray) -> Tables:
    hierarchies = {t: h.take(rows) if t == name else h for t, h in tables.hierarchies.items()}
    return tables.having(tables.frames | {name: tables.frames[name].iloc[rows].reset_index(drop=True)}, hierarchies)
