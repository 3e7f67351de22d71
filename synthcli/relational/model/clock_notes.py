"""Sentences on how times of related tables are learned: the column that orders rows, its origin, and its bounds."""

from __future__ import annotations

from synthcli.relational.model.event_times import NUMBER, YEAR, Clock
from synthcli.relational.model.layout import Layout


def clock_notes(table: str, layout: Layout) -> list[str]:
    """Say in plain words how the times of a table with parents are learned, a sentence each; empty without times."""
    clock, anchors = layout.clock, layout.anchors
    if clock is None:
        return []
    name = f"{table}.{clock.column}"
    out = [f"{name} orders the rows of each parent"]
    if anchors and anchors[0].origin:
        out.append(f"{name} is learned as {_unit(clock)} since {anchors[0].name}")
    if after := [a.name for a in anchors if a.after]:
        out.append(f"{name} is never before {' or '.join(after)}")
    if before := [a.name for a in anchors if a.before and not a.after]:
        out.append(f"{name} is never after {' or '.join(before)}")
    if clock.distinct:
        out.append(f"{name} never repeats within a parent")
    return out


def _unit(clock: Clock) -> str:
    """Return the unit of an age in words."""
    if clock.unit == NUMBER:
        return "the difference"
    return "years" if clock.unit == YEAR else "the time"
