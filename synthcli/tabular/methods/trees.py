"""Autoregressive trees: each column by decision trees on the columns before it, each leaf drawing from what it holds.

Reiter 2005 (CART synthesis), Nowok, Raab & Dibben 2016 (synthpop); here over the parts of a codec, with a few trees per part of which
each row follows one, pruned by rows that they were not grown on (tabular/tree.py), and with numbers interpolated between leaf
neighbours unless many records share the value.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.codec import Codec, Values
from synthcli.contracts import Dial, Job
from synthcli.tabular.data import Table
from synthcli.tabular.model import CodedModel, encode, restore
from synthcli.tabular.tree import Features, Tree, as_feature, grow, single_leaf

MODALITY = "tabular"
MODES = frozenset({"none"})
NEEDS_DATA = True
EXTRA = None
TRUSTED_LOAD = False
DIAL = Dial("min_leaf", fidelity=2, privacy=500)
GRID = 1001  # points of a number's quantile grid
WORKERS = 2  # parts whose trees are grown at once; they are independent, so the number changes no result


class Params(BaseModel):
    """min_leaf is the dial: larger leaves blur more."""

    model_config = ConfigDict(extra="forbid")
    min_leaf: int = Field(
        10, ge=1, le=1_000_000, description="privacy units in a leaf, at least (on average); larger is more private, smaller more faithful"
    )
    trees: int = Field(4, ge=1, le=64, description="trees per column, of which each row follows one; more are smoother and slower")
    max_depth: int = Field(24, ge=1, le=64, description="splits from root to leaf, at most")
    shared_by: int = Field(10, ge=1, description="privacy units that must hold a number for it to be repeated as it is; others are interpolated")
    order: tuple[str, ...] = Field((), description="columns to make first, in this order; the others follow by number of distinct values")


class Trees(CodedModel):
    """Trees in the order in which parts are drawn. common: number part -> sorted values that may be repeated as they are.

    grids: number part -> quantiles of its values, between which a value is moved that its leaf has no neighbour for.
    """

    def __init__(
        self, codec: Codec, order: list[str], trees: dict[str, list[Tree]], common: dict[str, np.ndarray], grids: dict[str, np.ndarray]
    ) -> None:
        super().__init__(codec)
        self.order, self.trees, self.common, self.grids = order, trees, common, grids

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        out: Values = {}
        features: list[np.ndarray] = []
        for name, stream in zip(self.order, rng.spawn(len(self.order))):
            trees = self.trees[name]
            drawn = np.empty(rows, dtype=trees[0].donors.dtype)
            follows = stream.integers(len(trees), size=rows)
            for i, tree in enumerate(trees):
                here = np.flatnonzero(follows == i)
                x = np.column_stack([features[j][here] for j in tree.used]) if len(tree.used) else np.zeros((len(here), 0))
                drawn[here] = _from_leaves(tree, tree.leaves(x), self.common.get(name), self.grids.get(name), rng=stream)
            if (state := out.get(f"{name}#state")) is not None:
                drawn = np.where(state == 0, drawn, np.nan)
            out[name] = drawn
            features.append(as_feature(drawn))
        return out

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All trees end to end, with where each one starts: a wide table has thousands of them."""
        trees = [tree for name in self.order for tree in self.trees[name]]
        arrays: dict[str, np.ndarray] = {}
        for key in _ARRAYS:
            pieces = [getattr(tree, key) for tree in trees]
            arrays[f"{key}.at"] = np.cumsum([0, *(len(p) for p in pieces)])
            arrays[key] = np.concatenate(pieces) if pieces else np.zeros(0)
        ranks = [(t, j, rank) for t, tree in enumerate(trees) for j, rank in tree.ranks.items()]
        arrays["ranks.of"] = np.array([(t, j) for t, j, _ in ranks], dtype=np.int64).reshape(-1, 2)
        arrays["ranks.at"] = np.cumsum([0, *(len(rank) for _, _, rank in ranks)])
        arrays["ranks"] = np.concatenate([rank for _, _, rank in ranks]) if ranks else np.zeros(0)
        arrays |= {f"common.{i}": self.common[name] for i, name in enumerate(self.order) if name in self.common}
        arrays |= {f"grid.{i}": self.grids[name] for i, name in enumerate(self.order) if name in self.grids}
        return arrays, {"order": self.order, "trees": [len(self.trees[name]) for name in self.order]}


_ARRAYS = tuple(f.name for f in fields(Tree) if f.name != "ranks")


def load(folder: Path) -> Trees:
    """The model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    is_code = {part.name: part.is_code for part in codec.parts}
    pieces = {key: np.split(arrays[key], arrays[f"{key}.at"][1:-1]) for key in _ARRAYS}
    ranks: dict[int, dict[int, np.ndarray]] = {}
    for (t, j), rank in zip(arrays["ranks.of"], np.split(arrays["ranks"], arrays["ranks.at"][1:-1])):
        ranks.setdefault(int(t), {})[int(j)] = rank
    trees: dict[str, list[Tree]] = {}
    start = 0
    for name, count in zip(plain["order"], plain["trees"]):
        trees[name] = [_tree({key: pieces[key][t] for key in _ARRAYS}, ranks.get(t, {}), is_code[name]) for t in range(start, start + count)]
        start += count
    common = {name: arrays[f"common.{i}"] for i, name in enumerate(plain["order"]) if f"common.{i}" in arrays}
    grids = {name: arrays[f"grid.{i}"] for i, name in enumerate(plain["order"]) if f"grid.{i}" in arrays}
    return Trees(codec, plain["order"], trees, common, grids)


def _tree(arrays: dict[str, np.ndarray], ranks: dict[int, np.ndarray], is_code: bool) -> Tree:
    # codes and numbers stand in one array of float64, which holds every int32
    arrays["donors"] = arrays["donors"].astype(np.int32 if is_code else np.float64)
    return Tree(**arrays, ranks=ranks)


def fit(data: Table, params: Params, *, job: Job) -> Trees:
    """Grow the trees of every part. When a limit is reached, the parts that are left are drawn from their marginals."""
    codec, values = encode(data, job)
    order = _order(codec, values, params.order)
    parts = {part.name: part for part in codec.parts}
    units = data.units()
    features = Features.of([values[name] for name in order], [parts[name].size for name in order], units, rng=job.stream("screen"))
    # a leaf is as private as the number of people in it, not of their rows
    least = max(1, round(params.min_leaf * len(data) / max(1, len(np.unique(units)))))
    everyone = np.arange(len(data))

    def trees_of(i: int) -> list[Tree]:
        y, part = values[order[i]], parts[order[i]]
        if job.reached is not None:
            return [single_leaf(y if part.is_code else known) if len(known := y[y == y]) else single_leaf(np.zeros(1, dtype=y.dtype))]
        streams = [job.stream("tree", order[i], k) for k in range(params.trees if i else 1)]
        return [grow(features, i, y, part, everyone, least, params.max_depth, rng=rng) for rng in streams]

    trees = {}
    with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as pool:
        # a small table may have nearly as many classes as rows; the tree library takes that for a mistake
        warnings.simplefilter("ignore", UserWarning)
        for i, grown in enumerate(pool.map(trees_of, range(len(order)))):
            trees[order[i]] = grown
            job.going("columns", i + 1, len(order), order[i])
    numbers = [name for name in order if not parts[name].is_code]
    common = {name: _common(values[name], units, params.shared_by) for name in numbers}
    return Trees(codec, order, trees, common, {name: _grid(values[name]) for name in numbers})


def _order(codec: Codec, values: Values, first: tuple[str, ...]) -> list[str]:
    """Parts by number of distinct values, few first; a state just before its number; columns that were asked for before all."""
    distinct = {part.column: 0 for part in codec.parts}
    for part in codec.parts:
        distinct[part.column] = max(distinct[part.column], len(np.unique(values[part.name])))
    asked = {name: i - len(first) for i, name in enumerate(first)}
    columns = sorted(distinct, key=lambda c: (asked.get(c, 0), distinct[c]))
    return [part.name for column in columns for part in codec.parts if part.column == column]


def _common(values: np.ndarray, units: np.ndarray, shared_by: int) -> np.ndarray:
    """Values that at least `shared_by` privacy units hold, sorted."""
    known = ~np.isnan(values)
    distinct, at = np.unique(values[known], return_inverse=True)
    held = np.unique(at * (int(units.max(initial=0)) + 1) + units[known]) // (int(units.max(initial=0)) + 1)
    return distinct[np.bincount(held, minlength=len(distinct)) >= shared_by]


def _grid(values: np.ndarray) -> np.ndarray:
    """Quantiles of a number at GRID points, its distinct ones."""
    known = values[~np.isnan(values)]
    return np.unique(np.quantile(known, np.linspace(0, 1, GRID))) if len(known) else np.zeros(1)


def _from_leaves(tree: Tree, leaf: np.ndarray, common: np.ndarray | None, grid: np.ndarray | None, *, rng: np.random.Generator) -> np.ndarray:
    """A value for each row from its leaf: a donor's; for a number that few people share, a point between it and the next other value
    of the leaf, or of the grid where the leaf has no other."""
    first, last = tree.first[leaf], tree.first[leaf + 1]
    place = first + (rng.random(len(leaf)) * (last - first)).astype(np.int64)
    drawn = tree.donors[place]
    if common is None or grid is None:
        return drawn
    up, share = rng.random(len(leaf)) < 0.5, rng.random(len(leaf))
    # equal donors stand together: one person's rows must not be each other's neighbours
    change = np.flatnonzero(np.diff(tree.donors)) + 1
    run = np.searchsorted(change, place, side="right")
    starts, ends = np.concatenate([[0], change]), np.concatenate([change, [len(tree.donors)]])
    below, above = starts[run] - 1, ends[run]
    has_below, has_above = below >= first, above < last
    other = np.where((up & has_above) | ~has_below, above, below)
    at = np.searchsorted(grid, drawn)
    beside = grid[np.clip(np.where(up, at + 1, at - 1), 0, len(grid) - 1)]
    neighbour = np.where(has_below | has_above, tree.donors[np.clip(other, 0, len(tree.donors) - 1)], beside)
    return np.where(_member(drawn, common), drawn, drawn + share * (neighbour - drawn))


def _member(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[at] == values
