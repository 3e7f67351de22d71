"""Discretization of columns: round trip, which values are repeated, which are interpolated."""

from __future__ import annotations

import numpy as np

from synthcli.columns.codec.codec import Part
from synthcli.tabular.neural.discretization import FLAT, UNKNOWN, Discretization, NumberCategories

X, STATE, CODE = Part("x", "x"), Part("x#state", "x", 3), Part("c", "c", 5)


def number(
    values: np.ndarray, units: np.ndarray | None = None, state: Part | None = None, bins: int = 8
) -> NumberCategories:
    return NumberCategories.fit(X, state, values, np.arange(len(values)) if units is None else units, bins, 10)


def drawn(discretized: NumberCategories, values: np.ndarray, seed: int = 0) -> np.ndarray:
    return discretized.decode(discretized.encode({"x": values})[0], rng=np.random.default_rng(seed))["x"]


def test_what_many_hold_comes_back_as_it_is() -> None:
    values = np.repeat([1.0, 2.0, 5.0, 9.0], 50)
    np.testing.assert_array_equal(drawn(number(values), values), values)


def test_other_numbers_stay_in_their_bin_and_keep_their_distribution() -> None:
    values = np.sort(np.random.default_rng(0).gamma(2, 10, 4000))
    out = drawn(number(values), values)
    edges = np.quantile(values, np.arange(1, 8) / 8)
    assert (np.searchsorted(edges, out) == np.searchsorted(edges, values)).mean() > 0.99
    away = np.abs(np.sort(out) - values)
    assert np.median(away) < 0.3 and away[:3800].max() < 1


def test_what_one_unit_alone_holds_is_never_repeated() -> None:
    many = np.repeat(np.arange(10.0), 40)
    values = np.concatenate([many, np.full(300, 7.77), [55.5]])  # one person's 300 rows, and an outlier
    units = np.concatenate([np.arange(400), np.full(300, 400), [401]])
    discretized = number(values, units)
    assert 7.77 not in discretized.atoms and set(discretized.atoms) == set(np.arange(10.0))
    out = np.concatenate([drawn(discretized, np.full(500, v), i) for i, v in enumerate((7.77, 55.5))])
    assert not np.isin(out, [7.77, 55.5]).any() and np.isfinite(out).all()


def test_cells_of_a_number_stand_in_its_order() -> None:
    values = np.concatenate([np.repeat([0.0, 50.0, 100.0], 100), np.random.default_rng(1).uniform(0, 100, 300)])
    discretized, _ = number(values).encode({"x": np.sort(values)})
    assert (np.diff(discretized) < 0).sum() <= 2  # an atom inside of a bin stands beside it


def test_states_are_cells() -> None:
    values = np.concatenate([np.repeat([1.0, 2.0], 30), np.full(20, np.nan), np.full(10, np.nan)])
    state = np.repeat([0, 1, 2], [60, 20, 10]).astype(np.int32)
    discretized = number(values, state=STATE)
    coded, is_value = discretized.encode({"x": values, "x#state": state})
    assert discretized.size == 4 and not is_value.any()
    out = discretized.decode(coded, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(out["x"], values)
    np.testing.assert_array_equal(out["x#state"], state)


def test_what_is_not_given_is_unknown() -> None:
    discretized = number(np.repeat([1.0, 2.0, np.nan], 30), state=STATE)
    coded, is_value = discretized.encode(
        {"x": np.array([1.0, np.nan, np.nan, np.nan]), "x#state": np.array([-1, -1, 0, 1])}
    )
    assert coded.tolist() == [2, UNKNOWN, UNKNOWN, 0] and is_value.tolist() == [False, False, True, False]
    assert discretized.encode({"x#state": np.array([0, 1, -1])})[0].tolist() == [UNKNOWN, 0, UNKNOWN]


def test_a_column_of_many_cells_is_written_with_two_digits() -> None:
    wide = Part("w", "w", 1000)
    values = {"c": np.arange(1000, dtype=np.int32) % 5, "w": np.arange(1000, dtype=np.int32)}
    discretized = Discretization.fit([CODE, wide], values, np.arange(1000), 8, 10)
    digits, _ = discretized.encode(values, 1000)
    assert (
        discretized.sizes == [5, 32, 32] and max(discretized.sizes) <= FLAT and discretized.owner.tolist() == [0, 1, 1]
    )
    assert (digits.max(0) < discretized.sizes).all()
    out = discretized.decode(digits, rng=np.random.default_rng(0))
    assert all((out[name] == values[name]).all() for name in values)


def test_saved_cells_are_the_same() -> None:
    values = {"c": np.zeros(300, np.int32), "x": np.random.default_rng(2).normal(size=300)}
    discretized = Discretization.fit([CODE, X], values, np.arange(300), 8, 10)
    again = Discretization.from_arrays([CODE, X], discretized.to_arrays())
    digits = np.column_stack([np.zeros(300, int), np.arange(300) % discretized.columns[1].size])
    np.testing.assert_array_equal(
        discretized.decode(digits, rng=np.random.default_rng(3))["x"],
        again.decode(digits, rng=np.random.default_rng(3))["x"],
    )


def test_no_value_at_all_is_a_column_of_states() -> None:
    discretized = number(np.full(20, np.nan), state=STATE)
    assert discretized.size == 2
    assert np.isnan(discretized.decode(np.array([0, 1]), rng=np.random.default_rng(0))["x"]).all()


def test_a_number_goes_with_its_state_and_other_codes_of_its_column_stand_alone() -> None:
    grain, odd = Part("x#grain", "x", 2), Part("x##state", "x#state", 2)
    values = {
        "x": np.repeat([1.0, np.nan], 20),
        "x#state": np.repeat([0, 1], 20),
        "x#grain": np.repeat([1, 0], 20),
        "x##state": np.repeat([0, 1], 20),
    }
    discretized = Discretization.fit([odd, STATE, grain, X], values, np.arange(40), 8, 10)
    assert [[part.name for part in column.parts] for column in discretized.columns] == [
        ["x##state"],
        ["x#grain"],
        ["x#state", "x"],
    ]
    out = discretized.decode(discretized.encode(values, 40)[0], rng=np.random.default_rng(0))
    assert set(out) == set(values)
    for name in values:
        np.testing.assert_array_equal(out[name], values[name])
