"""Compare the numbers of children of parents in synthetic and in real data."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.relational.data import Tables
from synthcli.relational.judging import count_similarity, missing_part, unmeasured, with_mean
from synthcli.relational.relationships import Relationship
from synthcli.tabular.judging import intervals

CARDINALITY = Gauge(
    "cardinality_shape",
    "higher",
    frozenset({"control", "relationships", "synthetic"}),
    "mean over relationships of 1 - Kolmogorov-Smirnov distance of the numbers of children of a parent, zero "
    "among them",
)
GAUGES: tuple[Gauge, ...] = (CARDINALITY,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Measure SDMetrics' CardinalityShapeSimilarity with a 95 % interval (delta method at the widest point).

    The floor compares train with control. A parent table without privacy units is in every part, with fewer children
    in a smaller part: there, children are thinned at random until both sides have as many per parent.
    """
    if note := missing_part(evidence, "control", "synthetic"):
        return unmeasured(GAUGES, note)
    control: Tables = evidence.control
    shared = {name for name, codes in control.units().items() if codes is None}
    each = [_of_relationship(evidence, r, r.parent in shared, rng) for r in control.relationships]
    return with_mean(CARDINALITY, each, len(evidence.synthetic))


def _of_relationship(evidence: Evidence, r: Relationship, thin: bool, rng: np.random.Generator) -> Measurement:
    control: Tables = evidence.control
    value, variance, n = _similarity(control, evidence.synthetic, r, thin, rng)
    floor = None
    if evidence.full and evidence.train is not None:
        floor = _similarity(control, evidence.train, r, thin, rng)[0]
    if value is None:
        return Measurement(CARDINALITY.name, None, scope="relationship", of=r.name, note=f"{r.parent} has no rows")
    low, high = intervals.around(value, variance)
    return Measurement(CARDINALITY.name, value, low, high, n, "relationship", r.name, better="higher", floor=floor)


def _similarity(
    control: Tables, other: Tables, r: Relationship, thin: bool, rng: np.random.Generator
) -> tuple[float | None, float, int]:
    """Return the similarity, its variance and the number of parents."""
    a, b = control.children(r), other.children(r)
    if not len(a) or not len(b):
        return None, 0.0, 0
    if thin:
        mean = min(a.mean(), b.mean())
        a, b = (_thinned(x, mean, rng) for x in (a, b))
    return *count_similarity(a, b), len(b)


def _thinned(children: np.ndarray, mean: float, rng: np.random.Generator) -> np.ndarray:
    keep = round(mean * len(children))
    if keep >= children.sum():
        return children
    owners = np.repeat(np.arange(len(children)), children)
    return np.bincount(rng.choice(owners, keep, replace=False), minlength=len(children))
