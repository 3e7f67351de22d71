"""Atoms and missing codes are found, and what is merely frequent is not."""

from __future__ import annotations

import numpy as np
import pytest

from synthcli.columns.codec import point_masses

RNG = np.random.default_rng(0)
AGES = np.clip(np.rint(RNG.normal(45, 18, 8000)), 0, 96)
INCOMES = np.round(np.exp(RNG.normal(10, 1, 8000)), 2)


def found(values: np.ndarray, *, units: int | None = None, plain: bool = True) -> list[float]:
    """The atoms of numbers, of which each row, or at most so many units, hold every value."""
    distinct, counts = np.unique(values, return_counts=True)
    held = counts if units is None else np.minimum(counts, units)
    return distinct[point_masses.find(distinct, counts, held, plain=plain)].tolist()


def with_code(values: np.ndarray, code: float, share: float) -> np.ndarray:
    return np.where(np.arange(len(values)) % round(1 / share) == 0, code, values)


@pytest.mark.parametrize(
    ("values", "code", "share"),
    [
        (AGES, 999, 0.005),
        (AGES, 99999, 0.005),
        (AGES, -9, 0.005),
        (AGES, -99, 0.002),
        (INCOMES, 0, 0.08),
        (INCOMES, 0, 0.01),
        (INCOMES, -1, 0.01),
        (INCOMES, 1e9, 0.002),
        (AGES, 500, 0.005),
        (INCOMES, 30_000, 0.05),
        (AGES, 40, 0.4),
    ],
)
def test_codes_and_atoms(values: np.ndarray, code: float, share: float) -> None:
    assert found(with_code(values, code, share)) == [code]


def test_codes_stand_together() -> None:
    values = AGES[AGES < 88].copy()
    for i, code in enumerate((-9, -8, 97, 98, 99)):
        values[i::100] = code
    assert found(values) == [-9, -8, 97, 98, 99]


@pytest.mark.parametrize(
    "values",
    [
        AGES,
        INCOMES,
        RNG.geometric(0.4, 8000).astype(float),
        RNG.poisson(3, 8000).astype(float),
        RNG.integers(0, 500, 8000).astype(float),
        np.round(INCOMES, -3),
        RNG.normal(size=8000).round(1),
        np.round(RNG.pareto(1.2, 8000) * 100),
        RNG.integers(-5, 36, 8000).astype(float),
    ],
    ids=["ages", "incomes", "geometric", "poisson", "even", "rounded", "decimals", "pareto", "temperatures"],
)
def test_smooth_columns_have_none(values: np.ndarray) -> None:
    assert found(values) == []


def test_heaps_are_none_unless_they_stand_out() -> None:
    """Of hours a week, 40 stands out; 35, 45, 50 and 60 are round figures among others."""
    hours = RNG.integers(1, 99, 5000).astype(float)
    hours[:4000] = RNG.choice([40, 35, 45, 50, 60, 30], 4000, p=[0.6, 0.08, 0.08, 0.08, 0.08, 0.08])
    assert found(hours) == [40]


def test_a_value_of_few_people_is_none() -> None:
    values = with_code(AGES, 999, 0.005)
    assert found(values, units=9) == []
    assert found(values, units=10) == [999]


def test_dates_have_no_zero_and_no_digits() -> None:
    days = np.sort(RNG.choice(np.arange(1, 3000), 2500, replace=False)).astype(float)
    middle = days - 1500
    assert found(np.concatenate([middle, np.zeros(20)])) == [0]
    assert found(np.concatenate([middle, np.zeros(20)]), plain=False) == []
    assert found(np.concatenate([days, np.full(20, 2.9e6)]), plain=False) == [2.9e6]


def test_never_more_than_most() -> None:
    codes = [10.0**k for k in range(6, 20)]
    assert len(found(np.concatenate([AGES, np.repeat(codes, 50)]))) <= point_masses.MOST


def test_small_tables_and_few_values_have_none() -> None:
    assert found(with_code(AGES[:49], 999, 0.2)) == []
    assert found(np.repeat(np.arange(12.0), 100)) == []
