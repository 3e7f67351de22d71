"""Stage keys: whatever changes a result changes the key, for columns that are computed as for constraints."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthcli.contracts.modality import Choice
from synthcli.pipeline import keys
from synthcli.pipeline.plan import Plan, make_plan
from synthcli.spec.load import load_spec

TREES = Choice("trees", {}, modality="tabular")
COMPUTED = {"columns": {"double": {"expr": "x * 2"}}}
RULE = {"constraints": ["double >= x"]}


def plan(**keys_: object) -> Plan:
    frame = pd.DataFrame({"x": range(40), "double": [2 * x for x in range(40)]})
    return make_plan(load_spec({**keys_}, data=frame))


@pytest.mark.parametrize("rules", [COMPUTED, RULE], ids=["computed", "constraint"])
def test_rules_are_checked_as_written_and_fitted_for_the_conditions(rules: dict[str, object], tmp_path: Path) -> None:
    csv, parquet = (plan(**rules, output={"format": format_}) for format_ in ("csv", "parquet"))
    assert keys.evaluate_key(csv, TREES, 40, "holdout") != keys.evaluate_key(parquet, TREES, 40, "holdout")
    assert keys.train_key(csv, TREES) == keys.train_key(parquet, TREES)
    conditioned = plan(**rules, generate={"where": "double > 10"})
    assert keys.train_key(conditioned, TREES) != keys.train_key(parquet, TREES)


def test_without_rules_neither_matters() -> None:
    csv, parquet = (plan(output={"format": format_}) for format_ in ("csv", "parquet"))
    assert keys.evaluate_key(csv, TREES, 40, "holdout") == keys.evaluate_key(parquet, TREES, 40, "holdout")
    assert keys.train_key(plan(generate={"where": "double > 10"}), TREES) == keys.train_key(parquet, TREES)
