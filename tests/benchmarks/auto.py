"""What `method: auto` chooses, beside what every method gets on the same small tables: chosen against best."""

from __future__ import annotations

import argparse
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from synthcli import plugins, seeds
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job, Request
from synthcli.errors import SynthError
from synthcli.spec.modalities.tabular import PRIVACY
from synthcli.tabular.choose import choose
from tests.benchmarks.harness import judging, tables
from tests.benchmarks.harness.document import Section, figure, grid, machine

TITLE = "What auto chooses"
TABLES = "heart,iris,georgia,wine,star98,autompg,diabetes,boston_housing,breast_cancer,modechoice,anes96,affairs"
METHODS = "trees,arnet,gaussian_copula,parametric,independent"
ABOUT = (
    "Each table is split into halves by privacy unit; every method learns one half and is judged against the other."
    " score: the mean of shapes and pair trends (both as shares of what real rows get), 1 - 2·|detection - .5|, and"
    " utility (clipped to between 0 and 1). leak: membership, DCR share and copies as multiples of the margin that the"
    " default gates allow; above 1 a gate fails, and the method cannot be the best. near: whether the score of the"
    " chosen method is less than two standard errors of the difference below the best score."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this bench."""
    parser.add_argument("--auto-tables", default=TABLES, help="small tables, by name")
    parser.add_argument("--auto-methods", default=METHODS)
    parser.add_argument("--repeats", type=int, default=3, help="halvings of each table")


@dataclass(frozen=True)
class Trial:
    """One method on one halving of a table."""

    table: str
    method: str
    rows: int
    columns: int
    seconds: float
    score: float
    leak: float


def run(asked: argparse.Namespace) -> list[Section]:
    """Chosen against best, per table."""
    methods = asked.auto_methods.split(",")
    lines = []
    for name in asked.auto_tables.split(","):
        chosen = choose(len((pair := tables.small(name, 0)).train), pair.train.schema)
        trials = tried(
            name,
            [chosen.method, *(m for m in methods if m != chosen.method)],
            asked.repeats,
            params={chosen.method: dict(chosen.params)},
        )
        lines.append(compared(name, chosen.method, trials))
    head = ("table", "rows", "columns", "chosen", "score", "leak", "best", "its score", "near")
    return [Section(TITLE, f"{ABOUT}\n\n{machine()}; {asked.repeats} halvings of each table.", grid(head, lines))]


def tried(
    name: str, methods: Sequence[str], repeats: int, *, params: dict[str, dict[str, object]] | None = None
) -> pd.DataFrame:
    """A row per method and halving: Trial's fields."""
    found = []
    for seed in range(repeats):
        pair = tables.small(name, seed)
        for method in methods:
            try:
                found.append(trial(pair, method, (params or {}).get(method, {}), seed))
            except SynthError:
                continue  # a method that cannot learn this table is not the best one
    return pd.DataFrame([t.__dict__ for t in found])


def trial(pair: tables.Pair, method: str, params: dict[str, object], seed: int) -> Trial:
    """Fit, sample and judge."""
    module = plugins.method(method, "tabular")
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        model = module.fit(
            pair.train, module.Params.model_validate(params), job=Job(seed, Path(scratch), target=pair.target)
        )
        seconds = time.perf_counter() - started
        request = Request(len(pair.train))
        drawn = [
            model.sample(request, block, rng=seeds.stream(seed, "generate", block)) for block in range(request.blocks)
        ]
        made = Table(pd.concat([t.frame for t in drawn], ignore_index=True), drawn[0].schema)
        value, floor = judging.measure(pair, made, seed)
    return Trial(
        pair.name, method, len(pair.train), len(pair.train.schema.columns), seconds, score(value, floor), leak(value)
    )


def score(value: judging.Figures, floor: judging.Figures) -> float:
    """Fidelity and utility in one figure, 1 at best; what was not measured is left out."""
    parts = [
        min(1.0, v / f)
        for k in ("column_shapes", "column_pair_trends")
        if (v := value[k]) is not None and (f := floor[k])
    ]
    if (auc := value["detection_auc"]) is not None:
        parts.append(1 - 2 * abs(auc - 0.5))
    if (ratio := value["utility_ratio"]) is not None:
        parts.append(min(1.0, max(0.0, ratio)))
    return float(np.mean(parts)) if parts else float("nan")


def leak(value: judging.Figures) -> float:
    """The worst attack as a multiple of the room from ideal to the bound of the default gate."""
    ideal = {"membership_auc": 0.5, "dcr_share": 0.5, "excess_copies": 0.0, "real_identifiers": 0.0}
    rooms = [
        (v - ideal[g.metric]) / (g.max - ideal[g.metric])
        for g in PRIVACY
        if g.max is not None and (v := value[g.metric]) is not None
    ]
    return max(rooms, default=0.0)


def compared(name: str, chosen: str, trials: pd.DataFrame) -> list[str]:
    """One row of the table."""
    by = trials.groupby("method")[["score", "leak", "seconds"]].mean()
    sound = by[by["leak"] <= 1.0] if (by["leak"] <= 1.0).any() else by
    best = str(sound["score"].idxmax())
    ours, theirs = (trials[trials["method"] == m]["score"].to_numpy() for m in (chosen, best))
    gap = theirs - ours
    error = float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else 0.0
    near = chosen == best or float(gap.mean()) <= 2 * error
    rows, columns = int(trials["rows"].iloc[0]), int(trials["columns"].iloc[0])
    shown = [figure(by.loc[chosen, "score"]), figure(by.loc[chosen, "leak"], 1)]
    return [
        name,
        f"{rows:,}",
        str(columns),
        chosen,
        *shown,
        best,
        figure(by.loc[best, "score"]),
        "yes" if near else "no",
    ]
