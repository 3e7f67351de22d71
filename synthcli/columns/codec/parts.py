"""What the column codecs share: the parts that a method models, and times as integers."""

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
    """What a method models. size: number of codes, 0 for a number. column: where it comes from."""

    name: str
    column: str
    size: int = 0

    @property
    def is_code(self) -> bool:
        return self.size > 0


@dataclass(frozen=True)
class Scale:
    """What a number part counts: start + step * number, in units of the column. Numbers of one unit can be compared."""

    start: float = 0.0
    step: float = 1.0
    unit: str = ""

    def raw(self, numbers: np.ndarray) -> np.ndarray:
        """Numbers as the column holds them; times in ticks of their unit. (rows,) float64"""
        return self.start + self.step * numbers


Values = dict[str, np.ndarray]  # part name -> (rows,) int32 codes or float64 numbers


def escaped(column: str) -> str:
    """The column's name as a part: # doubled, so that a column called x#state is not the state of x."""
    return column.replace("#", "##")


def integers(values: pd.Series) -> np.ndarray:
    """Integers, or times in their own unit since the epoch. (rows,) int64, of a series without nulls"""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        values = values.dt.tz_convert("UTC").dt.tz_localize(None)
    return values.to_numpy(dtype=np.int64) if values.dtype == "Int64" else values.to_numpy().view(np.int64)


def times(raw: np.ndarray, null: np.ndarray, type_: str) -> pd.Series:
    """A datetime or timedelta series from int64 in the unit of its Arrow type."""
    shared = pa.array(raw, pa.int64(), mask=null).cast(frames.arrow_type(type_)).to_pandas()
    return shared.copy()  # Arrow's memory cannot be written to


def by_the_clock(values: pd.Series) -> np.ndarray:
    """Zoned times as their own clocks show them, in their own unit since 1970. (rows,) int64, of a series without
    nulls
    """
    return values.dt.tz_localize(None).to_numpy().view(np.int64)


def from_the_clock(shown: np.ndarray, type_: str) -> np.ndarray:
    """Since the epoch, from what a clock in the zone of the Arrow type shows. (rows,) int64

    Of the hour that a clock shows twice, the first is meant; an hour that it leaves out becomes the one after it.
    """
    zoned = frames.arrow_type(type_)
    naive = pd.Series(shown.view(f"datetime64[{zoned.unit}]"))
    return integers(
        naive.dt.tz_localize(zoned.tz, ambiguous=np.ones(len(naive), dtype=bool), nonexistent="shift_forward")
    )


def dtype_name(values: pd.Series) -> str:
    """What names the dtype in files: for times the Arrow type, whose zones every version of pandas reads; else pandas'
    own name.
    """
    if values.dtype.kind in "mM":
        return str(pa.Array.from_pandas(values[:0]).type)
    return str(values.dtype)


def dtype_of(text: str) -> Any:
    return frames.STRING if text in ("string", "str") else text


def stand_in(ordered: Sequence[Any], value: Any) -> int:
    """The place of the category that stands for one that is not among them: the next in natural order, the last beyond
    the end.
    """
    return min(bisect.bisect_left(ordered, natural(value), key=natural), len(ordered) - 1)


def natural(value: Any) -> tuple[int, float, str]:
    """Numbers by size, also those spelled as words; then words."""
    try:
        number = float(value)
    except ValueError:
        number = float("nan")
    return (
        (1, 0.0, str(value)) if number != number else (0, number, str(value))
    )  # the word nan has no place among numbers


def spread(scaled: Sequence[int | None], codes: np.ndarray) -> pd.Series:
    """Whole numbers of the rows, by the place of each row's own; null where there is none, and where the code is -1."""
    return pd.Series([*scaled, None], dtype="Int64").take(codes).reset_index(drop=True)
