"""Boolean expressions as atoms under `and` and `or`: the basis for reasoning about constraints (feasibility.py,
bounds.py).

Negations are pushed down to the atoms as far as Kleene logic allows. Comparisons of numbers, dates and durations become
linear: dates and durations count in microseconds, constants are exact fractions. Anything that is neither linear nor a
comparison of strings is Opaque, about which nothing is known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from synthcli.columns.constraints.linear import Kind, LinearReader, Unread
from synthcli.columns.expressions.compile import is_word
from synthcli.columns.expressions.syntax import Node, column_names

_FLIP = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Linear:
    """A sum of coefficient * column, compared with a constant. symbol: <=, <, == or !=; exact: whether the comparison
    involves no rounding.
    """

    terms: tuple[tuple[str, Fraction], ...]
    symbol: str
    constant: Fraction
    exact: bool = True


@dataclass(frozen=True)
class Member:
    """A column whose value is in a set (within=False: is not); dates and durations in microseconds."""

    column: str
    values: frozenset[Any]
    within: bool = True


@dataclass(frozen=True)
class Same:
    """Two columns of strings or booleans that are equal (equal=False: differ)."""

    a: str
    b: str
    equal: bool = True


@dataclass(frozen=True)
class Null:
    """A column that is null (null=False: is not)."""

    column: str
    null: bool = True


@dataclass(frozen=True)
class Opaque:
    """A condition that this module cannot analyse."""


@dataclass(frozen=True)
class All:
    """A conjunction; true if it has no parts."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True)
class Some:
    """A disjunction; false if it has no parts."""

    parts: tuple[Formula, ...] = ()


Atom = Linear | Member | Same | Null | Opaque
Formula = Atom | All | Some


def formula(tree: Node, kinds: Mapping[str, Kind], *, true: bool) -> Formula:
    """Convert a tree to a formula that holds wherever the tree is true (true=True), or wherever it is not false
    (true=False).

    Atoms have the same reading: "is true", or "is not false", which a null in one of their columns satisfies.
    """
    return _Reader(kinds, true).read(tree, True)


@dataclass(frozen=True)
class _Reader:
    kinds: Mapping[str, Kind]
    true: bool

    def read(self, node: Node, yes: bool) -> Formula:
        """The formula of a node, or of its negation."""
        op, args = node.op, node.args
        if op == "literal":
            return (Some() if self.true else All()) if node.value is None else _said(bool(node.value) == yes)
        if op == "name":
            return Member(node.value, frozenset({True}), yes)
        if op == "not":
            return self.read(args[0], not yes)
        if op in ("and", "or"):
            parts = tuple(self.read(a, yes) for a in args)
            return All(parts) if (op == "and") == yes else Some(parts)
        if op == "implies":
            pair = (self.read(args[0], not yes), self.read(args[1], yes))
            return Some(pair) if yes else All(pair)
        if op == "if":
            return self.condition(node, yes)
        if op == "is null" or (op == "call" and node.value == "is_null"):
            return Null(args[0].value, yes) if args[0].op == "name" else Opaque()
        if op == "in":
            links = [self.link(args[0], "==" if yes else "!=", option) for option in args[1:]]
            return _members(links, yes)
        if op == "compare":
            links = [self.link(a, s if yes else _FLIP[s], b) for (s, _), a, b in zip(node.value, args, args[1:])]
            return links[0] if len(links) == 1 else All(tuple(links)) if yes else Some(tuple(links))
        return Opaque()

    def condition(self, node: Node, yes: bool) -> Formula:
        """The formula of `then if test else other`, whose two forms differ where the test is null."""
        then, test, other = node.args
        pairs = [(test, then, True), (test, other, False)]
        if self.true:
            return Some(tuple(All((self.read(t, on), self.read(branch, yes))) for t, branch, on in pairs))
        return All(tuple(Some((self.read(t, not on), self.read(branch, yes))) for t, branch, on in pairs))

    def link(self, left: Node, symbol: str, right: Node) -> Formula:
        """The formula of one comparison."""
        if symbol in ("==", "!=") and (found := self.equality(left, symbol == "==", right)) is not None:
            return found
        zones = {
            self.kinds[n].zone
            for n in column_names(left) | column_names(right)
            if n in self.kinds and self.kinds[n].name == "datetime"
        }
        if None in zones and len(zones) > 1:
            return Opaque()  # a naive date takes the other's zone, so the difference has no fixed length
        zone = next(iter(zones), None)
        try:
            sides = LinearReader(self.kinds)
            dated = any(sides.dated(side) for side in (left, right))
            a, b = sides.value(left, zone, dated), sides.value(right, zone, dated)
        except Unread:
            return Opaque()
        if a.kind != b.kind:
            return Opaque()
        terms = {n: a.terms.get(n, Fraction(0)) - b.terms.get(n, Fraction(0)) for n in {**a.terms, **b.terms}}
        same = {n for n in a.terms if n in b.terms}
        constant, steps = b.constant - a.constant, a.steps or b.steps
        whole = (
            all(self.kinds[n].whole for n in terms)
            and constant.denominator == 1
            and all(c.denominator == 1 for c in terms.values())
        )
        exact = not (a.rounds or b.rounds) and (whole or not steps)
        if any(c == 0 for n, c in terms.items() if n in same):
            return self.cancelled(left, symbol, right, terms, constant)
        return linear(terms, symbol, constant, exact)

    def cancelled(
        self, left: Node, symbol: str, right: Node, terms: dict[str, Fraction], constant: Fraction
    ) -> Formula:
        """The formula of a comparison whose columns cancel out: a < a is false only if a is not null; more complex ones
        are Opaque.
        """
        if left.op == right.op == "name" and not constant and symbol in ("<", ">", "!="):
            return Member(left.value, frozenset())
        return Opaque()

    def equality(self, left: Node, equal: bool, right: Node) -> Formula | None:
        """The formula of == and != between strings or booleans; None for other kinds."""
        for a, b in ((left, right), (right, left)):
            if b.op == "literal" and isinstance(b.value, bool):
                return self.read(a, b.value == equal)
            if a.op == "name" and a.value in self.kinds and self.kinds[a.value].name == "string" and is_word(b):
                return Member(a.value, frozenset({b.value}), equal)
        if left.op == right.op == "name" and all(n.value in self.kinds for n in (left, right)):
            names = {self.kinds[n.value].name for n in (left, right)}
            if len(names) == 1 and names <= {"string", "boolean"}:
                return Opaque() if left.value == right.value else Same(left.value, right.value, equal)
        return None


def linear(terms: Mapping[str, Fraction], symbol: str, constant: Fraction, exact: bool = True) -> Formula:
    """The atom of a comparison: comparisons of constants are decided, one column's equality becomes a Member, > and >=
    are reversed.
    """
    if symbol in (">", ">="):
        return linear({n: -c for n, c in terms.items()}, {">": "<", ">=": "<="}[symbol], -constant, exact)
    if not terms:
        return _said({"<": constant > 0, "<=": constant >= 0, "==": constant == 0, "!=": constant != 0}[symbol])
    if len(terms) == 1:
        ((name, factor),) = terms.items()
        if symbol in ("==", "!=") and exact:
            return Member(name, frozenset({constant / factor}), symbol == "==")
        sign = Fraction(1 if factor > 0 else -1)
        return Linear(((name, sign),), symbol, constant / abs(factor), exact)
    return Linear(tuple(sorted(terms.items())), symbol, constant, exact)


def _said(value: bool) -> Formula:
    return All() if value else Some()


def _members(links: list[Formula], yes: bool) -> Formula:
    """The formula of in and not in: one Member if all links test the same column."""
    names = {link.column for link in links if isinstance(link, Member) and link.within == yes}
    if len(names) == 1 and all(isinstance(link, Member) and link.within == yes for link in links):
        return Member(names.pop(), frozenset().union(*[link.values for link in links if isinstance(link, Member)]), yes)
    return Some(tuple(links)) if yes else All(tuple(links))
