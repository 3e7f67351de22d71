"""docs/conditions.md: its specs are specs, its commands run in order and do what it says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd

from synthcli.columns.constraints.parse import parse_rule
from synthcli.spec import yaml
from synthcli.spec.models import Spec

PAGE = (Path(__file__).parents[2] / "docs/conditions.md").read_text(encoding="utf-8")


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", PAGE, re.DOTALL)


def test_the_commands_run_in_order(synth: Any) -> None:
    Path("conditions.yaml").write_text(blocks("yaml")[0])
    for name, text in zip(("known.csv", "gaps.csv"), blocks("csv"), strict=True):
        Path(name).write_text(text)
    lines = [line for block in blocks("sh") for line in block.strip().splitlines()]
    assert len(lines) == 9
    made: list[pd.DataFrame] = []
    for line in lines:
        said = synth(*shlex.split(line)[1:], "--json")
        assert said.code == 0, (line, said.err)
        if "data" in said.json:
            made.append(pd.read_parquet(said.json["data"]))
    _, old, one, two, fair, many = made
    assert ((old["age"] >= 55) & (old["self_rated_health"] == "poor")).all() and len(pd.read_csv("old.csv")) == len(
        old
    ) == 500
    assert one["self_rated_health"].value_counts()[["poor", "fair"]].tolist() == [125, 125]
    assert two["self_rated_health"].value_counts()["poor"] == 100
    assert two["physical_limitation"].isna().sum() == 50 and (two["physical_limitation"].astype("boolean").sum()) == 200
    rates = (fair["physical_limitation"].astype("boolean").fillna(False)).groupby(fair["sex"]).mean()
    assert rates.max() - rates.min() < 0.01 and len(many) == 40_000
    completed, filled = pd.read_csv("completed.csv"), pd.read_csv("filled.csv")
    assert (
        completed["remark"].tolist()[0] == "from the ward"
        and completed["age"].tolist() == [61.5, 30]
        and completed["doctor_visits"].notna().all()
    )
    assert list(filled.columns) == ["doctor_visits", "self_rated_health", "sex", "age"] and filled.notna().all().all()


def test_its_yaml_is_yaml_and_its_constraints_are_constraints() -> None:
    specs = [yaml.parse(block).data for block in blocks("yaml")]
    assert all(set(spec) <= set(Spec.model_fields) for spec in specs)
    rules = [rule for spec in specs for rule in spec.get("constraints", ())]
    assert rules and all(parse_rule(rule).text for rule in rules)
