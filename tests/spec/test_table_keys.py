"""The keys that tables of an output get: of the catalogue, of relationships, of unique columns and constraints."""

from __future__ import annotations

from typing import Any

from synthcli.contracts.tables import DeclaredColumn, DeclaredTable, ForeignKey
from synthcli.spec.table_keys import declared


def plan(source: dict[str, Any], columns: dict[str, Any] | None = None, constraints: Any = ()) -> dict[str, Any]:
    return {"source": source, "columns": columns or {}, "constraints": list(constraints)}


def test_one_table_of_a_spec() -> None:
    rules = [{"unique": ["a", "b"]}, "c is not null", "a < 5"]
    found = declared(plan({"type": "csv"}, {"id": {"unique": True}}, rules), {}, "t")[""]
    assert found.key == ("id",) and found.unique == (("a", "b"),) and found.kind == ""
    assert found.columns == (DeclaredColumn("c", "", nullable=False),)


def test_the_catalogue_of_the_source_comes_first() -> None:
    known = DeclaredTable(
        (DeclaredColumn("id", "INTEGER", nullable=False), DeclaredColumn("w", "VARCHAR(9)")),
        ("id",),
        (("w",),),
        (ForeignKey(("boss",), "staff", ("id",)), ForeignKey(("unit",), "units", ("id",))),
        "postgresql",
    )
    profile = {"catalogue": {"": known.to_json()}}
    found = declared(plan({"type": "sql", "table": "prod.staff"}, {"w": {"unique": True}}), profile, "dev.people")[""]
    assert found.key == ("id",) and found.unique == (("w",),) and found.columns == known.columns
    assert [key.table for key in found.foreign] == ["dev.people", "units"] and found.kind == "postgresql"
    assert declared(plan({"type": "csv"}), {"catalogue": {"": None}}, "t")[""] == DeclaredTable()


def test_related_tables_of_a_spec() -> None:
    source = {
        "type": "none",
        "tables": {"lines": {"per": "orders"}, "orders": {"rows": 5}},
        "relationships": [
            {"from": "lines.order", "to": "orders.id"},
            {"from": ["orders.a", "orders.b"], "to": ["orders.c", "orders.d"]},
        ],
    }
    columns = {"orders.day": {"type": "datetime"}, "orders.sum": {"type": "float", "nulls": 0.1},
               "lines.no": {"type": "integer"}, "lines.net": {"type": "float", "expr": "no * 2"}}  # fmt: skip
    found = declared(plan(source, columns, [{"table": "lines", "unique": ["order", "no"]}]), {}, None)
    assert found["orders"].key == ("id",) and found["orders"].unique == (("c", "d"),)
    assert found["lines"].key == ("order", "no") and found["lines"].foreign == (
        ForeignKey(("order",), "orders", ("id",)),
    )
    required = {name: [c.name for c in table.columns] for name, table in found.items()}
    assert required == {"orders": ["day"], "lines": ["no", "order"]}


def test_tables_of_a_database_keep_their_foreign_keys_under_their_names_in_the_spec() -> None:
    child = DeclaredTable((), ("id",), (), (ForeignKey(("u",), "users_v2", ("id",)),), "sqlite")
    source = {"type": "tables", "tables": {"orders": {"table": "orders"}, "users": {"table": "main.users_v2"}}}
    found = declared(plan(source), {"catalogue": {"orders": child.to_json(), "users": None}}, None)
    assert found["orders"].foreign == (ForeignKey(("u",), "users", ("id",)),)
    assert DeclaredTable.from_json(child.to_json()) == child
