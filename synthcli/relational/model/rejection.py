"""Rejection sampling of the rows of one table: rows that break a rule are drawn again, given their context."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.as_written import as_written
from synthcli.columns.constraints.uniqueness import Watch
from synthcli.relational.model.event_times import Clock
from synthcli.relational.model.generated import PositionalColumns
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.repair import move_times
from synthcli.relational.model.table_model import TableModel
from synthcli.relational.model.time_windows import TimeWindows

TRIES = 6  # times that the rows of a wave which break a rule are drawn again, each time more of them at once
AT_ONCE = 20_000  # rows that are drawn again at once: each of few many times over
MOST = 4**4  # draws of one row at once


@dataclass
class WaveRows:
    """The rows of one wave. rows: (n,) their positions in the table; context: None without any; columns: as they are
    drawn; repairs: by rule, whether it moved a value.
    """

    rows: np.ndarray
    context: pd.DataFrame | None
    columns: pd.DataFrame
    repairs: pd.DataFrame

    def replace(self, places: np.ndarray, columns: pd.DataFrame, repairs: pd.DataFrame, chosen: np.ndarray) -> None:
        """Replace rows of the wave by chosen rows of other draws."""
        _set_rows(self.columns, places, columns, chosen)
        _set_rows(self.repairs, places, repairs, chosen)


class RowRejection:
    """The rows of one table that are known before they are drawn, and the rules that drawn rows must obey.

    beside: (rows,) columns that rules read and that are not drawn; owner: (rows,) the parent of each row; positional:
    generates positional columns anew, None if no rule reads them; ticks: (rows,) times that order siblings.
    """

    def __init__(
        self,
        table: str,
        model: TableModel,
        beside: pd.DataFrame,
        owner: np.ndarray,
        counts: RejectionCounts,
        positional: PositionalColumns | None,
    ) -> None:
        assert model.rule_plan is not None  # only tables with rules need one
        self.table, self.model, self.plan = table, model, model.rule_plan
        self.beside, self.owner, self.counts, self.positional = beside, owner, counts, positional
        self.ticks: np.ndarray | None = None
        self.windows: TimeWindows | None = None
        self.watch = Watch(self.plan.by("drawn"))
        read = frozenset().union(*(rule.columns for rule in self.watch.rules))
        self.redrawn = [c for c in model.layout.positional if c in read]
        self.own = [c.name for c in model.layout.drawn()]

    @property
    def clock(self) -> Clock:
        assert self.model.layout.clock is not None  # only tables with times need it
        return self.model.layout.clock

    def set_windows(self, windows: TimeWindows) -> None:
        """Set the windows that the times of the children of each parent lie in."""
        self.windows = windows

    def set_times(self, ticks: np.ndarray) -> None:
        """Set the times of all rows."""
        self.ticks = ticks
        self.beside = self._with_times(self.beside, ticks)

    def _with_times(self, frame: pd.DataFrame, ticks: np.ndarray) -> pd.DataFrame:
        """Set the times of rows, as the file will hold them."""
        timed = frame.assign(**{self.clock.column: self.clock.series(ticks)})
        return as_written(timed, self.model.layout.schema)

    def move_times(self, ticks: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Move times so that they obey the rules over times. ticks: (rows,)"""
        assert self.windows is not None
        bounds = self.windows.bounds(self.owner)
        moved, broken = move_times(
            ticks, self.beside, self.plan.by("timed"), self.clock, bounds=bounds, owner=self.owner, rng=rng
        )
        for rule, rows in broken.items():
            self.counts.add("repaired", self.table, rule, rows)
        return moved

    def reorder(self, order: np.ndarray) -> None:
        """Reorder the rows; numbers of rows within their parent stay where they are."""
        numbers = [n.column for n in self.model.layout.numbered if n.column in self.beside]
        fixed = self.beside[numbers]
        self.beside = self.beside.iloc[order].reset_index(drop=True).assign(**fixed)

    def draw(self, rows: np.ndarray, context: pd.DataFrame | None, *, rng: np.random.Generator) -> pd.DataFrame:
        """Draw the columns of rows at these positions, again where they break a rule. context: (rows,)

        Rows for which no draw obeys come back as they were drawn; they are dropped later.
        """
        columns, repairs = self._restore(self._draw(rows, context, None, rng=rng), rows)
        wave = WaveRows(rows, context, columns, repairs)
        bad = self._reject(pd.concat([columns, self.beside.iloc[rows].reset_index(drop=True)], axis=1))
        for attempt in range(TRIES if self.ticks is None else 3 * TRIES):
            if not len(bad):
                break
            times = max(1, min(MOST, 4 ** (attempt % TRIES), AT_ONCE // len(bad)))
            bad = self._retry(wave, np.tile(bad, times), move=attempt // TRIES, rng=rng)
        for rule in wave.repairs:
            self.counts.add("repaired", self.table, rule, int(wave.repairs[rule].sum()))
        return wave.columns

    def _draw(
        self, rows: np.ndarray, context: pd.DataFrame | None, ticks: np.ndarray | None, *, rng: np.random.Generator
    ) -> pd.DataFrame:
        """Draw rows by the table method. ticks: their times, if these are not the ones that are set."""
        if context is not None and self.ticks is not None:  # earlier siblings may have been moved
            context = context.assign(**self._time_context(rows, ticks))
        return self.model.models["values"].draw(context, len(rows), rng=rng.spawn(1)[0])

    def _time_context(self, rows: np.ndarray, ticks: np.ndarray | None) -> dict[str, np.ndarray]:
        assert self.ticks is not None and self.windows is not None
        own, before = self.ticks[rows] if ticks is None else ticks, np.maximum(rows - 1, 0)
        first = (rows == 0) | (self.owner[before] != self.owner[rows]) | (self.owner[rows] < 0)
        return self.windows.context(self.owner[rows], own, np.where(first, -1, own - self.ticks[before]))

    def _reject(self, drawn: pd.DataFrame) -> np.ndarray:
        """Find the rows that break a rule, and count them; the others are remembered, for rules over many rows."""
        self.counts.drawn += len(drawn)
        broken = self.watch.broken(drawn)
        for rule, rows in zip(self.watch.rules, broken.sum(axis=1).tolist()):
            self.counts.add("refused", self.table, rule.text, rows)
        wrong = broken.any(axis=0)
        self.watch.accept(drawn[~wrong])
        return np.flatnonzero(wrong)

    def _retry(self, wave: WaveRows, again: np.ndarray, *, move: int, rng: np.random.Generator) -> np.ndarray:
        """Draw rows again, each as often as it is in `again`, and take the first draw that obeys.

        Returns the rows without such a draw. move: 1 also draws another time between those of the siblings next to a
        row, 2 any time up to that of the next sibling.
        """
        rows = wave.rows[again]
        side, ticks = self.beside.iloc[rows].reset_index(drop=True), None
        if move:
            ticks = self._draw_times(rows, any_earlier=move > 1, rng=rng)
            side = self._with_times(side, ticks)
        if self.redrawn and self.positional is not None:
            side = side.assign(**self.positional.generate(len(again))[self.redrawn])
        context = None if wave.context is None else wave.context.iloc[again].reset_index(drop=True)
        fresh, repairs = self._restore(self._draw(rows, context, ticks, rng=rng), rows, side)
        seen = pd.concat([fresh, side], axis=1)
        good = np.flatnonzero(~self._broken(seen, timed=move > 0))
        places, first = np.unique(again[good], return_index=True)
        chosen = good[first]
        self.watch.accept(seen.iloc[chosen])
        wave.replace(places, fresh, repairs, chosen)
        _set_rows(self.beside, wave.rows[places], side, chosen)
        if ticks is not None and self.ticks is not None:
            self.ticks[wave.rows[places]] = ticks[chosen]
        return np.setdiff1d(again, places)

    def _broken(self, drawn: pd.DataFrame, *, timed: bool) -> np.ndarray:
        """Find the rows that break a rule. timed: whether rules over times count too."""
        broken = np.asarray(self.watch.broken(drawn).any(axis=0))
        for rule in self.plan.by("timed") if timed else ():
            broken |= rule.violations(drawn)
        return broken

    def _draw_times(self, rows: np.ndarray, *, any_earlier: bool, rng: np.random.Generator) -> np.ndarray:
        """Draw times between the previous and the next sibling, or from the start of the window to its end. (rows,)"""
        assert self.ticks is not None and self.windows is not None
        clock, here, last = self.clock, self.owner[rows], len(self.owner) - 1
        opens = (rows == 0) | (self.owner[np.maximum(rows - 1, 0)] != here) | (here < 0)
        closes = (rows == last) | (self.owner[np.minimum(rows + 1, last)] != here) | (here < 0)
        from_, to = self.windows.bounds(here)
        gap, free = clock.least * clock.grain, opens | (any_earlier and not clock.distinct)
        low = np.where(free, from_, self.ticks[np.maximum(rows - 1, 0)] + gap)
        high = np.where(closes, to, self.ticks[np.minimum(rows + 1, last)] - gap)
        steps = np.maximum(high - low, 0) // clock.grain + 1
        drawn = low + np.floor(rng.random(len(rows)) * steps).astype(np.int64) * clock.grain
        return np.where(high < low, self.ticks[rows], drawn)

    def _restore(
        self, drawn: pd.DataFrame, rows: np.ndarray, side: pd.DataFrame | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Convert drawn columns to those of the table, and find the values that a rule moved.

        side: the columns beside them, if these are not the ones that are known.
        """
        drawn = drawn.reset_index(drop=True)
        if side is None:
            side = self.beside.iloc[rows].reset_index(drop=True)
        for each in self.model.layout.relative:
            if each.column in drawn:
                origin = self.model.layout.origin
                time = side[self.clock.column] if origin is None else drawn[origin]
                latest = None if self.windows is None else self.windows.latest(self.owner[rows], each)
                drawn[each.column] = each.restored(drawn[each.column], time, latest)
        repairs = pd.DataFrame(index=drawn.index)
        shaper = self.plan.shaper
        if shaper is not None and (shaper.steps or shaper.clips):
            for rule in shaper.clips:
                if rule.columns <= set(drawn):
                    repairs[rule.text] = rule.violations(drawn)
            derived = drawn[[c for c in drawn if c.startswith("#")]]
            whole = pd.concat([drawn.drop(columns=list(derived)), side[list(self.plan.beside)]], axis=1)
            drawn = pd.concat([shaper.repaired(whole)[0][self.own], derived], axis=1)
        return as_written(drawn, self.model.layout.schema), repairs


def _set_rows(frame: pd.DataFrame, places: np.ndarray, other: pd.DataFrame, chosen: np.ndarray) -> None:
    """Set rows of a frame to chosen rows of another one, in place: a copy for each retry would be quadratic."""
    for column in frame if len(places) else ():
        taken = other[column].iloc[chosen]
        taken.index = pd.Index(places)
        frame.loc[places, column] = taken
