"""Profile related tables and the relationships between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli import sources
from synthcli.columns.codec.top_coding import published
from synthcli.columns.constraints.rule import without_examples
from synthcli.columns.pii import protect, rare_words
from synthcli.columns.table import Table
from synthcli.contracts.modality import Json
from synthcli.contracts.modelling import Progress
from synthcli.relational.data import Tables
from synthcli.relational.graph import order
from synthcli.relational.model.clock_notes import clock_notes
from synthcli.relational.model.layout import lay_out
from synthcli.relational.relationships import Relationship
from synthcli.relational.source import RealTables
from synthcli.tabular.profile import RARE_UNITS
from synthcli.tabular.profile import profile as table_profile


def profile(real: RealTables, *, progress: Progress) -> Json:
    """The profile of each table's train part, the relationships, the findings of the constraints, and the sizes of the
    parts in rows of the unit's table.
    """
    tables, units = real.train, real.train.units()
    times = _times(tables)
    each: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    open_: list[dict[str, Any]] = []
    for name, frame in tables.frames.items():
        table = Table(frame, tables.schemas[name])
        each[name] = {
            "rows": len(real.tables.frames[name]),
            "kept": name in tables.kept,
            "in_every_part": units[name] is None,
            "schema": table.schema.to_json(),
        }
        each[name] |= table_profile(table, units=units[name], progress=progress) if len(frame) else {}
        found += [{**one.to_json(), "column": f"{name}.{one.column}"} for one in protect.found(table.schema, frame)]
        if name not in tables.kept:
            rare = rare_words.undecided(table.schema, frame, units[name])
            open_ += [{**one.to_json(), "column": f"{name}.{one.column}"} for one in rare]
    return {
        "rows": real.source_rows,
        "schema": tables.schema.to_json(),
        "constraints": without_examples(real.findings),
        "parts": {name: len(part) for name, part in real.parts.items()},
        "unit": list(tables.unit),
        "tables": each,
        "relationships": [_relationship(tables, r, units[r.parent]) for r in tables.relationships],
        "times": times,
        "notes": [note for notes in times.values() for note in notes if " is learned as " in note],
        "personal": found,
        "csv": next(filter(None, map(sources.csv_dialect, real.described.sources.values())), None),
        "catalogue": {name: sources.declarations(each) for name, each in real.described.sources.items()},
        "undecided": open_,
    }


def _times(tables: Tables) -> dict[str, list[str]]:
    """Say how the times of each table with parents are learned, by the relationship that determines its rows."""
    generated = order(tables)
    _, layouts = lay_out(tables, generated)
    said = {r.name: clock_notes(table, layouts[table]) for table, r in generated.driver.items()}
    return {name: notes for name, notes in said.items() if notes}


def _relationship(tables: Tables, r: Relationship, units: np.ndarray | None) -> dict[str, Any]:
    at, children = tables.parents(r), tables.children(r)
    shown = published(children, units, RARE_UNITS)
    quantiles = [int(q) for q in np.quantile(shown, [0, 0.25, 0.5, 0.75, 1], method="nearest")] if len(shown) else []
    nulls = float((at < 0).mean()) if len(at) else 0.0
    return {
        "name": r.name,
        "null_share": round(nulls, 6),
        "children": quantiles,
        "without_children": int((children == 0).sum()),
    }
