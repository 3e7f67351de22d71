"""Train, control and fresh samples of one population, and what a planted leak makes of train."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.frame import STRING
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema, Traits

KINDS = {"x": "float", "y": "float", "age": "integer", "c": "category", "yes": "boolean", "who": "id"}
SCHEMA = Schema(tuple(Column(name, inferred=Traits(type=kind)) for name, kind in KINDS.items()))


def draw(rows: int, seed: int, schema: Schema = SCHEMA) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows).round(2)
    age = pd.array(rng.integers(18, 90, rows), dtype="Int64")
    age[rng.random(rows) < 0.05] = pd.NA
    frame = pd.DataFrame(
        {
            "x": x,
            "y": (x + rng.normal(size=rows)).round(2),
            "age": age,
            "c": pd.array(np.array(list("abcdef"))[rng.integers(0, 6, rows)], dtype=STRING),
            "yes": pd.array(rng.random(rows) < 0.3, dtype="boolean"),
            "who": pd.array([f"{seed}-{i}" for i in range(rows)], dtype=STRING),
        }
    )
    return Table(frame, schema)


@pytest.fixture(scope="session")
def evidence() -> Callable[..., Evidence]:
    """Evidence with 1,200 train and 1,000 control records; synthetic: "real" (fresh), "copy", "noisy" (train, slightly
    moved).
    """
    train, control, fresh = draw(1200, 1), draw(1000, 2), draw(1500, 3)
    rng = np.random.default_rng(4)
    copy = train.take(rng.permutation(len(train)))
    noisy = Table(
        copy.frame.assign(
            x=copy.frame["x"] + rng.normal(0, 0.01, len(copy)), y=copy.frame["y"] + rng.normal(0, 0.01, len(copy))
        ),
        SCHEMA,
    )
    known = {"real": fresh, "copy": copy, "noisy": noisy}
    baseline = Table(
        pd.DataFrame({c: train.frame[c].iloc[rng.permutation(len(train))].reset_index(drop=True) for c in train.frame}),
        SCHEMA,
    )

    def make(synthetic: str = "real", **more: object) -> Evidence:
        return Evidence(
            **{
                "schema": SCHEMA,
                "synthetic": known[synthetic],
                "train": train,
                "control": control,
                "baseline": baseline,
                **more,
            }
        )

    return make
