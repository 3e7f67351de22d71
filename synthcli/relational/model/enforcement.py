"""How the rows of a sample come to obey the rules of their tables: how many children, drawn beside what, at which time,
and which rows go.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns.constraints.rule import Rule
from synthcli.relational.model.layout import count
from synthcli.relational.model.rejection import Drawing, Remake, childless, moved, refused
from synthcli.relational.model.rules import named, rows_at, widened
from synthcli.relational.model.state import Sample
from synthcli.relational.model.table_model import put_parents
from synthcli.relational.relationships import Relationship

ORDERS = 4  # times that siblings are put in order again, which gives them other numbers


def degree(sample: Sample, r: Relationship) -> tuple[np.ndarray, np.ndarray]:
    """How many children each parent is to have, and which may have any: those that no rule refuses. (parents,) int64,
    (parents,) bool
    """
    extra, name = sample.world.extra[r.parent], count(sample.relationships.index(r))
    if name not in extra:  # the parent had no rows
        return np.zeros(len(extra), dtype=np.int64), np.ones(len(extra), dtype=bool)
    n = np.maximum(extra[name].fillna(0).to_numpy(dtype=np.int64), 0)
    obeyed = sample.sheets[r.child].obeyed
    if obeyed is None:
        return n, np.ones(len(n), dtype=bool)
    if any(set(rule.columns) <= set(r.columns) for rule in obeyed.by("pairs")):  # one child of each parent
        n = np.minimum(n, 1)
    wide = {rule.text: found for rule in obeyed.by("parents") if (found := _of_parents(sample, rule, r)) is not None}
    no = childless([rule for rule in obeyed.rules if rule.text in wide], wide, r.child, n, sample.tally)
    return np.where(no, 0, n), ~no


def _of_parents(sample: Sample, rule: Rule, r: Relationship) -> pd.DataFrame | None:
    """What a rule looks at, for each row that may be the parent; None where it looks at none of these rows, nor above
    them.
    """
    frames, columns = sample.world.frames, dict[str, pd.Series]()
    above = {} if r is not sample.order.driver.get(r.child) else dict(sample.world.above(r.parent, sample.order.driver))
    for name in rule.columns:
        table, column = named(name, frames)
        if table == r.parent:
            columns[name] = frames[r.parent][column]
        elif table in above:
            columns[name] = rows_at(frames[str(table)][column], above[table])
        else:
            return None
    return pd.DataFrame(columns, index=pd.RangeIndex(len(frames[r.parent])))


def early(sample: Sample, name: str, rows: int, making: np.random.Generator) -> tuple[pd.DataFrame, Remake | None]:
    """What is made up, where rules look at it while rows are drawn; and what makes more of it, unlike all before."""
    obeyed, there = sample.sheets[name].obeyed, rows
    assert obeyed is not None
    if not set(obeyed.beside) & set(sample.layouts[name].made):
        return pd.DataFrame(index=pd.RangeIndex(rows)), None

    def remake(more: int) -> pd.DataFrame:
        nonlocal there
        there += more
        return sample.made(name, more, there - more, rng=making)

    return sample.made(name, rows, 0, rng=making), remake


def hold(sample: Sample, name: str, *, whole: bool, before: int = 0) -> None:
    """See that every rule is true of a table; rows that nothing makes obey go, as long as nothing hangs from them.

    whole: whether all keys are there, those that are found at the end too; before: rows that went already.
    """
    sheet = sample.sheets[name]
    if sheet.obeyed is None or name in sample.kept:
        return
    frame, order = sample.world.frames[name], sample.order
    late = set() if whole else {c for r in order.late if r.child == name for c in r.columns}
    rules = [rule for rule in sheet.obeyed.rules if not rule.columns & late]
    names = sorted({c for rule in rules for c in rule.columns})
    wide = widened(names, name, frame, sample.world.frames, order, lambda r: sample.world.at[r.name])
    gone = refused(name, rules, wide, may_drop=not whole and name != sample.unit, before=before, tally=sample.tally)
    if gone.any():
        _leave(sample, name, ~gone)
        hold(
            sample, name, whole=whole, before=before + int(gone.sum())
        )  # numbers follow each other again, and rules may look at them


def _leave(sample: Sample, name: str, keep: np.ndarray) -> None:
    """Go on with these rows of a table, which are the last that were made."""
    world, layout = sample.world, sample.layouts[name]
    frame = world.frames[name][keep].reset_index(drop=True)
    for numbered in layout.numbered:
        frame[numbered.column] = (
            frame.groupby(list(numbered.among), dropna=False, sort=False).cumcount() + numbered.start
        ).astype("Int64")
    world.frames[name], world.extra[name] = frame, world.extra[name][keep].reset_index(drop=True)
    for r in sample.settled(name):
        world.at[r.name] = world.at[r.name][keep]


def watched(sample: Sample, name: str, driver: Relationship, owner: np.ndarray, making: np.random.Generator) -> Drawing:
    """What sees that rows obey the rules of their table; it knows what is there before they are drawn, but for their
    time.
    """
    sheet, layout = sample.sheets[name], sample.layouts[name]
    assert sheet.obeyed is not None
    made, remake = early(sample, name, len(owner), making)
    frame = made
    for r in sample.settled(name):
        frame = sample.with_key(frame, r, layout)
    for n in layout.numbered:
        if n.among == driver.columns:
            frame = frame.assign(**{n.column: (pd.Series(owner).groupby(owner).cumcount() + n.start).astype("Int64")})
    clock = () if layout.clock is None else (layout.clock.column,)
    names = [c for c in dict.fromkeys([*made, *sheet.obeyed.beside]) if c not in clock]
    known = widened(names, name, frame, sample.world.frames, sample.order, lambda r: sample.world.at[r.name])
    return Drawing(name, sheet, known, owner, sample.tally, remake)


def in_time(
    sample: Sample,
    name: str,
    rules: Drawing,
    ticks: np.ndarray,
    known: dict[str, np.ndarray],
    owner: np.ndarray,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """The times of rows moved as far as rules over times ask; siblings stand in their order again, each with its other
    parents.
    """
    sheet, clock, world = sample.sheets[name], sample.layouts[name].clock, sample.world
    assert clock is not None
    timed = rules.obeyed.by("timed")
    numbers = [n.column for n in sample.layouts[name].numbered if n.column in rules.beside]
    for _ in range(ORDERS if timed else 0):
        ticks = moved(ticks, rules.beside, timed, clock, name, sample.tally, rng=rng)
        order = np.lexsort((ticks, owner))
        if (order == np.arange(len(order))).all():
            break
        for link in sheet.links:
            world.at[link.relationship.name] = world.at[link.relationship.name][order]
            put_parents(known, link, world.at[link.relationship.name], sample.layouts, world)
        counted = rules.beside[numbers]  # they stay where they are
        rules.beside, ticks = rules.beside.iloc[order].reset_index(drop=True).assign(**counted), ticks[order]
    return ticks
