"""Related tables that are simulated: customers, their orders and items over time, products and warehouses, friends, and
employees.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns.discovery.infer import infer
from synthcli.columns.frame import to_arrow
from synthcli.contracts.schema import Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.relationships import Relationship

ID = Traits(type="id")
SHOP = (
    Relationship.parse("orders.customer_id", "customers.id"),
    Relationship.parse(["items.region", "items.order_no"], ["orders.region", "orders.no"]),
    Relationship.parse("items.product_id", "products.sku"),
)


def tables(
    columns: dict[str, dict[str, pa.ChunkedArray]], relationships: tuple[Relationship, ...], **more: object
) -> Tables:
    """Tables as the sources give them; keys are ids."""
    frames, schemas = {}, {}
    for name, arrays in columns.items():
        keys = {
            c for r in relationships for t, cs in ((r.child, r.columns), (r.parent, r.keys)) if t == name for c in cs
        }
        declared = {c: ID for c in keys if pa.types.is_integer(arrays[c].type) or c == "sku" or c.endswith("_id")}
        schemas[name], frames[name] = infer(pa.table(arrays), declared)
    return Tables(frames, schemas, relationships, **more)  # type: ignore[arg-type]


def shop(customers: int = 400, seed: int = 3) -> Tables:
    """Customers without orders and with many; what they buy goes with their segment; orders are numbered within a
    region (a key of two columns); items are numbered within an order and name a product, never the same one twice in an
    order."""
    rng = np.random.default_rng(seed)
    segment = rng.choice(["new", "loyal", "business"], customers, p=[0.5, 0.3, 0.2])
    signup = 18_000 + rng.integers(0, 300, customers)
    mean = np.select([segment == "new", segment == "loyal"], [0.8, 4.0], 2.0)
    n = rng.poisson(mean * rng.gamma(2.0, 0.5, customers))
    owner = np.repeat(np.arange(customers), n)
    day = signup[owner] + rng.integers(0, 200, len(owner))
    region = np.where(owner % 3 == 0, "north", "south")
    number = pd.Series(region).groupby(region).cumcount().to_numpy() + 1
    shipped = day + 1 + rng.integers(0, 5, len(owner))
    items = np.minimum(1 + rng.poisson(np.where(segment[owner] == "business", 3.0, 0.7)), 10)
    line = np.repeat(np.arange(len(owner)), items)
    position = np.arange(len(line)) - np.repeat(np.cumsum(items) - items, items)
    kind = np.arange(40) % 4  # of a product; businesses buy kind 3
    basket = np.where(
        segment[owner] == "business", rng.integers(0, 10, len(owner)) * 4 + 3, rng.integers(0, 40, len(owner))
    )
    product = (basket[line] + 4 * position) % 40  # of the same kind, and not the same one twice
    price = np.round(10.0 * (1 + kind) + np.arange(40) / 10, 2)
    date = lambda days: pa.array(days.astype("datetime64[D]"))  # noqa: E731
    return tables(
        {
            "products": {
                "sku": pa.array([f"P-{i:04d}" for i in range(40)]),
                "kind": pa.array([f"kind {k}" for k in kind]),
                "price": pa.array(price),
            },
            "customers": {
                "id": pa.array(1_000 + np.arange(customers)),
                "segment": pa.array(segment.tolist()),
                "age": pa.array(
                    np.where(segment == "business", rng.integers(40, 60, customers), rng.integers(18, 70, customers))
                ),
                "signup": date(signup),
            },
            "orders": {
                "region": pa.array(region.tolist()),
                "no": pa.array(number),
                "customer_id": pa.array(1_000 + owner),
                "placed": date(day),
                "shipped": pa.array(shipped.astype("datetime64[D]"), mask=rng.random(len(owner)) < 0.1),
                "amount": pa.array(
                    np.round(np.exp(3 + (segment[owner] == "business") + 0.3 * rng.normal(size=len(owner))), 2)
                ),
            },
            "items": {
                "region": pa.array(region[line].tolist()),
                "order_no": pa.array(number[line]),
                "line": pa.array(position + 1),
                "product_id": pa.array([f"P-{i:04d}" for i in product]),
                "quantity": pa.array(1 + rng.poisson(kind[product])),
            },
        },
        SHOP,
    )


def retail(customers: int = 400, seed: int = 3) -> Tables:
    """The shop with keys of one column, as other generators need them: no regions, no numbers within an order."""
    whole = shop(customers, seed)
    orders = whole.frames["orders"]
    at = whole.parents(whole.relationships[1])
    arrays = lambda frame, schema: {c.name: to_arrow(frame[[c.name]], Schema((c,)))[c.name] for c in schema.columns}  # noqa: E731
    columns = {
        name: arrays(whole.frames[name], whole.schemas[name]) for name in ("products", "customers", "orders", "items")
    }
    for name, gone in (("orders", ("no",)), ("items", ("region", "order_no", "line"))):
        columns[name] = {k: v for k, v in columns[name].items() if k not in gone}
    columns["orders"]["id"] = pa.chunked_array([pa.array(70_000 + np.arange(len(orders)))])
    columns["items"]["order_id"] = pa.chunked_array([pa.array(70_000 + at)])
    return tables(columns, (SHOP[0], Relationship.parse("items.order_id", "orders.id"), SHOP[2]))


def firm(people: int = 300, seed: int = 4) -> Tables:
    """Employees with a manager of the same site, in levels; the one at the top has none."""
    rng = np.random.default_rng(seed)
    level = np.r_[np.zeros(3, int), np.full(20, 1), np.full(people - 23, 2)]
    site = np.r_[np.arange(3), rng.integers(0, 3, people - 3)]
    boss = np.full(people, -1)
    for i in range(3, people):
        boss[i] = rng.choice(np.flatnonzero((level == level[i] - 1) & (site == site[i])))
    salary = np.round(90_000 - 30_000 * level + rng.normal(0, 3_000, people))
    return tables(
        {
            "employees": {
                "id": pa.array(10 + np.arange(people)),
                "manager_id": pa.array(10 + boss, mask=boss < 0),
                "site": pa.array([("Rome", "Oslo", "Bonn")[s] for s in site]),
                "salary": pa.array(salary),
            }
        },
        (Relationship.parse("employees.manager_id", "employees.id"),),
    )


def school(students: int = 300, seed: int = 5) -> Tables:
    """Students and courses, many to many: no pair twice; a course's field goes with the student's."""
    rng = np.random.default_rng(seed)
    field, of = rng.integers(0, 3, students), np.arange(30) % 3
    pairs = sorted(
        {
            (s, int(c))
            for s in range(students)
            for c in rng.choice(np.flatnonzero(of == field[s]), rng.integers(0, 6), replace=False)
        }
    )
    who, what = np.array(pairs).T
    names = np.array(["arts", "law", "physics"])
    return tables(
        {
            "students": {"id": pa.array(np.arange(students)), "field": pa.array(names[field].tolist())},
            "courses": {"id": pa.array(500 + np.arange(30)), "field": pa.array(names[of].tolist())},
            "enrolments": {
                "student_id": pa.array(who),
                "course_id": pa.array(500 + what),
                "grade": pa.array(np.round(rng.normal(3, 0.7, len(who)), 1)),
            },
        },
        (
            Relationship.parse("enrolments.student_id", "students.id"),
            Relationship.parse("enrolments.course_id", "courses.id"),
        ),
    )
