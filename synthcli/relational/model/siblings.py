"""Siblings, the rows of one parent in their order: what precedes each of them, and the waves that generate them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from synthcli.relational.model.context import ContextFeature, take_cells

SINGLE = 32  # siblings that are generated one after the other; then a wave takes one for every STRETCH that exist
STRETCH = 8


@dataclass(frozen=True)
class Siblings:
    """Rows sorted by parent. owner: (rows,) position of the parent, NULL without one; n: number of siblings; i: which
    of them a row is.
    """

    owner: np.ndarray
    n: np.ndarray
    i: np.ndarray

    @classmethod
    def of(cls, owner: np.ndarray, parents: int) -> Siblings:
        """Number the rows of each parent. owner: sorted."""
        counts = np.bincount(owner[owner >= 0], minlength=parents)
        start = np.cumsum(counts) - counts + int((owner < 0).sum())
        has = owner >= 0
        return cls(
            owner,
            np.where(has, counts[owner] if parents else 0, 0),
            np.where(has, np.arange(len(owner)) - (start[owner] if parents else 0), 0),
        )

    def counts(self, parents: int) -> np.ndarray:
        """Count the rows of each parent. (parents,)"""
        return np.bincount(self.owner[self.owner >= 0], minlength=parents)

    @property
    def opening(self) -> np.ndarray:
        """The positions of the first row of each parent."""
        return np.flatnonzero((self.owner >= 0) & (self.i == 0))

    @property
    def before(self) -> np.ndarray:
        """The position of the previous sibling, -1 without one. (rows,)"""
        return np.where(self.i > 0, np.arange(len(self.i)) - 1, -1)

    def opened(self, before: np.ndarray, opening: np.ndarray) -> np.ndarray:
        """Put the value of the parent before the first row of each. before: (rows,); opening: (parents,)"""
        return np.where((self.owner >= 0) & (self.i == 0), opening[self.owner], before)

    def earlier_mean(self, values: np.ndarray, opening: np.ndarray | None = None) -> np.ndarray:
        """Compute the mean of a number over all earlier siblings, NaN without one. opening: (parents,) a value that
        comes before them. (rows,)
        """
        known = ~np.isnan(values)
        total, count = np.cumsum(np.where(known, values, 0.0)), np.cumsum(known)
        here = np.arange(len(values))
        first, last = here - self.i, here - 1
        sums = np.where(self.i > 0, total[last] - total[first] + np.where(known, values, 0.0)[first], 0.0)
        counts = np.where(self.i > 0, count[last] - count[first] + known[first], 0)
        if opening is not None:
            above = np.where(self.owner >= 0, opening[self.owner], np.nan)
            sums, counts = sums + np.nan_to_num(above), counts + ~np.isnan(above)
        return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


@dataclass(frozen=True)
class SiblingFeature:
    """A column of the earlier siblings as context: the last value, and of a number also the mean so far.

    opened: whether the parent's column of that name comes before the first of them.
    """

    last: ContextFeature
    mean: ContextFeature | None
    opened: bool = False

    @property
    def source(self) -> str:
        return self.last.source


class SiblingHistory:
    """The last values and the running means of every parent's rows while they are generated. openings: column -> cells
    of the parents that come before their rows, (parents,) each.
    """

    def __init__(self, features: Sequence[SiblingFeature], parents: int, openings: Mapping[str, np.ndarray]) -> None:
        self.features = features
        self.last = {
            f.source: np.full(parents, None, dtype=object) if f.last.code else np.full(parents, np.nan)
            for f in features
        }
        self.sum = {f.source: np.zeros(parents) for f in features if f.mean}
        self.count = {f.source: np.zeros(parents) for f in features if f.mean}
        everyone = np.arange(parents)
        self.add(everyone, openings, everyone)

    def context(self, parents: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context of new rows. parents: (rows,) of each."""
        out: dict[str, np.ndarray] = {}
        for feature in self.features:
            source = feature.source
            out |= feature.last.columns(take_cells(self.last[source], parents))
            if feature.mean:
                total, count = self.sum[source], self.count[source]
                mean = np.where(count > 0, total / np.maximum(count, 1), np.nan)
                out |= feature.mean.columns(take_cells(mean, parents))
        return out

    def add(self, parents: np.ndarray, rows: Mapping[str, np.ndarray], ends: np.ndarray) -> None:
        """Remember new rows. rows: their cells by column, sorted by parent; ends: positions of each parent's last."""
        for feature in (f for f in self.features if f.source in rows):
            source, values = feature.source, rows[feature.source]
            self.last[source][parents[ends]] = values[ends]
            if feature.mean:
                known = ~np.isnan(values)
                size = len(self.sum[source])
                self.sum[source] += np.bincount(parents, np.where(known, values, 0.0), minlength=size)
                self.count[source] += np.bincount(parents, known, minlength=size)


@dataclass(frozen=True)
class Wave:
    """Rows that are generated at once. parents: (w,) that have a row in it; first: (w,) the first row of each; many:
    (w,) how many; rows: (rows,) all of them, sorted by parent.
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
    """Divide the rows of parents with n rows each into waves, leaving out the first `skip` and last `spare` of each.

    Rows are sorted by parent, from position `offset` on. The k-th wave is the k-th row of all parents that have one;
    after SINGLE, a wave takes several, so that the number of waves grows with the logarithm of the largest family.
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
