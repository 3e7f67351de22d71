"""Anchors: dates of ancestors that the times of children are related to, such as a birth, a sign-up or a death.

An anchor that the first child of a parent follows more closely than the calendar is an origin: times are learned as
ages, the time since the origin. An anchor that all children follow or precede in the source bounds their times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec import top_coding
from synthcli.columns.codec.parts import integers
from synthcli.relational.model.context import ContextFeature, unit_of
from synthcli.relational.model.event_times import FAR, NUMBER, Clock, in_unit
from synthcli.relational.model.ordering import are_years

FEWEST = 10  # parents with children and a known date that an anchor is found from, at least
MOST = 6  # anchors of a clock
KNOWN = 0.5  # share of these parents whose date is known, at least, for an origin
BROKEN = 3  # parents that would break a bound if dates were exchanged between parents, at least, for plain integers


@dataclass(frozen=True)
class Anchor:
    """A date of the parent or of an ancestor. Its value covers a period, such as the day of a date or a year.

    coarse: whether the bounds below allow for the whole period, else only for its first tick; width: ticks of a period
    that is no year; origin: whether times are ages since it; after, before: whether all children follow it,
    precede it; low, high: bounds of the age, in steps of the clock; middle: median of its value in steps; age: as
    context of the rows; since, plus: for integers, the anchor is the days since another date of the row, plus this.
    """

    table: str
    column: str
    coarse: bool
    width: int
    origin: bool
    after: bool
    before: bool
    low: int
    high: int
    middle: int
    age: ContextFeature
    since: str | None = None
    plus: int = 0

    @property
    def name(self) -> str:
        """The anchor in words."""
        if self.since is None:
            return f"{self.table}.{self.column}"
        more = f" + {self.plus}" if self.plus else ""
        return f"the days from {self.table}.{self.since} to {self.table}.{self.column}{more}"

    def values(self, frame: pd.DataFrame) -> pd.Series:
        """Look up the anchor in the rows of its table."""
        return frame[self.column] if self.since is None else days_between(frame, self.since, self.column) + self.plus

    def steps(self, values: pd.Series, clock: Clock) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Compute the earliest step of children on or after the anchor, the latest on or before it, and where it is
        known. values: (parents,). (parents,) int64, int64, bool
        """
        return _steps(values, clock, self.coarse, self.width)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Anchor:
        return cls(**{**data, "age": ContextFeature(**data["age"])})


@dataclass(frozen=True)
class Candidate:
    """A date that children may be related to. values: (parents,) of the parent itself, or of its ancestor."""

    table: str
    column: str
    values: pd.Series
    since: str | None = None
    plus: int = 0


def days_between(frame: pd.DataFrame, first: str, last: str) -> pd.Series:
    """Compute the whole days from one date to another, null where one is null. (rows,) Int64"""
    return (frame[last] - frame[first]).dt.days.astype("Int64")


def may_be_anchor(values: pd.Series, kind: str, clock: Clock) -> bool:
    """Say whether a column can be an anchor: a date, a year, or any integer if the clock is one that counts."""
    if kind == "integer":
        return clock.unit == NUMBER or are_years(values)
    return kind == "datetime" and clock.unit != NUMBER


@dataclass(frozen=True)
class Families:
    """The parents that have children. at: (f,) their positions; first, last: (f,) steps of their first and last child;
    units: (f,) privacy units, None if each is its own.
    """

    at: np.ndarray
    first: np.ndarray
    last: np.ndarray
    units: np.ndarray | None

    @classmethod
    def of(cls, steps: np.ndarray, owner: np.ndarray, units: np.ndarray | None) -> Families:
        """Find the first and last child of each parent. steps, owner, units: (rows,)"""
        rows = np.flatnonzero(owner >= 0)
        order = rows[np.lexsort((steps[rows], owner[rows]))]
        at, opening = np.unique(owner[order], return_index=True)
        closing = np.r_[opening[1:], len(order)] - 1 if len(order) else opening
        return cls(at, steps[order[opening]], steps[order[closing]], None if units is None else units[order[opening]])

    def take(self, some: np.ndarray) -> Families:
        """Take some of the parents."""
        units = None if self.units is None else self.units[some]
        return Families(self.at[some], self.first[some], self.last[some], units)


def find_anchors(
    clock: Clock, ticks: np.ndarray, owner: np.ndarray, units: np.ndarray | None, offered: Sequence[Candidate]
) -> tuple[Anchor, ...]:
    """Find the anchors of a clock: origins first, the sharpest of them before the others.

    ticks, owner, units: (rows,) of the children; offered: the nearest ancestor first.
    """
    families = Families.of(clock.steps(ticks), owner, units)
    found = [(anchor, spread) for each in offered for anchor, spread in _described(each, clock, families)]
    found.sort(key=lambda pair: (not pair[0].origin, pair[1] if pair[0].origin else 0.0))
    return tuple(_with_age(anchor, clock, ticks, owner, offered) for anchor, _ in found[:MOST])


def _described(candidate: Candidate, clock: Clock, families: Families) -> list[tuple[Anchor, float]]:
    """Describe how children are related to a date, with the spread of their first ages; empty if they are not."""
    values, width = candidate.values, _width(candidate.values, clock)
    found = []
    for coarse in (True,) if values.dtype == "Int64" and clock.is_time else (False, True):
        earliest, latest, known = _steps(values, clock, coarse, width)
        some = families.take(np.flatnonzero(known[families.at]))
        if len(some.at) < FEWEST:
            return []
        since, until = some.first - earliest[some.at], latest[some.at] - some.last
        after, before = bool((since >= 0).all()), bool((until >= 0).all())
        if clock.unit == NUMBER:
            after &= _informative(some.first, earliest[some.at])
            before &= _informative(-some.last, -latest[some.at])
        share = len(some.at) / len(families.at)
        origin = share >= KNOWN and spread(since) < spread(some.first)
        if not (origin or after or before):
            continue
        low, high = _ages(since, some.last - earliest[some.at], some.units)
        middle = int(np.median(earliest[some.at]))
        anchor = Anchor(
            candidate.table,
            candidate.column,
            coarse,
            width,
            origin,
            after,
            before,
            low,
            high,
            middle,
            ContextFeature("", "", False),
            candidate.since,
            candidate.plus,
        )
        anchor = replace(anchor, age=replace(anchor.age, name=f"@since {anchor.name}"))
        found.append((anchor, spread(since)))
    return sorted(found, key=lambda pair: -pair[0].after - pair[0].before)[:1]


def _ages(first: np.ndarray, last: np.ndarray, units: np.ndarray | None) -> tuple[int, int]:
    """Compute the published bounds of the ages of first and last children. first, last, units: (f,)"""
    return int(first[top_coding.ends(first, units)[0]]), int(last[top_coding.ends(last, units)[1]])


def spread(values: np.ndarray) -> float:
    """Compute the range of the inner eight tenths of some numbers."""
    return float(np.subtract(*np.quantile(values, [0.9, 0.1])))


def _informative(times: np.ndarray, bounds: np.ndarray) -> bool:
    """Say whether bounds would be broken if they were exchanged between parents; numbers that never meet are not."""
    rank = np.searchsorted(np.sort(bounds), times, side="right")
    return float((1 - rank / len(bounds)).sum()) >= BROKEN


def _with_age(
    anchor: Anchor, clock: Clock, ticks: np.ndarray, owner: np.ndarray, offered: Sequence[Candidate]
) -> Anchor:
    """Complete an anchor by how ages are context: the value in place of unknown ones, and whether there are any."""
    values = next(
        c.values for c in offered if (c.table, c.column, c.since) == (anchor.table, anchor.column, anchor.since)
    )
    ages = ages_at(anchor, anchor.steps(values, clock), clock, ticks, owner)
    known = ages[~np.isnan(ages)]
    fill = float(np.median(known)) if len(known) else 0.0
    return replace(anchor, age=replace(anchor.age, fill=fill, holes=len(known) < len(ages)))


def ages_at(
    anchor: Anchor,
    steps: tuple[np.ndarray, np.ndarray, np.ndarray],
    clock: Clock,
    ticks: np.ndarray,
    owner: np.ndarray,
) -> np.ndarray:
    """Compute the ages of rows in seconds, or in units of an integer; NaN where unknown. (rows,) float64"""
    earliest, _, known = steps
    out = np.full(len(ticks), np.nan)
    has = owner >= 0
    has[has] = known[owner[has]]
    out[has] = clock.seconds(ticks[has] - clock.at(earliest[owner[has]]))
    return out


def latest_ticks(clock: Clock, steps: tuple[np.ndarray, np.ndarray, np.ndarray], owner: np.ndarray) -> np.ndarray:
    """Compute the last tick on or before an anchor, FAR where it is unknown. owner: (rows,). (rows,) int64"""
    _, latest, known = steps
    out, has = np.full(len(owner), FAR), owner >= 0
    has[has] = known[owner[has]]
    out[has] = clock.at(latest[owner[has]])
    return out


def _steps(values: pd.Series, clock: Clock, coarse: bool, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Compute Anchor.steps."""
    known = values.notna().to_numpy()
    earliest, latest = np.zeros(len(values), dtype=np.int64), np.zeros(len(values), dtype=np.int64)
    down, up, after = _period(values[known], clock, width)
    earliest[known] = clock.steps(down) if coarse else clock.steps(up + clock.grain - 1)
    latest[known] = clock.steps(after - 1) if coarse else clock.steps(down)
    return earliest, latest, known


def _period(values: pd.Series, clock: Clock, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Convert dates without nulls to ticks of a clock, rounded down and up, and the first tick after their period."""
    if not clock.is_time:
        whole = integers(values) if values.dtype == "Int64" else values.dt.year.to_numpy(dtype=np.int64)
        return whole, whole, whole + 1
    if values.dtype == "Int64":
        years = integers(values) - 1970
        ends = [pd.Series(y.astype("datetime64[Y]").astype("datetime64[s]")) for y in (years, years + 1)]
        first, after = (in_unit(integers(each), "s", clock.unit) for each in ends)
        return first, first, after
    raw = integers(values)
    down, up = in_unit(raw, unit_of(values), clock.unit), -in_unit(-raw, unit_of(values), clock.unit)
    return down, up, down + width


def _width(values: pd.Series, clock: Clock) -> int:
    """Find the ticks of a clock that each date of a column covers: a day if none has a time of day, else one."""
    known = values.dropna()
    if not clock.is_time or values.dtype == "Int64" or not len(known):
        return 1
    day = int(in_unit(np.array([86_400]), "s", unit_of(values))[0])
    return int(in_unit(np.array([86_400]), "s", clock.unit)[0]) if not (integers(known) % day).any() else 1
