"""The named forms of a constraint that compare rows: unique, and one_of with the combinations of the source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import top_coding
from synthcli.columns.codec.parts import dtype_name, dtype_of, integers, times
from synthcli.columns.constraints.row_rules import need_columns, need_kinds
from synthcli.columns.constraints.rule import OnViolation, Rule


@dataclass(frozen=True)
class Unique(Rule):
    """No combination of values occurs twice; among equal rows, all but the first break the rule. Rows with a null in
    any column are exempt.
    """

    TABLE = True
    of: tuple[str, ...]
    on_violation: OnViolation = "error"

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"unique: {', '.join(self.of)}"

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(self.of)

    def check(self, kinds: Mapping[str, str]) -> None:
        need_columns(self, kinds)

    def known(self, frame: pd.DataFrame) -> np.ndarray:
        """Rows without a null among its columns. (rows,) bool"""
        return frame[list(self.of)].notna().all(axis=1).to_numpy(dtype=bool)

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        return (frame[list(self.of)].duplicated() & self.known(frame)).to_numpy(dtype=bool)

    def hashes(self, frame: pd.DataFrame) -> np.ndarray:
        """A hash of each row's values. Rows with equal hashes count as equal; a collision wrongly rejects one row in
        2^64. (rows,) uint64
        """
        return pd.util.hash_pandas_object(frame[list(self.of)], index=False).to_numpy()

    def to_json(self) -> dict[str, Any]:
        return {"unique": list(self.of), "on_violation": self.on_violation}


@dataclass(frozen=True)
class OneOf(Rule):
    """Only combinations that occur in the source for several privacy units; null counts as a value. table:
    (combinations, columns).
    """

    of: tuple[str, ...]
    on_violation: OnViolation = "error"
    table: pd.DataFrame | None = field(default=None, compare=False)

    @property
    def text(self) -> str:  # type: ignore[override]
        return f"one_of: {', '.join(self.of)}"

    @property
    def columns(self) -> frozenset[str]:
        return frozenset(self.of)

    def check(self, kinds: Mapping[str, str]) -> None:
        need_columns(self, kinds)
        need_kinds(
            self,
            kinds,
            frames.MODELLED,
            "a column that is learned, not generated (a number, date, boolean or category)",
        )

    def learn(self, frame: pd.DataFrame, units: np.ndarray | None = None) -> OneOf:
        """Learn the combinations that several privacy units hold, so that nobody's own is stored; small tables are
        exempt (columns/codec/top_coding.py).
        """
        learned = self.collect(frame)
        if learned.table is None or top_coding.people(units, len(frame)) < top_coding.LEAST:
            return learned
        several = top_coding.held_by(learned.codes(frame), units, len(learned.table)) >= 2
        return replace(learned, table=learned.table[several].reset_index(drop=True))

    def collect(self, frame: pd.DataFrame) -> OneOf:
        """Learn all combinations that occur."""
        table = frame[list(self.of)].drop_duplicates()
        return replace(self, table=table.sort_values(list(self.of), kind="stable").reset_index(drop=True))

    def codes(self, frame: pd.DataFrame) -> np.ndarray:
        """The row number of each row's combination in the table, -1 where it is missing. (rows,) int64"""
        if self.table is None:
            raise ValueError(f"{self.text} has learned no combinations")
        place = self.table.assign(**{_PLACE: np.arange(len(self.table))})
        other = frame[list(self.of)].astype(self.table.dtypes.to_dict())
        return other.merge(place, on=list(self.of), how="left", sort=False)[_PLACE].fillna(-1).to_numpy(dtype=np.int64)

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        """(rows,) bool; no row breaks the rule before it has learned the combinations."""
        return np.zeros(len(frame), dtype=bool) if self.table is None else self.codes(frame) < 0

    def to_json(self) -> dict[str, Any]:
        learned = {} if self.table is None else {"combinations": {c: to_values(self.table[c]) for c in self.of}}
        return {"one_of": list(self.of), "on_violation": self.on_violation, **learned}


def joined(rules: Sequence[OneOf], of: tuple[str, ...], *, most: int) -> OneOf | None:
    """One rule over the columns `of` that allows what all of the rules allow; None for more than `most` combinations.

    rules: with their tables, each with a column of an earlier one.
    """
    first, *others = [rule.table for rule in rules if rule.table is not None]
    table = first
    for other in others:
        shared = [name for name in table if name in other]
        sizes = table.merge(other.groupby(shared, dropna=False).size().rename(_PLACE).reset_index(), on=shared)
        if int(sizes[_PLACE].sum()) > most:
            return None
        table = table.merge(other, on=shared)
    return OneOf(of, table=table[list(of)].sort_values(list(of), kind="stable").reset_index(drop=True))


_PLACE = "\x00place"  # no column of a file has this name


def to_values(values: pd.Series) -> dict[str, Any]:
    """A column as JSON: its dtype and its values, times as integers of their unit, floats as strings."""
    null = values.isna().to_numpy(dtype=bool)
    known = values[~null]
    raw = (
        integers(known).tolist()
        if values.dtype.kind in "mM"
        else [repr(v) if isinstance(v, float) else v for v in known.tolist()]
    )
    rest = iter(raw)
    return {"dtype": dtype_name(values), "values": [None if n else next(rest) for n in null]}


def from_values(data: Mapping[str, Any]) -> pd.Series:
    """The column that `to_values` wrote."""
    dtype, values = data["dtype"], data["values"]
    if dtype.startswith(("timestamp", "duration")):
        return times(
            np.array([v or 0 for v in values], dtype=np.int64), np.array([v is None for v in values], dtype=bool), dtype
        )
    if dtype == "float64":
        return pd.Series([np.nan if v is None else float(v) for v in values], dtype="float64")
    return pd.Series(values, dtype=dtype_of(dtype))
