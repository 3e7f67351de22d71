"""Columns with `expr`: what counts as agreement with the source, and what is refused."""

import numpy as np
import pandas as pd
import pytest

from synthcli.columns import frame as frames
from synthcli.columns.constraints.computed import Computed, decimals_of
from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.expressions.compile import parse
from synthcli.errors import SpecError


def rule(column, text, **more):
    return Computed(column, parse(text), **more)


def broken(made, **columns):
    return made.violations(pd.DataFrame(columns)).tolist()


def ints(*values):
    return pd.array(values, dtype="Int64")


def test_numbers_agree_up_to_their_own_rounding():
    half_up = broken(rule("x", "a / b"), x=[0.33, 0.13, 0.12, 0.5], a=ints(1, 1, 1, 1), b=ints(3, 8, 8, 3))
    assert half_up == [False, False, False, True]
    assert broken(rule("n", "a * 0.5"), n=ints(1, 2, 3), a=ints(1, 3, 1)) == [False, False, True]
    assert broken(rule("x", "a / 3"), x=[1 / 3, 0.3333], a=ints(1, 1)) == [False, True]
    assert broken(rule("x", "a / 3", precision=1), x=[0.3, 0.4], a=ints(1, 1)) == [False, True]


def test_null_on_either_side_is_no_disagreement():
    assert broken(rule("x", "a + b"), x=ints(None, 3, 3), a=ints(1, None, 1), b=ints(1, 1, 1)) == [False, False, True]


def test_words_dates_and_booleans():
    words = pd.array(["A-1", "B-2"], dtype=frames.STRING)
    assert broken(
        rule("w", "concat(a, '-', text(n))"), w=words, a=pd.array(["A", "B"], dtype=frames.STRING), n=ints(1, 3)
    ) == [False, True]
    days = pd.to_datetime(["2024-01-03", "2024-01-04"])
    assert broken(rule("d", "e + days(2)"), d=days, e=pd.to_datetime(["2024-01-01"] * 2)) == [False, True]
    flags = pd.array([True, True], dtype="boolean")
    assert broken(rule("f", "n >= 2"), f=flags, n=ints(1, 2)) == [True, False]


def test_it_comes_back_from_json():
    made = rule("x", "a + b", precision=2, on_violation="warn")
    again = parse_rule(made.to_json())
    assert (again.text, again.precision, again.on_violation) == (made.text, 2, "warn") == ("expr: x = a + b", 2, "warn")


@pytest.mark.parametrize(
    ("column", "text", "said"),
    [
        ("x", "x + 1", "reads the column itself"),
        ("x", "z + 1", "no column 'z'"),
        ("d", "x + 1", "returns a number, but the column is of type datetime"),
        ("x", "x2 + w", "columns.x.expr"),
    ],
)
def test_what_it_cannot_hold(column, text, said):
    with pytest.raises(SpecError, match=said):
        rule(column, text).check({"x": "float", "x2": "float", "d": "datetime", "w": "text"})


def test_decimals():
    assert [decimals_of(np.array(v)) for v in ([1.0], [0.25, np.nan], [1 / 3])] == [0, 2, None]
