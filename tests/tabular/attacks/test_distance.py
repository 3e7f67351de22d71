"""The distance attack against brute force, on planted leaks and on fresh samples."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.table import Table
from synthcli.contracts.schema import Schema
from synthcli.tabular.attacks import distance
from synthcli.tabular.judging import neighbours
from synthcli.tabular.judging.encoding import encode


def measured(evidence, seed=0):
    return {m.name: m for m in distance.measure(evidence, rng=np.random.default_rng(seed))}


def test_nearest_is_brute_force(evidence):
    given = evidence()
    encoded = encode({"train": given.train, "control": given.control, "synthetic": given.synthetic}, given.schema)
    points = neighbours.embed(encoded)
    queries, references = points["synthetic"].take(np.arange(300)), points["train"]
    found, at = neighbours.nearest(queries, references)
    gaps = np.abs(queries.ranks[:, None, :] - references.ranks[None]).sum(axis=2) + (
        queries.codes[:, None, :] != references.codes[None]
    ).sum(axis=2)
    assert found == pytest.approx(gaps.min(axis=1), abs=1e-6)
    assert gaps[np.arange(300), at] == pytest.approx(found, abs=1e-6)
    both = pd.concat([given.train.frame["x"], given.control.frame["x"]])
    assert points["train"].ranks[:, 0] == pytest.approx(
        (both.rank(method="average") - 0.5).to_numpy()[: len(given.train)] / len(both), abs=1e-6
    )
    assert (points["train"].ranks[given.train.frame["age"].isna(), 2] == -1).all()


@pytest.mark.parametrize("leak", ["copy", "noisy"])
def test_a_leak_fails_hard(evidence, leak):
    found = measured(evidence(leak))
    assert found["dcr_share"].low > 0.85 and found["dcr_median"].high < found["dcr_median"].floor / 2
    steering = measured(evidence(leak, full=False))
    assert steering["dcr_share"].low > 0.85 and steering["dcr_share"].floor is None


def test_a_fresh_sample_is_half_and_half(evidence):
    found = measured(evidence())
    assert found["dcr_share"].low < 0.5 < found["dcr_share"].high
    assert found["dcr_share"].floor == pytest.approx(0.5, abs=0.08) and found["dcr_share"].baseline == pytest.approx(
        0.5, abs=0.08
    )
    assert found["dcr_median"].value == pytest.approx(found["dcr_median"].floor, rel=0.1)


def test_the_floor_keeps_privacy_units_apart(evidence):
    given = evidence()
    schema = Schema(given.schema.columns, unit="who")
    twice = Table(pd.concat([given.train.frame] * 2, ignore_index=True), schema)
    tables = {name: Table(getattr(given, name).frame, schema) for name in ("control", "synthetic")}
    with_units = measured(replace(given, schema=schema, train=twice, baseline=None, **tables))
    assert with_units["dcr_share"].floor < 0.6
    blind = measured(replace(given, train=Table(twice.frame, given.schema), baseline=None))
    assert blind["dcr_share"].floor > 0.6


def test_median_interval_covers():
    rng = np.random.default_rng(0)
    hits = sum(
        low <= 0 <= high for low, _, high in (distance.median_interval(rng.normal(size=101)) for _ in range(400))
    )
    assert 370 <= hits <= 396


def test_a_search_stays_affordable():
    queries, references = neighbours.affordable(5000, 12000, 300)
    assert queries * references * 300 <= neighbours.COST and queries > 500
    assert neighbours.affordable(500, 400, 10) == (500, 400)
