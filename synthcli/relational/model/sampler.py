"""The sampler of related tables.

Parents are generated before their children, the children of all parents together in waves; other parents are matched.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthcli.columns.as_written import as_written
from synthcli.relational.graph import Order
from synthcli.relational.model.child_table import ChildTableSampler
from synthcli.relational.model.enforcement import RuleEnforcer
from synthcli.relational.model.foreign_keys import ParentMatcher
from synthcli.relational.model.generated import GeneratedTables, Kept, empty, reads_positional
from synthcli.relational.model.links import slots
from synthcli.relational.model.rejection import RowRejection
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.table_model import TableModel
from synthcli.relational.model.time_windows import time_windows
from synthcli.relational.relationships import NULL, Relationship, rows_at


class TablesSampler:
    """Samples related tables once.

    kept: tables that are given out as they are; unit: the table of the privacy unit; root_rows: its rows, if they are
    generated already; batch: the seed of the request; counts: of the rows that rules refused, repaired or dropped.
    """

    def __init__(
        self,
        models: Mapping[str, TableModel],
        order: Order,
        relationships: Sequence[Relationship],
        kept: Kept,
        unit: str,
        root_rows: pd.DataFrame | None = None,
        batch: int = 0,
    ) -> None:
        self.models, self.order, self.kept, self.unit, self.root_rows = models, order, kept, unit, root_rows
        self.generated = GeneratedTables(models, order, relationships, batch)
        self.counts = RejectionCounts()
        self.enforcer = RuleEnforcer(self.generated, self.counts, frozenset({unit}))
        self.matcher = ParentMatcher(self.generated, self.enforcer)

    def sample(self, rows: int, *, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
        """Sample every table. rows: of the table of the privacy unit."""
        order = self.order
        for name, stream in zip(order.tables, rng.spawn(len(order.tables))):
            if name in self.kept:
                self.generated.add_kept(name, self.kept)
            else:
                self._sample_table(name, rows, rng=stream)
        for r, stream in zip(order.deferred, rng.spawn(len(order.deferred))):
            if r.child not in self.kept:
                self.matcher.match_deferred(r, rng=stream)
        for name in order.tables:
            self.enforcer.enforce(name, complete=True)
        return {name: self.generated.frames[name][model.layout.schema.names] for name, model in self.models.items()}

    def _sample_table(self, name: str, rows: int, *, rng: np.random.Generator) -> None:
        """Sample a table, and drop the rows that break a rule over known columns."""
        drawing, linking, positional = rng.spawn(3)
        if name in self.order.driver:
            drawn = self._sample_children(name, rows, drawing, linking, positional)
        elif name == self.unit and self.root_rows is not None:
            drawn = self.root_rows
        else:
            size = rows if name == self.unit else self.models[name].rows
            drawn = self._sample_root(name, size, drawing, positional)
        derived = [c for c in drawn if c.startswith("#")]
        frame = self._completed(name, drawn.drop(columns=derived), positional)
        self.generated.add(name, as_written(frame, self.models[name].layout.schema), drawn[derived])
        self.enforcer.enforce(name, complete=False)

    def _completed(self, name: str, frame: pd.DataFrame, positional: np.random.Generator) -> pd.DataFrame:
        """Add the columns of a table that are not drawn: positional columns, foreign keys and numbers."""
        layout, generated = self.models[name].layout, self.generated
        if missing := [c for c in layout.positional if c not in frame]:
            columns = generated.positional(name, positional).generate(len(frame), frame)
            frame = pd.concat([frame, columns[missing]], axis=1)
        for r in generated.row_relationships(name):
            frame = generated.with_keys(frame, r)
        deferred = [c for r in self.order.deferred if r.child == name for c in r.columns if c not in frame]
        frame = frame.assign(**{c: empty(layout.schema[c]).reindex(frame.index) for c in deferred})
        above = dict(generated.ancestors(name)) if layout.derived else {}
        for each in layout.derived:
            time = None if layout.clock is None else frame[layout.clock.column]
            values = rows_at(generated.frames[each.table][each.source], above[each.table])
            frame = frame.assign(**{each.column: each.values(time, values)})
        for numbered in layout.numbered:
            frame = frame.assign(**{numbered.column: numbered.values(frame)})
        return frame

    def _sample_root(
        self, name: str, rows: int, drawing: np.random.Generator, stream: np.random.Generator
    ) -> pd.DataFrame:
        """Sample the drawn columns of a table whose rows have no parents."""
        model = self.models[name]
        if "values" not in model.models:
            return pd.DataFrame(index=pd.RangeIndex(rows))
        if model.rule_plan is None:
            return model.layout.dated(model.models["values"].draw(None, rows, rng=drawing))
        positional = self.generated.positional(name, stream) if reads_positional(model) else None
        beside = pd.DataFrame(index=pd.RangeIndex(rows)) if positional is None else positional.generate(rows)
        rejection = RowRejection(name, model, beside, np.full(rows, NULL), self.counts, positional)
        drawn = rejection.draw(np.arange(rows), None, rng=drawing)
        return pd.concat([drawn, rejection.beside[list(beside)]], axis=1)

    def _sample_children(
        self,
        name: str,
        rows: int,
        drawing: np.random.Generator,
        linking: np.random.Generator,
        positional: np.random.Generator,
    ) -> pd.DataFrame:
        """Sample the drawn columns of a table whose rows have parents, and find these."""
        owner = self._owners(name, rows, rng=linking)
        self.generated.set_parents(self.order.driver[name], owner)
        if self.models[name].links:
            keep = self.matcher.match_links(name, owner, rng=linking)
            self.generated.select_parents(self.generated.row_relationships(name), keep)
            owner = owner[keep]
        sampler = ChildTableSampler(self.generated, self.counts, name, owner, positional=positional)
        return sampler.sample(rng=drawing, moving=linking)

    def _owners(self, name: str, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """Return the parent of each row, sorted; rows without a parent come first. (rows,) int64"""
        model = self.models[name]
        n, _ = self.enforcer.child_counts(self.order.driver[name])
        if model.layout.clock is not None:
            n = time_windows(self.generated, name, n).capacity(n)
        if name == self.unit:
            n = np.bincount(slots(n, rows, rng=rng), minlength=len(n))
        share = model.parentless
        alone = round(int(n.sum()) * share / (1 - share)) if share < 1 else model.rows
        return np.r_[np.full(alone, NULL), np.repeat(np.arange(len(n)), n)].astype(np.int64)
