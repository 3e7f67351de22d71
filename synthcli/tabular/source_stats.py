"""Size and schema of a source without reading all of it: from the profile of an earlier run, or from its first rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import pyarrow as pa

from synthcli import sources
from synthcli.columns.discovery.infer import look as infer_traits
from synthcli.columns.discovery.infer import parse
from synthcli.columns.pii import rare_words
from synthcli.columns.table import Table
from synthcli.contracts.modality import Json, Size
from synthcli.contracts.schema import Schema, Traits
from synthcli.sources import csv, head, sampling
from synthcli.tabular.source import Described

HEAD_ROWS = 5_000  # rows from which types are inferred


def look(described: Described, profile: Json) -> Size:
    """Estimate the size and the schema of a source. profile: of an earlier run, {} for none. Raises DataError if the
    first rows are damaged.
    """
    source = described.source
    if described.schema is not None:
        return Size(len(described.schema.columns), described.schema, 0, True, None, {})
    if profile:
        schema = Schema.from_json(profile["schema"])  # type: ignore[arg-type]
        stored, undecided = head.stored_bytes(source), cast(list[dict[str, object]], profile.get("undecided", []))
        return Size(len(schema.columns), schema, profile["rows"], True, stored, profile["parts"], undecided)  # type: ignore[arg-type]
    table, rows, exact = head.first_rows(source)
    seen = Size(len(sources.columns(source)), stored=head.stored_bytes(source))
    if table is None or rows is None:
        return seen
    known = first(source, table, described.columns, unit=described.unit)
    used = _used(source, rows, table.nbytes / max(1, len(table)))
    parts = {name: round(used * share) for name, share in described.parts.items() if share > 0}
    undecided = [one.to_json() for one in rare_words.undecided(known.schema, known.frame, known.units())]
    return replace(seen, schema=known.schema, records=rows, exact=exact, parts=parts, undecided=undecided)


def first(
    source: sources.Source,
    table: pa.Table,
    declared: Mapping[str, Traits],
    *,
    unit: str | None = None,
    holder: str | None = None,
) -> Table:
    """The first rows as the whole would be inferred. table: of the source; unit, holder: as for infer.parse."""
    some = table.slice(0, HEAD_ROWS)
    if source.type == "csv":
        some = csv.finished(some, source)
    unit = unit if unit in some.column_names else None
    schema, frame = parse(some, declared, unit=unit, text=sources.spelled(source), holder=holder)
    return Table(frame, infer_traits(schema, frame))


def _used(source: sources.Source, rows: int, each: float) -> int:
    """Number of rows that a run uses, given the rows of the source and the bytes of each in memory."""
    fits = rows if rows * each <= sampling.LIMIT else min(sampling.ROWS, int(sampling.LIMIT / each))
    return min(rows, source.max_rows if source.max_rows is not None else fits)
