"""What a database, or a spec, declares about a table: the types of its columns, its keys and its foreign keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DeclaredColumn:
    """A column of a table. type: as the database spells it, such as VARCHAR(20); empty if unknown."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True)
class ForeignKey:
    """Columns that refer to the keys of a table."""

    columns: tuple[str, ...]
    table: str
    keys: tuple[str, ...]


@dataclass(frozen=True)
class DeclaredTable:
    """What is declared about a table. key: the primary key; unique: further keys; kind: the database that spells the
    types, empty for none.
    """

    columns: tuple[DeclaredColumn, ...] = ()
    key: tuple[str, ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    foreign: tuple[ForeignKey, ...] = field(default=())
    kind: str = ""

    def to_json(self) -> dict[str, Any]:
        """A plain dictionary that `from_json` reads back."""
        return {
            "columns": [[c.name, c.type, c.nullable] for c in self.columns],
            "key": list(self.key),
            "unique": [list(names) for names in self.unique],
            "foreign": [[list(f.columns), f.table, list(f.keys)] for f in self.foreign],
            "kind": self.kind,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> DeclaredTable:
        return cls(
            tuple(DeclaredColumn(*each) for each in data["columns"]),
            tuple(data["key"]),
            tuple(tuple(names) for names in data["unique"]),
            tuple(ForeignKey(tuple(columns), table, tuple(keys)) for columns, table, keys in data["foreign"]),
            data["kind"],
        )
