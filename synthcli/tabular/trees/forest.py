"""A forest as a sampler: each row falls through one of the trees and takes the value of a donor in its leaf.

Since the tree is drawn at random for each row, rows are draws from the average of the trees' distributions. The rows of
a leaf take its donors by stratified sampling. The donors of a leaf are sorted, so that the share of donors between two
bounds is known, and values can be drawn within bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

COMPACT = 0.75  # share of rows still in motion below which the finished ones are set aside


@dataclass(frozen=True)
class _LevelOrder:
    """The nodes in breadth-first order, each right child directly after its left one, so that a step needs few
    look-ups.

    position: position of each node of the forest in this order; node: its inverse; left: position of the left child, or
    the node itself if it is a leaf; threshold: the largest float32 up to the threshold, infinite at leaves; compact:
    after which steps the rows that are in a leaf are set aside.
    """

    position: np.ndarray  # (nodes,) intp
    node: np.ndarray  # (nodes,) intp
    feature: np.ndarray  # (nodes,) intp
    threshold: np.ndarray  # (nodes,) float32
    left: np.ndarray  # (nodes,) intp
    inner: np.ndarray  # (nodes,) bool
    compact: tuple[bool, ...]

    @classmethod
    def of(cls, forest: Forest) -> _LevelOrder:
        child = forest.child.reshape(-1, 2).astype(np.intp)
        leaf = child[:, 0] == np.arange(len(child))
        levels, level = [], forest.roots.astype(np.intp)
        while len(level):
            levels.append(level)
            level = child[level[~leaf[level]]].ravel()
        node = np.concatenate(levels)
        position = np.empty(len(child), dtype=np.intp)
        position[node] = np.arange(len(node))
        at_leaf, threshold = leaf[node], forest.threshold[node]
        # rounding down changes no comparison: no float32 lies between the rounded threshold and the exact one
        rounded = threshold.astype(np.float32)
        rounded = np.where(rounded > threshold, np.nextafter(rounded, np.float32(-np.inf)), rounded)
        return cls(
            position,
            node,
            np.where(at_leaf, 0, forest.feature[node]).astype(np.intp),
            np.where(at_leaf, np.float32(np.inf), rounded),
            position[np.where(at_leaf, node, child[node, 0])],
            ~at_leaf,
            _compact_steps([forest.high[level] - forest.low[level] for level in levels]),
        )


def _compact_steps(donors: list[np.ndarray]) -> tuple[bool, ...]:
    """After which levels it pays to set finished rows aside, if rows end where donors did. donors: number of donors of
    the nodes of each level, 0 for inner nodes
    """
    finished = np.cumsum([level.sum() for level in donors])
    moving, out = 1.0, []
    for share in (1 - finished / finished[-1])[1:]:
        out.append(bool(0 < share < COMPACT * moving))
        moving = share if out[-1] else moving
    return tuple(out)


@dataclass(frozen=True)
class Forest:
    """The nodes of all trees, concatenated. used: features that the forest splits on, as positions among the earlier
    parts.

    feature: position in `used`, 0 at leaves; child: (2 * nodes,) left and right child of each node, the node itself at
    leaves; low, high: the donors of a leaf are donors[low:high], sorted. ranks: position in `used` -> category code ->
    rank of the category.
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

    def draw(
        self, features: list[np.ndarray], rows: int, *, rng: np.random.Generator, exchangeable: bool = True
    ) -> np.ndarray:
        """Draw a value for each row. features: those of `used`, each (rows,): codes or float32 numbers."""
        leaf = self.leaves(features, rows, rng=rng, exchangeable=exchangeable)
        by_leaf, count, u = _stratified_by_leaf(leaf, len(self.low), rng=rng)
        out = np.empty(rows, dtype=self.donors.dtype)
        out[by_leaf] = self.donors.take(np.repeat(self.low, count) + (u * np.repeat(self.sizes, count)).astype(np.intp))
        return out

    def leaves(
        self, features: list[np.ndarray], rows: int, *, rng: np.random.Generator, exchangeable: bool = True
    ) -> np.ndarray:
        """The leaf of each row in a tree that is drawn for it. (rows,)

        exchangeable: the rows are in no particular order, so that each tree may take consecutive rows, which is faster.
        """
        x = np.empty((len(features), rows), dtype=np.float32) if features else np.zeros((1, rows), dtype=np.float32)
        for j, values in enumerate(features):
            x[j] = self.ranks[j].take(values.astype(np.intp, copy=False)) if j in self.ranks else values
        roots = np.repeat(rng.permutation(self.roots), -(-rows // len(self.roots)))[:rows]
        if exchangeable:
            return self._traverse(x, np.roll(roots, int(rng.integers(max(1, rows)))))
        return self._traverse(x, rng.permutation(roots))

    def draw_allowed(
        self, leaf: np.ndarray, allowed: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw an allowed donor for each row, and return the share of allowed donors in its leaf. allowed: (donors,)
        bool, with at least one true.

        If a leaf has no allowed donor, its share is 0 and the value comes from all allowed donors.
        """
        cumulative = np.concatenate([[0], np.cumsum(allowed)])
        before = cumulative[self.low[leaf]]
        count = cumulative[self.high[leaf]] - before
        u = stratified_uniforms(leaf, len(self.low), rng=rng)
        anywhere = (rng.permutation(u) * cumulative[-1]).astype(np.int64)
        number = np.where(count > 0, before + (u * count).astype(np.int64), anywhere)
        return self.donors[np.searchsorted(cumulative, number, side="right") - 1], count / self.sizes[leaf]

    def draw_between(
        self, leaf: np.ndarray, low: np.ndarray, high: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Draw a donor of each row's leaf between `low` and `high`, and return the share of such donors. If there is
        none, the value is one of the bounds. (rows,) each
        """
        first = self._position(leaf, low, after=False)
        count = self._position(leaf, high, after=True) - first
        at = first + (stratified_uniforms(leaf, len(self.low), rng=rng) * count).astype(np.int64)
        return np.clip(self.donors[np.minimum(at, self.high[leaf] - 1)], low, high), count / self.sizes[leaf]

    def share_between(self, leaf: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Share of the donors of each row's leaf that lie between `low` and `high`. (rows,)"""
        count = self._position(leaf, high, after=True) - self._position(leaf, low, after=False)
        return count / self.sizes[leaf]

    def _position(self, leaf: np.ndarray, value: np.ndarray, after: bool) -> np.ndarray:
        """Position of each value among the donors of its leaf, before or after equal ones, by a bisection of all rows
        at once.
        """
        low, high = self.low[leaf].copy(), self.high[leaf].copy()
        while (open_ := low < high).any():
            middle = (low + high) // 2
            donor = self.donors[np.minimum(middle, len(self.donors) - 1)]
            right = open_ & ((donor <= value) if after else (donor < value))
            low = np.where(right, middle + 1, low)
            high = np.where(open_ & ~right, middle, high)
        return low

    def _traverse(self, x: np.ndarray, node: np.ndarray) -> np.ndarray:
        """The leaf of each row. x: (features, rows); node: (rows,) root of each row's tree -> (rows,)"""
        order, flat = self._level_order, x.ravel()
        offset = order.feature * x.shape[1]
        moving, at = np.arange(x.shape[1]), order.position.take(node)
        out = at
        for compact in order.compact:
            right = flat.take(offset.take(at) + moving) > order.threshold.take(at)
            at = order.left.take(at) + right
            if compact:
                out[moving] = at
                unfinished = np.flatnonzero(order.inner.take(at))
                moving, at = moving.take(unfinished), at.take(unfinished)
        out[moving] = at
        return order.node.take(out)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Number of donors of each leaf. (nodes,)"""
        return self.high - self.low

    @cached_property
    def sorted_donors(self) -> np.ndarray:
        """The donors of all leaves together, sorted."""
        return np.sort(self.donors)

    @cached_property
    def _level_order(self) -> _LevelOrder:
        return _LevelOrder.of(self)

    def arrays(self) -> dict[str, np.ndarray]:
        """All arrays except the ranks."""
        return {name: getattr(self, name) for name in ARRAYS}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray], ranks: dict[int, np.ndarray], is_code: bool) -> Forest:
        types: dict[str, Any] = {"low": np.int64, "high": np.int64, "threshold": np.float64}
        types["donors"] = np.int32 if is_code else np.float64
        return cls(**{name: arrays[name].astype(types.get(name, np.int32)) for name in ARRAYS}, ranks=ranks)


ARRAYS = tuple(f.name for f in fields(Forest) if f.name != "ranks")


def marginal_forest(y: np.ndarray) -> Forest:
    """A forest of a single leaf, which draws from the margin. y: (n,), with at least one value"""
    zero, pair = np.zeros(1, dtype=np.int32), np.zeros(2, dtype=np.int32)
    return Forest(
        zero[:0],
        zero,
        zero,
        np.zeros(1),
        pair,
        np.zeros(1, dtype=np.int64),
        np.full(1, len(y), dtype=np.int64),
        np.sort(y),
        {},
    )


def stratified_uniforms(leaf: np.ndarray, leaves: int, *, rng: np.random.Generator) -> np.ndarray:
    """A uniform number for each row, stratified over the rows of a leaf: n rows take one number from each of n equal
    intervals.

    Each number is uniform by itself, but together they add hardly any sampling noise.
    """
    by_leaf, _, u = _stratified_by_leaf(leaf, leaves, rng=rng)
    out = np.empty(len(leaf))
    out[by_leaf] = u
    return out


def _stratified_by_leaf(
    leaf: np.ndarray, leaves: int, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows grouped by leaf, in random order within; the number of rows of each leaf, (leaves,); and the uniform
    numbers in the order of the grouped rows, (rows,).
    """
    rows = len(leaf)
    shuffled = rng.permutation(rows)
    # integers of few bits are sorted by radix
    narrow = np.uint8 if leaves <= 2**8 else np.uint16 if leaves <= 2**16 else leaf.dtype
    by_leaf = shuffled.take(np.argsort(leaf.astype(narrow).take(shuffled), kind="stable"))
    count = np.bincount(leaf, minlength=leaves)
    number = np.arange(rows) - np.repeat(np.cumsum(count) - count, count)
    return by_leaf, count, np.minimum((number + rng.random(rows)) / np.repeat(count, count), np.nextafter(1, 0))
