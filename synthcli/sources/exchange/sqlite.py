"""Exchange rows in SQLite. It keeps any value in most columns, and checks foreign keys only on request."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from synthcli.contracts.tables import ForeignKey
from synthcli.errors import DataError
from synthcli.sources.catalogue import describe_on
from synthcli.sources.database import Database, literal, quoted, split_table
from synthcli.sources.exchange.arrow import sql_type
from synthcli.sources.exchange.standing import Pairs, Staged, Standing, TargetColumn, referred, refused
from synthcli.sources.exchange.writer import Writer, listed, repeated
from synthcli.wording import quantity

_WHOLE = re.compile(r"(tiny|small|medium|big|unsigned big )?int(eger|2|4|8)?(\s*\(.*\))?", re.I)
_REAL = re.compile(r"real|float|double( precision)?", re.I)


class Sqlite(Writer):
    """Rows are staged in a temporary table, which locks nothing, and exchanged under the lock of the database."""

    def __init__(self, base: Database, connection: Any, where: Mapping[str, str]) -> None:
        super().__init__(base, connection, where)
        self.lost_before: dict[tuple[str, int], int] = {}

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        cursor = self.connection.connection.cursor()
        try:
            return [tuple(row) for row in cursor.execute(statement, values).fetchall()]
        finally:
            cursor.close()

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        self.ask("PRAGMA foreign_keys = OFF")  # no cascades; checked at the end
        yield

    @contextlib.contextmanager
    def exchanging(self) -> Iterator[None]:
        with self.transaction("BEGIN IMMEDIATE"):
            self.lost_before = self._lost()
            yield

    def standing(self, table: str) -> Standing | None:
        schema, name = split_table(table)
        master = f"{quoted(schema or 'main')}.sqlite_master"
        found = self.ask(
            f"SELECT type FROM {master} WHERE type IN ('table', 'view') AND lower(name) = {literal(name.lower())}"
        )
        if not found:
            return None
        if found[0][0] == "view":
            raise DataError(f"{self.named(table)} is a view; remedy: another output.table")
        rows = self.ask(
            f'SELECT name, type, "notnull", dflt_value, pk, hidden FROM pragma_table_xinfo({literal(name)})'
        )
        alone = sum(1 for row in rows if row[4]) == 1
        columns = []
        for column, type_, required, default, key, hidden in rows:
            rowid = bool(key) and alone and type_.upper() == "INTEGER"
            columns.append(
                TargetColumn(column, type_, nullable=not required and not rowid,
                             filled=default is not None or rowid, computed=hidden in (2, 3))
            )  # fmt: skip
        return Standing(table, tuple(columns), describe_on(self.base, self.connection, table))

    def stage(self, number: int, empty: pa.Table, tables: Iterator[pa.Table]) -> Staged:
        import sqlalchemy as sa

        bare, rows = f"synth_rows_{number}", 0
        name = f"temp.{quoted(bare)}"
        dialect = self.connection.dialect
        kinds = {f.name: sql_type(f.type) for f in empty.schema}
        types = {column: kind.compile(dialect=dialect) for column, kind in kinds.items()}
        into = sa.table(bare, *(sa.column(column, kind) for column, kind in kinds.items()), schema="temp")
        with self.transaction():
            self.ask(f"CREATE TABLE {name} ({', '.join(f'{quoted(c)} {t}' for c, t in types.items())})")
            for some in tables:
                rows += len(some)
                if len(some):
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # that SQLite keeps decimals as floats
                        self.connection.execute(sa.insert(into), some.to_pylist())
        return Staged(name, types, rows)

    def clear(self, standing: Sequence[Standing]) -> None:
        for each in standing:
            self.ask(f"DELETE FROM {self.place(each.table)}")

    def insert(self, standing: Standing, staged: Staged, pairs: Pairs, *, append: bool) -> None:
        where = self.named(standing.table)
        for given, column in pairs:
            self._check(where, staged, given, column)
        into = f"INTO {self.place(standing.table)} ({listed([c.name for _, c in pairs])})"
        taken = f"SELECT {listed([given for given, _ in pairs])} FROM {staged.name}"
        self.ask("SAVEPOINT synth_insert")
        try:
            self.ask(f"INSERT {into} {taken}")
        except (sqlite3.IntegrityError, sqlite3.OperationalError) as error:
            self.ask("ROLLBACK TO synth_insert")
            raise self._said(where, str(error), staged, pairs, into, taken) from None
        self.ask("RELEASE synth_insert")

    def _check(self, where: str, staged: Staged, given: str, column: TargetColumn) -> None:
        """Raise DataError for empty cells in a required column, and for words in a column of numbers."""
        cell = quoted(given)
        if not column.filled:
            self.check_filled(where, staged, given, column)
        bad = None
        if _WHOLE.fullmatch(column.type.strip()):
            bad = "typeof(v) IN ('text', 'blob', 'real')"
        elif _REAL.fullmatch(column.type.strip()):
            bad = "typeof(v) IN ('text', 'blob')"
        if bad is None:
            return
        self.ask("DROP TABLE IF EXISTS temp.synth_probe")
        self.ask(f"CREATE TABLE temp.synth_probe (v {column.type})")
        self.ask(f"INSERT INTO temp.synth_probe SELECT {cell} FROM {staged.name}")
        odd = self.count(f"SELECT count(*) FROM temp.synth_probe WHERE {bad}")
        self.ask("DROP TABLE temp.synth_probe")
        if odd:
            raise refused(where, f"do not fit column {column.name}, which is {column.type}", odd, staged.rows,
                          f"a column of another type, or columns: {{{given}: {{type: integer}}}}")  # fmt: skip

    def _said(self, where: str, said: str, staged: Staged, pairs: Pairs, into: str, taken: str) -> DataError:
        """The error of an insert that failed, with the number of rows that do not fit."""
        unique = re.search(r"UNIQUE constraint failed: (.*)", said)
        names = [word.strip().rpartition(".")[2] for word in unique[1].split(",")] if unique else []
        fills = {column.name: given for given, column in pairs}
        if names and set(names) <= set(fills):
            twice = self.count(repeated(staged.name, [quoted(fills[n]) for n in names]))
            what = f"repeat a value of the unique key ({', '.join(names)})"
            return refused(where, what, twice or None, staged.rows,
                           f"constraints: [{{unique: [{', '.join(fills[n] for n in names)}]}}]")  # fmt: skip
        before = self.count("SELECT total_changes()")
        rows: int | None = None
        with contextlib.suppress(sqlite3.Error):
            self.ask(f"INSERT OR IGNORE {into} {taken}")
            rows = staged.rows - (self.count("SELECT total_changes()") - before)
        self.ask("ROLLBACK TO synth_insert")
        check = re.search(r"CHECK constraint failed: (.*)", said)
        remedy = "the same condition among constraints" if check else "rows that fit the table, or another output.table"
        return refused(where, f"are refused: {said}", rows or None, staged.rows, remedy)

    def finish(self, written: Sequence[Standing]) -> None:
        names = {split_table(each.table)[1]: each.table for each in written}
        for (table, number), rows in self._lost().items():
            if rows <= self.lost_before.get((table, number), 0) and table not in names:
                continue
            parent, column = self.ask(
                f'SELECT "table", "from" FROM pragma_foreign_key_list({literal(table)}) WHERE id = {number}'
            )[0]
            if table in names:
                raise DataError(
                    f"{self.named(names[table])}: {quantity(rows, 'row refers', 'rows refer')} in column {column} to no"
                    f" row of {parent}; nothing was changed; remedy: write both as related tables"
                )
            raise referred(self.named(names.get(parent, next(iter(names.values())))), table, column, rows)

    def _lost(self) -> dict[tuple[str, int], int]:
        """(table, foreign key) -> the number of rows that refer to no row."""
        found: dict[tuple[str, int], int] = {}
        tables = [name for (name,) in self.ask("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if not self.ask(f"SELECT 1 FROM pragma_foreign_key_list({literal(table)}) LIMIT 1"):
                continue
            with contextlib.suppress(sqlite3.OperationalError):  # a key that the schema itself gets wrong
                for _, _, _, number in self.ask(f"PRAGMA foreign_key_check({quoted(table)})"):
                    found[table, number] = found.get((table, number), 0) + 1
        return found

    def fits(self, staged: Staged, column: str, type_: str) -> bool:
        return True  # a type is only how SQLite prefers to keep a value

    def add_foreign(self, table: str, key: ForeignKey) -> None:
        raise NotImplementedError("SQLite declares foreign keys with the table")
