"""SQLite, DuckDB and a real PostgreSQL: types there and back, swaps that no reader sees half of, and no password
anywhere.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.columns import frame as frames
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError, SpecError, SynthError, TryLater
from synthcli.sources import Source, Target, database
from tests.sources.conftest import PASSWORD, QUOTED

UTC = dt.UTC
ROWS = pa.table(
    {
        "id": pa.array([1, 2, 3], pa.int64()),
        "small": pa.array([1, None, -3], pa.int32()),
        "flag": pa.array([True, False, None], pa.bool_()),
        "price": pa.array([Decimal("12.50"), Decimal("-0.01"), None], pa.decimal128(12, 2)),
        "ratio": pa.array([0.1, None, 1e300], pa.float64()),
        "word": pa.array(['a "quoted", one', "", None], pa.string()),
        "day": pa.array([dt.date(2020, 2, 29), None, dt.date(1969, 12, 31)], pa.date32()),
        "moment": pa.array(
            [dt.datetime(2020, 1, 1, 12, 30, 0, 250000), None, dt.datetime(1999, 1, 1)], pa.timestamp("us")
        ),
        "zoned": pa.array(
            [dt.datetime(2020, 7, 1, 12, tzinfo=UTC), None, dt.datetime(2021, 1, 1, tzinfo=UTC)],
            pa.timestamp("us", "UTC"),
        ),
        "span": pa.array([dt.timedelta(days=1, seconds=3), None, dt.timedelta(0)], pa.duration("us")),
    }
)


def schema_of(table: pa.Table) -> tuple[Schema, pd.DataFrame]:
    return infer(table, {})


def deliver(table: pa.Table, url: str, name: str = "stays", **options: Any) -> int:
    schema, frame = schema_of(table)
    return sources.deliver(
        iter([frame.iloc[:1], frame.iloc[1:]]), schema, Target("sql", url=url, table=name, **options)
    )


def read(url: str, **asked: Any) -> pa.Table:
    return sources.read(Source("sql", url=url, **(asked or {"table": "stays"})))


def test_types_survive_there_and_back(url: str) -> None:
    assert deliver(ROWS, url) == 3
    back = read(url)
    assert back.column_names == ROWS.column_names
    if not url.startswith("sqlite"):
        assert back.cast(ROWS.schema).sort_by("id").to_pylist() == ROWS.to_pylist()
        same = [
            (f.name, f.type)
            for f, g in zip(back.schema, ROWS.schema)
            if f.type != g.type and f.name not in ("span", "zoned")
        ]
        assert same == []
        return
    lost = {
        "small": pa.int64(),
        "span": pa.string(),
        "zoned": pa.timestamp("us"),
    }  # SQLite has one integer, no spans, no zones
    expected = pa.schema([pa.field(f.name, lost.get(f.name, f.type)) for f in ROWS.schema])
    assert back.schema == expected
    kept = [n for n in ROWS.column_names if n not in lost]
    assert back.select(kept).to_pylist() == ROWS.select(kept).to_pylist()
    assert back["zoned"].to_pylist()[0] == dt.datetime(2020, 7, 1, 12)


def test_canonical_kinds(url: str) -> None:
    deliver(ROWS, url)
    schema, frame = schema_of(read(url))
    kinds = {c.name: c.kind for c in schema.columns}
    assert (
        kinds["flag"] == "boolean"
        and kinds["day"] == "datetime"
        and kinds["price"] == "float"
        and kinds["small"] == "integer"
    )
    assert schema["price"].get("precision") == 2 and frames.arrow_type(schema["day"].storage) == pa.date32()
    assert frame["price"].tolist()[:2] == [12.5, -0.01]


def test_a_query_may_only_read(url: str, tmp_path: Path) -> None:
    deliver(ROWS, url)
    found = read(
        url,
        query=(
            "-- with; care\nWITH x AS (SELECT id, word FROM stays WHERE word <> ';') SELECT id, id + 1 AS next FROM x"
            " ORDER BY id;"
        ),
    )
    assert found.to_pylist() == [{"id": 1, "next": 2}, {"id": 2, "next": 3}]
    for bad in (
        "DELETE FROM stays",
        "SELECT 1; DROP TABLE stays",
        "",
        "UPDATE stays SET id = 1",
        "/* SELECT */ DROP TABLE stays",
    ):
        with pytest.raises(SpecError, match="expected one statement that reads"):
            read(url, query=bad)
    if not url.startswith("duckdb"):
        with pytest.raises(DataError):
            read(url, query="WITH gone AS (DELETE FROM stays RETURNING id) SELECT * FROM gone")
    assert len(read(url)) == 3


def test_columns_and_fingerprint(url: str) -> None:
    deliver(ROWS, url)
    source = Source("sql", url=url, table="stays")
    assert sources.columns(source) == ROWS.column_names
    before = sources.fingerprint(source)
    assert sources.fingerprint(Source("sql", url=url, table="stays")) == before
    deliver(ROWS.slice(0, 2), url)
    assert sources.fingerprint(source) == before  # what was hashed is what is read
    assert len(sources.read(source)) == 3
    assert sources.fingerprint(Source("sql", url=url, table="stays")) != before


def test_replace_append_fail(url: str) -> None:
    deliver(ROWS, url)
    assert deliver(ROWS.slice(0, 2), url, if_exists="append") == 2
    assert sorted(read(url)["id"].to_pylist()) == [1, 1, 2, 2, 3]
    deliver(ROWS.slice(1, 1), url)
    assert read(url)["id"].to_pylist() == [2]
    with pytest.raises(DataError, match=r"exists, and output\.if_exists is fail"):
        deliver(ROWS, url, if_exists="fail")
    with pytest.raises(SynthError, match="other"):
        deliver(ROWS.rename_columns(["other", *ROWS.column_names[1:]]), url, if_exists="append")
    assert read(url)["id"].to_pylist() == [2]


@pytest.mark.parametrize("if_exists", ["replace", "append"])
def test_a_failure_on_the_way_leaves_the_old_table(url: str, if_exists: str) -> None:
    deliver(ROWS, url)
    schema, frame = schema_of(ROWS)

    def breaking() -> Iterator[pd.DataFrame]:
        yield frame
        raise RuntimeError("model broke")

    with pytest.raises(RuntimeError, match="model broke"):
        sources.deliver(breaking(), schema, Target("sql", url=url, table="stays", if_exists=if_exists))
    assert sorted(read(url)["id"].to_pylist()) == [1, 2, 3]
    with pytest.raises(DataError, match="no table stays__new"):
        read(url, table="stays__new")


def test_names_that_need_quotes(url: str) -> None:
    table = pa.table({'a "b" c': [1, 2], "select": ["x", "y"], "per%cent :p": [1.5, 2.5]})
    deliver(table, url, 'or"der')
    assert read(url, table='or"der').to_pylist() == table.to_pylist()


def test_readers_see_all_or_nothing(pg: str) -> None:
    """Someone who reads all the time meets whole tables only, of the old or of the new kind."""
    schema, frame = schema_of(pa.table({"v": [0] * 500}))

    def write(v):
        return sources.deliver(iter([frame.assign(v=frame["v"] + v)] * 4), schema, Target("sql", url=pg, table="stays"))

    write(0)
    seen, stop = set(), threading.Event()

    def reader() -> None:
        while not stop.is_set():
            with database.opened(pg, "url", None).reading() as connection:
                seen.add(tuple(connection.exec_driver_sql("SELECT count(*), min(v), max(v) FROM stays").fetchone()))

    thread = threading.Thread(target=reader)
    thread.start()
    try:
        for v in range(1, 6):
            write(v)
    finally:
        stop.set()
        thread.join()
    assert {count for count, *_ in seen} == {2000} and all(low == high for _, low, high in seen)


def test_schemas_keys_enums_and_arrays_of_postgres(pg: str) -> None:
    with database.opened(pg, "url", None).writing() as connection:
        connection.exec_driver_sql("CREATE TYPE mood AS ENUM ('sad', 'ok')")
        connection.exec_driver_sql("CREATE SCHEMA IF NOT EXISTS far")
        connection.exec_driver_sql("DROP TABLE IF EXISTS far.t")
        connection.exec_driver_sql(
            "CREATE TABLE far.t (k int PRIMARY KEY, m mood, u uuid, n numeric, big numeric(50, 10), t text[])"
        )
        connection.exec_driver_sql(
            "INSERT INTO far.t VALUES (2, 'sad', gen_random_uuid(), 1.5, 7, '{}'), (1, 'ok', NULL, NULL, NULL, NULL)"
        )
    with pytest.raises(DataError, match=r"column t has the type .*not a plain value.*source.query"):
        read(pg, table="far.t")
    found = read(pg, query="SELECT k, m, u, n, big FROM far.t ORDER BY k")
    assert found["m"].to_pylist() == ["ok", "sad"] and found["n"].to_pylist() == [None, 1.5]
    assert found.schema.field("big").type == pa.decimal256(50, 10)
    with database.opened(pg, "url", None).writing() as connection:
        connection.exec_driver_sql("ALTER TABLE far.t DROP COLUMN t")
    assert read(pg, table="far.t")["k"].to_pylist() == [1, 2]  # in the order of the key
    deliver(ROWS, pg, "far.stays")
    assert len(read(pg, table="far.stays")) == 3


def test_a_table_of_postgres_that_fits_stays_with_all_that_hangs_on_it(pg: str) -> None:
    rows = pa.table(
        {
            "id": pa.array([1, 2]),
            "u": ["5b1d6a4e-53c5-4a4b-b4a0-b8dbbb2fd13c", None],
            "m": ["ok", "sad"],
            "per cent": [1.5, None],
        }
    )
    with database.opened(pg, "url", None).writing() as connection:
        for statement in (
            "CREATE TYPE mood AS ENUM ('sad', 'ok')",
            (
                'CREATE TABLE stays (m mood, u uuid, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "per cent"'
                " numeric)"
            ),
            "INSERT INTO stays (m) VALUES ('ok')",
            "CREATE VIEW seen AS SELECT u FROM stays",
            "GRANT SELECT ON stays TO PUBLIC",
        ):
            connection.exec_driver_sql(statement)
    assert deliver(rows, pg) == 2
    with database.opened(pg, "url", None).reading() as connection:
        ask = lambda query: [tuple(row) for row in connection.exec_driver_sql(query).fetchall()]  # noqa: E731
        assert ask('SELECT id, u::text, m::text, "per cent"::text FROM stays ORDER BY id') == [
            (1, rows["u"][0].as_py(), "ok", "1.5"),
            (2, None, "sad", None),
        ]
        assert ask("SELECT count(*) FROM seen") == [(2,)]
        assert ask(
            "SELECT count(*) FROM information_schema.table_privileges WHERE table_name = 'stays' AND grantee = 'PUBLIC'"
        ) == [(1,)]
        assert ask("SELECT to_regclass('stays__new') IS NULL") == [(True,)]
    with pytest.raises(DataError, match=r"2 of 2 rows do not fit column id, which is bigint: .*; nothing was changed"):
        deliver(rows.set_column(0, "id", pa.array([1.5, 2.5])), pg)
    with pytest.raises(DataError, match=r"2 of 2 rows repeat a value of the unique key \(id\)"):
        deliver(rows.set_column(0, "id", pa.array([7, 7])), pg)
    assert sorted(read(pg)["id"].to_pylist()) == [1, 2]


def test_moments_that_no_calendar_has(pg: str) -> None:
    with database.opened(pg, "url", None).writing() as connection:
        connection.exec_driver_sql("CREATE TABLE t (id int, until timestamp)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1, 'infinity')")
    with pytest.raises(DataError, match=r"timestamp too large.*remedy: source.query without such dates"):
        read(pg, table="t")


def test_sqlite_dates_in_another_spelling_are_words(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE t (d DATE, at DATETIME, b BOOLEAN, fine DATE, t TIME)")
        connection.execute(
            "INSERT INTO t VALUES ('11/02/2024', 1700000000, 'yes', '2024-02-11', NULL), (NULL, 1700000001, 'no', NULL,"
            " '10:30')"
        )
    table = sources.read(Source("sql", url="sqlite:///x.db", table="t", folder=tmp_path))
    assert table.schema.types == [pa.string(), pa.int64(), pa.string(), pa.date32(), pa.time64("us")]
    assert table["d"].to_pylist() == ["11/02/2024", None]


@pytest.mark.parametrize(
    ("source", "url", "table", "same"),
    [
        ({"table": "stays"}, "sqlite:///./x.db", "STAYS", True),
        ({"table": "stays"}, "sqlite:///y.db", "stays", False),
        ({"query": "SELECT * FROM Stays"}, "${DB}", "stays", True),
        ({"query": "SELECT * FROM stays_raw"}, "sqlite:///x.db", "stays", False),
        ({"table": "main.stays"}, "sqlite:///x.db", "stays", True),
        ({"table": "far.stays"}, "sqlite:///x.db", "stays", False),
    ],
)
def test_the_source_by_another_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: dict[str, str], url: str, table: str, same: bool
) -> None:
    monkeypatch.setenv("DB", "sqlite:///x.db")
    found = {"table": None, "query": None} | source
    assert database.reads("sqlite:///x.db", found["table"], found["query"], url, table, tmp_path) is same


def test_postgres_by_another_name() -> None:
    reads = lambda url, table: database.reads("postgresql://a@localhost/x", "public.t", None, url, table, None)  # noqa: E731
    assert reads("postgres://b@127.0.0.1:5432/x", "t") and not reads("postgresql://a@localhost/y", "t")
    assert not reads("postgresql://a@localhost:5433/x", "t") and not reads("postgresql://a@localhost/x", "far.t")


def test_sqlite_by_what_it_holds(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("CREATE TABLE t (a INTEGER, b, c BOOLEAN, d DATE, e BLOB, f INTEGER, g NUMERIC)")
        connection.execute(
            "INSERT INTO t VALUES (1, 1, 1, '2020-01-02', NULL, 'word', 1), (NULL, 2.5, 0, NULL, NULL, 3, 2.5)"
        )
    source = Source("sql", url="sqlite:///x.db", table="t", folder=tmp_path)
    table = sources.read(source)
    assert [str(t) for t in table.schema.types] == [
        "int64",
        "double",
        "bool",
        "date32[day]",
        "null",
        "string",
        "double",
    ]
    assert table["d"].to_pylist() == [dt.date(2020, 1, 2), None]
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("UPDATE t SET d = 'tomorrow', e = x'00'")
    with pytest.raises(DataError, match="holds bytes"):
        sources.read(Source("sql", url="sqlite:///x.db", table="t", folder=tmp_path))
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute("ALTER TABLE t DROP COLUMN e")
    again = sources.read(Source("sql", url="sqlite:///x.db", table="t", folder=tmp_path))
    assert again["d"].to_pylist() == ["tomorrow", "tomorrow"]  # a date by its declaration only


def test_what_is_wrong_is_said(url: str, tmp_path: Path) -> None:
    deliver(ROWS, url)
    with pytest.raises(DataError, match=r"has no table sty; remedy.*Tables: stays"):
        read(url, table="sty")
    with pytest.raises(DataError, match=r"cannot be read: .*nowhere"):
        read(url, query="SELECT * FROM nowhere")
    with pytest.raises(DataError, match="does not exist"):
        read("sqlite:///nowhere.db")
    assert not Path("nowhere.db").exists()
    for bad in ("mysql://u@h/d", "nonsense", "sqlite://", "duckdb:///:memory:", "postgresql://[::1/x"):
        with pytest.raises(SpecError, match=r"source\.url is "):
            read(bad)
    with pytest.raises(SpecError, match=r"source.url is \$\{NO_SUCH_URL\}; the environment has no NO_SUCH_URL"):
        read("${NO_SUCH_URL}")


def test_locked_is_for_later(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    deliver(ROWS, f"sqlite:///{path}")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    with pytest.raises(TryLater, match="locked; remedy: try again later") as raised:
        read(f"sqlite:///{path}")
    assert raised.value.exit_code == 6
    holder.close()
    deliver(ROWS, f"duckdb:///{tmp_path}/d.db")
    hold = (
        f"import duckdb, time; c = duckdb.connect({str(tmp_path / 'd.db')!r}); print('held', flush=True);"
        " time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None and other.stdout.readline() == "held\n"
        try:
            with pytest.raises(TryLater):
                read(f"duckdb:///{tmp_path}/d.db")
        finally:
            other.kill()


def secrets_in(text: str) -> list[str]:
    return [s for s in (PASSWORD, QUOTED, "s3cr3t") if s in text]


def test_unreachable_and_refused_without_the_password(pg: str, cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    cases: list[tuple[str, type[SynthError]]] = [
        (f"postgresql://tester:{QUOTED}@127.0.0.1:{port}/postgres", TryLater),
        (f"postgresql://tester:{QUOTED}@no-such-host.invalid/postgres", TryLater),
        (f"postgresql://tester:{QUOTED}x@{cluster}/postgres", DataError),
        (f"postgresql://nobody:{QUOTED}@{cluster}/postgres", DataError),
        (f"postgresql://tester:{QUOTED}@{cluster}/nowhere", DataError),
        (f"postgresql://tester:{QUOTED}@{cluster}x/postgres", SpecError),
        (f"mysql://tester:{QUOTED}@{cluster}/postgres", SpecError),
        (f"postgresql://tester:{QUOTED}@{cluster}/postgres", DataError),  # no such table
    ]
    for real, kind in cases:
        monkeypatch.setenv("WAREHOUSE_URL", real)
        for act in (
            lambda: read("${WAREHOUSE_URL}", table="nowhere"),
            lambda: sources.columns(Source("sql", url="${WAREHOUSE_URL}", query="SELECT x")),
        ):
            with pytest.raises(kind) as raised:
                act()
            assert "${WAREHOUSE_URL}" in str(raised.value) and not secrets_in(str(raised.value)), raised.value
            assert raised.value.__cause__ is None and (
                raised.value.__suppress_context__ or raised.value.__context__ is None
            )
    monkeypatch.setenv("WAREHOUSE_URL", cases[2][0])
    with pytest.raises(DataError) as raised:
        deliver(ROWS, "${WAREHOUSE_URL}")
    assert not secrets_in(str(raised.value))


SPEC = """
source: {type: sql, url: "${WAREHOUSE_URL}", table: people}
generator: {method: independent}
evaluate: {gates: []}
privacy_check: {attacks: [copies], gates: []}
output: {format: sql, url: "${WAREHOUSE_URL}", table: synthetic_people}
refine: {max_rounds: 1}
"""


def test_a_run_from_table_to_table_leaves_no_password(
    pg: str, cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.conftest import people

    deliver(pa.Table.from_pandas(people(200), preserve_index=False), pg, "people")
    real = pg.replace("${TEST_PASSWORD}", QUOTED)
    spec = tmp_path / "s.yaml"
    spec.write_text(SPEC)
    words = [sys.executable, "-m", "synthcli", "run", str(spec)]
    state = {**os.environ, "WAREHOUSE_URL": real}
    done = subprocess.run(words, capture_output=True, text=True, check=False, env=state)
    assert done.returncode == 0, done.stderr
    assert len(read(pg, table="synthetic_people")) == 200
    broken = [
        {"WAREHOUSE_URL": real.replace(QUOTED, QUOTED + "x")},
        {"WAREHOUSE_URL": real.replace(cluster, "127.0.0.1:1")},
        {"WAREHOUSE_URL": ""},
    ]
    said = [done.stdout + done.stderr]
    for change, code in zip(broken, (1, 6, 1)):
        failed = subprocess.run(words, capture_output=True, text=True, check=False, env={**state, **change})
        assert failed.returncode == code, failed.stderr
        said.append(failed.stdout + failed.stderr)
    with database.opened(pg, "url", None).writing() as connection:
        connection.exec_driver_sql("ALTER TABLE people RENAME TO folk")
    failed = subprocess.run(words, capture_output=True, text=True, check=False, env=state)
    assert failed.returncode == 1 and "has no table people" in failed.stderr
    assert not secrets_in("".join(said) + failed.stdout + failed.stderr)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not secrets_in(path.read_bytes().decode("latin-1")), path


def test_a_password_in_a_spec_is_refused_unseen(tmp_path: Path, synth: Any) -> None:
    spec = tmp_path / "s.yaml"
    for url in (f"postgresql://me:{QUOTED}@h/d", f"postgresql://me@h/d?password={QUOTED}"):
        spec.write_text(SPEC.replace("${WAREHOUSE_URL}", url))
        said = synth("check", spec)
        assert said.code == 1 and "from the environment" in said.err and not secrets_in(said.err + said.out)
        spec.write_text(SPEC)
        for text in (f"source.url={url}", f"source={{type: sql, url: '{url}', table: stays}}"):
            said = synth("check", spec, "--set", text)
            assert said.code == 1 and not secrets_in(said.err + said.out), said.err


def test_duckdb_types(tmp_path: Path) -> None:
    with duckdb.connect(str(tmp_path / "d.db")) as connection:
        connection.execute(
            "CREATE TABLE t AS SELECT 1::HUGEINT h, 'x'::ENUM('x', 'y') e, uuid() u, TIMESTAMPTZ '2020-01-01"
            " 00:00:00+01' z"
        )
    found = read(f"duckdb:///{tmp_path}/d.db", table="t")
    assert found["e"].to_pylist() == ["x"] and found["z"].to_pylist() == [dt.datetime(2019, 12, 31, 23, tzinfo=UTC)]
    schema, _ = schema_of(found)
    assert [c.kind for c in schema.columns][:2] == ["float", "category"]


def test_a_column_schema_without_rows(url: str) -> None:
    schema = Schema((Column("a", inferred=Traits(type="integer"), storage="int64"),))
    empty = pd.DataFrame({"a": pd.array([], dtype="Int64")})
    assert sources.deliver(iter([empty]), schema, Target("sql", url=url, table="stays")) == 0
    assert len(read(url)) == 0 and read(url).column_names == ["a"]
