"""The nodes of a parsed pattern: character sets, sequences and choices. Each node counts, indexes and samples its
strings.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

WORD = 2**62  # indices below it are uint64 arrays, others arrays of Python integers
STEPS = 3_000_000  # maximum pairs of places in a search for ambiguity: about a second


@dataclass(frozen=True)
class Chars:
    """One character from a set."""

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
    """Parts in sequence; the index of the last part varies fastest."""

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
    """One of several alternatives, indexed consecutively."""

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
    """A number with the dtype of the array to combine it with."""
    return number if like.dtype == object else np.uint64(number)


def _join(rows: int, pieces: Iterable[np.ndarray]) -> np.ndarray:
    out = np.full(rows, "", dtype=object)
    for piece in pieces:
        out = out + piece
    return out


def _groups(parts: tuple[Node, ...]) -> Iterator[tuple[list[Node], int]]:
    """Parts from last to first, in runs whose sizes multiply to one machine word, which minimizes divisions of large
    indices.
    """
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


def places(node: Node) -> list[Chars] | None:
    """The characters at each place of strings of one length; None if a choice makes strings of different shapes."""
    if isinstance(node, Chars):
        return [node]
    if isinstance(node, Choice):
        return None
    parts = [places(part) for part in node.parts]
    return None if any(p is None for p in parts) else [c for p in parts for c in p or ()]


class Automaton:
    """The position automaton of a pattern: one state per character place (Glushkov 1961). Two different runs over one
    string, or two ways to derive the empty string, mean that the pattern is ambiguous (Book et al. 1971)."""

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
            return (
                set().union(*(f for f, _, _ in parts)),
                set().union(*(z for _, z, _ in parts)),
                any(e for _, _, e in parts),
            )
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
        """Whether two different runs accept the same string. Raises OverflowError if STEPS pairs of places do not
        decide it.

        Every state reaches the end, so two diverged runs prove ambiguity as soon as they meet again or can both stop.
        """
        if self.twice_empty:
            return True
        todo = [
            (self.first, self.first),
            *((after, after) for after in self.next),
        ]  # some string reaches each state
        seen: set[tuple[int, int]] = set()
        left = STEPS
        while todo:
            ours, theirs = todo.pop()
            left -= len(ours) * len(theirs)
            if left < 0:
                raise OverflowError("too many pairs of places")
            for i, j in self._common(ours, theirs):
                if ours is theirs and i == j:
                    continue
                if i == j or (i in self.last and j in self.last):
                    return True
                if (i, j) not in seen:
                    seen.add((i, j))
                    todo.append((self.next[i], self.next[j]))
        return False

    def _common(self, ours: set[int], theirs: set[int]) -> Iterator[tuple[int, int]]:
        """Pairs of places reachable by the same character, in either order."""
        return (
            (min(i, j), max(i, j)) for i in ours for j in theirs if i == j or not self.sets[i].isdisjoint(self.sets[j])
        )
