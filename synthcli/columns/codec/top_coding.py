"""Top coding: clip the extremes of a column, which only one person or a few hold.

The published ends of a number are its k-th smallest and k-th largest value, counted in privacy units. Values beyond
them are clipped before anything is learned. k - 1 is √units / 25, at least 1 and at most 4: from 625 units on, this
changes the distribution by less than a twenty-fifth of its sampling error; below that, by one unit at either end.

A table of fewer than LEAST units is not top coded: any value may identify somebody, and what a codec learns from it is
as personal as the table itself. Schemas, profiles, reports and drafts show published ends only, so they show no bounds
of such a table.

What the spec declares (bounds, categories, point masses) is public; values within declared bounds are not clipped.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

LEAST = 50  # minimum privacy units of a table for top coding
FEWEST = 3  # minimum units with a value, so that some value lies between the two extremes
MOST = 5  # maximum k


def depth(units: int) -> int:
    """k, the rank from either end of the published ends, for a column of so many privacy units."""
    return 1 + min(MOST - 1, max(1, math.isqrt(units // 625)))


def people(units: np.ndarray | None, rows: int) -> int:
    """The number of privacy units among rows. units: (rows,), None if each row is its own unit."""
    return rows if units is None else len(np.unique(units))


def unit_codes(values: pd.Series) -> np.ndarray:
    """The privacy unit of each row as an integer from 0, by the values of its column; a null is a unit of its own.
    (rows,) int64
    """
    codes, known = pd.factorize(values)
    alone = codes < 0
    return np.where(alone, len(known) + np.cumsum(alone) - 1, codes).astype(np.int64)


def held_by(codes: np.ndarray, units: np.ndarray | None, size: int) -> np.ndarray:
    """How many privacy units hold each code; negative codes are ignored. units: (rows,), None if each row is its own
    unit.
    """
    if units is None:
        return np.bincount(codes[codes >= 0], minlength=size)
    pairs = pd.DataFrame({"code": codes, "unit": units})
    return np.bincount(pairs[pairs["code"] >= 0].drop_duplicates()["code"], minlength=size)


def published(values: np.ndarray, units: np.ndarray | None, k: int) -> np.ndarray:
    """Values clipped to the published ends of rank k, for files that show them; empty below LEAST units.

    values: (rows,) without nulls; units: as for `ends`.
    """
    if people(units, len(values)) < LEAST:
        return values[:0]
    low, high = ends(values, units, k=k)
    return np.clip(values, values[low], values[high])


def ends(
    values: np.ndarray, units: np.ndarray | None, *, k: int | None = None, crowd: int | None = None
) -> tuple[int, int]:
    """Positions of the k-th smallest and the k-th largest value. k: None for the `depth` of the units.

    values: (rows,) of any ordered dtype, not empty; units: (rows,) integers, None if each row is its own unit; crowd:
    the number of units in the whole table, some of which may have no value here. Returns the positions of minimum and
    maximum if the crowd is below LEAST or fewer than FEWEST units hold a value.
    """
    order = np.argsort(values, kind="stable")
    if units is None:
        first, last = np.arange(len(values)), np.arange(len(values))[::-1]
    else:  # the positions of each unit's lowest and highest value
        first = np.sort(np.unique(units[order], return_index=True)[1])
        last = len(values) - 1 - np.sort(np.unique(units[order[::-1]], return_index=True)[1])
    if max(len(first), crowd or 0) < LEAST or len(first) < FEWEST:
        return int(order[0]), int(order[-1])
    k = min(depth(len(first)) if k is None else k, (len(first) + 1) // 2)
    return int(order[first[k - 1]]), int(order[last[k - 1]])
