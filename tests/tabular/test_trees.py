"""The default method: rules of the data are kept, noise is not split on, rare numbers are not replayed, structure is learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import seeds
from synthcli.columns.codec import Part
from synthcli.columns.infer import infer
from synthcli.contracts import Job, Request
from synthcli.tabular.data import Table
from synthcli.tabular.methods import trees
from synthcli.tabular.tree import Features, grow


def table(frame: pd.DataFrame, **keys: Any) -> Table:
    schema, data = infer(pa.Table.from_pandas(frame, preserve_index=False), {}, **keys)
    return Table(data, schema)


def sampled(data: Table, rows: int | None = None, **params: Any) -> pd.DataFrame:
    model = trees.fit(data, trees.Params(**params), job=Job(seed=1))
    request = Request(rows or len(data))
    return pd.concat([model.sample(request, b, rng=seeds.stream(1, b)).frame for b in range(request.blocks)], ignore_index=True)


@pytest.fixture(scope="module")
def linked() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    n = 4000
    code = rng.choice(20, n, p=np.arange(1, 21) / 210)
    age = rng.integers(18, 80, n)
    return pd.DataFrame(
        {
            "code": code,
            "label": np.array([f"word {c:02d}" for c in range(20)])[code],
            "age": age,
            "group": pd.cut(pd.Series(age), [0, 30, 50, 70, 99], labels=["a", "b", "c", "d"]).astype(str),
            "wage": np.round(1000 + 40 * age + 300 * rng.normal(size=n), 2),
            "noise": rng.normal(size=n),
        }
    )


def test_what_one_column_determines_stays_determined(linked: pd.DataFrame) -> None:
    out = sampled(table(linked))
    pairs = set(zip(linked["code"], linked["label"]))
    assert set(zip(out["code"], out["label"])) <= pairs
    assert set(zip(out["age"], out["group"])) <= set(zip(linked["age"], linked["group"]))


def test_dependence_is_learned(linked: pd.DataFrame) -> None:
    out = sampled(table(linked))
    real, made = linked["age"].corr(linked["wage"]), out["age"].astype(float).corr(out["wage"])
    assert made == pytest.approx(real, abs=0.03)
    assert abs(out["noise"].corr(out["wage"])) < 0.05


def test_rare_numbers_are_interpolated_and_common_ones_repeat(linked: pd.DataFrame) -> None:
    out = sampled(table(linked))
    assert np.isin(out["wage"], linked["wage"]).mean() < 0.1
    assert np.isin(out["age"].astype(int), linked["age"]).all()
    assert linked["wage"].min() <= out["wage"].min() and out["wage"].max() <= linked["wage"].max()


def test_a_number_that_few_people_hold_is_not_common_however_many_rows_they_have() -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"person": np.repeat(np.arange(200), 20), "income": np.repeat(rng.normal(size=200) * 1e4, 20), "x": rng.normal(size=4000)})
    out = sampled(table(people, unit="person"))
    assert np.isin(out["income"], people["income"]).mean() < 0.05


def test_noise_is_not_split_on() -> None:
    rng = np.random.default_rng(0)
    features = Features.of([rng.normal(size=3000) for _ in range(5)], [0] * 5, np.arange(3000), rng=rng)
    coin = rng.integers(0, 2, 3000).astype(np.int32)
    tree = grow(features, 5, coin, Part("y", "y", 2), np.arange(3000), 10, 24, rng=rng)
    from sklearn.tree import DecisionTreeClassifier

    unpruned = DecisionTreeClassifier(min_samples_leaf=10, max_depth=24, random_state=0).fit(features.x, coin).tree_.node_count
    assert len(tree.feature) < unpruned / 8


def test_a_person_is_never_both_grown_on_and_held_out() -> None:
    """Rows of one person confirm each other: split by rows, each person would keep a leaf of his own."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(150), 20)
    x, coin = rng.random(150)[person], rng.integers(0, 2, 150)[person].astype(np.int32)

    def nodes(units: np.ndarray) -> int:
        some = np.random.default_rng(1)
        return len(grow(Features.of([x], [0], units, rng=some), 1, coin, Part("y", "y", 2), np.arange(3000), 10, 24, rng=some).feature)

    assert nodes(person) < nodes(np.arange(3000)) / 3


def test_a_real_split_is_kept_and_falls_where_it_is() -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.random(3000), rng.random(3000)
    y = ((x > 0.3) ^ (rng.random(3000) < 0.05)).astype(np.int32)
    tree = grow(Features.of([noise, x], [0, 0], np.arange(3000), rng=rng), 2, y, Part("y", "y", 2), np.arange(3000), 10, 24, rng=rng)
    root = tree.used[tree.feature[0]]
    assert root == 1
    assert tree.threshold[0] == pytest.approx(0.3, abs=0.01)


def test_categories_are_ordered_by_effect() -> None:
    rng = np.random.default_rng(0)
    code = rng.integers(0, 12, 6000)
    high = np.isin(code, [1, 4, 7, 10])  # scattered: no single threshold on the codes separates them
    y = (rng.random(6000) < np.where(high, 0.9, 0.1)).astype(np.int32)
    tree = grow(Features.of([code], [12], np.arange(6000), rng=rng), 1, y, Part("y", "y", 2), np.arange(6000), 10, 1, rng=rng)
    assert (tree.feature >= 0).sum() == 1
    leaf = tree.leaves(np.arange(12.0)[:, None])
    assert set(np.flatnonzero(leaf == leaf[1])) == {1, 4, 7, 10}


def test_donors_are_exactly_the_rows_that_reach_a_leaf() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((2000, 3))
    y = np.round(3 * x[:, 0] + x[:, 1] + rng.normal(size=2000) * 0.1, 3)
    tree = grow(Features.of(list(x.T), [0, 0, 0], np.arange(2000), rng=rng), 3, y, Part("y", "y"), np.arange(2000), 10, 24, rng=rng)
    leaf = tree.leaves(x[:, tree.used])
    assert leaf.max() + 1 == len(tree.first) - 1 > 3
    for i in range(leaf.max() + 1):
        assert np.array_equal(tree.donors[tree.first[i] : tree.first[i + 1]], np.sort(y[leaf == i]))


def test_wide_tables_look_at_the_strongest_predictors(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    columns = [rng.normal(size=2000) for _ in range(60)]
    y = (columns[37] > 0).astype(np.int32)
    tree = grow(Features.of(columns, [0] * 60, np.arange(2000), rng=rng), 60, y, Part("y", "y", 2), np.arange(2000), 10, 24, rng=rng)
    assert 37 in tree.used


def test_the_order_can_be_asked_for(linked: pd.DataFrame) -> None:
    model = trees.fit(table(linked), trees.Params(order=("wage",)), job=Job())
    assert model.order[0] == "wage"


def test_larger_leaves_make_a_smaller_model(linked: pd.DataFrame, tmp_path: Path) -> None:
    def leaves(least: int) -> int:
        model = trees.fit(table(linked), trees.Params(min_leaf=least), job=Job())
        return sum(len(t.first) - 1 for some in model.trees.values() for t in some)

    assert leaves(5) > leaves(200)
