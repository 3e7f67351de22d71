"""Importance sampling: rows that meet conditions, drawn from candidates that are weighted by the likelihood of the
conditions.

If the conditions are the same for all rows, rows are chosen among common candidates, whose number grows until no
candidate weighs more than one row (sampling importance resampling, Rubin 1987, without replacement). If each row has
conditions of its own, each row is followed by particles, which are resampled after each condition (sequential Monte
Carlo, Doucet & Johansen 2009).
"""

from __future__ import annotations

import numpy as np

MAX_PER_ROW = 32  # candidates for each row, at most
ALWAYS_ALLOWED = 2**16  # candidates that may be drawn for however few rows


def is_sufficient(weights: np.ndarray, rows: int) -> bool:
    """Whether `rows` different candidates can be chosen in proportion to these weights, or the limit is reached."""
    return bool(weights.sum() >= rows * weights.max() > 0) or len(weights) >= max(ALWAYS_ALLOWED, MAX_PER_ROW * rows)


def choose(weights: np.ndarray, rows: int, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of `rows` candidates in random order, chosen with probability proportional to weight (systematic
    sampling). None is chosen twice as long as enough candidates have a positive weight.
    """
    if not rows:
        return np.zeros(0, dtype=np.intp)
    order = rng.permutation(len(weights))
    probability = _inclusion_probabilities(weights[order], rows)
    edges = np.cumsum(probability) * (rows / probability.sum())
    positions = np.searchsorted(edges, np.arange(rows) + rng.random(), side="right").clip(max=len(order) - 1)
    return rng.permutation(order[positions])


def _inclusion_probabilities(weights: np.ndarray, rows: int) -> np.ndarray:
    """Inclusion probabilities of the candidates: proportional to their weights, but at most 1. (n,)"""
    positive = np.count_nonzero(weights > 0)
    if positive <= rows:  # take all of them; if there are too few, each one about equally often
        return np.where(weights > 0, 1.0, 0.0) if positive else np.ones(len(weights))
    certain = np.zeros(len(weights), dtype=bool)
    while True:
        scale = (rows - certain.sum()) / weights[~certain].sum()
        above = ~certain & (weights * scale > 1)
        if not above.any():
            return np.where(certain, 1.0, weights * scale)
        certain |= above


def resample(weights: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Systematic resampling of the particles of each row. weights: (rows, particles) -> (rows, particles) positions"""
    rows, particles = weights.shape
    total = weights.sum(1, keepdims=True)
    share = np.where(total > 0, weights / np.where(total > 0, total, 1), 1 / particles)
    u = (np.arange(particles) + rng.random((rows, 1))) / particles
    edges = np.cumsum(share, axis=1)
    edges[:, -1] = 1.0
    # a single search serves all rows: the edges and draws of row i lie between i and i + 1
    base = np.arange(rows)[:, None]
    position = np.searchsorted((edges + base).ravel(), (u + base).ravel(), side="right").reshape(rows, particles)
    return np.minimum(position - base * particles, particles - 1)
