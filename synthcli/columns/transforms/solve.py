"""Solve a linear equation between columns for one of them."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from synthcli.columns.constraints.linear import MICROS, Kind, LinearReader, Unread, Value
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.syntax import Node, column_names

SIMPLE = 1000  # largest denominator of a factor that is written as a number


def linear(tree: Node, kinds: Mapping[str, Kind]) -> Value | None:
    """An expression as a multiple of each column plus a constant, times in microseconds; None if it is not linear."""
    zones = {kinds[n].zone for n in column_names(tree) if n in kinds and kinds[n].name == "datetime"}
    if len(zones) > 1 or not column_names(tree) <= set(kinds):
        return None
    reader = LinearReader(kinds)
    try:
        return reader.value(tree, next(iter(zones), None), reader.dated(tree))
    except Unread:
        return None


def solved(value: Value, target: str, kinds: Mapping[str, Kind]) -> Expression | None:
    """The expression that gives a column for which a linear value is 0; None if it cannot be written exactly."""
    own = value.terms[target]
    rest = {name: -factor / own for name, factor in value.terms.items() if name != target}
    constant = -value.constant / own
    if kinds[target].name == "number":
        if any(kinds[name].name != "number" for name in rest):
            return None
        return _expression(_sum(rest, constant))
    dates = [name for name in rest if kinds[name].name == "datetime"]
    if kinds[target].name != "datetime" or len(dates) != 1 or rest.pop(dates[0]) != 1:
        return None
    base = _name(dates[0])
    if not rest and not constant:
        return _expression(base)
    if any(kinds[name].name != "number" for name in rest):
        return None
    for unit, micros in MICROS.items():
        added = _sum({name: factor / micros for name, factor in rest.items()}, constant / micros)
        if added is not None:
            return _expression(_chain([base, Node("call", 0, (added,), unit)], ["+"]))
    return None


def _expression(tree: Node | None) -> Expression | None:
    return None if tree is None else Expression("", frozenset(column_names(tree)), tree)


def _sum(terms: Mapping[str, Fraction], constant: Fraction) -> Node | None:
    """The sum of columns times factors, plus a constant; None if a factor is not a simple number."""
    if any(factor.denominator > SIMPLE for factor in (*terms.values(), constant)):
        return None
    parts = [(abs(factor), _name(name), factor > 0) for name, factor in terms.items()]
    parts += [(abs(constant), None, constant > 0)] if constant else []  # type: ignore[list-item]
    parts = sorted(parts, key=lambda part: not part[2])  # a positive one first
    if not parts:
        return _number(Fraction(0))
    nodes = [_number(size) if name is None else _scaled(size, name) for size, name, _ in parts]
    first = nodes[0] if parts[0][2] else Node("negative", 0, (nodes[0],))
    return _chain([first, *nodes[1:]], ["+" if positive else "-" for _, _, positive in parts[1:]])


def _scaled(factor: Fraction, column: Node) -> Node:
    if factor == 1:
        return column
    whole, part = (factor.numerator, factor.denominator) if factor.denominator > 1 else (factor.numerator, 1)
    scaled = column if whole == 1 else _chain([column, _number(Fraction(whole))], ["*"])
    return scaled if part == 1 else _chain([scaled, _number(Fraction(part))], ["/"])


def _chain(nodes: list[Node], symbols: list[str]) -> Node:
    return nodes[0] if len(nodes) == 1 else Node("arithmetic", 0, tuple(nodes), tuple((s, 0) for s in symbols))


def _number(value: Fraction) -> Node:
    return Node("literal", 0, value=int(value) if value.denominator == 1 else float(value))


def _name(column: str) -> Node:
    return Node("name", 0, value=column)
