"""The description of related tables in a spec, and the real tables split into parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds, sources
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.constraints.table_rules import Unique
from synthcli.columns.discovery.infer import look, parse
from synthcli.contracts.modality import Size, Support
from synthcli.contracts.modelling import Request
from synthcli.contracts.schema import Schema, Traits
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.relational import constraints
from synthcli.relational.data import Tables, check_names
from synthcli.relational.fixtures.recipe import Recipe
from synthcli.relational.graph import order
from synthcli.relational.model.rules import widened
from synthcli.relational.relationships import NULL, Relationship, root
from synthcli.tabular import source_stats
from synthcli.tabular.sampling.support import support_of
from synthcli.tabular.source import PARTS
from synthcli.tabular.source import Described as TableDescribed


@dataclass(frozen=True)
class Described:
    """The description of related tables. sources, traits, rules: by table; kept: public tables; unit: table.column, or
    a table for its rows; parts: fractions by name; target: table.column; output: the format in which the rows leave;
    check: raises SpecError for a spec that does not fit the columns; recipe: how the tables are generated if there is
    no data.
    """

    sources: Mapping[str, sources.Source]
    relationships: tuple[Relationship, ...]
    traits: Mapping[str, Mapping[str, Traits]] = field(default_factory=dict)
    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    kept: frozenset[str] = frozenset()
    unit: str | None = None
    parts: Mapping[str, float] = field(default_factory=lambda: PARTS)
    stratify_by: str | None = None
    target: str | None = None
    seed: int = 0
    output: str = "parquet"
    recipe: Recipe | None = None
    check: Callable[[Mapping[str, Schema], str], None] = lambda schemas, unit: None
    fail: Callable[[str, Rule, str], SpecError] = lambda table, rule, why: SpecError(
        f"constraint {rule.text} of table {table}: {why}"
    )

    @cached_property
    def sizes(self) -> dict[str, Size]:
        """The size of each table, from the head of its source."""
        return {
            name: source_stats.look(TableDescribed(source, self.traits.get(name, {})), {})
            for name, source in self.sources.items()
        }


def holder(described: Described, name: str) -> str | None:
    """The foreign key that stands for the privacy unit of a child's rows while they are inferred; None for others."""
    single = (r for r in described.relationships if r.child == name and len(r.columns) == 1)
    return next((r.columns[0] for r in single), None)


def keyed_traits(described: Described, name: str, columns: Sequence[str]) -> dict[str, Traits]:
    """The declared traits of a table's columns; its keys are ids unless the spec declares a type. Keys are the columns
    at either end of a relationship, not those of composite keys.
    """
    traits = dict(described.traits.get(name, {}))
    single = (r for r in described.relationships if len(r.keys) == 1)
    keys = {c for r in single for t, cs in ((r.child, r.columns), (r.parent, r.keys)) if t == name for c in cs}
    for key in keys & set(columns):
        if traits.get(key, Traits()).type is None:
            traits[key] = traits.get(key, Traits()).model_copy(update={"type": "id"})
    return traits


_PLACE = "\x00row"  # not a valid column name in a file


def tables_of(described: Described, frames: Mapping[str, pd.DataFrame], schemas: Mapping[str, Schema]) -> Tables:
    """Build the described tables."""
    table, _, column = (described.unit or root(list(frames), described.relationships)).partition(".")
    return Tables(frames, schemas, described.relationships, unit=(table, column or None), kept=described.kept)


class RealTables:
    """The train, validation and holdout parts of related tables, read once when a stage first needs them."""

    def __init__(self, described: Described) -> None:
        self.described = described

    @cached_property
    def _checked(self) -> tuple[Tables, list[dict[str, Any]]]:
        """The tables with valid keys, without dropped rows, and the findings: by constraint, then dropped orphans."""
        described, frames, schemas = self.described, {}, {}
        for name in described.sources:
            schemas[name], frames[name] = self._read(name)
        raw = tables_of(described, frames, schemas)
        described.check(schemas, raw.unit[0])
        check_names(raw)
        return constraints.obeying(raw, described.rules, described.fail)

    def _read(self, name: str) -> tuple[Schema, pd.DataFrame]:
        """Read a table; its keys are ids unless the spec declares a type."""
        source, traits = self.described.sources[name], self.described.traits.get(name, {})
        arrow = sources.read(source)
        if unknown := [c for c in traits if c not in arrow.column_names]:
            raise SpecError(
                f"columns.{name}.{unknown[0]}: table {name} has no such"
                f" column.{did_you_mean(unknown[0], arrow.column_names)}"
            )
        traits = keyed_traits(self.described, name, arrow.column_names)
        schema, frame = parse(arrow, traits, text=sources.spelled(source), holder=holder(self.described, name))
        if name == (self.described.unit or "").partition(".")[0] and not len(frame):
            raise DataError(f"{source.where} has columns and no rows; remedy: a source with data")
        return schema, frame

    @cached_property
    def tables(self) -> Tables:
        """All usable rows; their schemas are inferred from the train part alone."""
        return self._checked[0].described(self.train.schemas)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """The findings of the constraints in each table, and the number of dropped orphans."""
        return self._checked[1]

    @cached_property
    def rules(self) -> dict[str, tuple[Rule, ...]]:
        """The rules of each table, with the parameters that they learn from the train part."""
        tables, sequence, units = self.train, order(self.tables), self.train.units()
        return {
            name: tuple(rule.learn(constraints.wide(tables, name, rules, sequence), units[name]) for rule in rules)
            for name, rules in constraints.over_numbers_of(self.described.rules, self.tables).items()
            if rules and name not in self.described.kept
        }

    def beside(self, tables: Tables, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """Columns of the ancestors of a table's rows, as TABLE.COLUMN."""
        return widened(
            columns,
            name,
            tables.frames[name],
            tables.frames,
            order(self.tables),
            lambda r: np.maximum(tables.parents(r), NULL),
        )

    @property
    def source_rows(self) -> int:
        """Rows of the privacy unit's table."""
        return len(self.tables)

    @cached_property
    def parts(self) -> dict[str, Tables]:
        fractions = {name: share for name, share in self.described.parts.items() if share > 0}
        tables = self._checked[0]
        parts = tables.split(
            fractions, rng=seeds.stream(self.described.seed, "split"), stratify_by=self.described.stratify_by
        )
        schemas = {
            name: look(schema, parts["train"].frames[name], learned=self._values(name))
            for name, schema in tables.schemas.items()
        }
        return {name: part.described(schemas) for name, part in parts.items()}

    def _values(self, name: str) -> frozenset[str]:
        """The columns of a table whose values the spec uses, which are no keys that are found; those of relationships
        are declared.
        """
        said = self.described
        named = [
            text.partition(".")[2] for text in (said.target, said.stratify_by) if text and text.startswith(f"{name}.")
        ]
        read = [rule.columns for rule in said.rules.get(name, ()) if not isinstance(rule, Unique)]
        ends = [
            c
            for r in said.relationships
            for t, cs in ((r.child, r.columns), (r.parent, r.keys))
            if t == name
            for c in cs
        ]
        return frozenset([*named, *ends]).union(*read)

    @property
    def train(self) -> Tables:
        return self.parts["train"]

    def support(self, request: Request) -> list[Support]:
        """The real units behind each condition on the unit's table."""
        name, units = self.train.unit[0], self.train.units()
        frame, own = self.train.frames[name], units[name]
        return support_of(frame, np.arange(len(frame)) if own is None else own, request)

    def part(self, name: str) -> Tables | None:
        """validation or holdout; None if the split has no such part."""
        return self.parts.get(name)
