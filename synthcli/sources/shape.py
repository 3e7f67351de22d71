"""The columns of a source as the spec wants them: names for nameless and repeated columns, nested values flattened or
left out, and columns that are not read.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.errors import DataError, did_you_mean

if TYPE_CHECKING:
    from synthcli.sources.source import Source


def header(names: Sequence[str], source: Source, where: Path | str) -> list[str]:
    """The names of a header. A leading nameless column is an index, as pandas writes it; other nameless ones and
    repeated ones are named by `repair_names`: column_3, kind_2. Raises DataError without it.
    """
    found = _indexes(names)
    if source.repair_names:
        found = list(_repaired(found))
    check_names(found, where)
    return found


def check_names(names: Sequence[str], where: Path | str) -> None:
    """Raise DataError for a column without a name or a duplicate name."""
    repair = "source.repair_names: true, which names it"
    for position, name in enumerate(names, 1):
        if not name:
            raise DataError(
                f"{where}: column {position} of {len(names)} has no name; remedy: a name in the header, or {repair}"
                f" column_{position}"
            )
    for name, times in Counter(names).items():
        if times > 1:
            raise DataError(
                f"{where}: {times} columns are named {name}; remedy: names that differ, or {repair} {name}_2"
            )


def _indexes(names: Sequence[str]) -> list[str]:
    """Name leading empty columns of a header, which pandas writes for an unnamed index: `index` and, by position,
    `unnamed_2`, .... Others stay unchanged.
    """
    blank = next((i for i, name in enumerate(names) if name), 0)  # 0 also if all names are empty
    found = list(names)
    for i in range(blank):
        found[i] = "index" if i == 0 and "index" not in names else f"unnamed_{i + 1}"
    return found


def _repaired(names: Sequence[str]) -> Iterator[str]:
    taken: set[str] = set(names)
    seen: Counter[str] = Counter()
    for position, name in enumerate(names, 1):
        seen[name] += 1
        if name and seen[name] == 1:
            yield name
            continue
        number = position if not name else seen[name]
        while (made := f"{name or 'column'}_{number}") in taken:
            number += 1
        taken.add(made)
        yield made


def nested(type_: pa.DataType) -> bool:
    """Whether values of a type hold further values: objects, lists, maps."""
    return bool(pa.types.is_nested(type_))


def flat(table: pa.Table, source: Source, where: Path | str) -> pa.Table:
    """A table of plain values. `nested: flatten`: the fields of an object become columns (who.kind), lists and maps
    become their JSON text; `nested: drop`: such columns are left out. Raises DataError for nested columns without it.
    """
    if source.nested is None or not any(nested(field.type) for field in table.schema):
        check_plain(table.schema, where, but=source.dropped)
        return table
    if source.nested == "drop":
        table = table.select([field.name for field in table.schema if not nested(field.type)])
    while any(pa.types.is_struct(field.type) for field in table.schema):
        table = table.flatten()
    for i, field in enumerate(table.schema):
        if nested(field.type):
            table = table.set_column(i, field.name, _as_json(table.column(i)))
    check_names(table.column_names, where)
    check_plain(table.schema, where, but=source.dropped)
    return table


def _as_json(array: pa.ChunkedArray) -> pa.Array:
    words = [None if v is None else json.dumps(v, default=str, ensure_ascii=False) for v in array.to_pylist()]
    return pa.array(words, pa.string())


def check_plain(schema: pa.Schema, where: Path | str, *, but: frozenset[str] = frozenset()) -> None:
    """Raise DataError for columns that hold lists, objects or bytes. but: columns that are not read."""
    for field in schema:
        if field.name in but:
            continue
        try:
            frames.kind_of(field.type)
        except DataError as error:
            raise DataError(f"{where}: column {field.name} {error}") from None


def kept(names: Sequence[str], source: Source) -> list[str]:
    """The columns that are read. Raises DataError for a dropped column that does not exist, and if none is left."""
    for name in sorted(source.dropped):
        if name not in names:
            shown = ", ".join(list(names)[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
            raise DataError(
                f"columns.{name}: drop: true, but {source.where} has no such column.{did_you_mean(name, names)}"
                f" Columns: {shown}"
            )
    left = [name for name in names if name not in source.dropped]
    if source.dropped and not left:
        raise DataError(f"{source.where}: every column is dropped; remedy: keep one")
    return left
