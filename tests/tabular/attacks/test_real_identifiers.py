"""Keys and rare words of real people are found among synthetic rows; made ones and shared words are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery.infer import parse
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.tabular.attacks import real_identifiers

ROWS = 600


def table(seed: int, keys: int = 0) -> pd.DataFrame:
    """Accounts with several rows each, a city of few words, and a surname that few share. keys: the first account."""
    rng = np.random.default_rng(seed)
    syllables = [a + b for a in "BDFGKLMNPRST" for b in "aeiou"]
    surnames = np.array([x + y.lower() + z.lower() for x in syllables for y in syllables for z in ("n", "r")])
    return pd.DataFrame(
        {
            "account": [f"DE{keys + i:05d}" for i in rng.integers(0, 90, ROWS)],
            "surname": rng.choice(surnames, ROWS),
            "city": rng.choice(["Wien", "Graz", "Linz"], ROWS),
        }
    )


TRAIN, CONTROL = table(0), table(1)
SCHEMA = parse(pa.Table.from_pandas(TRAIN), {}, protect=False)[0]


def measured(synthetic: pd.DataFrame, control: pd.DataFrame = CONTROL) -> dict[str | None, float]:
    parts = (parse(pa.Table.from_pandas(frame), {}, protect=False)[1] for frame in (synthetic, TRAIN, control))
    synthetic_, train, control_ = (Table(frame, SCHEMA) for frame in parts)
    found = real_identifiers.measure(Evidence(SCHEMA, synthetic_, train, control_), rng=np.random.default_rng(0))
    return {m.of: m.value or 0.0 for m in found}


def test_rows_of_train_bear_its_keys_and_words():
    found = measured(TRAIN)
    assert found["account"] == 1 and found["surname"] > 0.8 and found[None] > 0.8 and "city" not in found


def test_learned_keys_are_found_although_control_has_the_same_accounts():
    learned = table(2).assign(surname="")
    assert measured(learned)["account"] > 0.95


def test_made_keys_and_unseen_people_pass():
    found = measured(table(3, keys=50_000))
    assert found["account"] == 0 and abs(found["surname"]) < 0.05 and abs(found[None]) < 0.05


def test_half_a_leak_is_half_a_leak():
    half = pd.concat([TRAIN.iloc[:300], table(3, keys=50_000).iloc[:300]], ignore_index=True)
    assert measured(half)["account"] == pytest.approx(0.5, abs=0.01)


def test_a_table_without_identifiers_has_none():
    schema = replace(SCHEMA, columns=SCHEMA.columns[2:])
    city = Table(parse(pa.Table.from_pandas(TRAIN[["city"]]), {})[1], schema)
    found = real_identifiers.measure(Evidence(schema, city, city, city), rng=np.random.default_rng(0))
    assert [m.value for m in found] == [0.0] and "no column" in found[0].note


def test_what_cannot_be_measured_is_said(evidence):
    for lost in ("train", "control"):
        found = real_identifiers.measure(evidence(**{lost: None}), rng=np.random.default_rng(0))
        assert all(m.value is None and m.note for m in found)
