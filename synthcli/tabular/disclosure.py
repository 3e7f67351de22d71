"""Which figures of real records may be shown: those that at least FEW privacy units stand behind."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli.tabular.judging.intervals import FEW


def reach(cells: np.ndarray, units: np.ndarray, size: int) -> np.ndarray:
    """Number of privacy units with a row in each cell. (size,)"""
    width = int(units.max(initial=0)) + 1
    return np.bincount(np.unique(cells.astype(np.int64) * width + units) // width, minlength=size)


def too_few(rows: np.ndarray, units: np.ndarray) -> bool:
    """Whether a nonempty selection of real rows covers fewer than FEW units. rows: (n,) bool; units: (n,)"""
    return 0 < len(np.unique(units[rows])) < FEW


def hidden(cells: np.ndarray, units: np.ndarray, size: int) -> np.ndarray:
    """The cells that must not be shown, since 1 to FEW - 1 units are in them; so many of the smallest others too that
    the hidden cells cannot be told from a total. (size,) bool
    """
    found = reach(cells, units, size)
    hide = (found > 0) & (found < FEW)
    order = [i for i in np.argsort(found, kind="stable") if found[i] >= FEW]
    while order and too_few(hide[cells], units):
        hide[order.pop(0)] = True
    return hide


def rounded(values: np.ndarray, digits: int = 5) -> list[Any]:
    """Rounded values as a list for JSON, NaN as None."""
    return [None if np.isnan(v) else v for v in np.round(values.astype(float), digits).tolist()]
