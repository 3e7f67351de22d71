"""The layout of a panel: which columns belong to a unit and which to its rows, and the order of the rows.

It is learned from the train part alone. A column that never falls (or never rises) within a unit, such as a date, a
year, an age or a running total, is a path: each row has the change since the row before it, so that the order of the
rows is kept by construction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec import top_coding
from synthcli.columns.codec.parts import dtype_name, integers
from synthcli.columns.table import Table
from synthcli.contracts.schema import Column, Schema
from synthcli.relational.model.context import cells, unit_of

LEAST = 10  # minimum units with several rows for a table to be a panel
SORTED = 0.95  # share of the steps within units that go back in time in a source with the last row first
REGULAR = 0.5  # share of equal steps from which an integer numbers the rows of an unsorted source


@dataclass(frozen=True)
class Path:
    """A number or a time that never falls, or never rises, within a unit. low, high: the range that several units
    reach, of times in ticks; grain: of which all differences are multiples, None for floats.
    """

    low: float
    high: float
    grain: int | None = None


@dataclass(frozen=True)
class PanelLayout:
    """Where the columns of a panel belong.

    schema: of the table; constant: columns of the unit, besides its identifier; gaps: those of them that are null in
    single rows; paths: columns that go in one direction; sort_by: the column that rows of a unit are sorted by, None
    for their order in the source; descending: whether the source has the last row first; times: the Arrow type and the
    unit of each time column.
    """

    schema: Schema
    constant: tuple[str, ...]
    gaps: tuple[str, ...] = ()
    paths: Mapping[str, Path] = field(default_factory=dict)
    sort_by: str | None = None
    descending: bool = False
    times: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    def relative(self, name: str) -> bool:
        """Whether a column is a time of a row beside the one that orders the rows."""
        return self.sort_by in self.times and name in self.times and name in self.varying and name != self.sort_by

    @property
    def varying(self) -> tuple[str, ...]:
        """The columns of the rows, the one that they are sorted by first."""
        names = [c for c in self.schema.names if c not in (self.schema.unit, *self.constant)]
        return tuple(sorted(names, key=lambda c: c != self.sort_by))

    def mixes(self, columns: frozenset[str]) -> bool:
        """Whether a rule over these columns reads both units and rows, or what rows are ordered by."""
        ordering = {self.schema.unit, self.sort_by, *self.paths}
        of_units = columns & {*self.constant}
        return bool(columns & ordering) or (bool(of_units) and of_units != columns)

    def rows_in_order(self, frame: pd.DataFrame, units: np.ndarray) -> np.ndarray:
        """The positions of the rows, sorted by unit, and within a unit in their order. units: (rows,)"""
        keys = () if self.sort_by is None else (numbers(frame[self.sort_by]),)
        return np.lexsort((*keys, units))

    def to_json(self) -> dict[str, Any]:
        return {
            "schema": self.schema.to_json(),
            "constant": self.constant,
            "gaps": self.gaps,
            "paths": {name: asdict(path) for name, path in self.paths.items()},
            "sort_by": self.sort_by,
            "descending": self.descending,
            "times": self.times,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> PanelLayout:
        return cls(
            Schema.from_json(data["schema"]),
            tuple(data["constant"]),
            tuple(data["gaps"]),
            {name: Path(**path) for name, path in data["paths"].items()},
            data["sort_by"],
            data["descending"],
            {name: (type_, unit) for name, (type_, unit) in data["times"].items()},
        )


def learn(table: Table) -> PanelLayout | None:
    """Find the layout of a table; None if too few of its units have several rows."""
    units = table.units()
    if int((np.bincount(units) > 1).sum()) < LEAST:
        return None
    frame = table.frame.iloc[by_unit := np.argsort(units, kind="stable")].reset_index(drop=True)
    units = units[by_unit]
    constant, gaps = [], []
    for column in table.schema.columns:
        if column.name != table.schema.unit and (found := _is_constant(frame[column.name], units)) is not None:
            constant.append(column.name)
            gaps += [column.name] if found else []
    varying = [c for c in table.schema.columns if c.name not in (table.schema.unit, *constant)]
    sort_by, descending = _order(frame, varying, units)
    times = {c.name: (dtype_name(frame[c.name]), unit_of(frame[c.name])) for c in varying if c.kind == "datetime"}
    layout = PanelLayout(table.schema, tuple(constant), tuple(gaps), {}, sort_by, descending, times)
    frame = frame.iloc[layout.rows_in_order(frame, units)].reset_index(drop=True)
    paths = {c.name: _path(frame[c.name], c, units) for c in varying if not layout.relative(c.name)}
    return replace(layout, paths={name: path for name, path in paths.items() if path is not None})


def _is_constant(values: pd.Series, units: np.ndarray) -> bool | None:
    """Whether a column that has one value in every unit is null in single rows; None if a unit has two values.

    Also None if it is known too seldom to tell. units: (rows,) sorted
    """
    codes = pd.factorize(values)[0]
    known = codes >= 0
    pairs = pd.DataFrame({"unit": units[known], "code": codes[known]})
    if len(pairs.drop_duplicates()) > pairs["unit"].nunique():
        return None
    rows, several = np.bincount(units), np.bincount(units[known], minlength=int(units.max()) + 1)
    mixed = (several > 0) & (several < rows)
    if mixed.any() and int((several > 1).sum()) < LEAST:
        return None
    return bool(mixed.any())


def numbers(values: pd.Series) -> np.ndarray:
    """A time (in ticks) or a number without nulls. (rows,) int64 or float64"""
    return values.to_numpy(dtype=np.float64) if values.dtype.kind == "f" else integers(values)


def steps(values: pd.Series, units: np.ndarray) -> np.ndarray:
    """The change of each row since the one before it of the same unit, where there is one. units: (rows,) sorted"""
    return np.diff(numbers(values))[units[1:] == units[:-1]]


def _order(frame: pd.DataFrame, varying: list[Column], units: np.ndarray) -> tuple[str | None, bool]:
    """The column that rows of a unit are sorted by, and whether the source has the last first."""
    times = [c.name for c in varying if c.kind == "datetime" and not frame[c.name].isna().any()]
    if times:  # the one that most rows follow; of several, the earliest, since a stay begins before it ends
        sorted_ = {name: _sorted(steps(frame[name], units)) for name in times}
        starts = {name: cells(frame[name], "datetime").mean() for name in times}
        name = max(times, key=lambda name: (max(sorted_[name]), -starts[name]))
        rising, falling = sorted_[name]
        return name, falling > rising and falling >= SORTED
    whole = [c.name for c in varying if c.kind == "integer" and not frame[c.name].isna().any()]
    if any(_one_way(steps(frame[name], units)) for name in whole):
        return None, False  # the source is sorted, so its order is kept
    for name in whole:
        way = steps(frame[name].iloc[np.lexsort((numbers(frame[name]), units))], units)
        if (way > 0).all() and np.unique(way, return_counts=True)[1].max() >= REGULAR * len(way):
            return name, False
    return None, False


def _sorted(way: np.ndarray) -> tuple[float, float]:
    """The shares of steps that do not fall, and that do not rise."""
    return float((way >= 0).mean()), float((way <= 0).mean())


def _one_way(way: np.ndarray) -> bool:
    """Whether steps go in one direction, and enough of them are no standstill."""
    return int((way != 0).sum()) >= LEAST and bool((way >= 0).all() or (way <= 0).all())


def _path(values: pd.Series, column: Column, units: np.ndarray) -> Path | None:
    """The path of a column that goes in one direction within every unit, None for another column. units: sorted"""
    if column.kind not in ("integer", "float", "datetime") or values.isna().any():
        return None
    raw = numbers(values)
    if not np.isfinite(raw).all() or not _one_way(steps(values, units)):
        return None
    low, high = top_coding.ends(raw, units)
    if column.kind == "float":
        return Path(float(raw[low]), float(raw[high]))
    return Path(int(raw[low]), int(raw[high]), int(np.gcd.reduce(raw - raw.min())) or 1)
