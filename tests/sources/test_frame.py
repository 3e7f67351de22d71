"""DataFrames as sources: which are read, what becomes of their types, and what is refused by name."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars
import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.errors import DataError
from synthcli.sources import Source, frame

WORDS = ["a", None, "c"]


def source(data: object) -> Source:
    return Source("frame", frame=frame.to_arrow(data))


@pytest.mark.parametrize(
    "data",
    [
        pd.DataFrame({"n": [1, 2, 3], "w": WORDS}),
        pd.DataFrame({"n": [1, 2, 3], "w": pd.array(WORDS, dtype="string[pyarrow]")}),
        polars.DataFrame({"n": [1, 2, 3], "w": WORDS}),
        pa.table({"n": [1, 2, 3], "w": WORDS}),
        pa.table({"n": [1, 2, 3], "w": pa.array(WORDS, pa.large_string())}),
        pa.table({"n": [1, 2, 3], "w": pa.array(WORDS, pa.string_view())}),
    ],
    ids=["pandas", "pandas-arrow", "polars", "arrow", "arrow-large", "arrow-view"],
)
def test_equal_rows_of_every_library_are_equal_sources(data: object) -> None:
    expected = pa.table({"n": [1, 2, 3], "w": WORDS})
    assert sources.read(source(data)).equals(expected)
    assert sources.columns(source(data)) == ["n", "w"]
    assert sources.fingerprint(source(data)) == sources.fingerprint(source(expected))


def test_another_value_is_another_source() -> None:
    one, other = (pd.DataFrame({"n": [1, 2, last]}) for last in (3, 4))
    assert sources.fingerprint(source(one)) != sources.fingerprint(source(other))


def test_a_named_index_is_a_column_and_an_unnamed_one_is_not() -> None:
    data = pd.DataFrame({"x": [1.5, 2.5]}, index=pd.Index(["p", "q"], name="person"))
    assert frame.to_arrow(data).column_names == ["person", "x"]
    assert frame.to_arrow(data.rename_axis(None)).column_names == ["x"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pd.DataFrame({"x": [1, "two", 3.5]}), "column x has values that are not of one plain type"),
        (pd.DataFrame({"x": pd.period_range("2020", periods=2, freq="Y")}), "column x has the type period"),
        (pd.DataFrame({1: [1, 2]}), "the column name 1, which is not a string"),
        (pd.DataFrame(np.ones((2, 2)), columns=["x", "x"]), "2 columns are named x"),
        (pd.DataFrame(index=range(3)), "has no columns"),
        ([1, 2], "is a list; expected a DataFrame"),
        (pd.Series([1, 2]), "is a Series; expected a DataFrame"),
        (polars.Series("x", [1, 2]), "remedy: a DataFrame"),
    ],
    ids=["mixed", "periods", "numbered", "twice", "empty", "list", "series", "polars-series"],
)
def test_what_is_not_a_table_is_refused_by_name(data: object, message: str) -> None:
    with pytest.raises(DataError, match=message):
        frame.to_arrow(data)
