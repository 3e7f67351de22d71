"""Profile of a table: types, nulls, distributions, keys, rare values, dependencies between columns.

It discloses no single person's value. Quantiles of a number are clipped to the range that RARE_UNITS units reach, and
left out if there are too few units (columns/codec/top_coding.py); a category is shown if RARE_UNITS units hold it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import top_coding
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Progress, silent
from synthcli.contracts.schema import Column
from synthcli.tabular.judging.association import cramers_v

TOP = 12  # most frequent values shown for a category
RARE_UNITS = 10  # a value that fewer units hold is rare
SAMPLE = 20_000  # rows used to measure dependencies
PAIRS = 60  # columns between which dependencies are measured
CELLS = 20  # maximum number of classes of a column for that


def profile(table: Table, *, units: np.ndarray | None = None, progress: Progress = silent) -> dict[str, Any]:
    """Profile as plain JSON: columns, dependencies (strongest first), keys, units, repeated rows. units: (rows,)
    privacy unit of each row from 0, None to derive it from the table.
    """
    units = table.units() if units is None else units
    columns = []
    for i, column in enumerate(table.schema.columns):
        progress("columns", i, len(table.schema.columns), column.name)
        columns.append(_column(table.frame[column.name], column, units))
    progress("columns", len(columns), len(columns))
    modelled = [c for c in table.schema.columns if c.kind in frames.MODELLED]
    sizes = np.unique(units, return_counts=True)[1]
    largest = top_coding.published(sizes, None, RARE_UNITS)
    return {
        "columns": columns,
        "privacy_unit": {
            "column": table.schema.unit,
            "units": len(sizes),
            "largest": int(largest.max()) if len(largest) else None,
            "mean": round(float(sizes.mean()), 3),
        },
        "keys": [c["name"] for c in columns if c["distinct"] == len(table) and c["nulls"] == 0 and len(table) > 1],
        "repeated_rows": int(table.frame.duplicated().sum()),
        "dependencies": _dependencies(table, modelled),
    }


def _column(values: pd.Series, column: Column, units: np.ndarray) -> dict[str, Any]:
    known = values.dropna()
    out: dict[str, Any] = {
        "name": column.name,
        "type": column.kind,
        "storage": column.storage,
        "declared": column.declared.type is not None,
        "nulls": int(values.isna().sum()),
        "null_share": round(float(values.isna().mean()), 6),
        "distinct": int(known.nunique()),
        "modelled": column.kind in frames.MODELLED,
    }
    if column.kind in frames.CODES:
        codes, found = pd.factorize(values)
        shared = set(found[top_coding.held_by(codes, units, len(found)) >= RARE_UNITS])
        counts = known.value_counts()
        out["top"] = [[_plain(v), int(n)] for v, n in counts[[v in shared for v in counts.index]].head(TOP).items()]
        out["rare"] = _rare(values, units)
    elif column.kind in frames.NUMBERS and len(known):
        out |= _distribution(known, units[values.notna().to_numpy()], column)
    for trait in ("format", "pattern", "precision"):
        if column.get(trait) is not None:
            out[trait] = column.get(trait)
    return out


def _distribution(known: pd.Series, units: np.ndarray, column: Column) -> dict[str, Any]:
    """Quantiles (and for plain numbers mean and deviation), clipped to the range that RARE_UNITS units reach."""
    if column.kind in ("integer", "float"):
        finite = np.isfinite(known.to_numpy(dtype=float))
        known, units = known[finite], units[finite]
    if top_coding.people(units, len(known)) < top_coding.LEAST:
        return (
            {"quantiles": [], "mean": None, "std": None} if column.kind in ("integer", "float") else {"quantiles": []}
        )
    order = known.reset_index(drop=True)
    raw = order.to_numpy() if order.dtype.kind in "mM" else order.to_numpy(dtype=float)
    low, high = top_coding.ends(raw, units, k=RARE_UNITS)
    shown = order.clip(order[low], order[high])
    quantiles = shown.quantile([0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0], interpolation="nearest")
    out: dict[str, Any] = {"quantiles": [_plain(q) for q in quantiles]}
    if column.kind in ("integer", "float"):
        numbers = shown.to_numpy(dtype=float)
        out |= {"mean": round(float(numbers.mean()), 6), "std": round(float(numbers.std()), 6)}
    return out


def _rare(values: pd.Series, units: np.ndarray) -> dict[str, int]:
    """Number of categories held by fewer than RARE_UNITS units, and number of their rows."""
    codes, known = pd.factorize(values)
    pairs = pd.DataFrame({"code": codes, "unit": units})
    pairs = pairs[pairs["code"] >= 0]
    counts = np.bincount(pairs.drop_duplicates()["code"], minlength=len(known))
    rare = np.flatnonzero(counts < RARE_UNITS)
    return {"categories": len(rare), "rows": int(np.isin(pairs["code"], rare).sum())}


def _plain(value: Any) -> Any:
    if isinstance(value, (pd.Timestamp, pd.Timedelta)):
        return str(value)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float):
        return round(value, 6) if np.isfinite(value) else str(value)
    return value


def _dependencies(table: Table, columns: list[Column]) -> list[dict[str, Any]]:
    """Cramér's V (bias-corrected, Bergsma 2013) between columns binned into at most CELLS classes, strongest first."""
    step = max(1, len(table) // SAMPLE)
    codes = {c.name: _cells(table.frame[c.name].iloc[::step], c) for c in columns[:PAIRS]}
    names = list(codes)
    found: list[dict[str, Any]] = []
    for i, a in enumerate(names):
        for b in names[:i]:
            strength = cramers_v(codes[b], codes[a])
            if strength >= 0.1:
                found.append({"columns": [b, a], "strength": round(strength, 4)})
    return sorted(found, key=lambda d: -d["strength"])[:200]


def _cells(values: pd.Series, column: Column) -> np.ndarray:
    """Classes of a column as integers from 0, null included."""
    if column.kind in frames.NUMBERS and values.nunique() > CELLS:
        ranks = values.rank(pct=True, method="average")
        cut = np.ceil(ranks.to_numpy(dtype=float, na_value=0.0) * (CELLS // 2)).astype(int)
        return np.unique(cut, return_inverse=True)[1]
    codes, known = pd.factorize(values, use_na_sentinel=False)
    if len(known) > CELLS:
        counts = np.bincount(codes)
        keep = np.argsort(-counts, kind="stable")[: CELLS - 1]
        place = np.full(len(counts), CELLS - 1)
        place[keep] = np.arange(CELLS - 1)
        codes = place[codes]
    return np.unique(codes, return_inverse=True)[1]
