"""Parquet: types as stored, and files that are none."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthcli import sources
from synthcli.columns.frame import arrow_type
from synthcli.contracts.schema import Column, Schema
from synthcli.errors import DataError
from synthcli.sources import Source, parquet


def test_types_as_stored(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table(
        {
            "a": pa.array([1, None], pa.int8()),
            "b": pa.array(["x", "y"]).dictionary_encode(),
            "c": pa.array([1, 2], pa.date32()),
        }
    )
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
        with pytest.raises(DataError, match="is not a complete parquet file"):
            sources.read(Source("parquet", path=path))


def test_names_twice(tmp_path: Path) -> None:
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(DataError, match="2 columns are named a"):
        sources.read(Source("parquet", path=tmp_path / "x.parquet"))


@pytest.mark.parametrize(
    ("index", "names"),
    [
        (pd.Index([4, 7]), ["a", "b"]),
        (pd.MultiIndex.from_tuples([(1, 2), (3, 4)], names=[None, "visit"]), ["a", "b", "visit"]),
        (pd.Index(["x", "y"], name="who"), ["a", "b", "who"]),
    ],
)
def test_an_index_without_a_name_is_no_column(tmp_path: Path, index: pd.Index, names: list[str]) -> None:
    pd.DataFrame({"a": [1, 2], "b": ["u", "v"]}, index=index).to_parquet(tmp_path / "x.parquet")
    source = Source("parquet", path=tmp_path / "x.parquet")
    assert sources.read(source).column_names == sources.columns(source) == names


def test_a_column_that_is_only_called_like_an_index_stays(tmp_path: Path) -> None:
    pq.write_table(pa.table({"__index_level_0__": [1, 2], "a": [3, 4]}), tmp_path / "x.parquet")
    assert sources.read(Source("parquet", path=tmp_path / "x.parquet")).column_names == ["__index_level_0__", "a"]


def test_words_written_as_dictionaries_are_read_as_words(tmp_path: Path) -> None:
    types = {
        "a": "string",
        "b": "large_string",
        "t": "timestamp[ms, tz=Europe/Vienna]",
        "d": "duration[us]",
        "n": "int16",
    }
    schema = Schema(tuple(Column(name, storage=storage) for name, storage in types.items()))
    stored = pa.schema([pa.field(name, arrow_type(storage)) for name, storage in types.items()])
    chunks = []
    for words in (["x", None, "y"], ["z", "y", "z"]):  # of other words in each chunk
        arrays = [pa.array(words, stored.field(name).type).dictionary_encode() for name in "ab"]
        arrays += [pa.array([1, 2, None]).cast(pa.int64()).cast(stored.field(name).type) for name in "tdn"]
        chunks.append(pa.table(arrays, names=list(types)))
    assert sources.write(iter(chunks), schema, tmp_path / "x.parquet", "parquet") == 6
    got = pq.read_table(tmp_path / "x.parquet")
    assert got.schema == stored and got["a"].to_pylist() == got["b"].to_pylist() == ["x", None, "y", "z", "y", "z"]
    assert pq.ParquetFile(tmp_path / "x.parquet").num_row_groups == 1


def test_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schema = Schema((Column("k", storage="int64"), Column("few", storage="int64")))
    chunks = [pa.table({"k": range(i, i + 100), "few": [7] * 100}) for i in range(0, 1000, 100)]
    monkeypatch.setattr(parquet, "GROUP", 400)
    sources.write(iter(chunks), schema, tmp_path / "x.parquet", "parquet")
    about = pq.ParquetFile(tmp_path / "x.parquet").metadata
    assert [about.row_group(i).num_rows for i in range(about.num_row_groups)] == [400, 400, 200]
    assert [about.row_group(0).column(i).has_dictionary_page for i in range(2)] == [
        False,
        True,
    ]  # of 1000 keys a dictionary were their copy
    monkeypatch.setattr(parquet, "CELLS", 400)  # of both columns
    sources.write(iter(chunks), schema, tmp_path / "y.parquet", "parquet")
    assert pq.ParquetFile(tmp_path / "y.parquet").num_row_groups == 5
    assert pq.read_table(tmp_path / "y.parquet").equals(pa.concat_tables(chunks))
