"""Related tables as a spec describes them, and the parts of the real ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pandas as pd

from synthcli import seeds, sources
from synthcli.columns.constraints import Rule, check_source
from synthcli.columns.infer import infer
from synthcli.columns.rules import parse_rule
from synthcli.contracts import Schema, Traits
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.pipeline.plan import Plan
from synthcli.relational.data import Tables
from synthcli.relational.relationships import Relationship, root
from synthcli.spec import check_places
from synthcli.spec.load import Loaded


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
