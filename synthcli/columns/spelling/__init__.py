"""Text cells (csv, strings): infer the kind of their values, parse them, and find the formats that restore them.

All functions work on the distinct strings of a column. A spelling is a `format`, or several with their shares
(contracts/schema.py). Datetimes use the directives of strptime (dates.py), times of day and durations those of
durations.py; booleans use 'yes|no'; numbers %.2f, '%,.2f €' and the like (numbers.py).
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.spelling import durations, numbers, told
from synthcli.columns.spelling.dates import date_like, is_date, moments, readable, written
from synthcli.columns.spelling.missing import NULLS, TEXT_NULLS
from synthcli.columns.spelling.readers import FLOAT_FORMAT
from synthcli.columns.spelling.told import Told
from synthcli.contracts.schema import Traits
from synthcli.errors import DataError

__all__ = [
    "FLOAT_FORMAT",
    "NULLS",
    "TEXT_NULLS",
    "Told",
    "date_like",
    "is_date",
    "moments",
    "parse",
    "parse_keys",
    "readable",
    "tell",
    "typed_by",
    "written",
]
_KEY = re.compile(r"(0|-?[1-9]\d{0,18})(\.0*)?")

Parsed = tuple[str, pd.Series, dict[str, Any]]


def parse(words: np.ndarray, said: Traits) -> Parsed:
    """Infer the kind of distinct strings; return it with their values (same order, NA for null) and traits.

    Raises DataError, to be prefixed with `column x`, if a declared type or format does not parse them.
    """
    found = tell(words, said)
    return found.kind, found.values, found.traits


def tell(
    words: np.ndarray, said: Traits, *, counts: np.ndarray | None = None, nulls: int = 0, stored: bool = False
) -> Told:
    """As `parse`, with the shares of the formats. counts, nulls, stored: see told.tell."""
    return told.tell(words, said, typed_by(said), counts=counts, nulls=nulls, stored=stored)


def parse_keys(words: np.ndarray) -> Told:
    """Identifiers: integers if all are whole, even if written as 116.0 (a number column that once had nulls); else
    strings.
    """
    null = np.array([w.strip() in NULLS for w in words], dtype=bool)
    real = [w.strip().partition(".")[0] for w in words[~null] if _KEY.fullmatch(w.strip())]
    if not real or len(real) < np.sum(~null) or not all(-(2**63) <= int(w) < 2**63 for w in real):
        return told.text(words)
    whole = iter([int(w) for w in real])
    return Told("integer", pd.Series(pd.array([None if blank else next(whole) for blank in null], dtype="Int64")))


def typed_by(said: Traits) -> str | None:
    """The declared type, or the type that a declared format implies. Raises DataError for a format of another type."""
    form, typed = said.format, said.type
    if form is None:
        return typed
    forms = numbers.forms_of(form)
    if typed is None:
        typed = _implied(form)
    whole = forms is not None and all(one.places == 0 for one in forms)
    if (typed == "float" and (forms is None or whole)) or (typed == "integer" and not whole):
        raise DataError(
            f"has the format {form!r}; expected %.2f (fixed decimals), %g, or one such as '%,.2f €' for a number"
        )
    if typed == "boolean" and not all(form.partition("|")):
        raise DataError(
            f"has the format {form!r}; expected a date's, such as '%d.%m.%Y', or the two words of a boolean, such as"
            " 'yes|no'"
        )
    if typed == "timedelta" and not all(map(durations.is_format, form.split("|"))):
        raise DataError(f"has the format {form!r}; expected one of a time or a duration, such as '%H:%M:%S'")
    if typed == "datetime":
        for one in form.split("|"):
            try:
                pd.to_datetime(pd.Series(["-"], dtype=object), format=readable(one), errors="coerce")
            except ValueError as error:
                raise DataError(
                    f"has the format {one!r}, which no date can have ({error}); remedy: directives of strptime, such as"
                    " '%d.%m.%Y'"
                ) from None
    return typed


def _implied(form: str) -> str:
    """The type that a format implies."""
    forms = numbers.forms_of(form)
    if forms is not None:
        return "integer" if all(one.places == 0 for one in forms) else "float"
    if all(map(durations.is_format, form.split("|"))):
        return "timedelta"
    return "datetime" if "%" in form else "boolean"
