"""Rule violations by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from synthcli.tabular.judging.intervals import newcombe, wilson
from synthcli.tabular.metrics import rules


@dataclass(frozen=True)
class Above:
    bound: float

    @property
    def text(self):
        return f"x > {self.bound}"

    def violations(self, frame):
        return (frame["x"] <= self.bound).to_numpy()


def test_share_of_rows_that_break_any_and_each(evidence):
    given = evidence(constraints=(Above(0), Above(1)))
    both, zero, one = rules.measure(given, rng=np.random.default_rng(0))
    x = given.synthetic.frame["x"]
    assert both.value == one.value == pytest.approx((x <= 1).mean()) and zero.value == pytest.approx((x <= 0).mean())
    assert (zero.scope, zero.of) == ("rule", "x > 0") and both.low < both.value < both.high
    assert zero.control == pytest.approx((given.train.frame["x"] <= 0).mean())
    assert rules.measure(evidence(), rng=np.random.default_rng(0)) == []


def test_intervals_are_those_of_the_literature():
    from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

    assert wilson(3, 50) == pytest.approx(proportion_confint(3, 50, method="wilson"), abs=1e-6)
    assert newcombe(15, 50, 3, 40) == pytest.approx(
        confint_proportions_2indep(15, 50, 3, 40, method="newcomb"), abs=1e-6
    )
