"""Sentences about what top coding did to the ends of a column. found: an entry of `clipped` in fit.json."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcli.report import words

FIRST = 6  # columns that a note names


def of_column(found: Mapping[str, Any] | None) -> str:
    """The values that moved to either end, as a share of all; empty for a column that kept its values."""
    if found is None:
        return ""
    moved = found["low"] + found["high"]
    share = words.percent(moved / found["known"], 2)
    return f"Top coding moved {words.quantity(moved, 'value')} ({share}): {_moves(found)}."


def of_columns(clipped: Mapping[str, Mapping[str, Any]]) -> str:
    """The note of a run; empty if no column was top coded."""
    if not clipped:
        return ""
    named = [f"{f['low'] + f['high']} of {name} ({_moves(f)})" for name, f in list(clipped.items())[:FIRST]]
    more = " and more" if len(clipped) > FIRST else ""
    return f"Values beyond the range that several privacy units reach were clipped to it: {', '.join(named)}{more}."


def _moves(found: Mapping[str, Any]) -> str:
    """The number of values that moved to each end, and where it lies."""
    ends = (("low", "up to", found["least"], "lowest"), ("high", "down to", found["most"], "highest"))
    return ", ".join(
        f"{found[side]:,} {way} {end}" if end is not None else f"{found[side]:,} of the {name}"
        for side, way, end, name in ends
        if found[side]
    )
