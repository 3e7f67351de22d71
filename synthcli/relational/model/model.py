"""Related tables by a table method: parents before children, each row given those above it and its earlier siblings.

Each table's rows are drawn by a model of the table method that is handed in, given what is known when they come: the
columns of parents and grandparents, how many siblings there are and which one this is, what the earlier siblings are
like, and when it happens. How many children a row has is a column of the row (with zero among its values), so that
numbers of children follow from what the row is. Keys are made up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli.columns import frame as canonical
from synthcli.columns.codec.codec import Codec
from synthcli.columns.constraints.rule import Rule
from synthcli.contracts.modelling import Job
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Base, Tables
from synthcli.relational.graph import Order
from synthcli.relational.model.context import Aspect, Conditional
from synthcli.relational.model.fit import NO_RULES, NONE_KEPT, Learner, check_base
from synthcli.relational.model.layout import Layout
from synthcli.relational.model.rejection import Tally
from synthcli.relational.model.rules import Obeyed
from synthcli.relational.model.sample import Kept, Maker
from synthcli.relational.model.siblings import Past
from synthcli.relational.model.table_model import Link, Sheet
from synthcli.relational.relationships import Relationship

MODALITY = "relational"


class Related:
    """A fitted generator of related tables. It needs neither the data nor the spec to sample."""

    def __init__(
        self,
        sheets: Mapping[str, Sheet],
        order: Order,
        relationships: Sequence[Relationship],
        kept: Kept,
        unit: tuple[str, str | None],
    ) -> None:
        self.sheets, self.order, self.relationships, self.kept, self.unit = (
            dict(sheets),
            order,
            tuple(relationships),
            kept,
            unit,
        )

    def sample(
        self, rows: int, *, rng: np.random.Generator, top: pd.DataFrame | None = None, tally: Tally | None = None
    ) -> Tables:
        """Tables with so many rows in the table of the privacy unit; tables that hang from no unit have the rows that
        they had.

        Memory grows with the rows. Rows stand parent by parent. top: the rows of that table, made already
        (relational/model/root_table.py); tally: is told what became of rows that broke a rule. Raises FitError for
        rules that cannot be kept.
        """
        maker = Maker(self.sheets, self.order, self.relationships, self.kept, self.unit[0], top)
        made = maker.run(rows, rng=rng)
        if tally is not None:
            tally.take(maker.tally)
        schemas = {name: sheet.layout.schema for name, sheet in self.sheets.items()}
        return Tables(made, schemas, self.relationships, unit=self.unit, kept=frozenset(self.kept))

    @property
    def rows(self) -> int:
        """Rows of the privacy unit's table that it was learned from."""
        return self.sheets[self.unit[0]].rows

    def _models(self) -> list[tuple[str, str, Any]]:
        return [(name, part, each.model) for name, sheet in self.sheets.items() for part, each in sheet.models.items()]

    @property
    def merged(self) -> dict[str, int]:
        """table.column -> rare categories that were merged away before anything was learned."""
        return {
            f"{t}.{c}": n
            for t, part, model in self._models()
            if part == "values"
            for c, n in model.merged.items()
            if c in _own(self.sheets[t])
        }

    @property
    def clipped(self) -> dict[str, int]:
        """table.column -> rows whose value was moved to the nearest one that several privacy units reach."""
        return {
            f"{t}.{c}": n
            for t, part, model in self._models()
            if part == "values"
            for c, n in model.clipped.items()
            if c in _own(self.sheets[t])
        }

    def save(self, folder: Path) -> None:
        """Arrays, Parquet and JSON that `load` reads back; nothing that could run code."""
        tables = {}
        for i, (name, sheet) in enumerate(self.sheets.items()):
            tables[name] = _plain(sheet)
            if sheet.codec is not None:
                (folder / f"{i}").mkdir()
                sheet.codec.save(folder / f"{i}")
            for j, model in enumerate(sheet.models.values()):
                (folder / f"{i}.{j}").mkdir()
                model.model.save(folder / f"{i}.{j}")
            if name in self.kept:
                frame, extra = self.kept[name]
                pq.write_table(canonical.to_arrow(frame, sheet.layout.schema), folder / f"{i}.rows.parquet")
                pq.write_table(canonical.to_arrow(extra, _counts(extra)), folder / f"{i}.extra.parquet")
        order = {
            "tables": self.order.tables,
            "driver": {t: r.name for t, r in self.order.driver.items()},
            "linked": {t: [r.name for r in some] for t, some in self.order.linked.items()},
            "late": [r.name for r in self.order.late],
        }
        body = {
            "unit": self.unit,
            "relationships": [r.to_json() for r in self.relationships],
            "order": order,
            "tables": tables,
        }
        (folder / "related.json").write_text(json.dumps(body, ensure_ascii=False))


def fit(
    tables: Tables,
    base: Base,
    *,
    job: Job,
    rules: Mapping[str, Sequence[Rule]] = NO_RULES,
    keep: Mapping[str, frozenset[str]] = NONE_KEPT,
) -> Related:
    """Learn checked tables (Tables.checked). Raises FitError for a table method that cannot draw rows given a part of
    them.

    rules: by table, that every row which is made obeys (rules.check, learned); keep: columns by table that no rule may
    rewrite.
    """
    check_base(base)
    learner = Learner(tables, base, job, rules, keep)
    sheets = learner.run()
    kept = {name: (learner.tables.frames[name], learner.world.extra[name]) for name in tables.kept}
    return Related(sheets, learner.order, tables.relationships, kept, tables.unit)


def load(folder: Path, base: Base) -> Related:
    """The model that `save` wrote."""
    body = json.loads((folder / "related.json").read_text())
    relationships = [Relationship.from_json(r) for r in body["relationships"]]
    by_name = {r.name: r for r in relationships}
    order = Order(
        tuple(body["order"]["tables"]),
        {t: by_name[r] for t, r in body["order"]["driver"].items()},
        {t: tuple(by_name[r] for r in some) for t, some in body["order"]["linked"].items()},
        tuple(by_name[r] for r in body["order"]["late"]),
    )
    sheets, kept = {}, {}
    for i, (name, plain) in enumerate(body["tables"].items()):
        sheets[name] = _sheet(plain, by_name, folder, i, base)
        if (folder / f"{i}.rows.parquet").exists():
            rows, extra = pq.read_table(folder / f"{i}.rows.parquet"), pq.read_table(folder / f"{i}.extra.parquet")
            frame = pd.DataFrame(
                {c: extra[c].to_pandas().astype("Int64") for c in extra.column_names}, index=pd.RangeIndex(len(rows))
            )
            kept[name] = (canonical.to_frame(rows, sheets[name].layout.schema), frame)
    table, column = body["unit"]
    return Related(sheets, order, relationships, kept, (table, column))


def _own(sheet: Sheet) -> set[str]:
    return {c.name for c in sheet.layout.drawn()}


def _counts(extra: pd.DataFrame) -> Schema:
    return Schema(tuple(Column(c, Traits(type="integer"), Traits(), "int64") for c in extra))


def _plain(sheet: Sheet) -> dict[str, Any]:
    links = lambda some: [[k.relationship.name, [a.to_json() for a in k.aspects], k.nullable, k.looped] for k in some]  # noqa: E731
    return {
        "layout": sheet.layout.to_json(),
        "rows": sheet.rows,
        "loose": sheet.loose,
        "shared": sheet.shared,
        "distinct": sheet.distinct,
        "aspects": [a.to_json() for a in sheet.aspects],
        "above": [[t, a.to_json()] for t, a in sheet.above],
        "pasts": [[p.last.to_json(), p.mean and p.mean.to_json()] for p in sheet.pasts],
        "links": links(sheet.links),
        "late": links(sheet.late),
        "models": {part: [each.given, each.drawn] for part, each in sheet.models.items()},
        "made": sheet.codec is not None,
        "obeyed": None if sheet.obeyed is None else sheet.obeyed.to_json(),
    }


def _sheet(plain: Mapping[str, Any], by_name: Mapping[str, Relationship], folder: Path, i: int, base: Base) -> Sheet:
    def links(some: Iterable[Any]) -> tuple[Link, ...]:
        return tuple(
            Link(by_name[r], tuple(Aspect(**a) for a in aspects), null, loop) for r, aspects, null, loop in some
        )

    models = {
        part: Conditional(base.method.load(folder / f"{i}.{j}"), tuple(given), tuple(drawn))
        for j, (part, (given, drawn)) in enumerate(plain["models"].items())
    }
    return Sheet(
        Layout.from_json(plain["layout"]),
        plain["rows"],
        plain["loose"],
        plain["shared"],
        tuple(Aspect(**a) for a in plain["aspects"]),
        tuple((t, Aspect(**a)) for t, a in plain["above"]),
        tuple(Past(Aspect(**p), m and Aspect(**m)) for p, m in plain["pasts"]),
        links(plain["links"]),
        links(plain["late"]),
        tuple(plain["distinct"]),
        models,
        Codec.load(folder / f"{i}") if plain["made"] else None,
        None if plain["obeyed"] is None else Obeyed.from_json(plain["obeyed"]),
    )
