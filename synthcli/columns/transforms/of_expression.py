"""What steps share that compute a column from an expression over other columns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pandas as pd

from synthcli.columns.expressions.compile import Expression
from synthcli.columns.transforms.casting import cast


class OfExpression:
    """A step whose value is an expression. precision: decimals of the column; days: whether it stores whole days."""

    column: str
    expression: Expression
    dtype: str
    precision: int | None
    days: bool

    @property
    def rewritten(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return tuple(sorted(self.expression.columns))

    def value(self, frame: pd.DataFrame) -> pd.Series:
        """The value of the expression with the dtype of the column."""
        result = self.expression.evaluate(frame[list(self.inputs)].reset_index(drop=True))
        return cast(result, self.dtype, self.precision, self.days)

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "expression": self.expression.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        return cls(**{**data, "expression": Expression.from_json(data["expression"])})
