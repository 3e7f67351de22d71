"""Calibration of rejection sampling: rows that obey the rules are accepted so that columns keep their marginals.

Rejection alone distorts marginals: rows with values for which a rule rarely holds survive less often. Among all
distributions of rows that obey the rules, and whose columns have given marginals, the one nearest to what rejection
yields (in Kullback-Leibler divergence) multiplies its density by one factor for each class of each column (Csiszár
1975). Raking finds the factors (Deming & Stephan 1940). A row that obeys is then accepted with a probability
proportional to their product, so that no row is used twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

from synthcli.tabular.sampling.classes import Classes

SWEEPS = 60  # of raking over all columns, at most
MAX_STEP = 0.5  # of a log factor in one sweep: a class that hardly obeys is not raised at once
LEAST_SHARE = 0.05  # share of the obeying rows that are accepted, at least, however far the marginals are off
NOISE = 1.5  # expected distances by chance, from which a marginal counts as changed
NEAR = 0.002  # total variation distance at which raking ends


@dataclass(frozen=True)
class Calibration:
    """Log factors by column and class. factors: one array (classes,) per column; level: (strata,) log factor of a row
    that is always accepted, (1,) without strata; off: column -> total variation distance of its marginal to the target
    that remains, for example because a rule excludes values; not for another process.
    """

    classes: tuple[Classes, ...]
    factors: tuple[np.ndarray, ...]
    level: np.ndarray
    off: Mapping[str, float] = field(default_factory=dict)

    def accepts(self, frame: pd.DataFrame, stratum: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Which rows are accepted. frame: rows that obey; stratum: (rows,) -> (rows,) bool"""
        log = sum((f[c.codes(frame[c.column])] for c, f in zip(self.classes, self.factors)), np.zeros(len(frame)))
        return np.asarray(rng.random(len(frame)) < np.exp(log - self.level[stratum]))

    def to_json(self) -> dict[str, Any]:
        columns = [c.to_json() | {"factors": f.tolist()} for c, f in zip(self.classes, self.factors)]
        return {"columns": columns, "level": self.level.tolist()}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Calibration:
        classes = tuple(Classes.from_json(column) for column in data["columns"])
        factors = tuple(np.array(column["factors"], dtype=np.float64) for column in data["columns"])
        return cls(classes, factors, np.array(data["level"], dtype=np.float64))


def calibrate(
    classes: Sequence[Classes],
    codes: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    always: frozenset[str],
    stratum: np.ndarray,
    shares: np.ndarray,
) -> Calibration:
    """Rake the acceptance of rows that obey to the target marginals.

    codes: class of each row, for each column; targets: (classes,) share of each class, for each column; a class without
    a row is out of reach, and the others share its target; always: columns that are raked even if their marginal is off
    by no more than chance; stratum: (rows,) of each row; shares: (strata,) of the output.
    """
    rake = _Raking(codes, [_reachable(t, c) for t, c in zip(targets, codes)], stratum, shares)
    named = [column.column in always for column in classes]
    best, factors, level, weights = np.inf, rake.copied(), rake.level.copy(), rake.weights()
    for _ in range(SWEEPS):
        off = rake.sweep(named)
        if off < best - NEAR / 10:
            best, factors, level, weights = off, rake.copied(), rake.level.copy(), rake.weights()
        if off < NEAR:
            break
    kept = [j for j, factor in enumerate(factors) if factor.any()]
    left = {classes[j].column: distance(codes[j], weights, targets[j]) for j in kept}
    return Calibration(tuple(classes[j] for j in kept), tuple(factors[j] for j in kept), level, left)


class _Raking:
    """The state of raking: log factors, and what they make of each row."""

    def __init__(
        self, codes: Sequence[np.ndarray], targets: Sequence[np.ndarray], stratum: np.ndarray, shares: np.ndarray
    ) -> None:
        self.codes, self.targets, self.stratum, self.shares = codes, targets, stratum, shares
        self.factors = [np.zeros(len(target)) for target in targets]
        self.log = np.zeros(len(stratum))
        self.level = np.zeros(len(shares))

    def copied(self) -> list[np.ndarray]:
        return [factor.copy() for factor in self.factors]

    def weights(self) -> np.ndarray:
        """The share of each row in the output. (rows,), sums to 1"""
        accepted = np.exp(np.minimum(self.log - self.level[self.stratum], 0))
        total = np.bincount(self.stratum, accepted, len(self.shares))
        weights = accepted * (self.shares / np.maximum(total, 1e-300))[self.stratum]
        return np.asarray(weights / weights.sum())

    def sweep(self, always: Sequence[bool]) -> float:
        """Move the marginal of each column that is off to its target; return the largest distance that is left."""
        for j, named in enumerate(always):
            weights = self.weights()
            if named or self._changed(j, weights):
                shares = np.bincount(self.codes[j], weights, len(self.targets[j]))
                step = log_step(shares, self.targets[j], MAX_STEP)
                self.factors[j] += step
                self.log += step[self.codes[j]]
        self._level()
        weights = self.weights()
        raked = [j for j, named in enumerate(always) if named or self._changed(j, weights)]
        return max((distance(self.codes[j], weights, self.targets[j]) for j in raked), default=0.0)

    def _changed(self, j: int, weights: np.ndarray) -> bool:
        """Whether a marginal is further from its target than by chance."""
        target = self.targets[j]
        chance = 0.4 * np.sqrt(target * (1 - target) * (weights**2).sum()).sum()  # half the mean of |N(0, 1)|
        return distance(self.codes[j], weights, target) > NOISE * float(chance)

    def _level(self) -> None:
        """Set the level of each stratum to its highest factor, or lower until enough rows are accepted."""
        for number in range(len(self.shares)):
            log = self.log[self.stratum == number]
            if not len(log):
                continue
            low, high = float(log.min()), float(log.max())
            if np.exp(log - high).mean() < LEAST_SHARE:
                for _ in range(30):
                    middle = (low + high) / 2
                    enough = np.exp(np.minimum(log - middle, 0)).mean() >= LEAST_SHARE
                    low, high = (middle, high) if enough else (low, middle)
                high = low
            self.level[number] = high
        empty = np.bincount(self.stratum, minlength=len(self.shares)) == 0
        if empty.any() and len(self.log):
            self.level = np.where(empty, float(self.log.max()), self.level)


def log_step(shares: np.ndarray, target: np.ndarray, most: float) -> np.ndarray:
    """Log factors within `most` that move the shares of classes to the target, 0 where a class is empty. (classes,)"""
    both = (shares > 0) & (target > 0)
    return np.asarray(np.log(np.where(both, target, 1) / np.where(both, shares, 1)).clip(-most, most))


def distance(codes: np.ndarray, weights: np.ndarray, target: np.ndarray) -> float:
    """The total variation distance of a marginal to its target. codes, weights: (rows,); target: (classes,)"""
    return 0.5 * float(np.abs(np.bincount(codes, weights, len(target)) - target).sum())


def _reachable(target: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The target of the classes that a row has, as shares of their sum. (classes,)"""
    seen = np.bincount(codes, minlength=len(target)) > 0
    total = float(target[seen].sum())
    return np.where(seen, target / total, 0.0) if total else np.where(seen, 1 / max(1, seen.sum()), 0.0)
