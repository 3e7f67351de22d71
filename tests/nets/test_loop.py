"""The training loop: what it learns, where it stops, and that an interruption changes nothing."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from synthcli.contracts.modelling import Job, Limits  # noqa: E402
from synthcli.errors import FitError  # noqa: E402
from synthcli.nets import checkpoint, device, loop  # noqa: E402

HOW = loop.Training(epochs=8, batch_size=25, learning_rate=0.05, weight_decay=0.0, patience=100)
SLOPE = np.array([2.0, -1.0, 0.5])


def data(rows: int = 200, seed: int = 0) -> list[torch.Tensor]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 3))
    return [torch.tensor(x, dtype=torch.float32), torch.tensor(x @ SLOPE, dtype=torch.float32)]


class Line(torch.nn.Module):
    """Made without torch's global stream."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = device.zeros(1, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.weight.T


def net() -> Line:
    return Line()


def squared(
    model: torch.nn.Module, batch: Sequence[torch.Tensor], draws: torch.Generator, training: bool
) -> torch.Tensor:
    noise = 0.01 * torch.randn(len(batch[0]), 3, generator=draws) if training else 0.0
    return ((model(batch[0] + noise)[:, 0] - batch[1]) ** 2).mean()


def trained(job: Job | None = None, how: loop.Training = HOW, units: np.ndarray | None = None) -> np.ndarray:
    model = net()
    loop.train(
        model,
        squared,
        data(),
        np.arange(200) if units is None else units,
        how,
        job=job or Job(),
        rng=np.random.default_rng(1),
    )
    return model.weight.detach().numpy()[0]


def test_it_finds_the_least_squares() -> None:
    np.testing.assert_allclose(trained(how=loop.Training(60, 25, 0.05, 0.0)), SLOPE, atol=0.02)


def test_the_same_stream_gives_the_same_bits_and_leaves_global_streams_alone() -> None:
    states = torch.get_rng_state(), repr(np.random.get_state()), random.getstate(), torch.get_num_threads()
    assert trained().tobytes() == trained().tobytes()
    assert torch.equal(torch.get_rng_state(), states[0])
    assert (repr(np.random.get_state()), random.getstate(), torch.get_num_threads()) == states[1:]


def test_taken_up_where_it_was_interrupted_it_ends_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SECONDS", -1.0)
    whole, seen = trained(), []

    def interrupt(label: str, done: float, total: float, note: str = "") -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(Job(folder=tmp_path, progress=interrupt))
    assert [p.name for p in tmp_path.iterdir()] == [loop.FILE]
    again = trained(Job(folder=tmp_path, progress=lambda label, done, total, note="": seen.append(done)))
    assert seen[0] == 4 and again.tobytes() == whole.tobytes()


@pytest.mark.parametrize("body", [b"", b"no checkpoint", b"\x80\x02cposix\nsystem\n."])
def test_a_damaged_checkpoint_is_none(tmp_path: Path, body: bytes) -> None:
    (tmp_path / loop.FILE).write_bytes(body)
    assert trained(Job(folder=tmp_path)).tobytes() == trained().tobytes()


def test_another_fits_checkpoint_is_none(tmp_path: Path) -> None:
    checkpoint.write(tmp_path / loop.FILE, {"fingerprint": "another", "round": 7})
    assert trained(Job(folder=tmp_path)).tobytes() == trained().tobytes()
    one, other = checkpoint.fingerprint(data(), HOW, 1), checkpoint.fingerprint(data(seed=1), HOW, 1)
    assert len({one, other, checkpoint.fingerprint(data(), HOW, 2)}) == 3 and one == checkpoint.fingerprint(
        data(), HOW, 1
    )


def test_a_limit_stops_after_a_round_with_what_there_is() -> None:
    rounds: list[float] = []
    job = Job(limits=Limits(minutes=1e-9), progress=lambda label, done, total, note="": rounds.append(done))
    weights = trained(job)
    assert rounds == [1] and job.reached is not None and np.abs(weights).max() > 0


def test_progress_tells_losses_and_what_is_left() -> None:
    notes: list[str] = []
    trained(Job(progress=lambda label, done, total, note="": notes.append(f"{label} {done:g}/{total:g} {note}")))
    assert (
        len(notes) == 8
        and notes[0].startswith("train 1/8 loss ")
        and "held out" in notes[0]
        and notes[-1].endswith("0 s left")
    )


def test_it_stops_when_unseen_rows_are_predicted_no_better() -> None:
    rounds: list[float] = []
    job = Job(progress=lambda label, done, total, note="": rounds.append(done))
    trained(job, loop.Training(5_000, 25, 0.05, 0.0, patience=3, better=0.05))
    assert 3 < len(rounds) < 1000


def test_the_best_round_is_kept_not_the_last() -> None:
    def worse_and_worse(
        model: torch.nn.Module, batch: Sequence[torch.Tensor], draws: torch.Generator, training: bool
    ) -> torch.Tensor:
        return -model.weight.sum() if training else model.weight.sum() ** 2

    model = net()
    loop.train(model, worse_and_worse, data(), np.arange(200), HOW, job=Job(), rng=np.random.default_rng(1))
    first = net()
    loop.train(
        first,
        worse_and_worse,
        data(),
        np.arange(200),
        loop.Training(1, 25, 0.05, 0.0),
        job=Job(),
        rng=np.random.default_rng(1),
    )
    assert torch.equal(model.weight, first.weight)


def test_a_loss_that_is_not_finite_is_the_users_to_know() -> None:
    with pytest.raises(FitError, match="learning_rate"):
        loop.train(
            net(),
            lambda *_: torch.tensor(np.nan, requires_grad=True),
            data(),
            np.arange(200),
            HOW,
            job=Job(),
            rng=np.random.default_rng(1),
        )


def test_no_unit_is_learned_from_and_held_out() -> None:
    units = np.random.default_rng(0).integers(0, 60, 500)
    learned, held = loop.split(units, rng=np.random.default_rng(1))
    assert not set(units[learned]) & set(units[held]) and len(learned) + len(held) == 500
    assert len(set(units[held])) == 6


@pytest.mark.parametrize("rows", [1, 2, loop.LEAST_UNITS - 1])
def test_few_units_are_all_learned_from(rows: int) -> None:
    learned, held = loop.split(np.arange(rows), rng=np.random.default_rng(1))
    assert len(learned) == len(held) == rows


def test_a_round_of_many_rows_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "STEPS", 2)
    totals: list[float] = []
    trained(Job(progress=lambda label, done, total, note="": totals.append(total)))
    assert totals[0] == -(-8 * 180 // 50)  # 180 rows to learn from, 50 a round


def test_dropout_keeps_the_mean() -> None:
    x = torch.ones(400, 500)
    out = device.dropout(x, 0.25, torch.Generator().manual_seed(0))
    assert abs(float((out == 0).float().mean()) - 0.25) < 0.005 and abs(float(out.mean()) - 1) < 0.005
    assert device.dropout(x, 0.25, None) is x


def test_a_checkpoint_is_replaced_in_one_step(tmp_path: Path) -> None:
    path = tmp_path / "c.pt"
    for number in (1, 2):
        checkpoint.write(path, {"fingerprint": "f", "round": number, "at": time.time()})
    found = checkpoint.read(path, "f")
    assert found is not None and found["round"] == 2 and list(tmp_path.iterdir()) == [path]
