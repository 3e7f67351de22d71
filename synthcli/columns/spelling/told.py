"""Tell what the text cells of a column are: kind, values, and how each value is written.

All functions work on the distinct strings of a column. Kinds are tried in order over all words but those for a missing
value; what reads all of them is taken. If nothing does, words for a missing value that occur among numbers and dates
(missing.py) are set aside, then formats with marks and columns of several formats are tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.spelled_numbers import are_quantities
from synthcli.columns.spelling import missing, readers, shares, unread
from synthcli.columns.spelling.missing import NULLS, TEXT_NULLS
from synthcli.columns.spelling.readers import FLOAT_FORMAT, Found, Words
from synthcli.contracts.schema import Spelling, Traits
from synthcli.errors import DataError

MOST_MISSING = 8  # words for a missing value in a column
FEWEST = 3  # distinct values beside words for a missing value
_EMPTY = {
    "integer": "Int64",
    "float": "float64",
    "boolean": "boolean",
    "datetime": "datetime64[us]",
    "timedelta": "timedelta64[us]",
}


@dataclass(frozen=True)
class Told:
    """The kind of a column, the values of its distinct strings (NA for null) and its traits; spelling: how values are
    written where kind and format do not say it; unsure: why the strings could be read otherwise, or could not be read.
    """

    kind: str
    values: pd.Series
    traits: dict[str, Any] = field(default_factory=dict)
    spelling: Spelling | None = None
    unsure: str = ""


def tell(
    words: np.ndarray,
    said: Traits,
    typed: str | None,
    *,
    counts: np.ndarray | None = None,
    nulls: int = 0,
    stored: bool = False,
) -> Told:
    """The kind of distinct strings. typed: the declared type; counts: rows of each string; nulls: rows without one;
    stored: whether they are strings of a source that has types, so that numbers without decimals may be names.

    Raises DataError, to be prefixed with `column x`, if a declared type or format does not parse them.
    """
    counts = np.ones(len(words), dtype=np.int64) if counts is None else counts
    stripped = np.array([w.strip() for w in words], dtype=object)
    null = np.array([w in NULLS for w in stripped], dtype=bool)
    found = _found(stripped, null, counts, said, typed, stored)
    if found is None and (aside := _set_aside(stripped, null, typed)) is not None:
        found, null = _found(stripped, aside, counts, said, typed, stored), aside
    if found is not None:
        kind, one = found
        away = shares.of_missing(stripped[null], counts[null], nulls)
        spelling = _spelling(kind, one, counts[~null], away, stored)
        return Told(kind, _spread(null, one.values), one.traits, spelling, one.unsure)
    null = np.array([w in NULLS for w in stripped], dtype=bool)
    if typed in _EMPTY and not null.all():
        raise _unread(list(stripped[~null]), said, str(typed))
    if typed in _EMPTY:
        return Told(str(typed), pd.Series([None] * len(words), dtype=_EMPTY[str(typed)]))
    told = text(words)
    return replace(told, unsure=unread.why(stripped[~null], counts[~null], NULLS) if typed is None else "")


def text(words: np.ndarray) -> Told:
    """Strings as they are."""
    blank = np.array([w.strip() in TEXT_NULLS for w in words], dtype=bool)
    values = pd.Series(pd.array(np.where(blank, np.array(None, dtype=object), words), dtype=frames.STRING))
    return Told("category", values)


def _found(
    stripped: np.ndarray, null: np.ndarray, counts: np.ndarray, said: Traits, typed: str | None, stored: bool
) -> tuple[str, Found] | None:
    """The first kind that reads all strings that are not null."""
    real, rows = list(stripped[~null]), counts[~null]
    for kind in _candidates(said, typed) if real else ():
        words = Words(real, rows, said, typed == kind)
        if (found := readers.READERS[kind](words)) is None:
            continue
        if kind == "integer" and typed is None:
            dated = readers.integer_dates(words)
            if dated is not None:
                return "datetime", dated
            if stored and not are_quantities(real, rows):
                return None
        return kind, found
    if typed is not None or not real or said.categories is not None:
        return None
    words = Words(real, rows, said)
    if (found := readers.spelled_numbers(words)) is not None:
        return ("integer" if isinstance(found.values, pd.arrays.IntegerArray) else "float"), found
    return None if (found := readers.times(words)) is None else ("timedelta", found)


def _candidates(said: Traits, typed: str | None) -> tuple[str, ...]:
    """The kinds to try, in order."""
    if (
        typed in (None, "category")
        and said.categories is not None
        and not any(isinstance(c, str) for c in said.categories)
    ):
        return ("boolean",) if all(isinstance(c, bool) for c in said.categories) else ("integer", "float")
    if typed is None:
        return ("integer", "float", "boolean", "datetime")
    if typed == "date_of_birth":  # made up, but expressions of other columns may read it as a date
        return ("datetime",)
    return (typed,) if typed in readers.READERS else ()


def _set_aside(stripped: np.ndarray, null: np.ndarray, typed: str | None) -> np.ndarray | None:
    """The nulls with the words for a missing value; None where there are none, or too few other words."""
    if typed not in (None, *_EMPTY):
        return None
    away = np.array([missing.is_missing(w) for w in stripped], dtype=bool) | null
    more = int((away & ~null).sum())
    left = int((~away).sum())
    fits = 0 < more <= MOST_MISSING and (left >= FEWEST or typed is not None) and left > 0
    return away if fits else None


def _spread(null: np.ndarray, values: Any) -> pd.Series:
    """Put values back at the non-null positions."""
    positions = np.where(null, -1, np.cumsum(~null) - 1)
    return pd.Series(
        pd.api.extensions.take(
            pd.array(values) if not isinstance(values, np.ndarray) else values, positions, allow_fill=True
        )
    )


def _spelling(
    kind: str, found: Found, counts: np.ndarray, away: tuple[tuple[str, float], ...], stored: bool
) -> Spelling | None:
    """How the values are written; None if kind and format say it. counts: rows of each value; away: words for
    missing.
    """
    forms, place = found.forms, np.array(found.of_word, dtype=np.int64)
    if len(forms) <= 1 and not stored and not away and (not forms or _is_plain(kind, forms[0])):
        return None
    if not forms:
        forms, place = (_only(kind, found),), np.zeros(len(counts), dtype=np.int64)
    return Spelling(shares.of_forms(kind, forms, place, found.values, counts), away)


def _only(kind: str, found: Found) -> str:
    """The one format of values."""
    form = found.traits.get("format")
    return str(form) if form is not None else {"integer": "%d", "boolean": "true|false"}.get(kind, readers.REPR)


def _is_plain(kind: str, form: str) -> bool:
    """Whether the values of a text file are written in this format without more being said."""
    return kind in ("datetime", "boolean") or (kind == "float" and bool(FLOAT_FORMAT.fullmatch(form)))


def _unread(real: Sequence[str], said: Traits, typed: str) -> DataError:
    """Build the error about cells that a declared type cannot parse: try the first few one by one."""
    one = np.ones(1, dtype=np.int64)
    broken = next(
        (
            w
            for w in real[: 200 if said.format or typed != "datetime" else 20]
            if readers.READERS[typed](Words([w], one, said, True)) is None
        ),
        real[0],
    )
    if typed == "boolean":
        return DataError(
            f"is declared boolean and holds {sorted(set(real))[:3]}; remedy: give its spelling, such as format: 'J|N'"
        )
    if typed == "datetime":
        how = f" of format {said.format!r}" if said.format else ""
        return DataError(
            f"is declared datetime{how} and holds {broken!r}; remedy: give its format, such as format: '%d.%m.%Y', or"
            " fix the source"
        )
    return DataError(f"is declared {typed} and holds {broken!r}; remedy: type: category, or fix the source")
