"""The default method: dependencies are kept, noise is not split on, rare numbers are smoothed, structure is learned."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import seeds
from synthcli.columns.codec.parts import Part
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job, Request
from synthcli.tabular.methods import trees
from synthcli.tabular.trees import grow as grow_module
from synthcli.tabular.trees.features import PREDICTORS, Features
from synthcli.tabular.trees.forest import marginal_forest
from synthcli.tabular.trees.grow import GrowthLimits, functional_dependency, grow
from synthcli.tabular.trees.rank_smoothing import RankSmoothing
from synthcli.tabular.trees.reference_columns import ReferenceColumns
from synthcli.tabular.trees.sequential import SequentialModel
from synthcli.tabular.trees.structural_zeros import MAX_CATEGORIES, StructuralZeros

ONE = GrowthLimits(trees=1, min_leaf_rows=10, rows_per_unit=1.0, max_depth=24)


def table(frame: pd.DataFrame, **keys: Any) -> Table:
    schema, data = infer(pa.Table.from_pandas(frame, preserve_index=False), {}, **keys)
    return Table(data, schema)


def sampled(data: Table, rows: int | None = None, **params: Any) -> pd.DataFrame:
    model = trees.fit(data, trees.Params(**params), job=Job(seed=1))
    request = Request(rows or len(data))
    return pd.concat(
        [model.sample(request, b, rng=seeds.stream(1, b)).frame for b in range(request.blocks)], ignore_index=True
    )


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


def test_rare_numbers_are_smoothed_and_common_ones_repeat(linked: pd.DataFrame) -> None:
    out = sampled(table(linked))
    assert np.isin(out["wage"], linked["wage"]).mean() < 0.1
    assert np.isin(out["age"].astype(int), linked["age"]).all()
    assert linked["wage"].min() <= out["wage"].min() and out["wage"].max() <= linked["wage"].max()


def test_a_number_that_few_people_hold_is_not_common_however_many_rows_they_have() -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame(
        {
            "person": np.repeat(np.arange(200), 20),
            "income": np.repeat(rng.normal(size=200) * 1e4, 20),
            "x": rng.normal(size=4000),
        }
    )
    out = sampled(table(people, unit="person"))
    assert np.isin(out["income"], people["income"]).mean() < 0.05


def smoothed(
    values: np.ndarray, units: np.ndarray | None = None, shared_by: int = 10
) -> tuple[RankSmoothing, np.ndarray]:
    smoothing = RankSmoothing.fit(values, np.arange(len(values)) if units is None else units, shared_by)
    return smoothing, smoothing(values, rng=np.random.default_rng(1))


def test_smoothing_moves_a_value_a_few_ranks_and_no_further() -> None:
    values = np.random.default_rng(0).lognormal(size=1000)
    smoothing, out = smoothed(values)
    ordered = np.sort(values)
    moved = np.abs(np.interp(out, ordered, np.arange(1000)) - np.interp(values, ordered, np.arange(1000)))
    assert smoothing.width == pytest.approx(10 / 1000)
    assert moved.max() <= 10 + 1e-6
    assert moved.mean() == pytest.approx(5, abs=0.5)  # uniform in both directions
    assert not np.isin(out[(values > ordered[20]) & (values < ordered[-20])], values).any()


def test_smoothing_leaves_common_values_and_gaps_alone() -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([np.full(50, 7.0), rng.normal(size=400), np.full(5, np.nan)])
    _, out = smoothed(values)
    assert (out[:50] == 7.0).all()
    assert np.isnan(out[450:]).all() and not np.isnan(out[:450]).any()
    assert not np.isin(out[50:450], 7.0).any()


def test_smoothing_of_common_values_changes_nothing() -> None:
    values = np.repeat([1.0, 2.0, 5.0], 20)
    assert np.array_equal(smoothed(values)[1], values)


def test_common_is_counted_in_people() -> None:
    values, units = (
        np.repeat([1.0, 2.0, 3.0], 30),
        np.concatenate([np.zeros(30), np.arange(1, 31), np.repeat(np.arange(31, 41), 3)]).astype(int),
    )
    smoothing, _ = smoothed(values, units)
    assert smoothing.common.tolist() == [2.0, 3.0]


def test_smoothing_does_not_pile_up_at_the_ends() -> None:
    """The least and the largest value belong to one person each, and come out no more often than others do."""
    values = np.random.default_rng(0).normal(size=300)
    smoothing = RankSmoothing.fit(values, np.arange(300), 10)
    out = smoothing(np.tile(values, 100), rng=np.random.default_rng(1))
    assert np.isin(out, [values.min(), values.max()]).mean() < 0.001


def test_noise_is_not_split_on() -> None:
    rng = np.random.default_rng(0)
    features = Features.of([rng.normal(size=3000) for _ in range(5)], [0] * 5, np.arange(3000), rng=rng)
    coin = rng.integers(0, 2, 3000).astype(np.int32)
    forest = grow(features, 5, coin, Part("y", "y", 2), ONE, rng=rng)
    from sklearn.tree import DecisionTreeClassifier

    unpruned = (
        DecisionTreeClassifier(min_samples_leaf=10, max_depth=24, random_state=0)
        .fit(features.x.T, coin)
        .tree_.node_count
    )
    assert len(forest.low) < unpruned / 8


def test_a_person_is_never_both_grown_on_and_held_out() -> None:
    """Rows of one person confirm each other: split by rows, each person would keep a leaf of his own."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(150), 20)
    x, coin = rng.random(150)[person], rng.integers(0, 2, 150)[person].astype(np.int32)

    def nodes(units: np.ndarray) -> int:
        some = np.random.default_rng(1)
        return len(grow(Features.of([x], [0], units, rng=some), 1, coin, Part("y", "y", 2), ONE, rng=some).low)

    assert nodes(person) < nodes(np.arange(3000)) / 3


def test_a_real_split_is_kept_and_falls_where_it_is() -> None:
    rng = np.random.default_rng(0)
    x, noise = rng.random(3000), rng.random(3000)
    y = ((x > 0.3) ^ (rng.random(3000) < 0.05)).astype(np.int32)
    features = Features.of([noise, x], [0, 0], np.arange(3000), rng=rng)
    forest = grow(features, 2, y, Part("y", "y", 2), GrowthLimits(4, 10, 1.0, 24), rng=rng)
    at = [
        np.abs(forest.threshold[(forest.feature == j) & (forest.child[::2] != np.arange(len(forest.low)))] - 0.3)
        for j in range(len(forest.used))
    ]
    assert 1 in forest.used
    assert at[forest.used.tolist().index(1)].min() < 0.01
    drawn = forest.draw([features.x[j] for j in forest.used], 3000, rng=rng)
    assert (drawn == (x > 0.3)).mean() == pytest.approx(0.95, abs=0.02)


def test_a_change_of_spread_is_seen() -> None:
    rng = np.random.default_rng(0)
    wide = rng.integers(0, 2, 4000)
    y = rng.normal(size=4000) * np.where(wide, 10.0, 1.0)
    forest = grow(Features.of([wide], [2], np.arange(4000), rng=rng), 1, y, Part("y", "y"), ONE, rng=rng)
    drawn = forest.draw([wide.astype(np.float32)], 4000, rng=rng)
    assert drawn[wide == 0].std() == pytest.approx(1, rel=0.1) and drawn[wide == 1].std() == pytest.approx(10, rel=0.1)


def test_categories_are_ordered_by_effect() -> None:
    rng = np.random.default_rng(0)
    code = rng.integers(0, 12, 6000)
    high = np.isin(code, [1, 4, 7, 10])  # scattered: no single threshold on the codes separates them
    y = (rng.random(6000) < np.where(high, 0.9, 0.1)).astype(np.int32)
    forest = grow(
        Features.of([code], [12], np.arange(6000), rng=rng),
        1,
        y,
        Part("y", "y", 2),
        GrowthLimits(1, 10, 1.0, 1),
        rng=rng,
    )
    assert len(forest.low) == 3  # one split
    leaf = forest._traverse(forest.ranks[0][np.arange(12)][None], np.zeros(12, dtype=np.int32))
    assert set(np.flatnonzero(leaf == leaf[1])) == {1, 4, 7, 10}


def test_donors_are_exactly_the_rows_that_reach_a_leaf() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((2000, 3))
    y = np.round(3 * x[:, 0] + x[:, 1] + rng.normal(size=2000) * 0.1, 3)
    y[::9] = np.nan  # in no leaf
    features = Features.of(list(x.T), [0, 0, 0], np.arange(2000), rng=rng)
    forest = grow(features, 3, y, Part("y", "y"), GrowthLimits(3, 10, 1.0, 24), rng=rng)
    known = ~np.isnan(y)
    for root in forest.roots:
        at = forest._traverse(features.x[forest.used], np.full(2000, root))
        assert len(set(at)) > 3
        for leaf in set(at):
            assert np.array_equal(forest.donors[forest.low[leaf] : forest.high[leaf]], np.sort(y[known & (at == leaf)]))
    assert len(forest.donors) == 3 * known.sum()


def test_wide_tables_look_at_the_strongest_predictors() -> None:
    rng = np.random.default_rng(0)
    columns = [rng.normal(size=2000) for _ in range(60)]
    y = (columns[37] > 0).astype(np.int32)
    features = Features.of(columns, [0] * 60, np.arange(2000), rng=rng)
    looked_at = features.strongest(60, y)
    assert len(looked_at) == PREDICTORS and 37 in looked_at
    assert 37 in grow(features, 60, y, Part("y", "y", 2), ONE, rng=rng).used


def test_a_functional_dependency_is_kept_without_exception() -> None:
    rng = np.random.default_rng(0)
    code, noise = rng.integers(0, 200, 3000), rng.normal(size=3000)
    y = rng.permutation(200)[code].astype(np.int32)
    forest = functional_dependency(Features.of([noise, code], [0, 200], np.arange(3000), rng=rng), 1, y)
    assert forest.used.tolist() == [1]
    assert np.array_equal(forest.draw([code.astype(np.float32)], 3000, rng=rng), y)


def test_large_tables_of_few_people_have_rows_to_grow_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Trees see a share of the units; of a few, that share may be none."""
    monkeypatch.setattr(grow_module, "ROWS", 40)
    rng = np.random.default_rng(0)
    x, units = rng.random(4000), np.repeat(np.arange(40), 100)
    forest = grow(
        Features.of([x], [0], units, rng=rng),
        1,
        (x > 0.5).astype(np.int32),
        Part("y", "y", 2),
        GrowthLimits(8, 10, 1.0, 24),
        rng=rng,
    )
    assert len(forest.roots) == 8 and (forest.high > forest.low)[forest.child[::2] == np.arange(len(forest.low))].all()


def people(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    sex = rng.choice(["F", "M"], rows)
    role = np.where(
        rng.random(rows) < 0.5, np.where(sex == "M", "Husband", "Wife"), rng.choice(["Child", "None"], rows)
    )
    status = np.where(np.isin(role, ["Husband", "Wife"]), "married", rng.choice(["single", "widowed"], rows))
    return pd.DataFrame(
        {
            "sex": sex,
            "age": rng.integers(18, 90, rows),
            "role": role,
            "status": status,
            "work": rng.choice(list("abcd"), rows),
        }
    )


@pytest.mark.parametrize("order", [(), ("sex", "work", "age"), ("role",), ("status", "sex")])
def test_pairs_that_never_occur_never_come_out(order: tuple[str, ...]) -> None:
    real = people(5000)
    out = sampled(table(real), 20_000, order=order, min_leaf=200)
    for a, b in [("sex", "role"), ("role", "status")]:
        assert set(zip(out[a], out[b])) <= set(zip(real[a], real[b]))
    assert pd.crosstab(out["sex"], out["role"], normalize=True).to_numpy() == pytest.approx(
        pd.crosstab(real["sex"], real["role"], normalize=True).to_numpy(), abs=0.03
    )


def test_structural_zeros_are_pairs_that_chance_would_have_shown() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 3, 3000)
    b = np.where(a == 0, rng.integers(1, 3, 3000), rng.integers(0, 3, 3000))
    rare = np.where(np.arange(3000) < 5, 1, 0)  # of five rows, that none has a == 2 is no rule
    rare[a == 2] = 0
    parts = [
        Part("a", "a", 3),
        Part("b", "b", 3),
        Part("rare", "rare", 2),
        Part("wide", "wide", MAX_CATEGORIES + 1),
        Part("n", "n"),
    ]
    values = {"a": a, "b": b, "rare": rare, "wide": np.minimum(a, 1), "n": a.astype(float)}
    zeros = StructuralZeros.find(parts, values).pairs
    assert list(zeros) == [("a", "b")]
    assert np.argwhere(zeros["a", "b"]).tolist() == [[0, 0]]


def test_an_impossible_value_gives_way_to_what_is_possible() -> None:
    """The forest does not know the structural zero: only the second draw respects it."""
    data = table(pd.DataFrame({"a": ["x", "y"] * 100, "b": list("ppqqrrss") * 25}))
    model = trees.fit(data, trees.Params(order=("a", "b")), job=Job(seed=1))
    forests = {
        "a": marginal_forest(np.array([0, 1], dtype=np.int32)),
        "b": marginal_forest(np.array([0] * 97 + [1, 1, 2], dtype=np.int32)),
    }

    def with_zeros(table: np.ndarray) -> trees.Trees:
        zeros, references = StructuralZeros({("a", "b"): table}), ReferenceColumns(model.codec, {})
        return trees.Trees(model.codec, [SequentialModel(["a", "b"], forests, {}, zeros, references)])

    zeros = np.zeros((2, 4), dtype=bool)
    zeros[1, 0] = True
    out = with_zeros(zeros).draw(20_000, rng=np.random.default_rng(0))
    seen = np.bincount(out["a"] * 4 + out["b"], minlength=8).reshape(2, 4) / 10_000
    assert seen[0] == pytest.approx([0.97, 0.02, 0.01, 0], abs=0.005)
    assert seen[1] == pytest.approx([0, 2 / 3, 1 / 3, 0], abs=0.02)
    zeros[1] = True
    stuck = with_zeros(zeros).draw(500, rng=np.random.default_rng(0))
    assert set(stuck["b"]) <= {0, 1, 2}  # where nothing may be, what was drawn stays


def test_a_loaded_model_draws_the_same(linked: pd.DataFrame, tmp_path: Path) -> None:
    gaps = people(2000).assign(wage=linked["wage"][:2000].where(np.arange(2000) % 7 > 0))
    model = trees.fit(table(gaps), trees.Params(trees=2), job=Job(seed=1))
    assert len(model.models) == 2 and all(m.zeros.pairs and m.smoothing for m in model.models)
    model.save(tmp_path)
    again = trees.load(tmp_path)
    one, other = (m.draw(3000, rng=np.random.default_rng(5)) for m in (model, again))
    assert list(one) == list(other)
    for name in one:
        assert one[name].dtype == other[name].dtype and np.array_equal(
            one[name], other[name], equal_nan=one[name].dtype.kind == "f"
        )


def test_the_order_can_be_asked_for(linked: pd.DataFrame) -> None:
    model = trees.fit(table(linked), trees.Params(order=("wage",)), job=Job())
    assert {m.order[0] for m in model.models} == {"wage"}


def test_orders_share_the_trees_and_differ_in_where_they_begin(linked: pd.DataFrame) -> None:
    model = trees.fit(table(linked), trees.Params(trees=6), job=Job())
    one, other = model.models
    assert one.order != other.order and sorted(one.order) == sorted(other.order)
    assert {len(forest.roots) for forest in one.forests.values()} <= {1, 3}
    alone = trees.fit(table(linked), trees.Params(trees=6, orders=1), job=Job())
    assert [m.order for m in alone.models] == [one.order]


def test_rows_follow_each_order_equally_often(linked: pd.DataFrame) -> None:
    model = trees.fit(table(linked), trees.Params(discriminator=0), job=Job())
    for m in model.models:
        m.forests["group"] = marginal_forest(np.full(1, m is model.models[0], dtype=np.int32))
    for rows in (0, 1, 999):
        out = model.draw(rows, rng=np.random.default_rng(0))
        assert out["group"].sum() == -(-rows // 2) and all(len(part) == rows for part in out.values())


def test_a_model_that_a_limit_has_cut_short_is_left_out(linked: pd.DataFrame) -> None:
    class Until(Job):
        def going(self, label: str, done: float, total: float, note: str = "") -> bool:
            if done / total > 0.7:
                self.reached = "time"
            return self.reached is None

    (m,) = trees.fit(table(linked), trees.Params(), job=Until()).models
    assert max(len(forest.low) for forest in m.forests.values()) > 1


def test_larger_leaves_make_a_smaller_model(linked: pd.DataFrame) -> None:
    def leaves(least: int) -> int:
        model = trees.fit(table(linked), trees.Params(min_leaf=least, trees=2), job=Job())
        return sum(len(forest.low) for m in model.models for forest in m.forests.values())

    assert leaves(5) > leaves(200)
