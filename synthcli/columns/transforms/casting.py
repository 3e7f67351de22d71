"""Results of expressions with the dtype of the column that they fill."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import dtype_of
from synthcli.columns.expressions.functions import as_text


def cast(result: pd.Series, dtype: str, precision: int | None = None, days: bool = False) -> pd.Series:
    """The result of an expression with a column's dtype: rounded to integers or to `precision`, cut to days, in the
    column's unit and zone. dtype: as codec/parts.dtype_name writes it.
    """
    if dtype == "float64":
        values = result.to_numpy(dtype="float64", na_value=np.nan)
        return pd.Series(values if precision is None else np.round(values, precision))
    if dtype == "Int64":
        return result if result.dtype == "Int64" else result.round().astype("Int64")
    if dtype.startswith(("timestamp", "duration")):
        unit = dtype.partition("[")[2].rstrip("]").partition(",")[0]
        zone = dtype.partition("tz=")[2].rstrip("]")
        result = result.dt.floor("D") if days else result
        result = result.dt.tz_convert(zone) if zone and result.dt.tz is not None else result
        return result.dt.as_unit(unit)
    want = dtype_of(dtype)
    return as_text(result) if want == frames.STRING else result.astype(want)
