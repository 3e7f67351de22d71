"""How far a column's values may reach: not to what a few people alone hold.

The published ends of a number are its k-th smallest and k-th largest value, counted in privacy units, and what lies
beyond them is moved onto them before anything learns it. k - 1 is √units / 25 and at most 4, so that a column's
distribution moves by less than a twenty-fifth of the error that sampling has put into it anyway; below 625 units, k is
1 and nothing is moved.
"""

from __future__ import annotations

import math

import numpy as np

MOST = 5  # units, from which on an end is nobody's own


def depth(units: int) -> int:
    """k: the rank, from either end, of the value that a column of so many privacy units may reach to."""
    return 1 + min(MOST - 1, math.isqrt(units // 625))


def ends(values: np.ndarray, units: np.ndarray | None, most: int = MOST) -> tuple[int, int]:
    """Positions of the k-th smallest and the k-th largest value, k at most `most`; of the outermost where those two
    would meet.

    values: (rows,) of any dtype with an order, not empty; units: (rows,) integers, None where each row is its own.
    """
    order = np.argsort(values, kind="stable")
    if units is None:
        first, last = np.arange(len(values)), np.arange(len(values))[::-1]
    else:  # the place of each unit's lowest and of its highest value
        first = np.sort(np.unique(units[order], return_index=True)[1])
        last = len(values) - 1 - np.sort(np.unique(units[order[::-1]], return_index=True)[1])
    k = min(depth(len(first)), most)
    low, high = order[first[k - 1]], order[last[k - 1]]
    if values[low] < values[high]:
        return int(low), int(high)
    return int(order[0]), int(order[-1])
