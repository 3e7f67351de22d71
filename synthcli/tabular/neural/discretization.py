"""Discretization of columns for networks that predict categories: a category per code, per frequent number, and per
quantile bin of the other numbers.

A number that at least `shared_by` privacy units hold may be a category of its own, and is repeated exactly. The others
are interpolated between quantiles that are `shared_by` units apart. A state of a number (null, a point mass) is a
category as well. A column of many categories is written as two digits, so that each digit has few classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcli.columns.codec.codec import Part, Values

FLAT = 256  # maximum number of categories of a column with one digit
ATOMS = 160  # maximum number of atoms of a column (numbers with a category of their own): the most frequent
ATOM_SHARE = 0.2  # minimum share of the known values in atoms; below it, a column has no atoms
POINTS = 33  # points of the quantile function within a bin
UNKNOWN = -1


@dataclass(frozen=True)
class CodeCategories:
    """The categories of a code: the codes themselves."""

    part: Part

    @property
    def parts(self) -> list[Part]:
        return [self.part]

    @property
    def offset(self) -> int:
        """Index of the first category that is a value."""
        return 0

    @property
    def size(self) -> int:
        return self.part.size

    @property
    def ordered(self) -> int:
        """Number of trailing categories that are ordered numbers."""
        return 0

    def encode(self, values: Values) -> tuple[np.ndarray, np.ndarray]:
        """Category of each row, UNKNOWN if it is not given; and mask of unknown values that are known not to be null.
        (rows,), (rows,) bool
        """
        categories = values[self.part.name].astype(np.int64)
        return categories, np.zeros(len(categories), dtype=bool)

    def decode(self, categories: np.ndarray, *, rng: np.random.Generator) -> Values:
        return {self.part.name: categories.astype(np.int32)}


@dataclass(frozen=True)
class NumberCategories:
    """The categories of a number: its states except "value", then atoms and bins in ascending order.

    atoms: (a,) sorted; edges: (bins - 1,) between the bins; grid: (bins, POINTS) quantiles within each; place: (a +
    bins,) rank of each atom, then of each bin.
    """

    number: Part
    state: Part | None
    atoms: np.ndarray
    edges: np.ndarray
    grid: np.ndarray
    place: np.ndarray

    @property
    def parts(self) -> list[Part]:
        return [self.number] if self.state is None else [self.state, self.number]

    @property
    def offset(self) -> int:
        return 0 if self.state is None else self.state.size - 1

    @property
    def ordered(self) -> int:
        return len(self.place)

    @property
    def size(self) -> int:
        return self.offset + len(self.place)

    @classmethod
    def fit(
        cls, number: Part, state: Part | None, values: np.ndarray, units: np.ndarray, bins: int, shared_by: int
    ) -> NumberCategories:
        """Fit the categories to the known values. units: (rows,) privacy unit of each row."""
        known = ~np.isnan(values)
        distinct, at = np.unique(values[known], return_inverse=True)
        # a unit counts once per value, whatever its number of rows
        pairs = np.unique(np.column_stack([at, units[known]]), axis=0)
        holders = np.bincount(pairs[:, 0], minlength=len(distinct))
        atom = _atoms(holders, np.bincount(at, minlength=len(distinct)), shared_by)
        rest = pairs[~atom[pairs[:, 0]]]
        edges, grid = _bins(distinct, rest, bins, shared_by)
        middles = np.concatenate([distinct[atom], grid[:, POINTS // 2]])
        return cls(
            number, state, distinct[atom], edges, grid, np.argsort(np.argsort(middles, kind="stable"), kind="stable")
        )

    def encode(self, values: Values) -> tuple[np.ndarray, np.ndarray]:
        """As in CodeCategories.encode; NaN is unknown if the state is 0 or not given."""
        rows = len(next(iter(values.values())))
        numbers = values.get(self.number.name, np.full(rows, np.nan))
        state = np.full(rows, UNKNOWN) if self.state is None else values.get(self.state.name, np.full(rows, UNKNOWN))
        place = np.minimum(np.searchsorted(self.atoms, numbers), max(0, len(self.atoms) - 1))
        is_atom = self.atoms[place] == numbers if len(self.atoms) else np.zeros(rows, dtype=bool)
        slot = np.where(is_atom, place, len(self.atoms) + np.searchsorted(self.edges, numbers, side="right"))
        if len(self.grid) == 0 and len(self.atoms):
            slot = place  # without bins, a number between atoms gets the next atom
        categories = np.full(rows, UNKNOWN, dtype=np.int64)
        if len(self.place):
            categories = np.where(
                np.isnan(numbers), UNKNOWN, self.offset + self.place[np.minimum(slot, len(self.place) - 1)]
            )
        return np.where(state > 0, state - 1, categories), (state == 0) & (categories == UNKNOWN)

    def decode(self, categories: np.ndarray, *, rng: np.random.Generator) -> Values:
        """Decode categories; numbers of a bin are interpolated between its quantiles."""
        is_value = categories >= self.offset
        u = rng.random(len(categories)) * (POINTS - 1)
        numbers = np.full(len(categories), np.nan)
        if len(self.place):
            slot = np.argsort(self.place)[np.where(is_value, categories - self.offset, 0)]
            numbers = np.concatenate([self.atoms, np.zeros(len(self.grid))])[slot]
            inside = slot >= len(self.atoms)
            low, bin_ = u[inside].astype(np.int64), slot[inside] - len(self.atoms)
            below, above = self.grid[bin_, low], self.grid[bin_, low + 1]
            numbers[inside] = below * (1 - (u[inside] - low)) + above * (u[inside] - low)
            numbers[~is_value] = np.nan
        if self.state is None:
            return {self.number.name: numbers}
        return {self.state.name: np.where(is_value, 0, categories + 1).astype(np.int32), self.number.name: numbers}


def _atoms(holders: np.ndarray, rows: np.ndarray, shared_by: int) -> np.ndarray:
    """Mask of the distinct values that are atoms. (distinct,) bool"""
    atom = holders >= shared_by
    if atom.sum() > ATOMS:
        atom &= np.isin(np.arange(len(rows)), np.argsort(-rows, kind="stable")[:ATOMS])
    return atom & (rows[atom].sum() >= ATOM_SHARE * rows.sum())


def _bins(distinct: np.ndarray, rest: np.ndarray, bins: int, shared_by: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges and inner quantiles of the bins of the (value, unit) pairs outside atoms. (bins - 1,), (bins, POINTS)"""
    if not len(rest):
        return np.zeros(0), np.zeros((0, POINTS))
    numbers, holders = distinct[rest[:, 0]], len(np.unique(rest[:, 1]))
    count = max(1, min(bins, holders // shared_by))
    edges = np.unique(np.quantile(numbers, np.linspace(0, 1, count + 1)[1:-1], method="higher"))
    bin_ = np.searchsorted(edges, numbers, side="right")
    used, bin_ = np.unique(bin_, return_inverse=True)
    edges = edges[used[1:] - 1]
    return edges, np.stack(
        [_grid(distinct, numbers[bin_ == i], rest[bin_ == i, 1], shared_by) for i in range(len(used))]
    )


def _grid(distinct: np.ndarray, numbers: np.ndarray, units: np.ndarray, shared_by: int) -> np.ndarray:
    """Quantiles of a bin, at least `shared_by` units apart; a bin of fewer units spans from the value below it to the
    value above.
    """
    points = _apart(numbers, units, POINTS, shared_by)
    if len(np.unique(units)) < shared_by:
        first, last = np.searchsorted(distinct, [numbers.min(), numbers.max()])
        points = np.array([distinct[max(0, first - 1)], distinct[min(len(distinct) - 1, last + 1)]])
    return np.interp(np.linspace(0, 1, POINTS), np.linspace(0, 1, len(points)), points)


def _apart(numbers: np.ndarray, units: np.ndarray, most: int, shared_by: int) -> np.ndarray:
    """At most `most` evenly spaced quantiles, with at least `shared_by` units between neighbours."""
    return np.quantile(numbers, np.linspace(0, 1, max(1, min(most - 1, len(np.unique(units)) // shared_by)) + 1))


def quantiles(values: np.ndarray, units: np.ndarray, most: int, shared_by: int) -> np.ndarray:
    """Quantiles of the known values of a number for interpolation; two if few units have a value."""
    known = ~np.isnan(values)
    return _apart(values[known], units[known], most, shared_by)


@dataclass(frozen=True)
class Discretization:
    """Encoding of all columns as digits. columns: categories of each in codec order; bases: number of classes of the
    low digit of each, 0 for a single digit.
    """

    columns: tuple[CodeCategories | NumberCategories, ...]

    @classmethod
    def fit(cls, parts: Sequence[Part], values: Values, units: np.ndarray, bins: int, shared_by: int) -> Discretization:
        out: list[CodeCategories | NumberCategories] = []
        for group in _together(parts):
            number = group[-1]
            state = group[0] if len(group) == 2 else None
            out.append(
                CodeCategories(number)
                if number.is_code
                else NumberCategories.fit(number, state, values[number.name], units, bins, shared_by)
            )
        return cls(tuple(out))

    @property
    def bases(self) -> np.ndarray:
        return np.array([0 if c.size <= FLAT else int(np.ceil(np.sqrt(c.size))) for c in self.columns], dtype=np.int64)

    @property
    def owner(self) -> np.ndarray:
        """The column of each digit; the high digit comes first. (digits,)"""
        return np.repeat(np.arange(len(self.columns)), 1 + (self.bases > 0))

    @property
    def sizes(self) -> list[int]:
        """Number of classes of each digit."""
        out = []
        for column, base in zip(self.columns, self.bases.tolist()):
            out += [-(-column.size // base), base] if base else [max(1, column.size)]
        return out

    @property
    def ordered(self) -> list[int]:
        """Number of trailing classes of each digit that are ordered numbers."""
        out = []
        for column, base in zip(self.columns, self.bases.tolist()):
            out += [-(-column.ordered // base), 0] if base else [column.ordered]
        return out

    def encode(self, values: Values, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Digits, UNKNOWN if not given; and the digits of the first allowed category. Both (rows, digits) int64"""
        digits: list[np.ndarray] = []
        first: list[np.ndarray] = []
        for column, base in zip(self.columns, self.bases.tolist()):
            given = {part.name: values[part.name] for part in column.parts if part.name in values}
            categories, is_value = (
                column.encode(given) if given else (np.full(rows, UNKNOWN), np.zeros(rows, dtype=bool))
            )
            least = np.where(is_value, column.offset, 0)
            digits += [
                np.where(categories < 0, UNKNOWN, digit)
                for digit in (divmod(categories, base) if base else (categories,))
            ]
            first += divmod(least, base) if base else (least,)
        return _stacked(digits, rows), _stacked(first, rows)

    def decode(self, digits: np.ndarray, *, rng: np.random.Generator) -> Values:
        """Decode digits. digits: (rows, digits)"""
        out: Values = {}
        at = 0
        for column, base, stream in zip(self.columns, self.bases.tolist(), rng.spawn(len(self.columns))):
            categories = digits[:, at]
            if base:
                categories = np.minimum(categories * base + digits[:, at + 1], column.size - 1)
            out |= column.decode(categories, rng=stream)
            at += 2 if base else 1
        return out

    def to_arrays(self) -> dict[str, np.ndarray]:
        return {
            f"cells.{i}.{name}": getattr(column, name)
            for i, column in enumerate(self.columns)
            if isinstance(column, NumberCategories)
            for name in ("atoms", "edges", "grid", "place")
        }

    @classmethod
    def from_arrays(cls, parts: Sequence[Part], arrays: dict[str, np.ndarray]) -> Discretization:
        columns: list[CodeCategories | NumberCategories] = []
        for i, group in enumerate(_together(parts)):
            if group[-1].is_code:
                columns.append(CodeCategories(group[-1]))
                continue
            own: dict[str, Any] = {name: arrays[f"cells.{i}.{name}"] for name in ("atoms", "edges", "grid", "place")}
            columns.append(NumberCategories(group[-1], group[0] if len(group) == 2 else None, **own))
        return cls(tuple(columns))


def _stacked(columns: list[np.ndarray], rows: int) -> np.ndarray:
    return np.array(columns, dtype=np.int64).reshape(len(columns), rows).T.copy()


def _together(parts: Sequence[Part]) -> list[list[Part]]:
    """Group each number with its state, if it has one, before it; every other code is a group alone."""
    named = {part.name: part for part in parts}
    groups = []
    for part in parts:
        state = named.get(f"{part.name}#state")
        if not part.is_code:
            groups.append([part] if state is None else [state, part])
        elif part.name.removesuffix("#state") == part.name or part.name.removesuffix("#state") not in named:
            groups.append([part])
    return groups
