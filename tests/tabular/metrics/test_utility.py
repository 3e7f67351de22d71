"""TSTR against TRTR for two classes, more, and numbers."""

from __future__ import annotations

import re
from functools import cache

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from synthcli.columns.table import Table
from synthcli.tabular.metrics import utility


def overall(evidence):
    return {m.name: m for m in utility.measure(evidence, rng=np.random.default_rng(0))}


@pytest.fixture(scope="module")
def real(evidence):
    """Of a target, what a fresh real sample gets."""
    return cache(lambda target: overall(evidence(target=target)))


@pytest.mark.parametrize(("target", "unit"), [("yes", "auc"), ("c", "accuracy"), ("y", "r2")])
def test_real_data_is_useful_and_independent_columns_are_not(evidence, real, target, unit):
    good, bad = real(target), overall(evidence("independent", target=target, full=False))
    for suffix in ("", "_linear"):
        assert good["tstr" + suffix].unit == unit and good["utility_ratio" + suffix].unit == ""
        assert good["utility_ratio" + suffix].value > 0.8 and good["utility_ratio" + suffix].high > 0.9
        assert bad["utility_ratio" + suffix].high < 0.5 and good["utility_ratio" + suffix].baseline < 0.5
        assert good["tstr" + suffix].low < good["tstr" + suffix].value < good["tstr" + suffix].high
        assert good["tstr" + suffix].floor == good["trtr" + suffix].value


def test_ratio_is_chance_corrected(real):
    found = real("yes")
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
    assert all(
        m.value is None and "not a column that can be predicted" in m.note
        for m in overall(evidence(target="note")).values()
    )
    given = evidence()
    constant = Table(given.train.frame.assign(yes=given.train.frame["yes"] | True), given.schema)
    assert all("single value" in m.note for m in overall(evidence(train=constant, target="yes")).values())
    hopeless = overall(evidence(target="when"))["utility_ratio"]
    assert hopeless.value is None and not hopeless.measurable and "clearly better than chance" in hopeless.note


def test_a_target_near_chance_is_not_measurable_and_the_scores_are(evidence):
    """The label is random: whichever side of chance the model of train lies, its interval touches it."""
    given = evidence()
    rng = np.random.default_rng(0)
    random = {
        name: Table(part.frame.assign(yes=pd.array(rng.random(len(part)) < 0.5, dtype="boolean")), given.schema)
        for name, part in (("train", given.train), ("control", given.control), ("synthetic", given.synthetic))
    }
    found = overall(evidence(target="yes", **random))
    assert found["trtr"].value is not None and found["tstr"].value is not None
    assert found["utility_ratio"].to_json()["measurable"] is False
    why = utility.predictable(random["train"], random["control"], "yes", rng=np.random.default_rng(0))
    assert "do not predict yes clearly better than chance" in why
    assert utility.predictable(given.train, given.control, "yes", rng=np.random.default_rng(0)) == ""


def test_synthetic_of_one_class_is_at_chance(evidence):
    given = evidence()
    flat = Table(given.synthetic.frame.assign(yes=given.synthetic.frame["yes"] | True), given.schema)
    assert overall(evidence(flat, target="yes"))["tstr"].value == 0.5


@pytest.mark.parametrize("rows", [1, 200])
def test_a_column_of_one_known_value_is_no_obstacle(evidence, rows):
    given = evidence()
    odd = lambda t: Table(t.frame.assign(y=np.where(np.arange(len(t)) < rows, 7.0, np.nan)), t.schema)  # noqa: E731
    found = overall(evidence(odd(given.synthetic), train=odd(given.train), control=odd(given.control), target="yes"))
    assert found["tstr"].value > 0.6 and found["tstr_linear"].value > 0.6


def test_targets_that_cannot_be_judged_say_why(evidence):
    given = evidence()

    def with_yes(change):
        made = {k: getattr(given, k) for k in ("synthetic", "train", "control")}
        return {k: Table(t.frame.assign(yes=change(t.frame["yes"], k)), t.schema) for k, t in made.items()}

    cases = {
        "single value in train": lambda yes, part: yes | True,
        "null throughout train": lambda yes, part: yes if part == "synthetic" else yes.mask(yes.notna()),
        "fewer than 30 records with a known yes: control": lambda yes, part: (
            yes.mask(yes.notna()) if part == "control" else yes
        ),
        "single value in control": lambda yes, part: (yes & False) | ((part == "train") & (np.arange(len(yes)) == 0)),
        "train \\(1\\), control \\(1\\)": lambda yes, part: (yes & False) | (np.arange(len(yes)) == 0),
    }
    for why, change in cases.items():
        found = overall(evidence(**with_yes(change), target="yes"))
        assert len(found) == 6 and all(m.value is None and re.search(why, m.note) for m in found.values()), (why, found)
    empty = Table(given.train.frame.assign(y=np.nan), given.schema)
    assert all(
        m.value is None and "null throughout train" in m.note
        for m in overall(evidence(train=empty, target="y")).values()
    )


def test_a_fit_that_cannot_be_made_says_why(evidence, monkeypatch):
    def broken(*_):
        raise ValueError("no such shape")

    monkeypatch.setattr(utility, "_predict", broken)
    assert all(m.value is None and "no such shape" in m.note for m in overall(evidence(target="yes")).values())


@pytest.mark.parametrize(("noise", "shallow"), [(0.1, False), (20.0, True)])
def test_a_target_that_is_mostly_noise_is_predicted_by_shallow_trees(evidence, noise, shallow):
    rng = np.random.default_rng(3)
    given = evidence(target="y")
    signal = given.train.frame["x"].rank(pct=True) * 10
    noisy = Table(given.train.frame.assign(y=signal + noise * rng.normal(size=len(signal))), given.schema)
    task = utility._task(evidence(train=noisy, target="y"), rng)
    assert utility._prefers_shallow(task, 0) is shallow
    assert utility._prefers_shallow(utility._task(evidence(target="yes"), rng), 0) is False  # classes have one learner
