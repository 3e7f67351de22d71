"""Quasi-identifiers: how far a few columns that others may know identify rows of a table. Samarati & Sweeney 1998.

k of a row is the number of privacy units that share its combination of values; at k = 1 the row is unique.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

BANDS = (1, 2, 5, 10)  # lower ends of the classes of k
MOST = 4  # columns that a search combines
LEAST_GAIN = (
    0.01  # share of rows that must become unique, or leave the largest class of k, for another column to be added
)


@dataclass(frozen=True)
class Uniqueness:
    """How unique rows are in some columns. shares: class of k (1, 2-4, 5-9, 10+) -> share of rows; unique: share of
    k = 1; units: number of privacy units.
    """

    columns: tuple[str, ...]
    unique: float
    shares: dict[str, float]
    units: int


def uniqueness(frame: pd.DataFrame, columns: Sequence[str], units: np.ndarray | None = None) -> Uniqueness:
    """The distribution of k over the rows. units: (rows,) privacy unit of each row, None if each row is one;
    null is a value.
    """
    k = _sizes(_combine([_codes(frame[name]) for name in columns], len(frame)), units)
    people = len(frame) if units is None else len(np.unique(units))
    return Uniqueness(tuple(columns), float((k == 1).mean()) if len(k) else 0.0, _bands(k), people)


def search(
    frame: pd.DataFrame, candidates: Sequence[str], units: np.ndarray | None = None, *, most: int = MOST
) -> list[Uniqueness]:
    """Greedy search: the column that makes most rows unique, then the one that adds most, up to `most` columns. Returns
    each step.
    """
    codes = {name: _codes(frame[name]) for name in dict.fromkeys(candidates)}
    chosen: list[str] = []
    steps: list[Uniqueness] = []
    held = np.zeros(len(frame), dtype=np.int64)
    while len(chosen) < most and len(chosen) < len(codes) and len(frame):
        gains = {n: _gain(_combine([held, c], len(frame)), units) for n, c in codes.items() if n not in chosen}
        best = max(gains, key=lambda n: gains[n])
        if steps and max(gains[best][0] - steps[-1].unique, gains[best][1] - _exposed(steps[-1])) < LEAST_GAIN:
            break
        chosen.append(best)
        held = _combine([held, codes[best]], len(frame))
        steps.append(uniqueness(frame, chosen, units))
    return steps


def _gain(codes: np.ndarray, units: np.ndarray | None) -> tuple[float, float]:
    """The share of unique rows; to break ties, the share below the largest class of k."""
    k = _sizes(codes, units)
    return float((k == 1).mean()), float((k < BANDS[-1]).mean())


def _exposed(step: Uniqueness) -> float:
    return 1.0 - step.shares[f"{BANDS[-1]}+"]


def _codes(values: pd.Series) -> np.ndarray:
    return np.asarray(pd.factorize(values, use_na_sentinel=False)[0], dtype=np.int64)


def _combine(codes: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """One code per combination of codes. (rows,) int64"""
    out = np.zeros(rows, dtype=np.int64)
    for each in codes:
        out = np.unique(out * (int(each.max(initial=0)) + 1) + each, return_inverse=True)[1].astype(np.int64)
    return out


def _sizes(codes: np.ndarray, units: np.ndarray | None) -> np.ndarray:
    """k of each row: privacy units that share its code. (rows,) int64"""
    if units is None:
        return np.bincount(codes)[codes]
    pairs = np.unique(np.column_stack([codes, units]), axis=0)
    return np.bincount(pairs[:, 0])[codes]


def _bands(k: np.ndarray) -> dict[str, float]:
    ends = [*BANDS[1:], None]
    names = [
        str(low) if end == low + 1 else f"{low}+" if end is None else f"{low}-{end - 1}"
        for low, end in zip(BANDS, ends)
    ]
    inside = [(k >= low) & (k < (end or np.inf)) for low, end in zip(BANDS, ends)]
    return {name: float(here.mean()) if len(k) else 0.0 for name, here in zip(names, inside)}
