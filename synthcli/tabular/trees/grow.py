"""Growing a forest (tabular/trees/forest.py): trees are grown on most privacy units and pruned by the others.

Splits are scored on the classes of a code, or on the quantile classes of a number, so that a change of spread counts as
well as a change of mean. A split is kept only if it predicts the held-out rows better than its parent does (reduced-
error pruning by likelihood, after Quinlan 1987). Since held-out records must confirm every split, a sequence of columns
does not reproduce its training records.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.columns.codec.parts import Part
from synthcli.tabular.trees.features import Features, effect_order, target_classes
from synthcli.tabular.trees.forest import Forest, marginal_forest

HELD_OUT = 0.25  # share of the privacy units by which a tree is pruned
ROWS = 100_000  # rows that a tree is grown on, at most; the trees of a larger table use different ones
FEATURE_SHARE = 0.8  # share of the features that are candidates for a split
PRIOR = 5.0  # weight of the parent's distribution in its child, in privacy units, when held-out rows are predicted


@dataclass(frozen=True)
class GrowthLimits:
    """The limits of a forest. min_leaf_rows: rows in a leaf, at least; rows_per_unit: mean rows of a privacy unit;
    min_gain: nats that a split, with all splits below it, must gain on held-out rows if each row is a unit of its own;
    it is multiplied by the design effect.
    """

    trees: int
    min_leaf_rows: int
    rows_per_unit: float
    max_depth: int
    min_gain: float = 0.0


def grow(
    features: Features, prefix: int, y: np.ndarray, part: Part, limits: GrowthLimits, *, rng: np.random.Generator
) -> Forest:
    """Grow a forest that predicts y from the first `prefix` features. Rows in which y is NaN are left out."""
    rows = np.arange(len(y)) if part.is_code else np.flatnonzero(~np.isnan(y))
    if not len(rows):
        return marginal_forest(np.zeros(1, dtype=y.dtype))
    target = y[rows]
    if prefix == 0 or len(rows) < 2 * limits.min_leaf_rows or (target == target[0]).all():
        return marginal_forest(target)
    used = features.strongest(prefix, y)
    classes, score = target_classes(target, part)
    x = features.x[np.ix_(used, rows)]
    ranks = {i: effect_order(x[i], features.sizes[j], score) for i, j in enumerate(used) if features.sizes[j] > 2}
    for i, rank in ranks.items():
        x[i] = rank[x[i].astype(np.int64)]
    units = features.units[rows]
    effect = design_effect(score if part.is_code else classes.astype(np.float64), units)
    limits = replace(limits, min_gain=limits.min_gain * effect)
    trees = [_grow_tree(x, classes, target, units, limits, rng=stream) for stream in rng.spawn(limits.trees)]
    return _join(trees, used, ranks)


def design_effect(score: np.ndarray, units: np.ndarray) -> float:
    """Number of rows that carry as much information as one independent row: 1 + (m - 1) times the intraclass
    correlation, where m is the size of a unit, averaged over rows (Kish 1965). score, units: (rows,), units from 0
    """
    size = np.bincount(units).astype(np.float64)
    rows, groups, mean_size = len(score), int((size > 0).sum()), float((size**2).sum() / len(score))
    if rows == groups or groups == 1 or score.std() == 0:
        return mean_size
    mean = np.bincount(units, weights=score) / np.maximum(size, 1)
    between = float(size @ (mean - score.mean()) ** 2) / (groups - 1)
    within = float(((score - mean[units]) ** 2).sum()) / (rows - groups)
    typical_size = (rows - mean_size) / (groups - 1)
    correlation = max(0.0, (between - within) / (between + (typical_size - 1) * within))
    return 1.0 + (mean_size - 1) * min(1.0, correlation)


def functional_dependency(features: Features, determinant: int, y: np.ndarray) -> Forest:
    """A forest of one tree that reproduces y exactly as a function of one feature."""
    from sklearn.tree import DecisionTreeRegressor

    rows = np.flatnonzero(~np.isnan(y)) if y.dtype.kind == "f" else np.arange(len(y))
    x = features.x[determinant][rows][None]
    codes = np.unique(y[rows], return_inverse=True)[1].astype(np.float64)
    fitted = DecisionTreeRegressor(random_state=0).fit(x.T, codes)
    nodes = _Nodes.of(fitted.tree_)
    tree = _with_donors(nodes, nodes.left < 0, fitted.apply(x.T), y[rows])
    return _join([tree], np.array([determinant], dtype=np.int32), {})


@dataclass(frozen=True)
class _Nodes:
    """The nodes of a tree in preorder. levels: inner nodes by depth, the root first."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    levels: list[np.ndarray]

    @classmethod
    def of(cls, tree: Any) -> _Nodes:
        left, right = tree.children_left, tree.children_right
        levels, level = [], np.zeros(1, dtype=np.int64)
        while len(level := level[left[level] >= 0]):
            levels.append(level)
            level = np.concatenate([left[level], right[level]])
        return cls(tree.feature, tree.threshold, left, right, levels)

    def class_counts(self, leaf: np.ndarray, classes: np.ndarray, k: int) -> np.ndarray:
        """Rows of each class under each node. leaf: (rows,) leaf of each row -> (nodes, k) float64"""
        nodes = len(self.left)
        out = np.bincount(leaf * k + classes, minlength=nodes * k).reshape(nodes, k).astype(np.float64)
        for inner in reversed(self.levels):
            out[inner] = out[self.left[inner]] + out[self.right[inner]]
        return out


def _grow_tree(
    x: np.ndarray,
    classes: np.ndarray,
    y: np.ndarray,
    units: np.ndarray,
    limits: GrowthLimits,
    *,
    rng: np.random.Generator,
) -> dict[str, np.ndarray]:
    """Grow one tree, prune it and add its donors. x: (features, rows)"""
    from sklearn.tree import DecisionTreeClassifier

    draw = rng.random(int(units.max()) + 1)
    if len(y) > ROWS:
        sample = np.flatnonzero((draw <= max(ROWS / len(y), draw[units].min()))[units])  # at least one unit
        x, classes, y, units = x[:, sample], classes[sample], y[sample], units[sample]
    held_out = (rng.random(len(draw)) < HELD_OUT)[units]
    if held_out.all() or (~held_out).sum() < 2 * limits.min_leaf_rows:
        held_out = np.zeros(len(y), dtype=bool)
    tree = DecisionTreeClassifier(
        min_samples_leaf=limits.min_leaf_rows,
        max_depth=limits.max_depth,
        max_features=FEATURE_SHARE,
        random_state=seeds.fork(rng) % 2**31,
    )
    columns = np.ascontiguousarray(x.T)
    fitted = tree.fit(columns[~held_out], classes[~held_out])
    nodes, leaf = _Nodes.of(fitted.tree_), fitted.apply(columns)
    if not held_out.any():
        return _with_donors(nodes, nodes.left < 0, leaf, y)
    k = int(classes.max()) + 1
    training = nodes.class_counts(leaf[~held_out], classes[~held_out], k)
    validation = nodes.class_counts(leaf[held_out], classes[held_out], k)
    is_leaf = _prune(nodes, training, validation, PRIOR * limits.rows_per_unit, limits.min_gain)
    return _with_donors(nodes, is_leaf, leaf, y)


def _prune(nodes: _Nodes, training: np.ndarray, validation: np.ndarray, prior: float, min_gain: float) -> np.ndarray:
    """Which nodes become leaves: those whose subtree, pruned in the best way, gains no more than `min_gain` nats on the
    held-out rows. Some splits gain a little by chance. training, validation: (nodes, classes) counts -> (nodes,) bool
    """
    share = np.empty_like(training)
    share[0] = (training[0] + 0.5) / (training[0].sum() + 0.5 * training.shape[1])
    for inner in nodes.levels:
        for child in (nodes.left[inner], nodes.right[inner]):
            share[child] = (training[child] + prior * share[inner]) / (training[child].sum(1, keepdims=True) + prior)
    own = (validation * np.log(share)).sum(1)
    best, is_leaf = own.copy(), nodes.left < 0
    for inner in reversed(nodes.levels):
        below = best[nodes.left[inner]] + best[nodes.right[inner]]
        is_leaf[inner] = below <= own[inner] + min_gain
        best[inner] = np.where(is_leaf[inner], own[inner], below)
    return is_leaf


def _with_donors(nodes: _Nodes, is_leaf: np.ndarray, leaf: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a pruned tree, with all rows as donors. is_leaf: (nodes,) bool; leaf: (rows,) leaf of each row in
    the unpruned tree
    """
    kept, ancestor = np.zeros(len(is_leaf), dtype=bool), np.arange(len(is_leaf))
    kept[0] = True
    for inner in nodes.levels:
        splits = kept[inner] & ~is_leaf[inner]
        for child in (nodes.left[inner], nodes.right[inner]):
            kept[child] = splits
            ancestor[child] = np.where(splits, child, ancestor[inner])
    number = np.cumsum(kept) - 1
    pruned_leaf = number[ancestor[leaf]]
    itself = np.arange(int(kept.sum()))
    is_inner = ~is_leaf[kept]
    children = [np.where(is_inner, number[side[kept]], itself) for side in (nodes.left, nodes.right)]
    high = np.cumsum(np.bincount(pruned_leaf, minlength=len(itself)))
    return {
        "feature": np.where(is_inner, nodes.feature[kept], 0),
        "threshold": nodes.threshold[kept],
        "child": np.stack(children, 1).ravel(),
        "low": np.concatenate([[0], high[:-1]]),
        "high": high,
        "donors": y[np.lexsort((y, pruned_leaf))],
    }


def _join(trees: list[dict[str, np.ndarray]], used: np.ndarray, ranks: dict[int, np.ndarray]) -> Forest:
    """A forest of these trees, reduced to the features that they split on."""
    node = np.cumsum([0, *(len(t["low"]) for t in trees)])
    donor = np.cumsum([0, *(len(t["donors"]) for t in trees)])
    joined = {key: np.concatenate([t[key] for t in trees]) for key in trees[0]}
    joined["child"] = joined["child"] + np.repeat(node[:-1], 2 * np.diff(node))
    for key in ("low", "high"):
        joined[key] = joined[key] + np.repeat(donor[:-1], np.diff(node))
    inner = joined["child"][::2] != np.arange(node[-1])
    split_on = np.unique(joined["feature"][inner])
    joined["feature"] = np.where(inner, np.searchsorted(split_on, joined["feature"]), 0)
    ranks = {i: ranks[j] for i, j in enumerate(split_on.tolist()) if j in ranks}
    arrays = {"used": used[split_on], "roots": node[:-1], **joined}
    return Forest.from_arrays(arrays, ranks, joined["donors"].dtype.kind == "i")
