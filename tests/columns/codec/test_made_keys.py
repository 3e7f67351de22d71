"""Made keys keep their shape, are none of the source's, and differ between batches; those that repeat stand for entities."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer
from synthcli.columns.fake import checksums
from synthcli.columns.fake.check_digits import CHECKS
from synthcli.columns.fake.keyspace import Room, free, placed
from synthcli.contracts.schema import Traits

ROWS, DOCTORS = 900, 60


@cache
def source() -> pd.DataFrame:
    rng = np.random.default_rng(0)
    doctor = rng.integers(0, DOCTORS, ROWS)
    patient = rng.integers(0, 500, ROWS)
    ten = [str(n) for n in rng.choice(8 * 10**9, ROWS, replace=False) + 10**9]
    return pd.DataFrame(
        {
            "kdnr": 100_000 + rng.permutation(ROWS),
            "konto": 4_000_000_000 + 7 * rng.permutation(ROWS),
            "random_no": rng.choice(900_000, ROWS, replace=False) + 100_000,
            "serial_id": rng.permutation(ROWS) + 1,
            "code": [f"AB-{i:06d}" for i in rng.choice(10**6, ROWS, replace=False)],
            "luhn_no": CHECKS["luhn"].completed(np.array(ten, dtype=object)).astype(np.int64),
            "doctor_id": [f"D{i:03d}" for i in doctor],
            "ward": np.arange(DOCTORS)[doctor] % 6,
            "patient_no": patient + 20_000,
        }
    )


@cache
def codec() -> Codec:
    schema, frame = infer(pa.Table.from_pandas(source()), {})
    return Codec.fit(frame, schema, key=3)


@cache
def made(batch: int = 0) -> pd.DataFrame:
    frame = infer(pa.Table.from_pandas(source()), {})[1]
    values = codec().encode(frame)
    return codec().decode(values, ROWS, start=0, rng=np.random.default_rng(0), batch=batch)


KEYS = ["kdnr", "konto", "random_no", "serial_id", "code", "luhn_no"]


@pytest.mark.parametrize("name", [*KEYS, "doctor_id", "patient_no"])
def test_none_is_of_the_source(name: str) -> None:
    assert not made()[name].isin(source()[name]).any()


@pytest.mark.parametrize("name", KEYS)
def test_unique_and_different_in_other_batches(name: str) -> None:
    batches = pd.concat([made(batch)[name] for batch in (0, 1, 2, 7)])
    assert batches.is_unique


@pytest.mark.parametrize(("name", "digits"), [("kdnr", 6), ("konto", 10), ("random_no", 6), ("luhn_no", 11)])
def test_integers_keep_their_digits(name: str, digits: int) -> None:
    assert made()[name].astype(str).str.len().eq(digits).all() and made()[name].dtype == "Int64"


def test_strings_keep_their_shape_and_check_digits_are_valid() -> None:
    assert made()["code"].str.fullmatch(r"AB-\d{6}").all() and made()["doctor_id"].str.fullmatch(r"D\d{3}").all()
    assert checksums.luhn(made()["luhn_no"].astype(str).astype(object)).all()


def test_doctors_stay_doctors_with_their_wards() -> None:
    doctors = made()["doctor_id"]
    real = source()["doctor_id"]
    assert doctors.nunique() == real.nunique()
    assert (pd.crosstab(doctors, made()["ward"].astype(int)) > 0).sum(axis=1).eq(1).all()
    assert sorted(doctors.value_counts()) == sorted(real.value_counts())
    assert set(made(1)["doctor_id"]) == set(doctors)  # learned entities are the same in each batch


def test_entities_of_few_rows_are_made_anew_with_as_many_rows_each() -> None:
    ours, theirs = made()["patient_no"].value_counts(), source()["patient_no"].value_counts()
    assert abs(len(ours) - len(theirs)) < 0.2 * len(theirs) and abs(ours.mean() - theirs.mean()) < 0.6


def test_no_key_is_in_the_saved_codec(tmp_path: Path) -> None:
    codec().save(tmp_path)
    text = (tmp_path / "codec.json").read_text()
    words = [w for name in ("code", "doctor_id", "konto", "luhn_no") for w in source()[name].astype(str)]
    assert not [word for word in words if word in text]
    loaded = Codec.load(tmp_path)
    values = codec().encode(infer(pa.Table.from_pandas(source()), {})[1])
    again = loaded.decode(values, ROWS, start=0, rng=np.random.default_rng(0))
    pd.testing.assert_frame_equal(again, made())


def test_unique_may_be_declared() -> None:
    said = {"doctor_id": Traits(unique=True)}
    schema, frame = infer(pa.Table.from_pandas(source()[["doctor_id"]]), said)
    own = Codec.fit(frame, schema, key=1)
    assert own.decode({}, ROWS, start=0, rng=np.random.default_rng(0))["doctor_id"].is_unique


class TestRoom:
    def test_it_holds_no_key_and_hides_those_next_to_it(self) -> None:
        known = np.random.default_rng(1).choice(100_000, 3_000, replace=False)
        room = free(known, 0, 99_999)
        assert room is not None and room.size >= 4 * len(known)
        numbers = room.draw(np.arange(room.size, dtype=np.uint64), 5)
        assert len(np.unique(numbers)) == room.size and not np.isin(numbers, known).any()
        edges = [edge + side for first, last in room.ranges for edge, side in ((first, -1), (last, 1))]
        assert np.isin(edges, known).mean() < 0.2

    def test_a_full_space_has_none(self) -> None:
        assert free(np.arange(1_000), 0, 999) is None

    def test_what_is_beside_it(self) -> None:
        assert Room(((2, 4), (7, 8))).beside(10).ranges == ((0, 1), (5, 6), (9, 9))

    @pytest.mark.parametrize("size", [101, 80_000])
    def test_batches_start_apart(self, size: int) -> None:
        starts = sorted(int(placed(np.zeros(1, dtype=np.uint64), size, batch)[0]) for batch in range(20))
        assert min(np.diff([*starts, starts[0] + size])) >= 0.38 * size / 20 - 2
