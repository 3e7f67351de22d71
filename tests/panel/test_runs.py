"""A spec of one table whose privacy unit repeats, through the whole loop and after it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

from synthcli import Run, execute, load_spec
from synthcli.errors import SpecError
from synthcli.pipeline.plan import make_plan
from tests.panel import simulated

SPEC: dict[str, Any] = {
    "name": "visits",
    "source": {"type": "csv", "path": "visits.csv"},
    "privacy_unit": "patient",
    "constraints": ["discharged >= admitted", {"unique": ["patient", "number"]}, "pressure > 0"],
    "generator": {"params": {"trees": 2, "discriminator": 0}},
    "generate": {"rows": 500},
    "privacy_check": {"attacks": [], "gates": []},
    "refine": {"max_rounds": 1},
    "output": {"format": "csv", "path": "made.csv"},
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("visits")
    simulated.visits().to_csv(folder / "visits.csv", index=False)
    (folder / "visits.yaml").write_text(yaml.safe_dump(SPEC))
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    patch = pytest.MonkeyPatch()
    patch.setenv("SYNTH_STATE", str(tmp_path_factory.mktemp("state")))
    done = execute(folder / "visits.yaml", root=folder / "runs", keep_failed=True)
    patch.undo()
    return done


def changed(folder: Path, tmp_path: Path, **keys: Any) -> Path:
    """The spec with other keys, beside the same source."""
    body = SPEC | keys
    body["source"] = SPEC["source"] | {"path": str(folder / "visits.csv")}
    (tmp_path / "visits.yaml").write_text(yaml.safe_dump(body))
    return tmp_path / "visits.yaml"


def measured(run: Run) -> dict[str, Any]:
    assert run.verdict is not None
    return {gate["metric"]: gate["measured"] for gate in run.verdict["gates"]}


def test_one_table_with_units_of_several_rows(run: Run, folder: Path) -> None:
    made = pd.read_csv(folder / "made.csv", parse_dates=["admitted", "discharged"])
    real = simulated.visits()
    assert len(made) == 500 and list(made) == list(real)
    per_unit = [len(f) / f["patient"].nunique() for f in (real, made)]
    assert abs(per_unit[0] - per_unit[1]) < 0.4
    assert (made.groupby("patient")[["sex", "email", "height"]].nunique() <= 1).all().all()
    steps = made.groupby("patient", sort=False)["admitted"].diff().dropna()
    assert (steps >= pd.Timedelta(0)).all() and (made["discharged"] >= made["admitted"]).all()
    assert not made.duplicated(["patient", "number"]).any()


def test_the_verdict_measures_units_and_warns_of_nothing(run: Run) -> None:
    found = measured(run)
    assert found["rows_per_unit"]["value"] > 0.85 and found["row_to_row_trend"]["value"] > 0.7
    assert {"column_shapes", "column_pair_trends", "constraint_violations"} <= found.keys()
    assert run.verdict is not None and not any("rows in the source" in note for note in run.verdict["notes"])
    body = run.version.read("4-evaluate", "measurements.json")
    assert body is not None
    own = {m["name"]: m["value"] for m in body["measurements"] if m.get("scope") == "overall"}
    assert own["constant_columns"] == 1.0 and own["row_order"] == 1.0


def test_more_rows_from_the_run_are_whole_units(run: Run, folder: Path, synth: Any, tmp_path: Path) -> None:
    words = ("generate", "--from", run.version.name, "--keep-failed", "--root", folder / "runs")
    said = synth(*words, "--rows", 120, "-o", tmp_path / "more.csv")
    assert said.code == 0, said.err
    more = pd.read_csv(tmp_path / "more.csv")
    assert len(more) == 120 and more["patient"].nunique() < 80
    said = synth(*words, "--rows", 60, "--where", "sex == 'f' and ward == 'B'", "-o", tmp_path / "some.csv")
    assert said.code == 0, said.err
    some = pd.read_csv(tmp_path / "some.csv", parse_dates=["admitted"])
    assert len(some) == 60 and set(some["sex"]) == {"f"} and set(some["ward"]) == {"B"}
    assert (some.groupby("patient", sort=False)["admitted"].diff().dropna() >= pd.Timedelta(0)).all()
    pd.DataFrame({"sex": ["f", "m"]}).to_csv(tmp_path / "known.csv", index=False)
    said = synth(*words, "--given", tmp_path / "known.csv", "-o", tmp_path / "given.csv")
    assert said.code == 1 and "run with modality: tabular" in " ".join(said.err.split())


def test_balance_is_met_and_rows_of_a_unit_stay_together(folder: Path, tmp_path: Path) -> None:
    spec = changed(folder, tmp_path, generate={"rows": 300, "balance": {"ward": {"C": 0.4}}})
    run = execute(spec, root=tmp_path / "runs", upto="generate")
    made = run.frame()
    assert (made["ward"] == "C").sum() == 120
    assert made["patient"].eq(made["patient"].shift()).sum() == len(made) - made["patient"].nunique()


@pytest.mark.parametrize(
    ("keys", "modality"),
    [
        ({}, "panel"),
        ({"generator": {"method": "auto"}}, "panel"),
        ({"generator": {"candidates": [{"method": "trees"}, {"method": "arnet"}]}}, "panel"),
        ({"modality": "tabular"}, "tabular"),
        ({"generator": {"method": "independent"}}, "tabular"),
        ({"generator": {"candidates": [{"method": "trees"}, {"method": "bootstrap"}]}}, "tabular"),
        ({"generate": {"rows": 9, "proper": True, "copies": 2}}, "tabular"),
        ({"privacy_unit": None}, "tabular"),
    ],
)
def test_a_table_with_a_privacy_unit_is_a_panel_where_it_can_be(
    folder: Path, tmp_path: Path, keys: dict[str, Any], modality: str
) -> None:
    plan = make_plan(load_spec(changed(folder, tmp_path, **keys)))
    assert plan.checked.modality == modality and all(c.modality == modality for c in plan.choices)


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"modality": "tabular"}, "modality: tabular learns each row by itself; remedy: remove it"),
        ({"generator": {"method": "independent"}}, "generator.method: independent learns each row by itself"),
    ],
)
def test_rows_that_are_taken_apart_are_reported(folder: Path, tmp_path: Path, keys: dict[str, Any], why: str) -> None:
    run = execute(changed(folder, tmp_path, constraints=[], **keys), root=tmp_path / "runs", upto="evaluate")
    assert run.verdict is not None
    assert any("240 units of patient have" in note and why in note for note in run.verdict["notes"])


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (
            {"generator": {"method": "independent"}},
            "independent learns each row by itself; remedy: .*modality: tabular",
        ),
        ({"privacy_unit": None}, "needs a privacy_unit"),
        ({"generate": {"proper": True, "copies": 2}}, "remedy: remove it, or modality: tabular"),
        ({"privacy_unit": "pateint"}, "Did you mean patient"),
    ],
)
def test_what_a_panel_cannot_do_is_refused_where_it_is_named(
    folder: Path, tmp_path: Path, keys: dict[str, Any], said: str
) -> None:
    with pytest.raises(SpecError, match=said):
        make_plan(load_spec(changed(folder, tmp_path, modality="panel", **keys)))


def test_a_preview_shows_whole_units(folder: Path, synth: Any, tmp_path: Path) -> None:
    said = synth("preview", changed(folder, tmp_path), "--rows", 40)
    assert said.code == 0, said.err
