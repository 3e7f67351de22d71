"""Membership is inferred from copies, not from a fresh sample, and by privacy unit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.table import Table
from synthcli.contracts.schema import Schema
from synthcli.tabular.attacks import membership


def measured(evidence):
    (found,) = membership.measure(evidence, rng=np.random.default_rng(0))
    return found


@pytest.mark.parametrize("leak", ["copy", "noisy"])
def test_a_leak_fails_hard(evidence, leak):
    found = measured(evidence(leak))
    assert found.low > 0.9
    assert found.control == pytest.approx(0.5, abs=0.07) and found.baseline == pytest.approx(0.5, abs=0.07)


def test_a_fresh_sample_tells_nothing(evidence):
    found = measured(evidence())
    assert found.low < 0.5 < found.high and found.high - found.low < 0.1


def test_one_record_of_each_unit(evidence):
    given = evidence()
    schema = Schema(given.schema.columns, unit="who")
    five = lambda table: Table(pd.concat([table.frame] * 5, ignore_index=True), schema)  # noqa: E731
    repeated = {name: five(getattr(given, name)) for name in ("train", "control", "synthetic")}
    found = measured(replace(given, schema=schema, baseline=None, **repeated))
    assert found.n == 2 * len(given.control)


def test_what_cannot_be_asked_is_said(evidence):
    assert "kept apart" in measured(evidence(control=None)).note
    assert "fewer than" in measured(evidence(control=evidence().control.take(np.arange(5)))).note
