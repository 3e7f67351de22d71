"""A composite key of a key that repeats and a counter holds in the output."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

SPEC = """
source: {type: csv, path: lines.csv}
constraints: [{unique: [order_no, line_no]}]
generator: {method: independent}
evaluate: {gates: []}
privacy_check: {attacks: [], gates: []}
refine: {max_rounds: 1}
output: {format: csv, path: made.csv}
"""


def test_order_and_line_hold(synth: Any, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = rng.integers(1, 5, 150)
    order = np.repeat(np.arange(150) + 30_001, lines)
    line = np.concatenate([np.arange(1, n + 1) for n in lines])
    pd.DataFrame({"order_no": order, "line_no": line, "qty": rng.integers(1, 9, len(order))}).to_csv(
        tmp_path / "lines.csv", index=False
    )
    (tmp_path / "lines.yaml").write_text(SPEC)
    said = synth("run", tmp_path / "lines.yaml")
    assert said.code == 0, said.err
    made = pd.read_csv(tmp_path / "made.csv")
    assert not made.duplicated(["order_no", "line_no"]).any() and made["order_no"].duplicated().any()
    assert not made["order_no"].isin(order).any()
