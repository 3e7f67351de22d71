"""TSTR against TRTR for two classes, more, and numbers."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from synthcli.tabular.data import Table
from synthcli.tabular.metrics import utility


def overall(evidence):
    return {m.name: m for m in utility.measure(evidence, rng=np.random.default_rng(0))}


@pytest.mark.parametrize(("target", "unit"), [("yes", "auc"), ("c", "accuracy"), ("y", "r2")])
def test_real_data_is_useful_and_independent_columns_are_not(evidence, target, unit):
    good, bad = overall(evidence(target=target)), overall(evidence("independent", target=target))
    for suffix in ("", "_linear"):
        assert good["tstr" + suffix].unit == unit and good["utility_ratio" + suffix].unit == ""
        assert good["utility_ratio" + suffix].value > 0.8 and good["utility_ratio" + suffix].high > 0.9
        assert bad["utility_ratio" + suffix].high < 0.5 and good["utility_ratio" + suffix].baseline < 0.5
        assert good["tstr" + suffix].low < good["tstr" + suffix].value < good["tstr" + suffix].high
        assert good["tstr" + suffix].floor == good["trtr" + suffix].value


def test_ratio_is_chance_corrected(evidence):
    found = overall(evidence(target="yes"))
    assert found["utility_ratio"].value == pytest.approx((found["tstr"].value - 0.5) / (found["trtr"].value - 0.5))


def test_auc_of_weighted_rows():
    rng = np.random.default_rng(0)
    score, positive = rng.normal(size=90).round(1), rng.random(90) < 0.4
    weights = rng.multinomial(90, np.full(90, 1 / 90), size=5)
    found = utility.weighted_auc(score, positive, weights)
    for got, w in zip(found, weights, strict=True):
        assert got == pytest.approx(roc_auc_score(positive, score, sample_weight=w))


def test_no_target_is_no_question_and_a_poor_one_is_said(evidence):
    assert utility.measure(evidence(), rng=np.random.default_rng(0)) == []
    assert all(m.value is None and "no column" in m.note for m in overall(evidence(target="note")).values())
    given = evidence()
    constant = Table(given.train.frame.assign(yes=given.train.frame["yes"] | True), given.schema)
    assert all("single value" in m.note for m in overall(evidence(train=constant, target="yes")).values())
    hopeless = overall(evidence(target="when"))["utility_ratio"]
    assert hopeless.value is None and "cannot be predicted from train either" in hopeless.note


def test_synthetic_of_one_class_is_at_chance(evidence):
    given = evidence()
    flat = Table(given.synthetic.frame.assign(yes=given.synthetic.frame["yes"] | True), given.schema)
    assert overall(evidence(flat, target="yes"))["tstr"].value == 0.5
