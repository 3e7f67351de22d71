"""Cost models of the stages by rows and columns: seconds on one core of an idle machine, and memory.

pipeline/preflight/estimate.py shows the estimates before a run; choose.py compares those of a fit with
generator.limits.
"""

from __future__ import annotations

import math

from synthcli import plugins, sources
from synthcli.artifacts.store import ANALYZE, EVALUATE, GENERATE, PRIVACY
from synthcli.columns import frame as frames
from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.modality import Choice
from synthcli.contracts.schema import Schema
from synthcli.sources import Source
from synthcli.tabular.rejection.boosting import MAX_PARTS, PART_SHARE
from synthcli.tabular.rejection.discriminator import MIN_UNITS, ROWS, UNITS_PER_TREE

NEAR = 40  # approximate number of predictors of a tree; more columns do not slow down a tree
LOADING = 1.1  # seconds to import the tree library, in the first stage that uses it
SDV_GB = 0.45  # resident memory with sdv loaded


def work(rows: int, schema: Schema) -> Work:
    """The size of a table by kind of column."""
    kinds = [c.kind for c in schema.columns]
    numbers, codes = sum(k in frames.NUMBERS for k in kinds), sum(k in frames.CODES for k in kinds)
    return Work(rows, numbers, codes, len(kinds) - numbers - codes)


def trees(number: int, discriminator: int = 0) -> Cost:
    """Cost of fitting `number` trees per column; categories are cheaper than numbers, and predictors are capped at
    about NEAR.

    discriminator: number of trees of the discriminator.
    """

    def seconds(s: Work) -> float:
        each = 2.5e-3 * math.sqrt(s.rows) + 1.2e-5 * s.rows * (1 + min(s.learned, NEAR) / 20)
        discriminating = 0.0
        if s.rows >= MIN_UNITS:
            rows = min(s.rows, ROWS)
            discriminating = (
                min(discriminator, rows // UNITS_PER_TREE)
                * rows
                * (0.35e-6 + 0.037e-6 * min(s.learned, MAX_PARTS / PART_SHARE))
            )
        return 0.1 + (0.22 + 0.13 * number) * (s.numbers + 0.3 * s.codes) * each + discriminating

    return Cost(seconds, 230, loading=LOADING)


def _measured(s: Work) -> float:
    """Seconds of the metrics, mostly classifiers on a bounded number of rows."""
    work = s.rows * math.sqrt(s.columns)
    return 0.03 + 5.2 * work / (work + 50_000)


def _drawn(s: Work) -> float:
    """Seconds of the metrics and the charts of the report, against the holdout."""
    return _measured(s) + 0.3 + 0.004 * s.columns + 1.5e-6 * min(s.cells, 1_000_000)


# Fitted to the CPU seconds of one or two runs on each of 14 tables of 150 to 100,000 rows × 5 to 121 columns, built-in
# and simulated, mostly without a target, and without rules. CPU rather than wall time, since the machine was shared.
# Bytes are twice the memory per cell after a fit.
FITTED = {
    "gaussian_copula": Cost(lambda s: 3 + s.rows * s.learned * (10e-6 + 0.08e-6 * s.learned), 170, SDV_GB),
    "independent": Cost(lambda s: 0.005 * s.learned + s.rows * s.learned * 0.5e-6, 80),
}
ANALYZED = Cost(lambda s: 0.04 + 0.7e-4 * s.columns**2 + 0.4e-6 * s.cells, 100)
SPELLED = Cost(lambda s: ANALYZED.seconds(s) + 0.05 + 0.5e-6 * s.cells, 100)  # if types are inferred from text
SAMPLED = {
    "trees": Cost(lambda s: 0.04 + 0.002 * s.columns + 0.7e-6 * s.cells, 200),
    "independent": Cost(lambda s: 0.03 + 0.001 * s.columns + 0.2e-6 * s.cells, 200),
    "gaussian_copula": Cost(lambda s: 0.1 + 0.01 * s.columns + 1e-6 * s.cells, 200, SDV_GB),
}
MEASURED, DRAWN = Cost(_measured, 120, loading=LOADING), Cost(_drawn, 120, loading=LOADING)
ATTACKED = Cost(lambda s: 0.015 + min(1.6, 3e-6 * s.cells) + 0.1e-6 * s.cells, 120)  # the neighbour search is bounded


def trained(choice: Choice) -> Cost | None:
    """Cost of a fit; None if the method was never timed."""
    full = plugins.params(choice)
    return trees(full["trees"], full["discriminator"]) if choice.method == "trees" else FITTED.get(choice.method)


def of_stage(stage: str, choice: Choice | None, source: Source, *, control: str, conditional: bool) -> Cost | None:
    """Cost of a stage; None if it was never timed. choice: None for analyze; control: the reference of the metrics;
    conditional: whether rows must meet a condition.
    """
    if stage == ANALYZE:
        return SPELLED if sources.spelled(source) else ANALYZED
    if stage == PRIVACY:
        return ATTACKED
    if stage == EVALUATE:
        return DRAWN if control == "holdout" else MEASURED
    assert choice is not None  # only analyze has no method
    if stage == GENERATE:
        return None if conditional else SAMPLED.get(choice.method)
    return trained(choice)
