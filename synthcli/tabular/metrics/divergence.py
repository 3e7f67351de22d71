"""Kullback-Leibler divergence and Wasserstein distance of each column from the real one."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.intervals import Piece

KL = Gauge(
    "kl_divergence",
    "lower",
    frozenset({"control", "synthetic"}),
    "KL(control || synthetic), mean over columns; numbers binned at control's deciles, null as a class, 1/2 "
    "added to each count",
    "nats",
)
WASSERSTEIN = Gauge(
    "wasserstein", "lower", frozenset({"control", "synthetic"}),
    "Wasserstein-1 distance over control's standard deviation, mean over number columns", "standard deviations",
)  # fmt: skip
GAUGES: tuple[Gauge, ...] = (KL, WASSERSTEIN)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Both metrics, overall and by column. Finite samples bias KL upwards by about cells / 2n: compare it with
    the floor.
    """
    if note := intervals.missing_evidence(evidence, "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    encoded = intervals.encode_evidence(evidence, rng=rng)
    return [
        *intervals.by_column(evidence, KL, encoded, kl_number, kl_category, top=np.inf),
        *intervals.by_column(evidence, WASSERSTEIN, encoded, scaled_wasserstein, None, top=np.inf),
    ]


def kl_category(control: np.ndarray, other: np.ndarray, size: int) -> Piece:
    """KL over the categories of either table, including null if either has nulls."""
    counts = [np.bincount(codes + 1, minlength=size + 1) for codes in (control, other)]  # cell 0 is null
    used = (counts[0] + counts[1]) > 0
    p, q = (np.where(used, c + 0.5, 0) / (c.sum() + used.sum() / 2) for c in counts)
    log = np.log(np.divide(p, q, out=np.ones_like(p), where=used))
    value = float((p * log).sum())
    ratio = np.divide(p, q, out=np.ones_like(p), where=used)
    return max(value, 0.0), log[control + 1] - value, 1 - ratio[other + 1]


def kl_number(control: np.ndarray, other: np.ndarray) -> Piece | None:
    """KL over bins at control's deciles; None if control is all null."""
    known = control[~np.isnan(control)]
    if not len(known):
        return None
    edges = np.unique(np.quantile(known, np.arange(1, 10) / 10))
    cells = [np.where(np.isnan(x), -1, np.searchsorted(edges, x, side="right")) for x in (control, other)]
    return kl_category(cells[0], cells[1], len(edges) + 1)


def scaled_wasserstein(control: np.ndarray, other: np.ndarray) -> Piece | None:
    """Integral of |F - G| over control's standard deviation, nulls left out; None if control is constant or either
    is all null.
    """
    a, b = control[~np.isnan(control)], other[~np.isnan(other)]
    if not len(a) or not len(b) or not a.std() > 0:
        return None
    points = np.sort(np.concatenate([a, b]))
    steps = np.diff(points, append=points[-1])
    f = np.searchsorted(np.sort(a), points, side="right") / len(a)
    g = np.searchsorted(np.sort(b), points, side="right") / len(b)
    slope = np.sign(f - g) * steps / a.std()
    after = np.append(np.cumsum(slope[::-1])[::-1], 0.0)  # integral of sign(F - G) from each point on

    def influence(x: np.ndarray, cdf: np.ndarray, n: int) -> np.ndarray:
        return np.where(np.isnan(x), 0, after[np.searchsorted(points, x)] - (slope * cdf).sum()) * (len(x) / n)

    return float((slope * (f - g)).sum()), influence(control, f, len(a)), -influence(other, g, len(b))
