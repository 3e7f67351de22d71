"""Boosted oblivious trees that discriminate between real and generated rows (gradient boosting, Friedman 2001;
oblivious trees as in Prokhorenkova et al. 2018).

All nodes of a level of an oblivious tree share one split, so that a row finds its leaf by a few bits, in nanoseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LAST = 255  # the highest class of a part
CHUNK = 2**15  # rows that are scored at once, so that they stay in the processor's cache
DEPTH = 6
RATE = 0.25  # learning rate
PART_SHARE = 0.4  # share of the parts that are candidates for the splits of a tree
MAX_PARTS = 40  # of these candidates, at most


class Boosting:
    """Boosting of the log loss of real against generated rows, with equal total weight.

    codes: classes of each part; held_out: rows used for validation only; smoothing: regularisation of a leaf, in
    quarters of a row.
    """

    def __init__(
        self,
        codes: Sequence[np.ndarray],
        is_real: np.ndarray,
        held_out: np.ndarray,
        smoothing: float,
        rng: np.random.Generator,
    ) -> None:
        order = np.argsort(held_out, kind="stable")  # the training rows come first
        self.codes, self.smoothing, self.rng = [code[order] for code in codes], smoothing, rng
        self.sizes = [int(code.max()) + 1 for code in codes]
        self.training = int((~held_out).sum())
        self.sign = np.where(is_real[order], np.float32(1), np.float32(-1))
        self.weight = _balanced(self.sign[: self.training])
        self.score = np.zeros(len(order), dtype=np.float32)
        self.trees: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def run(self, trees: int, min_gain: float) -> int:
        """Grow the trees and return how many of them to keep, by the loss on the held-out rows; 0 if the gain there is
        less than `min_gain` standard errors.
        """
        losses, errors = [], []
        sign, score = self.sign[self.training :], self.score[self.training :]
        weight = _balanced(sign)
        for _ in range(trees):
            self._grow()
            gain = np.log(2.0) - np.logaddexp(0, -sign * score)
            losses.append(-float(np.average(gain, weights=weight)))
            errors.append(float(np.std(gain * weight)) / np.sqrt(len(gain)))
        best = int(np.argmin(losses))
        if -losses[best] < min_gain * errors[best]:
            return 0
        return int(np.flatnonzero(np.array(losses) <= losses[best] + errors[best])[-1]) + 1

    def _grow(self) -> None:
        count = min(max(2, round(PART_SHARE * len(self.codes))), MAX_PARTS, len(self.codes))
        candidates = np.sort(self.rng.choice(len(self.codes), count, replace=False))
        sign, weight = self.sign[: self.training], self.weight
        error = 1 / (1 + np.exp(sign * self.score[: self.training]))  # probability of the wrong side
        gradient, hessian = sign * error * weight, error * (1 - error) * weight
        codes = [self.codes[j][: self.training] for j in candidates]
        part, at, leaf = self._splits(candidates, codes, _Packed.of(gradient, hessian))
        denominator = np.bincount(leaf, hessian, 1 << DEPTH) + self.smoothing
        leaves = RATE * np.bincount(leaf, gradient, 1 << DEPTH) / denominator
        self.trees.append((part, at, leaves))
        self.score += predict(self.codes, part[None], at[None], leaves.astype(np.float32)[None])

    def _splits(
        self, parts: np.ndarray, codes: Sequence[np.ndarray], packed: _Packed
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The best split of each level, as a part and the class above which a row goes right; and the leaf of each
        row.
        """
        sizes = [self.sizes[j] for j in parts]
        ends = np.cumsum(sizes)  # ends of each part's classes, which are concatenated
        part, at = np.zeros(DEPTH, dtype=np.int16), np.full(DEPTH, LAST, dtype=np.uint8)
        leaf = np.zeros(len(packed.weights), dtype=np.uint16)
        for level in range(DEPTH):
            sums = [
                np.bincount(leaf * np.uint16(n) + code, packed.weights, n << level).reshape(-1, n)
                for code, n in zip(codes, sizes)
            ]
            best = self._best(*packed.unpack(np.concatenate(sums, axis=1)), ends)
            j = int(np.searchsorted(ends, best, side="right"))
            part[level], at[level] = parts[j], best - (ends[j] - sizes[j])
            leaf <<= 1
            leaf |= codes[j] > at[level]
        return part, at, leaf

    def _best(self, gradient: np.ndarray, hessian: np.ndarray, ends: np.ndarray) -> int:
        """The split of largest gain, as a position among the classes of all parts. gradient, hessian: (leaves,
        classes)
        """
        left_g, left_h = _cumulative(gradient, ends), _cumulative(hessian, ends)
        right_g, right_h = left_g[:, ends[:1] - 1] - left_g, left_h[:, ends[:1] - 1] - left_h
        gain = left_g**2 / (left_h + self.smoothing) + right_g**2 / (right_h + self.smoothing)
        return int(gain.sum(0).argmax())


def _balanced(sign: np.ndarray) -> np.ndarray:
    """Weights that give both sides the same total, 1 on average. (rows,) float32"""
    real = max(1, int((sign > 0).sum()))
    return np.where(sign > 0, np.float32(len(sign) / 2 / real), np.float32(len(sign) / 2 / max(1, len(sign) - real)))


def _cumulative(sums: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Cumulative sums over the classes of each part. (leaves, classes)"""
    total = np.cumsum(sums, axis=1)
    before = np.concatenate([np.zeros((len(sums), 1)), total[:, ends[:-1] - 1]], axis=1)
    return total - np.repeat(before, np.diff(ends, prepend=0), axis=1)


@dataclass(frozen=True)
class _Packed:
    """The gradient and the Hessian of each row packed into one float, so that both are summed at once: they are
    quantised (as in Shi et al. 2022, arXiv 2207.09682), and the gradient takes the higher bits. weights: (rows,);
    shift: bits of the lower sum; gradient, hessian: size of a quantum of each.
    """

    weights: np.ndarray
    shift: int
    gradient: float
    hessian: float

    @classmethod
    def of(cls, gradient: np.ndarray, hessian: np.ndarray) -> _Packed:
        bits = (52 - 2 * max(1, len(gradient).bit_length())) // 2  # so that the sums are exact
        steps = 2.0**bits - 1
        high, low = (
            max(float(np.abs(gradient).max(initial=0)), 1e-30) / steps,
            max(float(hessian.max(initial=0)), 1e-30) / steps,
        )
        shift = bits + len(gradient).bit_length()
        return cls(np.rint(gradient / high).astype(np.float64) * 2.0**shift + np.rint(hessian / low), shift, high, low)

    def unpack(self, sums: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The sums of the gradients and of the Hessians."""
        high = np.floor(sums * 2.0**-self.shift)
        return high * self.gradient, (sums - high * 2.0**self.shift) * self.hessian


def predict(
    codes: Sequence[np.ndarray],
    part: np.ndarray,
    at: np.ndarray,
    leaves: np.ndarray,
    margins: Sequence[np.ndarray] | np.ndarray = (),
) -> np.ndarray:
    """The sum of all trees, and of the margins, for each row. codes: (rows,) uint8 classes of each part; -> (rows,)
    float32
    """
    out = np.zeros(len(codes[0]), dtype=np.float32)
    for start in range(0, len(out), CHUNK):
        piece = [code[start : start + CHUNK] for code in codes]
        leaf, goes_right = np.empty(len(piece[0]), dtype=np.uint8), np.empty(len(piece[0]), dtype=bool)
        for parts, ends, values in zip(part, at, leaves):
            leaf.fill(0)
            for j, end in zip(parts, ends):
                np.greater(piece[j], end, out=goes_right)
                leaf <<= 1
                leaf |= goes_right.view(np.uint8)
            out[start : start + CHUNK] += values.take(leaf)
        for code, margin in zip(piece, margins):
            out[start : start + CHUNK] += margin.take(code)
    return out
