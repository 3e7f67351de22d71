"""Effect and cost of `generate.fairness`: demographic parity of the target and of models of it, and lost utility."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcli import seeds
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Fairness, Gauge, Measurement
from synthcli.tabular.judging import intervals, learners
from synthcli.tabular.judging.encoding import Encoded, as_codes, columns_by_kind, cut, encode

_MODELS = frozenset({"fairness", "train", "control", "synthetic"})
PARITY = Gauge(
    "parity_gap",
    "lower",
    frozenset({"fairness", "synthetic"}),
    "demographic parity gap of generate.fairness.target: largest difference between sensitive groups in the "
    "share of any of its values",
)
PREDICTED = Gauge(
    "predicted_parity_gap",
    "lower",
    _MODELS,
    "parity gap of the predictions for control of boosted trees trained on synthetic: mean probability of a "
    "class, or mean number over its deviation",
)
COST = Gauge(
    "fairness_cost",
    "lower",
    _MODELS,
    "lost utility: score on control (auc, accuracy or R2) of boosted trees trained on synthetic rows generated "
    "without the request, minus with it",
)
GAUGES: tuple[Gauge, ...] = (PARITY, PREDICTED, COST)
RESAMPLES = 200
CLASSES = 10  # rarer values of the target are left out of the models
LEAST = 1e-3  # groups with a smaller share of the rows are left out
_FEWEST = 30  # minimum rows of a table with a known target
_CONTROL = 5_000


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Gap of the target (floor: in real data), gap of predictions (floor: of a model trained on train), and the lost
    utility; [] without generate.fairness.

    Intervals: percentile bootstrap of control's privacy units. The gap of the target has none, since it describes
    exactly the generated rows.
    """
    fairness = evidence.fairness
    if fairness is None:
        return []
    if absent := [c for c in (fairness.target, *fairness.sensitive) if c not in evidence.schema.names]:
        return intervals.unmeasured(GAUGES, f"there is no column {absent[0]}")
    if not len(fairness.synthetic):
        return intervals.unmeasured(GAUGES, "the synthetic part has no rows")
    out = _parity(fairness)
    if note := _missing(fairness):
        return [*out, *intervals.unmeasured([PREDICTED, COST], note)]
    task = _task(evidence, fairness, rng=rng)
    if isinstance(task, str):
        return [*out, *intervals.unmeasured([PREDICTED, COST], task)]
    with intervals.one_thread():
        return [*out, *_models(task, rng=rng)]


def _missing(fairness: Fairness) -> str | None:
    """Why no model can be fitted or tested; None if both tables have rows."""
    for name in ("train", "control"):
        part = getattr(fairness, name)
        if part is None or not len(part):
            return f"there are no {name} records to fit or to test a model on"
    return None


# --- the target itself


def _parity(fairness: Fairness) -> list[Measurement]:
    """The gap across the groups of all sensitive columns combined, and of each sensitive column alone."""
    real = fairness.train if fairness.train is not None and len(fairness.train) else None
    tables = [fairness.synthetic, *([real] if real is not None else [])]
    out = []
    for columns in (fairness.sensitive, *((c,) for c in fairness.sensitive if len(fairness.sensitive) > 1)):
        counted = _tables(tables, fairness.target, columns)
        value, floor = gap(counted[0]), None if real is None else gap(counted[1])
        before = "" if floor is None else f"{floor:.4g} in real data, "
        note = f"{fairness.target} by {' × '.join(columns)}: {before}{value:.4g} in synthetic"
        place: dict[str, Any] = {} if columns is fairness.sensitive else {"scope": "subgroup", "of": columns[0]}
        out.append(intervals.measured(PARITY, value, n=len(fairness.synthetic), floor=floor, note=note, **place))
    return out


def _tables(tables: list[Table], target: str, sensitive: tuple[str, ...]) -> list[np.ndarray]:
    """Counts by group and value of the target, with null as a value, for each table. list of (groups, values)"""
    coded = [as_codes([t.frame[name] for t in tables]) for name in (*sensitive, target)]
    shape = tuple(size + 1 for _, size in coded)
    flat = [np.ravel_multi_index([codes[i] + 1 for codes, _ in coded], shape) for i in range(len(tables))]
    every = [np.bincount(f, minlength=int(np.prod(shape))).reshape(-1, shape[-1]) for f in flat]
    used = np.any([c.sum(axis=1) > 0 for c in every], axis=0)
    return [c[used] for c in every]


def gap(counts: np.ndarray) -> float:
    """Largest difference between groups in the share of any value; groups below LEAST of the rows are left out. counts:
    (groups, values)
    """
    size = counts.sum(axis=1)
    large_enough = size >= max(LEAST * size.sum(), 1)
    share = counts[large_enough] / size[large_enough, None]
    return float((share.max(axis=0) - share.min(axis=0)).max()) if len(share) > 1 else 0.0


def _ends(drawn: np.ndarray, value: float) -> tuple[float, float]:
    """2.5 % and 97.5 % quantiles of the resampled values, widened to include the estimate."""
    low, high = np.nanquantile(drawn, [0.025, 0.975]) if np.isfinite(drawn).any() else (value, value)
    return min(float(low), value), max(float(high), value)


# --- models of the target


@dataclass(frozen=True)
class _Task:
    """A prediction task. features: table -> (rows, d), NaN for null; labels: class or number; groups, units: of
    control's rows; classes: 0 for a number.
    """

    features: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]
    groups: np.ndarray
    units: np.ndarray
    classes: int
    seed: int

    @property
    def unit(self) -> str:
        return learners.score_of(self.classes)


def _task(evidence: Evidence, fairness: Fairness, *, rng: np.random.Generator) -> _Task | str:
    """Build the task with equally many training rows from each table; or return why no model can be fitted."""
    numbers, categories = columns_by_kind(evidence.schema)
    if fairness.target not in (*numbers, *categories):
        return f"target {fairness.target} is not a column that can be predicted"
    sides = {"train": fairness.train, "synthetic": fairness.synthetic}
    if fairness.before is not None and len(fairness.before):
        sides["before"] = fairness.before
    rows = min(20_000 if evidence.full else 5_000, *(len(t) for t in sides.values()))
    tables = {name: cut(t, rows, rng=rng) for name, t in sides.items()} | {
        "control": cut(fairness.control, _CONTROL, rng=rng)
    }
    encoded = encode(tables, evidence.schema)
    labels, classes = _labels(encoded, fairness.target)
    known = {name: ~np.isnan(y) for name, y in labels.items()}
    if few := [f"{name} ({k.sum()})" for name, k in known.items() if k.sum() < _FEWEST]:
        return f"fewer than {_FEWEST} records with a known {fairness.target}: {', '.join(few)}"
    if single := [name for name in ("train", "control") if len(np.unique(labels[name][known[name]])) < 2]:
        return f"{fairness.target} has a single value in {single[0]}"
    control, keep = tables["control"], [c != fairness.target for c in encoded.names]
    groups = np.unique(
        np.column_stack([as_codes([control.frame[c]])[0][0] for c in fairness.sensitive]), axis=0, return_inverse=True
    )[1].reshape(-1)
    return _Task(
        {name: part.matrix()[known[name]][:, keep] for name, part in encoded.tables.items()},
        {name: y[known[name]] for name, y in labels.items()},
        groups[known["control"]],
        encoded.tables["control"].units[known["control"]],
        classes,
        seeds.fork(rng),
    )


def _labels(encoded: Encoded, target: str) -> tuple[dict[str, np.ndarray], int]:
    """Classes by frequency in train, or numbers; NaN for rows that are left out."""
    values, number = learners.target_of(encoded, target)
    if number:
        return values, 0
    known, counts = np.unique(values["train"][~np.isnan(values["train"])], return_counts=True)
    known = np.sort(known[np.argsort(-counts, kind="stable")[:CLASSES]])
    if not len(known):
        return values, 2
    place = {k: np.clip(np.searchsorted(known, v), 0, len(known) - 1) for k, v in values.items()}
    return {k: np.where(known[place[k]] == v, place[k].astype(float), np.nan) for k, v in values.items()}, max(
        2, len(known)
    )


def _models(task: _Task, *, rng: np.random.Generator) -> list[Measurement]:
    """The gap of predictions and the loss of score, each compared with a model fitted to train."""
    truth, n = task.labels["control"], len(task.groups)
    guesses = {name: _fitted(task, name) for name in task.features if name != "control"}
    rows = [np.arange(n), *(_resampled(task.units, rng=rng) for _ in range(RESAMPLES))]
    apart = {
        name: np.array([_predicted_gap(task, g[i], truth[i], task.groups[i]) for i in rows])
        for name, g in guesses.items()
    }
    score = {name: np.array([_score(task, g[i], truth[i]) for i in rows]) for name, g in guesses.items()}
    first = "before" if "before" in guesses else "train"
    words = {"train": "real data", "before": "synthetic data generated without the request", "synthetic": "this data"}

    def describe(figures: dict[str, Any]) -> str:
        return ", ".join(
            f"{figures[k][0]:.4g} from {words[k]}" for k in ("train", "before", "synthetic") if k in figures
        )

    paid = score[first] - score["synthetic"]
    return [
        intervals.measured(
            PREDICTED,
            apart["synthetic"][0],
            *_ends(apart["synthetic"], float(apart["synthetic"][0])),
            n=n,
            floor=apart["train"][0],
            note=f"mean prediction by group: {describe(apart)}",
        ),
        intervals.measured(COST, paid[0], *_ends(paid, float(paid[0])), n=n, note=f"{task.unit}: {describe(score)}"),
    ]


def _resampled(units: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Rows of one bootstrap resample of the units."""
    known, place = np.unique(units, return_inverse=True)
    times = rng.multinomial(len(known), np.full(len(known), 1 / len(known)))
    return np.repeat(np.arange(len(units)), times[place.reshape(-1)])


def _fitted(task: _Task, name: str) -> np.ndarray:
    """Predictions for control of boosted trees fitted to a table: probabilities (rows, classes), or numbers (rows,
    1).
    """
    y = task.labels[name]
    X, Z = learners.features(task.features[name], task.features["control"])
    present = np.unique(y).astype(int) if task.classes else np.zeros(0, dtype=int)
    if not X.shape[1] or len(np.unique(y)) < 2:
        constant = (
            np.bincount(y.astype(int), minlength=task.classes) / len(y) if task.classes else np.array([np.median(y)])
        )
        return np.tile(constant, (len(Z), 1))
    model = learners.boosted(X.shape[1], task.classes, task.seed).fit(X, y)
    if not task.classes:
        return np.asarray(model.predict(Z)[:, None])
    out = np.zeros((len(Z), task.classes))
    out[:, present] = model.predict_proba(Z)
    return out


def _predicted_gap(task: _Task, guess: np.ndarray, truth: np.ndarray, groups: np.ndarray) -> float:
    """Largest difference between groups in the mean prediction; for numbers, over their standard deviation."""
    sizes = np.bincount(groups)
    large_enough = np.flatnonzero(sizes >= max(LEAST * len(groups), 1))
    if len(large_enough) < 2:
        return 0.0
    means = np.column_stack(
        [np.bincount(groups, weights=g, minlength=len(sizes))[large_enough] / sizes[large_enough] for g in guess.T]
    )
    apart = float((means.max(axis=0) - means.min(axis=0)).max())
    return apart if task.classes else apart / max(float(truth.std()), 1e-300)


def _score(task: _Task, guess: np.ndarray, truth: np.ndarray) -> float:
    if task.classes == 2:
        return intervals.auc(guess[truth == 1, 1], guess[truth == 0, 1])[0]
    if task.classes:
        return float((guess.argmax(axis=1) == truth).mean())
    return float(1 - ((truth - guess[:, 0]) ** 2).mean() / max(float(truth.var()), 1e-300))
