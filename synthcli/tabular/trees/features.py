"""What trees may split on: the parts of a codec as a matrix, and which of its columns a target has to do with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcli.columns.codec.parts import Part

CLASSES = (
    48  # classes that a split is scored on: more categories share them, numbers of more values are cut at quantiles
)
BINS = 32  # quantile classes of a number, at most
FEWEST, BIN_ROWS = (
    4,
    500,
)  # at least; and rows for each: with more classes, the few held-out rows of a small table refute what is true
CELLS = 16  # classes of a feature, when association is measured
PREDICTORS = 40  # features that a tree looks at; where there are more, those of the strongest association
SCREENED = 5_000  # rows that association is measured on
SHRINK = 10.0  # rows that the overall mean is worth in the mean of a category


@dataclass(frozen=True)
class Features:
    """All rows' parts, in the order in which they are drawn.

    x: (features, rows) float32, no value lies below all values; sizes: codes of a feature, 0 for a number; units:
    (rows,) privacy unit of each row, from 0; cells: (features, sample) int16 classes of the rows at `sample`, to screen
    wide tables by.
    """

    x: np.ndarray
    sizes: list[int]
    units: np.ndarray
    sample: np.ndarray
    cells: np.ndarray

    @classmethod
    def of(
        cls, columns: list[np.ndarray], sizes: list[int], units: np.ndarray, *, rng: np.random.Generator
    ) -> Features:
        rows = len(units)
        x = np.stack([as_feature(c) for c in columns]) if columns else np.zeros((0, rows), dtype=np.float32)
        sample = np.sort(rng.permutation(rows)[:SCREENED])
        screened = [cells(row[sample]) for row in x] if len(x) > PREDICTORS else []
        return cls(
            x, sizes, units, sample, np.stack(screened) if screened else np.zeros((0, len(sample)), dtype=np.int16)
        )

    def strongest(self, prefix: int, y: np.ndarray) -> np.ndarray:
        """The first `prefix` features, or the PREDICTORS of them with the largest chi-square against y. (features,)
        int32
        """
        if prefix <= PREDICTORS:
            return np.arange(prefix, dtype=np.int32)
        target = cells(as_feature(y[self.sample])).astype(np.int64)
        k = int(target.max()) + 1
        strength = np.empty(prefix)
        for j in range(prefix):
            size = int(self.cells[j].max()) + 1
            table = np.bincount(self.cells[j] * k + target, minlength=size * k).reshape(size, k).astype(float)
            expected = table.sum(1, keepdims=True) * table.sum(0) / len(target)
            strength[j] = (table**2 / np.maximum(expected, 1e-12)).sum() - (size - 1) * (k - 1)
        return np.sort(np.argsort(-strength, kind="stable")[:PREDICTORS]).astype(np.int32)


def as_feature(values: np.ndarray) -> np.ndarray:
    """A part as a feature. float32, which is what the tree library splits on; no value lies below all values."""
    return np.clip(np.nan_to_num(values.astype(np.float64), nan=-3e38), -3e38, 3e38).astype(np.float32)


def effect_order(codes: np.ndarray, size: int, score: np.ndarray) -> np.ndarray:
    """Places of the categories when ordered by their mean score (Breiman et al. 1984, §4.2). (size,) float32"""
    codes = codes.astype(np.int64)
    total, count = np.bincount(codes, weights=score, minlength=size), np.bincount(codes, minlength=size)
    # shrunk towards the overall mean, so that a category of three rows does not stand at an end
    mean = (total + SHRINK * score.mean()) / (count + SHRINK)
    place = np.empty(size, dtype=np.float32)
    place[np.argsort(mean, kind="stable")] = np.arange(size)
    return place


def classes_of(y: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """The classes that splits are scored on, from 0 without gaps, and one score per row by which categories of features
    are ordered.
    """
    if not part.is_code:
        distinct, place, counts = np.unique(y, return_inverse=True, return_counts=True)
        rank = (np.cumsum(counts) - counts / 2)[place] / len(y)
        bins = int(np.clip(len(y) // BIN_ROWS, FEWEST, BINS))
        return (place if len(distinct) <= bins * CLASSES // BINS else _cut(distinct, counts, bins)[place]), rank
    counts = np.bincount(y, minlength=part.size)
    score = (y == np.argmax(counts)).astype(np.float64)
    if (counts > 0).sum() <= CLASSES:
        return (np.cumsum(counts > 0) - 1)[y], score
    by_count = np.argsort(-counts, kind="stable")
    merged = np.empty(part.size, dtype=np.int64)
    merged[by_count[:CLASSES]] = np.arange(CLASSES)
    # the long tail shares classes of neighbouring codes, which stand in natural order
    tail = np.sort(by_count[CLASSES : (counts > 0).sum()])
    merged[tail] = CLASSES + np.arange(len(tail)) * (CLASSES // 3) // len(tail)
    return np.unique(merged[y], return_inverse=True)[1], y.astype(np.float64)


def _cut(distinct: np.ndarray, counts: np.ndarray, bins: int) -> np.ndarray:
    """The class of each distinct value: quantile classes, with a class of its own for a value that would fill one.
    (distinct,) int64
    """
    share = counts / counts.sum()
    heavy = share >= 1 / bins
    starts = np.flatnonzero(np.diff(np.floor(np.cumsum(share) * bins * (1 - 1e-12)))) + 1
    alone = np.flatnonzero(heavy)
    first = np.zeros(len(distinct) + 1, dtype=np.int64)
    first[np.concatenate([starts, alone, alone + 1])] = 1
    first[0] = 0
    return np.cumsum(first[:-1])


def cells(values: np.ndarray) -> np.ndarray:
    """At most CELLS classes of a feature by its order. (n,) int16"""
    distinct, place = np.unique(values, return_inverse=True)
    if len(distinct) <= CELLS:
        return place.astype(np.int16)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, CELLS + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.int16)
