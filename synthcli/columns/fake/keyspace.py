"""The room that made keys are drawn from: ranges of numbers that hold no key of the source, and a place in it for each
batch.

A gap between two keys is shortened at random at both ends, so that it does not give away the keys next to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthcli import seeds
from synthcli.columns.fake.patterns import WORD
from synthcli.columns.fake.unique import permute

RANGES = 256  # ranges of a room
SHORTENED = 0.5  # largest share of a gap that is cut off at an end next to a key
SMALLEST = 8  # numbers of a range
CHANCE = 1e-4  # expected number of hits below which a whole space is free enough
ROOMY = 4.0  # room that is looked for, in numbers of keys of the source
BATCHES = 32.0  # room of longer numbers, so that several batches fit in
TIGHT = 1.2  # room that still is enough
GOLDEN = 0.6180339887498949


@dataclass(frozen=True)
class Room:
    """Ranges (first, last) of numbers in ascending order."""

    ranges: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        return sum(last - first + 1 for first, last in self.ranges)

    def at(self, places: np.ndarray) -> np.ndarray:
        """The numbers at these places. places: (rows,) uint64 below the size -> (rows,) int64"""
        firsts = np.array([first for first, _ in self.ranges], dtype=np.int64)
        ends = np.cumsum([last - first + 1 for first, last in self.ranges])
        which = np.searchsorted(ends, places.astype(np.int64), side="right")
        return firsts[which] + places.astype(np.int64) - np.r_[0, ends[:-1]][which]

    def draw(self, positions: np.ndarray, key: int) -> np.ndarray:
        """The numbers at these positions by a keyed bijection. positions: below the size. (rows,) int64"""
        return self.at(permute(positions, self.size, key))

    def beside(self, total: int) -> Room:
        """The numbers from 0 to total - 1 that are not in this room."""
        edges = [-1, *(e for r in self.ranges for e in r), total]
        pairs = zip(edges[::2], edges[1::2])
        return Room(tuple((last + 1, first - 1) for last, first in pairs if last + 1 < first))


def placed(positions: np.ndarray, size: int, batch: int) -> np.ndarray:
    """Positions of a batch in a space that all batches share. positions: (rows,) uint64 below size -> (rows,) uint64

    Batches begin at multiples of the golden section of the space, so that any m batches with numbers from 0 to m - 1
    begin at least 0.38 / m of the space apart (Sós 1958), and do not meet if they are shorter.
    """
    if batch == 0 or size < 2:
        return positions
    start = batch * max(1, round(size * GOLDEN)) % size
    return (positions + np.uint64(start)) % np.uint64(size)


def free(keys: np.ndarray, low: int, high: int, *, times: float = ROOMY) -> Room | None:
    """The room between low and high without these keys; None if it is too small for `times` as many.

    keys: int64, any order. The whole range if chance hardly ever meets a key.
    """
    every = np.unique(keys)
    known = every[(every >= low) & (every <= high)]
    total, need = high - low + 1, times * len(every) + 1
    if total > WORD or total < need:
        return None
    if len(known) ** 2 < CHANCE * total:
        return Room(((low, high),))
    rng = np.random.default_rng(seeds.key(len(known), known.tobytes()))
    firsts, lasts = np.r_[low, known + 1], np.r_[known - 1, high]
    sizes = lasts - firsts + 1
    ranges = []
    for i in np.argsort(-sizes, kind="stable")[:RANGES]:
        cut = (rng.random(2) * SHORTENED * min(1.0, times / ROOMY) * float(sizes[i])).astype(np.int64)
        first = int(firsts[i] + (cut[0] if i > 0 else 0))
        last = int(lasts[i] - (cut[1] if i < len(known) else 0))
        if last - first + 1 >= SMALLEST:
            ranges.append((first, last))
    room = Room(tuple(sorted(ranges)))
    return room if room.size >= need else None


def free_integers(keys: np.ndarray, largest: int, tight: float = TIGHT) -> Room | None:
    """The room for integers like these keys: of as many digits, of one or two more if these are too few. None if the
    storage, up to `largest`, holds no more. tight: room that suffices, in numbers of keys.
    """
    if not len(keys) or int(keys.min()) < 0:
        return None
    digits = len(str(int(keys.max())))
    longer = ((digits + 1, BATCHES), (digits + 2, BATCHES), (digits + 1, ROOMY))
    tried = ((digits, ROOMY), (digits, tight), *longer, (digits, TIGHT))
    for width, times in tried:
        low, high = 10 ** (width - 1) if width > 1 else 1, min(10**width - 1, largest)
        if low <= high and (room := free(keys, low, high, times=times)) is not None:
            return room
    return None
