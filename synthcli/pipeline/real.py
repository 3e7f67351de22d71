"""The real data of a run: read once, when the first stage that is not cached asks for it."""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds, sources
from synthcli.columns.constraints.feasibility import contradiction, impossible
from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.constraints.rule import Rule, check_source
from synthcli.columns.discovery.infer import look
from synthcli.columns.discovery.infer import parse as parse_columns
from synthcli.columns.expressions.compile import parse
from synthcli.columns.table import Table
from synthcli.contracts.schema import Column, Schema
from synthcli.errors import DataError, SpecError
from synthcli.pipeline.plan import Plan
from synthcli.spec import check
from synthcli.spec.load import Loaded
from synthcli.tabular.methods import distributions


class Real:
    """train, validation and holdout of a plan's source; a schema without rows where the source is `none`."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @cached_property
    def _stated(self) -> tuple[Rule, ...]:
        """The rules as the spec states them."""
        return tuple(parse_rule(raw) for raw in self.plan.spec.constraints)

    @cached_property
    def constraints(self) -> tuple[Rule, ...]:
        """The rules with what they must know of the source: of train alone, which is what a model may know."""
        return (
            tuple(rule.learn(self.train.frame, self.train.units()) for rule in self._stated)
            if self.plan.has_data
            else self._stated
        )

    @cached_property
    def table(self) -> Table:
        """All rows that may be used, after rows that break a constraint were dropped; of its schema, types and formats
        alone are known.
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
        return {"rows": kept, "of": rows, "by": self.plan.unit or "row"} if kept < rows else None

    @cached_property
    def _read(self) -> Table:
        return self._counted[0]

    @cached_property
    def _counted(self) -> tuple[Table, int]:
        """The rows that are read, and how many the source has."""
        plan = self.plan
        if not plan.has_data:
            schema = declared_schema(plan.loaded)
            return Table(pd.DataFrame({c.name: [] for c in schema.columns}), schema), 0
        drawn = sources.sample(plan.source, seed=plan.spec.seed, unit=plan.unit)
        text = sources.spelled(plan.source)
        schema, frame = parse_columns(drawn.table, plan.spec.columns, unit=plan.unit, text=text)
        frame = frame.iloc[: drawn.kept]  # the rest only told of types
        if not len(frame):
            raise DataError(f"{plan.source.where}: has columns and no rows; remedy: a source with data")
        kinds = {c.name: c.kind for c in schema.columns}
        check.check_columns(plan.loaded, kinds)
        check.check_traits(plan.loaded, kinds)
        return Table(frame, schema), drawn.rows

    @cached_property
    def _kept(self) -> tuple[Table, list[dict[str, Any]]]:
        table, rules = self._read, self._stated
        for i, rule in enumerate(rules if self.plan.has_data else ()):
            try:
                rule.violations(table.frame.head(1))
            except SpecError as error:  # types clash: say on which line
                raise self.plan.loaded.fail([(check.rule_path(self.plan.loaded, i), str(error))]) from None
        if (
            conflict := contradiction(rules, table.schema, table.frame if self.plan.has_data else None)
        ) is not None and conflict.kind != "nulls":
            raise self.plan.loaded.fail(
                [(check.rule_path(self.plan.loaded, rules.index(conflict.rules[0])), conflict.explanation)]
            )
        where = self.plan.spec.generate.where
        if where is not None and (why := impossible(where, parse(where), rules, table.schema)) is not None:
            raise self.plan.loaded.fail([(("generate", "where"), why)])
        if not self.plan.has_data:
            return table, []
        frame, findings = check_source(table.frame, rules)
        if conflict is not None:
            findings = [
                f | ({"note": conflict.explanation} if f["constraint"] == conflict.rules[0].text else {})
                for f in findings
            ]
        return Table(frame, table.schema), findings

    @cached_property
    def parts(self) -> dict[str, Table]:
        """train, and validation and holdout where the split has them. max_rows cuts what is used, by whole units where
        it can.
        """
        table, split = self.table, self.plan.spec.source.split
        seed = self.plan.spec.seed
        if (most := self.plan.source.max_rows) is not None and len(table) > most:
            table = table.take(_whole_units(table.units(), most, rng=seeds.stream(seed, "max_rows")))
        fractions = {
            "train": 1 - split.validation - split.holdout,
            "validation": split.validation,
            "holdout": split.holdout,
        }
        fractions = {name: share for name, share in fractions.items() if share > 0}
        parts = table.split(fractions, rng=seeds.stream(seed, "split"), stratify_by=split.stratify_by)
        schema = look(table.schema, parts["train"].frame)
        return {name: Table(part.frame, schema) for name, part in parts.items()}

    @property
    def train(self) -> Table:
        return self.parts["train"] if self.plan.has_data else self.table

    def part(self, name: str) -> Table | None:
        """validation or holdout, None where there is none."""
        return self.parts.get(name) if self.plan.has_data else None

    def baseline(self, *, rng: np.random.Generator) -> Table:
        """Train's columns, each shuffled by itself: what independence gives."""
        frame = self.train.frame
        return Table(
            pd.DataFrame({c: frame[c].to_numpy(copy=True)[rng.permutation(len(frame))] for c in frame}).astype(
                frame.dtypes
            ),
            self.train.schema,
        )


def declared_schema(loaded: Loaded) -> Schema:
    """The schema of a spec without a source. Raises SpecError for columns that say wrongly, or not, how they are
    made.
    """
    schema = distributions.complete(Schema(tuple(Column(name, traits) for name, traits in loaded.spec.columns.items())))
    distributions.check(schema, loaded.spec.generate.rows)
    check.check_columns(loaded, {c.name: c.kind for c in schema.columns})
    return schema


def _whole_units(units: np.ndarray, most: int, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of about `most` rows, and never more: whole units in random order until the next would not fit."""
    order = rng.permutation(units.max() + 1)
    sizes = np.bincount(units)[order]
    taken = order[np.cumsum(sizes) <= most]
    if not len(taken):  # one unit alone is larger than that: rows of it
        return np.sort(rng.permutation(np.flatnonzero(units == order[0]))[:most])
    return np.flatnonzero(np.isin(units, taken))
