"""Columns that others determine are found, written as a person would, and nothing is found by chance."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery import suggest
from synthcli.columns.discovery.infer import infer
from synthcli.columns.discovery.relation import simplest
from synthcli.columns.discovery.relations import relations

ROWS = 300
RNG = np.random.default_rng(3)
DAYS = pd.Timestamp("2021-01-01") + pd.to_timedelta(RNG.integers(0, 900, ROWS), unit="D")
LATER = DAYS + pd.to_timedelta(RNG.integers(0, 20, ROWS), unit="D")
MOMENTS = DAYS + pd.to_timedelta(RNG.integers(0, 86_400, ROWS), unit="s")
LEFT = MOMENTS + pd.to_timedelta(RNG.integers(600, 300_000, ROWS), unit="s")
BORN = DAYS - pd.to_timedelta(RNG.integers(0, 30_000, ROWS), unit="D")
PRICE, COUNT = np.round(RNG.gamma(3, 9, ROWS), 2), RNG.integers(1, 9, ROWS)
SHARE = RNG.choice([0, 0.05, 0.1, 0.25], ROWS)
A, B, C = (np.round(RNG.gamma(2, 40, ROWS), 2) for _ in range(3))
AGE = RNG.integers(0, 90, ROWS)
WHOLE_YEARS = (DAYS.year - BORN.year) - ((BORN.month * 100 + BORN.day) > (DAYS.month * 100 + DAYS.day))


def found(columns):
    table = pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False)
    schema, frame = infer(table, {}, protect=False)
    sums = [set(s.columns) for s in suggest.sums(frame, schema)]
    return {r.column: r.text for r in relations(frame, schema, sums=sums)}


@pytest.mark.parametrize(
    ("column", "values", "text", "beside"),
    [
        ("stay", (LATER - DAYS).days, "days_between(a, b)", {"a": DAYS, "b": LATER}),
        ("stay", (LATER - DAYS).days + 1, "days_between(a, b) + 1", {"a": DAYS, "b": LATER}),
        ("hours", np.round((LEFT - MOMENTS) / pd.Timedelta(hours=1), 1), "hours_between(a, b)", {"a": MOMENTS, "b": LEFT}),
        ("nights", (LEFT - MOMENTS).days, "floor(days_between(a, b))", {"a": MOMENTS, "b": LEFT}),
        ("age", WHOLE_YEARS, "years_between(a, b)", {"a": BORN, "b": DAYS}),
        ("due", LATER + pd.Timedelta(days=30), "b + days(30)", {"b": LATER}),
        ("y", DAYS.year, "year(a)", {"a": DAYS}),
        ("m", DAYS.month, "month(a)", {"a": DAYS}),
        ("wd", DAYS.weekday + 1, "weekday(a) + 1", {"a": DAYS}),
        ("cost", np.round(PRICE * COUNT, 2), "p * n", {"p": PRICE, "n": COUNT}),
        ("net", np.round(PRICE * COUNT * (1 - SHARE), 2), "p * n * (1 - d)", {"p": PRICE, "n": COUNT, "d": SHARE}),
        ("vat", np.round(A * 0.19, 2), "0.19 * p", {"p": A}),
        ("cents", np.round(PRICE * 100).astype(int), "100 * p", {"p": PRICE}),
        ("miles", np.round(A / 1.609344, 1), None, {"km": A}),
        ("f", np.round(A * 1.8 + 32, 1), "1.8 * c + 32", {"c": A}),
        ("percent", np.round(100 * B / C, 1), "100 * b / c", {"b": B, "c": C}),
        ("left", np.round(A + B + C - PRICE, 2), "a + b + c - p", {"a": A, "b": B, "c": C, "p": PRICE}),
        ("band", AGE // 10 * 10, "floor(age / 10) * 10", {"age": AGE}),
        ("copy", A, "a", {"a": A}),
        ("adult", AGE >= 18, "age >= 18", {"age": AGE}),
    ],
)  # fmt: skip
def test_each_kind(column, values, text, beside):
    out = found({**beside, "x": RNG.normal(size=ROWS), column: values})
    assert list(out) == [column] and text in (None, out[column])


def test_a_chain_of_relations_has_no_cycle():
    stay = (LATER - DAYS).days
    cost = np.round(PRICE * stay, 2)
    out = found({"a": DAYS, "b": LATER, "stay": stay, "rate": PRICE, "cost": cost, "vat": np.round(cost * 0.07, 2)})
    assert out == {"stay": "days_between(a, b)", "cost": "stay * rate", "vat": "0.07 * cost"}


def test_one_row_that_disagrees_is_enough_and_nulls_are_none():
    cost = np.round(PRICE * COUNT, 2)
    broken = cost.copy()
    broken[7] += 2 * PRICE[7]
    assert found({"p": PRICE, "n": COUNT, "cost": broken}) == {}
    gaps = np.where(np.arange(ROWS) % 9 == 0, np.nan, cost)
    assert found({"p": PRICE, "n": COUNT, "cost": gaps}) == {"cost": "p * n"}


def test_nothing_by_chance():
    rng = np.random.default_rng(0)
    columns = {f"i{i}": rng.integers(0, size, 200) for i, size in enumerate((2, 3, 5, 10, 100, 1000) * 3)}
    columns |= {f"x{i}": np.round(rng.gamma(2, size, 200), i % 3) for i, size in enumerate((0.1, 1, 10) * 4)}
    columns |= {"flag": rng.random(200) < 0.5, "same": 5, "day": DAYS[:200], "other": DAYS[100:]}
    assert found(columns) == {}
    assert found({"a": [1, 2, 3], "b": [2, 4, 6]}) == {}


def test_codes_of_words_and_conditional_zeros():
    ward = RNG.choice(["surgery", "medicine", "icu", "eye"], ROWS)
    sex = RNG.choice(["m", "f"], ROWS)
    columns = {
        "ward": ward,
        "number": pd.Series(ward).map({"surgery": 3, "medicine": 1, "icu": 2, "eye": 9}),
        "sex": sex,
        "births": np.where(sex == "m", 0, RNG.poisson(1.2, ROWS)),
        "x": RNG.poisson(1.2, ROWS),
    }
    schema, frame = infer(pa.Table.from_pandas(pd.DataFrame(columns), preserve_index=False), {})
    out = [s.constraint for s in suggest.suggest(frame, schema)]
    assert out == [{"one_of": ["ward", "number"]}, {"expr": "sex == 'm' implies births == 0"}]


def test_simple_numbers():
    assert [simplest(0.1899, 0.1902), simplest(1.60, 1.62), simplest(3.0, 2.0), simplest(-1, 1)] == [0.19, 1.6, None, 0]
