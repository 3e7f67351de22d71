"""The rules of a real table: they compare numbers also where a column has words among them."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pandas as pd


def test_a_rule_over_numbers_with_words_among_them_holds_in_the_output(tmp_path: Path, synth: Any) -> None:
    rng = random.Random(3)
    lines = ["low,high,group"]
    for i in range(300):
        low = rng.randint(5, 200)
        words = "refused" if i % 40 == 7 else low, "pending" if i % 40 == 9 else low + rng.randint(1, 90)
        lines.append(f"{words[0]},{words[1]},{rng.choice('ab')}")
    (tmp_path / "rows.csv").write_text("\n".join(lines) + "\n")
    spec = tmp_path / "rows.yaml"
    spec.write_text(
        "source: {type: csv, path: rows.csv}\nconstraints: [low <= high]\ngenerator: {method: independent}\n"
        "evaluate: {gates: []}\nprivacy_check: {attacks: [], gates: []}\nrefine: {max_rounds: 1}\n"
    )
    said = synth("run", spec, "--root", tmp_path / "a", "--json")
    assert said.code == 0, said.err
    rows = pd.read_parquet(tmp_path / "a" / "rows" / "latest" / "3-generate" / "data.parquet")
    low, high = (pd.to_numeric(rows[name], errors="coerce") for name in ("low", "high"))
    assert len(rows) == 300 and not (low > high).any()
    assert (rows["low"] == "refused").any() and (rows["high"] == "pending").any()
