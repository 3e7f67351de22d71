"""Related tables by a method of tables: parents before children, each row given its ancestors and earlier siblings.

The table method draws the rows of each table given their context: the columns of parents and grandparents, the number
of siblings, the columns of the earlier ones, and the time. How many children a row has is a column of the row (with
zero among its values), so that numbers of children depend on the row. Keys are generated, not learned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli.columns import frame as canonical
from synthcli.columns.constraints.rule import Rule
from synthcli.contracts.modelling import Clipped, Job, without_ends
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.graph import Order
from synthcli.relational.model.fit import NO_RULES, NONE_KEPT, TablesLearner
from synthcli.relational.model.generated import Kept
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.sampler import TablesSampler
from synthcli.relational.model.table_method import TableMethod
from synthcli.relational.model.table_model import TableModel
from synthcli.relational.relationships import Relationship

MODALITY = "relational"


class RelationalModel:
    """A fitted model of related tables. It needs neither the data nor the spec to sample.

    kept: tables that are given out as they are; unit: the table and the column of the privacy unit.
    """

    def __init__(
        self,
        table_models: Mapping[str, TableModel],
        order: Order,
        relationships: Sequence[Relationship],
        kept: Kept,
        unit: tuple[str, str | None],
    ) -> None:
        self.table_models, self.order, self.relationships = dict(table_models), order, tuple(relationships)
        self.kept, self.unit = kept, unit

    def sample(
        self,
        rows: int,
        *,
        rng: np.random.Generator,
        root_rows: pd.DataFrame | None = None,
        counts: RejectionCounts | None = None,
        batch: int = 0,
    ) -> Tables:
        """Sample tables with this number of rows in the table of the privacy unit.

        Tables without privacy units get as many rows as the model was fitted on. Memory grows with the rows. Rows are
        sorted by parent. root_rows: the rows of the unit's table, if they are generated already
        (relational/model/root_table.py); counts: to add the rows that broke a rule to; batch: the seed
        of the request, so that batches share no keys. Raises FitError for rules that
        cannot be kept.
        """
        sampler = TablesSampler(
            self.table_models, self.order, self.relationships, self.kept, self.unit[0], root_rows, batch
        )
        frames = sampler.sample(rows, rng=rng)
        if counts is not None:
            counts.merge(sampler.counts)
        schemas = {name: model.layout.schema for name, model in self.table_models.items()}
        return Tables(frames, schemas, self.relationships, unit=self.unit, kept=frozenset(self.kept))

    @property
    def rows(self) -> int:
        """Rows of the privacy unit's table that the model was fitted on."""
        return self.table_models[self.unit[0]].rows

    def _value_models(self) -> Iterator[tuple[str, TableModel, Any]]:
        for name, table in self.table_models.items():
            if "values" in table.models:
                yield name, table, table.models["values"].model

    @property
    def merged(self) -> dict[str, int]:
        """table.column -> rare categories that were merged before the fit."""
        return {
            f"{name}.{c}": n
            for name, table, model in self._value_models()
            for c, n in model.merged.items()
            if c in table.drawn
        }

    @property
    def clipped(self) -> dict[str, Clipped]:
        """table.column -> what top coding changed; the ends of times that are learned as differences are left out."""
        return {
            f"{name}.{c}": found if found["kind"] == table.layout.schema[c].kind else without_ends(found)
            for name, table, model in self._value_models()
            for c, found in model.clipped.items()
            if c in table.drawn
        }

    def save(self, folder: Path) -> None:
        """Write arrays, Parquet and JSON that `load` reads; nothing that could run code."""
        for i, (name, table) in enumerate(self.table_models.items()):
            table.save(folder, i)
            if name in self.kept:
                frame, derived = self.kept[name]
                pq.write_table(canonical.to_arrow(frame, table.layout.schema), folder / f"{i}.rows.parquet")
                pq.write_table(canonical.to_arrow(derived, _integers(derived)), folder / f"{i}.extra.parquet")
        order = {
            "tables": self.order.tables,
            "driver": {t: r.name for t, r in self.order.driver.items()},
            "linked": {t: [r.name for r in some] for t, some in self.order.linked.items()},
            "late": [r.name for r in self.order.deferred],
        }
        body = {
            "unit": self.unit,
            "relationships": [r.to_json() for r in self.relationships],
            "order": order,
            "tables": {name: table.to_json() for name, table in self.table_models.items()},
        }
        (folder / "related.json").write_text(json.dumps(body, ensure_ascii=False))


def fit(
    tables: Tables,
    method: TableMethod,
    *,
    job: Job,
    rules: Mapping[str, Sequence[Rule]] = NO_RULES,
    keep: Mapping[str, frozenset[str]] = NONE_KEPT,
    openings: Mapping[str, frozenset[str]] = NONE_KEPT,
) -> RelationalModel:
    """Fit checked tables (Tables.checked). Raises FitError for a table method that cannot draw rows given a context.

    rules: by table, that every generated row obeys (rules.check, learned); keep: by table, the columns that no rule may
    rewrite; openings: by table, the columns whose value before the first row of a parent is the parent's column of that
    name.
    """
    method.check_conditional()
    learner = TablesLearner(tables, method, job, rules, keep, openings)
    models = learner.fit()
    kept = {name: (learner.tables.frames[name], learner.rows.derived[name]) for name in tables.kept}
    return RelationalModel(models, learner.order, tables.relationships, kept, tables.unit)


def load(folder: Path, method: TableMethod) -> RelationalModel:
    """Read the model that `save` wrote."""
    body = json.loads((folder / "related.json").read_text())
    relationships = [Relationship.from_json(r) for r in body["relationships"]]
    by_name = {r.name: r for r in relationships}
    order = Order(
        tuple(body["order"]["tables"]),
        {t: by_name[r] for t, r in body["order"]["driver"].items()},
        {t: tuple(by_name[r] for r in some) for t, some in body["order"]["linked"].items()},
        tuple(by_name[r] for r in body["order"]["late"]),
    )
    models, kept = {}, {}
    for i, (name, saved) in enumerate(body["tables"].items()):
        models[name] = TableModel.load(saved, by_name, folder, i, method)
        if (folder / f"{i}.rows.parquet").exists():
            kept[name] = _load_kept(folder, i, models[name].layout.schema)
    table, column = body["unit"]
    return RelationalModel(models, order, relationships, kept, (table, column))


def _load_kept(folder: Path, i: int, schema: Schema) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read the rows of the i-th table, which is given out as it is, and their derived columns."""
    rows, derived = pq.read_table(folder / f"{i}.rows.parquet"), pq.read_table(folder / f"{i}.extra.parquet")
    columns = {c: derived[c].to_pandas().astype("Int64") for c in derived.column_names}
    return canonical.to_frame(rows, schema), pd.DataFrame(columns, index=pd.RangeIndex(len(rows)))


def _integers(derived: pd.DataFrame) -> Schema:
    return Schema(tuple(Column(c, Traits(type="integer"), Traits(), "int64") for c in derived))
