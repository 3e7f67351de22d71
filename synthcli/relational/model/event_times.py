"""The column that orders children, as a clock: times, or integers such as years.

The first of a parent's children and the span to its last are drawn for the parent, those between as shares of the span
that is left (child_times.py). Ticks are units of the column; steps are multiples of its grain since its start.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec import top_coding
from synthcli.columns.codec.parts import dtype_name, integers, times
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.model.context import WHOLE, unit_of
from synthcli.relational.model.ordering import are_years
from synthcli.relational.model.siblings import Siblings, Wave

FIRST, EXCESS, TAKEN = "first", "excess", "taken"
POINTS = 2001  # means of times of rows without a parent that are kept, at most
SHARED = 10  # such rows that each of these is of, at least
APART = 10  # pairs of siblings, at least, none of which is equal, if siblings are never to be equal
REGULAR = 0.5  # share of the most frequent gap between siblings, at least, in a regular clock
ENDS = Schema(tuple(Column(name, WHOLE, Traits(), "int64") for name in (FIRST, EXCESS)))
_STRIDES = Schema((Column(TAKEN, WHOLE, Traits(), "int64"),))
_SHARE = Schema((Column(TAKEN, Traits(type="float", min=0.0, max=1.0), Traits(), "double"),))
FAR = 2**60  # steps and ticks beyond any time
YEAR, NUMBER = "year", "number"  # units of integers; those of times are s, ms, us and ns
_NANO = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@dataclass(frozen=True)
class Clock:
    """A column without nulls that orders siblings.

    type: its Arrow type; start, end: bounds of the values; grain: the step between values, all in ticks of its unit;
    stride: the steps between two siblings are a multiple of it; distinct: whether siblings are never equal; regular:
    whether most gaps between siblings are equal, such as a year; usual: strides of this gap, else 0; parentless: means
    of neighbouring values of rows without a parent, in order.
    """

    column: str
    type: str
    unit: str
    start: int
    end: int
    grain: int
    stride: int = 1
    distinct: bool = False
    regular: bool = False
    usual: int = 0
    parentless: tuple[int, ...] = ()

    @classmethod
    def of(cls, column: str, values: pd.Series, owner: np.ndarray, units: np.ndarray | None) -> Clock:
        """Derive the clock. owner: (rows,) the parent of each row; units: (rows,) privacy units."""
        raw = integers(values)
        low, high = top_coding.ends(raw, units)
        grain = int(np.gcd.reduce(raw - raw.min())) or 1
        order = np.lexsort((raw, owner))
        gaps = np.diff(raw[order])[(owner[order][1:] == owner[order][:-1]) & (owner[order][1:] >= 0)] // grain
        stride = int(np.gcd.reduce(gaps)) or 1 if len(gaps) >= APART else 1
        strides, often = np.unique(gaps // stride, return_counts=True)
        regular = len(gaps) >= APART and int(often.max()) >= REGULAR * len(gaps)
        alone = np.sort(raw[owner < 0])
        pieces = np.array_split(alone, min(POINTS, len(alone) // SHARED)) if len(alone) >= 2 * SHARED else []
        parentless = tuple(int(np.clip(piece.mean(), raw[low], raw[high])) for piece in pieces)
        if values.dtype == "Int64":
            type_, unit = "int64", YEAR if are_years(values) else NUMBER
        else:
            type_, unit = dtype_name(values), unit_of(values)
        return cls(
            column,
            type_,
            unit,
            int(raw[low]),
            int(raw[high]),
            grain,
            stride,
            len(gaps) >= APART and bool((gaps > 0).all()),
            regular,
            int(strides[np.argmax(often)]) if regular else 0,
            parentless,
        )

    @property
    def is_time(self) -> bool:
        """Whether the column holds times rather than integers."""
        return self.unit in _NANO

    @property
    def least(self) -> int:
        """The steps between two siblings, at least."""
        return self.stride if self.distinct else 0

    @property
    def last_step(self) -> int:
        """The steps from the start to the end."""
        return (self.end - self.start) // self.grain

    def ticks(self, values: pd.Series) -> np.ndarray:
        """Convert values of the column to ticks. (rows,) int64"""
        return integers(values)

    def steps(self, ticks: np.ndarray) -> np.ndarray:
        """Convert ticks to steps since the start, rounded down. (rows,) int64"""
        return (ticks - self.start) // self.grain

    def at(self, steps: np.ndarray) -> np.ndarray:
        """Convert steps since the start to ticks. (rows,) int64"""
        return self.start + steps * self.grain

    def slack(self, span: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Compute by how much a span exceeds the shortest possible one, in strides. (rows,) int64

        span: (rows,) steps between two siblings; pairs: (rows,) how many pairs of neighbours lie between them.
        """
        return (span - pairs * self.least) // self.stride

    def excess(self, slack: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Compute by how many strides a span exceeds that of usual gaps, from its slack. (rows,) int64"""
        return slack - pairs * max(self.usual - self.distinct, 0)

    def from_excess(self, excess: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Compute the slack from the excess; never negative. (rows,) int64"""
        return np.maximum(excess + pairs * max(self.usual - self.distinct, 0), 0)

    @property
    def pace_schema(self) -> Schema:
        """The column that says how far each sibling is from the one before: strides, or a share of the slack left."""
        return _STRIDES if self.regular else _SHARE

    def pace(self, ticks: np.ndarray, siblings: Siblings) -> tuple[np.ndarray, dict[str, np.ndarray], np.ndarray]:
        """Find the rows between the first and the last of a parent whose time is not determined by these.

        Returns their positions, the context that they add, and what each took of the slack: strides, or a share.
        """
        rows = np.flatnonzero((siblings.owner >= 0) & (siblings.i > 0) & (siblings.i < siblings.n - 1))
        last = ticks[np.minimum(rows - siblings.i[rows] + siblings.n[rows] - 1, len(ticks) - 1)]
        before, pairs = ticks[rows - 1], siblings.n[rows] - siblings.i[rows]
        slack = self.slack((last - before) // self.grain, pairs)
        taken = self.slack((ticks[rows] - before) // self.grain, np.ones(len(rows), dtype=np.int64))
        rows, before, last, pairs, taken, slack = (e[slack > 0] for e in (rows, before, last, pairs, taken, slack))
        return rows, self.pace_context(before, last, pairs), taken if self.regular else taken / slack

    def pace_context(self, before: np.ndarray, last: np.ndarray, pairs: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context of siblings between others: the time before, the time left, the mean slack of a gap.

        before, last: (rows,) ticks of the sibling before and of the last one; pairs: (rows,) of neighbours up to there.
        """
        out = {"@before": self.seconds(before), "@rest": self.seconds(last - before)}
        if self.regular:
            out["@mean"] = self.slack((last - before) // self.grain, pairs) / np.maximum(pairs, 1)
        return out

    def between(self, taken: np.ndarray, now: np.ndarray, last: np.ndarray, pairs: np.ndarray) -> np.ndarray:
        """Compute the ticks of the next sibling, from what it takes of the slack. (rows,) int64

        now, last: (rows,) ticks of the sibling before it and of the last one; pairs: (rows,) of neighbours up to there.
        """
        slack = np.maximum(self.slack((last - now) // self.grain, pairs), 0)
        strides = taken if self.regular else np.rint(np.clip(taken, 0, 1) * slack)
        steps = self.least + np.clip(strides, 0, slack).astype(np.int64) * self.stride
        return now + steps * self.grain

    def walk(
        self, wave: Wave, taken: np.ndarray, before: np.ndarray, last: np.ndarray, pairs: np.ndarray
    ) -> np.ndarray:
        """Compute the ticks of the rows of a wave, each after the one before it. (rows,) int64

        taken: (rows,) of the slack that is left; before, last: (w,) the ticks before the wave, and the last of a
        parent; pairs: (w,) of neighbours from the one before the wave to the last.
        """
        at, now = np.cumsum(wave.many) - wave.many, before.copy()
        out = np.empty(len(wave.rows), dtype=np.int64)
        for j in range(int(wave.many.max(initial=0))):
            go = wave.many > j
            row = at[go] + j
            now[go] = out[row] = self.between(taken[row], now[go], last[go], pairs[go] - j)
        return out

    def alone(self, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """Draw times of rows without a parent. (rows,) int64"""
        grid = np.array(self.parentless if self.parentless else (self.start, self.end), dtype=np.float64)
        drawn = np.interp(rng.random(rows) * (len(grid) - 1), np.arange(len(grid)), grid - self.start)
        return self.at(drawn.astype(np.int64) // self.grain)

    def series(self, ticks: np.ndarray) -> pd.Series:
        """Convert ticks to the type of the column."""
        if not self.is_time:
            return pd.Series(pd.array(ticks, dtype="Int64"))
        return times(ticks, np.zeros(len(ticks), dtype=bool), self.type)

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        """Convert ticks of times to seconds; integers stay as they are. (rows,) float64"""
        if not self.is_time:
            return ticks.astype(np.float64)
        return ticks * (_NANO[self.unit] / 1e9)

    def context(self, ticks: np.ndarray, gap: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context of rows at these times. gap: since the previous sibling, negative for the first."""
        return {"@time": self.seconds(ticks), "@gap": self.seconds(gap)}

    def to_json(self) -> dict[str, Any]:
        return {("loose" if name == "parentless" else name): value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Clock:
        return cls(**{k: v for k, v in data.items() if k != "loose"}, parentless=tuple(data["loose"]))


def _nullable(values: np.ndarray, null: np.ndarray) -> pd.Series:
    return pd.Series(pd.arrays.IntegerArray(values.astype(np.int64), null))


def difference(values: pd.Series, from_: pd.Series) -> pd.Series:
    """Convert a time column to ticks (of its own unit) since another one, which has no nulls."""
    null = values.isna().to_numpy()
    out = np.zeros(len(values), dtype=np.int64)
    base = in_unit(integers(from_), unit_of(from_), unit_of(values))
    out[~null] = integers(values[~null]) - base[~null]
    return _nullable(out, null)


def since(ticks: pd.Series, from_: pd.Series, type_: str, unit: str) -> pd.Series:
    """Convert ticks since another time column back to times."""
    null = ticks.isna().to_numpy()
    return times(ticks.fillna(0).to_numpy(dtype=np.int64) + in_unit(integers(from_), unit_of(from_), unit), null, type_)


def in_unit(raw: np.ndarray, unit: str, target: str) -> np.ndarray:
    """Convert ticks of one unit of time to another, rounded down. (rows,) int64"""
    have, want = _NANO[unit], _NANO[target]
    return raw * (have // want) if have >= want else raw // (want // have)
