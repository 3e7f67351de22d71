"""Rules over columns of numbers with a few words among them: the numbers are compared, and a word counts as null."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.constraints.row_rules import Increasing, Range, Sum
from synthcli.columns.constraints.rule import Constraint, OnViolation, Rule
from synthcli.columns.expressions.operands import kind_of
from synthcli.columns.expressions.syntax import Node
from synthcli.errors import SpecError

SHARE = 0.8  # share of the known values that are numbers, at least
DISTINCT = 3  # distinct numbers, at least
_NUMBER = r"\s*[-+]?\d+(\.\d+)?\s*"
_KINDS = {"number": "float", "string": "text"}  # of dtypes, as Expression.check names them; others are the same


@dataclass(frozen=True)
class OverNumbers(Rule):
    """A rule over rows that reads some columns of strings as numbers. numbers: these columns."""

    rule: Rule
    numbers: tuple[str, ...]

    @property
    def text(self) -> str:  # type: ignore[override]
        return self.rule.text

    @property
    def on_violation(self) -> OnViolation:  # type: ignore[override]
        return self.rule.on_violation

    @property
    def columns(self) -> frozenset[str]:
        return self.rule.columns

    def check(self, kinds: Mapping[str, str]) -> None:
        self.rule.check({**kinds, **dict.fromkeys(self.numbers, "float")})

    def learn(self, frame: pd.DataFrame, units: np.ndarray | None = None) -> OverNumbers:
        return replace(self, rule=self.rule.learn(_read(frame, self.numbers), units))

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        return self.rule.violations(_read(frame, self.numbers))

    def to_json(self) -> dict[str, Any]:
        return {"over_numbers": list(self.numbers), "rule": self.rule.to_json()}


def over_numbers(rule: Rule, frame: pd.DataFrame) -> Rule:
    """The rule, reading as numbers the columns of nearly only numbers that it compares with numbers. frame: canonical
    dtypes
    """
    if not isinstance(rule, Constraint | Increasing | Range | Sum) or not rule.columns <= set(frame):
        return rule
    named = tuple(name for name in frame if name in rule.columns and nearly_numbers(frame[name]))
    if isinstance(rule, Constraint):
        named = tuple(name for name in named if name in _compared(rule.expression.tree))
    if not named:
        return rule
    found = OverNumbers(rule, named)
    kinds = {name: kind_of(frame[name].dtype) for name in rule.columns}
    try:
        found.check({name: _KINDS.get(kind, kind) for name, kind in kinds.items()})
        found.violations(frame.head(1))
    except SpecError:  # it compares them with words
        return rule
    return found


def plain(rule: Rule) -> Rule:
    """The rule as the spec has it."""
    return rule.rule if isinstance(rule, OverNumbers) else rule


def nearly_numbers(values: pd.Series) -> bool:
    """Whether a column of strings holds numbers, with few words among them."""
    if values.dtype != frames.STRING:
        return False
    counts = values.value_counts()
    numbers = counts[counts.index.astype(frames.STRING).str.fullmatch(_NUMBER)]
    return len(numbers) >= DISTINCT and bool(numbers.sum() >= SHARE * counts.sum())


def _compared(tree: Node) -> frozenset[str]:
    """The columns that an expression compares or adds up, and does not test for null."""
    compared, tested = set[str](), set[str]()
    for node in _nodes(tree):
        names = {part.value for part in node.args if part.op == "name"}
        if node.op in ("compare", "arithmetic", "call"):
            compared |= names
        elif node.op == "is null":
            tested |= names
    return frozenset(compared - tested)


def _nodes(tree: Node) -> Iterator[Node]:
    yield tree
    for part in tree.args:
        yield from _nodes(part)


def _read(frame: pd.DataFrame, columns: tuple[str, ...]) -> pd.DataFrame:
    """The frame with numbers in these columns, null for words."""
    return frame.assign(**{name: numbers_of(frame[name]) for name in columns if frame[name].dtype == frames.STRING})


def numbers_of(values: pd.Series) -> pd.Series:
    """The numbers among strings, null for words. (rows,) float64"""
    plain = values.where(values.str.fullmatch(_NUMBER).fillna(False).astype(bool))
    return pd.to_numeric(plain.astype(object), errors="coerce").astype("float64")
