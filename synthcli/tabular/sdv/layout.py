"""Conversion of codec parts to the columns of sdv and back: plain numbers, and codes as words."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec.codec import Part, Values

QUANTILES = 1001  # maximum number of points of an empirical quantile function


class Layout:
    """A fitted mapping from parts without nulls to sdv's columns.

    fixed: constant parts, which sdv does not get. scales: number -> (mean, deviation), standardised because sdv's
    tolerances are absolute. quantiles: empirical number -> its quantile function at even levels; sdv gets its mid-rank
    in (0, 1). codes: code -> observed categories. ranks: wide code -> observed categories by decreasing frequency,
    written as two digits of base √n.
    """

    def __init__(self, parts: Iterable[Part]) -> None:
        self.parts = tuple(parts)
        self.fixed: dict[str, float] = {}
        self.scales: dict[str, tuple[float, float]] = {}
        self.quantiles: dict[str, np.ndarray] = {}
        self.codes: dict[str, np.ndarray] = {}
        self.ranks: dict[str, np.ndarray] = {}

    @classmethod
    def fit(cls, parts: Iterable[Part], values: Values, *, wide: int | None, empirical: Collection[str] = ()) -> Layout:
        """Fit the mapping. wide: number of categories above which a code is split, None for never; empirical: numbers
        that sdv gets as mid-ranks.
        """
        layout = cls(parts)
        for part in layout.parts:
            distinct, counts = np.unique(values[part.name], return_counts=True)
            if len(distinct) == 1:
                layout.fixed[part.name] = distinct[0].item()
            elif part.name in empirical:
                layout.quantiles[part.name] = _quantiles(values[part.name])
            elif not part.is_code:
                layout.scales[part.name] = _scale(values[part.name])
            elif wide is not None and len(distinct) > wide:
                layout.ranks[part.name] = distinct[np.argsort(-counts, kind="stable")]
            else:
                layout.codes[part.name] = distinct
        return layout

    @property
    def names(self) -> dict[str, str]:
        """Part -> name of its sdv column, free of characters that rdt interprets."""
        return {part.name: f"p{i}" for i, part in enumerate(self.parts)}

    def columns(self) -> dict[str, np.ndarray | None]:
        """sdv column -> its possible codes in order; None for a number."""
        out: dict[str, np.ndarray | None] = {}
        for part, name in self.names.items():
            if part in self.scales or part in self.quantiles:
                out[name] = None
            elif part in self.codes:
                out[name] = self.codes[part]
            elif part in self.ranks:
                base = _base(self.ranks[part])
                out |= {f"{name}h": np.arange(-(-len(self.ranks[part]) // base)), f"{name}l": np.arange(base)}
        return out

    def encode(self, values: Values) -> pd.DataFrame:
        """Encode a table for sdv. Empirical numbers are ranked among the given values."""
        out: dict[str, Any] = {}
        for part, name in self.names.items():
            if part in self.scales:
                center, spread = self.scales[part]
                out[name] = (values[part] - center) / spread
            elif part in self.quantiles:
                out[name] = _levels(values[part])
            elif part in self.codes:
                out[name] = words(values[part])
            elif part in self.ranks:
                ranks = self.ranks[part]
                place = np.argsort(ranks)[np.searchsorted(np.sort(ranks), values[part])]
                high, low = np.divmod(place, _base(ranks))
                out |= {f"{name}h": words(high), f"{name}l": words(low)}
        return pd.DataFrame(out)

    def decode(self, frame: pd.DataFrame, rows: int) -> Values:
        """Decode a table that sdv generated."""
        out: Values = {}
        for part, name in self.names.items():
            if part in self.fixed:
                out[part] = np.full(rows, self.fixed[part])
            elif part in self.scales:
                center, spread = self.scales[part]
                out[part] = frame[name].to_numpy(dtype=np.float64) * spread + center
            elif part in self.quantiles:
                points, level = self.quantiles[part], np.clip(frame[name].to_numpy(dtype=np.float64), 0, 1)
                out[part] = _at(points, level * (len(points) - 1))
            elif part in self.codes:
                out[part] = _numbers(frame[name])
            else:
                out[part] = self._joined(self.ranks[part], _numbers(frame[f"{name}h"]), _numbers(frame[f"{name}l"]))
        for part_ in self.parts:
            if part_.is_code:
                out[part_.name] = out[part_.name].astype(np.int32)
            elif f"{part_.name}#state" in out:
                out[part_.name] = np.where(out[f"{part_.name}#state"] == 0, out[part_.name], np.nan)
        return out

    @staticmethod
    def _joined(ranks: np.ndarray, high: np.ndarray, low: np.ndarray) -> np.ndarray:
        base = _base(ranks)
        width = np.minimum(base, len(ranks) - high * base)  # the last band is partial: wrap digits beyond its end
        return ranks[high * base + low % width]

    def arrays(self) -> dict[str, np.ndarray]:
        """Quantile functions by sdv column, for `from_json`."""
        return {self.names[part]: points for part, points in self.quantiles.items()}

    def to_json(self) -> dict[str, Any]:
        """Everything except the arrays."""
        plain = {
            key: {part: codes.tolist() for part, codes in getattr(self, key).items()} for key in ("codes", "ranks")
        }
        return {"fixed": self.fixed, "scales": self.scales, **plain}

    @classmethod
    def from_json(
        cls, parts: Iterable[Part], data: dict[str, Any], arrays: Mapping[str, np.ndarray] | None = None
    ) -> Layout:
        """The layout that `to_json` and `arrays` wrote."""
        layout = cls(parts)
        layout.fixed = data["fixed"]
        layout.scales = {part: (center, spread) for part, (center, spread) in data["scales"].items()}
        layout.quantiles = (
            {part: arrays[name] for part, name in layout.names.items() if name in arrays} if arrays else {}
        )
        layout.codes = {part: np.asarray(codes) for part, codes in data["codes"].items()}
        layout.ranks = {part: np.asarray(codes) for part, codes in data["ranks"].items()}
        return layout


def _scale(numbers: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; if they overflow or the deviation is 0, zero and the largest magnitude."""
    with np.errstate(over="ignore", invalid="ignore"):
        center, spread = float(numbers.mean()), float(numbers.std())
    if np.isfinite(center) and np.isfinite(spread) and spread > 0:
        return center, spread
    return 0.0, float(np.abs(numbers).max())


def _quantiles(numbers: np.ndarray) -> np.ndarray:
    """Quantile function at even levels from 0 to 1; few numbers are kept exactly, sorted."""
    return _at(np.sort(numbers), np.linspace(0, len(numbers) - 1, min(len(numbers), QUANTILES)))


def _levels(numbers: np.ndarray) -> np.ndarray:
    """Mid-rank of each number as a share in (0, 1); ties share the middle of their ranks, which preserves
    correlations.
    """
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - counts / 2)[inverse] / len(numbers)


def _at(points: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Interpolate linearly at fractional positions; exact at whole positions and between equal points."""
    below = place.astype(np.int64)
    # halve the points so that their difference cannot overflow
    low, high = points[below] / 2, points[np.minimum(below + 1, len(points) - 1)] / 2
    return 2 * (low + (high - low) * (place - below))


def _base(ranks: np.ndarray) -> int:
    return int(np.ceil(np.sqrt(len(ranks))))


def words(codes: np.ndarray) -> pd.Series:
    """Codes as words c0, c1, ... of dtype object."""
    distinct, inverse = np.unique(codes, return_inverse=True)
    return pd.Series(np.array([f"c{code}" for code in distinct], dtype=object)[inverse], dtype=object)


def _numbers(spelled: pd.Series) -> np.ndarray:
    codes, distinct = pd.factorize(spelled)
    return np.array([int(word[1:]) for word in distinct], dtype=np.int64)[codes]
