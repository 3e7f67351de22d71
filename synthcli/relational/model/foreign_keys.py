"""The other parents of rows that are made by one of them, and the parents that are found when all tables are there."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcli.columns.constraints.parse import Unique
from synthcli.relational.model.context import framed
from synthcli.relational.model.enforcement import degree
from synthcli.relational.model.layout import LEVEL
from synthcli.relational.model.links import chosen, distinct, likeness
from synthcli.relational.model.rows import put
from synthcli.relational.model.state import Sample
from synthcli.relational.model.table_model import Link, Sheet, late_context
from synthcli.relational.relationships import NULL, Relationship


def partners(
    sample: Sample, name: str, sheet: Sheet, owner: np.ndarray, parents: int, *, rng: np.random.Generator
) -> np.ndarray:
    """Find the other parents of all rows; which rows stay: those with a parent where they need one, and none of their
    own twice. (rows,) bool
    """
    rows, keep = len(owner), np.ones(len(owner), dtype=bool)
    drawn = pd.DataFrame(index=pd.RangeIndex(rows))
    if "links" in sheet.models:
        drawn = sheet.models["links"].draw(framed(sample.context(name, sheet, owner, parents), rows), rows, rng=rng)
    for k, link in enumerate(sheet.links):
        r = link.relationship
        some = np.flatnonzero(drawn[link.flag] == "known") if link.nullable else np.arange(rows)
        groups = _agreeing(sample, name, r, sample.settled(name)[: k + 1])
        found = _fitting(sample, link, drawn.iloc[some], some, groups, rng=rng)
        sample.world.at[r.name] = at = np.full(rows, NULL)
        at[some] = found
        if not link.nullable:
            keep &= at >= 0
    for columns in _distinct_keys(sample, sheet):
        keep &= ~_apart(sample, name, sheet, columns, rng=rng)
    return keep


def _distinct_keys(sample: Sample, sheet: Sheet) -> list[tuple[str, ...]]:
    """The columns of keys that together may occur once."""
    said = [] if sheet.obeyed is None else [rule.of for rule in sheet.obeyed.by("pairs") if isinstance(rule, Unique)]
    return [columns for columns in dict.fromkeys([*said, sheet.distinct]) if columns]


def _apart(
    sample: Sample, name: str, sheet: Sheet, columns: tuple[str, ...], *, rng: np.random.Generator
) -> np.ndarray:
    """Exchange other parents until no combination of these keys is there twice; which rows still are a second time
    there. (rows,) bool
    """
    settled = [r for r in sample.settled(name) if set(r.columns) <= set(columns)]
    links = [link for link in sheet.links if link.relationship in settled]
    if {c for r in settled for c in r.columns} != set(columns) or not links:
        return np.zeros(
            len(sample.world.at[sample.settled(name)[0].name]), dtype=bool
        )  # looked at when the rows are there
    others, r = [sample.world.at[r.name] for r in settled if r != links[-1].relationship], links[-1].relationship
    last = sample.world.at[r.name]
    rest = np.zeros(len(last), dtype=np.int64) if not others else others[0]
    if len(others) > 1:
        rest = pd.factorize(pd.MultiIndex.from_arrays(others))[0]
    fixed = _agreeing(sample, name, r, [s for s in sample.settled(name) if s != r])
    if fixed is None:
        sample.world.at[r.name], twice = distinct(rest, last, likeness(_told_by(sample, links[-1])), rng=rng)
        return twice
    # parents may not be exchanged between rows of different groups
    known = np.all([last >= 0, *(at >= 0 for at in others)], axis=0)
    return pd.Series(rest * (int(last.max(initial=0)) + 2) + last).duplicated().to_numpy() & known


def _fitting(
    sample: Sample,
    link: Link,
    drawn: pd.DataFrame,
    rows: np.ndarray,
    groups: tuple[np.ndarray, np.ndarray] | None,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """The parent that goes with what was drawn of it. (rows,) int64"""
    n, may = degree(sample, link.relationship)
    offered, allowed = _told_by(sample, link)[may].reset_index(drop=True), np.flatnonzero(may)
    names = [c for c in offered if c in drawn]
    asked = None if groups is None else (groups[0][rows], groups[1][may])
    at = chosen(drawn[names].reset_index(drop=True), offered[names], n[may], asked, rng=rng)
    return np.r_[allowed, NULL][at]  # none is the last


def _told_by(sample: Sample, link: Link) -> pd.DataFrame:
    """The columns of all parents that rows are told apart by, the most telling first."""
    r, into = link.relationship, dict[str, np.ndarray]()
    parents = len(sample.world.frames[r.parent])
    put(into, link.aspects, r.parent, np.arange(parents), sample.layouts[r.parent].schema, sample.world)
    return framed(into, parents)


def _agreeing(
    sample: Sample, name: str, r: Relationship, settled: Sequence[Relationship]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Codes of rows and of parents that must agree, since a key column is part of other keys of the row too; None
    without such columns.
    """
    found: tuple[np.ndarray, np.ndarray] | None = None
    for column, key in zip(r.columns, r.keys):
        other = next((s for s in settled if column in s.columns), None)
        if other is None:
            continue
        source = sample.world.frames[other.parent][other.keys[other.columns.index(column)]]
        at = sample.world.at[other.name]
        mine = source.take(np.maximum(at, 0)).mask(at < 0) if len(source) else source.reindex(range(len(at)))
        codes = pd.factorize(pd.concat([mine, sample.world.frames[r.parent][key]], ignore_index=True))[0]
        one, two = codes[: len(at)], codes[len(at) :]
        wide = int(codes.max(initial=0)) + 2
        found = (one, two) if found is None else (found[0] * wide + one, found[1] * wide + two)
    return found


def late(sample: Sample, r: Relationship, *, rng: np.random.Generator) -> None:
    """Find the parents of a relationship when all rows are there: of a table's own, level by level."""
    sheet, world = sample.sheets[r.child], sample.world
    link = next(each for each in sheet.late if each.relationship == r)
    rows = len(world.frames[r.child])
    level = world.extra[r.child][LEVEL].to_numpy(dtype=np.int64) if r.own else None
    some = np.arange(rows) if level is None else np.flatnonzero(level > 0)
    drawn = pd.DataFrame(index=pd.RangeIndex(len(some)))
    if f"late {r.name}" in sheet.models and len(some):
        context = framed(late_context(r.child, r, sheet, sample.layouts, world, some), len(some))
        drawn = sheet.models[f"late {r.name}"].draw(context, len(some), rng=rng)
    if link.nullable:
        stay = (drawn[link.flag] == "known").to_numpy()
        some, drawn = some[stay], drawn[stay]
    groups = None if level is None else (level, level + 1)
    at = np.full(rows, NULL)
    at[some] = _fitting(sample, link, drawn, some, groups, rng=rng)
    if link.looped and level is not None:
        at = np.where(level == 0, np.arange(rows), at)
    world.at[r.name] = at
    frame = world.frames[r.child]
    settled = {c for s in sample.settled(r.child) for c in s.columns}
    world.frames[r.child] = sample.with_key(
        frame.drop(columns=[c for c in r.columns if c not in settled]), r, sample.layouts[r.child]
    )
