"""Every modality has all of the protocol, and a new one needs its folder and two files outside it."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import synthcli
import synthcli.report.modalities
import synthcli.spec.modalities
from synthcli import plugins
from synthcli.contracts.modality import Modality
from synthcli.pipeline import keys
from synthcli.report import html
from synthcli.spec import describe

TOY = Path(__file__).with_name("toy")
PIPELINE = Path(synthcli.__file__).parent / "pipeline"
FUNCTIONS = [name for name, one in vars(Modality).items() if inspect.isfunction(one) and not name.startswith("_")]


@pytest.fixture
def coin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A modality that lives in the tests alone."""
    monkeypatch.setattr(synthcli, "__path__", [*synthcli.__path__, str(TOY)])
    for package, folder in (
        (synthcli.spec.modalities, "spec_modalities"),
        (synthcli.report.modalities, "report_modalities"),
    ):
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(TOY / folder)])
    for cached in (plugins.modalities, plugins.bases, plugins.names, keys.code_hash):
        cached.cache_clear()
    yield
    monkeypatch.undo()
    for cached in (plugins.modalities, plugins.bases, plugins.names, keys.code_hash):
        cached.cache_clear()


@pytest.fixture
def flips(coin: None, tmp_path: Path) -> Path:
    """A spec over sequences of a biased coin."""
    rng = np.random.default_rng(0)
    rows = ["".join(row) for row in np.where(rng.random((300, 12)) < 0.7, "H", "T")]
    pd.DataFrame({"flips": rows}).to_csv(tmp_path / "flips.csv", index=False)
    spec = tmp_path / "flips.yaml"
    spec.write_text(
        "modality: coin\nsource: {type: csv, path: flips.csv}\ngenerate: {rows: 200, copies: 2}\n"
        "output: {format: parquet, path: out.parquet}\n"
    )
    return spec


def parameters(function: Any) -> list[tuple[str, Any]]:
    return [(name, p.kind) for name, p in inspect.signature(function).parameters.items() if name != "self"]


@pytest.mark.parametrize("name", plugins.modalities())
def test_every_modality_has_all_of_the_protocol(name: str) -> None:
    module: Any = plugins.modality(name)
    assert isinstance(module.COUNTS, str) and len(FUNCTIONS) >= 15
    assert set(module.BUILDS_ON) <= set(plugins.modalities()) - {name, plugins.GROUND}
    for function in FUNCTIONS:
        assert parameters(getattr(module, function)) == parameters(getattr(Modality, function)), function


@pytest.mark.parametrize("name", plugins.modalities())
def test_every_modality_says_which_keys_it_takes_and_what_a_page_shows(name: str) -> None:
    room: Any = describe.keys(name)
    for function, one in vars(describe.Keys).items():
        if inspect.isfunction(one) and not function.startswith("_"):
            assert parameters(getattr(room, function)) == parameters(one), function
    section = html._sections({"plan": {"modality": name, "source": {}}})
    assert (html.FOLDER / section.TEMPLATE).is_file() and section.SECTIONS


def sources_of(folder: Path) -> list[tuple[str, ast.Module]]:
    return [(p.name, ast.parse(p.read_text(encoding="utf-8"))) for p in sorted(folder.rglob("*.py"))]


def test_the_loop_knows_no_modality_by_name() -> None:
    for file, tree in sources_of(PIPELINE):
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant):
                assert node.value not in plugins.modalities(), f"{file}:{node.lineno}"
            if isinstance(node, ast.ImportFrom):
                room = (node.module or "").split(".")[1:2]
                assert not set(room) & set(plugins.modalities()), f"{file}:{node.lineno}"


def test_the_protocol_is_typed() -> None:
    top = PIPELINE.parent
    for path in (top / "contracts" / "modality.py", *top.glob("*/modality.py")):
        names = {n.id for n in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(n, ast.Name)}
        assert "Any" not in names, path


def test_no_call_to_plugins_leaves_the_modality_out() -> None:
    needs = {"names": 2, "method": 2, "judge": 3, "judges": 2, "ready": 1, "params": 1, "able": 1, "modality": 1}
    seen = 0
    for file, tree in sources_of(PIPELINE.parent):
        for call in (n for n in ast.walk(tree) if isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute)):
            owner = call.func.value
            if isinstance(owner, ast.Name) and owner.id == "plugins" and call.func.attr in needs:
                assert len(call.args) + len(call.keywords) >= needs[call.func.attr], f"{file}:{call.lineno}"
                seen += 1
    assert seen > 20
    for name in needs:
        assert all(
            p.default is inspect.Parameter.empty for p in inspect.signature(getattr(plugins, name)).parameters.values()
        )


def test_a_modality_of_the_tests_goes_through_the_whole_loop(flips: Path, synth: Any, tmp_path: Path) -> None:
    assert "coin" in plugins.modalities()
    said = synth("run", flips, "--json")
    assert said.code == 0, said.err
    run = synthcli.execute(flips)
    verdict = run.verdict
    assert verdict is not None and verdict["passed"] and verdict["method"] == "bernoulli"
    measured = {g["metric"]: g["measured"]["value"] for g in verdict["gates"]}
    assert measured["coin_bias"] > 0.9 and measured["coin_replays"] <= 0.1
    first, second = run.frame(1), run.frame(2)
    assert len(first) == 200 and first["flips"].str.fullmatch("[HT]{12}").all() and not first.equals(second)
    assert 0.6 < (first["flips"].str.count("H") / 12).mean() < 0.8
    assert pd.read_parquet(tmp_path / "out.parquet").equals(pd.read_parquet(run.data))
    page = (run.version.folder / "report.html").read_text(encoding="utf-8")
    assert "share of heads" in page and 'href="#coins"' in page and "coin_bias" in page
    assert run.version.verify() == []


def test_the_other_commands_serve_it_too(flips: Path, synth: Any, tmp_path: Path) -> None:
    assert synth("check", flips, "--json").json["columns"] == 1
    assert synth("plan", flips).code == 0
    assert len(synth("preview", flips, "--rows", 5, "--json").json["rows"]) == 5
    assert synth("run", flips).code == 0
    more = synth("generate", "--from", "flips", "--rows", 30, "-o", tmp_path / "more.csv")
    assert more.code == 0 and len(pd.read_csv(tmp_path / "more.csv")) == 30
    assert "bernoulli" in [m["name"] for m in synth("methods", "--json").json["methods"]]


def test_its_own_errors_name_the_key(flips: Path, synth: Any) -> None:
    wrong = synth("check", flips, "--set", "constraints=[a > 1]")
    assert wrong.code == 1 and "coins obey no rules" in wrong.err
    unknown = synth("check", flips, "--set", "modality=coins")
    assert unknown.code == 1 and "Did you mean coin?" in unknown.err
    params = synth("check", flips, "--set", "generator.params.priors=3")
    assert params.code == 1 and "bernoulli has no such parameter. Did you mean prior" in params.err


def test_an_edit_in_another_modality_retrains_nothing(
    coin: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {name: keys.code_hash(name) for name in plugins.modalities()}
    other = tmp_path / "dice"
    other.mkdir()
    (other / "modality.py").write_text("COUNTS = 'dice'\nBUILDS_ON = ()\n")
    (other / "__init__.py").write_text("")
    monkeypatch.setattr(synthcli, "__path__", [*synthcli.__path__, str(tmp_path)])
    for cached in (plugins.modalities, keys.code_hash):
        cached.cache_clear()
    assert "dice" in plugins.modalities()
    after = {name: keys.code_hash(name) for name in before}
    assert after == before and keys.code_hash("dice") not in before.values()
    assert keys._counts(("relational", "modality.py"), "relational") and keys._counts(
        ("tabular", "model.py"), "relational"
    )
    assert not keys._counts(("relational", "modality.py"), "tabular")
    assert not keys._counts(("spec", "modalities", "relational.py"), "tabular") and keys._counts(
        ("seeds.py",), "tabular"
    )
