"""Diffusion over mixed columns: Gaussian on numbers and absorbing on categories, jointly (TabDDPM: Kotelnikov et al.
2023, arXiv 2209.15421; TabDiff: Shi et al. 2025, arXiv 2410.20626; EDM: Karras et al. 2022).

Numbers with frequent values (ages, hours) are treated as categories (tabular/neural/discretization.py), since Gaussian
noise would smear their point masses. The others are transformed to normal scores. tabular/neural/denoiser.py is the
network and its sampler.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from synthcli.columns.codec.codec import Codec, Part, Values
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dial, Job
from synthcli.tabular.model import CodedModel, encode, fill_missing, restore
from synthcli.tabular.neural.discretization import Discretization, NumberCategories, quantiles
from synthcli.tabular.neural.params import BatchSize, Dropout, Embedding, SharedBy, WeightDecay

if TYPE_CHECKING:
    from synthcli.tabular.neural.denoiser import Denoiser

MODALITY = "tabular"
MODES = frozenset({"none"})
CAN: frozenset[str] = frozenset()
EXTRA = "neural"
TRUSTED_LOAD = False
WARNING: str | None = None
DIAL = Dial("dropout", fidelity=0.02, privacy=0.6)
GRID = 1001  # maximum number of quantiles of a number
TINY = 1e-290  # numbers below are scaled up, exactly, before they are interpolated
ROUND_STEPS = 20  # minimum steps per epoch while batches have at least 32 rows
EDGE = 1e-4  # shares below EDGE and above 1 - EDGE are clipped before normal scores


class Params(BaseModel):
    """dropout is the dial: more dropout blurs more."""

    model_config = ConfigDict(extra="forbid")
    dropout: Dropout = 0.2
    epochs: int = Field(
        100,
        ge=1,
        le=10_000,
        description="maximum number of passes over the data; training stops when held-out loss no longer improves",
    )
    batch_size: BatchSize = 1024
    learning_rate: float = Field(
        2e-3, gt=0, le=1, description="learning rate of AdamW, halved when held-out loss no longer improves"
    )
    weight_decay: WeightDecay = 0.05
    hidden: int = Field(384, ge=1, le=4096, description="units in each layer")
    layers: int = Field(3, ge=1, le=16, description="residual layers")
    embedding: Embedding = 16
    steps: int = Field(30, ge=2, le=1000, description="denoising steps")
    bins: int = Field(64, ge=1, le=4096, description="quantile bins of a number that is treated as a category")
    shared_by: SharedBy = 10


@dataclass(frozen=True)
class Score:
    """Transform of a number to normal scores. grid: (g,) quantiles at evenly spaced shares."""

    part: Part
    grid: np.ndarray

    def encode(self, values: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Normal scores; ties are spread at random over their range of ranks. (rows,) float32"""
        from scipy.special import ndtri

        known, grid = fill_missing(values, rng=rng), self.grid
        if 0 < np.abs(grid).max() < TINY:  # a slope over subnormal distances would overflow
            known, grid = known * 2.0**600, grid * 2.0**600
        shares = np.linspace(0, 1, len(grid))
        low = np.interp(known, *_steps(grid, shares, "left"))
        high = np.interp(known, *_steps(grid, shares, "right"))
        return ndtri(np.clip(low + rng.random(len(known)) * (high - low), EDGE, 1 - EDGE)).astype(np.float32)

    def decode(self, scores: np.ndarray) -> np.ndarray:
        from scipy.special import ndtr

        return np.interp(ndtr(scores.astype(np.float64)), np.linspace(0, 1, len(self.grid)), self.grid)


def _steps(grid: np.ndarray, shares: np.ndarray, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Distinct grid points with their smallest (left) or largest (right) share."""
    distinct, first, count = np.unique(grid, return_index=True, return_counts=True)
    return distinct, shares[first if side == "left" else first + count - 1]


class Diffusion(CodedModel):
    """A denoiser with the encodings of its categories and numbers."""

    def __init__(
        self, codec: Codec, discretization: Discretization, scores: list[Score], net: Denoiser | None, steps: int
    ) -> None:
        super().__init__(codec)
        self.discretization, self.scores, self.net, self.steps = discretization, scores, net, steps

    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        if self.net is None:
            return {}
        from synthcli.nets.device import generator, one_thread
        from synthcli.tabular.neural.denoiser import sample

        draws, inside = rng.spawn(2)
        with one_thread():
            digits, numbers = sample(self.net, rows, self.steps, generator(draws))
        out = self.discretization.decode(digits.numpy(), rng=inside)
        for j, score in enumerate(self.scores):
            values, state = score.decode(numbers[:, j].numpy()), out.get(f"{score.part.name}#state")
            out[score.part.name] = values if state is None else np.where(state == 0, values, np.nan)
        return out

    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        if self.net is None:
            return {}, {"shape": None}
        from synthcli.nets import weights

        grids = {f"grid.{j}": score.grid for j, score in enumerate(self.scores)}
        plain = {
            "shape": self.net.shape.to_json(),
            "steps": self.steps,
            "scores": [score.part.name for score in self.scores],
        }
        return {**self.discretization.to_arrays(), **grids, **weights.to_arrays(self.net.state_dict())}, plain


def load(folder: Path) -> Diffusion:
    """Load the model that `save` wrote."""
    codec, arrays, plain = restore(folder)
    if plain["shape"] is None:
        return Diffusion(codec, Discretization(()), [], None, 0)
    import torch

    from synthcli.nets import weights
    from synthcli.tabular.neural.denoiser import Denoiser, Shape

    net = Denoiser(Shape.from_json(plain["shape"]), torch.Generator())
    weights.set_arrays(net, arrays)
    parts = {part.name: part for part in codec.parts}
    scores = [Score(parts[name], arrays[f"grid.{j}"]) for j, name in enumerate(plain["scores"])]
    discretization = Discretization.from_arrays(
        [part for part in codec.parts if part.name not in plain["scores"]], arrays
    )
    return Diffusion(codec, discretization, scores, net, plain["steps"])


def fit(data: Table, params: Params, *, job: Job) -> Diffusion:
    """Train until the loss on held-out privacy units stops improving, or a limit or the epochs are reached."""
    codec, values = encode(data, job)
    if not codec.parts:
        job.going("train", 1, 1)
        return Diffusion(codec, Discretization(()), [], None, 0)
    units = data.units()
    whole = Discretization.fit(codec.parts, values, units, params.bins, params.shared_by)
    smooth = [c.number for c in whole.columns if isinstance(c, NumberCategories) and not len(c.atoms) and len(c.grid)]
    scores = [Score(part, quantiles(values[part.name], units, GRID, params.shared_by)) for part in smooth]
    rest = [part for part in codec.parts if part not in smooth]
    discretization = Discretization.fit(rest, values, units, params.bins, params.shared_by)
    return Diffusion(
        codec, discretization, scores, _train(discretization, scores, values, units, params, job), params.steps
    )


def _train(
    discretization: Discretization, scores: list[Score], values: Values, units: np.ndarray, params: Params, job: Job
) -> Denoiser:
    import torch

    from synthcli.nets.device import generator
    from synthcli.nets.loop import Training, train
    from synthcli.tabular.neural.denoiser import Denoiser, Shape

    rows, rng = len(units), job.stream("scores")
    digits = torch.from_numpy(discretization.encode(values, rows)[0])
    x = torch.from_numpy(
        np.array([s.encode(values[s.part.name], rng=rng) for s in scores], dtype=np.float32).reshape(-1, rows).T.copy()
    )
    known = torch.from_numpy(
        np.array([~np.isnan(values[s.part.name]) for s in scores], dtype=np.float32).reshape(-1, rows).T.copy()
    )
    net = Denoiser(
        Shape(tuple(discretization.sizes), len(scores), params.embedding, params.hidden, params.layers),
        generator(job.stream("weights")),
    )
    net.begin(digits)

    def loss(net: Any, batch: Any, draws: torch.Generator, training: bool) -> torch.Tensor:
        return net.loss(*batch, draws, params.dropout, training)

    size = min(params.batch_size, max(32, rows // ROUND_STEPS))
    how = Training(params.epochs, size, params.learning_rate, params.weight_decay, patience=10, average=0.995)
    train(net, loss, [digits, x, known], units, how, job=job, rng=job.stream("train"))
    return net
