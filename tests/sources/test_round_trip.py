"""What is written is read back the same: every type in every format that has room for it."""

from __future__ import annotations

import datetime as dt
import decimal
import json
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.sources import Source

BERLIN = dt.datetime(2024, 7, 1, 12, 30, 5, 250_000)
TYPED = pa.table(
    {
        "big": pa.array([2**62 + 1, None, -(2**63)], pa.int64()),
        "small": pa.array([1, None, -128], pa.int8()),
        "float": pa.array([0.1 + 0.2, None, 1e-300], pa.float64()),
        "whole": pa.array([1.0, 2.0, None], pa.float64()),
        "single": pa.array([0.1, None, 16777216], pa.float32()),
        "money": pa.array([decimal.Decimal("1.50"), None, decimal.Decimal("-20.00")], pa.decimal128(10, 2)),
        "flag": pa.array([True, None, False]),
        "day": pa.array([dt.date(1969, 12, 31), None, dt.date(2024, 2, 29)], pa.date32()),
        "at": pa.array([dt.datetime(2024, 1, 1, 1, 2, 3, 4), None, BERLIN], pa.timestamp("us")),
        "second": pa.array([dt.datetime(2024, 1, 1), None, dt.datetime(1901, 1, 1)], pa.timestamp("s")),
        "zoned": pa.array([BERLIN, None, dt.datetime(2024, 1, 1)], pa.timestamp("us", "Europe/Berlin")),
        "time": pa.array([dt.time(23, 59, 1), None, dt.time(0)], pa.time64("us")),
        "took": pa.array([dt.timedelta(days=1, seconds=2), None, dt.timedelta(seconds=-1)], pa.duration("us")),
        "word": pa.array(["ä \"x\" \\ 'y'", None, "two\nlines\t\x01"]),
        "blank": pa.array(["", None, "  outer  "]),
        "code": pa.array(["007", "0123", None]),
        "dict": pa.array(["a", None, "b"]).dictionary_encode(),
        "nothing": pa.nulls(3),
        'na,me "é"': pa.array(["x", "y", "z"]),
    }
)

STORED = TYPED.schema.set(
    TYPED.schema.get_field_index("second"), pa.field("second", pa.timestamp("ms"))
)  # parquet has no seconds


def written(table: pa.Table, kind: str, path: Path, *, text: bool = False) -> tuple[pa.Table, Schema]:
    schema, frame = infer(table, {}, text=text)
    assert sources.write(iter([frame.iloc[:1], frame.iloc[1:1], frame.iloc[1:]]), schema, path, kind) == len(frame)
    return sources.read(Source(kind, path=path)), schema


def test_parquet_is_the_same_table(tmp_path: Path) -> None:
    back, _ = written(TYPED, "parquet", tmp_path / "x")
    assert back.schema == STORED
    assert back.to_pylist() == TYPED.to_pylist()


def test_parquet_without_rows(tmp_path: Path) -> None:
    back, _ = written(TYPED.slice(0, 0), "parquet", tmp_path / "x")
    assert back.schema == STORED and back.num_rows == 0


def test_csv_cells(tmp_path: Path) -> None:
    back, _ = written(TYPED, "csv", tmp_path / "x")
    assert back.to_pydict() == {
        "big": ["4611686018427387905", None, "-9223372036854775808"],
        "small": ["1", None, "-128"],
        "float": ["0.30000000000000004", None, "1e-300"],
        "whole": ["1.0", "2.0", None],
        "single": ["0.1", None, "16777216.0"],
        "money": ["1.50", None, "-20.00"],
        "flag": ["true", None, "false"],
        "day": ["1969-12-31", None, "2024-02-29"],
        "at": ["2024-01-01T01:02:03.000004", None, "2024-07-01T12:30:05.250000"],
        "second": ["2024-01-01T00:00:00", None, "1901-01-01T00:00:00"],
        "zoned": ["2024-07-01T14:30:05.250000+0200", None, "2024-01-01T01:00:00.000000+0100"],
        "time": ["23:59:01.000000", None, "00:00:00.000000"],
        "took": ["1 days 00:00:02", None, "-1 days +23:59:59"],
        "word": ["ä \"x\" \\ 'y'", None, "two\nlines\t\x01"],
        "blank": ["", None, "  outer  "],
        "code": ["007", "0123", None],
        "dict": ["a", None, "b"],
        "nothing": [None, None, None],
        'na,me "é"': ["x", "y", "z"],
    }


def test_csv_types_come_back(tmp_path: Path) -> None:
    names = ["big", "float", "whole", "flag", "day", "at", "second", "code"]
    back, schema = written(TYPED.select(names), "csv", tmp_path / "x")
    again, frame = infer(back, {}, text=True)
    assert [c.kind for c in again.columns] == [c.kind for c in schema.columns]
    expected = infer(TYPED.select(names), {})[1]
    pd.testing.assert_frame_equal(frame.astype(object), expected.astype(object), check_dtype=False)


def test_zoned_timestamps_come_back(tmp_path: Path) -> None:
    back, _ = written(TYPED.select(["zoned", "code"]), "csv", tmp_path / "x")
    zoned = infer(back, {}, text=True)[1]["zoned"]
    assert (zoned.dropna() == pd.Series([BERLIN, dt.datetime(2024, 1, 1)], index=[0, 2]).dt.tz_localize("UTC")).all()


def test_jsonl_values(tmp_path: Path) -> None:
    path = tmp_path / "x.gz"
    back, _ = written(TYPED, "jsonl", path)
    plain = [f.name for f in TYPED.schema if pa.types.is_integer(f.type) or f.type in (pa.string(), pa.bool_())]
    assert back.select(plain).to_pylist() == TYPED.select(plain).to_pylist()
    assert back["whole"].to_pylist() == [1.0, 2.0, None] and back.schema.field("whole").type == pa.float64()
    assert back["float"].to_pylist() == TYPED["float"].to_pylist()
    assert back["day"].to_pylist() == ["1969-12-31", None, "2024-02-29"]


def test_jsonl_is_json(tmp_path: Path) -> None:
    words = {"s": ["".join(map(chr, range(40))), "\\n", '"'], "d": [None, "", "\u2028"]}
    table = pa.table({"n": [1.0, float("nan"), float("inf")], "i": [1, None, 3], **words})
    written(table, "jsonl", tmp_path / "x")
    lines = (tmp_path / "x").read_bytes().split(b"\n")
    assert lines.pop() == b""
    records = [json.loads(line, parse_constant=lambda c: pytest.fail(c)) for line in lines]
    assert [r["n"] for r in records] == [1.0, None, None] and [r["i"] for r in records] == [1, None, 3]
    assert [r["s"] for r in records] == table["s"].to_pylist() and [r["d"] for r in records] == table["d"].to_pylist()
    assert b'"i": 3,' in lines[2]


@pytest.mark.parametrize(
    "cells",
    [
        ["True", "False"],
        ["TRUE", "FALSE"],
        ["31.12.2023", "01.02.2024"],
        ["2024-01-05 10:00", "2024-01-05 11:30"],
        ["2024-01-05T10:00:00Z", "2024-01-05T11:30:00Z"],
        ["12/31/2023", "01/02/2024"],
        ["007", "012"],
        ["12345678901234567890", "1"],
        ["4611686018427387905", "7"],
        ["1.0", "2.0"],
        ["0.1", "-3.25"],
    ],
)
def test_spelling_comes_back(cells: list[str], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a,b\n" + "".join(f"{c},z\n" for c in [*cells, ""]))
    back, _ = written(sources.read(Source("csv", path=tmp_path / "x")), "csv", tmp_path / "y", text=True)
    assert back["a"].to_pylist() == [*cells, None]


def test_declared_booleans(tmp_path: Path) -> None:
    column = Column("a", declared=Traits(type="boolean", format="J|N"), storage="bool")
    frame = pd.DataFrame({"a": pd.array([True, None, False], dtype="boolean")})
    sources.write(iter([frame]), Schema((column,)), tmp_path / "x", "csv")
    assert (tmp_path / "x").read_text() == 'a\nJ\n""\nN\n'
    sources.write(iter([frame]), Schema((column,)), tmp_path / "x", "jsonl")
    assert (tmp_path / "x").read_text() == '{"a": true}\n{"a": null}\n{"a": false}\n'


WORDS = st.none() | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
FLOATS = st.none() | st.floats(allow_nan=False, allow_infinity=False)
ROWS = st.lists(st.tuples(WORDS, WORDS, FLOATS, st.none() | st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=8)


@pytest.mark.parametrize("kind", ["csv", "parquet", "jsonl"])
@settings(max_examples=80, deadline=None)
@given(rows=ROWS)
def test_anything_comes_back(kind: str, rows: list[tuple]) -> None:
    a, b, x, i = (list(values) for values in zip(*rows))
    frame = pd.DataFrame(
        {
            "a": pd.array(a, dtype=pd.StringDtype("pyarrow")),
            "b": pd.array(b, dtype=pd.StringDtype("pyarrow")),
            "x": np.array(x, dtype=float),
            "i": pd.array(i, dtype="Int64"),
        }
    )
    kinds = {"a": ("text", "string"), "b": ("category", "string"), "x": ("float", "double"), "i": ("integer", "int64")}
    schema = Schema(tuple(Column(n, inferred=Traits(type=k), storage=s) for n, (k, s) in kinds.items()))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x"
        sources.write(iter([frame]), schema, path, kind)
        # small files leave a sniffer little to go by: here the values matter, not the dialect
        back = sources.read(Source(kind, path=path, delimiter=",", quote='"')).to_pydict()
    assert back["a"] == a and back["b"] == b
    assert [None if v is None else float(v) for v in back["x"]] == x
    assert [None if v is None else int(v) for v in back["i"]] == i


def test_lone_column_keeps_its_rows(tmp_path: Path) -> None:
    back, _ = written(pa.table({"a": ["x", None, "y"]}), "csv", tmp_path / "x")
    assert back["a"].to_pylist() == ["x", "", "y"]
    assert len(pd.read_csv(tmp_path / "x")) == 3


@pytest.mark.parametrize(
    "cells",
    [
        ["49.0", "11.0"],
        ["0.40", "1.25"],
        ["1.5", "12", "0.25"],
        ["inf", "-inf", "1.5"],
        ["+4917012345", "+4917012346"],
        ["2024-07-01T10:00:00+02:00", "2024-12-01T23:30:00+02:00"],
        ["2024-07-01T10:00:00+0200", "2024-12-01T23:30:00+0200"],
        ["2024-07-01T10:00:00Z", "2024-12-01T23:30:00Z"],
        ["12/31/23", "01/02/24"],
        ["31.12.23", "01.02.24"],
        ["Jan 05, 2024", "Dec 31, 2023"],
        ["05 January 2024", "31 December 2023"],
        ["2024-01-05 10:00 PM", "2024-01-05 11:30 AM"],
        ["-0.0", "1.0"],
        ["9999-12-31", "2024-01-01"],
    ],
)
def test_more_spellings_come_back(cells: list[str], tmp_path: Path) -> None:
    (tmp_path / "x").write_text("a,b\n" + "".join(f'"{c}",z\n' for c in [*cells]) + ",z\n")
    source = Source("csv", path=tmp_path / "x", delimiter=",", quote='"')
    back, _ = written(sources.read(source), "csv", tmp_path / "y", text=True)
    assert back["a"].to_pylist() == [*cells, None]


def test_offsets_that_differ_come_back_at_the_same_moments(tmp_path: Path) -> None:
    cells = ["2024-07-01T10:00:00+02:00", "2024-12-01T10:00:00+01:00"]
    back, _ = written(pa.table({"a": cells, "b": ["x", "y"]}), "csv", tmp_path / "y", text=True)
    again = pd.to_datetime(pd.Series(back["a"].to_pylist()), utc=True)
    assert again.tolist() == pd.to_datetime(pd.Series(cells), utc=True).tolist()
    assert set(back["a"].to_pylist()) <= {
        *cells,
        "2024-07-01T09:00:00+01:00",
        "2024-12-01T11:00:00+02:00",
    }


def test_empty_strings_and_nulls_come_back(tmp_path: Path) -> None:
    text = 'a,b\n"",x\n,y\nz,""\n'
    (tmp_path / "x").write_text(text)
    schema, frame = infer(sources.read(Source("csv", path=tmp_path / "x", delimiter=",", quote='"')), {}, text=True)
    sources.write(iter([frame]), schema, tmp_path / "y", "csv")
    assert (tmp_path / "y").read_text() == text


def test_fixed_decimals_in_json_are_numbers(tmp_path: Path) -> None:
    written(pa.table({"a": ["0.40", "1.25"]}), "jsonl", tmp_path / "y", text=True)
    assert [json.loads(line) for line in (tmp_path / "y").read_text().splitlines()] == [{"a": 0.4}, {"a": 1.25}]
