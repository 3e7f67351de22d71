"""A forest that draws: each row falls through one of its trees and takes the value of a donor in the leaf where it ends.

One tree drawn per row makes the rows a draw from the average of the trees' distributions, without a distribution being written down.
Donors are drawn evenly: of the rows that meet in a leaf, each takes its own interval of the leaf's donors.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Forest:
    """The nodes of all trees end to end. used: features it looks at, as positions among the parts drawn before.

    feature: position in `used`, 0 at leaves; child: (2 * nodes,) left and right of each node, itself at leaves; low, high: the donors of a
    leaf are donors[low:high]. ranks: position in `used` -> category code -> place in the order of the categories.
    """

    used: np.ndarray  # (features,) int32
    roots: np.ndarray  # (trees,) int32
    feature: np.ndarray  # (nodes,) int32
    threshold: np.ndarray  # (nodes,) float64
    child: np.ndarray  # (2 * nodes,) int32
    low: np.ndarray  # (nodes,) int64
    high: np.ndarray  # (nodes,) int64
    donors: np.ndarray  # (donors,) int32 codes or float64 numbers
    ranks: dict[int, np.ndarray]

    def draw(self, features: list[np.ndarray], rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """A value for each row. features: those of `used`, (rows,) float32 each."""
        placed = [self.ranks[j][x.astype(np.int64)] if j in self.ranks else x for j, x in enumerate(features)]
        x = np.stack(placed) if placed else np.zeros((1, rows), dtype=np.float32)
        leaf = self._leaves(x, self.roots[rng.permutation(rows) % len(self.roots)])
        low = self.low[leaf]
        return self.donors[low + (evenly(leaf, rng=rng) * (self.high[leaf] - low)).astype(np.int64)]

    def _leaves(self, x: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Where each row ends. x: (features, rows); node: (rows,) roots -> (rows,) int32"""
        rows, flat = x.shape[1], x.ravel()
        moving, at = np.arange(rows), node.copy()
        while len(moving):
            right = flat.take(self.feature.take(at) * rows + moving) > self.threshold.take(at)
            below = self.child.take(2 * at + right)
            node[moving] = below
            goes = below != at  # a leaf is its own child
            moving, at = moving[goes], below[goes]
        return node

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array but the ranks."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], ranks: dict[int, np.ndarray], is_code: bool) -> Forest:
        kinds: dict[str, Any] = {"low": np.int64, "high": np.int64, "threshold": np.float64}
        kinds["donors"] = np.int32 if is_code else np.float64
        return cls(**{name: arrays[name].astype(kinds.get(name, np.int32)) for name in ARRAYS}, ranks=ranks)


ARRAYS = tuple(f.name for f in fields(Forest) if f.name != "ranks")


def marginal(y: np.ndarray) -> Forest:
    """A forest that only knows the values. y: (n,), at least one"""
    none, pair = np.zeros(1, dtype=np.int32), np.zeros(2, dtype=np.int32)
    return Forest(none[:0], none, none, np.zeros(1), pair, np.zeros(1, dtype=np.int64), np.full(1, len(y), dtype=np.int64), np.sort(y), {})


def evenly(leaf: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """A uniform number for each row, spread evenly over the rows of a leaf: one in each of as many equal intervals as there are rows.

    Every row's number is uniform by itself, but together they add hardly any sampling noise to what the leaf holds (stratified sampling).
    """
    rows = len(leaf)
    shuffled = rng.permutation(rows)
    by_leaf = shuffled[np.argsort(leaf[shuffled], kind="stable")]
    ordered = leaf[by_leaf]
    starts = np.flatnonzero(np.diff(ordered, prepend=-1))
    count = np.diff(starts, append=rows)
    number = np.arange(rows) - np.repeat(starts, count)
    out = np.empty(rows)
    out[by_leaf] = (number + rng.random(rows)) / np.repeat(count, count)
    return np.minimum(out, np.nextafter(1, 0))
