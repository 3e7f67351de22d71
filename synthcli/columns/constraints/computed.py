"""Columns that are computed from other columns of the row: `columns: {stay: {expr: "days_between(start, end)"}}`.

The rule compares the source with the expression; the output holds it by construction (columns/transforms/). A row in
which either side is null obeys it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.constraints.row_rules import expression_of, need_columns
from synthcli.columns.constraints.rule import OnViolation, Rule
from synthcli.columns.expressions.compile import Expression, parse
from synthcli.columns.expressions.operands import align, floats, kind_of, load
from synthcli.columns.expressions.syntax import Node
from synthcli.errors import SpecError

RESULTS = {
    "boolean": "boolean",
    "integer": "number",
    "float": "number",
    "datetime": "datetime",
    "timedelta": "timedelta",
}
MOST_DECIMALS = 8  # with more, a float counts as exact
ROUNDING = 1e-9  # relative error of arithmetic in floats


@dataclass(frozen=True)
class Computed(Rule):
    """A column that equals an expression, rounded as the column is. precision: its declared decimals, None to take them
    from its values.
    """

    column: str
    expression: Expression
    precision: int | None = None
    on_violation: OnViolation = "error"

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"expr: {self.column} = {self.expression.text}"

    @property
    def columns(self) -> frozenset[str]:
        return self.expression.columns | {self.column}

    @property
    def formula(self) -> Expression:
        """Bounds on the difference, which rounding keeps below one half."""
        off = Node("arithmetic", 0, (Node("name", 0, value=self.column), self.expression.tree), (("-", 0),))
        ends = [(("<=", 0), 0.5), ((">=", 0), -0.5)]
        parts = tuple(Node("compare", 0, (off, Node("literal", 0, value=v)), (symbol,)) for symbol, v in ends)
        return expression_of(self, Node("and", 0, parts, (("and", 0),)))

    def check(self, kinds: Mapping[str, str]) -> None:
        """Raise SpecError for unknown columns, clashing kinds, and a result that the column cannot hold."""
        need_columns(self, kinds)
        if self.column in self.expression.columns:
            raise SpecError(
                f"columns.{self.column}.expr: reads the column itself; remedy: an expression of other columns"
            )
        check_result(self.column, self.expression, kinds)

    def value(self, frame: pd.DataFrame) -> pd.Series:
        """The result of the expression in each row, before it is rounded."""
        return self.expression.evaluate(frame[sorted(self.expression.columns)].reset_index(drop=True))

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        return self.differs(frame, self.value(frame))

    def differs(self, frame: pd.DataFrame, value: pd.Series) -> np.ndarray:
        """Rows whose column is not the value of the expression, see `value`. (rows,) bool"""
        own = load(frame[self.column])
        known = (own.notna() & value.notna()).to_numpy(dtype=bool)
        if (have := kind_of(own.dtype)) != (want := kind_of(value.dtype)):
            raise SpecError(f"{self.text}: {self.column} holds {have}s, and the expression gives a {want}")
        if have != "number":
            own, value = align([own, value])
            return known & ~(own == value).fillna(True).to_numpy(dtype=bool)
        mine, theirs = floats(own), floats(value)
        with np.errstate(invalid="ignore"):
            far = np.abs(mine - theirs) > self._tolerance(own.dtype == "Int64", mine) + ROUNDING * np.abs(theirs)
        return known & far

    def _tolerance(self, whole: bool, values: np.ndarray) -> float:
        """Half a unit of the last decimal; nothing for floats in full precision."""
        decimals = 0 if whole else self.precision if self.precision is not None else decimals_of(values)
        return 0.0 if decimals is None else 0.5 * 10.0**-decimals

    def to_json(self) -> dict[str, Any]:
        body = {"column": self.column, "expr": self.expression.text, "precision": self.precision}
        return {"computed": body, "on_violation": self.on_violation}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Computed:
        body = data["computed"]
        return cls(body["column"], parse(body["expr"]), body["precision"], data["on_violation"])


def check_result(name: str, expression: Expression, kinds: Mapping[str, str]) -> None:
    """Raise SpecError for an expression whose kinds clash, or whose result a column of this name cannot hold."""
    try:
        result = expression.check(kinds)
    except SpecError as error:
        text = str(error)
        raise SpecError(text if text.startswith("columns.") else f"columns.{name}.expr: {text}") from None
    expected = RESULTS.get(kinds[name])
    if expected is not None and result not in (expected, "any", "null"):
        raise SpecError(
            f"columns.{name}.expr: returns a {result}, but the column is of type {kinds[name]}; remedy: change one of"
            " them"
        )


def decimals_of(values: np.ndarray, most: int = MOST_DECIMALS) -> int | None:
    """The fewest decimals that represent all finite values, at most `most`; None if they need more."""
    known = values[np.isfinite(values)]
    with np.errstate(over="ignore", invalid="ignore"):
        for decimals in range(most + 1):
            if np.all(np.abs(np.round(known, decimals) - known) <= 1e-12 * np.abs(known)):
                return decimals
    return None
