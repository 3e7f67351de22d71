"""Specs of related tables: what is refused names key, line, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcli.errors import SpecError
from synthcli.spec import check, gates
from synthcli.spec.load import load_spec
from synthcli.spec.modalities import relational

HEAD = """source:
  tables:
    users: {path: users.csv}
    orders: {path: orders.csv}
  relationships: [{from: orders.user_id, to: users.id}]
"""
COLUMNS = {"users": {"id": "id", "age": "integer", "sex": "category"}, "orders": {"user_id": "id", "amount": "float"}}


def checked(folder: Path, text: str) -> None:
    file = folder / "spec.yaml"
    file.write_text(HEAD + text)
    loaded = load_spec(file)
    check.check(loaded)
    relational.against(loaded, COLUMNS, relational.unit_of(loaded.spec) or "")


@pytest.mark.parametrize(
    "text",
    [
        "generate: {where: 'age > 3', balance: {sex: {f: 0.5}}}",
        "generate: {fairness: {target: age, sensitive: [sex]}}",
        "output: {format: sql, url: 'sqlite:///out.db'}",
        "generator: {method: auto}",
        "evaluate: {target: orders.amount}",
    ],
)
def test_what_is_fine(tmp_path: Path, text: str) -> None:
    checked(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (
            "generate: {where: 'orders.amount > 3'}",
            r"generate.where is 'orders.amount > 3' \(.*:6\); 'orders.amount': conditions are on columns of users",
        ),
        ("generate: {where: 'users.age > 3'}", "remedy: write age"),
        ("generate: {where: 'agee > 3'}", "table users has no column 'agee'. Did you mean age"),
        ("generate: {where: 'id > 3'}", "id is of type id, whose values are made up"),
        ("generate: {balance: {sex: {f: 0.7, m: 0.7}}}", "the shares add up to 1.4"),
        (
            "generate: {fairness: {target: age, sensitive: [sx]}}",
            "generate.fairness.sensitive.0 is 'sx'.*no column 'sx'",
        ),
        (
            "privacy_unit: orders\ngenerate: {where: 'amount > 3'}",
            "is a condition on orders, whose rows are generated given those of users",
        ),
        ("privacy_unit: users.household", "table users has no column 'household'"),
        ("generate: {copies: 3}", "copies are not supported for related tables"),
        ("execution: {workers: 2}", "workers are not supported for related tables"),
        (
            "generator: {method: gaussian_copula}",
            "gaussian_copula does not draw rows given known values.*remedy: one of arnet, trees",
        ),
        ("evaluate: {target: orders.amont}", "table orders has no column 'amont'. Did you mean amount"),
        ("evaluate: {target: amount}", r"expected TABLE.COLUMN"),
        ("columns: {orders.amont: {min: 0}}", "Did you mean amount"),
        ("columns: {orders.amount: {type: flaot}}", "unknown type. Did you mean float"),
        ("output: {format: sql, url: 'duckdb:///o.db', table: x}", "related tables keep their names"),
        ("output: {format: sql, url: 'duckdb:///o.db', if_exists: append}", "generated keys would repeat"),
        ("output: {format: sql}", "format sql needs url"),
        ("output: {path: .}", "is the folder of the source, which would be overwritten"),
    ],
)
def test_what_is_refused(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(SpecError, match=why):
        checked(tmp_path, text)


def test_a_table_above_that_is_kept_protects_nobody(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    kept = HEAD.replace("users.csv}", "users.csv, keep: true}")
    file.write_text(f"{kept}privacy_unit: orders\ngenerate: {{where: 'amount > 3'}}")
    with pytest.raises(SpecError, match="rows are generated given those of users; remedy: leave it out"):
        check.check(load_spec(file))


def test_tables_of_a_database(tmp_path: Path) -> None:
    file = tmp_path / "spec.yaml"
    text = HEAD.replace("{path: orders.csv}", "{url: 'sqlite:///src.db', table: orders, delimiter: ';'}")
    file.write_text(text)
    with pytest.raises(SpecError, match=r"source.tables.orders.delimiter is ';' \(.*:4\); belongs to csv sources"):
        check.check(load_spec(file))
    file.write_text(
        HEAD.replace("{path: orders.csv}", "{url: 'postgresql://me:secret@host/db', query: 'DELETE FROM x'}")
    )
    with pytest.raises(SpecError, match=r"the url contains a password") as error:
        check.check(load_spec(file))
    assert "secret@" not in str(error.value) and "expected one statement that reads" in str(error.value)


@pytest.mark.parametrize(("holdout", "expected"), [("0.2", True), ("0", False)])
def test_default_gates_against_a_floor_require_a_holdout(tmp_path: Path, holdout: str, expected: bool) -> None:
    file = tmp_path / "spec.yaml"
    file.write_text(f"{HEAD}  split: {{holdout: {holdout}}}\n")
    (quality, _), _ = gates.resolved(load_spec(file).spec, "relational")
    assert any(gate.of == "floor" for gate in quality) == expected
    assert "referential_integrity" in {gate.metric for gate in quality}
