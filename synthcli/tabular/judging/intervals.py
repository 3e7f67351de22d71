"""Confidence intervals for the metrics of tables, and means over columns with a delta-method variance."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging.encoding import Encoded, EncodedTable, cut, encode

Z = 1.959964  # two-sided 95 %
ROWS = 25_000  # rows of a table that marginal metrics use; with more, their standard error is below 0.004
FEW = 10  # real privacy units that a figure, a bin or a category needs to be shown

Piece = tuple[
    float, np.ndarray, np.ndarray
]  # a column's figure and how each row of control and of the other part moves it


def measured(
    gauge: Gauge, value: float | None, low: float | None = None, high: float | None = None, **more: Any
) -> Measurement:
    """A measurement with plain floats. NaN counts as unmeasured, with a note."""
    plain: dict[str, Any] = {k: _float(v) if k in ("floor", "baseline", "control") else v for k, v in more.items()}
    if (known := _float(value)) is None:
        plain["note"], low, high = plain.get("note") or "these records give no finite figure", None, None
    return Measurement(gauge.name, known, _float(low), _float(high), unit=gauge.unit, better=gauge.better, **plain)


def _float(value: Any) -> float | None:
    return None if value is None or not np.isfinite(value) else float(value)


def unmeasured(gauges: Iterable[Gauge], note: str) -> list[Measurement]:
    """Measurements without a value, with the reason."""
    return [measured(g, None, note=note) for g in gauges]


def not_measurable(gauges: Iterable[Gauge], note: str) -> list[Measurement]:
    """Measurements that the real data do not allow, with the reason."""
    return [replace(one, measurable=False) for one in unmeasured(gauges, note)]


def missing_evidence(evidence: Evidence, *needed: str) -> str | None:
    """The reason why the metric cannot be computed from this evidence; None if all tables have rows."""
    for name in needed:
        part = getattr(evidence, name)
        if part is None:
            return {
                "control": "no real records were kept apart to compare with",
                "train": "there is no train part",
            }.get(name, f"no {name} records")
        if not len(part):
            return f"the {name} part has no rows"
    return None


def wilson(hits: float, n: int) -> tuple[float, float]:
    """95 % Wilson interval of a share."""
    if n == 0:
        return 0.0, 1.0
    p, z2 = hits / n, Z * Z
    centre, half = p + z2 / (2 * n), Z * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n))
    return max(0.0, float((centre - half) / (1 + z2 / n))), min(1.0, float((centre + half) / (1 + z2 / n)))


def newcombe(hits: float, n: int, other_hits: float, other_n: int) -> tuple[float, float]:
    """95 % interval of a difference of two independent shares. Newcombe 1998, method 10."""
    p, q = hits / n, other_hits / other_n
    (low, high), (other_low, other_high) = wilson(hits, n), wilson(other_hits, other_n)
    return p - q - float(np.hypot(p - low, other_high - q)), p - q + float(np.hypot(high - p, q - other_low))


def auc(positive: np.ndarray, negative: np.ndarray) -> tuple[float, float]:
    """Area under the ROC curve, ties halved, and its variance. DeLong et al. 1988 by ranks; NaN for an empty side."""
    from scipy.stats import rankdata

    m, n = len(positive), len(negative)
    if not m or not n:
        return np.nan, np.nan
    rank = rankdata(np.r_[positive, negative])
    above = (rank[:m] - rankdata(positive)) / n  # share of negatives below each positive
    below = 1 - (rank[m:] - rankdata(negative)) / m
    return float(above.mean()), float(
        (above.var(ddof=1) / m if m > 1 else 0.25) + (below.var(ddof=1) / n if n > 1 else 0.25)
    )


def around(value: float, variance: float, low: float = 0.0, high: float = 1.0) -> tuple[float, float]:
    """95 % normal interval of a figure, kept within its range."""
    half = Z * np.sqrt(max(variance, 0.0))
    return float(np.clip(value - half, low, high)), float(np.clip(value + half, low, high))


def variance_of_mean(influence: np.ndarray, units: np.ndarray | None = None) -> float:
    """Variance of a figure whose rows move it by `influence`; rows of one privacy unit are not independent and are
    summed first.
    """
    n = len(influence)
    if n < 2:
        return 0.0
    centred = influence - influence.mean()
    if units is not None:
        centred = np.bincount(units, weights=centred)
    return float((centred**2).sum() / n**2)


def one_thread() -> AbstractContextManager[Any]:
    """Limit OpenMP and BLAS to one thread: their threads spin while they wait, which makes a fit ten times slower as
    soon as anything else runs.
    """
    import sklearn.ensemble  # noqa: F401  only libraries that are already loaded can be limited
    from threadpoolctl import threadpool_limits

    return threadpool_limits(1)


def encode_evidence(evidence: Evidence, *, rows: int = ROWS, rng: np.random.Generator) -> Encoded:
    """Encode control and synthetic with at most `rows` rows each; if `full`, also the baseline and, as the floor, a
    sample of train.
    """
    synthetic = cut(evidence.synthetic, rows, rng=rng)
    tables: dict[str, Table] = {"control": cut(evidence.control, rows, rng=rng), "synthetic": synthetic}
    if evidence.full and evidence.train is not None and len(evidence.train):
        tables["floor"] = cut(evidence.train, len(synthetic), rng=rng)
    if evidence.full and evidence.baseline is not None and len(evidence.baseline):
        tables["baseline"] = cut(evidence.baseline, len(synthetic), rng=rng)
    return encode(tables, evidence.schema)


@dataclass(frozen=True)
class Score:
    """The figures of columns or pairs, NaN if they cannot be computed. values, variances: (k,); variance: of the
    mean.
    """

    values: np.ndarray
    variances: np.ndarray
    variance: float

    @property
    def mean(self) -> float:
        return float(np.nanmean(self.values)) if np.isfinite(self.values).any() else np.nan


def average(pieces: Sequence[Piece | None], control: EncodedTable, other: EncodedTable) -> Score:
    """The mean over columns. The influences of a row on all columns are summed, which accounts for their dependence."""
    units, known = control.units, [p for p in pieces if p is not None]
    values = np.array([np.nan if p is None else p[0] for p in pieces])
    single = [np.nan if p is None else variance_of_mean(p[1], units) + variance_of_mean(p[2]) for p in pieces]
    if not known:
        return Score(values, np.array(single), np.nan)
    ours, theirs = np.zeros(len(control)), np.zeros(len(other))
    for _, one, two in known:
        ours += one
        theirs += two
    k = len(known)
    return Score(values, np.array(single), variance_of_mean(ours / k, units) + variance_of_mean(theirs / k))


def summary(
    gauge: Gauge,
    names: Sequence[str],
    scores: dict[str, Score],
    *,
    n: int,
    scope: str = "column",
    top: float = 1.0,
    most: int | None = None,
    note: str = "",
    worst: Gauge | None = None,
) -> list[Measurement]:
    """The overall measurement and one per column or pair; with `most`, only the worst ones, worst first. top: end of
    the range; worst: measured last, on the worst column or pair.
    """
    score = scores["synthetic"]
    if not np.isfinite(score.mean):
        return unmeasured([gauge, *([worst] if worst else [])], note or f"no {scope} for which it can be computed")
    beside = {k: s.mean for k, s in scores.items() if k in ("floor", "baseline")}
    out = [measured(gauge, score.mean, *around(score.mean, score.variance, 0.0, top), n=n, note=note, **beside)]
    known = np.flatnonzero(np.isfinite(score.values)).tolist()
    if most is not None:
        rank = score.values[known] if gauge.better == "higher" else -score.values[known]
        known = [known[i] for i in np.argsort(rank, kind="stable")[:most]]
    for i in known:
        beside = {k: s.values[i] for k, s in scores.items() if k in ("floor", "baseline")}
        ends = around(score.values[i], score.variances[i], 0.0, top)
        out.append(measured(gauge, score.values[i], *ends, n=n, scope=scope, of=names[i], **beside))
    return out if worst is None else [*out, worst_of(worst, names, scores, n)]


def worst_of(gauge: Gauge, names: Sequence[str], scores: dict[str, Score], n: int) -> Measurement:
    """The figure of the column or pair that falls furthest below what real data gets, beyond what the worst of so many
    shows by chance.

    The value is the figure plus that chance (a one-sided 95 % margin for all at once, by Bonferroni), and at most the
    floor; low is the figure itself.
    """
    from scipy.stats import norm

    score, floor = scores["synthetic"], scores.get("floor")
    known = np.isfinite(score.values)
    variance = score.variances + (0.0 if floor is None else floor.variances)
    margin = norm.isf(0.05 / known.sum()) * np.sqrt(np.maximum(np.nan_to_num(variance), 0))
    aim = np.ones(len(known)) if floor is None else np.where(np.isfinite(floor.values), floor.values, 1.0)
    j = int(np.argmax(np.where(known, aim - score.values - margin, -np.inf)))
    low = float(score.values[j])
    value = max(low, min(low + float(margin[j]), float(aim[j])))
    beside = {k: s.values[j] for k, s in scores.items() if k in ("floor", "baseline")}
    return measured(gauge, value, low, value, n=n, note=f"worst: {names[j]}", **beside)


def by_column(
    evidence: Evidence,
    gauge: Gauge,
    encoded: Encoded,
    number: Callable[[np.ndarray, np.ndarray], Piece | None] | None,
    category: Callable[[np.ndarray, np.ndarray, int], Piece | None] | None,
    *,
    top: float = 1.0,
    worst: Gauge | None = None,
) -> list[Measurement]:
    """Measure a mean over columns. number(control, other), category(control, other, size): the figure of a column;
    None: such columns are left out.
    """
    names = [*(encoded.numbers if number else []), *(encoded.categories if category else [])]
    control, scores = encoded.tables["control"], {}
    for side, other in encoded.tables.items():
        if side == "control":
            continue
        pieces: list[Piece | None] = []
        if number:
            pieces += [number(control.numbers[:, j], other.numbers[:, j]) for j in range(len(encoded.numbers))]
        if category:
            pieces += [
                category(control.codes[:, j], other.codes[:, j], int(encoded.sizes[j]))
                for j in range(len(encoded.categories))
            ]
        scores[side] = average(pieces, control, other)
    return summary(gauge, names, scores, n=len(encoded.tables["synthetic"]), top=top, worst=worst)
