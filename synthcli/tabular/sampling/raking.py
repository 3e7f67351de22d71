"""Raking: fit a joint distribution to requested margins, and round it to whole numbers of rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

EVEN = 0.5  # pseudo-count of a value that the pilot lacks
UNSEEN = 1e-6  # pseudo-count of a combination that the pilot lacks: small, so that only the margins bring it in
SECONDS = 20  # time limit for rounding shares to whole rows


def codes_of(values: pd.Series, levels: Sequence[Any]) -> np.ndarray:
    """Index of each value among the levels, -1 for other values; the level None is null. (rows,) int64"""
    out = np.full(len(values), -1, dtype=np.int64)
    for i, level in enumerate(levels):
        out[(values.isna() if level is None else (values == level).fillna(False)).to_numpy(dtype=bool)] = i
    return out


def joint_of(pilot: pd.DataFrame, levels: Mapping[str, Sequence[Any]]) -> np.ndarray:
    """Joint distribution of the levels in the pilot, smoothed so that no share is 0."""
    places = [codes_of(pilot[name], values) for name, values in levels.items()]
    shape = tuple(len(v) for v in levels.values())
    seen = np.all([p >= 0 for p in places], axis=0)
    counts = (
        np.bincount(np.ravel_multi_index([p[seen] for p in places], shape), minlength=int(np.prod(shape)))
        .reshape(shape)
        .astype(float)
    )
    counts = np.where(counts > 0, counts, EVEN if counts.ndim == 1 else UNSEEN)
    return counts / counts.sum()


def independent(joint: np.ndarray, target: int) -> np.ndarray:
    """Make the target independent of the other axes, keeping both marginal distributions."""
    others = tuple(i for i in range(joint.ndim) if i != target)
    return joint.sum(axis=target, keepdims=True) * joint.sum(axis=others, keepdims=True)


def rake(joint: np.ndarray, margins: Sequence[np.ndarray | None]) -> np.ndarray:
    """Iterative proportional fitting (Deming & Stephan 1940). margins: one per axis, None for a free axis."""
    for _ in range(500):
        before = joint
        for axis, margin in enumerate(margins):
            if margin is not None:
                others = tuple(i for i in range(joint.ndim) if i != axis)
                now = joint.sum(axis=others)
                shape = [-1 if i == axis else 1 for i in range(joint.ndim)]
                joint = joint * np.divide(margin, now, out=np.zeros_like(now), where=now > 0).reshape(shape)
        if np.abs(joint - before).max() < 1e-12:
            break
    return joint / joint.sum()


def whole_rows(target: np.ndarray, rows: int) -> np.ndarray:
    """Round the target to whole numbers that sum to `rows`, each within one of its target and with the closest possible
    margins.
    """
    if target.ndim == 1:
        return largest_remainder(target, rows)
    from scipy import optimize, sparse

    floor = np.floor(target + 1e-9).astype(np.int64)
    places = np.arange(target.size).reshape(target.shape)
    totals, lines = [], []
    for axis in range(target.ndim):
        others = tuple(i for i in range(target.ndim) if i != axis)
        for i, total in enumerate(largest_remainder(target.sum(axis=others), rows)):
            lines.append(np.isin(np.arange(target.size), np.take(places, i, axis=axis)))
            totals.append(total - np.take(floor, i, axis=axis).sum())
    # binary variables round cells up or down; slack variables penalise margins that miss their totals
    strata = sparse.csr_matrix(np.array(lines, dtype=float))
    slack = sparse.identity(len(lines))
    whole = sparse.csr_matrix(np.ones((1, target.size)))
    matrix = sparse.bmat([[strata, slack, -slack], [whole, None, None]]).tocsr()
    bounds = np.array([*totals, rows - floor.sum()], dtype=float)
    near = floor.ravel() - target.ravel()  # the larger the remainder, the cheaper to round up
    cost = np.concatenate([1e-3 * near, np.ones(2 * len(lines))])
    upper = np.concatenate([np.ones(target.size), np.full(2 * len(lines), np.inf)])
    solved = optimize.milp(
        cost,
        constraints=optimize.LinearConstraint(matrix, bounds, bounds),
        integrality=np.concatenate([np.ones(target.size), np.zeros(2 * len(lines))]),
        bounds=optimize.Bounds(0, upper),
        options={"time_limit": SECONDS},
    )
    if solved.x is None:
        return largest_remainder(target.ravel(), rows).reshape(target.shape)
    return floor + np.rint(solved.x[: target.size]).astype(np.int64).reshape(target.shape)


def largest_remainder(target: np.ndarray, total: int) -> np.ndarray:
    """Round the target to whole numbers that sum to `total` (Hamilton's method). (n,)"""
    floor = np.floor(target + 1e-9).astype(np.int64)
    remainder = total - int(floor.sum())
    out = floor.copy()
    out[np.argsort(floor - target, kind="stable")[: max(0, remainder)]] += 1
    return out


def parity_gap(joint: np.ndarray, target: int) -> float:
    """Demographic parity gap: the largest difference between groups in the share of any value of the target. joint:
    counts or shares

    Groups with less than one row in a thousand are left out.
    """
    table = np.moveaxis(joint, target, -1).reshape(-1, joint.shape[target])
    size = table.sum(1)
    large = size >= max(1e-3 * size.sum(), 1e-300)
    share = table[large] / size[large, None]
    return float((share.max(0) - share.min(0)).max()) if len(share) > 1 else 0.0
