"""Values as a file holds them: what is written and read again equals what the rules looked at."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli import sources
from synthcli.columns.as_written import as_written, floored, unit_of
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.written import typed


@pytest.mark.parametrize(
    ("form", "unit"),
    [
        ("%Y", "Y"),
        ("%m/%Y", "M"),
        ("%d.%m.%Y", "D"),
        ("%Y-%m-%d %H:%M", "m"),
        ("%Y-%m-%dT%H:%M:%S%:z", "s"),
        ("%Y-%m-%d %H:%M:%S.%3f", "ms"),
        ("%Y-%m-%d %H:%M:%S.%f", "us"),
        ("%d.%m.%y", None),  # 1905 is read as 2005
        ("%Y-%m-%d %I:%M %p", None),
        ("%H:%M", None),
    ],
)
def test_a_format_rounds_down_to_the_finest_unit_that_it_writes(form: str, unit: str | None) -> None:
    assert unit_of(form) == unit


@pytest.mark.parametrize(
    "form", ["%Y", "%m/%Y", "%d.%m.%y", "%Y-%m-%d %I %p", "%Y-%m-%d %H:%M", "%d %b %Y", "%Y-%m-%dT%H:%M%:z"]
)
@pytest.mark.parametrize("zone", [None, "Europe/Berlin"])
def test_rounding_agrees_with_the_written_text_read_again(form: str, zone: str | None, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    ticks = rng.integers(-(2 * 10**15), 2 * 10**15, 300)
    moments = pd.Series(ticks.view("datetime64[us]"))
    moments = moments if zone is None else moments.dt.tz_localize("UTC").dt.tz_convert(zone)
    moments = moments.mask(np.arange(300) % 7 == 0)
    if zone is not None and "z" not in form:
        moments = moments[moments.dt.hour.fillna(12) > 4].reset_index(drop=True)  # an hour may occur twice
    if zone is None and "z" in form:
        return
    storage = "timestamp[us]" if zone is None else f"timestamp[us, tz={zone}]"
    schema = Schema((Column("t", Traits(type="datetime", format=form), storage=storage),))
    frame = as_written(pd.DataFrame({"t": moments}), schema)
    sources.write(iter([pd.DataFrame({"t": moments})]), schema, tmp_path / "t.csv", "csv")
    read = typed(
        sources.read(sources.Source(type="csv", path=tmp_path / "t.csv")), schema, path=tmp_path / "t.csv", text=True
    )
    pd.testing.assert_series_equal(frame["t"], read["t"])
    pd.testing.assert_series_equal(frame["t"], as_written(frame, schema)["t"])


def test_floats_keep_the_decimals_that_their_text_has() -> None:
    values = pd.Series([1.234, 2.0, np.nan, np.inf, -0.005])
    for traits in (Traits(type="float", format="%.1f"), Traits(type="float", precision=1)):
        out = as_written(pd.DataFrame({"x": values}), Schema((Column("x", traits, storage="double"),)))["x"]
        assert out.tolist()[:2] == [1.2, 2.0] and np.isnan(out[2]) and np.isinf(out[3]) and out[4] == 0
    same = pd.DataFrame({"x": values})
    assert as_written(same, Schema((Column("x", Traits(type="float"), storage="double"),))) is same


def test_dates_that_a_format_writes_whole_are_not_touched() -> None:
    days = pd.Series(pd.to_datetime(["2024-02-29", None]).as_unit("s"))
    assert floored(days, "%d.%m.%Y") is days
