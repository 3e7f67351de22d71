"""Check that foreign keys refer to a row, and that keys are unique."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.relational.data import Tables
from synthcli.relational.judging import missing_part, unmeasured
from synthcli.relational.relationships import ORPHAN, Relationship
from synthcli.tabular.judging import intervals

REFERENTIAL = Gauge(
    "referential_integrity",
    "higher",
    frozenset({"relationships", "synthetic"}),
    "share of foreign keys that are not null which are the key of a row of the parent",
)
UNIQUE = Gauge(
    "key_uniqueness",
    "higher",
    frozenset({"relationships", "synthetic"}),
    "share of rows of parents whose key is not null and no other row's",
)
GAUGES: tuple[Gauge, ...] = (REFERENTIAL, UNIQUE)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Measure both shares over all relationships and for each, with Wilson's 95 % interval.

    The floor is measured on the control part.
    """
    if note := missing_part(evidence, "synthetic"):
        return unmeasured(GAUGES, note)
    tables: Tables = evidence.synthetic
    floor = evidence.control if evidence.full else None
    out = []
    for gauge, count in ((REFERENTIAL, _count_referring), (UNIQUE, _count_unique)):
        found = [count(tables, r) for r in tables.relationships]
        beside = [count(floor, r) for r in tables.relationships] if floor is not None else [None] * len(found)
        real = None if floor is None else (sum(b[0] for b in beside if b), sum(b[1] for b in beside if b))
        out.append(_measurement(gauge, sum(h for h, _ in found), sum(n for _, n in found), real))
        for r, (good, n), real_one in zip(tables.relationships, found, beside):
            out.append(_measurement(gauge, good, n, real_one, r.name))
    return out


def _count_referring(tables: Tables, r: Relationship) -> tuple[int, int]:
    """Count the foreign keys that refer to a row, and all that are not null."""
    known = ~tables.frames[r.child][list(r.columns)].isna().any(axis=1).to_numpy()
    return int((tables.parents(r)[known] != ORPHAN).sum()), int(known.sum())


def _count_unique(tables: Tables, r: Relationship) -> tuple[int, int]:
    """Count the keys that are unique and not null, and all keys."""
    keys = tables.frames[r.parent][list(r.keys)]
    return int((~keys.isna().any(axis=1) & ~keys.duplicated(keep=False)).sum()), len(keys)


def _measurement(gauge: Gauge, good: int, n: int, real: tuple[int, int] | None, of: str | None = None) -> Measurement:
    scope = "overall" if of is None else "relationship"
    if not n:
        return Measurement(gauge.name, 1.0, None, None, 0, scope, of, better=gauge.better, note="no keys to look at")
    p, (low, high) = good / n, intervals.wilson(good, n)
    floor = real[0] / real[1] if real and real[1] else None
    return Measurement(gauge.name, p, min(low, p), max(high, p), n, scope, of, better=gauge.better, floor=floor)
