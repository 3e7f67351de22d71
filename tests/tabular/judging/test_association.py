"""Cramér's V, compared with scipy and with the correction by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats.contingency import association, crosstab

from synthcli.tabular.judging.association import cramers_v, cramers_v_matrix


def test_it_is_the_uncorrected_one_less_the_bias() -> None:
    rng = np.random.default_rng(0)
    a = rng.integers(0, 4, 500)
    b = np.where(rng.random(500) < 0.5, a % 3, rng.integers(0, 3, 500))
    plain = association(crosstab(a, b).count, method="cramer")
    phi2 = plain**2 * 2 - 3 * 2 / 499  # Bergsma 2013, with 4 x 3 classes
    assert cramers_v(a, b) == pytest.approx(np.sqrt(phi2 / (3 - 4 / 499 - 1)))


def test_a_function_scores_1_and_independent_columns_score_0() -> None:
    a = np.repeat(np.arange(5), 40)
    assert cramers_v(a, a[::-1].copy()) == pytest.approx(1)
    assert cramers_v(np.tile([0, 1], 100), np.repeat([0, 1], 100)) == 0


@pytest.mark.parametrize("a", [np.zeros(50, dtype=int), np.arange(2), np.zeros(0, dtype=int)])
def test_one_class_or_too_few_rows_have_none(a: np.ndarray) -> None:
    assert np.isnan(cramers_v(a, a))


def test_the_matrix_holds_each_pair_whatever_the_numbers_of_the_classes() -> None:
    rng = np.random.default_rng(1)
    columns = [rng.integers(0, k, 300) for k in (3, 2, 1)]
    found = cramers_v_matrix([10 * columns[0], columns[1], columns[2]])
    assert found[0, 1] == found[1, 0] == cramers_v(columns[0], columns[1])
    assert np.isnan(found[2]).all()
