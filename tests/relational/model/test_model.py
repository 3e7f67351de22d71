"""Generated tables: sound keys, numbers of children, dependence on parents, and unusual sources."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import seeds
from synthcli.columns.fake import persons
from synthcli.contracts.modelling import Job
from synthcli.contracts.schema import Column, Traits
from synthcli.errors import FitError
from synthcli.relational.data import Tables
from synthcli.relational.model import model as related_model
from synthcli.relational.model.table_method import TableMethod
from synthcli.relational.relationships import Relationship
from synthcli.tabular.methods import independent
from tests.relational import simulated
from tests.relational.conftest import BASE, synthetic


def sound(tables: Tables) -> bool:
    """Whether every key is one row's and every foreign key leads to one."""
    tables.checked()
    return all((tables.parents(r) >= 0).all() for r in tables.relationships)


def test_keys_are_whole(generated: Tables, shop: Tables) -> None:
    assert sound(generated)
    assert len(generated) == len(shop)
    for name, rows in shop.rows.items():
        assert generated.rows[name] == pytest.approx(rows, rel=0.1)


def test_schema_and_types_are_the_source_s(generated: Tables, shop: Tables) -> None:
    for name, frame in shop.frames.items():
        assert generated.frames[name].dtypes.to_dict() == frame.dtypes.to_dict()
        assert list(generated.frames[name]) == list(frame)


def test_rows_are_numbered_as_in_the_source(generated: Tables) -> None:
    items = generated.frames["items"]
    ends = items.groupby(["region", "order_no"])["line"].agg(["min", "max", "size", "nunique"])
    assert (ends["min"] == 1).all() and (ends["max"] == ends["size"]).all() and (ends["nunique"] == ends["size"]).all()
    orders = generated.frames["orders"].groupby("region")["no"].agg(["max", "size"])
    assert (orders["max"] == orders["size"]).all()


def test_rows_are_numbered_also_where_a_part_has_gaps(shop: Tables) -> None:
    part = shop.split({"a": 0.5, "b": 0.5}, rng=seeds.stream(0, "s"))["a"]
    assert part.frames["orders"]["no"].max() > part.frames["orders"].groupby("region").size().max()
    orders = related_model.fit(part, BASE, job=Job(0)).sample(len(part), rng=seeds.stream(0, "made")).frames["orders"]
    assert (orders.groupby("region")["no"].max() == orders.groupby("region").size()).all()


def test_no_product_twice_in_an_order(generated: Tables) -> None:
    assert not generated.frames["items"].duplicated(["region", "order_no", "product_id"]).any()


def test_times_are_in_order(generated: Tables, shop: Tables) -> None:
    at = generated.parents(generated.relationships[0])
    orders = generated.frames["orders"]
    assert (
        orders["placed"].reset_index(drop=True)
        >= generated.frames["customers"]["signup"].take(at).reset_index(drop=True)
    ).mean() > 0.99
    waited = (orders["shipped"] - orders["placed"]).dropna().dt.days
    assert waited.min() >= 1 and waited.max() <= 5
    assert orders["shipped"].isna().mean() == pytest.approx(shop.frames["orders"]["shipped"].isna().mean(), abs=0.05)
    for side in (generated, shop):
        assert orders["placed"].max() <= side.frames["orders"]["placed"].max()


def test_times_are_not_counted_from_a_date_of_birth() -> None:
    shop = simulated.shop(400).checked()[0]
    customers, rng = shop.frames["customers"], np.random.default_rng(0)
    born = customers["signup"] - pd.to_timedelta(rng.integers(7_000, 30_000, len(customers)), unit="D")
    tables = Tables(
        {**shop.frames, "customers": customers.assign(signup=born)}, shop.schemas, shop.relationships
    ).checked()[0]
    real, drawn = (t.frames["orders"].groupby("customer_id")["placed"].min() for t in (tables, synthetic(tables)))
    assert (drawn == drawn.max()).mean() < 0.05, "few are moved to the end of what was observed"
    for q in (0.1, 0.5, 0.9):
        assert abs(drawn.quantile(q) - real.quantile(q)) < pd.Timedelta(days=30)


def test_children_go_with_their_parents_and_grandparents(generated: Tables, shop: Tables) -> None:
    for tables in (shop, generated):
        at = tables.parents(tables.relationships[0])
        segment = tables.frames["customers"]["segment"].take(at).to_numpy()
        amount = tables.frames["orders"]["amount"].to_numpy()
        assert amount[segment == "business"].mean() > 2 * amount[segment != "business"].mean()
        counts = (
            pd.Series(tables.children(tables.relationships[0]))
            .groupby(tables.frames["customers"]["segment"].to_numpy())
            .mean()
        )
        assert counts["loyal"] > 1.5 * counts["business"] > 1.5 * counts["new"]
        up = tables.parents(tables.relationships[1])
        lines = pd.Series(tables.children(tables.relationships[1])).groupby(segment).mean()
        assert lines["business"] > 1.5 * lines["new"]
        kind = tables.frames["products"]["kind"].take(tables.parents(tables.relationships[2])).to_numpy()
        assert (kind[segment[up] == "business"] == "kind 3").mean() > 0.6
        quantity = tables.frames["items"]["quantity"].to_numpy(dtype=float)
        assert quantity[kind == "kind 3"].mean() > 1.7 * quantity[kind == "kind 0"].mean()


def test_parents_without_children_stay(generated: Tables, shop: Tables) -> None:
    share = [(t.children(t.relationships[0]) == 0).mean() for t in (shop, generated)]
    assert share[0] > 0.2 and share[1] == pytest.approx(share[0], abs=0.05)


def test_the_same_seed_gives_the_same_tables_also_from_a_saved_model(
    fitted: related_model.RelationalModel, generated: Tables, tmp_path: Path
) -> None:
    fitted.save(tmp_path)
    again = related_model.load(tmp_path, BASE).sample(len(generated), rng=seeds.stream(1, "made"))
    assert all(again.frames[name].equals(frame) for name, frame in generated.frames.items())
    other = fitted.sample(len(generated), rng=seeds.stream(2, "made"))
    assert not other.frames["orders"].equals(generated.frames["orders"])


def test_nothing_of_a_key_is_learned(generated: Tables, shop: Tables) -> None:
    assert not set(generated.frames["customers"]["id"]) & set(shop.frames["customers"]["id"]) or len(generated) < 10_000
    assert generated.frames["products"]["sku"].str.fullmatch(r"P-\d{4}").all()


def test_other_numbers_of_rows(fitted: related_model.RelationalModel, shop: Tables) -> None:
    twice = fitted.sample(2 * len(shop), rng=seeds.stream(1, "made"))
    assert sound(twice)
    assert twice.rows["orders"] == pytest.approx(2 * shop.rows["orders"], rel=0.15)
    assert twice.rows["products"] == shop.rows["products"]
    assert sound(fitted.sample(1, rng=seeds.stream(1, "made")))


def test_a_hierarchy_in_levels() -> None:
    generated = synthetic(simulated.firm())
    checked = generated.checked()[0]
    level = checked.hierarchies["employees"].level
    assert np.bincount(level)[0] == pytest.approx(3, abs=2) and level.max() == 2
    assert ((level == 0) == generated.frames["employees"]["manager_id"].isna()).all()


def test_those_at_the_top_may_name_themselves() -> None:
    firm = simulated.firm()
    frame = firm.frames["employees"]
    looped = firm.having({"employees": frame.assign(manager_id=frame["manager_id"].fillna(frame["id"]))})
    generated = synthetic(looped).frames["employees"]
    assert 1 <= (generated["manager_id"] == generated["id"]).sum() <= 6 and not generated["manager_id"].isna().any()


def test_many_to_many_without_a_pair_twice() -> None:
    school = simulated.school()
    generated = synthetic(school)
    pairs = generated.frames["enrolments"]
    assert sound(generated) and not pairs.duplicated(["student_id", "course_id"]).any()
    assert len(pairs) == pytest.approx(len(school.frames["enrolments"]), rel=0.15)
    fields = [
        generated.frames[t]["field"].take(generated.parents(r)).to_numpy()
        for t, r in zip(("students", "courses"), generated.relationships)
    ]
    assert (fields[0] == fields[1]).mean() > 0.7  # 1/3 by chance


def test_null_foreign_keys_keep_their_share() -> None:
    school = simulated.school()
    frame, rng = school.frames["enrolments"], np.random.default_rng(0)
    holes = frame.assign(
        student_id=frame["student_id"].mask(rng.random(len(frame)) < 0.2),
        course_id=frame["course_id"].mask(rng.random(len(frame)) < 0.3),
    )
    generated = synthetic(school.having(school.frames | {"enrolments": holes})).checked()[0].frames["enrolments"]
    assert generated["student_id"].isna().mean() == pytest.approx(0.2, abs=0.06)
    assert generated["course_id"].isna().mean() == pytest.approx(0.3, abs=0.08)


def test_a_kept_table_is_given_out_as_it_is(tmp_path: Path) -> None:
    shop = simulated.shop(200)
    tables = Tables(shop.frames, shop.schemas, shop.relationships, kept=frozenset({"products"})).checked()[0]
    fitted = related_model.fit(tables, BASE, job=Job(0))
    generated = fitted.sample(200, rng=seeds.stream(0, "made"))
    assert sound(generated) and generated.frames["products"].equals(shop.frames["products"])
    fitted.save(tmp_path)
    assert (
        related_model.load(tmp_path, BASE)
        .sample(200, rng=seeds.stream(0, "made"))
        .frames["items"]
        .equals(generated.frames["items"])
    )


def test_a_circle_of_tables() -> None:
    rng = np.random.default_rng(0)
    columns = {
        "departments": {
            "id": pa.array(np.arange(20)),
            "head_id": pa.array(100 + np.arange(20)),
            "size": pa.array(rng.integers(5, 50, 20)),
        },
        "staff": {
            "id": pa.array(100 + np.arange(200)),
            "department_id": pa.array(np.arange(200) % 20),
            "age": pa.array(rng.integers(20, 60, 200)),
        },
    }
    ends = (
        Relationship.parse("departments.head_id", "staff.id"),
        Relationship.parse("staff.department_id", "departments.id"),
    )
    generated = synthetic(simulated.tables(columns, ends, unit=("departments", None)))
    assert sound(generated) and generated.rows["departments"] == 20


def test_keys_that_share_a_column() -> None:
    """Invoices and customers of tenants: an invoice's customer is of its own tenant."""
    rng = np.random.default_rng(1)
    tenant = np.repeat(np.arange(30), 5)
    owner = rng.integers(0, 150, 400)
    columns = {
        "tenants": {"id": pa.array(np.arange(30))},
        "customers": {
            "tenant_id": pa.array(tenant),
            "no": pa.array(np.tile(np.arange(1, 6), 30)),
            "vip": pa.array(rng.random(150) < 0.3),
        },
        "invoices": {
            "tenant_id": pa.array(tenant[owner]),
            "customer_no": pa.array(1 + owner % 5),
            "sum": pa.array(rng.gamma(2, 10, 400).round(2)),
        },
    }
    ends = (
        Relationship.parse("customers.tenant_id", "tenants.id"),
        Relationship.parse("invoices.tenant_id", "tenants.id"),
        Relationship.parse(["invoices.tenant_id", "invoices.customer_no"], ["customers.tenant_id", "customers.no"]),
    )
    assert sound(synthetic(simulated.tables(columns, ends)))


@pytest.mark.parametrize("orders", [[], [3], [3, 3, 3]])
def test_hardly_any_children(orders: list[int]) -> None:
    columns = {
        "users": {"id": pa.array([1, 2, 3]), "age": pa.array([20, 30, 40])},
        "orders": {
            "user_id": pa.array(orders, pa.int64()),
            "day": pa.array(np.arange(len(orders)).astype("datetime64[D]")),
            "x": pa.array(np.arange(len(orders)) * 1.5),
        },
    }
    generated = synthetic(simulated.tables(columns, (Relationship.parse("orders.user_id", "users.id"),)))
    assert (
        sound(generated)
        and generated.rows["users"] == 3
        and list(generated.frames["orders"]) == ["user_id", "day", "x"]
    )


def test_a_method_that_draws_nothing_given_is_refused() -> None:
    with pytest.raises(
        FitError, match=r"independent does not draw rows given what is known.*remedy: generator.method: trees"
    ):
        related_model.fit(simulated.school().checked()[0], TableMethod(independent), job=Job(0))


def test_a_family_of_thousands() -> None:
    """One parent with most of the rows: as many model calls as its logarithm, and its number is nobody's own."""
    rng = np.random.default_rng(2)
    n = np.r_[np.full(8, 1_500), rng.integers(0, 4, 60)]
    owner = np.repeat(np.arange(len(n)), n)
    columns = {
        "shops": {"id": pa.array(np.arange(len(n)))},
        "sales": {
            "shop_id": pa.array(owner),
            "day": pa.array(rng.integers(0, 900, len(owner)).astype("datetime64[D]")),
            "x": pa.array(rng.normal(size=len(owner))),
        },
    }
    generated = synthetic(simulated.tables(columns, (Relationship.parse("sales.shop_id", "shops.id"),)))
    sizes = generated.children(generated.relationships[0])
    assert (sizes > 1_000).sum() in range(6, 11)
    sales = generated.frames["sales"]
    assert sales.groupby("shop_id")["day"].is_monotonic_increasing.all()
    big = generated.frames["shops"]["id"].to_numpy()[sizes > 1_000]
    medians = [(sales.loc[sales["shop_id"] == shop, "day"] - sales["day"].min()).dt.days.median() for shop in big]
    assert (
        250 < np.mean(medians) < 700
    )  # spread over the time that there is, not all heaped at an end; single families are


def test_parents_of_a_child_may_be_dropped() -> None:
    shop = simulated.shop(60)
    alone = [replace(r, on_orphans="drop") for r in shop.relationships[:1]]
    tables = Tables(
        {k: shop.frames[k] for k in ("customers", "orders")},
        {k: shop.schemas[k] for k in ("customers", "orders")},
        alone,
    )
    assert sound(synthetic(tables))


def test_names_follow_the_sex_of_their_own_row() -> None:
    shop = simulated.shop(120).checked()[0]
    customers, schema = shop.frames["customers"], shop.schemas["customers"]
    sex = np.random.default_rng(0).choice(["m", "f"], len(customers))
    words = {"sex": pd.array(sex, dtype="string"), "first_name": pd.array(["x"] * len(customers), dtype="string")}
    more = (Column("sex", inferred=Traits(type="category")), Column("first_name", Traits(type="first_name")))
    tables = Tables(
        {**shop.frames, "customers": customers.assign(**words)},
        {**shop.schemas, "customers": replace(schema, columns=(*schema.columns, *more))},
        shop.relationships,
    ).checked()[0]
    out = synthetic(tables).frames["customers"]
    women = out["first_name"].isin(list(persons.names("en_US").first[0]))
    assert out["sex"].nunique() == 2 and (women == (out["sex"] == "f")).all()
