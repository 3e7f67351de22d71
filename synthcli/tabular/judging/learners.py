"""Models that metrics fit: the target as labels, the features, and boosted trees of limited cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from synthcli.tabular.judging.encoding import Encoded

SHALLOW = {"max_leaf_nodes": 8, "min_samples_leaf": 60, "learning_rate": 0.05, "max_features": 0.3}


def target_of(encoded: Encoded, target: str) -> tuple[dict[str, np.ndarray], bool]:
    """The target of each table as floats, NaN for null; and whether it is a number with more than two values in
    train.
    """
    if target in encoded.categories:
        j = encoded.categories.index(target)
        return {
            k: np.where(p.codes[:, j] < 0, np.nan, p.codes[:, j].astype(float)) for k, p in encoded.tables.items()
        }, False
    j = encoded.numbers.index(target)
    values = {k: p.numbers[:, j] for k, p in encoded.tables.items()}
    return values, len(np.unique(values["train"][~np.isnan(values["train"])])) > 2


def score_of(classes: int) -> str:
    """The name of the score of a prediction. classes: 0 for a number"""
    return "r2" if not classes else "auc" if classes == 2 else "accuracy"


def boosted(columns: int, classes: int, seed: int, *, shallow: bool = False) -> Any:
    """Boosted trees, not yet fitted: 100 rounds; fewer, but at least 30, for more than 50 columns or two classes.

    classes: 0 for a number; shallow: small trees that learn slowly, for targets that are mostly noise.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

    rounds = max(30, min(100, 5_000 // max(columns, 1), 200 // max(classes, 2)))
    size: dict[str, Any] = {"max_bins": 64, "max_leaf_nodes": 15} if columns > 50 else {}
    size |= SHALLOW if shallow else {}
    kind = HistGradientBoostingClassifier if classes else HistGradientBoostingRegressor
    return kind(max_iter=rounds, early_stopping=False, random_state=seed % 2**31, **size)


def features(fit: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The columns of both tables that vary in `fit`. A column with a single value and nulls becomes an indicator of
    nulls.
    """
    known = ~np.isnan(fit)
    low, high = (
        np.where(known, fit, np.inf).min(axis=0, initial=np.inf),
        np.where(known, fit, -np.inf).max(axis=0, initial=-np.inf),
    )
    flag = (low == high) & ~known.all(axis=0)  # there, null or not is all that a tree can learn
    keep = (low < high) | flag
    return np.where(flag, np.isnan(fit), fit)[:, keep], np.where(flag, np.isnan(other), other)[:, keep]
