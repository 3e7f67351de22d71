"""What is asked of columns in terms of parts: every value that may be is within, and what cannot be is named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.conditions import Conditions, Within, in_words
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.modelling import Allowed, Request
from synthcli.contracts.schema import Traits
from synthcli.errors import FitError

ROWS = 400
RNG = np.random.default_rng(0)
TABLE = pa.table(
    {
        "word": pa.array(RNG.choice(["a", "b", "c"], ROWS), mask=RNG.random(ROWS) < 0.1),
        "full": pa.array(RNG.choice(["a", "b"], ROWS)),
        "flag": pa.array(RNG.random(ROWS) < 0.5),
        "few": pa.array(RNG.integers(0, 5, ROWS)),
        "number": pa.array(RNG.integers(0, 5000, ROWS) * 10, mask=RNG.random(ROWS) < 0.2),
        "zeros": pa.array(np.where(RNG.random(ROWS) < 0.5, 0.0, RNG.normal(50, 9, ROWS))),
        "day": pa.array(pd.date_range("2024-01-01", periods=ROWS, freq="D").to_pydatetime()),
        "one": pa.array(["same"] * ROWS),
        "none": pa.array([None] * ROWS, pa.string()),
        "mixed": pa.array([str(n) if n % 5 else "N" for n in range(ROWS)]),
        "key": pa.array([f"k{i:04d}" for i in range(ROWS)]),
    }
)
SCHEMA, FRAME = infer(TABLE, {"key": Traits(type="id"), "zeros": Traits(type="float", spikes=(0.0,))})
CODEC = Codec.fit(FRAME, SCHEMA, key=1)
VALUES = CODEC.encode(FRAME)


def within(name: str, **allowed: Any) -> dict[str, Within]:
    return dict(Conditions.of(CODEC, Request(1, allowed={name: Allowed(**allowed)})).within)


def rows_within(name: str, **allowed: Any) -> np.ndarray:
    """Rows of the table whose parts are all within."""
    out = np.ones(ROWS, dtype=bool)
    for part, bound in within(name, **allowed).items():
        values = VALUES[part]
        out &= bound(values) if values.dtype.kind == "i" else np.isnan(values) | bound(values)
    return out


CASES: list[tuple[str, dict[str, Any], Any]] = [
    ("word", {"values": frozenset({"a"})}, lambda s: s == "a"),
    ("word", {"values": frozenset({"a", "c"}), "null": True}, lambda s: s.isin(["a", "c"]) | s.isna()),
    ("word", {"values": frozenset(), "null": True}, lambda s: s.isna()),
    ("word", {}, lambda s: s.notna()),
    ("flag", {"values": frozenset({True})}, lambda s: s),
    ("few", {"values": frozenset({3})}, lambda s: s == 3),
    ("few", {"low": 2, "high": 3}, lambda s: s.between(2, 3)),
    ("number", {"low": 100, "high": 20_000}, lambda s: s.between(100, 20_000)),
    ("number", {"high": 20_000, "null": True}, lambda s: (s <= 20_000) | s.isna()),
    ("number", {"values": frozenset(), "null": True}, lambda s: s.isna()),
    ("zeros", {"low": 10.0}, lambda s: s >= 10),
    ("zeros", {"high": 0.0, "low": 0.0}, lambda s: s == 0),
    (
        "day",
        {"low": pd.Timestamp("2024-03-01"), "high": pd.Timestamp("2024-03-31")},
        lambda s: s.between("2024-03-01", "2024-03-31"),
    ),
]


@pytest.mark.parametrize(("name", "allowed", "rule"), CASES)
def test_rows_that_obey_are_within_and_others_are_not(name: str, allowed: dict[str, Any], rule: Any) -> None:
    wanted = rule(FRAME[name]).fillna(False).to_numpy(dtype=bool)
    assert wanted.any()
    assert (rows_within(name, **allowed) == wanted).all()


def test_words_among_numbers() -> None:
    assert (rows_within("mixed", values=frozenset({"N"})) == (FRAME["mixed"] == "N").to_numpy()).all()
    assert rows_within("mixed", values=frozenset({"12"}))[12]


@pytest.mark.parametrize(
    ("name", "allowed", "words"),
    [
        ("word", {"values": frozenset({"aa"})}, ["column word", "'aa'", "Did you mean a"]),
        ("full", {"values": frozenset(), "null": True}, ["column full", "null"]),
        ("few", {"low": 9}, ["column few", "from 9"]),
        ("number", {"low": 10**6}, ["column number", "1000000"]),
        ("day", {"high": pd.Timestamp("2020-01-01")}, ["column day", "2020-01-01"]),
        ("day", {"values": frozenset(), "null": True}, ["column day", "null"]),
        ("one", {"values": frozenset({"other"})}, ["column one", "'same'", "'other'"]),
        ("none", {}, ["column none", "null", "not null"]),
        ("mixed", {"values": frozenset({"Q"})}, ["column mixed", "'Q'"]),
    ],
)
def test_what_cannot_be_is_named(name: str, allowed: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(FitError) as caught:
        within(name, **allowed)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_made_up_columns_are_not_asked() -> None:
    assert within("key", values=frozenset({"k0001"})) == {}
    conditions = Conditions.of(CODEC, Request(2, frame=pd.DataFrame({"key": ["x", "y"], "unheard": [1, 2]})))
    assert conditions.known == {}


def test_known_cells_are_coded_and_the_others_are_unknown() -> None:
    frame = FRAME.iloc[:4].reset_index(drop=True)
    known = np.zeros(frame.shape, dtype=bool)
    known[1:, frame.columns.get_loc("few")] = True
    known[:2, frame.columns.get_loc("number")] = True
    conditions = Conditions.of(CODEC, Request(4, frame=frame, known=known))
    assert conditions.known["few"].tolist() == [-1, *VALUES["few"][1:4].tolist()]
    assert conditions.known["number#state"].tolist() == [*VALUES["number#state"][:2].tolist(), -1, -1]
    assert np.isnan(conditions.known["number"][2:]).all() and "word" not in conditions.known


def test_in_words() -> None:
    assert in_words(Allowed(values=frozenset({"a", "b"}))) == "'a' or 'b'"
    assert in_words(Allowed(low=1, high=2)) == "from 1 up to 2"
    assert in_words(Allowed(values=frozenset(), null=True)) == "null"
    assert in_words(Allowed(values=frozenset({"a"}), null=True)) == "'a' or null"
    assert in_words(Allowed()) == "a value that is not null"
