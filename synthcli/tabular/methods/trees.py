"""Autoregressive trees: each column by a forest on the columns before it, every value a donor's or a blurred one.

Reiter 2005 (CART synthesis), Nowok, Raab & Dibben 2016 (synthpop); here over the parts of a codec, with a few trees per
column that held-out people have pruned (tabular/trees/grow.py), values drawn evenly from leaves
(tabular/trees/forest.py), numbers that few people share blurred among their neighbours by rank, and combinations that
never occur kept out. Columns follow one another along their strongest ties (the order in which Prim's algorithm builds
the tree of Chow & Liu 1968), from the number that has most to do with the others; in a second order, which half of the
rows follow, from the category that has least. What is left of traces is taken away by
tabular/rejection/discriminator.py.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.conditions import Asked
from synthcli.columns.codec.dependencies import determined
from synthcli.columns.codec.parts import Values
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dial, Job
from synthcli.tabular.model import CodedModel, encode, restore
from synthcli.tabular.rejection.discriminator import Discriminator, learn
from synthcli.tabular.trees import mixture as chains
from synthcli.tabular.trees.features import Features
from synthcli.tabular.trees.forest import ARRAYS, Forest, marginal
from synthcli.tabular.trees.grow import Growth, grow, rule
from synthcli.tabular.trees.rank_smoothing import Blur
from synthcli.tabular.trees.reference_columns import Anchor, Anchors, find
from synthcli.tabular.trees.sequential import Learned
from synthcli.tabular.trees.structural_zeros import Bars
from synthcli.tabular.trees.visit_sequence import orders_of

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset({"complete"})
EXTRA = None
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = Dial("min_leaf", fidelity=1, privacy=500)
GAIN = 0.1  # nats that a split must gain on held-out people, for each that a leaf must have
# quarters of a row that count against a leaf of the discriminator, for each that a leaf of the forests must have
SMOOTHING = 5.0
WORKERS = 2  # parts whose trees are grown at once; they are independent, so the number changes no result


class Params(BaseModel):
    """min_leaf is the dial: larger leaves blur more."""

    model_config = ConfigDict(extra="forbid")
    min_leaf: int = Field(
        10,
        ge=1,
        le=1_000_000,
        description="privacy units in a leaf, at least (on average); larger is more private, smaller more faithful",
    )
    trees: int = Field(
        6, ge=1, le=64, description="trees per column, of which each row follows one; more are smoother and slower"
    )
    orders: int = Field(
        2, ge=1, le=16, description="orders in which the columns are made, which share the trees; each row follows one"
    )
    max_depth: int = Field(24, ge=1, le=64, description="splits from root to leaf, at most")
    shared_by: int = Field(
        10,
        ge=1,
        description="privacy units that must hold a number for it to be repeated as it is; others are blurred by rank",
    )
    discriminator: int = Field(
        200,
        ge=0,
        le=2000,
        description="trees that tell drawn rows from real ones, at most; rows are kept by them; 0: all rows are",
    )
    order: tuple[str, ...] = Field(
        (),
        description=(
            "columns to make first, in this order; the others follow by their ties; without any, evaluate.target is"
            " first"
        ),
    )
    given: tuple[str, ...] = Field(
        (), description="columns that are always known when rows are asked for: of them nothing is learned"
    )


class Trees(CodedModel):
    """Chains of forests that differ in the order in which parts are drawn."""

    def __init__(self, codec: Codec, learned: Sequence[Learned]) -> None:
        super().__init__(codec)
        self.learned = learned

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        return chains.draw(self.learned, rows, rng=rng)

    def draw_asked(self, asked: Asked, *, rng: np.random.Generator) -> Values:
        return chains.complete(self.learned, asked, rng=rng)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        own = [_state(learned) for learned in self.learned]
        return {f"{k}.{key}": array for k, (arrays, _) in enumerate(own) for key, array in arrays.items()}, {
            "chains": [plain for _, plain in own]
        }


def _state(learned: Learned) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Of one chain, all forests end to end, with where each one starts: a wide table has thousands of trees."""
    order = list(learned.order)
    forests = [learned.forests[name] for name in _grown(order)]
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
    number = {name: i for i, name in enumerate(order)}
    for name, blur in learned.blurs.items():
        arrays |= {f"{key}.{number[name]}": getattr(blur, key) for key in ("common", "grid", "rank")}
    arrays |= {f"barred.{i}": table for i, table in enumerate(learned.bars.pairs.values())}
    widths = {name: blur.width for name, blur in learned.blurs.items()}
    anchors = {name: [anchor.same, anchor.base, anchor.unit] for name, anchor in learned.anchors.of.items()}
    return arrays, {
        "order": order,
        "widths": widths,
        "barred": [list(pair) for pair in learned.bars.pairs],
        "anchors": anchors,
    }


def load(folder: Path) -> Trees:
    """The model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    own: list[Values] = [{} for _ in plain["chains"]]
    for key, array in arrays.items():
        number, _, name = key.partition(".")
        own[int(number)][name] = array
    model = Trees(codec, [_chain(codec, *each) for each in zip(own, plain["chains"])])
    model.discriminator = Discriminator.load(folder)
    return model


def _chain(codec: Codec, arrays: Values, plain: dict[str, Any]) -> Learned:
    anchors = Anchors(
        codec, {name: Anchor(tuple(same), base, unit) for name, (same, base, unit) in plain["anchors"].items()}
    )
    is_code = {part.name: part.is_code for part in (*codec.parts, *anchors.parts)}
    pieces = {key: np.split(arrays[key], arrays[f"{key}.at"][1:-1]) for key in ARRAYS}
    ranks: dict[int, dict[int, np.ndarray]] = {}
    for (f, j), rank in zip(arrays["ranks.of"], np.split(arrays["ranks"], arrays["ranks.at"][1:-1])):
        ranks.setdefault(int(f), {})[int(j)] = rank
    order = plain["order"]
    forests = {
        name: Forest.from_arrays({key: pieces[key][i] for key in ARRAYS}, ranks.get(i, {}), is_code[name])
        for i, name in enumerate(_grown(order))
    }
    blurs = {name: _blur(arrays, order.index(name), width) for name, width in plain["widths"].items()}
    barred = {(before, part): arrays[f"barred.{i}"] for i, (before, part) in enumerate(plain["barred"])}
    return Learned(order, forests, blurs, Bars(barred), anchors)


def _grown(order: Sequence[str]) -> list[str]:
    """The parts that a forest draws: all but numbers that their step leads to."""
    return [name for name in order if f"{name}#step" not in order]


def _blur(arrays: Values, at: int, width: float) -> Blur:
    return Blur(arrays[f"common.{at}"], arrays[f"grid.{at}"], arrays[f"rank.{at}"], width)


def fit(data: Table, params: Params, *, job: Job) -> Trees:
    """Grow the forests of every part, in each order. When a limit is reached, the parts that are left are drawn from
    their marginals.
    """
    codec, values = encode(data, job)
    codec = codec.apart(params.given)
    units = np.unique(data.units(), return_inverse=True)[1]
    rules = determined(values, codec.parts, units, codec.merged)
    orders = _orders(codec, values, rules, params, job)
    ground = _Ground(codec, values, units, rules, _growth(params, len(data), units, len(orders)), params, job)
    grown: list[Learned] = []
    for k, order in enumerate(orders):
        learned = ground.chain(order, k, len(orders))
        if not grown or job.reached is None:  # what a limit has cut short is not needed beside what is whole
            grown.append(learned)
    model = Trees(codec, grown)
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


def _orders(codec: Codec, values: Values, rules: Mapping[str, str], params: Params, job: Job) -> list[list[str]]:
    """No more than there are trees. Where something is always known there is one, which begins with that."""
    first = params.order or ((job.target,) if job.target is not None else ())
    many = 1 if params.given else min(params.orders, params.trees)
    return orders_of(codec.parts, values, rules, first, many=many, rng=job.stream("order"))


@dataclass(frozen=True)
class _Ground:
    """What every chain is grown from."""

    codec: Codec
    values: Values
    units: np.ndarray
    rules: Mapping[str, str]
    how: Growth
    params: Params
    job: Job

    @cached_property
    def blurs(self) -> dict[str, Blur]:
        """Of the numbers of the codec."""
        return {part.name: self._blur(self.values[part.name]) for part in self.codec.parts if not part.is_code}

    def _blur(self, values: np.ndarray) -> Blur:
        return Blur.of(values, self.units, self.params.shared_by)

    def chain(self, order: Sequence[str], number: int, chains: int) -> Learned:
        """The number-th of so many chains."""
        codec, values, units, rules, job = self.codec, self.values, self.units, self.rules, self.job
        anchors = find(order, codec, values, units, self.params.shared_by, rules)
        order = anchors.placed(order)
        parts = {part.name: part for part in (*codec.parts, *anchors.parts)}
        values = values | anchors.coded(values)
        features = Features.of(
            [values[name] for name in order], [parts[name].size for name in order], units, rng=job.stream("screen")
        )

        def forest_of(i: int) -> Forest:
            name = order[i]
            y = (
                np.where(same > 0, np.nan, values[name])
                if (same := values.get(f"{name}#same")) is not None
                else values[name]
            )
            if parts[name].column in self.params.given:
                return marginal(np.zeros(1, dtype=y.dtype))
            rng = job.stream("forest", name, number)
            if job.reached is not None:
                return grow(features, 0, y, parts[name], self.how, rng=rng)
            if (source := rules.get(name)) is not None and order.index(source) < i:
                return rule(features, order.index(source), y)
            return grow(features, i, y, parts[name], self.how, rng=rng)

        forests = {}
        with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as pool:
            # a small table may have nearly as many classes as rows; the tree library takes that for a mistake
            warnings.simplefilter("ignore", UserWarning)
            grown = [i for i, name in enumerate(order) if name in _grown(order)]
            for i, forest in zip(grown, pool.map(forest_of, grown)):
                forests[order[i]] = forest
                job.going("columns", number * len(order) + i + 1, chains * len(order), order[i])
        # what a code determines says no more of a person than the code does
        exact = {name for name, source in rules.items() if parts[source].is_code}
        numbers = [name for name in order if not parts[name].is_code and name not in exact]
        blurs = {name: self.blurs.get(name) or self._blur(values[name]) for name in numbers}
        return Learned(order, forests, blurs, Bars.find([parts[name] for name in order], values), anchors)


def _growth(params: Params, rows: int, units: np.ndarray, chains: int) -> Growth:
    """Of each chain. A leaf is as private as the number of people in it, not of their rows."""
    per_unit = rows / max(1, len(np.unique(units)))
    return Growth(
        -(-params.trees // chains),
        max(1, round(params.min_leaf * per_unit)),
        per_unit,
        params.max_depth,
        GAIN * params.min_leaf,
    )
