"""The cost of generating the synthetic data: time, memory, size of the model."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement, Usage
from synthcli.tabular.judging import intervals

GAUGES: tuple[Gauge, ...] = (
    Gauge("fit_seconds", "lower", frozenset(), "wall time of the fit", "s"),
    Gauge("sample_seconds", "lower", frozenset(), "wall time of sampling", "s"),
    Gauge("rows_per_second", "higher", frozenset(), "records sampled per second", "rows/s"),
    Gauge("peak_memory_mb", "lower", frozenset(), "peak resident memory", "MB"),
    Gauge("model_mb", "lower", frozenset(), "size of the saved model", "MB"),
)
UNCLOCKED = "sampling took too little time to be measured"


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Each a single measurement, hence an interval of width 0; [] if usage was not measured."""
    if evidence.usage is None:
        return []
    figures = zip(GAUGES, _figures(evidence.usage), strict=True)
    return [
        intervals.measured(
            gauge, value, value, value, n=evidence.usage.rows, note="" if np.isfinite(value) else UNCLOCKED
        )
        for gauge, value in figures
    ]


def _figures(usage: Usage) -> tuple[float, ...]:
    rate = usage.rows / usage.sample_seconds if usage.sample_seconds > 0 else np.nan
    return usage.fit_seconds, usage.sample_seconds, rate, usage.peak_memory / 1e6, usage.model_bytes / 1e6
