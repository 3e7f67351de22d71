"""Databases: a table or a query of SQLite, DuckDB or PostgreSQL, copied once with its types to a local Parquet file,
then read from there.

The copy is a consistent snapshot, in primary key order if there is a primary key, and lasts as long as its Source. A
query may only read: it is one SELECT (or WITH), in a read-only transaction or connection.
"""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from synthcli.errors import DataError
from synthcli.sources import database, files, parquet, shape
from synthcli.sources.database import Database

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = False
_ROWS = 20_000  # fetched at a time
_POSTGRES: dict[int, pa.DataType] = {  # by object identifier of the type; all others arrive as strings or are rejected
    16: pa.bool_(),
    21: pa.int16(),
    23: pa.int32(),
    20: pa.int64(),
    26: pa.int64(),
    700: pa.float32(),
    701: pa.float64(),
    1082: pa.date32(),
    1083: pa.time64("us"),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
    1186: pa.duration("us"),
    18: pa.string(),
    19: pa.string(),
    25: pa.string(),
    1042: pa.string(),
    1043: pa.string(),
    2950: pa.string(),
    869: pa.string(),
    650: pa.string(),
}
_NUMERIC = 1700
_MONEY = 790
_FIRST_OWN = 16_384  # from here on types are user-defined: enums


def columns(source: Source) -> list[str]:
    """The column names, without reading rows."""
    base = database.opened(source.url, "source.url", source.folder)
    query = _query(base, source)
    with base.reading() as connection:
        if base.kind == "duckdb":
            return [name for name, *_ in connection.execute(f"DESCRIBE {query}").fetchall()]
        return list(base.run(connection, query).keys())


def batches(source: Source) -> Iterator[pa.Table]:
    """Read the rows with their types. Raises DataError for unsupported types."""
    try:
        yield from parquet.batches(_copy(source), source)
    except DataError as error:
        raise DataError(str(error).replace(str(_copy(source)), source.where)) from None


def fingerprint(source: Source) -> bytes:
    """BLAKE2b of the rows."""
    return files.digest(_copy(source))


def _copy(source: Source) -> Path:
    if "copy" not in source.kept:
        folder = tempfile.TemporaryDirectory(prefix="synth-")  # 0700; removed with the source
        path = Path(folder.name) / "rows.parquet"
        base = database.opened(source.url, "source.url", source.folder)
        with base.reading() as connection:
            tables = (
                _from_duckdb(connection, _query(base, source), source)
                if base.kind == "duckdb"
                else _rows(base, connection, source)
            )
            first = next(tables)
            shape.check_names(first.column_names, source.where)
            with pq.ParquetWriter(path, first.schema, compression="zstd") as writer:
                for table in itertools.chain([first], tables):
                    writer.write_table(table)
        source.kept["copy"] = (folder, path)
    path = source.kept["copy"][1]
    assert isinstance(path, Path)
    return path


def _query(base: Database, source: Source) -> str:
    """The query to run. Raises SpecError if it is not read-only."""
    if source.query is not None:
        return database.one_select(source.query)
    assert source.table is not None  # checked with the spec
    order = ", ".join(database.quoted(name) for name in base.primary_key(source.table))
    return f"SELECT * FROM {base.quoted_table(source.table)}" + (f" ORDER BY {order}" if order else "")


def _from_duckdb(connection: Any, query: str, source: Source) -> Iterator[pa.Table]:
    spans = [name for name, kind, *_ in connection.execute(f"DESCRIBE {query}").fetchall() if kind == "INTERVAL"]
    if spans:  # Arrow has no durations in months
        exact = ", ".join(f"epoch_us({quoted}) AS {quoted}" for quoted in map(database.quoted, spans))
        query = f"SELECT * REPLACE ({exact}) FROM ({query})"
    reader = connection.sql(query).to_arrow_reader(_ROWS)
    schema = pa.schema(
        [pa.field(f.name, pa.duration("us") if f.name in spans else _plain(f.type)) for f in reader.schema]
    )
    _check_plain(schema, source)
    yield schema.empty_table()
    for batch in reader:
        yield pa.Table.from_batches([batch]).cast(schema)


def _plain(kind: pa.DataType) -> pa.DataType:
    """Convert enums to strings."""
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _rows(base: Database, connection: Any, source: Source) -> Iterator[pa.Table]:
    query = _query(base, source)
    if base.kind == "postgresql":
        query = _money_as_number(base, connection, query)
    result = base.run(connection, query, _converted(base, source))
    names = list(result.keys())
    types = _postgres_types(result, source) if base.kind == "postgresql" else _sqlite_types(base, source, names)
    schema = pa.schema(list(zip(names, types)))
    _check_plain(schema, source)
    yield schema.empty_table()
    while block := result.fetchmany(_ROWS):
        yield pa.Table.from_arrays([_array(cells, f, source) for cells, f in zip(zip(*block), schema)], schema=schema)


def _money_as_number(base: Database, connection: Any, query: str) -> str:
    """The query with its columns of type money as exact numbers, whatever the locale writes them like."""
    described = base.run(connection, f"SELECT * FROM ({query}) AS q LIMIT 0")
    kinds = [(column.name, column.type_code) for column in described.cursor.description]
    described.close()
    names = [name for name, _ in kinds]
    if _MONEY not in {kind for _, kind in kinds} or len(set(names)) < len(names):
        return query
    digits = base.run(connection, "SELECT scale(0::money::numeric)").fetchone()[0]
    cells = [
        f"{database.quoted(n)}::numeric(19, {digits}) AS {database.quoted(n)}" if kind == _MONEY else database.quoted(n)
        for n, kind in kinds
    ]
    return f"SELECT {', '.join(cells)} FROM ({query}) AS q"


def _array(cells: tuple[Any, ...], field: pa.Field, source: Source) -> pa.Array:
    try:
        if pa.types.is_string(field.type):
            return pa.array([None if c is None else str(c) for c in cells], field.type)
        if pa.types.is_float64(field.type):  # also of decimals without a scale
            return pa.array([None if c is None else float(c) for c in cells], field.type)
        return pa.array(cells, field.type)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError, TypeError) as error:
        reason = str(error).splitlines()[0][:120]
        raise DataError(
            f"{source.where}: column {field.name} is {field.type}, but a value does not fit: {reason}; remedy: CAST it"
            " in source.query"
        ) from None


def _check_plain(schema: pa.Schema, source: Source) -> None:
    shape.check_plain(schema, source.where, but=source.dropped)


def _postgres_types(result: Any, source: Source) -> list[pa.DataType]:
    found = []
    for column in result.cursor.description:
        oid = column.type_code
        if oid == _NUMERIC:
            exact = column.precision is not None and column.precision <= 76
            wide = pa.decimal128 if exact and column.precision <= 38 else pa.decimal256
            found.append(wide(column.precision, column.scale) if exact else pa.float64())
        elif oid in _POSTGRES or oid >= _FIRST_OWN:
            found.append(_POSTGRES.get(oid, pa.string()))
        else:
            raise DataError(
                f"{source.where}: column {column.name} has the type {column.type_display}, which is not a plain value; "
                "remedy: leave it out, or CAST it, in source.query"
            )
    return found


def _converted(base: Database, source: Source) -> dict[str, Any]:
    """SQLAlchemy types of the columns of a SQLite table from its declaration, which distinguishes dates and booleans
    from text and numbers.
    """
    if base.kind != "sqlite" or source.table is None:
        return {}
    import sqlalchemy as sa

    kinds = (sa.Boolean, sa.Date, sa.DateTime, sa.Time)
    declared = _as_declared(base, source)
    return {name: said for name, said in declared.items() if isinstance(said, kinds) or _exact(said)}


def _as_declared(base: Database, source: Source) -> dict[str, Any]:
    """The declared types of a table's columns, except dates and booleans with values in another format."""
    import sqlalchemy as sa

    declared = {c["name"]: c["type"] for c in base.declared(source.table or "")}
    day, time = "-".join(["[0-9]" * 4, "[0-9]" * 2, "[0-9]" * 2]), ":".join(["[0-9]" * 2] * 2)
    spelled = (
        (sa.Boolean, "{0} IN (0, 1)"),
        (sa.DateTime, f"{{0}} GLOB '{day}[ T]{time}*' OR {{0}} GLOB '{day}'"),
        (sa.Date, f"{{0}} GLOB '{day}'"),
        (sa.Time, f"{{0}} GLOB '{time}*'"),
    )
    checks = {
        name: test.format(database.quoted(name))
        for name, said in declared.items()
        for kind, test in spelled
        if isinstance(said, kind)
    }
    if not checks:
        return declared
    with base.reading() as connection:
        fits = ", ".join(f"min(coalesce({test}, 1))" for test in checks.values())
        row = base.run(connection, f"SELECT {fits} FROM {base.quoted_table(str(source.table))}").fetchone()
    return {name: said for name, said in declared.items() if name not in checks or row[list(checks).index(name)] != 0}


def _exact(said: Any) -> bool:
    """Whether an SQLAlchemy type is a decimal that a float holds exactly, which is how SQLite stores it."""
    import sqlalchemy as sa

    return (
        isinstance(said, sa.Numeric)
        and not isinstance(said, sa.Float)
        and said.precision is not None
        and said.precision <= 15
    )


def _sqlite_types(base: Database, source: Source, names: list[str]) -> list[pa.DataType]:
    """The type of each column by its declaration, else by its values: SQLite stores a type with each value."""
    import sqlalchemy as sa

    declared = _as_declared(base, source) if source.table is not None else {}
    known = (
        (sa.Boolean, pa.bool_()),
        (sa.DateTime, pa.timestamp("us")),
        (sa.Date, pa.date32()),
        (sa.Time, pa.time64("us")),
    )
    found: list[pa.DataType] = []
    unknown: list[int] = []
    for i, name in enumerate(names):
        said = declared.get(name)
        exact = _exact(said)
        kind = next((arrow for sql, arrow in known if isinstance(said, sql)), None)
        if said is not None and exact:
            kind = pa.decimal128(said.precision, said.scale or 0)
        found.append(kind or pa.null())
        if kind is None or exact:
            unknown.append(i)
    if unknown:
        held = _held(base, _query(base, source), [names[i] for i in unknown])
        for i, kinds in zip(unknown, held):
            if pa.types.is_decimal(found[i]) and kinds <= {"integer", "real"}:
                continue
            said = declared.get(names[i])
            found[i] = _of_values(
                kinds, said is not None and isinstance(said, sa.Numeric), f"{source.where}: column {names[i]}"
            )
    return found


def _held(base: Database, query: str, names: list[str]) -> list[set[str]]:
    """The types of the non-null values of each column."""
    aggregates = ", ".join(f"group_concat(DISTINCT typeof({database.quoted(n)}))" for n in names)
    with base.reading() as connection:
        row = base.run(connection, f"SELECT {aggregates} FROM ({query})").fetchone()
    return [set((cell or "").split(",")) - {"", "null"} for cell in row]


def _of_values(kinds: set[str], fraction: bool, where: str) -> pa.DataType:
    if "blob" in kinds:
        raise DataError(
            f"{where} holds bytes (blob), which are not a plain value; remedy: leave it out in source.query"
        )
    if kinds == {"integer"} and not fraction:
        return pa.int64()
    if kinds and kinds <= {"integer", "real"}:
        return pa.float64()
    return pa.string() if kinds else (pa.float64() if fraction else pa.null())
