"""Measurements that decide whether a column can be rewritten: grid, unit, ties, and the inverse of a step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthcli.columns.codec.parts import integers
from synthcli.columns.transforms.differences import Difference
from synthcli.contracts.schema import Column, Traits

GRID_ROWS = 50  # minimum known values for a common step to count as a grid
UNITS = ("s", "ms", "us", "ns")
SAME = 1e-9  # relative tolerance of a restored float


def heaped(values: np.ndarray) -> float:
    """The probability that two rows share a value."""
    counts = np.unique(values, return_counts=True)[1]
    return float(((counts / max(len(values), 1)) ** 2).sum())


def with_time_grid(step: Difference, column: Column, values: Sequence[pd.Series]) -> Difference | str:
    """Complete a step with the finest unit of its dates or durations and the grid of the rewritten column; else return
    the reason why it cannot be built.
    """
    zones = {str(getattr(v.dtype, "tz", None)) for v in values}
    if len(zones) > 1:
        return "its dates are of different timezones"
    unit = max((v.dt.unit for v in values), key=UNITS.index)
    ratio = int(pd.Timedelta(1, values[0].dt.unit).as_unit(unit) / pd.Timedelta(1, unit))
    coarsest = int(pd.Timedelta(days=1) / pd.Timedelta(1, unit)) if column.storage.startswith("date") else ratio
    known = values[0].dropna()
    if getattr(known.dtype, "tz", None) is not None and len(known):
        day = int(pd.Timedelta(days=1) / pd.Timedelta(1, unit))
        by_clock = known.dt.tz_localize(None).dt.as_unit(unit).to_numpy().view("int64")
        if (by_clock % day == 0).all() and (
            integers(known.dt.as_unit(unit)) % day != integers(known.dt.as_unit(unit))[0] % day
        ).any():
            return "its days are of different lengths, where clocks change"
    start, ticks = grid(integers(known.dt.as_unit(unit)), coarsest)
    return replace(step, unit=unit, start=start, step=ticks)


def grid(raw: np.ndarray, least: int) -> tuple[int, int]:
    """The start and step of the grid of values. With few values a common step may be chance, so the step is `least`. A
    plain grid contains zero.
    """
    if len(raw) >= GRID_ROWS and (raw != raw[0]).any() and abs(int(raw.min())) < 2**62 and abs(int(raw.max())) < 2**62:
        step = math.gcd(int(np.gcd.reduce(raw - raw.min())), int(raw.max()) - int(raw.min()))
        if step % least == 0:
            return int(raw.min()) % step, step
    return (int(raw[0]) % least if len(raw) else 0), least


def spread(values: Sequence[pd.Series], unit: str | None) -> int:
    raw = [integers(v.dropna() if unit is None else v.dropna().dt.as_unit(unit)) for v in values]
    ends = [(int(r.min()), int(r.max())) for r in raw if len(r)]
    return max((abs(x) for pair in ends for x in pair), default=0)


def difference_column(step: Difference, made: pd.Series) -> Column:
    """The column of a difference. If zero occurs, it is a public bound."""
    known = made.dropna()
    if step.unit is not None:
        touches = not step.strict and len(known) and (known == pd.Timedelta(0)).any()
        declared = Traits(min="0s") if touches else Traits()
        return Column(step.name, declared, Traits(type="timedelta"), f"duration[{step.unit}]")
    declared = Traits(min=0) if not step.strict and len(known) and (known == 0).any() else Traits()
    kind = "integer" if step.whole else "float"
    return Column(step.name, declared, Traits(type=kind, precision=step.decimals), "int64" if step.whole else "double")


def equal_columns(back: pd.Series, was: pd.Series) -> bool:
    """Whether the inverse of a step restores a column: the same nulls and values, floats up to rounding."""
    if back.dtype != was.dtype or not np.array_equal(back.isna(), was.isna()):
        return False
    known = was.notna().to_numpy()
    a, b = back[known], was[known]
    if was.dtype == "float64":
        return bool(np.allclose(a, b, rtol=SAME, atol=0))
    return bool((a.to_numpy() == b.to_numpy()).all())
