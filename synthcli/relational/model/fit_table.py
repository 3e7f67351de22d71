"""Fitting of one of several related tables: its times, its links to other parents, its columns."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns import frame as frames
from synthcli.columns.codec.codec import Codec
from synthcli.columns.constraints.rule import Rule
from synthcli.contracts.modelling import Job
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.model import event_times
from synthcli.relational.model.context import (
    WHOLE,
    ContextFeature,
    cells,
    context_frame,
    context_schema,
    take_cells,
)
from synthcli.relational.model.event_times import Clock
from synthcli.relational.model.links import rank_by_information
from synthcli.relational.model.rows import RelatedRows
from synthcli.relational.model.rules import RulePlan, kinds, plan_rules, way_of
from synthcli.relational.model.siblings import SiblingFeature, Siblings
from synthcli.relational.model.table_method import ConditionalModel, TableMethod
from synthcli.relational.model.table_model import Link, TableModel
from synthcli.relational.model.time_windows import TimeWindows, time_windows
from synthcli.relational.relationships import Relationship

REMEMBERED = 16  # columns of its earlier siblings that are context of a row
OFFERED = 6  # columns of parents that rows are matched by
NEAREST = 24  # columns of ancestors that are context of a row, the nearest first


class TableLearner:
    """Fits the models of one table. rows: of all tables; units: (rows,) privacy units, None if its rows belong to none;
    fitted: the models of the tables before it; openings: columns whose value before the first row of a parent is the
    parent's column of that name.
    """

    def __init__(
        self,
        name: str,
        tables: Tables,
        rows: RelatedRows,
        units: np.ndarray | None,
        fitted: Mapping[str, TableModel],
        method: TableMethod,
        job: Job,
        openings: Collection[str] = (),
    ) -> None:
        self.openings = frozenset(openings)
        self.name, self.tables, self.rows, self.units = name, tables, rows, units
        self.fitted, self.method, self.job = fitted, method, job
        self.frame, self.layout, self.order = tables.frames[name], rows.layouts[name], rows.order
        self.features = rows.features(name, f"{name}.")
        self.driver = self.order.driver.get(name)
        self.context: dict[str, np.ndarray] = {}
        self.models: dict[str, ConditionalModel] = {}
        self.links: list[Link] = []
        self.sibling_features: list[SiblingFeature] = []

    def fit(self, rules: Sequence[Rule], keep: frozenset[str]) -> TableModel:
        """Fit the table. rules: that every generated row obeys; keep: columns that no rule may rewrite."""
        codec = self._fit_codec()
        values, schema = self._values()
        above = () if self.driver is None else self._add_parents(values, schema)
        plan = None
        if rules:
            plan, good = self._plan_rules(rules, keep)
            rows = np.flatnonzero(good)
            values, schema = self._rewritten(plan, values.iloc[rows].reset_index(drop=True), schema, rows)
            self._fit("values", {c: cells_[rows] for c, cells_ in self.context.items()}, values, schema, rows)
        else:
            self._fit("values", self.context, values, schema)
        return TableModel(
            layout=self.layout,
            rows=len(self.frame),
            parentless=self._parentless(),
            shared=self.units is None,
            features=self.features,
            ancestor_features=above,
            sibling_features=tuple(self.sibling_features),
            links=tuple(self.links),
            deferred=tuple(self._deferred_link(r) for r in self.order.deferred if r.child == self.name),
            distinct=self._distinct(),
            models=self.models,
            codec=codec,
            rule_plan=plan,
        )

    def _fit(
        self,
        part: str,
        context: dict[str, np.ndarray],
        values: pd.DataFrame,
        schema: Schema,
        rows: np.ndarray | None = None,
    ) -> None:
        """Fit one of the models of the table, unless there is nothing to draw. rows: positions, None for all."""
        if schema.columns and len(values):
            units = self.units if self.units is None or rows is None else self.units[rows]
            known = context_frame(context, len(values))
            name = f"{self.name}/{part}"
            self.models[part] = self.method.fit(known, values, schema, units, job=self.job, name=name)

    def _fit_codec(self) -> Codec:
        """Fit the codec of the positional columns."""
        layout = self.layout
        schema = Schema(tuple(layout.schema[c] for c in layout.positional))
        key = seeds.fork(self.job.stream("made", self.name))
        return Codec.fit(self.frame[list(layout.positional)], schema, key=key, units=self.units)

    def _parentless(self) -> float:
        if self.driver is None or not len(self.frame):
            return 0.0
        return float((self.rows.parents[self.driver.name] < 0).mean())

    def _values(self) -> tuple[pd.DataFrame, Schema]:
        """Collect the columns to draw, and their schema; times relative to the clock as ticks."""
        layout, frame, derived = self.layout, self.frame, self.rows.derived[self.name]
        columns = {c.name: frame[c.name] for c in layout.drawn()}
        if layout.relative:
            time = frame[layout.clock.column if layout.clock is not None else layout.origin]
            columns |= {r.column: event_times.difference(frame[r.column], time) for r in layout.relative}
        schema = Schema((*layout.drawn(), *(Column(c, WHOLE, Traits(), "int64") for c in derived)))
        return pd.DataFrame({**columns, **{c: derived[c] for c in derived}}, index=frame.index), schema

    # --- context of rows with parents

    def _add_parents(self, values: pd.DataFrame, schema: Schema) -> tuple[tuple[str, ContextFeature], ...]:
        """Add the context of rows with parents, and fit links and times. Returns the features of ancestors."""
        assert self.driver is not None
        rows, layout = self.rows, self.layout
        siblings = Siblings.of(rows.parents[self.driver.name], len(self.tables.frames[self.driver.parent]))
        above = tuple((t, f) for t, _ in rows.ancestors(self.name) for f in self.fitted[t].features)[:NEAREST]
        self.context |= rows.ancestor_context(self.name, above)
        self.context["#n"] = siblings.n.astype(np.float64)
        self._fit_links()
        self.context["#i"] = siblings.i.astype(np.float64)
        self.context["#left"] = (siblings.n - siblings.i).astype(np.float64)
        if layout.clock is not None:
            ticks = layout.clock.ticks(self.frame[layout.clock.column])
            windows = time_windows(rows, self.name, siblings.counts(len(self.tables.frames[self.driver.parent])))
            self._fit_ends(layout.clock, windows, ticks, siblings)
            self._fit_pace(layout.clock, ticks, siblings)
            gap = np.where(siblings.i > 0, ticks - np.r_[0, ticks[:-1]], -1)
            self.context |= windows.context(siblings.owner, ticks, gap)
        for column in [c for c in schema.columns if c.kind in frames.MODELLED][:REMEMBERED]:
            if not column.name.startswith("#") or column.name.endswith(".n"):
                self._add_sibling_feature(column, values[column.name], siblings)
        return above

    def _fit_links(self) -> None:
        """Fit the columns of a row's other parents given its ancestors; then they are context."""
        drawn: dict[str, np.ndarray] = {}
        before = dict(self.context)
        for r in self.order.linked.get(self.name, ()):
            link = self._link(r)
            self.links.append(link)
            columns = self.rows.link_context(link, self.rows.parents[r.name])
            drawn |= columns
            self.context |= columns
        if drawn:
            frame = context_frame(drawn, len(self.frame))
            self._fit("links", before, frame, context_schema(frame))

    def _fit_ends(self, clock: Clock, windows: TimeWindows, ticks: np.ndarray, siblings: Siblings) -> None:
        """Fit the time of each parent's first child, and the span to its last one."""
        rows = siblings.opening
        if not len(rows):
            return
        owner, pairs = siblings.owner[rows], siblings.n[rows] - 1
        first = clock.steps(ticks[rows])
        excess = clock.excess(clock.slack(clock.steps(ticks[rows + pairs]) - first, pairs), pairs)
        values = pd.DataFrame(
            {
                event_times.FIRST: pd.array(first - windows.base[owner], dtype="Int64"),
                event_times.EXCESS: pd.array(np.where(pairs > 0, excess, 0), dtype="Int64"),
            }
        )
        context = {c: v[rows] for c, v in self.context.items()} | windows.room(owner)
        self._fit("ends", context, values, event_times.ENDS, rows)

    def _fit_pace(self, clock: Clock, ticks: np.ndarray, siblings: Siblings) -> None:
        """Fit how far each row between the first and the last of a parent is from the one before it."""
        rows, moment, taken = clock.pace(ticks, siblings)
        if len(rows):
            context = {c: v[rows] for c, v in self.context.items()} | moment
            values = pd.DataFrame({event_times.TAKEN: pd.array(taken, dtype="Int64" if clock.regular else "float64")})
            self._fit("pace", context, values, clock.pace_schema, rows)

    def _add_sibling_feature(self, column: Column, values: pd.Series, siblings: Siblings) -> None:
        """Add a column of the earlier siblings to the context."""
        mine = cells(values, column.kind)
        before, opening = take_cells(mine, siblings.before), None
        if self.driver is not None and column.name in self.openings:
            opening = self.rows.cells(self.driver.parent, column.name)
            before = siblings.opened(before, opening)
        last, mean = ContextFeature.of(column, before, f"<{column.name}"), None
        if not last.code:
            # without one before it, its number says so
            holes = bool(np.isnan(mine if opening is None else np.r_[mine, opening]).any())
            last = ContextFeature(column.name, last.name, False, last.fill, holes)
            mean = ContextFeature(column.name, f"~{column.name}", False, last.fill)
        self.context |= last.columns(before)
        if mean is not None:
            self.context |= mean.columns(siblings.earlier_mean(mine, opening))
        self.sibling_features.append(SiblingFeature(last, mean, opening is not None))

    def _link(self, r: Relationship) -> Link:
        """Choose the columns of the parents of a relationship to match by: those most informative about the rows."""
        rows, at = self.rows, self.rows.parents[r.name]
        features = rows.features(r.parent, f"{'+'.join(r.columns)}:{r.parent}.")
        has = np.flatnonzero(at >= 0)
        mine = [rows.cells(self.name, c)[has] for c in self.layout.learned]
        for table, up in rows.ancestors(self.name):
            mine += [take_cells(rows.cells(table, f.source), up[has]) for f in self.fitted[table].features]
        theirs = [take_cells(rows.cells(r.parent, f.source), at[has]) for f in features]
        best = rank_by_information(theirs, mine, rng=self.job.stream("telling", r.name))[:OFFERED]
        return Link(r, tuple(features[i] for i in best), bool((at < 0).any()))

    def _deferred_link(self, r: Relationship) -> Link:
        """Fit the columns of the parents of a deferred relationship given the row's own."""
        link, at = self._link(r), self.rows.parents[r.name]
        some = np.arange(len(at))
        if r.own:
            hierarchy, raw = self.tables.hierarchies[self.name], self.tables.parents(r)
            looped = bool((raw == some).sum() > ((raw < 0) & ~hierarchy.severed).sum())
            link = Link(r, link.features, False, looped)
            some = np.flatnonzero(at >= 0)
        drawn = self.rows.link_context(link, at[some])
        if drawn and len(some):
            frame = context_frame(drawn, len(some))
            context = self.rows.deferred_context(r, self.features, some)
            self._fit(f"late {r.name}", context, frame, context_schema(frame), some)
        return link

    def _distinct(self) -> tuple[str, ...]:
        """Return the foreign keys whose combination never repeats, in a table with several parents."""
        foreign = self.layout.foreign
        if not self.order.linked.get(self.name) or not len(self.frame):
            return ()
        complete = self.frame[self.frame[list(foreign)].notna().all(axis=1)]
        return foreign if len(complete) and not complete.duplicated(list(foreign)).any() else ()

    # --- rules

    def _plan_rules(self, rules: Sequence[Rule], keep: frozenset[str]) -> tuple[RulePlan, np.ndarray]:
        """Plan how rules are enforced, and find the rows that obey them. (rows,) bool"""
        layout, order, name = self.layout, self.order, self.name
        known = [self.driver, *order.linked[name]] if self.driver is not None else []
        early = {c for r in known for c in r.columns}
        deferred = frozenset(c for r in order.deferred if r.child == name for c in r.columns if c not in early)
        numbered = frozenset(
            n.column for n in layout.numbered if self.driver is not None and n.among == self.driver.columns
        )
        ways = [way_of(rule, layout, deferred, numbered, layout.schema) for rule in rules]
        own = [c.name for c in layout.drawn()]
        read = {c for rule, way in zip(rules, ways) if way in ("drawn", "timed") for c in rule.columns}
        wide = self.rows.with_ancestors([*own, *sorted(read - set(own))], name, self.frame)
        columns = kinds(name, {t: each.schema for t, each in self.rows.layouts.items()}, order)
        schema = Schema(tuple(columns[c] for c in wide))
        return plan_rules(name, rules, layout, wide, schema, ways, keep, self.units)

    def _rewritten(
        self, plan: RulePlan, values: pd.DataFrame, schema: Schema, rows: np.ndarray
    ) -> tuple[pd.DataFrame, Schema]:
        """Rewrite the columns to draw so that they obey the rules of the plan. values: of these rows."""
        if not plan.rewritten:
            return values, schema
        assert plan.shaper is not None  # something is rewritten
        shaper, as_is = plan.shaper, {c.name: c for c in schema.columns}
        own = [c.name for c in self.layout.drawn()]
        wide = self.rows.with_ancestors([*own, *plan.beside], self.name, self.frame)
        learned = shaper.forward(wide.iloc[rows].reset_index(drop=True))
        columns = [as_is.get(c.name, c) for c in shaper.schema.columns if c.name not in plan.beside]
        columns += [c for c in schema.columns if c.name.startswith("#")]
        out = pd.DataFrame({c.name: (values if c.name in as_is else learned)[c.name] for c in columns})
        return out, Schema(tuple(columns))
