"""A table that exists in the target database, and the columns of it that generated rows fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from synthcli.contracts.tables import DeclaredTable
from synthcli.errors import DataError, did_you_mean
from synthcli.wording import agreeing, quantity


@dataclass(frozen=True)
class TargetColumn:
    """A column of a table that exists. type: as declared; base: without length and precision, and of a domain the type
    below it; limited: base with length and precision; filled: whether the database fills it if a row leaves it out;
    computed: whether the database computes it always.
    """

    name: str
    type: str
    base: str = ""
    limited: str = ""
    nullable: bool = True
    filled: bool = False
    computed: bool = False


@dataclass(frozen=True)
class Standing:
    """A table that exists. table: its name as the spec writes it; declared: its keys."""

    table: str
    columns: tuple[TargetColumn, ...]
    declared: DeclaredTable


@dataclass(frozen=True)
class Staged:
    """Generated rows in a temporary table. name: quoted; types: column -> type of the database."""

    name: str
    types: dict[str, str]
    rows: int


Pairs = list[tuple[str, TargetColumn]]  # a column of the staged rows, and the one that it fills


def matched(where: str, standing: Standing, names: Sequence[str]) -> tuple[Pairs, list[str]]:
    """The columns to fill, and the names of those that the database computes instead.

    Raises DataError for a column that the table lacks, and for one that must be filled and is not among the names.
    """
    exact = {c.name: c for c in standing.columns}
    folded = {c.name.casefold(): c for c in standing.columns}
    pairs: Pairs = []
    for name in names:
        column = exact.get(name) or folded.get(name.casefold())
        if column is None:
            raise DataError(
                f"{where} has no column {name}; nothing was changed.{did_you_mean(name, exact)} Remedy: add the column"
                " to the table, leave it out of the rows, or another output.table"
            )
        pairs.append((name, column))
    given = {column.name for _, column in pairs}
    for column in standing.columns:
        if column.name not in given and not (column.nullable or column.filled or column.computed):
            raise DataError(
                f"{where}: column {column.name} is NOT NULL without a default, and the rows have no such column;"
                " nothing was changed; remedy: give it a default, add it to the rows, or another output.table"
            )
    return [p for p in pairs if not p[1].computed], [name for name, c in pairs if c.computed]


def refused(where: str, what: str, rows: int | None, of: int, remedy: str) -> DataError:
    """The error for rows that a table does not take. what: behind the number of rows; rows: None if not counted."""
    count = "some rows" if rows is None else f"{rows:,} of {quantity(of, 'row')}"
    return DataError(f"{where}: {count} {what}; nothing was changed; remedy: {remedy}")


def referred(where: str, table: str, column: str, rows: int) -> DataError:
    """The error for a table whose rows are referred to from a table that is not written."""
    refer = agreeing(rows, "refers", "refer")
    return DataError(
        f"{where}: {quantity(rows, 'row')} of {table} {refer} to its rows in column {column}; nothing was changed;"
        f" remedy: write both as related tables, empty {table} first, or another output.table"
    )
