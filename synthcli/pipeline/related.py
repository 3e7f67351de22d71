"""Related tables in the pipeline: their sources, and what each stage does of them; the stages take what those of stages.py take."""

from __future__ import annotations

import inspect
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files
from synthcli.artifacts.store import FIT, MEASURED, MODEL, PICTURES, PROFILE, SAMPLE
from synthcli.columns import frame as frames
from synthcli.columns.constraints import Rule, check_source
from synthcli.columns.frame import to_arrow
from synthcli.columns.infer import infer
from synthcli.columns.rules import parse_rule
from synthcli.contracts import Column, Evidence, Job, Measurement, Schema, Traits, Usage
from synthcli.errors import DataError, FitError, SpecError, did_you_mean
from synthcli.pipeline.events import Events
from synthcli.pipeline.plan import Choice, Plan
from synthcli.pipeline.usage import metered
from synthcli.relational import model as related
from synthcli.relational.aspects import UNIT
from synthcli.relational.data import Base, Tables
from synthcli.relational.judging import key_columns
from synthcli.relational.relationships import Relationship, root
from synthcli.spec import check_places
from synthcli.spec.load import Loaded
from synthcli.tabular.data import Table
from synthcli.tabular.metrics import trends
from synthcli.tabular.pictures import pictures
from synthcli.tabular.profile import profile

FLOOR = "relational"
ENDINGS = {"csv": "csv", "parquet": "parquet", "jsonl": "jsonl", "excel": "xlsx"}


@dataclass(frozen=True)
class Described:
    """What a spec says of related tables. sources: by table; traits, rules: by table; kept: given out as they are; unit: table.column, or
    a table for its rows; parts: fractions by name; target: table.column."""

    sources: Mapping[str, sources.Source]
    relationships: tuple[Relationship, ...]
    traits: Mapping[str, Mapping[str, Traits]] = field(default_factory=dict)
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    unit: str | None = None
    parts: Mapping[str, float] = field(default_factory=lambda: {"train": 0.7, "validation": 0.1, "holdout": 0.2})
    stratify_by: str | None = None
    target: str | None = None
    seed: int = 0


def by_table(keyed: Mapping[str, Any], tables: Sequence[str], where: str) -> dict[str, dict[str, Any]]:
    """Values keyed table.column, as table -> column -> value. Raises SpecError for a key that names no table."""
    out: dict[str, dict[str, Any]] = {name: {} for name in tables}
    for key, value in keyed.items():
        table, dot, column = key.partition(".")
        if table not in out or not dot:
            raise SpecError(f"{where}.{key}: expected table.column.{did_you_mean(table, tables)} Tables: {', '.join(tables)}")
        out[table][column] = value
    return out


def described(plan: Plan) -> Described:
    """What a plan's spec says of related tables. Raises SpecError."""
    spec, loaded = plan.spec, plan.loaded
    tables, split = spec.source.tables or {}, spec.source.split
    rules: dict[str, tuple[Rule, ...]] = {}
    for i, raw in enumerate(spec.constraints):
        if not isinstance(raw, Mapping) or raw.get("table") not in tables:
            why = f"names none of the tables; say {{table: NAME, expr: …}}. Tables: {', '.join(tables)}"
            raise loaded.fail([(("constraints", i), why)])
        table = str(raw["table"])
        rules[table] = (*rules.get(table, ()), parse_rule({k: v for k, v in raw.items() if k != "table"}))
    return Described(
        sources={name: source_of(plan.loaded, name, each) for name, each in tables.items()},
        relationships=tuple(Relationship.parse(r.from_, r.to, r.on_orphans) for r in spec.source.relationships),
        traits=by_table(spec.columns, list(tables), "columns"),
        rules=rules,
        kept=frozenset(name for name, each in tables.items() if each.keep),
        unit=spec.privacy_unit,
        parts={"train": 1 - split.validation - split.holdout, "validation": split.validation, "holdout": split.holdout},
        stratify_by=split.stratify_by,
        target=spec.evaluate.target,
        seed=spec.seed,
    )


def source_of(loaded: Loaded, name: str, each: Any) -> sources.Source:
    """The source of one of the tables. each: its part of the spec."""
    return sources.Source(each.type or check_places.format_of(each.path) or "csv", path=loaded.place(each.path, "source", "tables", name, "path"))


class RelatedReal:
    """train, validation and holdout of related tables: read once, when the first stage that is not cached asks for them."""

    def __init__(self, said: Described) -> None:
        self.said = said

    @cached_property
    def _checked(self) -> tuple[Tables, dict[str, int], dict[str, list[dict[str, Any]]]]:
        """The tables whose keys are sound, the rows that orphans cost, and what the constraints found."""
        said, tables, schemas, findings = self.said, {}, {}, {}
        for name in said.sources:
            schemas[name], frame = self._read(name)
            tables[name], findings[name] = check_source(frame, said.rules.get(name, ()))
        table, _, column = (said.unit or root(list(tables), said.relationships)).partition(".")
        whole = Tables(tables, schemas, said.relationships, unit=(table, column or None), kept=said.kept)
        checked, dropped = whole.checked()
        return checked, dropped, findings

    def _read(self, name: str) -> tuple[Schema, pd.DataFrame]:
        """A table; its keys are ids unless the spec says more of them."""
        source, traits = self.said.sources[name], dict(self.said.traits.get(name, {}))
        arrow = sources.read(source)
        if unknown := [c for c in traits if c not in arrow.column_names]:
            raise SpecError(f"columns.{name}.{unknown[0]}: table {name} has no such column.{did_you_mean(unknown[0], arrow.column_names)}")
        for key in self._keys(name):
            if key in arrow.column_names and traits.get(key, Traits()).type is None:
                traits[key] = traits.get(key, Traits()).model_copy(update={"type": "id"})
        schema, frame = infer(arrow, traits, text=sources.spelled(source))
        if name == (self.said.unit or "").partition(".")[0] and not len(frame):
            raise DataError(f"{source.where}: has columns and no rows; remedy: a source with data")
        return schema, frame

    def _keys(self, name: str) -> set[str]:
        """Keys of one column, whichever end they are; of a key of several columns what a row refers by, and no more than that, is an id."""
        single = (r for r in self.said.relationships if len(r.keys) == 1)
        return {c for r in single for t, cs in ((r.child, r.columns), (r.parent, r.keys)) if t == name for c in cs}

    @property
    def tables(self) -> Tables:
        return self._checked[0]

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the constraints found in each table, and how many rows went because they were orphans."""
        found = [{"table": name, **finding} for name, some in self._checked[2].items() for finding in some]
        lost = [{"constraint": r, "violations": n, "action": "drop"} for r, n in self._checked[1].items() if n]
        return [*found, *lost]

    @property
    def source_rows(self) -> int:
        """Rows of the privacy unit's table."""
        return len(self.tables)

    @cached_property
    def parts(self) -> dict[str, Tables]:
        fractions = {name: share for name, share in self.said.parts.items() if share > 0}
        return self.tables.split(fractions, rng=seeds.stream(self.said.seed, "split"), stratify_by=self.said.stratify_by)

    @property
    def train(self) -> Tables:
        return self.parts["train"]

    def part(self, name: str) -> Tables | None:
        """validation or holdout, None where there is none."""
        return self.parts.get(name)


def analyze(folder: Path, plan: Plan, real: RelatedReal, events: Events) -> None:
    """profile.json: a profile of each table, the relationships, what the constraints found, sizes of the parts (in rows of the unit's table)."""
    tables, units = real.tables, real.tables.units()
    each = {}
    for name, frame in tables.frames.items():
        table = Table(frame, tables.schemas[name])
        each[name] = {"rows": len(frame), "kept": name in tables.kept, "in_every_part": units[name] is None, "schema": table.schema.to_json()}
        each[name] |= profile(table, progress=events.progress) if len(frame) else {}
    body = {
        "rows": real.source_rows,
        "schema": tables.schema.to_json(),
        "constraints": real.findings,
        "parts": {name: len(part) for name, part in real.parts.items()},
        "unit": list(tables.unit),
        "tables": each,
        "relationships": [_relationship(tables, r) for r in tables.relationships],
    }
    files.write_json(folder / PROFILE, body)


def _relationship(tables: Tables, r: Relationship) -> dict[str, Any]:
    at, children = tables.parents(r), tables.children(r)
    quantiles = [int(q) for q in np.quantile(children, [0, 0.25, 0.5, 0.75, 1], method="nearest")] if len(children) else []
    nulls = float((at < 0).mean()) if len(at) else 0.0
    return {"name": r.name, "null_share": round(nulls, 6), "children": quantiles, "without_children": int((children == 0).sum())}


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
            fitted = related.fit(real.train, base, job=job)
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
        "constraints": [],
        "schema": real.train.schema.to_json(),
        "tables": real.train.rows,
        "pickled": False,
        "warning": None,
    }
    files.write_json(folder / FIT, body)


def generate(folder: Path, choice: Choice, trained: Path, plan: Plan, rows: int, events: Events) -> None:
    """TABLE.parquet for each table, and sample.json. rows: of the privacy unit's table. trained: the folder of the train stage."""
    with metered() as meter:
        made = related.load(trained / MODEL, base_of(choice)).sample(rows, rng=seeds.stream(plan.spec.seed, "generate"))
        for i, (name, frame) in enumerate(made.frames.items()):
            events.progress("tables", i, len(made.frames), name)
            pq.write_table(to_arrow(frame, made.schemas[name]), folder / f"{name}.parquet")
    total = sum(made.rows.values())
    body = {
        "rows": rows,
        "seconds": round(meter.seconds, 3),
        "rows_per_second": round(total / max(meter.seconds, 1e-6), 1),
        "peak_memory": meter.peak,
        "refused_by_constraints": 0,
        "drawn": total,
        "refused": {},
        "repaired": {},
        "schema": made.schema.to_json(),
        "tables": made.rows,
        "schemas": {name: schema.to_json() for name, schema in made.schemas.items()},
    }
    files.write_json(folder / SAMPLE, body)


def read_tables(generated: Path, like: Tables) -> Tables:
    """What `generate` wrote."""
    schemas = {name: Schema.from_json(body) for name, body in files.read_json(generated / SAMPLE)["schemas"].items()}
    return Tables(
        {name: frames.to_frame(pq.read_table(generated / f"{name}.parquet"), schema) for name, schema in schemas.items()},
        schemas, like.relationships, unit=like.unit, kept=like.kept,
    )  # fmt: skip


@dataclass(frozen=True)
class Seen(Evidence):
    """Tables in place of a table; tables: what the judges of one table look at, for each of those that have unseen rows."""

    tables: Mapping[str, Evidence] = field(default_factory=dict)


def evidence(plan: Plan, real: RelatedReal, generated: Path, schema: Schema, control: str, usage: Usage | None) -> Seen:
    """What judges look at. schema: of the privacy unit's table; control: validation or holdout."""
    seen = Evidence(schema, read_tables(generated, real.tables), real.train, real.part(control), target=real.said.target, usage=usage)
    return Seen(**seen.__dict__, tables=_tables(seen, real))


def draw(folder: Path, seen: Seen, seed: int) -> None:
    """pictures.json: of the first table that has unseen rows."""
    first = next(iter(seen.tables.values()), None)
    files.write_json(folder / PICTURES, {} if first is None else pictures(first, rng=seeds.stream(seed, "pictures")))


def measure(folder: Path, kind: str, names: Sequence[str], seen: Seen, control: str, seed: int, events: Events, own: Any = None) -> None:
    """measurements.json: those of the table floor of each table and over all (a mean; of attacks the worst), then those of relationships."""
    measured: list[Measurement] = []
    for i, name in enumerate(names):
        events.progress(kind, i, len(names), name)
        module = plugins.judge(kind, name)
        if name == "technical":
            measured += module.measure(seen, rng=seeds.stream(seed, kind, name))
            continue
        each = {table: module.measure(one, rng=seeds.stream(seed, kind, name, table)) for table, one in seen.tables.items()}
        measured += over_tables(each, _worst if kind == "attacks" else _mean)
    for name in plugins.names(kind, FLOOR):
        module = plugins.judge(kind, name, FLOOR)
        measured += module.measure(seen, rng=seeds.stream(seed, kind, name), **handed(module))
    events.progress(kind, len(names), len(names))
    files.write_json(folder / MEASURED, {"control": control, "measurements": [m.to_json() for m in measured]})


def handed(module: ModuleType) -> dict[str, Any]:
    """What a judge of relationships takes of the table floor."""
    return {"trend": trends.measure, "table": Table} if "trend" in inspect.signature(module.measure).parameters else {}


def _tables(seen: Evidence, real: RelatedReal) -> dict[str, Evidence]:
    """The evidence of each table whose rows are of privacy units, the unit a column of its own; what is kept or shared has no unseen rows."""
    sides: dict[str, Tables | None] = {"synthetic": seen.synthetic, "train": seen.train, "control": seen.control}
    units = {side: tables.units() for side, tables in sides.items() if tables is not None}
    rng = seeds.stream(real.said.seed, "baseline")
    out = {}
    for name, schema in real.tables.schemas.items():
        if units["train"][name] is None:
            continue
        if not any(c.kind in frames.MODELLED for c in schema.columns):
            continue
        keys = key_columns(real.tables, name)
        columns = (replace(c, declared=c.declared.model_copy(update={"type": "id"})) if c.name in keys else c for c in schema.columns)
        wide = Schema((*columns, Column(UNIT, Traits(type="id"), Traits(), "int64")), UNIT)
        cut = {side: _with_unit(tables, name, units[side][name], wide) for side, tables in sides.items() if tables is not None}
        rows = cut["train"].frame
        shuffled = Table(pd.DataFrame({c: rows[c].take(rng.permutation(len(rows))).reset_index(drop=True) for c in rows}), wide)
        target = (real.said.target or "").partition(".")
        mine = target[2] if target[0] == name else None
        rules = tuple(rule.learn(rows) for rule in real.said.rules.get(name, ()))
        out[name] = replace(
            seen,
            schema=wide,
            synthetic=cut["synthetic"],
            train=cut["train"],
            control=cut.get("control"),
            baseline=shuffled,
            target=mine,
            constraints=rules,
            usage=None,
        )
    return out


def _with_unit(tables: Tables, name: str, units: np.ndarray | None, schema: Schema) -> Table:
    codes = np.arange(len(tables.frames[name])) if units is None else units
    return Table(tables.frames[name].assign(**{UNIT: pd.array(codes, dtype="Int64")}), schema)


def over_tables(each: Mapping[str, Sequence[Measurement]], combine: Callable[[list[Measurement]], Measurement]) -> list[Measurement]:
    """Overall figures of the tables as one, then each table's (scope table), then the finer ones under their table's name."""
    overall: dict[str, list[Measurement]] = {}
    finer = []
    for table, some in each.items():
        for m in some:
            if m.scope == "overall":
                overall.setdefault(m.name, []).append(replace(m, scope="table", of=table))
            else:
                finer.append(replace(m, of=f"{table}: {m.of}"))
    return [*(combine(some) for some in overall.values()), *(m for some in overall.values() for m in some), *finer]


def _mean(some: list[Measurement]) -> Measurement:
    """The mean over tables; its interval takes them for wholly dependent, so it is never too narrow."""
    known = [m for m in some if m.value is not None]
    if not known:
        return replace(some[0], scope="overall", of=None)
    keys = ("value", "low", "high", "floor", "baseline", "control")
    values = {key: [getattr(m, key) for m in known] for key in keys}
    means: dict[str, Any] = {key: None if any(v is None for v in column) else float(np.mean(column)) for key, column in values.items()}
    return replace(known[0], scope="overall", of=None, n=sum(m.n or 0 for m in known), note="", **means)


def _worst(some: list[Measurement]) -> Measurement:
    """The table that an attack is best at."""
    known = [m for m in some if m.value is not None]
    if not known:
        return replace(some[0], scope="overall", of=None)
    badness = {"lower": lambda m: m.value, "higher": lambda m: -m.value, "half": lambda m: m.value}  # above a half is where an attack works
    worst = max(known, key=lambda m: badness[m.better](m))
    return replace(worst, scope="overall", of=None, note=f"table {worst.of}, the worst")


def deliver(generated: Path, target: Path, format_: str) -> dict[str, str]:
    """A folder with a file for each table, which takes the place of the one before it when it is whole; the hash of each file.

    Raises DataError where the folder holds anything else than such files.
    """
    schemas = {name: Schema.from_json(body) for name, body in files.read_json(generated / SAMPLE)["schemas"].items()}
    names = {name: f"{name}.{ENDINGS[format_]}" for name in schemas}
    if target.exists() and (others := sorted(p.name for p in target.iterdir() if p.is_dir() or p.stem not in schemas)):
        raise DataError(
            f"{target}: holds {others[0]}, which is none of the tables, and would be removed; remedy: a folder of its own for output.path"
        )
    fresh, old = (target.with_name(f".{target.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    fresh.mkdir(mode=0o700)
    try:
        for name, schema in schemas.items():
            with pq.ParquetFile(generated / f"{name}.parquet") as file:
                chunks = (frames.to_frame(file.read_row_group(i), schema) for i in range(file.num_row_groups))
                sources.write(chunks, schema, fresh / names[name], format_)
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
