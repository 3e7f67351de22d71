"""Docs cannot rot: the README's specs and commands run, the specs in specs/ run, the reference is the program's own."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from synthcli.report import reference
from synthcli.spec import yaml
from synthcli.spec.load import load_spec
from synthcli.spec.models import Spec

TOP = Path(__file__).parents[2]
README = (TOP / "README.md").read_text(encoding="utf-8")
FEW = {
    "quickstart": ["--rows", "300", "--set", "source.max_rows=3000", "--set", "refine.max_rounds=1"],
    "fixtures": ["--rows", "50"],
    "race": ["--rows", "300", "--set", "source.max_rows=1500"],
    "small": ["--rows", "100"],
    "survey-csv": ["--rows", "100", "--set", "output.path=null"],
}


@pytest.mark.parametrize("name", sorted(p.stem for p in (TOP / "specs").glob("*.yaml")))
def test_every_spec_runs_on_few_rows(name: str, synth: Any, tmp_path: Path) -> None:
    said = synth("run", TOP / "specs" / f"{name}.yaml", *FEW[name], "--json")
    assert said.code in (0, 4), said.err  # on so few rows a gate may fail; nothing else may
    rows = int(FEW[name][1])
    assert len(pd.read_parquet(said.json["data"])) == rows
    assert said.json["verdict"]["gates"] or name == "survey-csv"


def test_the_fixtures_are_what_they_say(synth: Any) -> None:
    said = synth("run", TOP / "specs/fixtures.yaml", "--json")
    assert said.code == 0, said.err
    table = pd.read_parquet(said.json["data"])
    assert table["id"].str.fullmatch(r"C-\d{6}").all() and table["id"].is_unique and table["email"].is_unique
    assert table["age"].between(18, 99).all()
    assert ((table["discount"] == 0.2) == (table["plan"] == "pro")).all()
    assert table["since"].between(pd.Timestamp("2020-01-01").date(), pd.Timestamp("2025-12-31").date()).all()
    assert 0.05 < table["basket"].isna().mean() < 0.15


def test_the_spec_by_example_is_a_spec(tmp_path: Path, synth: Any) -> None:
    spec = (TOP / "docs/spec.md").read_text(encoding="utf-8")
    block = next(b for b in re.findall(r"```yaml\n(.*?)```", spec, re.DOTALL) if b.startswith("version"))
    path = tmp_path / "stays.yaml"
    path.write_text(block)
    assert load_spec(path).spec.generator.method == "trees"
    rows = 40
    columns = {
        "patient_id": range(rows),
        "age": 40,
        "income": 0.0,
        "visit_date": "2024-01-02",
        "mrn": "AB-123456",
        "email": "a@example.org",
        "diagnosis": "A",
        "admission": "2024-01-01",
        "discharge": "2024-01-03",
        "stay": 2,
        "sex": "female",
        "pregnant": "true",
        "readmitted": "false",
        "ward": "W",
    }
    pd.DataFrame(columns, index=range(rows)).to_csv(tmp_path / "stays.csv", index=False)
    said = synth("check", path)
    assert said.code == 0, said.err


def test_the_readme_spec_is_a_spec(tmp_path: Path, synth: Any) -> None:
    block = next(b for b in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL) if b.startswith("name"))
    path = tmp_path / "stays.yaml"
    path.write_text(block)
    columns = {
        "patient_id": range(9),
        "age": 81,
        "admission": "2024-01-01",
        "discharge": "2024-01-03",
        "stay": 2,
        "diagnosis": "A",
        "ward": "W",
        "readmitted": "no",
    }
    pd.DataFrame(columns, index=range(9)).to_csv(tmp_path / "stays.csv", index=False)
    said = synth("check", path)
    assert said.code == 0, said.err


def test_every_page_that_is_linked_exists() -> None:
    for page in [TOP / "README.md", *(TOP / "docs").glob("*.md")]:
        for link in re.findall(r"\]\(([^)#:]+\.(?:md|yaml))\)", page.read_text(encoding="utf-8")):
            assert (page.parent / link).exists(), (page.name, link)


def test_the_readme_commands_work(synth: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(TOP / "specs", tmp_path / "specs")
    quick = ["--set", "source.max_rows=2000", "--rows", "300"]
    assert (
        synth(
            "run", "specs/quickstart.yaml", *quick, "--set", "evaluate.gates=[]", "--set", "privacy_check.gates=[]"
        ).code
        == 0
    )
    block = next(b for b in re.findall(r"```sh\n(.*?)```", README, re.DOTALL) if "runs show" in b)
    for line in block.strip().splitlines():
        words = re.findall(r"""(?:[^\s'#]|'[^']*')+""", line.partition("  #")[0])
        words = [w.replace("'", "") for w in words][1:]
        said = synth(*words, *(quick if words[0] == "run" else []))
        assert said.code in (0, 4), (line, said.err)


def test_the_fixtures_recipe_writes_its_file(synth: Any, tmp_path: Path) -> None:
    shutil.copytree(TOP / "specs", tmp_path / "specs")
    (tmp_path / "tests/data").mkdir(parents=True)
    assert "--set output.path=../tests/data/customers.csv" in README
    assert (
        synth(
            "run", "specs/fixtures.yaml", "--rows", "500", "--set", "output.path=../tests/data/customers.csv", "--quiet"
        ).code
        == 0
    )
    assert len(pd.read_csv(tmp_path / "tests/data/customers.csv")) == 500


def test_the_reference_is_the_programs_own() -> None:
    assert (TOP / "docs/reference.md").read_text(encoding="utf-8") == reference.markdown(), "run `make docs`"


def test_every_recipe_in_yaml_is_yaml() -> None:
    spec, steps = (yaml.parse(block).data for block in re.findall(r"```yaml\n(.*?)```", README, re.DOTALL))
    assert set(spec) <= set(Spec.model_fields) and {"source", "generate"} <= set(spec)
    assert all(set(step) == {"run"} for step in steps)


def test_exit_codes_of_the_readme_are_those_of_the_program() -> None:
    from synthcli import errors
    from synthcli.cli import door

    told = {int(code) for code in re.findall(r"^\| (\d+) \|", README, re.MULTILINE)}
    used = {0, 2, 4, door.BUG, door.INTERRUPTED} | {
        e.exit_code for e in vars(errors).values() if isinstance(e, type) and issubclass(e, errors.SynthError)
    }
    assert used <= told


def test_every_metric_is_explained() -> None:
    text = (TOP / "docs/metrics.md").read_text(encoding="utf-8")
    for gauge in reference.gauges():
        assert f"**`{gauge['name']}`**" in text, gauge["name"]


def test_the_tutorial_works(synth: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shutil.copytree(TOP / "specs", tmp_path / "specs")
    blocks = re.findall(r"```sh\n(.*?)```", (TOP / "docs/tutorial.md").read_text(encoding="utf-8"), re.DOTALL)
    lines = [line for block in blocks for line in block.strip().splitlines()]
    assert len(lines) > 8
    for line in lines:
        said = synth(*shlex.split(line)[1:])
        assert said.code in (0, 4), (line, said.err)
    assert len(pd.read_csv(tmp_path / "more.csv")) == 500
    families = pd.read_csv(tmp_path / "families.csv")
    assert len(families) == 100 and (families["age"] >= 32).all() and (families["children"] >= 2).all()


def test_the_specs_of_the_howtos_are_specs_and_run(synth: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    blocks = re.findall(
        r"```yaml (run|check)\n(.*?)```", (TOP / "docs/howto.md").read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(blocks) == 4
    monkeypatch.setenv("WAREHOUSE_URL", "sqlite:///a.db")
    monkeypatch.setenv("SANDBOX_URL", "sqlite:///b.db")
    for what, text in blocks:
        path = tmp_path / f"{yaml_name(text)}.yaml"
        path.write_text(text)
        load_spec(path)
        if what == "run":
            said = synth("run", path, "--quiet")
            assert said.code == 0, said.err
    assert len(pd.read_csv(tmp_path / "customers.csv")) == 200


def yaml_name(text: str) -> str:
    """The name that a spec gives itself."""
    return re.findall(r"^name: (\S+)", text, re.MULTILINE)[0]
