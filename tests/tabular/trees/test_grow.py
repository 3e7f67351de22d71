"""The gain that a split needs: the design effect of the privacy units, and pruning of splits that are chance."""

from __future__ import annotations

import numpy as np
import pytest

from synthcli.columns.codec.parts import Part
from synthcli.tabular.trees.features import Features
from synthcli.tabular.trees.grow import GrowthLimits, design_effect, grow


class TestDesignEffect:
    def test_rows_that_are_units_of_their_own_count_in_full(self) -> None:
        assert design_effect(np.random.default_rng(0).normal(size=500), np.arange(500)) == 1.0

    def test_rows_of_a_unit_that_are_all_alike_count_once(self) -> None:
        score = np.random.default_rng(0).normal(size=200)
        assert design_effect(np.repeat(score, 4), np.repeat(np.arange(200), 4)) == pytest.approx(4.0)
        assert design_effect(np.ones(800), np.repeat(np.arange(200), 4)) == 4.0  # nothing varies: the cautious answer

    def test_rows_of_a_unit_that_have_nothing_in_common_count_in_full(self) -> None:
        rng = np.random.default_rng(0)
        found = [
            design_effect(rng.normal(size=4000), rng.permutation(np.repeat(np.arange(1000), 4))) for _ in range(20)
        ]
        assert np.mean(found) < 1.1

    @pytest.mark.parametrize("alike", [0.2, 0.5, 0.8])
    def test_it_is_the_variance_of_a_mean_over_that_of_as_many_rows_each_its_own(self, alike: float) -> None:
        rng = np.random.default_rng(1)
        sizes = rng.integers(1, 8, 3000)
        units = np.repeat(np.arange(3000), sizes)

        def drawn() -> np.ndarray:
            return np.sqrt(alike) * rng.normal(size=3000)[units] + np.sqrt(1 - alike) * rng.normal(size=len(units))

        truth = np.var([drawn().mean() for _ in range(2000)]) * len(units)
        assert design_effect(drawn(), units) == pytest.approx(truth, rel=0.15)


def leaves(gain: float, *, signal: float, units: np.ndarray, seed: int) -> float:
    """Leaves of a tree of a coin on ten features, of which the first has to do with it."""
    rng = np.random.default_rng(seed)
    people = int(units.max()) + 1
    x = rng.normal(size=(10, people))[:, units]
    y = (rng.random(people) < 0.5 + signal * (x[0, np.unique(units, return_index=True)[1]] > 0))[units].astype(np.int32)
    features = Features.of(list(x), [0] * 10, units, rng=rng)
    per_unit = len(units) / people
    forest = grow(
        features, 10, y, Part("y", "y", 2), GrowthLimits(4, round(10 * per_unit), per_unit, 24, gain), rng=rng
    )
    return (forest.high > forest.low).sum() / 4


@pytest.mark.parametrize("rows_each", [1, 4])
def test_a_threshold_leaves_less_of_chance_and_all_of_what_is_true(rows_each: int) -> None:
    units = np.repeat(np.arange(1500), rows_each)
    chance = {gain: np.mean([leaves(gain, signal=0.0, units=units, seed=s) for s in range(6)]) for gain in (0.0, 1.0)}
    assert chance[0.0] > 1.5  # some splits of nothing at all gain a little on 375 held-out people
    assert chance[1.0] < 1 + 0.6 * (chance[0.0] - 1)
    assert all(leaves(1.0, signal=0.3, units=units, seed=s) >= 2 for s in range(6))
