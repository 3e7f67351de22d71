"""Steps that keep a column near the value that other columns give: by a residual, or by a date of birth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec.parts import integers, times
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.syntax import Node
from synthcli.columns.transforms.ends import Ends
from synthcli.columns.transforms.of_expression import OfExpression


@dataclass(frozen=True)
class Residual(OfExpression):
    """A column that is the value of an expression plus a residual, which a method learns instead.

    low, high: bounds of the residual, for times in ticks of the column's unit, None for no bound. grid: the step of the
    residual. alone: the column that holds the original value if the expression is null. ends: of the column, which no
    restored value passes unless the bounds of the residual force it to.
    """

    column: str
    expression: Expression
    name: str
    dtype: str
    low: float | None = None
    high: float | None = None
    precision: int | None = None
    grid: int = 1
    days: bool = False
    alone: str | None = None
    ends: Ends = field(default_factory=Ends)

    @property
    def made(self) -> tuple[str, ...]:
        return (self.name,) if self.alone is None else (self.name, self.alone)

    @property
    def unit(self) -> str | None:
        """The unit of times, None for numbers."""
        return self.dtype.partition("[")[2].rstrip("]").partition(",")[0] or None

    def forward(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        own, near = frame[self.column].reset_index(drop=True), self.value(frame)
        null = (own.isna() | near.isna()).to_numpy(dtype=bool)
        if self.dtype == "float64":
            off = own.to_numpy() - near.to_numpy()
            out = pd.Series(np.where(null, np.nan, off if self.precision is None else np.round(off, self.precision)))
        else:
            ticks = _ticks(own, null) - _ticks(near, null)
            out = (
                pd.Series(pd.arrays.IntegerArray(ticks, null))
                if self.unit is None
                else times(ticks, null, f"duration[{self.unit}]")
            )
        return {self.name: out} | ({} if self.alone is None else {self.alone: own.where(near.isna())})

    def inverse(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        off, near = frame[self.name].reset_index(drop=True), self.value(frame)
        null = (off.isna() | near.isna()).to_numpy(dtype=bool)
        if self.dtype == "float64":
            values = self._within_ends(near.to_numpy() + np.clip(off.to_numpy(), self.low, self.high), near.to_numpy())
            values = values if self.precision is None else np.round(values, self.precision)
            out = pd.Series(np.where(null, np.nan, values + 0.0))
        else:
            ticks = self._within_ends(self._on_grid(_ticks(off, null)) + _ticks(near, null), _ticks(near, null))
            out = (
                pd.Series(pd.arrays.IntegerArray(np.where(null, 0, ticks), null))
                if self.unit is None
                else times(np.where(null, 0, ticks), null, self.dtype)
            )
        return {self.column: out if self.alone is None else out.where(near.notna(), frame[self.alone])}

    def to_json(self) -> dict[str, Any]:
        return super().to_json() | {"ends": self.ends.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Residual:
        return super().from_json({**data, "ends": Ends(**data.get("ends", {}))})

    def _within_ends(self, values: np.ndarray, near: np.ndarray) -> np.ndarray:
        """Values within the published ends, where the bounds of the residual leave room."""
        whole = self.dtype != "float64"
        low = None if self.low is None else int(np.ceil(self.low / self.grid)) * self.grid if whole else self.low
        high = None if self.high is None else int(np.floor(self.high / self.grid)) * self.grid if whole else self.high
        least, most = (None if bound is None else near + bound for bound in (low, high))
        return self.ends.within(values, least, most, otherwise=values)

    def _on_grid(self, ticks: np.ndarray) -> np.ndarray:
        """Residuals within the bounds and on the grid. (rows,) int64"""
        low = None if self.low is None else int(np.ceil(self.low / self.grid))
        high = None if self.high is None else int(np.floor(self.high / self.grid))
        steps = np.rint(ticks / self.grid).astype(np.int64)
        return (steps if low is None and high is None else np.clip(steps, low, high)) * self.grid


@dataclass(frozen=True)
class BirthYear:
    """A made-up date of birth, moved to the year that agrees with an age in completed years at another date: its day of
    the year stays. age, at: the columns; plus: what `age` has more than the completed years.
    """

    column: str
    age: str
    at: str
    plus: int = 0

    @property
    def rewritten(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return (self.age, self.at)

    @property
    def made(self) -> tuple[str, ...]:
        return (self.column,)

    def forward(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        return {self.column: frame[self.column]}

    def inverse(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        born, at = frame[self.column].reset_index(drop=True), frame[self.at].reset_index(drop=True)
        age = frame[self.age].reset_index(drop=True).astype("Float64").round()
        known = (born.notna() & at.notna() & age.notna()).to_numpy(dtype=bool)
        born, at, years = born[known].dt.normalize(), at[known], age[known].to_numpy(dtype=np.int64) - self.plus
        month, day = born.dt.month.to_numpy(), born.dt.day.to_numpy()
        day = np.where((month == 2) & (day == 29), 28, day)  # exists in every year
        later = month * 100 + day > (at.dt.month * 100 + at.dt.day).to_numpy()
        year = at.dt.year.to_numpy() - years - later
        moved = pd.to_datetime(pd.DataFrame({"year": year, "month": month, "day": day}), errors="coerce")
        out = frame[self.column].reset_index(drop=True).copy()
        out[known] = moved.set_axis(born.index).astype(out.dtype)
        return {self.column: out}

    def to_json(self) -> dict[str, Any]:
        return dict(self.__dict__)

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> BirthYear:
        return cls(**data)


def ages(tree: Node) -> tuple[str, str, int] | None:
    """(born, at, plus) of years_between(born, at) + plus; None for another expression."""
    plus = 0
    if tree.op == "arithmetic" and len(tree.args) == 2 and tree.value[0][0] in ("+", "-"):
        more = tree.args[1]
        if more.op != "literal" or type(more.value) is not int:
            return None
        plus, tree = more.value if tree.value[0][0] == "+" else -more.value, tree.args[0]
    if tree.op == "call" and tree.value == "years_between" and all(a.op == "name" for a in tree.args):
        return tree.args[0].value, tree.args[1].value, plus
    return None


def _ticks(column: pd.Series, null: np.ndarray) -> np.ndarray:
    """Integers or ticks, 0 where null. (rows,) int64"""
    out = np.zeros(len(column), dtype=np.int64)
    out[~null] = integers(column[~null])
    return out
