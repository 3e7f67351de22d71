"""Whole runs: the output is spelled as the source, and text made up in a column of numbers does not pass."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import synthcli
from tests.columns.spelling import corpus


def run(folder: Path, source: dict[str, Any], output: dict[str, Any]) -> Any:
    said = {
        "version": 1,
        "source": source,
        "generator": {"method": "independent"},
        "evaluate": {"gates": []},
        "privacy_check": {"attacks": [], "gates": []},
        "output": output,
    }
    (folder / "s.yaml").write_text(json.dumps(said))
    return synthcli.execute(folder / "s.yaml", root=folder / "runs")


def test_the_output_is_spelled_as_the_source(tmp_path: Path) -> None:
    cells = corpus.columns()
    names = ["1.234,50 €", "- and n/a", "two formats", "five offsets", "13:05:09", "booleans of four spellings"]
    table = pd.DataFrame({f"c{i}": cells[name] for i, name in enumerate(names)})
    (tmp_path / "t.jsonl").write_text(table.to_json(orient="records", lines=True, force_ascii=False))
    done = run(tmp_path, {"type": "jsonl", "path": "t.jsonl"}, {"format": "jsonl", "path": "out.jsonl"})
    made = pd.DataFrame(json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert done.passed
    assert made["c0"].str.fullmatch(r"\d{1,3}(\.\d{3})*,\d\d €").all()
    assert set(made["c1"][~made["c1"].str.contains(r"\d")]) == {"-", "n/a"}
    assert abs(made["c2"].str.contains("/").mean() - 0.3) < 0.05
    assert np.allclose(made["c3"].str[-6:].value_counts(normalize=True), 0.2, atol=0.05)
    assert made["c4"].str.fullmatch(r"[0-2]\d:[0-5]\d:[0-5]\d").all()
    assert set(made["c5"]) == set(table["c5"])


def test_text_made_up_in_a_column_of_numbers_does_not_pass(tmp_path: Path) -> None:
    amounts = corpus.columns()["both separators"]
    pd.DataFrame({"amount": amounts, "n": np.arange(len(amounts)) % 7}).to_csv(tmp_path / "t.csv", index=False)
    done = run(tmp_path, {"type": "csv", "path": "t.csv"}, {"format": "csv", "path": "out.csv"})
    assert not done.passed and done.verdict["failed"] == ["unread_columns"]
    assert any("amount" in note and "look like numbers" in note for note in done.verdict["notes"])
    assert not (tmp_path / "out.csv").exists()
