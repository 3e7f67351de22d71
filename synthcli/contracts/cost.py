"""The cost of a stage by workload: seconds of one core on an otherwise idle machine, and memory."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PROGRAM_GB = 0.25  # resident memory of the program with its imports


@dataclass(frozen=True)
class Work:
    """The workload of a stage: the number of records, and of columns that are numbers, codes, or not learned."""

    rows: int
    numbers: int
    codes: int
    others: int = 0

    @property
    def learned(self) -> int:
        """The number of columns that are learned."""
        return self.numbers + self.codes

    @property
    def columns(self) -> int:
        return self.learned + self.others

    @property
    def cells(self) -> int:
        return self.rows * self.columns


@dataclass(frozen=True)
class Cost:
    """Seconds of one core, bytes of memory per cell, GiB of the program with its imports, and seconds to load those
    imports in the first stage of a run.
    """

    seconds: Callable[[Work], float]
    bytes_: float
    program: float = PROGRAM_GB
    loading: float = 0.0

    def gigabytes(self, work: Work) -> float:
        """Peak resident memory of the stage, in GiB."""
        return self.program + work.cells * self.bytes_ / 2**30
