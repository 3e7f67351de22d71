"""The role of each column of related tables: drawn, positional, numbered, a time, or a foreign key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import top_coding
from synthcli.columns.codec.parts import dtype_name, integers, times
from synthcli.columns.codec.stand_ins import repeats
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.graph import Order
from synthcli.relational.model.anchors import FEWEST, Anchor, spread
from synthcli.relational.model.clock_search import find_clock, find_derivations
from synthcli.relational.model.context import WHOLE, unit_of
from synthcli.relational.model.derived_columns import Derived
from synthcli.relational.model.event_times import FAR, Clock, difference, in_unit, since
from synthcli.relational.model.ordering import time_column
from synthcli.relational.relationships import Relationship, counted

LEVEL = "#level"
NOTHING_RULED: Mapping[str, frozenset[str]] = MappingProxyType({})


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
    """A time column that is drawn as ticks since another time of the row.

    ends: its bounds in ticks, None without any; within: positions of the anchors that it never follows.
    Rows are measured from the clock of the table, else from the date that the layout names as origin.
    """

    column: str
    type: str
    unit: str
    ends: tuple[int, int] | None = None
    within: tuple[int, ...] = ()

    def restored(self, drawn: pd.Series, time: pd.Series, latest: np.ndarray | None = None) -> pd.Series:
        """Convert drawn ticks to times. time: (rows,) that they are measured from; latest: (rows,) ticks of the column,
        FAR where there is no bound.
        """
        values = since(drawn, time, self.type, self.unit)
        if latest is not None:
            bound = times(np.where(latest < FAR, latest, 0), latest >= FAR, self.type)
            values = values.where(~(values > bound).fillna(False).astype(bool), bound)
        if self.ends is None:
            return values
        low, high = (times(np.array([end]), np.zeros(1, dtype=bool), self.type)[0] for end in self.ends)
        return values.clip(low, high)


@dataclass(frozen=True)
class Layout:
    """The roles of the columns of one table.

    own: modelled columns, the clock's among them, and keys that repeat; positional: values that follow from the
    position of a row, such as ids and fake names; foreign: keys of other rows; clock: orders siblings; anchors: dates
    of ancestors that its times are related to; origin: the date that other dates of the row are measured from, in a
    table without parents; derived: columns that follow from the rows above.
    """

    schema: Schema
    own: tuple[str, ...]
    positional: tuple[str, ...]
    foreign: tuple[str, ...]
    numbered: tuple[Numbered, ...] = ()
    clock: Clock | None = None
    relative: tuple[Relative, ...] = ()
    anchors: tuple[Anchor, ...] = ()
    origin: str | None = None
    derived: tuple[Derived, ...] = ()

    @property
    def known(self) -> tuple[str, ...]:
        """The columns that other tables may depend on: modelled ones, and those that follow from the rows above."""
        return (*self.own, *(d.column for d in self.derived))

    @property
    def learned(self) -> tuple[str, ...]:
        """The known columns whose values are learned: not those of keys, which are made."""
        return tuple(c for c in self.known if self.schema[c].kind in frames.MODELLED)

    def drawn(self) -> tuple[Column, ...]:
        """Return the columns that a table method draws; times relative to the clock are numbers of ticks."""
        ticks = {r.column for r in self.relative}
        apart = self.clock.column if self.clock else None
        return tuple(
            Column(c, WHOLE, Traits(), "int64") if c in ticks else self.schema[c] for c in self.own if c != apart
        )

    def dated(self, drawn: pd.DataFrame) -> pd.DataFrame:
        """Convert the drawn ticks of dates that are measured from another date of the row to dates."""
        if self.origin is None:
            return drawn
        return drawn.assign(**{r.column: r.restored(drawn[r.column], drawn[self.origin]) for r in self.relative})

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": self.schema.to_json(),
            "own": self.own,
            "made": self.positional,
            "foreign": self.foreign,
            "numbered": [[n.column, n.among, n.start] for n in self.numbered],
            "clock": self.clock and self.clock.to_json(),
            "relative": [[r.column, r.type, r.unit, r.ends, r.within] for r in self.relative],
            "origin": self.origin,
            "derived": [[d.column, d.how, d.table, d.source] for d in self.derived],
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
            tuple(Relative(c, t, u, ends and tuple(ends), tuple(k)) for c, t, u, ends, k in data["relative"]),
            tuple(Anchor.from_json(anchor) for anchor in data["anchors"]),
            data["origin"],
            tuple(Derived(*d) for d in data["derived"]),
        )


def lay_out(
    tables: Tables, order: Order, ruled: Mapping[str, frozenset[str]] = NOTHING_RULED
) -> tuple[Tables, dict[str, Layout]]:
    """Find the layout of every table, and sort the rows of each table by parent, then by time or number.

    ruled: by table, the columns that rules read.
    """
    layouts: dict[str, Layout] = {}
    for name in order.tables:
        layout, frame = _roles(tables, name), tables.frames[name]
        driver = order.driver.get(name)
        if driver is not None:
            layout = _numbers(layout, tables, driver)
            layout = _clocked(layout, name, tables, order, {t: each.known for t, each in layouts.items()})
            layout = _numbers_at_once(layout, frame, driver)
            layout = _derived(layout, name, tables, order, layouts, ruled.get(name, frozenset()))
            tables = _reordered(tables, name, _sibling_order(layout, frame, driver, tables.parents(driver)))
        else:
            layout = _dated(layout, frame, tables.units()[name], ruled.get(name, frozenset()))
        layouts[name] = layout
    return tables, layouts


def _roles(tables: Tables, name: str) -> Layout:
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
    repeated = {
        c.name
        for c in columns
        if c.name not in carriers and (name, c.name) != tables.unit and repeats(c, frame[c.name])
    }
    positional = tuple(
        c.name for c in columns if c.kind not in frames.MODELLED and c.name not in foreign and c.name not in counted
    )
    positional = tuple(c for c in positional if c not in repeated)
    own = tuple(
        c.name
        for c in columns
        if (c.kind in frames.MODELLED or c.name in repeated) and c.name not in foreign and c.name not in counted
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
    clock, anchors, latest = found
    others = [c for c in layout.own if layout.schema[c].kind == "datetime" and c != clock.column and clock.is_time]
    relative = tuple(
        Relative(c, dtype_name(frame[c]), unit_of(frame[c]), None, _within(frame[c], clock, anchors, latest))
        for c in others
    )
    return replace(layout, clock=clock, relative=relative, anchors=anchors)


def _within(values: pd.Series, clock: Clock, anchors: tuple[Anchor, ...], latest: list[np.ndarray]) -> tuple[int, ...]:
    """Return the positions of the anchors that times never follow, such as a death. latest: (rows,) of each anchor."""
    known = values.notna().to_numpy()
    raw, unit = integers(values[known]), unit_of(values)
    bounds = [np.where(t[known] < FAR, in_unit(np.where(t < FAR, t, 0)[known], clock.unit, unit), FAR) for t in latest]
    return tuple(k for k, a in enumerate(anchors) if a.before and bool((raw <= bounds[k]).all()))


def _derived(
    layout: Layout,
    table: str,
    tables: Tables,
    order: Order,
    above: Mapping[str, Layout],
    ruled: frozenset[str],
) -> Layout:
    """Set apart the columns that follow from the rows above. ruled: columns that rules read, which stay drawn."""
    own = {t: each.known for t, each in above.items()} | {table: layout.own}
    found = find_derivations(tables, order, table, layout.schema, own, layout.clock, ruled)
    names = {d.column for d in found}
    left = tuple(c for c in layout.own if c not in names)
    return replace(layout, own=left, relative=tuple(r for r in layout.relative if r.column in left), derived=found)


def _dated(layout: Layout, frame: pd.DataFrame, units: np.ndarray | None, ruled: frozenset[str]) -> Layout:
    """Measure dates from the first one without nulls if that brings them closer together: a death from a birth.

    Dates that rules read stay as they are, because rules are built into the columns themselves.
    """
    free = tuple(c for c in layout.own if c not in ruled)
    origin = time_column(frame, layout.schema, free)
    found = []
    for column in free if origin is not None else ():
        if layout.schema[column].kind == "datetime" and column != origin:
            known = frame[column].notna().to_numpy()
            raw, mine = integers(frame[column][known]), None if units is None else units[known]
            apart = integers(difference(frame[column][known], frame[origin][known]))
            if len(raw) >= FEWEST and spread(apart) < spread(raw):
                low, high = top_coding.ends(raw, mine)
                ends = int(raw[low]), int(raw[high])
                found.append(Relative(column, dtype_name(frame[column]), unit_of(frame[column]), ends))
    return replace(layout, relative=tuple(found), origin=origin if found else None)


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
