"""Density-ratio rejection sampling: the density ratio is learned, and no discriminator results if there is none."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from synthcli.columns.codec.parts import Part, Values
from synthcli.tabular.rejection import discriminator
from synthcli.tabular.rejection.boosting import DEPTH
from synthcli.tabular.rejection.discriminator import MIN_UNITS, Discriminator, learn

PARTS = (Part("a", "a", 3), Part("x", "x"))
ROWS = 12_000


def independent(rows: int, *, rng: np.random.Generator) -> Values:
    """A model of the margins alone."""
    return {"a": rng.integers(0, 3, rows).astype(np.int32), "x": rng.normal(size=rows).round(1)}


def together(rows: int, *, rng: np.random.Generator) -> Values:
    """If a is 2, x is above zero three times as often as below. The margin of a is uniform."""
    values = independent(8 * rows, rng=rng)
    chance = np.where(values["a"] == 2, np.where(values["x"] > 0, 0.75, 0.25), 0.5)
    kept = np.flatnonzero(rng.random(8 * rows) < chance)[:rows]
    return {name: part[kept] for name, part in values.items()}


def learned(real: Values, trees: int = 80, *, units: np.ndarray | None = None) -> Discriminator | None:
    rows = len(real["a"])
    return learn(
        independent,
        real,
        PARTS,
        np.arange(rows) if units is None else units,
        trees=trees,
        smoothing=10,
        rng=np.random.default_rng(1),
    )


@pytest.fixture(scope="module")
def found() -> Discriminator:
    out = learned(together(ROWS, rng=np.random.default_rng(0)))
    assert out is not None
    return out


def as_it_is(values: Values) -> Values:
    return values


def share_above(values: Values) -> float:
    return float((values["x"][values["a"] == 2] > 0).mean())


def test_the_log_ratio_is_that_of_the_densities(found: Discriminator) -> None:
    rows = independent(20_000, rng=np.random.default_rng(4))
    ratio, high = replace(found, margins=np.zeros_like(found.margins)).log_ratio(rows), rows["x"] > 0
    mean = {(a, side): ratio[(rows["a"] == a) & (high == side)].mean() for a in (0, 2) for side in (True, False)}
    assert mean[2, True] - mean[2, False] == pytest.approx(np.log(3), abs=0.25)
    assert mean[0, True] - mean[0, False] == pytest.approx(0, abs=0.2)


def test_accepted_rows_have_the_joint_distribution(found: Discriminator) -> None:
    rng = np.random.default_rng(5)
    accepted = found.sample(20_000, independent, as_it_is, rng=rng)
    assert {len(part) for part in accepted.values()} == {20_000}
    assert share_above(independent(20_000, rng=rng)) == pytest.approx(0.48, abs=0.02)  # zero itself is not above it
    assert share_above(together(20_000, rng=rng)) == pytest.approx(0.73, abs=0.02)
    assert share_above(accepted) > 0.65  # not more: above the cap, all rows are accepted alike
    assert np.bincount(accepted["a"]) / 20_000 == pytest.approx(np.full(3, 1 / 3), abs=0.02)


def test_the_ratio_of_a_correct_model_is_nearly_constant() -> None:
    out = learned(independent(ROWS, rng=np.random.default_rng(7)), 40)
    spread = 0.0 if out is None else float(out.log_ratio(independent(ROWS, rng=np.random.default_rng(8))).std())
    assert spread < 0.1  # against 0.4 where there is


def test_too_few_rows_give_no_discriminator() -> None:
    assert learned(together(MIN_UNITS - 1, rng=np.random.default_rng(0))) is None


def test_no_rows_have_all_parts(found: Discriminator) -> None:
    none = found.sample(0, independent, as_it_is, rng=np.random.default_rng(0))
    assert set(none) == {"a", "x"} and not len(none["a"])


def test_cuts_are_of_drawn_rows(found: Discriminator) -> None:
    real = together(ROWS, rng=np.random.default_rng(0))
    real["x"] = real["x"] + 1000.0
    out = learned(real)
    assert out is not None and out.cuts["x"].max() < 100


def test_the_rows_of_one_person_are_held_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty people of 600 rows each, all near the person's own x: other people do not confirm these places."""
    monkeypatch.setattr(discriminator, "MIN_UNITS", 20)
    monkeypatch.setattr(discriminator, "UNITS_PER_TREE", 1)
    rng = np.random.default_rng(3)
    people = np.repeat(np.arange(20), 600)
    real = independent(len(people), rng=rng)
    real["x"] = np.round(rng.normal(size=20)[people] + 0.1 * real["x"], 1)
    by_row = learned(real)
    assert by_row is not None and by_row.log_ratio(real).mean() > 0.2
    assert learned(real, units=people) is None


def test_missing_numbers_and_rare_codes_have_places() -> None:
    wide = (Part("a", "a", 400), Part("x", "x"))

    def draw(rows: int, *, rng: np.random.Generator) -> Values:
        x = rng.normal(size=rows)
        return {"a": rng.integers(0, 400, rows).astype(np.int32), "x": np.where(x > 1, np.nan, x)}

    real = draw(ROWS, rng=np.random.default_rng(0))
    real["x"] = np.where(np.random.default_rng(1).random(ROWS) < 0.3, np.nan, real["x"])
    out = learn(draw, real, wide, np.arange(ROWS), trees=40, smoothing=10, rng=np.random.default_rng(1))
    assert out is not None
    ratio = out.log_ratio({"a": np.array([399, 399, 0], dtype=np.int32), "x": np.array([np.nan, 0.0, np.nan])})
    assert ratio[0] > ratio[1] + 0.5 and np.isfinite(ratio).all()


def test_it_is_read_back_as_it_was(found: Discriminator, tmp_path: Path) -> None:
    found.save(tmp_path)
    again = Discriminator.load(tmp_path)
    assert again is not None and again.part.shape[1] == DEPTH
    rows = independent(500, rng=np.random.default_rng(2))
    assert (again.log_ratio(rows) == found.log_ratio(rows)).all() and (again.cap, again.share) == (
        found.cap,
        found.share,
    )
    assert Discriminator.load(tmp_path / "nothing") is None
