"""Estimates before a run: the table's shape from a head, seconds from constants and from earlier runs, what is read and
written.
"""

from __future__ import annotations

import bz2
import gzip
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli import execute
from synthcli.contracts.cost import Work
from synthcli.contracts.modality import Choice, Size
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.pipeline.plan import Plan, make_plan, rows_requested
from synthcli.pipeline.preflight import estimate
from synthcli.pipeline.preflight.estimate import Estimates, Past, Step
from synthcli.pipeline.preflight.plan import foreseen
from synthcli.sources import head
from synthcli.spec.load import load_spec
from synthcli.tabular import costs

KEYS = {"stage", "detail", "cached", "seconds", "gigabytes", "basis"}
SCHEMA = Schema(tuple(Column(f"c{i}", inferred=Traits(type="float" if i < 6 else "category")) for i in range(10)))


def planned(folder: Path, source: str, rest: str = "") -> Plan:
    spec = folder / "s.yaml"
    spec.write_text(f"source: {source}\n{rest}")
    return make_plan(load_spec(spec, []))


def looked(plan: Plan) -> Size:
    return plan.modality.look(plan.described, {})


def people(rows: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    said = rng.choice(['in "quotes", and\nbelow', "plain words", ""], rows)
    return pd.DataFrame(
        {
            "age": rng.integers(0, 90, rows),
            "x": rng.normal(size=rows),
            "sex": rng.choice(["f", "m"], rows),
            "said": said,
        }
    )


@pytest.mark.parametrize("rows", [0, 1, 999])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_of_a_small_file_are_counted(tmp_path: Path, rows: int, end: str) -> None:
    people(rows).to_csv(tmp_path / "a.csv", index=False, lineterminator=end)
    seen = looked(planned(tmp_path, "{type: csv, path: a.csv}"))
    if rows:
        assert (seen.records, seen.exact, seen.columns) == (rows, True, 4)
        assert seen.stored == (tmp_path / "a.csv").stat().st_size
    else:
        assert seen.columns == 4 and seen.schema is None


def _zip(path: Path, data: bytes) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", data)


WRITERS: dict[str, Callable[[Path, bytes], Any]] = {
    "a.csv": Path.write_bytes,
    "a.csv.gz": lambda path, data: path.write_bytes(gzip.compress(data)),
    "a.csv.bz2": lambda path, data: path.write_bytes(bz2.compress(data)),
    "a.csv.zip": _zip,
}


@pytest.mark.parametrize("name", WRITERS)
def test_rows_of_a_larger_file_are_estimated_from_its_head(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(head, "HEAD", 1 << 17)
    WRITERS[name](tmp_path / name, people(50_000).to_csv(index=False).encode())
    seen = looked(planned(tmp_path, f"{{type: csv, path: {name}}}"))
    assert seen.records is not None and seen.schema is not None
    assert not seen.exact and abs(seen.records / 50_000 - 1) < 0.1
    assert seen.schema["age"].kind == "integer" and seen.schema["sex"].kind == "category"


def test_parquet_rows_are_those_of_the_footers_of_all_files(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    for i, rows in enumerate((300, 40)):
        people(rows).to_parquet(tmp_path / "d" / f"{i}.parquet")
    seen = looked(planned(tmp_path, "{type: parquet, path: d}"))
    assert (seen.records, seen.exact) == (340, True)
    assert seen.parts == {"train": 238, "validation": 34, "holdout": 68}


def test_jsonl_rows_are_counted_and_max_rows_cuts_what_is_learned(tmp_path: Path) -> None:
    people(500).to_json(tmp_path / "a.jsonl", orient="records", lines=True)
    plan = planned(tmp_path, "{type: jsonl, path: a.jsonl, max_rows: 100}", "generate: {scale: 2}\n")
    seen = looked(plan)
    assert (seen.records, seen.exact) == (500, True) and rows_requested(plan.spec, 500) == 1000
    assert seen.parts == {"train": 70, "validation": 10, "holdout": 20}


def test_a_workbook_is_unknown_and_so_is_what_follows(tmp_path: Path) -> None:
    people(20).to_excel(tmp_path / "a.xlsx", index=False)
    planned(tmp_path, "{type: excel, path: a.xlsx}", "generator: {method: auto}\n")
    found = foreseen(tmp_path / "s.yaml", tmp_path / "artifacts", [])
    assert all(line["seconds"] is None and line["basis"] is None for line in found["stages"])
    assert found["total"]["seconds"] is None and len(found["total"]["unknown"]) == len(found["stages"])
    assert found["reads"][0]["rows"] is None and found["reads"][0]["columns"] == 4


def estimates(plan: Plan, rows: int, past: list[Past], tmp_path: Path) -> Estimates:
    seen = Size(10, SCHEMA, rows, True, None, {"train": rows, "validation": 0, "holdout": 0})
    out = Estimates(plan, seen, rows, tmp_path / "none")
    out.past = past
    return out


def test_earlier_runs_are_scaled_by_the_work(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{type: builtin, name: iris}")
    choice = Choice("trees", {}, modality="tabular")
    step = Step("2-train", choice=choice)
    alike = estimate._alike("2-train", plan.to_json(), choice, "")
    past = Past("2-train", alike, Work(2_000, 6, 4), 30.0, 3 * 2**30)
    told = estimates(plan, 4_000, [past], tmp_path).of(step)
    cost = costs.trained(choice)
    assert cost is not None
    work = cost.seconds
    assert told["seconds"] == pytest.approx(30 * work(Work(4_000, 6, 4)) / work(past.size), abs=0.01)
    assert told["gigabytes"] == pytest.approx(0.25 + 2 * 2.75) and told["basis"] == "earlier runs"
    nearer = replace(past, size=Work(3_900, 6, 4), seconds=7.0)
    assert estimates(plan, 4_000, [past, nearer], tmp_path).of(step)["seconds"] == pytest.approx(7.0, rel=0.05)
    far = estimates(plan, 400_000, [past], tmp_path).of(step)
    assert far["basis"] == "constants", "a run of a hundredth of the rows tells less than constants do"
    other = estimates(plan, 4_000, [replace(past, alike="[]")], tmp_path).of(step)
    assert other["basis"] == "constants", "another method's run tells nothing"


def test_a_method_without_constants_is_unknown_until_it_has_run(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{type: builtin, name: iris}", "generator: {method: arnet}\n")
    choice = plan.choices[0]
    step = Step("2-train", choice=choice)
    assert estimates(plan, 4_000, [], tmp_path).of(step) == {"seconds": None, "gigabytes": None, "basis": None}
    past = Past("2-train", estimate._alike("2-train", plan.to_json(), choice, ""), Work(1_000, 6, 4), 30.0, 2**30)
    assert estimates(plan, 4_000, [past], tmp_path).of(step)["seconds"] == pytest.approx(120, rel=0.01)


def test_fewer_trees_and_limits_and_copies_count(tmp_path: Path) -> None:
    def seconds(stage: str, rest: str) -> float:
        plan = planned(tmp_path, "{type: builtin, name: iris}", rest)
        return float(estimates(plan, 200_000, [], tmp_path).of(Step(stage, choice=plan.choices[0]))["seconds"])

    assert seconds("2-train", "generator: {params: {trees: 1}}\n") < 0.5 * seconds("2-train", "")
    assert seconds("2-train", "generator: {limits: {minutes: 0.05}}\n") == 3.0
    assert seconds("3-generate", "generate: {copies: 3}\n") == pytest.approx(3 * seconds("3-generate", ""), rel=0.02)
    assert seconds("3-generate", "generate: {proper: true}\n") > seconds("2-train", "")


def test_steps_are_those_that_a_run_makes(spec: Path, tmp_path: Path) -> None:
    before = foreseen(spec, tmp_path / "artifacts", [])
    assert all(set(line) == KEYS and not line["cached"] and line["seconds"] > 0 for line in before["stages"])
    assert before["total"]["seconds"] == pytest.approx(sum(line["seconds"] for line in before["stages"]))
    assert before["reads"][0]["place"].endswith("people.csv") and before["reads"][0]["rows"] == 600
    version = execute(spec, root=tmp_path / "artifacts").version
    made = {p.parent.relative_to(version.folder).as_posix() for p in version.folder.rglob("stage.json")}
    judged = sum(1 for place in made if "/" not in place)
    assert judged == 5 and len({(line["stage"], line["detail"]) for line in before["stages"]}) == len(before["stages"])
    after = foreseen(spec, tmp_path / "artifacts", [])
    assert (
        all(line["cached"] and line["seconds"] is None for line in after["stages"]) and after["total"]["seconds"] == 0
    )
    again = foreseen(spec, tmp_path / "artifacts", ["seed=9"])
    assert {line["basis"] for line in again["stages"]} == {"earlier runs"}
    took = version.read("2-train", "fit.json")["seconds"]
    assert next(line for line in again["stages"] if line["stage"] == "2-train")["seconds"] == pytest.approx(
        took, rel=0.1, abs=0.02
    )


def test_loading_is_paid_once_by_the_first_stage_that_grows_trees(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{type: builtin, name: affairs}")
    made = estimates(plan, 1_000, [], tmp_path)
    found = estimate.steps(plan, 1_000)
    extra = [line["seconds"] - made.of(step)["seconds"] for line, step in zip(made.lines(found, ()), found)]
    assert extra == pytest.approx([0, costs.LOADING, 0, 0, 0, 0, 0])
    kept = made.lines(found, found[1].keys)
    assert [line["cached"] for line in kept] == [False, True, *[False] * 5]
    assert kept[3]["seconds"] - made.of(found[3])["seconds"] == pytest.approx(costs.LOADING)


@pytest.mark.parametrize(
    ("rows", "numbers", "codes", "took"),
    [
        (125, 13, 1, 0.5),
        (14_159, 12, 4, 5.2),
        (70_000, 7, 3, 18.1),
        (28_000, 17, 8, 29.5),
        (1_400, 40, 20, 6.5),
        (3_500, 4, 2, 1.0),
    ],
)
def test_constants_of_trees_are_within_a_factor_of_two_of_what_was_measured(
    rows: int, numbers: int, codes: int, took: float
) -> None:
    """took: CPU seconds of fits on built-in and simulated tables, without loading."""
    assert 0.5 <= costs.trees(6).seconds(Work(rows, numbers, codes)) / took <= 2


def test_a_race_is_judged_on_validation_and_once_on_the_holdout(tmp_path: Path) -> None:
    plan = planned(tmp_path, "{type: builtin, name: iris}", "generator: {candidates: [trees, independent]}\n")
    found = [(s.stage, s.detail) for s in estimate.steps(plan, 150)]
    for method in ("trees", "independent"):
        assert {("2-train", method), ("3-generate", method), ("4-evaluate", f"{method}, validation")} <= set(found)
    assert found[-2:] == [("4-evaluate", "the best"), ("5-privacy-check", "the best")] and len(found) == 11
    alone = planned(tmp_path, "{type: builtin, name: iris}", "refine: {max_rounds: 1}\n")
    assert len(estimate.steps(alone, 150)) == 5


def test_the_page_and_the_json_tell_the_same(spec: Path, synth: Any, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("def measure(evidence, params, *, rng):\n    return []\n")
    with spec.open("a") as file:
        file.write("generate: {rows: 50}\noutput: {format: csv, path: made.csv}\n")
    sets = ("--set", "evaluate.domain=own.py")
    told = synth("plan", spec, "--json", *sets).json
    assert [one["what"] for one in told["reads"]] == ["source", "evaluate.domain"]
    assert [(one["what"], one["rows"]) for one in told["writes"]] == [("run", None), ("output", 50)]
    assert next(line for line in told["stages"] if line["stage"] == "4-evaluate")["seconds"] is None, (
        "own metrics take what they take"
    )
    page = "".join(synth("plan", spec, *sets).out.split())  # a long path is folded
    for words in ("total ≈", "unknown", "constants", "people.csv", "600 rows", "made.csv", "50 rows", "own.py", "GiB"):
        assert words.replace(" ", "") in page
    assert not (tmp_path / "artifacts").exists()


def test_related_tables_are_estimated_from_the_heads_of_their_sources(tmp_path: Path) -> None:
    """The time grows with the rows of any table, and the total is unknown where nothing is known."""
    (tmp_path / "r.yaml").write_text(
        "source:\n  tables: {users: {path: users.csv}, orders: {path: orders.csv}}\n"
        "  relationships: [{from: orders.user, to: users.id}]\n"
    )

    def seconds(orders: int) -> float:
        rng = np.random.default_rng(0)
        users = pd.DataFrame({"id": [f"u{i}" for i in range(300)], "age": rng.integers(18, 90, 300)})
        users.to_csv(tmp_path / "users.csv", index=False)
        pd.DataFrame({"user": rng.choice(users["id"], orders), "paid": rng.normal(size=orders)}).to_csv(
            tmp_path / "orders.csv", index=False
        )
        found = foreseen(tmp_path / "r.yaml", tmp_path / "runs", [])
        assert all(line["seconds"] > 0 and line["basis"] == "constants" for line in found["stages"])
        return float(found["total"]["seconds"])

    assert 1 < seconds(500) < seconds(5_000) < 600
