"""The benches themselves, on the smallest sizes: what they read, how they judge, and what they write."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import seeds
from tests.benchmarks import __main__ as main
from tests.benchmarks import auto, compare, imbalance, scale
from tests.benchmarks.harness import document, judging, processes, tables


def asked(*words: str) -> argparse.Namespace:
    return main.parse(list(words), main.benches())


def people(rows: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    age = rng.integers(18, 80, rows)
    since = pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, rows), unit="D")
    return pd.DataFrame(
        {
            "age": age,
            "city": rng.choice(["Rome", "Oslo"], rows),
            "since": since.strftime("%Y-%m-%d"),
            "sick": rng.random(rows) < age / 160,
        }
    )


def test_a_folder_gives_pairs_halves_targets_and_units(tmp_path: Path) -> None:
    people(80).to_csv(tmp_path / "a_train.csv.gz", index=False)
    people(40, 1).to_csv(tmp_path / "a_holdout.csv.gz", index=False)
    people(60).assign(who=np.arange(60) // 2).to_parquet(tmp_path / "b.parquet")
    people(50).to_csv(tmp_path / "c.csv", index=False)
    (tmp_path / "targets.json").write_text(json.dumps({"a": "sick"}))
    (tmp_path / "b.yaml").write_text("evaluate: {target: city}\nprivacy_unit: who\n")
    a, b, c = tables.folder(tmp_path)
    assert [(p.name, len(p.train), len(p.unseen), p.target) for p in (a, c)] == [
        ("a", 80, 40, "sick"),
        ("c", 25, 25, None),
    ]
    assert a.train.schema["since"].kind == "datetime"
    assert a.unseen.frame["age"].tolist() == people(40, 1)["age"].tolist()
    assert b.target == "city" and not set(b.train.frame["who"]) & set(b.unseen.frame["who"])


def test_an_unknown_target_is_told(tmp_path: Path) -> None:
    people(50).to_csv(tmp_path / "c.csv", index=False)
    (tmp_path / "targets.json").write_text(json.dumps({"c": "sik"}))
    with pytest.raises(SystemExit, match=r"no column.*sik"):
        tables.folder(tmp_path)


def test_rows_of_any_generator_take_the_types_of_the_table() -> None:
    table = tables.typed(
        pa.table({"n": [1, 2, None], "x": [0.5, 1.0, 2.0], "b": [True, None, False], "c": ["a", "b", "a"]})
    )
    other = pd.DataFrame(
        {"c": ["b", None, "a"], "n": [1.2, np.nan, "x"], "x": ["1.5", 2, None], "b": ["True", "false", 1.0]}
    )
    made = judging.conform(other, table.schema).frame
    assert made["n"].tolist()[:1] == [1] and made["n"].isna().tolist() == [False, True, True]
    assert made["x"].tolist()[:2] == [1.5, 2.0]
    assert made["b"].tolist() == [True, False, True]
    assert list(made.dtypes) == list(table.frame.dtypes)
    with pytest.raises(ValueError, match="columns missing: c"):
        judging.conform(other.drop(columns="c"), table.schema)


def test_only_the_sections_that_ran_are_replaced() -> None:
    first = document.merged("", [document.Section("One", "old"), document.Section("Two", "kept", "| a |\n| --- |")])
    after = document.merged(first, [document.Section("One", "new"), document.Section("Three", "added")])
    assert "old" not in after and after.count("kept") == 1 and after.count("# Benchmarks") == 1
    assert after.index("## One") < after.index("## Two") < after.index("## Three")
    assert document.merged(after, []) == after


def test_a_process_that_takes_too_long_is_stopped_with_its_children() -> None:
    child = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(60)'])"
    ran = processes.python(["-c", child], minutes=0.7 / 60)
    assert ran.code is None and ran.seconds < 30 and "stopped" in ran.why


def test_peak_memory_is_what_was_held() -> None:
    ran = processes.python(["-c", "import time; a = bytearray(200 << 20); time.sleep(0.6); print('done')"])
    assert ran.out.strip() == "done" and 200 < ran.peak / 2**20 < 400
    assert "boom" in processes.python(["-c", "raise SystemExit('boom')"]).why


def test_engines_learn_the_same_file_and_one_judge_sees_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    people(160).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "targets.json").write_text(json.dumps({"t": "sick"}))
    engines = tmp_path / "engines"
    engines.mkdir()
    for name in ("run", "synthcli"):
        (engines / f"{name}.py").write_text(
            (compare.RUNNER.parent / f"{name}.py")
            .read_text()
            .replace("parents[3]", f"parents[0] / {str(main.PAGE.parents[1])!r}")
        )
    (engines / "same.py").write_text(
        "VERSION_OF = 'pandas'\nVARIANTS = ('copy',)\ndef fit(frame, task):\n    return frame.head\n"
    )
    (engines / "broken.py").write_text(
        "VERSION_OF = 'pandas'\nVARIANTS = ('x',)\ndef fit(frame, task):\n    raise ValueError('cannot learn')\n"
    )
    monkeypatch.setattr(compare, "RUNNER", engines / "run.py")
    python = f"same={sys.executable},broken={sys.executable}"
    said = compare.run(
        asked("--compare", "--data", str(tmp_path), "--methods", "independent", "--engines", python, "--no-sdv")
    )[0]
    lines = {line.split(" | ")[1]: line.split(" | ") for line in said.table.splitlines()[2:]}
    assert list(lines) == ["synthcli independent", "same copy", "(real)"]
    assert float(lines["same copy"][6]) > 0.7 > float(lines["synthcli independent"][6]), "copies of train are seen"
    assert "broken x gave nothing for t: ValueError: cannot learn" in said.after
    assert "pandas" not in said.table and f"same {pd.__version__}" in said.about


def test_an_engine_without_a_driver_is_told() -> None:
    with pytest.raises(SystemExit, match=r"no driver.*mostlyai"):
        compare.engines(asked("--engines", "nobody=/usr/bin/python3", "--no-sdv"), {})


def test_scale_counts_what_was_made() -> None:
    small = [
        "--scale",
        "--scale-rows",
        "300",
        "--scale-wide",
        "60x20",
        "--scale-made",
        "700",
        "--scale-method",
        "independent",
    ]
    said = scale.run(asked(*small))[0]
    rows = [line.strip("| ").split(" | ") for line in said.table.splitlines()[2:]]
    assert [(r[0], r[1], r[3]) for r in rows] == [("300", "15", "700"), ("60", "20", "60")], said.after


def test_simulated_rows_are_tied_and_have_adults_kinds(tmp_path: Path) -> None:
    scale.simulate(tmp_path / "t.parquet", 3_000, 15, rng=np.random.default_rng(0))
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert frame.shape == (3_000, 15) and (frame.dtypes == "int64").sum() == 6
    assert frame["sex"].nunique() == 2 and frame["country"].nunique() > 20 and (frame["capital_gain"] == 0).mean() > 0.7
    assert frame.select_dtypes("number").corr().abs().to_numpy()[np.triu_indices(6, 1)].max() > 0.3


class Stub:
    """A model that draws given rows from the few that it saw, each number moved a little."""

    def __init__(self, train: Any, target: str) -> None:
        self.train, self.target = train, target

    def sample(self, request: Any, block: int, *, rng: np.random.Generator) -> Any:
        return self.train.take(rng.integers(0, len(self.train), request.size(block)))

    def complete(self, given: Any, start: int, *, rng: np.random.Generator) -> Any:
        labels = self.train.frame[self.target]
        pools = {value: np.flatnonzero(labels == value) for value in labels.unique()}
        return self.train.take(np.array([rng.choice(pools[value]) for value in given.frame[self.target]]))


def test_arms_are_balanced_and_judged_on_rows_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    frame = people(400).assign(sick=lambda f: np.where(np.arange(400) % 10 == 0, "yes", "no"))
    frame["age"] += np.where(frame["sick"] == "yes", 25, 0)
    table = tables.typed(pa.Table.from_pandas(frame.drop(columns="since"), preserve_index=False))
    train, test = imbalance.cut(table, "sick", "yes", 0.05, rng=seeds.stream(0, "t"))
    assert (train.frame["sick"] == "yes").sum() == 10 and (test.frame["sick"] == "yes").mean() == 0.1
    module = argparse.Namespace(Params=lambda: None, fit=lambda data, params, job: Stub(data, "sick"))
    monkeypatch.setattr(imbalance.plugins, "method", lambda name, modality: module)
    rows = imbalance.arms(train, "sick", "yes", "stub", rng=seeds.stream(1, "t"))
    assert tuple(rows) == imbalance.ARMS
    for arm in ("real + SMOTE", "real + ours", "synthetic, balanced"):
        assert (rows[arm]["sick"] == "yes").mean() == pytest.approx(0.5, abs=0.01), arm
    scores = [
        imbalance.precision(rows[arm], test, "sick", "yes", "logistic regression") for arm in ("real", "real + ours")
    ]
    assert all(0.15 < s <= 1 for s in scores), "age tells the class"


def test_an_interval_is_that_of_the_paired_differences() -> None:
    assert imbalance.interval(np.array([0.1, 0.1])) == "+0.100 (+0.100 to +0.100)"
    assert imbalance.interval(np.array([-0.1, 0.1])).startswith(
        "+0.000 (-1.271"
    )  # t with one degree of freedom, 12.706


def test_the_best_method_is_one_that_does_not_leak() -> None:
    trials = pd.DataFrame(
        {
            "method": ["a", "b", "c"] * 2,
            "score": [0.9, 0.95, 0.5] * 2,
            "leak": [0.2, 3.0, 0.1] * 2,
            "seconds": 1.0,
            "rows": 100,
            "columns": 5,
            "table": "t",
        }
    )
    assert auto.compared("t", "a", trials)[6] == "a"
    assert auto.compared("t", "c", trials)[-1] == "no"


def test_small_tables_are_there_with_their_targets() -> None:
    for name, (make, target) in tables.SMALL.items():
        frame = make()
        assert target in frame and len(frame) > 30, name
