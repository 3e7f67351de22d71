"""Uniqueness across blocks of rows: hashes of the rows accepted so far, and the rules that compare with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.constraints.rule import Rule
from synthcli.columns.constraints.table_rules import Unique


@dataclass(frozen=True)
class Seen:
    """A set of hashes that only grows, 8 bytes each: sorted runs, each more than twice as long as the next. Adding n
    hashes block by block takes O(n log n), a lookup O(log n) per run.
    """

    runs: tuple[np.ndarray, ...] = ()

    def holds(self, hashes: np.ndarray) -> np.ndarray:
        """Which hashes are in the set. (rows,) bool"""
        order = np.argsort(hashes)
        ordered = hashes[order]  # sorted lookups stay in cache
        found = np.zeros(len(hashes), dtype=bool)
        for run in self.runs:
            found[order] |= run[np.minimum(np.searchsorted(run, ordered), len(run) - 1)] == ordered
        return found

    def and_those(self, hashes: np.ndarray) -> Seen:
        """The set with more hashes."""
        runs = [*self.runs, np.sort(hashes)] if len(hashes) else list(self.runs)
        while len(runs) > 1 and len(runs[-2]) <= 2 * len(runs[-1]):
            runs[-2:] = [np.sort(np.concatenate(runs[-2:]), kind="stable")]  # two sorted runs merge in one pass
        return Seen(tuple(runs))


class Watch:
    """Check rules block by block, in order: a unique rule remembers the hashes of the accepted rows."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self._seen = {i: Seen() for i, rule in enumerate(rules) if isinstance(rule, Unique)}

    def fork(self) -> Watch:
        """A copy that remembers the same rows."""
        out = Watch(self.rules)
        out._seen = dict(self._seen)
        return out

    def broken(self, frame: pd.DataFrame) -> np.ndarray:
        """Which rows break which rule. A row that another rule rejects does not make later equal rows duplicates.
        (rules, rows) bool
        """
        out = np.zeros((len(self.rules), len(frame)), dtype=bool)
        for i, rule in enumerate(self.rules):
            if not isinstance(rule, Unique):
                out[i] = rule.violations(frame)
        for i, seen in self._seen.items():
            good = np.flatnonzero(~out.any(axis=0))
            some, rule = frame.iloc[good], self.rules[i]
            assert isinstance(rule, Unique)
            out[i, good] = rule.violations(some) | (seen.holds(rule.hashes(some)) & rule.known(some))
        return out

    def accept(self, frame: pd.DataFrame) -> None:
        """Remember rows that are part of the output."""
        for i, seen in self._seen.items():
            rule = self.rules[i]
            assert isinstance(rule, Unique)
            self._seen[i] = seen.and_those(rule.hashes(frame)[rule.known(frame)])
