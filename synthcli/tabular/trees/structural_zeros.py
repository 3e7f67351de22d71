"""Structural zeros: pairs of categories that never occur together, although chance alone would produce them often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from synthcli.columns.codec.dependencies import impossible
from synthcli.columns.codec.parts import Part, Values

MAX_CATEGORIES = 64  # parts with more categories are not checked for structural zeros

Pairs = Mapping[tuple[str, str], np.ndarray]  # (earlier part, part) -> (size, size) bool, true for a structural zero


class StructuralZeros:
    """The structural zeros of a table, indexed by the part that is drawn later."""

    def __init__(self, pairs: Pairs) -> None:
        self.pairs = pairs
        self._by_part: dict[str, list[tuple[str, np.ndarray]]] = {}
        for (earlier, part), table in pairs.items():
            self._by_part.setdefault(part, []).append((earlier, table))

    @classmethod
    def find(cls, parts: Sequence[Part], values: Values) -> StructuralZeros:
        """Find the structural zeros of all pairs of parts. parts: in drawing order."""
        codes = [part for part in parts if 1 < part.size <= MAX_CATEGORIES]
        out = {}
        for i, part in enumerate(codes):
            for earlier in codes[:i]:
                table = impossible(values[earlier.name], earlier.size, values[part.name], part.size)
                if table.any():
                    out[earlier.name, part.name] = table
        return cls(out)

    def violations(
        self, name: str, drawn: np.ndarray, out: Values, rows: np.ndarray | slice = slice(None)
    ) -> np.ndarray:
        """Which of `rows` have a structural zero. drawn: their values of part `name`; out: the earlier parts of all
        rows.
        """
        violated = np.zeros(len(drawn), dtype=bool)
        for earlier, table in self._by_part.get(name, ()):
            violated |= table.ravel().take(out[earlier][rows] * table.shape[1] + drawn)
        return violated

    def possible(self, name: str, size: int, out: Values, rows: np.ndarray) -> np.ndarray:
        """Which codes of part `name` may occur with the earlier parts of `rows`. (rows, size) bool"""
        possible = np.ones((len(rows), size), dtype=bool)
        for earlier, table in self._by_part.get(name, ()):
            possible &= ~table[out[earlier][rows]]
        return possible

    def size(self, name: str) -> int:
        """Number of codes of a part that has structural zeros; 0 for any other part."""
        return next((table.shape[1] for _, table in self._by_part.get(name, ())), 0)
