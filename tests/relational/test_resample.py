"""Related tables by a spec: rules, conditions on the unit's table, a database, and more of them from the run alone."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli import sources
from synthcli.artifacts import files
from synthcli.contracts.modality import Completion
from synthcli.errors import DataError, SpecError
from synthcli.pipeline.checking import checked
from synthcli.pipeline.events import Events
from synthcli.pipeline.execute import Run, execute
from synthcli.pipeline.preview import preview
from synthcli.pipeline.resample import completed, conditions, more
from synthcli.spec.models import Generate

SPEC = """
source:
  tables:
    users: {path: users.csv}
    orders: {url: "sqlite:///src.db", table: orders}
  relationships: [{from: orders.user_id, to: users.id}]
  split: {validation: 0}
constraints:
  - {table: users, expr: "retired == (age >= 65)"}
  - {table: orders, expr: "amount <= users.limit", on_violation: drop}
  - {table: orders, expr: "amount > 0", on_violation: drop}
generator: {method: auto}
generate: {rows: 150, where: "age > 30", balance: {segment: {vip: 0.5}}}
evaluate: {gates: [{metric: constraint_violations, max: 0, bound: value}]}
privacy_check: {attacks: [], gates: []}
output: {format: sql, url: "sqlite:///out.db"}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("related"), np.random.default_rng(0)
    age, n = rng.integers(18, 90, 600), rng.poisson(2, 600)
    users = pd.DataFrame(
        {"id": np.arange(600) + 5, "segment": rng.choice(["new", "old", "vip"], 600, p=[0.5, 0.4, 0.1]), "age": age}
    )
    users["limit"], users["retired"] = np.round(rng.gamma(3, 100, 600) + 10, 2), age >= 65
    owner = np.repeat(np.arange(600), n)
    orders = pd.DataFrame(
        {"user_id": owner + 5, "amount": np.round(users["limit"].to_numpy()[owner] * rng.beta(2, 3, len(owner)), 2)}
    )
    orders["gift"] = rng.choice(["yes", "no"], len(owner))
    orders.loc[:3, "amount"] = -1.0
    users.to_csv(folder / "users.csv", index=False)
    with sqlite3.connect(folder / "src.db") as connection:
        orders.to_sql("orders", connection, index=False)
    (folder / "spec.yaml").write_text(SPEC)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    return execute(folder / "spec.yaml", root=folder / "runs")


def obeys(users: pd.DataFrame, orders: pd.DataFrame) -> bool:
    both = orders.merge(users, left_on="user_id", right_on="id", how="left", validate="many_to_one")
    own = (users["retired"].astype(bool) == (users["age"] >= 65)).all()
    return bool(
        own and both["id"].notna().all() and (both["amount"] <= both["limit"]).all() and (both["amount"] > 0).all()
    )


def test_check_names_what_it_read(folder: Path) -> None:
    assert checked(folder / "spec.yaml", []) == {"columns": 8, "method": "auto", "gates": 1, "drops": 2, "warnings": []}
    with pytest.raises(
        SpecError,
        match=(
            r"constraints.1.expr is 'amount <= users.lmit' \(--set .*; table users has no column 'lmit'. Did you mean"
            r" limit"
        ),
    ):
        checked(folder / "spec.yaml", ["constraints.1.expr=amount <= users.lmit"])


def test_rows_are_as_they_were_asked(run: Run, folder: Path) -> None:
    assert run.passed
    with sqlite3.connect(folder / "out.db") as connection:
        users, orders = (pd.read_sql(f"SELECT * FROM {name}", connection) for name in ("users", "orders"))
    assert len(users) == 150 and (users["age"] > 30).all() and (users["segment"] == "vip").sum() == 75
    assert obeys(users, orders) and 1 < len(orders) / 150 < 3
    sample = files.read_json(run.version.folder / "3-generate" / "sample.json")
    assert sample["asked"]["balance"] == [
        {"column": "segment", "value": value, "requested": n, "achieved": n}
        for value, n in ((b["value"], b["requested"]) for b in sample["asked"]["balance"])
    ]
    fit = files.read_json(run.version.folder / "2-train" / "fit.json")
    assert {c["constraint"]: c["holds_by"] for c in fit["constraints"]}[
        "users: retired == (age >= 65)"
    ] == "construction"
    found = files.read_json(run.version.folder / "1-analyze" / "profile.json")["constraints"]
    assert {f["constraint"]: f["violations"] for f in found}["orders: amount > 0"] == 4
    rules = {
        m.get("of") for m in files.read_json(run.version.folder / "4-evaluate" / "measurements.json")["measurements"]
    }
    assert "orders: amount <= users.limit" in rules


def test_more_without_the_source(run: Run, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "read", None)
    alone = folder / "runs"
    told = more(
        alone,
        "spec",
        40,
        tmp_path / "more",
        seed=5,
        keep_failed=True,
        events=Events(),
        generate=Generate(where="age < 40"),
    )
    users, orders = (pd.read_parquet(tmp_path / "more" / f"{name}.parquet") for name in ("users", "orders"))
    assert told["tables"] == {"users": 40, "orders": len(orders)} and told["rows"] == 40
    assert (users["age"] < 40).all() and obeys(users, orders)
    with pytest.raises(SpecError, match="related tables are written to a folder"):
        more(alone, "spec", 4, tmp_path / "x.csv", seed=None, keep_failed=True, events=Events())
    with pytest.raises(SpecError, match="--given and --impute complete the rows of one"):
        completed(
            alone,
            "spec",
            folder / "users.csv",
            tmp_path / "z.csv",
            how=Completion(impute=True),
            seed=None,
            keep_failed=True,
            events=Events(),
        )
    with pytest.raises(SpecError, match=r"there is no column 'amount'. Columns: segment, age, limit, retired$"):
        more(
            alone,
            "spec",
            4,
            tmp_path / "y",
            seed=None,
            keep_failed=True,
            events=Events(),
            generate=Generate(where="amount > 3"),
        )
    with pytest.raises(SpecError, match="is the folder of the source of that run"):
        more(folder / "runs", "spec", 4, folder, seed=None, keep_failed=True, events=Events())


def test_preview_shows_a_few_of_each(folder: Path) -> None:
    found, method = preview(folder / "spec.yaml", 5, ["generator.params={trees: 1}", "generator.method=trees"])
    assert method == "trees"
    assert len(found["users"]) == 5 and len(found["orders"]) <= 5 and (found["users"]["age"] > 30).all()


def test_what_the_source_breaks_names_table_rule_and_rows(folder: Path) -> None:
    with pytest.raises(
        DataError,
        match=r"table orders: constraint amount > 0 is violated by 4 rows of the source \(.*row 1, amount = -1.0",
    ):
        execute(folder / "spec.yaml", root=folder / "other", sets=["constraints.2.on_violation=error"], upto="analyze")
    with pytest.raises(
        SpecError,
        match=r"constraints.1.expr .*table orders: no row can obey all 2 of these constraints: amount > 9; amount < 3",
    ):
        execute(
            folder / "spec.yaml",
            root=folder / "other",
            sets=["constraints.1.expr=amount > 9", "constraints.2.expr=amount < 3"],
            upto="analyze",
        )
    with pytest.raises(SpecError, match=r"constraints.1.expr .*> does not work between gift \(string\) and 3"):
        execute(folder / "spec.yaml", root=folder / "other", sets=["constraints.1.expr=gift > 3"], upto="analyze")


def test_rows_go_with_those_that_they_hang_from(folder: Path) -> None:
    done = execute(
        folder / "spec.yaml",
        root=folder / "other",
        sets=[
            "constraints=[{table: users, expr: age < 60, on_violation: drop}]",
            "source.tables.orders.query=SELECT * FROM orders",
            "source.tables.orders.table=null",
            "generate={}",
        ],
        upto="analyze",
    )
    tables = files.read_json(done.version.folder / "1-analyze" / "profile.json")["tables"]
    users = pd.read_csv(folder / "users.csv")
    with sqlite3.connect(folder / "src.db") as connection:
        orders = pd.read_sql("SELECT * FROM orders", connection)
    young = users.loc[users["age"] < 60, "id"]
    assert tables["users"]["rows"] == len(young) and tables["orders"]["rows"] == orders["user_id"].isin(young).sum()


def test_conditions_of_a_run_are_set_anew(folder: Path, run: Run, tmp_path: Path) -> None:
    asked = conditions(folder / "runs", "spec", ["generate.balance={segment: {new: 1.0}}"], None)
    assert asked is not None and asked.where == "age > 30", "what is not set stays"
    out = tmp_path / "few"
    more(folder / "runs", "spec", 20, out, seed=None, keep_failed=True, events=Events(), generate=asked)
    (users,) = (pd.read_parquet(out / "users.parquet"),)
    assert (users["segment"] == "new").all() and (users["age"] > 30).all() and len(users) == 20
