"""PostgreSQL: every type that a column can have, identities, grants, triggers, deferred and other schemas' tables."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.errors import DataError
from synthcli.sources import Source, database
from tests.sources.exchange.conftest import ask, deliver

TYPES = """
    SELECT format_type(t.oid, -1) FROM pg_type t
    WHERE typisdefined AND typtype IN ('b', 'e', 'd', 'r', 'm', 'c') AND (typtype <> 'c' OR typname = 'pair')
          AND (typcategory <> 'A' OR typelem IN (23, 25, 1700, 1082)) ORDER BY 1"""
NARROW = ("numeric(6,2)", "char(4)", "varchar(3)", "bit(3)", "varbit(4)", "time(0)", "timestamp(0)", "interval(2)",
          "varchar(3)[]", "float(3)")  # fmt: skip
VALUES = {
    "uuid": "5b1d6a4e-53c5-4a4b-b4a0-b8dbbb2fd13c", "inet": "10.0.0.1", "cidr": "10.0.0.0/8", "bytea": "\\x00ff",
    "macaddr": "08:00:2b:01:02:03", "point": "(1,2)", "mood": "ok", "pair": "(1,x)", "hstore": '"a"=>"1"',
    "integer[]": "{1,2}", "text[]": "{a,b}", "int4range": "[1,3)", "xml": "<a/>", "date": "2020-01-01",
    "bit(3)": "101", "varbit(4)": "1010", "time with time zone": "12:00:00+02", "jsonb": '{"a": 1}',
}  # fmt: skip


def test_every_type_is_written_or_named(pg: str) -> None:
    """Rows of all types that take these words are there unchanged; for another, an error names the column."""
    made = ("CREATE TYPE mood AS ENUM ('ok')", "CREATE TYPE pair AS (a int, b text)",
            "CREATE DOMAIN small AS varchar(3)", "CREATE EXTENSION IF NOT EXISTS hstore",
            "CREATE FUNCTION takes(t text, v text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN EXECUTE"
            " format('CREATE TEMP TABLE probe (x %s)', t); EXECUTE format('INSERT INTO probe VALUES (%L)', v);"
            " DROP TABLE probe; RETURN true; EXCEPTION WHEN OTHERS THEN RETURN false; END $$")  # fmt: skip
    types = [name for (name,) in ask(pg, *made, TYPES)] + list(NARROW)
    text = {name: VALUES.get(name, "1") for name in types}
    pairs = ", ".join(f"('{name}', '{text[name]}')" for name in types)
    takes = {name for name, yes in ask(pg, f"SELECT t, takes(t, v) FROM (VALUES {pairs}) AS p (t, v)") if yes} - {
        "regclass"
    }
    assert len(types) > 100 and takes >= {*VALUES, "money", "small", "tsvector", "numeric(6,2)", "oid", '"char"'}
    columns = {f"c{i}": name for i, name in enumerate(types)}
    good = {column: name for column, name in columns.items() if name in takes}
    ask(pg, f"CREATE TABLE t (id int, {', '.join(f'{column} {name}' for column, name in good.items())})")
    deliver(pg, "t", {"id": [1, 2]} | {column: [text[name], None] for column, name in good.items()})
    whole = " AND ".join(f"{column} IS NOT NULL" for column in good)
    assert ask(pg, f"SELECT id, {whole}, c{types.index('money')}::numeric FROM t ORDER BY id") == [
        (1, True, Decimal(1)), (2, False, None)]  # fmt: skip
    for name in ("pg_node_tree", "varchar(3)[]", "time(0)", "tid", "int8range", "pg_lsn", "regclass"):
        assert name not in takes
        ask(pg, "DROP TABLE IF EXISTS u", f"CREATE TABLE u (id int, x {name})", "INSERT INTO u (id) VALUES (0)")
        with pytest.raises(DataError, match=r"1 of 2 rows do not fit column x, which is .*; nothing was changed"):
            deliver(pg, "u", {"id": [1, 2], "x": [text[name], None]})
        assert ask(pg, "SELECT id FROM u") == [(0,)]


@pytest.mark.parametrize(
    ("type_", "values", "fits"),
    [
        ("integer", pa.array([1.0, 2.0]), True),
        ("integer", pa.array([1.0, 2.5]), False),
        ("smallint", pa.array([1, 70_000]), False),
        ("numeric(4,1)", pa.array([1.25, 2.5]), False),
        ("numeric(4,1)", pa.array([Decimal("1.50"), None], pa.decimal128(9, 2)), True),
        ("money", pa.array([1.25, 2.5]), True),
        ("money", pa.array([1.256, 2.5]), False),
        ("boolean", pa.array([1, 0]), True),
        ("boolean", pa.array([1, 2]), False),
        ("real", pa.array([0.1, None]), True),
        ("date", pa.array([dt.datetime(2020, 1, 1, 12), None], pa.timestamp("us")), False),
        ("timestamp(0)", pa.array([dt.datetime(2020, 1, 1, 12, 0, 0, 500_000), None], pa.timestamp("us")), False),
        ("timestamp", pa.array([dt.datetime(2020, 1, 1), None], pa.timestamp("us", "UTC")), True),
        ('"char"', pa.array(["ab", "a"]), False),
        ("name", pa.array(["a" * 64, "a"]), False),
        ("bytea", pa.array([1, 2]), False),
        ("int[]", pa.array([1, 2]), False),
        ("interval", pa.array([dt.timedelta(days=400, seconds=1), None], pa.duration("us")), True),
    ],
)  # fmt: skip
def test_nothing_is_rounded_or_cut(pg: str, type_: str, values: pa.Array, fits: bool) -> None:
    ask(pg, f"CREATE TABLE t (id int, x {type_})", "INSERT INTO t (id) VALUES (0)")
    rows = {"id": pa.array([1, 2]), "x": values}
    if fits:
        deliver(pg, "t", rows)
        assert ask(pg, "SELECT array_agg(id) FROM t") == [([1, 2],)]
        return
    with pytest.raises(DataError, match=r"[12] of 2 rows .* column x, which is .*; nothing was changed; remedy"):
        deliver(pg, "t", rows)
    assert ask(pg, "SELECT id FROM t") == [(0,)]


def test_money_is_a_number(pg: str) -> None:
    ask(pg, "CREATE TABLE m (id int, fee money)", "INSERT INTO m VALUES (1, '-1234.50'), (2, NULL)")
    for asked in ({"table": "m"}, {"query": "SELECT id, fee FROM m -- all\nORDER BY id"}):
        found = sources.read(Source("sql", url=pg, **asked))
        assert found["fee"].to_pylist() == [Decimal("-1234.50"), None]
    schema, frame = infer(found, {})
    assert schema["fee"].kind == "float" and frame["fee"].tolist()[0] == -1234.5
    sources.deliver(iter([frame]), schema, sources.Target("sql", url=pg, table="m"))
    assert ask(pg, "SELECT fee::numeric FROM m WHERE id = 1") == [(Decimal("-1234.50"),)]


def test_identities_serials_and_grants(pg: str) -> None:
    ask(
        pg,
        "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, s serial, down bigint, w text)",
        "GRANT SELECT ON t TO PUBLIC",
        "INSERT INTO t (w) VALUES ('old')",
    )
    deliver(pg, "t", {"id": [40, 50], "s": [7, 3], "w": ["a", "b"]})
    assert ask(pg, "INSERT INTO t (w) VALUES ('next') RETURNING id, s") == [(51, 8)]
    assert ask(pg, "SELECT has_table_privilege('public', 't', 'SELECT')") == [(True,)]


def test_triggers_stay_and_fire(pg: str) -> None:
    ask(
        pg,
        "CREATE TABLE t (id int, w text)",
        "CREATE TABLE log (n int)",
        "CREATE FUNCTION noted() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO log VALUES (1); RETURN NULL;"
        " END $$",
        "CREATE TRIGGER noting AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION noted()",
    )
    deliver(pg, "t", {"id": [1, 2], "w": ["a", "b"]})
    assert ask(pg, "SELECT count(*) FROM log") == [(2,)]


def test_domains_exclusions_and_partitions(pg: str) -> None:
    ask(
        pg,
        "CREATE DOMAIN low AS int CHECK (value < 10)",
        "CREATE TABLE t (id int, x low) PARTITION BY RANGE (id)",
        "CREATE TABLE t_1 PARTITION OF t FOR VALUES FROM (0) TO (100)",
        "INSERT INTO t VALUES (0, 0)",
    )
    deliver(pg, "t", {"id": [1, 2], "x": [1, 2]})
    with pytest.raises(DataError, match=r"1 of 2 rows do not fit column x, which is low: .* violates check constraint"):
        deliver(pg, "t", {"id": [1, 2], "x": [1, 20]})
    with pytest.raises(DataError, match="no partition of relation"):
        deliver(pg, "t", {"id": [1, 200], "x": [1, 2]})
    assert ask(pg, "SELECT array_agg(id ORDER BY id) FROM t_1") == [([1, 2],)]


def test_inherited_rows_and_row_security(pg: str) -> None:
    ask(pg, "CREATE TABLE t (id int)", "CREATE TABLE child () INHERITS (t)", "INSERT INTO child VALUES (7)")
    deliver(pg, "t", {"id": [1]})
    assert ask(pg, "SELECT id FROM child") == [(7,)]
    ask(pg, "CREATE MATERIALIZED VIEW m AS SELECT 1 AS id")
    with pytest.raises(DataError, match="is a materialized view"):
        deliver(pg, "m", {"id": [1]})


def test_a_reader_with_an_old_snapshot_sees_the_old_rows(pg: str) -> None:
    deliver(pg, "t", {"id": [1, 2]})
    with database.opened(pg, "url", None).reading() as connection:
        connection.exec_driver_sql("SELECT 1")
        deliver(pg, "t", {"id": [3]})
        assert len(connection.exec_driver_sql("SELECT id FROM t").fetchall()) == 2
