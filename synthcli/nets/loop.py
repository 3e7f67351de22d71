"""The training loop of every torch method: AdamW, averaged weights, a plateau schedule, early stopping on unseen
privacy units.

A round is one pass over the training rows, or STEPS steps if a pass is longer. After each round the averaged weights
are evaluated on the held-out rows with the same random draws; training returns the best of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synthcli.contracts.modelling import Job
from synthcli.errors import FitError
from synthcli.nets import checkpoint
from synthcli.nets.device import generator, one_thread

STEPS = 400  # maximum of a round, so that limits and patience need not wait for a pass over millions of rows
HELD_OUT = 0.1  # share of the privacy units held out for early stopping
LEAST_UNITS = 30  # with fewer units, all rows serve for both training and evaluation
HELD_ROWS = 10_000  # maximum number of held-out rows to evaluate
SECONDS = 10.0  # minimum time between two checkpoints
FILE = "checkpoint.pt"

Loss = Callable[[torch.nn.Module, Sequence[torch.Tensor], torch.Generator, bool], torch.Tensor]


@dataclass(frozen=True)
class Training:
    """Training settings. epochs: maximum number of passes; patience: rounds without improvement before stopping;
    average: decay of the averaged weights.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.01
    patience: int = 6
    average: float = 0.99
    clip: float = 1.0  # maximum gradient norm
    better: float = 1e-4  # relative improvement of the loss that counts


@dataclass
class _State:
    """The mutable state of training, which a checkpoint saves."""

    net: torch.nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.ReduceLROnPlateau
    draws: torch.Generator
    average: dict[str, torch.Tensor]
    best: dict[str, torch.Tensor]
    best_loss: float = float("inf")
    best_round: int = 0
    step: int = 0
    round: int = 0
    written: float = field(default_factory=time.monotonic)

    def to_dict(self, fingerprint: str) -> dict[str, Any]:
        plain = {name: getattr(self, name) for name in ("average", "best", "best_loss", "best_round", "step", "round")}
        parts = {name: getattr(self, name).state_dict() for name in ("net", "optimizer", "schedule")}
        return {"fingerprint": fingerprint, "draws": self.draws.get_state(), **plain, **parts}

    def take(self, saved: dict[str, Any], device: str) -> None:
        for name in ("net", "optimizer", "schedule"):
            getattr(self, name).load_state_dict(saved[name])
        for name in ("best_loss", "best_round", "step", "round"):
            setattr(self, name, saved[name])
        for name in ("average", "best"):
            setattr(self, name, {key: tensor.to(device) for key, tensor in saved[name].items()})
        self.draws.set_state(saved["draws"])


def train(
    net: torch.nn.Module,
    loss: Loss,
    data: Sequence[torch.Tensor],
    units: np.ndarray,
    how: Training,
    *,
    job: Job,
    rng: np.random.Generator,
) -> None:
    """Train `net` in place to the averaged weights with the best held-out loss, and move it to the CPU.

    data: tensors with a row per record; units: (rows,) privacy unit of each. loss(net, batch, draws, training): mean
    over the rows of a batch. Stops at the job's limits. Resumes from the checkpoint in job.folder with the same result
    as without interruption. Raises FitError if the loss is not finite.
    """
    with one_thread():
        learned, held = (torch.from_numpy(rows) for rows in split(units, rng=rng))
        belongs_to = checkpoint.fingerprint(
            [*data, *net.state_dict().values(), learned, held], how, seed := int(rng.integers(2**62))
        )
        net.to(job.device)
        state = _start(net, how, generator(np.random.default_rng(seed)))
        path = None if job.folder is None else job.folder / FILE
        if path is not None and (saved := checkpoint.read(path, belongs_to)) is not None:
            state.take(saved, job.device)
        _rounds(state, loss, data, learned, held, how, job, path, belongs_to)
        net.load_state_dict(state.best)
        net.to("cpu")


def split(units: np.ndarray, *, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Positions of the training rows and of the held-out rows. The split is by unit; below LEAST_UNITS, both are all
    rows.
    """
    known = rng.permutation(np.unique(units))
    if len(known) < LEAST_UNITS:
        everything = np.arange(len(units))
        return everything, everything
    away = np.isin(units, known[: max(1, int(HELD_OUT * len(known)))])
    held = np.flatnonzero(away)
    return np.flatnonzero(~away), np.sort(rng.permutation(held)[:HELD_ROWS])


def _start(net: torch.nn.Module, how: Training, draws: torch.Generator) -> _State:
    optimizer = torch.optim.AdamW(net.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimizer, factor=0.5, patience=max(1, how.patience // 3), threshold=how.better
    )
    return _State(net, optimizer, schedule, draws, average=_copy(net.state_dict()), best=_copy(net.state_dict()))


def _copy(weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in weights.items()}


def _rounds(
    state: _State,
    loss: Loss,
    data: Sequence[torch.Tensor],
    learned: torch.Tensor,
    held: torch.Tensor,
    how: Training,
    job: Job,
    path: Path | None,
    belongs_to: str,
) -> None:
    rows = min(len(learned), STEPS * how.batch_size)
    total = max(1, -(-how.epochs * len(learned) // rows))
    first, started = state.round, time.monotonic()
    while state.round < total and state.round - state.best_round < how.patience:
        chosen = learned[torch.randperm(len(learned), generator=state.draws)[:rows]]
        trained = np.mean(
            [_step(state, loss, _take(data, batch, job.device), how) for batch in chosen.split(how.batch_size)]
        )
        unseen = _measure(state, loss, data, held, how, job.device)
        state.round += 1
        state.schedule.step(unseen)
        if unseen < state.best_loss - how.better * abs(state.best_loss) or state.best_round == 0:
            state.best_loss, state.best_round = unseen, state.round
            state.best = _copy(state.average)
        left = (time.monotonic() - started) / (state.round - first) * (total - state.round)
        going = job.going(
            "train", state.round, total, f"loss {trained:.3f}, held out {unseen:.3f}, at most {_span(left)} left"
        )
        if path is not None and time.monotonic() - state.written > SECONDS:
            checkpoint.write(path, state.to_dict(belongs_to))
            state.written = time.monotonic()
        if not going:
            return


def _step(state: _State, loss: Loss, batch: Sequence[torch.Tensor], how: Training) -> float:
    value = loss(state.net, batch, state.draws, True)
    state.optimizer.zero_grad()
    value.backward()
    torch.nn.utils.clip_grad_norm_(state.net.parameters(), how.clip)
    state.optimizer.step()
    state.step += 1
    decay = min(how.average, state.step / (state.step + 10))
    with torch.no_grad():
        for name, tensor in state.net.state_dict().items():
            state.average[name].lerp_(tensor, 1 - decay)
    if not np.isfinite(found := value.item()):
        raise FitError("training diverged: the loss is not finite; remedy: a smaller learning_rate, or another method")
    return found


def _measure(
    state: _State, loss: Loss, data: Sequence[torch.Tensor], held: torch.Tensor, how: Training, device: str
) -> float:
    """Mean loss of the averaged weights on the held-out rows, with the same draws in every round."""
    now = _copy(state.net.state_dict())
    state.net.load_state_dict(state.average)
    draws = torch.Generator().manual_seed(0)
    with torch.no_grad():
        sums = [
            loss(state.net, _take(data, rows, device), draws, False).item() * len(rows)
            for rows in held.split(how.batch_size)
        ]
    state.net.load_state_dict(now)
    return float(np.sum(sums) / max(1, len(held)))


def _take(data: Sequence[torch.Tensor], rows: torch.Tensor, device: str) -> list[torch.Tensor]:
    return [tensor[rows].to(device) for tensor in data]


def _span(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
