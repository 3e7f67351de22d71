"""docs/related.md: its tables without data are generated, and its commands run in order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pandas as pd

from synthcli.spec import yaml
from synthcli.spec.models import Spec

PAGE = (Path(__file__).parents[2] / "docs/related.md").read_text(encoding="utf-8")


def test_its_commands_run_in_order_and_find_the_relationships_again(synth: Any) -> None:
    (text,) = (block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if "name: demo" in block)
    (block,) = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    Path("demo.yaml").write_text(text)
    lines = block.strip().splitlines()
    said = [synth(*shlex.split(line)[1:], "--json") for line in lines]
    assert [s.code for s in said[:2]] == [0, 0] and said[2].code in (0, 4), [s.err for s in said]
    found = {(r["from"], r["to"]) for r in said[1].json["relationships"]}
    declared = yaml.parse(text).data["source"]["relationships"]
    assert found == {(r["from"], r["to"]) for r in declared} and said[1].json["privacy_unit"] == "users"
    users, orders = pd.read_csv("shop/users.csv"), pd.read_csv("shop/orders.csv")
    assert len(users) == 300 and 700 < len(orders) < 1100 and set(orders["user_id"]) <= set(users["id"])


def test_its_specs_have_known_keys() -> None:
    specs = [yaml.parse(block).data for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]
    assert len(specs) == 2 and all(set(spec) <= set(Spec.model_fields) for spec in specs)
