"""Compare how columns of parents and columns of their children vary together, in synthetic and in real data."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.relational.judging import join_parents, pair_trends

TRENDS = Gauge(
    "parent_child_trend",
    "higher",
    frozenset({"control", "relationships", "synthetic"}),
    "mean over pairs of a parent's column (its number of children among them) and a child's of the similarity "
    "that column_pair_trends takes",
)
GAUGES: tuple[Gauge, ...] = (TRENDS,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Measure the trend of every pair of a parent's and a child's column, for each relationship."""
    return pair_trends(TRENDS, evidence, join_parents, _pairs, rng=rng)


def _pairs(names: list[str]) -> list[tuple[str, str]]:
    return [(a, b) for a in names if a.startswith("parent.") for b in names if b.startswith("child.")]
