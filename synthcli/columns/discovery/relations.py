"""Find the columns that other columns of the row determine exactly: differences and parts of dates, products, sums,
ratios, rounded and scaled copies, flags for a threshold.

A relation holds in every row in which both sides are known, in LEAST_ROWS of them at least, and says something: its
column varies. Its numbers are simple, so that no single person's value stands in it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.discovery import date_relations, number_relations
from synthcli.columns.discovery.relation import LEAST_ROWS, SAMPLE, Found, Relation, number, quoted, simplest, varies
from synthcli.contracts.schema import Schema

SIDE = 30  # rows on each side of a threshold
SHORT = 3  # significant digits of a threshold


def relations(
    frame: pd.DataFrame, schema: Schema, *, skip: Sequence[str] = (), sums: Sequence[set[str]] = ()
) -> list[Relation]:
    """All relations, in the order of the columns. skip: made-up columns, of which only dates of birth may appear in
    an expression; sums: columns of which one is known to be the sum of the others.
    """
    if len(frame) < LEAST_ROWS:
        return []
    found = Found(frame.reset_index(drop=True))
    kinds = {c.name: c.kind for c in schema.columns}
    dates = [n for n in schema.names if pd.api.types.is_datetime64_any_dtype(frame[n].dtype) and n != schema.unit]
    dates = [n for n in dates if n not in skip or kinds[n] == "date_of_birth"]
    numbers = {
        n: frame[n].to_numpy(dtype=float, na_value=np.nan)
        for n, kind in kinds.items()
        if kind in ("integer", "float") and n not in skip and n != schema.unit
    }
    some = np.unique(np.linspace(0, len(frame) - 1, SAMPLE).astype(int))
    _copies(found, [n for n in schema.names if n not in skip and kinds[n] in frames.MODELLED and n != schema.unit])
    date_relations.search(found, dates, numbers, some)
    number_relations.search(found, numbers, some, list(sums))
    _flags(found, [n for n, kind in kinds.items() if kind == "boolean" and n not in skip], numbers)
    made_up = set(skip)
    return [found.by_column[n] for n in schema.names if n in found.by_column and n not in made_up]


def _copies(found: Found, names: Sequence[str]) -> None:
    """Columns that equal an earlier one."""
    seen: dict[tuple[str, int], str] = {}
    for name in names:
        values = found.frame[name]
        if values.nunique() < 2 or values.value_counts(normalize=True).iloc[0] > 0.95:
            continue
        key = (str(values.dtype), int(pd.util.hash_pandas_object(values, index=False).sum()))
        if key not in seen:
            seen[key] = name
        else:
            found.add(name, quoted(seen[key]), (seen[key],))


def _flags(found: Found, flags: Sequence[str], numbers: dict[str, np.ndarray]) -> None:
    """Booleans that say whether a number reaches a threshold."""
    for flag in flags:
        known = found.frame[flag].notna().to_numpy(dtype=bool)
        true = found.frame[flag].fillna(False).to_numpy(dtype=bool)
        for name, values in numbers.items():
            text = _threshold(quoted(name), values, true, known) if varies(values, 2) else None
            if text is not None and found.add(flag, text, (name,)):
                break


def _threshold(name: str, values: np.ndarray, true: np.ndarray, known: np.ndarray) -> str | None:
    """x > 0, x >= t or x < t for a simple t that separates true from false; None without one."""
    known = known & np.isfinite(values)
    yes, no = values[known & true], values[known & ~true]
    if min(len(yes), len(no)) < SIDE:
        return None
    if no.max() < yes.min():
        if no.max() == 0:
            return f"{name} > 0"
        t = simplest(np.nextafter(no.max(), np.inf), yes.min(), SHORT)
        return None if t is None else f"{name} >= {number(t)}"
    if yes.max() < no.min():
        t = simplest(np.nextafter(yes.max(), np.inf), no.min(), SHORT)
        return None if t is None else f"{name} < {number(t)}"
    return None
