"""A forest that draws: each row falls through one of its trees and takes the value of a donor in the leaf where it
ends.

One tree drawn per row makes the rows a draw from the average of the trees' distributions, without a distribution being
written down. Donors are drawn evenly: of the rows that meet in a leaf, each takes its own interval of the leaf's
donors. A leaf holds its donors in order, so that it also tells how likely a value is there, and can be asked for a
value within bounds.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

COMPACT = 0.75  # share of rows still moving below which those that have arrived are set aside


@dataclass(frozen=True)
class _Walk:
    """The nodes in the order in which rows reach them, level by level, right behind left, so that a step takes few
    look-ups.

    first: number of each node here; number: of each of these in the forest; left: the left child, itself at leaves;
    threshold: the greatest float32 up to it, infinite at leaves; aside: after which steps the rows that have arrived
    are set aside.
    """

    first: np.ndarray  # (nodes,) intp
    number: np.ndarray  # (nodes,) intp
    feature: np.ndarray  # (nodes,) intp
    threshold: np.ndarray  # (nodes,) float32
    left: np.ndarray  # (nodes,) intp
    inner: np.ndarray  # (nodes,) bool
    aside: tuple[bool, ...]

    @classmethod
    def of(cls, forest: Forest) -> _Walk:
        child = forest.child.reshape(-1, 2).astype(np.intp)
        leaf = child[:, 0] == np.arange(len(child))
        levels, here = [], forest.roots.astype(np.intp)
        while len(here):
            levels.append(here)
            here = child[here[~leaf[here]]].ravel()
        number = np.concatenate(levels)
        first = np.empty(len(child), dtype=np.intp)
        first[number] = np.arange(len(number))
        at_leaf, threshold = leaf[number], forest.threshold[number]
        short = threshold.astype(
            np.float32
        )  # no float32 lies between it and the threshold, so that no comparison changes
        short = np.where(short > threshold, np.nextafter(short, np.float32(-np.inf)), short)
        return cls(
            first,
            number,
            np.where(at_leaf, 0, forest.feature[number]).astype(np.intp),
            np.where(at_leaf, np.float32(np.inf), short),
            first[np.where(at_leaf, number, child[number, 0])],
            ~at_leaf,
            _aside([forest.high[level] - forest.low[level] for level in levels]),
        )


def _aside(donors: list[np.ndarray]) -> tuple[bool, ...]:
    """After which levels it pays to set rows aside, if as many arrive as donors did. donors: of the leaves of each
    level, 0 for others
    """
    arrived = np.cumsum([level.sum() for level in donors])
    moving, out = 1.0, []
    for share in (1 - arrived / arrived[-1])[1:]:
        out.append(bool(0 < share < COMPACT * moving))
        moving = share if out[-1] else moving
    return tuple(out)


@dataclass(frozen=True)
class Forest:
    """The nodes of all trees end to end. used: features it looks at, as positions among the parts drawn before.

    feature: position in `used`, 0 at leaves; child: (2 * nodes,) left and right of each node, itself at leaves; low,
    high: the donors of a leaf are donors[low:high], sorted. ranks: position in `used` -> category code -> place in the
    order of the categories.
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
        self, features: list[np.ndarray], rows: int, *, rng: np.random.Generator, alike: bool = True
    ) -> np.ndarray:
        """A value for each row. features: those of `used`, (rows,) each: codes, or float32 numbers."""
        by_leaf, count, u = _evenly(self.leaves(features, rows, rng=rng, alike=alike), len(self.low), rng=rng)
        out = np.empty(rows, dtype=self.donors.dtype)
        out[by_leaf] = self.donors.take(np.repeat(self.low, count) + (u * np.repeat(self.sizes, count)).astype(np.intp))
        return out

    def leaves(
        self, features: list[np.ndarray], rows: int, *, rng: np.random.Generator, alike: bool = True
    ) -> np.ndarray:
        """The leaf where each row ends in the tree that is drawn for it. (rows,)

        alike: rows come in no order, so that each tree may have a run of them from a place drawn anew; neighbours in
        one tree are faster.
        """
        x = np.empty((len(features), rows), dtype=np.float32) if features else np.zeros((1, rows), dtype=np.float32)
        for j, values in enumerate(features):
            x[j] = self.ranks[j].take(values.astype(np.intp, copy=False)) if j in self.ranks else values
        runs = np.repeat(rng.permutation(self.roots), -(-rows // len(self.roots)))[:rows]
        return self._leaves(x, np.roll(runs, int(rng.integers(max(1, rows)))) if alike else rng.permutation(runs))

    def draw_within(
        self, leaf: np.ndarray, may: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A donor that may be drawn for each row, and the share of such donors in its leaf. may: (donors,) bool, true
        somewhere.

        Where a leaf has none, its share is 0 and the value one of all that may be drawn.
        """
        reach = np.concatenate([[0], np.cumsum(may)])
        before = reach[self.low[leaf]]
        inside = reach[self.high[leaf]] - before
        u = evenly(leaf, len(self.low), rng=rng)
        number = np.where(
            inside > 0, before + (u * inside).astype(np.int64), (rng.permutation(u) * reach[-1]).astype(np.int64)
        )
        return self.donors[np.searchsorted(reach, number, side="right") - 1], inside / self.sizes[leaf]

    def draw_between(
        self, leaf: np.ndarray, least: np.ndarray, most: np.ndarray, *, rng: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """A donor of each row's leaf from `least` to `most`, the bound itself where it has none, and the share of such
        donors. (rows,) each
        """
        first = self._place(leaf, least, after=False)
        inside = self._place(leaf, most, after=True) - first
        at = first + (evenly(leaf, len(self.low), rng=rng) * inside).astype(np.int64)
        return np.clip(self.donors[np.minimum(at, self.high[leaf] - 1)], least, most), inside / self.sizes[leaf]

    def share(self, leaf: np.ndarray, least: np.ndarray, most: np.ndarray) -> np.ndarray:
        """Share of the donors of each row's leaf that lie from `least` to `most`. (rows,) each"""
        return (self._place(leaf, most, after=True) - self._place(leaf, least, after=False)) / self.sizes[leaf]

    def _place(self, leaf: np.ndarray, value: np.ndarray, after: bool) -> np.ndarray:
        """Where a value would stand among the donors of a leaf, before or after those that equal it, by bisection of
        all rows at once.
        """
        low, high = self.low[leaf].copy(), self.high[leaf].copy()
        while (open_ := low < high).any():
            middle = (low + high) // 2
            here = self.donors[np.minimum(middle, len(self.donors) - 1)]
            right = open_ & ((here <= value) if after else (here < value))
            low = np.where(right, middle + 1, low)
            high = np.where(open_ & ~right, middle, high)
        return low

    def _leaves(self, x: np.ndarray, node: np.ndarray) -> np.ndarray:
        """Where each row ends. x: (features, rows); node: (rows,) roots -> (rows,)"""
        walk, flat = self._walk, x.ravel()
        feature = walk.feature * x.shape[1]
        moving, at = np.arange(x.shape[1]), walk.first.take(node)
        out = at
        for aside in walk.aside:
            right = flat.take(feature.take(at) + moving) > walk.threshold.take(at)
            at = walk.left.take(at) + right
            if aside:
                out[moving] = at
                goes = np.flatnonzero(walk.inner.take(at))
                moving, at = moving.take(goes), at.take(goes)
        out[moving] = at
        return walk.number.take(out)

    @cached_property
    def sizes(self) -> np.ndarray:
        """Donors of each leaf. (nodes,)"""
        return self.high - self.low

    @cached_property
    def ordered(self) -> np.ndarray:
        """The donors of all leaves together, sorted."""
        return np.sort(self.donors)

    @cached_property
    def _walk(self) -> _Walk:
        return _Walk.of(self)

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
    return Forest(
        none[:0],
        none,
        none,
        np.zeros(1),
        pair,
        np.zeros(1, dtype=np.int64),
        np.full(1, len(y), dtype=np.int64),
        np.sort(y),
        {},
    )


def evenly(leaf: np.ndarray, leaves: int, *, rng: np.random.Generator) -> np.ndarray:
    """A uniform number for each row, spread evenly over the rows of a leaf: one in each of as many equal intervals as
    there are rows.

    Every row's number is uniform by itself, but together they add hardly any sampling noise to what the leaf holds
    (stratified sampling).
    """
    by_leaf, _, u = _evenly(leaf, leaves, rng=rng)
    out = np.empty(len(leaf))
    out[by_leaf] = u
    return out


def _evenly(leaf: np.ndarray, leaves: int, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The rows leaf by leaf, in no order within; how many of them each leaf has, (leaves,); and their numbers, (rows,)
    in that order.
    """
    rows = len(leaf)
    shuffled = rng.permutation(rows)
    narrow = (
        np.uint8 if leaves <= 2**8 else np.uint16 if leaves <= 2**16 else leaf.dtype
    )  # of few bits, sorted by radix
    by_leaf = shuffled.take(np.argsort(leaf.astype(narrow).take(shuffled), kind="stable"))
    count = np.bincount(leaf, minlength=leaves)
    number = np.arange(rows) - np.repeat(np.cumsum(count) - count, count)
    return by_leaf, count, np.minimum((number + rng.random(rows)) / np.repeat(count, count), np.nextafter(1, 0))
