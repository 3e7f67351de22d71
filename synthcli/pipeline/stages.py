"""What each stage does in its folder: analyze, train, generate, evaluate, privacy-check."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import plugins, seeds
from synthcli.artifacts import files
from synthcli.artifacts.store import DATA, FIT, MEASURED, MODEL, PICTURES, PROFILE, RULES, SAMPLE, UNASKED
from synthcli.columns import frame as frames
from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.constraints.rule import Rule, without_examples
from synthcli.columns.expressions.compile import parse
from synthcli.columns.pii import protect
from synthcli.columns.table import Table
from synthcli.columns.transforms.transformer import Reshaper
from synthcli.contracts.evaluation import Evidence, Fairness, Measurement, Usage
from synthcli.contracts.modelling import BLOCK, Job, Model
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError
from synthcli.pipeline.events import Events
from synthcli.pipeline.likened import likened
from synthcli.pipeline.making import Making
from synthcli.pipeline.models import Shaped, load_model
from synthcli.pipeline.plan import Choice, Plan
from synthcli.pipeline.real import Real
from synthcli.pipeline.usage import metered
from synthcli.pipeline.wanted import Wanted, settle
from synthcli.pipeline.workers import Engine
from synthcli.tabular.pictures import pictures
from synthcli.tabular.profile import profile

UNASKED_ROWS = 50_000  # rows as a model makes them by itself, at most
JUDGED = 30 * BLOCK  # synthetic rows that metrics look at; larger tables are thinned by whole blocks


def analyze(folder: Path, plan: Plan, real: Real, events: Events) -> None:
    """profile.json: schema, distributions, dependencies and keys of the train part; what the constraints found in the
    source; sizes of the parts.
    """
    body: dict[str, Any] = {
        "rows": real.source_rows,
        "sampled": real.sampled,
        "schema": real.train.schema.to_json(),
        "constraints": without_examples(real.findings),
    }
    if plan.has_data:
        body["parts"] = {name: len(table) for name, table in real.parts.items()}
        body |= profile(real.train, progress=events.progress)
        body["personal"] = [one.to_json() for one in protect.found(real.train.schema, real.train.frame)]
    files.write_json(folder / PROFILE, body)


def train(folder: Path, plan: Plan, real: Real, choice: Choice, events: Events) -> None:
    """model/ and fit.json: seconds, peak memory, size, and the limit that stopped it, if one did."""
    module = plugins.ready(choice.method)
    params = module.Params.model_validate(choice.params)
    limits = plan.spec.generator.limits.build()
    target, scratch = files.make_folder(folder / MODEL), files.make_folder(folder / "scratch")
    job = Job(
        seeds.key(plan.spec.seed, "train") % 2**63,
        scratch,
        device(module.EXTRA),
        limits,
        events.progress,
        plan.spec.evaluate.target,
    )
    with metered(limits) as meter:
        shaper, learned = shaped(plan, real)
        try:
            model: Model = module.fit(learned, params, job=job)
        except (MemoryError, RecursionError) as error:
            raise FitError(
                f"{choice.method} ran out of {type(error).__name__.removesuffix('Error').lower()}; remedy:"
                " source.max_rows"
            ) from None
        if shaper is not None and (shaper.steps or shaper.clips):
            model = Shaped(model, shaper)
        model.save(target)
        files.write_json(
            target / RULES,
            [rule.to_json() for rule in (*real.constraints, *(shaper.bounds if shaper is not None else ()))],
        )
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
        "constraints": (
            [{"constraint": text, "holds_by": how, "why": shaper.why.get(text)} for text, how in shaper.how.items()]
            if shaper is not None
            else []
        ),
        "schema": real.train.schema.to_json(),
        "pickled": module.TRUSTED_LOAD,
        "warning": getattr(module, "WARNING", None),
    }
    files.write_json(folder / FIT, body)


def shaped(plan: Plan, real: Real) -> tuple[Reshaper | None, Table]:
    """How the rules are built in, and the rows to learn from: those that obey all of them, rewritten. None without
    rules or data.
    """
    rules, train = real.constraints, real.train
    if not rules or not plan.has_data:
        return None, train
    good = train.take(np.flatnonzero(~np.any([rule.violations(train.frame) for rule in rules], axis=0)))
    if not len(good):
        raise FitError(
            "constraints: no row of the train part obeys all of them; remedy: on_violation: drop, or a weaker"
            " constraint"
        )
    shaper = Reshaper.plan(rules, good.frame, good.schema, keep=kept(plan))
    return shaper, Table(shaper.forward(good.frame), shaper.schema) if shaper.steps else good


def kept(plan: Plan) -> frozenset[str]:
    """Columns that no rule may rewrite: those that something is asked of."""
    asked = plan.spec.generate
    fair = asked.fairness
    names = {
        plan.unit,
        plan.spec.evaluate.target,
        *(asked.balance or ()),
        *((fair.target, *fair.sensitive) if fair is not None else ()),
    }
    if asked.where is not None:
        names |= parse(asked.where).columns
    return frozenset(name for name in names if name is not None)


def device(extra: str | None) -> str:
    """cuda where a method of torch finds one, else cpu."""
    if extra is None or "torch" not in plugins.EXTRAS[extra]:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def generate(folder: Path, choice: Choice, trained: Path, plan: Plan, rows: int, events: Events) -> None:
    """data.parquet, streamed block by block, and sample.json: rows, seconds, what was asked, and how many rows were
    refused or repaired.

    Where conditions are asked, also unasked.parquet, rows as the model makes them by itself: what it is judged by where
    the real data has too few rows like those that were asked. trained: the folder of the train stage.
    """
    spec = plan.spec
    with metered() as meter:
        model = load_model(choice.method, trained / MODEL)
        rules = read_rules(trained)
        schema = Schema.from_json(files.read_json(trained / FIT)["schema"])
        wanted = settle(spec.generate, rows, model, schema, rules, spec.seed)
        making = Making(model, wanted, schema, choice.method, trained / MODEL, engine_of(plan))
        schema, tally = making.write(folder / DATA, "parquet", events), making.tally
    body = {
        "rows": rows,
        "seconds": round(meter.seconds, 3),
        "rows_per_second": round(rows / max(meter.seconds, 1e-6), 1),
        "peak_memory": meter.peak,
        "refused_by_constraints": sum(tally.refused.get(rule.text, 0) for rule in rules),
        "drawn": tally.drawn,
        "refused": tally.refused,
        "repaired": tally.repaired,
        "schema": schema.to_json(),
    }
    if wanted.where is not None or wanted.cells:
        body |= {"asked": making.report(), "wanted": wanted.to_json()}
        Making(model, Wanted(min(rows, UNASKED_ROWS), spec.seed, tuple(rules)), schema).write(
            folder / UNASKED, "parquet", Events()
        )
    files.write_json(folder / SAMPLE, body)


def engine_of(plan: Plan) -> Engine:
    """Where the spec says that rows are made."""
    asked = plan.spec.execution
    return Engine(asked.engine, asked.workers, asked.address)


def read_rules(trained: Path) -> list[Rule]:
    """The rules that a model's rows obey, with what they know of the source."""
    return [parse_rule(raw) for raw in files.read_json(trained / MODEL / RULES)]


def evidence(plan: Plan, real: Real, generated: Path, schema: Schema, control: str, usage: Usage | None) -> Evidence:
    """What judges look at. generated: the folder of the generate stage; control: validation or holdout.

    Where conditions were asked, real data like those that were asked; where there is too little of it, what the model
    makes by itself.
    """
    has, sample = plan.has_data, files.read_json(generated / SAMPLE)
    parts: dict[str, Any] = {
        "train": real.train if has else None,
        "control": real.part(control),
        "baseline": real.baseline(rng=_stream(plan, "baseline")) if has else None,
    }
    data = generated / DATA
    if "wanted" in sample and has:
        wanted = Wanted.from_json(sample["wanted"], schema)
        asked = {
            name: None if part is None else likened(part, wanted, rng=_stream(plan, "likened", name))
            for name, part in parts.items()
        }
        if all(asked[name] is not None for name, part in parts.items() if part is not None and name != "baseline"):
            parts = asked | {"baseline": asked["baseline"] or parts["baseline"]}
        else:
            data = generated / UNASKED
    seen = Table(read_synthetic(data, schema), schema)
    evaluate = plan.spec.evaluate
    return Evidence(
        schema=schema,
        synthetic=seen,
        **parts,
        target=evaluate.target,
        constraints=real.constraints,
        usage=usage,
        preserve=evaluate.preserve,
        fairness=_fairness(plan, real, generated, schema, control),
    )


def _fairness(plan: Plan, real: Real, generated: Path, schema: Schema, control: str) -> Fairness | None:
    """The real data as it is and all that was made, which is what a request of fairness is measured by."""
    asked = plan.spec.generate.fairness
    if asked is None:
        return None
    made, unasked = (Table(read_synthetic(generated / name, schema), schema) for name in (DATA, UNASKED))
    train = real.train if plan.has_data else None
    return Fairness(asked.target, asked.sensitive, made, train, real.part(control), unasked)


def _stream(plan: Plan, *names: str) -> np.random.Generator:
    return seeds.stream(plan.spec.seed, *names)


def read_synthetic(data: Path, schema: Schema) -> pd.DataFrame:
    """The synthetic table, thinned by whole row groups where it is larger than JUDGED."""
    with pq.ParquetFile(data) as file:
        groups = range(file.num_row_groups)
        step = max(1, -(-file.metadata.num_rows // JUDGED))
        return frames.to_frame(file.read_row_groups(list(groups)[::step]), schema)


Own = Callable[..., list[Measurement]]


def measure(
    folder: Path,
    kind: str,
    names: Sequence[str],
    seen: Evidence,
    control: str,
    seed: int,
    events: Events,
    *,
    own: Own | None = None,
) -> None:
    """measurements.json of metrics or attacks, against which part of the real data they were taken. own: the user's
    metrics, beside ours.
    """
    measured: list[Measurement] = []
    for i, name in enumerate(names):
        events.progress(kind, i, len(names), name)
        measured += plugins.judge(kind, name).measure(seen, rng=seeds.stream(seed, kind, name))
    if own is not None:
        events.progress(kind, len(names), len(names), "domain")
        measured += own(seen, rng=seeds.stream(seed, kind, "domain"))
    events.progress(kind, len(names), len(names))
    files.write_json(folder / MEASURED, {"control": control, "measurements": [m.to_json() for m in measured]})


def draw(folder: Path, seen: Evidence, seed: int) -> None:
    """pictures.json: what the report draws of both tables, without a value that stands for one person."""
    files.write_json(folder / PICTURES, pictures(seen, rng=seeds.stream(seed, "pictures")))


def read_measurements(folder: Path) -> list[Measurement]:
    """What `measure` wrote."""
    return [Measurement(**{**m, "value": m.get("value")}) for m in files.read_json(folder / MEASURED)["measurements"]]
