"""Tables with known dependence: a real sample, a second one, a third one, and the same columns drawn independently."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.frame import STRING
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema, Traits

SCHEMA = Schema(
    tuple(
        Column(name, inferred=Traits(type=kind))
        for name, kind in {
            "x": "float",
            "y": "float",
            "n": "integer",
            "when": "datetime",
            "c": "category",
            "yes": "boolean",
            "note": "text",
        }.items()
    )
)


def draw(rows: int, seed: int) -> Table:
    """x and y correlate, c and yes depend on x, n holds nulls."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    n = pd.array(rng.poisson(3, rows), dtype="Int64")
    n[rng.random(rows) < 0.1] = pd.NA
    frame = pd.DataFrame(
        {
            "x": x,
            "y": 0.9 * x + 0.3 * rng.normal(size=rows),
            "n": n,
            "when": (pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), unit="D")).astype(
                "datetime64[us]"
            ),
            "c": pd.array(
                np.array(["low", "mid", "high"])[np.digitize(x + 0.3 * rng.normal(size=rows), [-0.5, 0.8])],
                dtype=STRING,
            ),
            "yes": pd.array(x + rng.normal(size=rows) > 0, dtype="boolean"),
            "note": pd.array([f"note {i}" for i in range(rows)], dtype=STRING),
        }
    )
    return Table(frame, SCHEMA)


def shuffle(table: Table, seed: int) -> Table:
    """Each column in an order of its own."""
    rng = np.random.default_rng(seed)
    return Table(
        pd.DataFrame({c: table.frame[c].iloc[rng.permutation(len(table))].reset_index(drop=True) for c in table.frame}),
        table.schema,
    )


@pytest.fixture(scope="session")
def evidence() -> Callable[..., Evidence]:
    """Evidence with 1,500 train, 1,000 control and a synthetic part: "real" (fresh), "independent", or a table."""
    train, control, fresh = draw(1500, 1), draw(1000, 2), draw(1400, 3)
    known = {"real": fresh, "independent": shuffle(train, 4)}

    def make(synthetic: str | Table = "real", **more: object) -> Evidence:
        part = known[synthetic] if isinstance(synthetic, str) else synthetic
        return Evidence(
            **{
                "schema": SCHEMA,
                "synthetic": part,
                "train": train,
                "control": control,
                "baseline": shuffle(train, 5),
                **more,
            }
        )

    return make
