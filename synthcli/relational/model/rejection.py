"""Rows that obey the rules of their table: drawn, looked at, and those that break one drawn again, given what is known
of each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.constraints.uniqueness import Watch
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError
from synthcli.relational.model import event_times as clocks
from synthcli.relational.model.table_model import Sheet

TRIES = 6  # times that the rows of a wave which break a rule are drawn again, each time more of them at once
AT_ONCE = 20_000  # rows that are drawn again at once: each of few many times over
MOST = 4**4  # draws of one row at once
STEPS = 48  # times that a time which breaks a rule is moved, further each time
LOSSY = ("float", "halffloat", "decimal", "time32", "time64")  # storage types that hold less than a frame does
LOST = 0.05  # share of a table's rows that may go because nothing was found for them

Remake = Callable[[int], pd.DataFrame]  # so many rows of the columns that are made up, unlike all before
Draw = Callable[
    ..., pd.DataFrame
]  # positions in the wave, a stream, and their times where these are new -> the columns of a table method


@dataclass
class Tally:
    """What became of rows, by table and rule: drawn again, moved to where they obey, gone because nothing was left for
    them.
    """

    drawn: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    repaired: dict[str, int] = field(default_factory=dict)
    dropped: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, table: str, rule: str, rows: int) -> None:
        if rows:
            counts: dict[str, int] = getattr(self, kind)
            name = f"{table}: {rule}"
            counts[name] = counts.get(name, 0) + rows

    def take(self, other: Tally) -> None:
        """Add what another one counted."""
        self.drawn += other.drawn
        for kind in ("refused", "repaired", "dropped"):
            mine: dict[str, int] = getattr(self, kind)
            for name, rows in getattr(other, kind).items():
                mine[name] = mine.get(name, 0) + rows


class Drawing:
    """The rows of one table. beside: (rows,) the columns that its rules look at and nobody draws; owner: (rows,) the
    parent of each; remake: so many rows of the columns that are made up, unlike those that are there. ticks: (rows,)
    the times by which siblings are ordered.
    """

    def __init__(
        self, name: str, sheet: Sheet, beside: pd.DataFrame, owner: np.ndarray, tally: Tally, remake: Remake | None
    ) -> None:
        assert sheet.obeyed is not None  # asked for tables that have rules
        self.name, self.sheet, self.beside, self.owner, self.tally, self.remake = (
            name,
            sheet,
            beside,
            owner,
            tally,
            remake,
        )
        self.ticks: np.ndarray | None = None
        self.obeyed, self.watch = sheet.obeyed, Watch(sheet.obeyed.by("drawn"))
        looked_at = frozenset().union(*(rule.columns for rule in self.watch.rules))
        self.made = [c for c in sheet.layout.made if c in looked_at]
        self.own = [c.name for c in sheet.layout.drawn()]

    @property
    def clock(self) -> clocks.Clock:
        assert self.sheet.layout.clock is not None  # asked for tables that have one
        return self.sheet.layout.clock

    def timed(self, ticks: np.ndarray) -> None:
        """Take the times of all rows."""
        self.ticks = ticks
        self.beside = self.beside.assign(**{self.clock.column: self.clock.series(ticks)})

    def moment(self, rows: np.ndarray, ticks: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """The time of rows, and that since the sibling before, as context. ticks: in place of their own."""
        assert self.ticks is not None
        own, before = self.ticks[rows] if ticks is None else ticks, np.maximum(rows - 1, 0)
        first = (rows == 0) | (self.owner[before] != self.owner[rows]) | (self.owner[rows] < 0)
        return {
            "@time": self.clock.seconds(own),
            "@gap": self.clock.seconds(np.where(first, -1, own - self.ticks[before])),
        }

    def wave(self, rows: np.ndarray, draw: Draw, *, rng: np.random.Generator) -> pd.DataFrame:
        """The drawn columns of rows at these positions of the table, times as they are; and those that count children.

        Rows for which nothing is found come back as they were drawn, for whoever leaves them out.
        """
        out, repairs = self._restored(draw(np.arange(len(rows)), rng), rows)
        wide = self._wide(out, rows)
        bad = self._judged(wide, np.arange(len(rows)))
        for attempt in range(TRIES if self.ticks is None else 3 * TRIES):
            if not len(bad):
                break
            times = max(1, min(MOST, 4 ** (attempt % TRIES), AT_ONCE // len(bad)))
            bad = self._again(out, repairs, rows, np.tile(bad, times), draw, move=attempt // TRIES, rng=rng)
        for rule in repairs:
            self.tally.add("repaired", self.name, rule, int(repairs[rule].sum()))
        return out

    def _again(
        self,
        out: pd.DataFrame,
        repairs: pd.DataFrame,
        rows: np.ndarray,
        again: np.ndarray,
        draw: Draw,
        *,
        move: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Draw rows again, each as often as it is in `again`, and take the first draw that obeys; those that have none
        yet.

        move: 1 at other times too, between those of the siblings beside them; 2 at any time up to the sibling that
        follows.
        """
        place = rows[again]
        side, ticks = self.beside.iloc[place].reset_index(drop=True), None
        if move:
            ticks = self._between(place, any_=move > 1, rng=rng)
            side = side.assign(**{self.clock.column: self.clock.series(ticks)})
        if self.made and self.remake is not None:
            side = side.assign(**self.remake(len(again))[self.made])
        fresh, more = self._restored(draw(again, rng, ticks), place, side)
        seen = pd.concat([fresh, side], axis=1)
        wrong = self.watch.broken(seen).any(axis=0)
        for rule in self.obeyed.by("timed") if move else ():
            wrong |= rule.violations(seen)
        good = np.flatnonzero(~wrong)
        places, first = np.unique(again[good], return_index=True)
        chosen = good[first]
        self.watch.accept(seen.iloc[chosen])
        _put(out, places, fresh, chosen)
        _put(repairs, places, more, chosen)
        _put(self.beside, rows[places], side, chosen)
        if ticks is not None and self.ticks is not None:
            self.ticks[rows[places]] = ticks[chosen]
        return np.setdiff1d(again, places)

    def _between(self, rows: np.ndarray, *, any_: bool, rng: np.random.Generator) -> np.ndarray:
        """Other times of rows, from the sibling before to the one after; of the first and the last, from the start and
        to the end.
        """
        assert self.ticks is not None
        clock, here, last = self.clock, self.owner[rows], len(self.owner) - 1
        opens = (rows == 0) | (self.owner[np.maximum(rows - 1, 0)] != here) | (here < 0)
        closes = (rows == last) | (self.owner[np.minimum(rows + 1, last)] != here) | (here < 0)
        low = np.where(opens | any_, clock.start, self.ticks[np.maximum(rows - 1, 0)])
        high = np.where(closes, clock.end, self.ticks[np.minimum(rows + 1, last)])
        return (
            low
            + np.floor(rng.random(len(rows)) * (np.maximum(high - low, 0) // clock.grain + 1)).astype(np.int64)
            * clock.grain
        )

    def _judged(self, wide: pd.DataFrame, places: np.ndarray) -> np.ndarray:
        """The rows that break a rule; the others are remembered."""
        self.tally.drawn += len(wide)
        broken = self.watch.broken(wide)
        for rule, rows in zip(self.watch.rules, broken.sum(axis=1).tolist()):
            self.tally.add("refused", self.name, rule.text, rows)
        wrong = broken.any(axis=0)
        self.watch.accept(wide[~wrong])
        return places[wrong]

    def _restored(
        self, drawn: pd.DataFrame, rows: np.ndarray, side: pd.DataFrame | None = None
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """What a table method drew, in the table's own columns; which rows a range moved, by rule. side: what is beside
        them, if not as it is.
        """
        drawn, side = (
            drawn.reset_index(drop=True),
            self.beside.iloc[rows].reset_index(drop=True) if side is None else side,
        )
        for each in self.sheet.layout.relative:
            if each.column in drawn:
                drawn[each.column] = clocks.since(drawn[each.column], side[self.clock.column], each.type, each.unit)
        repairs = pd.DataFrame(index=drawn.index)
        shaper = self.obeyed.shaper
        if shaper is not None and (shaper.steps or shaper.clips):
            for rule in shaper.clips:
                if rule.columns <= set(drawn):
                    repairs[rule.text] = rule.violations(drawn)
            counts = drawn[[c for c in drawn if c.startswith("#")]]
            whole = pd.concat([drawn.drop(columns=list(counts)), side[list(self.obeyed.beside)]], axis=1)
            drawn = pd.concat([shaper.repaired(whole)[0][self.own], counts], axis=1)
        return stored(drawn, self.sheet.layout.schema), repairs

    def _wide(self, drawn: pd.DataFrame, rows: np.ndarray) -> pd.DataFrame:
        return pd.concat([drawn, self.beside.iloc[rows].reset_index(drop=True)], axis=1)


def _put(out: pd.DataFrame, places: np.ndarray, fresh: pd.DataFrame, chosen: np.ndarray) -> None:
    """Set rows of a frame to chosen ones of another."""
    for column in out if len(places) else ():
        taken = fresh[column].iloc[chosen]
        taken.index = pd.Index(places)
        out.loc[places, column] = taken


def stored(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame as it is once it is written, so that what holds here holds of the file."""
    lossy = Schema(tuple(c for c in schema.columns if c.name in frame and c.storage.startswith(LOSSY)))
    if not lossy.columns:
        return frame
    return frame.assign(**frames.to_frame(frames.to_arrow(frame, lossy), lossy))


def moved(
    ticks: np.ndarray,
    frame: pd.DataFrame,
    rules: Sequence[Rule],
    clock: clocks.Clock,
    name: str,
    tally: Tally,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Times moved as far as rules ask. ticks: (rows,); frame: (rows,) the other columns that rules look at."""
    out = ticks.copy()
    alone = [rule for rule in rules if not rule.TABLE]
    span = max(clock.grain, clock.end - clock.start)
    for step in range(STEPS):
        wide = frame.assign(**{clock.column: clock.series(out)})
        broken = {rule.text: rule.violations(wide) for rule in rules}
        bad = np.flatnonzero(np.any(list(broken.values()), axis=0))
        if step == 0:
            for rule, rows in broken.items():
                tally.add("repaired", name, rule, int(rows.sum()))
        if not len(bad):
            break
        reach = max(1, min(2 * span // clock.grain, 2 ** (step // 2)))
        for sign in rng.permutation([-1, 1]):
            fresh = ticks[bad] + sign * rng.integers(1, reach + 1, size=len(bad)) * clock.grain
            seen = frame.iloc[bad].reset_index(drop=True).assign(**{clock.column: clock.series(fresh)})
            good = (
                ~np.any([rule.violations(seen) for rule in alone], axis=0) if alone else np.ones(len(bad), dtype=bool)
            )
            out[bad[good]] = fresh[good]
            bad = bad[~good]
            if not len(bad):
                break
    return out


def refused(
    name: str, rules: Sequence[Rule], wide: pd.DataFrame, *, may_drop: bool, before: int = 0, tally: Tally
) -> np.ndarray:
    """Which rows of a whole table must go, as nothing was found that makes them obey. (rows,) bool; raises FitError
    where too many would, or any of a table whose rows are counted. before: rows that went already."""
    gone, by = np.zeros(len(wide), dtype=bool), dict[str, int]()
    for rule in rules:
        broken = rule.violations(wide)
        if broken.any():
            by[rule.text] = int(broken.sum())
            gone |= broken
    rows, lost = before + len(wide), before + int(gone.sum())
    if gone.any() and (not may_drop or lost > max(10, LOST * rows)):
        raise FitError(
            f"constraints: table {name}: {lost:,} of {rows:,} rows that were made break {' and '.join(by)}, and none of"
            " many other draws, given what is known of them, obeys; remedy: a weaker constraint, or one on columns"
            " that are drawn"
        )
    for text, rows in by.items():
        tally.add("dropped", name, text, rows)
    return gone


def childless(
    rules: Sequence[Rule], wide: Mapping[str, pd.DataFrame], name: str, n: np.ndarray, tally: Tally
) -> np.ndarray:
    """Parents that a rule refuses. n: children that each would have; wide: rule text -> what it looks at, for each
    parent. (parents,) bool
    """
    out = np.zeros(len(n), dtype=bool)
    for rule in rules:
        broken = rule.violations(wide[rule.text])
        tally.add("repaired", name, rule.text, int((broken & ~out & (n > 0)).sum()))
        out |= broken
    return out
