"""Rows of a file completed by an old run's model: known cells stay, the others are drawn given them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli import seeds, sources
from synthcli.artifacts import files
from synthcli.columns import frame as frames
from synthcli.columns.infer import infer
from synthcli.columns.rules import Watch
from synthcli.contracts import BLOCK, Allowed, Column, Given, Model, Schema, Traits
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.pipeline.again import Released, format_for, released
from synthcli.pipeline.events import Events
from synthcli.spec import check

TRIES = 30  # times that a row which breaks a rule is completed anew


def completed(
    root: Path, run: str, known: Path, target: Path, *, impute: bool, seed: int | None, keep_failed: bool, events: Events
) -> dict[str, Any]:
    """Every row of a file with its empty cells, and the columns that it lacks, drawn given the rest. {run, rows, output, filled, breaking}

    impute: what is filled in is never null, and only the file's columns are written; else nulls come as they do in the source, and all
    columns are written. Columns that the model does not know are passed on. breaking: rows of which what is known breaks a rule already.
    """
    old = released(root, run, keep_failed=keep_failed)
    if not old.model.COMPLETES:
        raise SpecError(f"{old.version.name}: {old.method} cannot complete rows; remedy: a run of trees or arnet")
    format_ = format_for(target, old)
    frame, extra = read_known(known, old.schema)
    names = [n for n in extra.columns if n not in old.schema.names] if extra is not None else []
    written = [c for c in old.schema.columns if not impute or c.name in frame]
    schema = Schema((*written, *(Column(name, storage="string") for name in names)))
    counts = {"filled": 0, "breaking": 0}
    chunks = _blocks(old, frame, extra, schema, impute, old.plan["seed"] if seed is None else seed, counts, events)
    sources.write(chunks, schema, target, format_)
    return {"run": old.version.name, "rows": len(frame), "output": str(target), "sha256": files.sha256(target), **counts}


def _blocks(
    old: Released, frame: pd.DataFrame, extra: pd.DataFrame | None, schema: Schema, impute: bool, seed: int, counts: dict[str, int], events: Events
) -> Iterator[pd.DataFrame]:
    watch = Watch([rule for rule in old.rules if rule.columns <= set(schema.names)])
    for block, start in enumerate(range(0, len(frame), BLOCK)):
        events.progress("rows", start, len(frame))
        part = frame.iloc[start : start + BLOCK].reset_index(drop=True)
        out = _obeying(old.model, part, watch, impute, start, seed, block, counts)
        counts["filled"] += int(part.isna().to_numpy().sum())
        watch.accept(out)
        if extra is not None:
            beside = extra.iloc[start : start + BLOCK].reset_index(drop=True)
            out = pd.concat([out, beside[[n for n in beside.columns if n not in out]]], axis=1)
        yield out[schema.names]
    events.progress("rows", len(frame), len(frame))


def _obeying(model: Model, part: pd.DataFrame, watch: Watch, impute: bool, start: int, seed: int, block: int, counts: dict[str, int]) -> pd.DataFrame:
    """A block completed, again where a rule is broken; what no try mends is left, and counted."""
    allowed = {name: Allowed() for name in part.columns} if impute else {}
    known = part.notna().to_numpy()

    def drawn(rows: np.ndarray, attempt: int) -> pd.DataFrame:
        given = Given(len(rows), part.iloc[rows].reset_index(drop=True), known[rows], allowed)
        made: Any = model.complete(given, start + attempt * 10**9, rng=seeds.stream(seed, "complete", block, attempt))
        return made.frame

    out = drawn(np.arange(len(part)), 0)
    for attempt in range(1, TRIES):
        wrong = np.flatnonzero(watch.broken(out).any(axis=0)) if watch.rules else np.zeros(0, dtype=int)
        if not len(wrong):
            return out
        again = drawn(wrong, attempt)
        out = pd.concat([out.drop(index=wrong), again.set_axis(wrong)]).sort_index()
    counts["breaking"] += int(watch.broken(out).any(axis=0).sum())
    return out


def read_known(path: Path, schema: Schema) -> tuple[pd.DataFrame, pd.DataFrame | None]:
    """The columns of a file that the schema has, in its dtypes; and the others as text, None where there are none."""
    format_ = check.format_of(path.name)
    if format_ is None:
        raise SpecError(f"{path}: the ending names no format; expected .csv, .parquet or .jsonl")
    source = sources.Source(type=format_, path=path)
    table = sources.read(source)
    mine = [name for name in table.column_names if name in schema.names]
    if not mine:
        raise DataError(
            f"{path}: has none of the model's columns.{did_you_mean(table.column_names[0], schema.names)} They are: {', '.join(schema.names)}"
        )
    others = [name for name in table.column_names if name not in schema.names]
    traits = {name: Traits(type=schema[name].kind, format=schema[name].get("format")) for name in mine if schema[name].kind in frames.MODELLED}
    _, frame = infer(table.select(mine), traits, text=sources.spelled(source))
    frame = pd.DataFrame({name: conformed(frame[name], schema[name], path) for name in mine})
    extra = pd.DataFrame({name: pd.Series(pd.array(table[name].cast(pa.string()), dtype=frames.STRING)) for name in others}) if others else None
    return frame, extra


def conformed(values: pd.Series, column: Column, path: Path) -> pd.Series:
    """A column in the canonical dtype that the schema's column has. Raises DataError with the value that cannot be so."""
    want = frames.series(pa.chunked_array([], type=frames.arrow_type(column.storage)), column.kind).dtype
    if values.dtype == want:
        return values
    try:
        if values.isna().all():
            return pd.Series([None] * len(values), dtype=want)
        if isinstance(want, pd.DatetimeTZDtype) and getattr(values.dtype, "tz", None) is None:
            return values.dt.tz_localize(want.tz).astype(want)
        return values.astype(want)
    except (TypeError, ValueError, AttributeError) as error:
        shown = values.dropna().iloc[0]
        raise DataError(f"{path}: column {column.name} holds {shown!r}, which is no {column.kind} as the model knows it ({error})") from None
