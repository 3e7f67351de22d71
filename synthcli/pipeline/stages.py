"""What each stage does in its folder: analyze, train, generate, evaluate, privacy-check."""

from __future__ import annotations

import itertools
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files
from synthcli.artifacts.store import DATA, FIT, MEASURED, MODEL, PROFILE, SAMPLE
from synthcli.columns import frame as frames
from synthcli.columns.constraints import Constraint
from synthcli.contracts import BLOCK, Evidence, Job, Measurement, Model, Request, Schema, Usage
from synthcli.errors import FitError, SynthError
from synthcli.pipeline.auto import choose
from synthcli.pipeline.events import Events
from synthcli.pipeline.plan import Choice, Plan
from synthcli.pipeline.real import Real
from synthcli.pipeline.usage import metered
from synthcli.tabular.data import Table
from synthcli.tabular.profile import profile

TRIES = 200  # blocks drawn, at most, for one block of rows that obey the constraints
JUDGED = 30 * BLOCK  # synthetic rows that metrics look at; larger tables are thinned by whole blocks


def analyze(folder: Path, plan: Plan, real: Real, events: Events) -> None:
    """profile.json: schema, distributions, dependencies, keys, what the constraints found, sizes of the parts."""
    body: dict[str, Any] = {"rows": real.source_rows, "schema": real.table.schema.to_json(), "constraints": real.findings}
    if plan.has_data:
        body["parts"] = {name: len(table) for name, table in real.parts.items()}
        body |= profile(real.table, progress=events.progress)
        body["auto"] = choose(len(real.table), real.table.schema)
    files.write_json(folder / PROFILE, body)


def train(folder: Path, plan: Plan, real: Real, choice: Choice, events: Events) -> None:
    """model/ and fit.json: seconds, peak memory, size, and the limit that stopped it, if one did."""
    module = plugins.ready(choice.method)
    params = module.Params.model_validate(choice.params)
    limits = plan.spec.generator.limits.build()
    target, scratch = files.make_folder(folder / MODEL), files.make_folder(folder / "scratch")
    job = Job(seeds.key(plan.spec.seed, "train") % 2**63, scratch, device(module.EXTRA), limits, events.progress, plan.spec.evaluate.target)
    with metered(limits) as meter:
        try:
            model = module.fit(real.train, params, job=job)
        except (MemoryError, RecursionError) as error:
            raise FitError(f"{choice.method} ran out of {type(error).__name__.removesuffix('Error').lower()}; remedy: source.max_rows") from None
        model.save(target)
    shutil.rmtree(scratch)
    size = sum(p.stat().st_size for p in target.rglob("*") if p.is_file())
    body = {
        "method": choice.method,
        "params": choice.full(),
        "why": choice.why,
        "rows": len(real.train),
        "seconds": round(meter.seconds, 3),
        "peak_memory": meter.peak,
        "model_bytes": size,
        "limit": job.reached,
        "merged_rare": model.merged,
        "clipped": model.clipped,
        "device": job.device,
        "pickled": module.TRUSTED_LOAD,
        "warning": getattr(module, "WARNING", None),
    }
    files.write_json(folder / FIT, body)


def device(extra: str | None) -> str:
    """cuda where a method of torch finds one, else cpu."""
    if extra is None or "torch" not in plugins.EXTRAS[extra]:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def generate(folder: Path, model: Model, rows: int, seed: int, constraints: Sequence[Constraint], events: Events) -> None:
    """data.parquet, streamed block by block, and sample.json: rows, seconds, and how many rows the constraints refused."""
    with metered() as meter:
        schema, refused = write_rows(model, rows, seed, constraints, folder / DATA, "parquet", events)
    body = {
        "rows": rows,
        "seconds": round(meter.seconds, 3),
        "rows_per_second": round(rows / max(meter.seconds, 1e-6), 1),
        "peak_memory": meter.peak,
        "refused_by_constraints": refused,
        "schema": schema.to_json(),
    }
    files.write_json(folder / SAMPLE, body)


def write_rows(
    model: Model, rows: int, seed: int, constraints: Sequence[Constraint], target: Path, format_: str, events: Events
) -> tuple[Schema, int]:
    """Stream rows of a model to a file; returns their schema, and how many rows the constraints refused on the way."""
    model.check(Request(rows))
    tally = Tally()
    tables = blocks(model, rows, seed, constraints, tally, events)
    first = next(tables)
    sources.write((table.frame for table in itertools.chain([first], tables)), first.schema, target, format_)
    return first.schema, tally.refused


class Tally:
    """Counts the rows that constraints refused."""

    def __init__(self) -> None:
        self.refused = 0


def blocks(model: Model, rows: int, seed: int, constraints: Sequence[Constraint], tally: Tally, events: Events) -> Iterator[Table]:
    """The rows in blocks of BLOCK; block i depends on (model, seed, i) alone. Rows that break a constraint are drawn anew."""
    request = Request(rows)
    for block in range(request.blocks):
        events.progress("rows", block * BLOCK, rows)
        yield _block(model, request, block, seed, constraints, tally)
    events.progress("rows", rows, rows)


def _block(model: Model, request: Request, block: int, seed: int, constraints: Sequence[Constraint], tally: Tally) -> Table:
    wanted, kept, have = request.size(block), [], 0
    spare = Request(request.blocks * BLOCK * (TRIES + 1))
    for attempt in range(TRIES):
        # a later attempt stands at positions of its own, so that made-up keys stay unique
        asked, place = (request, block) if attempt == 0 else (spare, block + attempt * request.blocks)
        table: Any = model.sample(asked, place, rng=seeds.stream(seed, "generate", block, attempt))
        if not constraints:
            return table
        broken = np.any([c.violations(table.frame) for c in constraints], axis=0)
        good = table.frame[~broken]
        tally.refused += int(broken.sum())
        kept.append(good)
        have += len(good)
        if have >= wanted:
            return Table(pd.concat(kept, ignore_index=True).iloc[:wanted], table.schema)
        if attempt == 4 and have == 0:
            break
    rules = "; ".join(c.text for c in constraints)
    raise FitError(
        f"constraints: only {have} of {wanted} rows could be made that obey: {rules}; remedy: a constraint that the source obeys, or another method"
    )


def evidence(plan: Plan, real: Real, data: Path, schema: Schema, control: str, usage: Usage | None) -> Evidence:
    """What judges look at. control: validation or holdout."""
    seen = Table(read_synthetic(data, schema), schema)
    has = plan.has_data
    return Evidence(
        schema=schema,
        synthetic=seen,
        train=real.train if has else None,
        control=real.part(control),
        baseline=real.baseline(rng=seeds.stream(plan.spec.seed, "baseline")) if has else None,
        target=plan.spec.evaluate.target,
        constraints=real.constraints,
        usage=usage,
    )


def read_synthetic(data: Path, schema: Schema) -> pd.DataFrame:
    """The synthetic table, thinned by whole row groups where it is larger than JUDGED."""
    with pq.ParquetFile(data) as file:
        groups = range(file.num_row_groups)
        step = max(1, -(-file.metadata.num_rows // JUDGED))
        return frames.to_frame(file.read_row_groups(list(groups)[::step]), schema)


def measure(folder: Path, kind: str, names: Sequence[str], seen: Evidence, control: str, seed: int, events: Events) -> None:
    """measurements.json of metrics or attacks, against which part of the real data they were taken."""
    measured: list[Measurement] = []
    for i, name in enumerate(names):
        events.progress(kind, i, len(names), name)
        measured += plugins.judge(kind, name).measure(seen, rng=seeds.stream(seed, kind, name))
    events.progress(kind, len(names), len(names))
    files.write_json(folder / MEASURED, {"control": control, "measurements": [m.to_json() for m in measured]})


def read_measurements(folder: Path) -> list[Measurement]:
    """What `measure` wrote."""
    return [Measurement(**{**m, "value": m.get("value")}) for m in files.read_json(folder / MEASURED)["measurements"]]


def load_model(method: str, folder: Path) -> Model:
    """A saved model. The caller has checked its hash where the method pickles."""
    module = plugins.ready(method)
    try:
        return module.load(folder)
    except (OSError, ValueError, KeyError) as error:
        raise SynthError(f"{folder}: the model cannot be read ({error}); remedy: run with --fresh") from None
