"""Strings that match a regular expression, counted and numbered: the i-th string without making the others."""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from synthcli.errors import SpecError

MORE = 8  # the most repetitions that *, + and {m,} make beyond their least
LONGEST = 4_000  # characters that a pattern may describe in all its alternatives; bounds the time that one string takes
WORD = 2**62  # indices below it are uint64 arrays, others arrays of Python integers

PRINTABLE = "".join(map(chr, range(32, 127)))
_DIGIT = "0123456789"
_WORD = "".join(c for c in PRINTABLE if c.isalnum() or c == "_")
_CLASSES = {
    "d": _DIGIT, "w": _WORD, "s": " ",
    "D": "".join(c for c in PRINTABLE if c not in _DIGIT), "W": "".join(c for c in PRINTABLE if c not in _WORD), "S": PRINTABLE[1:],
}  # fmt: skip
_CONTROLS = {"t": "\t", "n": "\n", "r": "\r"}
_COUNT = re.compile(r"\{(?=[\d,])(\d*)(?:(,)(\d*))?\}")


@dataclass(frozen=True)
class Chars:
    """One character of a set."""

    chars: str

    @property
    def size(self) -> int:
        return len(self.chars)

    @property
    def length(self) -> int:
        return 1

    def nth(self, index: np.ndarray) -> np.ndarray:
        return np.array(list(self.chars), dtype=object)[index.astype(np.int64)]

    def sample(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        return self.nth(rng.integers(self.size, size=rows))


@dataclass(frozen=True)
class Sequence:
    """Parts one after the other; the last part's index turns fastest."""

    parts: tuple[Node, ...]

    @cached_property
    def size(self) -> int:
        return math.prod(p.size for p in self.parts)

    @cached_property
    def length(self) -> int:
        return sum(p.length for p in self.parts)

    def nth(self, index: np.ndarray) -> np.ndarray:
        if self.size <= WORD:
            index = index.astype(np.uint64)
        pieces: list[np.ndarray] = []
        for group, size in _groups(self.parts):
            rest = index % _as(index, size)
            index = index // _as(index, size)
            if size <= WORD:
                rest = rest.astype(np.uint64)
            for part in group:
                pieces.append(part.nth(rest % _as(rest, part.size)))
                rest = rest // _as(rest, part.size)
        return _join(len(index), pieces[::-1])

    def sample(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        return _join(rows, [p.sample(rows, rng) for p in self.parts])


@dataclass(frozen=True)
class Choice:
    """One of several alternatives, numbered one after the other."""

    options: tuple[Node, ...]

    @cached_property
    def size(self) -> int:
        return sum(o.size for o in self.options)

    @cached_property
    def length(self) -> int:
        return sum(o.length for o in self.options)

    def nth(self, index: np.ndarray) -> np.ndarray:
        if self.size <= WORD:
            index = index.astype(np.uint64)
        out = np.empty(len(index), dtype=object)
        start = 0
        for option in self.options:
            here = (index >= _as(index, start)) & (index < _as(index, start + option.size))
            here = here.astype(bool)
            if here.any():
                out[here] = option.nth(index[here] - _as(index, start))
            start += option.size
        return out

    def sample(self, rows: int, rng: np.random.Generator) -> np.ndarray:
        which = rng.integers(len(self.options), size=rows)
        out = np.empty(rows, dtype=object)
        for i, option in enumerate(self.options):
            here = which == i
            out[here] = option.sample(int(here.sum()), rng)
        return out


Node = Chars | Sequence | Choice


def _as(like: np.ndarray, number: int) -> Any:
    """A number that keeps the dtype of the array that it meets."""
    return number if like.dtype == object else np.uint64(number)


def _join(rows: int, pieces: Iterable[np.ndarray]) -> np.ndarray:
    out = np.full(rows, "", dtype=object)
    for piece in pieces:
        out = out + piece
    return out


def _groups(parts: tuple[Node, ...]) -> Iterator[tuple[list[Node], int]]:
    """Parts from the last to the first, in runs whose sizes multiply to one machine word, so that large indices are divided rarely."""
    run: list[Node] = []
    size = 1
    for part in reversed(parts):
        if run and size * part.size > WORD:
            yield run, size
            run, size = [], 1
        run.append(part)
        size *= part.size
    if run:
        yield run, size


@dataclass(frozen=True)
class Pattern:
    """A parsed regular expression. Raises SpecError (from `parse`) for what it does not support, with the position."""

    text: str
    root: Node

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Literals, escapes, classes, groups, alternation, ? * + {m,n}; *, + and {m,} make at most 8 more than their least."""
        return _parse(text)

    @property
    def size(self) -> int:
        """How many strings there are, counted by derivation: a string that can be derived in two ways counts twice."""
        return self.root.size

    @cached_property
    def ambiguous(self) -> bool:
        """Whether some string can be derived in two ways, so that two numbers give the same string."""
        return _Automaton(self.root).ambiguous()

    def nth(self, index: Any) -> np.ndarray:
        """The strings with these numbers, each from 0 to size - 1. (rows,) integers to (rows,) object. Raises IndexError beyond the size."""
        index = np.asarray(index)
        if index.dtype != object and index.dtype.kind not in "iu":
            index = index.astype(object)  # Python integers beyond a machine word
        if len(index) and not (int(index.min()) >= 0 and int(index.max()) < self.size):
            raise IndexError(f"pattern {self.text!r} has {self.size} strings")
        return self.root.nth(index.astype(np.uint64) if self.size <= WORD else index.astype(object))

    def sample(self, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """Strings at random: each alternative, count and character as likely as the next, so that short strings occur too."""
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
    root = parser.choice()
    if not parser.end:
        raise parser.error("an unmatched )")
    return Pattern(text, root)


class _Parser:
    """Recursive descent over a text that `re` has accepted."""

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
        """Skip ^ at the very start and $ at the very end, which every string satisfies."""
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
        self.at += 1  # the closing bracket, which `re` has seen
        return node

    def escape(self) -> str:
        """The characters that the escape at this place stands for."""
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
        """The atom as often as the quantifier after it says, if there is one."""
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


class _Automaton:
    """The position automaton of a pattern: one state per character place (Glushkov 1961). Two different runs over one string,
    or two ways to derive the empty string, mean that the pattern is ambiguous (Book et al. 1971)."""

    def __init__(self, root: Node) -> None:
        self.sets: list[frozenset[str]] = []
        self.next: list[set[int]] = []
        self.twice_empty = False
        first, last, _ = self.walk(root)
        self.first, self.last = first, last

    def walk(self, node: Node) -> tuple[set[int], set[int], bool]:
        """First states, last states, and whether the node derives the empty string."""
        if isinstance(node, Chars):
            self.sets.append(frozenset(node.chars))
            self.next.append(set())
            return {len(self.sets) - 1}, {len(self.sets) - 1}, False
        if isinstance(node, Choice):
            parts = [self.walk(o) for o in node.options]
            self.twice_empty |= sum(empty for _, _, empty in parts) > 1
            return set().union(*(f for f, _, _ in parts)), set().union(*(z for _, z, _ in parts)), any(e for _, _, e in parts)
        first: set[int] = set()
        last: set[int] = set()
        empty = True
        for part in node.parts:
            head, tail, skips = self.walk(part)
            for state in last:
                self.next[state] |= head
            first |= head if empty else set()
            last = last | tail if skips else tail
            empty &= skips
        return first, last, empty

    def ambiguous(self) -> bool:
        if self.twice_empty:
            return True
        pairs = [(i, i) for i in range(len(self.sets))]  # every state is reached by some string
        seen = set(pairs)
        starts: list[tuple[set[int], set[int]]] = [(self.first, self.first)]
        back: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for before, (left, right) in self._steps(starts, pairs):
            for pair in self._common(left, right):
                if before is not None:
                    back.setdefault(pair, []).append(before)
                if pair not in seen:
                    seen.add(pair)
                    pairs.append(pair)
        return self._ends_apart(seen, back)

    def _steps(self, starts: list, pairs: list) -> Iterator[tuple[tuple[int, int] | None, tuple[set[int], set[int]]]]:
        yield from ((None, sets) for sets in starts)
        for pair in pairs:  # grows while it is walked
            yield pair, (self.next[pair[0]], self.next[pair[1]])

    def _common(self, left: set[int], right: set[int]) -> Iterator[tuple[int, int]]:
        return ((min(i, j), max(i, j)) for i in left for j in right if i == j or self.sets[i] & self.sets[j])

    def _ends_apart(self, seen: set[tuple[int, int]], back: dict[tuple[int, int], list[tuple[int, int]]]) -> bool:
        """Whether a pair of different states can go on, over one string, to the end of both."""
        todo = [(i, j) for i, j in seen if i in self.last and j in self.last]
        alive = set(todo)
        while todo:
            pair = todo.pop()
            if pair[0] != pair[1]:
                return True
            for before in back.get(pair, ()):
                if before not in alive:
                    alive.add(before)
                    todo.append(before)
        return False
