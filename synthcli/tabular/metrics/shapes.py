"""Similarity of each column's distribution, and of its share of nulls."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.intervals import Piece

SHAPES = Gauge(
    "column_shapes",
    "higher",
    frozenset({"control", "synthetic"}),
    "mean over columns of 1 - Kolmogorov-Smirnov distance (numbers, times) or 1 - total variation (categories, "
    "booleans)",
)
MISSING = Gauge(
    "missing_values",
    "higher",
    frozenset({"control", "synthetic"}),
    "mean over columns of 1 - difference of the shares of nulls",
)
WORST = Gauge(
    "worst_column_shape",
    "higher",
    frozenset({"control", "synthetic"}),
    "shape of the column that falls furthest below real data, raised by what the worst of so many shows by chance",
)
GAUGES: tuple[Gauge, ...] = (SHAPES, WORST, MISSING)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """The metrics, overall and by column, as in SDMetrics, except that an all-null synthetic column scores 0.
    Interval: 95 % delta method.
    """
    if note := intervals.missing_evidence(evidence, "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    encoded = intervals.encode_evidence(evidence, rng=rng)
    return [
        *intervals.by_column(evidence, SHAPES, encoded, ks_complement, tv_complement, worst=WORST),
        *intervals.by_column(
            evidence,
            MISSING,
            encoded,
            lambda a, b: _nulls(np.isnan(a), np.isnan(b)),
            lambda a, b, _: _nulls(a < 0, b < 0),
        ),
    ]


def ks_complement(control: np.ndarray, other: np.ndarray) -> Piece | None:
    """1 - sup |F - G| over the non-null values; None if control is all null."""
    a, b = control[~np.isnan(control)], other[~np.isnan(other)]
    if not len(a):
        return None
    if not len(b):
        return 0.0, np.zeros(len(control)), np.zeros(len(other))
    a, b = np.sort(a), np.sort(b)
    points = np.concatenate([a, b])
    f, g = np.searchsorted(a, points, side="right") / len(a), np.searchsorted(b, points, side="right") / len(b)
    at = int(np.argmax(np.abs(f - g)))
    sign = np.sign(f[at] - g[at])
    ours = np.where(np.isnan(control), 0, (control <= points[at]) - f[at]) * (len(control) / len(a))
    theirs = np.where(np.isnan(other), 0, (other <= points[at]) - g[at]) * (len(other) / len(b))
    return float(1 - abs(f[at] - g[at])), -sign * ours, sign * theirs


def tv_complement(control: np.ndarray, other: np.ndarray, size: int) -> Piece | None:
    """1 - half the sum of |p - q| over the categories, nulls left out; None if control is all null."""
    n, m = int((control >= 0).sum()), int((other >= 0).sum())
    if not n:
        return None
    if not m:
        return 0.0, np.zeros(len(control)), np.zeros(len(other))
    p, q = np.bincount(control[control >= 0], minlength=size) / n, np.bincount(other[other >= 0], minlength=size) / m
    sign = np.append(np.sign(p - q), 0) / 2  # null, -1, indexes the last entry
    ours = np.where(control < 0, 0, sign[control] - (p * sign[:-1]).sum()) * (len(control) / n)
    theirs = np.where(other < 0, 0, sign[other] - (q * sign[:-1]).sum()) * (len(other) / m)
    return float(1 - np.abs(p - q).sum() / 2), -ours, theirs


def _nulls(control: np.ndarray, other: np.ndarray) -> Piece:
    p, q = control.mean(), other.mean()
    sign = np.sign(p - q)
    return float(1 - abs(p - q)), -sign * (control - p), sign * (other - q)
