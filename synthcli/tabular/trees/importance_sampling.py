"""Drawing rows of which something is asked, by importance: candidates are weighed by how likely they make what is
asked.

Where the same is asked of all rows, they are chosen from a pool of candidates, which grows until no candidate weighs
more than a row (sampling importance resampling, Rubin 1987, without replacement). Where each row has its own, each is
followed by some particles that are resampled wherever something is known (sequential Monte Carlo, Doucet & Johansen
2009).
"""

from __future__ import annotations

import numpy as np

MOST = 32  # candidates for each row of a pool, at most
LEAST = 2**16  # candidates that a pool may have in any case


def enough(weights: np.ndarray, rows: int) -> bool:
    """Whether a pool of these weights gives so many rows, each of a candidate of its own, in proportion to their
    weights.
    """
    return bool(weights.sum() >= rows * weights.max() > 0) or len(weights) >= max(LEAST, MOST * rows)


def chosen(weights: np.ndarray, rows: int, *, rng: np.random.Generator) -> np.ndarray:
    """Positions of `rows` candidates, in no order: as likely as they weigh, none twice as long as there are enough of
    any weight.
    """
    if not rows:
        return np.zeros(0, dtype=np.intp)
    order = rng.permutation(len(weights))
    chance = _inclusion(weights[order], rows)
    edges = np.cumsum(chance) * (rows / chance.sum())
    picked = order[np.searchsorted(edges, np.arange(rows) + rng.random(), side="right").clip(max=len(order) - 1)]
    return rng.permutation(picked)


def _inclusion(weights: np.ndarray, rows: int) -> np.ndarray:
    """Chances of the candidates to be chosen: in proportion to their weights, but not above 1. (n,)"""
    positive = np.count_nonzero(weights > 0)
    if positive <= rows:  # all of them; where they are too few, evenly more often than once
        return np.where(weights > 0, 1.0, 0.0) if positive else np.ones(len(weights))
    sure = np.zeros(len(weights), dtype=bool)
    while True:
        scale = (rows - sure.sum()) / weights[~sure].sum()
        over = ~sure & (weights * scale > 1)
        if not over.any():
            return np.where(sure, 1.0, weights * scale)
        sure |= over


def resampled(weights: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """For each row, which of its particles go on, drawn evenly by weight. weights: (rows, particles), -> (rows,
    particles) positions
    """
    rows, particles = weights.shape
    total = weights.sum(1, keepdims=True)
    share = np.where(total > 0, weights / np.where(total > 0, total, 1), 1 / particles)
    at = (np.arange(particles) + rng.random((rows, 1))) / particles
    edges = np.cumsum(share, axis=1)
    edges[:, -1] = 1.0
    # one search for all rows: row i's edges and draws lie between i and i + 1
    base = np.arange(rows)[:, None]
    place = np.searchsorted((edges + base).ravel(), (at + base).ravel(), side="right").reshape(rows, particles)
    return np.minimum(place - base * particles, particles - 1)
