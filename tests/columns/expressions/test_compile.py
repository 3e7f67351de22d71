"""Expressions against examples and against a row-by-row oracle that shares nothing with them but the texts."""

import contextlib
import functools
import math
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcli.columns.expressions.compile import MAX_LENGTH, parse
from synthcli.columns.expressions.functions import FUNCTIONS
from synthcli.columns.expressions.operands import kind_of
from synthcli.columns.expressions.syntax import MAX_DEPTH
from synthcli.columns.frame import STRING
from synthcli.errors import SpecError

FEW = settings(max_examples=25, deadline=None)


@functools.cache
def frame() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "n": pd.array([1, -2, None, 7], dtype="Int64"),
            "x": [0.5, np.nan, -4.0, 9.0],
            "s": pd.array(["abc", None, "Ünï", ""], dtype=STRING),
            "sex": pd.array(["male", "female", None, "male"], dtype=STRING),
            "b": pd.array([True, None, False, False], dtype="boolean"),
            "d": pd.to_datetime(
                pd.Series(["2020-01-31", None, "2021-06-15 13:30", "2020-02-01"]), format="ISO8601"
            ).dt.as_unit("us"),
            "e": pd.to_datetime(pd.Series(["2020-02-01", "2020-01-01", "2021-06-15", None])).dt.as_unit("s"),
            "t": pd.to_timedelta(pd.Series([1, 2, None, -1]), unit="D").dt.as_unit("ms"),
            "z": pd.to_datetime(
                ["2020-06-30 22:30", "2020-07-01", None, "2020-01-01"], format="ISO8601", utc=True
            ).tz_convert("Europe/Berlin"),
            "my column": pd.array([1, 2, 3, 4], dtype="Int64"),
            "größe": [1.0, 2.0, 3.0, 4.0],
            "year": pd.array([1, 2, 3, 4], dtype="Int64"),
        }
    )


def values(text: str, data: pd.DataFrame | None = None) -> list:
    result = parse(text).evaluate(frame() if data is None else data)
    return [None if v is pd.NA or v is pd.NaT or v is None else v for v in result.tolist()]


D = datetime
T, F, N = True, False, None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 + 2 * 3", [7] * 4),
        ("(1 + 2) * 3", [9] * 4),
        ("10 - 3 - 2", [5] * 4),
        ("2 ** 3 ** 2", [512.0] * 4),
        ("-2 ** 2", [-4.0] * 4),
        ("2 ** -1", [0.5] * 4),
        ("1e-5 * 1e5", [1.0] * 4),
        ("7 // 2 * 2 + 7 % 2", [7] * 4),
        ("-7 // 2", [-4] * 4),
        ("-7 % 3", [2] * 4),
        (".5", [0.5] * 4),
        ("n + 1", [2, -1, N, 8]),
        ("n / 0", [N] * 4),
        ("n // 0", [N] * 4),
        ("n % 0", [N] * 4),
        ("x / n", [0.5, N, N, 9 / 7]),
        ("null + n", [N] * 4),
        ("log(x)", [math.log(0.5), N, N, math.log(9)]),
        ("sqrt(x)", [math.sqrt(0.5), N, N, 3.0]),
        ("exp(1000)", [N] * 4),
        ("0 ** -1", [N] * 4),
        ("abs(n)", [1, 2, N, 7]),
        ("-n", [-1, 2, N, -7]),
        ("min(n, x, 3)", [0.5, N, N, 3.0]),
        ("max(n, 3)", [3, 3, N, 7]),
        ("round(2.347, 2)", [2.35] * 4),
        ("round(1234, -2)", [1200.0] * 4),
        ("floor(x)", [0.0, N, -4.0, 9.0]),
        ("ceil(x)", [1.0, N, -4.0, 9.0]),
        ("coalesce(n, 0)", [1, -2, 0, 7]),
        ("coalesce(n, x)", [1.0, -2.0, -4.0, 7.0]),
        ("n if b else x", [1.0, N, -4.0, 9.0]),
        ("null if n > 0 else n", [N, -2, N, N]),
        ("1 if n < 0 else 2 if n < 5 else 3", [2, 1, N, 3]),
        ("0 <= n <= 5", [T, F, N, F]),
        ("n == 1 or x > 0", [T, N, N, T]),
        ("n == 1 and x > 0", [T, F, F, F]),
        ("not b", [F, N, T, T]),
        ("not n == 1", [F, T, N, T]),
        ("b implies n == 1", [T, N, T, T]),
        ("b implies b implies n < 0", [F, T, T, T]),
        ("b == false", [F, N, T, T]),
        ("null and false", [F] * 4),
        ("null or false", [N] * 4),
        ("n in [1, 7]", [T, F, N, T]),
        ("n not in [1, x]", [F, N, N, T]),
        ("n is null", [F, F, T, F]),
        ("x is not null", [T, F, T, T]),
        ("is_null(n + x)", [F, T, T, F]),
        ("`my column` + größe", [2.0, 4.0, 6.0, 8.0]),
        ("year + year(d)", [2021, N, 2024, 2024]),
        ("len(s)", [3, N, 3, 0]),
        ("upper(s) == 'ABC'", [T, N, F, F]),
        ("lower(s)", ["abc", N, "ünï", ""]),
        ("startswith(s, 'a')", [T, N, F, F]),
        ("contains(s, 'n')", [F, N, T, F]),
        ("contains(s, '.')", [F, N, F, F]),
        ("contains(concat(s, '-', sex), s)", [T, N, N, T]),
        ("startswith(s, sex)", [F, N, N, F]),
        ("concat(s, '-', sex)", ["abc-male", N, N, "-male"]),
        ("s < 'b'", [T, N, F, T]),
        ("sex in ['male', \"x\"]", [T, F, N, T]),
        (r"'it\'s \u0041\n' == " r'"it' "'" r's A\n"', [T] * 4),
        ("'a' if b else sex", ["a", N, N, "male"]),
        ("d < '2020-02-01'", [T, N, F, F]),
        ("'2020-01-31' <= d < e", [T, N, F, N]),
        ("d in ['2020-02-01', e]", [F, N, F, T]),
        ("d < e", [T, N, F, N]),
        ("d - e", [timedelta(-1), N, timedelta(hours=13.5), N]),
        ("d + t", [D(2020, 2, 1), N, N, D(2020, 1, 31)]),
        ("d + days(1.5)", [D(2020, 2, 1, 12), N, D(2021, 6, 17, 1, 30), D(2020, 2, 2, 12)]),
        ("days_between(d, e)", [1.0, N, -0.5625, N]),
        ("t / days(1)", [1.0, 2.0, N, -1.0]),
        ("2 * t == hours(n * 48)", [T, F, N, F]),
        ("abs(t) > days(1)", [F, T, N, F]),
        ("-t", [timedelta(-1), timedelta(-2), N, timedelta(1)]),
        ("d - '2020-01-30'", [timedelta(1), N, timedelta(502, 48600), timedelta(2)]),
        ("'2020-02-01' - d", [timedelta(1), N, timedelta(-501, 37800), timedelta(0)]),
        ("minutes(90) / hours(1)", [1.5] * 4),
        ("weekday(d)", [4, N, 1, 5]),
        ("hour(d)", [0, N, 13, 0]),
        ("month(d) * 100 + day(d)", [131, N, 615, 201]),
        ("date('2020-01-31') == d", [T, N, F, F]),
        ("max(d, '2021-01-01')", [D(2021, 1, 1), N, D(2021, 6, 15, 13, 30), D(2021, 1, 1)]),
        ("d + days(1e9)", [N] * 4),
        ("d + days(1e300)", [N] * 4),
        ("date('9999-12-31') > d", [T, N, T, T]),
        ("z >= '2020-07-01'", [T, T, N, F]),
        ("day(z)", [1, 1, N, 1]),
        ("hour(z)", [0, 2, N, 1]),
        ("z + hours(1) > z", [T, T, N, T]),
        ("z == '2020-06-30T22:30:00Z'", [T, F, N, F]),
        ("z - '2020-07-01'", [timedelta(minutes=30), timedelta(hours=2), N, timedelta(-182, hours=2)]),
        ("z < d", [F, N, N, T]),
        ("null", [N] * 4),
    ],
)
def test_examples(text, expected):
    found = values(text)
    assert found == [pytest.approx(e) if isinstance(e, float) else e for e in expected]
    assert [type(v) for v in found if isinstance(v, bool)] == [type(v) for v in expected if isinstance(v, bool)]


@pytest.mark.parametrize(
    ("text", "dtype"),
    [
        ("n > 1", "boolean"),
        ("n + 1", "Int64"),
        ("n / 1", "Float64"),
        ("2 ** n", "Float64"),
        ("x", "Float64"),
        ("s", STRING),
        ("d", "datetime64[us]"),
        ("d - e", "timedelta64[us]"),
        ("z + t", "datetime64[us, Europe/Berlin]"),
        ("coalesce(null, n)", "Int64"),
        ("true", "boolean"),
        ("'a'", STRING),
    ],
)
def test_dtypes_also_of_no_rows_and_the_index(text, dtype):
    data = frame().set_axis([9, 5, 7, 1])
    assert parse(text).evaluate(data).dtype == dtype
    assert parse(text).evaluate(data).index.tolist() == [9, 5, 7, 1]
    assert parse(text).evaluate(data.iloc[:0]).dtype == dtype
    assert len(parse("contains(s, sex)").evaluate(data.iloc[:0])) == 0


def test_integers_are_exact_and_leave_int64_as_floats():
    data = pd.DataFrame({"i": pd.array([2**53 + 1, 2**62], dtype="Int64")})
    assert values("i == 9007199254740993", data) == [True, False]
    assert values("i + 1", data) == [2**53 + 2, 2**62 + 1]
    assert values("i * 2", data) == [2.0**54, 2.0**63]
    assert values("10 ** 400 > 1", data) == [None, None]
    assert values("99999999999999999999 > i", data) == [True, True]


def test_other_dtypes_are_read_too():
    numbers = {"f": pd.array([1.5, None], dtype="Float64"), "i": np.array([1, 2], dtype="int32")}
    data = pd.DataFrame({"c": pd.Categorical(["a", None]), "o": ["a", None], "k": [True, False], **numbers})
    assert values("c == o", data) == [True, None]
    assert values("f + i", data) == [2.5, None]
    assert values("k", data) == [True, False]


def test_sentinel_dates_go_with_timezones():
    assert values("'0001-01-01' < z < '9999-12-31'") == [True, True, None, True]
    assert values("date('9999-12-31') - z > days(1)") == [True, True, None, True]


def test_daylight_saving_takes_the_first_of_a_repeated_hour_and_the_end_of_a_skipped_one():
    data = pd.DataFrame(
        {"z": pd.to_datetime(["2020-10-25 00:30", "2020-03-29 01:00"]).tz_localize("UTC").tz_convert("Europe/Berlin")}
    )
    assert values("z == '2020-10-25 02:30'", data) == [True, False]
    assert values("z == '2020-03-29 02:30'", data) == [False, True]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("", 1, "expected a value"),
        ("n >", 4, "found the end"),
        ("n > 1)", 6, "expected an operator or the end, found ')'"),
        ("(n > 1", 7, "expected )"),
        ("n = 1", 3, "write =="),
        ("n == null", 3, "is null"),
        ("null != n", 6, "is null"),
        ("n in [1, null]", 3, "is null"),
        ("n in 1", 6, "expected ["),
        ("n in []", 7, "expected a value"),
        ("'abc", 1, "not closed"),
        ("`abc", 1, "not closed"),
        (r"'a\q'", 3, "unknown escape"),
        (r"'\ud800'", 2, "unknown escape"),
        ("n AND b", 3, "lower case: and"),
        ("rund(x)", 1, "Did you mean round"),
        ("sqrt(x, 2)", 1, "1 argument,"),
        ("min(x)", 1, "2 arguments or more"),
        ("1e999", 1, "too large"),
        ("1_000", 1, "cannot read"),
        ("12abc", 1, "cannot read"),
        ("n is null == b", 11, "brackets"),
        ("n < 1 in [b]", 7, "brackets"),
        ("1 if b", 7, "expected else"),
        ("n. x", 2, "backquotes"),
        ("n > 1 adn b", 7, "Did you mean and"),
        ("b implise x > 1", 3, "Did you mean implies"),
        ("nott b", 6, "Did you mean not"),
        ("n in (1, 2)", 6, "in [ ]"),
        ("n is nul", 6, "Did you mean null"),
        ("n @ 2", 3, "backquotes"),
        ("n is 3", 6, "expected null"),
        ("__import__('os')", 1, "unknown function"),
        ("n[0]", 2, "expected an operator"),
        ("x; y", 2, "cannot read"),
    ],
)
def test_what_cannot_be_read_is_pointed_at(text, column, words):
    with pytest.raises(SpecError) as caught:
        parse(text)
    message, line, caret = str(caught.value).split("\n")
    assert f"column {column}:" in message and words in message
    assert line == f"  {text}" and caret.index("^") == column + 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("'abc' < 3", ["column 7", "'abc' (string)", "3 (number)", "quote"]),
        ("sex + 1", ["sex (string)", "1 (number)"]),
        ("s + s", ["concat"]),
        ("b == 'true'", ["true or false"]),
        ("b < true", ["boolean"]),
        ("b + 1", ["1 if x else 0"]),
        ("d < 3", ["days(n)"]),
        ("d < 'abc'", ["'abc' is not a date", "2020-01-31"]),
        ("d + 1", ["days(n)"]),
        ("d + d", ["datetime"]),
        ("d < s", ["date("]),
        ("t < 3", ["days(n)"]),
        ("n and b", ["and needs a boolean", "n (number)"]),
        ("not 3", ["boolean"]),
        ("1 if n else 2", ["if needs a boolean"]),
        ("1 if b else 'a'", ["string"]),
        ("n in ['a']", ["quote"]),
        ("len(n)", ["len needs a string"]),
        ("-s", ["- needs a number or timedelta"]),
        ("min(n, s)", ["min does not work"]),
        ("date('tomorrow')", ["not a date"]),
        ("date(s)", ["date('2020-01-31')", "type as datetime"]),
        ("round(x, n)", ["-15 to 15"]),
        ("round(x, -'a')", ["-15 to 15"]),
        ("round(x, 16)", ["-15 to 15"]),
        ("agee + 1", ["unknown column agee"]),
        ("d - 'x'", ["not a date"]),
        ("n + n + s", ["an expression (number)", "s (string)"]),
        ("sx == 'male'", ["Did you mean sex"]),
    ],
)
def test_kinds_that_clash_name_themselves_and_the_remedy(text, words):
    kinds = {
        "n": "integer",
        "x": "float",
        "s": "text",
        "sex": "email",
        "b": "boolean",
        "d": "datetime",
        "t": "timedelta",
    }
    for attempt in (lambda: parse(text).evaluate(frame()), lambda: parse(text).check(kinds)):
        with pytest.raises(SpecError) as caught:
            attempt()
        assert all(word in str(caught.value) for word in [*words, text, "^"])


def test_check_is_lenient_where_the_values_decide():
    kinds = {"c": "category", "i": "id", "n": "integer", "d": "datetime"}
    assert parse("c > 3 and c == 'a' and i in [1, c]").check(kinds) == "boolean"
    assert [
        parse(t).check(kinds)
        for t in ("c", "c + 1", "n + 1", "d - d", "coalesce(c, 1)", "null", "d + null", "lower(c)")
    ] == ["any", "any", "number", "timedelta", "number", "null", "null", "string"]


def test_columns_and_text():
    parsed = parse("`a ``b` + min(c, d) if not e else 'f'")
    assert parsed.columns == {"a `b", "c", "d", "e"}
    assert parse("min + year(min)").columns == {"min"}
    assert parsed.text.startswith("`a ") and parsed == parse(parsed.text) and hash(parsed)


def test_bombs_are_refused_and_the_largest_allowed_still_runs():
    with pytest.raises(SpecError, match="at most 4000"):
        parse("1" * (MAX_LENGTH + 1))
    deep = [
        "(" * 200 + "1" + ")" * 200,
        "-" * 200 + "1",
        "not " * 200 + "true",
        "2**" * 200 + "1",
        "abs(" * 150 + "1" + ")" * 150,
    ]
    mixed = "true"
    while len(mixed) < 3900:
        mixed = f"(1 if {mixed} else 2)*3+4<5 and b or b"
    for text in [*deep, mixed, "1 if b else " * 300 + "1", "b implies " * 300 + "b"]:
        with pytest.raises(SpecError, match="nested deeper"):
            parse(text)
    for text, kind in (("+".join(["n"] * 1999), "number"), ("n" + "<n" * 1900, "boolean")):  # the most terms that fit
        assert parse(text).check({"n": "integer"}) == kind
    links = (" + ".join(["n"] * 1000), " < ".join(["n"] * 1000))  # as many as the interpreter's stack has frames
    for text in (*links, " or ".join(["b"] * 700), "abs(" * (MAX_DEPTH - 1) + "n" + ")" * (MAX_DEPTH - 1)):
        assert len(values(text)) == 4
    assert len(values("1 if b else " * (MAX_DEPTH - 1) + "1")) == 4
    chain = "b"
    for _ in range(MAX_DEPTH // 2 - 1):
        chain = f"(true == {chain} == b)"  # the middle is asked for by both sides; doubling would never end
    assert len(values(chain)) == 4


# --- the oracle: python's own operators, one row at a time


def _lift(function):
    return lambda *args: None if any(a is None for a in args) else function(*args)


def _div(function):
    return _lift(lambda a, b: None if b == 0 else function(a, b))


def _power(a, b):
    if (a == 0 and b < 0) or (a < 0 and b != int(b)):
        return None
    result = float(a) ** b
    return result if math.isfinite(result) else None


def _and(a, b):
    return False if a is False or b is False else None if a is None or b is None else True


def _or(a, b):
    return True if a is True or b is True else None if a is None or b is None else False


ARITHMETIC = {
    "+": _lift(lambda a, b: a + b),
    "-": _lift(lambda a, b: a - b),
    "*": _lift(lambda a, b: a * b),
    "/": _div(lambda a, b: a / b),
    "//": _div(lambda a, b: a // b),
    "%": _div(lambda a, b: a % b),
}
COMPARE = {
    "==": _lift(lambda a, b: a == b),
    "!=": _lift(lambda a, b: a != b),
    "<": _lift(lambda a, b: a < b),
    "<=": _lift(lambda a, b: a <= b),
    ">": _lift(lambda a, b: a > b),
    ">=": _lift(lambda a, b: a >= b),
}
_not = _lift(lambda a: not a)

# a generated expression is (text in brackets, function of a row)
NUMBERS = st.sampled_from(
    [
        ("i", lambda r: r["i"]),
        ("j", lambda r: r["j"]),
        ("f", lambda r: r["f"]),
        ("3", lambda r: 3),
        ("0.25", lambda r: 0.25),
        ("null", lambda r: None),
    ]
)
STRINGS = st.sampled_from(
    [("s", lambda r: r["s"]), ("u", lambda r: r["u"]), ("'ab'", lambda r: "ab"), ("''", lambda r: "")]
)
DATES = st.sampled_from(
    [("d", lambda r: r["d"]), ("e", lambda r: r["e"]), ("date('2020-02-29')", lambda r: D(2020, 2, 29))]
)


def _numbers(inner):
    two = st.tuples(st.sampled_from(list(ARITHMETIC)), inner, inner)
    return st.one_of(
        two.map(lambda t: (f"({t[1][0]} {t[0]} {t[2][0]})", lambda r: ARITHMETIC[t[0]](t[1][1](r), t[2][1](r)))),
        inner.map(lambda a: (f"(-{a[0]})", lambda r: _lift(lambda v: -v)(a[1](r)))),
        inner.map(lambda a: (f"abs({a[0]})", lambda r: _lift(abs)(a[1](r)))),
        inner.map(lambda a: (f"floor({a[0]})", lambda r: _lift(math.floor)(a[1](r)))),
        st.tuples(inner, inner).map(
            lambda t: (f"max({t[0][0]}, {t[1][0]})", lambda r: _lift(max)(t[0][1](r), t[1][1](r)))
        ),
        st.tuples(inner, inner).map(
            lambda t: (f"coalesce({t[0][0]}, {t[1][0]})", lambda r: t[1][1](r) if t[0][1](r) is None else t[0][1](r))
        ),
        STRINGS.map(lambda a: (f"len({a[0]})", lambda r: _lift(len)(a[1](r)))),
    )


def _booleans(inner):
    pairs = st.tuples(inner, inner)
    return st.one_of(
        pairs.map(lambda t: (f"({t[0][0]} and {t[1][0]})", lambda r: _and(t[0][1](r), t[1][1](r)))),
        pairs.map(lambda t: (f"({t[0][0]} or {t[1][0]})", lambda r: _or(t[0][1](r), t[1][1](r)))),
        pairs.map(lambda t: (f"({t[0][0]} implies {t[1][0]})", lambda r: _or(_not(t[0][1](r)), t[1][1](r)))),
        inner.map(lambda a: (f"(not {a[0]})", lambda r: _not(a[1](r)))),
        inner.map(lambda a: (f"({a[0]} is not null)", lambda r: a[1](r) is not None)),
        st.builds(
            lambda a, c, b: (
                f"({a[0]} if {c[0]} else {b[0]})",
                lambda r: {True: a[1], False: b[1], None: lambda r: None}[c[1](r)](r),
            ),
            *[inner] * 3,
        ),
    )


def _comparisons(values):
    known = values.filter(lambda v: v[0] != "null")
    symbols = st.sampled_from(list(COMPARE))

    def chain(a, first, b, second, c):
        return f"({a[0]} {first} {b[0]} {second} {c[0]})", lambda r: _and(
            COMPARE[first](a[1](r), b[1](r)), COMPARE[second](b[1](r), c[1](r))
        )

    def among(a, b, c):
        return f"({a[0]} in [{b[0]}, {c[0]}])", lambda r: _or(
            COMPARE["=="](a[1](r), b[1](r)), COMPARE["=="](a[1](r), c[1](r))
        )

    return st.builds(chain, known, symbols, known, symbols, known) | st.builds(among, known, known, known)


ARITHMETICS = st.recursive(NUMBERS, _numbers, max_leaves=6)


def _shifted(date, symbol, days):
    sign = 1 if symbol == "+" else -1
    shift = _lift(lambda d, n: d + timedelta(sign * n))
    return f"({date[0]} {symbol} days({days}))", lambda r: shift(date[1](r), r["i"] if days == "i" else 3)


def _pattern(name, word, part):
    test = _lift(lambda a, b: b in a if name == "contains" else a.startswith(b))
    return f"{name}({word[0]}, {part[0]})", lambda r: test(word[1](r), part[1](r))


MOMENTS = DATES | st.builds(_shifted, DATES, st.sampled_from("+-"), st.sampled_from(["i", "3"]))
LEAVES = st.one_of(
    st.sampled_from([("b", lambda r: r["b"]), ("true", lambda r: True), ("null", lambda r: None)]),
    _comparisons(ARITHMETICS),
    _comparisons(STRINGS),
    _comparisons(MOMENTS),
    st.builds(_pattern, st.sampled_from(["contains", "startswith"]), STRINGS, STRINGS),
)
BOOLEANS = st.recursive(LEAVES, _booleans, max_leaves=5)
ROW = {
    "i": st.none() | st.integers(-5, 5),
    "j": st.none() | st.integers(-3, 3),
    "f": st.none() | st.integers(-12, 12).map(lambda v: v / 4),
    "b": st.none() | st.booleans(),
    "s": st.none() | st.text("ab.ü", max_size=3),
    "u": st.none() | st.text("ab", max_size=2),
    "d": st.none() | st.datetimes(D(2019, 12, 1), D(2020, 4, 1)),
    "e": st.none() | st.sampled_from([D(2020, 2, 29), D(2020, 3, 1)]),
}
ROWS = st.lists(st.fixed_dictionaries(ROW), min_size=1, max_size=5)


def _to_frame(rows: list[dict]) -> pd.DataFrame:
    dtypes = {
        "i": "Int64",
        "j": "Int64",
        "f": "float64",
        "b": "boolean",
        "s": STRING,
        "u": STRING,
        "d": "datetime64[us]",
        "e": "datetime64[ns]",
    }
    return pd.DataFrame({name: pd.Series([r[name] for r in rows], dtype=dtype) for name, dtype in dtypes.items()})


@FEW
@given(ROWS, BOOLEANS)
def test_logic_is_what_the_row_by_row_oracle_says(rows, expression):
    text, oracle = expression
    assert values(text, _to_frame(rows)) == [oracle(r) for r in rows], text


@FEW
@given(ROWS, ARITHMETICS)
def test_arithmetic_is_what_the_row_by_row_oracle_says(rows, expression):
    text, oracle = expression
    assert values(text, _to_frame(rows)) == [
        None if v is None else pytest.approx(v, rel=1e-12, abs=1e-12) for v in map(oracle, rows)
    ], text


@FEW
@given(ROWS)
def test_powers_are_what_the_row_by_row_oracle_says(rows):
    expected = [_lift(_power)(r["f"], r["j"]) for r in rows]
    assert values("f ** j", _to_frame(rows)) == [None if v is None else pytest.approx(v) for v in expected]


@FEW
@given(
    st.lists(st.sampled_from(["+", "-", "*", "//", "%", "**"]), min_size=1, max_size=5),
    st.lists(st.integers(1, 3), min_size=6, max_size=6),
)
def test_precedence_of_arithmetic_is_pythons(symbols, numbers):
    text = str(numbers[0]) + "".join(f" {s} {n}" for s, n in zip(symbols, numbers[1:]))
    expected = eval(text)  # the oracle, on digits and operators alone
    assert values(text, pd.DataFrame(index=range(1))) == [pytest.approx(expected)]


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("not b and c", "(not b) and c"),
        ("a or b and c", "a or (b and c)"),
        ("a implies b or c", "a implies (b or c)"),
        ("a implies b implies c", "a implies (b implies c)"),
        ("a implies b if c else a", "(a implies b) if c else a"),
        ("a if b else c if a else b", "a if b else (c if a else b)"),
        ("not a == b", "not (a == b)"),
        ("a == b or c", "(a == b) or c"),
        ("not a is null", "not (a is null)"),
        ("a and b is null", "a and (b is null)"),
    ],
)
def test_precedence_of_logic(text, same):
    three = [True, False, None]
    data = pd.DataFrame(
        {
            k: pd.array(v, dtype="boolean")
            for k, v in zip("abc", zip(*[(a, b, c) for a in three for b in three for c in three]))
        }
    )
    assert values(text, data) == values(same, data)


SOUP = (
    "n x s sex b d t z 1 2.5 -3 9e99 'a' '0001-01-01' true null ( ) ( ) [ ] , + - * / // % ** < == >= != and or not"
    " implies if else in is"
)
WORDS = [*SOUP.split(), *(f"{name}(" for name in FUNCTIONS)]


@FEW
@given(st.lists(st.sampled_from(WORDS), max_size=8))
def test_whatever_is_written_gives_a_column_or_a_spec_error(words):
    with contextlib.suppress(SpecError):
        assert len(values(" ".join(words))) == 4


ANY = [
    *"nxsbdtz",
    "sex",
    "e",
    "1",
    "2.5",
    "9e99",
    "1e300",
    "'a'",
    "'2020-01-01'",
    "'0001-01-01T00:00+14:00'",
    "true",
    "null",
]
GRAMMAR = st.recursive(
    st.sampled_from(ANY),
    lambda inner: st.one_of(
        st.tuples(
            inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "<", "==", "and", "or", "implies"]), inner
        ).map(lambda t: "({} {} {})".format(*t)),
        st.tuples(st.sampled_from(list(FUNCTIONS)), st.lists(inner, min_size=1, max_size=3)).map(
            lambda t: f"{t[0]}({', '.join(t[1])})"
        ),
        st.tuples(inner, inner, inner).map(lambda t: "({} if {} else {})".format(*t)),
        st.tuples(inner, inner, inner).map(lambda t: "({} not in [{}, {}])".format(*t)),
        inner.map(lambda t: f"(-{t})"),
    ),
    max_leaves=4,
)


@FEW
@given(GRAMMAR)
def test_whatever_is_well_formed_gives_a_column_or_a_spec_error(text):
    try:
        result = parse(text).evaluate(frame())
    except SpecError:
        return
    kinds = (
        {"n": "integer", "x": "float", "s": "text", "sex": "category", "b": "boolean"}
        | dict.fromkeys("dez", "datetime")
        | {"t": "timedelta"}
    )
    kind = parse(text).check(kinds)
    assert kind in ("any", "null", kind_of(result.dtype))
