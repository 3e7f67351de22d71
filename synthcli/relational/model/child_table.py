"""The rows of a table whose parents are known: their times, then their columns, wave by wave."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from synthcli.relational.model import event_times
from synthcli.relational.model.child_times import joined, sample_times
from synthcli.relational.model.context import cells, context_frame
from synthcli.relational.model.generated import GeneratedTables, empty, null_columns, reads_positional
from synthcli.relational.model.rejection import RowRejection
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.siblings import SiblingHistory, Siblings, Wave, waves
from synthcli.relational.model.time_windows import TimeWindows, time_windows
from synthcli.relational.relationships import NULL

ORDERS = 4  # times that siblings are sorted again after their times were moved


class ChildTableSampler:
    """Samples the drawn columns of one table.

    owner: (rows,) the parent that determines the number of rows, sorted; positional: stream of the positional columns.
    """

    def __init__(
        self,
        generated: GeneratedTables,
        counts: RejectionCounts,
        table: str,
        owner: np.ndarray,
        *,
        positional: np.random.Generator,
    ) -> None:
        self.generated, self.table, self.owner = generated, table, owner
        self.model, self.driver = generated.models[table], generated.order.driver[table]
        self.layout = self.model.layout
        self.parents = len(generated.frames[self.driver.parent])
        self.siblings = Siblings.of(owner, self.parents)
        self.alone = int((owner < 0).sum())  # rows without a parent come first
        self.counts = self.siblings.counts(self.parents)
        self.context = self._initial_context()
        self.rejection = None if self.model.rule_plan is None else self._start_rejection(counts, positional)

    def _initial_context(self) -> dict[str, np.ndarray]:
        """Compute what is known of rows before their times: ancestors, siblings, other parents."""
        generated, siblings = self.generated, self.siblings
        known = generated.ancestor_context(self.table, self.model.ancestor_features)
        known["#n"] = siblings.n.astype(np.float64)
        for link in self.model.links:
            known |= generated.link_context(link, generated.parents[link.relationship.name])
        known["#i"] = siblings.i.astype(np.float64)
        known["#left"] = (siblings.n - siblings.i).astype(np.float64)
        return known

    def _start_rejection(self, counts: RejectionCounts, stream: np.random.Generator) -> RowRejection:
        """Look up the columns that rules read and that are known before the rows are drawn, except for their times."""
        generated, plan = self.generated, self.model.rule_plan
        assert plan is not None
        positional = generated.positional(self.table, stream) if reads_positional(self.model) else None
        frame = pd.DataFrame(index=pd.RangeIndex(len(self.owner)))
        if positional is not None:
            frame = positional.generate(len(self.owner))
        names = [*frame, *plan.beside]
        for r in generated.row_relationships(self.table):
            frame = generated.with_keys(frame, r)
        for n in self.layout.numbered:
            if n.among == self.driver.columns:
                number = pd.Series(self.owner).groupby(self.owner).cumcount() + n.start
                frame = frame.assign(**{n.column: number.astype("Int64")})
        clock = () if self.layout.clock is None else (self.layout.clock.column,)
        known = [c for c in dict.fromkeys(names) if c not in clock]
        beside = generated.with_ancestors(known, self.table, frame)
        return RowRejection(self.table, self.model, beside, self.owner, counts, positional)

    def sample(self, *, rng: np.random.Generator, moving: np.random.Generator) -> pd.DataFrame:
        """Sample the times and the drawn columns of all rows. moving: stream of the times that rules move."""
        clock = self.layout.clock
        if clock is None:
            return self._sample_values(rng=rng)
        windows = time_windows(self.generated, self.table, self.counts)
        ticks = sample_times(self.model, windows, self.siblings, self.context, rng=rng)
        if self.rejection is not None:
            self.rejection.set_windows(windows)
            ticks = self._enforce_times(self.rejection, ticks, rng=moving)
        gap = np.where(self.siblings.i > 0, ticks - np.r_[0, ticks[:-1]], -1)
        self.context |= windows.context(self.owner, ticks, gap)
        if self.rejection is not None:
            self.rejection.set_times(ticks)
            drawn = self._sample_values(rng=rng)
            return drawn.assign(**{clock.column: self.rejection.beside[clock.column]})
        return self._with_times(self._sample_values(rng=rng), windows, ticks)

    def _with_times(self, drawn: pd.DataFrame, windows: TimeWindows, ticks: np.ndarray) -> pd.DataFrame:
        """Add the time column, and convert the columns that are relative to it to times."""
        time = windows.clock.series(ticks)
        owner, relative = self.owner, dict[str, pd.Series]()
        for each in self.layout.relative:
            relative[each.column] = each.restored(drawn[each.column], time, windows.latest(owner, each))
        return drawn.assign(**relative, **{windows.clock.column: time})

    def _enforce_times(self, rejection: RowRejection, ticks: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Move times so that they obey the rules over times, and sort siblings again, with their other parents."""
        generated = self.generated
        for _ in range(ORDERS if rejection.plan.by("timed") else 0):
            ticks = rejection.move_times(ticks, rng=rng)
            order = np.lexsort((ticks, self.owner))
            if (order == np.arange(len(order))).all():
                break
            generated.select_parents([link.relationship for link in self.model.links], order)
            for link in self.model.links:
                self.context |= generated.link_context(link, generated.parents[link.relationship.name])
            rejection.reorder(order)
            ticks = ticks[order]
        return ticks

    def _sample_values(self, *, rng: np.random.Generator) -> pd.DataFrame:
        """Sample all drawn columns, wave by wave, and the positional columns that rules read."""
        rows = len(self.owner)
        if "values" not in self.model.models:  # it has no columns to draw, or had no rows
            return null_columns(self.layout, rows)
        opened = [f.source for f in self.model.sibling_features if f.opened]
        openings = {source: self.generated.cells(self.driver.parent, source) for source in opened}
        history = SiblingHistory(self.model.sibling_features, self.parents, openings)
        static = context_frame(self.context, rows)
        pieces, places = [], []
        for wave in self._waves():
            drawn = self._sample_wave(wave, joined(static, wave.rows, history.context(wave.owners)), rng=rng)
            if (wave.parents >= 0).all():
                history.add(wave.owners, self._sibling_cells(drawn, wave), wave.ends)
            pieces.append(drawn)
            places.append(wave.rows)
        if not pieces:
            derived = [c for c in self.model.models["values"].drawn if c.startswith("#")]
            own = {c.name: empty(c) for c in self.layout.drawn()}
            return pd.DataFrame(own | {c: pd.Series([], dtype="Int64") for c in derived})
        out = pd.concat(pieces, ignore_index=True).iloc[np.argsort(np.concatenate(places))].reset_index(drop=True)
        if self.rejection is None:
            return out
        beside = self.rejection.beside
        return pd.concat([out, beside[[c for c in self.layout.positional if c in beside]]], axis=1)

    def _waves(self) -> Iterator[Wave]:
        """Divide the rows into waves: first those without a parent, then those of all parents."""
        if self.alone:
            rows = np.arange(self.alone)
            yield Wave(np.full(self.alone, NULL), rows, np.ones(self.alone, dtype=np.int64), rows)
        yield from waves(self.counts, offset=self.alone)

    def _sample_wave(self, wave: Wave, context: pd.DataFrame, *, rng: np.random.Generator) -> pd.DataFrame:
        if self.rejection is not None:
            return self.rejection.draw(wave.rows, context, rng=rng)
        return self.model.models["values"].draw(context, len(wave.rows), rng=rng.spawn(1)[0])

    def _sibling_cells(self, drawn: pd.DataFrame, wave: Wave) -> dict[str, np.ndarray]:
        """Return the cells that later siblings depend on; times relative to the row's own."""
        clock, kinds = self.layout.clock, {c.name: c.kind for c in self.layout.drawn()}
        if self.rejection is not None and clock is not None and self.layout.relative:
            own = self.rejection.beside[clock.column].iloc[wave.rows].reset_index(drop=True)
            relative = {r.column: event_times.difference(drawn[r.column], own) for r in self.layout.relative}
            drawn = drawn.assign(**relative)
        sources = [feature.source for feature in self.model.sibling_features]
        return {source: cells(drawn[source], kinds.get(source, "integer")) for source in sources}
