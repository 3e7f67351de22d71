"""The bounds and values that a condition on rows implies for each column."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd

from synthcli.columns.constraints.formulas import All, Formula, Linear, Member, Null, Opaque, Same, Some, formula
from synthcli.columns.constraints.linear import Kind
from synthcli.columns.expressions.compile import Expression
from synthcli.contracts.modelling import Allowed

Bounds = dict[str, Allowed]


def allowed(
    expression: Expression, kinds: Mapping[str, Kind], *, categories: Mapping[str, Sequence[Any]] | None = None
) -> Bounds | None:
    """Column -> the values that it may have in a row for which the expression is true; None if no row can satisfy it.

    The bounds are necessary, not always sufficient: they never exclude a row for which the expression is true, and
    unsupported parts restrict nothing. A compared column is not null if the comparison is true. kinds: from
    linear.kinds_of(schema, frame). categories: all values of columns, without which `x not in [...]` says no more than
    "not null". Dates come as Timestamps in the column's zone.
    """
    found = _restrict(formula(expression.tree, kinds, true=True), kinds, categories or {})
    return None if found is None else {name: _shown(bound, kinds[name]) for name, bound in found.items()}


def exact(expression: Expression, kinds: Mapping[str, Kind]) -> bool:
    """Whether `allowed` is equivalent to the expression, so that rows within the bounds need no further check.

    True only for plain bounds of single columns joined by `and`; strict bounds of decimal numbers are not plain bounds.
    """
    return _plain(formula(expression.tree, kinds, true=True), kinds)


def _plain(node: Formula, kinds: Mapping[str, Kind]) -> bool:
    if isinstance(node, All):
        return all(_plain(part, kinds) for part in node.parts)
    if isinstance(node, Linear):
        (name, _), *others = node.terms
        return not others and node.exact and (node.symbol == "<=" or (node.symbol == "<" and kinds[name].whole))
    return isinstance(node, Member) and node.within


def _restrict(node: Formula, kinds: Mapping[str, Kind], categories: Mapping[str, Sequence[Any]]) -> Bounds | None:
    if isinstance(node, All):
        return _both([_restrict(part, kinds, categories) for part in node.parts])
    if isinstance(node, Some):
        return _either([_restrict(part, kinds, categories) for part in node.parts])
    if isinstance(node, Linear):
        return _linear(node, kinds)
    if isinstance(node, Member):
        if node.column not in kinds:
            return {}
        if node.within:
            return {node.column: Allowed(values=node.values)} if node.values else None
        known = [True, False] if kinds[node.column].name == "boolean" else categories.get(node.column)
        if known is None:
            return {node.column: Allowed()}
        left = frozenset(v for v in (_inner(v) for v in known) if v is not None) - node.values
        return {node.column: Allowed(values=left)} if left else None
    if isinstance(node, Same):
        return {node.a: Allowed(), node.b: Allowed()}
    if isinstance(node, Null):
        return {node.column: Allowed(values=frozenset(), null=True) if node.null else Allowed()}
    assert isinstance(node, Opaque)
    return {}


def _inner(value: Any) -> Any:
    """A category in the units of formulas: times in microseconds, numbers exactly."""
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, pd.Timestamp | pd.Timedelta):
        return int(value.as_unit("us").asm8.astype("int64"))
    return Fraction(value) if math.isfinite(value) else None


def _linear(node: Linear, kinds: Mapping[str, Kind]) -> Bounds:
    """The bound of one column; for several columns, only that none is null."""
    (name, sign), *others = node.terms
    if others or not node.exact:  # rounding may admit slightly more
        return {n: Allowed() for n, _ in node.terms}
    if node.symbol == "!=":
        return {name: Allowed()}
    if node.symbol == "==":
        return {name: Allowed(node.constant * sign, node.constant * sign)}
    most: Any = node.constant  # of sign * column
    if kinds[name].whole:
        most = math.ceil(most) - 1 if node.symbol == "<" else math.floor(most)
    return {name: Allowed(high=most) if sign > 0 else Allowed(low=-most)}


def _both(parts: Sequence[Bounds | None]) -> Bounds | None:
    out: Bounds = {}
    for part in parts:
        if part is None:
            return None
        for name, bound in part.items():
            out[name] = _meet(out[name], bound) if name in out else bound
            if _empty(out[name]):
                return None
    return out


def _either(parts: Sequence[Bounds | None]) -> Bounds | None:
    """The hull of all satisfiable parts, for the columns that every part restricts."""
    possible = [part for part in parts if part is not None]
    if not possible:
        return None
    out = dict(possible[0])
    for part in possible[1:]:
        out = {name: _join(bound, part[name]) for name, bound in out.items() if name in part}
    return {name: bound for name, bound in out.items() if bound != Allowed(null=True)}


def _meet(a: Allowed, b: Allowed) -> Allowed:
    low = max((x for x in (a.low, b.low) if x is not None), default=None)
    high = min((x for x in (a.high, b.high) if x is not None), default=None)
    values = a.values if b.values is None else b.values if a.values is None else a.values & b.values
    if values is not None:
        values = frozenset(v for v in values if (low is None or v >= low) and (high is None or v <= high))
        low = high = None
    return Allowed(low, high, values, a.null and b.null)


def _join(a: Allowed, b: Allowed) -> Allowed:
    null = a.null or b.null
    if a.values is not None and b.values is not None:
        return Allowed(values=a.values | b.values, null=null)
    if a.values == frozenset() or b.values == frozenset():  # only null: the bounds of the other part hold
        other = b if a.values == frozenset() else a
        return Allowed(other.low, other.high, other.values, null)
    (a_low, a_high), (b_low, b_high) = _ends(a), _ends(b)
    low = None if a_low is None or b_low is None else min(a_low, b_low)
    high = None if a_high is None or b_high is None else max(a_high, b_high)
    return Allowed(low, high, None, null)


def _ends(bound: Allowed) -> tuple[Any, Any]:
    """Bounds of the allowed values; strings and booleans have none."""
    if bound.values is None:
        return bound.low, bound.high
    if any(isinstance(v, str | bool) for v in bound.values):
        return None, None
    return min(bound.values), max(bound.values)


def _empty(bound: Allowed) -> bool:
    if bound.null:
        return False
    return bound.values == frozenset() or (bound.low is not None and bound.high is not None and bound.low > bound.high)


def _shown(bound: Allowed, kind: Kind) -> Allowed:
    """Allowed values with the type of the column."""
    show = lambda v: None if v is None else _outer(v, kind)  # noqa: E731
    values = None if bound.values is None else frozenset(_outer(v, kind) for v in bound.values)
    return Allowed(show(bound.low), show(bound.high), values, bound.null)


def _outer(value: Any, kind: Kind) -> Any:
    if isinstance(value, bool | str):
        return value
    if kind.name == "datetime":
        stamp = pd.Timestamp(int(value), unit="us")
        return stamp if kind.zone is None else stamp.tz_localize("UTC").tz_convert(kind.zone)
    if kind.name == "timedelta":
        return pd.Timedelta(int(value), unit="us")
    return int(value) if Fraction(value).denominator == 1 and kind.whole else float(value)
