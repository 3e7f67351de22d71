"""Made-up values of Faker's providers that may repeat."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.fake import generate as fake
from synthcli.columns.fake import providers
from synthcli.contracts.schema import Column, Traits


def _values(kind: str, start: int = 0, rows: int = 500, seed: int = 0, name: str = "x") -> pd.Series:
    column = Column(name, Traits(type=kind), Traits(), "string")
    return fake.make(column, start, rows, key=1, rng=np.random.default_rng(seed))


def test_values_are_drawn_for_each_row() -> None:
    assert _values("phone", rows=20_000).nunique() > 0.99 * 20_000
    assert _values("address", rows=4_000).nunique() > 0.99 * 4_000


def test_the_seed_and_the_column_decide() -> None:
    pd.testing.assert_series_equal(_values("phone"), _values("phone"))
    assert not set(_values("phone")) & set(_values("phone", seed=1))
    assert not set(_values("phone")) & set(_values("phone", name="y"))


def test_rows_beyond_the_drawn_ones_sample_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(providers, "FRESH", 300)
    monkeypatch.setattr(providers, "MANY", 50)
    assert _values("phone", rows=300).nunique() == 300
    across = _values("phone", start=100)
    assert across[:200].nunique() == 200 and 0 < across[200:].nunique() <= 50
    beyond = _values("phone", start=1_000, seed=5)
    assert set(beyond) <= set(across[200:]) | set(_values("phone", start=2_000, rows=2_000))


def test_providers_with_few_values_sample_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    draws = []
    own = providers._draw
    monkeypatch.setattr(providers, "_draw", lambda *words: draws.append(words[-1]) or own(*words))
    assert 2 < _values("color", rows=20_000, name="few").nunique() < 200
    assert max(draws) == providers.POOL
