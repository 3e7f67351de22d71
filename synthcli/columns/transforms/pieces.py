"""Split a rule into pieces, each of which can hold by construction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from synthcli.columns.constraints import bounds
from synthcli.columns.constraints.linear import Kind
from synthcli.columns.constraints.parse import Increasing, OneHot, OneOf, Sum
from synthcli.columns.constraints.rule import Constraint, Rule
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.syntax import Node


@dataclass(frozen=True)
class Order:
    """Columns in ascending order."""

    of: tuple[str, ...]
    strict: bool


@dataclass(frozen=True)
class Equal:
    """A column that equals an expression. others: the same equation solved for other columns.

    rule: the sum rule behind it, which tolerates rounding; near: whether approximate equality suffices.
    """

    column: str
    expression: Expression
    rule: Sum | None = None
    others: tuple[tuple[str, Expression], ...] = ()
    near: bool = False


@dataclass(frozen=True)
class Group:
    """Columns to replace by one category."""

    rule: OneOf | OneHot


@dataclass(frozen=True)
class Other:
    """A piece that cannot hold by construction."""


Piece = Order | Equal | Group | Other


def pieces(rule: Rule, kinds: Mapping[str, Kind]) -> Iterator[Piece | Rule]:
    """The pieces of a rule. A rule on the bounds of one column stays whole, for clipping."""
    if isinstance(rule, OneOf | OneHot | Increasing):
        yield Order(rule.of, rule.strict) if isinstance(rule, Increasing) else Group(rule)
    elif isinstance(rule, Sum):
        yield Equal(rule.total, rule.added, rule)
    elif (
        rule.formula is not None
        and len(rule.columns) == 1
        and rule.columns <= set(kinds)
        and _clippable(rule.formula, kinds)
    ):
        yield rule
    elif isinstance(rule, Constraint):
        yield from _conjuncts(rule.expression.tree, rule.text)


def _clippable(expression: Expression, kinds: Mapping[str, Kind]) -> bool:
    (name,) = expression.columns
    if kinds[name].name not in ("number", "datetime", "timedelta") or not bounds.exact(expression, kinds):
        return False
    found = bounds.allowed(expression, kinds)
    return found is not None and name in found and found[name].values is None


def _conjuncts(node: Node, text: str) -> Iterator[Piece]:
    """The orders and equalities that a tree joins by `and`; any other part is an Other."""
    if node.op == "and":
        for part in node.args:
            yield from _conjuncts(part, text)
        return
    if node.op == "compare":
        for (symbol, _), left, right in zip(node.value, node.args, node.args[1:]):
            yield _link(left, symbol, right)
        return
    yield Other()


def _link(left: Node, symbol: str, right: Node) -> Piece:
    if symbol in (">", ">="):
        left, symbol, right = right, {">": "<", ">=": "<="}[symbol], left
    if symbol in ("<", "<=") and left.op == right.op == "name" and left.value != right.value:
        return Order((left.value, right.value), symbol == "<")
    if near := symbol in ("<", "<=") and _distance(left) and right.op == "literal":
        (left, right), symbol = left.args[0].args, "=="
    if symbol == "==":
        sides = [(a.value, b) for a, b in ((left, right), (right, left)) if a.op == "name"]
        options = [(name, Expression(name, frozenset(_names(tree)), tree)) for name, tree in sides]
        options = [(name, e) for name, e in options if e.columns and name not in e.columns]
        if options:
            return Equal(*options[0], None, tuple(options[1:]), near)
    return Other()


def _distance(node: Node) -> bool:
    """Whether a tree is abs(a - b)."""
    return (
        node.op == "call"
        and node.value == "abs"
        and node.args[0].op == "arithmetic"
        and [s for s, _ in node.args[0].value] == ["-"]
    )


def _names(node: Node) -> set[str]:
    """The columns that a tree refers to."""
    return {node.value} if node.op == "name" else set().union(*[_names(a) for a in node.args])
