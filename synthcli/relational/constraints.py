"""The rules of related tables beside their source: which there are, which rows of the source obey them, and what goes
with a row that does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.constraints.feasibility import contradiction
from synthcli.columns.constraints.rule import Rule, check_source
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError, SpecError
from synthcli.relational.data import Tables
from synthcli.relational.graph import Order, order
from synthcli.relational.model.rules import check as check_rule
from synthcli.relational.model.rules import kinds, named, widened
from synthcli.relational.relationships import NULL, ORPHAN, Relationship, blanked, positions

_PLACE = "\x00row"  # no column of a file is called so
Rules = Mapping[str, tuple[Rule, ...]]
Fail = Callable[[str, Rule, str], SpecError]  # of a table and its rule, and why


def obeying(raw: Tables, rules: Rules, fail: Fail) -> tuple[Tables, list[dict[str, Any]]]:
    """Tables whose keys are sound and whose rows obey the rules, and what was found: by rules, then the rows that
    orphans cost.

    Rules over one table come first, so that a `drop` may mend keys. Raises SpecError, and DataError where an `error`
    rule is broken.
    """
    made = ruled(raw, rules, fail)
    own = {name: tuple(r for r in some if r.columns <= set(raw.frames[name])) for name, some in rules.items()}
    across = {name: tuple(r for r in some if r not in own[name]) for name, some in rules.items()}
    kept, found = _dropped(raw, rules, own, made, fail)
    checked, lost = kept.checked()
    if any(across.values()):
        kept, more = _dropped(checked, rules, across, made, fail)
        found = {name: [*found.get(name, []), *more.get(name, [])] for name in raw.frames}
        checked, _ = kept.checked()
    findings = [
        {"table": name, **f, "constraint": f"{name}: {f['constraint']}"}
        for name in raw.frames
        for f in found.get(name, [])
    ]
    return checked, [*findings, *({"constraint": r, "violations": n, "action": "drop"} for r, n in lost.items() if n)]


def ruled(raw: Tables, rules: Rules, fail: Fail, *, typed: bool = True) -> Order:
    """The order in which tables are made, once every rule is one that can be looked at there. typed: whether the kinds
    of columns are known.
    """
    made = order(raw)
    for name, some in rules.items():
        for rule in some:
            try:
                check_rule(rule, name, raw.schemas, made)
                if typed:
                    rule.violations(pd.DataFrame({c: _first(raw, name, c) for c in rule.columns}))
            except SpecError as error:
                raise fail(name, rule, str(error).removeprefix(f"constraint {rule.text}: ")) from None
    return made


def _first(raw: Tables, name: str, column: str) -> pd.Series:
    """The first value of a column that a rule names."""
    if column in raw.frames[name]:
        return raw.frames[name][column].head(1)
    other, own = named(column, raw.frames)
    return raw.frames[str(other)][own].head(1)


def wide(tables: Tables, name: str, rules: Sequence[Rule], made: Order) -> pd.DataFrame:
    """A table with the columns of rows above that rules name."""
    own = tables.frames[name]
    names = [*own, *sorted({c for rule in rules for c in rule.columns} - set(own))]
    return widened(names, name, own, tables.frames, made, lambda r: np.maximum(tables.parents(r), NULL))


def _dropped(
    tables: Tables, every: Rules, some: Rules, made: Order, fail: Fail
) -> tuple[Tables, dict[str, list[dict[str, Any]]]]:
    """The tables without the rows that a `drop` refuses and all that hang from these, and what some of the rules
    found.
    """
    keep, found = {name: np.ones(n, dtype=bool) for name, n in tables.rows.items()}, dict[str, list[dict[str, Any]]]()
    for name, mine in some.items():
        if not mine:
            continue
        rows = wide(tables, name, every[name], made)
        note = _feasible(name, rows, every[name], tables, made, fail)
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
    name: str, rows: pd.DataFrame, rules: Sequence[Rule], tables: Tables, made: Order, fail: Fail
) -> tuple[str, str] | None:
    """The rule and the note of a table whose rules only nulls obey. Raises SpecError where nothing obeys them."""
    known = kinds(name, tables.schemas, made)
    conflict = contradiction(rules, Schema(tuple(known[c] for c in rows)), rows)
    if conflict is None or conflict.kind == "nulls":
        return None if conflict is None else (conflict.rules[0].text, conflict.explanation)
    raise fail(name, conflict.rules[0], f"table {name}: {conflict.explanation}")


def without(tables: Tables, keep: Mapping[str, np.ndarray]) -> Tables:
    """The tables without some rows, nor those that refer to them; of rows of the same table, only the reference goes.
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
    """The parents of all rows among those that are kept."""
    return positions(tables.frames[r.parent][keep[r.parent]], r.keys, tables.frames[r.child], r.columns)
