"""The shape of identifiers as a regular expression: one class per character place, or runs of letters and digits of
varying length.
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from synthcli.columns.fake.generate import UUID

MOST = 2_000  # values that a shape is read from
LONGEST = 64  # characters of an identifier
LITERAL = 20  # values that must share a letter before the shape shows it
RUNS = 8  # runs of letters, digits and marks of an identifier
_UUID = r"[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}"  # of any version
_RUN = re.compile(r"[0-9]+|[a-z]+|[A-Z]+|[^0-9a-zA-Z]")
_HEX = re.compile(r"[0-9a-f]+")


def pattern(known: pd.Series) -> str | None:
    """A regular expression for strings of one shape, such as [A-Z]{2}-\\d{6}; None if their shapes differ."""
    if not len(known):
        return None
    some = known.iloc[:: max(1, len(known) // MOST)].astype(str)
    if some.str.fullmatch(_UUID).all():
        return UUID
    if some.str.len().nunique() != 1 or len(some.iloc[0]) > LONGEST:
        return None
    places = [set(place) for place in np.array([list(w) for w in some]).T]
    mixed = {x for place in places if _kinds(place) == {"digit", "lower"} for x in place}
    hexadecimal = bool(mixed) and all(_HEX.fullmatch(x) for x in mixed)
    classes = [_class(place, hexadecimal, len(some) >= LITERAL) for place in places]
    return None if None in classes else _squeeze([c for c in classes if c is not None])


def _kinds(place: set[str]) -> set[str]:
    return {
        "other"
        if not x.isascii() or not x.isalnum()
        else "digit"
        if x.isdigit()
        else "upper"
        if x.isupper()
        else "lower"
        for x in place
    }


def _class(place: set[str], hexadecimal: bool, literal: bool) -> str | None:
    """The class of the characters at one place."""
    kinds, first = _kinds(place), next(iter(place))
    if len(place) == 1 and (not first.isalnum() or (literal and kinds <= {"upper", "lower"} and not hexadecimal)):
        return re.escape(first)
    if hexadecimal and all(_HEX.fullmatch(x) for x in place):
        return "[0-9a-f]"
    ranges = {"upper": "A-Z", "lower": "a-z", "digit": "0-9"}
    if "other" in kinds:
        return None
    if kinds == {"digit"}:
        return r"\d"
    return "[" + "".join(spelled for kind, spelled in ranges.items() if kind in kinds) + "]"


def _squeeze(classes: list[str]) -> str:
    """Replace repeated classes by a count: ['\\d', '\\d'] becomes \\d{2}."""
    out, i = [], 0
    while i < len(classes):
        j = i
        while j < len(classes) and classes[j] == classes[i]:
            j += 1
        out.append(classes[i] + (f"{{{j - i}}}" if j - i > 1 else ""))
        i = j
    return "".join(out)


def runs(known: pd.Series, share: float = 0.9) -> str | None:
    """A regular expression for strings that are the same runs of letters, digits and marks, of varying length, such as
    [a-z]{4,7}\\d{2}; None if fewer than this share of the values has the most frequent one.

    A counter without leading zeros that is full gets one more digit, so that new values can be told from known ones.
    """
    distinct = known.drop_duplicates().astype(str)
    some = distinct.iloc[:: max(1, len(distinct) // MOST)]
    if not len(some) or some.str.len().max() > LONGEST:
        return None
    parts = [_RUN.findall(word) for word in some]
    signatures = pd.Series(["".join(_sign(run) for run in word) for word in parts])
    common = signatures.mode().iloc[0]
    if len(common) > RUNS or (signatures == common).mean() < share:
        return None
    alike = [word for word, signature in zip(parts, signatures) if signature == common]
    full = len(distinct)
    return "".join(_run([word[i] for word in alike], sign, full) for i, sign in enumerate(common))


def _sign(run: str) -> str:
    return "9" if run[0].isdigit() else run[0] if not run[0].isalpha() else "A" if run[0].isupper() else "a"


def _run(column: list[str], sign: str, distinct: int) -> str:
    """One run of all values as a regular expression. distinct: how many values the column has."""
    if sign not in ("9", "A", "a"):
        return re.escape(sign)
    if sign != "9" and len(set(column)) == 1 and len(column) >= LITERAL:
        return re.escape(column[0])
    low, high = min(map(len, column)), max(map(len, column))
    if sign != "9":
        return {"A": "[A-Z]", "a": "[a-z]"}[sign] + times(low, high)
    if low == high or any(digits[0] == "0" for digits in column):
        return r"\d" + times(low, high)
    if distinct > 0.1 * 10**high:  # a full counter
        return rf"[1-9]\d{times(high, high)}"
    return r"[1-9]" + (rf"\d{times(low - 1, high - 1)}" if high > 1 else "")


def times(low: int, high: int) -> str:
    """The quantifier of from `low` to `high` repetitions."""
    return "" if (low, high) == (1, 1) else f"{{{low}}}" if low == high else f"{{{low},{high}}}"


def codes(known: pd.Series) -> str | None:
    """The shape of strings that are codes: one token with digits in it; None for words, numbers and times."""
    fixed = pattern(known)
    found = fixed or runs(known)
    if found is None or known.str.contains(r"[\s%€$£,;]", regex=True).any():
        return None
    lettered = known.str.contains("[A-Za-z]", regex=True)
    numbered = known.str.contains("[0-9]", regex=True).mean() >= 0.95
    if not numbered:
        return None
    if lettered.all():
        measured = known.str.fullmatch(r"[0-9]+(\.[0-9]+)?[A-Za-z]{1,4}")  # 120kg
        return None if measured.mean() > 0.5 and not known.str.fullmatch("[0-9a-f]+").all() else found
    if lettered.any():  # hexadecimal, or a mix of letters and digits
        return found if known.str.fullmatch("[0-9a-fA-F-]+").all() or fixed else None
    plain = known.str.fullmatch(r"[0-9]+([-/][0-9]+)*").all() and known.str.len().nunique() == 1
    return found if plain else None
