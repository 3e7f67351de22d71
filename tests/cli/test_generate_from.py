"""synth generate --from a run of related tables: formats, databases, and keys of generate that are set anew."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

SPEC = """
source:
  type: none
  tables: {users: {rows: 40}, orders: {per: users, children: 2}}
  relationships: [{from: orders.user_id, to: users.id}]
columns:
  users.plan: {type: category, weights: {basic: 0.5, plus: 0.5}}
  orders.amount: {type: integer, min: 1, max: 9}
"""


@pytest.fixture
def run(synth: Any) -> str:
    Path("s.yaml").write_text(SPEC)
    assert synth("run", "s.yaml", "--json").code == 0
    return "s"


def test_every_format_of_a_folder(run: str, synth: Any) -> None:
    readers = {"csv": pd.read_csv, "parquet": pd.read_parquet, "excel": pd.read_excel,
               "jsonl": lambda path: pd.read_json(path, lines=True)}  # fmt: skip
    for format_, ending in (("csv", "csv"), ("parquet", "parquet"), ("excel", "xlsx"), ("jsonl", "jsonl")):
        said = synth("generate", "--from", run, "--rows", "5", "-o", f"out-{format_}", "--format", format_, "--json")
        assert said.code == 0, said.err
        users, orders = (readers[format_](f"out-{format_}/{name}.{ending}") for name in ("users", "orders"))
        assert len(users) == 5 and len(orders) == 10 and set(orders["user_id"]) == set(users["id"])
        assert set(said.json["files"]) == {"users", "orders"} and said.json["format"] == format_


def test_the_tables_of_a_database(run: str, synth: Any) -> None:
    said = synth("generate", "--from", run, "--rows", "5", "-o", "sqlite:///more.db", "--json")
    assert said.code == 0 and said.json["output"] == "sqlite:///more.db", said.err
    with sqlite3.connect("more.db") as base:
        assert base.execute("SELECT count(*) FROM orders JOIN users ON users.id = user_id").fetchone() == (10,)


def test_rows_by_set_and_scale(run: str, synth: Any) -> None:
    said = synth("generate", "--from", run, "--set", "generate.rows=7", "-o", "a", "--json")
    assert said.code == 0 and said.json["rows"] == said.json["tables"]["users"] == 7, said.err
    said = synth("generate", "--from", run, "--set", "generate.scale=0.5", "-o", "b", "--json")
    assert said.code == 0 and said.json["tables"] == {"users": 20, "orders": 40}, said.err


def test_one_table_takes_formats_and_keys_of_generate(synth: Any) -> None:
    rng = np.random.default_rng(0)
    people = pd.DataFrame({"age": rng.integers(18, 90, 200), "city": rng.choice(["Bonn", "Kiel"], 200)})
    people.to_csv("people.csv", index=False)
    Path("p.yaml").write_text(
        "source: {type: csv, path: people.csv}\nevaluate: {gates: []}\nprivacy_check: {gates: []}\n"
    )
    assert synth("run", "p.yaml", "--json").code == 0
    common = ("generate", "--from", "p", "--set", "generate.balance.city={Kiel: 1.0}")
    said = synth(*common, "--set", "generate.scale=0.5", "--format", "csv", "--json")
    assert said.code == 0 and said.json["rows"] == 100 and said.json["output"] == "p-more.csv", said.err
    assert pd.read_csv("p-more.csv")["city"].tolist() == ["Kiel"] * 100
    assert synth(*common, "--rows", "5", "--format", "jsonl", "-o", "rows").code == 0
    assert len(pd.read_json("rows", lines=True)) == 5
    for words, message in (
        (("--format", "csv", "-o", "x.parquet"), "has the ending of parquet, and --format is csv"),
        (("-o", "sqlite:///x.db"), "--from writes the rows of one table to a file"),
        (("--format", "csv", "-o", "sqlite:///x.db"), "--output is a database"),
        (("--set", "generate.nosuch=1"), "only keys of generate can be set"),
    ):
        said = synth(*common, "--rows", "5", *words)
        assert said.code == 1 and message in said.err.replace("\n", " "), said.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--rows", "5", "--format", "parket"), "--format is parket; expected one of"),
        (("--rows", "5", "--format", "sql", "-o", "folder"), "requires the URL of a database"),
        (("--rows", "5", "-o", "postgresql://u:word@h/d"), "contains a password"),
        (("--rows", "5", "--set", "seed=3"), "only keys of generate can be set"),
        (("--rows", "5", "--set", "generate.copies=3"), "only keys of generate can be set"),
        (("--set", "generate.scale=-1"), "generate.scale"),
        (("--set", "generate.where=plan"), "--from needs --rows N"),
    ],
)
def test_what_cannot_be_is_an_error(words: tuple[str, ...], message: str, run: str, synth: Any) -> None:
    said = synth("generate", "--from", run, *words)
    assert said.code == 1 and message in said.err.replace("\n", " "), said.err
