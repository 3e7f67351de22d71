"""Relationships between frames: which are found, by names and by values, and which are not."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from synthcli.init.related import names
from synthcli.init.related.relationships import Structure, find
from synthcli.relational.relationships import Relationship

RNG = np.random.default_rng(0)


def serial(rows: int, **more: object) -> pd.DataFrame:
    return pd.DataFrame({"id": np.arange(1, rows + 1), **more})


def links(found: Structure) -> set[str]:
    return {r.name for r in found.relationships}


@pytest.mark.parametrize(
    ("column", "table", "key", "strength"),
    [
        ("user_id", "users", "id", names.EXACT),
        ("userId", "Users", "id", names.EXACT),
        ("userid", "users", "id", names.EXACT),
        ("fk_customer", "dim_customers", "customer_key", names.EXACT),
        ("customer", "customers", "id", names.EXACT),
        ("category_id", "categories", "id", names.EXACT),
        ("person_id", "people", "id", names.EXACT),
        ("playerID", "Batting2", "playerID", names.EXACT),
        ("home_team_id", "teams", "id", names.ROLE),
        ("cust_id", "customers", "id", names.SHORT),
        ("acct_nr", "accounts", "nr", names.SHORT),
        ("id", "users", "id", names.NOTHING),
        ("quantity", "orders", "id", names.NOTHING),
        ("product_id", "users", "id", names.NOTHING),
        ("status", "states", "id", names.NOTHING),
    ],
)
def test_names(column: str, table: str, key: str, strength: int) -> None:
    assert names.refers(column, table, key).strength == strength


def test_serial_numbers_alone_are_no_relationship() -> None:
    tables = {"a": serial(100, score=RNG.integers(1, 100, 100)), "b": serial(200, level=RNG.integers(1, 90, 200))}
    assert find(tables).links == ()


def test_names_make_references_of_serial_numbers_and_several_of_them() -> None:
    orders = serial(
        300,
        user_id=RNG.integers(1, 101, 300),
        quantity=RNG.integers(1, 9, 300),
        ship_address_id=RNG.integers(1, 51, 300),
        bill_address_id=RNG.integers(1, 51, 300),
    )
    found = find({"users": serial(100), "addresses": serial(50), "orders": orders})
    assert links(found) == {
        "orders.user_id → users.id",
        "orders.ship_address_id → addresses.id",
        "orders.bill_address_id → addresses.id",
    }
    assert found.keys == {"users": ("id",), "addresses": ("id",), "orders": ("id",)} and found.left_out == ()


def test_long_numbers_and_codes_are_evidence_without_a_name() -> None:
    codes = [f"Q{i:05d}" for i in RNG.permutation(99999)[:60]]
    numbers = RNG.choice(10**9, 60, replace=False)
    tables = {
        "things": pd.DataFrame({"mark": codes, "size": RNG.random(60)}),
        "accounts": pd.DataFrame({"account": numbers, "size": RNG.random(60)}),
        "moves": pd.DataFrame({"what": RNG.choice(codes, 200), "holder": RNG.choice(numbers, 200)}),
    }
    assert links(find(tables)) == {"moves.what → things.mark", "moves.holder → accounts.account"}


def test_of_several_tables_with_the_same_key_the_one_that_holds_all_is_the_parent() -> None:
    players = [f"p{i:03d}" for i in range(50)]
    tables = {
        "Batting": pd.DataFrame({"playerID": RNG.choice(players, 200), "hits": RNG.integers(0, 50, 200)}),
        "HallOfFame": pd.DataFrame({"playerID": players[:10], "votes": RNG.integers(0, 100, 10)}),
        "People": pd.DataFrame({"playerID": players, "born": RNG.integers(1900, 1990, 50)}),
    }
    assert links(find(tables)) == {"Batting.playerID → People.playerID", "HallOfFame.playerID → People.playerID"}


def test_two_tables_with_the_same_keys_refer_to_each_other_in_one_direction() -> None:
    one, two = (pd.DataFrame({"matric_no": np.arange(1000, 1050), "x": RNG.random(50)}) for _ in range(2))
    assert len(find({"one": one, "two": two}).links) == 1


def test_a_table_refers_to_itself_if_a_name_says_so_and_no_row_leads_back_to_itself() -> None:
    above = [np.nan, *(i // 3 + 1 for i in range(1, 60))]
    staff = pd.DataFrame({"id": np.arange(1, 61), "manager_id": above, "grade": RNG.integers(1, 9, 60)})
    assert links(find({"staff": staff})) == {"staff.manager_id → staff.id"}
    circle = pd.DataFrame({"id": [1, 2, 3], "manager_id": [2, 3, 1]})
    (note,) = find({"staff": circle}).left_out
    assert "lead back to themselves" in note and not find({"staff": circle}).links


def test_orphans_are_dropped_if_few_and_the_relationship_is_left_out_if_many() -> None:
    users = serial(100)
    few = pd.DataFrame({"user_id": [*range(1, 100), 999]})
    (link,) = find({"users": users, "orders": few}).links
    assert link.orphans == 1 and link.relationship.on_orphans == "drop"
    found = find({"users": users, "orders": pd.DataFrame({"user_id": [*range(1, 71), *range(500, 530)]})})
    assert not found.links and "30% of its rows are no key" in found.left_out[0]
    assert not any(str(n) in found.left_out[0] for n in range(500, 530)), "no value of a person stands in a note"


def test_words_in_one_table_and_numbers_in_another_are_the_same_keys() -> None:
    orders = pd.DataFrame({"user_id": [str(i) for i in RNG.integers(1, 100, 50)]})
    assert links(find({"users": serial(100), "orders": orders})) == {"orders.user_id → users.id"}


def test_two_columns_that_name_the_same_row_are_one_relationship() -> None:
    mails = [f"m{i}@x.org" for i in range(50)]
    at = RNG.integers(0, 50, 200)
    orders = pd.DataFrame({"user_id": at + 1, "user_email": np.array(mails)[at]})
    found = find({"users": serial(50, email=mails), "orders": orders})
    assert links(found) == {"orders.user_id → users.id"}
    assert any("names the same rows as orders.user_id" in note for note in found.left_out)


def test_the_catalogue_decides_and_what_it_lacks_is_a_note() -> None:
    tables = {
        "users": serial(50),
        "orders": serial(100, buyer=RNG.integers(1, 51, 100), user_id=RNG.integers(1, 51, 100)),
    }
    found = find(tables, [Relationship.parse("orders.buyer", "users.id")])
    assert links(found) == {"orders.buyer → users.id"}
    assert "orders.user_id → users.id: not declared in the catalogue" in found.left_out[0]


def test_dates_floats_and_flags_are_no_keys() -> None:
    days = pd.date_range("2020-01-01", periods=40)
    tables = {
        "days": pd.DataFrame({"day": days, "open": [True] * 40}),
        "sales": pd.DataFrame({"day": days, "amount": RNG.random(40), "open": [True] * 40}),
    }
    assert find(tables).links == () and all("." not in key for pair in pairwise(find(tables).keys) for key in pair)
