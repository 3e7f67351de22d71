"""Coin sequences: how the loop reads, fits, generates, judges and delivers them."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from synthcli.coin.data import SCHEMA, Described, Fitted, Real, Sequences

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files
from synthcli.artifacts.store import DATA, MODEL
from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.evaluation import Evidence, Measurement, Usage
from synthcli.contracts.modality import Choice, Completion, Engine, Json, Origin, Size, Target
from synthcli.contracts.modelling import Job, Limits, Progress, Request
from synthcli.contracts.schema import Schema
from synthcli.errors import SpecError

COUNTS = "sequences"
BUILDS_ON: tuple[str, ...] = ()


def read(described: Described) -> Real:
    return Real(described)


def look(described: Described, profile: Json) -> Size:
    return Size(1, SCHEMA)


def work(records: int, schema: Schema) -> Work:
    return Work(records, 0, 1)


def cost(stage: str, choice: Choice | None, described: Described, request: Request, control: str) -> Cost | None:
    return None


def profile(real: Real, *, progress: Progress) -> Json:
    parts = {name: len(part) for name, part in real.parts.items()}
    return {"rows": real.source_rows, "schema": SCHEMA.to_json(), "parts": parts, "heads": round(real.train.heads, 3)}


def choose(records: int, schema: Schema, limits: Limits) -> Choice:
    return Choice("bernoulli", {}, "the only method", modality="coin")


def fit(real: Real, choice: Choice, request: Request, *, job: Job, bootstrap: np.random.Generator | None) -> Fitted:
    prior = plugins.method(choice.method, "coin").Params.model_validate(choice.params).prior
    flips = real.train.flips
    if bootstrap is not None:
        flips = tuple(flips[i] for i in bootstrap.integers(0, len(flips), len(flips)))
    every = "".join(flips)
    return Fitted((every.count("H") + prior) / (len(every) + 2 * prior), max(map(len, flips)), len(flips))


def load(choice: Choice, trained: Path) -> Fitted:
    return Fitted(**files.read_json(trained / MODEL / "coin.json"))


def _flip(fitted: Fitted, request: Request) -> list[str]:
    out: list[str] = []
    for block in range(request.blocks):
        rng = seeds.stream(request.seed, "generate", block)
        heads = rng.random((request.size(block), fitted.length)) < fitted.heads
        out += ["".join(row) for row in np.where(heads, "H", "T")]
    return out


def generate(fitted: Fitted, request: Request, folder: Path, *, engine: Engine, progress: Progress) -> Json:
    pq.write_table(pa.table({"flips": _flip(fitted, request)}), folder / DATA)
    return {"schema": SCHEMA.to_json()}


def evidence(real: Real, generated: Path, control: str, usage: Usage | None, request: Request) -> Evidence:
    synthetic = Sequences(tuple(pq.read_table(generated / DATA)["flips"].to_pylist()))
    return Evidence(SCHEMA, synthetic, real.train, real.part(control), usage=usage)


def measure(kind: str, names: Sequence[str], evidence: Evidence, *, seed: int, progress: Progress) -> list[Measurement]:
    modules = [(name, plugins.judge(kind, name, "coin")) for name in names]
    return [m for name, module in modules for m in module.measure(evidence, rng=seeds.stream(seed, kind, name))]


def pictures(evidence: Evidence, *, seed: int) -> Json:
    return {"heads": {"real": round(evidence.control.heads, 2), "synthetic": round(evidence.synthetic.heads, 2)}}


def deliver(generated: Path, target: Target, request: Request) -> Json:
    shutil.copyfile(generated / DATA, target.path)  # type: ignore[arg-type]
    return {"path": target.where}


def outputs(target: Target, request: Request) -> list[Target]:
    return [target]


def more(fitted: Fitted, request: Request, target: Target, origin: Origin, *, progress: Progress) -> Json:
    sources.write(iter([pd.DataFrame({"flips": _flip(fitted, request)})]), SCHEMA, target.path, "csv")
    return {"output": str(target.path)}


def complete(
    fitted: Fitted, known: Path, target: Path, origin: Origin, *, how: Completion, seed: int, progress: Progress
) -> Json:
    raise SpecError(f"{origin.name}: coins cannot be completed")


def preview(real: Real, choice: Choice, request: Request, *, most: int, job: Job) -> Mapping[str, pd.DataFrame]:
    fitted = fit(real, choice, request, job=job, bootstrap=None)
    return {"": pd.DataFrame({"flips": _flip(fitted, request)})}
