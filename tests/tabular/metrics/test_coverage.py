"""Coverage by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.frame import STRING
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.metrics import coverage

SCHEMA = Schema((Column("c", inferred=Traits(type="category")), Column("x", inferred=Traits(type="float"))))


def table(words, numbers):
    return Table(pd.DataFrame({"c": pd.array(words, dtype=STRING), "x": np.array(numbers, dtype=float)}), SCHEMA)


def test_shares_by_hand():
    given = Evidence(
        SCHEMA,
        synthetic=table(["a", "z", "a", None], [0, 2, 5, np.nan]),  # z is no real category
        train=table(["a", "b", "c", None], [0, 1, 2, 3]),
        control=table(["a", "a", "d", "a"], [10, 1, 2, 3]),
    )
    found = {(m.name, m.of): m for m in coverage.measure(given, rng=np.random.default_rng(0))}
    assert found["category_coverage", "c"].value == found["category_coverage", None].value == 0.25
    assert found["range_coverage", "x"].value == pytest.approx(0.5)
    assert found["category_coverage", None].low < 0.25 < found["category_coverage", None].high


def test_a_real_sample_covers_and_a_narrow_one_does_not(evidence):
    good = {m.name: m for m in coverage.measure(evidence(), rng=np.random.default_rng(0)) if m.scope == "overall"}
    assert (
        good["category_coverage"].value == 1
        and good["range_coverage"].value > 0.9
        and good["range_coverage"].floor > 0.9
    )
    given = evidence()
    narrow = given.synthetic.take(np.flatnonzero((given.synthetic.frame["c"] == "mid").to_numpy()))
    bad = {(m.name, m.of): m for m in coverage.measure(evidence(narrow), rng=np.random.default_rng(0))}
    assert bad["category_coverage", "c"].value == pytest.approx(1 / 3)
    assert bad["range_coverage", "x"].value < 0.8
