"""Copies of train records in excess of those among unseen real records."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.contracts.schema import Schema
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.encoding import Encoded, EncodedTable, cut, encode
from synthcli.tabular.judging.numbering import numbering

EXCESS = Gauge(
    "excess_copies",
    "lower",
    frozenset({"train", "control", "synthetic"}),
    "share of synthetic records equal to a train record minus the same share of control records, near-unique "
    "columns left out",
    "share",
)
COPIES = Gauge(
    "copies",
    "lower",
    frozenset({"train", "control", "synthetic"}),
    "share of synthetic records equal to a train record",
    "share",
)
GAUGES: tuple[Gauge, ...] = (EXCESS, COPIES)
ROWS = 500_000
NOTABLE = 0.01  # excess from which its cause is looked for
_DIGITS = 6  # significant digits in which numbers must agree


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Both metrics: Newcombe interval for the difference, Wilson interval for the share. control: the share among
    control records, which are unseen by the fit.
    """
    if note := intervals.missing_evidence(evidence, "train", "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    tables: dict[str, Table] = {k: cut(getattr(evidence, k), ROWS, rng=rng) for k in ("train", "control", "synthetic")}
    if evidence.full and evidence.baseline is not None and len(evidence.baseline):
        tables["baseline"] = cut(evidence.baseline, ROWS, rng=rng)
    encoded = encode(tables, evidence.schema)
    if not encoded.names:
        return intervals.unmeasured(GAUGES, "no column to compare records by")
    copied = _copied(encoded)
    n, m = len(copied["synthetic"]), len(copied["control"])
    hits, control = int(copied["synthetic"].sum()), int(copied["control"].sum())
    base = copied["baseline"].mean() if "baseline" in copied else None
    low, high = intervals.newcombe(hits, n, control, m)
    cause = _cause(tables, evidence.schema) if hits / n - control / m > NOTABLE else ""
    excess_of_base = None if base is None else base - control / m
    return [
        intervals.measured(
            EXCESS,
            hits / n - control / m,
            low,
            high,
            n=n,
            floor=0.0,
            baseline=excess_of_base,
            control=control / m,
            cause=cause,
        ),
        intervals.measured(
            COPIES, hits / n, *intervals.wilson(hits, n), n=n, floor=control / m, baseline=base, control=control / m
        ),
    ]


def _cause(tables: Mapping[str, Table], schema: Schema) -> str:
    """Why copies cannot be avoided, with the ways out; empty if they can."""
    found = numbering(pd.concat([tables["train"].frame, tables["control"].frame], ignore_index=True), schema)
    if not found:
        return ""
    names, last = f"{', '.join(found[:-1])} and {found[-1]}", found[-1]
    return (
        f"{names} number the rows: each combination occurs once, so a row that exists is a copy, whatever the method;"
        f" remedy: columns: {{{last}: {{type: id}}}}; or a table of its own that is given out as it is (source.tables,"
        " keep: true); or a source without these columns; or, if the numbers are about nobody, severity: warn for"
        " excess_copies and the other gates that fail"
    )


def _copied(encoded: Encoded) -> dict[str, np.ndarray]:
    """Mask of the rows of each table except train that equal a train row in all columns that are not near-unique."""
    hashed = {name: _hashed(part) for name, part in encoded.tables.items()}
    train = hashed["train"]
    distinct = np.array([len(np.unique(column)) for column in train.T])
    keep = distinct < max(len(train) / 2, 1)
    keys = {name: _key(columns[:, keep if keep.any() else slice(None)]) for name, columns in hashed.items()}
    known = np.unique(keys["train"])
    return {name: np.isin(key, known) for name, key in keys.items() if name != "train"}


def _hashed(part: EncodedTable) -> np.ndarray:
    """Hash each cell, with numbers rounded to significant digits. (rows, columns) uint64"""
    x = part.numbers
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = 10.0 ** (_DIGITS - 1 - np.floor(np.log10(np.abs(x))))
        rounded = np.where(np.isfinite(scale) & (scale > 0), np.round(x * scale) / scale, x) + 0.0  # + 0.0: -0 is 0
    cells = [pd.util.hash_array(column) for column in (*rounded.T, *part.codes.T)]
    return np.column_stack(cells)


def _key(cells: np.ndarray) -> np.ndarray:
    """Hash each row. (rows,) uint64"""
    key = np.full(len(cells), 14695981039346656037, dtype=np.uint64)
    for column in cells.T:
        key = (key ^ column) * np.uint64(1099511628211)
        key ^= key >> np.uint64(29)
    return key
