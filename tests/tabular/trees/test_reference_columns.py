"""Reference columns: which are found, what is reproduced exactly, and that nobody's own amount is repeated."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Allowed, Job, Request
from synthcli.tabular.methods import trees
from synthcli.tabular.model import encode
from synthcli.tabular.trees import reference_columns
from synthcli.tabular.trees.forest import Forest
from synthcli.tabular.trees.reference_columns import Reference, find_references

ORDER = ("limit", "before", "paid", "after")


def accounts(rows: int, seed: int) -> pd.DataFrame:
    """A balance, what is paid of it (all of it, a round amount or nothing), and the balance after: near to the one
    before.
    """
    rng = np.random.default_rng(seed)
    before = np.where(rng.random(rows) < 0.1, 0, np.rint(np.exp(rng.normal(9, 1.2, rows)))).astype(np.int64)
    full = (before > 0) & (rng.random(rows) < 0.35)
    some = rng.choice([0, 1000, 2000, 3000, 5000], rows) + np.where(
        rng.random(rows) < 0.3, rng.integers(1, 900, rows), 0
    )
    after = np.where(
        before > 0, np.rint(before * np.exp(rng.normal(0.01, 0.02, rows))), np.rint(np.exp(rng.normal(8, 1, rows)))
    ).astype(np.int64)
    return pd.DataFrame(
        {
            "limit": rng.integers(1, 80, rows) * 10_000,
            "before": before,
            "paid": np.where(full, before, some),
            "after": after,
        }
    )


def table(frame: pd.DataFrame) -> Table:
    schema, data = infer(pa.Table.from_pandas(frame, preserve_index=False), {})
    return Table(data, schema)


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    return accounts(6000, 0)


@pytest.fixture(scope="module")
def model(real: pd.DataFrame) -> trees.Trees:
    return trees.fit(table(real), trees.Params(order=ORDER, trees=2), job=Job(seed=1))


@pytest.fixture(scope="module")
def out(model: trees.Trees) -> pd.DataFrame:
    values = model.draw(6000, rng=np.random.default_rng(0))
    return model.codec.decode(values, 6000, start=0, rng=np.random.default_rng(0)).astype("int64")


def test_a_step_leads_back_to_the_amount() -> None:
    amount, base = np.array([0.0, 5, -7, 1e6, 12]), np.array([0.0, 100, 3, 1.5, np.nan])
    for reference in (Reference((), "x"), Reference((), "x", 2.0)):
        assert reference.amount(reference.step(amount, base), base) == pytest.approx(amount, rel=1e-6, abs=1e-6)
    assert Reference((), "x", 0.01).amount(np.log(np.array([2.0])), np.array([500.0])) == pytest.approx(
        [1000], rel=1e-6
    )


def test_references_are_found(model: trees.Trees) -> None:
    (sequential,) = model.models  # all of the order was asked for
    assert sequential.references.by_part.keys() == {"paid", "after"}
    assert (
        sequential.references.by_part["paid"].equal_to == ("before",)
        and sequential.references.by_part["after"].base == "before"
    )
    order = sequential.order
    assert order.index("paid#same") < order.index("paid") and order.index("after#step") + 1 == order.index("after")


def test_numbers_that_have_nothing_to_do_with_each_other_are_left_alone() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.integers(0, 90, 3000), "b": rng.integers(0, 90, 3000), "c": rng.normal(size=3000)})
    frame["d"] = frame["c"] ** 3 + rng.normal(size=3000)  # a tie, and yet no step is sharper than the number itself
    codec, values = encode(table(frame), Job())
    assert not find_references([part.name for part in codec.parts], codec, values, np.arange(3000), 10).by_part


def test_equal_amounts_are_equal_to_the_digit(real: pd.DataFrame, out: pd.DataFrame) -> None:
    for rare in (real, out):
        rare["met"] = (rare["paid"] == rare["before"]) & (rare["paid"] % 1000 > 0)
    assert out["met"].mean() == pytest.approx(real["met"].mean(), abs=0.03)
    assert (out["paid"].isin([1000, 2000, 3000, 5000])).mean() == pytest.approx(
        real["paid"].isin([1000, 2000, 3000, 5000]).mean(), abs=0.03
    )


def test_what_follows_closely_follows_closely(real: pd.DataFrame, out: pd.DataFrame) -> None:
    ratios = [np.log(f["after"] / f["before"])[(f["before"] > 0) & (f["after"] > 0)] for f in (real, out)]
    for q in (0.05, 0.25, 0.5, 0.75, 0.95):
        assert np.quantile(ratios[1], q) == pytest.approx(np.quantile(ratios[0], q), abs=0.01)
    assert (out["after"] >= 0).all()


def test_nobodys_own_amounts_come_out_more_often_than_by_chance(real: pd.DataFrame, out: pd.DataFrame) -> None:
    unseen = accounts(6000, 1)
    for a, b in (("before", "paid"), ("before", "after")):
        met = [set(zip(f[a], f[b])) for f in (real[real[b] > 20_000], unseen[unseen[b] > 20_000])]
        made = [pair for pair in zip(out[a], out[b]) if pair[1] > 20_000]
        assert sum(p in met[0] for p in made) <= sum(p in met[1] for p in made) + 10


def test_a_loaded_model_draws_the_same(model: trees.Trees, tmp_path: Path) -> None:
    model.save(tmp_path)
    one, other = (m.draw(500, rng=np.random.default_rng(5)) for m in (model, trees.load(tmp_path)))
    assert list(one) == list(other) and all(
        np.array_equal(one[k], other[k], equal_nan=one[k].dtype.kind == "f") for k in one
    )


def test_what_is_known_stays_and_what_refers_to_it_follows(model: trees.Trees, real: pd.DataFrame) -> None:
    given = real[["before"]].iloc[:1500].reset_index(drop=True).astype("Int64")
    out = model.complete(Request(1500, frame=given), 0, rng=np.random.default_rng(0)).frame.astype("int64")
    assert out["before"].tolist() == given["before"].tolist()
    rare = out["paid"] % 1000 > 0
    assert ((out["paid"] == out["before"]) & rare).mean() == pytest.approx(
        ((real["paid"] == real["before"]) & (real["paid"] % 1000 > 0)).mean(), abs=0.05
    )
    # and backwards: an amount after the fact says what was before
    given = real.loc[real["before"] > 0, ["after"]].iloc[:400].reset_index(drop=True).astype("Int64")
    back = model.complete(Request(400, frame=given), 0, rng=np.random.default_rng(0)).frame.astype("int64")
    assert back["after"].tolist() == given["after"].tolist()
    assert np.corrcoef(back["after"].rank(), back["before"].rank())[0, 1] > 0.5


def test_bounds_hold_for_numbers_with_a_reference(model: trees.Trees) -> None:
    asked = {"after": Allowed(low=5000, high=6000), "paid": Allowed(high=4000)}
    out = model.complete(Request(500, allowed=asked), 0, rng=np.random.default_rng(0)).frame.astype("int64")
    assert out["after"].between(5000, 6000).mean() > 0.97 and (out["paid"] <= 4000).mean() > 0.97


def test_the_score_prefers_what_is_true() -> None:
    rng = np.random.default_rng(0)
    base = np.exp(rng.normal(9, 1, 4000))
    near, free = base * np.exp(rng.normal(0, 0.02, 4000)), np.exp(rng.normal(9, 1, 4000))
    ratio = Reference((), "x", 1.0)
    assert reference_columns._score(near, base, ratio, 0.0) < reference_columns._score(near, base, None, 0.0) - 0.1
    assert (
        reference_columns._score(free, base, ratio, 0.0)
        > reference_columns._score(free, base, None, 0.0) - reference_columns.MIN_GAIN
    )


def test_draws_between_bounds_come_from_the_leaf_or_are_the_bound() -> None:
    zero = np.zeros(1, dtype=np.int32)
    forest = Forest(
        zero[:0],
        zero,
        zero,
        np.zeros(1),
        np.zeros(2, dtype=np.int32),
        np.array([0]),
        np.array([4]),
        np.array([1.0, 2, 2, 5]),
        {},
    )
    leaf, least, most = np.zeros(6, dtype=np.int64), np.array([2.0, 0, 3, 6, -1, 5]), np.array([2.0, 1, 4, 7, 0, 9])
    drawn, share = forest.draw_between(leaf, least, most, rng=np.random.default_rng(0))
    assert drawn.tolist() == [2, 1, 4, 6, 0, 5] and share.tolist() == [0.5, 0.25, 0, 0, 0, 0.25]
