"""Autoregressive trees: each column by a forest on the columns before it, every value a donor's or a blurred one.

Reiter 2005 (CART synthesis), Nowok, Raab & Dibben 2016 (synthpop); here over the parts of a codec, with a few trees per column that
held-out people have pruned (tabular/grow.py), values drawn evenly from leaves (tabular/forest.py), numbers that few people share blurred
among their neighbours by rank, and combinations that never occur kept out. Columns follow one another along their strongest ties
(the order in which Prim's algorithm builds the tree of Chow & Liu 1968), from the number that has most to do with the others.
"""

from __future__ import annotations

import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.codec import Codec
from synthcli.columns.number_codec import held_by
from synthcli.columns.parts import Part, Values
from synthcli.columns.ties import determined, impossible
from synthcli.contracts import Dial, Job
from synthcli.tabular.data import Table
from synthcli.tabular.features import Features, as_feature
from synthcli.tabular.forest import ARRAYS, Forest
from synthcli.tabular.grow import Growth, grow, rule
from synthcli.tabular.model import CodedModel, encode, restore
from synthcli.tabular.order import order_of

MODALITY = "tabular"
MODES = frozenset({"none"})
NEEDS_DATA = True
EXTRA = None
TRUSTED_LOAD = False
DIAL = Dial("min_leaf", fidelity=1, privacy=500)
GRID = 2001  # points of a number's quantile function
WIDEST = 0.05  # of the ranks that a number is blurred over, at most
FEW = 64  # categories up to which pairs that never occur are kept out
REDRAWN = 4  # times that a row with an impossible pair is drawn again before it takes what is possible
WORKERS = 2  # parts whose trees are grown at once; they are independent, so the number changes no result


class Params(BaseModel):
    """min_leaf is the dial: larger leaves blur more."""

    model_config = ConfigDict(extra="forbid")
    min_leaf: int = Field(
        10, ge=1, le=1_000_000, description="privacy units in a leaf, at least (on average); larger is more private, smaller more faithful"
    )
    trees: int = Field(6, ge=1, le=64, description="trees per column, of which each row follows one; more are smoother and slower")
    max_depth: int = Field(24, ge=1, le=64, description="splits from root to leaf, at most")
    shared_by: int = Field(10, ge=1, description="privacy units that must hold a number for it to be repeated as it is; others are blurred by rank")
    order: tuple[str, ...] = Field(
        (), description="columns to make first, in this order; the others follow by their ties; without any, evaluate.target is first"
    )


@dataclass(frozen=True)
class Blur:
    """Where a number's values may come out. common: sorted values that enough people share; grid: (points,) its other quantiles, rank
    of each in `rank`; width: how far, in ranks, a value that is not common is moved."""

    common: np.ndarray
    grid: np.ndarray
    rank: np.ndarray
    width: float

    @classmethod
    def of(cls, values: np.ndarray, units: np.ndarray, shared_by: int) -> Blur:
        known = ~np.isnan(values)
        common = _common(values[known], units[known], shared_by)
        rest = values[known & ~_member(values, common)]
        if not len(rest):
            return cls(common, np.zeros(0), np.zeros(0), 0.0)
        points = np.linspace(0, 1, min(GRID, len(rest)))
        grid, place = np.unique(np.quantile(rest, points), return_inverse=True)
        people = len(np.unique(units[known]))
        return cls(common, grid, np.bincount(place, weights=points) / np.bincount(place), min(WIDEST, shared_by / max(1, people)))

    def __call__(self, values: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        if not len(self.grid):
            return values
        rank = np.interp(values, self.grid, self.rank) + self.width * (2 * rng.random(len(values)) - 1)
        rank = 1 - np.abs(1 - np.abs(rank))  # reflected at the ends: cut off there, the least and the largest value would come out often
        return np.where(_member(values, self.common), values, np.interp(rank, self.rank, self.grid))


class Trees(CodedModel):
    """Forests in the order in which parts are drawn. blurs: per number part; barred: (earlier part, part) -> (size, size) bool, pairs
    that never occur."""

    def __init__(
        self, codec: Codec, order: list[str], forests: dict[str, Forest], blurs: dict[str, Blur], barred: dict[tuple[str, str], np.ndarray]
    ) -> None:
        super().__init__(codec)
        self.order, self.forests, self.blurs, self.barred = order, forests, blurs, barred

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        out: Values = {}
        features: list[np.ndarray] = []
        for name, stream in zip(self.order, rng.spawn(len(self.order))):
            forest = self.forests[name]
            drawn = forest.draw([features[j] for j in forest.used], rows, rng=stream)
            drawn = self._possible(name, drawn, out, features, rng=stream)
            if name in self.blurs:
                drawn = self.blurs[name](drawn, rng=stream)
            if (state := out.get(f"{name}#state")) is not None:
                drawn = np.where(state == 0, drawn, np.nan)
            out[name] = drawn
            features.append(as_feature(drawn))
        return out

    def _possible(self, name: str, drawn: np.ndarray, out: Values, features: list[np.ndarray], *, rng: np.random.Generator) -> np.ndarray:
        """Rows whose value never occurs beside an earlier one, drawn again: from a leaf, then from all values that may be."""
        bars = [(out[before], table) for (before, part), table in self.barred.items() if part == name]
        wrong = np.flatnonzero(_meets(bars, drawn, slice(None))) if bars else np.zeros(0, dtype=np.int64)
        forest = self.forests[name]
        for _ in range(REDRAWN):
            if not len(wrong):
                return drawn
            drawn[wrong] = forest.draw([features[j][wrong] for j in forest.used], len(wrong), rng=rng)
            wrong = wrong[_meets(bars, drawn[wrong], wrong)]
        if len(wrong):
            weights = np.bincount(forest.donors, minlength=bars[0][1].shape[1]).astype(np.float64)
            chance = weights * ~np.any([table[codes[wrong]] for codes, table in bars], axis=0)
            total = chance.sum(1)
            some = wrong[total > 0]  # where nothing may be, what was drawn stays
            reach = rng.random(len(some))[:, None] * total[total > 0, None]
            drawn[some] = (np.cumsum(chance[total > 0], axis=1) <= reach).sum(1)
        return drawn

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All forests end to end, with where each one starts: a wide table has thousands of trees."""
        forests = [self.forests[name] for name in self.order]
        own = [forest.arrays() for forest in forests]
        arrays: dict[str, np.ndarray] = {}
        for key in ARRAYS:
            pieces = [each[key] for each in own]
            arrays[f"{key}.at"] = np.cumsum([0, *(len(p) for p in pieces)])
            arrays[key] = np.concatenate(pieces) if pieces else np.zeros(0)
        ranks = [(f, j, rank) for f, forest in enumerate(forests) for j, rank in forest.ranks.items()]
        arrays["ranks.of"] = np.array([(f, j) for f, j, _ in ranks], dtype=np.int64).reshape(-1, 2)
        arrays["ranks.at"] = np.cumsum([0, *(len(rank) for _, _, rank in ranks)])
        arrays["ranks"] = np.concatenate([rank for _, _, rank in ranks]) if ranks else np.zeros(0, dtype=np.float32)
        number = {name: i for i, name in enumerate(self.order)}
        for name, blur in self.blurs.items():
            arrays |= {f"{key}.{number[name]}": getattr(blur, key) for key in ("common", "grid", "rank")}
        arrays |= {f"barred.{i}": table for i, table in enumerate(self.barred.values())}
        widths = {name: blur.width for name, blur in self.blurs.items()}
        return arrays, {"order": self.order, "widths": widths, "barred": [list(pair) for pair in self.barred]}


def load(folder: Path) -> Trees:
    """The model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    is_code = {part.name: part.is_code for part in codec.parts}
    pieces = {key: np.split(arrays[key], arrays[f"{key}.at"][1:-1]) for key in ARRAYS}
    ranks: dict[int, dict[int, np.ndarray]] = {}
    for (f, j), rank in zip(arrays["ranks.of"], np.split(arrays["ranks"], arrays["ranks.at"][1:-1])):
        ranks.setdefault(int(f), {})[int(j)] = rank
    order = plain["order"]
    forests = {name: Forest.from_arrays({key: pieces[key][i] for key in ARRAYS}, ranks.get(i, {}), is_code[name]) for i, name in enumerate(order)}
    blurs = {name: _blur(arrays, order.index(name), width) for name, width in plain["widths"].items()}
    barred = {(before, part): arrays[f"barred.{i}"] for i, (before, part) in enumerate(plain["barred"])}
    return Trees(codec, order, forests, blurs, barred)


def _blur(arrays: Values, at: int, width: float) -> Blur:
    return Blur(arrays[f"common.{at}"], arrays[f"grid.{at}"], arrays[f"rank.{at}"], width)


def fit(data: Table, params: Params, *, job: Job) -> Trees:
    """Grow the forest of every part. When a limit is reached, the parts that are left are drawn from their marginals."""
    codec, values = encode(data, job)
    parts = {part.name: part for part in codec.parts}
    units = np.unique(data.units(), return_inverse=True)[1]
    rules = determined(values, codec.parts, units, codec.merged)
    first = params.order or ((job.target,) if job.target is not None else ())
    order = order_of(codec.parts, values, rules, first, rng=job.stream("order"))
    features = Features.of([values[name] for name in order], [parts[name].size for name in order], units, rng=job.stream("screen"))
    how = _growth(params, len(data), units)

    def forest_of(i: int) -> Forest:
        name = order[i]
        y = values[name]
        if job.reached is not None:
            return grow(features, 0, y, parts[name], how, rng=job.stream("forest", name))
        if (source := rules.get(name)) is not None and order.index(source) < i:
            return rule(features, order.index(source), y)
        return grow(features, i, y, parts[name], how, rng=job.stream("forest", name))

    forests = {}
    with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as pool:
        # a small table may have nearly as many classes as rows; the tree library takes that for a mistake
        warnings.simplefilter("ignore", UserWarning)
        for i, forest in enumerate(pool.map(forest_of, range(len(order)))):
            forests[order[i]] = forest
            job.going("columns", i + 1, len(order), order[i])
    # what a code determines says no more of a person than the code does
    exact = {name for name, source in rules.items() if parts[source].is_code}
    blurs = {name: Blur.of(values[name], units, params.shared_by) for name in order if not parts[name].is_code and name not in exact}
    return Trees(codec, order, forests, blurs, _barred([parts[name] for name in order], values))


def _growth(params: Params, rows: int, units: np.ndarray) -> Growth:
    """A leaf is as private as the number of people in it, not of their rows."""
    per_unit = rows / max(1, len(np.unique(units)))
    return Growth(params.trees, max(1, round(params.min_leaf * per_unit)), per_unit, params.max_depth)


def _barred(parts: list[Part], values: Values) -> dict[tuple[str, str], np.ndarray]:
    """Pairs of codes that never occur although they would often by chance. (earlier part, part) -> (size, size) bool"""
    codes = [part for part in parts if 1 < part.size <= FEW]
    out = {}
    for i, part in enumerate(codes):
        for before in codes[:i]:
            table = impossible(values[before.name], before.size, values[part.name], part.size)
            if table.any():
                out[before.name, part.name] = table
    return out


def _meets(bars: list[tuple[np.ndarray, np.ndarray]], drawn: np.ndarray, rows: Any) -> np.ndarray:
    """Which rows hold a pair that never occurs. drawn: the values of `rows`"""
    out = np.zeros(len(drawn), dtype=bool)
    for codes, table in bars:
        out |= table[codes[rows], drawn]
    return out


def _common(values: np.ndarray, units: np.ndarray, shared_by: int) -> np.ndarray:
    """Values that at least `shared_by` privacy units hold, sorted."""
    distinct, at = np.unique(values, return_inverse=True)
    return distinct[held_by(at, units, len(distinct)) >= shared_by]


def _member(values: np.ndarray, ordered: np.ndarray) -> np.ndarray:
    if not len(ordered):
        return np.zeros(len(values), dtype=bool)
    at = np.minimum(np.searchsorted(ordered, values), len(ordered) - 1)
    return ordered[at] == values
