"""Numbers that are a difference of two dates or a part of one, and dates at a fixed distance from another."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pandas as pd

from synthcli.columns.discovery.relation import Found, fits, half_unit, number, quoted, varies
from synthcli.columns.expressions.compile import parse
from synthcli.columns.expressions.operands import floats

MOST_DATES = 20  # columns of dates of which pairs are compared
DIFFERENCES = (
    "days_between({a}, {b})",
    "days_between({a}, {b}) + 1",
    "years_between({a}, {b})",
    "months_between({a}, {b})",
    "days_between({a}, {b}) / 7",
    "floor(days_between({a}, {b}) / 7)",
    "days_between({a}, {b}) / 365.25",
    "floor(days_between({a}, {b}) / 365.25)",
    "year({b}) - year({a})",
)
OF_TIMES = (
    "floor(days_between({a}, {b}))",
    "floor(days_between({a}, {b})) + 1",
    "ceil(days_between({a}, {b}))",
    "days_between(date({a}), date({b}))",
    "days_between(date({a}), date({b})) + 1",
    "hours_between({a}, {b})",
    "floor(hours_between({a}, {b}))",
    "minutes_between({a}, {b})",
    "floor(minutes_between({a}, {b}))",
    "minutes_between({a}, {b}) * 60",
)
PARTS = (
    "year({a})",
    "month({a})",
    "day({a})",
    "quarter({a})",
    "week({a})",
    "weekday({a})",
    "weekday({a}) + 1",
    "(weekday({a}) + 1) % 7",
    "(weekday({a}) + 1) % 7 + 1",
    "year({a}) % 100",
    "100 * year({a}) + month({a})",
)
PARTS_OF_TIMES = ("hour({a})", "minute({a})", "60 * hour({a}) + minute({a})")


def search(found: Found, dates: list[str], numbers: dict[str, np.ndarray], some: np.ndarray) -> None:
    """Add the relations of numbers with dates. numbers: name -> floats of all rows; some: positions of the sample."""
    frame, dates = found.frame, dates[:MOST_DATES]
    sample = frame[dates].iloc[some].reset_index(drop=True)
    timed = {d for d in dates if _has_times(sample[d])}
    able = [n for n in numbers if varies(numbers[n])]
    for texts, names in _candidates(dates, timed):
        values = np.column_stack([floats(parse(t).evaluate(sample).astype("Float64")) for t in texts])
        for target in able:
            whole = frame[target].dtype == "Int64"
            own = numbers[target][some]
            exact = fits(values, own, 1e-6)
            near = fits(values, own, half_unit(numbers[target], whole)) if not exact.any() else exact
            for place in np.flatnonzero(near):
                if found.add(target, texts[place], names):
                    break
    for a, b in permutations(dates, 2):
        _shifted(found, a, b, sample)


def _candidates(dates: list[str], timed: set[str]) -> list[tuple[list[str], tuple[str, ...]]]:
    """Texts of expressions with their inputs."""
    out: list[tuple[list[str], tuple[str, ...]]] = []
    for a, b in permutations(dates, 2):
        forms = DIFFERENCES + (OF_TIMES if {a, b} & timed else ())
        out.append(([form.format(a=quoted(a), b=quoted(b)) for form in forms], (a, b)))
    for a in dates:
        forms = PARTS + (PARTS_OF_TIMES if a in timed else ())
        out.append(([form.format(a=quoted(a)) for form in forms], (a,)))
    return out


def _shifted(found: Found, a: str, b: str, sample: pd.DataFrame) -> None:
    """b = a, a at midnight, or a plus a fixed number of days, if the later column is b."""
    if list(found.frame).index(a) > list(found.frame).index(b):
        return
    apart = (sample[b] - sample[a]).dropna() if _zone(sample[a]) == _zone(sample[b]) else pd.Series([], dtype="m8[us]")
    if len(apart) < min(20, len(sample)) or sample[b].nunique() < 3:
        return
    days = apart / pd.Timedelta(days=1)
    if days.nunique() == 1:
        shift = float(days.iloc[0])
        found.add(b, quoted(a) if not shift else f"{quoted(a)} + days({number(shift)})", (a,))
    elif ((days <= 0) & (days > -1)).all():
        found.add(b, f"date({quoted(a)})", (a,))


def _zone(column: pd.Series) -> str:
    return str(getattr(column.dtype, "tz", None))


def _has_times(column: pd.Series) -> bool:
    known = column.dropna()
    return bool((known != known.dt.normalize()).any())
