"""The notes of a verdict report on the conditions of the request, and on nothing else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli import execute
from synthcli.pipeline import verdict
from synthcli.pipeline.events import Events

FAIR = "generate.fairness={target: smoker, sensitive: [sex]}"
QUICK = ("generator.method=trees", "evaluate.gates=[]", "privacy_check={attacks: [], gates: []}", "generate.rows=200")


@pytest.mark.parametrize(
    ("sets", "said"),
    [
        ((FAIR,), None),
        ((FAIR, "generate.balance={smoker: {true: 0.5}}"), "Balance: 2 of 2 values"),
        (("generate.balance={sex: {female: 0.9}}",), "Balance: 2 of 2 values"),
    ],
)
def test_only_a_requested_balance_is_reported(
    spec: Path, tmp_path: Path, sets: tuple[str, ...], said: str | None
) -> None:
    body = execute(spec, root=tmp_path / "runs", sets=[*QUICK, *sets]).verdict
    assert body is not None
    assert [note[:22] for note in body["notes"] if note.startswith("Balance")] == ([] if said is None else [said])
    assert any(note.startswith("Demographic parity gap") for note in body["notes"]) is (FAIR in sets)


def test_columns_that_are_made_up_are_named_once() -> None:
    columns = [
        {"name": "key", "modelled": False},
        {"name": "age", "modelled": True},
        {"name": "mail", "modelled": False},
    ]
    personal = [{"column": "mail", "made": True, "declared": False}]
    assert verdict._made_notes({"columns": columns, "personal": personal}) == [
        "Made up, never learned from the source: key."
    ]
    assert verdict._made_notes({"tables": {"users": {"columns": columns}}}) == [
        "Made up, never learned from the source: users.key, users.mail."
    ]
    assert verdict._made_notes({"columns": columns[1:2]}) == []


def test_dropped_rows_are_reported() -> None:
    notes = verdict._row_notes({"dropped": {"visits: start < end": 3, "drugs: dose > 0": 1}})
    assert notes == [
        "Rows that could not satisfy the constraints were left out: 3 of visits: start < end, 1 of drugs: dose > 0."
    ]
    assert verdict._row_notes({"dropped": {}}) == []


def test_constraints_that_throw_away_many_draws_are_named() -> None:
    sample = {"drawn": 1000, "refused": {"a <= b": 630, "c > 0": 20, "where: x": 900}, "rules": ["a <= b", "c > 0"]}
    (note,) = verdict.wasted_notes(sample)
    assert "a <= b (63%)" in note and "c > 0" not in note and "where" not in note
    assert verdict.wasted_notes({"drawn": 1000, "refused": {"a <= b": 30}, "rules": ["a <= b"]}) == []


def test_what_was_done_to_keep_the_marginals_is_said() -> None:
    sample = {"drawn": 1000, "refused": {"a <= b": 630}, "rules": ["a <= b"]}
    kept = {"columns": ["a", "b"], "left_out": 120, "off": {"b": 0.12}}
    (note,) = verdict.wasted_notes(sample | {"marginals": kept})
    assert "a <= b (63%). 120 rows that obey them were left out as well, so that a, b keep the distributions" in note
    assert "except for b (12% of the rows)" in note
    (other,) = verdict.wasted_notes(sample | {"marginals": kept | {"off": {}}})
    assert "except" not in other


class Seen(Events):
    """The notes of a run."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


def test_units_whose_rows_are_taken_apart_are_reported(tmp_path: Path) -> None:
    """In the notes of the run, in the verdict and on the page; also for rows that meet a condition."""
    rng = np.random.default_rng(0)
    who = np.repeat(np.arange(80), rng.integers(1, 5, 80))
    pd.DataFrame({"who": [f"p{i}" for i in who], "x": rng.normal(size=len(who)), "y": who % 3}).to_csv(
        tmp_path / "rows.csv", index=False
    )
    (tmp_path / "rows.yaml").write_text(
        "source: {type: csv, path: rows.csv}\nprivacy_unit: who\ngenerator: {method: independent}\n"
        "generate: {rows: 50}\nevaluate: {gates: []}\nprivacy_check: {attacks: [], gates: []}\n"
    )
    warning = f"80 units of who have {len(who)} rows in the source; the output has one row per unit"
    seen = Seen()
    run = execute(tmp_path / "rows.yaml", root=tmp_path / "runs", events=seen)
    assert run.verdict is not None
    assert [note.startswith(warning) for note in run.verdict["notes"]].count(True) == 1
    assert [note.startswith(warning) for note in seen.notes].count(True) == 1
    assert warning in (run.version.folder / "report.html").read_text(encoding="utf-8")


def test_rows_of_the_source_that_a_rule_left_out_are_counted(spec: Path) -> None:
    found = [
        {"constraint": "age >= 18", "violations": 202, "share": 0.1, "action": "drop"},
        {"constraint": "a < b", "violations": 3, "share": 0.1, "action": "warn"},
    ]
    (note,) = verdict.source_notes({"constraints": found})
    assert "left out" in note and "202 of age >= 18." in note
    assert verdict.source_notes({"constraints": found[1:]}) == []
