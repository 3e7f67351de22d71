"""How round a number is: the digits of incomes, prices and areas, of which most end in zeros and some do not.

A method that draws between two values gives digits that no one writes. So a number of which new values keep coming, and
of which round ones are over-represented, is coded with its grain before it: the coarsest of a few nested steps (1, 5,
10, 50, 100 ...) that divides it. What is drawn for the number is rounded to the grain that is drawn for it; a value of
the source, to its own, which leaves it as it is.
"""

from __future__ import annotations

import numpy as np

LADDER = tuple(digit * 10**power for power in range(9) for digit in (1, 5))
MOST = 8  # grains of a column
LEAST_ROWS, LEAST_DISTINCT = 1000, 100  # of a column; in a smaller one, a further part costs more than digits are worth
OPEN = 0.01  # of the rows whose value occurs once, from which on new values keep coming
GRAIN_ROWS, SHARE = 50, 0.1  # rows of a coarser grain, at least; their share among the multiples of the finer one
SAME = 0.97  # share of the multiples of a finer grain, from which on the coarser one takes its place
ABOVE = 2.5  # times the share that they have by chance


def find(raw: np.ndarray, step: int) -> tuple[int, ...]:
    """The grains of whole numbers that count in steps, the finest first; none where digits are as even as chance has
    them. (rows,) int64
    """
    if len(raw) < LEAST_ROWS or max(abs(int(raw.min())), abs(int(raw.max()))) >= 2**53 or int(raw.min()) % step:
        return ()
    counts = np.unique(raw, return_counts=True)[1]
    if len(counts) < LEAST_DISTINCT or (counts == 1).sum() < OPEN * len(raw):
        return ()
    found, left = [step], raw
    for grain in LADDER:
        if grain <= found[-1] or grain % found[-1]:
            continue
        round_ = left[left % grain == 0]
        if len(found) > 1 and len(round_) >= SAME * len(left):
            found[-1] = grain  # what is a multiple of 5 there is one of 10
            continue
        if len(round_) >= max(GRAIN_ROWS, len(left) * max(SHARE, ABOVE * found[-1] / grain)):
            found.append(grain)
            left = round_
    return tuple(found[:MOST]) if len(found) > 1 else ()


def levels(raw: np.ndarray, grains: tuple[int, ...]) -> np.ndarray:
    """The place of the coarsest grain that divides each number. (rows,) int32"""
    out = np.zeros(len(raw), dtype=np.int32)
    for place, grain in enumerate(grains):
        out[raw % grain == 0] = place
    return out


def rounded(raw: np.ndarray, level: np.ndarray, grains: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """Numbers rounded to the grain of their level; those that this would take beyond the ends stay. (rows,) int64"""
    grain = np.array(grains, dtype=np.int64)[level]
    near = (raw + grain // 2) // grain * grain
    return np.where((near >= low) & (near <= high), near, raw)
