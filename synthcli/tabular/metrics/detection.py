"""Classifier two-sample test: how well boosted trees distinguish synthetic records from unseen real ones."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals, learners
from synthcli.tabular.judging.encoding import Encoded, EncodedTable, cut, encode

DETECTION = Gauge(
    "detection_auc",
    "lower",
    frozenset({"control", "synthetic"}),
    "out-of-fold ROC AUC of boosted trees that distinguish synthetic from control; 0.5 is chance. By column: from "
    "that column alone",
    "auc",
)
C2ST = Gauge(
    "c2st",
    "higher",
    frozenset({"control", "synthetic"}),
    "1 - 2 (max(0.5, detection_auc) - 0.5): 1 if they cannot be distinguished",
)
GAUGES: tuple[Gauge, ...] = (DETECTION, C2ST)
FOLDS = 3
COLUMNS = 10  # columns with a measurement of their own: those that discriminate best alone
_FEWEST = 30  # minimum rows of each table
_CELLS = 2_000_000  # maximum rows x columns of a fit
_SHUFFLES = 2  # permutations of a column


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Equally many rows of both, at most 8,000 (steering: 4,000); three folds by privacy unit; DeLong interval.

    Histogram gradient boosting with 100 trees (fewer beyond 50 columns); categories in their natural order, nulls
    kept.
    """
    if note := intervals.missing_evidence(evidence, "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    encoded = _equal(evidence, rng)
    control, synthetic = encoded.tables["control"], encoded.tables["synthetic"]
    if len(control) < _FEWEST or not encoded.names:
        return intervals.unmeasured(GAUGES, f"fewer than {_FEWEST} real or synthetic records, or no usable column")
    seed = seeds.fork(rng)
    try:
        with intervals.one_thread():
            found = {
                side: detection_auc(control, part, seed) for side, part in encoded.tables.items() if side != "control"
            }
    except ValueError as error:
        return intervals.unmeasured(GAUGES, f"boosted trees cannot be fitted to these records: {error}")
    value, variance = found.pop("synthetic")
    if not np.isfinite(value):
        return intervals.unmeasured(GAUGES, f"fewer than {FOLDS} privacy units: too few for a test fold")
    low, high = intervals.around(value, variance)
    beside = {side: figure for side, (figure, _) in found.items()}
    indistinct = lambda x: 1 - 2 * (max(0.5, x) - 0.5)  # noqa: E731
    n = 2 * len(control)
    return [
        intervals.measured(DETECTION, value, low, high, n=n, **beside),
        intervals.measured(
            C2ST,
            indistinct(value),
            indistinct(high),
            indistinct(low),
            n=n,
            **{k: indistinct(v) for k, v in beside.items()},
        ),
        *_columns(encoded, control, synthetic, seed),
    ]


def _equal(evidence: Evidence, rng: np.random.Generator) -> Encoded:
    """Encode equally many rows of each table; train and baseline may have fewer."""
    width = max(len(evidence.schema.columns), 1)
    most = min(8_000 if evidence.full else 4_000, max(_CELLS // width, 500))
    rows = min(len(evidence.control), len(evidence.synthetic), most)
    tables: dict[str, Table] = {"control": evidence.control, "synthetic": evidence.synthetic}
    if evidence.full:
        tables |= {
            k: t
            for k, t in (("floor", evidence.train), ("baseline", evidence.baseline))
            if t is not None and len(t) >= _FEWEST
        }
    return encode({k: cut(t, rows, rng=rng) for k, t in tables.items()}, evidence.schema)


def folds(units: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Assign folds balanced over privacy units, with all rows of a unit in one fold. (rows,)"""
    known, index = np.unique(units, return_inverse=True)
    return (rng.permutation(len(known)) % FOLDS)[index]


def detection_auc(control: EncodedTable, other: EncodedTable, seed: int) -> tuple[float, float]:
    """Out-of-fold AUC of boosted trees that discriminate the other table from control, and its variance."""
    rng = np.random.default_rng(seed)
    n = min(len(control), len(other))
    control, other = control.take(rng.permutation(len(control))[:n]), other.take(rng.permutation(len(other))[:n])
    X, y = np.vstack([control.matrix(), other.matrix()]), np.repeat([0, 1], n)
    fold = np.concatenate([folds(control.units, rng), folds(other.units, rng)])
    areas = []
    for k in range(FOLDS):
        fit, out = fold != k, fold == k
        if len(np.unique(y[fit])) < 2 or len(np.unique(y[out])) < 2:
            continue
        seen, unseen = learners.features(X[fit], X[out])
        score = np.zeros(len(unseen))
        if seen.shape[1]:
            model = learners.boosted(seen.shape[1], 2, seed)
            score = model.fit(seen, y[fit]).decision_function(unseen)
        areas.append(intervals.auc(score[y[out] == 1], score[y[out] == 0]))
    if not areas:
        return np.nan, np.nan
    return float(np.mean([a for a, _ in areas])), float(np.mean([v for _, v in areas]) / len(areas))


def discriminating_columns(evidence: Evidence, *, rng: np.random.Generator, rows: int = 2_500) -> dict[str, Any] | None:
    """Permutation importance of the columns for a detector: {auc, columns: [{name, drop}]}, most important first; None
    if there are too few rows.

    The detector is fitted once to two thirds of at most `rows` rows of each kind; drop: the loss of AUC on the other
    third if the column is shuffled there.
    """
    n = min(len(evidence.control), len(evidence.synthetic), rows)
    encoded = encode({k: cut(getattr(evidence, k), n, rng=rng) for k in ("control", "synthetic")}, evidence.schema)
    parts = list(encoded.tables.values())
    fold, y = np.concatenate([folds(part.units, rng) for part in parts]), np.repeat([0, 1], n)
    whole = np.vstack([part.matrix() for part in parts])
    columns = [learners.features(whole[:, [j]], whole[:, [j]])[0] for j in range(len(encoded.names))]
    names = [name for name, x in zip(encoded.names, columns, strict=True) if x.shape[1]]
    fit, out = fold > 0, fold == 0
    if n < _FEWEST or not names or len(np.unique(y[fit])) < 2 or len(np.unique(y[out])) < 2:
        return None
    X = np.hstack(columns)
    with intervals.one_thread():
        model = learners.boosted(len(names), 2, seeds.fork(rng)).fit(X[fit], y[fit])
        auc = _area(model, X[out], y[out])
        drops = [auc - _shuffled(model, X[out], y[out], j, rng) for j in range(len(names))]
    order = np.argsort([-d for d in drops], kind="stable")[: 2 * COLUMNS]
    return {"auc": round(auc, 4), "columns": [{"name": names[j], "drop": round(drops[j], 5)} for j in order]}


def _area(model: Any, X: np.ndarray, y: np.ndarray) -> float:
    score = model.decision_function(X)
    return intervals.auc(score[y == 1], score[y == 0])[0]


def _shuffled(model: Any, X: np.ndarray, y: np.ndarray, j: int, rng: np.random.Generator) -> float:
    """The AUC with column j shuffled, mean over _SHUFFLES permutations."""
    mixed = X.copy()
    areas = []
    for _ in range(_SHUFFLES):
        mixed[:, j] = rng.permutation(X[:, j])
        areas.append(_area(model, mixed, y))
    return float(np.mean(areas))


def _columns(encoded: Encoded, control: EncodedTable, other: EncodedTable, seed: int) -> list[Measurement]:
    """The columns that discriminate best alone, by the rates of twenty quantile classes (or of categories) estimated on
    the other half of the rows.
    """
    rng = np.random.default_rng(seed)
    first = [folds(part.units, rng) == 0 for part in (control, other)]
    classes = [_ventiles(control.numbers[:, j], other.numbers[:, j]) for j in range(len(encoded.numbers))]
    classes += [(control.codes[:, j] + 1, other.codes[:, j] + 1) for j in range(len(encoded.categories))]
    found = [_alone(a, b, *first) for a, b in classes]
    order = np.argsort([-value for value, _ in found], kind="stable")[:COLUMNS]
    out = []
    for j in order:
        value, variance = found[j]
        ends = intervals.around(value, variance)
        out.append(
            intervals.measured(
                DETECTION, value, *ends, n=len(control) + len(other), scope="column", of=encoded.names[j]
            )
        )
    return out


def _ventiles(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Quantile classes of numbers, cut at the twentieths of both tables; 0 is null."""
    both = np.concatenate([a, b])
    known = both[~np.isnan(both)]
    edges = np.unique(np.quantile(known, np.arange(1, 20) / 20)) if len(known) else np.zeros(0)
    classes = np.where(np.isnan(both), 0, 1 + np.searchsorted(edges, both, side="left"))
    return classes[: len(a)], classes[len(a) :]


def _alone(a: np.ndarray, b: np.ndarray, first_a: np.ndarray, first_b: np.ndarray) -> tuple[float, float]:
    """AUC and variance of discriminating b from a by the rate of b in each class, estimated on the other half of the
    rows.
    """
    size, areas = int(max(a.max(initial=0), b.max(initial=0))) + 1, []
    for fit_a, fit_b in ((first_a, first_b), (~first_a, ~first_b)):
        ours, theirs = np.bincount(a[fit_a], minlength=size) + 0.5, np.bincount(b[fit_b], minlength=size) + 0.5
        rate = (theirs / theirs.sum()) / (theirs / theirs.sum() + ours / ours.sum())
        areas.append(intervals.auc(rate[b[~fit_b]], rate[a[~fit_a]]))
    return float(np.mean([v for v, _ in areas])), float(np.mean([w for _, w in areas]) / 2)
