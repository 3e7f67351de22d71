"""The functions of expressions, each with the text and the example that the reference shows.

Arguments are columns of the canonical dtype of their kind (columns/expressions/operands.py) with a RangeIndex. A result
is null where an argument is, unless the help says otherwise.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.expressions.operands import (
    align,
    arithmetic,
    choose,
    compared,
    constant,
    finite,
    floats,
    fold,
    kind_of,
    negated,
    timely,
)
from synthcli.columns.frame import STRING
from synthcli.wording import quantity

MANY = 1000  # maximum number of arguments of a function that takes any number


@dataclass(frozen=True)
class Function:
    """A function of the language. arguments: their names, as documentation writes them; help: one sentence; example: an
    expression without columns and its result.

    takes: the kinds of each argument, separated by commas (the last is that of all further arguments), or same: all of
    one kind; gives: the kind of the result, or same: that of the first argument.
    """

    arguments: str
    takes: str
    gives: str
    run: Callable[..., pd.Series]
    help: str
    example: tuple[str, str]
    least: int = 1
    most: int = 1

    @property
    def arity(self) -> str:
        """A phrase for the number of arguments."""
        if self.most == self.least:
            return quantity(self.least, "argument")
        return f"{self.least} arguments or more" if self.most == MANY else f"{self.least} to {self.most} arguments"

    def kinds(self, place: int) -> str:
        """The kinds that the argument at a place may have, such as number|timedelta."""
        each = self.takes.split(",")
        return each[min(place, len(each) - 1)].strip()


# --- numbers


def _smooth(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[pd.Series], pd.Series]:
    def run(column: pd.Series) -> pd.Series:
        with np.errstate(all="ignore"):
            return finite(function(floats(column)))

    return run


def rounded(column: pd.Series, digits: int = 0) -> pd.Series:
    """Round half to even; integers stay integers unless a digit before the decimal point is rounded."""
    return column if column.dtype == "Int64" and digits >= 0 else finite(np.round(floats(column), digits))


def _rounding(function: Callable[[np.ndarray], np.ndarray]) -> Callable[[pd.Series], pd.Series]:
    return lambda column: column if column.dtype == "Int64" else finite(function(floats(column)))


def _absolute(column: pd.Series) -> pd.Series:
    return (
        column.abs() if kind_of(column.dtype) == "timedelta" else choose(column < 0, *align([negated(column), column]))
    )


def _extreme(symbol: str) -> Callable[..., pd.Series]:
    return lambda *columns: fold(lambda a, b: choose(compared(symbol, a, b), a, b), list(columns))


# --- strings


def _has(method: str) -> Callable[[pd.Series, pd.Series], pd.Series]:
    """startswith, endswith or contains; the pattern is not a regular expression and may differ by row."""

    def run(words: pd.Series, patterns: pd.Series) -> pd.Series:
        null = words.isna() | patterns.isna()
        if patterns.nunique(dropna=False) == 1 and not null.all():
            options = {"regex": False} if method == "contains" else {}
            return getattr(words.str, method)(patterns.iloc[0], **options).astype("boolean")
        w, p = (c.fillna("").to_numpy(dtype=str) for c in (words, patterns))
        found = np.char.find(w, p) >= 0 if method == "contains" else getattr(np.char, method)(w, p)
        return pd.Series(found, dtype="boolean").mask(null)

    return run


def _substr(words: pd.Series, start: pd.Series, count: pd.Series | None = None) -> pd.Series:
    """The characters from a position, which counts from 1; all that follow without a count."""
    null = words.isna() | start.isna() | (False if count is None else count.isna())
    first = np.maximum(np.nan_to_num(floats(start), nan=1).astype(int) - 1, 0)
    many = np.full(len(words), 1 << 30) if count is None else np.maximum(np.nan_to_num(floats(count)).astype(int), 0)
    cut = [w[a : a + n] for w, a, n in zip(words.fillna("").astype(object), first.tolist(), many.tolist())]
    return pd.Series(pd.array(cut, dtype=STRING)).mask(null)


def as_text(column: pd.Series) -> pd.Series:
    """Numbers without needless decimals, booleans as true and false, dates in ISO form."""
    if kind_of(column.dtype) == "boolean":
        return column.map({True: "true", False: "false"}).astype(STRING)
    if column.dtype == "Float64":
        said = [f"{v:.15g}" for v in floats(column)]
        return pd.Series(pd.array(said, dtype=STRING)).mask(column.isna())
    return column.astype(STRING)


# --- dates and durations


def _part(name: str, what: str, example: str) -> Function:
    return Function(
        "date",
        "datetime",
        "number",
        lambda c: getattr(c.dt, name).astype("Float64").astype("Int64"),
        what,
        (f"{'weekday' if name == 'dayofweek' else name}(date('2024-02-29 13:45:10'))", example),
    )


def _week(column: pd.Series) -> pd.Series:
    return column.dt.isocalendar()["week"].astype("Int64").reset_index(drop=True)


def _duration(unit: int, name: str) -> Function:
    return Function(
        "n",
        "number",
        "timedelta",
        lambda c: timely("*", constant(pd.Timedelta(seconds=unit), "timedelta64[us]", len(c)), c, ("timedelta", _N)),
        f"A duration of n {name}.",
        (f"{name}(36) / days(1)", f"{36 * unit / 86_400:g}"),
    )


def _between(seconds: int, name: str, example: str) -> Function:
    def run(start: pd.Series, end: pd.Series) -> pd.Series:
        return arithmetic(
            "/",
            arithmetic("-", end, start),
            constant(pd.Timedelta(seconds=seconds), "timedelta64[us]", len(start)),
        )

    return Function(
        "start, end",
        "datetime",
        "number",
        run,
        f"The {name} from start to end, with fractions; negative if end is earlier.",
        (f"{name}_between(date('2024-02-28'), date('2024-03-01 12:00'))", example),
        2,
        2,
    )


def _completed(months: int) -> Callable[[pd.Series, pd.Series], pd.Series]:
    """Whole calendar periods of so many months from start to end, by their dates."""

    def run(start: pd.Series, end: pd.Series) -> pd.Series:
        start, end = align([start, end])
        years, parts, days = ((getattr(end.dt, p) - getattr(start.dt, p)) for p in ("year", "month", "day"))
        return ((12 * years + parts - (days < 0)) // months).astype("Float64").astype("Int64")

    return run


def _day(column: pd.Series) -> pd.Series:
    return column.dt.floor("D") if column.dt.tz is None else column.dt.normalize()


_N = "number"
_BIRTH = "date('1980-06-15'), date('2024-06-14')"
FUNCTIONS: dict[str, Function] = {
    "abs": Function("x", "number|timedelta", "same", _absolute, "x without its sign.", ("abs(-3)", "3")),
    "min": Function(
        "a, b, …", "same", "same", _extreme("<="), "The smallest argument.", ("min(3, 1, 2)", "1"), 2, MANY
    ),
    "max": Function("a, b, …", "same", "same", _extreme(">="), "The largest argument.", ("max(3, 1, 2)", "3"), 2, MANY),
    "round": Function(
        "x, digits",
        _N,
        _N,
        rounded,
        "x rounded to so many decimals, 0 by default, a half to the even neighbour; digits is a literal.",
        ("round(19.996, 2)", "20"),
        1,
        2,
    ),
    "floor": Function("x", _N, _N, _rounding(np.floor), "The next whole number down.", ("floor(2.7)", "2")),
    "ceil": Function("x", _N, _N, _rounding(np.ceil), "The next whole number up.", ("ceil(2.1)", "3")),
    "sqrt": Function("x", _N, _N, _smooth(np.sqrt), "The square root; null if x is negative.", ("sqrt(9)", "3")),
    "log": Function("x", _N, _N, _smooth(np.log), "The natural logarithm; null unless x > 0.", ("log(1)", "0")),
    "exp": Function("x", _N, _N, _smooth(np.exp), "e to the power x.", ("exp(0)", "1")),
    "len": Function(
        "text", "string", _N, lambda c: c.str.len().astype("Int64"), "The number of characters.", ("len('abc')", "3")
    ),
    "lower": Function("text", "string", "string", lambda c: c.str.lower(), "In lower case.", ("lower('Abc')", "abc")),
    "upper": Function("text", "string", "string", lambda c: c.str.upper(), "In upper case.", ("upper('Abc')", "ABC")),
    "trim": Function(
        "text", "string", "string", lambda c: c.str.strip(), "Without spaces at both ends.", ("trim(' a ')", "a")
    ),
    "substr": Function(
        "text, start, count",
        "string, number",
        "string",
        _substr,
        "So many characters from a position, which counts from 1; all that follow without a count.",
        ("substr('Station', 1, 3)", "Sta"),
        2,
        3,
    ),
    "startswith": Function(
        "text, start",
        "string",
        "boolean",
        _has("startswith"),
        "Whether the text starts with another.",
        ("startswith('ICD-10', 'ICD')", "true"),
        2,
        2,
    ),
    "endswith": Function(
        "text, end",
        "string",
        "boolean",
        _has("endswith"),
        "Whether the text ends with another.",
        ("endswith('ICD-10', '10')", "true"),
        2,
        2,
    ),
    "contains": Function(
        "text, part",
        "string",
        "boolean",
        _has("contains"),
        "Whether the text holds another, which is not a pattern.",
        ("contains('ICD-10', 'D-1')", "true"),
        2,
        2,
    ),
    "concat": Function(
        "a, b, …",
        "string",
        "string",
        lambda *columns: fold(operator.add, list(columns)),
        "The texts joined.",
        ("concat('A', '-', 'B')", "A-B"),
        2,
        MANY,
    ),
    "text": Function(
        "x",
        "any",
        "string",
        as_text,
        "A number, a boolean or a date as text.",
        ("concat('W', text(12))", "W12"),
    ),
    "year": _part("year", "The year of a date.", "2024"),
    "quarter": _part("quarter", "The quarter of a date, 1 to 4.", "1"),
    "month": _part("month", "The month of a date, 1 to 12.", "2"),
    "week": Function(
        "date",
        "datetime",
        _N,
        _week,
        "The ISO week of a date, 1 to 53.",
        ("week(date('2024-02-29'))", "9"),
    ),
    "day": _part("day", "The day of the month, 1 to 31.", "29"),
    "weekday": _part("dayofweek", "The day of the week, from Monday = 0 to Sunday = 6.", "3"),
    "hour": _part("hour", "The hour of a time, 0 to 23.", "13"),
    "minute": _part("minute", "The minute of a time, 0 to 59.", "45"),
    "second": _part("second", "The second of a time, 0 to 59.", "10"),
    "days": _duration(86_400, "days"),
    "hours": _duration(3600, "hours"),
    "minutes": _duration(60, "minutes"),
    "days_between": _between(86_400, "days", "2.5"),
    "hours_between": _between(3600, "hours", "60"),
    "minutes_between": _between(60, "minutes", "3600"),
    "months_between": Function(
        "start, end",
        "datetime",
        _N,
        _completed(1),
        "Completed calendar months from start to end, by their dates.",
        (f"months_between({_BIRTH})", "527"),
        2,
        2,
    ),
    "years_between": Function(
        "start, end",
        "datetime",
        _N,
        _completed(12),
        "Completed calendar years from start to end, by their dates: the age at end of somebody who was born at start.",
        (f"years_between({_BIRTH})", "43"),
        2,
        2,
    ),
    "is_null": Function(
        "x", "any", "boolean", lambda c: c.isna().astype("boolean"), "Whether x is null.", ("is_null(null)", "true")
    ),
    "coalesce": Function(
        "a, b, …",
        "same",
        "same",
        lambda *columns: fold(lambda a, b: a.where(a.notna(), b), list(columns)),
        "The first argument that is not null.",
        ("coalesce(null, 2)", "2"),
        2,
        MANY,
    ),
    "date": Function(
        "x",
        "datetime",
        "datetime",
        _day,
        "A quoted date as a date; the date of a time, at midnight.",
        ("days_between(date('2024-01-31'), date('2024-02-01'))", "1"),
    ),
}
