"""Which lines and columns of a file are read, and under which names."""

import json

import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthcli import sources
from synthcli.errors import DataError
from synthcli.sources import Source, frame, head


def read(path, data=None, **options):
    if data is not None:
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    kind = {".parquet": "parquet", ".jsonl": "jsonl", ".xlsx": "excel"}.get(path.suffix, "csv")
    source = Source(kind, path=path, **options)
    table = sources.read(source)
    assert sources.columns(source) == table.column_names
    return table.to_pydict()


TABLE = "a,b\n1,x\n2,y\n"


@pytest.mark.parametrize(
    ("before", "options"),
    [
        ("Exported by the lab\n2024-01-02\n\n", {"skip": 3}),
        ("# made by me\n# a,b,c\n", {"comment": "#"}),
        ("Title\n// note\n", {"skip": 1, "comment": "//"}),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "latin-1"])
def test_lines_before_the_header_and_comments_are_left_out(tmp_path, before, options, encoding):
    data = (before + TABLE.replace("x", "ä")).encode(encoding)
    named = {"encoding": encoding} if encoding == "latin-1" else {}
    assert read(tmp_path / "t.csv", data, **options, **named) == {"a": ["1", "2"], "b": ["ä", "y"]}


def test_comments_between_rows_are_left_out_and_many_rows_are_read(tmp_path):
    rows = "".join(f"{i},x{i}\n# note {i}\n" for i in range(30_000))
    found = read(tmp_path / "t.csv", "a,b\n" + rows, comment="#")
    assert found["a"] == [str(i) for i in range(30_000)]


def test_a_broken_line_is_counted_in_the_file_and_the_remedy_is_a_key(tmp_path):
    with pytest.raises(DataError, match="line 6 has 3 cells; expected 2"):
        read(tmp_path / "t.csv", "Title\n\n" + TABLE + "3,z,?\n", skip=2)
    with pytest.raises(DataError, match=r"line 3 has 2 cells; expected 1; remedy: source\.skip: 2 if the header"):
        read(tmp_path / "u.csv", "Title\n\n" + TABLE)


def test_the_rows_of_a_small_file_are_counted_without_what_is_left_out(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("Title\n\n" + TABLE + "# end\n")
    assert head.first_rows(Source("csv", path=path, skip=2, comment="#"))[1:] == (2, True)


def test_nameless_and_repeated_columns_are_named_where_the_spec_says_so(tmp_path):
    data = "a,b,,b,b_2\n1,2,3,4,5\n"
    with pytest.raises(DataError, match=r"column 3 of 5 has no name; remedy: .*source\.repair_names: true"):
        read(tmp_path / "t.csv", data)
    assert list(read(tmp_path / "t.csv", data, repair_names=True)) == ["a", "b", "column_3", "b_3", "b_2"]
    with pytest.raises(DataError, match=r"2 columns are named b; remedy: .*names it b_2"):
        read(tmp_path / "u.csv", "a,b,b\n1,2,3\n")


def workbook(path, rows):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


def test_rows_before_the_header_of_a_sheet_and_its_repeated_names(tmp_path):
    path = workbook(tmp_path / "t.xlsx", [["Report"], [], ["a", "b", "b"], [1, 2, 3]])
    assert read(path, skip=2, repair_names=True) == {"a": [1], "b": [2], "b_2": [3]}


NESTED = [{"n": 1, "who": {"sex": "f", "at": {"day": "2024-01-02"}}, "tags": ["x", "ü"]}, {"n": 2}]
FLAT = {"n": [1, 2], "who.sex": ["f", None], "who.at.day": ["2024-01-02", None], "tags": ['["x", "ü"]', None]}


def test_objects_and_lists_of_json_are_flattened_or_left_out(tmp_path):
    data = "".join(json.dumps(each) + "\n" for each in NESTED)
    with pytest.raises(DataError, match=r"column who has the type struct.*; remedy: source\.nested: flatten, or drop"):
        read(tmp_path / "t.jsonl", data)
    assert read(tmp_path / "t.jsonl", data, nested="flatten") == FLAT
    assert read(tmp_path / "t.jsonl", data, nested="drop") == {"n": [1, 2]}


def test_objects_lists_and_maps_of_parquet(tmp_path):
    path = tmp_path / "t.parquet"
    map_ = pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int64()))
    table = pa.table({name: [each.get(name) for each in NESTED] for name in ("n", "who", "tags")})
    pq.write_table(table.append_column("m", map_), path)
    assert read(path, nested="flatten") == {**FLAT, "m": ['[["k", 1]]', None]}
    assert read(path, nested="drop") == {"n": [1, 2]}
    assert read(path, dropped=frozenset({"who", "tags", "m"})) == {"n": [1, 2]}


def test_nested_columns_of_a_frame():
    table = frame.to_arrow(pd.DataFrame({"n": [1, 2], "who": [{"sex": "f"}, {"sex": "m"}]}))
    source = Source("frame", frame=table, nested="flatten")
    assert sources.read(source).to_pydict() == {"n": [1, 2], "who.sex": ["f", "m"]}
    with pytest.raises(DataError, match="the DataFrame: column who has the type struct"):
        sources.read(Source("frame", frame=table))


def test_dropped_columns_are_not_read(tmp_path):
    assert read(tmp_path / "t.csv", TABLE, dropped=frozenset({"a"})) == {"b": ["x", "y"]}
    with pytest.raises(DataError, match=r"columns\.c: drop: true, but .*t\.csv has no such column.* Columns: a, b"):
        read(tmp_path / "t.csv", TABLE, dropped=frozenset({"c"}))
    with pytest.raises(DataError, match="every column is dropped"):
        read(tmp_path / "t.csv", TABLE, dropped=frozenset({"a", "b"}))
