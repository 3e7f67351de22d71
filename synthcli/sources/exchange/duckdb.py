"""Exchange rows in DuckDB. It checks foreign keys at once, within a transaction too, so that a table that rows of these
tables refer to is made again from its own definition, with its indexes and comments.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from synthcli.contracts.tables import ForeignKey
from synthcli.errors import DataError
from synthcli.sources.catalogue import describe_on
from synthcli.sources.database import Database, failures, literal, quoted, split_table
from synthcli.sources.exchange.standing import Pairs, Staged, Standing, TargetColumn, referred, refused
from synthcli.sources.exchange.writer import Writer, listed, orphans, repeated

_COLUMNS = """
    SELECT c.column_name, c.data_type, c.is_nullable, c.column_default IS NOT NULL, i.is_generated = 'ALWAYS'
    FROM duckdb_columns() c JOIN information_schema.columns i
         ON i.table_catalog = c.database_name AND i.table_schema = c.schema_name AND i.table_name = c.table_name
            AND i.column_name = c.column_name
    WHERE c.database_name = current_database() AND c.schema_name = coalesce(?, current_schema()) AND c.table_name = ?
    ORDER BY c.column_index"""
_REFERRING = """
    SELECT schema_name, table_name, constraint_column_names FROM duckdb_constraints()
    WHERE constraint_type = 'FOREIGN KEY' AND database_name = current_database()
          AND schema_name = coalesce(?, current_schema()) AND referenced_table = ?"""
_OF_TABLE = "database_name = current_database() AND schema_name = coalesce(?, current_schema()) AND table_name = ?"
_FLOAT = ("FLOAT", "DOUBLE")


class Duckdb(Writer):
    """Rows are staged in a temporary table of this connection."""

    CYCLES = False

    def __init__(self, base: Database, connection: Any, where: Mapping[str, str]) -> None:
        super().__init__(base, connection, where)
        self.rebuilt: dict[str, list[str]] = {}  # table -> the statements that make it again

    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        return list(self.connection.execute(statement, values or None).fetchall())

    @contextlib.contextmanager
    def session(self) -> Iterator[None]:
        yield

    def exchanging(self) -> contextlib.AbstractContextManager[None]:
        return self.transaction()

    def standing(self, table: str) -> Standing | None:
        schema, name = split_table(table)
        found = self.ask(
            "SELECT table_type, table_name FROM information_schema.tables WHERE table_catalog = current_database() AND"
            " table_schema = coalesce(?, current_schema()) AND lower(table_name) = lower(?)", schema, name
        )  # fmt: skip
        if not found:
            return None
        if found[0][0] == "VIEW":
            raise DataError(f"{self.named(table)} is a view; remedy: another output.table")
        columns = tuple(
            TargetColumn(column, type_, type_, type_, nullable, filled and not computed, computed)
            for column, type_, nullable, filled, computed in self.ask(_COLUMNS, schema, found[0][1])
        )
        return Standing(table, columns, describe_on(self.base, self.connection, table))

    def stage(self, number: int, empty: pa.Table, tables: Iterator[pa.Table]) -> Staged:
        name, rows = f'temp."synth_rows_{number}"', 0
        self._register(empty, f"CREATE TEMPORARY TABLE {name} AS SELECT * FROM synth_rows")
        for some in tables:
            rows += len(some)
            if len(some):
                names = listed(some.column_names)
                self._register(some, f"INSERT INTO {name} ({names}) SELECT {names} FROM synth_rows")
        return Staged(name, {row[0]: row[1] for row in self.ask(f"DESCRIBE {name}")}, rows)

    def _register(self, rows: pa.Table, statement: str) -> None:
        self.connection.register("synth_rows", rows.to_reader())
        self.connection.execute(statement)
        self.connection.unregister("synth_rows")

    def clear(self, standing: Sequence[Standing]) -> None:
        ours = {split_table(each.table)[1].lower() for each in standing}
        for each in standing:
            schema, name = split_table(each.table)
            for child_schema, child, columns in self.ask(_REFERRING, schema, name):
                place = f"{quoted(child_schema)}.{quoted(child)}"
                known = " AND ".join(f"{quoted(n)} IS NOT NULL" for n in columns)
                rows = self.count(f"SELECT count(*) FROM {place} WHERE {known}")
                if rows and child.lower() not in ours:
                    raise referred(self.named(each.table), child, ", ".join(columns), rows)
                if rows:
                    self.rebuilt[each.table] = []
        for each in standing:
            if not self.rebuilt or not self._linked(each):
                self.ask(f"DELETE FROM {self.place(each.table)}")
            else:
                self.rebuilt[each.table] = self._definition(each)
                self.ask(f"DROP TABLE {self.place(each.table)}")

    def _linked(self, standing: Standing) -> bool:
        """Whether a table is made again: it refers to another one that is, or rows refer to it."""
        names = {split_table(table)[1].lower() for table in self.rebuilt}
        refers = {key.table.lower() for key in standing.declared.foreign}
        return split_table(standing.table)[1].lower() in names or bool(refers & names)

    def _definition(self, standing: Standing) -> list[str]:
        """The statements that make a table again, with its indexes and comments."""
        schema, name = split_table(standing.table)
        place = self.place(standing.table)
        out = []
        for sql, comment in self.ask(f"SELECT sql, comment FROM duckdb_tables() WHERE {_OF_TABLE}", schema, name):
            out += [sql] + ([f"COMMENT ON TABLE {place} IS {literal(comment)}"] if comment is not None else [])
        for column, comment in self.ask(
            f"SELECT column_name, comment FROM duckdb_columns() WHERE {_OF_TABLE} AND comment IS NOT NULL", schema, name
        ):
            out.append(f"COMMENT ON COLUMN {place}.{quoted(column)} IS {literal(comment)}")
        indexes = self.ask(f"SELECT sql FROM duckdb_indexes() WHERE {_OF_TABLE} AND sql IS NOT NULL", schema, name)
        return out + [sql for (sql,) in indexes]

    def insert(self, standing: Standing, staged: Staged, pairs: Pairs, *, append: bool) -> None:
        for statement in self.rebuilt.get(standing.table, ()):
            self.ask(statement)
        where = self.named(standing.table)
        for given, column in pairs:
            self._check(where, staged, given, column)
        self._check_keys(where, standing, staged, pairs, append=append)
        cells = ", ".join(f"CAST({quoted(given)} AS {column.type})" for given, column in pairs)
        into = f"{self.place(standing.table)} ({listed([column.name for _, column in pairs])})"
        statement = f"INSERT INTO {into} SELECT {cells} FROM {staged.name} AS s"
        bare, filled = split_table(standing.table)[1].lower(), {column.name for _, column in pairs}
        own = [k for k in standing.declared.foreign if k.table.lower() == bare and set(k.columns) <= filled]
        try:
            if own:
                self._by_levels(standing, staged, pairs, own, statement)
            else:
                self.ask(statement)
        except failures() as error:
            raise self._said(where, staged, str(error)) from None

    def _by_levels(
        self, standing: Standing, staged: Staged, pairs: Pairs, own: list[ForeignKey], statement: str
    ) -> None:
        """Insert the rows of a table that refers to itself from the top, each level by a statement of its own."""
        given, place = {column.name: name for name, column in pairs}, self.place(standing.table)
        ready = []
        for key in own:
            cells = [f"s.{quoted(given[n])}" for n in key.columns]
            same = " AND ".join(f"p.{quoted(k)} = {cell}" for k, cell in zip(key.keys, cells))
            empty = " OR ".join(f"{cell} IS NULL" for cell in cells)
            ready.append(f"({empty} OR EXISTS (SELECT 1 FROM {place} AS p WHERE {same}))")
        self.ask("CREATE OR REPLACE TEMPORARY TABLE temp.synth_done (row BIGINT)")
        while True:
            level = f"s.rowid NOT IN (SELECT row FROM temp.synth_done) AND {' AND '.join(ready)}"
            rows = f"SELECT s.rowid AS row FROM {staged.name} AS s WHERE {level}"
            self.ask(f"CREATE OR REPLACE TEMPORARY TABLE temp.synth_level AS {rows}")
            if not self.count("SELECT count(*) FROM temp.synth_level"):
                break
            self.ask(f"{statement} WHERE s.rowid IN (SELECT row FROM temp.synth_level)")
            self.ask("INSERT INTO temp.synth_done SELECT row FROM temp.synth_level")
        self.ask(f"{statement} WHERE s.rowid NOT IN (SELECT row FROM temp.synth_done)")  # none, or orphans

    def _check(self, where: str, staged: Staged, given: str, column: TargetColumn) -> None:
        """Raise DataError for empty cells in a required column, and for values that its type does not hold."""
        to = column.type
        self.check_filled(where, staged, given, column)
        if rows := self._unfit(staged, given, to):
            remedy = f"another type or precision under columns: {{{given}: …}}, or a column of a wider type"
            raise refused(where, f"do not fit column {column.name}, which is {to}", rows, staged.rows, remedy)

    def _unfit(self, staged: Staged, given: str, to: str) -> int:
        """The number of values that a type does not hold, or would round."""
        cell, from_ = quoted(given), staged.types[given]
        if to == from_:
            return 0
        kept = f"TRY_CAST({cell} AS {to})"
        lost = f"{cell} IS NOT NULL AND {kept} IS NULL"
        if from_ != "VARCHAR" and not (to in _FLOAT and (from_ in _FLOAT or from_.startswith("DECIMAL"))):
            lost = f"{lost} OR TRY_CAST({kept} AS {from_}) IS DISTINCT FROM {cell}"
        return self.count(f"SELECT count(*) FROM {staged.name} WHERE {lost}")

    def _check_keys(self, where: str, standing: Standing, staged: Staged, pairs: Pairs, *, append: bool) -> None:
        """Raise DataError for rows that repeat a key, or that refer to no row."""
        given = {column.name: (name, column.type) for name, column in pairs}
        made = ", ".join(f"CAST({quoted(name)} AS {to}) AS {quoted(n)}" for n, (name, to) in given.items())
        rows_made, place = f"(SELECT {made} FROM {staged.name})", self.place(standing.table)
        for key in (standing.declared.key, *standing.declared.unique):
            if not key or not set(key) <= set(given):
                continue
            cells = [f"CAST({quoted(given[n][0])} AS {given[n][1]})" for n in key]
            if rows := self.count(repeated(staged.name, cells)):
                raise refused(where, f"repeat a value of the unique key ({', '.join(key)})", rows, staged.rows,
                              f"constraints: [{{unique: [{', '.join(given[n][0] for n in key)}]}}]")  # fmt: skip
            known = append and self.count(orphans(rows_made, key, place, key))
            if append and (rows := staged.rows - known - self.empty(staged, [given[n][0] for n in key])):
                raise refused(where, f"have a key ({', '.join(key)}) that the table holds already", rows, staged.rows,
                              "if_exists: replace, or another output.table")  # fmt: skip
        for foreign in standing.declared.foreign:
            if not set(foreign.columns) <= set(given):
                continue
            own = foreign.table.lower() == split_table(standing.table)[1].lower()
            parents = rows_made if own else self.place(self.sibling(standing.table, foreign.table))
            if rows := self.count(orphans(rows_made, foreign.columns, parents, foreign.keys)):
                raise refused(where, f"refer in column {', '.join(foreign.columns)} to no row of {foreign.table}", rows,
                              staged.rows, "write both as related tables, or another output.table")  # fmt: skip

    def _said(self, where: str, staged: Staged, said: str) -> DataError:
        """The error of an insert that failed."""
        first = said.partition("\n")[0].partition("Constraint Error: ")
        check = re.search(r"CHECK constraint failed.*?(CHECK\(.*\))", said)
        if check is None:
            return DataError(
                f"{where}: {first[2] or first[0]}; nothing was changed; remedy: rows that fit the table, or another"
                " output.table"
            )
        return refused(where, f"violate the check {check[1]}", None, staged.rows,
                       "the same condition among constraints, or another output.table")  # fmt: skip

    def fits(self, staged: Staged, column: str, type_: str) -> bool:
        try:
            return self._unfit(staged, column, type_) == 0
        except failures():  # a type that it does not know
            return False
