"""The most likely completion of a row: of several draws, the one in the middle of them all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.contracts.schema import Schema


def central(draws: Sequence[pd.DataFrame], unknown: pd.DataFrame, schema: Schema) -> np.ndarray:
    """The draw of each row that is nearest to all draws of that row, over its unknown cells. (rows,) int

    draws: several completions of the same rows; unknown: (rows, columns) bool. A category is as far from the draws as
    the share of them that differ, and a number as its distance from their median in units of the column's quartile
    range, at most 1. With one unknown cell, that is the mode or the value nearest to the median. A whole draw is
    chosen, so that the cells of a row agree with each other and its rules hold.
    """
    distance = np.zeros((len(draws), len(unknown)))
    for column in schema.columns:
        if column.kind not in frames.MODELLED or column.name not in draws[0]:
            continue
        missing = unknown[column.name].to_numpy() if column.name in unknown else np.ones(len(unknown), dtype=bool)
        if missing.any():
            columns = [draw.loc[missing, column.name].reset_index(drop=True) for draw in draws]
            far = _of_numbers(columns) if column.kind in frames.NUMBERS else _of_codes(columns)
            distance[:, missing] += far
    return distance.argmin(axis=0)


def _of_codes(columns: Sequence[pd.Series]) -> np.ndarray:
    """The share of the draws with another category than each draw. (draws, rows)"""
    codes = pd.factorize(pd.concat(columns, ignore_index=True))[0].reshape(len(columns), -1)
    return np.stack([(codes != own).mean(axis=0) for own in codes])


def _of_numbers(columns: Sequence[pd.Series]) -> np.ndarray:
    """The distance of each draw from the median of the draws, at most 1. (draws, rows)"""
    numbers = np.stack([_as_float(column) for column in columns])
    null = np.isnan(numbers)
    known = numbers[~null]
    low, high = np.quantile(known, [0.25, 0.75]) if len(known) else (0.0, 0.0)
    width = (high - low) or float(np.ptp(known) if len(known) else 0.0) or 1.0
    middle = np.ma.median(np.ma.array(numbers, mask=null), axis=0).filled(0.0)
    far = np.minimum(np.abs(numbers - middle) / width, 1.0)
    mostly_null = null.mean(axis=0) > 0.5
    return np.where(null, np.where(mostly_null, 0.0, 1.0), np.where(mostly_null, 1.0, far))


def _as_float(values: pd.Series) -> np.ndarray:
    """Numbers and times as floats, missing ones as NaN. (rows,)"""
    if values.dtype.kind in "mM" or isinstance(values.dtype, pd.DatetimeTZDtype):
        return np.where(values.isna(), np.nan, values.astype("int64").to_numpy(dtype=np.float64, na_value=0))
    return values.to_numpy(dtype=np.float64, na_value=np.nan)
