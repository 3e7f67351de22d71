"""In which order related tables are made, and which relationship makes their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from synthcli.relational.data import Tables
from synthcli.relational.relationships import Relationship


@dataclass(frozen=True)
class Order:
    """tables: parents before children. driver: the relationship whose parents' numbers of children make the rows of a
    table; linked: the others, whose parents are looked for; late: those that close a circle, or stay within a table,
    whose parents are looked for at the end.
    """

    tables: tuple[str, ...]
    driver: Mapping[str, Relationship]
    linked: Mapping[str, tuple[Relationship, ...]]
    late: tuple[Relationship, ...]


def order(tables: Tables) -> Order:
    """The driver of a table is, of the relationships that lead towards the privacy unit, the one that is named first;
    else simply the first.
    """
    late = [r for r in tables.relationships if r.own]
    left, placed = list(tables.frames), list[str]()
    while left:
        free = [
            t
            for t in left
            if not any(r.child == t and r.parent in left and r not in late for r in tables.relationships)
        ]
        if not free:  # a circle: it is cut where the table that is named first refers to one that is not there yet
            late += [r for r in tables.relationships if r.child == left[0] and r.parent in left and r not in late]
            continue
        placed += free
        left = [t for t in left if t not in free]
    led = _below(tables.unit[0], [r for r in tables.relationships if r not in late])
    driver, linked = {}, {}
    for table in placed:
        above = [r for r in tables.relationships if r.child == table and r not in late]
        if table in tables.kept or not above:
            continue
        first = next((r for r in above if r.parent in led), above[0])
        driver[table], linked[table] = first, tuple(r for r in above if r is not first)
    return Order(tuple(placed), driver, linked, tuple(late))


def _below(top: str, relationships: Sequence[Relationship]) -> set[str]:
    """A table and all that hang from it."""
    found, more = {top}, {top}
    while more := {r.child for r in relationships if r.parent in more} - found:
        found |= more
    return found


def lineage(table: str, driver: Mapping[str, Relationship]) -> list[Relationship]:
    """The drivers from a table upwards."""
    out: list[Relationship] = []
    while table in driver:
        out.append(driver[table])
        table = driver[table].parent
    return out
