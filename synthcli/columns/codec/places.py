"""Pairs of coordinates: a code for the place precedes latitude and longitude.

Places follow streets, coasts and borders in two dimensions; a method that learns one coordinate after the other
generates stripes. A density estimation tree (Ram & Gray 2011) divides the known points into cells, along gaps and where
points are dense. The cell is a part that a method learns like any category: other columns depend on the place as a
whole, and latitude and longitude are generated within it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec.parts import Part, escaped
from synthcli.contracts.schema import Column, Schema

MOST, UNITS = 64, 300  # maximum number of cells; minimum privacy units in a cell
SAMPLE = 100_000  # maximum rows from which cells are built
NARROW = 1e-4  # minimum width of a box, as a share of the whole extent
DECIMALS = 2  # minimum decimals of a coordinate: with fewer it only names a region

_AXES = {
    "latitude": (re.compile(r"(^|[_\W])(lat|latitude|breitengrad)([_\W]|$)", re.I), 90.0),
    "longitude": (re.compile(r"(^|[_\W])(lon|lng|long|longitude|laengengrad|längengrad)([_\W]|$)", re.I), 180.0),
}


@dataclass(frozen=True)
class Place:
    """The cells of a pair of columns, numbered from 0 along the tree; the last code means that the place is unknown.

    Arrays over the inner nodes of the tree, the root first. axis: 0 to divide by latitude, 1 by longitude; at: rows
    from this coordinate on go above; below, above: the child nodes, or -1 - c for cell c.
    """

    latitude: str
    longitude: str
    axis: tuple[int, ...]
    at: tuple[float, ...]
    below: tuple[int, ...]
    above: tuple[int, ...]

    @property
    def size(self) -> int:
        return len(self.at) + 2

    @property
    def part(self) -> Part:
        return Part(f"{escaped(self.latitude)}#place", self.latitude, self.size)

    def encode(self, latitude: pd.Series, longitude: pd.Series) -> np.ndarray:
        """(rows,) int32"""
        points, known = _points(latitude, longitude)
        axis, at, below, above = (np.array(values) for values in (self.axis, self.at, self.below, self.above))
        node, going = np.zeros(len(points), dtype=np.int64), np.flatnonzero(known)
        while len(going):
            here = node[going]
            node[going] = np.where(points[going, axis[here]] >= at[here], above[here], below[here])
            going = going[node[going] >= 0]
        return np.where(known, -1 - node, self.size - 1).astype(np.int32)

    def to_json(self) -> dict[str, Any]:
        return self.__dict__

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Place:
        return cls(data["latitude"], data["longitude"], *(tuple(data[key]) for key in ("axis", "at", "below", "above")))


def see(latitude: pd.Series, longitude: pd.Series, units: np.ndarray | None = None) -> Place | None:
    """Build the cells of a pair of columns; None if the points form one cell. units: (rows,) privacy unit of each row,
    None if each row is its own unit.
    """
    points, known = _points(latitude, longitude)
    people = np.arange(known.sum()) if units is None else np.unique(units[known], return_inverse=True)[1]
    some = np.arange(0, len(people), max(1, -(-len(people) // SAMPLE)))
    nodes = _divided(points[known][some], people[some])
    return Place(str(latitude.name), str(longitude.name), *zip(*nodes)) if nodes else None


def _divided(points: np.ndarray, people: np.ndarray) -> list[tuple[int, float, int, int]]:
    """Build the tree: (axis, at, below, above) of each inner node; empty if the points form one cell. people: (rows,)
    privacy unit of each point, from 0.
    """
    everyone = len(np.unique(people))
    least = max(UNITS, -(-everyone // MOST))
    narrow = NARROW * np.ptp(points, axis=0) if len(points) else np.zeros(2)
    nodes: list[tuple[int, float, int, int]] = []
    cells = 0

    def divide(rows: np.ndarray) -> int:
        nonlocal cells
        found = _split(points[rows], people[rows], least, narrow)
        if found is None:
            cells += 1
            return -cells
        axis, at = found
        node, beyond = len(nodes), points[rows, axis] >= at
        nodes.append((axis, at, 0, 0))
        nodes[node] = (axis, at, divide(rows[~beyond]), divide(rows[beyond]))
        return node

    divide(np.arange(len(points)))
    return nodes


def _split(points: np.ndarray, people: np.ndarray, least: int, narrow: np.ndarray) -> tuple[int, float] | None:
    """The axis and coordinate that leave at least `least` people on both sides and maximize the likelihood of the
    points within their bounding boxes.
    """
    found, lowest = None, np.inf
    for axis in (0, 1):
        order = np.argsort(points[:, axis], kind="stable")
        ordered, who = points[order], people[order]
        first, last = (held >= least for held in (_people(who)[:-1], _people(who[::-1])[::-1][1:]))
        middle = (ordered[:-1, axis] + ordered[1:, axis]) / 2
        may = np.flatnonzero(first & last & (ordered[:-1, axis] < middle))
        if not len(may):
            continue
        sides = _cost(ordered, narrow)[:-1] + _cost(ordered[::-1], narrow)[::-1][1:]
        best = may[np.argmin(sides[may])]
        if sides[best] < lowest:
            found, lowest = (axis, float(middle[best])), float(sides[best])
    return found


def _people(who: np.ndarray) -> np.ndarray:
    """The number of people among the first i + 1 rows. (rows,)"""
    new = np.zeros(len(who), dtype=np.int64)
    new[np.unique(who, return_index=True)[1]] = 1
    return np.cumsum(new)


def _cost(points: np.ndarray, narrow: np.ndarray) -> np.ndarray:
    """The negative log likelihood, up to a constant, of the first i + 1 points under a uniform density on their
    bounding box. (rows,)
    """
    sides = np.maximum.accumulate(points) - np.minimum.accumulate(points) + narrow
    rows = np.arange(1, len(points) + 1)
    return rows * (np.log(sides).sum(1) - np.log(rows))


def _points(latitude: pd.Series, longitude: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Latitude and longitude, (rows, 2), and where both are known, (rows,) bool."""
    points = np.column_stack([axis.to_numpy(dtype=np.float64, na_value=np.nan) for axis in (latitude, longitude)])
    return points, np.isfinite(points).all(1)


def pairs(schema: Schema, frame: pd.DataFrame) -> list[tuple[str, str]]:
    """Find (latitude, longitude) columns: floats within ±90 and ±180 with at least two decimals, matched by the rest of
    their names.
    """
    axes: dict[str, dict[str, str]] = {axis: {} for axis in _AXES}
    for column in schema.columns:
        for axis, (called, most) in _AXES.items():
            if column.kind == "float" and called.search(column.name) and _is_axis(frame[column.name], column, most):
                axes[axis].setdefault(called.sub(r"\1\3", column.name).lower(), column.name)
    return [(name, axes["longitude"][rest]) for rest, name in axes["latitude"].items() if rest in axes["longitude"]]


def _is_axis(values: pd.Series, column: Column, most: float) -> bool:
    known = values.to_numpy(dtype=np.float64)
    known = known[np.isfinite(known)]
    decimals = column.get("precision")
    return len(known) > 0 and float(np.abs(known).max()) <= most and (decimals is None or decimals >= DECIMALS)
