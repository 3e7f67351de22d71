"""Enumerate the strings that match a regular expression: compute the i-th string without the others."""

from __future__ import annotations

import re
import warnings
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.fake.pattern_nodes import WORD, Automaton, Chars, Choice, Node, Sequence, places
from synthcli.errors import SpecError

__all__ = ["WORD", "Pattern"]

MORE = 8  # maximum repetitions of *, + and {m,} beyond their minimum
LONGEST = 4_000  # maximum characters of a pattern over all its alternatives; bounds the time per string

PRINTABLE = "".join(map(chr, range(32, 127)))
_DIGIT = "0123456789"
_WORD = "".join(c for c in PRINTABLE if c.isalnum() or c == "_")
_CLASSES = {
    "d": _DIGIT,
    "w": _WORD,
    "s": " ",
    "D": "".join(c for c in PRINTABLE if c not in _DIGIT),
    "W": "".join(c for c in PRINTABLE if c not in _WORD),
    "S": PRINTABLE[1:],
}
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_COUNT = re.compile(r"\{(?=[\d,])(\d*)(?:(,)(\d*))?\}")


@dataclass(frozen=True)
class Pattern:
    """A parsed regular expression. `parse` raises SpecError, with the position, for unsupported syntax."""

    text: str
    root: Node

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Supports literals, escapes, classes, groups, alternation, ? * + {m,n}; *, + and {m,} repeat at most 8 times
        beyond their minimum.
        """
        return _parse(text)

    @property
    def size(self) -> int:
        """The number of strings, counted by derivation: a string with two derivations counts twice."""
        return self.root.size

    @cached_property
    def ambiguous(self) -> bool:
        """Whether some string has two derivations, so that two indices give the same string. Raises SpecError if that
        takes too long to decide.
        """
        try:
            return Automaton(self.root).ambiguous()
        except OverflowError:
            raise SpecError(
                f"pattern {self.text!r}: its repetitions within repetitions are too many to tell whether it writes a"
                " string in two ways; remedy: bounds, such as (a{1,3}b){1,2} for (a+b)+, or unique: false"
            ) from None

    def nth(self, index: Any) -> np.ndarray:
        """The strings with these indices, from 0 to size - 1. (rows,) integers to (rows,) object. Raises IndexError
        beyond the size.
        """
        index = np.asarray(index)
        if index.dtype != object and index.dtype.kind not in "iu":
            index = index.astype(object)  # Python integers beyond a machine word
        if len(index) and not (int(index.min()) >= 0 and int(index.max()) < self.size):
            raise IndexError(f"pattern {self.text!r} has {self.size} strings")
        return self.root.nth(index.astype(np.uint64) if self.size <= WORD else index.astype(object))

    @cached_property
    def places(self) -> list[Chars] | None:
        """The characters at each place; None for strings of different shapes."""
        return places(self.root)

    def without(self, removed: Collection[int]) -> Pattern | None:
        """The pattern without these places; None for strings of different shapes."""
        if self.places is None:
            return None
        kept = tuple(chars for i, chars in enumerate(self.places) if i not in removed)
        return Pattern(self.text, Sequence(kept))

    def index(self, words: pd.Series) -> np.ndarray | None:
        """The indices of strings of one length, -1 for strings that do not match. (rows,) int64; None for strings of
        different shapes, and beyond WORD.
        """
        if self.places is None or self.size > WORD:
            return None
        right = (words.str.len() == len(self.places)).to_numpy(dtype=bool)
        found = np.zeros(len(words), dtype=np.int64)
        letters = np.array([list(w) for w in words[right]], dtype=object).reshape(int(right.sum()), len(self.places))
        index, fits = np.zeros(len(letters), dtype=np.int64), np.ones(len(letters), dtype=bool)
        for chars, column in zip(self.places, letters.T):
            digit = np.array([chars.chars.find(c) for c in column], dtype=np.int64)
            fits &= digit >= 0
            index = index * chars.size + np.maximum(digit, 0)
        found[right] = np.where(fits, index, -1)
        return np.where(right, found, -1)

    def sample(self, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """Sample strings. All alternatives, counts and characters are equally likely, so short strings occur too."""
        return self.root.sample(rows, rng)


@lru_cache(maxsize=256)
def _parse(text: str) -> Pattern:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(text)
    except (re.error, OverflowError, RecursionError) as error:
        raise SpecError(f"pattern {text!r} is not a regular expression: {error}") from None
    parser = _Parser(text)
    try:
        root = parser.choice()
    except RecursionError:
        raise SpecError(f"pattern {text!r}: groups are nested too deep; remedy: fewer brackets") from None
    if not parser.end:
        raise parser.error("an unmatched )")
    return Pattern(text, root)


class _Parser:
    """Recursive descent over a text that `re` accepts."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    @property
    def end(self) -> bool:
        return self.at >= len(self.text)

    def error(self, what: str, at: int | None = None) -> SpecError:
        return SpecError(f"pattern {self.text!r}: {what} at position {self.at if at is None else at} is not supported")

    def sees(self, start: str) -> bool:
        return self.text.startswith(start, self.at)

    def choice(self) -> Node:
        options = [self.sequence()]
        while self.sees("|"):
            self.at += 1
            options.append(self.sequence())
        return self.bounded(_choice(options))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while not self.end and self.text[self.at] not in "|)":
            if self.anchor():
                continue
            atom = self.atom()
            parts.append(self.repeated(atom))
        return self.bounded(_sequence(parts))

    def bounded(self, node: Node) -> Node:
        if node.length > LONGEST:
            raise self.error(f"a part of more than {LONGEST} characters in all its alternatives before")
        return node

    def anchor(self) -> bool:
        """Skip ^ at the very start and $ at the very end, which every string matches."""
        here = self.text[self.at]
        if here not in "^$":
            return False
        before, after = self.text[: self.at].strip("(^"), self.text[self.at + 1 :].strip(")$")
        if (here == "^" and before) or (here == "$" and after):
            raise self.error(f"the anchor {here} inside")
        self.at += 1
        return True

    def atom(self) -> Node:
        here = self.text[self.at]
        if here == "(":
            return self.group()
        if here == "[":
            return self.char_class()
        if here == "\\":
            chars = self.escape()
        else:
            self.at += 1
            chars = PRINTABLE if here == "." else here
        return Chars(chars)

    def group(self) -> Node:
        start = self.at
        self.at += 1
        if self.sees("?"):
            named = re.compile(r"\?(?::|P<\w+>)").match(self.text, self.at)
            if not named:
                raise self.error(f"the group {self.text[start : start + 4]!r}", start)
            self.at = named.end()
        node = self.choice()
        self.at += 1  # the closing bracket, which `re` has checked
        return node

    def escape(self) -> str:
        """The characters of the escape sequence at this position."""
        at, name = self.at, self.text[self.at + 1]
        self.at += 2
        if name in _CLASSES:
            return _CLASSES[name]
        if name in _CONTROLS:
            return _CONTROLS[name]
        if name in "xu":
            digits = 2 if name == "x" else 4
            self.at += digits
            return chr(int(self.text[at + 2 : self.at], 16))
        if name.isalnum():
            raise self.error(f"the escape \\{name}", at)
        return name

    def char_class(self) -> Chars:
        start = self.at
        self.at += 1
        negated = self.sees("^")
        self.at += negated
        members: list[str] = []
        first = self.at
        while not self.sees("]") or self.at == first:
            low = self.member()
            if self.sees("-") and not self.sees("-]"):
                self.at += 1
                members.append("".join(map(chr, range(ord(low), ord(self.member()) + 1))))
            else:
                members.append(low)
        self.at += 1
        chosen = dict.fromkeys("".join(members))
        chars = "".join(c for c in PRINTABLE if c not in chosen) if negated else "".join(chosen)
        if not chars:
            raise self.error("a class without printable characters", start)
        return Chars(chars)

    def member(self) -> str:
        if self.sees("\\"):
            if self.sees("\\b"):
                raise self.error("the escape \\b")
            return self.escape()
        self.at += 1
        return self.text[self.at - 1]

    def repeated(self, atom: Node) -> Node:
        """The atom, repeated if a quantifier follows it."""
        found = _COUNT.match(self.text, self.at)
        if found:
            low = int(found[1] or 0)
            high = low if not found[2] else int(found[3]) if found[3] else low + MORE
            self.at = found.end()
        elif not self.end and self.text[self.at] in "?*+":
            low = int(self.sees("+"))
            high = 1 if self.sees("?") else low + MORE
            self.at += 1
        else:
            return atom
        if self.sees("+"):
            raise self.error("a possessive quantifier")
        self.at += self.sees("?")  # lazy or greedy: the same strings
        if (low + high) * max(1, high - low + 1) * atom.length // 2 > LONGEST:
            raise self.error(f"a repetition of more than {LONGEST} characters in all its alternatives before")
        return _choice([_sequence([atom] * n) for n in range(low, high + 1)])


def _choice(options: list[Node]) -> Node:
    return options[0] if len(options) == 1 else Choice(tuple(options))


def _sequence(parts: list[Node]) -> Node:
    return parts[0] if len(parts) == 1 else Sequence(tuple(parts))
