"""Codes for missing values, such as -1 or 999: found in numbers, and replaced by null where only values count."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns.codec import point_masses
from synthcli.columns.codec.top_coding import held_by
from synthcli.contracts.schema import Schema

FEWEST = 3  # distinct values besides the codes, at least
LEAST_UNITS, SHARE = 10, 0.001  # privacy units that hold a code, and its share of the known values, at least
GAP = 2  # times the largest gap between neighbouring values, by which a code lies above all values


def without(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame with null for the declared codes. frame: canonical dtypes."""
    codes = {c.name: c.missing for c in schema.columns if c.missing and c.name in frame}
    return frame.assign(**{name: frame[name].mask(frame[name].isin(some)) for name, some in codes.items()})


def find(values: pd.Series, units: np.ndarray | None) -> tuple[float, ...]:
    """Numbers that look like codes for missing values, in ascending order.

    They are spelled like codes (-1 to -9, 96 to 99, 888, 9999 and the like), several privacy units hold them, and they
    lie apart: a negative code if no other value is negative, another beyond a gap above all values. values: of an
    integer or float column; units: (rows,) privacy unit of each row, None if each row is its own unit.
    """
    known = values.notna().to_numpy()
    numbers = values[known].to_numpy(dtype=np.float64)
    distinct, place, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    held = counts if units is None else held_by(place, units[known], len(distinct))
    common = (held >= LEAST_UNITS) & (counts >= SHARE * len(numbers))
    coded = common & np.isfinite(distinct)
    coded[coded] = [point_masses.is_code(v) for v in distinct[coded]]
    left, right = 0, len(distinct)
    while right > left and coded[right - 1] and distinct[right - 1] > 0:
        right -= 1
    while left < right and coded[left] and distinct[left] < 0:
        left += 1
    rest = distinct[left:right]
    if len(rest) < FEWEST:
        return ()
    low = distinct[:left] if rest[0] >= 0 else distinct[:0]
    gap = float(np.diff(rest).max())
    high = [v for v in distinct[right:] if v - rest[-1] > GAP * gap]
    return (*low.tolist(), *high)
