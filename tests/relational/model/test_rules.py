"""Rules of related tables hold for every generated row, also over columns of ancestors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli import seeds
from synthcli.columns.constraints.parse import parse_rule
from synthcli.contracts.modelling import Job
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import FitError, SpecError
from synthcli.relational.data import Tables
from synthcli.relational.graph import order
from synthcli.relational.model import model as related_model
from synthcli.relational.model.enforcement import RuleEnforcer
from synthcli.relational.model.event_times import Clock
from synthcli.relational.model.generated import GeneratedTables
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.repair import move_times
from synthcli.relational.model.rules import check, named, reached, widened
from tests.relational import simulated
from tests.relational.conftest import BASE

Rules = Mapping[str, Sequence[Any]]
SHOP: Rules = {
    "customers": ["age >= 18", {"expr": "segment != 'business' or age >= 40"}],
    "orders": [
        "placed >= customers.signup",  # a time
        "shipped > placed",  # built in
        "amount < 100 or customers.segment == 'business'",
        {"unique": ["customer_id", "amount"]},
        "customers.age < 66",  # of parents alone
    ],
    "items": [
        {"unique": ["region", "order_no", "product_id"]},
        "quantity <= 4 or products.kind != 'kind 0'",
        "orders.amount > 5",
    ],
}


def fitted(tables: Tables, rules: Rules) -> related_model.RelationalModel:
    return related_model.fit(
        tables, BASE, job=Job(1), rules={name: [parse_rule(raw) for raw in some] for name, some in rules.items()}
    )


def broken(tables: Tables, rules: Rules) -> dict[str, int]:
    """Rule -> rows that break it, by the frames alone."""
    generated, out = order(tables), {}
    for name, some in rules.items():
        for rule in map(parse_rule, some):
            wide = widened(sorted(rule.columns), name, tables.frames[name], tables.frames, generated, tables.parents)
            out[f"{name}: {rule.text}"] = int(rule.violations(wide).sum())
    return out


@pytest.fixture(scope="module")
def ruled(shop: Tables) -> related_model.RelationalModel:
    return fitted(shop, SHOP)


def test_every_rule_is_true_of_every_row(ruled: related_model.RelationalModel, shop: Tables, tmp_path: Path) -> None:
    assert sum(v > 0 for v in broken(shop, SHOP).values()) >= 2, (
        "the source breaks some, so that they are no matter of course"
    )
    ruled.save(tmp_path)
    counts = RejectionCounts()
    generated = related_model.load(tmp_path, BASE).sample(700, rng=seeds.stream(1, "made"), counts=counts)
    assert set(broken(generated, SHOP).values()) == {0}
    generated.checked()  # keys are whole
    assert len(generated) == 700 and sum(counts.refused.values()) > 0
    counts = generated.frames["items"].groupby(["region", "order_no"])["line"].agg(["max", "size"])
    assert (counts["max"] == counts["size"]).all(), "lines are numbered, also where a row went"
    again = ruled.sample(700, rng=seeds.stream(1, "made"))
    assert all(again.frames[name].equals(frame) for name, frame in generated.frames.items())


def test_what_rules_say_nothing_of_stays(ruled: related_model.RelationalModel, shop: Tables) -> None:
    generated = ruled.sample(len(shop), rng=seeds.stream(2, "made"))
    for tables in (shop, generated):
        at = tables.parents(tables.relationships[0])
        segment = tables.frames["customers"]["segment"].take(at).to_numpy()
        amount = tables.frames["orders"]["amount"].to_numpy()
        assert amount[segment == "business"].mean() > 2 * amount[segment != "business"].mean()
    for name in ("orders", "items"):
        assert generated.rows[name] == pytest.approx(shop.rows[name], rel=0.2)


def test_each_rule_says_what_it_holds_by(ruled: related_model.RelationalModel) -> None:
    orders = ruled.table_models["orders"].rule_plan
    assert orders is not None
    assert orders.ways == ("timed", "drawn", "drawn", "drawn", "parents")
    assert list(orders.how.values()) == ["repair", "construction", "rejection", "rejection", "repair"]


def test_rows_that_fit_at_no_time_are_moved() -> None:
    """Between a row's own time and a date of its parent there may be no room for what is drawn."""
    shop = simulated.shop(200).checked()[0]
    frames, schemas = dict(shop.frames), dict(shop.schemas)
    orders = frames["orders"] = shop.frames["orders"].assign(
        shipped=lambda o: o["shipped"].fillna(o["placed"] + pd.Timedelta(days=1))
    )
    last = orders.groupby("customer_id")["shipped"].max()
    customers = shop.frames["customers"]
    signup = schemas["customers"]["signup"]
    schemas["customers"] = Schema(
        (*schemas["customers"].columns, type(signup)("closed", Traits(), signup.inferred, signup.storage))
    )
    frames["customers"] = customers.assign(
        closed=customers["id"].map(last).fillna(customers["signup"]).astype(customers["signup"].dtype)
    )
    tables = Tables(frames, schemas, shop.relationships).checked()[0]
    rules = {"orders": ["shipped > placed", "shipped <= customers.closed", "placed >= customers.signup"]}
    counts = RejectionCounts()
    generated = fitted(tables, rules).sample(150, rng=seeds.stream(0, "made"), counts=counts)
    assert set(broken(generated, rules).values()) == {0}
    assert sum(counts.dropped.values()) < 0.1 * generated.rows["orders"]


def test_no_pair_of_keys_twice_and_one_child_each() -> None:
    school = simulated.school(200).checked()[0]
    rules = {"enrolments": [{"unique": ["student_id", "course_id"]}, {"unique": ["student_id", "grade"]}]}
    generated = fitted(school, rules).sample(200, rng=seeds.stream(0, "made"))
    assert set(broken(generated, rules).values()) == {0}
    one = Tables(
        school.frames | {"enrolments": school.frames["enrolments"].drop_duplicates("student_id")},
        school.schemas,
        school.relationships,
    ).checked()[0]
    generated = fitted(one, {"enrolments": [{"unique": "student_id"}]}).sample(500, rng=seeds.stream(0, "made"))
    assert not generated.frames["enrolments"]["student_id"].duplicated().any()


@pytest.mark.parametrize("rule", ["courses.field != 'law'", "courses.id < 505"])
def test_other_parents_that_a_rule_refuses_have_no_children(rule: str) -> None:
    """Also where rows ask for parents of a kind that none may be, and numbers of children are given out again."""
    school, rules = simulated.school(200).checked()[0], {"enrolments": [rule]}
    assert sum(broken(school, rules).values()) > 100
    counts = RejectionCounts()
    generated = fitted(school, rules).sample(200, rng=seeds.stream(0, "made"), counts=counts)
    assert set(broken(generated, rules).values()) == {0} and not counts.dropped
    assert generated.rows["enrolments"] > 100 and generated.rows["courses"] == 30


@pytest.fixture(scope="module")
def counted() -> Tables:
    """The shop with orders that are numbered within their customer, as they were placed."""
    shop = simulated.shop(300).checked()[0]
    orders = shop.frames["orders"].sort_values(["customer_id", "placed"], kind="stable").reset_index(drop=True)
    orders["seq"] = (orders.groupby("customer_id").cumcount() + 1).astype("Int64")
    schema = Schema((*shop.schemas["orders"].columns, Column("seq", Traits(), Traits(type="integer"), "int64")))
    return Tables({**shop.frames, "orders": orders}, {**shop.schemas, "orders": schema}, shop.relationships).checked()[
        0
    ]


def test_numbers_stay_where_times_are_moved(counted: Tables) -> None:
    rules = {"orders": ["placed >= customers.signup + days(150)", "seq == 1 or amount > 15", "seq > 1 or amount < 45"]}
    counts = RejectionCounts()
    generated = fitted(counted, rules).sample(400, rng=seeds.stream(0, "made"), counts=counts)
    assert set(broken(generated, rules).values()) == {0} and not counts.dropped
    assert counts.repaired["orders: placed >= customers.signup + days(150)"] > 100
    orders = generated.frames["orders"]
    assert (orders.groupby("customer_id")["placed"].diff().dropna() >= pd.Timedelta(0)).all(), (
        "in the order of their numbers"
    )


def test_numbers_are_looked_at_again_where_rows_go(counted: Tables) -> None:
    learned = fitted(counted, {"orders": ["amount > 15", "seq > 1 or amount < 45"]})
    generated = GeneratedTables(learned.table_models, learned.order, learned.relationships)
    counts = RejectionCounts()
    orders = counted.frames["orders"].head(3).assign(seq=pd.array([1, 2, 3], dtype="Int64"), amount=[10.0, 50.0, 20.0])
    orders["customer_id"] = orders["customer_id"].iloc[0]
    for name, frame in {**counted.frames, "orders": orders}.items():
        generated.add(name, frame, pd.DataFrame(index=frame.index))
    generated.set_parents(learned.order.driver["orders"], np.zeros(3, dtype=np.int64))
    RuleEnforcer(generated, counts, frozenset({"customers"})).enforce("orders", complete=False)
    left = generated.frames["orders"]
    assert left["amount"].tolist() == [20.0] and left["seq"].tolist() == [1], (
        "the second became the first, and too dear for it"
    )
    assert counts.dropped == {"orders: amount > 15": 1, "orders: seq > 1 or amount < 45": 1}


def test_what_nothing_can_obey_names_table_and_rule(shop: Tables) -> None:
    with pytest.raises(
        FitError, match=r"table orders: \d+ of \d+ generated rows break no < 3, and none of many other draws"
    ):
        fitted(shop, {"orders": ["no < 3"]}).sample(100, rng=seeds.stream(0, "made"))


@pytest.mark.parametrize(
    ("table", "rule", "why"),
    [
        ("orders", "amount > customers.agee", r"table customers has no column 'agee'. Did you mean age\?"),
        ("orders", "amount > customer.age", r"there is no table 'customer'. Did you mean customers\?"),
        ("customers", "age > orders.amount", "no row of orders stands above one of customers"),
        ("items", "customers.age > products.price", "looks at columns of customers and products alone"),
        ("orders", "orders.amount > 3", "remedy: amount, for a column of the row itself"),
        ("orders", {"unique": ["customers.age"]}, "looks at columns of customers alone"),
        ("orders", "amount > placed", "amount|placed"),
    ],
)
def test_what_a_rule_may_not_name(shop: Tables, table: str, rule: Any, why: str) -> None:
    with pytest.raises(SpecError, match=why):
        check(parse_rule(rule), table, shop.schemas, order(shop))


def test_two_ways_to_a_table_are_ambiguous() -> None:
    school = simulated.school(50)
    relationships = (*school.relationships, type(school.relationships[0]).parse("enrolments.grade", "courses.id"))
    tables = Tables(school.frames, school.schemas, relationships)
    with pytest.raises(SpecError, match="several relationships lead from enrolments to courses"):
        check(parse_rule("grade > courses.id"), "enrolments", tables.schemas, order(tables))


def test_columns_of_grandparents_stand_beside_rows(shop: Tables) -> None:
    generated = order(shop)
    wide = widened(["quantity", "customers.age"], "items", shop.frames["items"], shop.frames, generated, shop.parents)
    items = shop.frames["items"].merge(shop.frames["orders"], left_on=["region", "order_no"], right_on=["region", "no"])
    ages = shop.frames["customers"].set_index("id")["age"]
    assert wide["customers.age"].tolist() == items["customer_id"].map(ages).tolist()
    assert named("a.b.c", {"a": 1, "a.b": 2}) == ("a.b", "c")
    path = (shop.relationships[1], shop.relationships[0])
    assert (reached(path, shop.parents) >= 0).all()


def test_times_are_moved_to_the_nearest() -> None:
    day = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-05", "2024-03-01"]).astype("datetime64[s]"))
    clock = Clock.of("at", day, np.zeros(3, dtype=np.int64), None)
    rules = [parse_rule("at >= p.since"), parse_rule({"unique": ["at"]})]
    since = pd.Series(pd.to_datetime(["2024-01-04", "2024-01-04", "2024-01-01"]).astype("datetime64[s]"))
    bounds = np.zeros(3, dtype=np.int64), np.full(3, 2**60)
    owner, sides = np.zeros(3, dtype=np.int64), pd.DataFrame({"p.since": since})
    rng = np.random.default_rng(0)
    ticks, broken = move_times(clock.ticks(day), sides, rules, clock, bounds=bounds, owner=owner, rng=rng)
    out = clock.series(ticks)
    assert (out >= since).all() and out.is_unique and out[2] == day[2]
    assert abs((out - day).dt.days).max() < 12 and broken == {"at >= p.since": 1, "unique: at": 0}
