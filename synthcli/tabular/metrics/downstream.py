"""Does the user's own application work on the synthetic data: the exit code of a command that was run on it."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals

EXIT_CODE = Gauge(
    "downstream_exit_code",
    "lower",
    frozenset({"downstream"}),
    "exit code of evaluate.downstream.command on the synthetic data; 0: it works",
)
GAUGES: tuple[Gauge, ...] = (EXIT_CODE,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """The exit code, unmeasured where the command was stopped; [] where none is asked for."""
    ran = evidence.downstream
    if ran is None:
        return []
    if ran.code is None:
        return intervals.unmeasured(
            GAUGES, "the command was stopped when its time was over; remedy: evaluate.downstream.minutes"
        )
    return [
        intervals.measured(EXIT_CODE, float(ran.code))
    ]  # no more: another command with the same code is the same evidence
