"""Related tables as one Dataset: their frames, the relationships between them, and their split by privacy unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthcli.contracts.modelling import Dataset
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.relational.privacy_units import assign_parts, inherit_units
from synthcli.relational.relationships import (
    NULL,
    ORPHAN,
    Hierarchy,
    Relationship,
    blanked,
    counted,
    downwards,
    positions,
    root,
)
from synthcli.wording import agreeing, quantity

EXAMPLES = 3  # values shown in a message


class Tables(Dataset):
    """Related tables: frames (canonical dtypes, RangeIndex) and schemas by table.

    kept: public tables, which are output unchanged; unit: the table and the column of the privacy unit, None in
    place of the column for single rows; by default the rows of the root table. hierarchies: for each table that refers
    to itself, the levels in the whole source; counted: (table, column, columns) -> the first number of a column that
    counts the rows which agree in other columns of the whole source.
    """

    def __init__(
        self,
        tables: Mapping[str, pd.DataFrame],
        schemas: Mapping[str, Schema],
        relationships: Sequence[Relationship],
        *,
        unit: tuple[str, str | None] | None = None,
        kept: frozenset[str] = frozenset(),
        hierarchies: Mapping[str, Hierarchy] | None = None,
        counted: Mapping[tuple[str, str, tuple[str, ...]], int] | None = None,
    ) -> None:
        self.frames = {name: frame.reset_index(drop=True)[schemas[name].names] for name, frame in tables.items()}
        self.schemas = dict(schemas)
        self.relationships = tuple(relationships)
        self.unit = unit or (root(list(tables), self.relationships), None)
        self.kept = kept
        self.hierarchies = dict(hierarchies or {})
        self.counted = dict(counted or {})
        self.schema = self.schemas[self.unit[0]]

    def __len__(self) -> int:
        """Count the rows of the table of the privacy unit, which is what requests count."""
        return len(self.frames[self.unit[0]])

    @property
    def rows(self) -> dict[str, int]:
        """Rows of each table."""
        return {name: len(frame) for name, frame in self.frames.items()}

    def having(
        self,
        tables: Mapping[str, pd.DataFrame],
        hierarchies: Mapping[str, Hierarchy] | None = None,
        counted: Mapping[tuple[str, str, tuple[str, ...]], int] | None = None,
    ) -> Tables:
        """Return the same schemas and relationships over other rows. counted: None keeps the current ones."""
        return Tables(
            tables,
            self.schemas,
            self.relationships,
            unit=self.unit,
            kept=self.kept,
            hierarchies=hierarchies,
            counted=self.counted if counted is None else counted,
        )

    def described(self, schemas: Mapping[str, Schema]) -> Tables:
        """The same rows under other schemas of the same columns."""
        return Tables(
            self.frames,
            schemas,
            self.relationships,
            unit=self.unit,
            kept=self.kept,
            hierarchies=self.hierarchies,
            counted=self.counted,
        )

    def parents(self, relationship: Relationship) -> np.ndarray:
        """Find the position of each child row's parent. (rows of child,) int64

        NULL where the foreign key is null, ORPHAN where no row has this key.
        """
        child, parent = self.frames[relationship.child], self.frames[relationship.parent]
        return positions(parent, relationship.keys, child, relationship.columns)

    def children(self, relationship: Relationship) -> np.ndarray:
        """Count the children of each parent. (rows of parent,) int64"""
        at = self.parents(relationship)
        return np.bincount(at[at >= 0], minlength=len(self.frames[relationship.parent]))

    def checked(self) -> tuple[Tables, dict[str, int]]:
        """Return the tables without orphans (`on_orphans: drop`), and how many rows each relationship lost.

        Raises DataError for keys that repeat or are null, for other orphans, and for rows that are their own ancestors.
        """
        check_names(self)
        for relationship in self.relationships:
            _check_key(relationship, self.frames[relationship.parent])
        tables, dropped = self, dict.fromkeys((r.name for r in self.relationships), 0)
        again = True
        while again:  # dropping a row may orphan others
            again = False
            for relationship in self.relationships:
                lost = tables.parents(relationship) == ORPHAN
                if lost.any():
                    _check_orphans(relationship, tables, lost)
                    dropped[relationship.name] += int(lost.sum())
                    tables = tables.having(
                        tables.frames | {relationship.child: tables.frames[relationship.child][~lost]}
                    )
                    again = True
        hierarchies = {r.child: _hierarchy(r, tables) for r in self.relationships if r.own}
        return tables.having(tables.frames, hierarchies, _counters(tables)), dropped

    def units(self) -> dict[str, np.ndarray | None]:
        """Find the privacy unit of each row, from 0, by table; None for a table whose rows belong to no unit.

        A row of several units gets the one that its first relationship leads to; a row without a parent in a table of
        units is a unit of its own.
        """
        table, column = self.unit
        found: dict[str, np.ndarray | None] = dict.fromkeys(self.frames)
        if column is None:
            found[table] = np.arange(len(self))
        else:
            codes, known = pd.factorize(self.frames[table][column])
            found[table] = np.where(codes < 0, len(known) + np.cumsum(codes < 0) - 1, codes).astype(np.int64)
        size = 1 + max((int(u.max(initial=-1)) for u in found.values() if u is not None), default=-1)
        for name in downwards(list(self.frames), self.relationships):
            above = [r for r in self.relationships if r.child == name and not r.own and found[r.parent] is not None]
            if name != table and above:
                found[name], size = inherit_units(
                    [(found[r.parent], self.parents(r)) for r in above], len(self.frames[name]), size
                )
        return found

    def split(
        self, fractions: Mapping[str, float], *, rng: np.random.Generator, stratify_by: str | None = None
    ) -> dict[str, Tables]:
        """Split the tables into parts of random units, with all rows that belong to them.

        Tables whose rows belong to no unit are in all parts; rows of units of several parts are in none. A row whose
        parent in the same table is in another part has no parent. stratify_by: a column of the unit's table, as
        table.column. Raises DataError when a part would be empty.
        """
        units = self.units()
        mine = units[self.unit[0]]
        assert mine is not None  # the unit's own table has units
        strata = np.zeros(len(mine), dtype=np.int64)
        if stratify_by is not None:
            strata = pd.factorize(self.frames[self.unit[0]][stratify_by.partition(".")[2] or stratify_by])[0]
        count = 1 + max(int(u.max(initial=-1)) for u in units.values() if u is not None)
        stratum = np.zeros(count, dtype=np.int64)
        stratum[mine[::-1]] = strata[::-1]  # of a unit's first row
        part_of = assign_parts(stratum, np.cumsum(list(fractions.values())), rng)
        places = self._places(units, part_of)
        parts = {}
        for i, name in enumerate(fractions):
            parts[name] = self._part(
                {
                    t: np.arange(len(f)) if (p := places[t]) is None else np.flatnonzero(p == i)
                    for t, f in self.frames.items()
                }
            )
            if fractions[name] > 0 and not len(parts[name]):
                raise DataError(
                    f"source.split: {len(np.unique(mine))} privacy units of table {self.unit[0]} are too few for a"
                    f" {name} part of {fractions[name]:g}; remedy: more data, or split: {{validation: 0, holdout: 0}}"
                    " (then nothing is compared with real data)"
                )
        return parts

    def _places(self, units: Mapping[str, np.ndarray | None], part_of: np.ndarray) -> dict[str, np.ndarray | None]:
        """Find the part of each row, by table: -1 for a row of several parts, None for a table that is in all parts."""
        place = {name: None if codes is None else part_of[codes] for name, codes in units.items()}
        for name in downwards(list(self.frames), self.relationships):
            for r in self.relationships:
                mine, theirs = place[name], place[r.parent]
                if r.child == name != self.unit[0] and not r.own and mine is not None and theirs is not None:
                    at = self.parents(r)
                    there = np.where(at >= 0, theirs[at] if len(theirs) else -1, mine)
                    place[name] = np.where(there == mine, mine, -1)
        return place

    def _part(self, rows: Mapping[str, np.ndarray]) -> Tables:
        tables = {name: self.frames[name].iloc[taken].reset_index(drop=True) for name, taken in rows.items()}
        hierarchies = {name: h.take(rows[name]) for name, h in self.hierarchies.items()}
        part = self.having(tables, hierarchies)
        for r in self.relationships:
            if r.own:
                gone = part.parents(r) == ORPHAN
                tables[r.child] = blanked(tables[r.child], r.columns, gone)
                hierarchy = hierarchies[r.child]
                hierarchies[r.child] = Hierarchy(hierarchy.level, hierarchy.reports, hierarchy.severed | gone)
        return self.having(tables, hierarchies)


def check_names(tables: Tables) -> None:
    """Raise SpecError for a relationship or a privacy unit that names an unknown table or column."""
    ends = [
        (r.name, end, cols) for r in tables.relationships for end, cols in ((r.child, r.columns), (r.parent, r.keys))
    ]
    unit, column = tables.unit
    for where, table, columns in [*ends, ("privacy_unit", unit, () if column is None else (column,))]:
        if table not in tables.frames:
            raise SpecError(
                f"{where}: there is no table {table!r}.{did_you_mean(table, tables.frames)} Tables:"
                f" {', '.join(tables.frames)}"
            )
        for name in columns:
            if name not in tables.schemas[table].names:
                raise SpecError(
                    f"{where}: table {table} has no column {name!r}.{did_you_mean(name, tables.schemas[table].names)}"
                )
    for r in tables.relationships:
        if r.child in tables.kept and r.parent not in tables.kept:
            raise SpecError(
                f"{r.name}: {r.child} is a public table, but the keys of {r.parent} are generated; remedy: keep"
                f" {r.parent} too"
            )


def _counters(tables: Tables) -> dict[tuple[str, str, tuple[str, ...]], int]:
    """Find the columns that count rows which agree in other columns: (table, column, columns) -> the first number."""
    return {
        (t, c, among): start
        for t, among in _groups(tables)
        for c in tables.schemas[t].names
        if c not in among and (start := counted(tables.frames[t], c, among)) is not None
    }


def _groups(tables: Tables) -> set[tuple[str, tuple[str, ...]]]:
    """Return the columns that rows may be counted within: foreign keys, and composite keys without one column."""
    keys = {
        (r.parent, tuple(c for c in r.keys if c != out))
        for r in tables.relationships
        for out in r.keys
        if len(r.keys) > 1
    }
    return keys | {(r.child, r.columns) for r in tables.relationships}


def _check_key(relationship: Relationship, parent: pd.DataFrame) -> None:
    """Raise DataError unless the keys that a relationship refers to are unique and not null."""
    keys = parent[list(relationship.keys)]
    what = f"{relationship.parent}.{'+'.join(relationship.keys)}"
    if n := int(keys.isna().any(axis=1).sum()):
        raise DataError(
            f"{what}: {n} of {quantity(len(keys), 'key')} {agreeing(n, 'is', 'are')} null, and"
            f" {relationship.child} refers to them; remedy: fix the source"
        )
    if len(twice := keys[keys.duplicated()]):
        raise DataError(
            f"{what}: {quantity(len(twice), 'key')} {agreeing(len(twice), 'occurs', 'occur')} more than once, such as"
            f" {_some(twice)}; remedy: a key that names one row, or fix the source"
        )


def _check_orphans(relationship: Relationship, tables: Tables, lost: np.ndarray) -> None:
    if relationship.on_orphans == "drop":
        return
    rows = tables.frames[relationship.child].loc[lost, list(relationship.columns)]
    raise DataError(
        f"{relationship.name}: {len(rows)} of {quantity(len(lost), 'row')} of {relationship.child}"
        f" {agreeing(len(rows), 'refers', 'refer')} to no row of"
        f" {relationship.parent}, such as {_some(rows.drop_duplicates())}; remedy: fix the source, or on_orphans: drop"
        " in the relationship"
    )


def _some(rows: pd.DataFrame) -> str:
    return ", ".join(" + ".join(str(v) for v in row) for row in rows.head(EXAMPLES).itertuples(index=False))


def _hierarchy(relationship: Relationship, tables: Tables) -> Hierarchy:
    """Compute the levels of a hierarchy from the top; a row that refers to itself is at the top."""
    above = tables.parents(relationship)
    above = np.where(above == np.arange(len(above)), NULL, above)
    level = np.where(above < 0, 0, -1)
    here = 0
    while len(below := np.flatnonzero((level < 0) & (above >= 0) & (level[above] == here))):
        here += 1
        level[below] = here
    if (level < 0).any():
        rows = tables.frames[relationship.child].loc[level < 0, list(relationship.columns)]
        above_self = agreeing(len(rows), "is above itself", "are above themselves")
        raise DataError(
            f"{relationship.name}: {quantity(len(rows), 'row')} {above_self},"
            f" such as the one below {_some(rows)}; remedy: fix the source"
        )
    return Hierarchy(level, np.bincount(above[above >= 0], minlength=len(above)), np.zeros(len(above), dtype=bool))
