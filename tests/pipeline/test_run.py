"""The whole loop through the command line: artifacts, caching, determinism, verdicts, outputs."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest

from synthcli import execute, load_spec
from synthcli.errors import SpecError


def ran(synth: Any, *words: object, code: int = 0) -> dict[str, Any]:
    said = synth("run", *words, "--json")
    assert said.code == code, said.err
    return said.json


def edit(spec: Path, old: str, new: str) -> None:
    text = spec.read_text()
    assert old in text
    spec.write_text(text.replace(old, new))


def test_a_run_leaves_what_architecture_says(spec: Path, synth: Any) -> None:
    done = ran(synth, spec)
    folder = Path(done["folder"])
    top = {p.name for p in folder.iterdir()}
    assert top == {
        "manifest.json",
        "spec.yaml",
        "plan.json",
        "verdict.json",
        "report.html",
        "rounds",
        "1-analyze",
        "2-train",
        "3-generate",
        "4-evaluate",
        "5-privacy-check",
    }
    assert (folder / "spec.yaml").read_text() == spec.read_text()
    assert folder.name == "0001-" + json.loads((folder / "manifest.json").read_text())["key"][:6]
    assert synth("runs", "verify", "people").code == 0
    table = pd.read_parquet(done["data"])
    assert len(table) == 600
    assert table["id"].is_unique
    assert (table["age"] >= 18).all()
    assert done["passed"] is True


def test_editing_a_gate_recomputes_only_the_verdict(spec: Path, synth: Any) -> None:
    first = ran(synth, spec)
    edit(spec, "min: 0.3", "min: 0.9999")
    second = ran(synth, spec, code=4)
    assert second["run"] != first["run"]
    stages = json.loads((Path(second["folder"]) / "manifest.json").read_text())["stages"]
    assert all(stage["cached"] for stage in stages.values()), stages
    assert second["verdict"]["failed"] == ["column_shapes"]
    assert os.readlink(Path(second["folder"]).parent / "passed") == Path(first["folder"]).name


@pytest.mark.parametrize(
    ("old", "new", "kept"),
    [
        ("seed: 5", "seed: 6", set()),
        ("[age >= 18]", "[age >= 17]", set()),
        ("{method: independent}", "{method: bootstrap}", {"1-analyze"}),
        ("attacks: [copies]", "attacks: default", {"1-analyze", "2-train", "3-generate", "4-evaluate"}),
        ("{max_rounds: 1}", "{max_rounds: 1}\ngenerate: {rows: 50}", {"1-analyze", "2-train"}),
        (
            "{max_rounds: 1}",
            "{max_rounds: 1}\ndescription: other words",
            {"1-analyze", "2-train", "3-generate", "4-evaluate", "5-privacy-check"},
        ),
    ],
)
def test_an_edit_runs_what_depends_on_it(spec: Path, synth: Any, old: str, new: str, kept: set[str]) -> None:
    ran(synth, spec)
    edit(spec, old, new)
    said = synth("run", spec, "--json")
    stages = json.loads((Path(said.json["folder"]) / "manifest.json").read_text())["stages"]
    assert {name.rpartition("/")[2] for name, stage in stages.items() if stage["cached"]} == kept


def test_a_changed_file_runs_anew(spec: Path, csv: Path, synth: Any) -> None:
    first = ran(synth, spec)
    csv.write_text(csv.read_text().replace("Wien", "Wels"))
    second = ran(synth, spec)
    a, b = (json.loads((Path(d["folder"]) / "manifest.json").read_text())["data"]["hash"] for d in (first, second))
    assert a != b
    assert "Wels" in set(pd.read_parquet(second["data"])["city"])


def test_fresh_builds_everything(spec: Path, synth: Any) -> None:
    first = ran(synth, spec)
    second = ran(synth, spec, "--fresh")
    stages = json.loads((Path(second["folder"]) / "manifest.json").read_text())["stages"]
    assert not any(stage["cached"] for stage in stages.values())
    assert Path(first["data"]).read_bytes() == Path(second["data"]).read_bytes()


def test_if_changed_repeats_the_last_code(spec: Path, csv: Path, synth: Any) -> None:
    edit(spec, "min: 0.3", "min: 0.9999")
    first = ran(synth, spec, code=4)
    again = ran(synth, spec, "--if-changed", code=4)
    assert (again["run"], again["changed"]) == (first["run"], False)
    csv.write_text(csv.read_text().replace("Graz", "Wels"))
    assert ran(synth, spec, "--if-changed", code=4)["run"] != first["run"]


def test_if_changed_restores_an_output_that_is_gone_or_changed(spec: Path, tmp_path: Path, synth: Any) -> None:
    spec.write_text(spec.read_text() + "output: {format: csv, path: out.csv}\n")
    ran(synth, spec)
    before = (tmp_path / "out.csv").read_bytes()
    (tmp_path / "out.csv").unlink()
    assert ran(synth, spec, "--if-changed")["changed"] and (tmp_path / "out.csv").read_bytes() == before
    assert not ran(synth, spec, "--if-changed")["changed"]
    (tmp_path / "out.csv").write_bytes(before + b"x\n")
    assert ran(synth, spec, "--if-changed")["changed"] and (tmp_path / "out.csv").read_bytes() == before
    moved = ("--set", "output.path=moved.csv", "--if-changed")
    assert ran(synth, spec, *moved)["changed"] and (tmp_path / "moved.csv").read_bytes() == before
    table = ("--set", "output={format: sql, url: 'sqlite:///out.db', table: t}", "--if-changed")
    assert ran(synth, spec, *table)["changed"] and not ran(synth, spec, *table)["changed"]
    with sqlite3.connect(tmp_path / "out.db") as connection:
        connection.execute("DELETE FROM t WHERE rowid = 1")
    connection.close()
    assert ran(synth, spec, *table)["changed"] and not ran(synth, spec, *table)["changed"]


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("people.csv", "the source itself"),
        ("people.yaml", "the spec itself"),
        ("missing/x.csv", "does not exist"),
        ("x.parquet", "has the ending of parquet"),
        ("''", "is a folder"),
        (".", "is a folder"),
        ("artifacts/people/x.csv", "run folders"),
        ("~nobody-here/x.csv", "not a path"),
    ],
)
def test_an_output_that_cannot_be_is_refused_before_anything_runs(
    spec: Path, tmp_path: Path, csv: Path, synth: Any, path: str, complaint: str
) -> None:
    (tmp_path / "artifacts/people").mkdir(parents=True)
    before = csv.read_bytes(), spec.read_bytes()
    said = synth("run", spec, "--set", "output.format=csv", "--set", f"output.path={path}")
    assert said.code == 1
    assert complaint in said.err and "--set output.path" in said.err
    assert "1-analyze" not in said.err
    assert (csv.read_bytes(), spec.read_bytes()) == before


def test_output_is_written_only_when_gates_pass(spec: Path, tmp_path: Path, synth: Any) -> None:
    spec.write_text(spec.read_text() + "output: {format: csv, path: out.csv}\n")
    out = tmp_path / "out.csv"
    out.write_text("old")
    edit(spec, "min: 0.3", "min: 0.9999")
    failed = ran(synth, spec, code=4)
    assert out.read_text() == "old"
    assert failed["output"] is None
    ran(synth, spec, "--keep-failed", code=4)
    assert out.read_text() != "old"
    edit(spec, "min: 0.9999", "min: 0.3")
    out.write_text("old")
    done = ran(synth, spec)
    back = pd.read_csv(out)
    assert list(back) == list(pd.read_csv(tmp_path / "people.csv"))
    assert done["output"] == str(out)
    assert not [p for p in tmp_path.iterdir() if "tmp" in p.suffix or p.name.startswith(".out")]


@pytest.mark.parametrize("format_", ["csv", "parquet", "jsonl"])
def test_outputs_hold_the_same_table(spec: Path, tmp_path: Path, synth: Any, format_: str) -> None:
    done = ran(synth, spec, "--set", f"output.format={format_}", "--set", f"output.path=out.{format_}")
    read = {"csv": pd.read_csv, "parquet": pd.read_parquet, "jsonl": lambda p: pd.read_json(p, lines=True)}[format_]
    back, data = read(tmp_path / f"out.{format_}"), pd.read_parquet(done["data"])
    assert len(back) == len(data)
    assert (back["age"].to_numpy() == data["age"].to_numpy()).all()
    assert back["income"].isna().sum() == data["income"].isna().sum()
    assert set(back["visit"].astype(str).str[:10]) == set(data["visit"].astype(str).str[:10])


def test_stages_alone_go_up_to_themselves(spec: Path, synth: Any) -> None:
    for i, (stage, last) in enumerate(
        [
            ("analyze", "1-analyze"),
            ("train", "2-train"),
            ("generate", "3-generate"),
            ("evaluate", "4-evaluate"),
            ("privacy-check", "5-privacy-check"),
        ],
        1,
    ):
        said = synth(stage, spec, "--json")
        assert said.code == 0, said.err
        folder = Path(said.json["folder"])
        assert sorted(p.name for p in folder.iterdir() if p.name[0].isdigit())[-1] == last
        assert folder.name.startswith(f"{i:04d}-")
    done = ran(synth, spec)
    stages = json.loads((Path(done["folder"]) / "manifest.json").read_text())["stages"]
    assert all(stage["cached"] for stage in stages.values())


def test_rows_and_seed_are_options(spec: Path, synth: Any) -> None:
    one = ran(synth, spec, "--rows", "17", "--seed", "1")
    two = ran(synth, spec, "--rows", "17", "--seed", "2")
    assert pq.read_metadata(one["data"]).num_rows == 17
    assert Path(one["data"]).read_bytes() != Path(two["data"]).read_bytes()


def test_refinement_keeps_its_rounds_and_shows_the_nearest(spec: Path, synth: Any) -> None:
    edit(spec, "{method: independent}", "{method: trees, params: {min_leaf: 200}}")
    edit(spec, "min: 0.3", "min: 0.9999, bound: value")
    edit(spec, "{max_rounds: 1}", "{max_rounds: 3}")
    done = ran(synth, spec, code=4)
    rounds = done["verdict"]["rounds"]
    assert len(rounds) == 3
    leaves = [r["params"]["min_leaf"] for r in rounds]
    assert leaves == sorted(leaves, reverse=True)
    assert sorted(p.name for p in (Path(done["folder"]) / "rounds").iterdir()) == ["01-trees", "02-trees", "03-trees"]
    chosen = Path(done["folder"]) / "rounds" / done["verdict"]["round"] / "3-generate/data.parquet"
    assert chosen.read_bytes() == Path(done["data"]).read_bytes()


def test_candidates_race_on_validation_and_one_is_judged_on_the_holdout(spec: Path, synth: Any) -> None:
    edit(spec, "{method: independent}", "{candidates: [independent, {method: bootstrap}, trees]}")
    edit(spec, "- {metric: excess_copies, max: 0.5}", "- {metric: excess_copies, max: 0.2, bound: value}")
    edit(spec, "min: 0.3", "min: 0.3}\n    - {metric: column_pair_trends, min: 0.3")
    done = ran(synth, spec)
    assert [r["round"] for r in done["verdict"]["rounds"]] == ["01-independent", "02-bootstrap", "03-trees"]
    assert all(r["steered"] for r in done["verdict"]["rounds"])
    copied = next(r for r in done["verdict"]["rounds"] if r["round"] == "02-bootstrap")
    assert not copied["passed"], "a bootstrap repeats records, and the copies gate must see it"
    body = json.loads((Path(done["folder"]) / "4-evaluate/measurements.json").read_text())
    assert body["control"] == "holdout"
    tried = json.loads((Path(done["folder"]) / "rounds/03-trees/4-evaluate/measurements.json").read_text())
    assert tried["control"] == "validation"


def test_analysis_is_kept_whatever_methods_follow(spec: Path, synth: Any) -> None:
    ran(synth, spec)
    said = synth("plan", spec, "--json", "--set", "generator.method=gaussian_copula")
    assert [s["cached"] for s in said.json["stages"]][:2] == [True, False]
    ran(synth, spec, "--set", "generator.method=auto")
    said = synth("plan", spec, "--json", "--set", "generator.method=auto")
    assert all(s["cached"] for s in said.json["stages"])


def test_auto_chooses_and_says_why(spec: Path, synth: Any) -> None:
    edit(spec, "{method: independent}", "{method: auto}")
    done = ran(synth, spec)
    assert done["verdict"]["method"] == "trees"
    assert "rows" in done["verdict"]["why"]


def test_more_rows_from_an_old_model_without_its_source(spec: Path, csv: Path, tmp_path: Path, synth: Any) -> None:
    done = ran(synth, spec)
    csv.unlink()
    said = synth("generate", "--from", "people", "--rows", "40000", "-o", tmp_path / "more.parquet", "--json")
    assert said.code == 0, said.err
    more, data = pd.read_parquet(tmp_path / "more.parquet"), pd.read_parquet(done["data"])
    assert len(more) == 40_000
    assert more["id"].is_unique
    assert list(more.dtypes) == list(data.dtypes)


@pytest.mark.parametrize("name", ["verdict.json", "manifest.json", "3-generate/data.parquet"])
def test_nothing_is_released_from_a_run_that_was_changed(spec: Path, tmp_path: Path, synth: Any, name: str) -> None:
    edit(spec, "min: 0.3", "min: 0.9999")
    done = ran(synth, spec, code=4)
    path = Path(done["folder"]) / name
    text = path.read_bytes()
    path.chmod(0o600)
    path.write_bytes(text.replace(b'"passed": false', b'"passed": true') if name.endswith("json") else text + b"x")
    said = synth("generate", "--from", "people", "--rows", "10", "-o", tmp_path / "x.csv")
    assert said.code == 4
    assert "does not verify" in said.err
    assert not (tmp_path / "x.csv").exists()


def test_nothing_is_released_from_a_run_that_failed(spec: Path, tmp_path: Path, synth: Any) -> None:
    edit(spec, "min: 0.3", "min: 0.9999")
    ran(synth, spec, code=4)
    said = synth("generate", "--from", "people", "--rows", "10", "-o", tmp_path / "x.csv")
    assert said.code == 4
    assert "column_shapes" in said.err
    assert not (tmp_path / "x.csv").exists()
    assert synth("generate", "--from", "people", "--rows", "10", "-o", tmp_path / "x.csv", "--keep-failed").code == 0


@pytest.mark.extra("sdv")
def test_a_pickled_model_that_was_changed_is_not_loaded(spec: Path, tmp_path: Path, synth: Any) -> None:
    edit(spec, "{method: independent}", "{method: gaussian_copula}")
    done = ran(synth, spec)
    model = Path(done["folder"]) / "2-train/model/model.pkl"
    ok = synth("generate", "--from", "people", "--rows", "5", "-o", tmp_path / "x.csv")
    assert ok.code == 0, ok.err
    model.write_bytes(b"cos\nsystem\n(S'touch hacked'\ntR.")
    assert synth("generate", "--from", "people", "--rows", "5", "-o", tmp_path / "y.csv").code == 4
    said = synth("generate", "--from", "people", "--rows", "5", "-o", tmp_path / "y.csv", "--keep-failed")
    assert said.code == 1
    assert "pickle" in said.err
    assert not Path("hacked").exists()


def test_python_gives_the_same_loop(spec: Path, tmp_path: Path) -> None:
    run = execute(spec, root=tmp_path / "elsewhere")
    assert run.passed and run.exit_code == 0
    assert run.data.exists()
    assert run.version.name.startswith("people/0001-")


SLOW = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell started the tests in its background
from synthcli.pipeline import stages
real, pause = stages.train, float(sys.argv.pop())
def slow(*args):
    print("training", flush=True)
    time.sleep(pause)
    real(*args)
stages.train = slow
from synthcli.__main__ import main
main()
"""


def start(*words: object, sleep: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", SLOW, *map(str, words), str(sleep)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(spec: Path, synth: Any) -> None:
    undisturbed = ran(synth, spec, "--root", "other")
    process = start("run", spec, sleep=60)
    assert process.stdout is not None
    process.stdout.readline()
    process.kill()
    process.wait()
    listed = synth("runs", "list", "--json").json["runs"]
    assert [(r["state"], r["stages"]) for r in listed] == [("unfinished", ["1-analyze"])]
    done = ran(synth, spec)
    stages = json.loads((Path(done["folder"]) / "manifest.json").read_text())["stages"]
    assert stages["1-analyze"]["cached"]
    assert Path(done["data"]).read_bytes() == Path(undisturbed["data"]).read_bytes()
    assert [r["state"] for r in synth("runs", "list", "--json").json["runs"]] == ["passed"]


@pytest.mark.parametrize("after", [0.3, 0.9, 1.3, 1.6, 1.9, 2.2, 2.6])
def test_a_kill_at_any_moment_loses_nothing(spec: Path, synth: Any, after: float) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "synthcli", "run", str(spec), "-q"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    time.sleep(after)
    process.kill()
    process.wait()
    done = ran(synth, spec)
    undisturbed = ran(synth, spec, "--root", "other")
    assert Path(done["data"]).read_bytes() == Path(undisturbed["data"]).read_bytes()
    assert synth("runs", "verify", "people").code == 0
    assert os.readlink("artifacts/people/latest") == Path(done["folder"]).name


def test_two_runs_at_once_wait_for_each_other(spec: Path, synth: Any) -> None:
    first = start("run", spec, "--json", sleep=2)
    assert first.stdout is not None
    first.stdout.readline()
    second = subprocess.run(
        [sys.executable, "-m", "synthcli", "run", str(spec), "--json"], capture_output=True, text=True, check=False
    )
    out, _ = first.communicate()
    assert first.returncode == second.returncode == 0
    assert f"waiting for the same run in process {first.pid}" in second.stderr
    one, two = json.loads(out), json.loads(second.stdout)
    assert {one["run"][:12], two["run"][:12]} == {"people/0001-", "people/0002-"}
    assert Path(one["data"]).read_bytes() == Path(two["data"]).read_bytes()


def test_different_specs_of_one_name_get_versions_of_their_own(spec: Path, synth: Any) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", "synthcli", "run", str(spec), "--json", "--seed", str(seed)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for seed in (1, 2, 3)
    ]
    done = [json.loads(p.communicate()[0])["run"] for p in started]
    assert sorted(r[:12] for r in done) == ["people/0001-", "people/0002-", "people/0003-"]


def test_an_interrupt_is_130_and_resumes(spec: Path, synth: Any) -> None:
    process = start("run", spec, "--json", sleep=600)
    assert process.stdout is not None
    assert process.stdout.readline() == "training\n"
    process.send_signal(signal.SIGINT)
    try:
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()
    assert process.returncode == 130
    assert json.loads(out)["exit_code"] == 130
    assert "resumes from here" in err
    assert "Traceback" not in err
    ran(synth, spec)


def test_one_damaged_version_does_not_block_the_others(spec: Path, synth: Any) -> None:
    first = ran(synth, spec)
    (Path(first["folder"]) / "manifest.json").write_text("[]")
    (Path(first["folder"]) / "2-train/stage.json").unlink()
    (Path(first["folder"]).parent / "0009-abcdef").mkdir()
    second = ran(synth, spec)
    assert second["run"].startswith("people/0010-")
    assert [r["state"] for r in synth("runs", "list", "--json").json["runs"]] == ["damaged", "damaged", "passed"]
    assert synth("runs", "verify", "people/1").code == 1
    assert synth("runs", "prune", "people", "--keep", "1").code == 0


def test_a_version_cannot_be_written_to_by_accident(spec: Path, synth: Any) -> None:
    done = ran(synth, spec)
    assert Path(done["data"]).stat().st_mode & 0o222 == 0


def test_no_real_record_and_no_key_stays_in_what_is_not_a_model(spec: Path, csv: Path, synth: Any) -> None:
    done = ran(synth, spec)
    ids = set(pd.read_csv(csv)["id"])
    assert (
        not ids & set(pd.read_parquet(done["data"])["id"]) or len(ids) > 300
    )  # six digits: chance may repeat one of a million
    for path in Path(done["folder"]).rglob("*.json"):
        text = path.read_text()
        assert not any(i in text for i in list(ids)[:50]), path


def test_a_stage_that_is_none_is_named_with_those_there_are(spec: Path, tmp_path: Path) -> None:
    with pytest.raises(
        SpecError, match=r"upto is 'generat'; expected one of analyze, train, .*\. Did you mean generate\?"
    ):
        execute(spec, root=tmp_path / "artifacts", upto="generat")  # type: ignore[arg-type]
    assert not (tmp_path / "artifacts").exists()


def test_a_single_override_is_one_and_no_letters(spec: Path) -> None:
    loaded = load_spec(spec, "seed=31")
    assert loaded.spec.seed == 31 and loaded.sets == ("seed=31",)
