"""Pair trends against the metrics of SDMetrics."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Schema
from synthcli.tabular.metrics import trends


@pytest.mark.extra("sdv")
def test_agrees_with_sdmetrics(evidence):
    from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity

    given = evidence("independent")
    overall, *pairs, _ = trends.measure(given, rng=np.random.default_rng(0))
    plain = [
        t.frame.assign(
            n=t.frame["n"].astype("float64"),
            when=t.frame["when"].astype("int64").astype(float),
            c=t.frame["c"].astype(object),
        )
        for t in (given.control, given.synthetic)
    ]
    numbers = ("x", "y", "n", "when")
    for pair in pairs:
        names = pair.of.split(" × ")
        a, b = (f[names].copy() for f in plain)
        if set(names) <= set(numbers):
            want = CorrelationSimilarity.compute(a, b)
        else:
            want = ContingencySimilarity.compute(a, b, continuous_column_names=[c for c in names if c in numbers])
        assert pair.value == pytest.approx(want, abs=1e-9)
    assert len(pairs) == 15 and overall.value == pytest.approx(np.mean([p.value for p in pairs]))


@pytest.mark.extra("sdv")
def test_is_close_to_the_quality_report_where_ranges_agree(evidence):
    from sdmetrics.reports.single_table import QualityReport

    given = evidence("independent")
    columns = {"x": "numerical", "y": "numerical", "c": "categorical", "yes": "boolean"}
    plain = [t.frame[list(columns)].astype({"c": object, "yes": object}) for t in (given.control, given.synthetic)]
    report = QualityReport()
    report.generate(*plain, {"columns": {c: {"sdtype": k} for c, k in columns.items()}}, verbose=False)
    kept = Schema(tuple(c for c in given.schema.columns if c.name in columns))
    tables = {k: Table(getattr(given, k).frame, kept) for k in ("control", "synthetic")}
    found = trends.measure(Evidence(kept, **tables), rng=np.random.default_rng(0))[0]
    assert found.value == pytest.approx(
        report.get_properties().set_index("Property")["Score"]["Column Pair Trends"], abs=0.03
    )


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
    bad, *pairs, worst = trends.measure(evidence("independent"), rng=np.random.default_rng(0))
    assert abs(good.value - good.floor) < 0.02
    assert bad.high < good.low and bad.value == pytest.approx(good.baseline, abs=0.02)
    assert [p.value for p in pairs] == sorted(p.value for p in pairs)
    assert worst.name == "worst_pair_trend" and worst.note == "worst: x × y" and worst.value < 0.9 * worst.floor
    assert pairs[0].of == "x × y" and pairs[0].low < pairs[0].value < pairs[0].high


def test_interval_matches_the_spread_over_samples(evidence):
    given = evidence()
    rng, values, widths = np.random.default_rng(0), [], []
    for _ in range(40):
        synthetic = Table(
            given.train.frame.iloc[rng.integers(len(given.train), size=600)].assign(y=rng.normal(size=600)),
            given.schema,
        )
        control = Table(given.train.frame.iloc[rng.integers(len(given.train), size=600)], given.schema)
        found = trends.measure(evidence(synthetic, control=control, full=False), rng=rng)[0]
        values.append(found.value)
        widths.append(found.high - found.low)
    assert np.mean(widths) / (2 * 1.96) == pytest.approx(np.std(values), rel=0.35)


def test_a_column_that_synthetic_keeps_constant_has_no_trend(evidence):
    given = evidence()
    flat = Table(given.synthetic.frame.assign(y=1.0), given.schema)
    found = {m.of: m.value for m in trends.measure(evidence(flat), rng=np.random.default_rng(0))}
    r = given.control.frame["x"].corr(given.control.frame["y"])
    assert found["x × y"] == pytest.approx(1 - r / 2)


def test_pairs_are_sampled_where_there_are_many(evidence, monkeypatch):
    monkeypatch.setattr(trends, "PAIRS", 5)
    overall, *pairs, worst = trends.measure(evidence(), rng=np.random.default_rng(0))
    assert len(pairs) == 5 and "5 of 15 pairs" in overall.note
    assert worst.value >= 0.9 * worst.floor


def test_large_tables_of_cells_are_counted_alike(evidence, monkeypatch):
    want = trends.measure(evidence(), rng=np.random.default_rng(0))
    monkeypatch.setattr(trends, "_CELLS", 1)
    assert [m.value for m in trends.measure(evidence(), rng=np.random.default_rng(0))] == pytest.approx(
        [m.value for m in want]
    )


def test_a_single_column_has_no_pairs_and_its_gate_neither_passes_nor_fails(evidence):
    given = evidence("independent")
    tables = {
        part: Table(table.frame[["x"]], Schema((table.schema["x"],)))
        for part in ("train", "control", "synthetic")
        if (table := getattr(given, part)) is not None
    }
    alone = Evidence(schema=tables["control"].schema, **tables)
    for found in trends.measure(alone, rng=np.random.default_rng(0)):
        assert found.value is None and not found.measurable and "fewer than two columns" in found.note
