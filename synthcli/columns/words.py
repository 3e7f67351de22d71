"""Split column names into normalized words: customerFirstName, KUNDEN-NACHNAME, prénom_2."""

from __future__ import annotations

import re
import unicodedata

_BREAKS = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])|[^A-Za-z0-9]+"
)
_LETTERS = str.maketrans(
    {"ß": "ss", "ł": "l", "Ł": "L", "ø": "o", "Ø": "O", "æ": "ae", "Æ": "AE", "œ": "oe", "đ": "d", "ı": "i"}
)


def plain(text: str) -> str:
    """Remove accents from a text: ü becomes u, ł becomes l."""
    decomposed = unicodedata.normalize("NFKD", text.translate(_LETTERS))
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def tokens(name: str) -> tuple[str, ...]:
    """The words of a column name in lower case and without accents; numbers are separate words."""
    return tuple(part.lower() for part in _BREAKS.split(plain(name)) if part)


def listed(text: str) -> tuple[str, ...]:
    """Split a text into words, for long lists of them."""
    return tuple(text.split())
