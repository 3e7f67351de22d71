"""Utility: the score on real data of a model trained on synthetic data, relative to one trained on real data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals, learners
from synthcli.tabular.judging.encoding import Encoded, columns_by_kind, cut, encode

_NEEDS = frozenset({"train", "control", "target", "synthetic"})
_RATIO = "(tstr - chance) / (trtr - chance) on control; chance is 0.5 (auc), the largest class (accuracy) or 0 (R2)"
_TSTR, _TRTR = "score on control of a model trained on synthetic", "score on control of a model trained on train"
BOOSTED = (
    Gauge("utility_ratio", "higher", _NEEDS, f"{_RATIO}; boosted trees"),
    Gauge("tstr", "higher", _NEEDS, f"{_TSTR}; boosted trees"),
    Gauge("trtr", "higher", _NEEDS, f"{_TRTR}; boosted trees"),
)
LINEAR = (
    Gauge("utility_ratio_linear", "higher", _NEEDS, f"{_RATIO}; linear model"),
    Gauge("tstr_linear", "higher", _NEEDS, f"{_TSTR}; linear model"),
    Gauge("trtr_linear", "higher", _NEEDS, f"{_TRTR}; linear model"),
)
GAUGES: tuple[Gauge, ...] = BOOSTED + LINEAR
RESAMPLES = 200
CLASSES = 10  # rarer classes are merged into one, "other"
_FEWEST = 30  # minimum rows of each table with a known target
_OTHERS = 5  # minimum records of train and of control outside the largest class; fewer give a meaningless interval
_CELLS = 2_000_000  # maximum rows x columns of a fit
_LEARNABLE = 0.01  # minimum score above chance of a model of train for the ratio to be defined


@dataclass(frozen=True)
class _Task:
    """A prediction task. labels: table -> class index or number, NaN for rows that are left out; classes: 0 for a
    number; shallow: whether boosted trees are small, see `_prefers_shallow`.
    """

    encoded: Encoded
    target: str
    labels: dict[str, np.ndarray]
    classes: int
    shallow: bool = False

    @property
    def unit(self) -> str:
        return learners.score_of(self.classes)

    def side(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Numbers, codes and labels of a table's labelled rows, without the target column."""
        part, y = self.encoded.tables[name], self.labels[name]
        known = ~np.isnan(y)
        keep = lambda names: [j for j, c in enumerate(names) if c != self.target]  # noqa: E731
        return (
            part.numbers[known][:, keep(self.encoded.numbers)],
            part.codes[known][:, keep(self.encoded.categories)],
            y[known],
        )


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Ratio, TSTR and TRTR for boosted trees and for a linear model; [] without a target. Models are fitted to equally
    many rows of train and of synthetic, at most 20,000.

    Interval: percentile bootstrap of control's records by privacy unit. The floor of tstr is trtr.
    """
    if evidence.target is None:
        return []
    if note := intervals.missing_evidence(evidence, "control", "synthetic", "train"):
        return intervals.unmeasured(GAUGES, note)
    numbers, categories = columns_by_kind(evidence.schema)
    if evidence.target not in (*numbers, *categories):
        return intervals.unmeasured(GAUGES, f"target {evidence.target} is not a column that can be predicted")
    task = _task(evidence, rng)
    if note := _unpredictable(task):
        return intervals.unmeasured(GAUGES, note)
    seed = seeds.fork(rng)
    weights = _weights(task, rng)
    with intervals.one_thread():
        task = replace(task, shallow=_prefers_shallow(task, seed))
    out: list[Measurement] = []
    for gauges, fit in ((BOOSTED, boosted), (LINEAR, linear)):
        try:
            with intervals.one_thread():
                out += _judge(task, gauges, fit, weights, seed)
        except ValueError as error:
            out += intervals.unmeasured(gauges, f"no model of {task.target} can be fitted to these records: {error}")
    return out


def predictable(train: Table, control: Table, target: str, *, rng: np.random.Generator) -> str:
    """Why deep boosted trees of some records do not clearly predict a column of others; empty if they do."""
    task = _task(Evidence(train.schema, train, train, control, target=target, full=False), rng)
    if note := _unpredictable(task):
        return note
    truth, weights = task.side("control")[2], _weights(task, rng)
    chance = _chance(task, truth, weights)
    with intervals.one_thread():
        guess = boosted(task, "train", seeds.fork(rng))
    return _near_chance(task, _scores(task, truth, guess, weights, chance), chance)


def _task(evidence: Evidence, rng: np.random.Generator) -> _Task:
    """Sample and encode the tables, and label their rows."""
    most = min(20_000 if evidence.full else 10_000, max(_CELLS // max(len(evidence.schema.columns), 1), 1_000))
    rows = min(len(evidence.train), len(evidence.synthetic), most)
    tables: dict[str, Table] = {k: cut(getattr(evidence, k), rows, rng=rng) for k in ("train", "synthetic")}
    tables["control"] = cut(evidence.control, 10_000, rng=rng)
    if evidence.full and evidence.baseline is not None and len(evidence.baseline):
        tables["baseline"] = cut(evidence.baseline, rows, rng=rng)
    encoded, target = encode(tables, evidence.schema), str(evidence.target)
    values, number = learners.target_of(encoded, target)
    if number:
        return _Task(encoded, target, values, 0)
    labels, classes = _classes(values)
    return _Task(encoded, target, labels, classes)


def _classes(values: dict[str, np.ndarray]) -> tuple[dict[str, np.ndarray], int]:
    """Labels 0 .. classes - 1 by frequency in train; values absent from train are "other" if that class exists,
    otherwise NaN.
    """
    known, counts = np.unique(values["train"][~np.isnan(values["train"])], return_counts=True)
    known = known[np.argsort(-counts, kind="stable")]
    lookup = {value: min(rank, CLASSES) for rank, value in enumerate(known)}
    unknown = CLASSES if len(known) > CLASSES else np.nan
    labels = {}
    for name, column in values.items():
        distinct, index = np.unique(column, return_inverse=True)
        labels[name] = np.array([np.nan if np.isnan(v) else lookup.get(v, unknown) for v in distinct], dtype=float)[
            index.reshape(-1)
        ]
    return labels, min(len(known), CLASSES + 1)


def _unpredictable(task: _Task) -> str:
    """Why the target cannot be predicted; empty if it can."""
    if task.classes == 1:
        return f"target {task.target} has a single value in train"
    if task.classes == 0 and not np.isfinite(task.labels["train"]).any():
        return f"target {task.target} is null throughout train"
    if len(task.encoded.names) < 2:
        return f"there is no column to predict {task.target} from"
    sizes = {name: int((~np.isnan(task.labels[name])).sum()) for name in ("train", "control", "synthetic")}
    if few := [f"{name} ({size})" for name, size in sizes.items() if size < _FEWEST]:
        return f"fewer than {_FEWEST} records with a known {task.target}: {', '.join(few)}"
    truth = task.labels["control"]
    if len(np.unique(truth[~np.isnan(truth)])) < 2:
        return f"target {task.target} has a single value in control"
    if not task.classes:
        return ""
    beside = {name: int(sizes[name] - np.bincount(_known(task.labels[name])).max()) for name in ("train", "control")}
    if few := [f"{name} ({size})" for name, size in beside.items() if size < _OTHERS]:
        return (
            f"fewer than {_OTHERS} records outside the largest class of {task.target}: {', '.join(few)}; remedy: more"
            " data, or split.stratify_by"
        )
    return ""


def _known(labels: np.ndarray) -> np.ndarray:
    return labels[~np.isnan(labels)].astype(np.int64)


def _weights(task: _Task, rng: np.random.Generator) -> np.ndarray:
    """Bootstrap weights of control's labelled rows by privacy unit; the first row is all ones. (RESAMPLES + 1, rows)"""
    units = np.unique(task.encoded.tables["control"].units[~np.isnan(task.labels["control"])], return_inverse=True)[
        1
    ].reshape(-1)
    count = int(units.max()) + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), size=RESAMPLES)
    return np.vstack([np.ones(len(units)), drawn[:, units]])


def _judge(task: _Task, gauges: tuple[Gauge, ...], fit: Any, weights: np.ndarray, seed: int) -> list[Measurement]:
    truth = task.side("control")[2]
    chance = _chance(task, truth, weights)
    found = {
        name: _scores(task, truth, fit(task, name, seed), weights, chance)
        for name in task.encoded.tables
        if name != "control"
    }
    tstr, trtr = found["synthetic"], found["train"]
    ratio_gauge, tstr_gauge, trtr_gauge = (
        replace(g, unit=unit) for g, unit in zip(gauges, ("", task.unit, task.unit), strict=True)
    )
    n = len(truth)
    base = found.get("baseline")
    out = [
        intervals.measured(
            tstr_gauge, tstr[0], *_ends(tstr), n=n, floor=trtr[0], baseline=None if base is None else base[0]
        ),
        intervals.measured(trtr_gauge, trtr[0], *_ends(trtr), n=n, baseline=None if base is None else base[0]),
    ]
    if note := _near_chance(task, trtr, chance):
        return [*intervals.not_measurable([ratio_gauge], note), *out]
    above = np.maximum(trtr - chance, _LEARNABLE / 2)
    ratio = (tstr - chance) / above
    beside = {"floor": 1.0, "baseline": None if base is None else ((base - chance) / above)[0]}
    return [intervals.measured(ratio_gauge, ratio[0], *_ends(ratio), n=n, **beside), *out]


def _near_chance(task: _Task, trtr: np.ndarray, chance: np.ndarray) -> str:
    """Why a model of real rows is not clearly above chance; empty if it is.

    The lower end of its interval must lie above chance by a quarter of the estimate, about 2.6 standard errors: with
    less, the error of the ratio is larger than what any gate on it asks.
    """
    above = trtr - chance
    if above[0] > _LEARNABLE and _ends(above)[0] > above[0] / 4:
        return ""
    low, high = _ends(trtr)
    return (
        f"real rows do not predict {task.target} clearly better than chance ({task.unit} {trtr[0]:.3f}, 95 % interval"
        f" {low:.3f} – {high:.3f}, chance {chance[0]:.3f}), so that the ratio means nothing"
    )


def _ends(scores: np.ndarray) -> tuple[float, float]:
    """2.5 % and 97.5 % quantiles of the resampled values, widened to include the estimate."""
    with np.errstate(invalid="ignore"):
        low, high = np.nanquantile(scores, [0.025, 0.975])
    return min(float(low), float(scores[0])), max(float(high), float(scores[0]))


def _chance(task: _Task, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Score of guessing on each resample. (RESAMPLES + 1,)"""
    if task.classes <= 2:
        return np.full(len(weights), 0.5 if task.classes else 0.0)
    hot = truth[:, None] == np.arange(task.classes)[None, :]
    return (weights @ hot / weights.sum(axis=1, keepdims=True)).max(axis=1)


def _scores(task: _Task, truth: np.ndarray, guess: np.ndarray, weights: np.ndarray, chance: np.ndarray) -> np.ndarray:
    """AUC, accuracy or R2 of the predictions on each resample. (RESAMPLES + 1,)"""
    total = weights.sum(axis=1)
    if task.classes == 2:
        return weighted_auc(guess, truth == 1, weights)
    if task.classes:
        return weights @ (guess == truth) / total
    mean = weights @ truth / total
    spread = weights @ truth**2 / total - mean**2
    return 1 - (weights @ (truth - guess) ** 2 / total) / np.maximum(spread, 1e-300)


def weighted_auc(score: np.ndarray, positive: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """ROC AUC, ties halved, under each row of weights; NaN where a class has no weight. (resamples,)"""
    order = np.argsort(score, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(score[order]) != 0])
    pos = np.add.reduceat(weights[:, order] * positive[order], starts, axis=1)
    neg = np.add.reduceat(weights[:, order] * ~positive[order], starts, axis=1)
    pairs = (pos * (np.cumsum(neg, axis=1) - neg / 2)).sum(axis=1)
    possible = pos.sum(axis=1) * neg.sum(axis=1)
    return np.divide(pairs, possible, out=np.full(len(weights), np.nan), where=possible > 0)


def boosted(task: _Task, name: str, seed: int) -> np.ndarray:
    """Predictions for control of histogram gradient boosting fitted to a table; categories as ranks, nulls kept."""
    (*fit, y), (*test, _) = task.side(name), task.side("control")
    return _boosted(task, _flat(*fit), y, _flat(*test), seed)


def _flat(numbers: np.ndarray, codes: np.ndarray) -> np.ndarray:
    return np.hstack([numbers, np.where(codes < 0, np.nan, codes)])


def _boosted(task: _Task, X: np.ndarray, y: np.ndarray, Z: np.ndarray, seed: int) -> np.ndarray:
    X, Z = learners.features(X, Z)
    return _predict(task, learners.boosted(X.shape[1], task.classes, seed, shallow=task.shallow), X, y, Z)


def _prefers_shallow(task: _Task, seed: int) -> bool:
    """Whether shallow boosted trees predict a number in a quarter of the units of train about as well as deep ones do,
    to within one standard error (Breiman et al. 1984, §3.4.3).

    Where a target is mostly noise, deep trees fit it, and the ratio of two such models varies with the sample.
    """
    if task.classes:
        return False
    numbers, codes, y = task.side("train")
    units = task.encoded.tables["train"].units[~np.isnan(task.labels["train"])]
    out = np.isin(units, np.unique(units)[::4])
    if out.all() or not out.any():
        return False
    X = _flat(numbers, codes)
    deep, shallow = (_boosted(replace(task, shallow=each), X[~out], y[~out], X[out], seed) for each in (False, True))
    excess = (y[out] - shallow) ** 2 - (y[out] - deep) ** 2
    by_unit = np.bincount(np.unique(units[out], return_inverse=True)[1].reshape(-1), weights=excess)
    return bool(by_unit.sum() <= by_unit.std() * np.sqrt(len(by_unit)))


def linear(task: _Task, name: str, seed: int) -> np.ndarray:
    """Predictions for control of logistic or ridge regression fitted to a table; numbers standardised, the most
    frequent categories one-hot.
    """
    from sklearn.linear_model import LogisticRegression, Ridge

    (*fit, y), (*test, _) = task.side(name), task.side("control")
    top = 20 if fit[1].shape[1] <= 50 else max(2, 1_000 // fit[1].shape[1])
    X, Z = _design(fit[0], fit[1], fit[0], top), _design(test[0], test[1], fit[0], top)
    return _predict(task, LogisticRegression(max_iter=200) if task.classes else Ridge(), X, y, Z)


def _design(numbers: np.ndarray, codes: np.ndarray, like: np.ndarray, top: int) -> np.ndarray:
    """Features of a linear model: numbers standardised by `like` with nulls at the mean, and one-hot codes below
    `top`.
    """
    known = ~np.isnan(like)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, like, 0).sum(axis=0) / count
    deviation = np.sqrt((np.where(known, like - mean, 0) ** 2).sum(axis=0) / count)
    scaled = np.clip(np.nan_to_num((numbers - mean) / np.where(deviation > 0, deviation, np.inf)), -10, 10)
    hot = [codes[:, [j]] == np.arange(top)[None, :] for j in range(codes.shape[1])]
    return np.hstack([scaled, *hot]).astype(np.float64)


def _predict(task: _Task, model: Any, X: np.ndarray, y: np.ndarray, Z: np.ndarray) -> np.ndarray:
    """Fit and predict: score of class 1 for two classes, the class for more, or the number. Without features or with a
    single label, the prediction is constant.
    """
    if not X.shape[1] or len(np.unique(y)) < 2:
        return np.full(len(Z), np.median(y) if not task.classes else np.bincount(y.astype(int)).argmax(), dtype=float)
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # an unconverged linear fit is evaluated like any other
        model.fit(X, y)
    return model.predict_proba(Z)[:, 1] if task.classes == 2 else model.predict(Z)
