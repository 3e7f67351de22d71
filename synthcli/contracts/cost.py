"""What a stage takes: seconds of one core on a machine that does nothing else, and memory, by the work to do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

PROGRAM_GB = 0.25  # resident memory of the program with what it imports


@dataclass(frozen=True)
class Work:
    """What the time of a stage depends on: records, and columns of numbers, of codes, and others that are not
    learned.
    """

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
    """Seconds of one core, bytes of memory per cell, GiB of the program with what it imports, and seconds that the
    first stage of a run takes to load what this one needs.
    """

    seconds: Callable[[Work], float]
    bytes_: float
    program: float = PROGRAM_GB
    loading: float = 0.0

    def gigabytes(self, work: Work) -> float:
        """Resident memory at the height of the stage, in GiB."""
        return self.program + work.cells * self.bytes_ / 2**30
