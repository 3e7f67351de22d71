"""A panel: one table whose privacy unit has several rows. It is read, judged and delivered as a single table; its
generator learns the units and their rows (panel/model.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synthcli import plugins, seeds
from synthcli.contracts.evaluation import Measurement
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import Job, Limits, Progress, Request
from synthcli.contracts.schema import Schema
from synthcli.panel.costs import cost
from synthcli.panel.layout import learn
from synthcli.tabular import choose as choosing
from synthcli.tabular import fitted as fitting
from synthcli.tabular import modality as tabular
from synthcli.tabular.evidence import TableEvidence
from synthcli.tabular.fitted import FittedTable
from synthcli.tabular.modality import (
    COUNTS,
    complete,
    deliver,
    evidence,
    generate,
    load,
    look,
    more,
    outputs,
    pictures,
    preview,
    profile,
    read,
    work,
)
from synthcli.tabular.source import Real

BUILDS_ON: tuple[str, ...] = ("relational",)


def choose(records: int, schema: Schema, limits: Limits) -> Choice:
    """The trees that `auto` chooses for a table: a panel needs a method that draws rows given known values."""
    chosen = choosing.choose(records, schema, limits)
    trees = chosen if chosen.method == choosing.TREES.method else replace(choosing.FEW_TREES, why=chosen.why)
    return replace(trees, modality="panel")


def fit(
    real: Real, choice: Choice, request: Request, *, job: Job, bootstrap: np.random.Generator | None
) -> FittedTable:
    """Fit a method to the train part."""
    return fitting.fit(real, choice, request, job=job, bootstrap=bootstrap, keep=_kept(real))


def _kept(real: Real) -> frozenset[str]:
    """The columns that no rule may rewrite, so that what belongs to a unit is not mixed with what belongs to a row, and
    the order of rows is kept.
    """
    layout = learn(real.train)
    rules = () if layout is None else real.constraints
    return frozenset[str]().union(*(r.columns for r in rules if layout is not None and layout.mixes(r.columns)))


def measure(
    kind: str, names: Sequence[str], evidence: TableEvidence, *, seed: int, progress: Progress
) -> list[Measurement]:
    """The figures of a single table, then those of units and their rows."""
    own = plugins.names(kind, "panel")
    measured = tabular.measure(kind, [n for n in names if n not in own], evidence, seed=seed, progress=progress)
    for name in (n for n in names if n in own):
        measured += plugins.judge(kind, name, "panel").measure(evidence, rng=seeds.stream(seed, kind, name))
    return measured


__all__ = [
    "BUILDS_ON",
    "COUNTS",
    "choose",
    "complete",
    "cost",
    "deliver",
    "evidence",
    "fit",
    "generate",
    "load",
    "look",
    "measure",
    "more",
    "outputs",
    "pictures",
    "preview",
    "profile",
    "read",
    "work",
]
