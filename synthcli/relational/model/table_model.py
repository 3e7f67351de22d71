"""What was learned of one table, and what is known of its rows when they come."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synthcli.columns.codec.codec import Codec
from synthcli.relational.model import event_times as clocks
from synthcli.relational.model.context import Aspect, Conditional
from synthcli.relational.model.layout import LEVEL, Layout
from synthcli.relational.model.rows import World, put
from synthcli.relational.model.rules import Obeyed
from synthcli.relational.model.siblings import Past
from synthcli.relational.relationships import Relationship


@dataclass
class Link:
    """How the parents of a relationship that makes no rows are found. aspects: their columns, the most telling first;
    nullable: whether a row may have none; looped: whether those at the top of a hierarchy name themselves."""

    relationship: Relationship
    aspects: tuple[Aspect, ...]
    nullable: bool
    looped: bool = False

    @property
    def flag(self) -> str:
        """The column that says whether there is a parent."""
        return f"{self.relationship.name}?"


@dataclass
class Sheet:
    """What was learned of one table. rows: it had; loose: share of them without the parent that makes rows; distinct:
    columns of keys that together occur once. values draws its columns, pace its times, links its other parents, late
    those that are found at the end.
    """

    layout: Layout
    rows: int
    loose: float = 0.0
    shared: bool = False
    aspects: tuple[Aspect, ...] = ()
    above: tuple[tuple[str, Aspect], ...] = ()  # the table that it is of, nearest first
    pasts: tuple[Past, ...] = ()
    links: tuple[Link, ...] = ()
    late: tuple[Link, ...] = ()
    distinct: tuple[str, ...] = ()
    models: dict[str, Conditional] = field(default_factory=dict)
    codec: Codec | None = None
    obeyed: Obeyed | None = None  # None without rules


def put_above(
    into: dict[str, np.ndarray],
    sheet: Sheet,
    above: list[tuple[str, np.ndarray]],
    layouts: dict[str, Layout],
    world: World,
) -> None:
    """Add the columns of the rows above."""
    for table, at in above:
        put(into, [a for t, a in sheet.above if t == table], table, at, layouts[table].schema, world)


def put_parents(
    into: dict[str, np.ndarray], link: Link, at: np.ndarray, layouts: dict[str, Layout], world: World
) -> None:
    """Add the columns of a parent that was looked for, and whether there is one."""
    if link.nullable:
        into[link.flag] = np.where(at < 0, "null", "known").astype(object)
    put(into, link.aspects, link.relationship.parent, at, layouts[link.relationship.parent].schema, world)


def put_time(into: dict[str, np.ndarray], clock: clocks.Clock, ticks: np.ndarray, gap: np.ndarray) -> None:
    """Add the time of each row and that since the sibling before it, which is negative for the first."""
    into["@time"], into["@gap"] = clock.seconds(ticks), clock.seconds(gap)


def late_context(
    name: str, r: Relationship, sheet: Sheet, layouts: dict[str, Layout], world: World, rows: np.ndarray
) -> dict[str, np.ndarray]:
    """A row's own columns, and its level in a hierarchy."""
    known: dict[str, np.ndarray] = {}
    put(known, sheet.aspects, name, rows, layouts[name].schema, world)
    if r.own:
        known[LEVEL] = world.extra[name][LEVEL].to_numpy(dtype=np.float64)[rows]
    return known
