"""Find point masses: values much more frequent than their neighbours, and missing codes far from all other values.

A value is compared with its neighbours, not with the whole column. The values of a smooth count (1, 2, 3 visits) are
not point masses, however frequent; of the round values of a self-reported income, only those that stand out from the
others are.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

FEW = 12  # with at most so many distinct values, there are no neighbours to compare with
LEAST_ROWS = 50
LEAST_UNITS = 10  # minimum privacy units that hold a point mass
MOST = 8  # maximum point masses of a column
ABOVE_NEIGHBOURS = 5  # times the median count of the two neighbours on each side
TYPICAL = 20  # times the median count of all values, within the column
TYPICAL_EDGE = 10  # the same, for zero and for the minimum and maximum
SHARE, SHARE_LONE, SHARE_EDGE, SHARE_CODE = (
    0.1,
    0.02,
    0.005,
    0.001,
)  # minimum shares of the known values: anywhere, above all others, zero and ends, codes
LONE, LONE_MOST = 3, 3  # times the count of the next value; maximum number of values that stand above all others
GROUP = 4  # maximum size of a group of missing codes
INWARD = 20  # gaps between neighbours to compare with the gap before a missing code
GAP, GAP_CODE = 5, 2  # times the largest of these gaps; the same for values that look like missing codes


def find(distinct: np.ndarray, counts: np.ndarray, held: np.ndarray, *, plain: bool) -> list[int]:
    """Positions of the point masses, ascending. distinct: (n,) sorted numbers; counts, held: rows and privacy units of
    each.

    plain: whether zero and digits are meaningful, as they are not for dates.
    """
    if counts.sum() < LEAST_ROWS or len(distinct) <= FEW:
        return []
    codes = _codes(distinct, counts, held, plain)
    rest = np.setdiff1d(np.arange(len(distinct)), codes)
    atoms = rest[_atoms(distinct[rest], counts[rest], counts.sum(), plain)]
    found = np.array(sorted({*codes, *atoms.tolist()}), dtype=np.int64)
    found = found[held[found] >= LEAST_UNITS]
    return sorted(found[np.argsort(-counts[found], kind="stable")][:MOST].tolist())


def _atoms(distinct: np.ndarray, counts: np.ndarray, rows: int, plain: bool) -> np.ndarray:
    """Which values stand out from their neighbours. (n,) bool"""
    n = len(distinct)
    places = np.arange(n)[:, None] + np.array([-2, -1, 1, 2])
    around = np.where((places >= 0) & (places < n), counts[np.clip(places, 0, n - 1)], np.nan)
    stands_out = counts >= ABOVE_NEIGHBOURS * np.nanmedian(around, axis=1) if n > 1 else np.ones(n, dtype=bool)
    typical, share = float(np.median(counts)), counts / rows
    edge = np.isin(np.arange(n), [0, n - 1]) | (plain & (distinct == 0))
    common = (counts >= TYPICAL * typical) & ((share >= SHARE) | ((share >= SHARE_LONE) & _lone(counts)))
    return stands_out & (common | (edge & (share >= SHARE_EDGE) & (counts >= TYPICAL_EDGE * typical)))


def _lone(counts: np.ndarray) -> np.ndarray:
    """Which values are among the few most frequent ones, followed by a drop in counts. (n,) bool"""
    top = np.sort(counts)[::-1][: LONE_MOST + 1]
    drops = np.flatnonzero(top[:-1] >= LONE * top[1:])
    return counts >= (top[drops[-1]] if len(drops) else np.inf)


def _codes(distinct: np.ndarray, counts: np.ndarray, held: np.ndarray, plain: bool) -> list[int]:
    """Positions of frequent values at either end, beyond a gap: missing codes, defaults, top codes."""
    least = max(LEAST_UNITS, SHARE_CODE * counts.sum())
    left, right = 0, len(distinct)
    found: list[int] = []
    while right - left > FEW and len(found) < MOST:
        low = _group(distinct[left:right], held[left:right], counts[left:right], least, plain)
        if low:
            found += range(left, left + low)
            left += low
            continue
        high = _group(
            -distinct[left:right][::-1],
            held[left:right][::-1],
            counts[left:right][::-1],
            least,
            False,
            _digits(distinct, plain),
        )
        if not high:
            break
        found += range(right - high, right)
        right -= high
    return found


def _digits(distinct: np.ndarray, plain: bool) -> frozenset[float]:
    """The highest values that look like missing codes: 97, 99, 888, 9999."""
    return frozenset(-v for v in distinct[-GROUP * 2 :].tolist() if plain and is_code(v))


def _group(
    distinct: np.ndarray,
    held: np.ndarray,
    counts: np.ndarray,
    least: float,
    plain: bool,
    known: frozenset[float] | None = None,
) -> int:
    """How many of the lowest values form a group of missing codes; 0 for none. known: values that look like codes; None
    to test for negative codes.
    """
    looks = (lambda v: v in known) if known is not None else (lambda v: plain and v < 0 and is_code(v))
    for size in range(1, min(GROUP, len(distinct) - FEW) + 1):
        if held[size - 1] < least:
            return 0
        rest = distinct[size:]
        coded = all(looks(v) for v in distinct[:size].tolist())
        gap, inward = distinct[size] - distinct[size - 1], float(np.diff(rest[: INWARD + 1]).max())
        if coded and (gap > GAP_CODE * inward or (known is None and rest[0] >= 0 and _above(counts, size))):
            return size
        if gap > GAP * inward and gap > 0.25 * _spread(rest, counts[size:]):
            return size
    return 0


def _above(counts: np.ndarray, size: int) -> bool:
    """Whether the only negative values are also more frequent than the lowest others, as -1 before 0, 1, 2 must be to
    count as a code.
    """
    return bool(counts[:size].min() >= LONE * np.median(counts[size : size + 3]))


def _spread(distinct: np.ndarray, counts: np.ndarray) -> float:
    """The interquartile range."""
    cumulated = np.cumsum(counts)
    low, high = np.searchsorted(cumulated, [0.25 * cumulated[-1], 0.75 * cumulated[-1]])
    return float(distinct[high] - distinct[low])


def is_code(value: float) -> bool:
    """Whether a number is spelled like a missing code: -1 to -9, 96 to 99, and their likes of any length."""
    digits = f"{abs(value):.0f}" if float(value).is_integer() else ""
    if len(digits) == 1:
        return value < 0 and digits != "0"
    return bool(digits) and (
        (_all(digits[:-1], "9") and digits[-1] in "6789") or _all(digits, "8") or _all(digits, "7")
    )


def _all(text: Iterable[str], digit: str) -> bool:
    return set(text) == {digit}
