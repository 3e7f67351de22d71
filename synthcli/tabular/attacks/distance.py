"""Are synthetic records nearer to train than to real records that no fit has seen (distance to the closest record)."""

from __future__ import annotations

import numpy as np

from synthcli.contracts import Evidence, Gauge, Measurement
from synthcli.tabular import compare
from synthcli.tabular.data import Table
from synthcli.tabular.encoding import cut, encode
from synthcli.tabular.neighbours import Points, affordable, embed, nearest

SHARE = Gauge(
    "dcr_share", "half", frozenset({"train", "control", "synthetic"}),
    "share of synthetic records nearer to train than to equally many control records, ties halved; above 0.5 they follow train", "share",
)  # fmt: skip
MEDIAN = Gauge(
    "dcr_median", "higher", frozenset({"train", "control", "synthetic"}),
    "median distance of synthetic records to the closest of train, per column; compare it with the floor", "distance",
)  # fmt: skip
GAUGES: tuple[Gauge, ...] = (SHARE, MEDIAN)
QUERIES, REFERENCES = 5_000, 12_000
_TIE = 1e-5  # distances are float32 sums
_FEWEST = 10


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Both; a detector of copies, no proof of privacy. Floor: train records kept apart from the references, by privacy unit.

    The interval counts records that share their nearest reference (or its unit) as one.
    """
    if note := compare.lacking(evidence, "train", "control", "synthetic"):
        return compare.unmeasured(GAUGES, note)
    train, apart = _apart(evidence.train, rng) if evidence.full else (evidence.train, None)
    size = min(len(train), len(evidence.control), REFERENCES)
    if size < _FEWEST:
        return compare.unmeasured(GAUGES, f"fewer than {_FEWEST} train or control records")
    queries, size = affordable(min(QUERIES, len(evidence.synthetic)), size, len(evidence.schema.columns))
    tables: dict[str, Table] = {"train": cut(train, size, rng=rng), "control": cut(evidence.control, size, rng=rng)}
    others = {"synthetic": evidence.synthetic, "floor": apart, "baseline": evidence.baseline if evidence.full else None}
    tables |= {k: cut(t, queries, rng=rng) for k, t in others.items() if t is not None and len(t)}
    encoded = encode(tables, evidence.schema)
    if not encoded.names:
        return compare.unmeasured(GAUGES, "no column to compare records by")
    points = embed(encoded)
    units = (encoded.parts["train"].units, encoded.parts["control"].units)
    found = {k: _closer(points[k], points["train"], points["control"], units) for k in others if k in points}
    return _report(found, points["synthetic"])


def _report(found: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], synthetic: Points) -> list[Measurement]:
    wins, groups, distance = found["synthetic"]
    value = float(wins.mean())
    ends = compare.around(value, compare.variance_of_mean(wins, groups))
    shares = {k: w.mean() for k, (w, _, _) in found.items() if k != "synthetic"}
    medians = {k: np.median(d) / synthetic.columns for k, (_, _, d) in found.items() if k != "synthetic"}
    low, middle, high = median_interval(distance / synthetic.columns)
    return [
        compare.measured(SHARE, value, *ends, n=len(wins), **shares),
        compare.measured(MEDIAN, middle, low, high, n=len(wins), **medians),
    ]


def _apart(train: Table, rng: np.random.Generator) -> tuple[Table, Table]:
    """Two thirds of train's privacy units to be near to, and the others in synthetic's place."""
    units = train.units()
    aside = (rng.permutation(units.max() + 1) < (units.max() + 1) // 3)[units]
    return train.take(np.flatnonzero(~aside)), train.take(np.flatnonzero(aside))


def _closer(
    points: Points, train: Points, control: Points, units: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each point: 1, 0.5 or 0 as train is nearer, as near or farther; the nearest record's unit; its distance to train."""
    (near, at), (far, other) = nearest(points, train), nearest(points, control)
    wins = np.where(np.abs(near - far) <= _TIE, 0.5, (near < far).astype(float))
    groups = np.where(near <= far, units[0][at], units[0].max() + 1 + units[1][other])
    return wins, groups, near


def median_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Median with a 95 % interval between order statistics: low, median, high."""
    ordered, n = np.sort(values), len(values)
    half = compare.Z * np.sqrt(n) / 2
    low, high = int(max(np.floor(n / 2 - half), 0)), int(min(np.ceil(n / 2 + half), n - 1))
    return float(ordered[low]), float(np.median(ordered)), float(ordered[high])
