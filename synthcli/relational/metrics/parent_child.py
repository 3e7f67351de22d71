"""Do children go with their parents as in real data: the pair trends of the table floor, across a relationship."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.relational.judging import Trend, across, side_by_side

TRENDS = Gauge(
    "parent_child_trend",
    "higher",
    frozenset({"control", "relationships", "synthetic"}),
    "mean over pairs of a parent's column (its number of children among them) and a child's of the similarity "
    "that column_pair_trends takes",
)
GAUGES: tuple[Gauge, ...] = (TRENDS,)


def measure(evidence: Evidence, *, rng: np.random.Generator, trend: Trend, table: Any) -> list[Measurement]:
    """Over the child rows of every relationship beside their parents' columns. trend: `measure` of the table floor's
    trends; table: its Dataset.
    """

    def pairs(names: list[str]) -> list[tuple[str, str]]:
        return [(a, b) for a in names if a.startswith("parent.") for b in names if b.startswith("child.")]

    return across(TRENDS, evidence, lambda tables, r: side_by_side(tables, r, table), pairs, trend, table, rng=rng)
