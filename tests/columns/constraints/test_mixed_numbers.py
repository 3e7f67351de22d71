"""Rules over columns of numbers with words among them: numbers are compared, and words are unknown."""

import json

import pandas as pd
import pytest

from synthcli.columns import frame as frames
from synthcli.columns.constraints.mixed_numbers import OverNumbers, numbers_of, over_numbers
from synthcli.columns.constraints.parse import parse_rule


def frame(**columns):
    return pd.DataFrame({name: pd.Series(values, dtype=frames.STRING) for name, values in columns.items()})


MIXED = frame(
    low=["89", "9", "100", "-", "7.5", "1", "2", "3", "4", "5"],
    high=["118", "10", "99", "3", "refused", "2", "3", "4", None, "6"],
    code=["a", "b", "c", "a", "b", "c", "a", "b", "c", "a"],
).assign(n=pd.array(range(10), dtype="Int64"))


@pytest.mark.parametrize("raw", ["low <= high", {"increasing": ["low", "high"]}, "high - low >= 0", "not (low > high)"])
def test_numbers_are_compared_and_words_are_unknown(raw):
    rule = over_numbers(parse_rule(raw), MIXED)
    assert rule.violations(MIXED).tolist() == [False, False, True, *[False] * 7]  # 89 <= 118, 9 <= 10, not 100 <= 99
    again = parse_rule(json.loads(json.dumps(rule.to_json())))
    assert again == rule and again.text == parse_rule(raw).text
    assert rule.learn(MIXED).violations(MIXED.iloc[2:3].reset_index(drop=True)).all()  # whatever a part of it holds


def test_numbers_and_columns_of_numbers_are_compared_with_them():
    assert over_numbers(parse_rule("low < 50 or n > 0"), MIXED).violations(MIXED).tolist() == [True, *[False] * 9]
    assert over_numbers(parse_rule("low > n"), MIXED).violations(MIXED).sum() == 5
    assert over_numbers(parse_rule({"range": {"column": "low", "max": 90}}), MIXED).violations(MIXED).sum() == 1
    assert over_numbers(parse_rule({"sum": {"total": "high", "of": ["low"]}}), MIXED).violations(MIXED).any()


@pytest.mark.parametrize(
    "raw",
    [
        "low != '-'",
        "low in ['89', '-'] or n > 0",
        "code >= 'a'",
        "low is not null",
        {"one_of": ["low", "high"]},
        {"unique": ["low", "n"]},
        "n >= 0",
    ],
)
def test_words_stay_words_where_a_rule_reads_them(raw):
    assert not isinstance(over_numbers(parse_rule(raw), MIXED), OverNumbers)


def test_few_numbers_among_words_are_words():
    words = frame(low=["1", "2", "3", "x", "y", "z"], high=["4", "5", "6", "x", "y", "z"])
    assert not isinstance(over_numbers(parse_rule("low <= high"), words), OverNumbers)
    assert numbers_of(words["low"]).isna().tolist() == [False] * 3 + [True] * 3
