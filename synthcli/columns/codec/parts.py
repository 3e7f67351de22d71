"""The parts that column codecs encode to, and helpers that the codecs share, such as times as integers."""

from __future__ import annotations

import bisect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames


@dataclass(frozen=True)
class Part:
    """A coded column, the unit that a method models. size: number of codes, 0 for a number; column: the column it
    encodes.
    """

    name: str
    column: str
    size: int = 0

    @property
    def is_code(self) -> bool:
        return self.size > 0


@dataclass(frozen=True)
class Scale:
    """The scale of a number part: start + step * number, in units of the column. Numbers with the same unit are
    comparable.
    """

    start: float = 0.0
    step: float = 1.0
    unit: str = ""

    def raw(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers in the units of the column; times in ticks. (rows,) float64"""
        return self.start + self.step * numbers


Values = dict[str, np.ndarray]  # part name -> (rows,) int32 codes or float64 numbers


def escaped(column: str) -> str:
    """The name of a column as a part name: # is doubled, so that a column called x#state is not the state of x."""
    return column.replace("#", "##")


def integers(values: pd.Series) -> np.ndarray:
    """Integers, or times in ticks since the epoch. values: without nulls. (rows,) int64"""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    return values.to_numpy(dtype=np.int64) if values.dtype == "Int64" else values.to_numpy().view(np.int64)


def times(raw: np.ndarray, null: np.ndarray, type_: str) -> pd.Series:
    """A datetime or timedelta series from int64 ticks of its Arrow type."""
    shared = pa.array(raw, pa.int64(), mask=null).cast(frames.arrow_type(type_)).to_pandas()
    return shared.copy()  # Arrow's memory is read-only


def by_the_clock(values: pd.Series) -> np.ndarray:
    """Zoned times as local time, in ticks since 1970. values: without nulls. (rows,) int64"""
    return values.dt.tz_localize(None).to_numpy().view(np.int64)


def from_the_clock(shown: np.ndarray, type_: str) -> np.ndarray:
    """Convert local time in the zone of the Arrow type to ticks since the epoch. (rows,) int64

    A local time that occurs twice means the first; one that does not exist is shifted forward.
    """
    zoned = frames.arrow_type(type_)
    naive = pd.Series(shown.view(f"datetime64[{zoned.unit}]"))
    return integers(
        naive.dt.tz_localize(zoned.tz, ambiguous=np.ones(len(naive), dtype=bool), nonexistent="shift_forward")
    )


def dtype_name(values: pd.Series) -> str:
    """The name of a dtype in files: for times the Arrow type, whose zones every version of pandas reads, else the name
    in pandas.
    """
    if values.dtype.kind in "mM":
        return str(pa.Array.from_pandas(values[:0]).type)
    return str(values.dtype)


def dtype_of(text: str) -> Any:
    return frames.STRING if text in ("string", "str") else text


def stand_in(ordered: Sequence[Any], value: Any) -> int:
    """The index of the category that replaces an unknown value: the next in natural order, or the last one."""
    return min(bisect.bisect_left(ordered, natural(value), key=natural), len(ordered) - 1)


def natural(value: Any) -> tuple[int, float, str]:
    """Sort key: numbers by size, including those spelled as words, then words."""
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    return (1, 0.0, str(value)) if number != number else (0, number, str(value))  # the word "nan" is not a number


def spread(scaled: Sequence[int | None], codes: np.ndarray) -> pd.Series:
    """Whole numbers of the rows, looked up by code; null if the code is -1 or has no number."""
    return pd.Series([*scaled, None], dtype="Int64").take(codes).reset_index(drop=True)
