"""Dates that are all the first day of a month: they step in months or years, which have no fixed number of days."""

from __future__ import annotations

import numpy as np

FEWEST = 3  # distinct dates that show a step
_LAST = 2**63 - 1


def step(ticks: np.ndarray, unit: str) -> int:
    """The greatest common step in months of dates that are all midnight of the first day of a month; 0 for others.

    ticks: (rows,) int64 in units of `unit` since 1970.
    """
    distinct = np.unique(ticks)
    if len(distinct) < FEWEST:
        return 0
    months = _months(distinct, unit)
    if not np.array_equal(_ticks(months, unit), distinct):
        return 0
    return int(np.gcd.reduce(months - months[0]))


def nearest(ticks: np.ndarray, unit: str, months: int, base: int, last: int = _LAST) -> np.ndarray:
    """The nearest dates that lie a multiple of `months` from the date `base`, none after `last`. (rows,) int64"""
    start = int(_months(np.array([base]), unit)[0])
    below = (_months(ticks, unit) - start) // months * months + start
    low, high = _ticks(below, unit), _ticks(below + months, unit)
    return np.where((ticks - low <= high - ticks) | (high > last), low, high)


def _months(ticks: np.ndarray, unit: str) -> np.ndarray:
    return ticks.astype(np.int64).view(f"datetime64[{unit}]").astype("datetime64[M]").astype(np.int64)


def _ticks(months: np.ndarray, unit: str) -> np.ndarray:
    return months.view("datetime64[M]").astype(f"datetime64[{unit}]").astype(np.int64)
