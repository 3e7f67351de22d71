"""Identifiers of real people among synthetic rows: keys, and words that few privacy units hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.spelled_numbers import looks_mixed
from synthcli.columns.codec.top_coding import held_by
from synthcli.columns.discovery import keys
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.encoding import cut

IDENTIFIERS = Gauge(
    "real_identifiers",
    "lower",
    frozenset({"train", "control", "synthetic"}),
    f"share of synthetic records that bear a key of train, or a word that fewer than {intervals.FEW} of its units "
    "hold, minus the same share of control records; in ids, and in columns of many words",
    "share",
)
GAUGES: tuple[Gauge, ...] = (IDENTIFIERS,)
ROWS = 500_000
WORDS = 50  # distinct words of a column of high cardinality


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """The share over all columns, then of each column that has one; Newcombe interval for the difference.

    control: the share among control records, which are unseen by the fit. A key counts as a person of its own, so a key
    that train and control share counts in neither. baseline: independent columns, which repeat what train holds.
    """
    if note := intervals.missing_evidence(evidence, "train", "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    rare = _identifiers(evidence.train, evidence.schema)
    names = [name for name in ("synthetic", "control", "baseline") if name != "baseline" or evidence.full]
    parts = {n: part for n in names if (part := getattr(evidence, n)) is not None and len(part)}
    tables: dict[str, Table] = {name: cut(part, ROWS, rng=rng) for name, part in parts.items()}
    borne = {
        side: {name: _bears(table.frame[name], known, real=side == "control") for name, known in rare.items()}
        for side, table in tables.items()
    }
    if not rare:
        n = len(tables["synthetic"])
        zero = 0.0
        return [intervals.measured(IDENTIFIERS, zero, zero, zero, n=n, note="no column holds identifiers")]
    whole = {side: np.logical_or.reduce(list(found.values())) for side, found in borne.items()}
    each = [
        replace(_excess({side: found[name] for side, found in borne.items()}), scope="column", of=name) for name in rare
    ]
    worst = sorted((m for m in each if (m.value or 0) > 0), key=lambda m: -(m.value or 0))
    return [replace(_excess(whole), note=", ".join(str(m.of) for m in worst[:3])), *each]


def _excess(borne: Mapping[str, np.ndarray]) -> Measurement:
    """The share of synthetic records beyond that of control records. borne: side -> (rows,) bool"""
    hits, control = int(borne["synthetic"].sum()), int(borne["control"].sum())
    n, m = len(borne["synthetic"]), len(borne["control"])
    low, high = intervals.newcombe(hits, n, control, m)
    base = float(borne["baseline"].mean()) - control / m if "baseline" in borne else None
    return intervals.measured(
        IDENTIFIERS, hits / n - control / m, low, high, n=n, floor=0.0, baseline=base, control=control / m
    )


def _identifiers(train: Table, schema: Schema) -> dict[str, tuple[pd.Series, bool]]:
    """The identifiers in each column that holds some, and whether they are keys."""
    units = train.units() if schema.unit is not None else None
    own = [c for c in schema.columns if c.inferred.type is not None]  # others were added, such as numbers of units
    keyed = _keys(train.frame, own)
    out: dict[str, tuple[pd.Series, bool]] = {}
    for column in own:
        values = train.frame[column.name]
        if column.name in keyed:
            out[column.name] = values.dropna().drop_duplicates(), True
        elif column.kind in ("category", "text") and values.dtype == frames.STRING and values.nunique() >= WORDS:
            if looks_mixed(values.dropna()):
                continue
            codes, known = pd.factorize(values)
            few = held_by(codes, units, len(known)) < intervals.FEW
            out[column.name] = pd.Series(known[few], dtype=values.dtype), False
    return out


def _keys(frame: pd.DataFrame, columns: list[Column]) -> set[str]:
    """The columns that are keys: ids, and what is learned although it looks like one. Numbers that the spec declares as
    such are none.
    """
    ids = {c.name for c in columns if c.kind == "id" and frame[c.name].nunique() >= keys.LEAST}
    open_ = [
        replace(c, declared=Traits(), inferred=Traits(type=c.kind))
        for c in columns
        if c.kind in ("category", "text") or (c.kind in ("integer", "float") and c.declared.type is None)
    ]
    return ids | set(keys.find(Schema(tuple(open_)), frame))


def _bears(values: pd.Series, known: tuple[pd.Series, bool], *, real: bool) -> np.ndarray:
    """Which records hold one of the identifiers. A real record whose key is in train belongs to somebody in train, so
    it is no control. (rows,) bool
    """
    identifiers, key = known
    if key and real:
        return np.zeros(len(values), dtype=bool)
    if values.dtype != identifiers.dtype:
        values, identifiers = values.astype(frames.STRING), identifiers.astype(frames.STRING)
    return values.isin(identifiers).to_numpy(dtype=bool)
