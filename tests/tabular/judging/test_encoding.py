"""Columns as floats, against pandas' own arithmetic."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.tabular.judging.encoding import as_floats

STAMPS = ["2024-02-29 12:00:00.25", None, "1969-12-31 23:59:59"]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_times_are_seconds(unit, zone):
    stamps = pd.Series(pd.to_datetime(STAMPS, format="mixed")).astype(f"datetime64[{unit}]")
    stamps = stamps if zone is None else stamps.dt.tz_localize("UTC").dt.tz_convert(zone)
    expected = (stamps - pd.Timestamp(0, tz=zone)).dt.total_seconds().to_numpy()
    assert np.allclose(as_floats(stamps), expected, rtol=0, atol=1e-6, equal_nan=True) and np.isnan(expected[1])
    spans = pd.Series(pd.to_timedelta(["1h", None, "-250ms"])).astype(f"timedelta64[{unit}]")
    assert np.array_equal(as_floats(spans), spans.dt.total_seconds().to_numpy(), equal_nan=True)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pd.Series([1, None, -3], dtype="Int64"), [1, np.nan, -3]),
        (pd.Series([1.5, np.inf, -np.inf, np.nan, 1e300]), [1.5, np.nan, np.nan, np.nan, 1e100]),
        (pd.Series(["2", "x", None], dtype="string"), [2, np.nan, np.nan]),
        (pd.Series([], dtype="Int64"), []),
    ],
)
def test_numbers_are_floats_and_what_is_none_is_nan(values, expected):
    assert np.array_equal(as_floats(values), np.array(expected, dtype=float), equal_nan=True)
