"""A real identifier never appears in a run, also where the spec says nothing of the columns: every byte of the run
folder is searched.
"""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthcli.pipeline.execute import execute

faker = pytest.importorskip("faker")
ROWS = 70
SPEC = (
    "version: 1\nsource: {type: csv, path: t.csv, split: {validation: 0, holdout: 0}}\ngenerator: {method: trees,"
    " params: {trees: 2}}\n"
)


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    fake, rng = faker.Faker("en_US"), np.random.default_rng(0)
    fake.seed_instance(4)
    who = rng.integers(0, ROWS // 2, ROWS)
    mails = [f"{fake.user_name()}{i}@corp.test" for i in range(ROWS)]
    return pd.DataFrame(
        {
            "contact": [mails[i] for i in who],
            "c7": [f"+1-{a}-555-{b:04d}" for a, b in zip(rng.integers(200, 999, ROWS), rng.integers(10**4, size=ROWS))],
            "c8": [fake.iban() for _ in range(ROWS)],
            "telephone": rng.integers(2 * 10**9, 10**10, ROWS),
            "ssn": [fake.ssn() for _ in range(ROWS)],
            "full_name": [f"{fake.first_name()} Q{chr(97 + i % 26)}x{chr(97 + i // 26)}son" for i in who],
            "patient_id": rng.integers(10**6, 10**7, ROWS)[who],
            "age": rng.integers(18, 90, ROWS),
            "plan": rng.choice(["basic", "pro"], ROWS),
        }
    )


def contents(folder: Path) -> str:
    """All that stands in a folder as text, compressed tables unpacked."""
    parts = []
    for path in (p for p in folder.rglob("*") if p.is_file()):
        parts.append(path.read_bytes().decode("utf-8", "ignore"))
        if path.suffix == ".parquet":
            parts.append(pq.read_table(path).to_pandas().to_csv())
    return "\n".join(parts)


def test_direct_identifiers_that_nobody_declared(real: pd.DataFrame, tmp_path: Path) -> None:
    real.to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.yaml").write_text(SPEC)
    run = execute(tmp_path / "t.yaml", root=tmp_path / "runs")
    text = contents(run.version.folder)
    for name in real.columns.drop(["age", "plan"]):
        assert [v for v in real[name].astype(str).unique() if v in text] == [], name
    assert run.verdict is not None
    assert any(
        note.startswith("Generated and not learned") and "contact (e-mail addresses)" in note
        for note in run.verdict["notes"]
    )
    assert any("privacy_unit: patient_id" in note for note in run.verdict["notes"])
    told = {p["column"]: p for p in json.loads((run.version.folder / "1-analyze/profile.json").read_text())["personal"]}
    assert told["ssn"]["made"] and told["ssn"]["sensitivity"] == "direct identifier" and not told["age"]["made"]
    assert list(run.frame().columns) == list(real.columns)


def test_a_spec_may_insist(real: pd.DataFrame, tmp_path: Path) -> None:
    real[["contact", "age"]].to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.yaml").write_text(SPEC + "columns: {contact: {type: category}}\n")
    run = execute(tmp_path / "t.yaml", root=tmp_path / "runs")
    assert set(run.frame()["contact"].dropna()) & set(real["contact"])
    assert run.verdict is not None and not any("contact" in note for note in run.verdict["notes"] if "Made up" in note)
