"""Autoregressive trees: each column by a decision tree on the columns before it, each leaf drawing from what it holds.

Reiter 2005 (CART synthesis), Nowok, Raab & Dibben 2016 (synthpop); here with parts of a codec, categories ordered by their effect
(Breiman et al. 1984, §4.2: optimal for two classes and for means), numbers split on their quantile classes, so that a change of
spread is seen as well as a change of mean, and numbers interpolated between leaf neighbours unless many rows share the value.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli import seeds
from synthcli.columns.codec import Codec, Part, Values
from synthcli.contracts import Dial, Job
from synthcli.tabular.data import Table
from synthcli.tabular.model import CodedModel, encode, restore

MODALITY = "tabular"
MODES = frozenset({"none"})
NEEDS_DATA = True
EXTRA = None
TRUSTED_LOAD = False
DIAL = Dial("min_leaf", fidelity=5, privacy=500)
CLASSES = 48  # classes that a split is scored on: more categories share them, numbers are cut at quantiles
BINS = 16  # quantile classes of a number
RULE_ROWS = 5  # rows per value of a column, on average, for another column that it determines to be a rule
WORKERS = 2  # trees grown at once; they are independent, so the number changes no result


class Params(BaseModel):
    """min_leaf is the dial: larger leaves blur more."""

    model_config = ConfigDict(extra="forbid")
    min_leaf: int = Field(
        60, ge=1, le=1_000_000, description="privacy units in a leaf, at least (on average); larger is more private, smaller more faithful"
    )
    max_depth: int = Field(24, ge=1, le=64, description="splits from root to leaf, at most")
    shared_by: int = Field(10, ge=1, description="privacy units that must hold a number for it to be repeated as it is; others are interpolated")
    order: tuple[str, ...] = Field((), description="columns to make first, in this order; the others follow by number of distinct values")


@dataclass(frozen=True)
class Tree:
    """Nodes in arrays: feature -1 at a leaf. donors of leaf l: donors[first[l]:first[l + 1]], sorted.

    ranks: feature index -> category code -> place in this tree's order of the categories.
    """

    feature: np.ndarray  # (nodes,) int32
    threshold: np.ndarray  # (nodes,) float64
    left: np.ndarray  # (nodes,) int32
    right: np.ndarray  # (nodes,) int32
    leaf: np.ndarray  # (nodes,) int32, -1 inside
    first: np.ndarray  # (leaves + 1,) int64
    donors: np.ndarray  # (n,) int32 codes or float64 numbers
    ranks: dict[int, np.ndarray]

    def leaves(self, x: np.ndarray) -> np.ndarray:
        """The leaf that each row falls to. x: (rows, features) -> (rows,) int32"""
        x = _reorder(x, self.ranks)
        node = np.zeros(len(x), dtype=np.int32)
        moving = np.flatnonzero(self.feature[node] >= 0)
        while len(moving):
            at = node[moving]
            goes_left = x[moving, self.feature[at]] <= self.threshold[at]
            node[moving] = np.where(goes_left, self.left[at], self.right[at])
            moving = moving[self.feature[node[moving]] >= 0]
        return self.leaf[node]


class Trees(CodedModel):
    """Trees in the order in which parts are drawn. common: number part -> sorted values that may be repeated as they are."""

    def __init__(self, codec: Codec, order: list[str], trees: dict[str, Tree], common: dict[str, np.ndarray]) -> None:
        super().__init__(codec)
        self.order, self.trees, self.common = order, trees, common

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        parts = {part.name: part for part in self.codec.parts}
        out: Values = {}
        x = np.empty((rows, len(self.order)))
        for i, (name, stream) in enumerate(zip(self.order, rng.spawn(len(self.order)))):
            part, tree = parts[name], self.trees[name]
            drawn = _from_leaves(tree, tree.leaves(x[:, :i]), self.common.get(name), rng=stream)
            if not part.is_code and f"{name}#state" in out:
                drawn = np.where(out[f"{name}#state"] == 0, drawn, np.nan)
            out[name] = drawn
            x[:, i] = _feature(drawn)
        return out

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        arrays = {}
        for i, name in enumerate(self.order):
            tree = self.trees[name]
            arrays.update({f"{i}.{k}": getattr(tree, k) for k in _ARRAYS})
            arrays.update({f"{i}.ranks.{j}": rank for j, rank in tree.ranks.items()})
            if name in self.common:
                arrays[f"{i}.common"] = self.common[name]
        return arrays, {"order": self.order}


_ARRAYS = ("feature", "threshold", "left", "right", "leaf", "first", "donors")


def load(folder: Path) -> Trees:
    """The model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    trees, common = {}, {}
    for i, name in enumerate(plain["order"]):
        ranks = {int(k.rpartition(".")[2]): v for k, v in arrays.items() if k.startswith(f"{i}.ranks.")}
        trees[name] = Tree(**{k: arrays[f"{i}.{k}"] for k in _ARRAYS}, ranks=ranks)
        if f"{i}.common" in arrays:
            common[name] = arrays[f"{i}.common"]
    return Trees(codec, plain["order"], trees, common)


def fit(data: Table, params: Params, *, job: Job) -> Trees:
    """Grow one tree per part. When a limit is reached, the parts that are left are drawn from their marginals."""
    codec, values = encode(data, job)
    order = _order(codec, values, params.order)
    parts = {part.name: part for part in codec.parts}
    x = np.column_stack([_feature(values[name]) for name in order]) if order else np.zeros((len(data), 0))
    sizes = [parts[name].size for name in order]
    units = data.units()
    # a leaf is as private as the number of people in it, not of their rows
    least = round(params.min_leaf * len(data) / max(1, len(np.unique(units))))

    def grow(i: int) -> Tree:
        prefix = x[:, :i] if job.reached is None else x[:, :0]
        return grow_tree(prefix, sizes[:i], values[order[i]], parts[order[i]], least, params.max_depth, rng=job.stream("tree", order[i]))

    trees = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        for i, tree in enumerate(pool.map(grow, range(len(order)))):
            trees[order[i]] = tree
            job.going("trees", i + 1, len(order), order[i])
    common = {name: _common(values[name], units, params.shared_by) for name in order if not parts[name].is_code}
    return Trees(codec, order, trees, common)


def _order(codec: Codec, values: Values, first: tuple[str, ...]) -> list[str]:
    """Parts by number of distinct values, few first; a state just before its number; columns that were asked for before all."""
    distinct = {p.column: 0 for p in codec.parts}
    for part in codec.parts:
        distinct[part.column] = max(distinct[part.column], len(np.unique(values[part.name])))
    asked = {name: i - len(first) for i, name in enumerate(first)}
    columns = sorted(distinct, key=lambda c: (asked.get(c, 0), distinct[c]))
    return [part.name for column in columns for part in codec.parts if part.column == column]


def _feature(values: np.ndarray) -> np.ndarray:
    """A part as a column of features: no value lies below all values."""
    return np.nan_to_num(values.astype(np.float64), nan=-1e300)


def grow_tree(x: np.ndarray, sizes: list[int], y: np.ndarray, part: Part, least: int, max_depth: int, *, rng: np.random.Generator) -> Tree:
    """A tree of y on the features, with `least` rows in a leaf.

    x: (rows, features); sizes: codes of a feature, 0 for a number; y: (rows,), rows whose y is NaN are left out.
    """
    from sklearn.tree import DecisionTreeClassifier

    known = ~np.isnan(y) if not part.is_code else np.ones(len(y), dtype=bool)
    x, y = x[known], y[known]
    if not len(y):
        y = np.zeros(1, dtype=y.dtype)
        return _single_leaf(y)
    classes, score = _classes(y, part)
    if (source := _determined_by(x, y)) is not None:
        # a rule of the data, such as a code and its label: kept exactly, by this one feature alone
        x, least, classes = _only(x, source), 1, np.unique(y, return_inverse=True)[1]
    if x.shape[1] == 0 or len(np.unique(classes)) < 2 or len(y) < 2 * least:
        return _single_leaf(y)
    ranks = {j: _effect_order(x[:, j], size, score) for j, size in enumerate(sizes) if size > 2}
    tree = DecisionTreeClassifier(criterion="gini", min_samples_leaf=least, max_depth=max_depth, random_state=seeds.fork(rng) % 2**31)
    xr = _reorder(x, ranks)
    grown = tree.fit(xr, classes).tree_
    return _with_donors(grown, tree.apply(xr), y, ranks)


def _determined_by(x: np.ndarray, y: np.ndarray) -> int | None:
    """The first feature of which y is a function, where that is no accident: several rows per value of the feature. None: there is none."""
    distinct = len(np.unique(y))
    if distinct < 3:
        return None
    for j in range(x.shape[1]):
        known, at = np.unique(x[:, j], return_inverse=True)
        if distinct <= len(known) <= len(y) / RULE_ROWS:
            low, high = np.full(len(known), np.inf), np.full(len(known), -np.inf)
            np.minimum.at(low, at, y)
            np.maximum.at(high, at, y)
            if np.array_equal(low, high):
                return j
    return None


def _only(x: np.ndarray, feature: int) -> np.ndarray:
    """Features with all but one held constant."""
    out = np.zeros_like(x)
    out[:, feature] = x[:, feature]
    return out


def _classes(y: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """The classes that splits are scored on, and one score per row by which categories of features are ordered."""
    if not part.is_code:
        rank = np.argsort(np.argsort(y, kind="stable"), kind="stable") / len(y)
        distinct, place = np.unique(y, return_inverse=True)
        if len(distinct) <= CLASSES:
            return place, rank
        edges = np.unique(np.quantile(y, np.linspace(0, 1, BINS + 1)[1:-1]))
        return np.searchsorted(edges, y, side="right"), rank
    counts = np.bincount(y, minlength=part.size)
    if part.size <= CLASSES:
        return y, _principal(y, counts)
    by_count = np.argsort(-counts, kind="stable")
    merged = np.empty(part.size, dtype=np.int64)
    merged[by_count[:CLASSES]] = np.arange(CLASSES)
    # the long tail shares classes of neighbouring codes, which stand in natural order
    tail = np.sort(by_count[CLASSES:])
    merged[tail] = CLASSES + np.arange(len(tail)) * (CLASSES // 3) // len(tail)
    return merged[y], _principal(y, counts)


def _principal(y: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """A score per row: one for the most frequent class against the others; the code itself where classes are many."""
    if len(counts) > CLASSES:
        return y.astype(np.float64)
    return (y == np.argmax(counts)).astype(np.float64)


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


def _reorder(x: np.ndarray, ranks: dict[int, np.ndarray]) -> np.ndarray:
    """Features with categories replaced by their places."""
    # float32 is what the tree library splits on: both ways to a leaf must see the same numbers
    out = np.clip(x, -3e38, 3e38).astype(np.float32)
    for j, rank in ranks.items():
        out[:, j] = rank[x[:, j].astype(np.int64)]
    return out


def _single_leaf(y: np.ndarray) -> Tree:
    one, none = np.zeros(1, dtype=np.int32), np.full(1, -1, dtype=np.int32)
    return Tree(none, np.zeros(1), one, one, one, np.array([0, len(y)]), np.sort(y), {})


def _with_donors(grown: Any, at: np.ndarray, y: np.ndarray, ranks: dict[int, np.ndarray]) -> Tree:
    """A grown tree with the values of its leaves. at: (rows,) the node that each row ended in."""
    inside = grown.children_left >= 0
    leaf = np.where(inside, -1, np.cumsum(~inside) - 1).astype(np.int32)
    order = np.lexsort((y, leaf[at]))
    first = np.concatenate([[0], np.cumsum(np.bincount(leaf[at], minlength=int((~inside).sum())))])
    feature = np.where(inside, grown.feature, -1).astype(np.int32)
    return Tree(
        feature, grown.threshold.copy(), grown.children_left.astype(np.int32), grown.children_right.astype(np.int32), leaf, first, y[order], ranks
    )


def _common(values: np.ndarray, units: np.ndarray, shared_by: int) -> np.ndarray:
    """Values that at least `shared_by` privacy units hold, sorted."""
    known = ~np.isnan(values)
    distinct, at = np.unique(values[known], return_inverse=True)
    held = np.unique(at * (int(units.max(initial=0)) + 1) + units[known]) // (int(units.max(initial=0)) + 1)
    return distinct[np.bincount(held, minlength=len(distinct)) >= shared_by]


def _from_leaves(tree: Tree, leaf: np.ndarray, common: np.ndarray | None, *, rng: np.random.Generator) -> np.ndarray:
    """A value for each row from its leaf: a donor's; for a number that few rows share, a point between it and a leaf neighbour."""
    first, last = tree.first[leaf], tree.first[leaf + 1]
    place = first + (rng.random(len(leaf)) * (last - first)).astype(np.int64)
    drawn = tree.donors[place]
    if common is None:
        return drawn
    side, share = rng.integers(2, size=len(leaf)) * 2 - 1, rng.random(len(leaf))
    neighbour = tree.donors[np.clip(place + side, first, last - 1)]
    between = drawn + share * (neighbour - drawn)
    return np.where(_member(drawn, common), drawn, between)


def _member(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[at] == values
