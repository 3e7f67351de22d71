"""A table that exists is never dropped: its rows are exchanged, or an error names the column and nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from synthcli.errors import DataError
from tests.sources.exchange.conftest import ask, deliver, deliver_all

TABLE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, qty INTEGER NOT NULL CHECK (qty < 100), mail VARCHAR(9) UNIQUE,"
    " price NUMERIC(6, 2) DEFAULT 3, twice INTEGER GENERATED ALWAYS AS (qty * 2) {stored}, up INTEGER REFERENCES t (id))"
)
GOOD = {"id": [1, 2, 3], "qty": [5, 6, 7], "mail": ["a", None, "c"], "price": [1.5, 2.25, None], "up": [None, 1, 2]}


@pytest.fixture
def table(url: str) -> str:
    """A database with a table t of one row, an index, a view, and a table that refers to nothing of it yet."""
    ask(
        url,
        TABLE.format(stored="" if url.startswith("duckdb") else "STORED"),
        "CREATE INDEX by_qty ON t (qty)",
        "CREATE VIEW seen AS SELECT id, twice FROM t",
        "INSERT INTO t (id, qty, mail) VALUES (99, 1, 'old')",
    )
    return url


def kept(url: str) -> list[tuple[Any, ...]]:
    return ask(url, "SELECT id, qty, mail, twice FROM t ORDER BY id")


def test_rows_are_exchanged_and_all_else_stays(table: str) -> None:
    if not table.startswith("sqlite"):
        ask(table, "COMMENT ON TABLE t IS 'kept'")
    for _ in range(2):
        assert deliver(table, "t", GOOD | {"twice": [0, 0, 0]}) == ["t.twice: its values are computed by the database"]
        assert kept(table) == [(1, 5, "a", 10), (2, 6, None, 12), (3, 7, "c", 14)]
    assert ask(table, "SELECT sum(twice) FROM seen") == [(36,)]
    with pytest.raises(Exception, match=r"(?i)check|constraint"):
        ask(table, "INSERT INTO t (id, qty) VALUES (7, 100)")
    if table.startswith("sqlite"):
        assert ask(table, "SELECT count(*) FROM sqlite_master WHERE name IN ('by_qty', 'seen')") == [(2,)]
    elif table.startswith("duckdb"):
        assert ask(table, "SELECT comment FROM duckdb_tables() WHERE table_name = 't'") == [("kept",)]
        assert ask(table, "SELECT index_name FROM duckdb_indexes()") == [("by_qty",)]
    else:
        assert ask(table, "SELECT obj_description('t'::regclass), to_regclass('by_qty') IS NULL") == [("kept", False)]


def test_append_adds_to_what_is_there(table: str) -> None:
    deliver(table, "t", GOOD, if_exists="append")
    assert [row[0] for row in kept(table)] == [1, 2, 3, 99]
    with pytest.raises(DataError, match=r"1 of 2 rows .*key \(id\)|1 of 2 rows are refused: UNIQUE|repeat a value"):
        deliver(table, "t", {"id": [4, 99], "qty": [1, 1]}, if_exists="append")
    assert [row[0] for row in kept(table)] == [1, 2, 3, 99]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"qty": [5, None, None]}, r"2 of 3 rows have no value in column qty, which is NOT NULL"),
        ({"qty": [5, 600, 700]}, r"(2 of 3|some) rows (violate the check|are refused).*qty"),
        ({"qty": [5.5, 6.0, 7.5]}, r"2 of 3 rows do not fit column qty, which is (?i:integer)"),
        ({"qty": ["a", "b", "7"]}, r"2 of 3 rows do not fit column qty, which is (?i:integer)"),
        ({"mail": ["a", "a", "b"]}, r"2 of 3 rows repeat a value of the unique key \(mail\).*unique: \[mail\]"),
        ({"up": [None, 1, 55]}, r"1 (of 3 rows|row) refers? in column up to no row of t"),
        ({"new": [1, 2, 3]}, r"has no column new; nothing was changed"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_and_nothing_changes(table: str, change: dict[str, Any], said: str) -> None:
    before = kept(table)
    with pytest.raises(DataError, match=said) as raised:
        deliver(table, "t", GOOD | change)
    assert "nothing was changed" in str(raised.value) and "remedy" in str(raised.value).lower()
    assert kept(table) == before


def test_rounding_and_length(table: str) -> None:
    rows = GOOD | {"price": [1.555, 2.0, None], "mail": ["a" * 10, None, "c"]}
    if table.startswith("sqlite"):  # SQLite keeps both as they are
        deliver(table, "t", rows)
        return
    with pytest.raises(DataError, match=r"1 of 3 rows .* column price, which is (?i:numeric|decimal)\(6,2\)"):
        deliver(table, "t", rows)
    if table.startswith("postgres"):
        with pytest.raises(DataError, match=r"1 of 3 rows do not fit column mail, which is character varying\(9\)"):
            deliver(table, "t", rows | {"price": [1.5, 2.0, None]})
    assert [row[0] for row in kept(table)] == [99]


def test_a_required_column_that_the_rows_lack(table: str) -> None:
    with pytest.raises(DataError, match="column qty is NOT NULL without a default, and the rows have no such column"):
        deliver(table, "t", {"id": [1, 2]})
    assert [row[0] for row in kept(table)] == [99]


def test_rows_of_other_tables_that_refer_to_it(table: str) -> None:
    ask(table, "CREATE TABLE other (t INTEGER REFERENCES t (id))")
    deliver(table, "t", GOOD)  # nothing refers to it yet
    ask(table, "INSERT INTO other VALUES (1), (2)")
    before = kept(table)
    with pytest.raises(DataError, match=r"2 rows of other refer to its rows in column t; nothing was changed; remedy"):
        deliver(table, "t", {"id": [7], "qty": [1]})
    assert kept(table) == before
    rows = {"other": {"t": [7, None]}, "t": {"id": [7], "qty": [1]}}
    deliver_all(table, rows)  # both are written
    assert [row[0] for row in kept(table)] == [7]
    with pytest.raises(DataError, match=r"1 (of 2 rows|row) refers? in column t to no row of t"):
        deliver_all(table, rows | {"other": {"t": [7, 8]}})
    assert [row[0] for row in kept(table)] == [7]


def test_a_view_is_not_a_table(table: str) -> None:
    with pytest.raises(DataError, match=r"is a view; remedy: another output\.table"):
        deliver(table, "seen", {"id": [1]})
