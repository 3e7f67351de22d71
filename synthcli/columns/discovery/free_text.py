"""Look at free text: its language and how long it is, which made-up text follows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.fake.languages import LANGUAGES

LOOKED = 2_000  # texts that tell the language
LEAST = 50  # texts that tell the lengths
SHARE = 0.06  # of the words of a text that are common ones of its language, at least
AHEAD = 1.25  # by this factor a language is ahead of the next one
TENTHS = 10


def look(known: pd.Series) -> dict[str, Any]:
    """The traits of made-up text that follows these texts. known: strings without nulls"""
    return {"locale": locale(known.iloc[:LOOKED]), "length": lengths(known)}


def lengths(known: pd.Series) -> tuple[int, ...] | None:
    """Quantiles of the lengths in characters at equal steps: means of each tenth of the texts, so that none is the
    length of one text; None for few texts.
    """
    if len(known) < LEAST:
        return None
    tenths = np.array_split(np.sort(known.str.len().to_numpy(dtype=float)), TENTHS)
    return tuple(max(1, round(float(tenth.mean()))) for tenth in tenths)


def locale(known: pd.Series) -> str | None:
    """The locale of the language that the texts are written in; None if none is clearly ahead."""
    if not len(known):
        return None
    for language in LANGUAGES.values():
        if language.letters is not None and _written_in(language.letters, known) > 0.5:
            return language.locale
    words = known.str.lower().str.findall(r"[^\W\d_]+").explode().dropna()
    shares = {code: _share(words, language.common) for code, language in LANGUAGES.items() if language.common}
    first, second = sorted(shares, key=lambda code: -shares[code])[:2]
    if shares[first] < SHARE or shares[first] < AHEAD * shares[second]:
        return None
    return LANGUAGES[first].locale


def _written_in(letters: str, known: pd.Series) -> float:
    """The share of texts with one of the letters. pyarrow's expressions do not know these ranges."""
    return float(np.mean([re.search(letters, text) is not None for text in known]))


def _share(words: pd.Series, common: Sequence[str]) -> float:
    """The share of words that are among the common ones."""
    return float(words.isin(common).mean()) if len(words) else 0.0
