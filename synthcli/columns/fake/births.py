"""Made-up dates of birth that keep the age pyramid: the shares of spans of days, within which every day is as likely.

A span is a year, or several years of which each is held by few privacy units. The first and the last day are the
published ends of the source (columns/codec/top_coding.py), so no date lies after the newest real one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec import top_coding

HELD = 10  # minimum privacy units of a span
# births that are still alive, by year, as shares of the largest: flat for the young, and falling for the old
_ALIVE = ((1900, 0.0005), (1925, 0.02), (1935, 0.25), (1945, 0.6), (1960, 1.0), (2100, 1.0))


@dataclass(frozen=True)
class Pyramid:
    """first: (spans,) the first day of each span, in days from 1970; after: the day after the last; shares: of the
    spans, positive.
    """

    first: tuple[int, ...]
    after: int
    shares: tuple[float, ...]

    @classmethod
    def of(cls, born: pd.Series, units: np.ndarray | None) -> Pyramid | None:
        """The pyramid of dates without nulls; None if so few privacy units have one that any may identify somebody.

        units: (rows,) the privacy unit of each row, None if each row is its own unit.
        """
        if top_coding.people(units, len(born)) < top_coding.LEAST:
            return None
        days = _days(born)
        days = top_coding.published(days, units, top_coding.depth(top_coding.people(units, len(days))))
        years = days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64)
        low, codes = int(years.min()), years - years.min()
        size = int(codes.max()) + 1
        rows, held = np.bincount(codes, minlength=size), top_coding.held_by(codes, units, size)
        starts = _spans(held)
        first = [max(int(days.min()), _new_year(low + at)) for at in starts]
        shares = np.add.reduceat(rows, starts) / len(days)
        return cls(tuple(first), int(days.max()) + 1, tuple(shares.tolist()))

    @classmethod
    def usual(cls, first: int, last: int) -> Pyramid:
        """The pyramid of a usual population between two days."""
        low, high = (int(np.datetime64(day, "D").astype("datetime64[Y]").astype(np.int64)) for day in (first, last))
        starts = [max(first, _new_year(year)) for year in range(low, high + 1)]
        years, alive = zip(*_ALIVE)
        share = np.interp(np.arange(low, high + 1) + 1970, years, alive) * np.diff([*starts, last + 1])
        return cls(tuple(starts), last + 1, tuple((share / share.sum()).tolist()))

    def between(self, first: int, last: int) -> Pyramid:
        """The part of the pyramid between two days; uniform if it has no day there."""
        ends = np.array([*self.first[1:], self.after])
        low, high = np.maximum(self.first, first), np.minimum(ends, last + 1)
        part = np.array(self.shares) * np.maximum(high - low, 0) / (ends - np.array(self.first))
        if not part.sum() > 0:
            return Pyramid((first,), last + 1, (1.0,))
        inside = part > 0
        shares = part[inside] / part.sum()
        return Pyramid(tuple(low[inside].tolist()), int(high[inside][-1]), tuple(shares.tolist()))

    def draw(self, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """Days of birth. (rows,) datetime64[D]"""
        at = rng.choice(len(self.shares), size=rows, p=np.array(self.shares))
        ends = np.array([*self.first[1:], self.after])
        days = rng.integers(np.array(self.first)[at], ends[at])
        return days.astype("datetime64[D]")

    def to_json(self) -> dict[str, Any]:
        return {"first": list(self.first), "after": self.after, "shares": list(self.shares)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Pyramid:
        return cls(tuple(data["first"]), data["after"], tuple(data["shares"]))


def _days(born: pd.Series) -> np.ndarray:
    """Days from 1970. (rows,) int64"""
    plain = born.dt.tz_localize(None) if isinstance(born.dtype, pd.DatetimeTZDtype) else born
    return plain.to_numpy().astype("datetime64[D]").astype(np.int64)


def _new_year(year: int) -> int:
    """The first day of a year from 1970, in days from 1970."""
    return int(np.datetime64(year, "Y").astype("datetime64[D]").astype(np.int64))


def _spans(held: Sequence[int] | np.ndarray) -> list[int]:
    """The positions at which spans begin: each holds HELD units or more, the last of them what is left."""
    starts, count = [0], 0
    for at, units in enumerate(held):
        if count >= HELD:
            starts.append(at)
            count = 0
        count += int(units)
    if count < HELD and len(starts) > 1:
        starts.pop()
    return starts
