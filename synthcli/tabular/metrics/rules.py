"""The share of synthetic records that violate the constraints of the spec."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals

VIOLATIONS = Gauge(
    "constraint_violations",
    "lower",
    frozenset({"constraints", "synthetic"}),
    "share of records that violate any constraint",
    "share",
)
GAUGES: tuple[Gauge, ...] = (VIOLATIONS,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Share of rows that violate any constraint, and each constraint (scope rule); Wilson interval. control: the share
    among train rows.
    """
    if not evidence.constraints:
        return []
    if note := intervals.missing_evidence(evidence, "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    real = {"control": evidence.train} | (
        {"floor": evidence.control, "baseline": evidence.baseline} if evidence.full else {}
    )
    broken = {
        side: _broken(evidence, table)
        for side, table in {"synthetic": evidence.synthetic, **real}.items()
        if table is not None and len(table)
    }
    n = len(evidence.synthetic)
    out = [_share({side: np.any(rows, axis=0) for side, rows in broken.items()}, n)]
    for i, constraint in enumerate(evidence.constraints):
        out.append(_share({side: rows[i] for side, rows in broken.items()}, n, scope="rule", of=constraint.text))
    return out


def _broken(evidence: Evidence, table: Table) -> np.ndarray:
    """Mask of violations. (constraints, rows) bool"""
    return np.array([np.asarray(c.violations(table.frame), dtype=bool) for c in evidence.constraints])


def _share(rows: dict[str, np.ndarray], n: int, **more: Any) -> Measurement:
    hits = rows["synthetic"]
    beside: dict[str, Any] = {side: float(r.mean()) for side, r in rows.items() if side != "synthetic"}
    low, high = intervals.wilson(hits.sum(), n)
    return intervals.measured(VIOLATIONS, hits.mean(), low, high, n=n, **(beside | more))
