"""Check that some row can obey all constraints: find contradictions before training, and report a minimal contradictory
set.

`contradiction` runs a sound but incomplete proof (columns/constraints/solver.py): bounds, orders between columns, sets
of values, and each `or` by cases. A reported contradiction is real for columns whose sums stay within 64 bits and the
years 1 to 9999, up to the rounding of floats; expressions that it cannot analyse pass. The second check is the source:
if no row obeys all rules, it reports the smallest set that no row obeys.

A comparison with null is unknown and counts as satisfied, so a nullable column (it has nulls in the source, or declares
them) obeys any rule by being null. Rules that only nulls obey are not a contradiction, but hardly intended, so they are
reported as kind `nulls`. Columns without nulls in the source count as not nullable.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthcli.columns.constraints import solver
from synthcli.columns.constraints.formulas import All, Formula, Linear, Member, Null, Opaque, Same, Some, formula
from synthcli.columns.constraints.linear import Kind, kinds_of
from synthcli.columns.constraints.parse import OneHot
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.expressions.compile import Expression
from synthcli.contracts.schema import Column, Schema

SUBSETS = 500  # maximum subsets to try for a smaller set than removing rules one by one gives
PAIRED = 12  # maximum columns of a one_hot group for a check of each pair


@dataclass(frozen=True)
class Conflict:
    """Rules that cannot all hold. kind: contradiction, proven; unwitnessed, no row of the source obeys all; nulls, only
    nulls obey all.
    """

    kind: Literal["contradiction", "unwitnessed", "nulls"]
    rules: tuple[Rule, ...]
    explanation: str


def contradiction(rules: Sequence[Rule], schema: Schema, frame: pd.DataFrame | None = None) -> Conflict | None:
    """Find the smallest set of rules that contradict each other, else one that no row of the frame obeys, else one that
    only nulls obey.

    frame: the source, canonical dtypes, before any row is dropped. The set is smallest if few subsets need to be tried,
    else minimal: no rule can be left out. Returns None if rows that obey all rules exist, or if nothing rules them out.
    """
    kinds = kinds_of(schema, frame)
    nullable = {
        c.name
        for c in schema.columns
        if (c.declared.nulls or 0) > 0 or (frame is not None and frame[c.name].isna().any())
    }
    said = {i: f for i, rule in enumerate(rules) if (f := _formula(rule, kinds)) is not None}
    facts = {c.name: f for c in schema.columns if (f := _fact(c, kinds[c.name])) is not None}

    def clash(kept: Iterable[int], lenient: bool, known: Iterable[str] = facts) -> bool:
        formulas = [said[i] for i in kept] + [facts[name] for name in known]
        return not solver.satisfiable(formulas, kinds, frozenset(nullable), lenient=lenient)

    if clash(said, True):
        core = _smallest(sorted(said), lambda kept: clash(kept, True))
        return Conflict(
            "contradiction",
            tuple(rules[i] for i in core),
            _told(rules, core, _needed(facts, lambda known: clash(core, True, known))),
        )
    if (conflict := _unwitnessed(rules, frame)) is not None:
        return conflict
    if nullable and clash(said, False):
        core = _smallest(sorted(said), lambda kept: clash(kept, False))
        chosen = tuple(rules[i] for i in core)
        names = ", ".join(sorted(nullable & frozenset().union(*[r.columns for r in chosen])))
        return Conflict(
            "nulls",
            chosen,
            f"only rows with nulls (in {names}) obey all of: {_list(chosen)}; remedy: relax one of them",
        )
    return None


def impossible(text: str, condition: Expression, rules: Sequence[Rule], schema: Schema) -> str | None:
    """The reason why no row that meets a condition can obey the rules, with as few rules as possible; None if a row may
    exist.

    Any column may be null, except where the condition compares it.
    """
    kinds = kinds_of(schema)
    said = {i: f for i, rule in enumerate(rules) if (f := _formula(rule, kinds)) is not None}
    required = _known(formula(condition.tree, kinds, true=True))

    def clash(kept: Iterable[int]) -> bool:
        return not solver.satisfiable([required, *(said[i] for i in kept)], kinds, frozenset(kinds), lenient=True)

    if not clash(said):
        return None
    core = _smallest(sorted(said), clash)
    if not core:
        return f"no row can meet {text}: it contradicts itself"
    return (
        f"no row can meet {text} and obey {_list(rules[i] for i in core)}; remedy: another condition, or relax the"
        " constraint"
    )


def _known(node: Formula) -> Formula:
    """Require the comparisons of a formula to be true, not just unknown: the compared columns are not null."""
    if isinstance(node, All | Some):
        return type(node)(tuple(_known(part) for part in node.parts))
    if isinstance(node, Null | Opaque):
        return node
    names = (
        [n for n, _ in node.terms]
        if isinstance(node, Linear)
        else [node.a, node.b]
        if isinstance(node, Same)
        else [node.column]
    )
    return All((node, *(Null(name, False) for name in names)))


def _told(rules: Sequence[Rule], core: Sequence[int], facts: Sequence[str]) -> str:
    chosen = [rules[i] for i in core]
    declared = f", given the declarations of {', '.join(facts)}" if facts else ""
    what = (
        "no row can obey the constraint"
        if len(chosen) == 1
        else f"no row can obey all {len(chosen)} of these constraints"
    )
    return f"{what}{declared}: {_list(chosen)}; remedy: relax or remove one of them"


def _list(rules: Iterable[Rule]) -> str:
    return "; ".join(rule.text for rule in rules)


# --- the smallest set


def _smallest(items: list[int], clash: Callable[[Sequence[int]], bool]) -> list[int]:
    """A minimal contradictory set; the smallest of all if few enough smaller sets exist to try."""
    core = list(items)
    for item in items:
        if clash(rest := [i for i in core if i != item]):
            core = rest
    for size in range(len(core)):
        if sum(math.comb(len(items), k) for k in range(size + 1)) > SUBSETS:
            break
        for some in combinations(items, size):
            if clash(some):
                return list(some)
    return core


def _needed(facts: dict[str, Formula], clash: Callable[[Sequence[str]], bool]) -> list[str]:
    """Columns whose declared bounds or categories the contradiction depends on."""
    known = list(facts)
    if clash([]):
        return []
    for name in facts:
        if clash(rest := [n for n in known if n != name]):
            known = rest
    return known


def _unwitnessed(rules: Sequence[Rule], frame: pd.DataFrame | None) -> Conflict | None:
    """The smallest set of row rules that no row of the source obeys as a whole."""
    some = [rule for rule in rules if not rule.TABLE]
    if frame is None or not len(frame) or not some:
        return None
    broken = np.array([rule.violations(frame) for rule in some]).T
    if not broken.any(axis=1).all():
        return None
    broken = np.unique(broken, axis=0)  # (patterns, rules) bool
    core = _smallest(list(range(len(some))), lambda kept: bool(kept) and bool(broken[:, list(kept)].any(axis=1).all()))
    chosen = tuple(some[i] for i in core)
    what = "the constraint" if len(chosen) == 1 else f"all {len(chosen)} of these constraints"
    return Conflict(
        "unwitnessed",
        chosen,
        f"no row of the source obeys {what}: {_list(chosen)}; remedy: relax or remove one, or fix the source",
    )


# --- formulas of rules and declarations


def _formula(rule: Rule, kinds: dict[str, Kind]) -> Formula | None:
    if isinstance(rule, OneHot):
        return _one_hot(rule, kinds)
    return (
        None
        if rule.formula is None or not rule.columns <= set(kinds)
        else formula(rule.formula.tree, kinds, true=False)
    )


def _one_hot(rule: OneHot, kinds: dict[str, Kind]) -> Formula | None:
    if any(c not in kinds or kinds[c].name not in ("boolean", "number") for c in rule.of):
        return None
    one = {c: frozenset({True if kinds[c].name == "boolean" else Fraction(1)}) for c in rule.of}
    parts: list[Formula] = [
        Member(c, frozenset({Fraction(0), Fraction(1)})) for c in rule.of if kinds[c].name == "number"
    ]
    if not rule.at_most:
        parts.append(Some(tuple(Member(c, one[c]) for c in rule.of)))
    if len(rule.of) <= PAIRED:
        parts += [Some((Member(a, one[a], False), Member(b, one[b], False))) for a, b in combinations(rule.of, 2)]
    return All(tuple(parts))


def _fact(column: Column, kind: Kind) -> Formula | None:
    """Declared bounds and categories as a formula; inferred ones do not count. Declared point masses may lie beyond
    declared bounds.
    """
    said = column.declared
    parts: list[Formula] = []
    if said.categories is not None and column.kind == "category":
        values = [*said.categories, *([said.rare.as_] if said.rare else [])]
        if (plain := [_plain(v, kind) for v in values]) and None not in plain:
            parts.append(Member(column.name, frozenset(plain)))
    for key, sign in (("min", -1), ("max", 1)):
        bound = getattr(said, key)
        if bound is None or said.spikes is not None or column.missing or (size := _size(bound, kind)) is None:
            continue
        parts.append(Linear(((column.name, Fraction(sign)),), "<=", sign * size))
    return All(tuple(parts)) if parts else None


def _plain(value: Any, kind: Kind) -> Any:
    """A category in the units of formulas; None if its kind differs from the column's."""
    if kind.name == "boolean":
        return value if isinstance(value, bool) else None
    if kind.name == "number":
        return (
            Fraction(value)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
            else None
        )
    return value if kind.name == "string" and isinstance(value, str) else None


def _size(bound: Any, kind: Kind) -> Fraction | None:
    """A declared bound in the units of the column; None for one that this module cannot parse."""
    if kind.name == "number" and not isinstance(bound, str):
        return Fraction(bound)
    if kind.name not in ("datetime", "timedelta") or not isinstance(bound, str):
        return None
    try:
        if kind.name == "timedelta":
            return Fraction(int(pd.Timedelta(bound).as_unit("us").asm8.astype("int64")))
        stamp = pd.to_datetime(bound, format="ISO8601").as_unit("us")
    except ValueError:
        return None
    if kind.zone is not None and stamp.tz is None:
        stamp = stamp.tz_localize(kind.zone)
    elif kind.zone is None:
        stamp = stamp.tz_localize(None)
    return Fraction(int(stamp.asm8.astype("int64")))
