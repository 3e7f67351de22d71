"""Growing a forest (tabular/trees/forest.py): trees on a part of the privacy units, pruned by the units that they were
not grown on.

Splits are scored on the classes of a code, or on the quantile classes of a number, so that a change of spread is seen
as well as a change of mean. A split stays only where it predicts the held-out rows better than its parent does
(reduced-error pruning by likelihood, after Quinlan 1987): what is left are splits that unseen records confirm, which is
what keeps a chain of columns from retelling the records that it was grown on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.columns.codec.parts import Part
from synthcli.tabular.trees.features import Features, classes_of, effect_order
from synthcli.tabular.trees.forest import Forest, marginal

HELD_OUT = 0.25  # share of the privacy units that weigh a tree
ROWS = 100_000  # rows that a tree is grown on, at most; the trees of a larger table see different ones
TRIED = 0.8  # share of the features that a split chooses among
PRIOR = 5.0  # privacy units that a parent's distribution is worth in its child, when held-out rows are predicted


@dataclass(frozen=True)
class Growth:
    """How trees are grown. least: rows in a leaf; per_unit: rows of a privacy unit; gain: by how many nats a split,
    with all below it, must predict held-out rows better, if each is a unit of its own: of more the more alike the rows
    of a unit are."""

    trees: int
    least: int
    per_unit: float
    max_depth: int
    gain: float = 0.0


def grow(
    features: Features, prefix: int, y: np.ndarray, part: Part, how: Growth, *, rng: np.random.Generator
) -> Forest:
    """A forest of y on the first `prefix` features. Rows whose y is NaN are left out."""
    rows = np.arange(len(y)) if part.is_code else np.flatnonzero(~np.isnan(y))
    if not len(rows):
        return marginal(np.zeros(1, dtype=y.dtype))
    target = y[rows]
    if prefix == 0 or len(rows) < 2 * how.least or (target == target[0]).all():
        return marginal(target)
    used = features.strongest(prefix, y)
    classes, score = classes_of(target, part)
    x = features.x[np.ix_(used, rows)]
    ranks = {i: effect_order(x[i], features.sizes[j], score) for i, j in enumerate(used) if features.sizes[j] > 2}
    for i, rank in ranks.items():
        x[i] = rank[x[i].astype(np.int64)]
    units = features.units[rows]
    how = replace(how, gain=how.gain * design_effect(score if part.is_code else classes.astype(np.float64), units))
    trees = [_tree(x, classes, target, units, how, rng=stream) for stream in rng.spawn(how.trees)]
    return _planted(trees, used, ranks)


def design_effect(score: np.ndarray, units: np.ndarray) -> float:
    """How many rows say as much as one if each were a unit of its own: 1 + (m - 1) of the intraclass correlation (Kish
    1965), m being the mean of the unit sizes that rows see. score, units: (rows,), units from 0"""
    size = np.bincount(units).astype(np.float64)
    rows, groups, seen = len(score), int((size > 0).sum()), float((size**2).sum() / len(score))
    if rows == groups or groups == 1 or score.std() == 0:
        return seen
    mean = np.bincount(units, weights=score) / np.maximum(size, 1)
    between = float(size @ (mean - score.mean()) ** 2) / (groups - 1)
    within = float(((score - mean[units]) ** 2).sum()) / (rows - groups)
    typical = (rows - seen) / (groups - 1)
    alike = max(0.0, (between - within) / (between + (typical - 1) * within))
    return 1.0 + (seen - 1) * min(1.0, alike)


def rule(features: Features, source: int, y: np.ndarray) -> Forest:
    """A forest of one tree that keeps y as the function of a feature that it is."""
    from sklearn.tree import DecisionTreeRegressor

    rows = np.flatnonzero(~np.isnan(y)) if y.dtype.kind == "f" else np.arange(len(y))
    x = features.x[source][rows][None]
    grown = DecisionTreeRegressor(random_state=0).fit(
        x.T, np.unique(y[rows], return_inverse=True)[1].astype(np.float64)
    )
    nodes = _Nodes.of(grown.tree_)
    return _planted(
        [_with_donors(nodes, nodes.left < 0, grown.apply(x.T), y[rows])], np.array([source], dtype=np.int32), {}
    )


@dataclass(frozen=True)
class _Nodes:
    """A grown tree in preorder. levels: inner nodes by depth, the root first."""

    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    levels: list[np.ndarray]

    @classmethod
    def of(cls, tree: Any) -> _Nodes:
        left, right = tree.children_left, tree.children_right
        levels, here = [], np.zeros(1, dtype=np.int64)
        while len(here := here[left[here] >= 0]):
            levels.append(here)
            here = np.concatenate([left[here], right[here]])
        return cls(tree.feature, tree.threshold, left, right, levels)

    def totals(self, at: np.ndarray, classes: np.ndarray, k: int) -> np.ndarray:
        """Rows of each class under each node. at: (rows,) their leaves -> (nodes, k) float64"""
        nodes = len(self.left)
        out = np.bincount(at * k + classes, minlength=nodes * k).reshape(nodes, k).astype(np.float64)
        for inner in reversed(self.levels):
            out[inner] = out[self.left[inner]] + out[self.right[inner]]
        return out


def _tree(
    x: np.ndarray, classes: np.ndarray, y: np.ndarray, units: np.ndarray, how: Growth, *, rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """One tree, pruned and with its donors. x: (features, rows)"""
    from sklearn.tree import DecisionTreeClassifier

    draw = rng.random(int(units.max()) + 1)
    if len(y) > ROWS:
        seen = np.flatnonzero((draw <= max(ROWS / len(y), draw[units].min()))[units])  # of few units at least one
        x, classes, y, units = x[:, seen], classes[seen], y[seen], units[seen]
    held = (rng.random(len(draw)) < HELD_OUT)[units]
    if held.all() or (~held).sum() < 2 * how.least:
        held = np.zeros(len(y), dtype=bool)
    tree = DecisionTreeClassifier(
        min_samples_leaf=how.least, max_depth=how.max_depth, max_features=TRIED, random_state=seeds.fork(rng) % 2**31
    )
    columns = np.ascontiguousarray(x.T)
    grown = tree.fit(columns[~held], classes[~held])
    nodes, at = _Nodes.of(grown.tree_), grown.apply(columns)
    k = int(classes.max()) + 1
    fit, unseen = nodes.totals(at[~held], classes[~held], k), nodes.totals(at[held], classes[held], k)
    return _with_donors(
        nodes, _pruned(nodes, fit, unseen, PRIOR * how.per_unit, how.gain) if held.any() else nodes.left < 0, at, y
    )


def _pruned(nodes: _Nodes, fit: np.ndarray, unseen: np.ndarray, prior: float, gain: float) -> np.ndarray:
    """Which nodes are leaves: those that predict the held-out rows below them as well as the best pruning of what is
    below, or within `gain` nats of it: of many splits that are chance, some gain a little by chance. (nodes,) bool"""
    share = np.empty_like(fit)
    share[0] = (fit[0] + 0.5) / (fit[0].sum() + 0.5 * fit.shape[1])
    for inner in nodes.levels:
        for below in (nodes.left[inner], nodes.right[inner]):
            share[below] = (fit[below] + prior * share[inner]) / (fit[below].sum(1, keepdims=True) + prior)
    own = (unseen * np.log(share)).sum(1)
    best, leaf = own.copy(), nodes.left < 0
    for inner in reversed(nodes.levels):
        below = best[nodes.left[inner]] + best[nodes.right[inner]]
        leaf[inner] = below <= own[inner] + gain
        best[inner] = np.where(leaf[inner], own[inner], below)
    return leaf


def _with_donors(nodes: _Nodes, leaf: np.ndarray, at: np.ndarray, y: np.ndarray) -> dict[str, np.ndarray]:
    """A tree's arrays, cut at its leaves, with all rows as donors. leaf: (nodes,) bool; at: (rows,) the grown leaf of
    each
    """
    kept, top = np.zeros(len(leaf), dtype=bool), np.arange(len(leaf))
    kept[0] = True
    for inner in nodes.levels:
        goes = kept[inner] & ~leaf[inner]
        for below in (nodes.left[inner], nodes.right[inner]):
            kept[below] = goes
            top[below] = np.where(goes, below, top[inner])
    number = np.cumsum(kept) - 1
    home = number[top[at]]  # the kept leaf that holds each row
    me = np.arange(int(kept.sum()))
    goes_on = ~leaf[kept]
    child = np.stack([np.where(goes_on, number[side[kept]], me) for side in (nodes.left, nodes.right)], 1).ravel()
    high = np.cumsum(np.bincount(home, minlength=len(me)))
    return {
        "feature": np.where(goes_on, nodes.feature[kept], 0),
        "threshold": nodes.threshold[kept],
        "child": child,
        "low": np.concatenate([[0], high[:-1]]),
        "high": high,
        "donors": y[np.lexsort((y, home))],
    }


def _planted(trees: list[dict[str, np.ndarray]], used: np.ndarray, ranks: dict[int, np.ndarray]) -> Forest:
    """Trees as a forest, with the features that they do split on."""
    node = np.cumsum([0, *(len(t["low"]) for t in trees)])
    donor = np.cumsum([0, *(len(t["donors"]) for t in trees)])
    joined = {key: np.concatenate([t[key] for t in trees]) for key in trees[0]}
    joined["child"] = joined["child"] + np.repeat(node[:-1], 2 * np.diff(node))
    for key in ("low", "high"):
        joined[key] = joined[key] + np.repeat(donor[:-1], np.diff(node))
    inner = joined["child"][::2] != np.arange(node[-1])
    split = np.unique(joined["feature"][inner])
    joined["feature"] = np.where(inner, np.searchsorted(split, joined["feature"]), 0)
    kept = {i: ranks[j] for i, j in enumerate(split.tolist()) if j in ranks}
    return Forest.from_arrays(
        {"used": used[split], "roots": node[:-1], **joined}, kept, joined["donors"].dtype.kind == "i"
    )
