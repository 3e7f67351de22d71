"""A numbering is recognised, and people who are unique by chance are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gate
from synthcli.contracts.modality import Choice
from synthcli.pipeline import gates
from synthcli.pipeline.refine import Round, next_choice
from synthcli.tabular.attacks import copies
from synthcli.tabular.judging.numbering import numbering


def verses() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    rows = [(b, c, v) for b in range(1, 9) for c in range(1, 13) for v in range(1, 8 + (b * c) % 14)]
    out = pd.DataFrame(rows, columns=["book", "chapter", "verse"])
    return out.assign(part=np.where(out["book"] <= 4, "old", "new")).iloc[rng.permutation(len(out))]


def people() -> pd.DataFrame:
    rng = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, 800),
            "zip": rng.integers(1000, 1400, 800),
            "hours": rng.integers(1, 60, 800),
            "sex": rng.choice(["f", "m"], 800),
        }
    )


@pytest.mark.parametrize(("frame", "found"), [(verses(), ("book", "chapter", "verse")), (people(), ())])
def test_what_numbers_rows(frame: pd.DataFrame, found: tuple[str, ...]) -> None:
    schema, data = infer(pa.Table.from_pandas(frame, preserve_index=False), {})
    assert set(numbering(data, schema)) == set(found) and numbering(data, schema)[-1:] == found[-1:]


def test_a_measured_column_beside_it_is_a_leak_as_any_other() -> None:
    frame = verses().assign(height=np.random.default_rng(2).integers(150, 200, len(verses())))
    schema, data = infer(pa.Table.from_pandas(frame, preserve_index=False), {})
    assert numbering(data, schema) == ()


def test_the_gate_says_what_it_is_and_refinement_stops() -> None:
    schema, data = infer(pa.Table.from_pandas(verses(), preserve_index=False), {})
    half = len(data) // 4 * 3
    train, control = Table(data.iloc[:half], schema), Table(data.iloc[half:], schema)
    measured = copies.measure(Evidence(schema, train, train, control), rng=np.random.default_rng(0))
    outcomes = gates.judge([Gate("excess_copies", max=0.05, bound="value")], measured)
    assert not outcomes[0].passed and "verse: {type: id}" in outcomes[0].why and "severity: warn" in outcomes[0].why
    choice, why = next_choice([Round(1, Choice("trees", {}, modality="tabular"), privacy=outcomes, judged=True)])
    assert choice is None and "refining cannot help excess_copies" in why
