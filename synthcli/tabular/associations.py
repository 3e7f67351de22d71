"""Associations between pairs of columns, real and synthetic: Pearson's r and Cramér's V."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synthcli.columns.table import Table
from synthcli.contracts.schema import Schema
from synthcli.tabular.disclosure import FEW, rounded
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.association import cramers_v_matrix
from synthcli.tabular.judging.encoding import cut, encode
from synthcli.tabular.metrics.trends import pearson

PAIRED = 60  # columns of the association matrices
PAIR_ROWS = 10_000
CLASSES = 12  # maximum number of classes of a column for Cramér's V


def pairs_of(sides: dict[str, Table], schema: Schema, *, rng: np.random.Generator) -> dict[str, Any] | None:
    """Pairwise associations, columns with the largest differences first: {names, of, real, synthetic}; upper triangles
    by row, None for undefined entries.
    """
    found = associations(sides, schema, rng=rng)
    if found is None:
        return None
    apart = np.abs(found.real - found.synthetic)
    np.fill_diagonal(apart, np.nan)
    order = np.argsort(-np.nan_to_num(apart).mean(axis=1), kind="stable")
    upper = np.triu_indices(len(order), 1)
    triangles = {
        side: rounded(m[np.ix_(order, order)][upper], 3)
        for side, m in (("real", found.real), ("synthetic", found.synthetic))
    }
    return {"names": [found.names[j] for j in order], "of": found.of, **triangles}


@dataclass(frozen=True)
class Associations:
    """Association matrices of the named columns. real, synthetic: (k, k), NaN where undefined; of: total number of
    columns, at least k.
    """

    names: list[str]
    of: int
    real: np.ndarray
    synthetic: np.ndarray


def associations(sides: dict[str, Table], schema: Schema, *, rng: np.random.Generator) -> Associations | None:
    """Pearson's r between two numbers, otherwise Cramér's V (bias-corrected, Bergsma 2013) with numbers binned at the
    real deciles and null as a class.

    None if there are fewer than two columns or too few rows. sides: real and synthetic.
    """
    encoded = encode({side: cut(table, PAIR_ROWS, rng=rng) for side, table in sides.items()}, schema)
    real, synthetic = encoded.tables["real"], encoded.tables["synthetic"]
    numbers = len(encoded.numbers)
    if len(encoded.names) < 2 or min(len(real), len(synthetic)) < 2 * FEW:
        return None
    with intervals.one_thread():
        keep = _worst(real.matrix(), synthetic.matrix())
        classes = [_classes(real, synthetic, j, numbers) for j in keep]
        matrices = {side: cramers_v_matrix([c[i] for c in classes]) for i, side in enumerate(("real", "synthetic"))}
        both = np.flatnonzero(keep < numbers)
        for side, part in (("real", real), ("synthetic", synthetic)):
            matrices[side][np.ix_(both, both)] = pearson(part.numbers[:, keep[both]])[0]
    return Associations([encoded.names[j] for j in keep], len(encoded.names), **matrices)


def _worst(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Screen for the PAIRED columns whose correlations (of codes, for categories) differ most, in column order."""
    if real.shape[1] <= PAIRED:
        return np.arange(real.shape[1])
    apart = np.abs(np.nan_to_num(pearson(real)[0]) - np.nan_to_num(pearson(synthetic)[0]))
    return np.sort(np.argsort(-apart.mean(axis=1), kind="stable")[:PAIRED])


def _classes(real: Any, synthetic: Any, j: int, numbers: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes of column j in both tables as integers, 0 for null; numbers are binned at the real deciles, and the
    rarest categories merged.
    """
    if j < numbers:
        known = real.numbers[:, j][~np.isnan(real.numbers[:, j])]
        edges = np.unique(np.quantile(known, np.arange(1, 10) / 10)) if len(known) else np.zeros(0)
        one, two = (
            np.where(np.isnan(x), 0, 1 + np.searchsorted(edges, x, side="right"))
            for x in (real.numbers[:, j], synthetic.numbers[:, j])
        )
        return one, two
    j -= numbers
    counts = np.bincount(
        real.codes[:, j] + 1, minlength=max(real.codes[:, j].max(initial=0), synthetic.codes[:, j].max(initial=0)) + 2
    )
    counts[0] = len(real) + 1  # null keeps class 0
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(len(counts)), CLASSES - 1)
    return place[real.codes[:, j] + 1], place[synthetic.codes[:, j] + 1]
