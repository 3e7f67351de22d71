"""The command line: help, exit codes, JSON, quiet, pipes, completion."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from synthcli import plugins


def test_help_names_every_command(synth: Any) -> None:
    said = synth("--help")
    assert said.code == 0
    for command in (
        "run",
        "analyze",
        "train",
        "generate",
        "evaluate",
        "privacy-check",
        "preview",
        "check",
        "plan",
        "methods",
        "schema",
        "runs",
    ):
        assert command in said.out


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; sys.argv = ['synth', '--help']\ntry:\n  from synthcli.__main__ import main; main()\nexcept"
        " SystemExit: pass\nprint(*sys.modules)"
    )
    loaded = set(
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    )
    assert not loaded & {
        "numpy",
        "pandas",
        "pyarrow",
        "torch",
        "sdv",
        "sklearn",
        "scipy",
        "duckdb",
        "faker",
        "statsmodels",
        "pydantic",
        "yaml",
    }


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nonsense"], 2),
        (["run"], 2),
        (["run", "x.yaml", "--rows", "0"], 2),
        (["generate"], 2),
        (["run", "missing.yaml"], 1),
        (["runs", "show", "x"], 1),
        (["methods", "tres"], 1),
        (["runs", "prune"], 2),
    ],
)
def test_exit_codes(synth: Any, words: list[str], code: int) -> None:
    assert synth(*words).code == code


def test_errors_are_json_too(synth: Any) -> None:
    said = synth("run", "missing.yaml", "--json")
    assert said.json["exit_code"] == 1
    assert "missing.yaml" in said.json["error"]


def test_usage_errors_are_json_where_asked() -> None:
    for words in (
        ["run", "--json"],
        ["nonsense", "--json"],
        ["run", "x.yaml", "--rows", "0", "--json"],
        ["runs", "prune", "--json"],
    ):
        said = subprocess.run([sys.executable, "-m", "synthcli", *words], capture_output=True, text=True, check=False)
        assert said.returncode == 2
        assert json.loads(said.stdout)["exit_code"] == 2


@pytest.mark.parametrize("redirect", [">&-", "2>&-", ">/dev/full", ">/dev/full 2>&1"])
def test_streams_that_do_not_listen_cause_no_traceback(redirect: str) -> None:
    said = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m synthcli methods --json {redirect}"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert said.returncode in (0, 1)
    assert "Traceback" not in said.stdout + said.stderr


def test_words_that_the_terminal_lacks_are_escaped(synth: Any) -> None:
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    said = subprocess.run(
        [sys.executable, "-m", "synthcli", "methods", "trees"], capture_output=True, text=True, env=env, check=True
    )
    assert "min_leaf" in said.stdout


def test_a_bug_is_3_with_a_log(spec: Path, synth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from synthcli.pipeline import stages

    def broken(*args: object) -> None:
        raise ZeroDivisionError("ours")

    monkeypatch.setattr(stages, "analyze", broken)
    said = synth("run", spec, "--json")
    assert said.code == said.json["exit_code"] == 3
    log = Path(said.json["error"].rpartition("written to ")[2])
    assert "ZeroDivisionError: ours" in log.read_text()


def test_a_full_disk_is_no_bug(spec: Path, synth: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    from synthcli.pipeline import stages

    def full(*args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "data.parquet")

    monkeypatch.setattr(stages, "generate", full)
    said = synth("run", spec)
    assert said.code == 1
    assert "No space left" in said.err and "remedy" in said.err


def test_quiet_says_nothing(spec: Path, synth: Any) -> None:
    said = synth("run", spec, "-q")
    assert (said.code, said.out, said.err) == (0, "", "")


def test_a_pipe_gets_plain_lines(spec: Path) -> None:
    env = {**os.environ, "TERM": "xterm-256color"}
    said = subprocess.run(
        [sys.executable, "-m", "synthcli", "run", str(spec)], capture_output=True, text=True, env=env, check=True
    )
    assert "\x1b" not in said.stdout + said.stderr
    assert "1-analyze" in said.stderr and "PASSED" in said.stdout


@pytest.mark.parametrize("colour", [True, False])
def test_a_terminal_gets_colour_unless_no_color(spec: Path, colour: bool) -> None:
    import pty

    env = (
        {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
        | {"TERM": "xterm-256color"}
        | ({} if colour else {"NO_COLOR": "1"})
    )
    main, end = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "synthcli", "run", str(spec)], stdout=end, stderr=end, env=env)
    os.close(end)
    seen = b""
    while True:
        try:
            piece = os.read(main, 65536)
        except OSError:
            break
        if not piece:
            break
        seen += piece
    assert process.wait() == 0
    assert b"PASSED" in seen and "✓".encode() in seen
    assert (b"\x1b[1;32mPASSED" in seen) is colour


def test_a_reader_that_leaves_is_no_error(spec: Path) -> None:
    command = f"{sys.executable} -m synthcli methods --metrics | head -1; echo ${{PIPESTATUS[0]}}"
    said = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert said.stdout.strip().endswith("0")
    assert said.stderr == ""


def test_methods_tell_params_from_one_place(synth: Any) -> None:
    found = {m["name"]: m for m in synth("methods", "--json").json["methods"]}
    assert set(found) == set(plugins.names("methods", "tabular"))
    leaf = next(p for p in found["trees"]["params"] if p["name"] == "min_leaf")
    assert (leaf["default"], leaf["bounds"]) == (plugins.method("trees", "tabular").Params().min_leaf, "≥ 1, ≤ 1e+06")
    assert "min_leaf" in synth("methods", "trees").out
    assert all(p["help"] for m in found.values() for p in m["params"])


def test_metrics_are_listed_for_gates(synth: Any) -> None:
    names = [g["name"] for g in synth("methods", "--metrics", "--json").json["metrics"]]
    assert {"column_shapes", "detection_auc", "membership_auc", "rows_per_second"} <= set(names)
    assert len(names) == len(set(names))


def test_schema_is_json_schema(synth: Any) -> None:
    import jsonschema

    schema = synth("schema").json
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert validator.is_valid({"source": {"type": "builtin", "name": "wine"}})
    assert not validator.is_valid({"source": {"type": "builtin", "nme": "wine"}})


def test_preview_shows_rows_and_keeps_nothing(spec: Path, synth: Any, tmp_path: Path) -> None:
    said = synth("preview", spec, "--json")
    assert said.code == 0
    assert len(said.json["rows"]) == 20
    assert set(said.json["rows"][0]) == {"id", "age", "sex", "income", "smoker", "visit", "city"}
    assert not (tmp_path / "artifacts").exists()
    assert "city" in synth("preview", spec).out


def test_plan_tells_what_is_kept(spec: Path, synth: Any) -> None:
    assert not any(s["cached"] for s in synth("plan", spec, "--json").json["stages"])
    synth("run", spec)
    stages = {s["stage"]: s["cached"] for s in synth("plan", spec, "--json").json["stages"]}
    assert all(stages.values()) and len(stages) == 5
    stages = {s["stage"]: s["cached"] for s in synth("plan", spec, "--json", "--rows", "9").json["stages"]}
    assert stages == {
        "1-analyze": True,
        "2-train": True,
        "3-generate": False,
        "4-evaluate": False,
        "5-privacy-check": False,
    }


def test_diff_tells_what_changed(spec: Path, synth: Any) -> None:
    synth("run", spec)
    synth("run", spec, "--seed", "9")
    changed = synth("runs", "diff", "people/1", "people/2", "--json").json["changed"]
    assert ["seed", 5, 9] in changed["spec"]
    assert changed["files"] and "data" not in changed
    assert "seed" in synth("runs", "diff", "people/1", "people/2").out
    assert "do not differ" in synth("runs", "diff", "people/1", "people/1").out


def test_show_has_measurements_by_column(spec: Path, synth: Any) -> None:
    synth("run", spec)
    out = synth("runs", "show", "people").out
    assert "column_shapes" in out and "income" in out
    assert synth("runs", "show", "people", "--json").json["manifest"]["seed"] == 5


def test_completion_knows_methods_runs_and_specs(spec: Path, synth: Any) -> None:
    synth("run", spec)
    from synthcli.cli import options

    assert "trees" in options.complete_method("tr")
    assert any(r.startswith("people/0001-") for r in options.complete_run("people/"))
    assert "people.yaml" in options.complete_spec("peo")


def test_the_root_comes_from_the_environment_unless_given(spec: Path, tmp_path: Path) -> None:
    env = {**os.environ, "SYNTH_ROOT": str(tmp_path / "from-env")}
    for words, root in (([], "from-env"), (["--root", "given"], "given")):
        said = subprocess.run(
            [sys.executable, "-m", "synthcli", "analyze", str(spec), "--json", *words],
            capture_output=True,
            text=True,
            env=env,
            check=True,
        )
        assert json.loads(said.stdout)["folder"].startswith(str(tmp_path / root))


def test_a_page_is_opened_where_there_is_a_display(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    import webbrowser

    from synthcli.cli import browser

    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: bool(opened.append(address)) or True)
    monkeypatch.setenv("DISPLAY", ":0")
    browser.show(tmp_path / "report.html")
    assert opened == [(tmp_path / "report.html").as_uri()]
    assert capsys.readouterr().err == ""


def test_without_a_display_the_page_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    import webbrowser

    from synthcli.cli import browser

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(webbrowser, "open", lambda address: pytest.fail("opened without a display"))
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    browser.show(tmp_path / "report.html")
    assert f"the page is {tmp_path / 'report.html'}" in capsys.readouterr().err


def test_both_commands_that_write_a_page_can_open_it(synth: Any) -> None:
    assert "--open" in synth("run", "--help").out
    assert "--open" in synth("report", "--help").out
