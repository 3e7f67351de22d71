"""synth init on several tables: files, a folder, a glob, a workbook, databases; what it writes runs as it is."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pytest

from synthcli.spec import yaml
from synthcli.spec.load import load_spec

USERS = 120


def shop() -> dict[str, pd.DataFrame]:
    """Users with a plan and some orders; staff whose rows depend on nobody."""
    rng = np.random.default_rng(0)
    n = rng.poisson(2, USERS)
    owner = np.repeat(np.arange(USERS), n)
    users = pd.DataFrame(
        {
            "id": np.arange(1, USERS + 1),
            "email": [f"real{i}@mail.example" for i in range(USERS)],
            "plan": rng.choice(["basic", "plus"], USERS),
            "age": rng.integers(18, 90, USERS),
        }
    )
    orders = pd.DataFrame(
        {
            "order_id": np.arange(1, len(owner) + 1),
            "user_id": users["id"].to_numpy()[owner],
            "clerk": rng.integers(11, 16, len(owner)),
            "amount": np.round(rng.gamma(2, 10, len(owner)), 2),
        }
    )
    plans = pd.DataFrame({"plan": ["basic", "plus"], "price": [1.5, 9.0]})
    clerks = pd.DataFrame({"id": np.arange(11, 16), "grade": [1, 2, 2, 3, 3]})
    return {"users": users, "orders": orders, "plans": plans, "clerks": clerks}


LINKS = {("orders.user_id", "users.id"), ("orders.clerk", "clerks.id"), ("users.plan", "plans.plan")}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    for name, frame in shop().items():
        frame.to_csv(tmp_path / "shop" / f"{name}.csv", index=False)
    return tmp_path


def linked(said: Any) -> set[tuple[str, str]]:
    assert said.code == 0, said.err
    return {(r["from"], r["to"]) for r in said.json["relationships"]}


def test_a_draft_of_files_runs_as_it_is_and_holds_no_value_of_a_person(files: Path, synth: Any) -> None:
    paths = [f"shop/{name}.csv" for name in shop()]
    said = synth("init", *paths, "-o", "s.yaml", "--json")
    assert linked(said) == LINKS and said.json["privacy_unit"] == "users"
    text = (files / "s.yaml").read_text()
    assert "real7@" not in text and "users.email: {type: email" in text
    assert "privacy_unit: users" in text and "plans: {type: csv, path: shop/plans.csv, keep: true}" in text
    assert "clerks: {type: csv, path: shop/clerks.csv}  # no row depends on users" in text
    assert "# its name is that of users; all of its values are keys" in text
    checked = synth("check", "s.yaml")
    assert checked.code == 0 and "default gates" in checked.out
    done = synth("run", "s.yaml", "--json", "--keep-failed", "--set", "generator.params.trees=2", "--set", "output.path=out",
                 "--set", "evaluate.gates=[{metric: referential_integrity, min: 1, bound: value}]", "--set",
                 "privacy_check={attacks: [], gates: []}")  # fmt: skip
    assert done.code == 0, done.err
    made = {name: pd.read_parquet(files / "out" / f"{name}.parquet") for name in shop()}
    assert set(made["orders"]["user_id"]) <= set(made["users"]["id"])
    assert made["plans"]["plan"].tolist() == ["basic", "plus"] and set(made["users"]["plan"]) <= {"basic", "plus"}
    assert not set(made["users"]["email"]) & set(shop()["users"]["email"])


def test_a_folder_a_glob_and_a_workbook(files: Path, synth: Any) -> None:
    assert linked(synth("init", "shop", "-o", "a.yaml", "--json")) == LINKS
    assert linked(synth("init", "shop/*.csv", "-o", "b.yaml", "--json")) == LINKS
    with pd.ExcelWriter(files / "shop.xlsx") as book:
        for name, frame in shop().items():
            frame.to_excel(book, sheet_name=name, index=False)
        pd.DataFrame().to_excel(book, sheet_name="empty", index=False)
    assert linked(synth("init", "shop.xlsx", "--json")) == LINKS
    assert load_spec("shop.yaml").spec.source.tables["plans"].sheet == "plans"  # type: ignore[index]
    assert synth("check", "shop.yaml").code == 0


def test_the_parts_of_one_table_stay_one_table(files: Path, synth: Any) -> None:
    (files / "parts").mkdir()
    users = shop()["users"]
    users[:60].to_csv(files / "parts/a.csv", index=False)
    users[60:].to_csv(files / "parts/b.csv", index=False)
    for words in ("parts", "parts/*.csv"):
        said = synth("init", words, "-o", "-", "--json")
        assert said.code == 0 and said.json["rows"] == USERS
    said = synth("init", "parts/a.csv", "parts/b.csv", "-o", "-")
    assert said.code == 1 and "same columns, as the parts of one table" in said.err


def test_a_workbook_of_unrelated_sheets_is_its_first_sheet(files: Path, synth: Any) -> None:
    with pd.ExcelWriter(files / "book.xlsx") as book:
        shop()["users"].to_excel(book, sheet_name="people", index=False)
        pd.DataFrame({"colour": ["red", "green"], "share": [0.5, 0.25]}).to_excel(book, sheet_name="x", index=False)
    said = synth("init", "book.xlsx", "--json")
    assert said.code == 0 and said.json["rows"] == USERS
    assert yaml.read(Path("book.yaml")).data["source"]["sheet"] == "people"


def test_unrelated_tables_and_names_that_collide_are_errors(files: Path, synth: Any) -> None:
    said = synth("init", "shop/plans.csv", "shop/clerks.csv")
    assert said.code == 1 and "no relationship was found between plans, clerks" in said.err
    (files / "other").mkdir()
    shop()["plans"].to_csv(files / "other/users.csv", index=False)
    said = synth("init", "shop/users.csv", "other/users.csv")
    assert said.code == 1 and "two tables are named users" in said.err
    assert not list(files.glob("*.yaml")), "nothing is half-written"


def test_a_table_without_relationship_and_one_without_rows_are_left_out(files: Path, synth: Any) -> None:
    pd.DataFrame({"colour": ["red", "green"], "share": [0.5, 0.25]}).to_csv(files / "shop/colours.csv", index=False)
    (files / "shop/none.csv").write_text("a,b\n")
    said = synth("init", "shop", "-o", "s.yaml", "--json")
    assert linked(said) == LINKS and set(said.json["tables"]) == set(shop())
    assert [note.partition(":")[0] for note in said.json["left_out"]] == ["table none", "table colours"]


TABLES = """
CREATE TABLE people (id INTEGER PRIMARY KEY, mail VARCHAR UNIQUE NOT NULL, boss INTEGER REFERENCES people(id));
CREATE TABLE visits (nr INTEGER PRIMARY KEY, who INTEGER NOT NULL REFERENCES people(id), cost DECIMAL(8,2));
CREATE TABLE lines (visit INTEGER REFERENCES visits(nr), pos INTEGER, PRIMARY KEY (visit, pos));
"""


def filled(kind: str, folder: Path) -> None:
    """A database whose names do not give its relationships away."""
    statements = [s for s in TABLES.split(";") if s.strip()]
    people = [f"INSERT INTO people VALUES ({i}, 'm{i}@x', {max(1, i // 2)})" for i in range(1, 41)]
    visits = ", ".join(f"({i}, {1 + i % 40}, {i}.5)" for i in range(1, 81))
    lines = ", ".join(f"({i}, {p})" for i in range(1, 81) for p in (1, 2))
    rows = [*people, f"INSERT INTO visits VALUES {visits}", f"INSERT INTO lines VALUES {lines}"]
    rows[0] = "INSERT INTO people VALUES (1, 'm1@x', NULL)"
    if kind == "duckdb":
        with duckdb.connect(str(folder / "base.duckdb")) as base:
            for each in [*statements, *rows]:
                base.execute(each)
        return
    with sqlite3.connect(folder / "base.db") as connection:
        for each in [*statements, *rows]:
            connection.execute(each)


@pytest.mark.parametrize(("kind", "words"), [("sqlite", "base.db"), ("duckdb", "duckdb:///base.duckdb")])
def test_a_database_with_its_catalogue(kind: str, words: str, tmp_path: Path, synth: Any) -> None:
    filled(kind, tmp_path)
    said = synth("init", words, "-o", "s.yaml", "--json")
    assert linked(said) == {("visits.who", "people.id"), ("lines.visit", "visits.nr"), ("people.boss", "people.id")}
    assert {r["why"] for r in said.json["relationships"]} == {"a foreign key of the catalogue"}
    assert said.json["privacy_unit"] == "people"
    assert synth("check", "s.yaml").code == 0
    one = synth("init", f"{kind}:///{'base.db' if kind == 'sqlite' else 'base.duckdb'}", "--table", "visits", "-o", "-")
    assert one.code == 0 and "table: visits" in one.out and "relationships" not in one.out


def test_metadata_names_the_relationships_of_files(files: Path, synth: Any) -> None:
    (files / "tables.sql").write_text(
        "CREATE TABLE users (id INT PRIMARY KEY, email TEXT, plan TEXT, age INT);"
        "CREATE TABLE orders (order_id INT PRIMARY KEY, user_id INT REFERENCES users(id), clerk INT, amount NUMERIC);"
    )
    said = synth("init", "shop/users.csv", "shop/orders.csv", "--from", "tables.sql", "-o", "-", "--json")
    assert linked(said) == {("orders.user_id", "users.id")}
    assert said.json["relationships"][0]["why"] == "a foreign key of the metadata"


def test_metadata_that_is_a_pipe_is_refused(files: Path, synth: Any) -> None:
    os.mkfifo(files / "pipe.yml")
    said = synth("init", "shop/users.csv", "--from", "pipe.yml", "-o", "-")
    assert said.code == 1 and "is not a regular file; remedy: the path of a metadata file" in said.err
