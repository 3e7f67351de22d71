import json
from pathlib import Path

import pytest

from synthcli.errors import SpecError
from synthcli.init import imports
from synthcli.init.imports import conditions, ddl

SDV = {
    "METADATA_SPEC_VERSION": "V1",
    "tables": {
        "users": {
            "primary_key": "id",
            "columns": {
                "id": {"sdtype": "id", "regex_format": r"U_\d{4}"},
                "mail": {"sdtype": "email", "pii": True},
                "age": {"sdtype": "numerical", "computer_representation": "Int64"},
                "since": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
                "plan": {"sdtype": "categorical"},
                "iban": {"sdtype": "iban", "pii": True},
                "word": {"sdtype": "catch_phrase"},
            },
        },
        "orders": {"primary_key": ["user", "nr"], "columns": {"user": {"sdtype": "id"}, "nr": {"sdtype": "id"}}},
    },
    "relationships": [
        {
            "parent_table_name": "users",
            "parent_primary_key": "id",
            "child_table_name": "orders",
            "child_foreign_key": "user",
        }
    ],
}
DBT = """
version: 2
models:
  - name: orders
    columns:
      - name: id
        data_type: bigint
        tests: [unique, not_null]
      - name: status
        data_tests:
          - accepted_values: {arguments: {values: [new, paid]}}
      - name: user_id
        tests:
          - relationships: {to: ref('users'), field: id}
      - name: total
        data_type: numeric(10,2)
        tests:
          - dbt_utils.accepted_range: {min_value: 0}
          - dbt_utils.expression_is_true: {expression: "<= 1000"}
          - dbt_expectations.expect_something
      - name: mail
        meta: {contains_pii: true}
    data_tests:
      - dbt_utils.unique_combination_of_columns: {combination_of_columns: [user_id, status]}
      - dbt_utils.expression_is_true: {expression: "total >= shipping AND status <> 'old'"}
"""
ODCS = """
apiVersion: v3.0.0
kind: DataContract
schema:
  - name: orders
    physicalName: orders_v1
    properties:
      - {name: id, logicalType: string, primaryKey: true, required: true, logicalTypeOptions: {pattern: 'O-\\d{5}'}}
      - {name: mail, logicalType: string, classification: restricted, logicalTypeOptions: {format: email}}
      - {name: n, logicalType: integer, logicalTypeOptions: {minimum: 0, exclusiveMaximum: 10}}
      - {name: at, logicalType: date}
"""
DCS = """
dataContractSpecification: 1.1.0
models:
  orders:
    fields:
      id: {type: integer, primaryKey: true}
      status: {type: string, enum: [new, paid]}
      user: {type: integer, references: users.id, pii: true}
      price: {type: decimal, scale: 2, minimum: 0}
"""
SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "order",
    "type": "array",
    "items": {"$ref": "#/$defs/order"},
    "$defs": {
        "order": {
            "type": "object",
            "required": ["id"],
            "properties": {
                "id": {"type": "string", "format": "uuid"},
                "n": {"type": ["integer", "null"], "exclusiveMinimum": 0},
                "price": {"type": "number", "multipleOf": 0.01},
                "kind": {"enum": ["a", "b", None]},
                "ok": {"type": "boolean"},
                "mail": {"anyOf": [{"type": "string", "format": "email"}, {"type": "null"}]},
                "nested": {"type": "object"},
            },
        }
    },
}
DDL = """
-- orders; with a semicolon
CREATE TABLE IF NOT EXISTS "shop"."orders" (
  id BIGINT PRIMARY KEY, "user id" int NOT NULL REFERENCES users(id), /* a, b */
  total NUMERIC(10,2) CHECK (total >= 0 AND total < 1e6), rate numeric(4), status varchar(10) DEFAULT 'a,b' CHECK (status IN ('new','it''s')),
  kind enum('x','y'), born date, ok tinyint(1), code text UNIQUE,
  CONSTRAINT c1 CHECK (total BETWEEN 1 AND 5 AND "user id" <> id), CHECK (code LIKE 'a%'), UNIQUE (status, born),
  FOREIGN KEY (kind) REFERENCES kinds (code));
CREATE TABLE users (id integer, PRIMARY KEY (id));
ALTER TABLE ONLY shop.orders ADD CONSTRAINT late CHECK (length(status) > 2);
"""


def load(tmp_path: Path, name: str, text: str, columns, **options):
    path = tmp_path / name
    path.write_text(text)
    return imports.load(path, columns, **options)


def test_sdv(tmp_path):
    users = load(tmp_path, "m.json", json.dumps(SDV), ["ID", "mail", "age", "since", "plan", "iban", "word"])
    assert users.table == "users" and users.key == ("ID",)  # the data's own spelling
    assert users.columns == {
        "ID": {"unique": True, "type": "id", "pattern": r"U_\d{4}"},
        "mail": {"type": "email"},
        "age": {"type": "integer"},
        "since": {"type": "datetime", "format": "%Y-%m-%d"},
        "plan": {"type": "category"},
        "iban": {"type": "iban"},
        "word": {"type": "text", "provider": "catch_phrase"},
    }
    assert set(users.personal) == {"mail", "iban"} and users.relationships == [
        {"from": "orders.user", "to": "users.id"}
    ]
    orders = load(tmp_path, "m.json", json.dumps(SDV), ["user", "nr"])
    assert orders.constraints == [{"unique": ["user", "nr"]}]
    single = load(tmp_path, "s.json", json.dumps({"columns": SDV["tables"]["users"]["columns"]}), ["age", "other"])
    assert "not in the data: id" in single.notes[0] and set(single.columns) == {"age"}


def test_dbt(tmp_path):
    orders = load(tmp_path, "schema.yml", DBT, ["id", "status", "user_id", "total", "mail", "shipping"])
    assert orders.columns == {
        "id": {"type": "integer", "unique": True},
        "status": {"type": "category", "categories": ["new", "paid"]},
        "user_id": {},
        "total": {"type": "float", "precision": 2, "min": 0},
        "mail": {},
    }
    assert orders.constraints == [
        {"expr": "total <= 1000"}, {"unique": ["user_id", "status"]}, {"expr": "total >= shipping and status != 'old'"},
    ]  # fmt: skip
    assert orders.required == ("id",) and orders.relationships == [{"from": "orders.user_id", "to": "users.id"}]
    assert orders.personal == {"mail": "dbt: contains_pii: True"} and orders.notes == [
        "test dbt_expectations.expect_something of total"
    ]


def test_contracts(tmp_path):
    odcs = load(tmp_path, "c.yaml", ODCS, ["id", "mail", "n", "at"])
    assert odcs.table == "orders_v1" and odcs.required == ("id",) and set(odcs.personal) == {"mail"}
    assert odcs.columns == {
        "id": {"pattern": r"O-\d{5}", "unique": True},
        "mail": {"type": "email"},
        "n": {"type": "integer", "min": 0, "max": 9},
        "at": {"type": "datetime"},
    }
    dcs = load(tmp_path, "d.yaml", DCS, ["id", "status", "user", "price"])
    assert dcs.columns == {
        "id": {"type": "integer", "unique": True},
        "status": {"type": "category", "categories": ["new", "paid"]},
        "user": {"type": "integer"},
        "price": {"type": "float", "min": 0, "precision": 2},
    }
    assert dcs.relationships == [{"from": "orders.user", "to": "users.id"}] and set(dcs.personal) == {"user"}


def test_json_schema(tmp_path):
    order = load(tmp_path, "s.json", json.dumps(SCHEMA), ["id", "n", "price", "kind", "ok", "mail"])
    assert order.columns == {
        "id": {"type": "uuid"}, "n": {"type": "integer", "min": 1}, "price": {"type": "float", "precision": 2},
        "kind": {"type": "category", "categories": ["a", "b"]}, "ok": {"type": "boolean"}, "mail": {"type": "email"},
    }  # fmt: skip
    assert order.required == ("id",) and "nested" in order.notes[0]


def test_ddl(tmp_path):
    orders = load(
        tmp_path,
        "t.sql",
        DDL,
        ["id", "user id", "total", "rate", "status", "kind", "born", "ok", "code"],
        stem="orders",
    )
    assert orders.columns == {
        "id": {"type": "integer", "unique": True},
        "user id": {"type": "integer"},
        "total": {"type": "float", "precision": 2},
        "rate": {"type": "integer"},
        "status": {"type": "category", "categories": ["new", "it's"]},
        "kind": {"type": "category", "categories": ["x", "y"]},
        "born": {"type": "datetime"},
        "ok": {"type": "boolean"},
        "code": {"unique": True},
    }
    assert orders.key == ("id",) and orders.required == ("id", "user id")
    assert orders.constraints == [
        {"expr": "total >= 0 and total < 1e6"},
        {"expr": "total >= 1 and total <= 5 and `user id` != id"},
        {"unique": ["status", "born"]},
        {"expr": "len ( status ) > 2"},
    ]
    assert orders.relationships == [
        {"from": "orders.user id", "to": "users.id"},
        {"from": "orders.kind", "to": "kinds.code"},
    ]
    assert orders.notes == ["check code LIKE 'a%'"]
    assert load(tmp_path, "t.sql", DDL, ["id"], stem="users").table == "users"


@pytest.mark.parametrize(
    ("sql", "expr"),
    [
        ("a = 1 OR NOT b", "a == 1 or not b"),
        ("x <> 'it''s'", r"x != 'it\'s'"),
        ("t.a IS NOT NULL", "a is not null"),
        ("a > b::numeric(3,1)", "a > b"),
        ("a BETWEEN 1 AND 2 AND c = 3", "a >= 1 and a <= 2 and c == 3"),
        ("name ~ '^a'", None),
        ("a LIKE 'x'", None),
        ("a + ", None),
        ("(select 1) > 2", None),
        ("total between 1", None),
        ("a + b BETWEEN 1 AND 5", "a + b >= 1 and a + b <= 5"),
        ("a BETWEEN -5 AND 5", "a >= - 5 and a <= 5"),
        ("NOT a BETWEEN 1 AND 2", "not ( a >= 1 and a <= 2 )"),
        ("a NOT BETWEEN 1 AND 2 AND b > 0", "not ( a >= 1 and a <= 2 ) and b > 0"),
        ("a IN (1, 2)", "a in [ 1 , 2 ]"),
        ("a NOT IN ('x')", "a not in [ 'x' ]"),
        ("a IN (SELECT b FROM c)", None),
        (
            "((kind)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))",
            "( ( kind ) in [ 'a' , 'b' ] )",
        ),
        ("kind <> ALL (ARRAY['a'::text])", "kind not in [ 'a' ]"),
        ("a > date '2020-01-01'", "a > '2020-01-01'"),
        ("a < '2020-01-01'::timestamp without time zone", "a < '2020-01-01'"),
        ("a = 'x::y'", "a == 'x::y'"),
    ],
)
def test_conditions(sql, expr):
    assert conditions.condition(sql) == (None if expr is None else {"expr": expr})


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "{", "not valid JSON"),
        ("a.json", "[1]", "none of"),
        ("a.yaml", "a: 1", "none of"),
        ("a.sql", "select 1", "none of"),
        ("a.sql", DDL, "none of the columns"),
        ("a.yaml", "a: [", "not valid YAML"),
        ("a.json", '{"columns": 3}', "none of"),
        ("a.json", '{"properties": 3}', "none of"),
        ("a.yaml", "models: 3", "none of"),
    ],
)
def test_what_is_no_metadata(tmp_path, name, text, message):
    with pytest.raises(SpecError, match=message):
        load(tmp_path, name, text, ["zzz"])


def test_broken_sql_does_not_hang():
    assert (
        ddl.read("create table t (a int, b text check (a > ")
        and ddl.read("create table t (")
        and not ddl.recognise("create view t as (select 1)")
    )
