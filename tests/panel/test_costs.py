"""The estimated cost of a panel, against that of the same table as single rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcli import load_spec
from synthcli.pipeline.plan import make_plan
from synthcli.pipeline.preflight.plan import foreseen
from tests.panel import simulated


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("costs")
    visits = simulated.visits(60)
    visits.to_csv(folder / "visits.csv", index=False)
    visits.drop_duplicates("patient").to_csv(folder / "single.csv", index=False)
    return folder


def seconds(folder: Path, source: str, modality: str) -> dict[str, float]:
    spec = folder / f"{modality}.yaml"
    spec.write_text(
        f"modality: {modality}\nsource: {{type: csv, path: {source}}}\nprivacy_unit: patient\ngenerate: {{rows: 5000}}\n"
    )
    assert make_plan(load_spec(spec)).checked.modality == modality
    return {line["stage"]: line["seconds"] for line in foreseen(spec, folder / "runs", ())["stages"]}


def test_rows_of_units_take_longer_to_generate_and_to_compare(folder: Path) -> None:
    panel, single = (seconds(folder, "visits.csv", modality) for modality in ("panel", "tabular"))
    assert panel["3-generate"] > 2 * single["3-generate"] and panel["4-evaluate"] > single["4-evaluate"]
    assert panel["2-train"] == single["2-train"]


def test_units_of_one_row_cost_what_rows_do(folder: Path) -> None:
    assert seconds(folder, "single.csv", "panel") == seconds(folder, "single.csv", "tabular")
