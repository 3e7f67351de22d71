"""A source seen without being read: rows, columns and their types, from its profile where an earlier run made one, else
from its head.
"""

from __future__ import annotations

from dataclasses import replace

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.modality import Json, Size
from synthcli.contracts.schema import Schema
from synthcli.sources import csv, head, sampling
from synthcli.tabular.source import Described

LOOKED = 5_000  # rows that types are told from


def look(described: Described, profile: Json) -> Size:
    """What can be told about a source before it is read. profile: of an earlier run, {} for none. Raises DataError for
    a damaged head.
    """
    source = described.source
    if described.schema is not None:
        return Size(len(described.schema.columns), described.schema, 0, True, None, {})
    if profile:
        schema = Schema.from_json(profile["schema"])  # type: ignore[arg-type]
        return Size(len(schema.columns), schema, profile["rows"], True, head.stored_bytes(source), profile["parts"])  # type: ignore[arg-type]
    table, rows, exact = head.first_rows(source)
    seen = Size(len(sources.columns(source)), stored=head.stored_bytes(source))
    if table is None or rows is None:
        return seen
    some = table.slice(0, LOOKED)
    if source.type == "csv":
        some = csv.finished(some, source)
    unit = described.unit if described.unit in some.column_names else None
    schema, _ = infer(some, described.columns, unit=unit, text=sources.spelled(source))
    used = _used(source, rows, table.nbytes / max(1, len(table)))
    parts = {name: round(used * share) for name, share in described.parts.items() if share > 0}
    return replace(seen, schema=schema, records=rows, exact=exact, parts=parts)


def _used(source: sources.Source, rows: int, each: float) -> int:
    """Rows that are learned from and judged by, of so many with so many bytes each in memory."""
    fits = rows if rows * each <= sampling.LIMIT else min(sampling.ROWS, int(sampling.LIMIT / each))
    return min(rows, source.max_rows if source.max_rows is not None else fits)
