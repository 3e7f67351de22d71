"""Numbers spelled as strings: how to read and write them, and which columns of strings are quantities.

A column qualifies if its strings have no declared categories, at least NUMBERS distinct ones (and half of all distinct
ones) are numbers that one spelling restores exactly, and at most WORDS are other words. The numbers must be quantities
rather than identifiers: either most steps between their ends occur (0, 1, 2 ... 501), or the column is open-ended
(incomes, many of which occur once). The codes of 200 industries meet neither test and stay categories. So do
zero-padded numbers, unless most steps occur, and columns of numbers without any word: a source that stores those as
strings treats them as names, and the spec can declare a type if they are quantities.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

NUMBERS, WORDS = 20, 20  # minimum distinct numbers; maximum distinct words
SHARE = 0.5  # minimum share of distinct values that are numbers
DENSE = 0.5  # share of the steps between two outer quantiles that occur, from which on numbers are quantities
# share of rows with a number that occurs once, from which on they are too (Good 1953: the chance of a new value)
OPEN = 0.02
LOOKED_AT = 500  # distinct values that suffice to rule numbers out
KEY_WIDTH = 6  # minimum digits of numbers of equal width that hardly repeat, which are keys

_PLAIN = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True)
class Spelling:
    """How numbers are written. width: of digits padded with zeros, None without padding; least, most: number of
    decimals; trailing zeros are dropped down to `least`.
    """

    width: int | None = None
    least: int = 0
    most: int = 0

    def read(self, words: Sequence[str]) -> list[int | None]:
        """Numbers in units of the last decimal; None for a word that is not a number in this spelling."""
        return [self._read(word) for word in words]

    def _read(self, word: str) -> int | None:
        shape = _DIGITS if self.width else _PLAIN
        if len(word) > 18 or not shape.fullmatch(word):
            return None
        whole, _, fraction = word.partition(".")
        if len(fraction) > self.most:
            return None
        scaled = int(whole + fraction.ljust(self.most, "0"))
        return scaled if abs(scaled) < 2**53 and self._write(scaled) == word else None

    def write(self, scaled: np.ndarray) -> list[str]:
        """Write numbers that are in units of the last decimal."""
        return [self._write(number) for number in scaled.tolist()]

    def _write(self, scaled: int) -> str:
        digits = str(abs(scaled)).rjust(self.most + 1, "0")
        whole, fraction = (digits[: -self.most], digits[-self.most :]) if self.most else (digits, "")
        short = fraction.rstrip("0").ljust(self.least, "0")
        return ("-" if scaled < 0 else "") + whole.rjust(self.width or 0, "0") + ("." + short if short else "")


def spelling_of(words: Sequence[str]) -> Spelling | None:
    """The spelling of most numbers among distinct words; None if there are too few numbers or too many words."""
    some = words[:: max(1, len(words) // LOOKED_AT)]
    if len(words) < NUMBERS or sum(bool(_DIGITS.search(w)) for w in some) < SHARE * len(some) / 2:
        return None
    padded = (
        [len(w) for w in words if _DIGITS.fullmatch(w)]
        if any(w[:1] == "0" and len(w) > 1 and w.isdigit() for w in words)
        else []
    )
    if padded:
        spelling = Spelling(width=max(set(padded), key=padded.count))
    else:
        fractions = [w.partition(".")[2] for w in words if len(w) <= 18 and _PLAIN.fullmatch(w)]
        lengths = [len(f) for f in fractions]
        zeros = any(f.endswith("0") and f != "0" for f in fractions)
        spelling = Spelling(
            least=max(lengths, default=0) if zeros else min(lengths, default=0), most=max(lengths, default=0)
        )
    numbers = sum(number is not None for number in spelling.read(words))
    enough = numbers >= max(NUMBERS, SHARE * len(words))
    return spelling if enough and 0 < len(words) - numbers <= WORDS else None


def looks_mixed(known: pd.Series) -> bool:
    """Whether strings without nulls are quantities mixed with words."""
    counts = known.value_counts(sort=False)
    words = [str(w) for w in counts.index]
    if (spelling := spelling_of(words)) is None:
        return False
    scaled = spelling.read(words)
    at = np.array([i for i, number in enumerate(scaled) if number is not None])
    numbers, repeats = np.array([n for n in scaled if n is not None], dtype=np.int64), counts.to_numpy()[at]
    widths = {len(words[i]) for i in at}
    if spelling.most == 0 and len(at) > 0.9 * repeats.sum() and len(widths) == 1 and widths.pop() >= KEY_WIDTH:
        return False
    return _dense(numbers, repeats) or (spelling.width is None and bool((repeats == 1).sum() > OPEN * repeats.sum()))


def are_quantities(words: Sequence[str], counts: np.ndarray) -> bool:
    """Whether whole numbers that are stored as strings are quantities: most steps occur, or many occur once and they
    are not all of one width. counts: rows of each word.
    """
    values = np.array([int(w) for w in words], dtype=np.int64)
    widths = {len(w.lstrip("-")) for w in words}
    if len(widths) == 1 and widths.pop() >= KEY_WIDTH - 1:
        return False
    return _dense(values, counts) or bool((counts == 1).sum() > OPEN * counts.sum() and len(words) >= NUMBERS)


def _dense(numbers: np.ndarray, repeats: np.ndarray) -> bool:
    """Whether most steps between the 5 % and the 95 % quantile occur."""
    order = np.argsort(numbers)
    numbers, cumulated = numbers[order], np.cumsum(repeats[order]) / repeats.sum()
    inner = np.unique(numbers[(cumulated >= 0.05) & (cumulated <= 0.95)])
    if len(inner) < NUMBERS / 2:
        return False
    step = int(np.gcd.reduce(inner - inner[0])) or 1
    return len(inner) >= DENSE * ((inner[-1] - inner[0]) // step + 1)
