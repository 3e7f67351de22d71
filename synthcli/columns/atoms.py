"""A boolean expression as atoms under `and` and `or`: what reasoning about expressions starts from (columns/feasible.py, columns/implied.py).

Negations are pushed down to the atoms, where Kleene's logic allows it. Numbers, dates and durations become linear: dates and durations
count in microseconds, constants are exact fractions. What is neither linear nor a comparison of words is Opaque: nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.expression_values import kind_of
from synthcli.columns.expressions import is_word
from synthcli.columns.syntax import Node
from synthcli.contracts import Schema

_MICROS = {"days": 86_400_000_000, "hours": 3_600_000_000, "minutes": 60_000_000}
_FLIP = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class Linear:
    """Sum of coefficient * column, compared with a constant. symbol: <=, <, == or !=; exact: whether rows are compared without any rounding."""

    terms: tuple[tuple[str, Fraction], ...]
    symbol: str
    constant: Fraction
    exact: bool = True


@dataclass(frozen=True)
class Member:
    """A column that is (or with within=False is not) one of some values; dates and durations in microseconds."""

    column: str
    values: frozenset[Any]
    within: bool = True


@dataclass(frozen=True)
class Same:
    """Two columns of words or booleans that are equal, or (equal=False) are not."""

    a: str
    b: str
    equal: bool = True


@dataclass(frozen=True)
class Null:
    """A column that is null, or (null=False) is not."""

    column: str
    null: bool = True


@dataclass(frozen=True)
class Opaque:
    """Something that is not understood."""


@dataclass(frozen=True)
class All:
    """Every part holds; without parts, true."""

    parts: tuple[Formula, ...] = ()


@dataclass(frozen=True)
class Some:
    """A part holds; without parts, false."""

    parts: tuple[Formula, ...] = ()


Atom = Linear | Member | Same | Null | Opaque
Formula = Atom | All | Some


@dataclass(frozen=True)
class Kind:
    """What a column holds. name: boolean, number, string, datetime or timedelta; whole: numbers without decimals (and all times)."""

    name: str
    whole: bool = False
    zone: Any = None


def kinds_of(schema: Schema, frame: pd.DataFrame | None = None) -> dict[str, Kind]:
    """The Kind of each column: from the frame's dtypes where there is one, else from how the schema stores it."""
    out = {}
    for column in schema.columns:
        if frame is not None and column.name in frame:
            dtype = frame[column.name].dtype
        else:
            dtype = frames.series(pa.chunked_array([], type=frames.arrow_type(column.storage)), column.kind).dtype
        name = kind_of(dtype)
        out[column.name] = Kind(name, name in ("datetime", "timedelta") or dtype == "Int64", getattr(dtype, "tz", None))
    return out


def formula(tree: Node, kinds: Mapping[str, Kind], *, true: bool) -> Formula:
    """A tree as a formula that holds wherever the tree is true (true=True), or wherever it is not false (true=False).

    Atoms are then read the same way: as "is true", or as "is not false", where a null among an atom's columns satisfies it.
    """
    return _Reader(kinds, true).read(tree, True)


class _Unread(Exception):
    """A node that is not linear."""


class _Value(NamedTuple):
    """A linear value. kind: number, datetime or timedelta; rounds: whether its arithmetic may round."""

    terms: dict[str, Fraction]
    constant: Fraction
    kind: str
    rounds: bool = False
    steps: bool = False  # whether there is arithmetic that rounds numbers with decimals


@dataclass(frozen=True)
class _Reader:
    kinds: Mapping[str, Kind]
    true: bool
    zones: list[Any] = field(default_factory=list)

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
        """then if test else other: the two ways to say it differ where the test is null."""
        then, test, other = node.args
        pairs = [(test, then, True), (test, other, False)]
        if self.true:
            return Some(tuple(All((self.read(t, on), self.read(branch, yes))) for t, branch, on in pairs))
        return All(tuple(Some((self.read(t, not on), self.read(branch, yes))) for t, branch, on in pairs))

    def link(self, left: Node, symbol: str, right: Node) -> Formula:
        """One comparison."""
        if symbol in ("==", "!=") and (found := self.equality(left, symbol == "==", right)) is not None:
            return found
        zones = {self.kinds[n].zone for n in _names(left) | _names(right) if n in self.kinds and self.kinds[n].name == "datetime"}
        if None in zones and len(zones) > 1:
            return Opaque()  # a naive date is taken in the other's zone: no difference of fixed length
        zone = next(iter(zones), None)
        try:
            dated = any(self.dated(side) for side in (left, right))
            a, b = self.value(left, zone, dated), self.value(right, zone, dated)
        except _Unread:
            return Opaque()
        if a.kind != b.kind:
            return Opaque()
        terms = {n: a.terms.get(n, Fraction(0)) - b.terms.get(n, Fraction(0)) for n in {**a.terms, **b.terms}}
        same = {n for n in a.terms if n in b.terms}
        constant, steps = b.constant - a.constant, a.steps or b.steps
        whole = all(self.kinds[n].whole for n in terms) and constant.denominator == 1 and all(c.denominator == 1 for c in terms.values())
        exact = not (a.rounds or b.rounds) and (whole or not steps)
        if any(c == 0 for n, c in terms.items() if n in same):
            return self.cancelled(left, symbol, right, terms, constant)
        return linear(terms, symbol, constant, exact)

    def cancelled(self, left: Node, symbol: str, right: Node, terms: dict[str, Fraction], constant: Fraction) -> Formula:
        """a < a is false only where a is not null; anything less plain than that is left alone."""
        if left.op == right.op == "name" and not constant and symbol in ("<", ">", "!="):
            return Member(left.value, frozenset())
        return Opaque()

    def equality(self, left: Node, equal: bool, right: Node) -> Formula | None:
        """== and != of words and booleans; None for what is neither."""
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

    def dated(self, node: Node) -> bool:
        """Whether a side is evidently a date, so that a string beside it is one."""
        if node.op == "name":
            return node.value in self.kinds and self.kinds[node.value].name == "datetime"
        return (node.op == "call" and node.value == "date") or (node.op in ("arithmetic", "call") and any(self.dated(a) for a in node.args))

    def value(self, node: Node, zone: Any, dated: bool) -> _Value:
        """A linear value; raises _Unread for what is none."""
        if node.op == "literal":
            return self.literal(node, zone, dated)
        if node.op == "name" and node.value in self.kinds and (kind := self.kinds[node.value].name) in ("number", "datetime", "timedelta"):
            return _Value({node.value: Fraction(1)}, Fraction(0), kind)
        if node.op == "negative":
            inner = self.value(node.args[0], zone, False)
            return _scaled(inner, Fraction(-1), literal=not inner.terms)
        if node.op == "call":
            return self.call(node, zone)
        if node.op == "arithmetic":
            dated = any(self.dated(a) for a in node.args)
            total = self.value(node.args[0], zone, dated)
            for (symbol, _), arg in zip(node.value, node.args[1:]):
                total = _combined(symbol, total, self.value(arg, zone, dated))
            return total
        raise _Unread

    def literal(self, node: Node, zone: Any, dated: bool) -> _Value:
        value = node.value
        if isinstance(value, str) and dated:
            return self.date(value, zone)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise _Unread
        return _Value({}, Fraction(value), "number")

    def date(self, word: str, zone: Any) -> _Value:
        try:
            stamp = pd.Timestamp(datetime.fromisoformat(word)).as_unit("us")
        except ValueError:
            raise _Unread from None
        if stamp.tz is None and zone is not None:
            stamp = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        elif stamp.tz is not None and zone is None:
            raise _Unread
        return _Value({}, Fraction(int(stamp.asm8.astype("int64"))), "datetime")

    def call(self, node: Node, zone: Any) -> _Value:
        name, args = node.value, node.args
        if name == "date" and is_word(args[0]):
            return self.date(args[0].value, zone)
        if name in _MICROS:
            inner = self.value(args[0], zone, False)
            if inner.kind != "number":
                raise _Unread
            exact = not inner.terms and (inner.constant * _MICROS[name]).denominator == 1
            return _scaled(inner, Fraction(_MICROS[name]), literal=exact)._replace(kind="timedelta")
        if name == "days_between":
            dated = any(self.dated(a) for a in args)
            start, end = (self.value(a, zone, dated) for a in args)
            return _scaled(_combined("-", end, start), Fraction(1, _MICROS["days"]))._replace(kind="number", rounds=True)
        raise _Unread


def linear(terms: Mapping[str, Fraction], symbol: str, constant: Fraction, exact: bool = True) -> Formula:
    """The atom of a comparison: constants decided, one column's equality a Member, > and >= turned round."""
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
    """in and not in: one Member where all links are of one column."""
    names = {link.column for link in links if isinstance(link, Member) and link.within == yes}
    if len(names) == 1 and all(isinstance(link, Member) and link.within == yes for link in links):
        return Member(names.pop(), frozenset().union(*[link.values for link in links if isinstance(link, Member)]), yes)
    return Some(tuple(links)) if yes else All(tuple(links))


def _names(node: Node) -> set[str]:
    return {node.value} if node.op == "name" else set().union(*[_names(a) for a in node.args])


def _scaled(value: _Value, factor: Fraction, literal: bool = False) -> _Value:
    terms = {n: c * factor for n, c in value.terms.items()}
    plain = literal or factor == -1
    return _Value(terms, value.constant * factor, value.kind, value.rounds or not plain, value.steps or not plain)


def _combined(symbol: str, a: _Value, b: _Value) -> _Value:
    """Two linear values added, subtracted, or one scaled by a constant; raises _Unread for what is not linear."""
    if symbol in ("+", "-"):
        sign = 1 if symbol == "+" else -1
        kinds = (a.kind, symbol, b.kind)
        kind = {("datetime", "-", "datetime"): "timedelta", ("datetime", "+", "timedelta"): "datetime", ("timedelta", "+", "datetime"): "datetime",
                ("datetime", "-", "timedelta"): "datetime"}.get(kinds)  # fmt: skip
        if kind is None:
            if a.kind != b.kind or a.kind == "datetime":
                raise _Unread
            kind = a.kind
        terms = {n: a.terms.get(n, Fraction(0)) + sign * b.terms.get(n, Fraction(0)) for n in {**a.terms, **b.terms}}
        if any(c == 0 for c in terms.values()):
            raise _Unread  # a - a is null where a is: it must not be forgotten
        return _Value(terms, a.constant + sign * b.constant, kind, a.rounds or b.rounds, True)
    if symbol == "*" and not (a.terms and b.terms) and "number" in (a.kind, b.kind) and "datetime" not in (a.kind, b.kind):
        factor, other = (a, b) if not a.terms and a.kind == "number" else (b, a)
        if factor.terms or factor.kind != "number" or factor.constant == 0:
            raise _Unread
        whole = factor.constant.denominator == 1 and not factor.rounds
        scaled = _scaled(other, factor.constant, literal=whole)
        return scaled._replace(rounds=scaled.rounds or factor.rounds, steps=True)
    if symbol == "/" and not b.terms and b.constant and b.kind == "number" and a.kind != "datetime":
        return _scaled(a, 1 / b.constant)
    raise _Unread
