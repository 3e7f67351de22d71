"""What `method: auto` takes, from what analysis found, and why."""

from __future__ import annotations

from typing import Any

from synthcli import plugins
from synthcli.columns import frame as frames
from synthcli.contracts import Schema

FEW_ROWS = 2_000  # below, trees have so few leaves that they blur or repeat; a copula has few parameters
NUMERIC = 0.6  # share of number columns from which a copula describes a table well


def choose(rows: int, schema: Schema) -> dict[str, Any]:
    """{method, params, why} for a table of so many rows."""
    modelled = [c for c in schema.columns if c.kind in frames.MODELLED]
    if len(modelled) < 2:
        return {"method": "independent", "params": {}, "why": f"{len(modelled)} columns to model: there is nothing to depend on"}
    numbers = sum(c.kind in frames.NUMBERS for c in modelled) / len(modelled)
    size = f"{rows:,} rows × {len(modelled)} columns"
    if rows >= FEW_ROWS:
        return {"method": "trees", "params": {}, "why": f"{size}: trees are the most faithful and the fastest at this size"}
    if numbers >= NUMERIC and plugins.installed("sdv"):
        why = f"{size}, {numbers:.0%} of them numbers: too few rows for trees, and a copula repeats none of them"
        return {"method": "gaussian_copula", "params": {}, "why": why}
    leaf = max(10, min(60, rows // 15))
    return {"method": "trees", "params": {"min_leaf": leaf}, "why": f"{size}: trees with leaves of {leaf}, a fifteenth of the rows"}
