"""Why PostgreSQL refuses rows: the column or the constraint, and the number of rows that violate it."""

from __future__ import annotations

import contextlib
import re
from typing import Any

from synthcli.errors import DataError
from synthcli.sources.database import failures, quoted
from synthcli.sources.exchange import casts
from synthcli.sources.exchange.standing import Pairs, Staged, Standing, TargetColumn, refused
from synthcli.sources.exchange.writer import Writer, orphans, repeated

_KEYS = """
    SELECT ARRAY(SELECT attname::text FROM unnest(indkey::int2[]) WITH ORDINALITY k(n, i)
           JOIN pg_attribute ON attrelid = indrelid AND attnum = n ORDER BY i)
    FROM pg_index JOIN pg_class c ON c.oid = indexrelid WHERE indrelid = to_regclass(%s) AND relname = %s"""
_CHECK = """
    SELECT pg_get_expr(conbin, conrelid) FROM pg_constraint
    WHERE conrelid = to_regclass(%s) AND conname = %s AND contype = 'c'"""
_FOREIGN = """
    SELECT ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, i)
                 JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY i),
           ARRAY(SELECT attname::text FROM unnest(confkey) WITH ORDINALITY k(n, i)
                 JOIN pg_attribute ON attrelid = confrelid AND attnum = n ORDER BY i),
           confrelid::regclass::text, confrelid = conrelid
    FROM pg_constraint WHERE conrelid = to_regclass(%s) AND conname = %s AND contype = 'f'"""
_COUNTER = """
    CREATE OR REPLACE FUNCTION pg_temp.synth_refused() RETURNS bigint LANGUAGE plpgsql AS $body$
    DECLARE cell record; n bigint := 0;
    BEGIN
        FOR cell IN SELECT ctid FROM {rows} LOOP
            BEGIN
                INSERT INTO pg_temp.synth_probe SELECT {value} FROM {rows} WHERE ctid = cell.ctid;
            EXCEPTION WHEN OTHERS THEN n := n + 1;
            END;
        END LOOP;
        RETURN n;
    END $body$"""
MOST = 50_000  # rows that are tried one by one


def remedy(given: str, column: TargetColumn) -> str:
    """How to make values fit a type that would round them."""
    scale = column.limited.partition(",")[2].rstrip(")")
    if column.base == "numeric" and column.limited != "numeric":
        return f"columns: {{{given}: {{precision: {scale or 0}}}}}, or a column of a wider type"
    return f"another type or format under columns: {{{given}: …}}, or a column of a wider type"


def explained(
    writer: Writer, where: str, standing: Standing, staged: Staged, pairs: Pairs, error: BaseException
) -> DataError:
    """The error of rows that were refused, with the column or the constraint and the number of rows."""
    diagnosis = getattr(error, "diag", None)
    state, name = str(getattr(error, "sqlstate", "")), getattr(diagnosis, "constraint_name", None)
    place = writer.place(standing.table)
    if state == "23505" and name is not None:
        return _unique(writer, where, place, staged, pairs, str(name), error)
    if state == "23514" and name is not None and (found := writer.ask(_CHECK, place, name)):
        return _check(writer, where, staged, pairs, str(name), found[0][0])
    if state == "23503" and name is not None:
        return foreign(writer, where, standing, staged, pairs, str(name), error)
    return _of_a_column(writer, where, place, staged, pairs) or DataError(
        f"{where}: {_said(error)}; nothing was changed; remedy: rows that fit the table, or another output.table"
    )


def _values(staged: Staged, pairs: Pairs) -> dict[str, str]:
    """Column of the table -> its value as an expression over the staged rows."""
    return {column.name: _value(staged, given, column) for given, column in pairs}


def _value(staged: Staged, given: str, column: TargetColumn) -> str:
    return casts.value(casts.base(staged.types[given]), given, column.base)


def _unique(
    writer: Writer, where: str, place: str, staged: Staged, pairs: Pairs, name: str, error: BaseException
) -> DataError:
    found = writer.ask(_KEYS, place, name)
    names, values = list(found[0][0]) if found else [], _values(staged, pairs)
    if not names or not set(names) <= set(values):
        return DataError(f"{where}: {_said(error)}; nothing was changed; remedy: rows without repeated keys")
    rows = writer.count(repeated(staged.name, [values[n] for n in names]))
    if rows:
        given = [next(g for g, c in pairs if c.name == n) for n in names]
        return refused(where, f"repeat a value of the unique key ({', '.join(names)}) ({name})", rows, staged.rows,
                       f"constraints: [{{unique: [{', '.join(given)}]}}]")  # fmt: skip
    same = " AND ".join(f"t.{quoted(n)} = s.{quoted(n)}" for n in names)
    made = ", ".join(f"{values[n]} AS {quoted(n)}" for n in names)
    rows = writer.count(
        f"SELECT count(*) FROM (SELECT {made} FROM {staged.name}) AS s WHERE EXISTS"
        f" (SELECT 1 FROM {place} AS t WHERE {same})"
    )
    return refused(where, f"have a key ({', '.join(names)}) that the table holds already ({name})", rows, staged.rows,
                   "if_exists: replace, or another output.table")  # fmt: skip


def foreign(
    writer: Writer,
    where: str,
    standing: Standing,
    staged: Staged | None,
    pairs: Pairs,
    name: str,
    error: BaseException,
) -> DataError:
    """The error for rows that refer to no row. staged: None once the rows are in the table."""  # fmt: skip
    place = writer.place(standing.table)
    found = writer.ask(_FOREIGN, place, name)
    if not found:
        return DataError(f"{where}: {_said(error)}; nothing was changed; remedy: write both as related tables")
    columns, keys, parent, own = found[0]
    child = place
    if staged is not None:
        made = ", ".join(f"{value} AS {quoted(n)}" for n, value in _values(staged, pairs).items())
        child = f"(SELECT {made} FROM {staged.name})"
    rows = writer.count(orphans(child, columns, child if own else parent, keys))
    of = staged.rows if staged is not None else writer.count(f"SELECT count(*) FROM {place}")
    return refused(where, f"refer in column {', '.join(columns)} to no row of {parent} ({name})", rows, of,
                   "write both as related tables, or another output.table")  # fmt: skip


def _check(writer: Writer, where: str, staged: Staged, pairs: Pairs, name: str, condition: str) -> DataError:
    made = ", ".join(
        f"({value})::{next(c.limited for _, c in pairs if c.name == n)} AS {quoted(n)}"
        for n, value in _values(staged, pairs).items()
    )
    rows = None
    with contextlib.suppress(*failures()), writer.attempt():  # a condition on a column that the rows lack
        rows = writer.count(f"SELECT count(*) FROM (SELECT {made} FROM {staged.name}) AS r WHERE NOT ({condition})")
    return refused(where, f"violate the check {name}: {condition}", rows, staged.rows,
                   "the same condition among constraints, or another output.table")  # fmt: skip


def of_column(
    writer: Writer, where: str, place: str, staged: Staged, given: str, column: TargetColumn, error: BaseException
) -> DataError:
    """The error for a column whose values do not fit its type, with the number of rows that are refused."""
    rows = None
    if staged.rows <= MOST:
        with contextlib.suppress(*failures()), writer.attempt():  # a database without plpgsql
            writer.ask(_probe(place, column))
            writer.ask(_COUNTER.format(rows=staged.name, value=_value(staged, given, column)))
            rows = writer.count("SELECT pg_temp.synth_refused()")
            writer.ask("DROP TABLE pg_temp.synth_probe")
    if rows == 0:  # each is taken, and is not what it was
        rows = writer.count(f"SELECT count({quoted(given)}) FROM {staged.name}")
    what = f"do not fit column {column.name}, which is {column.type}: {_said(error)}"
    remedy = f"another type under columns: {{{given}: …}}, or a column of a wider type"
    return refused(where, what, rows or None, staged.rows, remedy)


def _probe(place: str, column: TargetColumn) -> str:
    """The statement that makes a table with one column of a table."""
    made = f"SELECT {quoted(column.name)} FROM {place} WITH NO DATA"
    return f"CREATE TEMPORARY TABLE synth_probe ON COMMIT DROP AS {made}"


def _of_a_column(writer: Writer, where: str, place: str, staged: Staged, pairs: Pairs) -> DataError | None:
    """The error for the first column whose values do not fit its type; None if each does."""
    for given, column in pairs:
        try:
            with writer.attempt():
                writer.ask(_probe(place, column))
                writer.ask(f"INSERT INTO pg_temp.synth_probe SELECT {_value(staged, given, column)} FROM {staged.name}")
                writer.ask("DROP TABLE pg_temp.synth_probe")
        except failures() as error:
            return of_column(writer, where, place, staged, given, column, error)
    return None


def _said(error: BaseException) -> str:
    """What the database says, without the values of the row."""
    diagnosis: Any = getattr(error, "diag", None)
    said = str(getattr(diagnosis, "message_primary", None) or str(error).partition("\n")[0])
    return re.sub(r'^value ".*" (?=is out of range)', "a value ", re.sub(r':? ".*"$', "", said))
