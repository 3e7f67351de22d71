"""The exit code of the user's own application on the synthetic data."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals

EXIT_CODE = Gauge(
    "downstream_exit_code",
    "lower",
    frozenset({"downstream"}),
    "exit code of evaluate.downstream.command on the synthetic data; 0: success",
)
GAUGES: tuple[Gauge, ...] = (EXIT_CODE,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """The exit code, unmeasured if the command timed out; [] without a command."""
    ran = evidence.downstream
    if ran is None:
        return []
    if ran.code is None:
        return intervals.unmeasured(
            GAUGES, "the command was stopped at its time limit; remedy: evaluate.downstream.minutes"
        )
    return [
        intervals.measured(EXIT_CODE, float(ran.code))
    ]  # exit code only: two commands with the same code are the same evidence
