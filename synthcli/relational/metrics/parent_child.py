"""Do children go with their parents as in real data: the pair trends of the table floor, across a relationship."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli.contracts import Evidence, Gauge, Measurement
from synthcli.relational.judging import Trend, joined, lacking, pairs_of, side_by_side, unmeasured

TRENDS = Gauge(
    "parent_child_trend", "higher", frozenset({"control", "relationships", "synthetic"}),
    "mean over pairs of a parent's column (its number of children among them) and a child's of the similarity that column_pair_trends takes",
)  # fmt: skip
GAUGES: tuple[Gauge, ...] = (TRENDS,)


def measure(evidence: Evidence, *, rng: np.random.Generator, trend: Trend, table: Any) -> list[Measurement]:
    """Over the child rows of every relationship beside their parents' columns. trend: `measure` of the table floor's trends; table: its Dataset."""
    if note := lacking(evidence, "control", "synthetic"):
        return unmeasured(GAUGES, note)
    each: list[Measurement] = []
    for r in evidence.control.relationships:
        given = {"control": evidence.control, "synthetic": evidence.synthetic}
        if evidence.full and evidence.train is not None:
            given["train"] = evidence.train
        sides = {side: side_by_side(tables, r, table) for side, tables in given.items()}
        if not all(len(s) for s in sides.values()):
            continue
        names = sides["control"].schema.names
        up, low = [n for n in names if n.startswith("parent.")], [n for n in names if n.startswith("child.")]
        each += pairs_of(TRENDS, evidence, sides, [(a, b) for a in up for b in low], r.name, trend, table, rng=rng)
    return joined(TRENDS, each, len(evidence.synthetic))
