"""Write small tables to a database of each kind, and ask it what it holds."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.tables import DeclaredTable
from synthcli.sources import Target, database, sql_write


def ask(url: str, *statements: str) -> list[tuple[Any, ...]]:
    """The rows of the last statement."""
    with database.opened(url, "url", None).writing() as connection:
        rows: list[Any] = []
        for statement in statements:
            if hasattr(connection, "exec_driver_sql"):
                result = connection.exec_driver_sql(statement.replace("%", "%%"))
                rows = list(result.fetchall()) if result.returns_rows else []
            else:
                rows = connection.execute(statement).fetchall()
        return [tuple(row) for row in rows]


def deliver(url: str, table: str, rows: dict[str, Any], **options: Any) -> list[str]:
    """Write one table; what was noted."""
    schema, frame = infer(pa.table(rows), {})
    notes: list[str] = []
    sources.deliver(iter([frame]), schema, Target("sql", url=url, table=table, **options), notes.append)
    return notes


def deliver_all(
    url: str, tables: dict[str, dict[str, Any]], declared: dict[str, DeclaredTable] | None = None, **options: Any
) -> list[str]:
    """Write related tables; what was noted."""
    given = {}
    for name, rows in tables.items():
        schema, frame = infer(pa.table(rows), {})
        given[name] = (iter([frame]), schema)
    notes: list[str] = []
    sql_write.write_all(given, Target("sql", url=url, declared=declared or {}, **options), notes.append)
    return notes
