"""KL by hand and Wasserstein against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import wasserstein_distance

from synthcli.tabular.metrics import divergence


def test_kl_of_two_cells_by_hand():
    control, other = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])
    p, q = np.array([3.5, 1.5]) / 5, np.array([1.5, 3.5]) / 5
    assert divergence.kl_category(control, other, 2)[0] == pytest.approx((p * np.log(p / q)).sum())


def test_null_is_a_cell_and_numbers_are_cut_at_deciles_of_control():
    control = np.arange(1000.0)
    assert divergence.kl_number(control, control)[0] == pytest.approx(0, abs=1e-12)
    with_nulls = np.where(np.arange(1000) % 2 == 0, np.nan, control)
    assert divergence.kl_number(control, with_nulls)[0] > 0.6
    assert divergence.kl_number(control, control + 100)[0] > 0.2
    assert divergence.kl_number(np.full(5, np.nan), control) is None


def test_wasserstein_is_scipys():
    rng = np.random.default_rng(0)
    a, b = rng.normal(2, 3, 700), rng.exponential(2, 300)
    assert divergence.scaled_wasserstein(np.append(a, np.nan), b)[0] == pytest.approx(
        wasserstein_distance(a, b) / a.std()
    )
    assert divergence.scaled_wasserstein(np.ones(5), b) is None


@pytest.mark.parametrize("figure", [divergence.scaled_wasserstein, divergence.kl_number])
def test_delta_method_is_the_spread_over_samples(figure):
    rng = np.random.default_rng(0)
    drawn = [figure(rng.normal(size=500), rng.normal(1, 1.5, size=500)) for _ in range(200)]
    said = np.mean([np.sqrt(one.var() / 500 + two.var() / 500) for _, one, two in drawn])
    assert said == pytest.approx(np.std([value for value, _, _ in drawn]), rel=0.3)


def test_both_see_a_shift_and_pass_a_real_sample(evidence):
    for found in (divergence.measure(evidence(), rng=np.random.default_rng(0)),):
        overall = {m.name: m for m in found if m.scope == "overall"}
        assert overall["kl_divergence"].value < 0.02 and overall["wasserstein"].value < 0.1
        assert overall["kl_divergence"].floor < 0.02 and overall["wasserstein"].floor < 0.1
    given = evidence()
    from synthcli.columns.table import Table

    moved = Table(given.synthetic.frame.assign(x=given.synthetic.frame["x"] + 2), given.schema)
    found = {(m.name, m.of): m for m in divergence.measure(evidence(moved), rng=np.random.default_rng(0))}
    assert found["wasserstein", "x"].value == pytest.approx(2, abs=0.2)
    assert found["kl_divergence", "x"].low > 0.5
