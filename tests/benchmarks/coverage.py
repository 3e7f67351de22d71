"""Do 95 % intervals from several copies cover: a method refitted to many samples of a known population, its copies
combined.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np
import pandas as pd

from synthcli import plugins
from synthcli.columns.table import Table
from synthcli.combining import combine
from synthcli.contracts.modelling import Job, Request
from synthcli.contracts.schema import Column, Schema, Traits
from tests.benchmarks.harness.document import Section, grid

TITLE = "Coverage of intervals from several copies"
SCHEMA = Schema(
    tuple(
        Column(n, inferred=Traits(type=t), storage=s)
        for n, t, s in (("x", "float", "double"), ("z", "category", "string"), ("y", "float", "double"))
    )
)
TRUTH = {"mean(y)": 1.3, "slope of y on x": 0.5, "share(z == 'b')": 0.3}
CASES = (("one fit", "reiter"), ("one fit", "naive"), ("refitted", "reiter"), ("refitted", "raghunathan"))


def arguments(parser: Any) -> None:
    parser.add_argument("--coverage-methods", nargs="+", default=["trees"], metavar="METHOD")
    parser.add_argument("--coverage-replications", type=int, default=200, metavar="N")
    parser.add_argument("--coverage-rows", type=int, default=500, metavar="N")
    parser.add_argument("--coverage-copies", type=int, default=5, metavar="N")
    parser.add_argument("--coverage-target", default=None, metavar="COLUMN", help="evaluate.target")


def run(asked: argparse.Namespace) -> list[Section]:
    return [_section(method, asked) for method in asked.coverage_methods]


def sample(rows: int, *, rng: np.random.Generator) -> Table:
    """Rows of the population: y = 1 + x / 2 + (z == 'b') + e."""
    x, b = rng.standard_normal(rows), rng.random(rows) < 0.3
    y = 1 + x / 2 + b + rng.standard_normal(rows)
    return Table(
        pd.DataFrame({"x": x, "z": pd.Series(np.where(b, "b", "a"), dtype=pd.StringDtype("pyarrow")), "y": y}), SCHEMA
    )


def analysed(table: Table) -> np.ndarray:
    """Estimates and their squared standard errors, in the order of TRUTH. (3, 2)"""
    frame, n = table.frame, len(table)
    x, y, b = frame["x"].to_numpy(), frame["y"].to_numpy(), (frame["z"] == "b").to_numpy(dtype=float)
    design = np.column_stack([np.ones(n), x, b])
    weights = np.linalg.lstsq(design, y, rcond=None)[0]
    spread = np.linalg.inv(design.T @ design) * ((y - design @ weights) ** 2).sum() / (n - 3)
    return np.array([[y.mean(), y.var(ddof=1) / n], [weights[1], spread[1, 1]], [b.mean(), b.var(ddof=1) / n]])


def replication(method: str, rows: int, copies: int, seed: int, target: str | None = None) -> dict[str, np.ndarray]:
    """What each copy says, from one fit and from refits to bootstraps. (copies, 3, 2)"""
    module, rng = plugins.method(method, "tabular"), np.random.default_rng(seed)
    real = sample(rows, rng=rng)
    fit = lambda data, i: module.fit(data, module.Params(), job=Job(seed=seed * 1000 + i, target=target))  # noqa: E731
    draw = lambda model, i: analysed(model.sample(Request(rows), 0, rng=np.random.default_rng([seed, i])))  # noqa: E731
    model = fit(real, 0)
    again = [fit(real.take(rng.integers(0, rows, rows)), i) for i in range(1, copies + 1)]
    return {
        "one fit": np.array([draw(model, i) for i in range(copies)]),
        "refitted": np.array([draw(m, 100 + i) for i, m in enumerate(again)]),
        "real": analysed(real)[None],
    }


def _section(method: str, asked: argparse.Namespace) -> Section:
    started, rows, copies, total = (
        time.monotonic(),
        asked.coverage_rows,
        asked.coverage_copies,
        asked.coverage_replications,
    )
    found = [replication(method, rows, copies, seed, asked.coverage_target) for seed in range(total)]
    lines = [["real rows", "–", *_cells([r["real"][0] for r in found])]]
    for how, rule in CASES:
        lines.append([how, rule, *_cells([_combined(r[how], rule) for r in found])])
    head = ["copies from", "rule", *(f"{name}: {what}" for name in TRUTH for what in ("coverage", "mean"))]
    truth = ", ".join(f"{name} is {value}" for name, value in TRUTH.items())
    about = (
        f"{total} samples of {rows} rows, {copies} copies of {rows} rows each; target:"
        f" {asked.coverage_target or 'none'}. In the population {truth}. "
    )
    about += f"A coverage of 0.95 has a standard error of {np.sqrt(0.0475 / total):.3f}."
    return Section(f"{TITLE}: {method}", about, grid(head, lines), f"{time.monotonic() - started:.0f} s.")


def _combined(copies: np.ndarray, rule: str) -> np.ndarray:
    """Estimate, low and high of each quantity. naive: all copies as if they were one real table. (3, 3)"""
    q, u = copies[..., 0], copies[..., 1]
    one = combine(q, u, rule="raab", ratio=1e-12) if rule == "naive" else combine(q, u, rule=rule)  # type: ignore[arg-type]
    return np.column_stack([one.estimate, one.low, one.high])


def _cells(estimates: list[np.ndarray]) -> list[str]:
    """Share of intervals that hold the truth, and the mean of the estimates, for each quantity."""
    out = []
    every = np.array(
        [
            (
                e
                if e.shape[1] == 3
                else np.column_stack([e[:, 0], e[:, 0] - 1.96 * e[:, 1] ** 0.5, e[:, 0] + 1.96 * e[:, 1] ** 0.5])
            )
            for e in estimates
        ]
    )
    for j, truth in enumerate(TRUTH.values()):
        value, low, high = every[:, j].T
        out += [f"{((low <= truth) & (truth <= high)).mean():.3f}", f"{value.mean():.3f}"]
    return out
