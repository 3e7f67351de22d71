"""Numbers that few people share, moved among their neighbours by rank, so that no one's own value comes out as it
is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcli.columns.codec.top_coding import held_by

GRID = 2001  # points of a number's quantile function
WIDEST = 0.05  # of the ranks that a number is blurred over, at most


@dataclass(frozen=True)
class Blur:
    """Where a number's values may come out. common: sorted values that enough people share; grid: (points,) its other
    quantiles, rank of each in `rank`; width: how far, in ranks, a value that is not common is moved."""

    common: np.ndarray
    grid: np.ndarray
    rank: np.ndarray
    width: float

    @classmethod
    def of(cls, values: np.ndarray, units: np.ndarray, shared_by: int) -> Blur:
        """values: (rows,) NaN where there is none; units: (rows,) privacy unit of each."""
        known = ~np.isnan(values)
        common = _common(values[known], units[known], shared_by)
        rest = values[known & ~member(values, common)]
        if not len(rest):
            return cls(common, np.zeros(0), np.zeros(0), 0.0)
        points = np.linspace(0, 1, min(GRID, len(rest)))
        grid, place = np.unique(np.quantile(rest, points), return_inverse=True)
        people = len(np.unique(units[known]))
        return cls(
            common,
            grid,
            np.bincount(place, weights=points) / np.bincount(place),
            min(WIDEST, shared_by / max(1, people)),
        )

    def __call__(self, values: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        if not len(self.grid):
            return values
        moved = np.flatnonzero(~member(values, self.common))
        rank = np.interp(values[moved], self.grid, self.rank) + self.width * (2 * rng.random(len(moved)) - 1)
        rank = 1 - np.abs(
            1 - np.abs(rank)
        )  # reflected at the ends: cut off there, the least and the largest value would come out often
        out = values.copy()
        out[moved] = np.interp(rank, self.rank, self.grid)
        return out

    def around(self, values: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
        """From where to where values lie whose rank differs by at most `reach`; a common value is alone. (rows,),
        (rows,)
        """
        if not len(self.grid):
            return values, values
        rank, alone = np.interp(values, self.grid, self.rank), member(values, self.common)
        low, high = (np.interp(rank + by, self.rank, self.grid) for by in (-reach, reach))
        return np.where(alone, values, np.minimum(low, values)), np.where(alone, values, np.maximum(high, values))


def _common(values: np.ndarray, units: np.ndarray, shared_by: int) -> np.ndarray:
    """Values that at least `shared_by` privacy units hold, sorted."""
    distinct, at = np.unique(values, return_inverse=True)
    return distinct[held_by(at, units, len(distinct)) >= shared_by]


def member(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    """Which values are among the sorted ones. (rows,) bool"""
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[at] == values
