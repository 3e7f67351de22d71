"""What a condition implies for single columns: every row that meets it is within; plain bounds are exact."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcli.columns.constraints import bounds
from synthcli.columns.constraints.linear import kinds_of
from synthcli.columns.expressions.compile import parse
from synthcli.columns.frame import STRING
from synthcli.contracts.modelling import Allowed
from synthcli.contracts.schema import Column, Schema, Traits

SCHEMA = Schema((
    Column("age", Traits(type="integer"), storage="int64"), Column("x", Traits(type="float"), storage="double"),
    Column("dx", Traits(type="category"), storage="string"), Column("ok", Traits(type="boolean"), storage="bool"),
    Column("day", Traits(type="datetime"), storage="timestamp[us]"),
    Column("seen", Traits(type="datetime"), storage="timestamp[us, tz=Europe/Berlin]"),
    Column("took", Traits(type="timedelta"), storage="duration[us]"),
))  # fmt: skip
KINDS = kinds_of(SCHEMA)
DX = ["A", "B", "C"]


def of(text: str, **more):
    return bounds.allowed(parse(text), KINDS, **more)


CASES = [
    ("age >= 80 and dx == 'C' and age < 90", {"age": Allowed(80, 89), "dx": Allowed(values=frozenset("C"))}),
    ("80 <= age", {"age": Allowed(low=80)}),
    ("age > 79.5 and not age >= 90.5", {"age": Allowed(80, 90)}),
    ("x > 0.5 or x == 0", {"x": Allowed(low=0.0)}),
    ("x < 2 and -x <= 1", {"x": Allowed(-1.0, 2.0)}),
    ("age in [1, 2] or age == 7", {"age": Allowed(values=frozenset({1, 2, 7}))}),
    ("age in [1, 2, 3] and age >= 2", {"age": Allowed(values=frozenset({2, 3}))}),
    ("age < 3 or dx == 'A'", {}),
    ("age < 3 or age is null", {"age": Allowed(high=2, null=True)}),
    ("age is not null", {"age": Allowed()}),
    ("age is null", {"age": Allowed(values=frozenset(), null=True)}),
    ("ok", {"ok": Allowed(values=frozenset({True}))}),
    ("not ok", {"ok": Allowed(values=frozenset({False}))}),
    ("ok == false", {"ok": Allowed(values=frozenset({False}))}),
    ("dx not in ['A']", {"dx": Allowed()}),
    ("age <= x", {"age": Allowed(), "x": Allowed()}),
    ("contains(dx, 'A')", {}),
    (
        "day >= '2020-01-01' and day < date('2021-01-01')",
        {"day": Allowed(pd.Timestamp("2020-01-01"), pd.Timestamp("2020-12-31 23:59:59.999999"))},
    ),
    ("seen > '2020-06-01'", {"seen": Allowed(low=pd.Timestamp("2020-06-01 00:00:00.000001", tz="Europe/Berlin"))}),
    ("took <= hours(2)", {"took": Allowed(high=pd.Timedelta("2h"))}),
    ("day + days(2) <= '2020-01-10'", {"day": Allowed(high=pd.Timestamp("2020-01-08"))}),
    ("age >= 3 if ok else age >= 5", {"age": Allowed(low=3), "ok": Allowed(values=frozenset({True, False}))}),
    ("true", {}),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_cases(text, expected):
    assert of(text) == expected


def test_a_list_of_categories_turns_not_in_into_in_and_nothing_left_is_none():
    assert of("dx not in ['A'] and dx != 'B'", categories={"dx": DX}) == {"dx": Allowed(values=frozenset("C"))}
    assert of("dx not in ['A', 'B', 'C']", categories={"dx": DX}) is None
    assert of("age > 5 and age < 3") is None
    assert of("false") is None
    assert of("age > 5 and age < 3 or ok") == {"ok": Allowed(values=frozenset({True}))}


def test_exact_is_claimed_of_plain_bounds_alone():
    for text, expected in (
        ("0 <= age <= 9", True),
        ("age < 9", True),
        ("x < 9", False),
        ("x <= 9", True),
        ("age < 9 or ok", False),
        ("age <= x", False),
        ("dx in ['A'] and ok", True),
        ("dx != 'A'", False),
    ):
        assert bounds.exact(parse(text), KINDS) == expected, text


def _texts(depth=3):
    atoms = st.one_of(
        st.builds(
            "{} {} {}".format,
            st.sampled_from(["age", "x"]),
            st.sampled_from(["<", "<=", ">", ">=", "==", "!="]),
            st.integers(-2, 3),
        ),
        st.builds("age {} x".format, st.sampled_from(["<", "<=", "==", "!="])),
        st.builds(
            "{} {} [{}, {}]".format,
            st.just("age"),
            st.sampled_from(["in", "not in"]),
            st.integers(-2, 3),
            st.integers(-2, 3),
        ),
        st.builds("dx {} '{}'".format, st.sampled_from(["==", "!="]), st.sampled_from(DX)),
        st.builds("{} is {}".format, st.sampled_from(["age", "dx", "ok"]), st.sampled_from(["null", "not null"])),
        st.sampled_from(
            [
                "ok",
                "ok == true",
                "age + 1 <= x",
                "age * 2 < 3",
                "x / 2 >= 0.5",
                "age - x > 1",
                "true",
                "age < age",
                "age + age > 2",
            ]
        ),
    )
    return st.recursive(
        atoms,
        lambda inner: st.one_of(
            st.builds("({}) and ({})".format, inner, inner),
            st.builds("({}) or ({})".format, inner, inner),
            st.builds("not ({})".format, inner),
            st.builds("({}) implies ({})".format, inner, inner),
            st.builds("(({}) if ({}) else ({}))".format, inner, inner, inner),
        ),
        max_leaves=5,
    )


def grid() -> pd.DataFrame:
    some = [
        (a, x, d, o)
        for a in (None, -2, -1, 0, 1, 2, 3)
        for x in (None, -2.0, -0.5, 1.0, 3.0)
        for d in (None, *DX)
        for o in (None, True, False)
    ]
    age, x, dx, ok = zip(*some)
    return pd.DataFrame({
        "age": pd.array(age, dtype="Int64"), "x": np.array([np.nan if v is None else v for v in x]),
        "dx": pd.array(dx, dtype=STRING), "ok": pd.array(ok, dtype="boolean"),
    })  # fmt: skip


GRID = grid()


def within(values: pd.Series, bound: Allowed) -> np.ndarray:
    """Oracle: the rows that a bound lets through."""
    null = values.isna().to_numpy()
    fits = np.array([not n and (bound.values is None or v in bound.values) and (bound.low is None or v >= bound.low)
                     and (bound.high is None or v <= bound.high) for v, n in zip(values, null)])  # fmt: skip
    return np.where(null, bound.null, fits)


@settings(max_examples=300, deadline=None)
@given(_texts())
def test_no_row_that_meets_the_condition_is_excluded(text):
    expression = parse(text)
    meets = expression.evaluate(GRID).fillna(False).to_numpy(dtype=bool)
    found = bounds.allowed(expression, KINDS, categories={"dx": DX})
    if found is None:
        assert not meets.any(), text
        return
    inside = np.all(
        [within(GRID[name], bound) for name, bound in found.items()] or [np.ones(len(GRID), dtype=bool)], axis=0
    )
    assert inside[meets].all(), (text, found)
    if bounds.exact(expression, KINDS):
        assert (inside == meets).all(), (text, found)
