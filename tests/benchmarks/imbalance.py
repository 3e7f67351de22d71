"""Rare classes: what balancing with synthetic rows does for a model of them, beside SMOTE and beside doing nothing."""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli import plugins, seeds
from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.modelling import BLOCK, Job, Request
from synthcli.contracts.schema import Schema
from synthcli.tabular.judging.intervals import one_thread
from tests.benchmarks.harness import tables
from tests.benchmarks.harness.document import Section, figure, grid, machine

TITLE = "Rare classes"
ARMS = ("real", "real + SMOTE", "real + ours", "synthetic", "synthetic, balanced")
AGAINST = {
    "real + SMOTE": "real",
    "real + ours": "real",
    "synthetic, balanced": "synthetic",
}  # what balancing is compared with
HEAD = ("table", "rare", "rows", "model", *ARMS, "SMOTE - real", "ours - real", "balanced - synthetic")
ABOUT = (
    "Average precision (area under the precision-recall curve) for the rare class on unseen real rows, where it has its"
    " natural frequency. The models learn from half of the rows, split with stratification, in which the rare class is"
    " reduced to the number in the column `rare`. real + …: rows of the rare class are added until both classes are"
    " equally frequent, either by SMOTE (SMOTENC if some columns are categories, SMOTEN if all are) or drawn by"
    " synthcli's method given the class. synthetic: as many rows as were learned, with the classes as drawn; balanced:"
    " half of each class. The last three columns are mean differences with 95 % t-intervals over the halvings."
)
MOST = 2_000  # rows learned


def _breast_cancer() -> tuple[Table, str, str]:
    return _whole("breast_cancer"), "diagnosis", "malignant"


def _affairs() -> tuple[Table, str, str]:
    return _whole("affairs"), "marriage_rating", "very poor"


def _rand_health() -> tuple[Table, str, str]:
    table = _whole("rand_health")
    first = ~table.frame["subject"].duplicated()  # one row a person, so that halves share nobody
    columns = tuple(c for c in table.schema.columns if c.name != "subject")
    return Table(table.frame[first.to_numpy()], Schema(columns)), "self_rated_health", "poor"


def _digits() -> tuple[Table, str, str]:
    from sklearn.datasets import load_digits

    bunch = load_digits(as_frame=True)
    frame = bunch.frame.loc[:, bunch.frame.nunique() > 4].astype("int64")
    import pyarrow as pa

    frame["digit"] = np.where(bunch.target == 8, "eight", "other")
    return tables.typed(pa.Table.from_pandas(frame.drop(columns="target"), preserve_index=False)), "digit", "eight"


TABLES: dict[
    str, tuple[Callable[[], tuple[Table, str, str]], float]
] = {  # name: (table, target and rare class; its share among learned rows, at most)
    "breast_cancer": (_breast_cancer, 0.05),
    "affairs": (_affairs, 0.02),
    "rand_health": (_rand_health, 0.02),
    "digits": (_digits, 0.03),
}


def _whole(name: str) -> Table:
    from synthcli import sources

    return tables.typed(sources.read(sources.Source("builtin", name=name)))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this bench."""
    parser.add_argument("--imbalance-tables", default=",".join(TABLES))
    parser.add_argument("--imbalance-seeds", type=int, default=10, help="halvings of each table")
    parser.add_argument("--imbalance-method", default="trees")


def run(asked: argparse.Namespace) -> list[Section]:
    """Every arm on every table and halving."""
    lines = []
    for name in asked.imbalance_tables.split(","):
        make, share = TABLES[name]
        table, target, rare = make()
        found = []
        for seed in range(asked.imbalance_seeds):
            print(f"imbalance: {name}, halving {seed + 1} of {asked.imbalance_seeds}", file=sys.stderr, flush=True)
            found += halving(
                table,
                target,
                rare,
                share,
                asked.imbalance_method,
                rng=seeds.stream(asked.seed, "imbalance", name, seed),
            )
        lines += summed(name, pd.DataFrame(found))
    about = f"{ABOUT} Method: {asked.imbalance_method}; {asked.imbalance_seeds} halvings.\n\n{machine()}."
    return [Section(TITLE, about, grid(HEAD, lines))]


def halving(
    table: Table, target: str, rare: str, share: float, method: str, *, rng: np.random.Generator
) -> list[dict[str, Any]]:
    """Average precision of every arm and model on one halving."""
    train, test = cut(table, target, rare, share, rng=rng)
    hits = int((train.frame[target] == rare).sum())
    out = []
    for arm, rows in arms(train, target, rare, method, rng=rng).items():
        for model in ("boosted trees", "logistic regression"):
            out.append(
                {
                    "arm": arm,
                    "model": model,
                    "rows": len(train),
                    "rare": hits,
                    "score": precision(rows, test, target, rare, model),
                }
            )
    return out


def cut(table: Table, target: str, rare: str, share: float, *, rng: np.random.Generator) -> tuple[Table, Table]:
    """Learned rows, in which the class is as rare as asked, and unseen ones as they are."""
    half = table.split({"train": 0.5, "test": 0.5}, rng=rng, stratify_by=target)
    hit = (half["train"].frame[target] == rare).to_numpy(dtype=bool, na_value=False)
    others = rng.permutation(np.flatnonzero(~hit))[:MOST]
    hits = rng.permutation(np.flatnonzero(hit))[: max(10, round(share / (1 - share) * len(others)))]
    return half["train"].take(np.sort(np.r_[others, hits])), half["test"]


def arms(train: Table, target: str, rare: str, method: str, *, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """The rows that each arm learns from."""
    module = plugins.method(method, "tabular")
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = module.fit(train, module.Params(), job=Job(seeds.fork(rng), Path(scratch), target=target))
    labels = train.frame[target]
    wanted = int((labels != rare).sum() - (labels == rare).sum())
    plain = model.sample(Request(min(len(train), BLOCK)), 0, rng=rng).frame
    common = labels[labels != rare].iloc[rng.integers(0, int((labels != rare).sum()), len(train) // 2)]
    balanced = pd.concat(
        [given(model, train, target, common, rng=rng), given(model, train, target, [rare] * (len(train) // 2), rng=rng)]
    )
    return {
        "real": train.frame,
        "real + SMOTE": smote(train, target, rare, rng=rng),
        "real + ours": pd.concat(
            [train.frame, given(model, train, target, [rare] * wanted, rng=rng)], ignore_index=True
        ),
        "synthetic": plain,
        "synthetic, balanced": balanced.reset_index(drop=True),
    }


def given(model: Any, train: Table, target: str, values: Any, *, rng: np.random.Generator) -> pd.DataFrame:
    """Rows drawn given their class: what `generate.balance` asks of a model."""
    known = pd.DataFrame({target: pd.Series(list(values), dtype=train.frame[target].dtype)})
    return model.complete(Request(len(known), frame=known), 0, rng=rng).frame


def smote(train: Table, target: str, rare: str, *, rng: np.random.Generator) -> pd.DataFrame:
    """Both classes, all others taken as one, made equal by imbalanced-learn with its own defaults."""
    from imblearn.over_sampling import SMOTE, SMOTEN, SMOTENC

    X, words = plain(train.frame.drop(columns=target), train.schema)
    y = (train.frame[target] == rare).to_numpy(dtype=bool, na_value=False)
    seed, k = seeds.fork(rng), min(5, int(y.sum()) - 1)
    if words.all():
        sampler: Any = SMOTEN(random_state=seed, k_neighbors=k)
    else:
        sampler = (
            SMOTENC(np.flatnonzero(words).tolist(), random_state=seed, k_neighbors=k)
            if words.any()
            else SMOTE(random_state=seed, k_neighbors=k)
        )
    made, label = sampler.fit_resample(X, y)
    out = pd.DataFrame(made, columns=X.columns)
    out[target] = np.where(label, rare, "other")
    return out


def plain(frame: pd.DataFrame, schema: Schema) -> tuple[pd.DataFrame, np.ndarray]:
    """Numbers as floats, a null at the median; everything else as words; and which are words."""
    columns: dict[str, Any] = {}
    for name in frame:
        values = frame[name]
        if schema[name].kind in frames.NUMBERS:
            numbers = (
                values.astype("int64").astype("float64")
                if schema[name].kind in ("datetime", "timedelta")
                else values.astype("float64")
            )
            columns[name] = numbers.fillna(numbers.median())
        else:
            columns[name] = values.astype(object).where(values.notna(), "null").astype(str)
    words = np.array([schema[name].kind not in frames.NUMBERS for name in frame])
    return pd.DataFrame(columns), words


def precision(rows: pd.DataFrame, test: Table, target: str, rare: str, model: str) -> float:
    """Average precision on unseen rows of a model of the rare class."""
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import average_precision_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler

    X, words = plain(rows.drop(columns=target), test.schema)
    Z, _ = plain(test.frame.drop(columns=target), test.schema)
    y, truth = ((f[target] == rare).to_numpy(dtype=bool, na_value=False) for f in (rows, test.frame))
    if not y.any():
        return float(truth.mean())  # nothing of the class was learned: what guessing gets
    names = X.columns[words].tolist(), X.columns[~words].tolist()
    if model == "boosted trees":
        codes = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
        head, last = (
            make_column_transformer((codes, names[0]), ("passthrough", names[1])),
            HistGradientBoostingClassifier(random_state=0),
        )
    else:
        head = make_column_transformer((OneHotEncoder(handle_unknown="ignore"), names[0]), (StandardScaler(), names[1]))
        last = LogisticRegression(max_iter=1_000)
    with warnings.catch_warnings(), one_thread():
        warnings.simplefilter("ignore")
        fitted = make_pipeline(head, last).fit(X, y)
    return float(average_precision_score(truth, fitted.predict_proba(Z)[:, 1]))


def summed(name: str, found: pd.DataFrame) -> list[list[str]]:
    """One line for each model: means, and what balancing changed."""
    lines = []
    for model, some in found.groupby("model"):
        by = {arm: rows["score"].to_numpy() for arm, rows in some.groupby("arm")}
        changes = [interval(by[arm] - by[base]) for arm, base in AGAINST.items()]
        sizes = [figure(some["rare"].mean(), 0), figure(some["rows"].mean(), 0)]
        lines.append([name, *sizes, str(model), *(figure(by[arm].mean()) for arm in ARMS), *changes])
    return lines


def interval(gaps: np.ndarray) -> str:
    """Mean and 95 % t-interval of paired differences."""
    from scipy.stats import t

    mean = float(gaps.mean())
    if len(gaps) < 2:
        return f"{mean:+.3f}"
    half = float(t.ppf(0.975, len(gaps) - 1) * gaps.std(ddof=1) / np.sqrt(len(gaps)))
    return f"{mean:+.3f} ({mean - half:+.3f} to {mean + half:+.3f})"
