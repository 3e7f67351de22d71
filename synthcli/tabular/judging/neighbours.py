"""Nearest neighbours among records of numbers and categories."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from synthcli.tabular.judging.encoding import Encoded, EncodedTable

COST = 2.5e8  # number comparisons that one search may take: about a quarter of a second
_BLOCK = (
    128  # queries at a time, fewer where there are many references: their distances to all of them stay in the cache
)
_CACHED = 2**18


@dataclass(frozen=True)
class Points:
    """Records in a metric space. ranks: (rows, numbers) float32 in 0..1, null -1; codes: (rows, categories) int32, null
    -1.
    """

    ranks: np.ndarray
    codes: np.ndarray

    def __len__(self) -> int:
        return len(self.ranks)

    @property
    def columns(self) -> int:
        return self.ranks.shape[1] + self.codes.shape[1]

    def take(self, rows: np.ndarray) -> Points:
        return Points(self.ranks[rows], self.codes[rows])


def embed(encoded: Encoded, real: tuple[str, ...] = ("train", "control")) -> dict[str, Points]:
    """Embed each table. A number becomes its mid-rank among the real tables, so that distances do not depend on its
    scale or on outliers.
    """
    pooled = [encoded.tables[name].numbers for name in real if name in encoded.tables]
    references = [np.sort(column[~np.isnan(column)]) for column in np.vstack(pooled).T]
    return {name: _points(part, references) for name, part in encoded.tables.items()}


def _points(part: EncodedTable, references: list[np.ndarray]) -> Points:
    ranks = np.empty(part.numbers.shape, dtype=np.float32)
    for j, reference in enumerate(references):
        x = part.numbers[:, j]
        middle = np.searchsorted(reference, x) + np.searchsorted(reference, x, side="right")
        ranks[:, j] = np.where(np.isnan(x), -1, middle / (2 * max(len(reference), 1)))
    return Points(ranks, part.codes.astype(np.int32))


def affordable(queries: int, references: int, columns: int) -> tuple[int, int]:
    """How many queries and references a search can afford. Both are reduced by the same factor."""
    cost = queries * references * max(columns, 1)
    share = min(1.0, np.sqrt(COST / cost)) if cost else 1.0
    return max(int(queries * share), min(queries, 200)), max(int(references * share), min(references, 200))


def nearest(queries: Points, references: Points) -> tuple[np.ndarray, np.ndarray]:
    """Distance to the nearest reference and its position: Manhattan over ranks plus 1 for each category that differs;
    exact.

    (queries,) float32 and int64; raises ValueError without references.
    """
    if not len(references):
        raise ValueError("no references to search")
    # the narrowest integers that hold all codes: twice to ten times as fast as int32
    narrow = np.min_scalar_type(-1 - int(max(queries.codes.max(initial=0), references.codes.max(initial=0))))
    queries = Points(queries.ranks, queries.codes.astype(narrow))
    ranks, codes = np.ascontiguousarray(references.ranks.T), np.ascontiguousarray(references.codes.T.astype(narrow))
    size = int(np.clip(_CACHED // len(references), 8, _BLOCK))
    blocks = [queries.take(slice(start, start + size)) for start in range(0, len(queries), size)]  # type: ignore[arg-type]
    with ThreadPoolExecutor(
        min(4, os.cpu_count() or 1)
    ) as pool:  # numpy lets go of the interpreter in each of the steps
        found = list(pool.map(lambda block: _nearest(block, ranks, codes), blocks))
    empty: tuple[np.ndarray, np.ndarray] = (np.zeros(0, np.float32), np.zeros(0, np.int64))
    return (np.concatenate([d for d, _ in found]), np.concatenate([i for _, i in found])) if found else empty


def _nearest(block: Points, ranks: np.ndarray, codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Nearest references of one block of queries. ranks, codes: (columns, references)"""
    shape = (len(block), ranks.shape[1])
    total, step, differs = np.zeros(shape, np.float32), np.empty(shape, np.float32), np.empty(shape, bool)
    for j in range(len(ranks)):
        np.subtract(block.ranks[:, j, None], ranks[j], out=step)
        total += np.abs(step, out=step)
    for start in range(0, len(codes), 255):  # as many as a byte can count
        count = np.zeros(shape, np.uint8)
        for j in range(start, min(start + 255, len(codes))):
            count += np.not_equal(block.codes[:, j, None], codes[j], out=differs).view(np.uint8)
        total += count
    at = total.argmin(axis=1)
    return total[np.arange(len(at)), at], at
