"""Ties between columns that a generator must keep exactly: functions, pairs that cannot be, order, equality.

All of it works on the parts of a codec (columns/codec/codec.py). What follows from rows alone may be chance, so each
finding asks for enough rows, and for several privacy units, before it is called one. Pairs are looked for in a bounded
sample first; only those that hold there are looked at in all rows, so that a wide table costs little more than its
columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synthcli.columns.codec.parts import Part, Scale, Values

SAMPLE = 2_000  # rows that pairs are looked for in
WIDE = 64  # numbers, beyond which only neighbours of similar range are compared
CELL_ROWS = 5.0  # rows per value of a column, on average, for another that it determines to be a rule
EXPECTED = 20.0  # rows that a pair would have if its columns were independent, for its absence to be no chance
EQUAL_SHARE = 0.05  # of the rows, from which on two numbers are said to be equal at times
BEYOND_CHANCE = 5.0  # times the share of equal values that independent columns have
ACCIDENT = -20.0  # log of the probability, below which a function of the data is none of chance
SIMPLER = 0.2  # distinct differences per distinct value, up to which b - a is simpler than b
LEAST_ROWS = 50
LEAST_DISTINCT = 5  # of a number, for its order with another to mean something


@dataclass(frozen=True)
class Tie:
    """How two numbers a and b go together over the `rows` where both are known.

    kind: order, a <= b always; equal, a == b in `share` of the rows, beyond chance; difference, b - a has few values,
    `share` of the number that b has. The three may hold together.
    """

    kind: Literal["order", "equal", "difference"]
    a: str
    b: str
    share: float
    rows: int


def determined(
    values: Values, parts: Sequence[Part], units: np.ndarray | None = None, folded: Mapping[str, int] | None = None
) -> dict[str, str]:
    """Part -> the part of another column that it is a function of: the nearest to it in number of values, and never in
    a circle.

    Of two that determine each other, the first stays free. A function gives each value of the source one value of the
    target (NaN is a value), over CELL_ROWS rows per value of the source on average, and is no accident of a few privacy
    units. folded: column -> words that the codec has folded into others (Codec.merged), each of which may break a
    function in one row; the majority of a value then rules.
    """
    folded = folded or {}
    coded = {part.name: _codes(values[part.name]) for part in parts if len(values[part.name]) >= LEAST_ROWS}
    sizes = {name: int(codes.max()) + 1 for name, codes in coded.items()}
    names = sorted((n for n in coded if sizes[n] > 1), key=lambda n: sizes[n])
    column = {part.name: part.column for part in parts}
    rows = len(coded[names[0]]) if names else 0
    some = _sample(rows)
    few = {name: coded[name][some] for name in names}
    found: dict[str, str] = {}
    states = {name: state for name in names if (state := f"{name}#state") in coded}  # which come before their numbers
    for target in reversed(names):
        for source in names:
            if (
                not sizes[target] <= sizes[source] <= rows / CELL_ROWS
                or column[source] == column[target]
                or _leads(source, target, found, states)
            ):
                continue
            slack = folded.get(column[source], 0) + folded.get(column[target], 0)
            if _is_function(few[source], few[target], slack) and _is_rule(coded[source], coded[target], units, slack):
                found[target] = source
                break
    return found


def _is_rule(source: np.ndarray, target: np.ndarray, units: np.ndarray | None, slack: int) -> bool:
    """Whether a function holds in all rows, and is no accident: that all units of a source value share a target by
    chance is unlikely.

    Columns that hardly vary are functions of many others by accident.
    """
    if not _is_function(source, target, slack):
        return False
    pairs = source if units is None else np.unique(np.column_stack([source, units]), axis=0)[:, 0]
    held, times = np.unique(np.bincount(pairs, minlength=int(source.max()) + 1), return_counts=True)
    shares = np.bincount(target) / len(target)
    agree = np.maximum(np.sum(shares[:, None] ** held, axis=0), 1e-300)
    return float(times @ np.log(agree)) < ACCIDENT


def _leads(name: str, to: str, *steps: Mapping[str, str]) -> bool:
    """Whether steps from a part to those that it needs come to another."""
    seen, ahead = set(), [name]
    while ahead:
        at = ahead.pop()
        seen.add(at)
        ahead += [step[at] for step in steps if at in step and step[at] not in seen]
    return to in seen


def impossible(
    codes_a: np.ndarray, size_a: int, codes_b: np.ndarray, size_b: int, *, least_expected: float = EXPECTED
) -> np.ndarray:
    """Pairs that never occur although at least `least_expected` rows would have them if a and b were independent.
    (size_a, size_b) bool

    Structural zeros, such as married children: a Poisson count of mean 20 is 0 with probability 2e-9.
    """
    counts = np.bincount(codes_a.astype(np.int64) * size_b + codes_b, minlength=size_a * size_b).reshape(size_a, size_b)
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / max(len(codes_a), 1)
    return (counts == 0) & (expected >= least_expected)


def ties(values: Values, parts: Sequence[Part], scales: Mapping[str, Scale]) -> list[Tie]:
    """Order, equality and simple differences between the numbers among the parts. scales: the codec's own, in which
    columns compare.
    """
    raw = {
        part.name: scales[part.name].raw(values[part.name])
        for part in parts
        if not part.is_code and len(values[part.name])
    }
    some = _sample(len(next(iter(raw.values()), np.zeros(0))))
    medians = {name: float(np.median(known)) for name, x in raw.items() if len(known := x[some][~np.isnan(x[some])])}
    numbers = [
        part for part in parts if part.name in medians and len(np.unique(raw[part.name][some])) >= LEAST_DISTINCT
    ]
    found = []
    for a, b in _pairs(sorted(numbers, key=lambda part: medians[part.name]), scales):
        near = {tie.kind for tie in _tied(a, b, raw[a][some], raw[b][some])}
        found += [tie for tie in _tied(a, b, raw[a], raw[b]) if tie.kind in near] if near else []
    return found


def _pairs(numbers: Sequence[Part], scales: Mapping[str, Scale]) -> Iterator[tuple[str, str]]:
    """Pairs of numbers that compare, of different columns, in the order of their medians; of many, those that are near
    in that order.
    """
    reach = len(numbers) if len(numbers) <= WIDE else WIDE // 4
    for i, a in enumerate(numbers):
        for b in numbers[i + 1 : i + 1 + reach]:
            if a.column != b.column and scales[a.name].unit == scales[b.name].unit:
                yield a.name, b.name


def _tied(a: str, b: str, x: np.ndarray, y: np.ndarray) -> list[Tie]:
    both = ~(np.isnan(x) | np.isnan(y))
    x, y, rows = x[both], y[both], int(both.sum())
    if rows < LEAST_ROWS:
        return []
    out = []
    equal = float((x == y).mean())
    if equal >= EQUAL_SHARE and equal >= BEYOND_CHANCE * _met_by_chance(x, y):
        out.append(Tie("equal", a, b, equal, rows))
    for low, high, first, second in ((a, b, x, y), (b, a, y, x)):
        if (first <= second).all() and _crosses_by_chance(first, second) * rows >= EXPECTED:
            out.append(Tie("order", low, high, 1.0, rows))
    gaps, own, other = (len(np.unique(v)) for v in (np.round(y - x, 9), y, x))
    if min(own, other) >= LEAST_DISTINCT**2 and gaps <= SIMPLER * min(own, other):
        out.append(Tie("difference", a, b, gaps / own, rows))
    return out


def _met_by_chance(x: np.ndarray, y: np.ndarray) -> float:
    """The share of equal values if the two were independent."""
    distinct, codes = np.unique(np.concatenate([x, y]), return_inverse=True)
    return (
        float(
            np.bincount(codes[: len(x)], minlength=len(distinct))
            @ np.bincount(codes[len(x) :], minlength=len(distinct))
        )
        / len(x) ** 2
    )


def _crosses_by_chance(x: np.ndarray, y: np.ndarray) -> float:
    """The share of x > y if the two were independent."""
    return float(np.searchsorted(np.sort(y), x, side="left").mean()) / len(y)


def _codes(values: np.ndarray) -> np.ndarray:
    """Values as codes from 0; NaN is one of them."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _sample(rows: int) -> np.ndarray:
    """Positions of at most SAMPLE rows, evenly over all."""
    return np.arange(0, rows, max(1, -(-rows // SAMPLE)))


def _is_function(source: np.ndarray, target: np.ndarray, slack: int = 0) -> bool:
    """Whether equal sources have equal targets, but for `slack` rows. Codes from 0."""
    last = np.empty(int(source.max()) + 1, dtype=np.int64)
    last[source] = target
    broken = int((last[source] != target).sum())
    if broken == 0 or slack == 0:
        return broken == 0
    pairs, counts = np.unique(source * (int(target.max()) + 1) + target, return_counts=True)
    most = np.zeros(len(last), dtype=np.int64)
    np.maximum.at(most, pairs // (int(target.max()) + 1), counts)
    return len(source) - int(most.sum()) <= slack
