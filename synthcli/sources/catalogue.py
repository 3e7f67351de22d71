"""The catalogue of a database: the columns, keys and foreign keys that its tables declare."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import Any

from synthcli.contracts.tables import DeclaredColumn, DeclaredTable, ForeignKey
from synthcli.sources.database import Database, split_table

_DUCKDB_COLUMNS = """
    SELECT column_name, data_type, is_nullable FROM duckdb_columns()
    WHERE database_name = current_database() AND table_name = ? AND schema_name = coalesce(?, current_schema())
    ORDER BY column_index"""
_DUCKDB_CONSTRAINTS = """
    SELECT constraint_type, constraint_column_names, referenced_table, referenced_column_names
    FROM duckdb_constraints()
    WHERE database_name = current_database() AND table_name = ? AND schema_name = coalesce(?, current_schema())
    ORDER BY constraint_index"""
_DUCKDB_TABLES = """
    SELECT table_name FROM duckdb_tables()
    WHERE database_name = current_database() AND schema_name = current_schema() AND NOT internal
    ORDER BY table_oid"""


def tables(base: Database) -> list[str]:
    """The names of the tables in the default schema, without views, in the order of the catalogue."""
    with base.reading() as connection:
        if base.kind == "duckdb":
            return [name for (name,) in connection.execute(_DUCKDB_TABLES).fetchall()]
        import sqlalchemy as sa

        return sorted(sa.inspect(connection).get_table_names())


def describe(base: Database, table: str) -> DeclaredTable:
    """What the database declares about a table. Raises DataError if the table does not exist."""
    base.primary_key(table)  # raises for a table that does not exist
    with base.reading() as connection:
        return describe_on(base, connection, table)


def describe_on(base: Database, connection: Any, table: str) -> DeclaredTable:
    """What the database declares about a table that exists, over an open connection."""
    schema, name = split_table(table)
    if base.kind == "duckdb":
        return replace(_from_duckdb(connection, schema, name), kind=base.kind)
    import sqlalchemy as sa

    return replace(_from_inspector(sa.inspect(connection), connection.dialect, schema, name), kind=base.kind)


def _from_inspector(inspector: Any, dialect: Any, schema: str | None, name: str) -> DeclaredTable:
    key = tuple(inspector.get_pk_constraint(name, schema=schema).get("constrained_columns") or ())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of types that SQLAlchemy does not know
        found = inspector.get_columns(name, schema=schema)
    columns = tuple(
        DeclaredColumn(c["name"], _spelled(c["type"], dialect), bool(c["nullable"]) and c["name"] not in key)
        for c in found
    )
    unique = tuple(tuple(u["column_names"]) for u in inspector.get_unique_constraints(name, schema=schema))
    foreign = []
    for each in inspector.get_foreign_keys(name, schema=schema):
        keys = tuple(each["referred_columns"] or ())
        if not keys:  # SQLite: REFERENCES users, which means its primary key
            keys = tuple(inspector.get_pk_constraint(each["referred_table"]).get("constrained_columns") or ())
        if each.get("referred_schema") in (None, schema):
            foreign.append(ForeignKey(tuple(each["constrained_columns"]), each["referred_table"], keys))
    return DeclaredTable(columns, key, unique, tuple(foreign))


def _spelled(kind: Any, dialect: Any) -> str:
    """A type as the database spells it; empty for one that SQLAlchemy does not know."""
    import sqlalchemy as sa

    return "" if isinstance(kind, sa.types.NullType) else str(kind.compile(dialect=dialect))


def _from_duckdb(connection: Any, schema: str | None, name: str) -> DeclaredTable:
    columns = tuple(DeclaredColumn(*row) for row in connection.execute(_DUCKDB_COLUMNS, [name, schema]).fetchall())
    key: tuple[str, ...] = ()
    unique, foreign = [], []
    for kind, names, other, keys in connection.execute(_DUCKDB_CONSTRAINTS, [name, schema]).fetchall():
        if kind == "PRIMARY KEY":
            key = tuple(names)
        elif kind == "UNIQUE":
            unique.append(tuple(names))
        elif kind == "FOREIGN KEY":
            foreign.append(ForeignKey(tuple(names), other, tuple(keys)))
    return DeclaredTable(columns, key, tuple(dict.fromkeys(unique)), tuple(dict.fromkeys(foreign)))
