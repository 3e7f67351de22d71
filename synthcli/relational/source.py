"""Related tables as a spec describes them, and the parts of the real ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds, sources
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.discovery.infer import look, parse
from synthcli.contracts.schema import Schema, Traits
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.relational import constraints
from synthcli.relational.data import Tables, check_names
from synthcli.relational.graph import order
from synthcli.relational.model.rules import widened
from synthcli.relational.relationships import NULL, Relationship, root


@dataclass(frozen=True)
class Described:
    """What a spec says of related tables. sources: by table; traits, rules: by table; kept: given out as they are;
    unit: table.column, or a table for its rows; parts: fractions by name; target: table.column."""

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
    check: Callable[[Mapping[str, Schema], str], None] = lambda schemas, unit: (
        None
    )  # of what the spec says beside the columns that are there
    fail: Callable[[str, Rule, str], SpecError] = lambda table, rule, why: SpecError(
        f"constraint {rule.text} of table {table}: {why}"
    )


_PLACE = "\x00row"  # no column of a file is called so


def tables_of(said: Described, frames: Mapping[str, pd.DataFrame], schemas: Mapping[str, Schema]) -> Tables:
    """Tables as they are described."""
    table, _, column = (said.unit or root(list(frames), said.relationships)).partition(".")
    return Tables(frames, schemas, said.relationships, unit=(table, column or None), kept=said.kept)


class RealTables:
    """train, validation and holdout of related tables: read once, when the first stage that is not cached asks for
    them.
    """

    def __init__(self, said: Described) -> None:
        self.described = said

    @cached_property
    def _checked(self) -> tuple[Tables, list[dict[str, Any]]]:
        """The tables whose keys are sound and whose rows obey the rules, and what was found: by rules, then the rows
        that orphans cost.
        """
        said, frames, schemas = self.described, {}, {}
        for name in said.sources:
            schemas[name], frames[name] = self._read(name)
        raw = tables_of(said, frames, schemas)
        said.check(schemas, raw.unit[0])
        check_names(raw)
        return constraints.obeying(raw, said.rules, said.fail)

    def _read(self, name: str) -> tuple[Schema, pd.DataFrame]:
        """A table; its keys are ids unless the spec says more of them."""
        source, traits = self.described.sources[name], dict(self.described.traits.get(name, {}))
        arrow = sources.read(source)
        if unknown := [c for c in traits if c not in arrow.column_names]:
            raise SpecError(
                f"columns.{name}.{unknown[0]}: table {name} has no such"
                f" column.{did_you_mean(unknown[0], arrow.column_names)}"
            )
        for key in self._keys(name):
            if key in arrow.column_names and traits.get(key, Traits()).type is None:
                traits[key] = traits.get(key, Traits()).model_copy(update={"type": "id"})
        schema, frame = parse(arrow, traits, text=sources.spelled(source))
        if name == (self.described.unit or "").partition(".")[0] and not len(frame):
            raise DataError(f"{source.where}: has columns and no rows; remedy: a source with data")
        return schema, frame

    def _keys(self, name: str) -> set[str]:
        """Keys of one column, whichever end they are; of a key of several columns what a row refers by, and no more
        than that, is an id.
        """
        single = (r for r in self.described.relationships if len(r.keys) == 1)
        return {c for r in single for t, cs in ((r.child, r.columns), (r.parent, r.keys)) if t == name for c in cs}

    @cached_property
    def tables(self) -> Tables:
        """All rows that may be used; their schemas know what train alone shows."""
        return self._checked[0].described(self.train.schemas)

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What the constraints found in each table, and how many rows went because they were orphans."""
        return self._checked[1]

    @cached_property
    def rules(self) -> dict[str, tuple[Rule, ...]]:
        """The rules of each table with what they must know of the source: of train alone, which is what a model may
        know.
        """
        tables, made, units = self.train, order(self.tables), self.train.units()
        return {
            name: tuple(rule.learn(constraints.wide(tables, name, rules, made), units[name]) for rule in rules)
            for name, rules in self.described.rules.items()
            if rules and name not in self.described.kept
        }

    def beside(self, tables: Tables, name: str, columns: Sequence[str]) -> pd.DataFrame:
        """Columns of the rows above those of a table, as TABLE.COLUMN."""
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
        schemas = {name: look(schema, parts["train"].frames[name]) for name, schema in tables.schemas.items()}
        return {name: part.described(schemas) for name, part in parts.items()}

    @property
    def train(self) -> Tables:
        return self.parts["train"]

    def part(self, name: str) -> Tables | None:
        """validation or holdout, None where there is none."""
        return self.parts.get(name)
