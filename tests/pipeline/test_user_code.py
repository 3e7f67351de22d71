"""The user's own metrics and application: only when trusted, and what goes wrong in them is said with its place."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from synthcli import execute
from synthcli.errors import SpecError
from synthcli.pipeline.user_code import MOST_LOG, _run
from synthcli.spec.models import Downstream as Command

DOMAIN = """
from dataclasses import dataclass
from synthcli.contracts import Measurement

@dataclass
class Holder:
    share: float

def measure(evidence, params, *, rng):
    print("never on stdout")
    frame = evidence.synthetic.frame
    old = Holder((frame["age"] >= params.get("old", 65)).mean())
    return [Measurement("old_share", old.share, better="higher"), Measurement("odd", float("nan"))]
"""
GATES = "gates:\n    - {metric: column_shapes, min: 0.3}\n"


def add(spec: Path, evaluate: str, gates: str = "") -> Path:
    text = spec.read_text()
    assert GATES in text
    spec.write_text(text.replace(GATES, GATES + gates + evaluate))
    return spec


@pytest.fixture
def domain(spec: Path, tmp_path: Path) -> Path:
    (tmp_path / "clinical.py").write_text(DOMAIN)
    return add(spec, "  domain: {path: clinical.py, params: {old: 70}}\n", "    - {metric: old_share, min: 0.05}\n")


@pytest.mark.parametrize("command", ["run", "evaluate", "check"])
def test_nothing_runs_without_trust(domain: Path, synth: Any, command: str, tmp_path: Path) -> None:
    (tmp_path / "clinical.py").write_text("raise SystemError('it ran')  # old_share")
    said = synth(command, domain)
    assert said.code == 1 and "--trust" in said.err and "evaluate.domain" in said.err and "it ran" not in said.err
    with pytest.raises(SpecError, match="trust=True"):
        execute(domain)


def test_stages_before_judging_need_no_trust(domain: Path, synth: Any) -> None:
    assert synth("generate", domain, "--quiet").code == 0


def test_own_metrics_are_gates_like_others(domain: Path, synth: Any) -> None:
    said = synth("run", domain, "--trust", "--json")
    assert said.code == 0, said.err
    found = said.json["measurements"]
    assert 0.1 < found["old_share"] < 0.5
    assert found["odd"] is None
    assert [g["passed"] for g in said.json["verdict"]["gates"] if g["metric"] == "old_share"] == [True]
    assert (
        synth("runs", "show", "people").code == 0
        and "old_share" in (Path(said.json["folder"]) / "report.html").read_text()
    )
    assert synth("check", domain, "--trust").code == 0


def test_another_text_of_the_file_is_measured_anew_and_nothing_else(domain: Path, synth: Any, tmp_path: Path) -> None:
    synth("run", domain, "--trust", "--quiet")
    (tmp_path / "clinical.py").write_text(DOMAIN.replace(".mean()", ".mean() / 100"))
    said = synth("run", domain, "--trust", "--json")
    assert said.code == 4 and said.json["verdict"]["failed"] == ["old_share"]
    stages = json.loads((Path(said.json["folder"]) / "manifest.json").read_text())["stages"]
    assert {name.rpartition("/")[2] for name, stage in stages.items() if not stage["cached"]} == {"4-evaluate"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "def measure(evidence, params, *, rng):\n    return 1 / 0  # old_share",
            "line 2, in measure: ZeroDivisionError",
        ),
        ("x = 1\nimport nothing_like_this  # old_share", "line 2, in <module>: ModuleNotFoundError"),
        ("def measure(:\n    pass  # old_share", "line 1: SyntaxError"),
        ("measure = 3  # old_share", "no function measure"),
        ("import sys  # old_share\nsys.exit(0)", "SystemExit"),
        ("def measure(evidence, params, *, rng):\n    return {'old_share': 1}", "returned dict"),
        ("def measure(evidence, params, *, rng):\n    return [1, 'old_share']", "returned a list with int"),
        ("def measure(evidence):  # old_share\n    return []", "measure cannot be called as"),
        (DOMAIN.replace('"odd"', '"column_shapes"'), "a built-in metric"),
        (DOMAIN.replace('float("nan")', '"much"'), "expected a number"),
    ],
)
def test_errors_in_the_users_file_are_the_users(domain: Path, synth: Any, tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "clinical.py").write_text(text)
    found = synth("run", domain, "--trust")
    assert found.code == 1 and said in found.err and "clinical.py" in found.err, found.err


def test_a_gate_that_nothing_names_is_a_typo(domain: Path, synth: Any) -> None:
    domain.write_text(domain.read_text().replace("old_share", "old_shares"))
    said = synth("check", domain, "--trust")
    assert said.code == 1 and "measures no such metric" in said.err


def test_a_file_that_is_not_there(spec: Path, synth: Any) -> None:
    said = synth("check", add(spec, "  domain: nowhere.py\n"), "--trust")
    assert said.code == 1 and "not a Python file" in said.err


# --- the user's application


def with_command(spec: Path, command: str, more: str = "") -> Path:
    return add(
        spec,
        f"  downstream: {{command: {json.dumps(command)}{more}}}\n",
        "    - {metric: downstream_exit_code, max: 0}\n",
    )


def test_the_application_sees_the_table(spec: Path, synth: Any, tmp_path: Path) -> None:
    command = "head -1 {output}; wc -l < $DATA; pwd"
    said = synth("run", with_command(spec, command, ", env: {DATA: '{output}'}, format: csv"), "--trust", "--json")
    assert said.code == 0, said.err
    folder = Path(said.json["folder"]) / "rounds/01-independent/downstream"
    lines = (folder / "downstream.log").read_text().splitlines()
    assert lines[0].startswith("id,age,sex") and int(lines[1]) == 601 and lines[2] == str(tmp_path)
    assert {p.name for p in folder.iterdir()} == {"downstream.json", "downstream.log", "stage.json"}  # the copy is gone
    assert synth("runs", "verify", "people").code == 0


def test_it_fails_the_gate_and_is_asked_again_in_the_next_run(spec: Path, synth: Any, tmp_path: Path) -> None:
    with_command(spec, "echo once >> count; exit `cat code` # {output}")
    (tmp_path / "code").write_text("3")
    said = synth("run", spec, "--trust", "--json")
    assert said.code == 4 and said.json["verdict"]["failed"] == ["downstream_exit_code"]
    (tmp_path / "code").write_text("0")  # the application was mended; nothing that we know of changed
    assert synth("run", spec, "--trust", "--json").code == 0
    assert (tmp_path / "count").read_text().count("once") == 2


def test_it_is_stopped_with_all_that_it_started(spec: Path, synth: Any, tmp_path: Path) -> None:
    with_command(spec, "(sleep 30; touch late) & sleep 30 # {output}", ", minutes: 0.005")
    said = synth("run", spec, "--trust", "--json")
    assert said.code == 4
    gate = next(g for g in said.json["verdict"]["gates"] if g["metric"] == "downstream_exit_code")
    assert "was stopped" in gate["why"]


@pytest.mark.parametrize(("ends", "code"), [("kill -9 $$", 128 + 9), ("exit 0", 0)])
def test_a_command_that_was_killed_fails_and_leaves_nothing_behind(tmp_path: Path, ends: str, code: int) -> None:
    application = Command(command=f"(sleep 1; touch late) & yes long | head -c {MOST_LOG + 5_000}; {ends} # {{output}}")
    result = _run(application.command, application, os.environ, tmp_path, tmp_path / "log")
    assert result.code == code
    text = (tmp_path / "log").read_text()
    assert text.startswith("… 5,000 earlier bytes are left out") and len(text) < MOST_LOG + 100
    time.sleep(1.2)
    assert not (tmp_path / "late").exists()


def test_a_command_must_see_the_table(spec: Path, synth: Any) -> None:
    said = synth("check", with_command(spec, "pytest tests"), "--trust")
    assert said.code == 1 and "has no {output}" in said.err


def test_a_gate_on_it_needs_it(spec: Path, synth: Any) -> None:
    said = synth(
        "check", add(spec, "", "    - {metric: downstream_exit_code, max: 0}\n    - {metric: preserve, min: 0.9}\n")
    )
    assert said.code == 1 and "needs evaluate.downstream" in said.err and "needs evaluate.preserve" in said.err


# --- properties, through the spec


def test_properties_are_gates_and_pages(spec: Path, synth: Any) -> None:
    add(
        spec,
        "  preserve: ['mean(age)', \"share(city == 'Wien')\"]\n",
        "    - {metric: preserve, min: 0.2, bound: value}\n",
    )
    said = synth("run", spec, "--json")
    assert said.code == 0, said.err
    every = json.loads((Path(said.json["folder"]) / "4-evaluate/measurements.json").read_text())["measurements"]
    found = {m.get("of"): m["value"] for m in every if m["name"] == "preserve"}
    assert set(found) == {None, "mean(age)", "share(city == 'Wien')"} and found[None] == min(found.values())
    shown = synth("runs", "show", "people")
    assert shown.code == 0 and "mean(age)" in shown.out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("['mean(agee)']", "Did you mean age"),
        ("['mean(sex)', 'mean(']", "preserve.1"),
        ("['mean(age)', 'mean(age)']", "is listed twice"),
    ],
)
def test_properties_are_checked(spec: Path, synth: Any, text: str, said: str) -> None:
    found = synth("check", add(spec, f"  preserve: {text}\n"))
    assert found.code == 1 and said in found.err and "people.yaml:" in found.err
