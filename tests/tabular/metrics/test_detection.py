"""Boosted trees see independent columns, and see nothing in a real sample."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Schema
from synthcli.tabular.judging import intervals, learners
from synthcli.tabular.metrics import detection


def test_real_passes_and_independent_columns_are_told(evidence):
    good = {m.name: m for m in detection.measure(evidence(), rng=np.random.default_rng(0)) if m.scope == "overall"}
    assert good["detection_auc"].low <= 0.5 + 0.02 and good["detection_auc"].value < 0.55 and good["c2st"].value > 0.9
    assert abs(good["detection_auc"].floor - 0.5) < 0.05 and good["detection_auc"].baseline > 0.7
    bad = {
        m.name: m
        for m in detection.measure(evidence("independent", full=False), rng=np.random.default_rng(0))
        if m.scope == "overall"
    }
    assert bad["detection_auc"].low > 0.7 and bad["c2st"].value < 0.6
    assert bad["c2st"].low < bad["c2st"].value < bad["c2st"].high


def test_the_column_that_tells_comes_first(evidence):
    given = evidence()
    moved = Table(given.synthetic.frame.assign(y=given.synthetic.frame["y"] + 1), given.schema)
    columns = [
        m for m in detection.measure(evidence(moved, full=False), rng=np.random.default_rng(0)) if m.scope == "column"
    ]
    assert columns[0].of == "y" and columns[0].low > 0.7
    assert all(m.value < 0.56 for m in columns[1:])


def test_same_stream_same_figure(evidence):
    one, two = (detection.measure(evidence(full=False), rng=np.random.default_rng(7)) for _ in range(2))
    assert one == two


def test_a_unit_is_in_one_fold():
    units = np.repeat(np.arange(50), 4)
    fold = detection.folds(units, np.random.default_rng(0))
    assert all(len(set(fold[units == u])) == 1 for u in range(50)) and set(fold) == {0, 1, 2}


def test_auc_and_its_variance():
    rng = np.random.default_rng(0)
    drawn = []
    for i in range(300):
        a, b = rng.normal(0.7, size=80).round(1), rng.normal(size=60).round(1)
        drawn.append(intervals.auc(a, b))
        if i < 20:
            assert drawn[-1][0] == pytest.approx(roc_auc_score(np.repeat([1, 0], [80, 60]), np.r_[a, b]))
    assert np.mean([v for _, v in drawn]) == pytest.approx(np.var([a for a, _ in drawn]), rel=0.2)


def test_too_few_records_are_said(evidence):
    found = detection.measure(evidence(evidence().synthetic.take(np.arange(5))), rng=np.random.default_rng(0))
    assert all(m.value is None and "fewer than" in m.note for m in found) and len(found) == 2


def one_value_in(table, rows=1):
    """x is 7 in the first rows and null elsewhere."""
    return Table(table.frame.assign(x=np.where(np.arange(len(table)) < rows, 7.0, np.nan)), table.schema)


@pytest.mark.parametrize("rows", [1, 300])
def test_a_column_of_one_known_value_is_judged_by_its_nulls(evidence, rows):
    given = evidence()
    odd = evidence(
        one_value_in(given.synthetic, rows),
        train=one_value_in(given.train, rows),
        control=one_value_in(given.control, rows),
        full=False,
    )
    found = {m.name: m for m in detection.measure(odd, rng=np.random.default_rng(0)) if m.scope == "overall"}
    assert found["detection_auc"].value is not None
    told = one_value_in(given.synthetic, 10**6), one_value_in(given.control, 300)
    plain = [Table(t.frame[["x"]], Schema((given.schema["x"],))) for t in told]
    found = detection.measure(
        Evidence(plain[0].schema, plain[0], control=plain[1], full=False), rng=np.random.default_rng(0)
    )
    assert found[0].value > 0.8  # seven of ten control rows are null, no synthetic one is


def test_one_unit_of_many_rows_has_a_note(evidence):
    given = evidence()
    schema = Schema(given.schema.columns, unit="note")
    one = Table(given.control.frame.assign(note="me"), schema)
    found = detection.measure(
        evidence(Table(given.synthetic.frame.assign(note="you"), schema), schema=schema, control=one, full=False),
        rng=np.random.default_rng(0),
    )
    assert all(m.value is None and m.note for m in found if m.scope == "overall")


def test_a_fit_that_cannot_be_made_says_why(evidence, monkeypatch):
    from sklearn.ensemble import HistGradientBoostingClassifier

    def broken(*_):
        raise ValueError("no such shape")

    monkeypatch.setattr(HistGradientBoostingClassifier, "fit", broken)
    found = detection.measure(evidence(full=False), rng=np.random.default_rng(0))
    assert all(m.value is None and "no such shape" in m.note for m in found)


def test_features_that_trees_can_split_on():
    nan = np.nan
    fit = np.array([[1, 2, nan, nan, 5], [1, 3, nan, 4, nan], [1, nan, nan, 4, 5]])
    seen, unseen = learners.features(fit, np.array([[9, 9, 9, 9, nan]]))
    assert np.array_equal(seen, [[2, 1, 0], [3, 0, 1], [nan, 0, 0]], equal_nan=True)
    assert np.array_equal(unseen, [[9, 0, 1]])


def test_values_that_only_one_table_holds_do_not_tell_by_their_coding():
    """A category of thousands of values: most of them stand in one of two real samples only, and say nothing about
    which.
    """
    import pandas as pd
    import pyarrow as pa

    from synthcli.columns.discovery.infer import infer
    from synthcli.contracts.schema import Traits

    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"code": [f"v{v}" for v in rng.zipf(1.3, 6000) % 100_000], "x": rng.normal(size=6000)})
    schema, data = infer(pa.Table.from_pandas(frame, preserve_index=False), {"code": Traits(type="category")})
    parts = [Table(data.iloc[i::3], schema) for i in range(3)]
    seen = Evidence(schema=schema, train=parts[0], control=parts[1], synthetic=parts[2], baseline=parts[0])
    found = {m.name: m for m in detection.measure(seen, rng=np.random.default_rng(0)) if m.scope == "overall"}
    assert abs(found["detection_auc"].value - 0.5) < 0.04
    assert abs(found["detection_auc"].floor - 0.5) < 0.04
