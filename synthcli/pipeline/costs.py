"""What stages take, by rows and columns: seconds of one core on a machine that does nothing else, and memory. One place
for all such constants.

pipeline/estimate.py tells them before a run; pipeline/auto.py holds those of a fit against generator.limits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from synthcli.columns import frame as frames
from synthcli.contracts.schema import Schema
from synthcli.pipeline.plan import Choice
from synthcli.tabular.rejection.boosting import MAX_PARTS, PART_SHARE
from synthcli.tabular.rejection.discriminator import MIN_UNITS, ROWS, UNITS_PER_TREE

NEAR = 40  # columns that a tree looks at, about; beyond, a column takes no longer for there being more
LOADING = 1.1  # seconds of loading what grows trees, in the first stage that does; some built-in tables need it earlier
START = 2.0  # seconds until worker processes are there
PROGRAM_GB, SDV_GB = 0.25, 0.45  # resident memory of the program with what it imports


@dataclass(frozen=True)
class Size:
    """What the work of a stage depends on. others: columns that are made up, not learned."""

    rows: int
    numbers: int
    codes: int
    others: int = 0

    @classmethod
    def of(cls, rows: int, schema: Schema) -> Size:
        """Of a table of so many rows."""
        kinds = [c.kind for c in schema.columns]
        numbers, codes = sum(k in frames.NUMBERS for k in kinds), sum(k in frames.CODES for k in kinds)
        return cls(rows, numbers, codes, len(kinds) - numbers - codes)

    @property
    def learned(self) -> int:
        """Columns that are."""
        return self.numbers + self.codes

    @property
    def columns(self) -> int:
        return self.learned + self.others

    @property
    def cells(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True)
class Cost:
    """Seconds of one core, bytes of memory for each cell, and GiB of the program with what it imports."""

    seconds: Callable[[Size], float]
    bytes_: float
    program: float = PROGRAM_GB

    def gigabytes(self, size: Size) -> float:
        """Resident memory at the height of the stage, in GiB."""
        return self.program + size.cells * self.bytes_ / 2**30


def trees(number: int, discriminator: int = 0) -> Cost:
    """Of fitting that many trees a column: a column of codes takes less than one of numbers, and each looks at NEAR
    others, about.

    discriminator: trees that tell drawn rows from real ones.
    """

    def seconds(s: Size) -> float:
        each = 2.5e-3 * math.sqrt(s.rows) + 1.2e-5 * s.rows * (1 + min(s.learned, NEAR) / 20)
        told = 0.0
        if s.rows >= MIN_UNITS:
            rows = min(s.rows, ROWS)
            told = (
                min(discriminator, rows // UNITS_PER_TREE)
                * rows
                * (0.35e-6 + 0.037e-6 * min(s.learned, MAX_PARTS / PART_SHARE))
            )
        return 0.1 + (0.22 + 0.13 * number) * (s.numbers + 0.3 * s.codes) * each + told

    return Cost(seconds, 230)


def _measured(s: Size) -> float:
    """Metrics: the most of it is classifiers, which look at so many rows at most."""
    work = s.rows * math.sqrt(s.columns)
    return 0.03 + 5.2 * work / (work + 50_000)


def _drawn(s: Size) -> float:
    """Metrics, and the pictures of the report, against the holdout."""
    return _measured(s) + 0.3 + 0.004 * s.columns + 1.5e-6 * min(s.cells, 1_000_000)


# Fitted to CPU seconds of a run or two each on 14 tables of 150 to 100,000 rows × 5 to 121 columns, built-in and
# simulated, mostly without a target, and without rules. Not to the clock, as others used the machine. Bytes are twice
# what a cell had added once a fit was through.
FITTED = {
    "gaussian_copula": Cost(lambda s: 3 + s.rows * s.learned * (10e-6 + 0.08e-6 * s.learned), 170, SDV_GB),
    "independent": Cost(lambda s: 0.005 * s.learned + s.rows * s.learned * 0.5e-6, 80),
}
ANALYZED = Cost(lambda s: 0.04 + 0.7e-4 * s.columns**2 + 0.4e-6 * s.cells, 100)
SPELLED = Cost(lambda s: ANALYZED.seconds(s) + 0.05 + 0.5e-6 * s.cells, 100)  # where types are told from the spelling
SAMPLED = {
    "trees": Cost(lambda s: 0.04 + 0.002 * s.columns + 0.7e-6 * s.cells, 200),
    "independent": Cost(lambda s: 0.03 + 0.001 * s.columns + 0.2e-6 * s.cells, 200),
    "gaussian_copula": Cost(lambda s: 0.1 + 0.01 * s.columns + 1e-6 * s.cells, 200, SDV_GB),
}
MEASURED, DRAWN = Cost(_measured, 120), Cost(_drawn, 120)
ATTACKED = Cost(
    lambda s: 0.015 + min(1.6, 3e-6 * s.cells) + 0.1e-6 * s.cells, 120
)  # searches for neighbours take so long, at most


def trained(choice: Choice) -> Cost | None:
    """Of a fit; None where nobody timed the method."""
    full = choice.full()
    return trees(full["trees"], full["discriminator"]) if choice.method == "trees" else FITTED.get(choice.method)
