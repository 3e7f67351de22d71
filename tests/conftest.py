"""What all tests share: state of their own, a small real-looking table, and the command line in this process."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from synthcli import plugins
from synthcli.cli.main import app


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose extra is not installed."""
    for mark in item.iter_markers("extra"):
        if not plugins.installed(mark.args[0]):
            pytest.skip(f"the extra {mark.args[0]} is not installed")


@pytest.fixture(autouse=True)
def _own_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees or touches the user's own secret, runs or settings."""
    monkeypatch.setenv("SYNTH_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("SYNTH_ROOT", raising=False)
    monkeypatch.chdir(tmp_path)


@dataclass
class Said:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one object on stdout."""
        return json.loads(self.out)


@pytest.fixture
def synth(tmp_path: Path) -> Any:
    """Call `synth` with these words; never a traceback."""

    def call(*words: object) -> Said:
        result = CliRunner(env={"SYNTH_STATE": os.environ["SYNTH_STATE"]}).invoke(app, [str(w) for w in words])
        assert "Traceback" not in result.output + result.stderr
        return Said(result.exit_code, result.stdout, result.stderr)

    return call


def people(rows: int = 600, seed: int = 0) -> pd.DataFrame:
    """Dependent columns of every common type, with nulls, a key, and a repeated subject."""
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 90, rows)
    sex = rng.choice(["female", "male"], rows)
    income = np.round(np.exp(rng.normal(7 + age / 60, 0.5)), 2)
    smoker = rng.random(rows) < np.where(sex == "male", 0.4, 0.2)
    start = pd.Timestamp("2021-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    return pd.DataFrame(
        {
            "id": [f"P-{i:06d}" for i in rng.permutation(rows)],
            "age": age,
            "sex": sex,
            "income": np.where(rng.random(rows) < 0.1, np.nan, income),
            "smoker": smoker,
            "visit": start.strftime("%Y-%m-%d"),
            "city": rng.choice(["Wien", "Graz", "Linz", "Steyr"], rows, p=[0.6, 0.2, 0.15, 0.05]),
        }
    )


@pytest.fixture
def csv(tmp_path: Path) -> Path:
    """The people as a csv file."""
    path = tmp_path / "people.csv"
    people().to_csv(path, index=False)
    return path


@pytest.fixture
def spec(tmp_path: Path, csv: Path) -> Path:
    """A quick spec over the people: cheap, no gates that chance could fail."""
    path = tmp_path / "people.yaml"
    path.write_text(
        """
source: {type: csv, path: people.csv}
seed: 5
constraints: [age >= 18]
generator: {method: independent}
evaluate:
  gates:
    - {metric: column_shapes, min: 0.3}
privacy_check:
  attacks: [copies]
  gates:
    - {metric: excess_copies, max: 0.5}
refine: {max_rounds: 1}
"""
    )
    return path
