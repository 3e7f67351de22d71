"""Privacy units of related tables: the unit of each row of a child table, and the part of each unit."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np


def inherit_units(above: Sequence[tuple[Any, np.ndarray]], rows: int, size: int) -> tuple[np.ndarray, int]:
    """Assign each row the unit of the first parent that it has, and new units from `size` on to rows without parents.

    above: for each relationship the units of the parents, and the position of each row's parent. Also returns the
    number of units.
    """
    unit = np.full(rows, -1, dtype=np.int64)
    for units, at in above:
        unit = np.where((unit < 0) & (at >= 0), units[at] if len(units) else -1, unit)
    alone = unit < 0
    return np.where(alone, size + np.cumsum(alone) - 1, unit), size + int(alone.sum())


def assign_parts(strata: np.ndarray, edges: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Assign each unit to a part: shuffle every stratum, and cut it at the cumulated fractions. (units,) int64"""
    order = np.lexsort((rng.random(len(strata)), strata))
    sizes = np.bincount(strata - strata.min(initial=0))
    place = np.empty(len(strata))
    place[order] = np.concatenate([(np.arange(n) + 0.5) / n for n in sizes if n]) if len(strata) else []
    return np.minimum(np.searchsorted(edges, place, side="left"), len(edges) - 1)
