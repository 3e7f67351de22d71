"""The time column of children.

The first time and the span are drawn with the parent, the times between as shares of the time that is left.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec import top_coding
from synthcli.columns.codec.parts import integers, times
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.model.context import unit_of
from synthcli.relational.model.siblings import Siblings, Wave

SHARE = "share"
POINTS = 2001  # means of times of rows without a parent that are kept, at most
SHARED = 10  # such rows that each of these is of, at least
PACE = Schema((Column(SHARE, Traits(type="float", min=0.0, max=1.0), Traits(), "double"),))
_NANO = {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}


@dataclass(frozen=True)
class Clock:
    """A time column without nulls that orders siblings.

    type: its Arrow type; start, end: bounds of the times; grain: the step between times, all in ticks of its unit;
    anchored: whether the first is counted from the parent's own time; parentless: means of neighbouring times of rows
    without a parent, in order.
    """

    column: str
    type: str
    unit: str
    start: int
    end: int
    grain: int
    anchored: bool
    parentless: tuple[int, ...] = ()

    @classmethod
    def of(cls, column: str, values: pd.Series, owner: np.ndarray, units: np.ndarray | None, anchored: bool) -> Clock:
        import pyarrow as pa

        raw = integers(values)
        low, high = top_coding.ends(raw, units)
        grain = int(np.gcd.reduce(raw - raw.min())) or 1
        alone = np.sort(raw[owner < 0])
        pieces = np.array_split(alone, min(POINTS, len(alone) // SHARED)) if len(alone) >= 2 * SHARED else []
        parentless = tuple(int(np.clip(piece.mean(), raw[low], raw[high])) for piece in pieces)
        return cls(
            column,
            str(pa.Array.from_pandas(values[:0]).type),
            unit_of(values),
            int(raw[low]),
            int(raw[high]),
            grain,
            anchored,
            parentless,
        )

    def ticks(self, values: pd.Series) -> np.ndarray:
        """Convert times of any column to ticks of this one, rounded down. (rows,) int64"""
        factor, mine = _NANO[unit_of(values)], _NANO[self.unit]
        raw = integers(values)
        return raw * (factor // mine) if factor >= mine else raw // (mine // factor)

    def ends(
        self, ticks: np.ndarray, siblings: Siblings, parents: int, anchors: np.ndarray | None
    ) -> tuple[pd.Series, pd.Series]:
        """Compute the time of each parent's first child, since its anchor or the start, and the span to its last child.

        Null without children. ticks: (rows,) of the children, in their order.
        """
        first, last = np.zeros(parents, dtype=np.int64), np.zeros(parents, dtype=np.int64)
        opening, closing = (
            (siblings.owner >= 0) & (siblings.i == 0),
            (siblings.owner >= 0) & (siblings.i == siblings.n - 1),
        )
        first[siblings.owner[opening]] = ticks[opening]
        last[siblings.owner[closing]] = ticks[closing]
        n = np.bincount(siblings.owner[siblings.owner >= 0], minlength=parents)
        from_ = self.start if anchors is None else anchors
        return _nullable(first - from_, n < 1), _nullable(last - first, n < 2)

    def bounds(
        self, first: pd.Series, span: pd.Series, anchors: np.ndarray | None, n: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Compute the first and the last time of each parent's children. (parents,), (parents,) int64"""
        middle = int(first.median()) if first.notna().any() else 0
        begin = first.fillna(middle).to_numpy(dtype=np.int64) + (self.start if anchors is None else anchors)
        begin = np.clip(begin, self.start, self.end)
        finish = begin + np.where(n > 1, np.maximum(span.fillna(0).to_numpy(dtype=np.int64), 0), 0)
        return self._on_grain(begin), self._on_grain(np.minimum(finish, self.end))

    def _on_grain(self, ticks: np.ndarray) -> np.ndarray:
        return self.start + (ticks - self.start) // self.grain * self.grain

    def between(self, share: np.ndarray, now: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Compute the time at a share of the time that is left. (rows,) int64"""
        return now + np.rint(np.clip(share, 0, 1) * ((last - now) // self.grain)).astype(np.int64) * self.grain

    def pace(self, ticks: np.ndarray, siblings: Siblings) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Find the rows between the first and the last of a parent, if these differ in time.

        Returns their positions, the time before each, the time that was left, and the share of it that each took.
        """
        rows = np.flatnonzero((siblings.owner >= 0) & (siblings.i > 0) & (siblings.i < siblings.n - 1))
        last = ticks[np.minimum(rows - siblings.i[rows] + siblings.n[rows] - 1, len(ticks) - 1)]
        before = ticks[rows - 1]
        left = last - before
        rows, before, last, left = rows[left > 0], before[left > 0], last[left > 0], left[left > 0]
        return rows, before, left, (ticks[rows] - before) / left

    def walk(self, wave: Wave, share: np.ndarray, before: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Compute the times of the rows of a wave, each after the one before it. (rows,) int64

        share: (rows,) of the time that is left; before, last: (w,) the time before the wave, and the last of a parent.
        """
        at, now = np.cumsum(wave.many) - wave.many, before.copy()
        out = np.empty(len(wave.rows), dtype=np.int64)
        for j in range(int(wave.many.max(initial=0))):
            go = wave.many > j
            row = at[go] + j
            now[go] = out[row] = self.between(share[row], now[go], last[go])
        return out

    def alone(self, rows: int, *, rng: np.random.Generator) -> np.ndarray:
        """Draw times of rows without a parent. (rows,) int64"""
        grid = np.array(self.parentless if self.parentless else (self.start, self.end), dtype=np.float64)
        drawn = np.interp(rng.random(rows) * (len(grid) - 1), np.arange(len(grid)), grid - self.start)
        return self._on_grain(drawn.astype(np.int64) + self.start)

    def series(self, ticks: np.ndarray) -> pd.Series:
        """Convert ticks to the type of the column."""
        return times(ticks, np.zeros(len(ticks), dtype=bool), self.type)

    def seconds(self, ticks: np.ndarray) -> np.ndarray:
        """Convert ticks to seconds. (rows,) float64"""
        return ticks * (_NANO[self.unit] / 1e9)

    def context(self, ticks: np.ndarray, gap: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context of rows at these times. gap: since the previous sibling, negative for the first."""
        return {"@time": self.seconds(ticks), "@gap": self.seconds(gap)}

    def to_json(self) -> dict[str, Any]:
        return {("loose" if name == "parentless" else name): value for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Clock:
        return cls(**{k: v for k, v in data.items() if k != "loose"}, parentless=tuple(data["loose"]))


def time_column(frame: pd.DataFrame, schema: Schema, apart: frozenset[str]) -> str | None:
    """Return the first time column without nulls. apart: columns to leave out."""
    for column in schema.columns:
        if (
            column.kind == "datetime"
            and column.name not in apart
            and len(frame)
            and not frame[column.name].isna().any()
        ):
            return column.name
    return None


def near(times_: pd.Series, owner: np.ndarray, anchors: pd.Series) -> bool:
    """Say whether first children follow the time of their parent more closely than each other.

    If so, they are counted from it: orders from a sign-up, but not visits from a date of birth, which would seldom
    fall within the observed times. times_, owner: (rows,) of the children, without nulls; anchors: (parents,).
    """
    at = pd.Series(_in_unit(integers(times_), unit_of(times_), "s"))[owner >= 0]
    first = at.groupby(owner[owner >= 0]).min()
    if first.empty:
        return True
    since = first.to_numpy() - _in_unit(integers(anchors), unit_of(anchors), "s")[first.index]
    spread = lambda values: float(np.subtract(*np.quantile(values, [0.9, 0.1])))  # noqa: E731
    return spread(since) <= spread(first.to_numpy())


def _nullable(values: np.ndarray, null: np.ndarray) -> pd.Series:
    return pd.Series(pd.arrays.IntegerArray(values.astype(np.int64), null))


def difference(values: pd.Series, from_: pd.Series) -> pd.Series:
    """Convert a time column to ticks (of its own unit) since another one, which has no nulls."""
    null = values.isna().to_numpy()
    out = np.zeros(len(values), dtype=np.int64)
    base = _in_unit(integers(from_), unit_of(from_), unit_of(values))
    out[~null] = integers(values[~null]) - base[~null]
    return _nullable(out, null)


def since(ticks: pd.Series, from_: pd.Series, type_: str, unit: str) -> pd.Series:
    """Convert ticks since another time column back to times."""
    null = ticks.isna().to_numpy()
    return times(
        ticks.fillna(0).to_numpy(dtype=np.int64) + _in_unit(integers(from_), unit_of(from_), unit), null, type_
    )


def _in_unit(raw: np.ndarray, unit: str, target: str) -> np.ndarray:
    have, want = _NANO[unit], _NANO[target]
    return raw * (have // want) if have >= want else raw // (want // have)
