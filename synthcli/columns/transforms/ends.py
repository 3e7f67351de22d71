"""Published ends of restored columns: no value lies beyond what several privacy units reach, as in other columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import top_coding
from synthcli.columns.codec.parts import integers
from synthcli.contracts.schema import Column

HEAP = 0.01  # share of the values at an end, from which what would pass it is put there


@dataclass(frozen=True)
class Ends:
    """The published ends of a column, None for none. heaped: whether many values lie at one of them."""

    low: int | float | None = None
    high: int | float | None = None
    heaped: bool = False

    @classmethod
    def of(cls, values: pd.Series, column: Column, units: np.ndarray | None, unit: str | None) -> Ends:
        """The ends of a column that may be published; None where the spec declares one, which a rule of its own holds.

        values: canonical dtype; units: (rows,) privacy unit of each row, None if each row is its own unit; unit: of
        times, in whose ticks the ends are.
        """
        known = values.notna().to_numpy(dtype=bool)
        if column.kind not in frames.NUMBERS or not known.any():
            return cls()
        some = values[known] if unit is None else values[known].dt.as_unit(unit)
        own = None if units is None else np.unique(units[known], return_inverse=True)[1]
        numbers = some.to_numpy(dtype=float) if some.dtype == "float64" else integers(some)
        crowd = top_coding.people(units, len(values))
        low, high = (numbers[place].item() for place in top_coding.ends(numbers, own, crowd=crowd))
        heaped = max((numbers <= low).mean(), (numbers >= high).mean()) >= HEAP
        said = column.declared
        return cls(None if said.min is not None else low, None if said.max is not None else high, bool(heaped))

    def within(
        self,
        values: np.ndarray,
        least: np.ndarray | float | None,
        most: np.ndarray | float | None,
        *,
        otherwise: np.ndarray,
    ) -> np.ndarray:
        """Values between the ends, and between the bounds that a rule sets; `otherwise` where they contradict.

        What passes an end is put there if it is heaped, and else reflected there, as a density is estimated on a
        bounded range (Schuster 1985), so that no rows pile up. All on one grid; None for no bound. (rows,)
        """
        low = _tighter(np.maximum, self.low, least)
        high = _tighter(np.minimum, self.high, most)
        if low is None or high is None or self.heaped:
            out = values if low is None and high is None else np.clip(values, low, high)
            return out if low is None or high is None else np.where(np.asarray(low > high), otherwise, out)
        low, high = (np.broadcast_to(np.asarray(end, dtype=values.dtype), values.shape) for end in (low, high))
        span = np.where(high > low, high - low, 1)
        apart = np.mod(values - low, 2 * span)
        inside = np.clip(low + np.minimum(apart, 2 * span - apart), low, high)
        out = np.where((values < low) | (values > high), inside, values)
        return np.where(low > high, otherwise, out)

    def to_json(self) -> dict[str, Any]:
        return dict(self.__dict__)


def _tighter(choose: Any, end: float | None, bound: np.ndarray | float | None) -> Any:
    """The tighter one of two bounds, None if there is none."""
    return bound if end is None else end if bound is None else choose(end, bound)
