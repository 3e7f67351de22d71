"""Parquet: types as stored, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthcli import sources
from synthcli.errors import DataError
from synthcli.sources import Source


def test_types_as_stored(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"a": pa.array([1, None], pa.int8()), "b": pa.array(["x", "y"]).dictionary_encode(), "c": pa.array([1, 2], pa.date32())})
    pq.write_table(table, path)
    assert sources.read(Source("parquet", path=path)).schema == table.schema
    assert sources.columns(Source("parquet", path=path)) == ["a", "b", "c"]


@pytest.mark.parametrize("data", [[[1], [2]], [{"x": 1}, None], [b"x", b"y"]])
def test_nested(data: list, tmp_path: Path) -> None:
    pq.write_table(pa.table({"deep": data}), tmp_path / "x.parquet")
    for look in (sources.read, sources.columns):
        with pytest.raises(DataError, match=r"column deep has the type .*flatten"):
            look(Source("parquet", path=tmp_path / "x.parquet"))


def test_damaged(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": list(range(5000))}), path)
    whole = path.read_bytes()
    for data in (whole[:-10], b"a,b\n1,2\n", whole[:100] + bytes(2000) + whole[2100:]):
        path.write_bytes(data)
        with pytest.raises(DataError, match="is no whole parquet file"):
            sources.read(Source("parquet", path=path))


def test_names_twice(tmp_path: Path) -> None:
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="2 columns are named a"):
        sources.read(Source("parquet", path=tmp_path / "x.parquet"))
