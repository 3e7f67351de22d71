"""Digits: which numbers are round beyond chance, and that rounding to their grains changes none of the source."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.codec import heaping
from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer

RNG = np.random.default_rng(0)
EVEN = np.exp(RNG.normal(10, 1, 5000)).astype(np.int64)
HEAPED = np.where(RNG.random(5000) < 0.6, EVEN // 1000 * 1000, np.where(RNG.random(5000) < 0.8, EVEN // 10 * 10, EVEN))


def coded(values: pa.Array) -> tuple[Codec, pd.DataFrame]:
    schema, data = infer(pa.table({"x": values}), {})
    return Codec.fit(data, schema, key=1), data


def test_round_numbers_beyond_chance() -> None:
    assert heaping.find(HEAPED, 1) == (1, 10, 50, 1000)
    assert heaping.find(EVEN, 1) == ()
    assert heaping.find(HEAPED[:900], 1) == ()  # too few rows
    assert heaping.find(HEAPED // 100 % 90, 1) == ()  # no new values
    assert heaping.find(HEAPED * 2**45, 1) == ()


def test_levels_are_the_coarsest_divisor() -> None:
    ladder, raw = (1, 5, 10, 500), RNG.integers(-3000, 3000, 1000)
    brute = [max(i for i, g in enumerate(ladder) if x % g == 0) for x in raw.tolist()]
    assert heaping.levels(raw, ladder).tolist() == brute
    assert (heaping.rounded(raw, heaping.levels(raw, ladder), ladder, -3000, 3000) == raw).all()


def test_rounding_stays_within_the_ends() -> None:
    raw = np.array([-7, 1, 4, 6, 12])
    assert heaping.rounded(raw, np.full(5, 1, dtype=np.int32), (1, 10), -7, 12).tolist() == [-7, 0, 0, 10, 10]


@pytest.mark.parametrize(
    "values",
    [pa.array(HEAPED), pa.array(HEAPED / 100), pa.array(HEAPED, mask=RNG.random(5000) < 0.1), pa.array(-HEAPED)],
)
def test_parts_and_back(values: pa.Array) -> None:
    codec, data = coded(values)
    parts = codec.encode(data)
    assert list(parts)[-2:] == ["x#grain", "x"] and [p.name for p in codec.parts] == list(parts)
    assert (parts["x#grain"] < codec.parts[-2].size).all() and (parts["x#grain"][np.isnan(parts["x"])] == 0).all()
    back = codec.decode(parts, len(data), start=0, rng=np.random.default_rng(0))["x"]
    changed = (back != data["x"]) & data["x"].notna()
    assert changed.sum() == sum(found["low"] + found["high"] for found in codec.clipped.values())


def test_drawn_numbers_are_as_round_as_the_source() -> None:
    codec, data = coded(pa.array(HEAPED))
    parts = codec.encode(data)
    parts["x"] = parts["x"] + RNG.normal(0, 50, len(data)) * (parts["x#grain"] > 0)
    made = codec.decode(parts, len(data), start=0, rng=np.random.default_rng(0))["x"].to_numpy(dtype=np.int64)
    for grain in (10, 500, 1000):
        assert abs((made % grain == 0).mean() - (HEAPED % grain == 0).mean()) < 0.1
