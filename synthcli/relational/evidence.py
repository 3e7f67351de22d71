"""The evidence on related tables, and their measurements: for each table, over all, and for relationships."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import plugins, seeds
from synthcli.artifacts import files
from synthcli.artifacts.store import SAMPLE, UNASKED_MARK, table_file
from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Fairness, Measurement, Usage
from synthcli.contracts.modelling import Progress, Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational import conditions, constraints
from synthcli.relational.data import Tables
from synthcli.relational.fixtures.source import NoTables
from synthcli.relational.judging import key_columns
from synthcli.relational.model.context import UNIT
from synthcli.relational.source import RealTables
from synthcli.tabular.sampling.request import SettledRequest
from synthcli.tabular.written import read_back


def schemas_of(generated: Path) -> dict[str, Schema]:
    """The schemas of the tables that `generate` wrote."""
    return {name: Schema.from_json(body) for name, body in files.read_json(generated / SAMPLE)["schemas"].items()}


def read_tables(generated: Path, like: Tables, mark: str = "") -> Tables:
    """Read the tables that `generate` wrote. mark: suffix of the file names."""
    schemas = schemas_of(generated)
    return Tables(
        {
            name: frames.to_frame(pq.read_table(generated / table_file(name, mark)), schema)
            for name, schema in schemas.items()
        },
        schemas,
        like.relationships,
        unit=like.unit,
        kept=like.kept,
    )


@dataclass(frozen=True)
class RelatedEvidence(Evidence):
    """Evidence whose data are related tables. tables: the evidence of each single table that has unseen rows."""

    tables: Mapping[str, Evidence] = field(default_factory=dict)


def evidence(real: RealTables, generated: Path, control: str, usage: Usage | None, request: Request) -> RelatedEvidence:
    """The evidence on a run. control: validation or holdout."""
    sample = files.read_json(generated / SAMPLE)
    schema = Schema.from_json(sample["schema"])
    synthetic = read_tables(generated, real.tables)
    parts: dict[str, Tables | None] = {"train": real.train, "control": real.part(control)}
    shown, fair = synthetic, None
    if "wanted" in sample:
        unconditional = read_tables(generated, real.tables, UNASKED_MARK)
        settled = SettledRequest.from_json(sample["wanted"], schema)
        like = {
            name: (
                None
                if part is None
                else conditions.matched(part, settled, rng=seeds.stream(real.described.seed, "likened", name))
            )
            for name, part in parts.items()
        }
        fair = conditions.fairness(request, real.train, parts["control"], synthetic, unconditional)
        if all(like[name] is not None for name, part in parts.items() if part is not None):
            parts = like
        else:  # too few real rows meet the conditions: unconditional rows are judged instead
            shown = unconditional
    seen = Evidence(schema, shown, parts["train"], parts["control"], target=real.described.target, usage=usage)
    return RelatedEvidence(**seen.__dict__, tables=_tables(seen, real, generated, fair))


def without_data(real: NoTables, generated: Path, usage: Usage | None) -> RelatedEvidence:
    """The evidence on tables that were generated without data: the tables, and the rules that they must obey."""
    synthetic = read_tables(generated, real.tables)
    seen = Evidence(synthetic.schema, synthetic, None, None, usage=usage)
    order, tables = real.recipe.order, {}
    for name, schema in synthetic.schemas.items():
        rules = real.recipe.rules.get(name, ())
        rows = constraints.wide(synthetic, name, rules, order)
        apart = (Column(c, Traits(type="id"), Traits(), "string") for c in rows if c not in schema.names)
        wide = Schema((*schema.columns, *apart))
        tables[name] = Evidence(wide, Table(rows, wide), None, None, constraints=rules)
    return RelatedEvidence(**seen.__dict__, tables=tables)


def measure(
    kind: str, names: Sequence[str], seen: RelatedEvidence, *, seed: int, progress: Progress
) -> list[Measurement]:
    """Measure tables, each and over all (the mean; for attacks the worst), then relationships."""
    measured: list[Measurement] = []
    for i, name in enumerate(names):
        progress(kind, i, len(names), name)
        if name in plugins.names(kind, "relational"):
            continue  # they come last
        module = plugins.judge(kind, name, "tabular")
        if name == "technical":
            measured += module.measure(seen, rng=seeds.stream(seed, kind, name))
            continue
        each = {
            table: module.measure(one, rng=seeds.stream(seed, kind, name, table)) for table, one in seen.tables.items()
        }
        measured += over_tables(each, _worst if kind == "attacks" else _mean)
    for name in plugins.names(kind, "relational"):
        if name in names:
            module = plugins.judge(kind, name, "relational")
            measured += module.measure(seen, rng=seeds.stream(seed, kind, name))
    return measured


@dataclass(frozen=True)
class WrittenTable:
    """The rows of one table as a reader of the output gets them, with the columns of parents that rules name."""

    tables: Callable[[], Tables]
    name: str
    above: tuple[str, ...]
    real: RealTables

    def __iter__(self) -> Iterator[pd.DataFrame]:
        tables = self.tables()
        yield pd.concat([tables.frames[self.name], self.real.beside(tables, self.name, self.above)], axis=1)


def _read_back(generated: Path, real: RealTables) -> Tables:
    """All generated tables as a reader of the output gets them."""
    plain = read_tables(generated, real.tables)
    if real.described.output == "parquet":
        return plain
    return plain.having(
        {
            name: read_back(frames.to_arrow(frame, plain.schemas[name]), plain.schemas[name], real.described.output)
            for name, frame in plain.frames.items()
        }
    )


def _tables(seen: Evidence, real: RealTables, generated: Path, fair: Fairness | None = None) -> dict[str, Evidence]:
    """The evidence of each table whose rows belong to privacy units, with the unit as a column; public and shared
    tables have no unseen rows.
    """
    sides: dict[str, Tables | None] = {"synthetic": seen.synthetic, "train": seen.train, "control": seen.control}
    units = {side: tables.units() for side, tables in sides.items() if tables is not None}
    rng = seeds.stream(real.described.seed, "baseline")
    out = {}
    written = cache(lambda: _read_back(generated, real))
    for name, schema in real.tables.schemas.items():
        if units["train"][name] is None:
            continue
        if not any(c.kind in frames.MODELLED for c in schema.columns):
            continue
        keys = key_columns(real.tables, name)
        rules = real.rules.get(name, ())
        above = sorted(
            {c for rule in rules for c in rule.columns} - set(schema.names)
        )  # columns of parents that rules name
        public = _no_identifiers(real.tables, name)
        columns = (
            replace(
                c,
                declared=c.declared.model_copy(update={"type": "id"}),
                inferred=Traits() if c.name in public else c.inferred,
            )
            if c.name in keys
            else c
            for c in schema.columns
        )
        apart = (Column(c, Traits(type="id"), Traits(), "string") for c in above)
        wide = Schema((*columns, *apart, Column(UNIT, Traits(type="id"), Traits(), "int64")), UNIT)
        cut = {
            side: _with_unit(tables, name, units[side][name], wide, real.beside(tables, name, above))
            for side, tables in sides.items()
            if tables is not None
        }
        rows = cut["train"].frame
        shuffled = Table(
            pd.DataFrame({c: rows[c].take(rng.permutation(len(rows))).reset_index(drop=True) for c in rows}), wide
        )
        target = (real.described.target or "").partition(".")
        mine = target[2] if target[0] == name else None
        out[name] = replace(
            seen,
            schema=wide,
            synthetic=cut["synthetic"],
            train=cut["train"],
            control=cut.get("control"),
            baseline=shuffled,
            target=mine,
            constraints=rules,
            fairness=fair if name == real.tables.unit[0] else None,
            usage=None,
            written=(WrittenTable(written, name, tuple(above), real),),
        )
    return out


def _no_identifiers(tables: Tables, name: str) -> set[str]:
    """The keys of a table that identify nobody by themselves: those of public tables, and the parts of composite keys.
    They have no inferred traits here (tabular/attacks/real_identifiers.py).
    """
    found = {c for r in tables.relationships if r.child == name and r.parent in tables.kept for c in r.columns}
    composite = [r for r in tables.relationships if len(r.keys) > 1]
    found |= {c for r in composite for t, cs in ((r.child, r.columns), (r.parent, r.keys)) if t == name for c in cs}
    return found


def _with_unit(tables: Tables, name: str, units: np.ndarray | None, schema: Schema, above: pd.DataFrame) -> Table:
    codes = np.arange(len(tables.frames[name])) if units is None else units
    return Table(
        pd.concat([tables.frames[name], above], axis=1).assign(**{UNIT: pd.array(codes, dtype="Int64")}), schema
    )


def over_tables(
    each: Mapping[str, Sequence[Measurement]], combine: Callable[[list[Measurement]], Measurement]
) -> list[Measurement]:
    """Combine measurements of tables: overall values, then those of each table (scope table), then the finer ones,
    prefixed by the table's name.
    """
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
    """The mean over tables; its interval assumes full dependence, so it is never too narrow."""
    known = [m for m in some if m.value is not None]
    if not known:
        failed = [m for m in some if m.measurable]
        return replace((failed or some)[0], scope="overall", of=None)
    keys = ("value", "low", "high", "floor", "baseline", "control")
    values = {key: [getattr(m, key) for m in known] for key in keys}
    means: dict[str, Any] = {
        key: None if any(v is None for v in column) else float(np.mean(column)) for key, column in values.items()
    }
    return replace(known[0], scope="overall", of=None, n=sum(m.n or 0 for m in known), note="", **means)


def _worst(some: list[Measurement]) -> Measurement:
    """The table on which an attack is most successful."""
    known = [m for m in some if m.value is not None]
    if not known:
        return replace(some[0], scope="overall", of=None)
    badness = {
        "lower": lambda m: m.value,
        "higher": lambda m: -m.value,
        "half": lambda m: m.value,
    }  # an attack works above a half
    worst = max(known, key=lambda m: badness[m.better](m))
    return replace(worst, scope="overall", of=None, note=f"table {worst.of}, the worst")
