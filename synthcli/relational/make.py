"""Making related tables from what was learned: parents first, the children of all parents in waves, other parents by what they are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as canonical
from synthcli.contracts import Column
from synthcli.relational import clock as clocks
from synthcli.relational.aspects import cells, framed
from synthcli.relational.graph import Order
from synthcli.relational.layout import LEVEL, Layout, count, first, span
from synthcli.relational.learn import Link, Sheet, late_context, put_above, put_parents, put_time
from synthcli.relational.links import chosen, distinct, likeness, slots
from synthcli.relational.relationships import NULL, Relationship, positions
from synthcli.relational.siblings import Memory, Siblings, Wave, waves
from synthcli.relational.world import World, put

Kept = Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]  # table -> its rows, and how many children each has


class Maker:
    """One sample: the rows that are there so far."""

    def __init__(self, sheets: Mapping[str, Sheet], order: Order, relationships: Sequence[Relationship], kept: Kept, unit: str) -> None:
        self.sheets, self.order, self.relationships, self.kept, self.unit = sheets, order, relationships, kept, unit
        self.layouts: dict[str, Layout] = {name: sheet.layout for name, sheet in sheets.items()}
        self.world = World()

    def run(self, rows: int, *, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Every table, of so many rows in the table of the privacy unit."""
        for name, stream in zip(self.order.tables, rng.spawn(len(self.order.tables))):
            if name in self.kept:
                self.world.frames[name], self.world.extra[name] = self.kept[name]
                for r in (r for r in self.relationships if r.child == name):
                    parent = self.kept[r.parent][0]
                    self.world.at[r.name] = np.maximum(positions(parent, r.keys, self.kept[name][0], r.columns), NULL)
            else:
                self._table(name, rows, rng=stream)
        for r, stream in zip(self.order.late, rng.spawn(len(self.order.late))):
            if r.child not in self.kept:
                self._late(r, rng=stream)
        return {name: self.world.frames[name][sheet.layout.schema.names] for name, sheet in self.sheets.items()}

    def _table(self, name: str, rows: int, *, rng: np.random.Generator) -> None:
        sheet, (drawing, linking, making) = self.sheets[name], rng.spawn(3)
        driver = self.order.driver.get(name)
        if driver is not None:
            drawn = self._children(name, driver, self._owners(name, driver, rows, rng=linking), drawing, linking)
        else:
            made = rows if name == self.unit else sheet.rows
            drawn = sheet.models["values"].draw(None, made, rng=drawing) if "values" in sheet.models else pd.DataFrame(index=pd.RangeIndex(made))
        extra = [c for c in drawn if c.startswith("#")]
        self.world.extra[name] = drawn[extra]
        assert sheet.codec is not None  # only tables that are kept have none
        sheet.codec.check_rows(len(drawn))
        frame = pd.concat([drawn.drop(columns=extra), sheet.codec.decode({}, len(drawn), start=0, rng=making)], axis=1)
        for r in self._settled(name):
            frame = self._with_key(frame, r, self.layouts[name])
        for r in self.order.late:
            if r.child == name:  # found when all tables are there
                for column in r.columns:
                    if column not in frame:
                        frame[column] = _empty(sheet.layout.schema[column]).reindex(frame.index)
        for numbered in sheet.layout.numbered:
            frame[numbered.column] = (frame.groupby(list(numbered.among), dropna=False, sort=False).cumcount() + numbered.start).astype("Int64")
        self.world.frames[name] = frame

    def _settled(self, name: str) -> list[Relationship]:
        """The relationships of a table whose parents are found with its rows, the one that makes them first."""
        return [self.order.driver[name], *self.order.linked[name]] if name in self.order.driver else []

    def _owners(self, name: str, driver: Relationship, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """The parent of each row, those of a parent together; rows without one stand first. (rows,) int64"""
        n = self._degree(driver)
        if name == self.unit:
            n = np.bincount(slots(n, rows, rng=rng), minlength=len(n))
        loose = self.sheets[name].loose
        alone = round(int(n.sum()) * loose / (1 - loose)) if loose < 1 else self.sheets[name].rows
        return np.r_[np.full(alone, NULL), np.repeat(np.arange(len(n)), n)].astype(np.int64)

    def _degree(self, r: Relationship) -> np.ndarray:
        """How many children each parent is to have. (parents,) int64"""
        extra, name = self.world.extra[r.parent], count(self.relationships.index(r))
        if name not in extra:  # the parent had no rows
            return np.zeros(len(extra), dtype=np.int64)
        drawn = extra[name]
        return np.maximum(drawn.fillna(0).to_numpy(dtype=np.int64), 0)

    def _children(
        self, name: str, driver: Relationship, owner: np.ndarray, drawing: np.random.Generator, linking: np.random.Generator
    ) -> pd.DataFrame:
        """The drawn columns of rows whose parents are known; their other parents and their times are found on the way."""
        sheet, world, parents = self.sheets[name], self.world, len(self.world.frames[driver.parent])
        layout = sheet.layout
        world.at[driver.name] = owner
        if sheet.links:
            keep = self._link(name, sheet, owner, parents, rng=linking)
            owner = owner[keep]
            for r in self._settled(name):
                world.at[r.name] = world.at[r.name][keep]
        siblings, known = Siblings.of(owner, parents), self._context(name, sheet, owner, parents)
        for link in sheet.links:
            put_parents(known, link, world.at[link.relationship.name], self.layouts, world)
        known["#i"], known["#left"] = siblings.i.astype(np.float64), (siblings.n - siblings.i).astype(np.float64)
        if layout.clock is None:
            return self._values(sheet, known, owner, parents, rng=drawing)
        ticks = self._times(sheet, driver, known, owner, rng=drawing)
        put_time(known, layout.clock, ticks, np.where(siblings.i > 0, ticks - np.r_[0, ticks[:-1]], -1))
        drawn = self._values(sheet, known, owner, parents, rng=drawing)
        time = layout.clock.series(ticks)
        for each in layout.relative:
            drawn[each.column] = clocks.since(drawn[each.column], time, each.type, each.unit)
        return drawn.assign(**{layout.clock.column: time})

    def _context(self, name: str, sheet: Sheet, owner: np.ndarray, parents: int) -> dict[str, np.ndarray]:
        known: dict[str, np.ndarray] = {}
        put_above(known, sheet, self.world.above(name, self.order.driver), self.layouts, self.world)
        known["#n"] = Siblings.of(owner, parents).n.astype(np.float64)
        return known

    def _link(self, name: str, sheet: Sheet, owner: np.ndarray, parents: int, *, rng: np.random.Generator) -> np.ndarray:
        """Find the other parents of all rows; which rows stay: those with a parent where they need one, and none of their own twice. (rows,) bool"""
        rows, keep = len(owner), np.ones(len(owner), dtype=bool)
        drawn = pd.DataFrame(index=pd.RangeIndex(rows))
        if "links" in sheet.models:
            drawn = sheet.models["links"].draw(framed(self._context(name, sheet, owner, parents), rows), rows, rng=rng)
        for k, link in enumerate(sheet.links):
            r = link.relationship
            some = np.flatnonzero(drawn[link.flag] == "known") if link.nullable else np.arange(rows)
            groups = self._groups(name, r, self._settled(name)[: k + 1])
            found = self._found(link, drawn.iloc[some], some, groups, rng=rng)
            self.world.at[r.name] = at = np.full(rows, NULL)
            at[some] = found
            if not link.nullable:
                keep &= at >= 0
        if sheet.distinct:
            *others, last = [self.world.at[r.name] for r in self._settled(name)]
            rest = others[0] if len(others) == 1 else pd.factorize(pd.MultiIndex.from_arrays(others))[0]
            fixed = self._groups(name, sheet.links[-1].relationship, self._settled(name)[:-1])
            if fixed is None:
                last, twice = distinct(rest, last, likeness(self._offered(sheet.links[-1])), rng=rng)
                self.world.at[sheet.links[-1].relationship.name] = last
            else:  # parents may not be exchanged between rows of different groups
                twice = pd.Series(rest * (int(last.max(initial=0)) + 2) + last).duplicated().to_numpy()
            keep &= ~twice
        return keep

    def _found(
        self, link: Link, drawn: pd.DataFrame, rows: np.ndarray, groups: tuple[np.ndarray, np.ndarray] | None, *, rng: np.random.Generator
    ) -> np.ndarray:
        """The parent that goes with what was drawn of it. (rows,) int64"""
        offered = self._offered(link)
        names = [c for c in offered if c in drawn]
        asked = None if groups is None else (groups[0][rows], groups[1])
        return chosen(drawn[names].reset_index(drop=True), offered[names], self._degree(link.relationship), asked, rng=rng)

    def _offered(self, link: Link) -> pd.DataFrame:
        """The columns of all parents that rows are told apart by, the most telling first."""
        r, into = link.relationship, dict[str, np.ndarray]()
        parents = len(self.world.frames[r.parent])
        put(into, link.aspects, r.parent, np.arange(parents), self.layouts[r.parent].schema, self.world)
        return framed(into, parents)

    def _groups(self, name: str, r: Relationship, settled: Sequence[Relationship]) -> tuple[np.ndarray, np.ndarray] | None:
        """Codes of rows and of parents that must agree, since a key column is part of other keys of the row too; None without such columns."""
        found: tuple[np.ndarray, np.ndarray] | None = None
        for column, key in zip(r.columns, r.keys):
            other = next((s for s in settled if column in s.columns), None)
            if other is None:
                continue
            source = self.world.frames[other.parent][other.keys[other.columns.index(column)]]
            at = self.world.at[other.name]
            mine = source.take(np.maximum(at, 0)).mask(at < 0) if len(source) else source.reindex(range(len(at)))
            codes = pd.factorize(pd.concat([mine, self.world.frames[r.parent][key]], ignore_index=True))[0]
            one, two = codes[: len(at)], codes[len(at) :]
            wide = int(codes.max(initial=0)) + 2
            found = (one, two) if found is None else (found[0] * wide + one, found[1] * wide + two)
        return found

    def _times(self, sheet: Sheet, driver: Relationship, known: dict[str, np.ndarray], owner: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """The time of each row, in ticks: parents' first and last, then what lies between in waves. (rows,) int64"""
        clock, extra, k = sheet.layout.clock, self.world.extra[driver.parent], self.relationships.index(driver)
        assert clock is not None  # asked for tables that have one
        parent = self.world.frames[driver.parent]
        counts = np.bincount(owner[owner >= 0], minlength=len(parent))
        anchor = self.layouts[driver.parent].anchor
        begin, finish = clock.bounds(extra[first(k)], extra[span(k)], clock.ticks(parent[anchor]) if clock.anchored and anchor else None, counts)
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

    def _values(self, sheet: Sheet, known: dict[str, np.ndarray], owner: np.ndarray, parents: int, *, rng: np.random.Generator) -> pd.DataFrame:
        """All drawn columns, wave by wave."""
        rows = len(owner)
        if "values" not in sheet.models:  # it has no columns to draw, or had no rows
            return pd.DataFrame({c.name: _empty(c).reindex(range(rows)) for c in sheet.layout.drawn()}, index=pd.RangeIndex(rows))
        model, memory, static = sheet.models["values"], Memory(sheet.pasts, parents), framed(known, rows)
        kinds = {c.name: c.kind for c in sheet.layout.drawn()}
        alone = int((owner < 0).sum())
        counts = np.bincount(owner[owner >= 0], minlength=parents)
        loose = [Wave(np.full(alone, NULL), np.arange(alone), np.ones(alone, dtype=np.int64), np.arange(alone))] if alone else []
        pieces, places = [], []
        for wave in chain(loose, waves(counts, offset=alone)):
            past: dict[str, np.ndarray] = {}
            memory.put(past, wave.owners)
            context = pd.concat([static.take(wave.rows).reset_index(drop=True), framed(past, len(wave.rows))], axis=1)
            drawn = model.draw(context, len(wave.rows), rng=rng.spawn(1)[0])
            if (wave.parents >= 0).all():
                made = {p.source: cells(drawn[p.source], kinds.get(p.source, "integer")) for p in sheet.pasts}
                memory.add(wave.owners, made, wave.ends)
            pieces.append(drawn)
            places.append(wave.rows)
        if not pieces:
            counted = {c: pd.Series([], dtype="Int64") for c in model.drawn if c.startswith("#")}
            return pd.DataFrame({c.name: _empty(c) for c in sheet.layout.drawn()} | counted)
        return pd.concat(pieces, ignore_index=True).iloc[np.argsort(np.concatenate(places))].reset_index(drop=True)

    def _with_key(self, frame: pd.DataFrame, r: Relationship, layout: Layout) -> pd.DataFrame:
        """The frame with the keys of the parents of a relationship, but for columns that it has from another one."""
        at, parent, out = self.world.at[r.name], self.world.frames[r.parent], {}
        for column, key in zip(r.columns, r.keys):
            if column not in frame:
                values = parent[key].reset_index(drop=True)
                taken = values.take(np.maximum(at, 0)).mask(at < 0) if len(values) else values.reindex(range(len(at)))
                out[column] = taken.reset_index(drop=True).astype(_empty(layout.schema[column]).dtype)
        return frame.assign(**out)

    def _late(self, r: Relationship, *, rng: np.random.Generator) -> None:
        """Find the parents of a relationship when all rows are there: of a table's own, level by level."""
        sheet, world = self.sheets[r.child], self.world
        link = next(each for each in sheet.late if each.relationship == r)
        rows = len(world.frames[r.child])
        level = world.extra[r.child][LEVEL].to_numpy(dtype=np.int64) if r.own else None
        some = np.arange(rows) if level is None else np.flatnonzero(level > 0)
        drawn = pd.DataFrame(index=pd.RangeIndex(len(some)))
        if f"late {r.name}" in sheet.models and len(some):
            context = framed(late_context(r.child, r, sheet, self.layouts, world, some), len(some))
            drawn = sheet.models[f"late {r.name}"].draw(context, len(some), rng=rng)
        if link.nullable:
            stay = (drawn[link.flag] == "known").to_numpy()
            some, drawn = some[stay], drawn[stay]
        groups = None if level is None else (level, level + 1)
        at = np.full(rows, NULL)
        at[some] = self._found(link, drawn, some, groups, rng=rng)
        if link.looped and level is not None:
            at = np.where(level == 0, np.arange(rows), at)
        world.at[r.name] = at
        frame = world.frames[r.child]
        settled = {c for s in self._settled(r.child) for c in s.columns}
        world.frames[r.child] = self._with_key(frame.drop(columns=[c for c in r.columns if c not in settled]), r, self.layouts[r.child])


def _empty(column: Column) -> pd.Series:
    """No rows of a column, in its canonical dtype."""
    storage = canonical.arrow_type(column.storage)
    if column.kind in canonical.MODELLED or (column.kind == "id" and pa.types.is_integer(storage)):
        return canonical.series(pa.chunked_array([], type=storage), column.kind)
    return pd.Series([], dtype=canonical.STRING)
