"""The definition of a new table: its types, keys and foreign keys, as far as the generated rows hold them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from synthcli.contracts.tables import DeclaredTable, ForeignKey
from synthcli.sources.database import quoted, split_table
from synthcli.sources.exchange.standing import Staged, Standing
from synthcli.sources.exchange.writer import Writer, listed, orphans, repeated
from synthcli.wording import quantity

_FAMILIES = {  # word of a type -> what it holds; the types that all three databases know
    **dict.fromkeys(("SMALLINT", "INTEGER", "INT", "BIGINT"), "integer"),
    **dict.fromkeys(("NUMERIC", "DECIMAL", "REAL", "FLOAT", "DOUBLE", "DOUBLE PRECISION"), "number"),
    **dict.fromkeys(("VARCHAR", "CHARACTER VARYING", "CHAR", "CHARACTER", "TEXT"), "text"),
    **dict.fromkeys(("TIMESTAMP", "TIMESTAMP WITHOUT TIME ZONE", "DATETIME"), "timestamp"),
    **dict.fromkeys(("BOOLEAN", "BOOL"), "boolean"),
    "DATE": "date",
    "TIME": "time",
    "TIME WITHOUT TIME ZONE": "time",
}


@dataclass(frozen=True)
class NewTable:
    """A table to create. types, required: of its columns, by name; notes: what of the declaration is left out."""

    table: str
    types: dict[str, str]
    required: frozenset[str]
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[ForeignKey, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def parts(self, writer: Writer, *, with_foreign: bool) -> list[str]:
        """The columns and constraints of CREATE TABLE."""
        out = [
            f"{quoted(name)} {type_}{' NOT NULL' if name in self.required else ''}"
            for name, type_ in self.types.items()
        ]
        out += [f"PRIMARY KEY ({listed(self.key)})"] if self.key else []
        out += [f"UNIQUE ({listed(names)})" for names in self.unique]
        return out + ([writer.foreign(self.table, key) for key in self.foreign] if with_foreign else [])


def new_table(writer: Writer, table: str, declared: DeclaredTable, staged: Staged) -> NewTable:
    """The definition of a table, without foreign keys. Keys that the rows do not hold are left out with a note."""
    notes: list[str] = []
    names = set(staged.types)
    types = dict(staged.types)
    for column in declared.columns:
        if column.name in names:
            types[column.name] = _type(writer, staged, column.name, column.type, declared.kind)
    required = {c.name for c in declared.columns if not c.nullable and c.name in names}
    key = declared.key if set(declared.key) <= names else ()
    if key and not declared.kind and writer.empty(staged, key):  # a unique key of a spec may be empty
        declared, key = replace(declared, unique=(key, *declared.unique)), ()
    if key and (why := _broken(writer, staged, key, primary=True)):
        notes.append(f"{table}: the primary key ({', '.join(key)}) is left out: {why}")
        key = ()
    unique = []
    for each in dict.fromkeys(declared.unique):
        if each == key or not set(each) <= names:
            continue
        if why := _broken(writer, staged, each, primary=False):
            notes.append(f"{table}: the unique key ({', '.join(each)}) is left out: {why}")
        else:
            unique.append(each)
    for name in sorted(required):
        if empty := writer.empty(staged, [name]):
            required.discard(name)
            notes.append(f"{table}.{name}: NOT NULL is left out: {quantity(empty, 'row has', 'rows have')} no value")
    return NewTable(table, types, frozenset({*required, *key}), key, tuple(unique), notes=tuple(notes))


def _type(writer: Writer, staged: Staged, name: str, declared: str, kind: str) -> str:
    """The declared type if this database has it and the values are of it, else the type of the values."""
    given = staged.types[name]
    if not declared or declared.upper() == given.upper():
        return given
    word = re.sub(r"\s*\(.*?\)", "", declared).strip().upper()
    family = _FAMILIES.get(word)
    if family is None and kind != writer.base.kind:
        return given
    if family is not None and not _same_family(family, _family(given)):
        return given
    return declared if writer.fits(staged, name, declared) else given


def _family(type_: str) -> str:
    return _FAMILIES.get(re.sub(r"\s*\(.*?\)", "", type_).strip().upper(), "")


def _same_family(declared: str, given: str) -> bool:
    return declared == given or (declared == "number" and given == "integer") or given == ""


def _broken(writer: Writer, staged: Staged, names: tuple[str, ...], *, primary: bool) -> str:
    """Why the rows do not hold a key; empty if they do."""
    if primary and (rows := writer.empty(staged, names)):
        return f"{quantity(rows, 'row has', 'rows have')} no value"
    twice = writer.count(repeated(staged.name, [quoted(name) for name in names]))
    return f"its values repeat in {quantity(twice, 'row')}" if twice else ""


def linked(
    writer: Writer,
    new: NewTable,
    declared: DeclaredTable,
    staged: Mapping[str, Staged],
    created: Mapping[str, NewTable],
    standing: Mapping[str, Standing],
) -> NewTable:
    """The new table with its foreign keys, and its columns in the types of the keys that they refer to.

    created, standing: the other tables by name; those that stand need not be written. A foreign key that the rows do
    not hold, or whose table has no such key, is left out with a note.
    """
    types, notes, foreign = dict(new.types), list(new.notes), []
    for key in declared.foreign:
        if not set(key.columns) <= set(types):
            continue
        why = _unlinked(writer, new, key, staged, created, standing)
        if why:
            notes.append(f"{new.table}: the foreign key ({', '.join(key.columns)}) to {key.table} is left out: {why}")
            continue
        parent = created.get(key.table)
        if parent is not None and parent is not new:
            for column, other in zip(key.columns, key.keys):
                if _family(types[column]) == _family(parent.types[other]):
                    types[column] = parent.types[other]
        foreign.append(key)
    return replace(new, types=types, foreign=tuple(foreign), notes=tuple(notes))


def _unlinked(
    writer: Writer,
    new: NewTable,
    key: ForeignKey,
    staged: Mapping[str, Staged],
    created: Mapping[str, NewTable],
    standing: Mapping[str, Standing],
) -> str:
    """Why a foreign key cannot be declared; empty if it can."""
    parent = created.get(key.table)
    there = standing.get(key.table)
    if parent is not None:
        keys = {parent.key, *parent.unique}
    elif there is not None:
        keys = {there.declared.key, *there.declared.unique}
    else:
        return f"there is no table {writer.sibling(new.table, key.table)}"
    if set(key.keys) not in [set(each) for each in keys]:
        return f"{key.table} has no key ({', '.join(key.keys)})"
    rows = staged[key.table].name if key.table in staged else writer.place(writer.sibling(new.table, key.table))
    lost = writer.count(orphans(staged[new.table].name, key.columns, rows, key.keys))
    return f"{quantity(lost, 'row refers', 'rows refer')} to no row of it" if lost else ""


def in_order(tables: list[str], links: Mapping[str, set[str]]) -> tuple[list[str], set[tuple[str, str]]]:
    """The tables, parents before children, and the links (child, parent) that close a cycle.

    links: child -> parents, without itself. Names may bear a schema, and parents are looked up without it.
    """
    bare = {split_table(name)[1]: name for name in tables}
    above = {name: {bare.get(split_table(p)[1], "") for p in links.get(name, set())} & set(tables) for name in tables}
    out: list[str] = []
    closing: set[tuple[str, str]] = set()
    left = list(tables)
    while left:
        free = next((name for name in left if above[name] - {name} <= set(out)), None)
        if free is None:
            free = left[0]
            closing |= {(free, parent) for parent in above[free] - {free} - set(out)}
        out.append(free)
        left.remove(free)
    return out, closing
