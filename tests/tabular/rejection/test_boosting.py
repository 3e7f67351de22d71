"""Boosted oblivious trees: packed sums are exact enough, the best split is found, both sides have the same weight."""

from __future__ import annotations

import numpy as np
import pytest

from synthcli.tabular.rejection.boosting import DEPTH, Boosting, _balanced, _Packed, predict

ROWS = 6000


def classes(rows: int = ROWS, sizes: tuple[int, ...] = (7, 2, 40), seed: int = 0) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [rng.integers(0, size, rows).astype(np.uint8) for size in sizes]


@pytest.mark.parametrize("rows", [1, 50, 200_000])
def test_packed_sums_are_those_of_both_numbers(rows: int) -> None:
    rng = np.random.default_rng(rows)
    gradient, hessian = rng.normal(size=rows), rng.random(rows) / 4
    group = rng.integers(0, 9, rows)
    packed = _Packed.of(gradient, hessian)
    one, other = packed.unpack(np.bincount(group, packed.weights, 9))
    assert one == pytest.approx(np.bincount(group, gradient, 9), abs=1e-2 * np.sqrt(rows))
    assert other == pytest.approx(np.bincount(group, hessian, 9), abs=1e-2 * np.sqrt(rows))


def test_packing_rounds_what_is_single_precision_no_further() -> None:
    gradient, hessian = (np.random.default_rng(k).random(500).astype(np.float32) for k in (0, 1))
    packed = _Packed.of(gradient, hessian)
    one, other = packed.unpack(packed.weights)
    assert one == pytest.approx(gradient, abs=1e-3) and other == pytest.approx(hessian, abs=1e-3)


def test_sums_of_nothing_are_nothing() -> None:
    packed = _Packed.of(np.zeros(5), np.zeros(5))
    one, other = packed.unpack(packed.weights)
    assert not one.any() and not other.any()


def test_the_best_split_is_found() -> None:
    """Compared with all splits, one after another."""
    codes = classes()
    real = np.random.default_rng(1).random(ROWS) < np.where((codes[0] > 2) ^ (codes[1] > 0), 0.6, 0.4) + 0.1 * (
        codes[2] > 25
    )
    boosting = Boosting(codes, real, np.zeros(ROWS, dtype=bool), 5.0, np.random.default_rng(0))
    gradient, hessian = np.where(real, 0.5, -0.5), np.full(ROWS, 0.25)

    def gain(part: int, at: int) -> float:
        above = codes[part] > at
        return sum(gradient[side].sum() ** 2 / (hessian[side].sum() + 5.0) for side in (above, ~above))

    part, at, leaf = boosting._splits(np.arange(3), codes, _Packed.of(gradient, hessian))
    assert (part[0], at[0]) == max(
        ((j, c) for j, code in enumerate(codes) for c in range(code.max())), key=lambda q: gain(*q)
    )
    rows = sum((codes[p] > c).astype(int) << (DEPTH - 1 - level) for level, (p, c) in enumerate(zip(part, at)))
    assert (leaf == rows).all()
    leaves = np.random.default_rng(2).normal(size=1 << DEPTH).astype(np.float32)
    assert (predict(codes, part[None], at[None], leaves[None]) == leaves[leaf]).all()


def test_both_sides_weigh_the_same() -> None:
    sign = np.repeat(np.array([1, -1], dtype=np.float32), [10, 90])
    weight = _balanced(sign)
    assert weight[:10].sum() == pytest.approx(50) and weight[10:].sum() == pytest.approx(50)
    assert np.isfinite(_balanced(sign[10:])).all()


def test_held_out_rows_are_not_learned_from() -> None:
    """A difference that only they show is not found."""
    codes = classes()
    rng = np.random.default_rng(3)
    real, held_out = rng.random(ROWS) < 0.5, rng.random(ROWS) < 0.3
    codes[1][held_out] = real[held_out]
    assert Boosting(codes, real, held_out, 10.0, np.random.default_rng(0)).run(20, min_gain=3) == 0
    codes[1] = real.astype(np.uint8)
    assert Boosting(codes, real, held_out, 10.0, np.random.default_rng(0)).run(20, min_gain=3) > 0
