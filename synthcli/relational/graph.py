"""The order in which related tables are generated, and the relationship that determines the rows of each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synthcli.relational.data import Tables
from synthcli.relational.relationships import Relationship, with_dependents


@dataclass(frozen=True)
class Order:
    """The order in which tables are generated, parents before children.

    driver: by table, the relationship whose parents determine the number of its rows; linked: its other relationships,
    whose parents are matched to existing rows; deferred: relationships that close a cycle or stay within a table,
    whose parents are matched when all tables are generated.
    """

    tables: tuple[str, ...]
    driver: Mapping[str, Relationship]
    linked: Mapping[str, tuple[Relationship, ...]]
    deferred: tuple[Relationship, ...]


def order(tables: Tables) -> Order:
    """Find the order of the tables, and the driver of each.

    The driver is the first relationship that leads towards the privacy unit, else the first of all.
    """
    deferred = [r for r in tables.relationships if r.own]
    left, placed = list(tables.frames), list[str]()
    while left:
        free = [
            t
            for t in left
            if not any(r.child == t and r.parent in left and r not in deferred for r in tables.relationships)
        ]
        if not free:  # a cycle: cut it where the first listed table refers to one that is not placed yet
            deferred += [
                r for r in tables.relationships if r.child == left[0] and r.parent in left and r not in deferred
            ]
            continue
        placed += free
        left = [t for t in left if t not in free]
    led = with_dependents(tables.unit[0], [r for r in tables.relationships if r not in deferred])
    driver, linked = {}, {}
    for table in placed:
        above = [r for r in tables.relationships if r.child == table and r not in deferred]
        if table in tables.kept or not above:
            continue
        first = next((r for r in above if r.parent in led), above[0])
        driver[table], linked[table] = first, tuple(r for r in above if r is not first)
    return Order(tuple(placed), driver, linked, tuple(deferred))


def lineage(table: str, driver: Mapping[str, Relationship]) -> list[Relationship]:
    """Return the driver of a table, that of its parent table, and so on."""
    out: list[Relationship] = []
    while table in driver:
        out.append(driver[table])
        table = driver[table].parent
    return out
