"""Rank smoothing: a number that few people share is moved by a few ranks, so that nobody's own value is repeated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcli.columns.codec.conditions import Within
from synthcli.columns.codec.top_coding import held_by

GRID = 2001  # points of a number's quantile function
MAX_WIDTH = 0.05  # largest move, as a share of the ranks


@dataclass(frozen=True)
class RankSmoothing:
    """The rank smoothing of one number. common: sorted values that enough people share, which are never moved; grid:
    (points,) quantiles of the other values; rank: (points,) their ranks, from 0 to 1; width: largest move of a value,
    in ranks.
    """

    common: np.ndarray
    grid: np.ndarray
    rank: np.ndarray
    width: float

    @classmethod
    def fit(cls, values: np.ndarray, units: np.ndarray, shared_by: int) -> RankSmoothing:
        """values: (rows,), NaN where missing; units: (rows,) privacy unit of each row."""
        known = ~np.isnan(values)
        common = _common(values[known], units[known], shared_by)
        rest = values[known & ~is_in(values, common)]
        if not len(rest):
            return cls(common, np.zeros(0), np.zeros(0), 0.0)
        points = np.linspace(0, 1, min(GRID, len(rest)))
        grid, inverse = np.unique(np.quantile(rest, points), return_inverse=True)
        rank = np.bincount(inverse, weights=points) / np.bincount(inverse)
        people = len(np.unique(units[known]))
        return cls(common, grid, rank, min(MAX_WIDTH, shared_by / max(1, people)))

    def __call__(self, values: np.ndarray, within: Within | None = None, *, rng: np.random.Generator) -> np.ndarray:
        """The values, each uncommon one moved by a uniform number of ranks up to the width. (rows,)

        within: bounds that hold for the values and for those that they are moved to.
        """
        if not len(self.grid):
            return values
        uncommon = np.flatnonzero(~is_in(values, self.common))
        if within is not None:
            return self._moved_within(values, uncommon, within, rng=rng)
        rank = np.interp(values[uncommon], self.grid, self.rank) + self.width * (2 * rng.random(len(uncommon)) - 1)
        # reflect at both ends: clipping would pile up the smallest and the largest value
        rank = 1 - np.abs(1 - np.abs(rank))
        out = values.copy()
        out[uncommon] = np.interp(rank, self.rank, self.grid)
        return out

    def _moved_within(
        self, values: np.ndarray, rows: np.ndarray, within: Within, *, rng: np.random.Generator
    ) -> np.ndarray:
        """The values, those in `rows` moved to a uniform rank among the ones in reach that lie within the bounds."""
        low, high = (np.broadcast_to(end, values.shape)[rows] for end in (within.low, within.high))
        rank = np.interp(values[rows], self.grid, self.rank)
        first = np.maximum(rank - self.width, np.interp(low, self.grid, self.rank))
        last = np.minimum(rank + self.width, np.interp(high, self.grid, self.rank))
        moved = np.interp(first + (last - first) * rng.random(len(rows)), self.rank, self.grid)
        out = values.copy()
        out[rows] = np.clip(moved, low, high)
        return out

    def interval(self, values: np.ndarray, width: float) -> tuple[np.ndarray, np.ndarray]:
        """The ends of the interval within `width` ranks of each value. The interval of a common value is the value
        itself. (rows,), (rows,)
        """
        if not len(self.grid):
            return values, values
        rank, is_common = np.interp(values, self.grid, self.rank), is_in(values, self.common)
        low, high = (np.interp(rank + by, self.rank, self.grid) for by in (-width, width))
        low, high = np.minimum(low, values), np.maximum(high, values)
        return np.where(is_common, values, low), np.where(is_common, values, high)


def _common(values: np.ndarray, units: np.ndarray, shared_by: int) -> np.ndarray:
    """Values that at least `shared_by` privacy units hold, sorted."""
    distinct, inverse = np.unique(values, return_inverse=True)
    return distinct[held_by(inverse, units, len(distinct)) >= shared_by]


def is_in(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Which values occur in a sorted array. (rows,) bool"""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    position = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[position] == values
