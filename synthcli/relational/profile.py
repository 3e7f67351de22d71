"""The profile of related tables: of each table, and of the relationships between them."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli.columns.pii import protect
from synthcli.columns.table import Table
from synthcli.contracts.modality import Json
from synthcli.contracts.modelling import Progress
from synthcli.relational.data import Tables
from synthcli.relational.relationships import Relationship
from synthcli.relational.source import RelatedReal
from synthcli.tabular.profile import profile as table_profile


def profile(real: RelatedReal, *, progress: Progress) -> Json:
    """A profile of each table, the relationships, what the constraints found, sizes of the parts in rows of the unit's
    table.
    """
    tables, units = real.tables, real.tables.units()
    each: dict[str, Any] = {}
    found: list[dict[str, Any]] = []
    for name, frame in tables.frames.items():
        table = Table(frame, tables.schemas[name])
        each[name] = {
            "rows": len(frame),
            "kept": name in tables.kept,
            "in_every_part": units[name] is None,
            "schema": table.schema.to_json(),
        }
        each[name] |= table_profile(table, progress=progress) if len(frame) else {}
        found += [{**one.to_json(), "column": f"{name}.{one.column}"} for one in protect.found(table.schema, frame)]
    return {
        "rows": real.source_rows,
        "schema": tables.schema.to_json(),
        "constraints": real.findings,
        "parts": {name: len(part) for name, part in real.parts.items()},
        "unit": list(tables.unit),
        "tables": each,
        "relationships": [_relationship(tables, r) for r in tables.relationships],
        "personal": found,
    }


def _relationship(tables: Tables, r: Relationship) -> dict[str, Any]:
    at, children = tables.parents(r), tables.children(r)
    quantiles = (
        [int(q) for q in np.quantile(children, [0, 0.25, 0.5, 0.75, 1], method="nearest")] if len(children) else []
    )
    nulls = float((at < 0).mean()) if len(at) else 0.0
    return {
        "name": r.name,
        "null_share": round(nulls, 6),
        "children": quantiles,
        "without_children": int((children == 0).sum()),
    }
