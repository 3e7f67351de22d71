"""Split a rule into pieces, each of which can hold by construction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from synthcli.columns.constraints import bounds
from synthcli.columns.constraints.linear import Kind, LinearReader, Unread
from synthcli.columns.constraints.parse import Computed, Increasing, OneHot, OneOf, Sum
from synthcli.columns.constraints.rule import Constraint, Rule
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.syntax import Node, column_names


@dataclass(frozen=True)
class Order:
    """Columns in ascending order."""

    of: tuple[str, ...]
    strict: bool


@dataclass(frozen=True)
class Bounded:
    """A linear value between two ends, None for no end; durations in microseconds."""

    tree: Node
    ends: tuple[Fraction | None, Fraction | None]


@dataclass(frozen=True)
class Equal:
    """A column that equals an expression. others: the same equation solved for other columns.

    rule: the sum rule behind it, which tolerates rounding; near: whether approximate equality suffices; bounded: what
    the rule says about the difference, if it is no equality.
    """

    column: str
    expression: Expression
    rule: Sum | None = None
    others: tuple[tuple[str, Expression], ...] = ()
    near: bool = False
    bounded: Bounded | None = None


@dataclass(frozen=True)
class Group:
    """Columns to replace by one category."""

    rule: OneOf | OneHot


@dataclass(frozen=True)
class Other:
    """A piece that cannot hold by construction."""


Piece = Order | Equal | Bounded | Group | Computed | Other


def pieces(rule: Rule, kinds: Mapping[str, Kind]) -> Iterator[Piece | Rule]:
    """The pieces of a rule. A rule on the bounds of one column stays whole, for clipping."""
    if isinstance(rule, OneOf | OneHot | Increasing):
        yield Order(rule.of, rule.strict) if isinstance(rule, Increasing) else Group(rule)
    elif isinstance(rule, Computed):
        yield rule
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
        links = [_link(left, symbol, right) for (symbol, _), left, right in zip(node.value, node.args, node.args[1:])]
        yield from _merged(links)
        return
    yield Other()


def _merged(links: Sequence[Piece]) -> Iterator[Piece]:
    """Links of a chain, both ends of the same value as one piece."""
    bounds = [link for link in links if isinstance(link, Bounded)]
    if len(bounds) == len(links) == 2 and bounds[0].tree == bounds[1].tree:
        low, high = (next((b.ends[i] for b in bounds if b.ends[i] is not None), None) for i in (0, 1))
        yield Bounded(bounds[0].tree, (low, high))
        return
    yield from links


def _link(left: Node, symbol: str, right: Node) -> Piece:
    if symbol in (">", ">="):
        left, symbol, right = right, {">": "<", ">=": "<="}[symbol], left
    if symbol in ("<", "<=") and left.op == right.op == "name" and left.value != right.value:
        return Order((left.value, right.value), symbol == "<")
    bounded = _bounded(left, right) if symbol in ("<", "<=") else None
    if near := symbol in ("<", "<=") and _distance(left) and right.op == "literal":
        (left, right), symbol = left.args[0].args, "=="
    if symbol == "==":
        sides = [(a.value, b) for a, b in ((left, right), (right, left)) if a.op == "name"]
        options = [(name, Expression(name, frozenset(column_names(tree)), tree)) for name, tree in sides]
        options = [(name, e) for name, e in options if e.columns and name not in e.columns]
        if options:
            return Equal(*options[0], None, tuple(options[1:]), near, bounded)
    return bounded or Other()


def _bounded(left: Node, right: Node) -> Bounded | None:
    """left <= right, of which one side is constant, as bounds on the other; abs(x) <= c as two."""
    if (high := _constant(right)) is not None and column_names(left):
        if left.op == "call" and left.value == "abs":
            return Bounded(left.args[0], (-high, high))
        return Bounded(left, (None, high))
    if (low := _constant(left)) is not None and column_names(right):
        return Bounded(right, (low, None))
    return None


def _constant(node: Node) -> Fraction | None:
    """A number, or a duration such as days(2) in microseconds; None for another node."""
    try:
        value = LinearReader({}).value(node, None, False)
    except Unread:
        return None
    return value.constant if not value.terms and value.kind != "datetime" else None


def _distance(node: Node) -> bool:
    """Whether a tree is abs(a - b)."""
    return (
        node.op == "call"
        and node.value == "abs"
        and node.args[0].op == "arithmetic"
        and [s for s, _ in node.args[0].value] == ["-"]
    )
