"""The ends of a column are not a few people's own."""

from __future__ import annotations

import numpy as np
import pytest

from synthcli.columns.codec.top_coding import FEWEST, LEAST, MOST, depth, ends


def brute(values: np.ndarray, units: np.ndarray) -> tuple[float, float]:
    """The k-th lowest of the units' own lowest values, and the k-th highest of their highest."""
    people = np.unique(units)
    lows, highs = (sorted(f(values[units == u]) for u in people) for f in (np.min, np.max))
    if len(people) < LEAST:
        return values.min(), values.max()
    k = depth(len(people))
    return lows[k - 1], highs[-k]


@pytest.mark.parametrize(("rows", "people"), [(5, 5), (700, 700), (3000, 2600), (12000, 11000), (9000, 700), (50, 1)])
def test_as_by_brute_force(rows: int, people: int) -> None:
    rng = np.random.default_rng(rows)
    for values in (rng.normal(size=rows), rng.integers(0, 40, rows).astype(float), np.zeros(rows)):
        units = rng.integers(people, size=rows)
        low, high = ends(values, units)
        assert (values[low], values[high]) == brute(values, units)
        low, high = ends(values, None)
        assert (values[low], values[high]) == brute(values, np.arange(rows))


def test_depth_grows_with_units() -> None:
    assert [depth(n) for n in (LEAST, 624, 625, 2499, 2500, 10_000, 10**9)] == [2, 2, 2, 2, 3, MOST, MOST]
    assert all((depth(n) - 1) / n <= 0.04 / np.sqrt(n) for n in range(625, 20_000, 7))


def test_one_persons_rows_do_not_hold_an_end() -> None:
    values = np.concatenate([np.arange(1000.0), np.full(50, 1e6)])
    units = np.concatenate([np.arange(1000), np.full(50, 1000)])
    assert values[ends(values, units)[1]] == 999
    assert values[ends(values, None)[1]] == 1e6


def test_a_lone_value_beside_one_that_all_others_hold_is_no_end() -> None:
    values = np.array([0.0] * 99 + [1e6])
    assert {values[i] for i in ends(values, None)} == {0.0}


def test_few_who_hold_a_number_in_a_crowd_have_no_end_of_their_own() -> None:
    values = np.array([3.0, 1.0, 2.0])
    assert [values[i] for i in ends(values, None)] == [1.0, 3.0]  # a table of three rows
    assert [values[i] for i in ends(values, None, crowd=LEAST)] == [2.0, 2.0]
    assert len(values) == FEWEST
