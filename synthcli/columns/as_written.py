"""Values as a reader of the written file gets them: rounded to the storage type, the decimals and the format.

Rules are checked on these values: two dates that differ in the frame are equal in a file whose format writes the year.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.columns.codec.parts import by_the_clock, dtype_name, from_the_clock
from synthcli.columns.spelling import numbers
from synthcli.contracts.schema import Column, Schema

LOSSY = ("float", "halffloat", "decimal", "time32", "time64")  # storage types less precise than the frame's dtypes
_DIRECTIVE = re.compile(r"%-?(\d?f|:z|[A-Za-z%])")
_LEVELS = (  # units from coarse to fine, with the directives that write each
    ("M", {"m", "b", "B"}),
    ("D", {"d"}),
    ("h", {"H"}),
    ("m", {"M"}),
    ("s", {"S"}),
)
_FRACTIONS = {"3f": "ms", "6f": "us", "f": "us"}
_KNOWN = {"Y", "z", ":z", "a", "A", "p", "%", *_FRACTIONS}.union(*(letters for _, letters in _LEVELS))
_UNITS = ("Y", "M", "D", "h", "m", "s", "ms", "us", "ns")  # coarse to fine


def lossy(schema: Schema, *, declared: bool = False) -> Schema:
    """The columns whose values writing may change. declared: only those for which the spec gives the format."""
    return Schema(tuple(c for c in schema.columns if _is_lossy(c) and (not declared or c.declared.format is not None)))


def as_written(frame: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """The frame with the values that a reader of the written file gets; columns that the schema lacks are unchanged."""
    changed = lossy(Schema(tuple(c for c in schema.columns if c.name in frame)))
    if not changed.columns:
        return frame
    return frame.assign(**{c.name: written_values(frame[c.name], c) for c in changed.columns})


def written_values(values: pd.Series, column: Column) -> pd.Series:
    """The values of a column, rounded as writing rounds them; same dtype and index."""
    out = values.reset_index(drop=True)
    if column.storage.startswith(LOSSY):
        out = frames.series(pa.chunked_array([frames.stored(out, column)]), column.kind)
    if (decimals := _decimals(column)) is not None:
        out = _rounded(out, decimals)
    form = column.get("format")
    if column.kind == "datetime" and form is not None and out.dtype.kind == "M":
        out = floored(out, form)
    return out.set_axis(values.index)


def floored(moments: pd.Series, form: str) -> pd.Series:
    """Datetimes rounded down to the finest unit that a format, or one of several, writes."""
    unit = unit_of(form)
    if unit is None:
        return moments if "|" in form else _spelled(moments, form)
    own = str(moments.dt.unit)
    if _UNITS.index(unit) >= _UNITS.index(own):
        return moments
    null = moments.isna().to_numpy()
    known = moments[~null]
    zoned = isinstance(moments.dtype, pd.DatetimeTZDtype)
    shown = by_the_clock(known) if zoned else known.to_numpy().view(np.int64)
    rounded = shown.view(f"datetime64[{own}]").astype(f"datetime64[{unit}]").astype(f"datetime64[{own}]").view(np.int64)
    if np.array_equal(rounded, shown):
        return moments
    changed = rounded != shown
    ticks = rounded[changed]
    if zoned:
        ticks = from_the_clock(ticks, dtype_name(moments))
    out = moments.copy()
    out.iloc[np.flatnonzero(~null)[changed]] = _of_ticks(ticks, moments.dtype)
    return out


def unit_of(form: str) -> str | None:
    """The numpy unit to which a format rounds a datetime down, the finest one of several; None if only its text shows
    the value.
    """
    if "|" in form:
        units = [unit for unit in map(unit_of, form.split("|")) if unit is not None]
        return max(units, key=_UNITS.index, default=None)
    found = set(_DIRECTIVE.findall(form))
    if "Y" not in found or not found <= _KNOWN:
        return None
    unit, ended = "Y", False
    for level, letters in _LEVELS:
        if not found & letters:
            ended = True
        elif ended:
            return None  # an hour without a day is not a point in time
        else:
            unit = level
    fractions = [_FRACTIONS[f] for f in found if f in _FRACTIONS]
    if not fractions:
        return unit
    return fractions[0] if unit == "s" else None


def _of_ticks(ticks: np.ndarray, dtype: Any) -> Any:
    zone = getattr(dtype, "tz", None)
    plain = pd.Series(ticks.view(f"datetime64[{np.datetime_data(dtype)[0] if zone is None else dtype.unit}]"))
    return (plain if zone is None else plain.dt.tz_localize("UTC").dt.tz_convert(zone)).array


def _spelled(moments: pd.Series, form: str) -> pd.Series:
    """Datetimes as their text reads: each distinct value is written and parsed; unchanged where the text cannot be
    read."""
    codes, known = pd.factorize(moments)
    if not len(known):
        return moments
    distinct = pd.Series(known)
    read = spelling.moments(spelling.written(distinct, form).tolist(), form)
    if read is None:
        return moments
    zone = getattr(moments.dtype, "tz", None)
    if zone is not None and read.dt.tz is None:
        read = read.dt.tz_localize(zone, ambiguous=np.ones(len(read), dtype=bool), nonexistent="shift_forward")
    elif read.dt.tz is not None:
        read = read.dt.tz_convert(zone)
    lookup = read.astype(moments.dtype)
    return lookup.reindex(codes).reset_index(drop=True).set_axis(moments.index)


def _rounded(values: pd.Series, decimals: int) -> pd.Series:
    numbers = values.to_numpy(dtype=np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        rounded = np.round(numbers, decimals)
    return pd.Series(np.where(np.isfinite(rounded), rounded, numbers), index=values.index)


def _decimals(column: Column) -> int | None:
    """The decimals that writing keeps of a float; None for all."""
    if column.kind != "float":
        return None
    forms = numbers.forms_of(column.get("format") or "%g") or ()
    places = [form.places for form in forms]
    fixed = [n for n in places if n is not None]
    return max(fixed) if fixed and len(fixed) == len(places) else column.declared.precision


def _is_lossy(column: Column) -> bool:
    if column.storage.startswith(LOSSY) or _decimals(column) is not None:
        return True
    form = column.get("format")
    if column.kind != "datetime" or form is None or not column.storage.startswith(("timestamp", "date")):
        return False
    unit, own = unit_of(form), "D" if column.storage.startswith("date") else column.storage[10:12].strip(",]")
    return unit is None or _UNITS.index(unit) < _UNITS.index(own)
