"""The feature matrix of the trees, the screening of wide tables, and the classes that splits are scored on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcli.columns.codec.parts import Part

MAX_CLASSES = 48  # classes of a target: rarer categories share a class, and numbers are cut at quantiles
MAX_BINS = 32  # quantile classes of a numeric target, at most
# at least, and rows per class: on a small table, the few held-out rows of each of many classes refute real splits
MIN_BINS, ROWS_PER_BIN = 4, 500
SCREENING_CLASSES = 16  # classes of a feature when its association is measured
PREDICTORS = 40  # features of a tree, at most: those with the strongest association to the target
SCREENING_ROWS = 5_000  # rows on which associations are measured
SHRINKAGE = 10.0  # weight of the overall mean, in rows, when the mean of a category is estimated


@dataclass(frozen=True)
class Features:
    """The parts of all rows in drawing order.

    x: (features, rows) float32, where a missing value is below all values; sizes: number of codes of each feature, 0
    for a number; units: (rows,) privacy unit of each row, from 0; sample: positions of the screening rows; classes:
    (features, sample) int16 classes of the screening rows, empty if the table is not wide.
    """

    x: np.ndarray
    sizes: list[int]
    units: np.ndarray
    sample: np.ndarray
    classes: np.ndarray

    @classmethod
    def of(
        cls, columns: list[np.ndarray], sizes: list[int], units: np.ndarray, *, rng: np.random.Generator
    ) -> Features:
        rows = len(units)
        x = np.stack([as_feature(c) for c in columns]) if columns else np.zeros((0, rows), dtype=np.float32)
        sample = np.sort(rng.permutation(rows)[:SCREENING_ROWS])
        screened = [feature_classes(row[sample]) for row in x] if len(x) > PREDICTORS else []
        classes = np.stack(screened) if screened else np.zeros((0, len(sample)), dtype=np.int16)
        return cls(x, sizes, units, sample, classes)

    def strongest(self, prefix: int, y: np.ndarray) -> np.ndarray:
        """The first `prefix` features, reduced to the PREDICTORS with the largest chi-square against y.
        (features,) int32
        """
        if prefix <= PREDICTORS:
            return np.arange(prefix, dtype=np.int32)
        target = feature_classes(as_feature(y[self.sample])).astype(np.int64)
        k = int(target.max()) + 1
        strength = np.empty(prefix)
        for j in range(prefix):
            size = int(self.classes[j].max()) + 1
            table = np.bincount(self.classes[j] * k + target, minlength=size * k).reshape(size, k).astype(float)
            expected = table.sum(1, keepdims=True) * table.sum(0) / len(target)
            strength[j] = (table**2 / np.maximum(expected, 1e-12)).sum() - (size - 1) * (k - 1)
        return np.sort(np.argsort(-strength, kind="stable")[:PREDICTORS]).astype(np.int32)


def as_feature(values: np.ndarray) -> np.ndarray:
    """A part as float32, the type that the tree library splits on. A missing value is below all values."""
    return np.clip(np.nan_to_num(values.astype(np.float64), nan=-3e38), -3e38, 3e38).astype(np.float32)


def effect_order(codes: np.ndarray, size: int, score: np.ndarray) -> np.ndarray:
    """Rank of each category by its mean score (Breiman et al. 1984, §4.2). (size,) float32"""
    codes = codes.astype(np.int64)
    total, count = np.bincount(codes, weights=score, minlength=size), np.bincount(codes, minlength=size)
    # shrink towards the overall mean, so that a category with three rows does not rank first or last
    mean = (total + SHRINKAGE * score.mean()) / (count + SHRINKAGE)
    rank = np.empty(size, dtype=np.float32)
    rank[np.argsort(mean, kind="stable")] = np.arange(size)
    return rank


def target_classes(y: np.ndarray, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """The classes on which splits are scored, numbered from 0 without gaps, and a score per row that orders the
    categories of the features.
    """
    if not part.is_code:
        distinct, inverse, counts = np.unique(y, return_inverse=True, return_counts=True)
        rank = (np.cumsum(counts) - counts / 2)[inverse] / len(y)
        bins = int(np.clip(len(y) // ROWS_PER_BIN, MIN_BINS, MAX_BINS))
        if len(distinct) <= bins * MAX_CLASSES // MAX_BINS:
            return inverse, rank
        return _quantile_classes(distinct, counts, bins)[inverse], rank
    counts = np.bincount(y, minlength=part.size)
    score = (y == np.argmax(counts)).astype(np.float64)
    if (counts > 0).sum() <= MAX_CLASSES:
        return (np.cumsum(counts > 0) - 1)[y], score
    by_count = np.argsort(-counts, kind="stable")
    merged = np.empty(part.size, dtype=np.int64)
    merged[by_count[:MAX_CLASSES]] = np.arange(MAX_CLASSES)
    # neighbouring codes of the long tail share a class: codes are in natural order
    tail = np.sort(by_count[MAX_CLASSES : (counts > 0).sum()])
    merged[tail] = MAX_CLASSES + np.arange(len(tail)) * (MAX_CLASSES // 3) // len(tail)
    return np.unique(merged[y], return_inverse=True)[1], y.astype(np.float64)


def _quantile_classes(distinct: np.ndarray, counts: np.ndarray, bins: int) -> np.ndarray:
    """The quantile class of each distinct value. A value that would fill a whole class has a class of its own.
    (distinct,) int64
    """
    share = counts / counts.sum()
    starts = np.flatnonzero(np.diff(np.floor(np.cumsum(share) * bins * (1 - 1e-12)))) + 1
    frequent = np.flatnonzero(share >= 1 / bins)
    is_first = np.zeros(len(distinct) + 1, dtype=np.int64)
    is_first[np.concatenate([starts, frequent, frequent + 1])] = 1
    is_first[0] = 0
    return np.cumsum(is_first[:-1])


def feature_classes(values: np.ndarray) -> np.ndarray:
    """At most SCREENING_CLASSES quantile classes of a feature. (n,) int16"""
    distinct, inverse = np.unique(values, return_inverse=True)
    if len(distinct) <= SCREENING_CLASSES:
        return inverse.astype(np.int16)
    edges = np.unique(np.quantile(values, np.linspace(0, 1, SCREENING_CLASSES + 1)[1:-1]))
    return np.searchsorted(edges, values, side="right").astype(np.int16)
