import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.constraints.rule import parse_constraint
from synthcli.columns.discovery import suggest
from synthcli.columns.discovery.infer import infer

ROWS = 400


def looked(columns, unit=None):
    schema, frame = infer(pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False), {}, unit=unit)
    return schema, frame


def found(columns, unit=None):
    schema, frame = looked(columns, unit)
    return suggest.suggest(frame, schema)


@pytest.fixture
def rng():
    return np.random.default_rng(4)


def test_orders_of_dates_and_numbers(rng):
    start = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, ROWS), unit="D")
    out = found(
        {
            "start": start,
            "end": start + pd.to_timedelta(rng.integers(0, 300, ROWS), unit="D"),
            "other": start[rng.permutation(ROWS)],
        }
    )
    assert [s.text for s in out] == ["start <= end"]
    assert parse_constraint(out[0].text)


def test_orders_that_are_trivial_or_chance_are_none(rng):
    assert (
        found(
            {
                "age": rng.integers(18, 90, ROWS),
                "income": rng.integers(10_000, 90_000, ROWS),
                "x": rng.normal(size=ROWS),
            }
        )
        == []
    )


def test_what_follows_is_left_out(rng):
    a = rng.integers(0, 100, ROWS)
    b = a + rng.integers(0, 60, ROWS)
    c = b + rng.integers(0, 60, ROWS)
    texts = {s.text for s in found({"a": a, "b": b, "c": c}) if s.form == "expr"}
    assert texts == {"a <= b", "b <= c"}


def test_one_row_that_breaks_it_is_enough(rng):
    low = rng.integers(0, 100, ROWS)
    high = low + rng.integers(0, 50, ROWS)
    high[7] = low[7] - 1
    assert not [s for s in found({"low": low, "high": high}) if s.form == "expr"]


def test_sums_of_two_of_three_and_of_a_run(rng):
    parts = {f"q{i}": np.round(rng.gamma(2, 10, ROWS), 2) for i in range(1, 6)}
    for used in (["q1", "q2"], ["q1", "q3", "q5"], ["q1", "q2", "q3", "q4", "q5"]):
        out = [s for s in found({**parts, "total": np.round(sum(parts[p] for p in used), 2)}) if s.form == "sum"]
        assert [(s.columns[0], set(s.columns[1:])) for s in out] == [("total", set(used))]
        assert out[0].constraint == {"sum": {"total": "total", "of": list(out[0].columns[1:]), "tolerance": 0.005}}
        _, frame = looked({**parts, "total": np.round(sum(parts[p] for p in used), 2)})
        assert not parse_constraint(out[0].text).violations(frame).any()


def test_a_column_and_zeros_are_no_sum(rng):
    a = rng.integers(1, 1000, ROWS)
    zero = np.zeros(ROWS, dtype=int)
    zero[:6] = [1, 2, 3, 4, 5, 6]
    assert not [
        s for s in found({"a": a, "rare": zero, "b": a + zero, "c": rng.integers(0, 9, ROWS)}) if s.form == "sum"
    ]


def test_one_hot_groups(rng):
    which = rng.integers(0, 4, ROWS)
    hot = {f"colour_{name}": (which == i).astype(int) for i, name in enumerate(("red", "green", "blue", "grey"))}
    out = found({**hot, "flag": rng.integers(0, 2, ROWS), "x": rng.normal(size=ROWS)})
    assert [(s.form, set(s.columns)) for s in out] == [("one_hot", set(hot))]
    hot["colour_red"][:1] ^= 1
    assert not [s for s in found({**hot, "x": rng.normal(size=ROWS)}) if s.form == "one_hot"]


def test_fixed_combinations(rng):
    city = rng.choice(["Wien", "Graz", "Bern", "Genf", "Köln", "Bonn"], ROWS)
    country = pd.Series(city).map({"Wien": "AT", "Graz": "AT", "Bern": "CH", "Genf": "CH", "Köln": "DE", "Bonn": "DE"})
    out = found({"city": city, "country": country, "plan": rng.choice(["a", "b"], ROWS)})
    assert [s.constraint for s in out] == [{"one_of": ["city", "country"]}]


def test_joint_keys():
    schema, frame = looked(
        {"user_id": np.repeat(np.arange(1, 101), 4), "visit": np.tile([1, 2, 3, 4], 100), "x": "a"}, unit="user_id"
    )
    assert [s.columns for s in suggest.keys(frame, schema)] == [("user_id", "visit")]


def test_names_that_need_quotes(rng):
    a = rng.integers(0, 100, ROWS)
    out = found({"first value": a, "in": a + rng.integers(0, 60, ROWS)})
    assert "`first value` <= `in`" in [s.text for s in out]
    assert parse_constraint("`first value` <= `in`")


@pytest.mark.parametrize(
    ("columns", "target"),
    [
        ({"x": range(60), "churned": [True, False] * 30, "kind": ["a", "b"] * 30}, "churned"),
        ({"x": range(60), "kind": ["a", "b", "c"] * 20}, "kind"),
        ({"kind": ["a", "b", "c"] * 20, "x": np.linspace(0, 1, 60)}, None),
        ({"target": [1] * 60, "x": range(60)}, None),
    ],
)
def test_targets(columns, target):
    schema, frame = looked(columns)
    said = suggest.target(schema, frame)
    assert (said and said[0]) == target


def test_small_tables_say_nothing():
    assert found({"a": [1, 2, 3], "b": [2, 3, 4]}) == []
