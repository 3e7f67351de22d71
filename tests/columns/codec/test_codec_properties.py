"""Whatever a frame holds: parts are well formed, what is encoded comes back, and what is decoded obeys the schema.

Tables here are below the sizes from which words are folded and ends are moved inwards (top_coding.LEAST,
top_coding.depth); those rules have their own examples below.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthcli.columns import frame as frames
from synthcli.columns.codec import top_coding
from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.mixed import Mixed
from synthcli.columns.codec.numeric import Numbers
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Schema, Traits

INT = st.integers(-(2**63), 2**63 - 1)
ENDS = st.sampled_from([-(2**63), 2**63 - 1, 0, -1, 2**53, 2**53 + 1, 999, -9])
FLOAT = st.floats(allow_nan=False)
ODD = st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, -1.7e308, float("inf"), float("-inf"), 0.1, 1 / 3, 99999.0])
WORD = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
NUMERAL = st.integers(-50, 400).map(str)
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "+05:30", "Asia/Kathmandu", "America/Sao_Paulo")
_DAY = 86_400


def _clock(days: list[int], zone: str) -> pa.Array:
    """Local midnights of a zone."""
    naive = pd.Series(pd.to_datetime(np.array(days) * _DAY, unit="s"))
    local = naive.dt.tz_localize(zone, ambiguous=np.ones(len(days), dtype=bool), nonexistent="shift_forward")
    return pa.array(local.dt.as_unit("us"))


KINDS: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "integer": (INT | ENDS, pa.int64()),
    "small": (st.integers(0, 9), pa.int8()),
    "hundreds": (st.integers(-50, 50).map(lambda i: i * 100), pa.int32()),
    "unsigned": (st.integers(0, 2**63 - 1), pa.uint64()),
    "float": (FLOAT | ODD, pa.float64()),
    "single": (st.floats(width=32, allow_nan=False), pa.float32()),
    "cents": (st.integers(-10_000, 10_000).map(lambda i: i / 100), pa.float64()),
    "boolean": (st.booleans(), pa.bool_()),
    "date": (st.dates(dt.date(1600, 1, 1)), pa.date32()),
    "moment": (st.integers(-(2**60), 2**60), pa.timestamp("us")),
    "nanosecond": (st.integers(-(2**62), 2**62), pa.timestamp("ns")),
    "zoned": (st.integers(-(2**40), 2**40), pa.timestamp("ms", "Europe/Berlin")),
    "offset": (st.integers(0, 2**31), pa.timestamp("s", "+05:30")),
    "span": (st.integers(-(2**62), 2**62), pa.duration("us")),
    "minutes": (st.integers(-1000, 1000).map(lambda i: i * 60_000), pa.duration("ms")),
    "clock": (st.integers(0, 86_399), pa.time32("s")),
    "word": (WORD, pa.string()),
    "mixed": (NUMERAL | st.sampled_from(["N", "n/a", "007"]), pa.string()),
}


@st.composite
def tables(draw: st.DrawFn, least: int = 0) -> pa.Table:
    """One to four columns of any types, with nulls and repeats, up to top_coding.LEAST rows."""
    rows = draw(st.integers(least, top_coding.LEAST - 1))
    columns = {}
    for kind in draw(st.lists(st.sampled_from(sorted(KINDS)), min_size=1, max_size=4, unique=True)):
        values, type_ = KINDS[kind]
        pool = draw(
            st.lists(
                values | st.none() if draw(st.booleans()) else values,
                min_size=1,
                max_size=draw(st.sampled_from([1, 3, 40])),
            )
        )
        columns[kind] = pa.array([pool[i % len(pool)] for i in range(rows)], type_)
    return pa.table(columns)


def fit(table: pa.Table, **traits: Traits) -> tuple[Codec, pd.DataFrame, Schema]:
    words = {name: Traits(type="category") for name in ("word", "mixed") if name in table.column_names}
    schema, data = infer(table, words | traits)
    return Codec.fit(data, schema, key=1), data, schema


def decode(codec: Codec, values: dict[str, np.ndarray], rows: int) -> pd.DataFrame:
    return codec.decode(values, rows, start=0, rng=np.random.default_rng(0))


def check_parts(codec: Codec, values: dict[str, np.ndarray], rows: int) -> None:
    assert list(values) == [part.name for part in codec.parts]
    for part in codec.parts:
        x = values[part.name]
        assert x.shape == (rows,) and x.dtype == (np.int32 if part.is_code else np.float64)
        if part.is_code:
            assert ((x >= 0) & (x < part.size)).all()
        else:
            state = values.get(f"{part.name}#state", np.zeros(rows, dtype=np.int32))
            assert (np.isnan(x) == (state != 0)).all() and not np.isinf(x).any()


def exact(column: Numbers | Any) -> bool:
    """Whether all steps of a number fit float64."""
    return not isinstance(column, Numbers) or not column.whole or column.high <= 2**53


slow = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@slow
@given(tables())
def test_what_is_encoded_comes_back(table: pa.Table) -> None:
    codec, data, schema = fit(table)
    values = codec.encode(data)
    check_parts(codec, values, len(data))
    back = decode(codec, values, len(data))
    for column, coded in zip(schema.columns, codec.columns):
        if column.kind in frames.MODELLED and exact(coded):
            pd.testing.assert_series_equal(back[column.name], data[column.name], check_exact=True, check_index=False)
    frames.to_arrow(back, schema)
    check_parts(codec, codec.encode(back), len(data))


@slow
@given(tables(least=1), st.integers(0, 2**32 - 1))
def test_any_parts_obey_the_schema(table: pa.Table, seed: int) -> None:
    codec, data, schema = fit(table)
    rng = np.random.default_rng(seed)
    values: dict[str, np.ndarray] = {}
    for part in codec.parts:
        wild = np.concatenate(
            [
                rng.normal(size=40),
                rng.normal(size=40) * 10.0 ** rng.integers(0, 300, 40),
                [np.inf, -np.inf, np.nan, -0.0],
            ]
        )
        values[part.name] = rng.integers(0, part.size, 84).astype(np.int32) if part.is_code else wild
    out = decode(codec, values, 84)
    frames.to_arrow(out, schema)
    for column, coded in zip(schema.columns, codec.columns):
        made, seen = out[column.name], data[column.name]
        assert made.dtype == seen.dtype
        if column.kind not in frames.MODELLED:
            continue
        assert seen.isna().any() or not made.isna().any()
        known, real = made.dropna(), seen.dropna()
        if isinstance(coded, Mixed):
            assert all(
                w in set(real) or int(real[real.str.fullmatch(r"-?\d+")].astype(int).min()) <= int(w) for w in known
            )
        elif column.kind in frames.NUMBERS and len(known):
            if column.kind == "float" and not np.isfinite(real).any():
                continue  # the state of a value, which no row has, stands for 0
            assert known.min() >= real.min() and known.max() <= real.max()
            assert set(np.array(known)[~np.isfinite(known)].tolist()) <= set(real) if known.dtype == "float64" else True
        else:
            assert set(known) <= set(real)


@slow
@given(tables(), tables())
def test_other_rows_are_coded_too(table: pa.Table, other: pa.Table) -> None:
    """Those of a holdout, with values that the fit has not seen."""
    codec, _, schema = fit(table)
    same = {name: other[name] if name in other.column_names else table[name].slice(0, 0) for name in table.column_names}
    rows = min(len(array) for array in same.values())
    new = frames.to_frame(pa.table({name: array.slice(0, rows) for name, array in same.items()}), schema)
    values = codec.encode(new)
    check_parts(codec, values, rows)
    check_parts(codec, codec.encode(decode(codec, values, rows)), rows)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(table=tables())
def test_save_and_load_are_identical(table: pa.Table, tmp_path: Path) -> None:
    codec, data, _ = fit(table)
    codec.save(tmp_path)
    loaded = Codec.load(tmp_path)
    assert repr(loaded) == repr(codec)  # not ==, for which a NaN differs from itself
    values = codec.encode(data)
    for name, x in loaded.encode(data).items():
        np.testing.assert_array_equal(x, values[name])
    pd.testing.assert_frame_equal(decode(loaded, values, len(data)), decode(codec, values, len(data)), check_exact=True)


@slow
@given(st.lists(st.integers(0, 20_000), min_size=2, max_size=60), st.sampled_from(ZONES))
def test_days_of_a_zone_stay_days(days: list[int], zone: str) -> None:
    codec, data, _ = fit(pa.table({"t": _clock(days, zone)}))
    pd.testing.assert_frame_equal(decode(codec, codec.encode(data), len(data)), data, check_exact=True)
    midnights = (data["t"].dt.hour == 0).all()  # of which the clocks of Sao Paulo, and of Berlin in 1980, left some out
    if not isinstance(numbers := codec.columns[0], Numbers) or not midnights:
        return
    values = {"t": np.linspace(0, numbers.high, 50)}
    made = decode(codec, values, 50)["t"]
    shown = made.dt.tz_localize(None)
    left_out = shown[shown.dt.normalize() != shown]
    assert numbers.step % (_DAY * 10**6) == 0 and (left_out.dt.hour == 1).all() and len(left_out) <= 5


@slow
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=30, max_size=49), st.integers(0, 6), st.floats(-1e6, 0), st.floats(0.5, 1e6)
)
def test_declared_bounds_and_decimals_hold(numbers: list[float], decimals: int, low: float, high: float) -> None:
    kept = [min(max(x, low), high) for x in numbers]
    codec, _, _ = fit(pa.table({"x": kept}), x=Traits(type="float", min=low, max=high, precision=decimals))
    if not isinstance(codec.columns[0], Numbers):
        return
    name = codec.parts[-1].name
    values = {p.name: np.zeros(60, dtype=np.int32) for p in codec.parts if p.is_code} | {
        name: np.linspace(-2e6, 2e6, 60)
    }
    made = decode(codec, values, 60)["x"]
    assert (made == made.round(decimals)).all() or made.nunique() == 1
    assert low <= made.min() and made.max() <= high


@settings(max_examples=8, deadline=None)
@given(st.integers(625, 3000), st.integers(1, 4), st.integers(0, 10**6))
def test_beyond_what_several_hold_nothing_is_learned(rows: int, per_unit: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    units = np.arange(rows) // per_unit
    x = rng.permutation(rows * 10)[:rows]
    schema, data = infer(pa.table({"x": pa.array(x)}), {})
    codec = Codec.fit(data, schema, key=1, units=units)
    numbers = codec.columns[0]
    k = top_coding.depth(len(np.unique(units)))
    beyond = [v for v in x if len(set(units[x >= v])) < k or len(set(units[x <= v])) < k]
    low, high = ([v for v in beyond if bool(v > np.median(x)) is side] for side in (False, True))
    found = codec.clipped["x"]
    assert (found["low"], found["high"], found["known"]) == (len(low), len(high), rows)
    back = decode(codec, codec.encode(data), rows)["x"]
    assert (
        not set(back) & set(beyond)
        and numbers.base == back.min()
        and numbers.base + numbers.step * numbers.high == back.max()
    )
    assert (back == np.clip(x, back.min(), back.max())).all()


def test_ends_that_are_declared_are_not_moved() -> None:
    x = np.random.default_rng(0).permutation(20_000)[:5000]
    schema, data = infer(pa.table({"x": pa.array(x)}), {"x": Traits(min=0, max=30_000)})
    codec = Codec.fit(data, schema, key=1)
    assert codec.clipped == {}
    assert (decode(codec, codec.encode(data), 5000)["x"] == x).all()


def test_missing_codes_do_not_widen_the_grain() -> None:
    x = np.random.default_rng(0).integers(1, 500, 2000) * 10
    x[::50] = 99_999
    codec, data, _ = fit(pa.table({"x": x}))
    numbers = codec.columns[0]
    assert (numbers.step, numbers.spikes, numbers.high) == (10, (99_999,), (x[x < 99_999].max() - x.min()) // 10)
    assert (decode(codec, codec.encode(data), 2000)["x"] == x).all()


def test_few_floats_are_categories_where_many_share_each() -> None:
    x = np.random.default_rng(0).choice([17.5, 22.0, 27.0, 32.0], 200)
    assert [p.size for p in fit(pa.table({"x": x}))[0].parts] == [4]
    x[0] = 99.5
    assert [p.size for p in fit(pa.table({"x": x}))[0].parts] == [0]


@pytest.mark.parametrize("state", [0, 1, 2, 3])
def test_a_state_that_the_source_lacks_makes_no_nulls(state: int) -> None:
    x = np.concatenate([np.arange(400.0) / 7, np.zeros(50), np.full(50, 99_999.0)])
    codec, _, _ = fit(pa.table({"x": x}))
    made = decode(codec, {"x#state": np.full(3, state, dtype=np.int32), "x": np.full(3, np.nan)}, 3)["x"]
    assert not made.isna().any()
