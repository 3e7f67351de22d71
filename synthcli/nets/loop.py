"""The training loop of every torch method: AdamW, averaged weights, a plateau schedule, early stopping on unseen
privacy units.

A round is one pass over the training rows, or STEPS steps where a pass is longer. After each round the averaged weights
are measured on the held-out rows, always with the same random draws; the best of them are what training returns.
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

STEPS = 400  # of a round, at most: limits and patience must not wait for a pass over millions of rows
HELD_OUT = 0.1  # share of the privacy units that early stopping looks at
LEAST_UNITS = 30  # units from which some are held out; fewer are all trained on and looked at
HELD_ROWS = 10_000  # rows measured after a round, at most
SECONDS = 10.0  # between two checkpoints, at least
FILE = "checkpoint.pt"

Loss = Callable[[torch.nn.Module, Sequence[torch.Tensor], torch.Generator, bool], torch.Tensor]


@dataclass(frozen=True)
class Training:
    """How to train. epochs: passes at most; patience: rounds without a better loss before the end; average: decay of
    the averaged weights.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float = 0.01
    patience: int = 6
    average: float = 0.99
    clip: float = 1.0  # largest norm of a gradient
    better: float = 1e-4  # by which part a loss must fall to count as better


@dataclass
class _State:
    """All that changes while training, and what a checkpoint holds."""

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
    """Train `net` in place, to the best averaged weights on held-out units, and leave it on the processor.

    data: tensors with a row per record; units: (rows,) privacy unit of each. loss(net, batch, draws, training) is the
    mean over the rows of a batch. Stops at the job's limits; takes up the checkpoint in job.folder, with the same
    result as without the interruption. Raises FitError where the loss is not finite.
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
    """Positions of the rows to learn from and of the held-out rows; no unit is in both, unless there are too few to
    hold any out.
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
    """Mean loss of the averaged weights on the held-out rows, with the same draws after every round."""
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
