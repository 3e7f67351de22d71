"""Made-up words of the same look as real ones: their number, lengths and capitals, or the shape of a code.

The pattern holds no word of the source. The chance that a made-up word equals a real one is that of any random word.
"""

from __future__ import annotations

import re
from itertools import groupby

import numpy as np
import pandas as pd

from synthcli.columns.discovery.shapes import times

EXAMINED = 2_000  # distinct words that the look is taken from
FIXED = 20  # minimum words that share a run of letters, such as the prefix of a code, for the pattern to keep it
_SYLLABLE, _SPOKEN = 2.3, 4  # letters of a syllable; letters from which a word is made of syllables
_CONSONANTS, _VOWELS = "[bdfgklmnprstvz]", "[aeiou]"
_LETTERS = {"title": ("[A-Z]", "[a-z]"), "upper": ("[A-Z]", "[A-Z]"), "lower": ("[a-z]", "[a-z]")}
_LONGEST = 24  # letters of a made-up word


def pattern(values: pd.Series) -> str:
    """A regular expression for words of the same look. values: strings"""
    text = values.dropna().astype(str).str.strip()
    text = text[text != ""].drop_duplicates()
    text = text.iloc[:: max(1, len(text) // EXAMINED)]
    if not len(text):
        return _word(3, 8, "title")
    runs = [_runs(word) for word in text]
    if np.mean([any(kind == "9" for kind, _ in run) for run in runs]) >= 0.5:
        return _code(runs)
    pieces = text.str.split(r"[^\w]+", regex=True).map(lambda some: [w for w in some if w])
    each = pieces.explode().dropna()
    if not len(each):
        return _word(3, 8, "title")
    one = _word(*_ends(each.str.len()), _case(each))
    low, high = _ends(pieces.str.len())
    return one + (f"( {one}){{{low - 1},{high - 1}}}" if high > 1 else "")


def _case(each: pd.Series) -> str:
    if (each.str.isupper() & (each.str.len() > 1)).mean() > 0.5:
        return "upper"
    return "title" if each.str[0].str.isupper().mean() > 0.5 else "lower"


def _ends(lengths: pd.Series) -> tuple[int, int]:
    """Most lengths lie between these."""
    low, high = np.quantile(lengths.to_numpy(dtype=float), [0.1, 0.9], method="nearest")
    return max(1, int(low)), max(1, min(_LONGEST, int(high)))


def _word(short: int, long: int, case: str) -> str:
    """Syllables of a consonant and a vowel, about so many letters; letters alone for short words."""
    first, rest = _LETTERS[case]
    if long < _SPOKEN:
        return first + (rest + times(max(0, short - 1), long - 1) if long > 1 else "")
    low = max(1, round(short / _SYLLABLE) - 1)
    high = max(low, round(long / _SYLLABLE) - 1, 2)
    start = _CONSONANTS if case == "lower" else _CONSONANTS.upper()
    end = f"{_VOWELS}({_CONSONANTS}{_VOWELS}){times(low, high)}[lnrs]?"
    return start + (end.upper() if case == "upper" else end)


def _runs(word: str) -> list[tuple[str, str]]:
    """Runs of digits (9), of letters (A: upper case, a: lower case or title case), and single other characters."""
    kind = lambda c: "9" if c.isdigit() else "a" if c.isalpha() else c  # noqa: E731
    runs = [(k, "".join(some)) for k, some in groupby(word, kind)]
    return [("A" if k == "a" and run.isupper() else k, run) for k, run in runs]


def _code(runs: list[list[tuple[str, str]]]) -> str:
    """The most common shape, with the lengths of its runs; letters that all of many words share are kept."""
    shapes = pd.Series(["".join(kind for kind, _ in run) for run in runs])
    common = str(shapes.mode().iloc[0])
    some = [run for run, shape in zip(runs, shapes) if shape == common]
    out = []
    for i in range(len(some[0])):
        kind, texts = some[0][i][0], pd.Series([run[i][1] for run in some])
        low, high = _ends(texts.str.len())
        if kind == "9":
            out.append(r"\d" + times(low, high))
        elif kind not in ("A", "a") or (len(texts) >= FIXED and texts.nunique() == 1):
            out.append(re.escape(texts.iloc[0]))
        else:
            out.append("[A-Z]" + times(low, high) if kind == "A" else _word(low, high, _case(texts)))
    return "".join(out)
