"""Matching of rows to parents.

A row is matched by the columns of its parent, which are drawn with the row. Each parent has a number of children to
get.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcli.relational.relationships import NULL

SAMPLE = 5_000  # rows that mutual information is measured on
CLASSES = 12  # of a column when mutual information is measured
KINDS = 16  # of parents, when numbers of children are reassigned
OFF = 0.01  # share of the children that may be of other kinds of parents than was drawn
ROUNDS = 60  # of exchanging parents between rows whose pair of parents occurs twice


def slots(degree: np.ndarray, rows: int, *, rng: np.random.Generator) -> np.ndarray:
    """Repeat the position of each parent by its number of children, for exactly this number of rows. (rows,) int64

    Where the sum differs, positions are left out or repeated at random.
    """
    base = np.repeat(np.arange(len(degree)), np.maximum(degree, 0))
    if not len(base):
        return rng.integers(len(degree), size=rows) if len(degree) else np.full(rows, NULL)
    often, rest = divmod(rows, len(base))
    return np.concatenate([np.tile(base, often), base[rng.permutation(len(base))[:rest]]])


def match_nearest(drawn: np.ndarray, there: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Match each row to the nearest place, each place once. (rows,) int64

    drawn, there: (rows, d) numbers of one scale, the most informative column first. Both sides are halved by one
    column after the other until single rows are left: two k-d trees, matched leaf by leaf.
    """
    rows, d = drawn.shape
    ours, theirs = rng.permutation(rows), rng.permutation(rows)
    cell = np.zeros(rows, dtype=np.int64)
    level, size = 0, rows
    while size > 1 and d:
        j = level % d
        ours, theirs = ours[np.lexsort((drawn[ours, j], cell))], theirs[np.lexsort((there[theirs, j], cell))]
        counts = np.bincount(cell)
        place = np.arange(rows) - np.repeat(np.cumsum(counts) - counts, counts)
        cell = 2 * cell + (place >= (np.repeat(counts, counts) + 1) // 2)
        cell = np.cumsum(np.r_[0, np.diff(cell) > 0])
        level, size = level + 1, int(np.bincount(cell).max())
    out = np.empty(rows, dtype=np.int64)
    out[ours] = theirs
    return out


def match_parents(
    drawn: pd.DataFrame,
    offered: pd.DataFrame,
    degree: np.ndarray,
    groups: tuple[np.ndarray, np.ndarray] | None = None,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Match each row to a parent, NULL where no parent is allowed. (rows,) int64

    drawn: columns of the parent that were drawn with each row; offered: the same columns of all parents, the most
    informative first; degree: (parents,) children to get; groups: codes of the rows and of the parents that must be
    equal.
    """
    ours, theirs = _numbers(drawn, offered)
    if groups is None:
        return _match(ours, theirs, degree, rng=rng)
    out = np.full(len(drawn), NULL)
    mine, others = groups
    by_row, by_parent = np.argsort(mine, kind="stable"), np.argsort(others, kind="stable")
    for group in np.unique(mine):
        rows = by_row[np.searchsorted(mine[by_row], group) : np.searchsorted(mine[by_row], group, side="right")]
        parents = by_parent[
            np.searchsorted(others[by_parent], group) : np.searchsorted(others[by_parent], group, side="right")
        ]
        if len(parents):
            out[rows] = parents[_match(ours[rows], theirs[parents], degree[parents], rng=rng)]
    return out


def _match(drawn: np.ndarray, offered: np.ndarray, degree: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    if not len(degree):
        return np.full(len(drawn), NULL)
    places = slots(
        reassign_degrees(degree, drawn[:, 0], offered[:, 0], rng=rng) if drawn.shape[1] else degree,
        len(drawn),
        rng=rng,
    )
    return places[match_nearest(drawn, offered[places], rng=rng)]


def reassign_degrees(
    degree: np.ndarray, drawn: np.ndarray, offered: np.ndarray, *, rng: np.random.Generator
) -> np.ndarray:
    """Exchange numbers of children between kinds of parents so that they agree with the drawn kinds. (parents,) int64

    degree, offered: (parents,); drawn: (rows,) the most informative column as a number. A small lookup table never has
    its numbers of children in the drawn proportions by chance alone.
    """
    values = np.unique(offered)
    edges = values[1:]
    if len(values) > KINDS:
        edges = np.unique(np.quantile(offered, np.linspace(0, 1, KINDS + 1)[1:-1]))
    kind = np.searchsorted(edges, offered, side="right")
    drawn_kind = np.searchsorted(edges, drawn, side="right")
    size, total = len(edges) + 1, int(degree.sum())
    parents = np.bincount(kind, minlength=size)
    want = np.where(parents > 0, np.bincount(drawn_kind, minlength=size), 0.0)
    if not total or not want.sum():
        return degree
    want *= total / want.sum()
    if np.abs(np.bincount(kind, degree, minlength=size) - want).sum() <= 2 * OFF * total:
        return degree
    return _deal_degrees(degree, kind, want, rng=rng)


def _deal_degrees(degree: np.ndarray, kind: np.ndarray, want: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Deal numbers of children, the largest first, to the kind of parents that lacks most. (parents,) int64

    kind: (parents,); want: (kinds,) children that all parents of a kind are to have.
    """
    members = [rng.permutation(np.flatnonzero(kind == k)).tolist() for k in range(len(want))]
    out, left, parents = np.zeros_like(degree), want.copy(), np.bincount(kind, minlength=len(want))
    for n in np.sort(degree)[::-1]:  # a loop over parents, not over rows
        k = int(np.argmax(np.where(parents > 0, left / np.maximum(parents, 1), -np.inf)))
        out[members[k].pop()] = n
        parents[k] -= 1
        left[k] -= n
    return out


def _numbers(one: pd.DataFrame, two: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Convert both frames to numbers of one scale, categories by frequency. (rows, d), (parents, d)"""
    columns = []
    for name in one.columns:
        both = pd.concat([one[name], two[name]], ignore_index=True)
        if both.dtype == np.float64:
            columns.append(both.to_numpy())
        else:
            codes, known = pd.factorize(both, use_na_sentinel=False)
            rank = np.empty(len(known), dtype=np.float64)
            rank[np.argsort(-np.bincount(codes, minlength=len(known)), kind="stable")] = np.arange(len(known))
            columns.append(rank[codes])
    joined = np.column_stack(columns) if columns else np.zeros((len(one) + len(two), 0))
    return joined[: len(one)], joined[len(one) :]


def exchange_duplicates(
    first: np.ndarray, second: np.ndarray, rank: np.ndarray, *, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Exchange second parents between rows until no pair repeats; also return the rows that still do. (rows,), (rows,)

    first: codes of the rest of the pair; rows with a null parent stay as they are; rank: (parents,) similar parents are
    exchanged first.
    """
    out, width = second.copy(), int(second.max(initial=0)) + 1
    free = np.flatnonzero((first >= 0) & (second >= 0))
    near = free[np.lexsort((rng.random(len(free)), rank[out[free]]))] if len(free) else free
    place = np.empty(len(first), dtype=np.int64)
    place[near] = np.arange(len(near))
    for attempt in range(ROUNDS):
        pair = first[free] * width + out[free]
        twice = free[pd.Series(pair).duplicated().to_numpy()]
        if not len(twice):
            break
        reach = min(len(near), 16 << min(attempt, 40))
        partner = near[(place[twice] + rng.integers(-reach, reach + 1, size=len(twice))) % len(near)]
        alone = ~pd.Series(partner).duplicated().to_numpy() & ~np.isin(partner, twice)
        twice, partner = twice[alone], partner[alone]
        one, two = first[twice] * width + out[partner], first[partner] * width + out[twice]
        good = ~np.isin(one, pair) & ~np.isin(two, pair) & (one != two)
        out[twice[good]], out[partner[good]] = out[partner[good]], out[twice[good]]
    left = np.zeros(len(first), dtype=bool)
    left[free] = pd.Series(first[free] * width + out[free]).duplicated().to_numpy()
    return out, left


def similarity_rank(offered: pd.DataFrame) -> np.ndarray:
    """Rank parents by their columns, the most informative first; equal parents have equal ranks. (parents,) int64"""
    numbers = _numbers(offered, offered)[0]
    if not numbers.shape[1]:
        return np.zeros(len(offered), dtype=np.int64)
    return np.unique(numbers, axis=0, return_inverse=True)[1].reshape(-1)


def mutual_information(a: np.ndarray, b: np.ndarray, *, rng: np.random.Generator) -> float:
    """Estimate the mutual information of two columns of cells, in nats, corrected for bias (Miller 1955)."""
    some = rng.permutation(len(a))[:SAMPLE]
    x, y = _classes(a[some]), _classes(b[some])
    n, ka, kb = len(some), int(x.max(initial=0)) + 1, int(y.max(initial=0)) + 1
    if not n:
        return 0.0
    table = np.bincount(x * kb + y, minlength=ka * kb).reshape(ka, kb) / n
    seen = table > 0
    expected = table.sum(1, keepdims=True) * table.sum(0)
    return max(0.0, float((table[seen] * np.log(table[seen] / expected[seen])).sum()) - (ka - 1) * (kb - 1) / (2 * n))


def _classes(values: np.ndarray) -> np.ndarray:
    if values.dtype != object:
        edges = (
            np.unique(np.nanquantile(values, np.linspace(0, 1, CLASSES + 1)[1:-1]))
            if not np.isnan(values).all()
            else np.zeros(0)
        )
        return np.where(np.isnan(values), len(edges) + 1, np.searchsorted(edges, values, side="right")).astype(np.int64)
    codes = pd.factorize(values, use_na_sentinel=False)[0]
    rank = np.argsort(np.argsort(-np.bincount(codes), kind="stable"), kind="stable")
    return np.minimum(rank[codes], CLASSES - 1).astype(np.int64)


def rank_by_information(
    columns: Sequence[np.ndarray], others: Sequence[np.ndarray], *, rng: np.random.Generator
) -> list[int]:
    """Sort columns by their mutual information with any of the others, the highest first. Returns their positions."""
    strength = [max((mutual_information(a, b, rng=rng) for b in others), default=0.0) for a in columns]
    return [int(i) for i in np.argsort(-np.array(strength), kind="stable")]
