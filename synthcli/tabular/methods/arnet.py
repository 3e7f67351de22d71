"""A small autoregressive network over any order of the columns (TabularARGN: Tiwald et al. 2025, arXiv 2501.12012).

Columns are discretised (tabular/neural/discretization.py), and a network predicts each from any subset of the others
(tabular/neural/autoregressive.py). Half of the rows are trained in the order of generation, half in random orders, so
that `draw` can condition on any known parts.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.codec.codec import Codec, Values
from synthcli.columns.codec.conditions import Conditions
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dial, Job
from synthcli.tabular.model import CodedModel, encode, restore
from synthcli.tabular.neural.discretization import Discretization
from synthcli.tabular.neural.params import BatchSize, Dropout, Embedding, SharedBy, WeightDecay

if TYPE_CHECKING:
    from synthcli.tabular.neural.autoregressive import Ordered

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset({"complete"})
EXTRA = "neural"
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = Dial("dropout", fidelity=0.05, privacy=0.6)
PREDICTORS = 40  # maximum number of predictors of a digit: those of the strongest association
SCREENED = 5_000  # rows used to measure association
REDRAWN = 100  # attempts to redraw a row that violates a bound
STEPS = 20  # minimum per epoch while batches have at least 32 rows, so that small tables are trained on enough steps


class Params(BaseModel):
    """dropout is the dial: more dropout blurs more."""

    model_config = ConfigDict(extra="forbid")
    dropout: Dropout = 0.2
    epochs: int = Field(
        30,
        ge=1,
        le=10_000,
        description="maximum number of passes over the data; training stops when held-out loss no longer improves",
    )
    batch_size: BatchSize = 1024
    learning_rate: float = Field(
        2e-3, gt=0, le=1, description="learning rate of AdamW, halved when held-out loss no longer improves"
    )
    weight_decay: WeightDecay = 0.1
    hidden: int = Field(64, ge=1, le=4096, description="units in each of the two hidden layers of a column")
    embedding: Embedding = 16
    bins: int = Field(64, ge=1, le=4096, description="quantile bins of a number")
    shared_by: SharedBy = 10
    random_order: float = Field(
        0.5,
        ge=0,
        le=1,
        description="share of rows trained in a random order of the columns instead of the order of generation",
    )
    order: tuple[str, ...] = Field(
        (), description="columns to generate first, in this order; the others follow by number of distinct values"
    )


class ArNet(CodedModel):
    """A fitted network. order: (columns,) positions of the columns in the order of generation."""

    def __init__(self, codec: Codec, discretization: Discretization, order: np.ndarray, net: Ordered | None) -> None:
        super().__init__(codec)
        self.discretization, self.order, self.net = discretization, order, net

    def draw(self, rows: int, *, rng: np.random.Generator, given: Values | None = None) -> Values:
        """Draw every part of `rows` rows given the known ones. given: part name -> codes (-1: unknown) or numbers (NaN:
        unknown).

        State 0 with number NaN means that the number is not null but unknown. Known values come back unchanged.
        """
        given = given or {}
        digits, first = self.discretization.encode(given, rows)
        if self.net is not None:
            draws, inside = rng.spawn(2)
            out = self.discretization.decode(self._drawn(digits, first, rng=draws), rng=inside)
        else:
            out = {}
        for name, values in given.items():
            known = values >= 0 if values.dtype.kind in "iu" else ~np.isnan(values)
            out[name] = np.where(known, values, out[name])
        return out

    def draw_given(self, conditions: Conditions, *, rng: np.random.Generator) -> Values:
        """Draw rows given their known cells. Redraw rows that break a bound: the net itself knows no bounds."""
        out = self.draw(conditions.rows, rng=rng, given=conditions.known)
        for _ in range(REDRAWN):
            wrong = np.flatnonzero(_breaks(conditions, out))
            if not len(wrong):
                return out
            again = self.draw(
                len(wrong), rng=rng, given={name: values[wrong] for name, values in conditions.known.items()}
            )
            for name, values in again.items():
                out[name][wrong] = values
        return out

    def _drawn(self, digits: np.ndarray, first: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Draw the unknown digits given the known ones. (rows, digits)"""
        import torch

        from synthcli.nets.device import one_thread

        owner = self.discretization.owner
        steps = [j for column in self.order for j in np.flatnonzero(owner == column).tolist()]
        same = owner[:, None] == owner
        # digits of columns with excluded categories
        partly = (first > 0).astype(np.float32) @ same.astype(np.float32) > 0
        known = torch.from_numpy(digits >= 0)
        out, least = torch.from_numpy(np.maximum(digits, 0)), torch.from_numpy(first)
        with one_thread():
            # draw partly known columns first, so that the others are conditioned on them
            for where in (torch.from_numpy(partly), torch.ones_like(known)):
                for j in steps:
                    rows = torch.nonzero(where[:, j] & ~known[:, j])[:, 0]
                    if not len(rows):
                        continue
                    if j and owner[j] == owner[j - 1]:  # the bound on a low digit holds only at the lowest high digit
                        least[rows, j] *= out[rows, j - 1] == least[rows, j - 1]
                    u = torch.from_numpy(rng.random(len(rows)))
                    out[rows, j] = self.net.draw(j, out[rows], known[rows], least[rows, j], u)  # type: ignore[union-attr]
                    known[rows, j] = True
        return out.numpy()

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        if self.net is None:
            return {}, {"shape": None}
        from synthcli.nets import weights

        return {**self.discretization.to_arrays(), "order": self.order, **weights.to_arrays(self.net.state_dict())}, {
            "shape": self.net.shape.to_json()
        }


def load(folder: Path) -> ArNet:
    """Load the model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    if plain["shape"] is None:
        return ArNet(codec, Discretization(()), np.zeros(0, dtype=np.int64), None)
    import torch

    from synthcli.nets import weights
    from synthcli.tabular.neural.autoregressive import Ordered, Shape

    net = Ordered(Shape.from_json(plain["shape"]), torch.Generator())
    weights.set_arrays(net, arrays)
    return ArNet(codec, Discretization.from_arrays(codec.parts, arrays), arrays["order"], net)


def fit(data: Table, params: Params, *, job: Job) -> ArNet:
    """Train until the loss on held-out privacy units stops improving, or a limit or the epochs are reached."""
    codec, values = encode(data, job)
    discretization = Discretization.fit(codec.parts, values, data.units(), params.bins, params.shared_by)
    if not discretization.columns:
        job.going("train", 1, 1)
        return ArNet(codec, discretization, np.zeros(0, dtype=np.int64), None)
    order = _order(discretization, values, params.order)
    digits = discretization.encode(values, len(data))[0]
    return ArNet(codec, discretization, order, _train(discretization, digits, order, data.units(), params, job))


def _breaks(conditions: Conditions, out: Values) -> np.ndarray:
    """Which rows break a condition in a cell that was not given. (rows,) bool"""
    wrong = np.zeros(conditions.rows, dtype=bool)
    for name, within in conditions.within.items():
        values, known = out[name], conditions.known.get(name)
        free = (
            np.ones(conditions.rows, dtype=bool)
            if known is None
            else (known < 0 if known.dtype.kind == "i" else np.isnan(known))
        )
        absent = (
            np.isnan(values) if values.dtype.kind == "f" else np.zeros(conditions.rows, dtype=bool)
        )  # null or a point mass: the state part is checked itself
        wrong |= free & ~absent & ~within(values)
    return wrong


def _train(
    discretization: Discretization, digits: np.ndarray, order: np.ndarray, units: np.ndarray, params: Params, job: Job
) -> Ordered:
    import torch

    from synthcli.nets.device import generator
    from synthcli.nets.loop import Training, train
    from synthcli.tabular.neural.autoregressive import Ordered, Shape, ranks

    shape = Shape(
        tuple(discretization.sizes),
        _seen(digits, discretization.owner, rng=job.stream("screen")),
        params.embedding,
        params.hidden,
    )
    draws = generator(job.stream("weights"))
    net = Ordered(shape, draws)
    table = torch.from_numpy(digits)
    net.begin(table, discretization.ordered, draws)
    owner, fixed = torch.from_numpy(discretization.owner), torch.from_numpy(np.argsort(order))

    def loss(net: Any, batch: Any, draws: torch.Generator, training: bool) -> torch.Tensor:
        orders = ranks(len(batch[0]), owner, fixed, params.random_order, draws).to(batch[0].device)
        return net.loss(batch[0], orders, params.dropout, draws if training else None)

    size = min(params.batch_size, shape.batch, max(32, len(digits) // STEPS))
    how = Training(params.epochs, size, params.learning_rate, params.weight_decay)
    train(net, loss, [table], units, how, job=job, rng=job.stream("train"))
    return net


def _order(discretization: Discretization, values: Values, first: tuple[str, ...]) -> np.ndarray:
    """The order of the columns: `first`, then by number of distinct values, few first. (columns,)"""
    parts = [column.parts[-1] for column in discretization.columns]
    rank = {name: i - len(first) for i, name in enumerate(first)}
    distinct = [len(np.unique(values[part.name])) for part in parts]
    return np.array(
        sorted(range(len(parts)), key=lambda i: (rank.get(parts[i].column, 0), distinct[i])), dtype=np.int64
    )


def _seen(digits: np.ndarray, owner: np.ndarray, *, rng: np.random.Generator) -> tuple[tuple[int, ...], ...]:
    """The predictors of each digit: all others, or the PREDICTORS of the strongest association, always including those
    of its own column.
    """
    d = digits.shape[1]
    if d - 1 <= PREDICTORS:
        return tuple(tuple(i for i in range(d) if i != j) for j in range(d))
    rows = np.sort(rng.permutation(len(digits))[:SCREENED])
    strength = _association(digits[rows] % 16)  # for digits of many classes, the last hexadecimal digit
    strength[owner[:, None] == owner[None, :]] = np.inf
    np.fill_diagonal(strength, -np.inf)
    return tuple(tuple(np.sort(np.argsort(-row, kind="stable")[:PREDICTORS]).tolist()) for row in strength)


def _association(classes: np.ndarray) -> np.ndarray:
    """Chi-square of each pair of columns minus its degrees of freedom. classes: (n, d) below 16 -> (d, d)"""
    n, d = classes.shape
    onehot = (classes[:, :, None] == np.arange(16)).astype(np.float32).reshape(n, d * 16)
    table = (onehot.T @ onehot).reshape(d, 16, d, 16).transpose(0, 2, 1, 3)
    margin = onehot.sum(0).reshape(d, 16)
    expected = margin[:, None, :, None] * margin[None, :, None, :] / n
    chi = np.where(expected > 0, (table - expected) ** 2 / np.maximum(expected, 1e-9), 0.0).sum((2, 3))
    freedom = (margin > 0).sum(1) - 1
    return (chi - freedom[:, None] * freedom[None, :]).astype(np.float64)
