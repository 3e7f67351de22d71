"""Columns as operands of expressions: kinds and dtypes, null-aware arithmetic and comparison.

Every column is of the canonical dtype of its kind (boolean, Int64 or Float64, string, datetime64[us], timedelta64[us])
with a RangeIndex.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.frame import STRING

COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
DTYPES: dict[str, Any] = {
    "boolean": "boolean",
    "number": "Int64",
    "string": STRING,
    "datetime": "datetime64[us]",
    "timedelta": "timedelta64[us]",
    "null": "boolean",
}
_D, _T, _N = "datetime", "timedelta", "number"
RESULT = {
    **{(_N, op, _N): _N for op in ("+", "-", "*", "/", "//", "%", "**")},
    (_D, "+", _T): _D,
    (_T, "+", _D): _D,
    (_D, "-", _T): _D,
    (_D, "-", _D): _T,
    (_T, "+", _T): _T,
    (_T, "-", _T): _T,
    (_T, "*", _N): _T,
    (_N, "*", _T): _T,
    (_T, "/", _N): _T,
    (_T, "/", _T): _N,
    (_T, "//", _T): _N,
}


# --- columns


def kind_of(dtype: Any) -> str:
    """The kind of a column's dtype."""
    tests = {
        "boolean": pd.api.types.is_bool_dtype,
        "number": pd.api.types.is_numeric_dtype,
        "datetime": pd.api.types.is_datetime64_any_dtype,
        "timedelta": pd.api.types.is_timedelta64_dtype,
    }
    return next((kind for kind, test in tests.items() if test(dtype)), "string")


def load(column: pd.Series) -> pd.Series:
    """A column of the frame with a nullable dtype, times in microseconds."""
    column = column.reset_index(drop=True)
    kind = kind_of(column.dtype)
    if kind in ("datetime", "timedelta"):
        return column.dt.as_unit("us")
    if kind == "number" and not pd.api.types.is_integer_dtype(column.dtype):
        values = column.to_numpy(dtype="float64", na_value=np.nan)
        return pd.Series(pd.arrays.FloatingArray(values, np.isnan(values)))
    return column.astype(DTYPES[kind])


def constant(value: Any, dtype: Any, rows: int) -> pd.Series:
    """A column with one value in every row."""
    return pd.Series(pd.array([value], dtype=dtype).take(np.zeros(rows, dtype=np.intp)))


def fold(combine: Callable[[Any, Any], Any], columns: list[pd.Series]) -> pd.Series:
    """Combine columns from the left."""
    result = columns[0]
    for column in columns[1:]:
        result = combine(result, column)
    return result


def align(columns: list[pd.Series]) -> list[pd.Series]:
    """Convert columns of one kind to one dtype: floats if one is float, a timezone if one has it."""
    if any(c.dtype == "Float64" for c in columns):
        return [c.astype("Float64") for c in columns]
    zone = next((c.dtype.tz for c in columns if isinstance(c.dtype, pd.DatetimeTZDtype)), None)
    if zone is None:
        return columns
    return [c.dt.tz_convert(zone) if isinstance(c.dtype, pd.DatetimeTZDtype) else localized(c, zone) for c in columns]


def localized(column: pd.Series, zone: Any) -> pd.Series:
    """Localize naive dates in a zone: the first of a repeated hour, the end of a skipped hour."""
    return column.dt.tz_localize(zone, ambiguous=np.ones(len(column), dtype=bool), nonexistent="shift_forward")


def compared(symbol: str, left: pd.Series, right: pd.Series) -> pd.Series:
    """Compare two columns; the result is null where either side is null."""
    return COMPARE[symbol](left, right).astype("boolean").mask(left.isna() | right.isna())


def choose(test: pd.Series, then: pd.Series, other: pd.Series) -> pd.Series:
    """Choose `then` or `other` by the test; null where the test is null."""
    return then.where(test.fillna(False).astype(bool), other).mask(test.isna())


def floats(column: pd.Series) -> np.ndarray:
    """Numbers as float64, NaN for null."""
    return column.to_numpy(dtype="float64", na_value=np.nan)


def finite(values: np.ndarray, null: np.ndarray | None = None) -> pd.Series:
    """Float64, null where `null` is true or the value is not finite."""
    return pd.Series(
        pd.arrays.FloatingArray(values, ~np.isfinite(values) if null is None else ~np.isfinite(values) | null)
    )


def arithmetic(symbol: str, left: pd.Series, right: pd.Series) -> pd.Series:
    """Combine two columns by an operator that fits their kinds."""
    kinds = kind_of(left.dtype), kind_of(right.dtype)
    return numeric(symbol, left, right) if kinds == ("number", "number") else timely(symbol, left, right, kinds)


_EXACT = 2.0**63 * (1 - 2.0**-50)  # a product computed in floats has a relative error of some 2^-52
_NUMERIC = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": np.floor_divide,
    "%": np.remainder,
    "**": np.power,
}


def numeric(symbol: str, left: pd.Series, right: pd.Series) -> pd.Series:
    """Arithmetic in int64 if both are integers and no result overflows, else in float64."""
    null = (left.isna() | right.isna()).to_numpy(dtype=bool)
    a, b = floats(left), floats(right)
    with np.errstate(all="ignore"):
        if symbol in ("/", "//", "%"):
            null = null | (b == 0)
        result = _NUMERIC[symbol](a, b)
        whole = left.dtype == "Int64" and right.dtype == "Int64" and symbol not in ("/", "**")
        if not whole or np.any(np.abs(result[~null]) >= _EXACT):
            return finite(result, null)
        x, y = left.to_numpy(dtype="int64", na_value=0), right.to_numpy(dtype="int64", na_value=0)
        y = np.where(null, 1, y) if symbol in ("//", "%") else y
        return pd.Series(pd.arrays.IntegerArray(_NUMERIC[symbol](x, y), null))


def micros(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Microseconds (since 1970 in UTC, for dates) and nulls. (rows,) int64, (rows,) bool"""
    unit = "timedelta64[us]" if kind_of(column.dtype) == "timedelta" else "datetime64[us]"
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        column = column.dt.tz_convert("UTC").dt.tz_localize(None)
    return column.to_numpy(dtype=unit).view("int64"), column.isna().to_numpy()


_YEAR_1, _YEAR_10000 = (
    int(np.datetime64(y, "us").astype("int64")) for y in ("0001-01-01", "9999-12-31T23:59:59.999999")
)


def from_micros(values: np.ndarray, null: np.ndarray, unit: str) -> pd.Series:
    """Times from microseconds; null where `null` is true or, for dates, outside the years 1 to 9999. values: float64 or
    int64.
    """
    low, high = (_YEAR_1, _YEAR_10000) if unit == "datetime64[us]" else (-(2.0**62), 2.0**62)
    null = null | ~np.isfinite(values) | (values < low) | (values > high)
    whole = np.where(null, 0, values).astype("int64")
    return pd.Series(np.where(null, np.iinfo("int64").min, whole).view(unit))


def timely(symbol: str, left: pd.Series, right: pd.Series, kinds: tuple[str, str]) -> pd.Series:
    """Arithmetic of dates, durations and numbers."""
    zone = next((c.dtype.tz for c in (left, right) if isinstance(c.dtype, pd.DatetimeTZDtype)), None)
    left, right = align([left, right]) if kinds == ("datetime", "datetime") else (left, right)
    (a, a_null), (b, b_null) = [
        (floats(c), c.isna().to_numpy()) if k == "number" else micros(c) for c, k in zip((left, right), kinds)
    ]
    null = a_null | b_null
    gives = RESULT[kinds[0], symbol, kinds[1]]
    with np.errstate(all="ignore"):
        if symbol in ("/", "//"):
            null = null | (b == 0)
        estimate = _NUMERIC[symbol](a.astype("float64"), b.astype("float64"))
        if gives == "number":
            return finite(estimate, null)
        if symbol in ("+", "-"):  # exact if it fits
            null = null | (np.abs(estimate) > 2.0**62)
            return zoned(
                from_micros(_NUMERIC[symbol](a, b), null, f"{gives}64[us]"), zone if gives == "datetime" else None
            )
        return from_micros(np.rint(estimate), null, "timedelta64[us]")


def zoned(column: pd.Series, zone: Any) -> pd.Series:
    """Convert dates in UTC to a zone."""
    return column if zone is None else column.dt.tz_localize("UTC").dt.tz_convert(zone)


def negated(column: pd.Series) -> pd.Series:
    """-x for numbers and durations."""
    return -column if kind_of(column.dtype) == "timedelta" else numeric("-", constant(0, "Int64", len(column)), column)
