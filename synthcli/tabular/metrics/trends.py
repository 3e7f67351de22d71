"""Similarity of pairs of columns: correlations and contingency tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.encoding import Encoded, EncodedTable
from synthcli.tabular.judging.intervals import Score, variance_of_mean

TRENDS = Gauge(
    "column_pair_trends",
    "higher",
    frozenset({"control", "synthetic"}),
    "mean over pairs of columns of 1 - |difference of Pearson correlations| / 2 (two numbers) or 1 - total "
    "variation of the contingency table",
)
WORST = Gauge(
    "worst_pair_trend",
    "higher",
    frozenset({"control", "synthetic"}),
    "trend of the pair that falls furthest below real data, raised by what the worst of so many shows by chance",
)
GAUGES: tuple[Gauge, ...] = (TRENDS, WORST)
PAIRS = 1_000  # maximum number of pairs; more are sampled
SHOWN = 200  # maximum number of pairs with a measurement of their own, worst first
_BINS = 10
_CELLS = 200_000  # larger contingency tables are counted over their nonempty cells


@dataclass(frozen=True)
class _View:
    """An encoded table for pairwise comparison. numbers: (rows, d) with NaN; cells: (rows, k) codes of all columns,
    numbers first; sizes: (k,).
    """

    numbers: np.ndarray
    cells: np.ndarray
    sizes: np.ndarray


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """SDMetrics' CorrelationSimilarity and ContingencySimilarity, overall and for the worst pairs; 95 % delta method
    over rows.

    Both tables are binned at control's edges, as in those metrics; SDMetrics' quality report bins each table at its own
    edges, which move with every outlier. A number that is constant only in synthetic has correlation 0; SDMetrics
    leaves it out.
    """
    if note := intervals.missing_evidence(evidence, "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    encoded = intervals.encode_evidence(evidence, rng=rng)
    k = len(encoded.names)
    if k < 2:
        return intervals.not_measurable(GAUGES, "fewer than two columns to pair")
    pairs = np.column_stack(np.triu_indices(k, 1))
    note = ""
    if len(pairs) > PAIRS:
        note = f"{PAIRS} of {len(pairs)} pairs, drawn at random"
        pairs = pairs[np.sort(rng.choice(len(pairs), PAIRS, replace=False))]
    edges = [_edges(column) for column in encoded.tables["control"].numbers.T]
    views = {side: _view(part, encoded, edges) for side, part in encoded.tables.items()}
    units = encoded.tables["control"].units
    with intervals.one_thread():
        scores = {
            side: _score(views["control"], view, pairs, units) for side, view in views.items() if side != "control"
        }
    names = [f"{encoded.names[i]} × {encoded.names[j]}" for i, j in pairs]
    return intervals.summary(
        TRENDS, names, scores, n=len(encoded.tables["synthetic"]), scope="pair", most=SHOWN, note=note, worst=WORST
    )


def _view(part: EncodedTable, encoded: Encoded, edges: list[np.ndarray]) -> _View:
    binned = [
        np.where(np.isnan(x), 0, 1 + np.searchsorted(inner, x, side="right"))
        for x, inner in zip(part.numbers.T, edges, strict=True)
    ]
    cells = np.asfortranarray(np.column_stack([*binned, part.codes + 1]))  # 0 is null
    return _View(part.numbers, cells, np.r_[np.full(len(binned), _BINS + 1), encoded.sizes + 1].astype(np.int64))


def _edges(control: np.ndarray) -> np.ndarray:
    """Inner edges of ten bins of equal width over control's range. (9,)"""
    known = control[~np.isnan(control)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 0.0)
    if not high > low:
        low, high = low - 0.5, high + 0.5
    return np.linspace(low, high, _BINS + 1)[1:-1]


def _score(control: _View, other: _View, pairs: np.ndarray, units: np.ndarray) -> Score:
    """Similarity of each pair, and the influence of each row on the mean over pairs."""
    d = control.numbers.shape[1]
    values, variances = np.full(len(pairs), np.nan), np.full(len(pairs), np.nan)
    ours, theirs = np.zeros(len(control.cells)), np.zeros(len(other.cells))
    numeric = (pairs < d).all(axis=1)
    if numeric.any():
        values[numeric], variances[numeric], one, two = _correlations(control.numbers, other.numbers, pairs[numeric])
        ours += one
        theirs += two
    for at in np.flatnonzero(~numeric):
        values[at], variances[at], one, two = _contingency(control, other, *pairs[at])
        ours += one
        theirs += two
    known = max(int(np.isfinite(values).sum()), 1)
    return Score(values, variances, variance_of_mean(ours / known, units) + variance_of_mean(theirs / known))


def _contingency(control: _View, other: _View, i: int, j: int) -> tuple[float, float, np.ndarray, np.ndarray]:
    """1 - total variation of a pair's contingency table, its variance, and the influence of each row of both tables."""
    width = int(control.sizes[j])
    a, b = control.cells[:, i] * width + control.cells[:, j], other.cells[:, i] * width + other.cells[:, j]
    size = int(control.sizes[i]) * width
    if size > _CELLS:
        used, both = np.unique(np.concatenate([a, b]), return_inverse=True)
        a, b, size = both[: len(a)], both[len(a) :], len(used)
    p, q = np.bincount(a, minlength=size) / len(a), np.bincount(b, minlength=size) / len(b)
    sign = np.sign(q - p) / 2
    mean_p, mean_q, square = (p * sign).sum(), (q * sign).sum(), sign**2
    variance = ((p * square).sum() - mean_p**2) / len(a) + ((q * square).sum() - mean_q**2) / len(b)
    return float(1 - np.abs(p - q).sum() / 2), float(variance), sign[a] - mean_p, mean_q - sign[b]


def _correlations(
    control: np.ndarray, other: np.ndarray, pairs: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """1 - |difference of correlations| / 2 for pairs of numbers, variances, and each row's influence on the sum over
    the pairs.
    """
    (real, n), (fake, m) = pearson(control), pearson(other)
    i, j = pairs.T
    r = real[i, j]
    s = np.where(np.isnan(r), np.nan, np.nan_to_num(fake[i, j]))
    sign = np.nan_to_num(np.sign(s - r)) / 2
    fisher = lambda x, count: (1 - x**2) ** 2 / np.maximum(count, 1)  # noqa: E731
    variances = (fisher(r, n[i, j]) + fisher(s, m[i, j])) / 4
    weight = np.zeros_like(real)
    weight[i, j] = sign
    return 1 - np.abs(r - s) / 2, variances, _influence(control, real, n, weight), -_influence(other, fake, m, weight)


def pearson(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pearson correlations over pairwise complete rows, NaN if a column is constant, and the numbers of those rows. (d,
    d)
    """
    known = ~np.isnan(x)
    z, one = _standardised(x), known.astype(float)
    n = one.T @ one
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = (z.T @ one) / n  # of column i over the rows where column j is known
        var = (z**2).T @ one / n - mean**2
        r = ((z.T @ z) / n - mean * mean.T) / np.sqrt(var * var.T)
    varies = (var > 1e-12) & (var.T > 1e-12)
    return np.where(varies, np.clip(r, -1, 1), np.nan), n


def _standardised(x: np.ndarray) -> np.ndarray:
    """Columns of mean 0 and variance 1, null 0; a constant column is all 0."""
    known = ~np.isnan(x)
    count = np.maximum(known.sum(axis=0), 1)
    centred = np.where(known, x - np.where(known, x, 0).sum(axis=0) / count, 0)
    scale = np.abs(centred).max(axis=0, initial=0)
    scaled = centred / np.where(scale > 1e-12 * np.abs(np.where(known, x, 0)).max(axis=0, initial=0), scale, np.inf)
    deviation = np.sqrt((scaled**2).sum(axis=0) / count)
    return scaled / np.where(deviation > 0, deviation, 1)


def _influence(x: np.ndarray, r: np.ndarray, n: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Influence of each row on the weighted sum of correlations: z_i z_j - r (z_i² + z_j²) / 2 per pair. (rows,)"""
    z = _standardised(x)
    share = weight * len(x) / np.maximum(n, 1)
    pull = share * np.nan_to_num(r) / 2
    return ((z @ share) * z).sum(axis=1) - z**2 @ (pull.sum(axis=0) + pull.sum(axis=1))
