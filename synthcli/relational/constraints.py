"""Check the constraints of related tables on their source, and drop the rows that break them with their
descendants.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.constraints.feasibility import contradiction
from synthcli.columns.constraints.mixed_numbers import over_numbers, plain
from synthcli.columns.constraints.rule import Rule, check_source
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError, SpecError
from synthcli.relational.data import Tables
from synthcli.relational.graph import Order, order
from synthcli.relational.model.rules import check as check_rule
from synthcli.relational.model.rules import kinds, named, widened
from synthcli.relational.relationships import NULL, ORPHAN, Relationship, blanked, positions

_PLACE = "\x00row"  # not a valid column name in a file
Rules = Mapping[str, tuple[Rule, ...]]
Fail = Callable[[str, Rule, str], SpecError]  # (table, rule, reason)


def obeying(raw: Tables, rules: Rules, fail: Fail) -> tuple[Tables, list[dict[str, Any]]]:
    """Return the tables with valid keys and without dropped rows, and the findings: by constraint, then dropped
    orphans.

    Rules on a single table come first, so that a `drop` may repair keys. Raises SpecError, and DataError if an `error`
    rule is broken.
    """
    rules = over_numbers_of(rules, raw)
    sequence = ruled(raw, rules, fail)
    own = {name: tuple(r for r in some if r.columns <= set(raw.frames[name])) for name, some in rules.items()}
    across = {name: tuple(r for r in some if r not in own[name]) for name, some in rules.items()}
    kept, found = _dropped(raw, rules, own, sequence, fail)
    checked, lost = kept.checked()
    if any(across.values()):
        kept, more = _dropped(checked, rules, across, sequence, fail)
        found = {name: [*found.get(name, []), *more.get(name, [])] for name in raw.frames}
        checked, _ = kept.checked()
    findings = [
        {"table": name, **f, "constraint": f"{name}: {f['constraint']}"}
        for name in raw.frames
        for f in found.get(name, [])
    ]
    return checked, [*findings, *({"constraint": r, "violations": n, "action": "drop"} for r, n in lost.items() if n)]


def over_numbers_of(rules: Rules, tables: Tables) -> Rules:
    """The rules, those over one table reading numbers as such where a column has words among them."""
    return {name: tuple(over_numbers(rule, tables.frames[name]) for rule in some) for name, some in rules.items()}


def ruled(raw: Tables, rules: Rules, fail: Fail, *, typed: bool = True) -> Order:
    """Return the order of the tables, after checking that every rule can be evaluated in it. typed: whether the kinds
    of columns are known.
    """
    sequence = order(raw)
    for name, some in rules.items():
        for rule in some:
            try:
                check_rule(rule, name, raw.schemas, sequence)
                if typed:
                    rule.violations(pd.DataFrame({c: _first(raw, name, c) for c in rule.columns}))
            except SpecError as error:
                raise fail(name, plain(rule), str(error).removeprefix(f"constraint {rule.text}: ")) from None
    return sequence


def _first(raw: Tables, name: str, column: str) -> pd.Series:
    """The first value of a column in a rule."""
    if column in raw.frames[name]:
        return raw.frames[name][column].head(1)
    other, own = named(column, raw.frames)
    return raw.frames[str(other)][own].head(1)


def wide(tables: Tables, name: str, rules: Sequence[Rule], sequence: Order) -> pd.DataFrame:
    """A table joined with the columns of ancestors that rules name."""
    own = tables.frames[name]
    names = [*own, *sorted({c for rule in rules for c in rule.columns} - set(own))]
    return widened(names, name, own, tables.frames, sequence, lambda r: np.maximum(tables.parents(r), NULL))


def _dropped(
    tables: Tables, every: Rules, some: Rules, sequence: Order, fail: Fail
) -> tuple[Tables, dict[str, list[dict[str, Any]]]]:
    """Drop the rows that break a `drop` rule, with their descendants; also returns the findings of `some` rules."""
    keep, found = {name: np.ones(n, dtype=bool) for name, n in tables.rows.items()}, dict[str, list[dict[str, Any]]]()
    for name, mine in some.items():
        if not mine:
            continue
        rows = wide(tables, name, every[name], sequence)
        note = _feasible(name, rows, every[name], tables, sequence, fail)
        try:
            left, found[name] = check_source(rows.assign(**{_PLACE: np.arange(len(rows))}), mine)
        except DataError as error:
            raise DataError(
                "\n".join(
                    line if line.startswith("remedy") else f"table {name}: {line}" for line in str(error).split("\n")
                )
            ) from None
        keep[name][np.setdiff1d(np.arange(len(rows)), left[_PLACE])] = False
        found[name] = [
            f | ({"note": note[1]} if note is not None and f["constraint"] == note[0] else {}) for f in found[name]
        ]
    return without(tables, keep), found


def _feasible(
    name: str, rows: pd.DataFrame, rules: Sequence[Rule], tables: Tables, sequence: Order, fail: Fail
) -> tuple[str, str] | None:
    """The rule and a note if only nulls satisfy the rules of a table. Raises SpecError if nothing does."""
    known = kinds(name, tables.schemas, sequence)
    conflict = contradiction(rules, Schema(tuple(known[c] for c in rows)), rows)
    if conflict is None or conflict.kind == "nulls":
        return None if conflict is None else (conflict.rules[0].text, conflict.explanation)
    raise fail(name, plain(conflict.rules[0]), f"table {name}: {conflict.explanation}")


def without(tables: Tables, keep: Mapping[str, np.ndarray]) -> Tables:
    """Remove rows, and the rows of other tables that refer to them; a row of the same table only loses its reference.
    keep: (rows,) bool.
    """
    if all(mask.all() for mask in keep.values()):
        return tables
    keep, at = dict(keep), {r.name: tables.parents(r) for r in tables.relationships}
    again = True
    while again:
        again = False
        for r in (r for r in tables.relationships if not r.own):
            lost = (at[r.name] >= 0) & keep[r.child] & (_found(tables, r, keep) == ORPHAN)
            keep[r.child] = keep[r.child] & ~lost
            again |= bool(lost.any())
    frames = {name: frame[keep[name]].reset_index(drop=True) for name, frame in tables.frames.items()}
    for r in (r for r in tables.relationships if r.own):
        there = positions(frames[r.parent], r.keys, frames[r.child], r.columns)
        frames[r.child] = blanked(frames[r.child], r.columns, (at[r.name][keep[r.child]] >= 0) & (there == ORPHAN))
    return tables.having(frames)


def _found(tables: Tables, r: Relationship, keep: Mapping[str, np.ndarray]) -> np.ndarray:
    """The positions of all rows' parents among the kept rows."""
    return positions(tables.frames[r.parent][keep[r.parent]], r.keys, tables.frames[r.child], r.columns)
