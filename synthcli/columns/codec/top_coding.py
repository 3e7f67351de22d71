"""How far a column's values may reach: not to what one person, or a few, alone hold.

The published ends of a number are its k-th smallest and k-th largest value, counted in privacy units, and what lies
beyond them is moved onto them before anything learns it. k - 1 is √units / 25, at least 1 and at most 4: from 625 units
on, a column's distribution moves by less than a twenty-fifth of the error that sampling has put into it anyway; below,
by one unit at either end.

A table of fewer than LEAST units is left as it is: there is no crowd, and any value is somebody's. What is learned of
it (codes, numbers, the ends of a codec) is as personal as the table. No schema, profile, report or draft shows a bound
of it, though: those show published ends, and where there is no crowd, none.

What the spec declares (bounds, categories, point masses) is public, and values within declared bounds are not moved.
"""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

LEAST = 50  # privacy units of a table, from which on no unit's own words and ends are learned
FEWEST = 3  # units that a number needs in such a table, for there to be a value between its ends that is nobody's end
MOST = 5  # units, from which on an end is nobody's own


def depth(units: int) -> int:
    """k: the rank, from either end, of the value that a column of so many privacy units may reach to."""
    return 1 + min(MOST - 1, max(1, math.isqrt(units // 625)))


def people(units: np.ndarray | None, rows: int) -> int:
    """How many privacy units rows belong to. units: (rows,), None where each row is its own."""
    return rows if units is None else len(np.unique(units))


def held_by(codes: np.ndarray, units: np.ndarray | None, size: int) -> np.ndarray:
    """How many privacy units hold each code from 0; a code below 0 is none. units: (rows,), None where each row is its
    own.
    """
    if units is None:
        return np.bincount(codes[codes >= 0], minlength=size)
    pairs = pd.DataFrame({"code": codes, "unit": units})
    return np.bincount(pairs[pairs["code"] >= 0].drop_duplicates()["code"], minlength=size)


def published(values: np.ndarray, units: np.ndarray | None, k: int) -> np.ndarray:
    """Values moved to within the ends that k units reach, for a file that shows them; none where there is no crowd.

    values: (rows,) without nulls; units: as for `ends`.
    """
    if people(units, len(values)) < LEAST:
        return values[:0]
    low, high = ends(values, units, k=k)
    return np.clip(values, values[low], values[high])


def ends(
    values: np.ndarray, units: np.ndarray | None, *, k: int | None = None, crowd: int | None = None
) -> tuple[int, int]:
    """Positions of the k-th smallest and the k-th largest value. k: None for `depth`.

    values: (rows,) of any dtype with an order, not empty; units: (rows,) integers, None where each row is its own;
    crowd: the units of the whole table, of which some may have no value here. The outermost where the crowd is below
    LEAST, or where fewer than FEWEST units hold a value.
    """
    order = np.argsort(values, kind="stable")
    if units is None:
        first, last = np.arange(len(values)), np.arange(len(values))[::-1]
    else:  # the place of each unit's lowest and of its highest value
        first = np.sort(np.unique(units[order], return_index=True)[1])
        last = len(values) - 1 - np.sort(np.unique(units[order[::-1]], return_index=True)[1])
    if max(len(first), crowd or 0) < LEAST or len(first) < FEWEST:
        return int(order[0]), int(order[-1])
    k = min(depth(len(first)) if k is None else k, (len(first) + 1) // 2)
    return int(order[first[k - 1]]), int(order[last[k - 1]])
