"""Write rows to a table of a database: a new table is filled beside the old one and replaces it in one transaction.

Readers see either the old or the new rows. append adds all rows in one transaction. In PostgreSQL an existing table
with these columns keeps its types, grants, indexes and views, and only its rows are replaced in that transaction. In
other databases the objects that depend on the old table are dropped with it.
"""

from __future__ import annotations

import contextlib
import io
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv

from synthcli.columns import frame as frames
from synthcli.columns.spelling import writing
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError
from synthcli.sources import database
from synthcli.sources.database import Database, split_table

if TYPE_CHECKING:
    import pandas as pd

    from synthcli.contracts.modality import Target

_WIDER = {
    ("smallint", "integer"),
    ("smallint", "bigint"),
    ("integer", "bigint"),
    ("bigint", "numeric"),
    ("real", "double precision"),
    ("double precision", "numeric"),
}
_SPELLED = ("uuid", "inet", "cidr", "macaddr")  # types of PostgreSQL that are read and written as strings
_NAME = 55  # maximum length of a table name, so that __new fits into the 63 letters of PostgreSQL


def write(chunks: Iterator[pd.DataFrame], schema: Schema, target: Target) -> int:
    """Write canonical frames to the table; return the number of rows written. Raises DataError, and TryLater if the
    database is not reachable.
    """
    assert target.table is not None  # the spec was checked
    base = database.opened(target.url, "output.url", target.folder)
    chunks, schema = writing.as_source(chunks, schema)
    if len(split_table(target.table)[1]) > _NAME:
        raise DataError(f"output.table is {target.table}; expected at most {_NAME} letters")
    tables = (_plain(frames.to_arrow(chunk, schema), base) for chunk in chunks)
    empty = _plain(frames.arrow_schema(schema).empty_table(), base)
    with base.writing() as connection:
        stands = _exists(base, connection, target)
        if stands and target.if_exists == "fail":
            raise DataError(
                f"{target.where} exists, and output.if_exists is fail; remedy: another table, or if_exists: replace"
            )
        if stands and target.if_exists == "append":
            _check_columns(base, target, schema.names)
            with _transaction(base, connection):
                return _insert(base, connection, target.table, tables)
        return _replace(base, connection, target.table, empty, tables)


def write_all(tables: Mapping[str, tuple[Iterator[pd.DataFrame], Schema]], target: Target) -> dict[str, int]:
    """Write related tables, parents before children, and replace the tables of the same names all at once; return the
    rows of each.

    if_exists: replace or fail. Raises DataError, and TryLater if the database is not reachable.
    """
    base, written = database.opened(target.url, "output.url", target.folder), dict[str, int]()
    if long := [name for name in tables if len(split_table(name)[1]) > _NAME]:
        raise DataError(f"source.tables.{long[0]}: expected at most {_NAME} letters for a table of a database")
    each = {name: replace(target, table=name) for name in tables}
    with base.writing() as connection:
        stands = [name for name in tables if _exists(base, connection, each[name])]
        if stands and target.if_exists == "fail":
            raise DataError(
                f"{each[stands[0]].where} exists, and output.if_exists is fail; remedy: another database, or if_exists:"
                " replace"
            )
        with _beside_them(base, connection, list(tables)):
            for name, given in tables.items():
                chunks, schema = writing.as_source(*given)
                rows = (_plain(frames.to_arrow(chunk, schema), base) for chunk in chunks)
                written[name] = _filled(
                    base, connection, name, _plain(frames.arrow_schema(schema).empty_table(), base), rows
                )
            _swapped(base, connection, list(tables))
    return written


def _beside(table: str) -> str:
    """The name of the temporary table for a table."""
    schema, name = split_table(table)
    return ".".join(part for part in (schema, f"{name}__new") if part is not None)


def _replace(base: Database, connection: Any, table: str, empty: pa.Table, tables: Iterator[pa.Table]) -> int:
    with _beside_them(base, connection, [table]):
        rows = _filled(base, connection, table, empty, tables)
        new, old = base.quoted_table(_beside(table)), base.quoted_table(table)
        if base.kind == "postgresql" and (values := _fitting(connection, new, old)) is not None:
            with _transaction(base, connection):
                _exchange(connection, new, old, values)
        else:
            _swapped(base, connection, [table])
        return rows


@contextlib.contextmanager
def _beside_them(base: Database, connection: Any, names: Sequence[str]) -> Iterator[None]:
    """A context to fill temporary tables and swap them in; on failure it drops all of them."""
    try:
        yield
    except BaseException:
        for name in names:
            with contextlib.suppress(*database._failures()):  # report the first error
                _say(connection, f"DROP TABLE IF EXISTS {base.quoted_table(_beside(name))}")
        raise


def _filled(base: Database, connection: Any, name: str, empty: pa.Table, tables: Iterator[pa.Table]) -> int:
    """Create and fill the temporary table; return its number of rows."""
    _say(connection, f"DROP TABLE IF EXISTS {base.quoted_table(_beside(name))}")  # left by a killed run
    _create(base, connection, _beside(name), empty)
    with _transaction(base, connection):
        return _insert(base, connection, _beside(name), tables)


def _swapped(base: Database, connection: Any, names: Sequence[str]) -> None:
    """Swap in the temporary tables, all at once. names: parents before children."""
    if base.kind == "sqlite":
        _say(connection, "PRAGMA legacy_alter_table = ON")  # keep views of the tables unchanged
    with _transaction(base, connection):
        for name in reversed(names):  # children first: they may refer to parents
            _say(connection, f"DROP TABLE IF EXISTS {base.quoted_table(name)}")
        for name in names:
            _say(
                connection,
                f"ALTER TABLE {base.quoted_table(_beside(name))} RENAME TO {database.quoted(split_table(name)[1])}",
            )


def _fitting(connection: Any, new: str, old: str) -> dict[str, str] | None:
    """For PostgreSQL, the expression over the new table for each column of the old one; None if the old table cannot
    hold these rows.
    """
    statement = """SELECT attname, format_type(atttypid, atttypmod), typtype = 'e', attgenerated <> ''
               FROM pg_attribute JOIN pg_type t ON t.oid = atttypid
               WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped"""
    made, there = (
        {name: rest for name, *rest in connection.exec_driver_sql(statement, (table,)).fetchall()}
        for table in (new, old)
    )
    if made.keys() != there.keys():
        return None
    values = {}
    for name, (kind, is_enum, generated) in there.items():
        given, column = made[name][0], database.quoted(name)
        spelled = given == "text" and (is_enum or kind in _SPELLED)
        takes = given == kind or (given, kind) in _WIDER or (given == "text" and kind.startswith("character"))
        if generated or not (spelled or takes):
            return None
        values[column] = f"{column}::{kind}" if spelled else column
    return values


def _exchange(connection: Any, new: str, old: str, values: dict[str, str]) -> None:
    """Replace the rows of the old table by those of the new one."""
    _say(connection, f"LOCK TABLE {old} IN EXCLUSIVE MODE")  # writers wait, readers do not
    _say(connection, f"DELETE FROM {old}")
    _say(
        connection,
        f"INSERT INTO {old} ({', '.join(values)}) OVERRIDING SYSTEM VALUE SELECT {', '.join(values.values())} FROM"
        f" {new}",
    )
    _say(connection, f"DROP TABLE {new}")


@contextlib.contextmanager
def _transaction(base: Database, connection: Any) -> Iterator[None]:
    _say(connection, "BEGIN IMMEDIATE" if base.kind == "sqlite" else "BEGIN")
    try:
        yield
        _say(connection, "COMMIT")
    except BaseException:
        with contextlib.suppress(*database._failures()):
            _say(connection, "ROLLBACK")
        raise


def _say(connection: Any, statement: str) -> None:
    if hasattr(connection, "exec_driver_sql"):
        connection.exec_driver_sql(statement)
    else:
        connection.execute(statement)


def _exists(base: Database, connection: Any, target: Target) -> bool:
    """Whether the table exists. Raises DataError if a view has its name."""
    schema, name = split_table(str(target.table))
    if base.kind == "duckdb":
        statement = (
            "SELECT table_type FROM information_schema.tables WHERE table_name = ? AND table_schema = coalesce(?,"
            " current_schema())"
        )
        found = connection.execute(statement, [name, schema]).fetchone()
        table, view = found is not None and found[0] != "VIEW", found is not None and found[0] == "VIEW"
    else:
        import sqlalchemy as sa

        inspector = sa.inspect(connection)
        table, view = inspector.has_table(name, schema=schema), name in inspector.get_view_names(schema=schema)
    if view:
        raise DataError(f"{target.where} is a view; remedy: another output.table")
    return bool(table)


def _check_columns(base: Database, target: Target, names: list[str]) -> None:
    table = str(target.table)
    if base.kind == "duckdb":
        return  # its own message names the column
    known = {c["name"] for c in base.declared(table)}
    if lacks := [n for n in names if n not in known]:
        raise DataError(f"{target.where} has no column {lacks[0]}; remedy: if_exists: replace, or another table")


def _create(base: Database, connection: Any, table: str, empty: pa.Table) -> None:
    if base.kind == "duckdb":
        connection.register("synth_rows", empty.to_reader())
        connection.execute(f"CREATE TABLE {base.quoted_table(table)} AS SELECT * FROM synth_rows")
        connection.unregister("synth_rows")
        return
    import sqlalchemy as sa

    schema, name = split_table(table)
    columns = [sa.Column(f.name, _sql_type(f.type), autoincrement=False) for f in empty.schema]
    sa.Table(name, sa.MetaData(), *columns, schema=schema).create(connection)


def _insert(base: Database, connection: Any, table: str, tables: Iterator[pa.Table]) -> int:
    add = {"duckdb": _by_arrow, "postgresql": _by_copy, "sqlite": _by_rows}[base.kind]
    rows = 0
    for some in tables:
        if len(some):
            add(base, connection, table, some)
        rows += len(some)
    return rows


def _by_arrow(base: Database, connection: Any, table: str, rows: pa.Table) -> None:
    names = ", ".join(database.quoted(n) for n in rows.column_names)
    connection.register("synth_rows", rows.to_reader())
    connection.execute(f"INSERT INTO {base.quoted_table(table)} ({names}) SELECT {names} FROM synth_rows")
    connection.unregister("synth_rows")


def _by_copy(base: Database, connection: Any, table: str, rows: pa.Table) -> None:
    names = ", ".join(database.quoted(n) for n in rows.column_names)
    text = io.BytesIO()
    spelled = pa.table([_copied(c) for c in rows.columns], names=rows.column_names)
    pyarrow.csv.write_csv(spelled, text, pyarrow.csv.WriteOptions(include_header=False))
    cursor = connection.connection.cursor()
    with cursor.copy(f"COPY {base.quoted_table(table)} ({names}) FROM STDIN (FORMAT csv)") as copy:
        copy.write(text.getbuffer())


def _copied(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert a table to the form that PostgreSQL's COPY reads: durations as microseconds."""
    if pa.types.is_duration(column.type):
        words = [
            None if c is None else f"{c} microseconds"
            for c in column.cast(pa.duration("us"), safe=False).cast(pa.int64()).to_pylist()
        ]
        return pa.chunked_array([pa.array(words, pa.string())])
    return column


def _by_rows(base: Database, connection: Any, table: str, rows: pa.Table) -> None:
    import sqlalchemy as sa

    schema, name = split_table(table)
    into = sa.table(name, *(sa.column(f.name, _sql_type(f.type)) for f in rows.schema), schema=schema)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that SQLite keeps decimals as floats
        connection.execute(sa.insert(into), rows.to_pylist())


def _plain(table: pa.Table, base: Database) -> pa.Table:
    """Convert a table to types of the database: dictionaries to their values; in SQLite, datetimes to UTC and durations
    to text.
    """
    return pa.table({name: _stored(column, base.kind) for name, column in zip(table.column_names, table.columns)})


def storable(table: pa.Table) -> pa.Table:
    """The values of a table as a database holds them: datetimes to the microsecond."""
    return pa.table({name: _stored(column, "") for name, column in zip(table.column_names, table.columns)})


def _stored(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    t = pa.types
    if t.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if t.is_null(column.type):
        return column.cast(pa.string())
    if t.is_timestamp(column.type):
        zone = None if kind == "sqlite" else column.type.tz
        return column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.timestamp("us", zone))
    if t.is_date(column.type):
        return column.cast(pa.date32())
    if t.is_time(column.type):
        return column.cast(pa.time64("us"), safe=False)
    if t.is_duration(column.type) and kind == "sqlite":
        words = [None if c is None else str(c) for c in column.cast(pa.duration("us"), safe=False).to_pylist()]
        return pa.chunked_array([pa.array(words, pa.string())])
    if t.is_float16(column.type):
        return column.cast(pa.float32())
    return column


def _sql_type(kind: pa.DataType) -> Any:
    import sqlalchemy as sa

    t = pa.types
    if t.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    if t.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if kind == pa.uint64():
        return sa.Numeric(20, 0)
    pairs: tuple[tuple[Any, Any], ...] = (
        (t.is_boolean, sa.Boolean()),
        (t.is_int8, sa.SmallInteger()),
        (t.is_int16, sa.SmallInteger()),
        (t.is_uint8, sa.SmallInteger()),
        (t.is_int32, sa.Integer()),
        (t.is_uint16, sa.Integer()),
        (t.is_integer, sa.BigInteger()),
        (t.is_float32, sa.REAL()),
        (t.is_floating, sa.Double()),
        (t.is_date, sa.Date()),
        (t.is_time, sa.Time()),
        (t.is_duration, sa.Interval()),
    )
    return next((sql for test, sql in pairs if test(kind)), sa.Text())
