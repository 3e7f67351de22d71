"""Properties: what a text means, and figures against pandas and numpy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.expressions.properties import figures, parse_property
from synthcli.errors import SpecError

KINDS = {
    "age": "integer",
    "cost": "float",
    "sex": "category",
    "where": "float",
    "ill": "boolean",
    "day": "datetime",
    "name": "text",
}
FRAME = pd.DataFrame(
    {
        "age": pd.array([10, 20, 30, 40, None, 60], dtype="Int64"),
        "cost": [1.0, 2.0, np.nan, 8.0, 16.0, 32.0],
        "sex": pd.array(["f", "m", "f", None, "m", "f"], dtype=pd.StringDtype("pyarrow")),
        "where": [1.0, 1.0, 1.0, 2.0, 2.0, 2.0],
        "ill": pd.array([True, False, None, True, True, False], dtype="boolean"),
    }
)


def figure(text: str, frame: pd.DataFrame = FRAME) -> float:
    asked = parse_property(text)
    asked.check(KINDS)
    rows = asked.rows(frame)
    return float(figures(asked.name, asked.q, asked.values(frame, rows), np.ones((1, len(rows))))[0])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("mean(cost)", FRAME["cost"].mean()),
        ("median(cost)", FRAME["cost"].median()),
        ("std(cost)", FRAME["cost"].std()),
        ("quantile(cost, 0.9)", FRAME["cost"].quantile(0.9)),
        ("quantile(cost, 0)", 1.0),
        ("quantile(cost, 1)", 32.0),
        ("corr(age, cost)", FRAME["age"].astype(float).corr(FRAME["cost"])),
        ("mean(cost / 2 + 1)", (FRAME["cost"] / 2 + 1).mean()),
        ("share(sex == 'f')", 3 / 5),
        ("share(ill)", 3 / 5),
        ("share(cost > 4 and age < 50)", 1 / 4),
        ("mean(cost where sex == 'm')", 9.0),
        ("mean(`where` where `where` > 1)", 2.0),
        ("share(sex == 'f' where cost >= 1)", 2 / 4),
        (" mean ( max(cost, 3) ) ", FRAME["cost"].clip(lower=3).mean()),
        ("share(sex in ['f', 'where'])", 3 / 5),
    ],
)
def test_figures_are_those_of_pandas(text: str, expected: float) -> None:
    assert figure(text) == pytest.approx(expected)


def test_weights_are_repeated_rows() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 2)).round(1)
    weights = rng.multinomial(40, np.full(40, 1 / 40), size=7).astype(float)
    for name, q in (("mean", None), ("std", None), ("median", None), ("quantile", 0.37), ("corr", None)):
        arguments = values if name == "corr" else values[:, :1]
        found = figures(name, q, arguments, weights)
        for i, w in enumerate(weights):
            again = np.repeat(arguments, w.astype(int), axis=0)
            assert found[i] == pytest.approx(figures(name, q, again, np.ones((1, len(again))))[0])
    again = np.repeat(values[:, 0], weights[0].astype(int))
    assert figures("quantile", 0.37, values[:, :1], weights)[0] == pytest.approx(np.quantile(again, 0.37))


def test_a_constant_has_no_correlation() -> None:
    frame = FRAME.assign(cost=5.0)
    assert np.isnan(figure("corr(age, cost)", frame))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cost", "not a property"),
        ("", "not a property"),
        ("meen(cost)", "Did you mean mean"),
        ("mean(cost", "not closed"),
        ("mean()", "missing"),
        ("mean(cost, age)", "takes one expression"),
        ("corr(age)", "two expressions"),
        ("quantile(cost)", "quantile"),
        ("quantile(cost, 2)", "from 0 to 1"),
        ("quantile(cost, x)", "from 0 to 1"),
        ("mean(cost) - mean(age)", "one number"),
        ("mean(cost where )", "missing"),
        ("mean(cost +)", "expected a value"),
        ("mean(cost ? 2)", "cannot read"),
    ],
)
def test_what_is_no_property_is_refused(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        parse_property(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("mean(costs)", "Did you mean cost"),
        ("mean(name)", "needs a number"),
        ("mean(ill)", "share"),
        ("mean(day)", "needs a number"),
        ("share(cost)", "needs a boolean"),
        ("mean(cost where age)", "where needs a boolean"),
        ("corr(age, name)", "needs a number"),
    ],
)
def test_kinds_are_looked_at(text: str, said: str) -> None:
    with pytest.raises(SpecError, match=said):
        parse_property(text).check(KINDS)
