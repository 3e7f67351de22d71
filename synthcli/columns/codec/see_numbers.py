"""Infer the domain of a number: published ends, steps and decimals, point masses and rounding steps."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import calendar, heaping, point_masses, top_coding
from synthcli.columns.codec.domain import NumbersDomain
from synthcli.columns.codec.parts import by_the_clock, dtype_name, from_the_clock, integers
from synthcli.columns.codec.top_coding import held_by
from synthcli.contracts.schema import Column

FEW = point_masses.FEW  # an integer with at most so many distinct values is modelled as a category
FEW_ROWS, FEW_UNITS = 50, 10  # for a float: minimum rows, and minimum privacy units that hold each value
MONEY = 2  # maximum decimals of numbers that people round


def see_numbers(column: Column, values: pd.Series, units: np.ndarray | None = None) -> NumbersDomain:
    """The domain of a number. units: (rows,) privacy unit of each row, None if each row is its own unit."""
    null = values.isna().to_numpy()
    crowd = top_coding.people(units, len(values))
    known, units = values[~null], None if units is None else units[~null]
    whole = column.kind != "float"
    # + 0.0 turns -0.0 into 0.0
    raw, clock = _ticks(known) if whole else (known.to_numpy(dtype=np.float64) + 0.0, False)
    finite = np.isfinite(raw)
    found = _spikes(column, raw, finite, units)
    rest = finite & ~np.isin(raw, np.array(found, dtype=raw.dtype))
    if rest.any():
        kept, clipped = _kept(raw[rest], None if units is None else units[rest], crowd, column)
    else:
        kept, clipped = raw[finite][:1], (0, 0)  # all values are point masses
    base, step, low, high = _whole_bounds(column, kept, clock) if whole else (0, 1, *_float_bounds(column, kept))
    decimals = None if whole else column.get("precision")
    return NumbersDomain(
        dtype=dtype_name(values),
        whole=whole,
        low=low,
        high=high,
        base=base,
        step=step,
        decimals=decimals,
        nullable=bool(null.any()),
        spikes=(*found, *sorted(set(raw[~finite].tolist()))),
        clock=clock,
        grains=_grains(kept, step, decimals, column.kind),
        clipped=clipped,
        known=len(raw),
        months=calendar.step(kept, _unit(column)) if column.kind == "datetime" else 0,
    )


def _ticks(known: pd.Series) -> tuple[np.ndarray, bool]:
    """Integers and times as int64, and whether they count in local time: only if that is coarser or whole days, and
    lossless.
    """
    raw = integers(known)
    if not isinstance(known.dtype, pd.DatetimeTZDtype) or not len(known):
        return raw, False
    shown = by_the_clock(known)
    grain, day = _grain(shown), int(np.timedelta64(1, "D") / np.timedelta64(1, known.dtype.unit))
    if (grain % day == 0 or grain > _grain(raw)) and np.array_equal(from_the_clock(shown, dtype_name(known)), raw):
        return shown, True
    return raw, False


def _grain(raw: np.ndarray) -> int:
    """The greatest common divisor of the distances from the minimum; 1 if all values are equal."""
    return int(np.gcd.reduce(raw.astype(np.uint64) - np.uint64(int(raw.min()) % 2**64))) or 1


def _spikes(column: Column, raw: np.ndarray, finite: np.ndarray, units: np.ndarray | None) -> tuple[float, ...]:
    missing = _declared(column, column.missing)
    if column.declared.spikes is not None:
        return tuple(sorted({*_declared(column, column.declared.spikes), *missing}))
    values = finite & ~np.isin(raw, np.array(missing, dtype=raw.dtype))
    return tuple(sorted({*_find_spikes(raw, values, units, column.kind), *missing}))


def _find_spikes(raw: np.ndarray, finite: np.ndarray, units: np.ndarray | None, kind: str) -> tuple[float, ...]:
    if finite.sum() < point_masses.LEAST_ROWS:
        return ()
    distinct, place, counts = np.unique(raw[finite], return_inverse=True, return_counts=True)
    held = counts if units is None else held_by(place, units[finite], len(distinct))
    size = (
        (distinct - distinct[0]).astype(np.float64)
        if kind in ("datetime", "timedelta")
        else distinct.astype(np.float64)
    )
    with np.errstate(over="ignore", invalid="ignore"):
        found = point_masses.find(size, counts, held, plain=kind in ("integer", "float"))
    return tuple(distinct[found].tolist())


def _kept(rest: np.ndarray, units: np.ndarray | None, crowd: int, column: Column) -> tuple[np.ndarray, tuple[int, int]]:
    """Clip values to the published ends, unless the spec declares the bound; also how many were below and above."""
    low, high = top_coding.ends(rest, units, crowd=crowd)
    least = rest.min() if column.declared.min is not None else rest[low]
    most = rest.max() if column.declared.max is not None else rest[high]
    return np.clip(rest, least, most), (int((rest < least).sum()), int((rest > most).sum()))


def _grains(kept: np.ndarray, step: int, decimals: int | None, kind: str) -> tuple[int, ...]:
    """Rounding steps of integers and of floats with few decimals; floats with more are measurements."""
    if kind == "integer":
        return heaping.find(kept, step)
    if (
        kind == "float"
        and decimals is not None
        and decimals <= MONEY
        and len(kept)
        and np.abs(kept).max() * 10.0**decimals < 2**53
    ):
        return heaping.find(np.rint(kept * 10.0**decimals).astype(np.int64), 1)
    return ()


def _declared(column: Column, said: tuple[float, ...]) -> tuple[float, ...]:
    """Declared point masses in the units of the column; those that it cannot hold are left out."""
    if column.kind == "float":
        return tuple(sorted(float(s) for s in said))
    return tuple(sorted(int(s) for s in said if float(s).is_integer() and -(2**63) <= s < 2**63))


def _whole_bounds(column: Column, kept: np.ndarray, clock: bool) -> tuple[int, int, int, int]:
    """base, step, low, high. Declared bounds below the base have no effect: no value lies below it."""
    if not len(kept):
        return 0, 1, 0, 0
    base, step = int(kept.min()), _grain(kept)
    low, high = 0, (int(kept.max()) - base) // step
    if column.declared.min is not None:
        low = max(0, -((base - bound(column, column.declared.min, math.ceil, clock)) // step))
    if column.declared.max is not None:
        high = max(0, (min(bound(column, column.declared.max, math.floor, clock), 2**63 - 1) - base) // step)
    return base, step, base + step * min(low, high), base + step * high


def _float_bounds(column: Column, kept: np.ndarray) -> tuple[float, float]:
    """The declared bounds, else the observed ones, moved inwards to numbers with the column's decimals."""
    low, high = (float(kept.min()), float(kept.max())) if len(kept) else (0.0, 0.0)
    low = low if column.declared.min is None else float(column.declared.min)
    high = high if column.declared.max is None else float(column.declared.max)
    if (decimals := column.get("precision")) is not None and max(abs(low), abs(high)) < 1e15:
        first, last = round(low, decimals), round(high, decimals)
        first = first if first >= low else round(low + 10.0**-decimals, decimals)
        last = last if last <= high else round(high - 10.0**-decimals, decimals)
        low, high = (first, last) if first <= last else (low, high)
    return low + 0.0, max(low, high) + 0.0


def bound(
    column: Column, declared: float | str, whole: Callable[[float], int] = math.floor, clock: bool = False
) -> int:
    """A declared bound as an integer in the column's own unit."""
    if column.kind == "integer":
        return declared if isinstance(declared, int) else whole(float(declared))
    value = pd.Timestamp(declared) if column.kind == "datetime" else pd.Timedelta(declared)
    zone = getattr(frames.arrow_type(column.storage), "tz", None)
    if zone and isinstance(value, pd.Timestamp):
        value = value.tz_localize(zone) if value.tz is None else value.tz_convert(zone)
        value = value.tz_localize(None) if clock else value
    return int(value.as_unit(_unit(column)).to_numpy().astype(np.int64))  # .value is in nanoseconds for every unit


def _unit(column: Column) -> str:
    for unit in ("ns", "us", "ms"):
        if unit in column.storage:
            return unit
    return "s"


def within(column: Column, known: pd.Series) -> bool:
    """Whether the values of a number lie within its declared bounds."""
    low, high = column.declared.min, column.declared.max
    known = known[~known.isin(column.missing)] if column.missing else known
    if column.kind == "float":
        return (low is None or known.min() >= float(low)) and (high is None or known.max() <= float(high))
    return (low is None or known.min() >= bound(column, low, math.ceil)) and (
        high is None or known.max() <= bound(column, high)
    )


def is_few(column: Column, known: pd.Series, units: np.ndarray | None) -> bool:
    """Whether to model a number as a category: it has few values and, for a float, several people hold each of them."""
    if (
        column.kind not in ("integer", "float")
        or column.declared.spikes is not None
        or not 0 < (distinct := known.nunique()) <= FEW
    ):
        return False
    if column.kind == "float":
        codes = pd.factorize(known)[0]
        if len(known) < FEW_ROWS or not np.isfinite(known).all() or held_by(codes, units, distinct).min() < FEW_UNITS:
            return False
    return within(column, known)
