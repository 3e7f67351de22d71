"""Check digits of identifiers: recognised in values, and computed for made ones.

A check is named as in the trait `check`. Its digits stand at fixed places; separators are ignored.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.fake import checksums

LEAST = 20  # values that must all pass before a check is assumed


@dataclass(frozen=True)
class Check:
    """A check. places: of its digits, counted from the end if negative; values: what may stand there; valid: whether
    strings of digits and capital letters pass. (rows,) bool
    """

    places: tuple[int, ...]
    values: tuple[str, ...]
    valid: Callable[[pd.Series], np.ndarray]

    def at(self, length: int) -> tuple[int, ...]:
        """The places in strings of this length, from 0."""
        return tuple(place % length for place in self.places)

    def completed(self, bodies: np.ndarray) -> np.ndarray:
        """Strings with the check digits, from strings without them. (rows,) object"""
        words = pd.Series(bodies, dtype=object)
        if not len(words):
            return bodies
        length = len(words.iloc[0]) + len(self.places)
        first = self.at(length)[0]
        out, missing = np.full(len(words), "", dtype=object), np.ones(len(words), dtype=bool)
        for value in self.values:
            trial = words[missing].str[:first] + value + words[missing].str[first:]
            good = self.valid(_plain(trial))
            at = np.flatnonzero(missing)[good]
            out[at] = trial.to_numpy(dtype=object)[good]
            missing[at] = False
            if not missing.any():
                break
        return out


def _plain(words: pd.Series) -> pd.Series:
    return words.str.replace(r"[^0-9A-Za-z]", "", regex=True).str.upper()


def _mod97(words: pd.Series) -> np.ndarray:
    return checksums.mod97(words) == 1


_DIGITS, _TWO = tuple("0123456789"), tuple(f"{i:02d}" for i in range(2, 99))
CHECKS = {
    "luhn": Check((-1,), _DIGITS, checksums.luhn),
    "ean": Check((-1,), _DIGITS, checksums.ean),
    "isbn10": Check((-1,), (*_DIGITS, "X"), checksums.isbn10),
    "iban": Check((2, 3), _TWO, checksums.iban),
    "mod97": Check((-2, -1), _TWO, _mod97),
}


def recognised(known: pd.Series) -> str | None:
    """The check that all of these strings of one length pass; None without one. known: identifiers."""
    distinct = _plain(known.drop_duplicates().astype(str))
    if len(distinct) < LEAST or distinct.str.len().nunique() != 1 or len(distinct.iloc[0]) < 6:
        return None
    plain = bool(distinct.str.fullmatch(r"\d+").all())
    shaped = {
        "iban": r"[A-Z]{2}\d\d[A-Z0-9]{8,}",
        "isbn10": r"\d{9}[\dX]",
        "mod97": r"[A-Z0-9]+\d\d",
        "luhn": r"\d+",
        "ean": r"\d+",
    }
    names = ("ean", "luhn", "isbn10", "mod97") if plain else ("iban", "isbn10", "mod97")
    for name in names:
        if distinct.str.fullmatch(shaped[name]).all() and CHECKS[name].valid(distinct).all():
            return name
    return None
