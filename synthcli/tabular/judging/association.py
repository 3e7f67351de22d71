"""Association between two columns of classes."""

from __future__ import annotations

import numpy as np


def cramers_v(a: np.ndarray, b: np.ndarray) -> float:
    """Bias-corrected Cramér's V (Bergsma 2013); NaN with fewer than two classes or three rows. a, b: (n,) classes,
    numbered from 0 without gaps
    """
    rows, columns, n = int(a.max(initial=0)) + 1, int(b.max(initial=0)) + 1, len(a)
    if min(rows, columns) < 2 or n < 3:
        return np.nan
    table = np.bincount(a * columns + b, minlength=rows * columns).reshape(rows, columns).astype(float)
    expected = table.sum(1, keepdims=True) * table.sum(0, keepdims=True) / n
    phi2 = max(0.0, float((((table - expected) ** 2) / expected).sum()) / n - (rows - 1) * (columns - 1) / (n - 1))
    r, c = rows - (rows - 1) ** 2 / (n - 1), columns - (columns - 1) ** 2 / (n - 1)
    return min(1.0, float(np.sqrt(phi2 / max(min(r, c) - 1, 1e-12))))


def cramers_v_matrix(columns: list[np.ndarray]) -> np.ndarray:
    """Cramér's V of each pair of columns of classes. (k, k)"""
    classes = [np.unique(column, return_inverse=True)[1].reshape(-1) for column in columns]
    out = np.full((len(columns), len(columns)), np.nan)
    for i, a in enumerate(classes):
        for j, b in enumerate(classes[: i + 1]):
            out[i, j] = out[j, i] = cramers_v(a, b)
    return out
