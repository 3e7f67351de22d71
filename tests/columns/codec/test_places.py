"""Places: cells of pairs of coordinates, as a part of the codec and as rows come out of methods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcli import plugins, seeds
from synthcli.columns.codec import places as geo_places
from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.conditions import Conditions
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job, Request

RNG = np.random.default_rng(0)
TOWNS = np.array([[48.21, 16.37], [47.07, 15.44], [48.31, 14.29], [47.26, 11.40], [46.62, 14.31]])


def towns(rows: int, *, missing: float = 0.0) -> pa.Table:
    """Addresses that lie along the diagonal street of a town, and the town's name."""
    town, along = RNG.integers(len(TOWNS), size=rows), RNG.uniform(-0.05, 0.05, rows)
    lat, lon = TOWNS[town, 0] + along, TOWNS[town, 1] + along + RNG.normal(0, 0.001, rows)
    gone = RNG.random(rows) < missing
    return pa.table(
        {"town": [f"t{t}" for t in town], "latitude": pa.array(lat, mask=gone), "longitude": pa.array(lon, mask=gone)}
    )


def fitted(table: pa.Table, units: np.ndarray | None = None) -> tuple[Codec, pd.DataFrame]:
    schema, frame = infer(table, {})
    return Codec.fit(frame, schema, key=1, units=units), frame


def test_pairs_by_name_range_and_precision() -> None:
    lat, lon = RNG.uniform(47, 49, 50), RNG.uniform(15, 17, 50)
    table = {
        "pickup_latitude": lat,
        "pickup_longitude": lon,
        "Lat": lat,
        "Lng": lon,
        "drop_lat": lat,
        "platform": lon,
        "home_lat": lat * 10,
        "home_lon": lon,
        "flat_lat": lat.round(),
        "flat_lon": lon.round(),
    }
    schema, frame = infer(pa.table(table), {})
    assert geo_places.pairs(schema, frame) == [("pickup_latitude", "pickup_longitude"), ("Lat", "Lng")]


def test_the_place_is_a_part_before_the_latitude() -> None:
    codec, frame = fitted(towns(5000, missing=0.1))
    assert [part.name for part in codec.parts] == [
        "town",
        "latitude#state",
        "latitude#place",
        "latitude",
        "longitude#state",
        "longitude",
    ]
    values, missing = codec.encode(frame), frame["latitude"].isna().to_numpy()
    code, (place,) = values["latitude#place"], codec.places
    assert set(code[missing]) == {place.size - 1} and place.size - 1 not in set(code[~missing])
    counts = np.bincount(code[~missing], minlength=place.size - 1)
    assert len(TOWNS) <= len(counts) <= 4500 / geo_places.UNITS and counts.min() >= geo_places.UNITS
    by_town = pd.crosstab(code[~missing], frame["town"][~missing].to_numpy()).to_numpy() / counts[:, None]
    assert by_town.max(1).min() == 1.0  # towns are told apart by the gaps between them
    assert codec.seen_on_axes >= {"latitude#place"}


def test_people_are_counted_not_rows() -> None:
    schema, frame = infer(towns(6000), {})
    few, many = np.repeat(np.arange(geo_places.UNITS - 1), 21)[:6000], np.repeat(np.arange(1500), 4)
    assert Codec.fit(frame, schema, key=1, units=few).places == ()
    (place,) = Codec.fit(frame, schema, key=1, units=many).places
    code = place.encode(frame["latitude"], frame["longitude"])
    assert min(len(set(many[code == cell])) for cell in range(place.size - 1)) >= geo_places.UNITS


def test_many_rows_take_little_longer_than_some(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    divided = geo_places._divided
    monkeypatch.setattr(
        geo_places, "_divided", lambda points, people: seen.append(len(points)) or divided(points, people)
    )
    monkeypatch.setattr(geo_places, "SAMPLE", 4000)
    schema, frame = infer(towns(9000), {})
    (place,) = Codec.fit(frame, schema, key=1).places
    assert seen == [3000]
    assert np.bincount(place.encode(frame["latitude"], frame["longitude"])).min() >= geo_places.UNITS


def test_one_point_that_most_share_is_one_cell() -> None:
    table = towns(3000)
    lat, lon = table["latitude"].to_numpy().copy(), table["longitude"].to_numpy().copy()
    lat[:2000], lon[:2000] = 48.2, 16.4
    (place,) = fitted(pa.table({"latitude": lat, "longitude": lon}))[0].places
    code = place.encode(pd.Series(lat), pd.Series(lon))
    counts = np.bincount(code)
    assert len(set(code[:2000])) == 1 and counts[counts > 0].min() >= geo_places.UNITS


@settings(max_examples=40, deadline=None)
@given(st.integers(600, 2000), st.floats(-80, 80), st.floats(-170, 170), st.floats(0.001, 9), st.integers(0, 2**31))
def test_any_points_fall_into_cells_of_enough_people(
    rows: int, lat: float, lon: float, spread: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    points = np.round(np.array([lat, lon]) + spread * rng.normal(size=(rows, 2)), rng.integers(2, 9))
    place = geo_places.see(pd.Series(points[:, 0], name="a"), pd.Series(points[:, 1], name="b"))
    if place is None:
        assert len(np.unique(points)) < 50 or rows < 3 * geo_places.UNITS
        return
    code = place.encode(pd.Series(points[:, 0]), pd.Series(points[:, 1]))
    counts = np.bincount(code, minlength=place.size)
    assert counts[-1] == 0 and counts[counts > 0].min() >= geo_places.UNITS
    assert geo_places.Place.from_json(place.to_json()) == place


def test_what_was_never_seen_is_coded_too(tmp_path: Path) -> None:
    codec, _ = fitted(towns(1000))
    codec.save(tmp_path)
    loaded = Codec.load(tmp_path)
    assert loaded.places == codec.places
    assert loaded.parts == codec.parts
    (place,) = loaded.places
    odd = pd.Series([np.nan, 90.0, -90.0, np.inf, 48.2])
    code = place.encode(odd, pd.Series([1.0, 180.0, -180.0, 16.0, np.nan]))
    assert code[[0, 3, 4]].tolist() == [place.size - 1] * 3 and (code[1:3] < place.size - 1).all()


def test_a_place_is_known_where_both_coordinates_are() -> None:
    codec, frame = fitted(towns(1000))
    pair = frame[["latitude", "longitude"]].head(4)
    known = np.array([[True, True], [True, False], [False, True], [True, True]])
    code = Conditions.of(codec, Request(4, frame=pair, known=known, allowed={})).known["latitude#place"]
    assert (code >= 0).tolist() == [True, False, False, True]
    assert (
        "latitude#place" not in Conditions.of(codec, Request(4, frame=pair[["latitude"]], known=None, allowed={})).known
    )


@pytest.mark.parametrize("method", ["trees", pytest.param("arnet", marks=pytest.mark.extra("neural"))])
def test_points_lie_where_real_ones_do(method: str) -> None:
    schema, frame = infer(towns(5000), {})
    module = plugins.method(method, "tabular")
    params = {"trees": {}, "arnet": {"epochs": 20}}[method]
    model = module.fit(Table(frame, schema), module.Params.model_validate(params), job=Job(seed=1))
    made = model.sample(Request(1000), 0, rng=seeds.stream(1, "generate", 0)).frame
    points = made[["latitude", "longitude"]].to_numpy(dtype=float)
    far = np.abs(points[:, None, :] - TOWNS).max(2)
    assert (far.min(1) < 0.06).mean() > 0.95
    nearest = far.argmin(1)
    off = (points - TOWNS[nearest])[:, 1] - (points - TOWNS[nearest])[:, 0]
    assert (
        np.median(np.abs(off)) < 0.01
    )  # real points lie .0007 off their street, points of independent coordinates .03
    assert (made["town"].to_numpy() == np.array([f"t{t}" for t in nearest])).mean() > 0.95


@pytest.mark.parametrize("given", ["latitude", "longitude"])
def test_of_a_known_half_the_other_follows(given: str) -> None:
    schema, frame = infer(towns(3000), {})
    module = plugins.method("trees", "tabular")
    for params in ({"given": [given], "order": [given]}, {}):
        model = module.fit(Table(frame, schema), module.Params.model_validate(params), job=Job(seed=1))
        asked = frame[[given]].head(500).reset_index(drop=True)
        made = model.complete(
            Request(500, frame=asked, known=None, allowed={}), 0, rng=seeds.stream(1, "generate", 0)
        ).frame
        assert (made[given] == asked[given]).all()
        points = made[["latitude", "longitude"]].to_numpy(dtype=float)
        assert (np.abs(points[:, None, :] - TOWNS).max(2).min(1) < 0.06).mean() > 0.9
