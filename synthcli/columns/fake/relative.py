"""Columns that come after another: its value plus a number that is drawn, in days for a date."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from synthcli.columns.fake import distributions, recipes
from synthcli.contracts.schema import Column, Traits
from synthcli.errors import SpecError

_DAY = 86_400_000_000  # microseconds
_KINDS = ("datetime", "integer", "float")


def check(column: Column, kinds: Mapping[str, str]) -> None:
    """Raise SpecError unless the column can come after the other. kinds: of all columns that it may name."""
    where, other = f"columns.{column.name}.after", str(column.declared.after)
    kind = kinds[other]
    if kind not in _KINDS or column.kind not in _KINDS or (kind == "datetime") != (column.kind == "datetime"):
        raise SpecError(
            f"{where}: {other} is of type {kind}, and this column of type {column.kind}; remedy: two dates, or two"
            " numbers"
        )
    if column.declared.distribution is None:
        raise SpecError(
            f"{where}: does not say how much after {other}; remedy: distribution: {{exponential: {{mean: 30}}}}"
        )
    _law(column)


def make(column: Column, frame: pd.DataFrame, rows: int, *, rng: np.random.Generator) -> pd.Series:
    """The values of the other column plus numbers that are drawn. frame: holds the other column"""
    base, drawn = frame[str(column.declared.after)], _law(column).draw(rows, None, None, rng=rng)
    if column.kind == "datetime":
        zone = base.dt.tz
        moments = base.dt.tz_localize(None).astype("datetime64[us]") if zone else base.astype("datetime64[us]")
        later = moments + pd.Series(np.rint(drawn * _DAY).astype("timedelta64[us]"), index=base.index)
        unit = recipes.resolution(column)
        return later.dt.floor({"D": "D", "h": "h", "m": "min", "s": "s"}.get(unit, "us"))
    return base.astype("Float64") + pd.Series(drawn, index=base.index)


def _law(column: Column) -> distributions.Law:
    """The distribution of the difference."""
    plain = replace(column, declared=Traits(type="float", distribution=column.declared.distribution))
    return recipes.law(plain)
