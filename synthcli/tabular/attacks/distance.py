"""Distance to the closest record (DCR): are synthetic records nearer to train than to unseen real records?"""

from __future__ import annotations

import numpy as np

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.encoding import cut, encode
from synthcli.tabular.judging.neighbours import Points, affordable, embed, nearest

SHARE = Gauge(
    "dcr_share",
    "half",
    frozenset({"train", "control", "synthetic"}),
    "share of synthetic records nearer to train than to equally many control records, ties count half; above 0.5 "
    "they resemble train more",
    "share",
)
MEDIAN = Gauge(
    "dcr_median", "higher", frozenset({"train", "control", "synthetic"}),
    "median distance of synthetic records to the closest of train, per column; compare it with the floor", "distance",
)  # fmt: skip
GAUGES: tuple[Gauge, ...] = (SHARE, MEDIAN)
QUERIES, REFERENCES = 5_000, 12_000
_TIE = 1e-5  # distances are float32 sums
_FEWEST = 10


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Both metrics; they detect copies and do not prove privacy. Floor: train records of privacy units that are not
    among the references.

    The interval is clustered by the nearest reference's privacy unit.
    """
    if note := intervals.missing_evidence(evidence, "train", "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    size = min(len(evidence.train), len(evidence.control), REFERENCES)
    if size < _FEWEST:
        return intervals.not_measurable(GAUGES, f"fewer than {_FEWEST} train or control records")
    queries, size = affordable(min(QUERIES, len(evidence.synthetic)), size, len(evidence.schema.columns))
    tables: dict[str, Table] = {k: cut(getattr(evidence, k), size, rng=rng) for k in ("train", "control")}
    tables["synthetic"] = cut(evidence.synthetic, queries, rng=rng)
    if evidence.full:
        rest, apart = _apart(evidence.train, rng)
        tables |= (
            {"rest": cut(rest, size, rng=rng), "floor": cut(apart, queries, rng=rng)}
            if len(rest) and len(apart)
            else {}
        )
        tables |= (
            {"baseline": cut(evidence.baseline, queries, rng=rng)}
            if evidence.baseline is not None and len(evidence.baseline)
            else {}
        )
    encoded = encode(tables, evidence.schema)
    if not encoded.names:
        return intervals.unmeasured(GAUGES, "no column to compare records by")
    points, units = embed(encoded), {k: part.units for k, part in encoded.tables.items()}
    sides = [k for k in points if k not in ("train", "control", "rest")]
    found = {k: _closer(points, units, k, "rest" if k == "floor" else "train", rng) for k in sides}
    return _report(found, points["synthetic"])


def closest(evidence: Evidence, *, rng: np.random.Generator) -> dict[str, tuple[np.ndarray, np.ndarray]] | None:
    """{real, synthetic}: the distance of unseen real and of synthetic records to the closest training record, per
    column, and the privacy unit of each; None where a part is missing or too small.
    """
    if intervals.missing_evidence(evidence, "train", "control", "synthetic"):
        return None
    if min(len(evidence.train), len(evidence.control)) < _FEWEST:
        return None
    references = min(len(evidence.train), REFERENCES)
    queries, size = affordable(min(QUERIES, len(evidence.control)), references, len(evidence.schema.columns))
    tables: dict[str, Table] = {"train": cut(evidence.train, size, rng=rng)}
    tables |= {side: cut(getattr(evidence, side), queries, rng=rng) for side in ("control", "synthetic")}
    encoded = encode(tables, evidence.schema)
    if not encoded.names:
        return None
    points = embed(encoded)
    columns = points["train"].columns
    found = {side: nearest(points[side], points["train"])[0] / columns for side in ("control", "synthetic")}
    return {
        name: (found[side], encoded.tables[side].units)
        for name, side in (("real", "control"), ("synthetic", "synthetic"))
    }


def _report(found: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]], synthetic: Points) -> list[Measurement]:
    wins, groups, distance = found["synthetic"]
    value = float(wins.mean())
    ends = intervals.around(value, intervals.variance_of_mean(wins, groups))
    shares = {k: w.mean() for k, (w, _, _) in found.items() if k != "synthetic"}
    medians = {k: np.median(d) / synthetic.columns for k, (_, _, d) in found.items() if k != "synthetic"}
    low, middle, high = median_interval(distance / synthetic.columns)
    return [
        intervals.measured(SHARE, value, *ends, n=len(wins), **shares),
        intervals.measured(MEDIAN, middle, low, high, n=len(wins), **medians),
    ]


def _apart(train: Table, rng: np.random.Generator) -> tuple[Table, Table]:
    """Split train by privacy unit: two thirds as references, one third as queries in place of synthetic."""
    units = train.units()
    aside = (rng.permutation(units.max() + 1) < (units.max() + 1) // 3)[units]
    return train.take(np.flatnonzero(~aside)), train.take(np.flatnonzero(aside))


def _closer(
    points: dict[str, Points], units: dict[str, np.ndarray], name: str, train: str, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For each point: 1, 0.5 or 0 if train is nearer, equally near or farther; the nearest record's unit; the distance
    to train.
    """
    size = len(points[train])
    pick = (
        np.arange(size) if size == len(points["control"]) else rng.choice(len(points["control"]), size, replace=False)
    )
    (near, at), (far, other) = nearest(points[name], points[train]), nearest(points[name], points["control"].take(pick))
    wins = np.where(np.abs(near - far) <= _TIE, 0.5, (near < far).astype(float))
    groups = np.where(near <= far, units[train][at], units[train].max() + 1 + units["control"][pick][other])
    return wins, groups, near


def median_interval(values: np.ndarray) -> tuple[float, float, float]:
    """Median with a 95 % interval between order statistics: low, median, high."""
    ordered, n = np.sort(values), len(values)
    half = intervals.Z * np.sqrt(n) / 2
    low, high = int(max(np.floor(n / 2 - half), 0)), int(min(np.ceil(n / 2 + half), n - 1))
    return float(ordered[low]), float(np.median(ordered)), float(ordered[high])
