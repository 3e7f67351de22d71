"""Workbooks: types there and back, words that look like formulas, and what a sheet does not take."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from pathlib import Path

import openpyxl
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.errors import DataError
from synthcli.sources import Source, excel


@pytest.fixture
def book(tmp_path: Path):
    def make(*rows: tuple, sheet: str = "Sheet", **others: list[tuple]) -> Path:
        made = openpyxl.Workbook()
        made.active.title = sheet
        for name, some in {sheet: rows, **others}.items():
            place = made[name] if name in made.sheetnames else made.create_sheet(name)
            for row in some:
                place.append(row)
        made.save(tmp_path / "x.xlsx")
        return tmp_path / "x.xlsx"

    return make


ROWS = pa.table(
    {
        "n": pa.array([1, None, -3], pa.int64()),
        "x": pa.array([0.5, None, 1e300]),
        "flag": pa.array([True, False, None]),
        "word": pa.array(["=1+1", "#N/A", "Ünïcode\n"]),
        "day": pa.array([dt.date(2020, 2, 29), None, dt.date(1999, 1, 1)]),
        "moment": pa.array([dt.datetime(2020, 1, 1, 12, 30), None, dt.datetime(1999, 1, 1)], pa.timestamp("us")),
        "span": pa.array([dt.timedelta(hours=30), None, dt.timedelta(seconds=1)], pa.duration("us")),
        "price": pa.array([Decimal("1.25"), None, Decimal("3.00")], pa.decimal128(8, 2)),
    }
)


def test_there_and_back(tmp_path: Path) -> None:
    schema, frame = infer(ROWS, {})
    assert sources.write(iter([frame.iloc[:2], frame.iloc[2:]]), schema, tmp_path / "x.xlsx", "excel") == 3
    back = sources.read(Source("excel", path=tmp_path / "x.xlsx"))
    expected = ROWS.set_column(7, "price", ROWS["price"].cast(pa.float64()))
    assert back.to_pydict() == expected.to_pydict()
    assert [f.type for f in back.schema] == [f.type for f in expected.schema]
    assert sources.columns(Source("excel", path=tmp_path / "x.xlsx")) == ROWS.column_names
    formulas = openpyxl.load_workbook(tmp_path / "x.xlsx")["data"]["D2"]
    assert formulas.value == "=1+1" and formulas.data_type != "f"


def test_what_excel_lacks_is_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "big": [2**60 + 1],
            "old": [dt.date(1850, 1, 1)],
            "zoned": pa.array([dt.datetime(2020, 1, 1)], pa.timestamp("us", "UTC")),
        }
    )
    schema, frame = infer(table, {})
    sources.write(iter([frame]), schema, tmp_path / "x.xlsx", "excel")
    back = sources.read(Source("excel", path=tmp_path / "x.xlsx")).to_pylist()[0]
    assert (
        back["big"] == str(2**60 + 1)
        and back["old"] == "1850-01-01"
        and back["zoned"].startswith("2020-01-01 00:00:00")
    )


def test_columns_of_several_kinds(book, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_ROWS", 2)
    path = book(
        (),
        ("a", "b", "c", "d"),
        (1, 1, dt.datetime(2020, 1, 1), None),
        (2, 2.5, dt.datetime(2020, 1, 1, 1), None),
        (),
        ("x", 3, None, None),
    )
    table = sources.read(Source("excel", path=path))
    assert table.to_pydict()["a"] == ["1", "2", "x"] and table.to_pydict()["b"] == [1.0, 2.5, 3.0]
    assert [str(t) for t in table.schema.types] == ["string", "double", "timestamp[us]", "null"]


def test_formulas_that_were_never_computed(book) -> None:
    path = book(("a", "twice"), (1, "=A2*2"), (2, "=A3*2"))
    with pytest.raises(DataError, match="column twice holds formulas that were never computed"):
        sources.read(Source("excel", path=path))
    assert sources.columns(Source("excel", path=path)) == ["a", "twice"]


def test_sheets(book) -> None:
    path = book(("a",), (1,), second=[("b",), (2,)])
    assert sources.read(Source("excel", path=path)).to_pydict() == {"a": [1]}
    assert sources.read(Source("excel", path=path, sheet="second")).to_pydict() == {"b": [2]}
    with pytest.raises(
        DataError, match=r"no sheet 'secnd'; remedy: source\.sheet, one of Sheet, second\. Did you mean second\?"
    ):
        sources.read(Source("excel", path=path, sheet="secnd"))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "is empty; remedy"),
        ([("a", "a"), (1, 2)], "2 columns are named a"),
        ([("a",), (1, 2)], "more cells than the 1 names"),
        ([("a", None, "b")], "has no name"),
        ([(None, "a", "b"), (None, 1, 2)], "column 1 of 3 has no name"),
    ],
)
def test_broken(book, rows: list[tuple], message: str) -> None:
    with pytest.raises(DataError, match=message):
        sources.read(Source("excel", path=book(*rows)))


def test_an_index_without_a_name_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"a": ["x", "y"]}).to_excel(tmp_path / "x.xlsx")
    source = Source("excel", path=tmp_path / "x.xlsx")
    assert sources.read(source).to_pydict() == {"index": [0, 1], "a": ["x", "y"]}
    assert sources.columns(source) == ["index", "a"]


def test_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match="is not an Excel workbook"):
        sources.read(Source("excel", path=tmp_path / "x.xlsx"))


def test_more_than_a_sheet_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(excel, "_MOST_ROWS", 3)
    schema, frame = infer(ROWS, {})
    with pytest.raises(DataError, match=r"more than 2 rows, which no sheet can hold; remedy"):
        sources.write(iter([frame]), schema, tmp_path / "x.xlsx", "excel")
    schema, frame = infer(pa.table({"w": ["x" * 40_000]}), {})
    with pytest.raises(DataError, match="longer than 32,767 letters"):
        sources.write(iter([pd.DataFrame(frame)]), schema, tmp_path / "x.xlsx", "excel")
    assert list(tmp_path.iterdir()) == []
