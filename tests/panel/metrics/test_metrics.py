"""The metrics of panels: perfect for other real units, and worse where the structure is lost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Measurement
from synthcli.panel.metrics import row_to_row, rows_per_unit, within_units
from synthcli.tabular.evidence import TableEvidence
from tests.panel import simulated

MODULES = (rows_per_unit, within_units, row_to_row)


def figures(evidence: Evidence) -> dict[str, Measurement]:
    rng = np.random.default_rng(0)
    return {m.name: m for module in MODULES for m in module.measure(evidence, rng=rng) if m.scope == "overall"}


@pytest.fixture(scope="module")
def evidence(panel: Table) -> Evidence:
    other = simulated.read(simulated.visits(200, seed=5))
    control = simulated.read(simulated.visits(200, seed=6))
    return Evidence(panel.schema, other, panel, control)


def test_other_real_units_are_as_good_as_the_floor(evidence: Evidence) -> None:
    found = figures(evidence)
    assert found.keys() == {"rows_per_unit", "constant_columns", "row_order", "row_to_row_trend"}
    assert found["constant_columns"].value == 1.0 == found["row_order"].value
    for name in ("rows_per_unit", "row_to_row_trend"):
        measured = found[name]
        assert measured.value is not None and measured.floor is not None and measured.low is not None
        assert measured.value > 0.85 and abs(measured.value - measured.floor) < 0.1
        assert measured.low <= measured.value


def test_lost_structure_is_seen(evidence: Evidence) -> None:
    real = evidence.synthetic
    rng = np.random.default_rng(1)
    mixed = real.frame.assign(patient=real.frame["patient"].to_numpy()[rng.permutation(len(real))])
    found = figures(replace(evidence, synthetic=Table(mixed, real.schema)))
    assert found["rows_per_unit"].value == pytest.approx(figures(evidence)["rows_per_unit"].value)
    assert found["constant_columns"].value < 0.6 and found["row_order"].value < 0.7
    assert found["row_to_row_trend"].value < figures(evidence)["row_to_row_trend"].value - 0.1  # type: ignore[operator]
    single = real.frame.assign(patient=[f"P{i:05d}" for i in range(len(real))])
    alone = figures(replace(evidence, synthetic=Table(single, real.schema)))
    assert alone["rows_per_unit"].value < 0.5 and alone["constant_columns"].n == 0


def test_without_a_part_nothing_is_measured(evidence: Evidence) -> None:
    found = figures(replace(evidence, control=None))
    assert found["rows_per_unit"].value is None and "no holdout" in found["rows_per_unit"].note
    assert found["constant_columns"].value == 1.0 and found["constant_columns"].floor is None


def test_numbers_of_rows_are_not_measurable_where_rows_were_chosen_one_by_one(evidence: Evidence) -> None:
    chosen = TableEvidence(evidence.schema, evidence.synthetic, evidence.train, evidence.control, single_rows=True)
    (found,) = rows_per_unit.measure(chosen, rng=np.random.default_rng(0))
    assert found.value is None and not found.measurable and "generate.balance" in found.note
