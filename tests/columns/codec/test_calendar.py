"""Months and years as steps of a date."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.codec import calendar
from synthcli.columns.codec.codec import Codec
from synthcli.contracts.schema import Column, Schema, Traits


def ticks(dates: list[str], unit: str = "s") -> np.ndarray:
    return np.array(dates, dtype=f"datetime64[{unit}]").astype(np.int64)


@pytest.mark.parametrize(
    ("dates", "step"),
    [
        (["1999-01-01", "2004-01-01", "2005-01-01"], 12),
        (["1969-04-01", "1970-01-01", "1970-07-01"], 3),
        (["2020-02-01", "2020-03-01", "2020-08-01"], 1),
        (["2020-02-01", "2020-03-02", "2020-08-01"], 0),
        (["2020-02-01", "2020-03-01"], 0),  # two dates show no step
        (["2020-02-01T00:00", "2020-03-01T00:00", "2020-08-01T00:01"], 0),
    ],
)
def test_the_step_is_the_greatest_that_all_dates_share(dates: list[str], step: int) -> None:
    for unit in ("s", "us"):
        assert calendar.step(ticks(dates, unit), unit) == step


def test_the_nearest_date_lies_on_the_steps() -> None:
    near = calendar.nearest(
        ticks(["1969-05-01", "2004-12-20", "2004-01-01", "1899-06-30"]), "s", 12, ticks(["1970-01-01"])[0]
    )
    capped = calendar.nearest(ticks(["2004-12-20"]), "s", 12, 0, last=ticks(["2004-12-31"])[0])
    assert capped.tolist() == ticks(["2004-01-01"]).tolist()
    assert near.tolist() == ticks(["1969-01-01", "2005-01-01", "2004-01-01", "1899-01-01"]).tolist()


def test_a_codec_decodes_any_number_to_a_date_of_the_source() -> None:
    rng = np.random.default_rng(0)
    years = pd.Series(np.array([f"{y}-01-01" for y in rng.integers(1950, 2020, 200)], dtype="datetime64[s]"))
    schema = Schema((Column("y", Traits(type="datetime", format="%Y"), storage="date32[day]"),))
    codec = Codec.fit(years.to_frame("y"), schema, key=0)
    values = codec.encode(years.to_frame("y"))
    exact = codec.decode(values, 200, start=0, rng=rng)["y"]
    assert (exact.dt.year - years.dt.year).abs().sum() <= 2 * 69  # top coding may move the extremes
    moved = {
        name: part + rng.uniform(-170, 170, 200) if part.dtype.kind == "f" else part for name, part in values.items()
    }
    decoded = codec.decode(moved, 200, start=0, rng=rng)["y"]
    assert (decoded.dt.dayofyear == 1).all() and (decoded.dt.year == exact.dt.year).mean() > 0.95
