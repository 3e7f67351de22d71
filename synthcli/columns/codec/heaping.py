"""Heaping: incomes, prices and areas that people round to different steps, so that most end in zeros and some do not.

A method that interpolates between values generates digits that nobody writes. If a number is open-ended and its round
values are over-represented, a code for the rounding step precedes it: the coarsest of a few nested steps (1, 5, 10, 50,
100 ...) that divides the value. On decoding, the number is rounded to its step. Values of the source are multiples of
their step, so rounding leaves them unchanged.
"""

from __future__ import annotations

import numpy as np

LADDER = tuple(digit * 10**power for power in range(9) for digit in (1, 5))
MOST = 8  # rounding steps of a column
LEAST_ROWS, LEAST_DISTINCT = 1000, 100  # of a column; for a smaller one, a further part costs more than it gains
OPEN = 0.01  # share of rows with a value that occurs once, from which on a number is open-ended
GRAIN_ROWS, SHARE = (
    50,
    0.1,
)  # minimum rows of a coarser step, and their minimum share among the multiples of the finer one
SAME = 0.97  # share among the multiples of a finer step, from which on the coarser step replaces it
ABOVE = 2.5  # times the share expected by chance


def find(raw: np.ndarray, step: int) -> tuple[int, ...]:
    """The rounding steps of whole numbers, the finest first; none if the numbers are not heaped. raw: (rows,) int64,
    multiples of `step`
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
            found[-1] = grain  # here, multiples of 5 are multiples of 10 too
            continue
        if len(round_) >= max(GRAIN_ROWS, len(left) * max(SHARE, ABOVE * found[-1] / grain)):
            found.append(grain)
            left = round_
    return tuple(found[:MOST]) if len(found) > 1 else ()


def levels(raw: np.ndarray, grains: tuple[int, ...]) -> np.ndarray:
    """The index of the coarsest rounding step that divides each number. (rows,) int32"""
    out = np.zeros(len(raw), dtype=np.int32)
    for place, grain in enumerate(grains):
        out[raw % grain == 0] = place
    return out


def rounded(raw: np.ndarray, level: np.ndarray, grains: tuple[int, ...], low: int, high: int) -> np.ndarray:
    """Round numbers to the step of their level, except where that would leave [low, high]. (rows,) int64"""
    grain = np.array(grains, dtype=np.int64)[level]
    near = (raw + grain // 2) // grain * grain
    return np.where((near >= low) & (near <= high), near, raw)
