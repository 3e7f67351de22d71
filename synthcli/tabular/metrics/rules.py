"""The share of synthetic records that violate the constraints of the spec."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli.columns.constraints.uniqueness import Watch
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.errors import DataError
from synthcli.tabular.judging import intervals

VIOLATIONS = Gauge(
    "constraint_violations",
    "lower",
    frozenset({"constraints", "synthetic"}),
    "share of written records that violate any constraint",
    "share",
)
GAUGES: tuple[Gauge, ...] = (VIOLATIONS,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Share of rows that violate any constraint, and each constraint (scope rule); Wilson interval. control: the share
    among train rows.

    Synthetic rows are all rows of all copies, as a reader of the output gets them.
    """
    if not evidence.constraints:
        return []
    if note := intervals.missing_evidence(evidence, "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    real = {"control": evidence.train} | (
        {"floor": evidence.control, "baseline": evidence.baseline} if evidence.full else {}
    )
    try:
        hits, n = _count_written(evidence)
    except DataError as error:
        return intervals.unmeasured(GAUGES, f"the written rows cannot be read again: {error}")
    if not n:
        return intervals.unmeasured(GAUGES, "no synthetic records")
    shares = {side: _shares(evidence, table) for side, table in real.items() if table is not None and len(table)}
    names = [{}, *({"scope": "rule", "of": rule.text} for rule in evidence.constraints)]
    return [
        _share(int(hits[i]), n, **{side: float(each[i]) for side, each in shares.items()}, **names[i])
        for i in range(len(names))
    ]


def _count_written(evidence: Evidence) -> tuple[np.ndarray, int]:
    """The written rows that violate any constraint, and each constraint, and the number of rows. (1 + constraints,)"""
    hits, n = np.zeros(1 + len(evidence.constraints), dtype=np.int64), 0
    for copy in evidence.written or ([evidence.synthetic.frame],):
        watches = [Watch([rule]) for rule in evidence.constraints]  # a duplicate counts whatever else is wrong with it
        for chunk in copy:
            broken = np.array([watch.broken(chunk)[0] for watch in watches])
            hits += [broken.any(axis=0).sum(), *broken.sum(axis=1)]
            n += len(chunk)
            for watch in watches:
                watch.accept(chunk)
    return hits, n


def _shares(evidence: Evidence, table: Table) -> np.ndarray:
    """The share of rows that violate any constraint, and each constraint. (1 + constraints,)"""
    broken = np.array([np.asarray(c.violations(table.frame), dtype=bool) for c in evidence.constraints])
    return np.array([broken.any(axis=0).mean(), *broken.mean(axis=1)])


def _share(hits: int, n: int, **more: Any) -> Measurement:
    low, high = intervals.wilson(hits, n)
    return intervals.measured(VIOLATIONS, hits / n, low, high, n=n, **more)
