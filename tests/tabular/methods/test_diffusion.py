"""Diffusion against distributions that are known."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from synthcli.columns.codec.codec import Part
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.tabular.methods import diffusion

pytestmark = pytest.mark.extra("neural")

ROWS = 4000


@cache
def drawn() -> dict[str, np.ndarray]:
    """a: 30 %; z follows a, v follows z; hours repeat; w is null where a is x1."""
    rng = np.random.default_rng(0)
    a = rng.random(ROWS) < 0.3
    z = np.exp(1.5 * a + 0.5 * rng.normal(size=ROWS))
    columns = {
        "a": pa.array(np.where(a, "x1", "x0").tolist()),
        "z": pa.array(z),
        "v": pa.array(np.log(z) + 0.3 * rng.normal(size=ROWS)),
        "hours": pa.array(np.where(rng.random(ROWS) < 0.5, 40, rng.integers(20, 60, ROWS))),
        "w": pa.array(rng.normal(50, 5, ROWS), mask=a),
    }
    schema, frame = infer(pa.table(columns), {})
    params = diffusion.Params(
        epochs=40, hidden=48, layers=2, embedding=4, batch_size=128, steps=20, dropout=0.0, learning_rate=0.004
    )
    model = diffusion.fit(Table(frame, schema), params, job=Job(seed=1))
    assert [score.part.name for score in model.scores] == ["z", "v", "w"]
    return model.draw(8000, rng=np.random.default_rng(0)) | {
        "true.z": z,
        "true.hours": frame["hours"].to_numpy(dtype=float),
    }


def test_categories_and_numbers_go_together() -> None:
    out = drawn()
    assert abs(out["a"].mean() - 0.3) < 0.05
    for a in (0, 1):
        assert abs(np.log(out["z"][out["a"] == a]).mean() - 1.5 * a) < 0.25
        assert abs(np.log(out["z"][out["a"] == a]).std() - 0.5) < 0.15
    assert np.corrcoef(np.log(out["z"]), out["v"])[0, 1] == pytest.approx(0.944, abs=0.05)
    assert ((out["w#state"] == 1) == (out["a"] == 1)).mean() > 0.95
    assert (np.isnan(out["w"]) == (out["w#state"] == 1)).all()


def test_marginals_keep_their_shape_and_spikes() -> None:
    out = drawn()
    np.testing.assert_allclose(
        np.quantile(out["z"], [0.1, 0.5, 0.9]), np.quantile(out["true.z"], [0.1, 0.5, 0.9]), rtol=0.15
    )
    hours = out["hours"] if "hours#state" not in out else np.where(out["hours#state"] == 0, out["hours"], 20.0)
    assert (hours == np.round(hours)).all() and abs((hours == 20).mean() - 0.51) < 0.05


def test_scores_are_normal_and_come_back() -> None:
    rng = np.random.default_rng(0)
    values = np.where(rng.random(5000) < 0.3, 7.0, rng.gamma(2, 5, 5000))  # three in ten are one number
    score = diffusion.Score(Part("x", "x"), np.quantile(values, np.linspace(0, 1, 501)))
    z = score.encode(values, rng=rng)
    assert abs(z.mean()) < 0.02 and abs(z.std() - 1) < 0.02
    inside = values < np.quantile(values, 0.99)
    np.testing.assert_allclose(score.decode(z)[inside], values[inside], atol=0.3)


def test_nobodys_own_number_is_repeated() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=600)
    schema, frame = infer(pa.table({"x": pa.array(values)}), {})
    model = diffusion.fit(Table(frame, schema), diffusion.Params(epochs=1, hidden=8, layers=1, steps=4), job=Job())
    assert not np.isin(model.draw(3000, rng=rng)["x"], values).any()
    assert len(model.scores[0].grid) == 61  # ten people between two quantiles
