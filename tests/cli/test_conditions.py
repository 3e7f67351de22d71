"""Conditions on rows through the command line: by a spec, and from an old run's model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def trees(spec: Path) -> Path:
    spec.write_text(
        spec.read_text()
        .replace("independent", "trees")
        .replace("{metric: column_shapes, min: 0.3}", "{metric: column_shapes, min: 0.1}")
    )
    return spec


def rows_of(said: Any) -> pd.DataFrame:
    assert said.code == 0, said.err
    return pd.read_parquet(said.json["data"])


def sample_of(said: Any) -> dict[str, Any]:
    found = sorted(Path(said.json["folder"]).glob("**/sample.json"))
    return json.loads(found[0].read_text())


def test_where_and_balance_in_a_spec(trees: Path, synth: Any) -> None:
    said = synth(
        "run",
        trees,
        "--rows",
        "301",
        "--json",
        "--set",
        "generate.where=age >= 40",
        "--set",
        "generate.balance={sex: {male: 0.9}}",
    )
    table = rows_of(said)
    assert len(table) == 301 and (table["age"] >= 40).all()
    assert (table["sex"] == "male").sum() in (270, 271)
    assert table["id"].is_unique
    asked = sample_of(said)["asked"]
    assert {"column": "sex", "value": "male"}.items() <= asked["balance"][0].items()
    assert asked["balance"][0]["requested"] == asked["balance"][0]["achieved"]


def test_null_and_booleans_as_keys_of_a_spec(trees: Path, synth: Any) -> None:
    with trees.open("a") as file:
        file.write("generate:\n  rows: 200\n  balance:\n    smoker: {true: 0.5, false: 0.5}\n")
    assert rows_of(synth("generate", trees, "--json"))["smoker"].sum() == 100


def test_fairness_in_a_spec(trees: Path, synth: Any) -> None:
    said = synth(
        "generate", trees, "--rows", "2000", "--json", "--set", "generate.fairness={target: smoker, sensitive: [sex]}"
    )
    table = rows_of(said)
    rates = table.groupby("sex")["smoker"].mean()
    assert rates.max() - rates.min() < 0.005
    fair = sample_of(said)["asked"]["fairness"]
    assert fair["gap_before"] > 0.1 > 0.005 > fair["gap_after"]


def test_the_same_bytes_from_one_worker_and_two(trees: Path, synth: Any) -> None:
    words = ("generate", trees, "--rows", "20000", "--fresh", "--json", "--set", "generate.where=age < 70")
    one, two = (synth(*words, "--set", f"execution.workers={n}") for n in (1, 2))
    assert Path(one.json["data"]).read_bytes() == Path(two.json["data"]).read_bytes()


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["generate.where=agee > 3"], ["generate.where", "Did you mean age"]),
        (["generate.where=age > 30 and age < 20"], ["generate.where", "contradicts itself"]),
        (["generate.where=age > 3000"], ["age", "3001", "no such value"]),
        (["generate.where=id == 'P-1'"], ["generate.where", "id is of type id", "made up"]),
        (["generate.where=age + 1"], ["generate.where", "true or false"]),
        (["generate.where=income + age < -10"], ["no drawn row meets where: income + age < -10"]),
        (["generate.balance={citty: {Wien: 0.5}}"], ["generate.balance", "Did you mean city"]),
        (["generate.balance={city: {Vien: 0.5}}"], ["generate.balance.city", "Did you mean Wien"]),
        (["generate.balance={city: {Wien: 0.8, Graz: 0.4}}"], ["balance.city", "1.2"]),
        (["generate.balance={id: {a: 0.5}}"], ["generate.balance.id", "made up"]),
        (["generate.balance={visit: {2021-01-01: 0.5}}"], ["generate.balance.visit", "datetime"]),
        (
            ["generate.fairness={target: smoker, sensitive: [sexx]}"],
            ["generate.fairness.sensitive", "Did you mean sex"],
        ),
        (["generate.fairness={target: sex, sensitive: [sex]}"], ["generate.fairness.target", "among the sensitive"]),
        (["execution.address=tcp://127.0.0.1:1"], ["execution.address", "engine: dask"]),
        (["execution.engine=dask"], ["execution", "address"]),
    ],
)
def test_errors_name_the_part(trees: Path, synth: Any, sets: list[str], words: list[str]) -> None:
    said = synth("generate", trees, *(word for s in sets for word in ("--set", s)))
    assert said.code == 1, said.err
    flat = " ".join(said.err.split())
    for word in words:
        assert word in flat, said.err


def test_a_value_that_the_model_folded_away_is_named(trees: Path, csv: Path, synth: Any) -> None:
    table = pd.read_csv(csv)
    table.loc[3, "city"] = "Ischgl"  # one person's alone: not learned
    table.to_csv(csv, index=False)
    said = synth("generate", trees, "--set", "generate.balance={city: {Ischgl: 0.5}}")
    assert said.code == 1 and "generate.balance.city" in said.err and "'Ischgl'" in said.err
    said = synth("generate", trees, "--set", "generate.where=city == 'Ischgl'")
    assert said.code == 1 and "city" in said.err and "'Ischgl'" in said.err


def test_methods_that_cannot_be_told(spec: Path, synth: Any) -> None:
    sets = ["--set", "generate.where=age > 60", "--set", "generate.balance={sex: {male: 0.5}}"]
    table = rows_of(synth("generate", spec, "--rows", "200", "--json", *sets))
    assert (table["age"] > 60).all() and (table["sex"] == "male").sum() == 100
    said = synth("generate", spec, "--set", "generate.where=age > 60 and age * 1000 < income / 1000")
    assert said.code == 1 and "generate.where" in said.err and "trees or arnet" in " ".join(said.err.split())


def test_conditions_without_data(tmp_path: Path, synth: Any) -> None:
    """Keys are unique and without holes, whatever was left out; there are just enough of them."""
    (tmp_path / "made.yaml").write_text("""
source: {type: none}
columns:
  id: {type: id, pattern: "C-\\\\d{3}", unique: true}
  row: {type: integer, sequence: {start: 1, step: 1}}
  age: {type: integer, distribution: {uniform: {low: 18, high: 99}}}
  plan: {type: category, weights: {basic: 0.9, plus: 0.08, pro: 0.02}}
  price: {type: float, expr: "9.5 if plan == 'pro' else 1"}
constraints: [age < 90]
generate: {rows: 1000, where: "age >= 60", balance: {plan: {pro: 0.5}}}
""")
    said = synth("run", tmp_path / "made.yaml", "--json")
    table = rows_of(said)
    assert len(table) == 1000 and table["age"].between(60, 89).all() and (table["plan"] == "pro").sum() == 500
    assert table["id"].is_unique and table["row"].tolist() == list(range(1, 1001))
    assert ((table["price"] == 9.5) == (table["plan"] == "pro")).all()


def test_more_rows_of_one_kind_from_an_old_run(trees: Path, synth: Any) -> None:
    assert synth("run", trees, "--rows", "100").code == 0
    command = ["generate", "--from", "people", "--rows", "250", "--where", "city == 'Steyr' and age >= 50", "--json"]
    said = synth(*command, "-o", "some.csv")
    assert said.code == 0, said.err
    table = pd.read_csv("some.csv")
    assert (
        len(table) == 250 and (table["city"] == "Steyr").all() and (table["age"] >= 50).all() and table["id"].is_unique
    )
    assert said.json["asked"]["where"].startswith("city")
    again = synth(*command, "-o", "same.csv")
    assert again.json["sha256"] == said.json["sha256"]


def test_an_old_run_keeps_its_conditions(trees: Path, synth: Any) -> None:
    sets = ["--set", "generate.where=age >= 30", "--set", "generate.balance={smoker: {true: 0.5}}"]
    said = synth("run", trees, "--rows", "200", *sets, "--keep-failed")
    assert said.code in (0, 4), said.err
    said = synth("generate", "--from", "people", "--rows", "300", "-o", "more.parquet", "--keep-failed")
    assert said.code == 0, said.err
    table = pd.read_parquet("more.parquet")
    assert (table["age"] >= 30).all() and table["smoker"].sum() == 150


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--where", "agee > 1", "--rows", "5"), 1, "Did you mean age"),
        (("--where", "age >", "--rows", "5"), 1, "where"),
        (("--where", " ", "--rows", "5"), 2, "--where is empty"),
        (("--where", "age > 30"), 2, "--rows"),
        (("--given", "nowhere.csv"), 1, "nowhere.csv"),
        (("--given", "known.txt"), 1, "names no format"),
        (("--given", "known.csv", "-o", "known.csv"), 1, "would be overwritten"),
        (("--given", "known.csv", "--rows", "5"), 2, "give one of"),
        (("--given", "known.csv", "--impute", "known.csv"), 2, "give one of"),
    ],
)
def test_wrong_ways_from_an_old_run(trees: Path, synth: Any, words: tuple[str, ...], code: int, told: str) -> None:
    Path("known.csv").write_text("city\nWien\n")
    Path("known.txt").write_text("city\nWien\n")
    assert synth("train", trees).code == 0
    said = synth("generate", "--from", "people", "--keep-failed", *words)
    assert said.code == code and told in " ".join(said.err.split()), said.err


def test_the_name_of_a_completed_file(trees: Path, synth: Any) -> None:
    pd.DataFrame({"city": ["Wien", None], "sex": ["male", "male"]}).to_csv("known.csv.gz", index=False)
    assert synth("train", trees).code == 0
    said = synth("generate", "--from", "people", "--impute", "known.csv.gz", "--keep-failed")
    assert said.code == 0, said.err
    assert pd.read_csv("known-completed.csv.gz")["city"].notna().all()
    assert "1 cell filled" in said.out


def test_judged_by_real_rows_of_the_same_kind(trees: Path, synth: Any) -> None:
    """Smokers are a third of the real rows; asked for half of them, shapes are judged against real rows of which half
    smoke.
    """
    words = ("run", trees, "--rows", "600", "--json", "--set", "evaluate.gates=[]", "--set", "source.split.holdout=0.4")
    said = synth(*words, "--set", "generate.balance={smoker: {true: 0.9, false: 0.1}}")
    assert said.code == 0, said.err
    measured = json.loads((Path(said.json["folder"]) / "4-evaluate/measurements.json").read_text())["measurements"]
    shape = next(m for m in measured if m["name"] == "column_shapes" and m.get("of") in (None, "smoker"))
    assert np.isfinite(shape["value"]) and shape["value"] > 0.7
