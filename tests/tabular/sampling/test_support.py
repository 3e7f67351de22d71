"""The real units behind a condition: counted by unit, warned about where they are few, refused where there is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.expressions.compile import parse
from synthcli.contracts.modality import Support
from synthcli.contracts.modelling import Request
from synthcli.pipeline.stages import support_note
from synthcli.tabular.sampling.support import support_of


def test_units_are_counted_for_where_and_for_each_balanced_value_in_it() -> None:
    frame = pd.DataFrame(
        {
            "age": pd.array([80, 81, 30, 85, 90], dtype="Int64"),
            "fraud": pd.array([True, True, True, False, None], dtype="boolean"),
        }
    )
    units = np.array([0, 0, 1, 2, 3])
    request = Request(2000, where=parse("age >= 80"), balance={"fraud": {True: 0.5, False: 0.5}})
    assert support_of(frame, units, request) == [
        Support("age >= 80", 2000, 3),
        Support("fraud is true", 1000, 1),
        Support("fraud is false", 1000, 1),
    ]
    assert support_of(frame, units, Request(10)) == []


@pytest.mark.parametrize(("requested", "units", "warns"), [(2000, 3, True), (2000, 15, True), (2000, 20, False)])
def test_few_units_are_a_warning(requested: int, units: int, warns: bool) -> None:
    note = support_note(Support("x > 1", requested, units))
    assert f"2,000 rows where x > 1 rest on {units} real units" in note and note.startswith("Warning") is warns


def test_a_run_says_what_stands_behind_its_rows_and_refuses_nothing(tmp_path: Path, synth: Any) -> None:
    rng = np.random.default_rng(0)
    group = np.where(np.arange(300) < 6, "rare", rng.choice(["a", "b"], 300))
    frame = pd.DataFrame({"group": group, "x": np.where(group == "rare", 5.0, rng.normal(size=300)).round(2)})
    frame.to_csv(tmp_path / "t.csv", index=False)
    spec = tmp_path / "t.yaml"
    spec.write_text(
        "source: {type: csv, path: t.csv, split: {validation: 0, holdout: 0}}\n"
        "generator: {params: {trees: 2, discriminator: 0}}\n"
        "generate: {rows: 40, where: group == 'rare'}\nevaluate: {gates: []}\nprivacy_check: {attacks: [], gates: []}\n"
    )
    root = tmp_path / "runs"
    said = synth("run", spec, "--json", "--root", root)
    assert said.code == 0, said.err
    assert any(
        "Warning: 40 rows where group == 'rare' rest on 6 real units" in n for n in said.json["verdict"]["notes"]
    )
    more = ("generate", "--from", "t", "--rows", "50", "--where", "group == 'rare'", "-o", tmp_path / "m.csv")
    again = synth(*more, "--root", root)
    assert again.code == 0 and "Warning: 50 rows where group == 'rare' rest on about " in again.out
    unseen = ("run", spec, "--root", root, "--set", "generate.where=group == 'rare' and x < 1")
    refused = synth(*unseen)
    assert refused.code == 1 and "no real unit of the train part meets" in refused.err
    assert "allow_unseen: true" in refused.err
