"""Related tables in the pipeline: what each stage does of them; the stages take what those of stages.py take."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files
from synthcli.artifacts.store import FIT, MODEL, PROFILE, SAMPLE
from synthcli.columns import frame as frames
from synthcli.columns.codec.top_coding import published
from synthcli.columns.constraints.rule import without_examples
from synthcli.columns.expressions.compile import parse
from synthcli.columns.frame import to_arrow
from synthcli.columns.pii import protect
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError, FitError
from synthcli.pipeline import related_asked
from synthcli.pipeline.events import Events
from synthcli.pipeline.plan import Choice, Plan
from synthcli.pipeline.related_judged import draw, evidence, measure, schemas_of
from synthcli.pipeline.related_real import RelatedReal, described
from synthcli.pipeline.usage import metered
from synthcli.relational.data import Base, Tables
from synthcli.relational.model import model as related_model
from synthcli.relational.model.rejection import Tally
from synthcli.relational.model.table_model import Sheet
from synthcli.relational.relationships import Relationship
from synthcli.sources import sql_write
from synthcli.tabular.profile import RARE_UNITS, profile

UNASKED_ROWS = 20_000  # units of tables as a model makes them by itself, at most
ENDINGS = {"csv": "csv", "parquet": "parquet", "jsonl": "jsonl", "excel": "xlsx"}
__all__ = ["RelatedReal", "analyze", "deliver", "described", "draw", "evidence", "generate", "measure", "train"]


def analyze(folder: Path, plan: Plan, real: RelatedReal, events: Events) -> None:
    """profile.json: a profile of each table's train part, the relationships, what the constraints found, sizes of the
    parts (in rows of the unit's table).
    """
    tables, units = real.train, real.train.units()
    each: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    for name, frame in tables.frames.items():
        table = Table(frame, tables.schemas[name])
        each[name] = {
            "rows": len(real.tables.frames[name]),
            "kept": name in tables.kept,
            "in_every_part": units[name] is None,
            "schema": table.schema.to_json(),
        }
        each[name] |= profile(table, units=units[name], progress=events.progress) if len(frame) else {}
        found += [{**one.to_json(), "column": f"{name}.{one.column}"} for one in protect.found(table.schema, frame)]
    body = {
        "rows": real.source_rows,
        "schema": tables.schema.to_json(),
        "constraints": without_examples(real.findings),
        "parts": {name: len(part) for name, part in real.parts.items()},
        "unit": list(tables.unit),
        "tables": each,
        "relationships": [_relationship(tables, r) for r in tables.relationships],
        "personal": found,
    }
    files.write_json(folder / PROFILE, body)


def _relationship(tables: Tables, r: Relationship) -> dict[str, Any]:
    at, children = tables.parents(r), tables.children(r)
    shown = published(children, tables.units()[r.parent], RARE_UNITS)
    quantiles = [int(q) for q in np.quantile(shown, [0, 0.25, 0.5, 0.75, 1], method="nearest")] if len(shown) else []
    nulls = float((at < 0).mean()) if len(at) else 0.0
    return {
        "name": r.name,
        "null_share": round(nulls, 6),
        "children": quantiles,
        "without_children": int((children == 0).sum()),
    }


def base_of(choice: Choice) -> Base:
    """The table method that related tables are made by."""
    return Base(plugins.ready(choice.method), Table, dict(choice.params))


def train(folder: Path, plan: Plan, real: RelatedReal, choice: Choice, events: Events) -> None:
    """model/ and fit.json, as for one table."""
    limits = plan.spec.generator.limits.build()
    base, target, scratch = base_of(choice), files.make_folder(folder / MODEL), files.make_folder(folder / "scratch")
    job = Job(seeds.key(real.said.seed, "train") % 2**63, scratch, "cpu", limits, events.progress)
    with metered(limits) as meter:
        try:
            fitted = related_model.fit(real.train, base, job=job, rules=real.rules, keep=kept(plan, real))
        except MemoryError:
            raise FitError(f"{choice.method} ran out of memory; remedy: fewer rows") from None
        fitted.save(target)
    shutil.rmtree(scratch)
    body = {
        "method": choice.method,
        "params": choice.full(),
        "why": choice.why,
        "rows": len(real.train),
        "seconds": round(meter.seconds, 3),
        "peak_memory": meter.peak,
        "model_bytes": sum(p.stat().st_size for p in target.rglob("*") if p.is_file()),
        "limit": job.reached,
        "merged_rare": fitted.merged,
        "clipped": fitted.clipped,
        "device": "cpu",
        "constraints": [line for name, sheet in fitted.sheets.items() for line in held(name, sheet)],
        "schema": real.train.schema.to_json(),
        "tables": real.train.rows,
        "pickled": False,
        "warning": None,
    }
    files.write_json(folder / FIT, body)


def kept(plan: Plan, real: RelatedReal) -> dict[str, frozenset[str]]:
    """Columns by table that no rule may rewrite: those that something is asked of."""
    top, column = real.tables.unit
    asked = plan.spec.generate
    fair = () if asked.fairness is None else (asked.fairness.target, *asked.fairness.sensitive)
    names = {column, *(asked.balance or ()), *fair} | (set() if asked.where is None else parse(asked.where).columns)
    table, _, target = (real.said.target or "").partition(".")
    out = {top: frozenset(name for name in names if name is not None)}
    return out | {table: out.get(table, frozenset()) | {target}} if target else out


def held(name: str, sheet: Sheet) -> list[dict[str, Any]]:
    """What each rule of a table holds by."""
    if sheet.obeyed is None:
        return []
    why = sheet.obeyed.why
    return [
        {"table": name, "constraint": f"{name}: {text}", "holds_by": how, "why": why.get(text)}
        for text, how in sheet.obeyed.how.items()
    ]


def generate(folder: Path, choice: Choice, trained: Path, plan: Plan, rows: int, events: Events) -> None:
    """TABLE.parquet for each table, and sample.json. rows: of the privacy unit's table. trained: the folder of the
    train stage.

    Where conditions are asked, also TABLE.unasked.parquet, as the model makes tables by itself: see stages.generate.
    """
    with metered() as meter:
        tally, model = Tally(), related_model.load(trained / MODEL, base_of(choice))
        made, asked = related_asked.made(model, plan.spec.generate, rows, plan.spec.seed, tally, events)
        write(folder, made, "", events)
    total = sum(made.rows.values())
    body = {
        "rows": rows,
        "seconds": round(meter.seconds, 3),
        "rows_per_second": round(total / max(meter.seconds, 1e-6), 1),
        "peak_memory": meter.peak,
        "refused_by_constraints": sum(n for text, n in tally.refused.items() if text in _texts(model)),
        "drawn": total + sum(tally.refused.values()),
        "refused": tally.refused,
        "repaired": tally.repaired,
        "dropped": tally.dropped,
        "schema": made.schema.to_json(),
        "tables": made.rows,
        "schemas": {name: schema.to_json() for name, schema in made.schemas.items()},
        **asked,
    }
    if asked:
        write(
            folder,
            model.sample(min(rows, UNASKED_ROWS), rng=seeds.stream(plan.spec.seed, "unasked")),
            ".unasked",
            Events(),
        )
    files.write_json(folder / SAMPLE, body)


def _texts(model: related_model.Related) -> set[str]:
    """The rules of all tables, as they are counted."""
    return {
        f"{name}: {rule.text}"
        for name, sheet in model.sheets.items()
        if sheet.obeyed is not None
        for rule in sheet.obeyed.rules
    }


def write(folder: Path, tables: Tables, mark: str, events: Events) -> None:
    """TABLE.parquet of each table, with a mark behind its name."""
    for i, (name, frame) in enumerate(tables.frames.items()):
        events.progress("tables", i, len(tables.frames), name)
        pq.write_table(to_arrow(frame, tables.schemas[name]), folder / f"{name}{mark}.parquet")


def deliver_sql(generated: Path, target: sources.Target) -> dict[str, int]:
    """All tables into a database, parents before children, in the place of those of their names; the rows of each."""
    schemas = schemas_of(generated)
    return sql_write.write_all(
        {name: (_chunks(generated, name, schema), schema) for name, schema in schemas.items()}, target
    )


def _chunks(generated: Path, name: str, schema: Schema) -> Iterator[pd.DataFrame]:
    """A table that `generate` wrote, piece by piece."""
    with pq.ParquetFile(generated / f"{name}.parquet") as file:
        for i in range(file.num_row_groups):
            yield frames.to_frame(file.read_row_group(i), schema)


def deliver(generated: Path, target: Path, format_: str) -> dict[str, str]:
    """A folder with a file for each table, which takes the place of the one before it when it is whole; the hash of
    each file.

    Raises DataError where the folder holds anything else than such files.
    """
    schemas = schemas_of(generated)
    names = {name: f"{name}.{ENDINGS[format_]}" for name in schemas}
    if target.exists() and (others := sorted(p.name for p in target.iterdir() if p.is_dir() or p.stem not in schemas)):
        raise DataError(
            f"{target}: holds {others[0]}, which is none of the tables, and would be removed; remedy: a folder of its"
            " own for output.path"
        )
    fresh, old = (target.with_name(f".{target.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    fresh.mkdir(mode=0o700)
    try:
        for name, schema in schemas.items():
            sources.write(_chunks(generated, name, schema), schema, fresh / names[name], format_)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists():  # what was there stays there
            old.rename(target)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return {name: files.sha256(target / file) for name, file in names.items()}
