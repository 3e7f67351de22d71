"""Compare the numbers of rows that units have in synthetic and in real data."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.relational.judging import count_similarity, missing_part, unmeasured
from synthcli.tabular.evidence import TableEvidence
from synthcli.tabular.judging import intervals

ROWS = Gauge(
    "rows_per_unit",
    "higher",
    frozenset({"control", "units", "synthetic"}),
    "1 - Kolmogorov-Smirnov distance of the numbers of rows of a privacy unit",
)
GAUGES: tuple[Gauge, ...] = (ROWS,)
SINGLE = "rows were chosen one by one to meet generate.balance or generate.fairness, so units lack some of theirs"


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Measure the similarity with a 95 % interval; the floor compares train with control."""
    if note := missing_part(evidence, "control", "synthetic"):
        return unmeasured(GAUGES, note)
    if isinstance(evidence, TableEvidence) and evidence.single_rows:
        return intervals.not_measurable([ROWS], SINGLE)
    real, synthetic = (np.bincount(part.units()) for part in (evidence.control, evidence.synthetic))
    value, variance = count_similarity(real, synthetic)
    floor = None
    if evidence.full and evidence.train is not None:
        floor = count_similarity(real, np.bincount(evidence.train.units()))[0]
    low, high = intervals.around(value, variance)
    return [Measurement(ROWS.name, value, low, high, len(synthetic), better=ROWS.better, floor=floor)]
