"""What a spec leaves open about rare words: warned of everywhere, refused for the public."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli.artifacts import store
from synthcli.columns.pii import rare_words
from synthcli.errors import SpecError
from synthcli.init.draft import draft
from synthcli.init.findings import look
from synthcli.pipeline.checking import checked
from synthcli.pipeline.execute import execute
from synthcli.pipeline.preflight.plan import foreseen
from synthcli.sources import Source

SPEC = """version: 1
purpose: {purpose}
source: {{type: csv, path: t.csv}}
columns:
  plan: {{type: category}}
  club: {club}
generator: {{method: independent}}
refine: {{max_rounds: 1}}
evaluate: {{gates: []}}
privacy_check: {{attacks: [], gates: []}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place, rng = tmp_path_factory.mktemp("open"), np.random.default_rng(0)
    syllables = [a + b for a in "bdfgklm" for b in "aeiou"]
    club = ["".join(rng.choice(syllables, 4)).capitalize() for _ in range(300)]
    pd.DataFrame({"plan": rng.choice(["a", "b"], 300), "club": club[:250] + club[:50]}).to_csv(
        place / "t.csv", index=False
    )
    return place


def spec(folder: Path, purpose: str, club: str = "{}") -> Path:
    path = folder / f"{purpose}.yaml"
    path.write_text(SPEC.format(purpose=purpose, club=club))
    return path


def test_check_plan_run_and_draft_warn(folder: Path) -> None:
    path = spec(folder, "internal")
    (warned,) = checked(path, [])["warnings"]
    assert "column club has 250 distinct words" in warned and rare_words.CHOICES in warned
    assert foreseen(path, folder / "a", [])["warnings"] == [warned]
    run = execute(path, root=folder / "a")
    assert run.verdict is not None and any("Undecided: column club" in note for note in run.verdict["notes"])
    assert json.loads((run.version.folder / store.MANIFEST).read_text())["purpose"] == "internal"
    assert json.loads((run.version.folder / store.PLAN).read_text())["purpose"] == "internal"
    real, made = pd.read_csv(folder / "t.csv"), run.frame()
    assert not set(real["club"]) & set(made["club"])
    text = draft(look(Source("csv", folder / "t.csv")), {"type": "csv", "path": "t.csv"})
    assert "DECIDE: column club" in text and "\n  club: {}  #" in text


def test_a_decision_ends_the_warning(folder: Path) -> None:
    assert checked(spec(folder, "public-release", "{type: word}"), [])["warnings"] == []


def test_public_release_refuses_with_column_count_and_line(folder: Path) -> None:
    path = spec(folder, "public-release")
    for refused in (lambda: checked(path, []), lambda: execute(path, root=folder / "b")):
        with pytest.raises(SpecError, match=r"columns\.club .*public-release\.yaml:6.*distinct words.*remedy"):
            refused()


def test_purposes_are_three(folder: Path) -> None:
    with pytest.raises(SpecError, match="purpose"):
        checked(spec(folder, "fun"), [])
