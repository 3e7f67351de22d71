"""Links, siblings, clocks and the order of tables, each against what can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.relational import graph
from synthcli.relational.model.event_times import Clock
from synthcli.relational.model.links import (
    exchange_duplicates,
    match_nearest,
    match_parents,
    rank_by_information,
    reassign_degrees,
    slots,
)
from synthcli.relational.model.siblings import Siblings, waves
from synthcli.relational.relationships import NULL, Relationship
from tests.relational import simulated


def test_slots_keep_numbers_of_children() -> None:
    degree = np.array([0, 3, 1, 0, 6])
    rng = np.random.default_rng(0)
    assert np.bincount(slots(degree, 10, rng=rng), minlength=5).tolist() == degree.tolist()
    assert np.bincount(slots(degree, 20, rng=rng), minlength=5).tolist() == (2 * degree).tolist()
    fewer = np.bincount(slots(degree, 7, rng=rng), minlength=5)
    assert fewer.sum() == 7 and (fewer <= degree).all()
    assert len(slots(np.zeros(4, dtype=int), 9, rng=rng)) == 9
    assert (slots(np.zeros(0, dtype=int), 3, rng=rng) == NULL).all()


def test_matching_of_one_column_is_by_rank() -> None:
    rng = np.random.default_rng(1)
    ours, theirs = rng.normal(size=(501, 1)), 5 + 3 * rng.normal(size=(501, 1))
    place = match_nearest(ours, theirs, rng=rng)
    assert sorted(place) == list(range(501))
    assert np.array_equal(np.argsort(ours[:, 0]), np.argsort(theirs[place, 0]))


def test_matching_of_two_columns_is_close() -> None:
    rng = np.random.default_rng(2)
    ours, theirs = rng.random((4096, 2)), rng.random((4096, 2))
    place = match_nearest(ours, theirs, rng=rng)
    assert np.abs(ours - theirs[place]).mean() < 0.03  # 1/3 at random


def test_degrees_are_reassigned_to_the_drawn_kinds() -> None:
    rng = np.random.default_rng(3)
    offered = np.repeat([0.0, 1.0], 20)
    degree = rng.permutation(np.r_[np.full(20, 1), np.full(20, 9)])
    wanted = np.r_[np.zeros(40), np.ones(160)]
    out = reassign_degrees(degree, wanted, offered, rng=rng)
    assert sorted(out) == sorted(degree)
    assert abs(out[:20].sum() - 40) <= 9
    even = np.full(40, 5)
    assert reassign_degrees(even, np.repeat([0.0, 1.0], 100), offered, rng=rng) is even


def test_parents_of_a_group_of_their_own() -> None:
    rng = np.random.default_rng(4)
    wanted, offered = pd.DataFrame({"x": rng.random(90)}), pd.DataFrame({"x": rng.random(10)})
    mine, theirs = np.repeat([0, 1, 7], 30), np.repeat([0, 1], 5)
    at = match_parents(wanted, offered, np.full(10, 6), (mine, theirs), rng=rng)
    assert (theirs[at[:60]] == mine[:60]).all() and (at[60:] == NULL).all()


def test_no_pair_twice_where_there_is_room() -> None:
    rng = np.random.default_rng(5)
    one, two = rng.integers(0, 40, 300), rng.integers(0, 30, 300)
    out, left = exchange_duplicates(one, two, np.zeros(30, dtype=np.int64), rng=rng)
    assert not left.any() and len(set(zip(one, out))) == 300
    assert np.bincount(out, minlength=30).tolist() == np.bincount(two, minlength=30).tolist()


def test_pairs_that_must_repeat_are_returned() -> None:
    out, left = exchange_duplicates(
        np.zeros(5, dtype=int), np.array([0, 0, 1, 1, 2]), np.zeros(3, dtype=np.int64), rng=np.random.default_rng(0)
    )
    assert left.sum() == 2 and len(set(out[~left])) == 3


def test_the_most_informative_column_is_first() -> None:
    rng = np.random.default_rng(6)
    x = rng.normal(size=2000)
    words = np.where(x > 0, "up", "down").astype(object)
    assert rank_by_information([rng.normal(size=2000), words], [x], rng=rng)[0] == 1


def test_earlier_siblings_against_a_loop() -> None:
    rng = np.random.default_rng(7)
    owner = np.sort(rng.integers(-1, 12, 60))
    values = np.where(rng.random(60) < 0.2, np.nan, rng.normal(size=60))
    siblings = Siblings.of(owner, 12)
    got, before = siblings.earlier_mean(values), siblings.before
    for row in range(60):
        mine = [i for i in range(row) if owner[i] == owner[row] >= 0]
        known = [values[i] for i in mine if not np.isnan(values[i])]
        assert siblings.i[row] == len(mine)
        assert before[row] == (mine[-1] if mine else -1)
        assert got[row] == pytest.approx(np.mean(known)) if known else np.isnan(got[row])


@pytest.mark.parametrize("n", [[0, 1, 5, 2], [300, 0, 40], [0]])
def test_waves_cover_every_row_once_and_in_order(n: list[int]) -> None:
    seen = [w.rows for w in waves(np.array(n), offset=3)]
    rows = np.concatenate(seen) if seen else np.zeros(0, dtype=int)
    assert sorted(rows) == list(range(3, 3 + sum(n)))
    place = {row: k for k, wave in enumerate(seen) for row in wave}
    start = 3 + np.cumsum(n) - n
    for first, many in zip(start, n):
        assert all(place[first + i] <= place[first + i + 1] for i in range(many - 1))


def test_the_number_of_waves_grows_with_the_logarithm() -> None:
    many, more = (sum(1 for _ in waves(np.array([n]))) for n in (10_000, 1_000_000))
    assert many < 90 and more < many + 50
    inner = np.concatenate([w.rows for w in waves(np.array([2, 4]), 1, 1)])
    assert sorted(inner) == [3, 4]


def test_a_clock_brings_times_back() -> None:
    days = pd.Series(pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-11", "2024-02-01", "2024-03-05"])).astype(
        "datetime64[s]"
    )
    owner = np.array([0, 0, 0, 2, NULL])
    clock = Clock.of("day", days, owner, None)
    assert clock.grain == 86_400 and clock.last_step == 64
    ticks = clock.ticks(days)
    assert clock.at(clock.steps(ticks)).tolist() == ticks.tolist()
    layout = Siblings(owner, np.array([3, 3, 3, 1, 0]), np.array([0, 1, 2, 0, 0]))
    assert layout.opening.tolist() == [0, 3] and layout.counts(3).tolist() == [3, 0, 1]
    rows, moment, share = clock.pace(ticks, layout)
    assert rows.tolist() == [1] and share[0] == pytest.approx(0.2)
    assert moment["@rest"].tolist() == [10 * 86_400]
    assert clock.between(share, ticks[:1], ticks[2:3], np.array([2])).tolist() == [ticks[1]]
    assert clock.parentless == (), "one row's time is nobody else's"
    alone = clock.alone(200, rng=np.random.default_rng(0))
    assert alone.min() >= ticks[0] and alone.max() <= ticks[4] and len(set(alone)) > 40


@pytest.mark.parametrize("rows", [19, 25, 400, 50_000])
def test_no_time_of_a_single_row_is_kept(rows: int) -> None:
    """Times of rows without a parent: each that is saved is a mean of ten or more, and generated times are distributed
    like the real ones.
    """
    rng = np.random.default_rng(0)
    seconds = np.sort((rng.beta(2, 5, rows) * 1e8).astype(np.int64))
    clock = Clock.of("at", pd.Series(seconds.astype("datetime64[s]")), np.full(rows, NULL), None)
    assert len(clock.parentless) <= rows // 10 and not set(clock.parentless[:20]) & set(
        seconds[:200].tolist() if rows < 1_000 else []
    )
    if rows >= 400:
        made = clock.alone(4_000, rng=rng)
        assert np.allclose(np.quantile(made, [0.1, 0.5, 0.9]), np.quantile(seconds, [0.1, 0.5, 0.9]), atol=4e6)


def test_a_circle_is_cut() -> None:
    columns = {
        "departments": {"id": pa.array([1, 2]), "head_id": pa.array([5, 6])},
        "staff": {"id": pa.array([5, 6, 7]), "department_id": pa.array([1, 2, 1])},
    }
    ends = (
        Relationship.parse("departments.head_id", "staff.id"),
        Relationship.parse("staff.department_id", "departments.id"),
    )
    order = graph.order(simulated.tables(columns, ends, unit=("departments", None)))
    assert (
        order.tables == ("departments", "staff") and order.deferred == (ends[0],) and order.driver == {"staff": ends[1]}
    )
