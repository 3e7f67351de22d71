"""Make up free text: words of a language in sentences, as long as the spec or the source says."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from itertools import pairwise

import numpy as np

from synthcli.columns.fake.languages import Language, of_locale

USUAL = (20, 30, 40, 50, 60, 80)  # lengths in characters without data: a sentence
BLOCK = 20_000  # texts that are written at a time, which bounds the memory
_SENTENCE = (5, 14)  # words
_SHORT = 4  # texts of fewer words are notes: no full stop


def make(locale: str, lengths: Sequence[int] | None, rows: int, *, exact: bool, rng: np.random.Generator) -> np.ndarray:
    """Write texts in the language of a locale. (rows,) object

    lengths: ascending quantiles at equal steps, in characters: two are a range; None for a sentence. exact: whether
    every length lies within the first and the last one, by cutting words if needed.
    """
    vocabulary, language = _vocabulary(locale)
    quantiles = np.asarray(USUAL if lengths is None else lengths, dtype=float)
    out = np.empty(rows, dtype=object)
    for start in range(0, rows, BLOCK):
        size = min(BLOCK, rows - start)
        at = rng.random(size) * (len(quantiles) - 1)
        wanted = np.maximum(1, np.rint(np.interp(at, np.arange(len(quantiles)), quantiles))).astype(np.int64)
        texts = _written(vocabulary, language, wanted, rng)
        if exact:
            texts = [_fitted(text, int(quantiles[0]), int(quantiles[-1])) for text in texts]
        out[start : start + size] = texts
    return out


@cache
def _vocabulary(locale: str) -> tuple[tuple[str, ...], Language]:
    """The words of the locale's language: Faker's list, else the one here, else Faker's Latin."""
    language = of_locale(locale) or Language(locale)
    if language.words:
        return (*language.words, *language.common), language
    listed = next((each for each in (locale, language.locale) if find_spec(f"faker.providers.lorem.{each}")), "la")
    provider = import_module(f"faker.providers.lorem.{listed}").Provider
    return tuple(dict.fromkeys(str(word).strip() for word in provider.word_list)), language


def _written(vocabulary: Sequence[str], language: Language, wanted: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Texts of about the wanted lengths, in characters: each takes its share of one long stream of words."""
    gap = 1 if language.spaced else 0
    sizes = np.array([len(word) for word in vocabulary]) + gap
    stream = rng.integers(len(vocabulary), size=int((wanted + gap).sum() / sizes.mean() * 1.1) + 40)
    reach = np.cumsum(sizes[stream])
    ends = np.searchsorted(reach, np.cumsum(wanted + gap), side="left") + 1
    starts = np.concatenate([[0], ends[:-1]])
    breaks = rng.integers(*_SENTENCE, size=len(wanted), endpoint=True)
    words = [vocabulary[i] for i in stream]
    return [
        _sentences(words[start : max(end, start + 1)], language, int(length))
        for start, end, length in zip(starts, ends, breaks)
    ]


def _sentences(words: list[str], language: Language, length: int) -> str:
    """Words as sentences of about that many words each."""
    between = " " if language.spaced else ""
    if len(words) < _SHORT:
        return _capital(between.join(words))
    count = max(1, round(len(words) / length))
    cuts = [round(i * len(words) / count) for i in range(count + 1)]
    parts = [_capital(between.join(words[a:b])) + language.stop for a, b in pairwise(cuts)]
    return between.join(parts).strip()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _fitted(text: str, low: int, high: int) -> str:
    """The text within low and high characters: cut after a word where one ends, lengthened by its own words."""
    while len(text) < low:
        text = f"{text} {text}"
    if len(text) <= high:
        return text
    cut = text[:high]
    return cut[: cut.rfind(" ")] if low <= cut.rfind(" ") else cut
