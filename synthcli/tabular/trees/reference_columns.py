"""Numbers told from earlier numbers of the same kind: as the same amount, or as a step from it.

A tree's leaf knows a number to within the spread of its donors, which is too coarse where the number follows another
closely: a balance from last month's, a payment of exactly what was billed. Such a number gets a part before it that
says which earlier one it equals, and where that is sharper it is drawn as its step from one of them: a donor's ratio,
or difference, is applied to the row's own amount.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.numeric import Numbers
from synthcli.columns.codec.parts import Part, Values
from synthcli.columns.codec.top_coding import held_by

SAMPLE = 5_000  # rows that ties are looked for in
SAME = 0.02  # share of the values that few hold, from which on a number is said to equal another
SAME_ROWS = 50  # the same in rows
MOST_SAME = 4  # numbers that a number may equal
NEAREST = 3  # numbers that a step may be taken from: those of the strongest rank correlation
CORRELATED = 0.5  # rank correlation of such a number, at least
CELL, LEAST_ROWS = 50, 1000  # rows of a cell, and of all of them, when sharpness is measured: of fewer it is chance
DONORS = 8  # that each of its rows is compared with
NEAR = 1e-3  # of the ranks: what differs by less counts as met
SHARPER = 0.02  # by how much a step must be sharper than the number itself
SIMPLER = 0.05  # by how much more a difference must be sharper than a ratio
SIGNED = 0.05  # share of negative amounts, from which on no ratios are taken
LINEAR = 1e-3  # of the median amount, up to which a ratio is a difference
DIGITS = 9  # decimals of a ratio's logarithm
MOST_STEP = 700.0  # of which the exponential is a number


@dataclass(frozen=True)
class Anchor:
    """What a number is told from. same: number parts that it may equal, of which code k of its `#same` means the k-th,
    from 1; base: the one that its `#step` is taken from, None where it is drawn itself; unit: amount up to which a step
    is a difference and from which on it is a ratio, 0 for differences throughout."""

    same: tuple[str, ...]
    base: str | None = None
    unit: float = 0.0

    def step(self, amount: np.ndarray, base: np.ndarray) -> np.ndarray:
        """How an amount is reached from the base; from 0 where that is null. float64"""
        base = np.nan_to_num(base)
        return (
            np.round(np.arcsinh(amount / self.unit) - np.arcsinh(base / self.unit), DIGITS)
            if self.unit
            else amount - base
        )

    def reached(self, step: np.ndarray, base: np.ndarray) -> np.ndarray:
        """The amount that a step leads to. float64"""
        base = np.nan_to_num(base)
        return (
            np.sinh(np.clip(np.arcsinh(base / self.unit) + step, -MOST_STEP, MOST_STEP)) * self.unit
            if self.unit
            else base + step
        )


class Anchors:
    """The anchored numbers of a codec. of: number part -> its anchor, all of whose sources are drawn before it."""

    def __init__(self, codec: Codec, of: Mapping[str, Anchor]) -> None:
        self.of = dict(of)
        self._columns = _plain_numbers(codec) if self.of else {}

    @property
    def parts(self) -> list[Part]:
        """The parts that anchors add."""
        same = [
            Part(f"{name}#same", self._columns[name].name, 1 + len(anchor.same))
            for name, anchor in self.of.items()
            if anchor.same
        ]
        return same + [
            Part(f"{name}#step", self._columns[name].name)
            for name, anchor in self.of.items()
            if anchor.base is not None
        ]

    def owner(self, name: str) -> tuple[str, str]:
        """The number that a part of an anchor belongs to, and which one it is: same or step. Of all other parts, the
        part itself and nothing.
        """
        number, _, kind = name.rpartition("#")
        return (number, kind) if number in self.of and kind in ("same", "step") else (name, "")

    def placed(self, order: Sequence[str]) -> list[str]:
        """An order with these parts: what a number equals after its state, its step right before it."""
        out = list(order)
        for name, anchor in self.of.items():
            if anchor.same:
                first = min(
                    out.index(part.name) for part in self._columns[name].parts if not part.name.endswith("#state")
                )
                out.insert(first, f"{name}#same")
            if anchor.base is not None:
                out.insert(out.index(name), f"{name}#step")
        return out

    def coded(self, values: Values) -> Values:
        """The values of these parts. A step is NaN where the number is known without it."""
        out: Values = {}
        for name, anchor in self.of.items():
            amount, free = self.amounts(name, values), ~np.isnan(values[name])
            if anchor.same:
                out[f"{name}#same"] = self.equal(name, amount, values) * free
                free &= out[f"{name}#same"] == 0
            if anchor.base is not None:
                out[f"{name}#step"] = np.where(free, anchor.step(amount, self.amounts(anchor.base, values)), np.nan)
        return out

    def equal(self, name: str, amount: np.ndarray, values: Values) -> np.ndarray:
        """Which of its sources each amount equals, from 1, the first of several; 0 for none. (rows,) int32"""
        out = np.zeros(len(amount), dtype=np.int32)
        for k, source in reversed(list(enumerate(self.of[name].same, start=1))):
            out[amount == self.amounts(source, values)] = k
        return out

    def amounts(self, name: str, values: Values) -> np.ndarray:
        """A number as it is printed: rounded, with its spikes, NaN where it is null. (rows,) float64"""
        return _printed(self._columns[name], values)

    def amount(self, name: str, number: np.ndarray | float) -> np.ndarray:
        """Numbers of a part as amounts."""
        return self._columns[name].scale.raw(np.asarray(number, dtype=np.float64))

    def number(self, name: str, amount: np.ndarray) -> np.ndarray:
        """Amounts as numbers of the part, within its ends."""
        column = self._columns[name]
        return np.clip((amount - column.scale.start) / column.scale.step, float(column.low), float(column.high))

    def copied(self, name: str, code: np.ndarray, values: Values) -> tuple[Values, np.ndarray]:
        """The column's parts where a row takes the amount of the source that its code says, and which rows can. code:
        (rows,) from 1
        """
        column, amount = self._columns[name], np.full(len(code), np.nan)
        for k, source in enumerate(self.of[name].same, start=1):
            amount = np.where(code == k, self.amounts(source, values), amount)
        known = ~np.isnan(amount)
        own = column.encode(pd.Series(np.where(known, amount, 0.0)).astype("Int64" if column.whole else "float64"))
        return own, known & ~np.isnan(own[name]) & (_printed(column, own) == amount)


def find(
    order: Sequence[str], codec: Codec, values: Values, units: np.ndarray, few: int, but: Collection[str] = ()
) -> Anchors:
    """What numbers are told from, of those before them in `order`. few: privacy units from which on a value is common;
    but: parts left out.
    """
    columns = _plain_numbers(codec)
    names = [name for name in order if name in columns]
    known = {name: _printed(columns[name], values) for name in names}
    ranks = _correlations([known[name][_some(len(units))] for name in names])
    found = {}
    for i, name in enumerate(names):
        valued = ~np.isnan(values[name])
        before = [j for j in range(i) if _alike(columns[names[j]], columns[name])]
        if name in but or not before or valued.sum() < SAME_ROWS:
            continue
        same = _equals(known[name], [names[j] for j in before], known, valued & ~_common(known[name], units, few))
        free = (
            np.flatnonzero(valued & ~np.any([known[name] == known[other] for other in same], axis=0))
            if same
            else np.flatnonzero(valued)
        )
        near = sorted((j for j in before if ranks[i, j] >= CORRELATED), key=lambda j: -ranks[i, j])[:NEAREST]
        base, unit = _base(
            known[name], {names[j]: known[names[j]] for j in near}, free[_some(len(free))], _quantum(columns[name])
        )
        if same or base is not None:
            found[name] = Anchor(same, base, unit)
    return Anchors(codec, found)


def _printed(column: Numbers, values: Values) -> np.ndarray:
    name = column.parts[-1].name
    return column.decode(values, len(values[name])).to_numpy(dtype=np.float64, na_value=np.nan)


def _plain_numbers(codec: Codec) -> dict[str, Numbers]:
    """Number part -> codec, of the columns that are plain numbers."""
    return {
        column.parts[-1].name: column
        for column in codec.columns
        if isinstance(column, Numbers) and column.scale.unit == ""
    }


def _some(rows: int) -> np.ndarray:
    """Positions of at most SAMPLE rows, evenly over all."""
    return np.arange(0, rows, max(1, -(-rows // SAMPLE)))


def _quantum(column: Numbers) -> float:
    """What printed amounts are multiples of; 0 where that is unknown."""
    return float(column.step) if column.whole else 0.0 if column.decimals is None else 10.0**-column.decimals


def _alike(a: Numbers, b: Numbers) -> bool:
    return (a.dtype, a.whole, a.decimals) == (b.dtype, b.whole, b.decimals)


def _common(own: np.ndarray, units: np.ndarray, few: int) -> np.ndarray:
    """Which rows hold a value that enough people share. (rows,) bool"""
    distinct, at = np.unique(own, return_inverse=True)
    return (held_by(at, units, len(distinct)) >= few)[at]


def _equals(own: np.ndarray, before: list[str], known: Mapping[str, np.ndarray], rare: np.ndarray) -> tuple[str, ...]:
    """Earlier numbers that values which few hold are often equal to, the most frequent first: by chance such values
    hardly meet.
    """
    left = np.flatnonzero(rare)
    least = max(SAME_ROWS, SAME * len(left))
    found: list[str] = []
    while len(found) < MOST_SAME:
        hits = [int((own[left] == known[other][left]).sum()) for other in before]
        best = int(np.argmax(hits))
        if hits[best] < least:
            break
        found.append(before[best])
        left = left[own[left] != known[before[best]][left]]
    return tuple(found)


def _base(
    own: np.ndarray, near: Mapping[str, np.ndarray], rows: np.ndarray, quantum: float
) -> tuple[str | None, float]:
    """The earlier number, and the unit of the steps from it, that tell a number most sharply; None where it is best
    told by itself.
    """
    found: tuple[str | None, float] = (None, 0.0)
    if len(rows) < LEAST_ROWS:
        return found
    y, most = own[rows], 0.0
    unit = LINEAR * float(np.median(np.abs(y)))
    for name, base in near.items():
        x = base[rows]
        ratios = bool(unit > 0 and max((y < 0).mean(), (x < 0).mean()) < SIGNED)
        plain = _sharpness(y, x, None, quantum)
        for anchor, handicap in [(Anchor((), name, unit), 0.0)] * ratios + [(Anchor((), name), SIMPLER * ratios)]:
            gain = plain - _sharpness(y, x, anchor, quantum) - SHARPER - handicap
            if gain > most:
                most, found = gain, (name, anchor.unit)
    return found


def _sharpness(own: np.ndarray, base: np.ndarray, anchor: Anchor | None, quantum: float) -> float:
    """How far donors from among rows of a similar base lie from a number, less half of how far they lie from each
    other. Lower is better.

    A proper score (Gneiting & Raftery 2007, §5) whose kernel is the logarithm of the distance in ranks: it pays to be
    near where that is possible, and to keep the spread where it is not.
    """
    order = np.argsort(np.nan_to_num(base), kind="stable")
    cells = order[: len(order) // CELL * CELL].reshape(-1, CELL)
    x, y, ordered = base[cells], own[cells], np.sort(own)
    told = y if anchor is None else anchor.step(y, x)
    turned = [np.roll(told, 1 + shift * CELL // DONORS, axis=1) for shift in range(DONORS)]
    drawn = turned if anchor is None else [anchor.reached(each, x) for each in turned]

    def placed(amounts: np.ndarray) -> np.ndarray:
        amounts = (np.rint(amounts / quantum) * quantum if quantum else amounts).ravel()
        at = np.searchsorted(ordered, amounts - quantum / 2) + np.searchsorted(
            ordered, amounts + quantum / 2, side="right"
        )
        return at.reshape(cells.shape) / (2 * len(own))

    truth, each = placed(y), [placed(amounts) for amounts in drawn]
    far = np.mean([np.log1p(np.abs(a - truth) / NEAR) for a in each])
    return float(far - np.mean([np.log1p(np.abs(a - b) / NEAR) for a, b in pairwise(each)]) / 2)


def _correlations(columns: list[np.ndarray]) -> np.ndarray:
    """Rank correlations; 0 where a column does not vary. (columns, columns)"""
    if len(columns) < 2:
        return np.zeros((len(columns), len(columns)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.corrcoef(np.stack([_midranks(np.nan_to_num(column)) for column in columns])))


def _midranks(values: np.ndarray) -> np.ndarray:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - counts / 2)[place]
