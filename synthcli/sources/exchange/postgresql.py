"""Exchange rows in PostgreSQL: everything in one transaction, converted to the types of the table that is there."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.csv

from synthcli.errors import DataError
from synthcli.sources.catalogue import describe_on
from synthcli.sources.database import Database, failures, quoted, split_table
from synthcli.sources.exchange import casts, violations
from synthcli.sources.exchange.arrow import sql_type
from synthcli.sources.exchange.standing import Pairs, Staged, Standing, TargetColumn, referred, refused
from synthcli.sources.exchange.writer import Writer, listed

_LOCK = 0x73796E7468  # of the exchange, for all runs that write to this database
_NOT_TABLES = {"v": "a view", "m": "a materialized view", "f": "a foreign table", "S": "a sequence", "i": "an index"}
_COLUMNS = """
    WITH RECURSIVE down AS (
        SELECT attnum, atttypid AS type, atttypmod AS mod FROM pg_attribute
        WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped
        UNION ALL
        SELECT attnum, typbasetype, typtypmod FROM down JOIN pg_type ON oid = type WHERE typtype = 'd')
    SELECT attname, format_type(atttypid, atttypmod), format_type(down.type, -1), format_type(down.type, down.mod),
           NOT (attnotnull OR own.typnotnull), (atthasdef AND attgenerated = '') OR attidentity <> '',
           attgenerated <> ''
    FROM down JOIN pg_attribute a ON a.attnum = down.attnum AND attrelid = to_regclass(%s)
         JOIN pg_type base ON base.oid = down.type AND base.typtype <> 'd' JOIN pg_type own ON own.oid = atttypid
    ORDER BY a.attnum"""
_REFERRING = """
    SELECT conrelid::regclass::text, conrelid, ARRAY(SELECT attname::text FROM unnest(conkey) WITH ORDINALITY k(n, i)
               JOIN pg_attribute ON attrelid = conrelid AND attnum = n ORDER BY i)
    FROM pg_constraint WHERE contype = 'f' AND conparentid = 0 AND confrelid = to_regclass(%s)"""
_OUT_OF_ORDER = """
    SELECT conrelid::regclass::text, conname FROM pg_constraint
    WHERE contype = 'f' AND NOT condeferrable AND conparentid = 0
          AND conrelid = to_regclass(%s) AND confrelid = to_regclass(%s)"""


class Postgresql(Writer):
    """Rows are staged in a temporary table, which no other session sees and which is gone with the transaction."""

    FOREIGN_LATER = True

    def __init__(self, base: Database, connection: Any, where: Mapping[str, str]) -> None:
        super().__init__(base, connection, where)
        self.undeferred: list[tuple[str, str]] = []  # foreign keys (table, name) deferred for this transaction only

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return [] if cursor.description is None else [tuple(row) for row in cursor.fetchall()]

    def session(self) -> contextlib.AbstractContextManager[None]:
        return self.transaction()

    @contextlib.contextmanager
    def exchanging(self) -> Iterator[None]:
        self.ask(f"SELECT pg_advisory_xact_lock({_LOCK})")
        self.ask("SET CONSTRAINTS ALL DEFERRED")
        yield

    def standing(self, table: str) -> Standing | None:
        place = self.place(table)
        found = self.ask("SELECT relkind, row_security_active(oid) FROM pg_class WHERE oid = to_regclass(%s)", place)
        if not found:
            return None
        kind, restricted = found[0]
        if kind in _NOT_TABLES:
            raise DataError(f"{self.named(table)} is {_NOT_TABLES[kind]}; remedy: another output.table")
        if restricted:
            raise DataError(
                f"{self.named(table)} shows this user only a part of its rows (row level security), which cannot be"
                " replaced; remedy: a user with BYPASSRLS, or another output.table"
            )
        return Standing(table, self.columns(place), describe_on(self.base, self.connection, table))

    def columns(self, place: str) -> tuple[TargetColumn, ...]:
        """The columns of a table by its quoted name."""
        return tuple(TargetColumn(*row) for row in self.ask(_COLUMNS, place, place))

    def stage(self, number: int, empty: pa.Table, tables: Iterator[pa.Table]) -> Staged:
        name, rows = f'pg_temp."synth_rows_{number}"', 0
        types = {f.name: sql_type(f.type).compile(dialect=self.connection.dialect) for f in empty.schema}
        columns = ", ".join(f"{quoted(column)} {type_}" for column, type_ in types.items())
        self.ask(f"CREATE TEMPORARY TABLE {name.partition('.')[2]} ({columns}) ON COMMIT DROP")
        for some in tables:
            rows += len(some)
            if len(some):
                self._copy(name, some)
        self.ask(f"ANALYZE {name}")
        return Staged(name, {c.name: c.type for c in self.columns(name)}, rows)

    def _copy(self, name: str, rows: pa.Table) -> None:
        text = io.BytesIO()
        spelled = pa.table([_copied(c) for c in rows.columns], names=rows.column_names)
        pyarrow.csv.write_csv(spelled, text, pyarrow.csv.WriteOptions(include_header=False))
        cursor = self.connection.connection.cursor()
        with cursor.copy(f"COPY {name} ({listed(rows.column_names)}) FROM STDIN (FORMAT csv)") as copy:
            copy.write(text.getbuffer())

    def clear(self, standing: Sequence[Standing]) -> None:
        places = [self.place(each.table) for each in standing]
        for place in places:  # writers wait, readers do not
            self.ask(f"LOCK TABLE {place} IN EXCLUSIVE MODE")
        ours = {oid for place in places for (oid,) in self.ask("SELECT to_regclass(%s)::oid", place)}
        for each, place in zip(standing, places):
            for child, oid, names in self.ask(_REFERRING, place):
                if oid in ours:
                    continue
                known = " AND ".join(f"{quoted(n)} IS NOT NULL" for n in names)
                if rows := self.count(f"SELECT count(*) FROM {child} WHERE {known}"):
                    raise referred(self.named(each.table), child, ", ".join(names), rows)
        for i, place in enumerate(places):  # parents that are cleared before their children, and filled after them
            for later in places[i + 1 :]:
                for child, name in self.ask(_OUT_OF_ORDER, later, place):
                    self.ask(f"ALTER TABLE {child} ALTER CONSTRAINT {quoted(name)} DEFERRABLE INITIALLY DEFERRED")
                    self.undeferred.append((child, name))
        for each, place in zip(standing, places):
            self.ask(f"DELETE FROM {self._only(each)}{place}")

    def _only(self, standing: Standing) -> str:
        """ONLY for a table that others inherit from, whose rows are not its own."""
        found = self.ask("SELECT relkind FROM pg_class WHERE oid = to_regclass(%s)", self.place(standing.table))
        return "" if found[0][0] == "p" else "ONLY "

    def insert(self, standing: Standing, staged: Staged, pairs: Pairs, *, append: bool) -> None:
        where = self.named(standing.table)
        self._check(where, standing, staged, pairs)
        cells = [casts.value(casts.base(staged.types[given]), given, column.base) for given, column in pairs]
        into = f"{self.place(standing.table)} ({listed([column.name for _, column in pairs])})"
        try:
            with self.attempt():
                self.ask(f"INSERT INTO {into} OVERRIDING SYSTEM VALUE SELECT {', '.join(cells)} FROM {staged.name}")
        except failures() as error:
            raise violations.explained(self, where, standing, staged, pairs, error) from None
        for _, column in pairs:
            self._advance(standing, column)

    def _check(self, where: str, standing: Standing, staged: Staged, pairs: Pairs) -> None:
        """Raise DataError for empty cells in a required column, and for values that would be rounded or cut."""
        for given, column in pairs:
            self.check_filled(where, staged, given, column)
        for given, column in pairs:
            condition = casts.loss(casts.base(staged.types[given]), given, column)
            if condition is None:
                continue
            try:
                with self.attempt():
                    rows = self.count(f"SELECT count(*) FROM {staged.name} WHERE {condition}")
            except failures() as error:
                raise violations.of_column(
                    self, where, self.place(standing.table), staged, given, column, error
                ) from None
            if rows:
                raise refused(where, f"would be rounded or cut in column {column.name}, which is {column.type}", rows,
                              staged.rows, violations.remedy(given, column))  # fmt: skip

    def _advance(self, standing: Standing, column: TargetColumn) -> None:
        """Set the sequence of a column past the values that were written."""
        place = self.place(standing.table)
        found = self.ask("SELECT pg_get_serial_sequence(%s, %s)", place, column.name)
        if found[0][0] is None:
            return
        cell, sequence = quoted(column.name), found[0][0]
        step = self.ask("SELECT seqincrement FROM pg_sequence WHERE seqrelid = to_regclass(%s)", sequence)[0][0]
        end = f"{'max' if step > 0 else 'min'}({cell})"
        self.ask(f"SELECT setval(%s, {end}) FROM {place} HAVING {end} IS NOT NULL", sequence)

    def finish(self, written: Sequence[Standing]) -> None:
        try:
            with self.attempt():
                self.ask("SET CONSTRAINTS ALL IMMEDIATE")
        except failures() as error:
            diagnosis = getattr(error, "diag", None)
            table, name = (str(getattr(diagnosis, key, "")) for key in ("table_name", "constraint_name"))
            each = next((one for one in written if split_table(one.table)[1] == table), written[0])
            raise violations.foreign(self, self.named(each.table), each, None, [], name, error) from None
        for table, name in self.undeferred:
            self.ask(f"ALTER TABLE {table} ALTER CONSTRAINT {quoted(name)} NOT DEFERRABLE")

    def fits(self, staged: Staged, column: str, type_: str) -> bool:
        """Tried on a temporary table with a column of that type."""
        try:
            with self.attempt():
                self.ask(f"CREATE TEMPORARY TABLE synth_fits (v {type_}) ON COMMIT DROP")
                into = self.columns("pg_temp.synth_fits")[0]
                given = casts.base(staged.types[column])
                cell = casts.value(given, column, into.base)
                self.ask(f"INSERT INTO pg_temp.synth_fits SELECT {cell} FROM {staged.name}")
                lost = casts.loss(given, column, into)
                rows = self.count(f"SELECT count(*) FROM {staged.name} WHERE {lost}") if lost else 0
                self.ask("DROP TABLE pg_temp.synth_fits")
            return rows == 0
        except failures():
            return False


def _copied(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert a column to the form that COPY reads: durations as microseconds."""
    if pa.types.is_duration(column.type):
        words = [
            None if c is None else f"{c} microseconds"
            for c in column.cast(pa.duration("us"), safe=False).cast(pa.int64()).to_pylist()
        ]
        return pa.chunked_array([pa.array(words, pa.string())])
    return column
