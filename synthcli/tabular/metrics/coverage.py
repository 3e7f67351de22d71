"""Coverage of the real categories and of the real range of numbers."""

from __future__ import annotations

import numpy as np

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.encoding import Encoded, EncodedTable, cut, encode

CATEGORIES = Gauge(
    "category_coverage", "higher", frozenset({"control", "synthetic"}),
    "share of the categories of train and control, each of equal weight, that synthetic has; mean over columns",
)  # fmt: skip
RANGE = Gauge(
    "range_coverage", "higher", frozenset({"control", "synthetic"}),
    "share of the range of train and control that synthetic spans; mean over number columns",
)  # fmt: skip
GAUGES: tuple[Gauge, ...] = (CATEGORIES, RANGE)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Both metrics, overall and by column. Floor: a resample of the real records of synthetic's size, since the real
    records are the reference.

    Intervals: a category with count c in synthetic recurs with probability 1 - exp(-c - 1/2); the lower end of a range
    leaves out its three outermost values on each side.
    """
    if note := intervals.missing_evidence(evidence, "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    encoded, real = _encoded(evidence, rng)
    sides = {name: part for name, part in encoded.tables.items() if name in ("synthetic", "baseline")}
    if evidence.full:
        sides["floor"] = real.take(rng.integers(len(real), size=len(sides["synthetic"])))
    return [*_categories(encoded, real, sides), *_ranges(encoded, real, sides)]


def _encoded(evidence: Evidence, rng: np.random.Generator) -> tuple[Encoded, EncodedTable]:
    """Encode all tables jointly, and concatenate train and control."""
    tables: dict[str, Table] = {"control": evidence.control, "synthetic": evidence.synthetic, "train": evidence.train}
    if evidence.full:
        tables["baseline"] = evidence.baseline
    encoded = encode(
        {k: cut(t, 4 * intervals.ROWS, rng=rng) for k, t in tables.items() if t is not None}, evidence.schema
    )
    both = [encoded.tables[k] for k in ("control", "train") if k in encoded.tables]
    real = EncodedTable(
        np.vstack([p.numbers for p in both]),
        np.vstack([p.codes for p in both]),
        np.concatenate([p.units for p in both]),
    )
    return encoded, real


def _categories(encoded: Encoded, real: EncodedTable, sides: dict[str, EncodedTable]) -> list[Measurement]:
    scores = {}
    for side, part in sides.items():
        found = [_covered(real.codes[:, j], part.codes[:, j], int(size)) for j, size in enumerate(encoded.sizes)]
        values, variances = np.array([v for v, _ in found]), np.array([w for _, w in found])
        known = np.isfinite(values)
        scores[side] = intervals.Score(values, variances, float(variances[known].sum() / max(known.sum(), 1) ** 2))
    if not encoded.categories:
        return intervals.unmeasured([CATEGORIES], "no categorical column")
    return intervals.summary(CATEGORIES, encoded.categories, scores, n=len(sides["synthetic"]))


def _covered(real: np.ndarray, other: np.ndarray, size: int) -> tuple[float, float]:
    """The share of real categories that occur, and its variance; NaN without real categories."""
    exists = np.bincount(real[real >= 0], minlength=size) > 0
    if not exists.any():
        return np.nan, np.nan
    counts = np.bincount(other[other >= 0], minlength=size)[exists]
    missed = np.exp(-counts - 0.5)
    return float((counts > 0).mean()), float((missed * (1 - missed)).sum() / len(counts) ** 2)


def _ranges(encoded: Encoded, real: EncodedTable, sides: dict[str, EncodedTable]) -> list[Measurement]:
    spans = {
        side: [_spanned(real.numbers[:, j], part.numbers[:, j]) for j in range(len(encoded.numbers))]
        for side, part in sides.items()
    }
    known = [j for j in range(len(encoded.numbers)) if np.isfinite(spans["synthetic"][j][0])]
    if not known:
        return intervals.unmeasured([RANGE], "no number column that varies")
    n = len(sides["synthetic"])
    mean = lambda side, i: float(np.mean([spans[side][j][i] for j in known]))  # noqa: E731
    beside = {side: mean(side, 0) for side in spans if side != "synthetic"}
    out = [intervals.measured(RANGE, mean("synthetic", 0), mean("synthetic", 1), mean("synthetic", 0), n=n, **beside)]
    for j in known:
        value, low = spans["synthetic"][j]
        beside = {side: spans[side][j][0] for side in spans if side != "synthetic"}
        out.append(intervals.measured(RANGE, value, low, value, n=n, scope="column", of=encoded.numbers[j], **beside))
    return out


def _spanned(real: np.ndarray, other: np.ndarray) -> tuple[float, float]:
    """The share of the real range that the other spans, with and without its three outermost values on each side; NaN
    if the real values are constant.
    """
    a, b = real[~np.isnan(real)], np.sort(other[~np.isnan(other)])
    width = float(np.ptp(a)) if len(a) else 0.0
    if not width > 0:
        return np.nan, np.nan
    share = lambda x: max(0.0, min(a.max(), x[-1]) - max(a.min(), x[0])) / width if len(x) else 0.0  # noqa: E731
    return float(share(b)), float(share(b[3:-3]))
