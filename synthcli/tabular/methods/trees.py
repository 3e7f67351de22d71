"""Sequential trees: each column is drawn by a forest on the columns before it; values are donors' or smoothed.

Reiter 2005 (CART synthesis), Nowok, Raab & Dibben 2016 (synthpop), here over the parts of a codec. Each column has a
few trees, pruned by held-out people (tabular/trees/grow.py). The values of a leaf are drawn by stratified sampling
(tabular/trees/forest.py), numbers that few people share are smoothed by rank, and structural zeros are excluded. Each
next column is the one with the strongest association to an earlier one (the order in which Prim's algorithm builds the
tree of Chow & Liu 1968). Half of the rows follow a sequence that begins with the number of largest total association,
half one that begins with the category of smallest. Rejection sampling (tabular/rejection/discriminator.py) then removes
remaining differences from the real rows.
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
from synthcli.columns.codec.conditions import Conditions
from synthcli.columns.codec.dependencies import determined
from synthcli.columns.codec.parts import Values
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dial, Job
from synthcli.tabular.model import CodedModel, encode, restore
from synthcli.tabular.rejection.discriminator import Discriminator, learn
from synthcli.tabular.trees import mixture
from synthcli.tabular.trees.checkpoint import FinishedForests
from synthcli.tabular.trees.features import Features
from synthcli.tabular.trees.forest import ARRAYS, Forest, marginal_forest
from synthcli.tabular.trees.grow import GrowthLimits, functional_dependency, grow
from synthcli.tabular.trees.rank_smoothing import RankSmoothing
from synthcli.tabular.trees.reference_columns import Reference, ReferenceColumns, find_references
from synthcli.tabular.trees.sequential import SequentialModel
from synthcli.tabular.trees.structural_zeros import StructuralZeros
from synthcli.tabular.trees.visit_sequence import visit_sequences

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset({"complete"})
EXTRA = None
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = Dial("min_leaf", fidelity=1, privacy=500)
GAIN = 0.1  # nats that a split must gain on held-out people, for each person that a leaf must have
SMOOTHING = 5.0  # regularisation of the discriminator, for each person that a leaf of the forests must have
WORKERS = 2  # parts whose trees are grown at once; they are independent, so the number changes no result


class Params(BaseModel):
    """min_leaf is the dial: larger leaves are more private."""

    model_config = ConfigDict(extra="forbid")
    min_leaf: int = Field(
        10,
        ge=1,
        le=1_000_000,
        description="privacy units in a leaf, at least (on average); larger is more private, smaller more faithful",
    )
    trees: int = Field(
        6, ge=1, le=64, description="trees per column; each row is drawn by one of them; more are smoother and slower"
    )
    orders: int = Field(
        2, ge=1, le=16, description="orders of the columns, which share the trees; each row is drawn in one of them"
    )
    max_depth: int = Field(24, ge=1, le=64, description="splits from root to leaf, at most")
    shared_by: int = Field(
        10,
        ge=1,
        description="privacy units that must hold a number for it to be repeated as it is; others are smoothed by rank",
    )
    discriminator: int = Field(
        200,
        ge=0,
        le=2000,
        description="trees of the discriminator that accepts or rejects generated rows, at most; 0: no rejection",
    )
    order: tuple[str, ...] = Field(
        (),
        description=(
            "columns to generate first, in this order; the others follow by association; if empty, evaluate.target is"
            " first"
        ),
    )
    given: tuple[str, ...] = Field(
        (), description="columns that are always known when rows are generated: the model does not learn them"
    )


class Trees(CodedModel):
    """A mixture of sequential models with different visit sequences."""

    def __init__(self, codec: Codec, models: Sequence[SequentialModel]) -> None:
        super().__init__(codec)
        self.models = models

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        return mixture.draw(self.models, rows, rng=rng)

    def draw_given(self, conditions: Conditions, *, rng: np.random.Generator) -> Values:
        return mixture.complete(self.models, conditions, rng=rng)

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        states = [_state(model) for model in self.models]
        return {f"{k}.{key}": array for k, (arrays, _) in enumerate(states) for key, array in arrays.items()}, {
            "chains": [plain for _, plain in states]
        }


def _state(model: SequentialModel) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays and JSON of one sequential model. All forests are concatenated: a wide table has thousands of trees."""
    order = list(model.order)
    forests = [model.forests[name] for name in _forest_parts(order)]
    forest_arrays = [forest.arrays() for forest in forests]
    arrays: dict[str, np.ndarray] = {}
    for key in ARRAYS:
        pieces = [each[key] for each in forest_arrays]
        arrays[f"{key}.at"] = np.cumsum([0, *(len(p) for p in pieces)])
        arrays[key] = np.concatenate(pieces) if pieces else np.zeros(0)
    ranks = [(f, j, rank) for f, forest in enumerate(forests) for j, rank in forest.ranks.items()]
    arrays["ranks.of"] = np.array([(f, j) for f, j, _ in ranks], dtype=np.int64).reshape(-1, 2)
    arrays["ranks.at"] = np.cumsum([0, *(len(rank) for _, _, rank in ranks)])
    arrays["ranks"] = np.concatenate([rank for _, _, rank in ranks]) if ranks else np.zeros(0, dtype=np.float32)
    number = {name: i for i, name in enumerate(order)}
    for name, smoothing in model.smoothing.items():
        arrays |= {f"{key}.{number[name]}": getattr(smoothing, key) for key in ("common", "grid", "rank")}
    arrays |= {f"barred.{i}": table for i, table in enumerate(model.zeros.pairs.values())}
    return arrays, {
        "order": order,
        "widths": {name: smoothing.width for name, smoothing in model.smoothing.items()},
        "barred": [list(pair) for pair in model.zeros.pairs],
        "anchors": {name: [r.equal_to, r.base, r.scale] for name, r in model.references.by_part.items()},
    }


def load(folder: Path) -> Trees:
    """Load the model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    states: list[Values] = [{} for _ in plain["chains"]]
    for key, array in arrays.items():
        number, _, name = key.partition(".")
        states[int(number)][name] = array
    model = Trees(codec, [_restore(codec, *each) for each in zip(states, plain["chains"])])
    model.discriminator = Discriminator.load(folder)
    return model


def _restore(codec: Codec, arrays: Values, plain: dict[str, Any]) -> SequentialModel:
    """The sequential model of what `_state` returned."""
    references = ReferenceColumns(
        codec,
        {name: Reference(tuple(equal_to), base, scale) for name, (equal_to, base, scale) in plain["anchors"].items()},
    )
    is_code = {part.name: part.is_code for part in (*codec.parts, *references.parts)}
    pieces = {key: np.split(arrays[key], arrays[f"{key}.at"][1:-1]) for key in ARRAYS}
    ranks: dict[int, dict[int, np.ndarray]] = {}
    for (f, j), rank in zip(arrays["ranks.of"], np.split(arrays["ranks"], arrays["ranks.at"][1:-1])):
        ranks.setdefault(int(f), {})[int(j)] = rank
    order = plain["order"]
    forests = {
        name: Forest.from_arrays({key: pieces[key][i] for key in ARRAYS}, ranks.get(i, {}), is_code[name])
        for i, name in enumerate(_forest_parts(order))
    }
    smoothing = {name: _smoothing(arrays, order.index(name), width) for name, width in plain["widths"].items()}
    zeros = {(before, part): arrays[f"barred.{i}"] for i, (before, part) in enumerate(plain["barred"])}
    return SequentialModel(order, forests, smoothing, StructuralZeros(zeros), references)


def _smoothing(arrays: Values, position: int, width: float) -> RankSmoothing:
    return RankSmoothing(arrays[f"common.{position}"], arrays[f"grid.{position}"], arrays[f"rank.{position}"], width)


def _forest_parts(order: Sequence[str]) -> list[str]:
    """The parts that a forest draws: all except numbers that follow from their step."""
    return [name for name in order if f"{name}#step" not in order]


def fit(data: Table, params: Params, *, job: Job) -> Trees:
    """Grow the forests of every part, in each visit sequence. Once a limit is reached, the remaining parts are drawn
    from their margins.
    """
    codec, values = encode(data, job)
    codec = codec.apart(params.given)
    units = np.unique(data.units(), return_inverse=True)[1]
    determinants = determined(values, codec.parts, units, codec.merged)
    orders = _orders(codec, values, determinants, params, job)
    limits = _limits(params, len(data), units, len(orders))
    training = _Training(codec, values, units, determinants, limits, params, job)
    models: list[SequentialModel] = []
    for k, order in enumerate(orders):
        model = training.fit(order, k, len(orders))
        if not models or job.reached is None:  # a model that a limit cut short is not needed beside a complete one
            models.append(model)
    trees = Trees(codec, models)
    if params.discriminator and not params.given and job.reached is None:
        excluded = codec.seen_on_axes
        trees.discriminator = learn(
            trees.draw_axes,
            codec.axes(values),
            [part for part in codec.parts if part.size != 1 and part.name not in excluded],
            units,
            trees=params.discriminator,
            smoothing=SMOOTHING * params.min_leaf,
            rng=job.stream("discriminator"),
        )
    return trees


def _orders(codec: Codec, values: Values, determinants: Mapping[str, str], params: Params, job: Job) -> list[list[str]]:
    """The visit sequences, at most as many as there are trees. If columns are always known, there is one."""
    first = params.order or ((job.target,) if job.target is not None else ())
    count = 1 if params.given else min(params.orders, params.trees)
    return visit_sequences(codec.parts, values, determinants, first, count=count, rng=job.stream("order"))


@dataclass(frozen=True)
class _Training:
    """The data and the settings that all sequential models are fitted with."""

    codec: Codec
    values: Values
    units: np.ndarray
    determinants: Mapping[str, str]
    limits: GrowthLimits
    params: Params
    job: Job

    @cached_property
    def smoothing(self) -> dict[str, RankSmoothing]:
        """Rank smoothing of the codec's numbers."""
        return {part.name: self._smoothing(self.values[part.name]) for part in self.codec.parts if not part.is_code}

    @cached_property
    def finished(self) -> FinishedForests:
        """The forests that an interrupted fit kept."""
        return FinishedForests(self.values, self.units, (self.params, self.limits, self.determinants), self.job)

    def _smoothing(self, values: np.ndarray) -> RankSmoothing:
        return RankSmoothing.fit(values, self.units, self.params.shared_by)

    def fit(self, order: Sequence[str], number: int, count: int) -> SequentialModel:
        """Fit the sequential model of one visit sequence, the number-th of `count`."""
        codec, values, units, determinants, job = self.codec, self.values, self.units, self.determinants, self.job
        references = find_references(order, codec, values, units, self.params.shared_by, determinants)
        order = references.with_parts(order)
        parts = {part.name: part for part in (*codec.parts, *references.parts)}
        values = values | references.encode(values)
        features = Features.of(
            [values[name] for name in order], [parts[name].size for name in order], units, rng=job.stream("screen")
        )

        def forest_of(i: int) -> Forest:
            name = order[i]
            y = values[name]
            if (same := values.get(f"{name}#same")) is not None:
                y = np.where(same > 0, np.nan, y)
            if parts[name].column in self.params.given:
                return marginal_forest(np.zeros(1, dtype=y.dtype))
            rng = job.stream("forest", name, number)
            if job.reached is not None:
                return grow(features, 0, y, parts[name], self.limits, rng=rng)
            if (determinant := determinants.get(name)) is not None and order.index(determinant) < i:
                return functional_dependency(features, order.index(determinant), y)
            part, limits = parts[name], self.limits
            return finished.get(order, name, part.is_code, lambda: grow(features, i, y, part, limits, rng=rng))

        forests, finished = {}, self.finished
        with warnings.catch_warnings(), ThreadPoolExecutor(WORKERS) as executor:
            # the tree library warns if a table has nearly as many classes as rows
            warnings.simplefilter("ignore", UserWarning)
            positions = [i for i, name in enumerate(order) if name in _forest_parts(order)]
            for i, forest in zip(positions, executor.map(forest_of, positions)):
                forests[order[i]] = forest
                job.going("columns", number * len(order) + i + 1, count * len(order), order[i])
        # a number that a code determines needs no smoothing: it says no more about a person than the code does
        exact = {name for name, source in determinants.items() if parts[source].is_code}
        numbers = [name for name in order if not parts[name].is_code and name not in exact]
        smoothing = {name: self.smoothing.get(name) or self._smoothing(values[name]) for name in numbers}
        zeros = StructuralZeros.find([parts[name] for name in order], values)
        return SequentialModel(order, forests, smoothing, zeros, references)


def _limits(params: Params, rows: int, units: np.ndarray, orders: int) -> GrowthLimits:
    """The growth limits of one sequential model. The privacy of a leaf depends on its people, not on its rows."""
    per_unit = rows / max(1, len(np.unique(units)))
    return GrowthLimits(
        trees=-(-params.trees // orders),
        min_leaf_rows=max(1, round(params.min_leaf * per_unit)),
        rows_per_unit=per_unit,
        max_depth=params.max_depth,
        min_gain=GAIN * params.min_leaf,
    )
