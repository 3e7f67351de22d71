"""Write rows to tables of a database. Readers see either the old or the new rows.

A table that exists keeps its key, types, indexes, grants, views and triggers: only its rows are exchanged, in one
transaction, or an error names the column that does not fit and nothing is changed. A table that is missing is created
with the keys that the source or the spec declares.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.spelling import writing
from synthcli.contracts.schema import Schema
from synthcli.contracts.tables import DeclaredTable
from synthcli.errors import DataError
from synthcli.sources import database
from synthcli.sources.database import split_table
from synthcli.sources.exchange import arrow, created
from synthcli.sources.exchange.created import NewTable
from synthcli.sources.exchange.standing import Pairs, Staged, Standing, matched
from synthcli.sources.exchange.writer import Writer

if TYPE_CHECKING:
    import pandas as pd

    from synthcli.contracts.modality import Target

Note = Callable[[str], None]
SINGLE = ""  # the key of the only table in Target.declared
_WRITERS = {"sqlite": "Sqlite", "duckdb": "Duckdb", "postgresql": "Postgresql"}


@dataclass(frozen=True)
class _Rows:
    """The rows of one table: canonical frames of a schema."""

    chunks: Iterator[pd.DataFrame]
    schema: Schema

    def empty(self, kind: str) -> pa.Table:
        """A table without rows, with the types of the database."""
        return arrow.plain(frames.arrow_schema(self.schema).empty_table(), kind)

    def tables(self, kind: str) -> Iterator[pa.Table]:
        """The rows, with the types of the database."""
        return (arrow.plain(frames.to_arrow(chunk, self.schema), kind) for chunk in self.chunks)


def write(chunks: Iterator[pd.DataFrame], schema: Schema, target: Target, note: Note | None = None) -> int:
    """Write canonical frames to the table; return the number of rows written. note: is told what differs.

    Raises DataError, and TryLater if the database is not reachable.
    """
    assert target.table is not None  # the spec was checked
    declared = {target.table: target.declared.get(SINGLE, DeclaredTable())}
    return _write({target.table: _Rows(*writing.as_source(chunks, schema))}, target, declared, note)[target.table]


def write_all(
    tables: Mapping[str, tuple[Iterator[pd.DataFrame], Schema]], target: Target, note: Note | None = None
) -> dict[str, int]:
    """Write related tables, all or none of them; return the rows of each. note: is told what differs.

    if_exists: replace or fail. Raises DataError, and TryLater if the database is not reachable.
    """
    declared = {name: target.declared.get(name, DeclaredTable()) for name in tables}
    return _write({name: _Rows(*writing.as_source(*each)) for name, each in tables.items()}, target, declared, note)


def storable(table: pa.Table) -> pa.Table:
    """The values of a table as a database holds them: datetimes to the microsecond."""
    return arrow.plain(table, "")


def _write(
    tables: Mapping[str, _Rows], target: Target, declared: Mapping[str, DeclaredTable], note: Note | None
) -> dict[str, int]:
    base = database.opened(target.url, "output.url", target.folder)
    where = {name: replace(target, table=name).where for name in tables}
    with base.writing() as connection:
        module = importlib.import_module(f"synthcli.sources.exchange.{base.kind}")
        writer: Writer = getattr(module, _WRITERS[base.kind])(base, connection, where)
        with writer.session():
            for name, rows in tables.items():  # before any row is generated
                if (found := _standing(writer, name, target)) is not None:
                    matched(where[name], found, rows.schema.names)
            staged = {
                name: writer.stage(i, rows.empty(base.kind), rows.tables(base.kind))
                for i, (name, rows) in enumerate(tables.items())
            }
            notes = _exchanged(writer, tables, staged, target, declared)
    if note is not None:
        for text in notes:
            note(text)
    return {name: each.rows for name, each in staged.items()}


def _standing(writer: Writer, name: str, target: Target) -> Standing | None:
    """The table if it exists. Raises DataError if it must not."""
    found = writer.standing(name)
    if found is not None and target.if_exists == "fail":
        raise DataError(
            f"{writer.where[name]} exists, and output.if_exists is fail; remedy: another table, or if_exists: replace"
        )
    return found


def _exchanged(
    writer: Writer,
    tables: Mapping[str, _Rows],
    staged: Mapping[str, Staged],
    target: Target,
    declared: Mapping[str, DeclaredTable],
) -> list[str]:
    """Exchange the rows of the tables that exist and create the others; return what to note."""
    with writer.exchanging():
        found = {name: _standing(writer, name, target) for name in tables}
        standing = {name: each for name, each in found.items() if each is not None}
        known = {name: standing[name].declared if name in standing else declared[name] for name in tables}
        order, closing = created.in_order(
            list(tables), {name: {key.table for key in each.foreign} for name, each in known.items()}
        )
        notes: list[str] = []
        pairs: dict[str, Pairs] = {}
        for name, each in standing.items():
            pairs[name], computed = matched(writer.where[name], each, tables[name].schema.names)
            notes += [f"{name}.{column}: its values are computed by the database" for column in computed]
        new = _definitions(writer, declared, staged, standing, [name for name in order if name not in standing])
        if not writer.CYCLES:
            new = {name: _without(each, closing) for name, each in new.items()}
        if target.if_exists != "append":
            writer.clear([standing[name] for name in reversed(order) if name in standing])
        for name in order:
            if name in new:
                writer.create(name, new[name].parts(writer, with_foreign=not writer.FOREIGN_LATER))
                made = writer.standing(name)
                assert made is not None  # it was just created
                standing[name], pairs[name] = made, matched(writer.where[name], made, tables[name].schema.names)[0]
            writer.insert(standing[name], staged[name], pairs[name], append=target.if_exists == "append")
        if writer.FOREIGN_LATER:
            for name, table in new.items():
                for key in table.foreign:
                    writer.add_foreign(name, key)
        writer.finish([standing[name] for name in order])
    return notes + [text for table in new.values() for text in table.notes]


def _definitions(
    writer: Writer,
    declared: Mapping[str, DeclaredTable],
    staged: Mapping[str, Staged],
    standing: Mapping[str, Standing],
    names: list[str],
) -> dict[str, NewTable]:
    """The definitions of the tables to create, parents before children."""
    new = {name: created.new_table(writer, name, declared[name], staged[name]) for name in names}
    outside: dict[str, Standing] = {}
    for name in names:
        for key in declared[name].foreign:
            other = writer.sibling(name, key.table)
            if key.table not in declared and (there := _there(writer, other)) is not None:
                outside[key.table] = there
    for name in names:
        new[name] = created.linked(writer, new[name], declared[name], staged, new, {**standing, **outside})
    return new


def _there(writer: Writer, table: str) -> Standing | None:
    """A table that is not written; None if there is none."""
    return None if table in writer.where else writer.standing(table)


def _without(table: NewTable, closing: set[tuple[str, str]]) -> NewTable:
    """The table without the foreign keys that close a cycle, which this database cannot declare."""
    bare = {(child, split_table(parent)[1]) for child, parent in closing}
    out = [key for key in table.foreign if (table.table, split_table(key.table)[1]) in bare]
    notes = [
        f"{table.table}: the foreign key ({', '.join(key.columns)}) to {key.table} is left out: DuckDB has no foreign"
        " keys in a cycle"
        for key in out
    ]
    return replace(table, foreign=tuple(k for k in table.foreign if k not in out), notes=(*table.notes, *notes))
