"""The codec of numbers: a state, where there are nulls or spikes, and a value on the scale of the column's own
granularity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import heaping, point_masses, top_coding
from synthcli.columns.codec.parts import (
    Part,
    Scale,
    Values,
    by_the_clock,
    dtype_name,
    escaped,
    from_the_clock,
    integers,
    times,
)
from synthcli.contracts.schema import Column

FEW = point_masses.FEW  # an integer of at most so many distinct values is modelled as a category
MONEY = 2  # decimals that people write
FEW_ROWS, FEW_UNITS = (
    50,
    10,
)  # the same of a float, where it has so many rows, and so many privacy units hold each value


@dataclass(frozen=True)
class Numbers:
    """A number with an order. A whole one (integer, time) is base + step * number; a float is rounded to `decimals`.

    low, high: in the units of the part, integers for a whole number. spikes: as they are in the column, infinities
    among them. clock: a zoned time, counted as its clocks show it. grains: how round the number may be
    (columns/codec/heaping.py), in its own units, of a float in those of its last decimal. clipped: rows that lay beyond
    low or high when it was fitted.
    """

    name: str
    dtype: str
    whole: bool
    base: int
    step: int
    decimals: int | None
    low: float
    high: float
    nullable: bool
    spikes: tuple[float, ...]
    clock: bool = False
    clipped: int = 0
    grains: tuple[int, ...] = ()

    @property
    def states(self) -> int:
        return 2 + len(self.spikes) if self.nullable or self.spikes else 1

    @property
    def parts(self) -> tuple[Part, ...]:
        name = escaped(self.name)
        state = (Part(f"{name}#state", self.name, self.states),) if self.states > 1 else ()
        grain = (Part(f"{name}#grain", self.name, len(self.grains)),) if self.grains else ()
        return (*state, *grain, Part(name, self.name))

    @property
    def scale(self) -> Scale:
        unit = self.dtype + " by the clock" * self.clock if self.dtype.startswith(("timestamp", "duration")) else ""
        return Scale(float(self.base), float(self.step), unit)

    @classmethod
    def fit(cls, column: Column, values: pd.Series, units: np.ndarray | None = None) -> Numbers:
        """units: (rows,) privacy unit of each row, None where each row is its own."""
        null = values.isna().to_numpy()
        known, units = values[~null], None if units is None else units[~null]
        whole = column.kind != "float"
        raw, clock = (
            _ticks(known) if whole else (known.to_numpy(dtype=np.float64) + 0.0, False)
        )  # + 0.0: no zero below zero
        finite = np.isfinite(raw)
        found = (
            _declared_spikes(column)
            if column.declared.spikes is not None
            else _find_spikes(raw, finite, units, column.kind)
        )
        rest = finite & ~np.isin(raw, np.array(found, dtype=raw.dtype))
        kept, clipped = _kept(
            raw[rest] if rest.any() else raw[finite][:1],
            None if units is None or not rest.any() else units[rest],
            column,
        )
        base, step, low, high = _whole_bounds(column, kept, clock) if whole else (0, 1, *_float_bounds(column, kept))
        found = (*found, *sorted(set(raw[~finite].tolist())))
        decimals, type_ = None if whole else column.get("precision"), dtype_name(values)
        steps = _grains(kept, step, decimals, column.kind)
        return cls(
            column.name, type_, whole, base, step, decimals, low, high, bool(null.any()), found, clock, clipped, steps
        )

    def encode(self, values: pd.Series) -> Values:
        null = values.isna().to_numpy()
        known = values[~null]
        raw = self._raw(known)
        numbers = np.full(
            len(values), self.low / 2 + self.high / 2
        )  # an unseen null has no state to go to: it takes the middle of the range
        numbers[~null] = np.clip(
            _offsets(raw, self.base, self.step) if self.whole else raw, float(self.low), float(self.high)
        )
        state = np.zeros(len(values), dtype=np.int32)
        state[null] = 1 if self.nullable else 0
        state[~null] = self._spiked(raw)
        out = {f"{escaped(self.name)}#state": state} if self.states > 1 else {}
        if self.grains:
            level = heaping.levels(self._steps(numbers) if self.whole else self._scaled(numbers), self.grains)
            out[f"{escaped(self.name)}#grain"] = np.where(state == 0, level, 0).astype(np.int32)
        return out | {escaped(self.name): np.where(state == 0, numbers, np.nan)}

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        numbers = np.clip(np.nan_to_num(values[escaped(self.name)], nan=self.low), float(self.low), float(self.high))
        state = np.zeros(rows, dtype=np.int32) if self.states == 1 else values[f"{escaped(self.name)}#state"]
        state = (
            state if self.nullable else np.where(state == 1, min(2, self.states - 1), state)
        )  # a state that the source never has
        raw = self._steps(numbers) if self.whole else self._rounded(numbers)
        if self.grains:
            raw = self._grained(raw, values[f"{escaped(self.name)}#grain"])
        if self.spikes:
            raw = np.where(state < 2, raw, np.array(self.spikes, dtype=raw.dtype)[np.maximum(state - 2, 0)])
        null = (state == 1) & self.nullable
        if not self.whole:
            return pd.Series(np.where(null, np.nan, raw))
        if self.dtype == "Int64":
            return pd.Series(pd.arrays.IntegerArray(raw, null))
        return times(from_the_clock(raw, self.dtype) if self.clock else raw, null, self.dtype)

    def axis(self, values: Mapping[str, np.ndarray], first: int = 2) -> np.ndarray:
        """Where each row lies among the numbers, as it is read back once it is written: spikes at their places, NaN for
        none. (rows,)

        In units of the number part. first: state of the first spike.
        """
        numbers = values[escaped(self.name)]
        if self.grains:
            known = np.clip(np.nan_to_num(numbers, nan=self.low), float(self.low), float(self.high))
            raw = self._grained(
                self._steps(known) if self.whole else self._rounded(known), values[f"{escaped(self.name)}#grain"]
            )
            out = np.where(np.isnan(numbers), np.nan, _offsets(raw, self.base, self.step) if self.whole else raw)
        else:
            out = np.rint(numbers) if self.whole else self._rounded(numbers)
        if self.spikes:
            places = (np.array(self.spikes, dtype=np.float64) - self.base) / self.step
            spike = values[f"{escaped(self.name)}#state"] - first
            out = np.where(spike >= 0, places[np.clip(spike, 0, len(places) - 1)], out)
        return out

    def _raw(self, known: pd.Series) -> np.ndarray:
        if not self.whole:
            return known.to_numpy(dtype=np.float64)
        return by_the_clock(known) if self.clock else integers(known)

    def _spiked(self, raw: np.ndarray) -> np.ndarray:
        state = np.zeros(len(raw), dtype=np.int32)
        for i, spike in enumerate(self.spikes):
            state[raw == spike] = 2 + i
        return state

    def _steps(self, numbers: np.ndarray) -> np.ndarray:
        """Whole values. (rows,) int64; no further than `high`, beyond which a float may round up."""
        last = int(self.high)
        if max(last, self.step) <= 2**53:
            return np.rint(numbers).astype(np.int64) * self.step + self.base
        steps = np.where(
            numbers < float(last), np.rint(np.minimum(numbers, 2.0**64 - 2**11)).astype(np.uint64), np.uint64(last)
        )
        steps = np.minimum(steps, np.uint64(last))
        return (steps * np.uint64(self.step) + np.uint64(self.base % 2**64)).astype(np.int64)

    def _rounded(self, numbers: np.ndarray) -> np.ndarray:
        if self.decimals is None:
            return numbers + 0.0
        with np.errstate(over="ignore", invalid="ignore"):
            rounded = np.round(numbers, self.decimals) + 0.0
        return np.where(np.isfinite(rounded), rounded, numbers)

    def _scaled(self, numbers: np.ndarray) -> np.ndarray:
        """Floats in units of their last decimal. (rows,) int64"""
        return np.rint(numbers * 10.0 ** (self.decimals or 0)).astype(np.int64)

    def _grained(self, raw: np.ndarray, level: np.ndarray) -> np.ndarray:
        """Values rounded to their grains, within the ends."""
        if self.whole:
            return heaping.rounded(
                raw, level, self.grains, self.base + self.step * int(self.low), self.base + self.step * int(self.high)
            )
        low, high = self._scaled(np.array([self.low, self.high])).tolist()
        return heaping.rounded(self._scaled(raw), level, self.grains, low, high) / 10.0 ** (self.decimals or 0)

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "spikes": [s if self.whole else repr(s) for s in self.spikes]}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Numbers:
        return cls(
            **{
                **data,
                "grains": tuple(data["grains"]),
                "spikes": tuple(s if data["whole"] else float(s) for s in data["spikes"]),
            }
        )


def _ticks(known: pd.Series) -> tuple[np.ndarray, bool]:
    """Integers and times as int64, and whether they are what clocks show: where that is coarser, or whole days, and
    loses nothing.
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
    """The greatest common divisor of the distances from the least; 1 where there are none."""
    return int(np.gcd.reduce(raw.astype(np.uint64) - np.uint64(int(raw.min()) % 2**64))) or 1


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


def held_by(codes: np.ndarray, units: np.ndarray | None, size: int) -> np.ndarray:
    """How many privacy units hold each code from 0; a code below 0 is none. units: (rows,), None where each row is its
    own.
    """
    if units is None:
        return np.bincount(codes[codes >= 0], minlength=size)
    pairs = pd.DataFrame({"code": codes, "unit": units})
    return np.bincount(pairs[pairs["code"] >= 0].drop_duplicates()["code"], minlength=size)


def _kept(rest: np.ndarray, units: np.ndarray | None, column: Column) -> tuple[np.ndarray, int]:
    """Values moved to within what more than a few people hold, unless the spec declares the bound; with the number of
    those moved.
    """
    if not len(rest):
        return rest, 0
    low, high = top_coding.ends(rest, units)
    least = rest.min() if column.declared.min is not None else rest[low]
    most = rest.max() if column.declared.max is not None else rest[high]
    return np.clip(rest, least, most), int(((rest < least) | (rest > most)).sum())


def _grains(kept: np.ndarray, step: int, decimals: int | None, kind: str) -> tuple[int, ...]:
    """Grains of integers, and of floats of few decimals: those of more are measured, not written by people."""
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


def _declared_spikes(column: Column) -> tuple[float, ...]:
    said = column.declared.spikes or ()
    if column.kind == "float":
        return tuple(sorted(float(s) for s in said))
    return tuple(sorted(int(s) for s in said if float(s).is_integer() and -(2**63) <= s < 2**63))


def _whole_bounds(column: Column, kept: np.ndarray, clock: bool) -> tuple[int, int, int, int]:
    """base, step, low, high. What is declared counts from the base on: a whole number never lies below it."""
    if not len(kept):
        return 0, 1, 0, 0
    base, step = int(kept.min()), _grain(kept)
    low, high = 0, (int(kept.max()) - base) // step
    if column.declared.min is not None:
        low = max(0, -((base - _bound(column, column.declared.min, math.ceil, clock)) // step))
    if column.declared.max is not None:
        high = max(0, (min(_bound(column, column.declared.max, math.floor, clock), 2**63 - 1) - base) // step)
    return base, step, min(low, high), high


def _float_bounds(column: Column, kept: np.ndarray) -> tuple[float, float]:
    """The declared bounds, else the observed ones, moved inwards to what the column's decimals can spell."""
    low, high = (float(kept.min()), float(kept.max())) if len(kept) else (0.0, 0.0)
    low = low if column.declared.min is None else float(column.declared.min)
    high = high if column.declared.max is None else float(column.declared.max)
    if (decimals := column.get("precision")) is not None and max(abs(low), abs(high)) < 1e15:
        first, last = round(low, decimals), round(high, decimals)
        first = first if first >= low else round(low + 10.0**-decimals, decimals)
        last = last if last <= high else round(high - 10.0**-decimals, decimals)
        low, high = (first, last) if first <= last else (low, high)
    return low + 0.0, max(low, high) + 0.0


def _bound(
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
    return int(
        value.as_unit(_unit(column)).to_numpy().astype(np.int64)
    )  # .value would be nanoseconds, whatever the unit


def _unit(column: Column) -> str:
    for unit in ("ns", "us", "ms"):
        if unit in column.storage:
            return unit
    return "s"


def _offsets(raw: np.ndarray, base: int, step: int) -> np.ndarray:
    """Steps from the base; in wrapped unsigned arithmetic, so that the whole int64 range fits. Below the base: clipped
    to it.
    """
    steps = (raw.astype(np.uint64) - np.uint64(base % 2**64)).astype(np.float64) / step
    return np.where(raw < base, 0.0, steps)


def within(column: Column, known: pd.Series) -> bool:
    """Whether a number column's values keep to its declared bounds."""
    low, high = column.declared.min, column.declared.max
    if column.kind == "float":
        return (low is None or known.min() >= float(low)) and (high is None or known.max() <= float(high))
    return (low is None or known.min() >= _bound(column, low, math.ceil)) and (
        high is None or known.max() <= _bound(column, high)
    )


def is_few(column: Column, known: pd.Series, units: np.ndarray | None) -> bool:
    """Whether a number is modelled as a category: it has few values; a float's are each held by several people."""
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
