"""A decision tree that draws: grown on classes of a part, pruned by rows that it was not grown on, its leaves holding donors.

Categories of features are ordered by their effect on the target (Breiman et al. 1984, §4.2: optimal for two classes and for means).
Splits are scored on the classes of a code, or on the quantile classes of a number, so that a change of spread is seen as well as a
change of mean. A split stays only where it predicts the held-out rows better than its parent does (reduced-error pruning by
likelihood, after Quinlan 1987): what is left are splits that unseen records confirm, which is what keeps a chain of trees from
retelling the records that it was grown on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.columns.codec import Part

CLASSES = 48  # classes that a split is scored on: more categories share them, numbers of more values are cut at quantiles
BINS = 16  # quantile classes of a number
RULE_ROWS = 5  # rows per value of a column, on average, for another column that it determines to be a rule
PREDICTORS = 40  # features that a tree looks at; where there are more, those of the strongest association
SCREENED = 5_000  # rows that association is measured on
HELD_OUT = 0.3  # share of the rows that prunes
PRIOR = 5.0  # rows that the root's distribution is worth in a node, when held-out rows are predicted


@dataclass(frozen=True)
class Tree:
    """Nodes in arrays. used: features it looks at, as positions among the parts drawn before; feature: position in `used`, -1 at a
    leaf. The donors of leaf l are donors[first[l]:first[l + 1]], sorted. ranks: position in `used` -> category code -> place in this
    tree's order of the categories."""

    used: np.ndarray  # (features,) int32
    feature: np.ndarray  # (nodes,) int32
    threshold: np.ndarray  # (nodes,) float64
    left: np.ndarray  # (nodes,) int32
    right: np.ndarray  # (nodes,) int32
    leaf: np.ndarray  # (nodes,) int32, -1 inside
    first: np.ndarray  # (leaves + 1,) int64
    donors: np.ndarray  # (n,) int32 codes or float64 numbers
    ranks: dict[int, np.ndarray]

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """The leaf that each row falls to. x: (rows, len(used)) -> (rows,) int32"""
        x = reorder(x, self.ranks)
        node = np.zeros(len(x), dtype=np.int32)
        moving = np.flatnonzero(self.feature[node] >= 0)
        while len(moving):
            at = node[moving]
            goes_left = x[moving, self.feature[at]] <= self.threshold[at]
            node[moving] = np.where(goes_left, self.left[at], self.right[at])
            moving = moving[self.feature[node[moving]] >= 0]
        return self.leaf[node]


@dataclass(frozen=True)
class Features:
    """What trees may split on, for all rows.

    x: (rows, features), no value lies below all values; sizes: codes of a feature, 0 for a number; units: (rows,) privacy unit of each
    row, of which none is both grown on and held out; cells: (sample, features) int16 classes of some rows, to screen wide tables by.
    """

    x: np.ndarray
    sizes: list[int]
    units: np.ndarray
    sample: np.ndarray
    cells: np.ndarray

    @classmethod
    def of(cls, columns: list[np.ndarray], sizes: list[int], units: np.ndarray, *, rng: np.random.Generator) -> Features:
        x = np.column_stack([as_feature(c) for c in columns]) if columns else np.zeros((0, 0))
        sample = np.sort(rng.permutation(len(x))[:SCREENED])
        wide = x.shape[1] > PREDICTORS
        cells = np.column_stack([_cells(x[sample, j]) for j in range(x.shape[1])]) if wide else np.zeros((len(sample), x.shape[1]), dtype=np.int16)
        return cls(x, sizes, units, sample, cells)


def as_feature(values: np.ndarray) -> np.ndarray:
    """A part as a column of features: no value lies below all values."""
    return np.nan_to_num(values.astype(np.float64), nan=-1e300)


def grow(
    features: Features, prefix: int, y: np.ndarray, part: Part, rows: np.ndarray, least: int, max_depth: int, *, rng: np.random.Generator
) -> Tree:
    """A tree of y on the first `prefix` features, with at least `least` rows in a leaf before pruning.

    y: all rows; rows: positions that this tree may see. Rows whose y is NaN are left out.
    """
    from sklearn.tree import DecisionTreeClassifier

    rows = rows if part.is_code else rows[~np.isnan(y[rows])]
    if not len(rows):
        return single_leaf(np.zeros(1, dtype=y.dtype))
    target = y[rows]
    classes, score = _classes(target, part)
    if prefix == 0 or len(rows) < 2 * least or (classes == classes[0]).all():
        return single_leaf(target)
    source = _determined_by(features, prefix, y, rows, part)
    used = np.array([source]) if source is not None else _strongest(features, prefix, y, part)
    x = features.x[np.ix_(rows, used)]
    ranks = {i: _effect_order(x[:, i], features.sizes[j], score) for i, j in enumerate(used) if features.sizes[j] > 2}
    x = reorder(x, ranks)
    state = seeds.fork(rng) % 2**31
    if source is not None:  # a rule of the data, such as a code and its label: kept exactly
        rule = DecisionTreeClassifier(random_state=state).fit(x, np.unique(target, return_inverse=True)[1])
        return _with_donors(rule, x, target, used, ranks, None)
    held = (rng.random(int(features.units.max()) + 1) < HELD_OUT)[features.units[rows]]
    if held.all() or (~held).sum() < 2 * least:
        return single_leaf(target)
    grown = DecisionTreeClassifier(min_samples_leaf=least, max_depth=max_depth, random_state=state).fit(x[~held], classes[~held])
    return _with_donors(grown, x, target, used, ranks, _pruned(grown.tree_, grown.apply(x), classes, held))


def single_leaf(y: np.ndarray) -> Tree:
    """A tree that only knows the marginal."""
    one, none = np.zeros(1, dtype=np.int32), np.full(1, -1, dtype=np.int32)
    return Tree(np.zeros(0, dtype=np.int32), none, np.zeros(1), one, one, one, np.array([0, len(y)]), np.sort(y), {})


def _classes(y: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """The classes that splits are scored on, and one score per row by which categories of features are ordered."""
    if not part.is_code:
        distinct, place = np.unique(y, return_inverse=True)
        rank = np.argsort(np.argsort(y, kind="stable"), kind="stable") / len(y)
        if len(distinct) <= CLASSES:
            return place, rank
        edges = np.unique(np.quantile(y, np.linspace(0, 1, BINS + 1)[1:-1]))
        return np.searchsorted(edges, y, side="right"), rank
    counts = np.bincount(y, minlength=part.size)
    if part.size <= CLASSES:
        return y, (y == np.argmax(counts)).astype(np.float64)
    by_count = np.argsort(-counts, kind="stable")
    merged = np.empty(part.size, dtype=np.int64)
    merged[by_count[:CLASSES]] = np.arange(CLASSES)
    # the long tail shares classes of neighbouring codes, which stand in natural order
    tail = np.sort(by_count[CLASSES:])
    merged[tail] = CLASSES + np.arange(len(tail)) * (CLASSES // 3) // len(tail)
    return merged[y], y.astype(np.float64)


def _determined_by(features: Features, prefix: int, y: np.ndarray, rows: np.ndarray, part: Part) -> int | None:
    """The first feature of which y is a function, where that is no accident: several rows per value of the feature. None: there is none."""
    target = y[rows]
    distinct = len(np.unique(target))
    if distinct < 3:
        return None
    few = slice(None, None, max(1, len(rows) // 500))
    for j in range(prefix):
        if not _is_function(features.x[rows[few], j], target[few]):
            continue
        known = len(np.unique(features.x[rows, j]))
        if distinct <= known <= len(rows) / RULE_ROWS and _is_function(features.x[rows, j], target):
            return j
    return None


def _is_function(x: np.ndarray, y: np.ndarray) -> bool:
    """Whether equal x have equal y."""
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    return bool(((x[1:] != x[:-1]) | (y[1:] == y[:-1])).all())


def _strongest(features: Features, prefix: int, y: np.ndarray, part: Part) -> np.ndarray:
    """All features of the prefix, or the PREDICTORS of them with the largest chi-square against y."""
    if prefix <= PREDICTORS:
        return np.arange(prefix)
    target = _cells(as_feature(y[features.sample])).astype(np.int64)
    k = int(target.max()) + 1
    strength = np.empty(prefix)
    for j in range(prefix):
        size = int(features.cells[:, j].max()) + 1
        table = np.bincount(features.cells[:, j] * k + target, minlength=size * k).reshape(size, k).astype(float)
        expected = table.sum(1, keepdims=True) * table.sum(0) / len(target)
        strength[j] = (table**2 / np.maximum(expected, 1e-12)).sum() - (size - 1) * (k - 1)
    return np.sort(np.argsort(-strength, kind="stable")[:PREDICTORS])


def _cells(values: np.ndarray) -> np.ndarray:
    """At most BINS classes of a feature by its order. (n,) int16"""
    distinct, place = np.unique(values, return_inverse=True)
    if len(distinct) <= BINS:
        return place.astype(np.int16)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.int16)


def _effect_order(feature: np.ndarray, size: int, score: np.ndarray) -> np.ndarray:
    """Places of the categories when ordered by their mean score. (size,) float64"""
    codes = feature.astype(np.int64)
    total = np.bincount(codes, weights=score, minlength=size)
    count = np.bincount(codes, minlength=size)
    # shrunk towards the overall mean, so that a category of three rows does not stand at an end
    mean = (total + 10 * score.mean()) / (count + 10)
    place = np.empty(size)
    place[np.argsort(mean, kind="stable")] = np.arange(size)
    return place


def reorder(x: np.ndarray, ranks: dict[int, np.ndarray]) -> np.ndarray:
    """Features with categories replaced by their places. float32, which is what the tree library splits on: both ways to a leaf must
    see the same numbers."""
    out = np.clip(x, -3e38, 3e38).astype(np.float32)
    for j, rank in ranks.items():
        out[:, j] = rank[x[:, j].astype(np.int64)]
    return out


def _pruned(grown: Any, at: np.ndarray, classes: np.ndarray, held: np.ndarray) -> np.ndarray:
    """Which nodes are leaves after pruning. at: (rows,) the node of each row; held: rows that the tree was not grown on. (nodes,) bool"""
    nodes, k = grown.node_count, int(classes.max()) + 1
    left, right = grown.children_left, grown.children_right
    fit = np.bincount(at[~held] * k + classes[~held], minlength=nodes * k).reshape(nodes, k).astype(np.float64)
    unseen = np.bincount(at[held] * k + classes[held], minlength=nodes * k).reshape(nodes, k).astype(np.float64)
    levels = _levels(left, right)
    for inner in reversed(levels):
        fit[inner] = fit[left[inner]] + fit[right[inner]]
        unseen[inner] = unseen[left[inner]] + unseen[right[inner]]
    root = (fit[0] + 0.5) / (fit[0].sum() + 0.5 * k)
    share = (fit + PRIOR * root) / (fit.sum(1, keepdims=True) + PRIOR)
    own = (unseen * np.log(share)).sum(1)
    best, leaf = own.copy(), left < 0
    for inner in reversed(levels):
        below = best[left[inner]] + best[right[inner]]
        leaf[inner] = below <= own[inner]
        best[inner] = np.maximum(below, own[inner])
    return leaf


def _levels(left: np.ndarray, right: np.ndarray) -> list[np.ndarray]:
    """Inner nodes by depth, the root first."""
    levels, here = [], np.zeros(1, dtype=np.int64)
    while len(here := here[left[here] >= 0]):
        levels.append(here)
        here = np.concatenate([left[here], right[here]])
    return levels


def _with_donors(grown: Any, x: np.ndarray, y: np.ndarray, used: np.ndarray, ranks: dict[int, np.ndarray], cut: np.ndarray | None) -> Tree:
    """A grown tree, cut where `cut` says, with the values of all rows in its leaves."""
    tree, at = grown.tree_, grown.apply(x)
    left, right = tree.children_left, tree.children_right
    inside = (left >= 0) if cut is None else (left >= 0) & ~cut
    top = np.arange(tree.node_count)  # node -> the node that stands for it
    reached = np.ones(tree.node_count, dtype=bool)
    for inner in _levels(left, right):
        for child in (left[inner], right[inner]):
            kept = inside[inner] & reached[inner]
            reached[child] = kept
            top[child] = np.where(kept, child, top[inner])
    number = np.cumsum(reached) - 1
    inside = inside[reached]
    leaf = np.where(inside, -1, np.cumsum(~inside) - 1).astype(np.int32)
    at = leaf[number[top[at]]]
    order = np.lexsort((y, at))
    split, where = np.unique(tree.feature[reached][inside], return_inverse=True)
    feature = np.full(len(inside), -1, dtype=np.int32)
    feature[inside] = where
    child = [np.where(inside, number[side[reached]], -1).astype(np.int32) for side in (left, right)]
    kept_ranks = {i: ranks[j] for i, j in enumerate(split) if j in ranks}
    first = np.concatenate([[0], np.cumsum(np.bincount(at, minlength=int((~inside).sum())))])
    return Tree(used[split].astype(np.int32), feature, tree.threshold[reached], child[0], child[1], leaf, first, y[order], kept_ranks)
