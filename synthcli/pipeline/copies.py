"""Several independent data sets from one run: data-1.parquet, data-2.parquet … beside data.parquet, which is the first
of them.

Each has streams of its own. By default all come from the one fitted model; `proper: true` fits the generator anew for
each, to a bootstrap of the privacy units, which stands for a draw of its parameters from their posterior (Raghunathan,
Reiter & Rubin 2003 ask for that; Nowok, Raab & Dibben 2016 call it proper synthesis). synthcli.combine puts together
what analyses of them say.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files, store
from synthcli.artifacts.store import FIT, MODEL, RULES, SAMPLE
from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.modelling import Job, Model
from synthcli.contracts.schema import Schema
from synthcli.pipeline import stages
from synthcli.pipeline.events import Events
from synthcli.pipeline.making import Making
from synthcli.pipeline.models import Shaped, load_model
from synthcli.pipeline.plan import Choice, Plan
from synthcli.pipeline.real import Real
from synthcli.pipeline.wanted import settle
from synthcli.sources import Target


def numbered(path: Path, copy: int) -> Path:
    """Where a copy of an output goes: people.csv.gz is people-2.csv.gz."""
    stem, dot, endings = path.name.partition(".")
    return path.with_name(f"{stem}-{copy}{dot}{endings}")


def generate(folder: Path, choice: Choice, trained: Path, plan: Plan, real: Real, rows: int, events: Events) -> None:
    """What stages.generate makes, once for each copy; the first is what judges of quality look at."""
    asked = plan.spec.generate
    if asked.copies == 1 and not asked.proper:
        stages.generate(folder, choice, trained, plan, rows, events)
        return
    for copy in range(1, asked.copies + 1):
        events.progress("copies", copy - 1, asked.copies)
        scratch = folder / store.SCRATCH
        source = (
            _refitted(files.make_folder(scratch), choice, trained, plan, real, copy, events)
            if asked.proper
            else trained
        )
        if copy == 1:
            stages.generate(folder, choice, source, plan, rows, events)
            os.link(folder / store.DATA, folder / store.copy_file(1))
        else:
            _more(folder / store.copy_file(copy), choice, source, plan, rows, _seed(plan, copy), events)
        shutil.rmtree(scratch, ignore_errors=True)
    events.progress("copies", asked.copies, asked.copies)


def _seed(plan: Plan, copy: int) -> int:
    return plan.spec.seed if copy == 1 else seeds.key(plan.spec.seed, "copy", copy) % 2**63


def _more(target: Path, choice: Choice, trained: Path, plan: Plan, rows: int, seed: int, events: Events) -> None:
    """One further copy, by the same rules and requests, from streams of its own."""
    model, rules = load_model(choice.method, trained / MODEL), stages.read_rules(trained)
    schema = Schema.from_json(files.read_json(trained / FIT)["schema"])
    wanted = settle(plan.spec.generate, rows, model, schema, rules, seed)
    Making(model, wanted, schema, choice.method, trained / MODEL, stages.engine_of(plan)).write(
        target, "parquet", events
    )


def _refitted(folder: Path, choice: Choice, trained: Path, plan: Plan, real: Real, copy: int, events: Events) -> Path:
    """A train stage of the generator fitted to a bootstrap of the units."""
    module = plugins.ready(choice.method)
    seed = seeds.key(plan.spec.seed, "proper", copy) % 2**63
    shaper, learned = stages.shaped(plan, real)
    again = learned.take(resampled(learned, rng=seeds.stream(seed, "units")))
    scratch = files.make_folder(folder / store.WORK)
    limits, device = plan.spec.generator.limits.build(), stages.device(module.EXTRA)
    job = Job(seed, scratch, device, limits, events.progress, plan.spec.evaluate.target)
    model: Model = module.fit(again, module.Params.model_validate(choice.params), job=job)
    if shaper is not None and (shaper.steps or shaper.clips):
        model = Shaped(model, shaper)
    target = files.make_folder(folder / MODEL)
    model.save(target)
    shutil.copyfile(trained / MODEL / RULES, target / RULES)
    shutil.copyfile(trained / FIT, folder / FIT)
    return folder


def resampled(table: Table, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of a bootstrap of the privacy units: all rows of a unit as often as it is drawn. (rows,)"""
    units = table.units()
    count = int(units.max()) + 1
    times = rng.multinomial(count, np.full(count, 1 / count))
    return np.repeat(np.arange(len(units)), times[units])


def together(seen: Evidence, generated: Path, copies: int) -> Evidence:
    """The evidence of an attacker, who sees all copies at once; at most as many rows as judges look at."""
    if copies == 1 or not (generated / store.copy_file(1)).exists():
        return seen
    schema, most = seen.schema, stages.JUDGED // copies + 1
    others: list[Any] = [stages.read_synthetic(generated / store.copy_file(i), schema) for i in range(2, copies + 1)]
    whole = pd.concat([seen.synthetic.frame.iloc[:most], *(other.iloc[:most] for other in others)], ignore_index=True)
    return replace(seen, synthetic=Table(whole, schema))


def targets(target: Target, copies: int) -> list[tuple[str, Target]]:
    """Each table of the generate stage with where it goes: one, or people-1.csv, people-2.csv … (tables of a database:
    people_1 …).
    """
    if copies == 1:
        return [(store.DATA, target)]
    return [(store.copy_file(i), _target(target, i)) for i in range(1, copies + 1)]


def _target(target: Target, copy: int) -> Target:
    if target.table is not None:
        return replace(target, table=f"{target.table}_{copy}")
    assert target.path is not None  # the spec was checked
    if isinstance(target.path, Path):
        return replace(target, path=numbered(target.path, copy))
    front, slash, name = target.path.rpartition("/")
    return replace(target, path=f"{front}{slash}{numbered(Path(name), copy)}")


def deliver(generated: Path, target: Target, name: str = store.DATA) -> None:
    """A generated table where it goes, streamed, seen there only when whole. name: of the table in the generate
    stage.
    """
    schema = Schema.from_json(files.read_json(generated / SAMPLE)["schema"])
    with pq.ParquetFile(generated / name) as file:
        chunks = (frames.to_frame(file.read_row_group(i), schema) for i in range(file.num_row_groups))
        sources.deliver(chunks, schema, target)
