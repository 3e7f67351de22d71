"""Making related tables from what was learned: parents first, the children of all parents in waves, other parents by
what they are like.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd

from synthcli.relational.graph import Order
from synthcli.relational.model import event_times as clocks
from synthcli.relational.model.context import cells, framed
from synthcli.relational.model.enforcement import degree, early, hold, in_time, watched
from synthcli.relational.model.foreign_keys import late, partners
from synthcli.relational.model.layout import Layout, first, span
from synthcli.relational.model.links import slots
from synthcli.relational.model.rejection import Drawing, stored
from synthcli.relational.model.siblings import Memory, Siblings, Wave, waves
from synthcli.relational.model.state import Sample, empty
from synthcli.relational.model.table_model import Sheet, put_parents, put_time
from synthcli.relational.relationships import NULL, Relationship, positions

Kept = Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]  # table -> its rows, and how many children each has


class Maker(Sample):
    """kept: rows that are given out as they are; top: rows of the table of the privacy unit that are made already, None
    for none.
    """

    def __init__(
        self,
        sheets: Mapping[str, Sheet],
        order: Order,
        relationships: Sequence[Relationship],
        kept: Kept,
        unit: str,
        top: pd.DataFrame | None = None,
    ) -> None:
        super().__init__(sheets, order, relationships, frozenset(kept), unit)
        self.rows, self.top = kept, top

    def run(self, rows: int, *, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Every table, of so many rows in the table of the privacy unit."""
        for name, stream in zip(self.order.tables, rng.spawn(len(self.order.tables))):
            if name in self.kept:
                self.world.frames[name], self.world.extra[name] = self.rows[name]
                for r in (r for r in self.relationships if r.child == name):
                    parent = self.rows[r.parent][0]
                    self.world.at[r.name] = np.maximum(positions(parent, r.keys, self.rows[name][0], r.columns), NULL)
            else:
                self._table(name, rows, rng=stream)
        for r, stream in zip(self.order.late, rng.spawn(len(self.order.late))):
            if r.child not in self.kept:
                late(self, r, rng=stream)
        for name in self.order.tables:
            hold(self, name, whole=True)
        return {name: self.world.frames[name][sheet.layout.schema.names] for name, sheet in self.sheets.items()}

    def _table(self, name: str, rows: int, *, rng: np.random.Generator) -> None:
        sheet, (drawing, linking, making) = self.sheets[name], rng.spawn(3)
        driver = self.order.driver.get(name)
        if driver is not None:
            drawn = self._children(
                name, driver, self._owners(name, driver, rows, rng=linking), drawing, linking, making
            )
        elif name == self.unit and self.top is not None:
            drawn = self.top
        else:
            drawn = self._first(name, rows if name == self.unit else sheet.rows, drawing, making)
        extra = [c for c in drawn if c.startswith("#")]
        self.world.extra[name] = drawn[extra]
        frame = drawn.drop(columns=extra)
        if lacking := [c for c in sheet.layout.made if c not in frame]:
            frame = pd.concat([frame, self.made(name, len(drawn), 0, rng=making)[lacking]], axis=1)
        for r in self.settled(name):
            frame = self.with_key(frame, r, self.layouts[name])
        for r in self.order.late:
            if r.child == name:  # found when all tables are there
                for column in r.columns:
                    if column not in frame:
                        frame[column] = empty(sheet.layout.schema[column]).reindex(frame.index)
        for numbered in sheet.layout.numbered:
            frame[numbered.column] = (
                frame.groupby(list(numbered.among), dropna=False, sort=False).cumcount() + numbered.start
            ).astype("Int64")
        self.world.frames[name] = stored(frame, sheet.layout.schema)
        hold(self, name, whole=False)

    def _first(self, name: str, rows: int, drawing: np.random.Generator, making: np.random.Generator) -> pd.DataFrame:
        """The columns of rows that have nobody above them."""
        sheet, empty = self.sheets[name], pd.DataFrame(index=pd.RangeIndex(rows))
        if "values" not in sheet.models:
            return empty
        model = sheet.models["values"]
        if sheet.obeyed is None:
            return model.draw(None, rows, rng=drawing)
        made, remake = early(self, name, rows, making)
        own = Drawing(name, sheet, made, np.full(rows, NULL), self.tally, remake)
        drawn = own.wave(
            np.arange(rows), lambda some, rng, ticks=None: model.draw(None, len(some), rng=rng.spawn(1)[0]), rng=drawing
        )
        return pd.concat([drawn, own.beside[list(made)]], axis=1)

    def _owners(self, name: str, driver: Relationship, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """The parent of each row, those of a parent together; rows without one stand first. (rows,) int64"""
        n, _ = degree(self, driver)
        if name == self.unit:
            n = np.bincount(slots(n, rows, rng=rng), minlength=len(n))
        loose = self.sheets[name].loose
        alone = round(int(n.sum()) * loose / (1 - loose)) if loose < 1 else self.sheets[name].rows
        return np.r_[np.full(alone, NULL), np.repeat(np.arange(len(n)), n)].astype(np.int64)

    def _children(
        self,
        name: str,
        driver: Relationship,
        owner: np.ndarray,
        drawing: np.random.Generator,
        linking: np.random.Generator,
        making: np.random.Generator,
    ) -> pd.DataFrame:
        """The drawn columns of rows whose parents are known; their other parents and their times are found on the
        way.
        """
        sheet, world, parents = self.sheets[name], self.world, len(self.world.frames[driver.parent])
        layout = sheet.layout
        world.at[driver.name] = owner
        if sheet.links:
            keep = partners(self, name, sheet, owner, parents, rng=linking)
            owner = owner[keep]
            for r in self.settled(name):
                world.at[r.name] = world.at[r.name][keep]
        siblings, known = Siblings.of(owner, parents), self.context(name, sheet, owner, parents)
        for link in sheet.links:
            put_parents(known, link, world.at[link.relationship.name], self.layouts, world)
        known["#i"], known["#left"] = siblings.i.astype(np.float64), (siblings.n - siblings.i).astype(np.float64)
        rules = None if sheet.obeyed is None else watched(self, name, driver, owner, making)
        if layout.clock is None:
            return self._values(sheet, known, owner, parents, rules, rng=drawing)
        ticks = self._times(sheet, driver, known, owner, rng=drawing)
        if rules is not None:
            ticks = in_time(self, name, rules, ticks, known, owner, rng=linking)
        put_time(known, layout.clock, ticks, np.where(siblings.i > 0, ticks - np.r_[0, ticks[:-1]], -1))
        if rules is not None:
            rules.timed(ticks)
        drawn = self._values(sheet, known, owner, parents, rules, rng=drawing)
        if rules is not None:
            return drawn.assign(**{layout.clock.column: rules.beside[layout.clock.column]})
        time = layout.clock.series(ticks)
        for each in layout.relative:
            drawn[each.column] = clocks.since(drawn[each.column], time, each.type, each.unit)
        return drawn.assign(**{layout.clock.column: time})

    def _times(
        self,
        sheet: Sheet,
        driver: Relationship,
        known: dict[str, np.ndarray],
        owner: np.ndarray,
        *,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """The time of each row, in ticks: parents' first and last, then what lies between in waves. (rows,) int64"""
        clock, extra, k = sheet.layout.clock, self.world.extra[driver.parent], self.relationships.index(driver)
        assert clock is not None  # asked for tables that have one
        parent = self.world.frames[driver.parent]
        counts = np.bincount(owner[owner >= 0], minlength=len(parent))
        anchor = self.layouts[driver.parent].anchor
        begin, finish = clock.bounds(
            extra[first(k)], extra[span(k)], clock.ticks(parent[anchor]) if clock.anchored and anchor else None, counts
        )
        alone = int((owner < 0).sum())
        ticks = np.concatenate([clock.alone(alone, rng=rng), np.repeat(begin, counts)])
        has = counts > 1
        ticks[(alone + np.cumsum(counts) - 1)[has]] = finish[has]
        if "pace" not in sheet.models:
            return ticks
        static = framed(known, len(owner))
        for wave in waves(counts, 1, 1, offset=alone):
            before = ticks[wave.first - 1]
            last = finish[wave.parents]
            left = np.repeat(clock.seconds(last - before), wave.many)
            moment = {"@before": np.repeat(clock.seconds(before), wave.many), "@rest": left}
            context = pd.concat([static.take(wave.rows).reset_index(drop=True), framed(moment, len(wave.rows))], axis=1)
            share = sheet.models["pace"].draw(context, len(wave.rows), rng=rng.spawn(1)[0])[clocks.SHARE].to_numpy()
            clock.walk(ticks, wave, share, last)
        return ticks

    def _values(
        self,
        sheet: Sheet,
        known: dict[str, np.ndarray],
        owner: np.ndarray,
        parents: int,
        rules: Drawing | None = None,
        *,
        rng: np.random.Generator,
    ) -> pd.DataFrame:
        """All drawn columns, wave by wave; with rules, times as they are, and what is made up already."""
        rows = len(owner)
        if "values" not in sheet.models:  # it has no columns to draw, or had no rows
            return pd.DataFrame(
                {c.name: empty(c).reindex(range(rows)) for c in sheet.layout.drawn()}, index=pd.RangeIndex(rows)
            )
        model, memory, static = sheet.models["values"], Memory(sheet.pasts, parents), framed(known, rows)
        kinds = {c.name: c.kind for c in sheet.layout.drawn()}
        alone = int((owner < 0).sum())
        counts = np.bincount(owner[owner >= 0], minlength=parents)
        loose = (
            [Wave(np.full(alone, NULL), np.arange(alone), np.ones(alone, dtype=np.int64), np.arange(alone))]
            if alone
            else []
        )
        pieces, places = [], []
        for wave in chain(loose, waves(counts, offset=alone)):
            past: dict[str, np.ndarray] = {}
            memory.put(past, wave.owners)
            context = pd.concat([static.take(wave.rows).reset_index(drop=True), framed(past, len(wave.rows))], axis=1)
            if rules is None:
                drawn = seen = model.draw(context, len(wave.rows), rng=rng.spawn(1)[0])
            else:

                def draw(
                    some: np.ndarray,
                    stream: np.random.Generator,
                    ticks: np.ndarray | None = None,
                    context: pd.DataFrame = context,
                    rows: np.ndarray = wave.rows,
                ) -> pd.DataFrame:
                    asked = context.iloc[some].reset_index(drop=True)
                    if rules.ticks is not None:  # siblings before may have been moved
                        asked = asked.assign(**rules.moment(rows[some], ticks))
                    return model.draw(asked, len(some), rng=stream.spawn(1)[0])

                drawn = rules.wave(wave.rows, draw, rng=rng)
                seen = _ticks(drawn, sheet.layout, rules.beside, wave.rows)
            if (wave.parents >= 0).all():
                made = {p.source: cells(seen[p.source], kinds.get(p.source, "integer")) for p in sheet.pasts}
                memory.add(wave.owners, made, wave.ends)
            pieces.append(drawn)
            places.append(wave.rows)
        if not pieces:
            counted = {c: pd.Series([], dtype="Int64") for c in model.drawn if c.startswith("#")}
            return pd.DataFrame({c.name: empty(c) for c in sheet.layout.drawn()} | counted)
        out = pd.concat(pieces, ignore_index=True).iloc[np.argsort(np.concatenate(places))].reset_index(drop=True)
        if rules is None:
            return out
        return pd.concat([out, rules.beside[[c for c in sheet.layout.made if c in rules.beside]]], axis=1)


def _ticks(drawn: pd.DataFrame, layout: Layout, beside: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """The columns as siblings remember them: times since the row's own."""
    if layout.clock is None or not layout.relative:
        return drawn
    own = beside[layout.clock.column].iloc[rows].reset_index(drop=True)
    return drawn.assign(**{each.column: clocks.difference(drawn[each.column], own) for each in layout.relative})
