"""Pictures of real and synthetic tables: right shares, and no group of fewer than FEW units."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.frame import STRING
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.pictures import FEW, _merged, pictures

KINDS = {
    "who": "id",
    "x": "float",
    "n": "integer",
    "spent": "float",
    "when": "datetime",
    "c": "category",
    "yes": "boolean",
    "mail": "email",
}


def draw(rows: int, seed: int, *, per_unit: int = 1) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    frame = pd.DataFrame(
        {
            "who": pd.array([f"P{i // per_unit}" for i in range(rows)], dtype=STRING),
            "x": x,
            "n": pd.array(rng.poisson(2, rows), dtype="Int64"),
            "spent": np.where(rng.random(rows) < 0.1, np.nan, np.exp(rng.normal(3, 2, rows))),
            "when": (pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), unit="D")).astype(
                "datetime64[us]"
            ),
            "c": pd.array(rng.choice(["a", "b", "rare"], rows, p=[0.6, 0.395, 0.005]), dtype=STRING),
            "yes": pd.array(x + rng.normal(size=rows) > 0, dtype="boolean"),
            "mail": pd.array([f"person{i}@example.org" for i in range(rows)], dtype=STRING),
        }
    )
    columns = tuple(Column(name, inferred=Traits(type=kind)) for name, kind in KINDS.items())
    return Table(frame, Schema(columns, unit="who"))


def evidence(**more: object) -> Evidence:
    control, synthetic = draw(800, 1), draw(1000, 2)
    return Evidence(**{"schema": control.schema, "synthetic": synthetic, "control": control, **more})


def by_name(found: dict) -> dict:
    return {c["name"]: c for c in found["columns"]}


def test_shares_are_those_of_the_tables():
    given = evidence()
    found = by_name(pictures(given, rng=np.random.default_rng(0)))
    yes = found["yes"]["categories"]
    assert dict(zip(yes["values"], yes["real"], strict=True))["True"] == pytest.approx(
        given.control.frame["yes"].mean(), abs=1e-4
    )
    bins = found["x"]["bins"]
    assert sum(bins["real"]) == pytest.approx(1, abs=1e-3) and sum(bins["synthetic"]) == pytest.approx(1, abs=1e-3)
    counts = np.histogram(given.control.frame["x"], [-np.inf, *bins["edges"][1:-1], np.inf])[0] / 800
    assert bins["real"] == pytest.approx(counts, abs=1e-4)
    assert found["spent"]["nulls"]["real"] == pytest.approx(given.control.frame["spent"].isna().mean(), abs=1e-4)
    assert found["spent"]["bins"]["scale"] == "log" and bins["scale"] == "linear"


@pytest.mark.parametrize("per_unit", [1, 8])
def test_no_group_of_real_records_is_smaller_than_few_units(per_unit):
    control = draw(800, 1, per_unit=per_unit)
    found = by_name(pictures(evidence(control=control), rng=np.random.default_rng(0)))
    for name in ("x", "spent", "when"):
        bins, column = found[name]["bins"], control.frame[name]
        values = column.astype("int64") / 1e6 if name == "when" else column
        for low, high in zip(bins["edges"], bins["edges"][1:], strict=False):
            first, last = low == bins["edges"][0], high == bins["edges"][-1]
            inside = (values >= (-np.inf if first else low)) & (values < (np.inf if last else high)) & column.notna()
            assert control.frame["who"][inside].nunique() == 0 or control.frame["who"][inside].nunique() >= FEW
        reached = control.frame["who"][column.notna() & (values >= bins["edges"][-2])].nunique()
        assert reached >= FEW
    if per_unit == 1:
        assert found["c"]["categories"]["values"] == ["a"]  # "rare" is held by 4, so that "b" must hide them
        assert found["c"]["categories"]["others"]["values"] == 2


def test_a_few_nulls_are_not_told():
    control = draw(800, 1)
    frame = control.frame.assign(x=control.frame["x"].mask(np.arange(800) < 3))
    found = by_name(pictures(evidence(control=Table(frame, control.schema)), rng=np.random.default_rng(0)))
    assert found["x"]["nulls"]["real"] is None


def test_made_up_columns_show_no_value():
    """Beside the sample, which shows synthetic rows alone."""
    body = pictures(evidence(), rng=np.random.default_rng(0))
    text = json.dumps({**body, "sample": None}, allow_nan=False)
    assert "@example.org" not in text and '"P1' not in text


def test_merging_leaves_no_small_group_and_keeps_empty_bins():
    place, units = np.repeat([0, 2, 3, 5], [30, 4, 20, 3]), np.arange(57)
    assert _merged(place, units, 6).tolist() == [0, 1, 2, 2, 2, 2]
    group = _merged(place, units, 6)[place]
    assert np.bincount(group)[np.unique(group)].min() >= FEW


def test_the_pair_and_the_column_that_differ_come_first():
    control, synthetic = draw(1500, 1), draw(1500, 2)
    moved = Table(
        synthetic.frame.assign(yes=synthetic.frame["yes"].iloc[::-1].array, x=synthetic.frame["x"] + 1),
        synthetic.schema,
    )
    found = pictures(evidence(control=control, synthetic=moved), rng=np.random.default_rng(0))
    assert set(found["pairs"]["names"][:2]) == {"x", "yes"}
    assert found["detector"]["columns"][0]["name"] == "x" and found["detector"]["auc"] > 0.7


def test_without_real_records_the_synthetic_side_is_drawn():
    found = pictures(evidence(control=None), rng=np.random.default_rng(0))
    assert "real" not in by_name(found)["x"]["bins"] and found["pairs"] is None and found["detector"] is None


def test_same_stream_same_pictures():
    one, two = (pictures(evidence(), rng=np.random.default_rng(3)) for _ in range(2))
    assert one == two


def test_sample_rows_are_synthetic_rows():
    given = evidence()
    found = pictures(given, rng=np.random.default_rng(0))["sample"]
    assert found["columns"] == list(KINDS)
    assert len(found["rows"]) == 10
    known = {(who, mail) for who, mail in zip(given.synthetic.frame["who"], given.synthetic.frame["mail"], strict=True)}
    assert all((row[0], row[-1]) in known for row in found["rows"])
    empty = given.synthetic.frame.assign(spent=np.nan)
    one = pictures(evidence(synthetic=Table(empty, given.schema)), rng=np.random.default_rng(0))["sample"]
    assert all(row[one["columns"].index("spent")] is None for row in one["rows"])


def test_distances_to_the_training_rows_tell_copies_from_new_rows():
    train = draw(900, 3)
    copied = pictures(evidence(train=train, synthetic=train), rng=np.random.default_rng(0))["distances"]
    new = pictures(evidence(train=train), rng=np.random.default_rng(0))["distances"]
    assert copied["synthetic"][0] == pytest.approx(1)
    assert new["synthetic"][0] < 0.2
    assert sum(new["real"]) == pytest.approx(1, abs=1e-3)


def test_without_training_rows_there_are_no_distances():
    assert pictures(evidence(), rng=np.random.default_rng(0))["distances"] is None
