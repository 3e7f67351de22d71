"""A column that equals an expression over other columns in every row, and what the searches share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.constraints.computed import Computed, decimals_of
from synthcli.columns.expressions.compile import parse
from synthcli.columns.expressions.syntax import KEYWORDS
from synthcli.errors import SpecError

SAMPLE = 64  # rows on which candidates are tested before all rows are
LEAST_ROWS = 50  # in which both sides of a relation are known
KNOWN = 0.9  # share of the known rows of a column in which the expression must be known too
COMMON = 0.95  # largest share of one value in a column that a relation can say something about


@dataclass(frozen=True)
class Relation:
    """column = text in all rows in which both are known. inputs: the columns that the expression reads."""

    column: str
    text: str
    inputs: tuple[str, ...]
    rows: int

    @property
    def evidence(self) -> str:
        """A phrase for the draft."""
        return f"computed: equals the expression in all {self.rows:,} rows where both are known"


class Found:
    """Relations of a frame, verified on all of its rows and without cycles; each column is computed once."""

    def __init__(self, frame: pd.DataFrame) -> None:
        self.frame = frame
        self.by_column: dict[str, Relation] = {}

    def add(self, column: str, text: str, inputs: Sequence[str]) -> bool:
        """Verify a candidate on all rows and keep it; whether it holds."""
        if column in self.by_column or any(self._reads(name, column) for name in inputs):
            return False
        rule = Computed(column, parse(text))
        try:
            value = rule.value(self.frame)
            broken = rule.differs(self.frame, value)
        except SpecError:  # kinds that do not go together
            return False
        known = self.frame[column].notna().to_numpy(dtype=bool)
        both = known & value.notna().to_numpy(dtype=bool)
        if both.sum() < max(LEAST_ROWS, KNOWN * known.sum()) or broken.any():
            return False
        self.by_column[column] = Relation(column, text, tuple(inputs), int(both.sum()))
        return True

    def _reads(self, name: str, goal: str) -> bool:
        """Whether a column is the goal, or is computed from it."""
        if name == goal:
            return True
        return name in self.by_column and any(self._reads(each, goal) for each in self.by_column[name].inputs)

    def related(self, names: set[str]) -> bool:
        """Whether one relation already covers all of these columns."""
        return any(names <= {r.column, *r.inputs} for r in self.by_column.values())


def quoted(name: str) -> str:
    """A column's name as an expression writes it."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and name not in KEYWORDS
    return name if plain else "`" + name.replace("`", "``") + "`"


def varies(values: np.ndarray, distinct: int = 3) -> bool:
    """Whether a column has enough different values, none of them in nearly all rows. values: floats, NaN for null"""
    known = values[np.isfinite(values)]
    if len(known) < LEAST_ROWS:
        return False
    counts = np.unique(known, return_counts=True)[1]
    return len(counts) >= distinct and counts.max() <= COMMON * len(known)


def half_unit(values: np.ndarray, whole: bool) -> float:
    """Half a unit of the last decimal of a column; 0 for full precision."""
    decimals = 0 if whole else decimals_of(values)
    return 0.0 if decimals is None else 0.5 * 10.0**-decimals


def fits(candidates: np.ndarray, target: np.ndarray, tolerance: float) -> np.ndarray:
    """Which candidates equal the target in all sampled rows where both are known. candidates: (rows, k); (k,) bool"""
    with np.errstate(invalid="ignore"):
        off = np.abs(candidates - target[:, None]) > tolerance + 1e-9 * np.abs(candidates)
    known = np.isfinite(candidates) & np.isfinite(target)[:, None]
    return ~(off & known).any(axis=0) & (known.sum(axis=0) >= min(20, len(target)))


def simplest(low: float, high: float, digits: int = 4) -> float | None:
    """The number with the fewest significant digits from low to high, at most `digits`; None if there is none."""
    if not (np.isfinite(low) and np.isfinite(high)) or low > high:
        return None
    if low <= 0 <= high:
        return 0.0
    middle = (low + high) / 2
    slack = 1e-9 * abs(middle)
    for n in range(1, digits + 1):
        for value in (middle, low, high):
            near = float(f"{value:.{n - 1}e}")
            if low - slack <= near <= high + slack:
                return near
    return None


def number(value: float) -> str:
    """A number as an expression writes it."""
    return f"{value:.15g}" if abs(value) < 1e15 else repr(value)
