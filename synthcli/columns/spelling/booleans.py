"""Booleans as text: pairs of words, in several spellings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

PAIRS = (
    ("true", "false"),
    ("yes", "no"),
    ("y", "n"),
    ("t", "f"),
    ("1", "0"),
    ("1.0", "0.0"),
    ("on", "off"),
    ("ja", "nein"),
    ("j", "n"),
    ("wahr", "falsch"),
    ("oui", "non"),
    ("o", "n"),
    ("vrai", "faux"),
    ("si", "no"),
    ("sí", "no"),
    ("s", "n"),
    ("sim", "não"),
    ("vero", "falso"),
    ("tak", "nie"),
)


@dataclass(frozen=True)
class Found:
    """The booleans of words, the pairs that spell them, and which word has which."""

    values: list[bool]
    forms: tuple[str, ...]
    of_word: list[int]


def tell(words: Sequence[str], *, declared: bool = False, own: tuple[tuple[str, str], ...] = ()) -> Found | None:
    """Read distinct words as booleans in several spellings, of which each is a pair such as True|False; None if they
    are not all booleans. declared: whether the spec says so; else only true and false are; own: declared pairs.
    """
    pairs = own or (PAIRS if declared else PAIRS[:1])
    values, forms, of_word = [], dict[str, int](), []
    known = {word.lower() for word in words}
    for word in words:
        pair = next((p for p in _ordered(pairs, known) if word.lower() in _lower(p)), None)
        if pair is None:
            return None
        values.append(word.lower() == pair[0].lower())
        styled = [_styled(w, word) for w in pair]
        of_word.append(forms.setdefault("|".join(styled), len(forms)))
    return Found(values, tuple(forms), of_word)


def _ordered(pairs: Sequence[tuple[str, str]], known: set[str]) -> list[tuple[str, str]]:
    """Pairs of which both words occur first: `n` is the no of `y` where there is a y."""
    return sorted(pairs, key=lambda pair: -sum(word in known for word in _lower(pair)))


def _styled(word: str, like: str) -> str:
    """A word in the case of another."""
    return (
        word.upper()
        if like.isupper() and (len(like) > 1 or like.isalpha())
        else word.title()
        if like[:1].isupper()
        else word
    )


def _lower(pair: tuple[str, str]) -> tuple[str, str]:
    return pair[0].lower(), pair[1].lower()
