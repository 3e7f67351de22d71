"""What writing needs of a database; one module each for SQLite, DuckDB and PostgreSQL implements it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import TYPE_CHECKING, Any

from synthcli.contracts.tables import ForeignKey
from synthcli.sources.database import Database, failures, quoted, split_table
from synthcli.sources.exchange.standing import Pairs, Staged, Standing, TargetColumn, refused

if TYPE_CHECKING:
    import pyarrow as pa


class Writer(ABC):
    """Staging and exchange over one connection in autocommit mode. where: table -> its name in messages."""

    FOREIGN_LATER = False  # whether foreign keys are added once all tables are filled
    CYCLES = True  # whether tables may refer to each other in a cycle

    def __init__(self, base: Database, connection: Any, where: Mapping[str, str]) -> None:
        self.base, self.connection, self.where = base, connection, where

    @abstractmethod
    def ask(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows of a statement; [] if it has none. values: of its placeholders."""

    @abstractmethod
    def session(self) -> AbstractContextManager[None]:
        """The context of staging and exchange together."""

    @abstractmethod
    def exchanging(self) -> AbstractContextManager[None]:
        """The context of the exchange: one transaction, which no other exchange overlaps."""

    @abstractmethod
    def standing(self, table: str) -> Standing | None:
        """The table as it is; None if there is none. Raises DataError for a view and the like."""

    @abstractmethod
    def stage(self, number: int, empty: pa.Table, tables: Iterator[pa.Table]) -> Staged:
        """Fill a temporary table. empty: a table without rows, for its columns."""

    @abstractmethod
    def clear(self, standing: Sequence[Standing]) -> None:
        """Remove the rows of tables, children first. Raises DataError if another table refers to them."""

    @abstractmethod
    def insert(self, standing: Standing, staged: Staged, pairs: Pairs, *, append: bool) -> None:
        """Add the staged rows. Raises DataError with the column and the number of rows that do not fit."""

    @abstractmethod
    def fits(self, staged: Staged, column: str, type_: str) -> bool:
        """Whether every staged value of a column is one of this type, unchanged."""

    @contextmanager
    def transaction(self, begin: str = "BEGIN") -> Iterator[None]:
        """A context that commits, or on an error undoes everything."""
        self.ask(begin)
        try:
            yield
            self.ask("COMMIT")
        except BaseException:
            with suppress(*failures()):  # report the first error
                self.ask("ROLLBACK")
            raise

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """A context whose statements are undone if one of them fails. DuckDB has no such thing."""
        self.ask("SAVEPOINT synth_attempt")
        try:
            yield
        except failures():
            self.ask("ROLLBACK TO SAVEPOINT synth_attempt")
            raise
        self.ask("RELEASE SAVEPOINT synth_attempt")

    def create(self, table: str, parts: Sequence[str]) -> None:
        """Create a table. parts: its columns and constraints."""
        self.ask(f"CREATE TABLE {self.place(table)} ({', '.join(parts)})")

    def add_foreign(self, table: str, key: ForeignKey) -> None:
        """Add a foreign key to a table that was created."""
        self.ask(f"ALTER TABLE {self.place(table)} ADD {self.foreign(table, key)}")

    def finish(self, written: Sequence[Standing]) -> None:  # noqa: B027 - most databases have checked by then
        """Check what the database checks at the end. Raises DataError."""

    def named(self, table: str) -> str:
        """The name of a table in messages."""
        return self.where.get(table, f"table {table}")

    def place(self, table: str) -> str:
        """The quoted name of a table."""
        return self.base.quoted_table(table)

    def sibling(self, table: str, other: str) -> str:
        """The name of another table in the schema of a table."""
        schema, _ = split_table(table)
        return other if schema is None or split_table(other)[0] else f"{schema}.{other}"

    def foreign(self, table: str, key: ForeignKey) -> str:
        """The clause of a foreign key."""
        columns, keys = (", ".join(map(quoted, names)) for names in (key.columns, key.keys))
        return f"FOREIGN KEY ({columns}) REFERENCES {self.place(self.sibling(table, key.table))} ({keys})"

    def count(self, statement: str) -> int:
        """The single number that a statement returns."""
        return int(self.ask(statement)[0][0] or 0)

    def empty(self, staged: Staged, names: Sequence[str]) -> int:
        """The number of staged rows without a value in one of these columns."""
        empty = " OR ".join(f"{quoted(name)} IS NULL" for name in names)
        return self.count(f"SELECT count(*) FROM {staged.name} WHERE {empty}")

    def check_filled(self, where: str, staged: Staged, given: str, column: TargetColumn) -> None:
        """Raise DataError for staged rows without a value in a column that takes no NULL."""
        if not column.nullable and (rows := self.empty(staged, [given])):
            raise refused(where, f"have no value in column {column.name}, which is NOT NULL", rows, staged.rows,
                          "a column that takes NULL, or rows without empty cells in it")  # fmt: skip


def listed(names: Sequence[str]) -> str:
    """Quoted names with commas."""
    return ", ".join(map(quoted, names))


def repeated(rows: str, expressions: Sequence[str]) -> str:
    """The statement that counts the rows whose values occur more than once, without nulls. rows: a table."""
    named = ", ".join(f"{e} AS k{i}" for i, e in enumerate(expressions))
    known = " AND ".join(f"k{i} IS NOT NULL" for i in range(len(expressions)))
    keys = ", ".join(f"k{i}" for i in range(len(expressions)))
    return (
        f"SELECT sum(n) FROM (SELECT count(*) AS n FROM (SELECT {named} FROM {rows}) AS r WHERE {known}"
        f" GROUP BY {keys} HAVING count(*) > 1) AS g"
    )


def orphans(rows: str, columns: Sequence[str], parents: str, keys: Sequence[str]) -> str:
    """The statement that counts the rows that refer to no row of a table of parents."""
    known = " AND ".join(f"c.{quoted(name)} IS NOT NULL" for name in columns)
    same = " AND ".join(f"p.{quoted(key)} = c.{quoted(name)}" for key, name in zip(keys, columns))
    return f"SELECT count(*) FROM {rows} AS c WHERE {known} AND NOT EXISTS (SELECT 1 FROM {parents} AS p WHERE {same})"
