"""Dependencies between columns that a generator must preserve exactly: functional dependencies, structural zeros,
order, equality.

All functions work on the parts of a codec (columns/codec/codec.py). A pattern in the rows may be chance, so each
finding requires enough rows and several privacy units. Pairs are first tested on a bounded sample; only those that hold
there are tested on all rows, so that the cost for a wide table stays close to linear in its columns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from synthcli.columns.codec.parts import Part, Scale, Values

SAMPLE = 2_000  # rows on which pairs are tested first
WIDE = 64  # above so many numeric columns, only those with similar medians are compared
CELL_ROWS = 5.0  # rows per value of the determinant, on average, for a functional dependency
EXPECTED = 20.0  # rows expected of a pair under independence, for its absence to count as a structural zero
EQUAL_SHARE = 0.05  # share of rows in which two numbers are equal, at least, to report it
BEYOND_CHANCE = 5.0  # times the share of equal values expected under independence
ACCIDENT = -20.0  # log probability below which a functional dependency is not attributed to chance
SIMPLER = 0.2  # b - a is simpler than b up to so many distinct differences per distinct value
LEAST_ROWS = 50
LEAST_DISTINCT = 5  # distinct values that a number needs for its order with another to be meaningful


@dataclass(frozen=True)
class Tie:
    """A relation between two numbers a and b over the `rows` where both are known.

    kind: order, a <= b in every row; equal, a == b in `share` of the rows, more often than by chance; difference, b - a
    has few distinct values, `share` of those of b. A pair may have all three.
    """

    kind: Literal["order", "equal", "difference"]
    a: str
    b: str
    share: float
    rows: int


def determined(
    values: Values, parts: Sequence[Part], units: np.ndarray | None = None, folded: Mapping[str, int] | None = None
) -> dict[str, str]:
    """Find functional dependencies: part -> the part of another column that determines it, the closest in number of
    values; without cycles.

    If two parts determine each other, the first stays free. A dependency maps each value of the source to one value of
    the target (NaN counts as a value), with CELL_ROWS rows per value of the source on average, and must be unlikely to
    arise from a few privacy units by chance. folded: column -> number of rare words that the codec folded into others
    (Codec.merged), each of which may violate a dependency in one row; the majority value then decides.
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
    states = {name: state for name in names if (state := f"{name}#state") in coded}  # a state precedes its number
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
    """Whether a dependency holds in all rows and is unlikely to be chance: the probability that all units with the same
    source value share a target is small.

    Nearly constant columns are often determined by others by chance.
    """
    if not _is_function(source, target, slack):
        return False
    pairs = source if units is None else np.unique(np.column_stack([source, units]), axis=0)[:, 0]
    held, times = np.unique(np.bincount(pairs, minlength=int(source.max()) + 1), return_counts=True)
    shares = np.bincount(target) / len(target)
    agree = np.maximum(np.sum(shares[:, None] ** held, axis=0), 1e-300)
    return float(times @ np.log(agree)) < ACCIDENT


def _leads(name: str, to: str, *steps: Mapping[str, str]) -> bool:
    """Whether part `to` is reachable from part `name` along the steps."""
    seen, ahead = set(), [name]
    while ahead:
        at = ahead.pop()
        seen.add(at)
        ahead += [step[at] for step in steps if at in step and step[at] not in seen]
    return to in seen


def impossible(
    codes_a: np.ndarray, size_a: int, codes_b: np.ndarray, size_b: int, *, least_expected: float = EXPECTED
) -> np.ndarray:
    """Structural zeros: pairs that never occur although at least `least_expected` rows are expected under independence.
    (size_a, size_b) bool

    An example is married children. A Poisson count of mean 20 is 0 with probability 2e-9.
    """
    counts = np.bincount(codes_a.astype(np.int64) * size_b + codes_b, minlength=size_a * size_b).reshape(size_a, size_b)
    expected = counts.sum(1, keepdims=True) * counts.sum(0, keepdims=True) / max(len(codes_a), 1)
    return (counts == 0) & (expected >= least_expected)


def ties(values: Values, parts: Sequence[Part], scales: Mapping[str, Scale]) -> list[Tie]:
    """Find order, equality and simple differences between number parts. scales: of the codec; columns are compared in
    their own units.
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
    """Pairs of comparable numbers from different columns, in the order of their medians; if there are many, only those
    close in that order.
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
    """The share of equal values expected under independence."""
    distinct, codes = np.unique(np.concatenate([x, y]), return_inverse=True)
    return (
        float(
            np.bincount(codes[: len(x)], minlength=len(distinct))
            @ np.bincount(codes[len(x) :], minlength=len(distinct))
        )
        / len(x) ** 2
    )


def _crosses_by_chance(x: np.ndarray, y: np.ndarray) -> float:
    """The share of x > y expected under independence."""
    return float(np.searchsorted(np.sort(y), x, side="left").mean()) / len(y)


def _codes(values: np.ndarray) -> np.ndarray:
    """Values as codes from 0; NaN gets a code too."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def _sample(rows: int) -> np.ndarray:
    """Evenly spaced positions of at most SAMPLE rows."""
    return np.arange(0, rows, max(1, -(-rows // SAMPLE)))


def _is_function(source: np.ndarray, target: np.ndarray, slack: int = 0) -> bool:
    """Whether equal sources have equal targets, except in at most `slack` rows. Codes from 0."""
    last = np.empty(int(source.max()) + 1, dtype=np.int64)
    last[source] = target
    broken = int((last[source] != target).sum())
    if broken == 0 or slack == 0:
        return broken == 0
    pairs, counts = np.unique(source * (int(target.max()) + 1) + target, return_counts=True)
    most = np.zeros(len(last), dtype=np.int64)
    np.maximum.at(most, pairs // (int(target.max()) + 1), counts)
    return len(source) - int(most.sum()) <= slack
