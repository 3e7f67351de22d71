"""The judges of related tables, against figures that can be worked out."""

from __future__ import annotations

import functools
from types import ModuleType

import numpy as np
import pandas as pd
import pytest

from synthcli import seeds
from synthcli.contracts.evaluation import Evidence, Measurement
from synthcli.relational.data import Tables
from synthcli.relational.metrics import cardinality, integrity, parent_child, siblings
from tests.relational import simulated


def measured(
    module: ModuleType, synthetic: Tables, control: Tables, train: Tables | None = None
) -> dict[str | None, Measurement]:
    seen = Evidence(control.schema, synthetic, train, control)
    return {m.of: m for m in module.measure(seen, rng=seeds.stream(0, "judge"))}


@pytest.fixture(scope="module")
def shop() -> Tables:
    return simulated.shop(500)


@pytest.fixture(scope="module")
def other() -> Tables:
    return simulated.shop(500, seed=9)


@pytest.mark.parametrize("module", [integrity, cardinality, parent_child, siblings])
def test_the_same_tables_score_one(module: ModuleType, shop: Tables) -> None:
    overall = measured(module, shop, shop, shop)[None]
    assert overall.value == pytest.approx(1) and overall.floor == pytest.approx(1)
    assert overall.low is not None and overall.low <= 1


@pytest.mark.parametrize("module", [cardinality, parent_child, siblings])
def test_nothing_without_a_control(module: ModuleType, shop: Tables) -> None:
    found = module.measure(Evidence(shop.schema, shop), rng=seeds.stream(0, "x"))
    assert [m.value for m in found] == [None] and "no holdout" in found[0].note


def test_keys_that_lead_nowhere(shop: Tables) -> None:
    orders = shop.frames["orders"].copy()
    rows = len(orders) // 4
    orders.loc[: rows - 1, "customer_id"] = 999_999
    broken = shop.having(shop.frames | {"orders": orders})
    found = {
        (m.name, m.of): m
        for m in integrity.measure(Evidence(shop.schema, broken, None, shop), rng=seeds.stream(0, "x"))
    }
    one = found["referential_integrity", "orders.customer_id → customers.id"]
    assert one.value == pytest.approx(1 - rows / len(orders)) and one.floor == 1 and one.low < one.value < one.high
    assert found["key_uniqueness", None].value == 1


def test_keys_of_several_rows(shop: Tables) -> None:
    customers = shop.frames["customers"].copy()
    customers.loc[:9, "id"] = customers["id"].iloc[0]
    found = integrity.measure(
        Evidence(shop.schema, shop.having(shop.frames | {"customers": customers})), rng=seeds.stream(0, "x")
    )
    assert next(m.value for m in found if m.name == "key_uniqueness" and m.of and "customer" in m.of) == pytest.approx(
        490 / 500
    )


@pytest.mark.extra("sdv")
def test_cardinality_against_sdmetrics(shop: Tables, other: Tables) -> None:
    import sdmetrics.multi_table as multi

    pair = [
        Tables({k: t.frames[k] for k in ("customers", "orders")}, t.schemas, t.relationships[:1]) for t in (shop, other)
    ]
    plain = [{k: pd.DataFrame({c: f[c].astype(object) for c in f}) for k, f in t.frames.items()} for t in pair]
    columns = {
        k: {"columns": {c: {"sdtype": "id" if c.endswith("id") else "categorical"} for c in pair[0].frames[k]}}
        for k in pair[0].frames
    }
    link = {
        "parent_table_name": "customers",
        "parent_primary_key": "id",
        "child_table_name": "orders",
        "child_foreign_key": "customer_id",
    }
    columns["customers"]["primary_key"] = "id"
    expected = multi.CardinalityShapeSimilarity.compute(*plain, {"tables": columns, "relationships": [link]})
    assert measured(cardinality, pair[1], pair[0])[None].value == pytest.approx(expected)


def test_zero_children_count(shop: Tables) -> None:
    """Parents without children taken away: the numbers of the others are as they were."""
    has = shop.children(shop.relationships[0]) > 0
    cut = shop.having(shop.frames | {"customers": shop.frames["customers"][has]})
    found = measured(cardinality, cut, shop)["orders.customer_id → customers.id"]
    assert found.value == pytest.approx(has.mean()) and found.low < has.mean() < found.high


def test_lookups_are_compared_at_the_same_size(shop: Tables) -> None:
    parts = shop.split({"train": 0.8, "holdout": 0.2}, rng=seeds.stream(0, "s"))
    found = measured(cardinality, shop, parts["holdout"])["items.product_id → products.sku"]
    assert found.value > 0.8  # 0.2 without: five times as many items to a product


def test_broken_ties_are_seen(shop: Tables, other: Tables) -> None:
    rng = np.random.default_rng(0)
    orders = shop.frames["orders"]
    mixed = orders.assign(customer_id=orders["customer_id"].take(rng.permutation(len(orders))).to_numpy())
    broken = shop.having(shop.frames | {"orders": mixed})
    of = "orders.customer_id → customers.id: parent.segment × child.amount"
    judge = functools.partial(measured, parent_child, control=other, train=shop)
    good, bad = judge(shop)[of], judge(broken)[of]
    assert bad.value < good.value - 0.05
    assert bad.value == pytest.approx(good.baseline, abs=0.06), "mixed keys are what independence gives"
    assert good.floor == pytest.approx(good.value, abs=0.02)
    alike = "orders.customer_id → customers.id: amount before × this amount"
    assert measured(siblings, broken, other)[alike].value < measured(siblings, shop, other)[alike].value - 0.1


def test_numbers_of_children_are_a_parent_s_column(shop: Tables) -> None:
    found = measured(parent_child, shop, shop)
    assert any(of and "parent.# × child.amount" in of for of in found)
    assert not any(of and ("customer_id ×" in of or "child.region" in of) for of in found), "keys are no columns"
