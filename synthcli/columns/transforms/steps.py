"""Steps that replace columns by new ones, so that any sampled values obey a rule. columns/transforms/planner.py chooses
them.

A step knows the columns that it rewrites, its inputs (the columns needed to restore them), and the columns that replace
them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.constraints.parse import OneHot, OneOf, parse_rule
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.transforms.differences import Difference
from synthcli.columns.transforms.of_expression import OfExpression
from synthcli.columns.transforms.residuals import BirthYear, Residual


class Step(Protocol):
    """forward computes the new columns from the old ones and the inputs; inverse restores the rewritten columns."""

    @property
    def rewritten(self) -> tuple[str, ...]: ...

    @property
    def inputs(self) -> tuple[str, ...]: ...

    @property
    def made(self) -> tuple[str, ...]: ...

    def forward(self, frame: pd.DataFrame) -> dict[str, pd.Series]: ...

    def inverse(self, frame: pd.DataFrame) -> dict[str, pd.Series]: ...

    def to_json(self) -> dict[str, Any]: ...


@dataclass(frozen=True)
class Derived(OfExpression):
    """A column that equals an expression over other columns. alone: the column that holds the original value if the
    expression is null; missing: the column that marks rows in which only this column is null. copied: whether a method
    learns the column as well, so that it can be conditioned on; the expression replaces what it draws.
    """

    column: str
    expression: Expression
    dtype: str
    precision: int | None = None
    days: bool = False  # whether the column stores whole days
    alone: str | None = None
    missing: str | None = None
    copied: bool = False

    @property
    def made(self) -> tuple[str, ...]:
        own = (self.column,) if self.copied else ()
        return (*own, *(name for name in (self.alone, self.missing) if name is not None))

    def forward(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        own, gives = frame[self.column], self.value(frame)
        out = {self.column: own} if self.copied else {}
        if self.alone is not None:
            out[self.alone] = own.where(gives.isna())
        if self.missing is not None:
            out[self.missing] = (own.isna() & gives.notna()).astype("boolean")
        return out

    def inverse(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        gives = self.value(frame)
        if self.alone is not None:
            gives = gives.where(gives.notna(), frame[self.alone])
        if self.missing is not None:
            null = frame[self.missing].fillna(False).astype(bool)
            gives = gives.mask(null if self.alone is None else null & self.value(frame).notna())
        return {self.column: gives}


@dataclass(frozen=True)
class _Category:
    """One category, `name`, that replaces the columns of a rule."""

    rule: OneHot | OneOf
    name: str

    @property
    def rewritten(self) -> tuple[str, ...]:
        return self.rule.of

    @property
    def inputs(self) -> tuple[str, ...]:
        return ()

    @property
    def made(self) -> tuple[str, ...]:
        return (self.name,)


@dataclass(frozen=True)
class Choice(_Category):
    """The name of the true column of a one-hot group, or `none`; null where all columns are null."""

    rule: OneHot
    none: str
    dtypes: tuple[str, ...]

    def forward(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        values = self.rule.read(frame)
        labels = np.array([*self.rule.of, self.none], dtype=object)
        place = np.where((values == 1).any(axis=0), (values == 1).argmax(axis=0), len(self.rule.of))
        return {self.name: pd.Series(pd.array(labels[place], dtype=frames.STRING)).mask(np.isnan(values).all(axis=0))}

    def inverse(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        label = frame[self.name]
        return {
            c: (label == c).astype("boolean").mask(label.isna()).astype("Float64" if d == "float64" else d).astype(d)
            for c, d in zip(self.rule.of, self.dtypes)
        }

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule.to_json(), "name": self.name, "none": self.none, "dtypes": list(self.dtypes)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Choice:
        rule = parse_rule(data["rule"])
        assert isinstance(rule, OneHot)
        return cls(rule, data["name"], data["none"], tuple(data["dtypes"]))


@dataclass(frozen=True)
class Combination(_Category):
    """The index of a row's combination in the table of fixed combinations."""

    rule: OneOf

    @property
    def labels(self) -> list[str]:
        """One label per row of the table: numbers of equal width, so that they sort like the table."""
        rows = 0 if self.rule.table is None else len(self.rule.table)
        return [str(i).zfill(len(str(max(rows - 1, 0)))) for i in range(rows)]

    def forward(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        return {
            self.name: pd.Series(
                pd.array(np.array(self.labels, dtype=object)[self.rule.codes(frame)], dtype=frames.STRING)
            )
        }

    def inverse(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        assert self.rule.table is not None
        rows = self.rule.table.iloc[pd.Index(self.labels).get_indexer(frame[self.name].astype(object))].reset_index(
            drop=True
        )
        return {c: rows[c] for c in self.rule.of}

    def to_json(self) -> dict[str, Any]:
        return {"rule": self.rule.to_json(), "name": self.name}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Combination:
        rule = parse_rule(data["rule"])
        assert isinstance(rule, OneOf)
        return cls(rule, data["name"])


STEPS: dict[str, Any] = {
    kind.__name__: kind for kind in (Difference, Derived, Residual, BirthYear, Choice, Combination)
}


def with_nulls(step: Derived, own: pd.Series, gives: pd.Series, alone: str, missing: str) -> Derived:
    """The step with extra columns for rows in which only the column or only its expression is null."""
    return replace(
        step,
        alone=alone if (own.notna() & gives.isna()).any() else None,
        missing=missing if (own.isna() & gives.notna()).any() else None,
    )
