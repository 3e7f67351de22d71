"""Tables that an output creates have their keys, in all three databases."""

from __future__ import annotations

import threading
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from synthcli.contracts.tables import DeclaredColumn, DeclaredTable, ForeignKey
from synthcli.errors import SynthError
from synthcli.sources import catalogue, database
from tests.sources.exchange.conftest import ask, deliver, deliver_all

USERS = DeclaredTable(key=("id",), unique=(("mail",),), columns=(DeclaredColumn("id", "", nullable=False),))
ORDERS = DeclaredTable(key=("order_no", "line"), foreign=(ForeignKey(("user",), "users", ("id",)),))
STAFF = DeclaredTable(key=("id",), foreign=(ForeignKey(("boss",), "staff", ("id",)),))
TABLES: dict[str, dict[str, Any]] = {
    "orders": {"order_no": [1, 1, 2], "line": [1, 2, 1], "user": [11, 10, None]},
    "staff": {"id": [3, 2, 1, 4], "boss": [2, 1, None, 3]},
    "users": {"id": [10, 11], "mail": ["a@x", "b@x"]},
}
DECLARED = {"orders": ORDERS, "staff": STAFF, "users": USERS}


def described(url: str, table: str) -> DeclaredTable:
    return catalogue.describe(database.opened(url, "url", None), table)


def test_new_related_tables_have_their_keys_and_keep_them(url: str) -> None:
    assert deliver_all(url, TABLES, DECLARED) == []  # the children come first
    for again in range(2):
        if again:  # into the tables that are there
            assert deliver_all(url, {n: t | {"id": t["id"]} if "id" in t else t for n, t in TABLES.items()}) == []
        orders, users, staff = (described(url, name) for name in ("orders", "users", "staff"))
        assert orders.key == ("order_no", "line") and orders.foreign == (ForeignKey(("user",), "users", ("id",)),)
        assert users.key == ("id",) and users.unique == (("mail",),)
        assert staff.foreign == (ForeignKey(("boss",), "staff", ("id",)),)
        assert {c.name: c.nullable for c in users.columns} == {"id": False, "mail": True}
        assert ask(url, "SELECT count(*) FROM orders") == [(3,)] and ask(url, "SELECT count(*) FROM staff") == [(4,)]
    with pytest.raises(Exception, match=r"(?i)foreign key|constraint|unique"):
        ask(url, "PRAGMA foreign_keys = ON" if url.startswith("sqlite") else "SELECT 1",
            "INSERT INTO orders VALUES (9, 9, 99)")  # fmt: skip


def test_tables_that_refer_to_each_other(url: str) -> None:
    tables = {"a": {"id": [1, 2], "b": [7, None]}, "b": {"id": [7, 8], "a": [2, 1]}}
    declared = {
        "a": DeclaredTable(key=("id",), foreign=(ForeignKey(("b",), "b", ("id",)),)),
        "b": DeclaredTable(key=("id",), foreign=(ForeignKey(("a",), "a", ("id",)),)),
    }
    notes = deliver_all(url, tables, declared)
    kept = [described(url, name).foreign for name in ("a", "b")]
    if url.startswith("duckdb"):
        assert kept[0] == () and kept[1] == declared["b"].foreign
        assert notes == ["a: the foreign key (b) to b is left out: DuckDB has no foreign keys in a cycle"]
    else:
        assert kept == [declared["a"].foreign, declared["b"].foreign] and notes == []
    tables["a"]["id"], tables["b"]["a"] = [3, 4], [4, 3]
    assert deliver_all(url, tables) == []  # the keys of the cycle are no obstacle later
    assert sorted(ask(url, "SELECT id FROM a")) == [(3,), (4,)]


def test_keys_that_the_rows_do_not_hold_are_left_out_with_a_note(url: str) -> None:
    declared = DeclaredTable(
        columns=(DeclaredColumn("w", "TEXT", nullable=False),),
        key=("id",),
        unique=(("w",),),
        foreign=(ForeignKey(("id",), "nowhere", ("id",)),),
        kind="postgresql",
    )
    notes = deliver(url, "t", {"id": [1, 1, 2], "w": ["a", None, "b"]}, declared={"": declared})
    assert notes == [
        "t: the primary key (id) is left out: its values repeat in 2 rows",
        "t.w: NOT NULL is left out: 1 row has no value",
        "t: the foreign key (id) to nowhere is left out: there is no table nowhere",
    ]
    assert described(url, "t").key == () and described(url, "t").unique == (("w",),)


def test_types_of_the_catalogue(url: str) -> None:
    columns = (
        ("id", "INTEGER"),
        ("word", "VARCHAR(20)"),
        ("price", "NUMERIC(8, 2)"),
        ("far", "GEOMETRY"),
        ("n", "DATE"),
    )
    declared = DeclaredTable(tuple(DeclaredColumn(*c) for c in columns), kind=database.kind_of(url) or "")
    rows = {
        "id": pa.array([1, 2], pa.int64()), "word": ["a", "b"], "far": ["x", "y"], "n": pa.array([3, 4], pa.int64()),
        "price": pa.array([Decimal("1.50"), None], pa.decimal128(20, 2)),
    }  # fmt: skip
    deliver(url, "t", rows, declared={"": declared})
    types = {c.name: c.type.replace(" ", "") for c in described(url, "t").columns}
    assert types["id"] == "INTEGER" and types["price"] in ("NUMERIC(8,2)", "DECIMAL(8,2)")
    assert types["word"] == ("VARCHAR" if url.startswith("duckdb") else "VARCHAR(20)")
    assert types["n"] == "BIGINT"  # a type of another kind than the values is not taken
    if not url.startswith("sqlite"):  # which has a type of any name
        assert types["far"] in ("TEXT", "VARCHAR")


def test_two_writers_at_once(url: str) -> None:
    if url.startswith("duckdb"):
        ask(url, "CREATE TABLE t (v BIGINT PRIMARY KEY)")  # DuckDB lets one process in, which waits for itself
    failed: list[BaseException] = []

    def write(v: int) -> None:
        try:
            deliver(url, "t", {"v": list(range(v, v + 50))}, declared={"": DeclaredTable(key=("v",))})
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=write, args=(v,)) for v in (0, 100, 200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    low, high, count = ask(url, "SELECT min(v), max(v), count(*) FROM t")[0]
    assert (high - low, count) == (49, 50) and described(url, "t").key == ("v",)
    if not url.startswith("duckdb"):
        assert failed == []
    assert all(isinstance(error, SynthError) for error in failed)
