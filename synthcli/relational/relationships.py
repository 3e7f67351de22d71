"""Relationships between tables: foreign keys and the keys they refer to, positions of parents, the root table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.errors import SpecError

NULL, ORPHAN = -1, -2  # instead of the position of a parent


@dataclass(frozen=True)
class Relationship:
    """A foreign key: `columns` of `child` refer to `keys` of `parent`. on_orphans: whether orphans are an error."""

    child: str
    columns: tuple[str, ...]
    parent: str
    keys: tuple[str, ...]
    on_orphans: Literal["error", "drop"] = "error"

    @classmethod
    def parse(
        cls, from_: str | Sequence[str], to: str | Sequence[str], on_orphans: Literal["error", "drop"] = "error"
    ) -> Relationship:
        """Parse names such as `orders.user_id` and `users.id`, or lists of them. Raises SpecError."""
        child, columns = _parse_end("from", from_)
        parent, keys = _parse_end("to", to)
        if len(columns) != len(keys):
            raise SpecError(
                f"relationship from {child} to {parent}: {len(columns)} columns refer to {len(keys)}; remedy: the same"
                " number in from and to"
            )
        return cls(child, columns, parent, keys, on_orphans)

    @property
    def name(self) -> str:
        """The relationship in words, such as orders.user_id → users.id."""
        return f"{self.child}.{'+'.join(self.columns)} → {self.parent}.{'+'.join(self.keys)}"

    @property
    def own(self) -> bool:
        """Whether the table refers to itself."""
        return self.child == self.parent

    def to_json(self) -> dict[str, Any]:
        return {
            "child": self.child,
            "columns": list(self.columns),
            "parent": self.parent,
            "keys": list(self.keys),
            "on_orphans": self.on_orphans,
        }

    def keys_of_spec(self) -> dict[str, Any]:
        """Return the relationship as a spec writes it; what `parse` reads."""
        ends = ((self.child, self.columns), (self.parent, self.keys))
        named = [[f"{table}.{column}" for column in columns] for table, columns in ends]
        from_, to = (end[0] if len(end) == 1 else end for end in named)
        return {"from": from_, "to": to} | ({"on_orphans": "drop"} if self.on_orphans == "drop" else {})

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Relationship:
        return cls(data["child"], tuple(data["columns"]), data["parent"], tuple(data["keys"]), data["on_orphans"])


def _parse_end(key: str, names: str | Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """Parse the table and the columns of one end of a relationship."""
    words = [names] if isinstance(names, str) else list(names)
    parts = [word.partition(".") for word in words]
    if not parts or not all(table and column for table, _, column in parts):
        raise SpecError(f"relationships.{key} is {names!r}; expected table.column, or a list of them")
    if len(tables := {table for table, _, _ in parts}) > 1:
        raise SpecError(
            f"relationships.{key} names columns of several tables: {', '.join(sorted(tables))}; remedy: one"
            " relationship for each table"
        )
    return parts[0][0], tuple(column for _, _, column in parts)


@dataclass(frozen=True)
class Hierarchy:
    """The rows of a table that refers to itself, in the whole source. level: 0 at the top; reports: the number of
    children; severed: whether the parent is in another part of the split.
    """

    level: np.ndarray
    reports: np.ndarray
    severed: np.ndarray

    def take(self, rows: np.ndarray) -> Hierarchy:
        return Hierarchy(self.level[rows], self.reports[rows], self.severed[rows])


def positions(parent: pd.DataFrame, keys: Sequence[str], child: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Find the position of each child row's parent, NULL or ORPHAN without one. (rows of child,) int64

    A key of several columns is null where one of them is, as in SQL.
    """
    n = len(parent)
    codes, null = np.zeros(n + len(child), dtype=np.int64), np.zeros(n + len(child), dtype=bool)
    for key, column in zip(keys, columns, strict=True):
        above, below = parent[key], child[column]
        if above.dtype != below.dtype:
            above, below = above.astype(frames.STRING), below.astype(frames.STRING)
        one, known = pd.factorize(pd.concat([above, below], ignore_index=True))
        null |= one < 0
        codes = pd.factorize(codes * (len(known) + 1) + one + 1)[0]
    lookup = np.full(int(codes.max(initial=-1)) + 1, ORPHAN, dtype=np.int64)
    lookup[codes[:n][~null[:n]]] = np.flatnonzero(~null[:n])
    return np.where(null[n:], NULL, lookup[codes[n:]])


def rows_at(values: pd.Series, at: np.ndarray) -> pd.Series:
    """Take the values at these positions, null where a position is below 0."""
    if not len(values):
        return values.reindex(range(len(at)))
    return values.take(np.maximum(at, 0)).reset_index(drop=True).mask(at < 0)


def blanked(frame: pd.DataFrame, columns: Sequence[str], where: np.ndarray) -> pd.DataFrame:
    """Set these columns to null in some rows. where: (rows,) bool"""
    return frame.assign(**{c: frame[c].mask(where) for c in columns}) if where.any() else frame


def downwards(names: Sequence[str], relationships: Sequence[Relationship]) -> list[str]:
    """Sort tables so that parents come before their children, except in cycles."""
    left, out = list(names), []
    while left:
        free = [t for t in left if not any(r.child == t and not r.own and r.parent in left for r in relationships)]
        out += free or left[:1]
        left = [t for t in left if t not in out]
    return out


def with_dependents(table: str, relationships: Sequence[Relationship]) -> set[str]:
    """Return a table and all tables whose rows depend on its rows."""
    found, more = {table}, {table}
    while more := {r.child for r in relationships if r.parent in more} - found:
        found |= more
    return found


def root(names: Sequence[str], relationships: Sequence[Relationship]) -> str:
    """Find the table without parents that has the most descendants; of several, the one that is referred to first."""
    below = {name: 0 for name in names if not any(r.child == name and not r.own for r in relationships)}
    if not below:
        return names[0]
    for name in below:
        below[name] = len(with_dependents(name, relationships))
    named = [r.parent for r in relationships]
    return max(below, key=lambda t: (below[t], -named.index(t) if t in named else -len(named)))


def counted(frame: pd.DataFrame, column: str, among: tuple[str, ...]) -> int | None:
    """Return the first number of a column that counts the rows which agree in other columns; None if it does not."""
    values = frame[column]
    if values.dtype != "Int64" or values.isna().any() or not len(frame):
        return None
    group = frame.groupby(list(among), dropna=False, sort=False)[column]
    ends = group.agg(["min", "max", "nunique", "size"])
    same = (ends["max"] - ends["min"] + 1 == ends["size"]) & (ends["nunique"] == ends["size"])
    return (
        int(ends["min"].iloc[0])
        if bool(same.all()) and ends["min"].nunique() == 1 and int(ends["size"].max()) > 1
        else None
    )
