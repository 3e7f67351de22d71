"""The named forms of a constraint on single rows: range, sum, one_hot, increasing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.constraints.rule import OnViolation, Rule
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.operands import floats, kind_of, load
from synthcli.columns.expressions.syntax import Node
from synthcli.errors import SpecError, did_you_mean

ROUNDING = 1e-9  # relative to the sum of the magnitudes: more than the error of adding floats

# --- over a row


@dataclass(frozen=True)
class Range(Rule):
    """A column between min and max, both inclusive; None for no bound. Bounds are numbers, dates in ISO form, or
    durations such as 1h.
    """

    column: str
    min: int | float | str | None
    max: int | float | str | None
    on_violation: OnViolation = "error"

    @property
    def text(self) -> str:  # type: ignore[override]
        ends = (f"{self.min} <= " if self.min is not None else "", f" <= {self.max}" if self.max is not None else "")
        return f"range: {ends[0]}{self.column}{ends[1]}"

    @property
    def columns(self) -> frozenset[str]:
        return frozenset({self.column})

    @property
    def formula(self) -> Expression:
        column = _name(self.column)
        low = [] if self.min is None else [_compare(_end(self.min), "<=", column)]
        high = [] if self.max is None else [_compare(column, "<=", _end(self.max))]
        return expression_of(self, _all([*low, *high]))

    def check(self, kinds: Mapping[str, str]) -> None:
        need_columns(self, kinds)
        kind = kinds[self.column]
        if kind not in (*frames.NUMBERS, "category"):
            raise SpecError(
                f"constraint {self.text}: {self.column} is of type {kind}; expected a number, a date or a duration"
            )
        for key in ("min", "max"):
            value = getattr(self, key)
            want = {"datetime": "a date such as 2024-12-31", "timedelta": "a duration such as 1h"}.get(kind, "a number")
            if value is not None and kind != "category" and kind_of_end(value) != want.split()[1]:
                raise SpecError(
                    f"constraint {self.text}: {key} is {value!r} and {self.column} is of type {kind}; expected {want}"
                )
        self.formula.check(kinds)

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        return _false(self.formula, frame)

    def to_json(self) -> dict[str, Any]:
        ends = {key: value for key, value in (("min", self.min), ("max", self.max)) if value is not None}
        return {"range": {"column": self.column, **ends}, "on_violation": self.on_violation}


@dataclass(frozen=True)
class Sum(Rule):
    """A total that equals the sum of its parts, up to a tolerance and the rounding of floats; unknown if any of them is
    null.
    """

    total: str
    of: tuple[str, ...]
    tolerance: float = 0
    on_violation: OnViolation = "error"

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"sum: {self.total} = {' + '.join(self.of)}" + (f" ± {self.tolerance:g}" if self.tolerance else "")

    @property
    def columns(self) -> frozenset[str]:
        return frozenset({self.total, *self.of})

    @property
    def added(self) -> Expression:
        """The sum of the parts, as an expression."""
        parts = tuple(_name(c) for c in self.of)
        tree = parts[0] if len(parts) == 1 else Node("arithmetic", 0, parts, (("+", 0),) * (len(parts) - 1))
        return Expression(" + ".join(self.of), frozenset(self.of), tree)

    @property
    def formula(self) -> Expression:
        total, added = _name(self.total), self.added.tree
        if not self.tolerance:
            return expression_of(self, _compare(total, "==", added))
        off = Node("arithmetic", 0, (total, added), (("-", 0),))
        return expression_of(
            self, _all([_compare(off, "<=", _literal(self.tolerance)), _compare(off, ">=", _literal(-self.tolerance))])
        )

    def check(self, kinds: Mapping[str, str]) -> None:
        need_columns(self, kinds)
        need_kinds(self, kinds, {"integer", "float", "category"}, "a number")

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        columns = [frame[c] for c in (self.total, *self.of)]
        if (other := next((c for c in columns if kind_of(c.dtype) != "number"), None)) is not None:
            raise SpecError(f"constraint {self.text}: {other.name} holds {kind_of(other.dtype)}s; expected a number")
        parts = np.array([floats(load(c)) for c in columns])  # (1 + parts, rows)
        with np.errstate(invalid="ignore"):
            off = np.abs(parts[0] - parts[1:].sum(axis=0))
            return off > self.tolerance + ROUNDING * np.abs(parts).sum(axis=0)  # NaN is unknown: not greater

    def to_json(self) -> dict[str, Any]:
        return {
            "sum": {"total": self.total, "of": list(self.of), "tolerance": self.tolerance},
            "on_violation": self.on_violation,
        }


@dataclass(frozen=True)
class OneHot(Rule):
    """Columns of booleans, or of 0 and 1, of which exactly one (or at most one) is true. A null may be either."""

    of: tuple[str, ...]
    at_most: bool = False
    on_violation: OnViolation = "error"

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"one_hot: {'at most' if self.at_most else 'exactly'} 1 of {', '.join(self.of)}"

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(self.of)

    def check(self, kinds: Mapping[str, str]) -> None:
        need_columns(self, kinds)
        need_kinds(self, kinds, {"boolean", "integer", "float", "category"}, "a boolean, or a number that is 0 or 1")

    def read(self, frame: pd.DataFrame) -> np.ndarray:
        """1, 0, NaN for null; other numbers unchanged. (columns, rows) float64; raises SpecError for columns of
        words.
        """
        for name in self.of:
            if frame[name].dtype == frames.STRING:
                raise SpecError(
                    f"constraint {self.text}: {name} holds words; expected a boolean, or a number that is 0 or 1"
                )
        return np.array([floats(load(frame[c]).astype("Float64")) for c in self.of])

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        values = self.read(frame)
        null = np.isnan(values)
        ones = (values == 1).sum(axis=0)
        none = (ones == 0) & ~null.any(axis=0) & (not self.at_most)
        return (ones > 1) | none | (~null & (values != 0) & (values != 1)).any(axis=0)

    def to_json(self) -> dict[str, Any]:
        return {
            "one_hot": list(self.of),
            "at_most" if self.at_most else "exactly": 1,
            "on_violation": self.on_violation,
        }


@dataclass(frozen=True)
class Increasing(Rule):
    """Columns whose known values increase from each to the next (strict), or do not decrease."""

    of: tuple[str, ...]
    strict: bool = False
    on_violation: OnViolation = "error"

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"increasing: {(' < ' if self.strict else ' <= ').join(self.of)}"

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(self.of)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Pair each column with every later one: nulls are skipped, so pairs of neighbours are not enough."""
        return [(a, b) for i, a in enumerate(self.of) for b in self.of[i + 1 :]]

    @property
    def formula(self) -> Expression:
        symbol = "<" if self.strict else "<="
        return expression_of(self, _all([_compare(_name(a), symbol, _name(b)) for a, b in self.pairs]))

    def check(self, kinds: Mapping[str, str]) -> None:
        need_columns(self, kinds)
        need_kinds(self, kinds, {*frames.NUMBERS, "category"}, "a number, a date or a duration")
        groups = {"number" if kinds[c] in ("integer", "float") else kinds[c] for c in self.of} - {"category"}
        if len(groups) > 1:
            shown = ", ".join(f"{c} ({kinds[c]})" for c in self.of)
            raise SpecError(
                f"constraint {self.text}: numbers, dates and durations do not compare: {shown}; remedy: columns of one"
                " kind"
            )

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        broken = np.zeros(len(frame), dtype=bool)
        rest = frame[list(self.of)]
        for i, name in enumerate(
            self.of[1:], start=1
        ):  # compare with the last known value before it, which is the highest
            last = last_known(rest, self.of[:i])
            pair = pd.DataFrame({"a": last, "b": rest[name]})
            broken |= _false(_ORDER[self.strict], pair)
        return broken

    def to_json(self) -> dict[str, Any]:
        return {"increasing": list(self.of), "strict": self.strict, "on_violation": self.on_violation}


def last_known(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """The last non-null value of these columns in each row."""
    last = frame[names[-1]]
    for name in names[-2::-1]:
        other = frame[name]
        if other.dtype != last.dtype:
            last, other = (load(s) for s in (last, other))
            last, other = (s.astype("Float64") if "Float64" in (last.dtype, other.dtype) else s for s in (last, other))
        last = last.where(last.notna(), other)
    return last


# --- helpers of the forms


def need_columns(rule: Rule, kinds: Mapping[str, str]) -> None:
    """Raise SpecError for a column that the data lacks."""
    for name in sorted(rule.columns):
        if name not in kinds:
            near = did_you_mean(name, kinds) or f" Known: {', '.join(map(str, list(kinds)[:12]))}"
            raise SpecError(f"constraint {rule.text}: the data has no column {name!r}.{near}")


def need_kinds(rule: Rule, kinds: Mapping[str, str], may: set[str] | frozenset[str], want: str) -> None:
    """Raise SpecError for a column of a kind that the rule does not support. want: a phrase for the supported kinds."""
    for name in sorted(rule.columns):
        if kinds[name] not in may:
            raise SpecError(f"constraint {rule.text}: {name} is of type {kinds[name]}; expected {want}")


def kind_of_end(value: Any) -> str | None:
    """number, date or duration; None for anything else."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return "number" if np.isfinite(value) else None
    if not isinstance(value, str):
        return None
    try:
        datetime.fromisoformat(value)
        return "date"
    except ValueError:
        return "duration" if re.search(r"\d\s*[a-zA-Z]", value) and _duration(value) is not None else None


def _duration(value: str) -> pd.Timedelta | None:
    try:
        return pd.Timedelta(value)
    except ValueError:
        return None


def size(value: int | float | str) -> Any:
    if isinstance(value, str):
        return pd.Timedelta(value) if kind_of_end(value) == "duration" else pd.Timestamp(datetime.fromisoformat(value))
    return value


def _end(value: int | float | str) -> Node:
    """A bound as a node of the tree."""
    if isinstance(value, str) and kind_of_end(value) == "duration":
        return Node("call", 0, (_literal(pd.Timedelta(value) / pd.Timedelta(minutes=1)),), "minutes")
    return Node("call", 0, (_literal(value),), "date") if isinstance(value, str) else _literal(value)


def _name(column: str) -> Node:
    return Node("name", 0, value=column)


def _literal(value: Any) -> Node:
    return Node("literal", 0, value=value)


def _compare(left: Node, symbol: str, right: Node) -> Node:
    return Node("compare", 0, (left, right), ((symbol, 0),))


def _all(nodes: Sequence[Node]) -> Node:
    return nodes[0] if len(nodes) == 1 else Node("and", 0, tuple(nodes), (("and", 0),) * (len(nodes) - 1))


def expression_of(rule: Rule, tree: Node) -> Expression:
    """A tree as the expression of a rule."""
    return Expression(rule.text, rule.columns, tree)


def _false(expression: Expression, frame: pd.DataFrame) -> np.ndarray:
    """The rows for which an expression is definitely false. (rows,) bool"""
    return ~expression.evaluate(frame).fillna(True).to_numpy(dtype=bool)


_ORDER = {
    strict: Expression(f"a {symbol} b", frozenset("ab"), _compare(_name("a"), symbol, _name("b")))
    for strict, symbol in ((False, "<="), (True, "<"))
}
