"""Linear forms of expressions: numbers, dates and durations as a constant plus a multiple of each column, in exact
fractions and microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any, NamedTuple

import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.expressions.compile import is_word
from synthcli.columns.expressions.operands import kind_of
from synthcli.columns.expressions.syntax import Node
from synthcli.contracts.schema import Schema

MICROS = {"days": 86_400_000_000, "hours": 3_600_000_000, "minutes": 60_000_000}  # microseconds


@dataclass(frozen=True)
class Kind:
    """The kind of a column's values. name: boolean, number, string, datetime or timedelta; whole: numbers without
    decimals (and all times).
    """

    name: str
    whole: bool = False
    zone: Any = None


def kinds_of(schema: Schema, frame: pd.DataFrame | None = None) -> dict[str, Kind]:
    """The Kind of each column: from the frame's dtypes if there is a frame, else from the schema's storage types."""
    out = {}
    for column in schema.columns:
        if frame is not None and column.name in frame:
            dtype = frame[column.name].dtype
        else:
            dtype = frames.series(pa.chunked_array([], type=frames.arrow_type(column.storage)), column.kind).dtype
        name = kind_of(dtype)
        out[column.name] = Kind(name, name in ("datetime", "timedelta") or dtype == "Int64", getattr(dtype, "tz", None))
    return out


class Unread(Exception):
    """A node that is not linear."""


class Value(NamedTuple):
    """A linear value. kind: number, datetime or timedelta; rounds: whether its arithmetic may round."""

    terms: dict[str, Fraction]
    constant: Fraction
    kind: str
    rounds: bool = False
    steps: bool = False  # whether arithmetic rounds numbers with decimals


@dataclass(frozen=True)
class LinearReader:
    """Converts the sides of comparisons to linear values. kinds: of the columns by name."""

    kinds: Mapping[str, Kind]

    def dated(self, node: Node) -> bool:
        """Whether a side is certainly a date, so that a string on the other side is one too."""
        if node.op == "name":
            return node.value in self.kinds and self.kinds[node.value].name == "datetime"
        return (node.op == "call" and node.value == "date") or (
            node.op in ("arithmetic", "call") and any(self.dated(a) for a in node.args)
        )

    def value(self, node: Node, zone: Any, dated: bool) -> Value:
        """The linear value of a node. Raises Unread for a nonlinear one."""
        if node.op == "literal":
            return self._literal(node, zone, dated)
        if (
            node.op == "name"
            and node.value in self.kinds
            and (kind := self.kinds[node.value].name) in ("number", "datetime", "timedelta")
        ):
            return Value({node.value: Fraction(1)}, Fraction(0), kind)
        if node.op == "negative":
            inner = self.value(node.args[0], zone, False)
            return _scaled(inner, Fraction(-1), literal=not inner.terms)
        if node.op == "call":
            return self._call(node, zone)
        if node.op == "arithmetic":
            dated = any(self.dated(a) for a in node.args)
            total = self.value(node.args[0], zone, dated)
            for (symbol, _), arg in zip(node.value, node.args[1:]):
                total = _combined(symbol, total, self.value(arg, zone, dated))
            return total
        raise Unread

    def _literal(self, node: Node, zone: Any, dated: bool) -> Value:
        value = node.value
        if isinstance(value, str) and dated:
            return self._date(value, zone)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise Unread
        return Value({}, Fraction(value), "number")

    def _date(self, word: str, zone: Any) -> Value:
        try:
            stamp = pd.Timestamp(datetime.fromisoformat(word)).as_unit("us")
        except ValueError:
            raise Unread from None
        if stamp.tz is None and zone is not None:
            stamp = stamp.tz_localize(zone, ambiguous=True, nonexistent="shift_forward")
        elif stamp.tz is not None and zone is None:
            raise Unread
        return Value({}, Fraction(int(stamp.asm8.astype("int64"))), "datetime")

    def _call(self, node: Node, zone: Any) -> Value:
        name, args = node.value, node.args
        if name == "date" and is_word(args[0]):
            return self._date(args[0].value, zone)
        if name in MICROS:
            inner = self.value(args[0], zone, False)
            if inner.kind != "number":
                raise Unread
            exact = not inner.terms and (inner.constant * MICROS[name]).denominator == 1
            return _scaled(inner, Fraction(MICROS[name]), literal=exact)._replace(kind="timedelta")
        if name == "days_between":
            dated = any(self.dated(a) for a in args)
            start, end = (self.value(a, zone, dated) for a in args)
            return _scaled(_combined("-", end, start), Fraction(1, MICROS["days"]))._replace(kind="number", rounds=True)
        raise Unread


def _scaled(value: Value, factor: Fraction, literal: bool = False) -> Value:
    terms = {n: c * factor for n, c in value.terms.items()}
    plain = literal or factor == -1
    return Value(terms, value.constant * factor, value.kind, value.rounds or not plain, value.steps or not plain)


def _combined(symbol: str, a: Value, b: Value) -> Value:
    """Add or subtract two linear values, or scale one by a constant. Raises Unread for a nonlinear result."""
    if symbol in ("+", "-"):
        sign = 1 if symbol == "+" else -1
        kinds = (a.kind, symbol, b.kind)
        kind = {
            ("datetime", "-", "datetime"): "timedelta",
            ("datetime", "+", "timedelta"): "datetime",
            ("timedelta", "+", "datetime"): "datetime",
            ("datetime", "-", "timedelta"): "datetime",
        }.get(kinds)
        if kind is None:
            if a.kind != b.kind or a.kind == "datetime":
                raise Unread
            kind = a.kind
        terms = {n: a.terms.get(n, Fraction(0)) + sign * b.terms.get(n, Fraction(0)) for n in {**a.terms, **b.terms}}
        if any(c == 0 for c in terms.values()):
            raise Unread  # a - a is null where a is, so the column stays
        return Value(terms, a.constant + sign * b.constant, kind, a.rounds or b.rounds, True)
    if (
        symbol == "*"
        and not (a.terms and b.terms)
        and "number" in (a.kind, b.kind)
        and "datetime" not in (a.kind, b.kind)
    ):
        factor, other = (a, b) if not a.terms and a.kind == "number" else (b, a)
        if factor.terms or factor.kind != "number" or factor.constant == 0:
            raise Unread
        whole = factor.constant.denominator == 1 and not factor.rounds
        scaled = _scaled(other, factor.constant, literal=whole)
        return scaled._replace(rounds=scaled.rounds or factor.rounds, steps=True)
    if symbol == "/" and not b.terms and b.constant and b.kind == "number" and a.kind != "datetime":
        return _scaled(a, 1 / b.constant)
    raise Unread
