"""Relationships, what they refuse, and the split of related tables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import seeds
from synthcli.errors import DataError, SpecError
from synthcli.relational.data import Tables
from synthcli.relational.relationships import NULL, ORPHAN, Relationship, positions, root
from tests.relational import simulated


def users(ids: list[int | None], owners: list[int | None], **more: object) -> Tables:
    columns = {"users": {"id": pa.array(ids, pa.int64())}, "orders": {"user_id": pa.array(owners, pa.int64())}}
    return simulated.tables(columns, (Relationship.parse("orders.user_id", "users.id"),), **more)


def test_positions_against_a_loop() -> None:
    rng = np.random.default_rng(0)
    parent = pd.DataFrame({"a": rng.permutation(50)[:30], "b": ["x", "y"] * 15}).astype({"a": "Int64"})
    child = pd.DataFrame({"p": rng.integers(0, 50, 200), "q": rng.choice(["x", "y"], 200)}).astype({"p": "Int64"})
    child.loc[::7, "p"] = pd.NA
    keys = {(a, b): i for i, (a, b) in enumerate(zip(parent.a, parent.b))}
    expected = [NULL if pd.isna(p) else keys.get((p, q), ORPHAN) for p, q in zip(child.p, child.q)]
    assert positions(parent, ("a", "b"), child, ("p", "q")).tolist() == expected


def test_numbers_refer_to_words() -> None:
    assert positions(
        pd.DataFrame({"id": pd.array(["7", "8"], "string")}),
        ["id"],
        pd.DataFrame({"u": pd.array([8, 9], "Int64")}),
        ["u"],
    ).tolist() == [
        1,
        ORPHAN,
    ]


@pytest.mark.parametrize(
    ("ends", "what"),
    [
        (("orders", "users.id"), "table.column"),
        ((["o.a", "p.b"], ["u.a", "u.b"]), "several tables"),
        ((["o.a"], ["u.a", "u.b"]), r"columns refer to \d"),
    ],
)
def test_ends_that_make_no_sense(ends: tuple[object, object], what: str) -> None:
    with pytest.raises(SpecError, match=what):
        Relationship.parse(*ends)  # type: ignore[arg-type]


def test_orphans_are_counted_and_shown() -> None:
    with pytest.raises(
        DataError, match=r"2 of 4 rows of orders refer to no row of users, such as 8, 9; remedy: .*on_orphans: drop"
    ):
        users([1, 2], [1, 8, 9, None]).checked()


def test_orphans_are_dropped_with_all_below_them() -> None:
    whole = simulated.shop(60)
    relationships = [replace(r, on_orphans="drop") for r in whole.relationships]
    cut = whole.frames["customers"].iloc[:30]
    tables = Tables(whole.frames | {"customers": cut}, whole.schemas, relationships)
    checked, dropped = tables.checked()
    assert dropped["orders.customer_id → customers.id"] > 0 and dropped["items.region+order_no → orders.region+no"] > 0
    assert all((checked.parents(r) >= 0).all() for r in relationships)


def test_keys_that_repeat_or_are_null() -> None:
    with pytest.raises(DataError, match="1 key occurs more than once, such as 2"):
        users([1, 2, 2], [1]).checked()
    with pytest.raises(DataError, match="1 of 2 keys is null"):
        users([1, None], [1]).checked()


def test_names_that_are_not_there() -> None:
    tables = users([1], [1])
    with pytest.raises(SpecError, match=r"no table 'user'.*Did you mean users"):
        Tables(
            tables.frames, tables.schemas, [Relationship.parse("orders.user_id", "user.id")], unit=("users", None)
        ).checked()
    with pytest.raises(SpecError, match=r"no column 'ids'.*Did you mean id"):
        Tables(tables.frames, tables.schemas, [Relationship.parse("orders.user_id", "users.ids")]).checked()


def test_rows_above_themselves() -> None:
    columns = {"staff": {"id": pa.array([1, 2, 3]), "boss_id": pa.array([None, 3, 2])}}
    with pytest.raises(DataError, match="2 rows are above themselves"):
        simulated.tables(columns, (Relationship.parse("staff.boss_id", "staff.id"),)).checked()


def test_a_kept_table_refers_to_kept_ones_only() -> None:
    with pytest.raises(SpecError, match="keep users too"):
        users([1], [1], kept=frozenset({"orders"})).checked()


def test_the_root_is_what_most_hangs_from() -> None:
    assert root(["products", "customers", "orders", "items"], simulated.SHOP) == "customers"


def test_all_of_a_unit_is_in_one_part() -> None:
    shop = simulated.shop(300)
    parts = shop.split({"train": 0.6, "validation": 0.1, "holdout": 0.3}, rng=seeds.stream(0, "split"))
    seen: dict[int, str] = {}
    for name, part in parts.items():
        assert all((part.parents(r) >= 0).all() for r in part.relationships), "what a row refers to is in its part"
        assert len(part.frames["products"]) == 40, "a table that hangs from no unit is in every part"
        assert all(seen.setdefault(int(c), name) == name for c in part.frames["orders"]["customer_id"])
        assert len(part) == pytest.approx(300 * {"train": 0.6, "validation": 0.1, "holdout": 0.3}[name], abs=1)
    for table in ("customers", "orders", "items"):
        assert sum(len(p.frames[table]) for p in parts.values()) == len(shop.frames[table])


def test_units_of_a_column_and_strata() -> None:
    shop = simulated.shop(300)
    tables = Tables(shop.frames, shop.schemas, shop.relationships, unit=("customers", "segment"))
    assert len(np.unique(tables.units()["items"])) == 3
    parts = shop.split({"a": 0.5, "b": 0.5}, rng=seeds.stream(0, "s"), stratify_by="customers.segment")
    one, two = (p.frames["customers"]["segment"].value_counts().sort_index() for p in parts.values())
    assert (one - two).abs().max() <= 1


def test_rows_of_units_in_several_parts_are_in_none() -> None:
    """Messages between users: one whose sender and receiver are in different parts would tell one part of the other."""
    rng = np.random.default_rng(0)
    columns = {
        "users": {"id": pa.array(np.arange(100))},
        "mails": {"sender_id": pa.array(rng.integers(0, 100, 500)), "receiver_id": pa.array(rng.integers(0, 100, 500))},
    }
    mails = simulated.tables(
        columns,
        (Relationship.parse("mails.sender_id", "users.id"), Relationship.parse("mails.receiver_id", "users.id")),
    )
    parts = mails.split({"a": 0.5, "b": 0.5}, rng=seeds.stream(0, "s"))
    for part in parts.values():
        assert len(part.frames["mails"]) > 80
        assert all((part.parents(r) >= 0).all() for r in part.relationships)


def test_too_few_units_for_a_part() -> None:
    with pytest.raises(DataError, match="2 privacy units of table users are too few for a validation part"):
        users([1, 2], [1, 2]).split({"train": 0.8, "validation": 0.1, "holdout": 0.1}, rng=seeds.stream(0, "s"))


def test_a_hierarchy_keeps_its_levels_in_a_part() -> None:
    firm = simulated.firm().checked()[0]
    part = firm.split({"a": 0.5, "b": 0.5}, rng=seeds.stream(0, "s"))["a"]
    hierarchy, at = part.hierarchies["employees"], part.parents(part.relationships[0])
    assert (at != ORPHAN).all()
    assert ((at == NULL) == ((hierarchy.level == 0) | hierarchy.severed)).all()
    assert (hierarchy.level[at[at >= 0]] == hierarchy.level[at >= 0] - 1).all()
    assert hierarchy.severed.any()
