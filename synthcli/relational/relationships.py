"""Relationships between tables: what refers to what, where a row's parent stands, and which table is at the top."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.errors import SpecError

NULL, ORPHAN = -1, -2  # in place of the position of a parent


@dataclass(frozen=True)
class Relationship:
    """Each row of `child` names at most one row of `parent`: its `columns` hold that row's `keys`. on_orphans: what a
    key without a parent causes.
    """

    child: str
    columns: tuple[str, ...]
    parent: str
    keys: tuple[str, ...]
    on_orphans: Literal["error", "drop"] = "error"

    @classmethod
    def parse(
        cls, from_: str | Sequence[str], to: str | Sequence[str], on_orphans: Literal["error", "drop"] = "error"
    ) -> Relationship:
        """From `orders.user_id` and `users.id`, or lists of such. Raises SpecError."""
        child, columns = _spelled("from", from_)
        parent, keys = _spelled("to", to)
        if len(columns) != len(keys):
            raise SpecError(
                f"relationship from {child} to {parent}: {len(columns)} columns point at {len(keys)}; remedy: as many"
                " in from as in to"
            )
        return cls(child, columns, parent, keys, on_orphans)

    @property
    def name(self) -> str:
        """Such as orders.user_id → users.id"""
        return f"{self.child}.{'+'.join(self.columns)} → {self.parent}.{'+'.join(self.keys)}"

    @property
    def own(self) -> bool:
        """Whether a table refers to itself."""
        return self.child == self.parent

    def to_json(self) -> dict[str, Any]:
        return {
            "child": self.child,
            "columns": list(self.columns),
            "parent": self.parent,
            "keys": list(self.keys),
            "on_orphans": self.on_orphans,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Relationship:
        return cls(data["child"], tuple(data["columns"]), data["parent"], tuple(data["keys"]), data["on_orphans"])


def _spelled(key: str, said: str | Sequence[str]) -> tuple[str, tuple[str, ...]]:
    """The table and the columns of an end of a relationship."""
    words = [said] if isinstance(said, str) else list(said)
    parts = [word.partition(".") for word in words]
    if not parts or not all(table and column for table, _, column in parts):
        raise SpecError(f"relationships.{key} is {said!r}; expected table.column, or a list of such")
    if len(tables := {table for table, _, _ in parts}) > 1:
        raise SpecError(
            f"relationships.{key} names columns of several tables: {', '.join(sorted(tables))}; remedy: one"
            " relationship for each table"
        )
    return parts[0][0], tuple(column for _, _, column in parts)


@dataclass(frozen=True)
class Hierarchy:
    """Of each row of a table that refers to itself, as it is in the whole source. level: 0 at the top; reports: rows
    below it, directly; severed: whether the row above it lies in another part of the split."""

    level: np.ndarray
    reports: np.ndarray
    severed: np.ndarray

    def take(self, rows: np.ndarray) -> Hierarchy:
        return Hierarchy(self.level[rows], self.reports[rows], self.severed[rows])


def positions(parent: pd.DataFrame, keys: Sequence[str], child: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """The position among the parents of each child row, NULL or ORPHAN where there is none. (rows of child,) int64

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


def blanked(frame: pd.DataFrame, columns: Sequence[str], where: np.ndarray) -> pd.DataFrame:
    """The frame with null in these columns of some rows."""
    return frame.assign(**{c: frame[c].mask(where) for c in columns}) if where.any() else frame


def downwards(names: Sequence[str], relationships: Sequence[Relationship]) -> list[str]:
    """Tables, parents before their children as far as they stand in no circle."""
    left, out = list(names), []
    while left:
        free = [t for t in left if not any(r.child == t and not r.own and r.parent in left for r in relationships)]
        out += free or left[:1]
        left = [t for t in left if t not in out]
    return out


def root(names: Sequence[str], relationships: Sequence[Relationship]) -> str:
    """The table without parents that most others hang from; of several, the one whose relationship is named first."""
    below = {name: 0 for name in names if not any(r.child == name and not r.own for r in relationships)}
    if not below:
        return names[0]
    for name in below:
        reached, more = {name}, {name}
        while more := {r.child for r in relationships if r.parent in more} - reached:
            reached |= more
        below[name] = len(reached)
    named = [r.parent for r in relationships]
    return max(below, key=lambda t: (below[t], -named.index(t) if t in named else -len(named)))


def counted(frame: pd.DataFrame, column: str, among: tuple[str, ...]) -> int | None:
    """The number that a column starts at where it counts the rows which agree in other columns; None where it does
    not.
    """
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
