"""Every spelling of the corpus in every kind of source: what it is read as, and that it is written as it was."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns import frame as frames
from synthcli.columns.spelling import unread
from tests.columns.spelling import corpus, measuring
from tests.columns.spelling.measuring import Back

SOURCES = ("csv", "jsonl", "parquet", "excel", "sql")


@pytest.fixture(scope="module")
def backs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Back]:
    """The corpus written to a source of each kind, read, and written again."""
    return {kind: measuring.there_and_back(kind, tmp_path_factory.mktemp(kind)) for kind in SOURCES}


def test_the_corpus_is_large_enough() -> None:
    assert len(corpus.CELLS) - len(corpus.WORDS) >= 150


@pytest.mark.parametrize("name", list(corpus.CELLS))
def test_a_spelling_is_told_and_written_back_alike_in_every_source(name: str, backs: dict[str, Back]) -> None:
    for source, back in backs.items():
        column = back.schema[name]
        assert corpus.kind_of(column.kind) == corpus.KINDS[name], source
        assert back.same_values(name), source
        assert back.distance(name) < measuring.CLOSE, source


@pytest.mark.parametrize("name", list(corpus.WORDS))
def test_the_draft_asks_where_numbers_and_dates_cannot_be_told(name: str, backs: dict[str, Back]) -> None:
    for source, back in backs.items():
        found = unread.of_column(back.schema[name])
        assert (found is not None and found.made) == (name in corpus.UNREAD), source


def test_values_are_the_numbers_and_moments_meant(backs: dict[str, Back]) -> None:
    made = corpus.rows()
    for back in backs.values():
        frame = back.frame
        exact = pd.Series([round(r.x * 9, 2) for r in made])
        for name in ("1.234,50 €", "1'234.50", "USD 1,234.50"):
            pd.testing.assert_series_equal(frame[name], exact, check_names=False)
        assert frame["(1234)"].tolist() == [-r.k if r.i % 5 == 0 else r.k for r in made]
        assert frame["- for missing"].isna().sum() == corpus.ROWS / 20
        days = [r.t.normalize() for r in made]
        assert frame["two formats"].astype("datetime64[us]").tolist() == days
        assert frame["13:05"].dt.total_seconds().tolist() == [r.s // 60 * 60 for r in made]
        assert frame["1:05 PM"].dt.total_seconds().tolist() == [r.s // 60 * 60 for r in made]
        hours = [0, 1, -5, -8, 5.5]
        utc = [r.t - pd.Timedelta(hours=hours[r.i % 5]) for r in made]
        assert frame["five offsets"].dt.tz_localize(None).tolist() == utc


def test_a_source_of_strings_is_written_as_strings(backs: dict[str, Back]) -> None:
    assert {str(field.type) for field in backs["parquet"].again.schema} == {"string"}


def test_integers_of_a_typed_source_that_are_dates_stay_integers(tmp_path: Path) -> None:
    days = pd.Series(pd.date_range("2019-01-01", periods=300, freq="7D"))
    table = pa.table({"day": pa.array(days.dt.strftime("%Y%m%d").astype(int))})
    back = measuring.again(table, "parquet", tmp_path)
    assert back.schema["day"].kind == "datetime" and back.again.schema.field("day").type == pa.int64()
    assert back.again["day"].to_pylist() == table["day"].to_pylist()
    assert back.frame["day"].astype("datetime64[us]").tolist() == days.tolist()


def test_customer_numbers_of_eight_digits_are_no_dates(tmp_path: Path) -> None:
    numbers = [20_190_000 + 37 * i for i in range(300)]
    table = pa.table({"customer": pa.array(numbers), "again": pa.array([str(n) for n in numbers])})
    back = measuring.again(table, "parquet", tmp_path)
    assert back.schema["customer"].kind == "integer" and back.schema["again"].kind not in frames.NUMBERS
