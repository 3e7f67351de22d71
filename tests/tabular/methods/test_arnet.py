"""The autoregressive net against distributions that are known, drawn from nothing and from known parts."""

from __future__ import annotations

from functools import cache

import numpy as np
import pyarrow as pa
import pytest

from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.tabular.methods import arnet

pytestmark = pytest.mark.extra("neural")

ROWS = 4000


@cache
def table() -> Table:
    """y follows a (x0) or its opposite (x1) in nine of ten rows; z is 3 a + noise; w is null where a is x1."""
    rng = np.random.default_rng(0)
    a = rng.random(ROWS) < 0.3
    y = a ^ (rng.random(ROWS) < 0.1)
    z = 3.0 * a + rng.normal(size=ROWS)
    columns = {
        "a": pa.array(np.where(a, "x1", "x0").tolist()),
        "y": pa.array(np.where(y, "y1", "y0").tolist()),
        "z": pa.array(z.round(3)),
        "w": pa.array(rng.normal(50, 5, ROWS).round(2), mask=a),
    }
    schema, frame = infer(pa.table(columns), {})
    return Table(frame, schema)


@cache
def model() -> arnet.ArNet:
    sizes = {"hidden": 16, "embedding": 8, "bins": 16, "batch_size": 128}
    return arnet.fit(
        table(), arnet.Params(epochs=20, learning_rate=0.01, dropout=0.05, random_order=0.9, **sizes), job=Job(seed=1)
    )


def test_the_joint_distribution_is_that_of_the_data() -> None:
    out = model().draw(20_000, rng=np.random.default_rng(0))
    joint = np.bincount(2 * out["a"] + out["y"], minlength=4) / 20_000
    np.testing.assert_allclose(joint, [0.63, 0.07, 0.03, 0.27], atol=0.025)
    for a in (0, 1):
        assert abs(out["z"][out["a"] == a].mean() - 3 * a) < 0.15
        assert abs(out["z"][out["a"] == a].std() - 1) < 0.2
    assert ((out["w#state"] == 1) == (out["a"] == 1)).mean() > 0.98
    assert (np.isnan(out["w"]) == (out["w#state"] != 0)).all()


@pytest.mark.parametrize(("given", "expected"), [({"y": 1}, 0.27 / 0.34), ({"y": 0}, 0.03 / 0.66)])
def test_a_column_drawn_early_follows_one_that_is_drawn_late_when_it_is_given(
    given: dict[str, int], expected: float
) -> None:
    known = {name: np.full(8000, code, dtype=np.int32) for name, code in given.items()}
    out = model().draw(8000, rng=np.random.default_rng(0), given=known)
    assert (out["y"] == known["y"]).all()
    assert abs(out["a"].mean() - expected) < 0.06


def test_rows_may_know_different_things() -> None:
    rows = 6000
    given = {
        "z": np.where(np.arange(rows) % 3 == 0, 5.0, np.nan),
        "a": np.where(np.arange(rows) % 3 == 1, 0, -1).astype(np.int32),
    }
    out = model().draw(rows, rng=np.random.default_rng(0), given=given)
    assert (out["z"][::3] == 5.0).all() and (out["a"][1::3] == 0).all()
    assert out["a"][::3].mean() > 0.97  # p(a | z = 5): 3.5 standard deviations apart
    assert abs(out["a"][2::3].mean() - 0.3) < 0.05


def test_a_value_may_be_known_to_be_there_and_not_which() -> None:
    out = model().draw(3000, rng=np.random.default_rng(0), given={"w#state": np.zeros(3000, dtype=np.int32)})
    assert np.isfinite(out["w"]).all() and (out["a"] == 0).mean() > 0.97
    out = model().draw(3000, rng=np.random.default_rng(0), given={"w#state": np.ones(3000, dtype=np.int32)})
    assert np.isnan(out["w"]).all() and (out["a"] == 1).mean() > 0.97


def test_two_digits_keep_to_what_is_given() -> None:
    rng = np.random.default_rng(3)
    x = pa.array(rng.normal(size=ROWS), mask=rng.random(ROWS) < 0.2)
    schema, frame = infer(pa.table({"x": x, "c": pa.array(rng.choice(["a", "b"], ROWS).tolist())}), {})
    fitted = arnet.fit(Table(frame, schema), arnet.Params(epochs=2, hidden=8, embedding=4, bins=300), job=Job())
    assert fitted.discretization.sizes[:2] == [17, 18]
    assert np.isfinite(fitted.draw(4000, rng=rng, given={"x#state": np.zeros(4000, dtype=np.int32)})["x"]).all()
    known = frame["x"].fillna(0).to_numpy()
    np.testing.assert_array_equal(fitted.draw(ROWS, rng=rng, given={"x": known})["x"], known)


def test_columns_that_are_asked_for_come_first() -> None:
    fitted = arnet.fit(table(), arnet.Params(epochs=1, hidden=4, embedding=2, order=("z", "y")), job=Job())
    assert [fitted.discretization.columns[i].parts[-1].name for i in fitted.order][:2] == ["z", "y"]


def test_a_wide_table_is_seen_in_part() -> None:
    rng = np.random.default_rng(4)
    x = rng.integers(0, 3, (600, 60))
    x[:, 7] = x[:, 50]
    schema, frame = infer(pa.table({f"c{j}": pa.array(x[:, j].astype(str).tolist()) for j in range(60)}), {})
    fitted = arnet.fit(Table(frame, schema), arnet.Params(epochs=1, hidden=4, embedding=2), job=Job())
    assert fitted.net is not None
    seen = fitted.net.shape.seen
    assert (
        {len(s) for s in seen} == {arnet.PREDICTORS}
        and 50 in seen[7]
        and 7 in seen[50]
        and all(j not in s for j, s in enumerate(seen))
    )


def test_no_rows() -> None:
    out = model().draw(0, rng=np.random.default_rng(0), given={"a": np.zeros(0, dtype=np.int32)})
    assert {len(values) for values in out.values()} == {0} and set(out) == {part.name for part in model().codec.parts}
