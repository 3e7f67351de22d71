"""Rules for several data sets: by hand, and by simulation of the setting that each supposes."""

from __future__ import annotations

import numpy as np
import pytest

from synthcli.combining import Rule, combine


def test_by_hand() -> None:
    q, u = [1.0, 2.0, 3.0], [0.3, 0.6, 0.9]  # mean 2, within 0.6, between 1
    reiter = combine(q, u)
    assert (
        reiter.estimate == pytest.approx(2)
        and reiter.within == pytest.approx(0.6)
        and reiter.between == pytest.approx(1)
    )
    assert reiter.variance == pytest.approx(0.6 + 1 / 3)
    assert reiter.dof == pytest.approx(2 * (1 + 0.6 * 3) ** 2)
    full = combine(q, u, rule="raghunathan")
    assert full.variance == pytest.approx(4 / 3 - 0.6)
    assert full.dof == pytest.approx(2 * (1 - 0.6 / (4 / 3)) ** 2)
    assert combine(q, u, rule="raab", ratio=0.5).variance == pytest.approx(0.6 * (0.5 + 1 / 3))
    assert combine(q, u, ratio=2.0).variance == pytest.approx(1.2 + 1 / 3)


def test_the_interval_is_that_of_the_t_distribution() -> None:
    from scipy import stats

    found = combine([1.0, 2.0, 3.0], [0.3, 0.6, 0.9], level=0.9)
    low, high = stats.t.interval(0.9, found.dof, loc=2.0, scale=np.sqrt(found.variance))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_a_negative_variance_is_replaced() -> None:
    found = combine([1.0, 1.0, 1.01], [0.5, 0.5, 0.5], rule="raghunathan", ratio=0.5)
    assert found.variance == pytest.approx(0.25) and found.dof == np.inf


def test_equal_estimates_leave_a_normal_interval() -> None:
    found = combine([2.0, 2.0], [1.0, 1.0])
    assert found.dof == np.inf and found.high - found.low == pytest.approx(2 * 1.959964, rel=1e-5)


def test_several_quantities_at_once_are_each_their_own() -> None:
    rng = np.random.default_rng(0)
    q, u = rng.normal(size=(4, 3)), rng.random((4, 3))
    rules: tuple[Rule, ...] = ("reiter", "raghunathan", "raab")
    for rule in rules:
        both = combine(q, u, rule=rule)
        for j in range(3):
            one = combine(q[:, j], u[:, j], rule=rule)
            assert (both.low[j], both.high[j]) == pytest.approx((one.low, one.high))


@pytest.mark.parametrize(
    ("q", "u", "more", "said"),
    [
        ([1.0, 2.0], [1.0], {}, "shape"),
        ([], [], {}, "shape"),
        ([1.0, 2.0], [1.0, -1.0], {}, "below 0"),
        ([1.0, np.nan], [1.0, 1.0], {}, "finite"),
        ([1.0], [1.0], {}, "generate.copies"),
        ([1.0, 2.0], [1.0, 1.0], {"rule": "rubin"}, "expected one of"),
        ([1.0, 2.0], [1.0, 1.0], {"ratio": 0.0}, "ratio"),
        ([1.0, 2.0], [1.0, 1.0], {"level": 1.0}, "level"),
    ],
)
def test_what_cannot_be_combined_is_refused(q: list[float], u: list[float], more: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        combine(q, u, **more)


# --- coverage where the generator is right: a normal pair, x and y = 1 + x/2 + e, synthesised from its own (posterior)
# model

REPLICATIONS, COPIES, N = 2_000, 5, 120
SLOPE, MEAN = 0.5, 1.0


def moments(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Mean of x and y, sums of squares and products, per sample. x, y: (..., n)"""
    mx, my = x.mean(-1), y.mean(-1)
    dx, dy = x - mx[..., None], y - my[..., None]
    return mx, my, (dx**2).sum(-1), (dx * dy).sum(-1), (dy**2).sum(-1)


def analysed(x: np.ndarray, y: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Least-squares slope and mean of y with their squared standard errors, per sample."""
    n = x.shape[-1]
    _, my, sxx, sxy, syy = moments(x, y)
    slope = sxy / sxx
    return {"slope": (slope, (syy - slope * sxy) / (n - 2) / sxx), "mean": (my, syy / (n - 1) / n)}


def synthesised(
    x: np.ndarray, y: np.ndarray, k: int, *, proper: bool, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """k rows from the model fitted to each sample; proper: with parameters from their posterior (flat priors), as
    Raghunathan supposes.
    """
    n = x.shape[-1]
    mx, my, sxx, sxy, syy = moments(x, y)
    slope = sxy / sxx
    rest = syy - slope * sxy
    size = (COPIES, len(x))
    if proper:
        vx, ve = sxx / rng.chisquare(n - 1, size), rest / rng.chisquare(n - 2, size)
        centre = mx + np.sqrt(vx / n) * rng.standard_normal(size)
        slope_, level = (
            slope + np.sqrt(ve / sxx) * rng.standard_normal(size),
            my + np.sqrt(ve / n) * rng.standard_normal(size),
        )
    else:
        vx, ve, centre, slope_, level = (np.broadcast_to(v, size) for v in (sxx / n, rest / n, mx, slope, my))
    sx = centre[..., None] + np.sqrt(vx)[..., None] * rng.standard_normal((*size, k))
    sy = (level[..., None] + slope_[..., None] * (sx - mx[:, None])) + np.sqrt(ve)[..., None] * rng.standard_normal(
        (*size, k)
    )
    return sx, sy


def coverage(rule: str, *, proper: bool, k: int, seed: int, ratio: float | None = None) -> dict[str, float]:
    """Share of replications whose 95 % interval holds the population's figure."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((REPLICATIONS, N))
    y = MEAN + SLOPE * x + rng.standard_normal((REPLICATIONS, N))
    found = analysed(*synthesised(x, y, k, proper=proper, rng=rng))
    out = {}
    for name, truth in (("slope", SLOPE), ("mean", MEAN)):
        one = combine(*found[name], rule=rule, ratio=k / N if ratio is None else ratio)  # type: ignore[arg-type]
        out[name] = float(((one.low <= truth) & (truth <= one.high)).mean())
    return out


CASES = [
    ("raghunathan", True, N),
    ("raghunathan", True, N // 2),
    ("reiter", False, N),
    ("reiter", True, N),
    ("reiter", False, 2 * N),
    ("raab", False, N),
]


@pytest.mark.parametrize(("rule", "proper", "k"), CASES)
def test_nominal_intervals_cover(rule: str, proper: bool, k: int) -> None:
    # 2,000 replications: the standard error of a coverage of 0.95 is 0.005; raghunathan's interval is known to be wide
    # for few data sets
    for name, share in coverage(rule, proper=proper, k=k, seed=3).items():
        assert 0.935 <= share <= (0.985 if rule == "raghunathan" else 0.968), (name, share)


def test_the_wrong_rule_does_not_cover() -> None:
    naive = coverage(
        "raab", proper=False, k=N, seed=4, ratio=1e-9
    )  # as if the synthetic rows were real ones, more of them
    assert max(naive.values()) < 0.7
    assert (
        max(coverage("reiter", proper=False, k=4 * N, seed=4, ratio=1.0).values()) < 0.85
    )  # more rows than were learned from, and not told so
