"""The notes of a verdict report on the conditions of the request, and on nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from synthcli import execute, load_spec
from synthcli.pipeline import verdict
from synthcli.pipeline.plan import make_plan

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


def test_dropped_rows_are_reported(spec: Path) -> None:
    plan = make_plan(load_spec(spec))
    notes = verdict._request_notes(plan, {"dropped": {"visits: start < end": 3, "drugs: dose > 0": 1}})
    assert notes == [
        "Rows that could not satisfy the constraints were left out: 3 of visits: start < end, 1 of drugs: dose > 0."
    ]
    assert verdict._request_notes(plan, {"dropped": {}}) == []
