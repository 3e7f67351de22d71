"""Inference over several synthetic data sets: one estimate with its interval from the estimates that each of them
gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Rule = Literal["reiter", "raghunathan", "raab"]
RULES = ("reiter", "raghunathan", "raab")


@dataclass(frozen=True)
class Combined:
    """An estimate over m data sets; every field is a float, or an array with one figure per quantity.

    variance: of the estimate; low, high: its interval; dof: degrees of freedom of the t distribution behind it (inf:
    normal); within: mean of the m variances; between: sample variance of the m estimates (NaN for one data set).
    """

    estimate: Any
    variance: Any
    low: Any
    high: Any
    dof: Any
    within: Any
    between: Any
    copies: int
    rule: Rule


def combine(
    estimates: Any, variances: Any, *, rule: Rule = "reiter", ratio: float = 1.0, level: float = 0.95
) -> Combined:
    """What an analyst may say about the population from m synthetic data sets that were analysed one by one.

    estimates: (m,) q_l, or (m, p) for p quantities; variances: the same shape, u_l, squared standard errors as the
    analysis of data set l gives them. ratio: k/n, rows of a synthetic data set by rows of the real one that the
    generator learned from.

        q̄ = Σ q_l / m        v̄ = Σ u_l / m        b = Σ (q_l - q̄)² / (m - 1)

    reiter       T = (k/n) v̄ + b/m               t, ν = (m - 1) (1 + (k/n) v̄ m / b)²       Reiter 2003; without
                 posterior draws: Reiter & Kinney 2012
    raghunathan  T = (1 + 1/m) b - v̄             t, ν = (m - 1) (1 - v̄ / ((1 + 1/m) b))²   Raghunathan, Reiter & Rubin
                                                  2003
    raab         T = (k/n + 1/m) v̄               normal; also for one data set             Raab, Nowok & Dibben 2016

    reiter fits `generate.copies` as they are by default, all from one fitted model, and also those of `proper: true`,
    where it asks for rows as many as were learned from. raghunathan asks for `proper: true`: each copy from a model
    fitted anew to a bootstrap of the units, which stands for a draw from the posterior; its T can come out negative,
    and then (k/n) v̄ takes its place (Reiter 2002) with a normal interval. All three suppose a generator that is right
    about what is estimated; no rule mends one that is not (docs/copies.md).

    Raises ValueError for shapes that do not agree, a variance below 0, a ratio or level out of range, or fewer than two
    data sets where `between` is needed.
    """
    q, u = np.asarray(estimates, dtype=float), np.asarray(variances, dtype=float)
    _check(q, u, rule, ratio, level)
    m = len(q)
    mean, within = q.mean(axis=0), u.mean(axis=0)
    between = q.var(axis=0, ddof=1) if m > 1 else np.full_like(mean, np.nan)
    variance, dof = _variance(rule, m, within, between, ratio)
    half = _quantile(level, dof) * np.sqrt(variance)
    figures = {
        "estimate": mean,
        "variance": variance,
        "low": mean - half,
        "high": mean + half,
        "dof": dof,
        "within": within,
        "between": between,
    }
    plain: dict[str, Any] = {name: float(x) if np.ndim(x) == 0 else x for name, x in figures.items()}
    return Combined(**plain, copies=m, rule=rule)


def _check(q: np.ndarray, u: np.ndarray, rule: str, ratio: float, level: float) -> None:
    if rule not in RULES:
        raise ValueError(f"rule is {rule!r}; expected one of {', '.join(RULES)}")
    if q.ndim not in (1, 2) or not len(q) or q.shape != u.shape:
        raise ValueError(
            f"estimates have the shape {q.shape} and variances {u.shape}; expected (m,) or (m, p) of both, one row per"
            " data set"
        )
    if not (np.isfinite(q).all() and np.isfinite(u).all() and (u >= 0).all()):
        raise ValueError(
            "estimates and variances must be finite, and no variance below 0; variances are squared standard errors"
        )
    if not ratio > 0 or not 0 < level < 1:
        raise ValueError(f"ratio is {ratio} and level {level}; expected a ratio above 0 and a level between 0 and 1")
    if len(q) < 2 and rule != "raab":
        raise ValueError(
            f"rule {rule} compares data sets with each other, and there is one; remedy: generate.copies: 5, or"
            " rule='raab'"
        )


def _variance(
    rule: str, m: int, within: np.ndarray, between: np.ndarray, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """T and its degrees of freedom."""
    own = ratio * within
    if rule == "raab":
        return own + within / m, np.full_like(within, np.inf)
    with np.errstate(divide="ignore", invalid="ignore"):
        if rule == "reiter":
            dof = (m - 1) * (1 + own * m / between) ** 2
            return own + between / m, np.where(between > 0, dof, np.inf)
        spread = (1 + 1 / m) * between
        dof = (m - 1) * (1 - within / spread) ** 2
        negative = spread <= within
        return np.where(negative, own, spread - within), np.where(negative, np.inf, dof)


def _quantile(level: float, dof: np.ndarray) -> np.ndarray:
    from scipy import stats

    # below 1, which a T near 0 leads to, the interval would have no end that is of any use
    return np.asarray(stats.t.ppf((1 + level) / 2, np.maximum(dof, 1.0)))
