"""Autoregressive trees: each column by a forest on the columns before it, every value a donor's or a blurred one.

Reiter 2005 (CART synthesis), Nowok, Raab & Dibben 2016 (synthpop); here over the parts of a codec, with a few trees per column that
held-out people have pruned (tabular/grow.py), values drawn evenly from leaves (tabular/forest.py), numbers that few people share blurred
among their neighbours by rank, and combinations that never occur kept out. Columns follow one another along their strongest ties
(the order in which Prim's algorithm builds the tree of Chow & Liu 1968), from the number that has most to do with the others.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.asked import Asked
from synthcli.columns.codec import Codec
from synthcli.columns.parts import Values
from synthcli.columns.ties import determined
from synthcli.contracts import Dial, Job
from synthcli.tabular.anchors import Anchor, Anchors, find
from synthcli.tabular.barred import Bars
from synthcli.tabular.blur import Blur
from synthcli.tabular.chain import Chain, Learned, follow
from synthcli.tabular.data import Table
from synthcli.tabular.discriminator import Discriminator, learn
from synthcli.tabular.features import Features
from synthcli.tabular.forest import ARRAYS, Forest, marginal
from synthcli.tabular.grow import Growth, grow, rule
from synthcli.tabular.model import CodedModel, encode, restore
from synthcli.tabular.order import order_of

MODALITY = "tabular"
MODES = frozenset({"none"})
NEEDS_DATA = True
EXTRA = None
TRUSTED_LOAD = False
DIAL = Dial("min_leaf", fidelity=1, privacy=500)
NONE: Mapping[str, Anchor] = MappingProxyType({})
SMOOTHING = 1.0  # quarters of a row that count against a leaf of the discriminator, for each that a leaf of the forests must have
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
    discriminator: int = Field(
        150, ge=0, le=2000, description="trees that tell drawn rows from real ones, at most; rows are kept by them; 0: all rows are"
    )
    order: tuple[str, ...] = Field(
        (), description="columns to make first, in this order; the others follow by their ties; without any, evaluate.target is first"
    )
    given: tuple[str, ...] = Field((), description="columns that are always known when rows are asked for: of them nothing is learned")


class Trees(CodedModel):
    """Forests in the order in which parts are drawn. blurs: per number part; bars: pairs that never occur; anchors: what numbers are told from."""

    COMPLETES = True

    def __init__(
        self, codec: Codec, order: list[str], forests: dict[str, Forest], blurs: dict[str, Blur], bars: Bars, anchors: Mapping[str, Anchor] = NONE
    ) -> None:
        super().__init__(codec)
        self.order, self.forests, self.blurs, self.bars, self.anchors = order, forests, blurs, bars, Anchors(codec, anchors)
        self.learned = Learned(order, forests, blurs, bars, self.anchors)

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        chain = Chain(self.learned, Asked(rows))
        for name, stream in zip(self.order, rng.spawn(len(self.order))):
            chain.step(name, rng=stream)
        return chain.out

    def draw_asked(self, asked: Asked, *, rng: np.random.Generator) -> Values:
        return follow(self.learned, asked, rng=rng)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """All forests end to end, with where each one starts: a wide table has thousands of trees."""
        forests = [self.forests[name] for name in _grown(self.order)]
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
        arrays |= {f"barred.{i}": table for i, table in enumerate(self.bars.pairs.values())}
        widths = {name: blur.width for name, blur in self.blurs.items()}
        anchors = {name: [anchor.same, anchor.base, anchor.unit] for name, anchor in self.anchors.of.items()}
        return arrays, {"order": self.order, "widths": widths, "barred": [list(pair) for pair in self.bars.pairs], "anchors": anchors}


def load(folder: Path) -> Trees:
    """The model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    anchors = {name: Anchor(tuple(same), base, unit) for name, (same, base, unit) in plain["anchors"].items()}
    is_code = {part.name: part.is_code for part in (*codec.parts, *Anchors(codec, anchors).parts)}
    pieces = {key: np.split(arrays[key], arrays[f"{key}.at"][1:-1]) for key in ARRAYS}
    ranks: dict[int, dict[int, np.ndarray]] = {}
    for (f, j), rank in zip(arrays["ranks.of"], np.split(arrays["ranks"], arrays["ranks.at"][1:-1])):
        ranks.setdefault(int(f), {})[int(j)] = rank
    order = plain["order"]
    forests = {
        name: Forest.from_arrays({key: pieces[key][i] for key in ARRAYS}, ranks.get(i, {}), is_code[name]) for i, name in enumerate(_grown(order))
    }
    blurs = {name: _blur(arrays, order.index(name), width) for name, width in plain["widths"].items()}
    barred = {(before, part): arrays[f"barred.{i}"] for i, (before, part) in enumerate(plain["barred"])}
    model = Trees(codec, order, forests, blurs, Bars(barred), anchors)
    model.discriminator = Discriminator.load(folder)
    return model


def _grown(order: list[str]) -> list[str]:
    """The parts that a forest draws: all but numbers that their step leads to."""
    return [name for name in order if f"{name}#step" not in order]


def _blur(arrays: Values, at: int, width: float) -> Blur:
    return Blur(arrays[f"common.{at}"], arrays[f"grid.{at}"], arrays[f"rank.{at}"], width)


def fit(data: Table, params: Params, *, job: Job) -> Trees:
    """Grow the forest of every part. When a limit is reached, the parts that are left are drawn from their marginals."""
    codec, values = encode(data, job)
    units = np.unique(data.units(), return_inverse=True)[1]
    rules = determined(values, codec.parts, units, codec.merged)
    first = params.order or ((job.target,) if job.target is not None else ())
    order = order_of(codec.parts, values, rules, first, rng=job.stream("order"))
    anchors = find(order, codec, values, units, params.shared_by, rules)
    order = anchors.placed(order)
    parts = {part.name: part for part in (*codec.parts, *anchors.parts)}
    values = values | anchors.coded(values)
    features = Features.of([values[name] for name in order], [parts[name].size for name in order], units, rng=job.stream("screen"))
    how = _growth(params, len(data), units)

    def forest_of(i: int) -> Forest:
        name = order[i]
        y = np.where(same > 0, np.nan, values[name]) if (same := values.get(f"{name}#same")) is not None else values[name]
        if parts[name].column in params.given:
            return marginal(np.zeros(1, dtype=y.dtype))
        if job.reached is not None:
            return grow(features, 0, y, parts[name], how, rng=job.stream("forest", name))
        if (source := rules.get(name)) is not None and order.index(source) < i:
            return rule(features, order.index(source), y)
        return grow(features, i, y, parts[name], how, rng=job.stream("forest", name))

    forests = {}
    with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as pool:
        # a small table may have nearly as many classes as rows; the tree library takes that for a mistake
        warnings.simplefilter("ignore", UserWarning)
        grown = [i for i, name in enumerate(order) if name in _grown(order)]
        for i, forest in zip(grown, pool.map(forest_of, grown)):
            forests[order[i]] = forest
            job.going("columns", i + 1, len(order), order[i])
    # what a code determines says no more of a person than the code does
    exact = {name for name, source in rules.items() if parts[source].is_code}
    blurs = {name: Blur.of(values[name], units, params.shared_by) for name in order if not parts[name].is_code and name not in exact}
    model = Trees(codec, order, forests, blurs, Bars.find([parts[name] for name in order], values), anchors.of)
    if params.discriminator and not params.given and job.reached is None:
        seen = codec.seen_on_axes
        told = [part for part in codec.parts if part.size != 1 and part.name not in seen]
        model.discriminator = learn(
            model.draw_axes,
            codec.axes(values),
            told,
            units,
            trees=params.discriminator,
            smoothing=SMOOTHING * params.min_leaf,
            rng=job.stream("discriminator"),
        )
    return model


def _growth(params: Params, rows: int, units: np.ndarray) -> Growth:
    """A leaf is as private as the number of people in it, not of their rows."""
    per_unit = rows / max(1, len(np.unique(units)))
    return Growth(params.trees, max(1, round(params.min_leaf * per_unit)), per_unit, params.max_depth)
