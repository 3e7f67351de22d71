"""Boosted oblivious trees that tell two kinds of rows apart (gradient boosting, Friedman 2001; oblivious trees as in
Prokhorenkova et al. 2018).

An oblivious tree asks one question for a whole level, so that a row is looked up by the bits of its answers: some
nanoseconds a tree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LAST = 255  # the highest class
CHUNK = 2**15  # rows that are looked up at once: they stay in the processor's cache
DEPTH = 6
RATE = 0.25  # of a tree's answer that is taken
LOOKED_AT = 0.4  # of the parts, for each tree
WIDEST = 40  # parts that a tree looks at, at most


class Boosting:
    """Boosting of the log loss of real against drawn rows, both sides weighing the same.

    codes: classes of each part; apart: rows that are only judged by; smoothing: what counts against a leaf, in rows /
    4.
    """

    def __init__(
        self,
        codes: Sequence[np.ndarray],
        is_real: np.ndarray,
        apart: np.ndarray,
        smoothing: float,
        rng: np.random.Generator,
    ) -> None:
        order = np.argsort(apart, kind="stable")  # those that are learned from come first
        self.codes, self.smoothing, self.rng = [code[order] for code in codes], smoothing, rng
        self.sizes = [int(code.max()) + 1 for code in codes]
        self.learned = int((~apart).sum())
        self.sign = np.where(is_real[order], np.float32(1), np.float32(-1))
        self.weight = _balanced(self.sign[: self.learned])
        self.score = np.zeros(len(order), dtype=np.float32)
        self.trees: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def run(self, trees: int, sure: float) -> int:
        """How many of the trees to keep: as many as the rows that are only judged by do not refute; 0 where the gain on
        them is not worth `sure` standard errors."""
        losses, errors = [], []
        sign, score = self.sign[self.learned :], self.score[self.learned :]
        weight = _balanced(sign)
        for _ in range(trees):
            self._grow()
            gain = np.log(2.0) - np.logaddexp(0, -sign * score)
            losses.append(-float(np.average(gain, weights=weight)))
            errors.append(float(np.std(gain * weight)) / np.sqrt(len(gain)))
        best = int(np.argmin(losses))
        if -losses[best] < sure * errors[best]:
            return 0
        return int(np.flatnonzero(np.array(losses) <= losses[best] + errors[best])[-1]) + 1

    def _grow(self) -> None:
        many = min(max(2, round(LOOKED_AT * len(self.codes))), WIDEST, len(self.codes))
        some = np.sort(self.rng.choice(len(self.codes), many, replace=False))
        sign, weight = self.sign[: self.learned], self.weight
        chance = 1 / (1 + np.exp(sign * self.score[: self.learned]))  # of the wrong side
        slope, curve = sign * chance * weight, chance * (1 - chance) * weight
        part, at, leaf = self._splits(some, [self.codes[j][: self.learned] for j in some], _Packed.of(slope, curve))
        leaves = RATE * np.bincount(leaf, slope, 1 << DEPTH) / (np.bincount(leaf, curve, 1 << DEPTH) + self.smoothing)
        self.trees.append((part, at, leaves))
        self.score += looked_up(self.codes, part[None], at[None], leaves.astype(np.float32)[None])

    def _splits(
        self, parts: np.ndarray, codes: Sequence[np.ndarray], packed: _Packed
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The part and the code that part the leaves of each level best, all by the same question; and the leaf of each
        row.
        """
        sizes = [self.sizes[j] for j in parts]
        ends = np.cumsum(sizes)  # of each part's classes, which stand side by side
        part, at = np.zeros(DEPTH, dtype=np.int16), np.full(DEPTH, LAST, dtype=np.uint8)
        leaf = np.zeros(len(packed.weights), dtype=np.uint16)
        for level in range(DEPTH):
            sums = [
                np.bincount(leaf * np.uint16(n) + code, packed.weights, n << level).reshape(-1, n)
                for code, n in zip(codes, sizes)
            ]
            best = self._best(*packed.apart(np.concatenate(sums, axis=1)), ends)
            j = int(np.searchsorted(ends, best, side="right"))
            part[level], at[level] = parts[j], best - (ends[j] - sizes[j])
            leaf <<= 1
            leaf |= codes[j] > at[level]
        return part, at, leaf

    def _best(self, slope: np.ndarray, curve: np.ndarray, ends: np.ndarray) -> int:
        """The class above which leaves are parted best, among those of all parts. slope, curve: (leaves, classes)"""
        down, held = _cumulated(slope, ends), _cumulated(curve, ends)
        up, rest = down[:, ends[:1] - 1] - down, held[:, ends[:1] - 1] - held
        return int((down**2 / (held + self.smoothing) + up**2 / (rest + self.smoothing)).sum(0).argmax())


def _balanced(sign: np.ndarray) -> np.ndarray:
    """Weights under which both sides weigh the same, 1 on average. (rows,) float32"""
    real = max(1, int((sign > 0).sum()))
    return np.where(sign > 0, np.float32(len(sign) / 2 / real), np.float32(len(sign) / 2 / max(1, len(sign) - real)))


def _cumulated(sums: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Sums over the classes of each part up to each. (leaves, classes)"""
    total = np.cumsum(sums, axis=1)
    before = np.concatenate([np.zeros((len(sums), 1)), total[:, ends[:-1] - 1]], axis=1)
    return total - np.repeat(before, np.diff(ends, prepend=0), axis=1)


@dataclass(frozen=True)
class _Packed:
    """Two numbers of each row in one, so that both are summed at once: integers of few bits (as in Shi et al. 2022,
    arXiv 2207.09682), one above the other. weights: (rows,); low: bits of the lower one's sum; slope, curve: what one
    step of each is worth.
    """

    weights: np.ndarray
    low: int
    slope: float
    curve: float

    @classmethod
    def of(cls, slope: np.ndarray, curve: np.ndarray) -> _Packed:
        bits = (52 - 2 * max(1, len(slope).bit_length())) // 2  # so that no sum of either loses any
        steps = 2.0**bits - 1
        high, low = (
            max(float(np.abs(slope).max(initial=0)), 1e-30) / steps,
            max(float(curve.max(initial=0)), 1e-30) / steps,
        )
        shift = bits + len(slope).bit_length()
        return cls(np.rint(slope / high).astype(np.float64) * 2.0**shift + np.rint(curve / low), shift, high, low)

    def apart(self, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The two sums of each."""
        high = np.floor(sums * 2.0**-self.low)
        return high * self.slope, (sums - high * 2.0**self.low) * self.curve


def looked_up(
    codes: Sequence[np.ndarray],
    part: np.ndarray,
    at: np.ndarray,
    leaves: np.ndarray,
    margins: Sequence[np.ndarray] | np.ndarray = (),
) -> np.ndarray:
    """What trees, and margins, say of rows. codes: (rows,) uint8 classes of each part; -> (rows,) float32"""
    out = np.zeros(len(codes[0]), dtype=np.float32)
    for start in range(0, len(out), CHUNK):
        piece = [code[start : start + CHUNK] for code in codes]
        leaf, answer = np.empty(len(piece[0]), dtype=np.uint8), np.empty(len(piece[0]), dtype=bool)
        for parts, ends, said in zip(part, at, leaves):
            leaf.fill(0)
            for j, end in zip(parts, ends):
                np.greater(piece[j], end, out=answer)
                leaf <<= 1
                leaf |= answer.view(np.uint8)
            out[start : start + CHUNK] += said.take(leaf)
        for code, added in zip(piece, margins):
            out[start : start + CHUNK] += added.take(code)
    return out
