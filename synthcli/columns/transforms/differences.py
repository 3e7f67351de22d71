"""A step that learns a column as its distance from another one, which it must not pass."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec.parts import dtype_of, integers, times
from synthcli.columns.transforms.ends import Ends

HIGHEST = 2**63 - 1


@dataclass(frozen=True)
class Difference:
    """column = base + sign * difference; the difference is not negative (strict: positive). base: the last known one of
    `bases`.

    Whole numbers and times count in ticks of `unit` and are restored to the grid start + k * step of the column. Others
    are floats: the column with `precision` decimals, the difference with `decimals`; None for full precision. alone:
    the column that holds the original value if no base is known. ends: of the column, which no restored value
    passes unless the base does.
    """

    column: str
    bases: tuple[str, ...]
    name: str
    dtype: str
    sign: int = 1
    strict: bool = False
    unit: str | None = None  # of times
    whole: bool = True
    start: int = 0
    step: int = 1
    precision: int | None = None
    decimals: int | None = None
    alone: str | None = None
    ends: Ends = field(default_factory=Ends)

    @property
    def rewritten(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def inputs(self) -> tuple[str, ...]:
        return self.bases

    @property
    def made(self) -> tuple[str, ...]:
        return (self.name,) if self.alone is None else (self.name, self.alone)

    @property
    def least(self) -> int:
        """The minimum of a strict difference in ticks; times are compared in microseconds."""
        return 0 if not self.strict else 1000 if self.unit == "ns" else 1

    def forward(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        (value, null), (base, unknown) = self.read(frame[self.column]), self.base(frame)
        with np.errstate(over="ignore", invalid="ignore"):
            apart = self.sign * (value - base)
        out = {
            self.name: self._number(
                apart if self.whole or self.decimals is None else np.round(apart, self.decimals), null | unknown
            )
        }
        return out if self.alone is None else out | {self.alone: frame[self.column].where(unknown)}

    def inverse(self, frame: pd.DataFrame) -> dict[str, pd.Series]:
        (apart, null), (base, unknown) = self.read(frame[self.name]), self.base(frame)
        restore = self._whole if self.whole else self._decimal
        value = self._within_ends(restore(base, apart), restore(base, np.zeros_like(apart)))
        out = self._column(value, null | unknown)
        return {self.column: out if self.alone is None else out.where(~unknown, frame[self.alone])}

    def _within_ends(self, value: np.ndarray, nearest: np.ndarray) -> np.ndarray:
        """Values within the published ends, where the base leaves room. nearest: the closest value to each base."""
        least, most = (nearest, None) if self.sign > 0 else (None, nearest)
        value = self.ends.within(value, least, most, otherwise=nearest)
        return value if self.whole or self.precision is None else np.round(value, self.precision)

    def _whole(self, base: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """base + difference within 64 bits, on the column's grid and on the right side of the base."""
        room = (
            np.where(base > 0, HIGHEST - self.step - base, HIGHEST)
            if self.sign > 0
            else np.where(base < 0, base + HIGHEST - self.step, HIGHEST)
        )
        value = base + self.sign * np.minimum(np.maximum(apart, self.least), room)
        off = (value - self.start) % self.step  # distance above the grid
        return value + np.where(off == 0, 0, self.step - off if self.sign > 0 else -off)

    def _decimal(self, base: np.ndarray, apart: np.ndarray) -> np.ndarray:
        """base + difference, rounded; raised if rounding moved it below the base."""
        with np.errstate(invalid="ignore", over="ignore"):
            value, base = base * self.sign + np.maximum(apart, 0), base * self.sign
            value = value if self.precision is None else np.round(value, self.precision)
            short = value <= base if self.strict else value < base
            if self.precision is not None and short.any():
                scale = 10.0**self.precision
                raised = np.floor(base * scale) + 1 if self.strict else np.ceil(base * scale)
                value = np.where(short, np.round(raised / scale, self.precision), value)
                short = value <= base if self.strict else value < base
            value = np.where(short, np.nextafter(base, np.inf) if self.strict else base, value)
        return value * self.sign + 0.0

    def base(self, frame: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
        """The last known base, (rows,) int64 or float64, and where no base is known, (rows,) bool."""
        base, unknown = self.read(frame[self.bases[-1]])
        for name in self.bases[-2::-1]:
            other, null = self.read(frame[name])
            base, unknown = np.where(unknown, other, base), unknown & null
        return base, unknown

    def read(self, column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
        """Ticks or floats, (rows,) int64 or float64, and where they are null, (rows,) bool."""
        null = column.isna().to_numpy(dtype=bool)
        if not self.whole:
            return column.to_numpy(dtype="float64", na_value=np.nan), null
        raw = np.zeros(len(column), dtype=np.int64)
        known = column[~null]
        raw[~null] = integers(known if self.unit is None else known.dt.as_unit(self.unit))
        return raw, null

    def _number(self, values: np.ndarray, null: np.ndarray) -> pd.Series:
        if not self.whole:
            return pd.Series(np.where(null, np.nan, values))
        if self.unit is not None:
            return times(values, null, f"duration[{self.unit}]")
        return pd.Series(pd.arrays.IntegerArray(np.where(null, 0, values), null))

    def _column(self, values: np.ndarray, null: np.ndarray) -> pd.Series:
        if self.unit is None:
            return self._number(values, null).astype(dtype_of(self.dtype))
        own = self.dtype.partition("[")[2].rstrip("]").partition(",")[0]
        fine = self.dtype.replace(f"[{own}", f"[{self.unit}", 1)
        return times(np.where(null, 0, values), null, fine).dt.as_unit(own)

    def to_json(self) -> dict[str, Any]:
        return {**self.__dict__, "bases": list(self.bases), "ends": self.ends.to_json()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Difference:
        return cls(**{**data, "bases": tuple(data["bases"]), "ends": Ends(**data.get("ends", {}))})
