"""synthcli beside what a user would pick instead: every engine learns the same file, and one judge looks at all of
them.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds, sources
from synthcli.contracts.schema import Schema
from tests.benchmarks.harness import judging, processes, tables
from tests.benchmarks.harness.document import Section, figure, grid, machine

TITLE = "Compared with other generators"
RUNNER = Path(__file__).parent / "engines" / "run.py"
HEAD = (
    "table",
    "generator",
    "shapes",
    "trends",
    "detection",
    "utility",
    "membership",
    "DCR share",
    "copies",
    "fit s",
    "rows/s",
    "peak MB",
)
ABOUT = (
    "Every generator learns the same rows, generates the same number of rows, and is judged by synthcli's metrics and"
    " attacks against unseen rows. Shapes, trends and utility are best at 1; detection, membership and DCR share at .5;"
    " copies at 0 or below. (real): the figures of unseen real rows in place of the synthetic rows. fit s and rows/s do"
    " not include the start of the interpreter; peak MB is the resident memory of the whole process and its children,"
    " including packages."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this bench."""
    parser.add_argument(
        "--data", type=Path, help="a folder of csv, csv.gz or parquet tables, besides the built-in ones"
    )
    parser.add_argument(
        "--tables",
        default=None,
        help="which tables, by name; default: rand_health, affairs and breast_cancer, or all of --data",
    )
    parser.add_argument("--methods", default="trees,arnet,independent", help="methods of synthcli")
    parser.add_argument(
        "--engines", default="", help="NAME=/path/to/python ...: other generators and the interpreters that have them"
    )
    parser.add_argument("--no-sdv", action="store_true", help="leave out sdv where this interpreter has it")
    parser.add_argument("--epochs", type=int, help="epochs for every network; default: each generator's own")
    parser.add_argument(
        "--minutes",
        type=float,
        default=30.0,
        help="a generator that takes longer on a table is stopped, and said to be",
    )
    parser.add_argument("--rows", type=int, help="rows to learn, at most")
    parser.add_argument(
        "--judge", type=Path, help="another judge: JUDGE TRAIN UNSEEN SYNTHETIC [--target COLUMN] prints a JSON object"
    )
    parser.add_argument("--seed", type=int, default=0)


@dataclass(frozen=True)
class Engine:
    """Something that makes rows. python: the interpreter that has it."""

    name: str
    variant: str
    python: str

    @property
    def shown(self) -> str:
        return f"{self.name} {self.variant}"


@dataclass(frozen=True)
class Files:
    """Where a table's parts stand, for engines that know nothing of synthcli."""

    train: Path
    unseen: Path


def run(asked: argparse.Namespace) -> list[Section]:
    """All engines on all tables."""
    lines: list[list[str]] = []
    notes: list[str] = []
    others: list[dict[str, Any]] = []
    versions: dict[str, str] = {}
    found = list(engines(asked, versions))
    with tempfile.TemporaryDirectory() as scratch:
        for number, pair in enumerate(pairs(asked)):
            place = Path(scratch) / str(number)
            place.mkdir()
            files = lay(pair, place)
            judged = [one(engine, pair, files, place / str(i), asked, notes, others) for i, engine in enumerate(found)]
            floors = [floor for _, floor in filter(None, judged)]
            real: judging.Figures = {name: judging.mean([floor[name] for floor in floors]) for name in judging.FIGURES}
            lines += [cells for cells, _ in filter(None, judged)]
            if floors:
                lines.append([pair.name, "(real)", *(figure(real[name]) for name in judging.FIGURES), "", "", ""])
    epochs = (
        "each generator's own number of epochs" if asked.epochs is None else f"{asked.epochs} epochs for every network"
    )
    about = f"{ABOUT}\n\n{machine()}; {', '.join(f'{k} {v}' for k, v in versions.items())}; {epochs}."
    sections = [Section(TITLE, about, grid(HEAD, lines), "\n".join(f"- {note}" for note in notes))]
    return [*sections, *([outside(asked.judge, others)] if others else [])]


def pairs(asked: argparse.Namespace) -> list[tables.Pair]:
    """The tables that were asked for, no larger than asked."""
    names = asked.tables.split(",") if asked.tables else None
    found = tables.folder(asked.data, asked.seed) if asked.data is not None else []
    if names is not None:
        mine = {pair.name for pair in found}
        found = [pair for pair in found if pair.name in names] + [
            tables.small(name, asked.seed) for name in names if name not in mine
        ]
    elif asked.data is None:
        found = [tables.built_in(name, asked.seed) for name in ("rand_health", "affairs", "breast_cancer")]
    cut = lambda table, what, pair: tables.few(table, asked.rows, rng=seeds.stream(asked.seed, what, pair.name))  # noqa: E731
    return [tables.Pair(p.name, cut(p.train, "train", p), cut(p.unseen, "unseen", p), p.target) for p in found]


def engines(asked: argparse.Namespace, versions: dict[str, str]) -> list[Engine]:
    """Our methods, sdv where it is installed, and the engines that were named; notes their versions."""
    out = [Engine("synthcli", method, sys.executable) for method in asked.methods.split(",") if method]
    named = dict(part.split("=", 1) for part in asked.engines.replace(",", " ").split())
    if "sdv" not in named and not asked.no_sdv and importlib.util.find_spec("sdv") is not None:
        named = {"sdv": sys.executable, **named}
    for name, python in named.items():
        known = sorted(p.stem for p in RUNNER.parent.glob("*.py") if p != RUNNER)
        if name not in known:
            raise SystemExit(
                f"--engines {name}: there is no driver of that name in {RUNNER.parent}; known: {', '.join(known)}"
            )
        said = processes.run([python, "-I", str(RUNNER), name, "variants"])
        if said.code:
            raise SystemExit(f"--engines {name}={python}: {said.why}")
        about = json.loads(said.out)
        versions[name] = about["version"]
        out += [Engine(name, variant, python) for variant in about["variants"]]
    return out


def lay(pair: tables.Pair, place: Path) -> Files:
    """The parts as Parquet, in the types of the source."""
    files = Files(place / "train.parquet", place / "unseen.parquet")
    for table, path in ((pair.train, files.train), (pair.unseen, files.unseen)):
        sources.write(iter([table.frame]), table.schema, path, "parquet")
    return files


def one(
    engine: Engine,
    pair: tables.Pair,
    files: Files,
    place: Path,
    asked: argparse.Namespace,
    notes: list[str],
    others: list[dict[str, Any]],
) -> tuple[list[str], judging.Figures] | None:
    """The line of an engine on a table and the floors beside it; None, and a note, where it failed."""
    print(f"{pair.name}: {engine.shown}", file=sys.stderr, flush=True)
    place.mkdir()
    out = place / "made.parquet"
    task = task_of(engine, pair.train.schema, pair.target, files.train, out, len(pair.train), asked.seed, asked.epochs)
    try:
        took, ran = make(engine, task, place, asked.minutes)
        value, floor = judging.measure(pair, judging.conform(pd.read_parquet(out), pair.train.schema), asked.seed)
    except (Failed, ValueError) as error:
        notes.append(f"{engine.shown} gave nothing for {pair.name}: {error}")
        return None
    if asked.judge is not None:
        others.append(
            {
                "table": pair.name,
                "generator": engine.shown,
                **judging.outside(asked.judge, files.train, files.unseen, out, pair.target),
            }
        )
    speed = len(pair.train) / max(took["sample_seconds"], 1e-3)
    usage = [figure(took["fit_seconds"], 1), figure(speed, 0), figure(ran.peak / 2**20, 0)]
    return [pair.name, engine.shown, *(figure(value[name]) for name in judging.FIGURES), *usage], floor


class Failed(Exception):
    """An engine that gave no rows."""


def task_of(
    engine: Engine,
    schema: Schema,
    target: str | None,
    train: Path,
    out: Path,
    rows: int,
    seed: int,
    epochs: int | None = None,
) -> dict[str, Any]:
    """What run.py reads."""
    task = {
        "variant": engine.variant,
        "train": str(train),
        "out": str(out),
        "rows": rows,
        "target": target,
        "seed": seed,
    }
    return task | {"unit": schema.unit, "epochs": epochs}


def make(
    engine: Engine, task: dict[str, Any], place: Path, minutes: float | None
) -> tuple[dict[str, float], processes.Ran]:
    """Have an engine write its rows to the task's `out`: what it says that it took, and what was seen. Raises
    Failed.
    """
    (page := place / "task.json").write_text(json.dumps(task))
    ran = processes.run([engine.python, "-I", str(RUNNER), engine.name, str(page)], minutes=minutes)
    if ran.code != 0:
        raise Failed(ran.why)
    return json.loads(ran.out.strip().splitlines()[-1]), ran


def outside(judge: Path, others: list[dict[str, Any]]) -> Section:
    """The same rows before another judge."""
    names = [k for k in others[0] if k not in ("table", "generator")]
    rows = [[o["table"], o["generator"], *(_cell(o.get(name)) for name in names)] for o in others]
    return Section(
        "The same rows before another judge",
        f"`{judge.name}` on the files of the section above; its own names.",
        grid(("table", "generator", *names), rows),
    )


def _cell(value: Any) -> str:
    return figure(float(value)) if isinstance(value, int | float | np.number) else str(value or "")
