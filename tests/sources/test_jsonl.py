"""JSON lines: types, strings that stay strings, and the line that is at fault."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.errors import DataError
from synthcli.sources import Source


@pytest.fixture
def read(tmp_path: Path):
    def call(text: str | bytes) -> pa.Table:
        path = tmp_path / "x.jsonl"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        table = sources.read(Source("jsonl", path=path))
        assert sources.columns(Source("jsonl", path=path)) == table.column_names
        return table

    return call


def test_types(read) -> None:
    table = read('{"i": 4611686018427387905, "f": 1.0, "b": true, "s": "é", "n": null}\n\n{"b": false, "late": "x"}\n')
    assert [str(t) for t in table.schema.types] == ["int64", "double", "bool", "string", "null", "string"]
    assert table.to_pylist()[0] == {"i": 2**62 + 1, "f": 1.0, "b": True, "s": "é", "n": None, "late": None}


def test_dates_stay_strings(read) -> None:
    table = read('{"x": 1, "day": "2020-01-01", "at": "2020-01-01 10:00:00", "y": 2}\n')
    assert table.to_pylist() == [{"x": 1, "day": "2020-01-01", "at": "2020-01-01 10:00:00", "y": 2}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"a": 1}\n{"a": tru}\n', "line 2 is not JSON"),
        ('{"a": 1}\n\n{"a": "x"}\n', "column a is a number in line 1 and a string in line 3"),
        ('[{"a": 1}]\n', "line 1 is a list, not an object"),
        ('{"a": {"b": 1}}\n', "column a has the type struct.*flatten"),
        ('{"a": [1]}\n', "column a has the type list.*flatten"),
        (b'{"a": "\xff"}\n', "line 1 is not UTF-8 at byte 7"),
        ('{"a": 9223372036854775808}\n', "column a holds integers beyond"),
        ('{"a": 1, "a": 2}\n', "each key once"),
    ],
)
def test_broken(read, text: str | bytes, message: str) -> None:
    with pytest.raises(DataError, match=rf"x\.jsonl.*{message}"):
        read(text)


def test_large_floats_are_fine(read) -> None:
    assert read('{"a": 1.5e20}\n{"a": 2e25}\n')["a"].to_pylist() == [1.5e20, 2e25]
