"""Keys that the catalogue of a database declares, in the form of imported metadata."""

from __future__ import annotations

from synthcli import sources
from synthcli.contracts.tables import DeclaredTable
from synthcli.init.imports.shared import Imported
from synthcli.sources import catalogue, database


def of_source(source: sources.Source) -> Imported | None:
    """The keys of the table that a source reads; None for a query, and for a source that is not a database."""
    if source.type != "sql" or source.table is None:
        return None
    base = database.opened(source.url, "DATA", source.folder)
    return imported(source.table, catalogue.describe(base, source.table))


def imported(table: str, declared: DeclaredTable) -> Imported:
    """The keys of a table; its types are those that its rows are read with."""
    keys = [each for each in dict.fromkeys((declared.key, *declared.unique)) if each]
    alone: dict[str, dict[str, object]] = {each[0]: {"unique": True} for each in keys if len(each) == 1}
    rules: list[dict[str, object]] = [{"unique": list(each)} for each in keys if len(each) > 1]
    return Imported(table, alone, declared.key, rules)
