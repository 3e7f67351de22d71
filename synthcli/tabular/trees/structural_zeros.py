"""Pairs of codes that never occur together although they would often by chance, kept out of what is drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthcli.columns.codec.dependencies import impossible
from synthcli.columns.codec.parts import Part, Values

FEW = 64  # categories up to which pairs that never occur are kept out

Pairs = Mapping[tuple[str, str], np.ndarray]  # (earlier part, part) -> (size, size) bool


class Bars:
    """Pairs that never occur, by the part that is drawn later."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._of: dict[str, list[tuple[str, np.ndarray]]] = {}
        for (before, part), table in pairs.items():
            self._of.setdefault(part, []).append((before, table))

    @classmethod
    def find(cls, parts: Sequence[Part], values: Values) -> Bars:
        """parts: in drawing order."""
        codes = [part for part in parts if 1 < part.size <= FEW]
        out = {}
        for i, part in enumerate(codes):
            for before in codes[:i]:
                table = impossible(values[before.name], before.size, values[part.name], part.size)
                if table.any():
                    out[before.name, part.name] = table
        return cls(out)

    def meets(self, name: str, drawn: np.ndarray, out: Values, rows: np.ndarray | slice = slice(None)) -> np.ndarray:
        """Which of `rows` hold a pair that never occurs. drawn: their values of part `name`; out: all rows' earlier
        parts.
        """
        wrong = np.zeros(len(drawn), dtype=bool)
        for before, table in self._of.get(name, ()):
            wrong |= table.ravel().take(out[before][rows] * table.shape[1] + drawn)
        return wrong

    def possible(self, name: str, size: int, out: Values, rows: np.ndarray) -> np.ndarray:
        """Which codes may stand beside the earlier parts of `rows`. (rows, size) bool"""
        may = np.ones((len(rows), size), dtype=bool)
        for before, table in self._of.get(name, ()):
            may &= ~table[out[before][rows]]
        return may

    def size(self, name: str) -> int:
        """Codes of a part, as far as pairs know it; 0 where it is in none."""
        return next((table.shape[1] for _, table in self._of.get(name, ())), 0)
