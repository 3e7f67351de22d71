"""Keys that metadata or a catalogue declares are keys in the draft: made up, unique, without a false note."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from synthcli.contracts.tables import DeclaredTable
from synthcli.init import draft, findings, imports
from synthcli.init.imports import catalogue
from synthcli.sources import Source
from synthcli.spec import yaml

ROWS = "\n".join(
    f"{5000 + i},u{i}@example.org,{100 + i * 3 % 799:03d}-{10 + i % 80}-{1000 + i},{i + 1}.0,{i * 1.5 + 0.25}"
    for i in range(200)
)
DDL = """CREATE TABLE "HR"."K" ("CUSTOMER_ID" BIGINT, "MAIL" VARCHAR2(60 CHAR) NOT NULL ENABLE, "SSN" VARCHAR2(11),
 "EMP" NUMBER NOT NULL ENABLE, "PRICE" NUMBER(9,2), CONSTRAINT "K_PK" PRIMARY KEY ("CUSTOMER_ID") USING INDEX ENABLE,
 CONSTRAINT "U1" UNIQUE ("MAIL"), CONSTRAINT "U2" UNIQUE ("SSN"), CONSTRAINT "U3" UNIQUE ("EMP"));"""
SDV = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "columns": {"customer_id": {"sdtype": "id"}, "mail": {"sdtype": "email"}, "ssn": {"sdtype": "ssn"},
                "emp": {"sdtype": "id"}, "price": {"sdtype": "numerical"}},
    "primary_key": "customer_id",
    "alternate_keys": ["mail", "ssn", "emp"],
}  # fmt: skip
DBT = """models:
  - name: k
    columns:
      - {name: customer_id, data_type: bigint, constraints: [{type: primary_key}]}
      - {name: mail, tests: [unique]}
      - {name: ssn, tests: [unique]}
      - {name: emp, data_type: numeric, tests: [unique]}
"""


def drafted(source: Source, imported: imports.Imported | None) -> tuple[dict[str, Any], str]:
    text = draft.draft(findings.look(source, imported), {"type": source.type})
    return yaml.parse(text, "s.yaml").data, text


@pytest.mark.parametrize(("name", "text"), [("k.sql", DDL), ("k.json", json.dumps(SDV)), ("k.yml", DBT)])
def test_keys_of_metadata(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / "k.csv").write_text(f"customer_id,mail,ssn,emp,price\n{ROWS}\n")
    (tmp_path / name).write_text(text)
    source = Source("csv", tmp_path / "k.csv")
    columns = ["customer_id", "mail", "ssn", "emp", "price"]
    spec, written = drafted(source, imports.load(tmp_path / name, columns, stem="k"))
    assert spec["columns"]["customer_id"] == {"type": "id", "unique": True}
    assert spec["columns"]["mail"] == {"type": "email", "unique": True}  # the kind of the data stays
    assert spec["columns"]["ssn"] == {"type": "ssn"} and spec["columns"]["emp"] == {"type": "id", "unique": True}
    assert spec["columns"]["price"]["type"] == "float"
    assert "left out" not in written and written.count("made-up values of this kind may repeat") == 1


def test_composite_keys_of_a_database(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE line (nr INT, pos INT, code INT UNIQUE, qty INT, PRIMARY KEY (nr, pos))")
        connection.executemany(
            "INSERT INTO line VALUES (?, ?, ?, ?)", [(i * 7 % 90, i // 90, 900 + i, i % 9) for i in range(270)]
        )
    source = Source("sql", url="sqlite:///x.db", table="line", folder=tmp_path)
    spec, written = drafted(source, catalogue.of_source(source))
    assert {"unique": ["nr", "pos"]} in spec["constraints"] and written.count("{unique: [nr, pos]}") == 1
    assert spec["columns"]["code"] == {"type": "id", "unique": True}
    assert catalogue.of_source(Source("sql", url="sqlite:///x.db", query="SELECT 1", folder=tmp_path)) is None
    assert catalogue.imported("t", DeclaredTable()).constraints == []
