"""Reference columns: numbers that are derived from earlier numbers of the same kind, as the same amount or as a step.

A leaf knows a number only to within the spread of its donors, which is too coarse if the number closely follows another
one, as a balance follows last month's, or equals it, as a payment equals the bill. Such a number gets an extra part
that says which earlier number it equals. If it is more accurate, the number is also drawn as a step from one of them: a
donor's ratio or difference is applied to the row's own amount.
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

SAMPLE = 5_000  # rows in which references are looked for
EQUAL_SHARE, EQUAL_ROWS = 0.02, 50  # uncommon values that must equal a reference: a share of them, and rows
MAX_EQUAL = 4  # references that a number may equal, at most
MAX_BASES = 3  # candidates for the base of a step: those with the strongest rank correlation
MIN_CORRELATION = 0.5  # rank correlation of such a candidate
BLOCK, MIN_ROWS = 50, 1000  # rows of a block, and of all blocks, when the score is computed: fewer give only noise
DONORS = 8  # donors that each row of a block is compared with
NEAR = 1e-3  # of the ranks: smaller distances count as equal
MIN_GAIN = 0.02  # by how much a step must improve the score of a number
DIFFERENCE_PENALTY = 0.05  # by how much more a difference must improve it than a ratio
NEGATIVE_SHARE = 0.05  # share of negative amounts from which ratios are not used
LINEAR = 1e-3  # share of the median amount below which a ratio is a difference
DIGITS = 9  # decimals of the logarithm of a ratio
MAX_STEP = 700.0  # whose exponential is still finite


@dataclass(frozen=True)
class Reference:
    """How one number refers to earlier ones.

    equal_to: number parts that it may equal; code k of its part `#same` means the k-th of them, from 1. base: the
    number part that its part `#step` starts from, None if the number is drawn itself. scale: amount around which steps
    change from differences to ratios (the scale of an arcsinh), 0 if all are differences.
    """

    equal_to: tuple[str, ...]
    base: str | None = None
    scale: float = 0.0

    def step(self, amount: np.ndarray, base: np.ndarray) -> np.ndarray:
        """The step from the base to the amount; a missing base counts as 0. float64"""
        base = np.nan_to_num(base)
        if not self.scale:
            return amount - base
        return np.round(np.arcsinh(amount / self.scale) - np.arcsinh(base / self.scale), DIGITS)

    def amount(self, step: np.ndarray, base: np.ndarray) -> np.ndarray:
        """The amount that a step from the base leads to. float64"""
        base = np.nan_to_num(base)
        if not self.scale:
            return base + step
        return np.sinh(np.clip(np.arcsinh(base / self.scale) + step, -MAX_STEP, MAX_STEP)) * self.scale


class ReferenceColumns:
    """The references of a codec. by_part: number part -> its reference; all its sources are drawn earlier."""

    def __init__(self, codec: Codec, by_part: Mapping[str, Reference]) -> None:
        self.by_part = dict(by_part)
        self._columns = _plain_numbers(codec) if self.by_part else {}

    @property
    def parts(self) -> list[Part]:
        """The parts that references add."""
        same = [
            Part(f"{name}#same", self._columns[name].name, 1 + len(reference.equal_to))
            for name, reference in self.by_part.items()
            if reference.equal_to
        ]
        steps = [
            Part(f"{name}#step", self._columns[name].name)
            for name, reference in self.by_part.items()
            if reference.base is not None
        ]
        return same + steps

    def owner(self, name: str) -> tuple[str, str]:
        """The number that an added part belongs to, and its kind: same or step. For any other part, the part itself and
        an empty kind.
        """
        number, _, kind = name.rpartition("#")
        return (number, kind) if number in self.by_part and kind in ("same", "step") else (name, "")

    def with_parts(self, order: Sequence[str]) -> list[str]:
        """A visit sequence with the added parts: `#same` after the state of its number, `#step` right before the
        number.
        """
        out = list(order)
        for name, reference in self.by_part.items():
            if reference.equal_to:
                numbers = [part.name for part in self._columns[name].parts if not part.name.endswith("#state")]
                out.insert(min(map(out.index, numbers)), f"{name}#same")
            if reference.base is not None:
                out.insert(out.index(name), f"{name}#step")
        return out

    def encode(self, values: Values) -> Values:
        """The values of the added parts. A step is NaN if the number is already known without it."""
        out: Values = {}
        for name, reference in self.by_part.items():
            amount, is_free = self.amounts(name, values), ~np.isnan(values[name])
            if reference.equal_to:
                out[f"{name}#same"] = self.equal_code(name, amount, values) * is_free
                is_free &= out[f"{name}#same"] == 0
            if reference.base is not None:
                step = reference.step(amount, self.amounts(reference.base, values))
                out[f"{name}#step"] = np.where(is_free, step, np.nan)
        return out

    def equal_code(self, name: str, amount: np.ndarray, values: Values) -> np.ndarray:
        """Which reference each amount equals, from 1, the first of several; 0 for none. (rows,) int32"""
        out = np.zeros(len(amount), dtype=np.int32)
        for k, source in reversed(list(enumerate(self.by_part[name].equal_to, start=1))):
            out[amount == self.amounts(source, values)] = k
        return out

    def amounts(self, name: str, values: Values) -> np.ndarray:
        """A number as it is printed: rounded, with its point masses, NaN where it is null. (rows,) float64"""
        return _printed(self._columns[name], values)

    def to_amount(self, name: str, number: np.ndarray | float) -> np.ndarray:
        """Convert numbers of a part to amounts."""
        return self._columns[name].scale.raw(np.asarray(number, dtype=np.float64))

    def to_number(self, name: str, amount: np.ndarray) -> np.ndarray:
        """Convert amounts to numbers of the part, clipped to its range."""
        column = self._columns[name]
        return np.clip((amount - column.scale.start) / column.scale.step, float(column.low), float(column.high))

    def equal_parts(self, name: str, code: np.ndarray, values: Values) -> tuple[Values, np.ndarray]:
        """The parts of the column if each row takes the amount of the reference that its code names, and whether the
        column can hold that amount. code: (rows,) from 1
        """
        column, amount = self._columns[name], np.full(len(code), np.nan)
        for k, source in enumerate(self.by_part[name].equal_to, start=1):
            amount = np.where(code == k, self.amounts(source, values), amount)
        known = ~np.isnan(amount)
        parts = column.encode(pd.Series(np.where(known, amount, 0.0)).astype("Int64" if column.whole else "float64"))
        return parts, known & ~np.isnan(parts[name]) & (_printed(column, parts) == amount)


def find_references(
    order: Sequence[str],
    codec: Codec,
    values: Values,
    units: np.ndarray,
    shared_by: int,
    exclude: Collection[str] = (),
) -> ReferenceColumns:
    """Find the references of each number among the numbers before it in `order`. shared_by: privacy units that make a
    value common; exclude: parts without a reference.
    """
    columns = _plain_numbers(codec)
    names = [name for name in order if name in columns]
    amounts = {name: _printed(columns[name], values) for name in names}
    correlation = _rank_correlations([amounts[name][_sample(len(units))] for name in names])
    found = {}
    for i, name in enumerate(names):
        has_value = ~np.isnan(values[name])
        before = [j for j in range(i) if _comparable(columns[names[j]], columns[name])]
        if name in exclude or not before or has_value.sum() < EQUAL_ROWS:
            continue
        own = amounts[name]
        uncommon = has_value & ~_is_common(own, units, shared_by)
        equal_to = _equal_numbers(own, [names[j] for j in before], amounts, uncommon)
        if equal_to:
            is_free = has_value & ~np.any([own == amounts[other] for other in equal_to], axis=0)
        else:
            is_free = has_value
        free = np.flatnonzero(is_free)
        correlated = sorted(
            (j for j in before if correlation[i, j] >= MIN_CORRELATION), key=lambda j: -correlation[i, j]
        )
        bases = {names[j]: amounts[names[j]] for j in correlated[:MAX_BASES]}
        base, scale = _best_base(own, bases, free[_sample(len(free))], _quantum(columns[name]))
        if equal_to or base is not None:
            found[name] = Reference(equal_to, base, scale)
    return ReferenceColumns(codec, found)


def _printed(column: Numbers, values: Values) -> np.ndarray:
    name = column.parts[-1].name
    return column.decode(values, len(values[name])).to_numpy(dtype=np.float64, na_value=np.nan)


def _plain_numbers(codec: Codec) -> dict[str, Numbers]:
    """Number part -> its codec, for the columns that hold numbers without a unit of measure."""
    return {
        column.parts[-1].name: column
        for column in codec.columns
        if isinstance(column, Numbers) and column.scale.unit == ""
    }


def _sample(rows: int) -> np.ndarray:
    """Positions of at most SAMPLE rows, evenly spaced."""
    return np.arange(0, rows, max(1, -(-rows // SAMPLE)))


def _quantum(column: Numbers) -> float:
    """The smallest step between printed amounts; 0 if it is unknown."""
    return float(column.step) if column.whole else 0.0 if column.decimals is None else 10.0**-column.decimals


def _comparable(a: Numbers, b: Numbers) -> bool:
    return (a.dtype, a.whole, a.decimals) == (b.dtype, b.whole, b.decimals)


def _is_common(own: np.ndarray, units: np.ndarray, shared_by: int) -> np.ndarray:
    """Which rows hold a value that enough people share. (rows,) bool"""
    distinct, inverse = np.unique(own, return_inverse=True)
    return (held_by(inverse, units, len(distinct)) >= shared_by)[inverse]


def _equal_numbers(
    own: np.ndarray, before: list[str], amounts: Mapping[str, np.ndarray], uncommon: np.ndarray
) -> tuple[str, ...]:
    """Earlier numbers that uncommon values often equal, the most frequent first. Such values hardly ever match by
    chance.
    """
    left = np.flatnonzero(uncommon)
    needed = max(EQUAL_ROWS, EQUAL_SHARE * len(left))
    found: list[str] = []
    while len(found) < MAX_EQUAL:
        matches = [int((own[left] == amounts[other][left]).sum()) for other in before]
        best = int(np.argmax(matches))
        if matches[best] < needed:
            break
        found.append(before[best])
        left = left[own[left] != amounts[before[best]][left]]
    return tuple(found)


def _best_base(
    own: np.ndarray, bases: Mapping[str, np.ndarray], rows: np.ndarray, quantum: float
) -> tuple[str | None, float]:
    """The base whose steps predict a number best, and the scale of the steps; None if no step improves on the number
    itself.
    """
    best: tuple[str | None, float] = (None, 0.0)
    if len(rows) < MIN_ROWS:
        return best
    y, best_gain = own[rows], 0.0
    scale = LINEAR * float(np.median(np.abs(y)))
    for name, base in bases.items():
        x = base[rows]
        ratios = bool(scale > 0 and max((y < 0).mean(), (x < 0).mean()) < NEGATIVE_SHARE)
        without = _score(y, x, None, quantum)
        ratio, difference = (Reference((), name, scale), 0.0), (Reference((), name), DIFFERENCE_PENALTY * ratios)
        for reference, penalty in [ratio] * ratios + [difference]:
            gain = without - _score(y, x, reference, quantum) - MIN_GAIN - penalty
            if gain > best_gain:
                best_gain, best = gain, (name, reference.scale)
    return best


def _score(own: np.ndarray, base: np.ndarray, reference: Reference | None, quantum: float) -> float:
    """Mean distance between a number and donors with a similar base, minus half of the mean distance between donors.
    Lower is better.

    A kernel score, hence proper (Gneiting & Raftery 2007, §5). The kernel is the logarithm of the distance in ranks: it
    rewards donors that are near where that is possible, and the right spread where it is not.
    """
    order = np.argsort(np.nan_to_num(base), kind="stable")
    blocks = order[: len(order) // BLOCK * BLOCK].reshape(-1, BLOCK)
    x, y, ordered = base[blocks], own[blocks], np.sort(own)
    coded = y if reference is None else reference.step(y, x)
    donors = [np.roll(coded, 1 + shift * BLOCK // DONORS, axis=1) for shift in range(DONORS)]
    drawn = donors if reference is None else [reference.amount(step, x) for step in donors]

    def ranks(amounts: np.ndarray) -> np.ndarray:
        amounts = (np.rint(amounts / quantum) * quantum if quantum else amounts).ravel()
        first = np.searchsorted(ordered, amounts - quantum / 2)
        last = np.searchsorted(ordered, amounts + quantum / 2, side="right")
        return (first + last).reshape(blocks.shape) / (2 * len(own))

    truth, predictions = ranks(y), [ranks(amounts) for amounts in drawn]
    error = np.mean([np.log1p(np.abs(a - truth) / NEAR) for a in predictions])
    return float(error - np.mean([np.log1p(np.abs(a - b) / NEAR) for a, b in pairwise(predictions)]) / 2)


def _rank_correlations(columns: list[np.ndarray]) -> np.ndarray:
    """Rank correlations; 0 where a column does not vary. (columns, columns)"""
    if len(columns) < 2:
        return np.zeros((len(columns), len(columns)))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.corrcoef(np.stack([_midranks(np.nan_to_num(column)) for column in columns])))


def _midranks(values: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - counts / 2)[inverse]
