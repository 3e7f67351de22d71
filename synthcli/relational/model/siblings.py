"""The rows of one parent, in their order: what was before each of them, and the waves in which they are made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthcli.relational.model.context import Aspect, taken

SINGLE = 32  # siblings that come one after the other; of more, a wave makes one for every STRETCH that are there
STRETCH = 8


@dataclass(frozen=True)
class Siblings:
    """Rows laid out parent by parent. owner: (rows,) position of the parent, NULL where there is none; n: how many
    siblings; i: which one.
    """

    owner: np.ndarray
    n: np.ndarray
    i: np.ndarray

    @classmethod
    def of(cls, owner: np.ndarray, parents: int) -> Siblings:
        """owner: sorted, so that those of one parent are together."""
        counts = np.bincount(owner[owner >= 0], minlength=parents)
        start = np.cumsum(counts) - counts + int((owner < 0).sum())
        has = owner >= 0
        return cls(
            owner,
            np.where(has, counts[owner] if parents else 0, 0),
            np.where(has, np.arange(len(owner)) - (start[owner] if parents else 0), 0),
        )

    @property
    def before(self) -> np.ndarray:
        """The position of the previous sibling, -1 where there is none. (rows,)"""
        return np.where(self.i > 0, np.arange(len(self.i)) - 1, -1)

    def earlier_mean(self, values: np.ndarray) -> np.ndarray:
        """The mean of the numbers of all earlier siblings that have one, NaN where there is none. (rows,)"""
        known = ~np.isnan(values)
        total, count = np.cumsum(np.where(known, values, 0.0)), np.cumsum(known)
        here = np.arange(len(values))
        first, last = here - self.i, here - 1
        sums = np.where(self.i > 0, total[last] - total[first] + np.where(known, values, 0.0)[first], 0.0)
        counts = np.where(self.i > 0, count[last] - count[first] + known[first], 0)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True)
class Past:
    """What a row knows of a column of its earlier siblings: the last value, and of numbers the mean so far."""

    last: Aspect
    mean: Aspect | None

    @property
    def source(self) -> str:
        return self.last.source


class Memory:
    """The past of every parent while its rows are made."""

    def __init__(self, pasts: Sequence[Past], parents: int) -> None:
        self.pasts = pasts
        self.last = {
            p.source: np.full(parents, None, dtype=object) if p.last.code else np.full(parents, np.nan) for p in pasts
        }
        self.sum = {p.source: np.zeros(parents) for p in pasts if p.mean}
        self.count = {p.source: np.zeros(parents) for p in pasts if p.mean}

    def put(self, into: dict[str, np.ndarray], parents: np.ndarray) -> None:
        """Add the context of rows of these parents."""
        for past in self.pasts:
            past.last.put(into, taken(self.last[past.source], parents))
            if past.mean:
                total, count = self.sum[past.source], self.count[past.source]
                past.mean.put(into, taken(np.where(count > 0, total / np.maximum(count, 1), np.nan), parents))

    def add(self, parents: np.ndarray, made: Mapping[str, np.ndarray], ends: np.ndarray) -> None:
        """Rows that were made, parent by parent. made: cells by column; ends: positions of each parent's last row among
        them.
        """
        for past in self.pasts:
            values = made[past.source]
            self.last[past.source][parents[ends]] = values[ends]
            if past.mean:
                known = ~np.isnan(values)
                self.sum[past.source] += np.bincount(
                    parents, np.where(known, values, 0.0), minlength=len(self.sum[past.source])
                )
                self.count[past.source] += np.bincount(parents, known, minlength=len(self.count[past.source]))


@dataclass(frozen=True)
class Wave:
    """parents: (w,) those that have a row in it; first: (w,) each one's first row; many: (w,) how many; rows: (rows,)
    all of them.
    """

    parents: np.ndarray
    first: np.ndarray
    many: np.ndarray
    rows: np.ndarray

    @property
    def owners(self) -> np.ndarray:
        return np.repeat(self.parents, self.many)

    @property
    def ends(self) -> np.ndarray:
        return np.cumsum(self.many) - 1


def waves(n: np.ndarray, skip: int = 0, spare: int = 0, *, offset: int = 0) -> Iterator[Wave]:
    """Waves over parents of n rows each, laid out one after the other from `offset` on, but for each one's first `skip`
    and last `spare`.

    The k-th wave is the k-th row of all that have one; after SINGLE, a wave takes several, so that the number of waves
    grows with the logarithm of the longest family, and the whole is linear in rows.
    """
    start, k = np.cumsum(n) - n + offset, skip
    alive = np.flatnonzero(n - spare > k)
    while len(alive):
        step = max(1, k // STRETCH) if k >= SINGLE else 1
        many = np.minimum(step, n[alive] - spare - k)
        first = start[alive] + k
        inside = np.arange(int(many.sum())) - np.repeat(np.cumsum(many) - many, many)
        yield Wave(alive, first, many, np.repeat(first, many) + inside)
        k += step
        alive = alive[n[alive] - spare > k]
