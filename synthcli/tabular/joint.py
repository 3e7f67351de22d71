"""Joint pictures of two columns: the shares of rows in the cells of a grid, real and synthetic.

A cell with real records of fewer than FEW privacy units is left out (disclosure.py). The edges of numbers are
quantiles of the real side, rounded, and no lowest or highest value is named.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.schema import Column
from synthcli.tabular.disclosure import FEW, hidden, reach, rounded
from synthcli.tabular.judging.encoding import as_floats, cut

CLASSES = 10  # of a column, at most
HELD = 25  # real units in a cell on average, from which follows the number of classes
PICTURED = (
    30  # pairs of a table: a third those that differ most, a third with many words, a third the strongest relations
)
FINE = 30  # words of a category by which pairs with many words are compared
COLUMNS = 40  # columns whose pairs are compared
ROWS = 10_000
DAY = 86_400.0


@dataclass(frozen=True)
class Axis:
    """A column cut into classes. labels: of the classes; ordered: whether they run from low to high; real, synthetic:
    the class of each row. (rows,)
    """

    name: str
    labels: list[str]
    ordered: bool
    real: np.ndarray
    synthetic: np.ndarray


def joint_pictures(
    columns: list[Column], sides: dict[str, Table], *, rng: np.random.Generator, first: list[str] | None = None
) -> dict[str, Any] | None:
    """{axes: {column: {labels, ordered}}, pairs: [{a, b, real, synthetic}]}: shares of the cells, the labels of b
    varying fastest; None where a real cell is hidden, and as a whole where there is no pair.

    first: the columns to compare where there are more than COLUMNS.
    """
    small = {side: cut(table, ROWS, rng=rng) for side, table in sides.items()}
    named = {column.name: column for column in columns if column.kind in (*frames.NUMBERS, *frames.CODES)}
    order = [name for name in (first or list(named)) if name in named][:COLUMNS]
    units = small["real"].units()
    most = int(np.clip(np.sqrt(len(np.unique(units)) / HELD), 2, CLASSES))
    axes = [axis for name in order if (axis := _axis(named[name], small, units, most)) is not None]
    fine = {a.name: a if a.ordered else _axis(named[a.name], small, units, FINE) or a for a in axes}
    pairs = _chosen(list(itertools.combinations(axes, 2)), fine)
    if not pairs:
        return None
    used = {axis.name: {"labels": axis.labels, "ordered": axis.ordered} for pair in pairs for axis in pair}
    return {"axes": used, "pairs": [_pair(a, b, units) for a, b in pairs]}


def _pair(a: Axis, b: Axis, units: np.ndarray) -> dict[str, Any]:
    cells, size = a.real * len(b.labels) + b.real, len(a.labels) * len(b.labels)
    real, synthetic = _shares(a, b)
    real[hidden(cells, units, size)] = np.nan
    return {"a": a.name, "b": b.name, "real": rounded(real, 4), "synthetic": rounded(synthetic, 4)}


def _shares(a: Axis, b: Axis) -> tuple[np.ndarray, np.ndarray]:
    """The shares of the cells, real and synthetic. (cells,) each"""
    size = len(a.labels) * len(b.labels)
    out = []
    for one, two in ((a.real, b.real), (a.synthetic, b.synthetic)):
        counts = np.bincount(one * len(b.labels) + two, minlength=size)
        out.append(counts / max(counts.sum(), 1))
    return out[0], out[1]


def _chosen(pairs: list[tuple[Axis, Axis]], fine: dict[str, Axis]) -> list[tuple[Axis, Axis]]:
    """The pairs to show, those that differ most first. fine: axes with more words."""
    apart, strong, worded = [], [], []
    for a, b in pairs:
        real, synthetic = _shares(a, b)
        grid = real.reshape(len(a.labels), len(b.labels))
        alone = np.outer(grid.sum(axis=1), grid.sum(axis=0)).ravel()
        apart.append(np.abs(real - synthetic).sum() / 2)
        strong.append(np.abs(real - alone).sum() / 2)
        many, synthetic = _shares(fine[a.name], fine[b.name])
        worded.append(0.0 if a.ordered and b.ordered else np.abs(many - synthetic).sum() / 2)
    by_difference = np.argsort(-np.array(apart), kind="stable")
    if len(pairs) <= PICTURED:
        return [pairs[i] for i in by_difference]
    kept: set[int] = set()
    for scores, most in ((apart, PICTURED // 3), (worded, 2 * PICTURED // 3), (strong, PICTURED)):
        order = [i for i in np.argsort(-np.array(scores), kind="stable").tolist() if i not in kept]
        kept |= set(order[: most - len(kept)])
    return [pairs[i] for i in by_difference if i in kept]


def _axis(column: Column, sides: dict[str, Table], units: np.ndarray, most: int) -> Axis | None:
    """A column in at most `most` classes beside null and others; None where it has fewer than two."""
    values = {side: sides[side].frame[column.name] for side in ("real", "synthetic")}
    ordered = column.kind in frames.NUMBERS
    if ordered:
        labels, codes = _number(column.kind, {side: as_floats(series) for side, series in values.items()}, most)
    else:
        labels, codes = _words(values, units, most)
    if any((part < 0).any() for part in codes.values()):
        codes = {side: np.where(part < 0, len(labels), part) for side, part in codes.items()}
        labels = [*labels, "null"]
    return None if len(labels) < 2 else Axis(column.name, labels, ordered, codes["real"], codes["synthetic"])


def _words(values: dict[str, pd.Series], units: np.ndarray, most: int) -> tuple[list[str], dict[str, np.ndarray]]:
    """The most frequent words that FEW real units hold, and the others together; nulls are -1."""
    plain = [values[side].astype(object) for side in ("real", "synthetic")]
    codes, known = pd.factorize(pd.concat(plain, ignore_index=True))
    real, synthetic = np.split(codes, [len(plain[0])])
    counts = np.bincount(real[real >= 0], minlength=len(known))
    held = reach(real[real >= 0], units[real >= 0], len(known))
    top = [i for i in np.argsort(-counts, kind="stable")[:most].tolist() if held[i] >= FEW]
    place = np.full(len(known) + 1, len(top))
    place[top] = np.arange(len(top))
    place[-1] = -1
    labels = [str(known[i]) for i in top] + (["others"] if len(top) < len(known) else [])
    return labels, {"real": place[real], "synthetic": place[synthetic]}


def _number(kind: str, values: dict[str, np.ndarray], most: int) -> tuple[list[str], dict[str, np.ndarray]]:
    """Classes between rounded quantiles of the real values; nulls are -1."""
    known = values["real"][~np.isnan(values["real"])]
    edges = _edges(kind, known, most) if len(known) >= 2 * FEW else np.zeros(0)
    codes = {
        side: np.where(np.isnan(x), -1, np.searchsorted(edges, x, side="right")).astype(np.int64)
        for side, x in values.items()
    }
    said = [_said(kind, edge) for edge in edges]
    if not said:
        return (["any"] if len(known) else []), codes
    last = [_said(kind, edge - 1) for edge in edges] if kind == "integer" else said
    between = [low if low == high else f"{low} – {high}" for low, high in zip(said[:-1], last[1:], strict=True)]
    return [f"< {said[0]}", *between, f"≥ {said[-1]}"], codes


def _edges(kind: str, known: np.ndarray, most: int) -> np.ndarray:
    """Inner edges of the classes: quantiles, rounded so that none is somebody's own value."""
    inner = np.quantile(known, np.arange(1, most) / most)
    low, high = np.quantile(known, [0.05, 0.95])
    span = float(high - low)
    if span <= 0:
        return np.zeros(0)
    grain = 10.0 ** np.floor(np.log10(span / 20))
    if kind == "datetime":
        grain = max(DAY, np.floor(span / 100 / DAY) * DAY) if span > 20 * DAY else 60.0
    if kind == "integer":
        grain = max(grain, 1.0)
    return np.unique(np.round(inner / grain) * grain)


def _said(kind: str, edge: float) -> str:
    if kind == "datetime":
        return str(pd.Timestamp(edge, unit="s").strftime("%Y-%m-%d" if edge % DAY == 0 else "%Y-%m-%d %H:%M"))
    if kind == "timedelta":
        return f"{edge / DAY:.4g} d" if abs(edge) >= DAY else f"{edge / 3600:.4g} h"
    return f"{edge:,.6g}" if abs(edge) < 1e6 else f"{edge:.3g}"
