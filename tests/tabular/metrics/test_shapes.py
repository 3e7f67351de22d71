"""Shapes against SDMetrics and scipy, and what a collapsed column scores."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp

from synthcli.columns.table import Table
from synthcli.tabular.metrics import shapes


def by(measurements, name, of=None):
    return next(m for m in measurements if m.name == name and m.of == of)


@pytest.mark.extra("sdv")
def test_agrees_with_sdmetrics(evidence):
    from sdmetrics.single_column import KSComplement, MissingValueSimilarity, TVComplement

    given = evidence("independent")
    real, fake = given.control.frame, given.synthetic.frame
    found = shapes.measure(given, rng=np.random.default_rng(0))
    for name in ("x", "y", "n", "when", "c", "yes"):
        metric = TVComplement if name in ("c", "yes") else KSComplement
        a, b = (
            f[name].astype("float64") if name == "n" else f[name].astype(object) if name in ("c", "yes") else f[name]
            for f in (real, fake)
        )
        assert by(found, "column_shapes", name).value == pytest.approx(metric.compute(a, b), abs=1e-6)
        assert by(found, "missing_values", name).value == pytest.approx(MissingValueSimilarity.compute(a, b), abs=1e-9)
    assert by(found, "column_shapes").value == pytest.approx(
        np.mean([m.value for m in found if m.name == "column_shapes" and m.of])
    )
    assert not [m for m in found if m.of == "note"]


def test_interval_covers_as_often_as_it_says():
    rng, hits = np.random.default_rng(0), 0
    for _ in range(300):
        a, b = rng.normal(size=400), rng.normal(0.5, size=400)
        value, ours, theirs = shapes.ks_complement(a, b)
        assert value == pytest.approx(1 - ks_2samp(a, b).statistic)
        half = 1.96 * np.sqrt(ours.var() / 400 + theirs.var() / 400)
        hits += abs(value - (1 - 0.19741)) < half  # sup |F - G| of normals 0.5 apart is 2 Phi(0.25) - 1
    assert 260 <= hits <= 300


def test_real_is_near_its_floor_and_a_collapsed_column_is_not_left_out(evidence):
    good = by(shapes.measure(evidence(), rng=np.random.default_rng(0)), "column_shapes")
    assert good.value > 0.95 and abs(good.value - good.floor) < 0.02 and good.low < good.value < good.high
    given = evidence()
    empty = Table(given.synthetic.frame.assign(x=np.nan), given.schema)
    found = shapes.measure(evidence(empty), rng=np.random.default_rng(0))
    assert by(found, "column_shapes", "x").value == 0
    assert by(found, "missing_values", "x").value == 0


def test_steering_measures_no_floor_and_no_control_is_said(evidence):
    steering = by(shapes.measure(evidence(full=False), rng=np.random.default_rng(0)), "column_shapes")
    assert steering.floor is None and steering.baseline is None and steering.value is not None
    first, *_ = shapes.measure(evidence(control=None), rng=np.random.default_rng(0))
    assert first.value is None and "kept apart" in first.note


def test_rows_of_a_unit_widen_the_interval(evidence):
    from synthcli.tabular.judging.intervals import variance_of_mean

    rows = np.repeat(np.random.default_rng(0).normal(size=100), 5)
    assert variance_of_mean(rows, np.repeat(np.arange(100), 5)) == pytest.approx(5 * variance_of_mean(rows))
    assert variance_of_mean(pd.Series([1.0, 3.0]).to_numpy()) == pytest.approx(0.5)


def test_the_worst_column_stands_out_and_a_sound_sample_does_not(evidence):
    sound = by(shapes.measure(evidence(), rng=np.random.default_rng(0)), "worst_column_shape")
    assert sound.low <= sound.value == sound.high <= sound.floor and sound.value >= 0.95 * sound.floor
    given = evidence()
    x = given.synthetic.frame["x"]
    bent = Table(given.synthetic.frame.assign(x=x * 0.5 - 0.4), given.schema)
    found = shapes.measure(evidence(bent), rng=np.random.default_rng(0))
    worst = by(found, "worst_column_shape")
    assert worst.note == "worst: x" and worst.low == by(found, "column_shapes", "x").value
    assert worst.value < 0.95 * worst.floor and by(found, "column_shapes").value > 0.9


def test_small_sound_tables_pass_as_often_as_the_margin_says():
    from synthcli.tabular.judging.intervals import average, worst_of

    class Part:
        def __init__(self, rows):
            self.rows, self.units = rows, np.arange(rows)

        def __len__(self):
            return self.rows

    rng, passed = np.random.default_rng(0), 0
    for _ in range(60):  # twelve columns, of which 60 held-out rows are compared with 300 and with 210 real ones
        control, fake, floor = (rng.normal(size=(rows, 12)) for rows in (60, 300, 210))
        scores = {
            side: average(
                [shapes.ks_complement(control[:, j], other[:, j]) for j in range(12)], Part(60), Part(len(other))
            )
            for side, other in (("synthetic", fake), ("floor", floor))
        }
        one = worst_of(shapes.WORST, [f"c{j}" for j in range(12)], scores, 300)
        passed += one.value >= 0.95 * one.floor
    assert passed >= 57
