"""The real data of one table: what a spec says about it, and its parts, read when a stage first needs them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.compute as pc

from synthcli import seeds, sources
from synthcli.columns.constraints.feasibility import contradiction, impossible
from synthcli.columns.constraints.mixed_numbers import over_numbers, plain
from synthcli.columns.constraints.rule import Rule, check_source
from synthcli.columns.constraints.table_rules import Unique
from synthcli.columns.discovery.infer import look, parse
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.properties import parse_property
from synthcli.columns.table import Table
from synthcli.contracts.modality import Support
from synthcli.contracts.modelling import Request
from synthcli.contracts.schema import Schema, Traits
from synthcli.errors import DataError, SpecError
from synthcli.sources import Source, head
from synthcli.tabular.sampling.support import support_of

PARTS = {"train": 0.7, "validation": 0.1, "holdout": 0.2}


@dataclass(frozen=True)
class Described:
    """What a spec says about one table, parsed once.

    unit: the column that names who is protected, None for the row; parts: fractions of units by name; where: true of
    every generated row; target: what a downstream model predicts; preserve: properties that matter; schema: declared,
    if there is no data; output: the format in which the rows leave. check: raises SpecError for kinds of columns that
    the spec contradicts; fail: the error of a rule, or of `where` (None), at its place in the spec.
    """

    source: Source
    columns: Mapping[str, Traits] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    unit: str | None = None
    parts: Mapping[str, float] = field(default_factory=lambda: PARTS)
    stratify_by: str | None = None
    where: Expression | None = None
    target: str | None = None
    preserve: tuple[str, ...] = ()
    seed: int = 0
    schema: Schema | None = None
    output: str = "parquet"
    check: Callable[[Mapping[str, str]], None] = lambda kinds: None
    fail: Callable[[Rule | None, str], SpecError] = lambda rule, why: SpecError(why)

    @property
    def has_data(self) -> bool:
        return self.schema is None

    @cached_property
    def repeats(self) -> bool:
        """Whether a privacy unit has several of the first rows of the source."""
        table = None if self.unit is None or not self.has_data else head.first_rows(self.source)[0]
        if table is None or self.unit not in table.column_names:
            return False
        return bool(pc.count_distinct(table[self.unit], "all").as_py() < len(table))


class Real:
    """train, validation and holdout of a source; a schema without rows if there is no data."""

    def __init__(self, described: Described) -> None:
        self.described = described

    @cached_property
    def constraints(self) -> tuple[Rule, ...]:
        """The rules with what they must know of the source: of train alone, which is what a model may know."""
        return (
            tuple(rule.learn(self.train.frame, self.train.units()) for rule in self._rules)
            if self.described.has_data
            else self.described.rules
        )

    @cached_property
    def _rules(self) -> tuple[Rule, ...]:
        """The rules of the spec, reading numbers as such where a column has words among them."""
        return tuple(over_numbers(rule, self._read.frame) for rule in self.described.rules)

    @cached_property
    def table(self) -> Table:
        """All rows that may be used, after rows that break a constraint were dropped; its schema knows types and
        formats alone.
        """
        return self._kept[0]

    @cached_property
    def findings(self) -> list[dict[str, Any]]:
        """What the constraints found in the source: {constraint, violations, share, action}."""
        return self._kept[1]

    @cached_property
    def source_rows(self) -> int:
        """Rows of the source, also where only a sample of them is read."""
        return self._counted[1]

    @property
    def sampled(self) -> dict[str, Any] | None:
        """What was read of a source that is too large to be read whole: {rows, of, by}; None where all of it was."""
        kept, rows = len(self._read), self.source_rows
        return {"rows": kept, "of": rows, "by": self.described.unit or "row"} if kept < rows else None

    @cached_property
    def _read(self) -> Table:
        return self._counted[0]

    @cached_property
    def _counted(self) -> tuple[Table, int]:
        """The rows that are read, and how many the source has."""
        said = self.described
        if said.schema is not None:
            return Table(pd.DataFrame({c.name: [] for c in said.schema.columns}), said.schema), 0
        drawn = sources.sample(said.source, seed=said.seed, unit=said.unit)
        schema, frame = parse(drawn.table, said.columns, unit=said.unit, text=sources.spelled(said.source))
        frame = frame.iloc[: drawn.kept]  # the rest only helped to tell types
        if not len(frame):
            raise DataError(f"{said.source.where} has columns and no rows; remedy: a source with data")
        said.check({c.name: c.kind for c in schema.columns})
        return Table(frame, schema), drawn.rows

    @cached_property
    def _kept(self) -> tuple[Table, list[dict[str, Any]]]:
        said, table = self.described, self._read
        for rule in self._rules if said.has_data else ():
            try:
                rule.violations(table.frame.head(1))
            except SpecError as error:  # types clash: say on which line
                raise said.fail(plain(rule), str(error)) from None
        conflict = contradiction(self._rules, table.schema, table.frame if said.has_data else None)
        if conflict is not None and conflict.kind != "nulls":
            raise said.fail(plain(conflict.rules[0]), conflict.explanation)
        if said.where is not None:
            why = impossible(said.where.text, said.where, self._rules, table.schema)
            if why is not None:
                raise said.fail(None, why)
        if not said.has_data:
            return table, []
        frame, findings = check_source(table.frame, self._rules)
        if conflict is not None:
            findings = [
                f | ({"note": conflict.explanation} if f["constraint"] == conflict.rules[0].text else {})
                for f in findings
            ]
        return Table(frame, table.schema), findings

    @cached_property
    def parts(self) -> dict[str, Table]:
        """train, and validation and holdout if the split has them. max_rows limits what is used, by whole units where
        possible.
        """
        table, said = self.table, self.described
        if (most := said.source.max_rows) is not None and len(table) > most:
            table = table.take(whole_units(table.units(), most, rng=seeds.stream(said.seed, "max_rows")))
        fractions = {name: share for name, share in said.parts.items() if share > 0}
        parts = table.split(fractions, rng=seeds.stream(said.seed, "split"), stratify_by=said.stratify_by)
        schema = look(table.schema, parts["train"].frame, learned=self._values)
        return {name: Table(part.frame, schema) for name, part in parts.items()}

    @property
    def _values(self) -> frozenset[str]:
        """The columns whose values the spec uses, which are no keys."""
        said = self.described
        named = {said.target, said.stratify_by} - {None}
        read = [rule.columns for rule in said.rules if not isinstance(rule, Unique)]
        read += [] if said.where is None else [said.where.columns]
        read += [parse_property(text).columns for text in said.preserve]
        return frozenset(str(name) for name in named).union(*read)

    @property
    def train(self) -> Table:
        return self.parts["train"] if self.described.has_data else self.table

    def support(self, request: Request) -> list[Support]:
        """The real units behind each condition of a request."""
        return support_of(self.train.frame, self.train.units(), request)

    def part(self, name: str) -> Table | None:
        """validation or holdout, None where there is none."""
        return self.parts.get(name) if self.described.has_data else None

    def baseline(self, *, rng: np.random.Generator) -> Table:
        """Train's columns, each shuffled by itself: what independence gives."""
        frame = self.train.frame
        return Table(
            pd.DataFrame({c: frame[c].to_numpy(copy=True)[rng.permutation(len(frame))] for c in frame}).astype(
                frame.dtypes
            ),
            self.train.schema,
        )


def whole_units(units: np.ndarray, most: int, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of about `most` rows, and never more: whole units in random order until the next would not fit."""
    order = rng.permutation(units.max() + 1)
    sizes = np.bincount(units)[order]
    taken = order[np.cumsum(sizes) <= most]
    if not len(taken):  # one unit alone is larger than that: rows of it
        return np.sort(rng.permutation(np.flatnonzero(units == order[0]))[:most])
    return np.flatnonzero(np.isin(units, taken))
