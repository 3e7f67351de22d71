"""The nodes of a parsed pattern: sets of characters, sequences and choices, each of which counts, numbers and draws its strings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

WORD = 2**62  # indices below it are uint64 arrays, others arrays of Python integers


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


class Automaton:
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
