"""Making related tables from what was learned: parents first, the children of all parents in waves, other parents by what they are like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as canonical
from synthcli.columns.constraints import Rule
from synthcli.columns.rules import Unique
from synthcli.contracts import Column
from synthcli.relational import clock as clocks
from synthcli.relational.aspects import cells, framed
from synthcli.relational.draws import Drawing, Tally, childless, moved, refused, stored
from synthcli.relational.graph import Order
from synthcli.relational.layout import LEVEL, Layout, count, first, span
from synthcli.relational.learn import Link, Sheet, late_context, put_above, put_parents, put_time
from synthcli.relational.links import chosen, distinct, likeness, slots
from synthcli.relational.relationships import NULL, Relationship, positions
from synthcli.relational.rules import named, rows_at, widened
from synthcli.relational.siblings import Memory, Siblings, Wave, waves
from synthcli.relational.world import World, put

Kept = Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]  # table -> its rows, and how many children each has


class Maker:
    """One sample: the rows that are there so far. top: rows of the table of the privacy unit that are made already, None for none."""

    def __init__(
        self,
        sheets: Mapping[str, Sheet],
        order: Order,
        relationships: Sequence[Relationship],
        kept: Kept,
        unit: str,
        top: pd.DataFrame | None = None,
    ) -> None:
        self.sheets, self.order, self.relationships, self.kept, self.unit, self.top = sheets, order, relationships, kept, unit, top
        self.layouts: dict[str, Layout] = {name: sheet.layout for name, sheet in sheets.items()}
        self.world, self.tally = World(), Tally()

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
        for name in self.order.tables:
            self._hold(name, whole=True)
        return {name: self.world.frames[name][sheet.layout.schema.names] for name, sheet in self.sheets.items()}

    def _table(self, name: str, rows: int, *, rng: np.random.Generator) -> None:
        sheet, (drawing, linking, making) = self.sheets[name], rng.spawn(3)
        driver = self.order.driver.get(name)
        if driver is not None:
            drawn = self._children(name, driver, self._owners(name, driver, rows, rng=linking), drawing, linking, making)
        elif name == self.unit and self.top is not None:
            drawn = self.top
        else:
            drawn = self._first(name, rows if name == self.unit else sheet.rows, drawing, making)
        extra = [c for c in drawn if c.startswith("#")]
        self.world.extra[name] = drawn[extra]
        frame = drawn.drop(columns=extra)
        if lacking := [c for c in sheet.layout.made if c not in frame]:
            frame = pd.concat([frame, self._made(name, len(drawn), 0, rng=making)[lacking]], axis=1)
        for r in self._settled(name):
            frame = self._with_key(frame, r, self.layouts[name])
        for r in self.order.late:
            if r.child == name:  # found when all tables are there
                for column in r.columns:
                    if column not in frame:
                        frame[column] = _empty(sheet.layout.schema[column]).reindex(frame.index)
        for numbered in sheet.layout.numbered:
            frame[numbered.column] = (frame.groupby(list(numbered.among), dropna=False, sort=False).cumcount() + numbered.start).astype("Int64")
        self.world.frames[name] = stored(frame, sheet.layout.schema)
        self._hold(name, whole=False)

    def _first(self, name: str, rows: int, drawing: np.random.Generator, making: np.random.Generator) -> pd.DataFrame:
        """The columns of rows that have nobody above them."""
        sheet, empty = self.sheets[name], pd.DataFrame(index=pd.RangeIndex(rows))
        if "values" not in sheet.models:
            return empty
        model = sheet.models["values"]
        if sheet.obeyed is None:
            return model.draw(None, rows, rng=drawing)
        made, remake = self._early(name, rows, making)
        own = Drawing(name, sheet, made, np.full(rows, NULL), self.tally, remake)
        drawn = own.wave(np.arange(rows), lambda some, rng, ticks=None: model.draw(None, len(some), rng=rng.spawn(1)[0]), rng=drawing)
        return pd.concat([drawn, own.beside[list(made)]], axis=1)

    def _made(self, name: str, rows: int, start: int, *, rng: np.random.Generator) -> pd.DataFrame:
        """Columns that are made up by position, of rows from `start` on."""
        codec = self.sheets[name].codec
        assert codec is not None  # only tables that are kept have none
        codec.check_rows(start + rows)
        return codec.decode({}, rows, start=start, rng=rng)

    def _early(self, name: str, rows: int, making: np.random.Generator) -> tuple[pd.DataFrame, Any]:
        """What is made up, where rules look at it while rows are drawn; and what makes more of it, unlike all before."""
        obeyed, there = self.sheets[name].obeyed, rows
        assert obeyed is not None
        if not set(obeyed.beside) & set(self.layouts[name].made):
            return pd.DataFrame(index=pd.RangeIndex(rows)), None

        def remake(more: int) -> pd.DataFrame:
            nonlocal there
            there += more
            return self._made(name, more, there - more, rng=making)

        return self._made(name, rows, 0, rng=making), remake

    def _hold(self, name: str, *, whole: bool) -> None:
        """See that every rule is true of a table; rows that nothing makes obey go, as long as nothing hangs from them.

        whole: whether all keys are there, those that are found at the end too.
        """
        sheet = self.sheets[name]
        if sheet.obeyed is None or name in self.kept:
            return
        frame, order = self.world.frames[name], self.order
        late = set() if whole else {c for r in order.late if r.child == name for c in r.columns}
        rules = [rule for rule in sheet.obeyed.rules if not rule.columns & late]
        names = sorted({c for rule in rules for c in rule.columns})
        wide = widened(names, name, frame, self.world.frames, order, lambda r: self.world.at[r.name])
        gone = refused(name, rules, wide, may_drop=not whole and name != self.unit, tally=self.tally)
        if gone.any():
            self._leave(name, ~gone)

    def _leave(self, name: str, keep: np.ndarray) -> None:
        """Go on with these rows of a table, which are the last that were made."""
        world, layout = self.world, self.layouts[name]
        frame = world.frames[name][keep].reset_index(drop=True)
        for numbered in layout.numbered:
            frame[numbered.column] = (frame.groupby(list(numbered.among), dropna=False, sort=False).cumcount() + numbered.start).astype("Int64")
        world.frames[name], world.extra[name] = frame, world.extra[name][keep].reset_index(drop=True)
        for r in self._settled(name):
            world.at[r.name] = world.at[r.name][keep]

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
        n = np.maximum(extra[name].fillna(0).to_numpy(dtype=np.int64), 0)
        obeyed = self.sheets[r.child].obeyed
        if obeyed is None:
            return n
        if any(set(rule.columns) <= set(r.columns) for rule in obeyed.by("pairs")):  # one child of each parent
            n = np.minimum(n, 1)
        wide = {rule.text: found for rule in obeyed.by("parents") if (found := self._of_parents(rule, r)) is not None}
        return childless([rule for rule in obeyed.rules if rule.text in wide], wide, r.child, n, self.tally)

    def _of_parents(self, rule: Rule, r: Relationship) -> pd.DataFrame | None:
        """What a rule looks at, for each row that may be the parent; None where it looks at none of these rows, nor above them."""
        frames, columns = self.world.frames, dict[str, pd.Series]()
        above = {} if r is not self.order.driver.get(r.child) else dict(self.world.above(r.parent, self.order.driver))
        for name in rule.columns:
            table, column = named(name, frames)
            if table == r.parent:
                columns[name] = frames[r.parent][column]
            elif table in above:
                columns[name] = rows_at(frames[str(table)][column], above[table])
            else:
                return None
        return pd.DataFrame(columns, index=pd.RangeIndex(len(frames[r.parent])))

    def _children(
        self,
        name: str,
        driver: Relationship,
        owner: np.ndarray,
        drawing: np.random.Generator,
        linking: np.random.Generator,
        making: np.random.Generator,
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
        rules = None if sheet.obeyed is None else self._rules(name, driver, owner, making)
        if layout.clock is None:
            return self._values(sheet, known, owner, parents, rules, rng=drawing)
        ticks = self._times(sheet, driver, known, owner, rng=drawing)
        if rules is not None:
            ticks = self._moved(name, rules, ticks, known, owner, rng=linking)
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

    def _rules(self, name: str, driver: Relationship, owner: np.ndarray, making: np.random.Generator) -> Drawing:
        """What sees that rows obey the rules of their table; it knows what is there before they are drawn, but for their time."""
        sheet, layout = self.sheets[name], self.layouts[name]
        assert sheet.obeyed is not None
        made, remake = self._early(name, len(owner), making)
        frame = made
        for r in self._settled(name):
            frame = self._with_key(frame, r, layout)
        for n in layout.numbered:
            if n.among == driver.columns:
                frame = frame.assign(**{n.column: (pd.Series(owner).groupby(owner).cumcount() + n.start).astype("Int64")})
        clock = () if layout.clock is None else (layout.clock.column,)
        names = [c for c in dict.fromkeys([*made, *sheet.obeyed.beside]) if c not in clock]
        beside = widened(names, name, frame, self.world.frames, self.order, lambda r: self.world.at[r.name])
        return Drawing(name, sheet, beside, owner, self.tally, remake)

    def _moved(
        self, name: str, rules: Drawing, ticks: np.ndarray, known: dict[str, np.ndarray], owner: np.ndarray, *, rng: np.random.Generator
    ) -> np.ndarray:
        """The times of rows moved as far as rules over times ask; siblings stand in their order again, each with its other parents."""
        sheet, clock, world = self.sheets[name], self.layouts[name].clock, self.world
        assert clock is not None
        timed = rules.obeyed.by("timed")
        if not timed:
            return ticks
        ticks = moved(ticks, rules.beside, timed, clock, name, self.tally, rng=rng)
        order = np.lexsort((ticks, owner))
        if (order != np.arange(len(order))).any():
            for link in sheet.links:
                world.at[link.relationship.name] = world.at[link.relationship.name][order]
                put_parents(known, link, world.at[link.relationship.name], self.layouts, world)
            rules.beside = rules.beside.iloc[order].reset_index(drop=True)
        return ticks[order]

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
        for columns in self._distinct(sheet):
            keep &= ~self._apart(name, sheet, columns, rng=rng)
        return keep

    def _distinct(self, sheet: Sheet) -> list[tuple[str, ...]]:
        """The columns of keys that together may occur once."""
        said = [] if sheet.obeyed is None else [rule.of for rule in sheet.obeyed.by("pairs") if isinstance(rule, Unique)]
        return [columns for columns in dict.fromkeys([*said, sheet.distinct]) if columns]

    def _apart(self, name: str, sheet: Sheet, columns: tuple[str, ...], *, rng: np.random.Generator) -> np.ndarray:
        """Exchange other parents until no combination of these keys is there twice; which rows still are a second time there. (rows,) bool"""
        settled = [r for r in self._settled(name) if set(r.columns) <= set(columns)]
        links = [link for link in sheet.links if link.relationship in settled]
        if {c for r in settled for c in r.columns} != set(columns) or not links:
            return np.zeros(len(self.world.at[self._settled(name)[0].name]), dtype=bool)  # looked at when the rows are there
        others, r = [self.world.at[r.name] for r in settled if r != links[-1].relationship], links[-1].relationship
        last = self.world.at[r.name]
        rest = np.zeros(len(last), dtype=np.int64) if not others else others[0]
        if len(others) > 1:
            rest = pd.factorize(pd.MultiIndex.from_arrays(others))[0]
        fixed = self._groups(name, r, [s for s in self._settled(name) if s != r])
        if fixed is None:
            self.world.at[r.name], twice = distinct(rest, last, likeness(self._offered(links[-1])), rng=rng)
            return twice
        # parents may not be exchanged between rows of different groups
        known = np.all([last >= 0, *(at >= 0 for at in others)], axis=0)
        return pd.Series(rest * (int(last.max(initial=0)) + 2) + last).duplicated().to_numpy() & known

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
            return pd.DataFrame({c.name: _empty(c) for c in sheet.layout.drawn()} | counted)
        out = pd.concat(pieces, ignore_index=True).iloc[np.argsort(np.concatenate(places))].reset_index(drop=True)
        if rules is None:
            return out
        return pd.concat([out, rules.beside[[c for c in sheet.layout.made if c in rules.beside]]], axis=1)

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


def _ticks(drawn: pd.DataFrame, layout: Layout, beside: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
    """The columns as siblings remember them: times since the row's own."""
    if layout.clock is None or not layout.relative:
        return drawn
    own = beside[layout.clock.column].iloc[rows].reset_index(drop=True)
    return drawn.assign(**{each.column: clocks.difference(drawn[each.column], own) for each in layout.relative})


def _empty(column: Column) -> pd.Series:
    """No rows of a column, in its canonical dtype."""
    storage = canonical.arrow_type(column.storage)
    if column.kind in canonical.MODELLED or (column.kind == "id" and pa.types.is_integer(storage)):
        return canonical.series(pa.chunked_array([], type=storage), column.kind)
    return pd.Series([], dtype=canonical.STRING)
