"""Learning related tables: a table model for each part of how the rows of a table come about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns.codec.codec import Codec
from synthcli.columns.constraints.rule import Rule
from synthcli.contracts.modelling import Job
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import FitError
from synthcli.relational.data import Base, Tables
from synthcli.relational.graph import Order, order
from synthcli.relational.model import event_times as clocks
from synthcli.relational.model.context import WHOLE, Aspect, Conditional, cells, framed, taken
from synthcli.relational.model.layout import LEVEL, Layout, count, first, lay_out, span
from synthcli.relational.model.links import telling
from synthcli.relational.model.rows import NEAREST, World, aspects_of, put
from synthcli.relational.model.rules import kinds, planned, way_of, widened
from synthcli.relational.model.siblings import Past, Siblings
from synthcli.relational.model.table_model import Link, Sheet, late_context, put_above, put_parents, put_time
from synthcli.relational.relationships import NULL, Relationship

REMEMBERED = 16  # columns of its earlier siblings that a row's context takes
OFFERED = 6  # columns of parents by which they are found
NO_RULES: Mapping[str, Sequence[Rule]] = MappingProxyType({})
NONE_KEPT: Mapping[str, frozenset[str]] = MappingProxyType({})


class Learner:
    """One fit: the tables as they are laid out, and what is known of their rows. rules: by table; keep: its columns
    that no rule may rewrite.
    """

    def __init__(
        self,
        tables: Tables,
        base: Base,
        job: Job,
        rules: Mapping[str, Sequence[Rule]] = NO_RULES,
        keep: Mapping[str, frozenset[str]] = NONE_KEPT,
    ) -> None:
        self.rules, self.keep = rules, keep
        self.order: Order = order(tables)
        self.tables, self.layouts = lay_out(tables, self.order)
        self.base, self.job, self.units = base, job, self.tables.units()
        self.world = World()
        self.world.frames = dict(self.tables.frames)
        self.world.at = {r.name: self._parents(r) for r in self.tables.relationships}
        self.sheets: dict[str, Sheet] = {}

    def _parents(self, r: Relationship) -> np.ndarray:
        at = np.maximum(self.tables.parents(r), NULL)
        return np.where(at == np.arange(len(at)), NULL, at) if r.own else at

    def run(self) -> dict[str, Sheet]:
        """Every table, parents before children."""
        names = self.order.tables
        for name in names:
            self.world.extra[name] = self._extra(name)
        for i, name in enumerate(names):
            if name in self.tables.kept:
                layout = self.layouts[name]
                self.sheets[name] = Sheet(layout, len(self.tables.frames[name]), shared=True)
                self.sheets[name].aspects = aspects_of(name, layout.own, layout.schema, self.world, f"{name}.")
                continue
            self.sheets[name] = self._sheet(name)
            self.job.going("tables", i + 1, len(names), name)
        return self.sheets

    def _extra(self, name: str) -> pd.DataFrame:
        """How many children each row has by each relationship, and from when to when; where it stands among the rows of
        its own table.
        """
        frame, out = self.tables.frames[name], dict[str, pd.Series]()
        for k, r in enumerate(self.tables.relationships):
            if r.parent != name or r.child in self.tables.kept:
                continue
            if r.own:
                hierarchy = self.tables.hierarchies[name]
                out |= {count(k): _whole(hierarchy.reports), LEVEL: _whole(hierarchy.level)}
                continue
            at = self.world.at[r.name]
            out[count(k)] = _whole(np.bincount(at[at >= 0], minlength=len(frame)))
            clock = self.layouts[r.child].clock
            if clock is not None and self.order.driver.get(r.child) is r:
                ticks = clock.ticks(self.tables.frames[r.child][clock.column])
                out[first(k)], out[span(k)] = clock.ends(
                    ticks, Siblings.of(at, len(frame)), len(frame), self._anchors(name, clock)
                )
        return pd.DataFrame(out, index=frame.index)

    def _anchors(self, parent: str, clock: clocks.Clock) -> np.ndarray | None:
        anchor = self.layouts[parent].anchor
        return clock.ticks(self.tables.frames[parent][anchor]) if clock.anchored and anchor else None

    def _sheet(self, name: str) -> Sheet:
        layout, frame = self.layouts[name], self.tables.frames[name]
        sheet = Sheet(layout, len(frame), shared=self.units[name] is None)
        sheet.aspects = aspects_of(name, layout.own, layout.schema, self.world, f"{name}.")
        made = Schema(tuple(layout.schema[c] for c in layout.made))
        sheet.codec = Codec.fit(
            frame[list(layout.made)], made, key=seeds.fork(self.job.stream("made", name)), units=self.units[name]
        )
        known: dict[str, np.ndarray] = {}
        wanted = self._wanted(layout, frame, name)
        if name in self.order.driver:
            self._with_parents(name, sheet, known, wanted)
        if self.rules.get(name):
            wanted, rows = self._obeying(name, sheet, wanted)
            known = {column: values[rows] for column, values in known.items()}
            self._fit(sheet, "values", name, known, wanted, rows)
        else:
            self._fit(sheet, "values", name, known, wanted)
        sheet.late = tuple(self._late(name, r, sheet) for r in self.order.late if r.child == name)
        sheet.distinct = self._distinct(name)
        return sheet

    def _wanted(self, layout: Layout, frame: pd.DataFrame, name: str) -> tuple[pd.DataFrame, Schema]:
        """The columns to draw, and what they are."""
        columns = {c.name: frame[c.name] for c in layout.drawn()}
        if layout.clock is not None:
            columns |= {
                r.column: clocks.difference(frame[r.column], frame[layout.clock.column]) for r in layout.relative
            }
        extra = self.world.extra[name]
        schema = Schema((*layout.drawn(), *(Column(c, WHOLE, Traits(), "int64") for c in extra)))
        return pd.DataFrame({**columns, **{c: extra[c] for c in extra}}, index=frame.index), schema

    def _obeying(
        self, name: str, sheet: Sheet, wanted: tuple[pd.DataFrame, Schema]
    ) -> tuple[tuple[pd.DataFrame, Schema], np.ndarray]:
        """The columns to draw, rewritten for the rules of the table, and the rows that obey them."""
        layout, frame, rules = sheet.layout, self.tables.frames[name], self.rules[name]
        settled = {c for r in self._settled(name) for c in r.columns}
        late = frozenset(c for r in self.order.late if r.child == name for c in r.columns if c not in settled)
        driver = self.order.driver.get(name)
        numbered = frozenset(n.column for n in layout.numbered if driver is not None and n.among == driver.columns)
        ways = [way_of(rule, layout, late, numbered, layout.schema) for rule in rules]
        own = [c.name for c in layout.drawn()]
        beside = sorted(
            {c for rule, way in zip(rules, ways) if way in ("drawn", "timed") for c in rule.columns} - set(own)
        )
        wide = widened([*own, *beside], name, frame, self.tables.frames, self.order, lambda r: self.world.at[r.name])
        known = kinds(name, {t: each.schema for t, each in self.layouts.items()}, self.order)
        schema = Schema(tuple(known[c] for c in wide))
        sheet.obeyed, good = planned(name, rules, layout, wide, schema, ways, self.keep.get(name, frozenset()))
        rows = np.flatnonzero(good)
        if not sheet.obeyed.rewritten:
            return (wanted[0].iloc[rows].reset_index(drop=True), wanted[1]), rows
        assert sheet.obeyed.shaper is not None  # something is rewritten
        shaper, as_is = sheet.obeyed.shaper, wanted[0].iloc[rows].reset_index(drop=True)
        learned, same = shaper.forward(wide.iloc[rows].reset_index(drop=True)), {c.name: c for c in wanted[1].columns}
        columns = [same.get(c.name, c) for c in shaper.schema.columns if c.name not in beside]
        columns += [c for c in wanted[1].columns if c.name.startswith("#")]
        out = pd.DataFrame({c.name: (as_is if c.name in same else learned)[c.name] for c in columns})
        return (out, Schema(tuple(columns))), rows

    def _settled(self, name: str) -> list[Relationship]:
        return [self.order.driver[name], *self.order.linked[name]] if name in self.order.driver else []

    def _with_parents(
        self, name: str, sheet: Sheet, known: dict[str, np.ndarray], wanted: tuple[pd.DataFrame, Schema]
    ) -> None:
        """Context of rows that have a parent: those above, their number, their other parents, their time, their earlier
        siblings.
        """
        driver, world, layout = self.order.driver[name], self.world, self.layouts[name]
        owner = world.at[driver.name]
        siblings = Siblings.of(owner, len(self.tables.frames[driver.parent]))
        sheet.loose = float((owner < 0).mean()) if len(owner) else 0.0
        sheet.above = tuple((t, a) for t, _ in world.above(name, self.order.driver) for a in self.sheets[t].aspects)[
            :NEAREST
        ]
        put_above(known, sheet, world.above(name, self.order.driver), self.layouts, world)
        known["#n"] = siblings.n.astype(np.float64)
        self._links(name, sheet, known)
        known["#i"] = siblings.i.astype(np.float64)
        known["#left"] = (siblings.n - siblings.i).astype(np.float64)
        if layout.clock is not None:
            ticks = layout.clock.ticks(self.tables.frames[name][layout.clock.column])
            self._pace(name, sheet, known, layout.clock, ticks, siblings)
            put_time(known, layout.clock, ticks, np.where(siblings.i > 0, ticks - np.r_[0, ticks[:-1]], -1))
        frame, schema = wanted
        for column in schema.columns[:REMEMBERED]:
            if not column.name.startswith("#") or column.name.endswith(".n"):
                past = self._past(column, frame[column.name], siblings, known)
                sheet.pasts = (*sheet.pasts, past)

    def _past(self, column: Column, values: pd.Series, siblings: Siblings, known: dict[str, np.ndarray]) -> Past:
        mine = cells(values, column.kind)
        before = taken(mine, siblings.before)
        last = Aspect.of(column, before, f"<{column.name}")
        if last.code:
            last.put(known, before)
            return Past(last, None)
        holes = bool(np.isnan(mine).any())  # without one before it, its number says so
        last = Aspect(column.name, last.name, False, last.fill, holes)
        mean = Aspect(column.name, f"~{column.name}", False, last.fill)
        last.put(known, before)
        mean.put(known, siblings.earlier_mean(mine))
        return Past(last, mean)

    def _pace(
        self,
        name: str,
        sheet: Sheet,
        known: dict[str, np.ndarray],
        clock: clocks.Clock,
        ticks: np.ndarray,
        siblings: Siblings,
    ) -> None:
        rows, before, left, share = clock.pace(ticks, siblings)
        if len(rows):
            context = {c: v[rows] for c, v in known.items()} | {
                "@before": clock.seconds(before),
                "@rest": clock.seconds(left),
            }
            self._fit(sheet, "pace", name, context, (pd.DataFrame({clocks.SHARE: share}), clocks.PACE), rows)

    def _links(self, name: str, sheet: Sheet, known: dict[str, np.ndarray]) -> None:
        """The columns of a row's other parents, to be drawn given what is above it; then they are context."""
        drawn: dict[str, np.ndarray] = {}
        context = dict(known)
        for r in self.order.linked.get(name, ()):
            link = self._link(name, r)
            at = self.world.at[r.name]
            if link.nullable:
                drawn[link.flag] = np.where(at < 0, "null", "known").astype(object)
            put(drawn, link.aspects, r.parent, at, self.layouts[r.parent].schema, self.world)
            sheet.links = (*sheet.links, link)
            put_parents(known, link, at, self.layouts, self.world)
        if drawn:
            self._fit(sheet, "links", name, context, _context_schema(drawn))

    def _link(self, name: str, r: Relationship) -> Link:
        parent, rng = self.layouts[r.parent], self.job.stream("telling", r.name)
        at = self.world.at[r.name]
        aspects = aspects_of(r.parent, parent.own, parent.schema, self.world, f"{'+'.join(r.columns)}:{r.parent}.")
        has = np.flatnonzero(at >= 0)
        mine = [self.world.cells(name, c, self.layouts[name].schema)[has] for c in self.layouts[name].own]
        mine += [
            taken(self.world.cells(t, a.source, self.layouts[t].schema), up[has])
            for t, up in self._above(name)
            for a in self.sheets[t].aspects
        ]
        theirs = [taken(self.world.cells(r.parent, a.source, parent.schema), at[has]) for a in aspects]
        best = telling(theirs, mine, rng=rng)[:OFFERED]
        return Link(r, tuple(aspects[i] for i in best), bool((at < 0).any()))

    def _above(self, name: str) -> list[tuple[str, np.ndarray]]:
        return self.world.above(name, self.order.driver)

    def _late(self, name: str, r: Relationship, sheet: Sheet) -> Link:
        """A link that is found when all tables are there: its parents' columns given the row's own."""
        link, at = self._link(name, r), self.world.at[r.name]
        rows = np.arange(len(at))
        if r.own:
            hierarchy = self.tables.hierarchies[name]
            raw = self.tables.parents(r)
            link = Link(r, link.aspects, False, bool((raw == rows).sum() > ((raw < 0) & ~hierarchy.severed).sum()))
            rows = np.flatnonzero(at >= 0)
        known = late_context(name, r, sheet, self.layouts, self.world, rows)
        drawn: dict[str, np.ndarray] = {}
        if link.nullable:
            drawn[link.flag] = np.where(at < 0, "null", "known").astype(object)
        put(drawn, link.aspects, r.parent, at[rows], self.layouts[r.parent].schema, self.world)
        if drawn and len(rows):
            self._fit(sheet, f"late {r.name}", name, known, _context_schema(drawn), rows)
        return link

    def _distinct(self, name: str) -> tuple[str, ...]:
        """The columns of keys that together never repeat, where a table has several parents; those that the driver's
        lie in apart.
        """
        foreign = self.layouts[name].foreign
        frame = self.tables.frames[name]
        if not self.order.linked.get(name) or not len(frame):
            return ()
        whole = frame[frame[list(foreign)].notna().all(axis=1)]
        return foreign if len(whole) and not whole.duplicated(list(foreign)).any() else ()

    def _fit(
        self,
        sheet: Sheet,
        part: str,
        name: str,
        known: dict[str, np.ndarray],
        wanted: tuple[pd.DataFrame, Schema],
        rows: np.ndarray | None = None,
    ) -> None:
        frame, schema = wanted
        if not schema.columns or not len(frame):
            return
        units = self.units[name]
        mine = units if units is None or rows is None else units[rows]
        sheet.models[part] = Conditional.fit(
            self.base, framed(known, len(frame)), frame, schema, mine, self.job, f"{name}/{part}"
        )


def check_base(base: Base) -> None:
    """Raise FitError for a table method that cannot draw rows given a part of them."""
    if "order" not in base.method.Params.model_fields:
        raise FitError(
            f"{base.method.__name__.rpartition('.')[2]} does not draw rows given what is known of them; remedy:"
            " generator.method: trees"
        )


def _context_schema(columns: dict[str, np.ndarray]) -> tuple[pd.DataFrame, Schema]:
    """Context as columns to draw."""
    frame = framed(columns, len(next(iter(columns.values()))))
    number, word = Traits(type="float", spikes=()), Traits(type="category")
    schema = [
        Column(c, number, Traits(), "double") if frame[c].dtype == np.float64 else Column(c, word, Traits(), "string")
        for c in frame
    ]
    return frame, Schema(tuple(schema))


def _whole(values: np.ndarray) -> pd.Series:
    return pd.Series(pd.array(values, dtype="Int64"))
