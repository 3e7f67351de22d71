"""Integers that order the rows of a parent are found by what they hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.model.event_times import NUMBER, YEAR, Clock
from synthcli.relational.model.ordering import ordering_integer
from synthcli.relational.model.siblings import Siblings, waves
from synthcli.relational.relationships import NULL

FAMILIES = 120


def families(rng: np.random.Generator) -> np.ndarray:
    return np.repeat(np.arange(FAMILIES), rng.integers(1, 9, FAMILIES))


def careers(owner: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    position = pd.Series(owner).groupby(owner).cumcount().to_numpy()
    return rng.integers(1900, 2000, FAMILIES)[owner] + position


def found(owner: np.ndarray, number: np.ndarray | None = None, **columns: np.ndarray) -> str | None:
    frame = pd.DataFrame({name: pd.array(values, dtype="Int64") for name, values in columns.items()})
    schema = Schema(tuple(Column(name, Traits(type="integer"), Traits(), "int64") for name in columns))
    return ordering_integer(frame, schema, tuple(columns), owner, number)


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_year_is_found_among_measurements(shuffled: bool) -> None:
    rng = np.random.default_rng(1)
    owner = families(rng)
    columns = {"x": rng.integers(0, 162, len(owner)), "when": careers(owner, rng), "y": rng.integers(0, 9, len(owner))}
    mixed = rng.permutation(len(owner)) if shuffled else np.arange(len(owner))
    assert found(owner[mixed], **{name: values[mixed] for name, values in columns.items()}) == "when"


def test_days_of_a_stay_are_found_also_where_rows_are_shuffled() -> None:
    rng = np.random.default_rng(2)
    stays = rng.geometric(0.2, FAMILIES)
    days = [np.flatnonzero(np.r_[True, rng.random(n) < 0.5]) for n in stays]
    owner, day = np.repeat(np.arange(FAMILIES), [len(d) for d in days]), np.concatenate(days)
    mixed = rng.permutation(len(owner))
    assert found(owner[mixed], day=day[mixed]) == "day"


def test_measurements_and_things_that_a_parent_has_once_are_no_order() -> None:
    rng = np.random.default_rng(3)
    owner = families(rng)
    product = np.concatenate([rng.permutation(40)[:n] for n in np.bincount(owner)])
    score, cents = rng.integers(0, 6, len(owner)), rng.integers(0, 100_000, len(owner))
    level = rng.integers(0, 40, FAMILIES)[owner]
    assert found(owner, product=product, score=score, cents=cents, level=level) is None


def test_an_integer_that_contradicts_a_counter_is_no_order() -> None:
    rng = np.random.default_rng(4)
    owner = families(rng)
    when, counter = careers(owner, rng), pd.Series(owner).groupby(owner).cumcount().to_numpy()
    assert found(owner, counter, when=when) == "when"
    assert found(owner, -counter, when=when) is None


def test_the_clock_of_an_integer() -> None:
    owner = np.repeat(np.arange(6), 4)
    year = pd.Series(pd.array(np.tile([2000, 2002, 2004, 2006], 6) + np.repeat([0, 1], 12), dtype="Int64"))
    clock = Clock.of("year", year, owner, None)
    assert (clock.unit, clock.grain, clock.stride, clock.distinct, clock.regular, clock.usual) == (
        YEAR,
        1,
        2,
        True,
        True,
        1,
    )
    assert clock.series(clock.ticks(year)).equals(year)
    pairs, span = np.array([3, 3]), np.array([6, 10])
    slack = clock.slack(span, pairs)
    assert slack.tolist() == [0, 2] and clock.excess(slack, pairs).tolist() == [0, 2]
    assert clock.from_excess(np.array([0, 2, -9]), np.array([3, 3, 3])).tolist() == [0, 2, 0]
    assert Clock.of("visit", pd.Series(pd.array([3, 4, 9], dtype="Int64")), np.zeros(3, dtype=int), None).unit == NUMBER


@pytest.mark.parametrize("regular", [False, True])
def test_what_is_between_stays_distinct_and_in_order(regular: bool) -> None:
    rng = np.random.default_rng(5)
    n = rng.integers(2, 80, 30)
    owner = np.repeat(np.arange(30), n)
    siblings = Siblings.of(owner, 30)
    clock = Clock("k", "int64", NUMBER, 0, 500, 1, stride=1, distinct=True, regular=regular, usual=int(regular))
    finish = (n - 1) + rng.integers(0, 6, 30)
    ticks = np.zeros(len(owner), dtype=np.int64)
    ticks[np.cumsum(n) - 1] = finish
    for wave in waves(n, 1, 1):
        pairs = siblings.n[wave.first] - siblings.i[wave.first]
        taken = rng.integers(0, 3, len(wave.rows)) if regular else rng.random(len(wave.rows))
        ticks[wave.rows] = clock.walk(wave, taken.astype(float), ticks[wave.first - 1], finish[wave.parents], pairs)
    gaps = np.diff(ticks)[np.diff(owner) == 0]
    assert gaps.min() >= 1 and (ticks[np.cumsum(n) - 1] == finish).all()


def test_the_pace_of_a_regular_clock_is_in_strides() -> None:
    owner = np.array([0, 0, 0, 0, 1, 1, NULL])[[6, 0, 1, 2, 3, 4, 5]]
    ticks = np.array([7, 10, 11, 13, 14, 3, 5])
    siblings = Siblings.of(owner, 2)
    clock = Clock("k", "int64", NUMBER, 0, 20, 1, distinct=True, regular=True, usual=1)
    rows, moment, taken = clock.pace(ticks, siblings)
    assert rows.tolist() == [2, 3] and taken.tolist() == [0, 1]
    assert moment["@rest"].tolist() == [4.0, 3.0] and np.allclose(moment["@mean"], [1 / 3, 1 / 2])
