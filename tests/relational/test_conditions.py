"""Rules over the table of the privacy unit that reject many draws: its columns keep their marginals."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

from synthcli.columns.constraints.parse import parse_rule
from synthcli.contracts.modelling import Job, Request, silent
from synthcli.relational import conditions
from synthcli.relational.data import Tables
from synthcli.relational.model import model as related_model
from synthcli.relational.model.rejection_counts import RejectionCounts
from tests.relational.conftest import BASE


def test_columns_of_the_units_table_keep_their_marginals(shop: Tables) -> None:
    rule, strict = parse_rule("age * 2 <= 900"), parse_rule("segment != 'new' or age >= 45")
    model = related_model.fit(shop, BASE, job=Job(1), rules={"customers": [rule]})
    few, report = conditions.generate(model, Request(900, 3), RejectionCounts(), silent)
    assert report == {}  # no draw breaks it
    table = model.table_models["customers"]
    assert table.rule_plan is not None
    model.table_models["customers"] = replace(table, rule_plan=replace(table.rule_plan, rules=(strict,)))
    counts = RejectionCounts()
    tables, report = conditions.generate(model, Request(900, 3), counts, silent)
    rows = tables.frames["customers"]
    assert len(rows) == 900 and not strict.violations(rows).any() and sum(counts.refused.values()) > 50
    assert "segment" in report["marginals"]["columns"] and report["marginals"]["left_out"] > 50
    tables.checked()  # keys are whole

    def share(frame: pd.DataFrame) -> float:
        return float((frame["segment"] == "new").mean())

    assert abs(share(rows) - share(few.frames["customers"])) < 0.04
