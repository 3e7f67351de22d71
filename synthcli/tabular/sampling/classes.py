"""Classes of the values of a column: numbers between cuts, words by name, and null."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import integers
from synthcli.columns.constraints.mixed_numbers import nearly_numbers, numbers_of

FEWEST = 20  # rows with a word, from which it is a class of its own


@dataclass(frozen=True)
class Classes:
    """Class 0 is null, and words among numbers. cuts: between the classes of a number or a time in ticks; levels: the
    words that are a class each, before one class for all others.
    """

    column: str
    cuts: np.ndarray | None = None
    levels: tuple[str, ...] = ()

    @classmethod
    def of(cls, values: pd.Series, most: int) -> Classes:
        """Classes of about equal size. most: number of them."""
        name = str(values.name)
        if _ordered(values) or nearly_numbers(values):
            return cls(name, cuts_between(_numbers(values), most))
        counts = values.dropna().astype(str).value_counts()
        common = sorted(str(word) for word in counts.index[counts >= FEWEST][:most])
        return cls(name, levels=tuple(common))

    @property
    def size(self) -> int:
        return 2 + (len(self.levels) if self.cuts is None else len(self.cuts))

    def codes(self, values: pd.Series) -> np.ndarray:
        """The class of each value. (rows,) int16"""
        if self.cuts is not None:
            numbers = _numbers(values)
            place = np.searchsorted(self.cuts, numbers, side="right") + 1
            return np.where(np.isnan(numbers), 0, place).astype(np.int16)
        codes, distinct = pd.factorize(values)
        known = {word: i + 1 for i, word in enumerate(self.levels)}
        place = np.array([*(known.get(str(word), len(self.levels) + 1) for word in distinct), 0], dtype=np.int16)
        return np.asarray(place[codes])

    def to_json(self) -> dict[str, Any]:
        own: dict[str, Any] = {"levels": list(self.levels)} if self.cuts is None else {"cuts": self.cuts.tolist()}
        return {"column": self.column} | own

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Classes:
        cuts = np.array(data["cuts"], dtype=np.float64) if "cuts" in data else None
        return cls(data["column"], cuts, tuple(data.get("levels", ())))


def cuts_between(values: np.ndarray, most: int) -> np.ndarray:
    """Cuts between the classes of a number, each halfway between two of its values. (at most `most` - 1,)"""
    distinct, counts = np.unique(values[~np.isnan(values)], return_counts=True)
    if len(distinct) <= most:
        return (distinct[1:] + distinct[:-1]) / 2
    position = np.searchsorted(np.cumsum(counts), np.linspace(0, counts.sum(), most + 1)[1:-1])
    position = np.unique(position.clip(max=len(distinct) - 2))
    return (distinct[position] + distinct[position + 1]) / 2


def _ordered(values: pd.Series) -> bool:
    """Whether the values are numbers or times."""
    dtype = values.dtype
    return dtype.kind in "mM" or (pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype))


def _numbers(values: pd.Series) -> np.ndarray:
    """Numbers, or ticks of times; NaN for null. (rows,) float64"""
    if values.dtype == frames.STRING:
        values = numbers_of(values)
    if values.dtype.kind not in "mM":
        return values.to_numpy(dtype="float64", na_value=np.nan)
    known = values.notna().to_numpy(dtype=bool)
    out = np.full(len(values), np.nan)
    out[known] = integers(values[known])
    return out
