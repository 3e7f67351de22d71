"""Do rows have as many children as real ones do."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.relational.data import Tables
from synthcli.relational.judging import Z, joined, lacking, unmeasured
from synthcli.relational.relationships import Relationship

CARDINALITY = Gauge(
    "cardinality_shape",
    "higher",
    frozenset({"control", "relationships", "synthetic"}),
    "mean over relationships of 1 - Kolmogorov-Smirnov distance of the numbers of children of a parent, zero "
    "among them",
)
GAUGES: tuple[Gauge, ...] = (CARDINALITY,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """SDMetrics' CardinalityShapeSimilarity with a 95 % interval (delta method at the widest point); the floor is train
    against control.

    A parent that hangs from no privacy unit is in every part, with fewer children in a smaller part: there, children
    are thinned at random until both sides have as many to a parent.
    """
    if note := lacking(evidence, "control", "synthetic"):
        return unmeasured(GAUGES, note)
    control: Tables = evidence.control
    each = []
    shared = {name for name, codes in control.units().items() if codes is None}
    for r in control.relationships:
        value, variance, n = _similar(control, evidence.synthetic, r, r.parent in shared, rng)
        floor = (
            _similar(control, evidence.train, r, r.parent in shared, rng)[0]
            if evidence.full and evidence.train is not None
            else None
        )
        if value is None:
            each.append(
                Measurement(CARDINALITY.name, None, scope="relationship", of=r.name, note=f"{r.parent} has no rows")
            )
            continue
        half = Z * float(np.sqrt(variance))
        low, high = max(0.0, value - half), min(1.0, value + half)
        each.append(
            Measurement(CARDINALITY.name, value, low, high, n, "relationship", r.name, better="higher", floor=floor)
        )
    return joined(CARDINALITY, each, len(evidence.synthetic))


def _similar(
    control: Tables, other: Tables, r: Relationship, thin: bool, rng: np.random.Generator
) -> tuple[float | None, float, int]:
    a, b = control.children(r), other.children(r)
    if not len(a) or not len(b):
        return None, 0.0, 0
    if thin:
        mean = min(a.mean(), b.mean())
        a, b = (_thinned(x, mean, rng) for x in (a, b))
    points = np.unique(np.r_[a, b])
    f, g = (np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (a, b))
    at = int(np.argmax(np.abs(f - g)))
    return float(1 - abs(f[at] - g[at])), float(f[at] * (1 - f[at]) / len(a) + g[at] * (1 - g[at]) / len(b)), len(b)


def _thinned(children: np.ndarray, mean: float, rng: np.random.Generator) -> np.ndarray:
    keep = round(mean * len(children))
    if keep >= children.sum():
        return children
    owners = np.repeat(np.arange(len(children)), children)
    return np.bincount(rng.choice(owners, keep, replace=False), minlength=len(children))
