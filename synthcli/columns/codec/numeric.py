"""The codec of numbers: a state, if the column has nulls or point masses, and a value in steps of the column's
granularity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import calendar, heaping
from synthcli.columns.codec.domain import NumbersDomain
from synthcli.columns.codec.parts import (
    Part,
    Scale,
    Values,
    by_the_clock,
    escaped,
    from_the_clock,
    integers,
    times,
)
from synthcli.contracts.schema import Column


@dataclass(frozen=True)
class Numbers:
    """A numeric column. A whole number (integer, time) is base + step * number; a float is rounded to `decimals`.

    low, high: in the units of the part, integers for a whole number. spikes: point masses in the units of the column,
    including infinities. clock: whether a zoned time counts in local time. grains: rounding steps
    (columns/codec/heaping.py) in the units of the column, for floats in units of the last decimal. months: step of
    dates that are all the first day of a month, 0 for other columns (columns/codec/calendar.py). clipped: number of
    rows beyond low or high at fitting.
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
    months: int = 0

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
    def from_domain(cls, column: Column, domain: NumbersDomain) -> Numbers:
        low, high = domain.low, domain.high
        if domain.whole:
            low, high = ((int(end) - domain.base) // domain.step for end in (low, high))
        return cls(
            column.name,
            domain.dtype,
            domain.whole,
            domain.base,
            domain.step,
            domain.decimals,
            low,
            high,
            domain.nullable,
            domain.spikes,
            domain.clock,
            sum(domain.clipped),
            domain.grains,
            domain.months,
        )

    def encode(self, values: pd.Series) -> Values:
        null = values.isna().to_numpy()
        known = values[~null]
        raw = self._raw(known)
        numbers = np.full(
            len(values), self.low / 2 + self.high / 2
        )  # an unseen null has no state, so it becomes the middle of the range
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
        )  # null does not occur in the source
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
        """The position of each row on the number axis, as decoded: point masses included, NaN for nulls. (rows,)

        In units of the number part. first: state of the first point mass.
        """
        numbers = values[escaped(self.name)]
        if self.grains:
            known = np.clip(np.nan_to_num(numbers, nan=self.low), float(self.low), float(self.high))
            raw = self._grained(
                self._steps(known) if self.whole else self._rounded(known), values[f"{escaped(self.name)}#grain"]
            )
            out = np.where(np.isnan(numbers), np.nan, _offsets(raw, self.base, self.step) if self.whole else raw)
        elif self.months:
            known = np.clip(np.nan_to_num(numbers, nan=self.low), float(self.low), float(self.high))
            out = np.where(np.isnan(numbers), np.nan, _offsets(self._steps(known), self.base, self.step))
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
        """Whole values. (rows,) int64; at most `high`, which the rounding of large floats could exceed."""
        last = int(self.high)
        if self.months:
            unit = frames.arrow_type(self.dtype).unit
            raw = np.rint(numbers).astype(np.int64) * self.step + self.base
            return calendar.nearest(raw, unit, self.months, self.base, self.base + self.step * last)
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
        """Round values to their rounding steps, within low and high."""
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


def _offsets(raw: np.ndarray, base: int, step: int) -> np.ndarray:
    """Steps from the base, in wrapping unsigned arithmetic so that the whole int64 range fits; values below the base
    are clipped to it.
    """
    steps = (raw.astype(np.uint64) - np.uint64(base % 2**64)).astype(np.float64) / step
    return np.where(raw < base, 0.0, steps)
