"""Windows of time: where the children of each parent may lie, given the dates of the parent and of its ancestors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.relational.model.anchors import Anchor, ages_at, latest_ticks
from synthcli.relational.model.event_times import FAR, Clock, in_unit
from synthcli.relational.model.layout import Relative
from synthcli.relational.model.rows import RelatedRows
from synthcli.relational.relationships import rows_at


@dataclass(frozen=True)
class TimeWindows:
    """The windows of the children of each parent, in steps of the clock.

    low, high: (parents,) of its children; base: (parents,) that the first child is counted from; steps: of each anchor,
    (parents,) each; open: (parents,) whether the bounds that held for all rows of the source leave any time of the
    observed period.
    """

    clock: Clock
    anchors: tuple[Anchor, ...]
    steps: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    low: np.ndarray
    high: np.ndarray
    base: np.ndarray
    open: np.ndarray

    @classmethod
    def of(cls, clock: Clock, anchors: Sequence[Anchor], values: Sequence[pd.Series], n: np.ndarray) -> TimeWindows:
        """Compute the windows. values: of each anchor, (parents,); n: (parents,) numbers of children.

        Bounds that no row of the source breaks come first, then the observed period, then the ages learned, those since
        the sharpest origin before others. A bound that contradicts those before it gives way.
        """
        parents = len(n)
        steps = tuple(anchor.steps(each, clock) for anchor, each in zip(anchors, values))
        low, high = np.full(parents, -FAR), np.full(parents, FAR)
        for anchor, (earliest, latest, known) in zip(anchors, steps):
            if anchor.after:
                low = np.where(known, np.maximum(low, earliest), low)
            if anchor.before:
                high = np.where(known, np.minimum(high, latest), high)
        everywhere, start, end = np.ones(parents, dtype=bool), np.zeros(parents), np.full(parents, clock.last_step)
        is_open = np.minimum(high, end) >= np.maximum(low, start)
        need = np.maximum(n - 1, 0) * clock.least
        low, high = _narrowed(low, high, start, end, everywhere, np.zeros(parents))
        need = np.clip(need, 0, np.maximum(high - low, 0))
        for anchor, (earliest, _, known) in zip(anchors, steps):
            low, high = _narrowed(low, high, earliest + anchor.low, earliest + anchor.high, known, need)
        base = np.zeros(parents, dtype=np.int64)
        if anchors and anchors[0].origin:
            earliest, _, known = steps[0]
            base = np.where(known, earliest, anchors[0].middle)
        return cls(clock, tuple(anchors), steps, low, high, base, is_open)

    def capacity(self, n: np.ndarray) -> np.ndarray:
        """Limit numbers of children to those that have room. n: (parents,)"""
        if not self.clock.distinct:
            return np.where(self.open, n, 0)
        return np.where(self.open, np.minimum(n, (self.high - self.low) // self.clock.least + 1), 0)

    def room(self, parents: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context of first children: their window since the base. parents: (rows,)"""
        if not self.anchors:
            return {}
        low, high = self.low[parents] - self.base[parents], self.high[parents] - self.base[parents]
        return {"@from": low.astype(np.float64), "@until": high.astype(np.float64)}

    def context(self, owner: np.ndarray, ticks: np.ndarray, gap: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context of rows at these times: the time, the gap since the previous sibling, and the ages.

        owner: (rows,) the parent; gap: (rows,) ticks, negative for the first.
        """
        out = self.clock.context(ticks, gap)
        for anchor, steps in zip(self.anchors, self.steps):
            out |= anchor.age.columns(ages_at(anchor, steps, self.clock, ticks, owner))
        return out

    def latest(self, owner: np.ndarray, column: Relative) -> np.ndarray | None:
        """Compute the last ticks of a column on or before its anchors, FAR where none is known. owner, out: (rows,)"""
        if not column.within:
            return None
        ticks = np.min([latest_ticks(self.clock, self.steps[k], owner) for k in column.within], axis=0)
        return np.where(ticks < FAR, in_unit(np.where(ticks < FAR, ticks, 0), self.clock.unit, column.unit), FAR)

    def bounds(self, owner: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Compute the first and the last tick that rows may have. owner: (rows,). (rows,), (rows,)"""
        has, last = owner >= 0, self.clock.last_step
        at = np.maximum(owner, 0)
        low = np.where(has, self.low[at] if len(self.low) else 0, 0)
        high = np.where(has, self.high[at] if len(self.high) else last, last)
        return self.clock.at(low), self.clock.at(high)


def time_windows(rows: RelatedRows, table: str, n: np.ndarray) -> TimeWindows:
    """Compute the windows of the rows of a table from the rows of its ancestors. n: (parents,) numbers of children."""
    layout, parent = rows.layouts[table], rows.order.driver[table].parent
    assert layout.clock is not None  # only tables with a clock have windows
    at = dict([*reversed(rows.ancestors(parent)), (parent, np.arange(len(n)))])
    values = [rows_at(anchor.values(rows.frames[anchor.table]), at[anchor.table]) for anchor in layout.anchors]
    return TimeWindows.of(layout.clock, layout.anchors, values, n)


def _narrowed(
    low: np.ndarray,
    high: np.ndarray,
    from_: np.ndarray,
    to: np.ndarray,
    where: np.ndarray,
    need: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Intersect windows with others as far as `need` steps of room are left: else as near to them as there is room."""
    least, most = np.maximum(low, from_), np.minimum(high, to)
    short = most - least < need
    below, above = short & (from_ > low), short & (from_ <= low)
    least = np.where(below, np.maximum(np.minimum(least, high - need), low), least)
    most = np.where(below, np.minimum(high, np.maximum(most, least + need)), most)
    most = np.where(above, np.minimum(np.maximum(most, low + need), high), most)
    least = np.where(above, low, least)
    return np.where(where, least, low).astype(np.int64), np.where(where, most, high).astype(np.int64)
