"""What real files look like: dumps of databases, contracts and schemas as their tools write them."""

import copy
import json
import random

import pytest

from synthcli.errors import SpecError
from synthcli.init import imports
from synthcli.spec import yaml

POSTGRES = """
CREATE TYPE shop.order_status AS ENUM ('new', 'paid', 'it''s shipped');
CREATE DOMAIN posint AS integer CHECK (VALUE > 0);
CREATE TABLE shop.customers (
    id bigint GENERATED ALWAYS AS IDENTITY,
    key character varying(9) NOT NULL,
    grade text,
    tags text[],
    at timestamp(6) without time zone,
    CONSTRAINT grade_check CHECK (((grade)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[])))
);
CREATE TABLE shop.orders (id integer NOT NULL, customer bigint REFERENCES shop.customers, status shop.order_status DEFAULT 'new'::shop.order_status,
    qty posint);
ALTER TABLE ONLY shop.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);
"""
MYSQL = r"""
CREATE TABLE `users` (
  `id` int unsigned NOT NULL COMMENT 'key, the (main) one',
  `sex` enum('m','f','it\'s') DEFAULT NULL,
  `active` tinyint(1) NOT NULL DEFAULT '1',
  KEY `k` (`sex`)
) ENGINE=InnoDB COMMENT='x; y';
CREATE TABLE `orders` (`id` bigint(20), `user` int);
ALTER TABLE `users` ADD PRIMARY KEY (`id`), ADD KEY `s` (`sex`), ADD UNIQUE KEY `u` (`sex`(191));
ALTER TABLE `orders` ADD CONSTRAINT `f` FOREIGN KEY (`user`) REFERENCES `users` (`id`) ON DELETE CASCADE;
"""
SQLSERVER = """
CREATE TABLE [dbo].[Customers](
	[Id] [int] IDENTITY(1,1) NOT NULL,
	[Price] [decimal](10, 2) NULL,
 CONSTRAINT [PK_C] PRIMARY KEY CLUSTERED ([Id] ASC) WITH (PAD_INDEX = OFF) ON [PRIMARY]
) ON [PRIMARY]
GO
ALTER TABLE [dbo].[Customers]  WITH CHECK ADD  CONSTRAINT [CK] CHECK  (([Price]>(0)))
GO
"""
SNOWFLAKE = """
create or replace TRANSIENT TABLE DB.SCH.CUSTOMERS (
	ID NUMBER(38,0) NOT NULL autoincrement start 1 increment 1, AMOUNT NUMBER(18,2), N NUMBER,
	constraint PK primary key (ID), check (AMOUNT > abs(N))
)CLUSTER BY (ID) COMMENT='a; b';
"""
BIGQUERY = """
CREATE OR REPLACE TABLE `my-proj.ds.customers`
(id INT64 NOT NULL OPTIONS(description="key, id"), tags ARRAY<STRING>, addr STRUCT<street STRING, more ARRAY<STRUCT<a INT64, b INT64>>>, day DATE)
PARTITION BY day;
"""
DBT = """
version: 2
models:
  - name: orders
    constraints:
      - {type: foreign_key, columns: [region_id], to: ref('regions'), to_columns: [id]}
    columns:
      - {name: region_id}
      - {name: status, tests: [{accepted_values: {values: [a], config: {where: "id > 3"}}}]}
      - {name: level, tests: [{name: levels, test_name: accepted_values, values: [1, 2]}]}
      - {name: day, tests: [{dbt_utils.accepted_range: {min_value: "'2020-01-01'", max_value: current_date}}]}
      - {name: amount, tests: [{dbt_expectations.expect_column_values_to_be_between: {min_value: 0, max_value: 500}}]}
      - {name: code, tests: [{dbt_expectations.expect_column_values_to_match_regex: {regex: 'A[0-9]{3}'}}]}
      - {name: mail, policy_tags: [projects/x/pii]}
"""
ODCS = """
kind: DataContract
apiVersion: v3.0.0
schema:
  - name: tbl
    properties:
      - {name: day, logicalType: date, logicalTypeOptions: {minimum: "2020-01-01"}}
      - {name: country, logicalType: string, quality: [{metric: invalidValues, arguments: {validValues: [DE, FR]}, mustBe: 0}]}
      - {name: address, logicalType: object, properties: [{name: a, logicalType: string}]}
      - {name: customer, logicalType: string}
    relationships: [{type: foreignKey, from: tbl.customer, to: customers.id}]
    quality: [{rule: rowCount, mustBeGreaterThan: 1000}]
"""
CONTRACT = """
dataContractSpecification: 1.1.0
models: {orders: {fields: {order_id: {$ref: '#/definitions/order_id', required: true, primaryKey: true}}}}
definitions: {order_id: {type: text, format: uuid, pii: true}}
"""
SCHEMA = {
    "$defs": {
        "base": {"type": "object", "properties": {"id": {"type": "string", "format": "uuid"}}, "required": ["id"]},
        "a/b": {"type": "integer"},
    },
    "allOf": [{"$ref": "#/$defs/base"}, {"properties": {"x": {"$ref": "#/$defs/a~1b"}}}],
    "properties": {"kind": {"oneOf": [{"const": "r"}, {"const": "s"}]}},
    "required": ["kind"],
}
SDV = {
    "columns": {"city": {"sdtype": "city", "pii": False}, "mail": {"sdtype": "email", "pii": True}},
    "relationships": [{"parent_table_name": "a"}],
}


def tables(tmp_path, text, name="m.sql"):
    path = tmp_path / name
    path.write_text(text)
    return {table.table: table for table in imports.tables(path)}


def test_dump_of_postgresql(tmp_path):
    found = tables(tmp_path, POSTGRES)
    assert found["customers"].columns == {
        "id": {"type": "integer", "unique": True},
        "key": {},
        "grade": {"type": "category", "categories": ["a", "b"]},
        "tags": {},
        "at": {"type": "datetime"},
    }
    assert found["customers"].notes == ["tags is nested; flatten it into columns of their own"]
    assert found["orders"].columns["status"] == {"type": "category", "categories": ["new", "paid", "it's shipped"]}
    assert found["orders"].columns["qty"] == {"type": "integer"} and found["orders"].constraints == [
        {"expr": "qty > 0"}
    ]
    assert found["orders"].relationships == [
        {"from": "orders.customer", "to": "customers.id"}
    ]  # the key, which was not named


def test_dump_of_mysql(tmp_path):
    found = tables(tmp_path, MYSQL)
    assert found["users"].columns == {
        "id": {"type": "integer", "unique": True},
        "sex": {"type": "category", "categories": ["m", "f", "it's"], "unique": True},
        "active": {"type": "boolean"},
    }
    assert found["users"].key == ("id",) and found["orders"].relationships == [
        {"from": "orders.user", "to": "users.id"}
    ]


def test_script_of_sql_server(tmp_path):
    found = tables(tmp_path, SQLSERVER)["Customers"]
    assert found.columns == {
        "Id": {"type": "integer", "unique": True},
        "Price": {"type": "float", "precision": 2},
    } and found.key == ("Id",)
    assert found.constraints == [{"expr": "( Price > ( 0 ) )"}]


def test_snowflake_beside_data_of_another_spelling(tmp_path):
    found = tables(tmp_path, SNOWFLAKE)["CUSTOMERS"].renamed({"id": "id", "amount": "Amount", "n": "n"})
    assert found.columns == {
        "id": {"type": "integer", "unique": True},
        "Amount": {"type": "float", "precision": 2},
        "n": {},
    }
    assert found.constraints == [{"expr": "Amount > abs ( n )"}]


def test_bigquery(tmp_path):
    found = tables(tmp_path, BIGQUERY)["customers"]
    assert (
        found.columns == {"id": {"type": "integer"}, "tags": {}, "addr": {}, "day": {"type": "datetime"}}
        and len(found.notes) == 2
    )


def test_dbt_packages_and_conditions(tmp_path):
    found = tables(tmp_path, DBT, "schema.yml")["orders"]
    assert found.columns == {
        "region_id": {},
        "status": {},
        "level": {"type": "category", "categories": [1, 2]},
        "day": {"min": "2020-01-01"},
        "amount": {"min": 0, "max": 500},
        "code": {"pattern": "A[0-9]{3}"},
        "mail": {},
    }
    assert found.notes == [
        "test accepted_values of status where id > 3",
        "max_value current_date of day",
    ]  # a rule of some rows is none of all
    assert found.relationships == [{"from": "orders.region_id", "to": "regions.id"}] and set(found.personal) == {"mail"}


def test_contracts_with_quality_nesting_and_definitions(tmp_path):
    found = tables(tmp_path, ODCS, "c.yaml")["tbl"]
    assert found.columns == {
        "day": {"type": "datetime", "min": "2020-01-01"},
        "country": {"type": "category", "categories": ["DE", "FR"]},
        "address": {},
        "customer": {},
    }
    assert found.notes == ["address is nested; flatten it into columns of their own", "quality of tbl: rowCount"]
    assert found.relationships == [{"from": "tbl.customer", "to": "customers.id"}]
    orders = tables(tmp_path, CONTRACT, "d.yaml")["orders"]
    assert orders.columns == {"order_id": {"type": "uuid", "unique": True}} and set(orders.personal) == {"order_id"}


def test_json_schema_of_parts(tmp_path):
    found = tables(tmp_path, json.dumps(SCHEMA), "s.json")[None]
    assert found.columns == {
        "id": {"type": "uuid"},
        "x": {"type": "integer"},
        "kind": {"type": "category", "categories": ["r", "s"]},
    }
    assert set(found.required) == {"id", "kind"}
    around = {"properties": {"a": {"type": "integer"}}, "allOf": [{"$ref": "#"}]}  # refers to itself
    assert tables(tmp_path, json.dumps(around), "s.json")[None].columns == {"a": {"type": "integer"}}


def test_sdv_columns_that_are_not_personal_are_learned(tmp_path):
    assert tables(tmp_path, json.dumps(SDV), "s.json")[None].columns == {"city": {}, "mail": {"type": "email"}}


def places(value, at=()):
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield (*at, key)
        yield from places(value[key], (*at, key))


def understood(tmp_path, text):
    """The tables of a text; none where it is no such metadata, and that is said of the file."""
    try:
        return tables(tmp_path, text, "m.json")
    except SpecError as error:
        said = str(error)
    assert "m.json" in said
    return {}


@pytest.mark.parametrize(
    "text", [DBT, ODCS, CONTRACT, json.dumps(SCHEMA), json.dumps(SDV)], ids=["dbt", "odcs", "contract", "schema", "sdv"]
)
def test_anything_may_stand_anywhere(tmp_path, text):
    whole, rng = yaml.parse(text, "m.yaml").data, random.Random(0)
    for place in places(whole):
        broken = copy.deepcopy(whole)
        inner = broken
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = rng.choice(
            [None, 3, "x", [], {}, [None], ["a", 3], {"a": None}, True, [["a"]], [{"a": [1]}], {"a": {"b": 1}}]
        )
        for table in understood(tmp_path, json.dumps(broken, default=str)).values():
            assert all(isinstance(name, str) and isinstance(said, dict) for name, said in table.columns.items()), place
            assert all(isinstance(said.get("type", ""), str) for said in table.columns.values()), place
            upper = {name.lower(): name.upper() for name in table.columns}
            assert set(table.renamed(upper).columns) == {*upper.values()}, place
