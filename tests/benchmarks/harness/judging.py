"""One judge for every generator: its rows as a file, in the types of the table, before synthcli's own metrics and
attacks.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli import plugins, seeds
from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema
from tests.benchmarks.harness.tables import Pair

FIGURES = (
    "column_shapes",
    "column_pair_trends",
    "detection_auc",
    "utility_ratio",
    "membership_auc",
    "dcr_share",
    "excess_copies",
)
Figures = dict[str, float | None]


def conform(frame: pd.DataFrame, schema: Schema) -> Table:
    """Rows of any generator in the table's types; a cell that does not fit its column is null. Raises ValueError for a
    missing column.
    """
    if missing := [name for name in schema.names if name not in frame]:
        raise ValueError(f"columns missing: {', '.join(missing)}")
    return Table(
        pd.DataFrame({c.name: _cells(frame[c.name].reset_index(drop=True), c) for c in schema.columns}), schema
    )


def _cells(values: pd.Series, column: Column) -> pd.Series:
    storage = frames.arrow_type(column.storage)
    like = (
        frames.series(frames.pa.chunked_array([], type=storage), column.kind)
        if frames.kind_of(storage)
        else pd.Series([], dtype=frames.STRING)
    )
    if column.kind not in frames.MODELLED and column.kind != "id":
        like = pd.Series([], dtype=frames.STRING)
    if like.dtype == "boolean":
        words = (
            values.astype("string")
            .str.lower()
            .map({"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False})
        )
        return words.astype("boolean")
    if like.dtype == "Int64":
        return pd.to_numeric(values, errors="coerce").astype("Float64").round().astype("Int64")
    if like.dtype == "float64":
        return pd.to_numeric(values, errors="coerce").astype("float64")
    if column.kind == "datetime":
        zone = getattr(like.dtype, "tz", None)
        times = pd.to_datetime(values, errors="coerce", utc=zone is not None)
        return (times.dt.tz_convert(zone) if zone is not None else times).astype(like.dtype)
    if column.kind == "timedelta":
        return pd.to_timedelta(values, errors="coerce").astype(like.dtype)
    return (
        values.astype(object)
        .where(values.notna(), None)
        .map(lambda v: None if v is None else str(v))
        .astype(frames.STRING)
    )


def measure(pair: Pair, synthetic: Table, seed: int) -> tuple[Figures, Figures]:
    """Figures of the synthetic rows, and their floors: what unseen real rows get. At most as many rows as train has are
    judged.
    """
    synthetic = Table(synthetic.frame.iloc[: len(pair.train)], synthetic.schema)
    seen = Evidence(pair.train.schema, synthetic, pair.train, pair.unseen, _shuffled(pair.train, seed), pair.target)
    found = {}
    for kind in ("metrics", "attacks"):
        for name in plugins.names(kind, "tabular"):
            found |= {
                m.name: m
                for m in plugins.judge(kind, name, "tabular").measure(seen, rng=seeds.stream(seed, kind, name))
                if m.scope == "overall"
            }
    value = {name: found[name].value if name in found else None for name in FIGURES}
    floor = {name: found[name].floor if name in found else None for name in FIGURES}
    return value, floor


def _shuffled(train: Table, seed: int) -> Table:
    """Train's columns, each shuffled by itself."""
    rng, frame = seeds.stream(seed, "baseline"), train.frame
    columns = {name: frame[name].take(rng.permutation(len(frame))).reset_index(drop=True) for name in frame}
    return Table(pd.DataFrame(columns), train.schema)


def outside(judge: Path, train: Path, unseen: Path, synthetic: Path, target: str | None) -> dict[str, Any]:
    """What another judge says: a program called as JUDGE TRAIN UNSEEN SYNTHETIC [--target COLUMN] that prints one JSON
    object.
    """
    words = [
        sys.executable,
        str(judge),
        str(train),
        str(unseen),
        str(synthetic),
        *(["--target", target] if target else []),
    ]
    said = subprocess.run(words, capture_output=True, text=True, check=False)
    if said.returncode:
        raise SystemExit(f"--judge {judge}: {said.stderr.strip()[-500:]}")
    return dict(json.loads(said.stdout))


def mean(values: list[float | None]) -> float | None:
    """The mean of what was measured."""
    known = [v for v in values if v is not None]
    return float(np.mean(known)) if known else None
