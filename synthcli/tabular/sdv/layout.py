"""How the parts of the codec become the columns that sdv learns from, and back: plain numbers, and codes spelled as
words.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.codec.codec import Part, Values

QUANTILES = 1001  # the most points of an empirical quantile function that a layout keeps


class Layout:
    """How parts become sdv's columns. All is learned from the parts of the data, without nulls.

    fixed: parts of one value, which sdv never sees. scales: number -> (mean, spread), so that sdv's absolute tolerances
    fit. quantiles: empirical number -> its quantile function at even levels from 0 to 1; sdv sees its mid-rank as a
    level in (0, 1). codes: code -> the categories that occur; ranks: wide code -> them by falling frequency, written in
    two digits of base √n.
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
        """wide: categories beyond which a code is split, None for never. empirical: numbers that sdv sees as levels."""
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
        """Part -> sdv's name of it, without the dots and other signs that rdt reads something into."""
        return {part.name: f"p{i}" for i, part in enumerate(self.parts)}

    def columns(self) -> dict[str, np.ndarray | None]:
        """sdv column -> the codes that it may hold, in order; None for a number."""
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
        """The table that sdv learns from. Empirical numbers are ranked among the values given."""
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
        """Parts of a table that sdv generated."""
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
        width = np.minimum(
            base, len(ranks) - high * base
        )  # the last band is not full: what falls beside it is spread over it
        return ranks[high * base + low % width]

    def arrays(self) -> dict[str, np.ndarray]:
        """The quantile functions by sdv's column names, for `from_json`."""
        return {self.names[part]: points for part, points in self.quantiles.items()}

    def to_json(self) -> dict[str, Any]:
        """All the rest."""
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
    """Mean and standard deviation; where they overflow or vanish, zero and the largest magnitude."""
    with np.errstate(over="ignore", invalid="ignore"):
        center, spread = float(numbers.mean()), float(numbers.std())
    if np.isfinite(center) and np.isfinite(spread) and spread > 0:
        return center, spread
    return 0.0, float(np.abs(numbers).max())


def _quantiles(numbers: np.ndarray) -> np.ndarray:
    """The quantile function at even levels, ends included: the sorted numbers themselves where they are few."""
    return _at(np.sort(numbers), np.linspace(0, len(numbers) - 1, min(len(numbers), QUANTILES)))


def _levels(numbers: np.ndarray) -> np.ndarray:
    """Each number's mid-rank as a share of all, in (0, 1): ties share the middle of their ranks, which keeps
    correlations.
    """
    _, inverse, counts = np.unique(numbers, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - counts / 2)[inverse] / len(numbers)


def _at(points: np.ndarray, place: np.ndarray) -> np.ndarray:
    """Points at fractional places from 0, linearly between; exact at whole places and between equal points."""
    below = place.astype(np.int64)
    low, high = (
        points[below] / 2,
        points[np.minimum(below + 1, len(points) - 1)] / 2,
    )  # halves, whose difference cannot overflow
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
