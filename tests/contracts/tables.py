"""Tables that break what is not careful, cheap fits of any method on them, and what a fresh process makes of the same.

Run as a program, `tables.py FOLDER METHOD...` prints a line for each method, a digest per table in FRESH: of a model
fitted there, and of the one saved in FOLDER/METHOD/TABLE.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli import plugins, seeds
from synthcli.columns import frame as frames
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job, Model, Request
from synthcli.contracts.schema import Column, Counter, Schema, Traits

# given to every method that has such a parameter
CHEAP: dict[str, Any] = {"epochs": 1, "steps": 4, "batch_size": 20, "pac": 2, "families": ("norm", "gamma", "t")}
FRESH = ("mixed", "one_number")  # tables that the fresh process makes
ROWS = 240


def build(columns: dict[str, pa.Array], unit: str | None = None, **declared: Traits) -> Table:
    """A table as the sources give it."""
    schema, frame = infer(pa.table(columns), declared, unit=unit)
    return Table(frame, schema)


def secrets(rows: int, seed: int = 7) -> list[str]:
    """Long random words, of which no two and no guess are alike."""
    return [np.random.default_rng([seed, i]).bytes(12).hex() for i in range(rows)]


def mixed(rows: int = ROWS) -> Table:
    """Every kind and storage, with nulls in most."""
    rng = np.random.default_rng(5)
    hole = rng.random(rows) < 0.2
    day = rng.integers(18_000, 19_000, rows)
    columns = {
        "account": pa.array(secrets(rows)),
        "key_id": pa.array(rng.permutation(10**9 + 61 + np.arange(rows))),
        "note": pa.array([" ".join(secrets(3, 1000 + i)) for i in range(rows)], mask=hole),
        "height": pa.array(np.round(rng.normal(170, 10, rows), 1), mask=hole),
        "weight": pa.array(rng.normal(70, 10, rows).astype(np.float32), pa.float32()),
        "visits": pa.array(rng.poisson(20, rows), pa.int16()),
        "children": pa.array(rng.poisson(1, rows), pa.uint8(), mask=hole),
        "cost": pa.array(np.where(rng.random(rows) < 0.4, 0.0, rng.gamma(2.0, 50.0, rows).round(2)), mask=hole),
        "price": pa.array(np.round(rng.gamma(2.0, 50.0, rows), 2)).cast(pa.decimal128(9, 2), safe=False),
        "hundreds": pa.array(rng.integers(10, 90, rows) * 100),
        "sick": pa.array(rng.random(rows) < 0.3, mask=hole),
        "city": pa.array(rng.choice(["Rome", "Oslo", "Bonn"], rows, p=[0.6, 0.3, 0.1]).tolist(), mask=hole),
        "level": pa.array(rng.choice(["a", "b"], rows).tolist()).dictionary_encode(),
        "country": pa.array(["IT"] * rows, pa.large_string()),
        "seen": pa.array(1_600_000_000 + rng.integers(0, 10**4, rows) * 3600, pa.timestamp("s", "Europe/Berlin")),
        "exact": pa.array(1_600_000_000_123_456_789 + rng.integers(0, 10**15, rows), pa.timestamp("ns"), mask=hole),
        "day": pa.array(day.astype(np.int32), pa.date32(), mask=hole),
        "month": pa.array(
            day.astype("datetime64[D]").astype("datetime64[M]").astype("datetime64[s]"), pa.timestamp("s")
        ),
        "stay": pa.array(rng.integers(1, 90, rows) * 60, pa.duration("s")),
        "at": pa.array((rng.integers(0, 96, rows) * 900).astype(np.int32), pa.time32("s"), mask=hole),
        "empty": pa.nulls(rows),
    }
    return build(columns)


def head(rows: int) -> Table:
    """A few rows whose types were found in more."""
    whole = mixed()
    return Table(whole.frame.iloc[:rows], whole.schema)


def one_column(name: str) -> Table:
    whole = mixed()
    return Table(whole.frame[[name]], Schema((whole.schema[name],)))


def constants(rows: int = 30) -> Table:
    """One value each, and one value beside nulls."""
    gap = np.arange(rows) % 3 == 0
    values: dict[str, pa.Array] = {
        "int": pa.array([7] * rows),
        "float": pa.array([0.25] * rows),
        "word": pa.array(["w"] * rows),
        "bool": pa.array([True] * rows),
        "time": pa.array([10**9] * rows, pa.timestamp("s", "UTC")),
        "span": pa.array([60] * rows, pa.duration("ms")),
        "inf": pa.array([np.inf] * rows),
    }
    holes = {
        f"{name} or null": pa.array([None if g else v for g, v in zip(gap, a.to_pylist())], a.type)
        for name, a in values.items()
    }
    return build(values | holes)


def all_null(rows: int = 30) -> Table:
    types = (
        pa.null(),
        pa.int64(),
        pa.float64(),
        pa.bool_(),
        pa.string(),
        pa.timestamp("us", "Asia/Kolkata"),
        pa.date32(),
        pa.duration("us"),
    )
    return build({str(t): pa.nulls(rows, t) for t in types}, declared=Traits(type="text"))


def never_modelled(rows: int = 60) -> Table:
    """Nothing but keys, texts and personal details; the unit's key repeats."""
    words = secrets(rows)
    columns = {
        "account": pa.array(words),
        "person": pa.array([words[i // 3] for i in range(rows)]),
        "mail": pa.array([f"{w}@example.org" for w in words]),
        "note": pa.array([" ".join(secrets(3, 1000 + i)) for i in range(rows)]),
        "who": pa.array(secrets(rows, 9)),
    }
    return build(columns, unit="person", mail=Traits(type="email"), who=Traits(type="name"), note=Traits(type="text"))


def high_cardinality(rows: int = 900) -> Table:
    rng = np.random.default_rng(1)
    return build(
        {"code": pa.array([f"code {i}" for i in rng.integers(0, 300, rows)]), "x": pa.array(rng.normal(size=rows))}
    )


def odd_names(rows: int = 80) -> Table:
    """Names that collide with what a method may call its own columns, and names of no common script."""
    rng = np.random.default_rng(2)
    gaps = rng.random(rows) < 0.3
    names = (
        "x",
        "x.y",
        "x#",
        "#",
        ".",
        " ",
        "p0",
        "c0",
        "0",
        "index",
        "None",
        "Größe",
        "年齢",
        "🙂",
        "a b\tc",
        "new\nline",
        '"quoted"',
        "../up",
    )
    columns = {name: pa.array(rng.normal(size=rows), mask=gaps) for name in names}
    columns |= {
        name: pa.array(rng.choice(["a", "b", "ü"], rows).tolist()) for name in ("x#state", "x#value", "é", "e\u0301")
    }
    return build(columns)


def duplicates(rows: int = 60) -> Table:
    return build(
        {
            "a": pa.array([1, 2, 3] * (rows // 3)),
            "b": pa.array(["x", "y", "z"] * (rows // 3)),
            "c": pa.array([0.5, 1.5, 2.5] * (rows // 3)),
        }
    )


def extremes(rows: int = 60) -> Table:
    """The ends of what 64 bits hold."""
    ends = [-(2**63), 2**63 - 1, 0, -1, 1, 2**53 + 1]
    spread = [(i % 64) * 2**57 - 2**62 + i for i in range(rows)]
    floats = [1.7e308, -1.7e308, 5e-324, 0.0, -0.0, 1e-300]
    columns = {
        "ends": pa.array(ends * (rows // 6)),
        "spread": pa.array([*ends, *spread[6:]]),
        "large": pa.array([2**62 + 1000 + i for i in range(rows)]),
        "unsigned": pa.array([2**63 - 1 - i**3 for i in range(rows)], pa.uint64()),
        "small": pa.array([i % 256 - 128 for i in range(rows)], pa.int8()),
        "float": pa.array(floats * (rows // 6)),
        "tiny": pa.array([i * 1e-310 for i in range(rows)]),
        "time": pa.array([(-1) ** i * (2**62 + i) for i in range(rows)], pa.timestamp("us")),
    }
    return build(columns)


def zones(rows: int = 120) -> Table:
    """Hours over both changes of the clock, in several zones."""
    hours = 1_711_800_000 + np.arange(rows) * 3600 * 50
    gap = np.arange(rows) % 5 == 0
    return build(
        {
            z: pa.array(hours, pa.timestamp("s", z), mask=gap)
            for z in ("Europe/Berlin", "America/New_York", "UTC", "+05:30")
        }
    )


def infinities(rows: int = 80) -> Table:
    rng = np.random.default_rng(3)
    x = rng.normal(size=rows)
    return build(
        {
            "up": pa.array(np.where(x > 1, np.inf, x)),
            "both": pa.array(np.select([x > 1, x < -1], [np.inf, -np.inf], x), mask=x > 2),
        }
    )


def declared(rows: int = 150) -> Table:
    """The spec says more than the data shows, or less."""
    rng = np.random.default_rng(4)
    columns = {
        "wide": pa.array(rng.normal(50, 5, rows).round(1)),
        "narrow": pa.array(rng.normal(50, 5, rows).round(1).clip(45, 55)),
        "age": pa.array(rng.integers(18, 81, rows)),
        "stars": pa.array(rng.integers(1, 5, rows)),
        "fixed": pa.array([9] * rows),
        "born": pa.array(rng.integers(1826, 7670, rows).astype(np.int32), pa.date32()),
        "grade": pa.array(rng.choice(["A", "B"], rows).tolist()),
        "town": pa.array([f"t{i}" for i in rng.geometric(0.2, rows)]),
        "code": pa.array(rng.choice([-9.0, 1.5, 2.5, 3.25], rows)),
    }
    return build(
        columns,
        wide=Traits(min=0, max=100),
        narrow=Traits(min=45, max=55),
        age=Traits(min=18, max=80),
        stars=Traits(min=1, max=4),
        fixed=Traits(max=20),
        born=Traits(min="1975-01-01", max="1990-12-31"),
        grade=Traits(categories=("A", "B", "C")),
        town=Traits.model_validate({"rare": {"min_units": 5, "as": "elsewhere"}}),
        code=Traits(spikes=(-9.0,), precision=2),
    )


HOSTILE: dict[str, Callable[[], Table]] = {
    "mixed": mixed,
    "one_row": lambda: head(1),
    "two_rows": lambda: head(2),
    "one_number": lambda: one_column("height"),
    "one_category": lambda: one_column("city"),
    "one_key": lambda: one_column("account"),
    "constants": constants,
    "all_null": all_null,
    "never_modelled": never_modelled,
    "high_cardinality": high_cardinality,
    "odd_names": odd_names,
    "duplicates": duplicates,
    "booleans": lambda: one_column("sick"),
    "extremes": extremes,
    "zones": zones,
    "infinities": infinities,
    "declared": declared,
}

_EVEN = {"type": "integer", "min": 0, "max": 9}
SPOKEN: dict[str, dict[str, dict[str, Any]]] = {
    "mixed": {
        "key_id": {"type": "id", "pattern": r"[A-Z]{3}-\d{6}"},
        "n": {"type": "id", "min": 5},
        "mail": {"type": "email", "nulls": 0.2},
        "age": {"type": "integer", "min": 18, "max": 80, "nulls": 0.1},
        "height": {"type": "float", "min": 1.0, "max": 2.0, "precision": 2},
        "city": {"weights": {"Rome": 3, "Oslo": 1}, "nulls": 0.5},
        "sick": {"type": "boolean"},
        "grade": {"categories": ["A", "B"]},
        "born": {"type": "datetime", "min": "1975-01-01", "max": "1990-12-31", "format": "%Y-%m-%d"},
        "seen": {"type": "datetime", "min": "2024-01-01", "max": "2024-12-31", "format": "%Y-%m-%dT%H:%M:%S%z"},
        "row": {"sequence": Counter(start=10, step=5)},
        "z": {"distribution": {"normal": {"mean": 0, "std": 1}}},
        "twice": {"expr": "age * 2"},
    },
    "one_number": {"x": _EVEN},
    "constants": {"a": {"categories": ["only"]}, "b": {"type": "integer", "min": 3, "max": 3}},
    "all_null": {"a": _EVEN | {"nulls": 1.0}, "b": {"type": "email", "nulls": 1.0}},
    "odd_names": {
        n: _EVEN | {"nulls": 0.3}
        for n in ("x", "x#state", "x.y", "#", ".", " ", "0", "None", "Größe", "年齢", "🙂", "../up", "a\nb")
    },
    "never_modelled": {"a": {"type": "id"}, "b": {"type": "text"}, "c": {"type": "name"}, "d": {"type": "uuid"}},
    "extremes": {
        "a": {"type": "integer", "min": -(2**53), "max": 2**53},
        "b": {"type": "float", "min": -1e300, "max": 1e300},
    },
}


def spoken(name: str) -> Table:
    """A table without rows, whose columns say how they are made."""
    columns = tuple(Column(n, Traits.model_validate(traits)) for n, traits in SPOKEN[name].items())
    return Table(pd.DataFrame({c.name: [] for c in columns}), Schema(columns))


def names_for(method: str) -> tuple[str, ...]:
    """The tables that a method is tried on."""
    return tuple(HOSTILE if "without_data" not in plugins.method(method, "tabular").CAN else SPOKEN)


def fresh(method: str) -> list[str]:
    return [name for name in FRESH if name in names_for(method)]


@cache
def table_for(method: str, name: str) -> Table:
    return HOSTILE[name]() if "without_data" not in plugins.method(method, "tabular").CAN else spoken(name)


def cheap(method: str) -> Any:
    """The method's own defaults, save for what costs time."""
    params = plugins.method(method, "tabular").Params
    return params(**{k: v for k, v in CHEAP.items() if k in params.model_fields})


def fit(method: str, data: Table, **job: Any) -> Model:
    return plugins.method(method, "tabular").fit(data, cheap(method), job=Job(seed=3, **job))


def sample(model: Model, rows: int, block: int = 0, seed: int = 9) -> Table:
    return model.sample(Request(rows), block, rng=seeds.stream(seed, "generate", block))  # type: ignore[return-value]


def digest(frame: pd.DataFrame) -> str:
    """Depends on every name, dtype and bit of the frame."""
    head = json.dumps([[str(n), str(d)] for n, d in frame.dtypes.items()])
    body = b"".join(pd.util.hash_pandas_object(frame[c], index=False).to_numpy().tobytes() for c in frame)
    return hashlib.sha256(head.encode() + body).hexdigest()


def dtypes(schema: Schema) -> dict[str, Any]:
    """What columns/frame.py says that the columns are in memory."""
    return dict(frames.to_frame(frames.arrow_schema(schema).empty_table(), schema).dtypes)


def main(folder: Path, methods: list[str]) -> None:
    for method in methods:
        out = {}
        for name in fresh(method):
            loaded = plugins.method(method, "tabular").load(folder / method / name)
            out[name] = [digest(sample(m, ROWS).frame) for m in (fit(method, table_for(method, name)), loaded)]
        print(json.dumps({method: out}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
