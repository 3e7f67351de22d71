"""Every function has documentation, and its example gives the result that the documentation shows."""

import pandas as pd
import pytest

from synthcli.columns.expressions.compile import parse
from synthcli.columns.expressions.functions import FUNCTIONS


def shown(text):
    (value,) = parse(text).evaluate(pd.DataFrame(index=range(1)))
    if isinstance(value, str):
        return value
    return str(value).lower() if str(value) in ("True", "False") else f"{value:g}"


@pytest.mark.parametrize("name", FUNCTIONS)
def test_examples(name):
    text, result = FUNCTIONS[name].example
    assert f"{name}(" in text and shown(text) == result
    assert FUNCTIONS[name].help.endswith(".") and FUNCTIONS[name].arguments


@pytest.mark.parametrize(
    ("start", "end", "years", "months"),
    [
        ("2000-02-29", "2001-02-28", 0, 11),
        ("2000-02-29", "2001-03-01", 1, 12),
        ("1990-05-20", "2020-05-20", 30, 360),
        ("1990-05-20 23:00", "2020-05-20 01:00", 30, 360),
        ("2024-01-02", "2024-01-01", -1, -1),
    ],
)
def test_completed_periods_count_by_dates(start, end, years, months):
    row = pd.DataFrame({"a": pd.to_datetime([start]), "b": pd.to_datetime([end])})
    assert parse("years_between(a, b)").evaluate(row)[0] == years
    assert parse("months_between(a, b)").evaluate(row)[0] == months


def test_functions_keep_nulls():
    row = pd.DataFrame({"a": pd.to_datetime(["2024-01-01", None]), "w": pd.array(["abc", None], dtype="string")})
    texts = (
        "date(a)",
        "years_between(a, a)",
        "week(a)",
        "substr(w, 2)",
        "substr(w, 1, 2)",
        "trim(w)",
        "endswith(w, 'c')",
    )
    for text in (*texts, "text(a)", "text(years_between(a, a))", "text(1.5 * years_between(a, a))"):
        assert parse(text).evaluate(row).isna().tolist() == [False, True], text


def test_text_of_numbers():
    row = pd.DataFrame({"n": pd.array([3], dtype="Int64"), "x": [2.50], "b": pd.array([True], dtype="boolean")})
    assert [parse(f"text({c})").evaluate(row)[0] for c in "nxb"] == ["3", "2.5", "true"]
