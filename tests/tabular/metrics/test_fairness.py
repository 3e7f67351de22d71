"""Demographic parity before and after, and what was paid: tables whose answer is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Fairness, Measurement
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.metrics import fairness

STRING = pd.StringDtype("pyarrow")
KINDS = {
    "sex": ("category", "string"),
    "old": ("boolean", "bool"),
    "score": ("float", "double"),
    "approved": ("boolean", "bool"),
}
SCHEMA = Schema(tuple(Column(n, Traits(type=t), storage=s) for n, (t, s) in KINDS.items()))


def loans(rows: int, seed: int, *, unfair: float = 0.4, signal: float = 1.0) -> Table:
    """approved depends on sex by `unfair` and on a score by `signal`."""
    rng = np.random.default_rng(seed)
    male = rng.random(rows) < 0.5
    score = rng.normal(size=rows)
    p = np.clip(0.5 + unfair * (male - 0.5) + 0.2 * signal * score, 0, 1)
    frame = pd.DataFrame(
        {
            "sex": pd.Series(np.where(male, "m", "f"), dtype=STRING),
            "old": pd.array(rng.random(rows) < 0.3, dtype="boolean"),
            "score": score,
            "approved": pd.array(rng.random(rows) < p, dtype="boolean"),
        }
    )
    return Table(frame, SCHEMA)


def measured(
    synthetic: Table, before: Table | None, *sensitive: str, target: str = "approved"
) -> dict[tuple[str, str | None], Measurement]:
    real = loans(2_000, 1)
    asked = Fairness(target, sensitive, synthetic, real, loans(1_500, 2), before)
    seen = Evidence(SCHEMA, synthetic, train=real, fairness=asked)
    return {(m.name, m.of): m for m in fairness.measure(seen, rng=np.random.default_rng(3))}


def test_the_gap_is_the_difference_of_shares() -> None:
    counts = np.array([[10, 30], [20, 20], [0, 1000]])  # shares of the second value: 0.75, 0.5, 1
    assert fairness.gap(counts) == pytest.approx(0.5)
    assert fairness.gap(np.array([[10, 30], [20, 20], [1, 0], [0, 99_999]])) == pytest.approx(
        0.0
    )  # one group alone is heard
    assert fairness.gap(np.array([[10, 30]])) == 0.0


def test_before_and_after() -> None:
    found = measured(loans(2_000, 4, unfair=0.0), loans(2_000, 5), "sex")
    gap = found["parity_gap", None]
    assert gap.value is not None and gap.value < 0.08 and gap.floor == pytest.approx(0.4, abs=0.06)
    predicted = found["predicted_parity_gap", None]
    assert (
        predicted.floor is not None and predicted.value is not None and predicted.floor > 0.3 > 0.15 > predicted.value
    )
    cost = found["fairness_cost", None]
    assert cost.value is not None and cost.value > 0.02 and "auc" in cost.note  # what sex told is gone
    assert cost.low is not None and cost.high is not None and cost.low < cost.value < cost.high


def test_without_a_request_nothing_is_paid() -> None:
    found = measured(loans(2_000, 4), loans(2_000, 5), "sex")
    assert abs(found["fairness_cost", None].value or 0) < 0.03
    assert found["parity_gap", None].value == pytest.approx(0.4, abs=0.06)


def test_each_sensitive_column_alone_too() -> None:
    found = measured(loans(2_000, 4, unfair=0.0), None, "sex", "old")
    assert {of for name, of in found if name == "parity_gap"} == {None, "sex", "old"}
    assert found["parity_gap", "sex"].floor == pytest.approx(0.4, abs=0.06)
    assert (found["parity_gap", "old"].floor or 0) < 0.08


def test_a_number_is_told_by_its_deviation() -> None:
    found = measured(loans(2_000, 4), loans(2_000, 5), "sex", target="score")
    assert "r2" in found["fairness_cost", None].note
    assert found["predicted_parity_gap", None].value is not None


def test_nothing_without_a_request() -> None:
    assert fairness.measure(Evidence(SCHEMA, loans(10, 0)), rng=np.random.default_rng(0)) == []
