"""Technical figures by hand."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Usage
from synthcli.tabular.metrics import technical


def test_figures(evidence):
    found = {
        m.name: m
        for m in technical.measure(
            evidence(usage=Usage(3, 2, 1000, 5_000_000, 2_000_000)), rng=np.random.default_rng(0)
        )
    }
    assert {k: m.value for k, m in found.items()} == {
        "fit_seconds": 3, "sample_seconds": 2, "rows_per_second": 500, "peak_memory_mb": 5, "model_mb": 2
    }  # fmt: skip
    assert [m.name for m in found.values() if m.better == "higher"] == ["rows_per_second"]
    assert technical.measure(evidence(), rng=np.random.default_rng(0)) == []


def test_no_time_at_all_has_a_note(evidence):
    found = {
        m.name: m for m in technical.measure(evidence(usage=Usage(3, 0, 1000, 1, 1)), rng=np.random.default_rng(0))
    }
    assert found["rows_per_second"].value is None and "too little time" in found["rows_per_second"].note
    assert [m.name for m in found.values() if m.value is None] == ["rows_per_second"]
