"""Copies are found, also of half the records, and chance agreement is not counted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.attacks import copies

ONE = Schema((Column("k", inferred=Traits(type="integer")), Column("z", inferred=Traits(type="float"))))


def pairs(k, z):
    return Table(pd.DataFrame({"k": pd.array(k, dtype="Int64"), "z": np.array(z, dtype=float)}), ONE)


def measured(evidence):
    return {m.name: m for m in copies.measure(evidence, rng=np.random.default_rng(0))}


def test_a_copy_of_train_fails_and_a_fresh_sample_does_not(evidence):
    leak, fresh = measured(evidence("copy")), measured(evidence())
    assert leak["copies"].value == 1 and leak["excess_copies"].low > 0.9
    assert fresh["excess_copies"].low <= 0 <= fresh["excess_copies"].high and abs(fresh["excess_copies"].value) < 0.02


def test_half_a_leak_is_half_a_leak(evidence):
    leak, fresh = evidence("copy").synthetic, evidence().synthetic
    mixed = Table(pd.concat([leak.frame.iloc[:500], fresh.frame.iloc[:500]], ignore_index=True), leak.schema)
    assert measured(replace(evidence(), synthetic=mixed))["copies"].value == pytest.approx(0.5, abs=0.02)


def test_by_hand_with_rounding_nulls_and_a_near_unique_column():
    train = pairs([1, 1, 2, None, None, 3], [0.1 + 0.2, 0.3, 7, 5, 5, 0.3])
    control = pairs([1, 9, 9, 9], [0.3, 1, 1, 1])
    synthetic = pairs([1, None, 2, 1], [0.3, 5, 8, -0.3])
    found = measured(Evidence(ONE, synthetic, train, control))
    # rounded, both columns have at least 3 distinct values in 6 rows; where every column is near-unique, all are
    # compared
    assert found["copies"].value == 0.5 and found["copies"].control == 0.25
    assert found["excess_copies"].value == 0.25


def test_near_unique_columns_are_left_out():
    rows = np.arange(100)
    train, control = pairs(rows % 10, rows + 0.5), pairs(rows % 10 + 20, rows + 0.7)
    assert measured(Evidence(ONE, pairs(rows % 10, rows + 0.9), train, control))["copies"].value == 1


def test_what_cannot_be_asked_is_said(evidence):
    for lost in ("train", "control"):
        assert all(m.value is None and m.note for m in measured(evidence(**{lost: None})).values())
