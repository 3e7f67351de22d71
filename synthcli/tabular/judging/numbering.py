"""Recognise columns that number things, such as book, chapter and verse: then a row is known from its number alone."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd

from synthcli.contracts.schema import Schema

ROWS = 50_000
COLUMNS = 8  # candidates, those of most values
MOST = 4  # columns of a numbering
FILLED = 0.6  # share of the numbers between the ends that occur, of those rows that are looked at
EACH = 3.0  # mean rows that a counter counts
SURE = 0.999


def numbering(real: pd.DataFrame, schema: Schema) -> tuple[str, ...]:
    """The columns whose combination numbers the rows, the counter last; () if there are none.

    Each combination occurs once, one of the columns counts within the others without large gaps, and the other learned
    columns follow from one of them. real: rows of train and control.
    """
    rows = real.drop_duplicates().head(ROWS)
    learned = [c.name for c in schema.columns if c.kind in ("integer", "category", "boolean") and c.name in rows]
    numbers = [c.name for c in schema.columns if c.kind in ("float", "datetime", "timedelta") and c.name in rows]
    distinct = {name: rows[name].nunique() for name in learned}
    some = [name for name in learned if 1 < distinct[name] < len(rows) / 2 and rows[name].notna().all()]
    some = sorted(some, key=lambda name: -distinct[name])[:COLUMNS]
    for size in range(2, MOST + 1):
        for found in combinations(some, size):
            if rows.duplicated(list(found)).mean() > 1 - SURE:
                continue
            counter = next((c for c in found if _counts(rows, c, [o for o in found if o != c])), None)
            rest = [c for c in (*learned, *numbers) if c not in found and rows[c].nunique() < len(rows) / 2]
            if counter is not None and all(_follows(rows, c, found) for c in rest):
                return (*(c for c in reversed(found) if c != counter), counter)
    return ()


def _counts(rows: pd.DataFrame, counter: str, others: Sequence[str]) -> bool:
    """Whether integers count the rows that agree in other columns."""
    if rows[counter].dtype != "Int64":
        return False
    groups = rows.groupby(list(others), observed=True, sort=False)[counter].agg(["min", "max", "size"])
    span = float((groups["max"] - groups["min"] + 1).sum())
    first = int(np.median(groups["min"].to_numpy(dtype=float)))
    return bool(groups["size"].mean() >= EACH and len(rows) >= FILLED * span and first <= 3)


def _follows(rows: pd.DataFrame, name: str, found: Sequence[str]) -> bool:
    """Whether a column is determined by one of these."""
    pairs = {other: len(rows[[other, name]].drop_duplicates()) for other in found}
    return any(count <= rows[other].nunique() * (2 - SURE) for other, count in pairs.items())
