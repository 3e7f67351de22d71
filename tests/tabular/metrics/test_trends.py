"""Pair trends against the quality report of SDMetrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.tabular.data import Table
from synthcli.tabular.metrics import trends


def test_agrees_with_the_quality_report(evidence):
    from sdmetrics.reports.single_table._properties import ColumnPairTrends

    given = evidence("independent")
    columns = {"x": "numerical", "y": "numerical", "c": "categorical", "yes": "boolean"}
    plain = [t.frame[list(columns)].astype({"c": object, "yes": object}) for t in (given.control, given.synthetic)]
    report = ColumnPairTrends()
    report.get_score(*plain, {"columns": {c: {"sdtype": k} for c, k in columns.items()}})
    found = {m.of: m.value for m in trends.measure(given, rng=np.random.default_rng(0)) if m.scope == "pair"}
    for _, row in report.details.iterrows():
        assert found[f"{row['Column 1']} × {row['Column 2']}"] == pytest.approx(row["Score"], abs=1e-9)


def test_correlations_are_those_of_pandas_with_nulls():
    rng = np.random.default_rng(0)
    x = rng.normal(1e6, 1, size=(300, 4))
    x[:, 1] += x[:, 0]
    x[rng.random(x.shape) < 0.2] = np.nan
    x[:, 3] = 7.0
    r, n = trends.pearson(x)
    want = pd.DataFrame(x).corr().to_numpy()
    assert r[:3, :3] == pytest.approx(want[:3, :3], abs=1e-8)
    assert np.isnan(r[3]).all()
    assert n[0, 1] == (~np.isnan(x[:, :2])).all(axis=1).sum()


def test_independent_columns_score_worse_and_real_ones_like_the_floor(evidence):
    good, *_ = trends.measure(evidence(), rng=np.random.default_rng(0))
    bad, *pairs = trends.measure(evidence("independent"), rng=np.random.default_rng(0))
    assert abs(good.value - good.floor) < 0.02
    assert bad.high < good.low and bad.value == pytest.approx(good.baseline, abs=0.02)
    assert [p.value for p in pairs] == sorted(p.value for p in pairs)
    assert pairs[0].of == "x × y" and pairs[0].low < pairs[0].value < pairs[0].high


def test_interval_matches_the_spread_over_samples(evidence):
    given = evidence()
    rng, values, widths = np.random.default_rng(0), [], []
    for _ in range(40):
        synthetic = Table(given.train.frame.iloc[rng.integers(len(given.train), size=600)].assign(y=rng.normal(size=600)), given.schema)
        control = Table(given.train.frame.iloc[rng.integers(len(given.train), size=600)], given.schema)
        found = trends.measure(evidence(synthetic, control=control, full=False), rng=rng)[0]
        values.append(found.value)
        widths.append(found.high - found.low)
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(np.std(values), rel=0.5)


def test_a_column_that_synthetic_keeps_constant_has_no_trend(evidence):
    given = evidence()
    flat = Table(given.synthetic.frame.assign(y=1.0), given.schema)
    found = {m.of: m.value for m in trends.measure(evidence(flat), rng=np.random.default_rng(0))}
    r = given.control.frame["x"].corr(given.control.frame["y"])
    assert found["x × y"] == pytest.approx(1 - r / 2)


def test_pairs_are_sampled_where_there_are_many(evidence, monkeypatch):
    monkeypatch.setattr(trends, "PAIRS", 5)
    overall, *pairs = trends.measure(evidence(), rng=np.random.default_rng(0))
    assert len(pairs) == 5 and "5 of 15 pairs" in overall.note


def test_large_tables_of_cells_are_counted_alike(evidence, monkeypatch):
    want = trends.measure(evidence(), rng=np.random.default_rng(0))
    monkeypatch.setattr(trends, "_CELLS", 1)
    assert [m.value for m in trends.measure(evidence(), rng=np.random.default_rng(0))] == pytest.approx([m.value for m in want])
