"""Drawing from a forest against a walk by hand, and even draws against what they promise."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from synthcli.tabular.trees.forest import ARRAYS, Forest, marginal_forest, stratified_uniforms


@pytest.fixture
def forest() -> Forest:
    """Two trees: a < 0.5 ? (color in {2, 0} ? 10s : 20s) : 30s; and a stump that only knows 40s. used: parts 3 (a
    number) and 7 (a code).
    """
    return Forest(
        used=np.array([3, 7], dtype=np.int32),
        roots=np.array([0, 5], dtype=np.int32),
        feature=np.array([0, 1, 0, 0, 0, 0], dtype=np.int32),
        threshold=np.array([0.5, 1.5, -2, -2, -2, -2]),
        child=np.array([1, 4, 2, 3, 2, 2, 3, 3, 4, 4, 5, 5], dtype=np.int32),
        low=np.array([0, 0, 0, 4, 6, 9]),
        high=np.array([0, 0, 4, 6, 9, 14]),
        donors=np.array([10, 11, 12, 13, 20, 21, 30, 31, 32, 40, 41, 42, 43, 44], dtype=np.int32),
        ranks={1: np.array([1, 2, 0], dtype=np.float32)},
    )


def by_hand(a: float, color: int) -> list[list[int]]:
    """The donors that a row meets in each tree."""
    first = ([10, 11, 12, 13] if color in (2, 0) else [20, 21]) if np.float32(a) <= 0.5 else [30, 31, 32]
    return [first, [40, 41, 42, 43, 44]]


def test_draws_are_as_by_hand(forest: Forest) -> None:
    rng = np.random.default_rng(0)
    a, color = rng.random(600).astype(np.float32), rng.integers(0, 3, 600).astype(np.float32)
    drawn = forest.draw([a, color], 600, rng=rng)
    met = [by_hand(x, int(c)) for x, c in zip(a, color)]
    assert all(value in first + second for value, (first, second) in zip(drawn, met))
    assert (drawn >= 40).sum() == 300  # each tree has its share of the rows
    assert set(drawn) == set(forest.donors)


def test_rows_of_a_leaf_share_its_donors_equally(forest: Forest) -> None:
    rows = 2 * 12 * 5
    drawn = forest.draw(
        [np.zeros(rows, dtype=np.float32), np.ones(rows, dtype=np.float32)], rows, rng=np.random.default_rng(0)
    )
    assert Counter(drawn.tolist()) == {20: 30, 21: 30, 40: 12, 41: 12, 42: 12, 43: 12, 44: 12}


def test_a_value_at_the_threshold_goes_left(forest: Forest) -> None:
    at = np.array([0.5, np.nextafter(np.float32(0.5), np.float32(1)), -3e38], dtype=np.float32)
    assert forest._traverse(np.stack([at, np.zeros(3, dtype=np.float32)]), np.zeros(3, dtype=np.int32)).tolist() == [
        2,
        4,
        2,
    ]


def test_a_deep_forest_against_one_row_after_the_other() -> None:
    """Thresholds that no float32 is, leaves of all depths, rows set aside on the way."""
    rng = np.random.default_rng(3)
    child, depth = [[0, 0]], [0]
    for node in range(300):  # each node that is met becomes an inner one, or stays a leaf
        if node < len(child) and (node == 0 or rng.random() < 0.6):
            child[node] = [len(child), len(child) + 1]
            child += [[len(child)] * 2, [len(child) + 1] * 2]
            depth += [depth[node] + 1] * 2
    n = len(child)
    assert max(depth) > 5
    inner = np.array([child[i][0] != i for i in range(n)])
    threshold = rng.integers(1, 10, n) / 10
    sizes = np.where(inner, 0, rng.integers(1, 50, n))
    low = np.cumsum(sizes) - sizes
    forest = Forest(
        np.arange(3, dtype=np.int32),
        np.zeros(1, dtype=np.int32),
        rng.integers(0, 3, n).astype(np.int32),
        threshold,
        np.array(child, dtype=np.int32).ravel(),
        low,
        low + sizes,
        rng.random(sizes.sum()),
        {},
    )
    x = (rng.integers(0, 11, (3, 2000)) / 10).astype(np.float32)
    x[0, :1000] = np.nextafter(x[0, :1000], np.float32(-1))

    def walked(row: np.ndarray) -> int:
        node = 0
        while child[node][0] != node:
            node = child[node][int(float(row[forest.feature[node]]) > threshold[node])]
        return node

    assert forest._traverse(x, np.zeros(2000, dtype=np.int32)).tolist() == [walked(row) for row in x.T]


def test_no_rows(forest: Forest) -> None:
    assert len(forest.draw([np.zeros(0, dtype=np.float32)] * 2, 0, rng=np.random.default_rng(0))) == 0


def test_an_unsplit_forest_repeats_the_margin() -> None:
    y = np.array([5.0, 1.0, 1.0, 2.5])
    drawn = marginal_forest(y).draw([], 400, rng=np.random.default_rng(0))
    assert Counter(drawn.tolist()) == {1.0: 200, 2.5: 100, 5.0: 100}
    assert len(np.unique(drawn[:100])) == 3  # in no order


def test_arrays_and_ranks_are_the_whole_forest(forest: Forest) -> None:
    assert set(forest.arrays()) == set(ARRAYS) and "ranks" not in ARRAYS
    widened = {name: array.astype(np.float64) for name, array in forest.arrays().items()}
    again = Forest.from_arrays(widened, forest.ranks, is_code=True)
    for name, array in forest.arrays().items():
        other = getattr(again, name)
        assert other.dtype == array.dtype and np.array_equal(other, array), name
    rng = np.random.default_rng(3)
    features = [rng.random(500).astype(np.float32), rng.integers(0, 3, 500).astype(np.float32)]
    one, other = (f.draw(features, 500, rng=np.random.default_rng(1)) for f in (forest, again))
    assert np.array_equal(one, other)
    assert Forest.from_arrays(widened, {}, is_code=False).donors.dtype == np.float64


def test_even_draws_take_one_interval_each() -> None:
    rng = np.random.default_rng(0)
    leaf = rng.choice([4, 7, 8, 1000], 997, p=[0.6, 0.3, 0.09, 0.01])
    u = stratified_uniforms(leaf, int(leaf.max()) + 1, rng=rng)
    for one in np.unique(leaf):
        held = np.sort(u[leaf == one])
        assert np.array_equal(np.floor(held * len(held)), np.arange(len(held)))
    assert u.min() >= 0 and u.max() < 1


def test_every_even_draw_is_uniform_by_itself() -> None:
    """Over many draws, each row's number has the moments of a uniform one, whatever its place and the size of its
    leaf.
    """
    rng = np.random.default_rng(0)
    leaf = np.array([0, 1, 1, 2, 2, 2, 2, 2])
    u = np.stack([stratified_uniforms(leaf, int(leaf.max()) + 1, rng=rng) for _ in range(20_000)])
    assert u.mean(0) == pytest.approx(np.full(8, 1 / 2), abs=0.01)
    assert u.var(0) == pytest.approx(np.full(8, 1 / 12), abs=0.003)
    assert np.corrcoef(u[:, 0], u[:, 3])[0, 1] == pytest.approx(0, abs=0.03)  # leaves know nothing of each other


def test_even_draws_of_no_rows() -> None:
    assert len(stratified_uniforms(np.zeros(0, dtype=np.int32), 4, rng=np.random.default_rng(0))) == 0
