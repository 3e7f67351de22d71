"""Chart data of a report as plain JSON: histograms, category shares and associations of real and synthetic tables.

No single person is visible in it. A bin or category of real records is either empty or held by at least FEW privacy
units; smaller ones are merged with a neighbour. FEW units lie at or beyond each end of a number column.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.expressions.properties import figures, parse_property
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema
from synthcli.errors import SpecError
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.association import cramers_v_matrix
from synthcli.tabular.judging.encoding import as_floats, cut, encode
from synthcli.tabular.judging.intervals import FEW
from synthcli.tabular.metrics import detection
from synthcli.tabular.metrics.trends import pearson

BINS = 24
WHOLE = 40  # range of integers up to which each integer gets its own bin
DISTINCT = 10  # number columns with at most this many distinct values are charted as ordered categories
CATEGORIES = 12  # most frequent categories shown; the others form one group
PAIRED = 60  # columns of the association matrices
PAIR_ROWS = 10_000
CLASSES = 12  # maximum number of classes of a column for Cramér's V
SKEWED = 12  # ratio of the upper to the lower tail from which the scale is logarithmic


def pictures(evidence: Evidence, *, rng: np.random.Generator, of: Collection[str] | None = None) -> dict[str, Any]:
    """Chart data: {rows, few, columns, pairs, detector, properties}. Columns are in schema order, each with its type,
    shares of nulls, and bins or categories.

    The real side is `control`; without it, only the synthetic side is included. Columns of fake values (keys, names,
    text) have no bins or categories. of: the columns to include, None for all.
    """
    sides = {"synthetic": cut(evidence.synthetic, intervals.ROWS, rng=rng)}
    if intervals.missing_evidence(evidence, "control") is None:
        sides = {"real": cut(evidence.control, intervals.ROWS, rng=rng), **sides}
    units = {side: table.units() for side, table in sides.items()}
    listed = [column for column in evidence.schema.columns if of is None or column.name in of]
    columns = [_column(column, sides, units) for column in listed] if len(sides["synthetic"]) else []
    both = bool(columns) and "real" in sides
    return {
        "rows": {side: len(table) for side, table in sides.items()},
        "few": FEW,
        "columns": columns,
        "pairs": _pairs(sides, evidence, rng) if both else None,
        "detector": detection.discriminating_columns(evidence, rng=rng) if both else None,
        "properties": [_property(text, evidence) for text in dict.fromkeys(evidence.preserve)],
    }


def _property(text: str, evidence: Evidence) -> dict[str, Any]:
    """The value of a property of the spec in both tables; None if it is undefined, or if fewer than FEW real units have
    a value.
    """
    parsed = parse_property(text)
    out: dict[str, Any] = {"text": text}
    for side, table in (("real", evidence.control), ("synthetic", evidence.synthetic)):
        try:
            rows = parsed.rows(table.frame) if table is not None else np.zeros(0, int)
            known = len(rows) > 1 and (side == "synthetic" or len(np.unique(table.units()[rows])) >= FEW)
            value = (
                figures(parsed.name, parsed.q, parsed.values(table.frame, rows), np.ones((1, len(rows))))[0]
                if known
                else np.nan
            )
        except SpecError:  # the column's values are of an unexpected type
            value = np.nan
        out[side] = float(f"{value:.6g}") if np.isfinite(value) else None
    return out


def _column(column: Column, sides: dict[str, Table], units: dict[str, np.ndarray]) -> dict[str, Any]:
    out: dict[str, Any] = {"name": column.name, "kind": column.kind}
    values = {side: table.frame[column.name] for side, table in sides.items()}
    nulls = {side: series.isna().to_numpy() for side, series in values.items()}
    out["nulls"] = {side: round(float(mask.mean()), 5) for side, mask in nulls.items()}
    if "real" in sides and too_few(nulls["real"], units["real"]):
        out["nulls"]["real"] = None
    if column.kind in frames.CODES:
        out["categories"] = _categories(values, units)
    elif column.kind in ("integer", "float") and 0 < values[next(iter(values))].nunique() <= DISTINCT:
        out["categories"] = _categories(values, units, ordered=True)
    elif column.kind in frames.NUMBERS:
        out["bins"] = bins(column.kind, {side: as_floats(series) for side, series in values.items()}, units)
    return out


def too_few(rows: np.ndarray, units: np.ndarray) -> bool:
    """Whether a nonempty selection of real rows covers fewer than FEW units. rows: (n,) bool; units: (n,)"""
    return 0 < len(np.unique(units[rows])) < FEW


def _reach(cells: np.ndarray, units: np.ndarray, size: int) -> np.ndarray:
    """Number of privacy units with a row in each cell. (size,)"""
    width = int(units.max(initial=0)) + 1
    return np.bincount(np.unique(cells.astype(np.int64) * width + units) // width, minlength=size)


def _categories(values: dict[str, pd.Series], units: dict[str, np.ndarray], *, ordered: bool = False) -> dict[str, Any]:
    """The most frequent values with their shares of the non-null rows; others: the remaining values together, None if
    there are none.
    """
    plain = [series.astype(object) for series in values.values()]
    codes, known = pd.factorize(pd.concat(plain, ignore_index=True))
    split = np.split(codes, np.cumsum([len(series) for series in plain])[:-1])
    coded = {side: (part[part >= 0], units[side][part >= 0]) for side, part in zip(values, split, strict=True)}
    counts = {side: np.bincount(part, minlength=len(known)) for side, (part, _) in coded.items()}
    lead = "real" if "real" in values else "synthetic"
    order = np.argsort(-counts[lead], kind="stable")
    reach = _reach(*coded[lead], len(known))[order]
    shown = (
        min(CATEGORIES, int((reach >= FEW).argmin()) if (reach < FEW).any() else len(reach))
        if lead == "real"
        else min(CATEGORIES, len(order))
    )
    while lead == "real" and shown and 0 < _apart(order[shown:], *coded[lead]) < FEW:
        shown -= 1  # the rest could be inferred by subtraction: merge the smallest shown value into it
    share = {side: count / max(count.sum(), 1) for side, count in counts.items()}
    top, rest = order[:shown], order[shown:]
    if ordered:
        top = np.array(sorted(top.tolist(), key=lambda i: known[i]), dtype=int)
    out: dict[str, Any] = {"values": [str(known[i]).removesuffix(".0") if ordered else str(known[i]) for i in top]}
    out |= {side: rounded(part[top]) for side, part in share.items()}
    out["others"] = (
        {"values": len(rest), **{side: round(float(part[rest].sum()), 5) for side, part in share.items()}}
        if len(rest)
        else None
    )
    return out


def _apart(rest: np.ndarray, codes: np.ndarray, units: np.ndarray) -> int:
    """Number of units with one of the codes in `rest`."""
    return len(np.unique(units[np.isin(codes, rest)]))


def bins(kind: str, values: dict[str, np.ndarray], units: dict[str, np.ndarray]) -> dict[str, Any] | None:
    """Bin edges and the shares of non-null rows; rows beyond the ends count in the outer bins. None if there are too
    few units.
    """
    known = {side: x[~np.isnan(x)] for side, x in values.items()}
    of = {side: units[side][~np.isnan(x)] for side, x in values.items()}
    lead = "real" if "real" in values else "synthetic"
    ends = _ends(known[lead], of[lead], FEW if lead == "real" else 1)
    if ends is None:
        return None
    edges, constant, whole = _edges(kind, known[lead], *ends)
    place = {side: np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2) for side, x in known.items()}
    if lead == "real":
        group = _merged(place[lead], of[lead], len(edges) - 1)
        edges = edges[np.append(np.flatnonzero(np.diff(group, prepend=-1)), len(edges) - 1)]
        place = {side: group[p] for side, p in place.items()}
    shares = {side: np.bincount(p, minlength=len(edges) - 1) / max(len(p), 1) for side, p in place.items()}
    scale = {"scale": "linear"} if constant is None else {"scale": "log", "constant": constant}
    return {
        "edges": [float(f"{e:.12g}") for e in edges],
        **scale,
        "whole": whole,
        **{side: rounded(share) for side, share in shares.items()},
    }


def _ends(known: np.ndarray, units: np.ndarray, few: int) -> tuple[float, float] | None:
    """The lowest and the highest value with `few` units at or beyond it, inside the outer half percent of the rows on
    each side. None if there are too few units.
    """
    if len(np.unique(units)) < 2 * few:
        return None
    ends = []
    for sign in (1, -1):
        order = np.argsort(sign * known, kind="stable")
        first = np.sort(np.unique(units[order], return_index=True)[1])  # position of each unit's first value
        ends.append(float(known[order[max(first[few - 1], len(known) // 200)]]))
    return min(ends), max(ends)


def _edges(kind: str, known: np.ndarray, low: float, high: float) -> tuple[np.ndarray, float | None, bool]:
    """Bin edges, the constant of their log scale (None: linear), and whether each bin holds one integer."""
    whole = kind == "integer" or (kind == "float" and bool((known == np.round(known)).all()))
    if whole and high - low < WHOLE:
        return np.arange(low, high + 2) - 0.5, None, True
    if not high > low:
        return np.array([low - 0.5, low + 0.5]), None, False
    if kind == "datetime":
        return np.linspace(low, high, BINS + 1), None, False
    if low >= 0 and _skewed(known[known > 0], high):
        return _log_edges(known, low, high)
    power = 10.0 ** np.floor(np.log10((high - low) / BINS))
    step = next(power * s for s in (1, 2, 2.5, 5, 10) if power * s * BINS >= high - low)
    step = max(step, 1.0) if whole else step
    return np.arange(np.floor(low / step), np.floor(high / step) + 2) * step, None, False


def _skewed(positive: np.ndarray, high: float) -> bool:
    """Whether the upper tail of the positive values is so long that equal bins would show a single bar."""
    tenth, middle = np.quantile(positive, [0.1, 0.5])
    return bool(high > SKEWED * tenth and high - middle > SKEWED * (middle - tenth))


def _log_edges(known: np.ndarray, low: float, high: float) -> tuple[np.ndarray, float | None, bool]:
    """Edges evenly spaced in log(1 + x / constant), rounded to two digits."""
    constant = float(f"{max(np.quantile(known[known > 0], 0.1), high / 1e5):.1g}")
    even = constant * np.expm1(np.linspace(np.log1p(low / constant), np.log1p(high / constant), BINS + 1))
    return np.unique([float(f"{e:.2g}") for e in even]), constant, False


def _merged(place: np.ndarray, units: np.ndarray, size: int) -> np.ndarray:
    """The group of each bin: neighbours are merged until no group holds 1 to FEW - 1 units; empty bins stay separate.
    (size,)
    """
    holders = [np.unique(units[place == i]) for i in range(size)]
    groups: list[list[int]] = []
    pending: list[int] = []
    reach = lambda bins: len(np.unique(np.concatenate([holders[i] for i in bins])))  # noqa: E731
    for i in range(size):
        pending.append(i)
        if reach(pending) >= FEW or (len(pending) == 1 and not len(holders[i])):
            groups.append(pending)
            pending = []
    while pending and groups and 0 < reach(pending) < FEW:
        pending = groups.pop() + pending
    groups += [pending] if pending else []
    return np.repeat(np.arange(len(groups)), [len(g) for g in groups])


def rounded(values: np.ndarray, digits: int = 5) -> list[Any]:
    """Rounded values as a list for JSON, NaN as None."""
    return [None if np.isnan(v) else v for v in np.round(values.astype(float), digits).tolist()]


def _pairs(sides: dict[str, Table], evidence: Evidence, rng: np.random.Generator) -> dict[str, Any] | None:
    """Pairwise associations, columns with the largest differences first: {names, of, real, synthetic}; upper triangles
    by row, None for undefined entries.
    """
    found = associations(sides, evidence.schema, rng=rng)
    if found is None:
        return None
    apart = np.abs(found.real - found.synthetic)
    np.fill_diagonal(apart, np.nan)
    order = np.argsort(-np.nan_to_num(apart).mean(axis=1), kind="stable")
    upper = np.triu_indices(len(order), 1)
    triangles = {
        side: rounded(m[np.ix_(order, order)][upper], 3)
        for side, m in (("real", found.real), ("synthetic", found.synthetic))
    }
    return {"names": [found.names[j] for j in order], "of": found.of, **triangles}


@dataclass(frozen=True)
class Associations:
    """Association matrices of the named columns. real, synthetic: (k, k), NaN where undefined; of: total number of
    columns, at least k.
    """

    names: list[str]
    of: int
    real: np.ndarray
    synthetic: np.ndarray


def associations(sides: dict[str, Table], schema: Schema, *, rng: np.random.Generator) -> Associations | None:
    """Pearson's r between two numbers, otherwise Cramér's V (bias-corrected, Bergsma 2013) with numbers binned at the
    real deciles and null as a class.

    None if there are fewer than two columns or too few rows. sides: real and synthetic.
    """
    encoded = encode({side: cut(table, PAIR_ROWS, rng=rng) for side, table in sides.items()}, schema)
    real, synthetic = encoded.tables["real"], encoded.tables["synthetic"]
    numbers = len(encoded.numbers)
    if len(encoded.names) < 2 or min(len(real), len(synthetic)) < 2 * FEW:
        return None
    with intervals.one_thread():
        keep = _worst(real.matrix(), synthetic.matrix())
        classes = [_classes(real, synthetic, j, numbers) for j in keep]
        matrices = {side: cramers_v_matrix([c[i] for c in classes]) for i, side in enumerate(("real", "synthetic"))}
        both = np.flatnonzero(keep < numbers)
        for side, part in (("real", real), ("synthetic", synthetic)):
            matrices[side][np.ix_(both, both)] = pearson(part.numbers[:, keep[both]])[0]
    return Associations([encoded.names[j] for j in keep], len(encoded.names), **matrices)


def _worst(real: np.ndarray, synthetic: np.ndarray) -> np.ndarray:
    """Screen for the PAIRED columns whose correlations (of codes, for categories) differ most, in column order."""
    if real.shape[1] <= PAIRED:
        return np.arange(real.shape[1])
    apart = np.abs(np.nan_to_num(pearson(real)[0]) - np.nan_to_num(pearson(synthetic)[0]))
    return np.sort(np.argsort(-apart.mean(axis=1), kind="stable")[:PAIRED])


def _classes(real: Any, synthetic: Any, j: int, numbers: int) -> tuple[np.ndarray, np.ndarray]:
    """Classes of column j in both tables as integers, 0 for null; numbers are binned at the real deciles, and the
    rarest categories merged.
    """
    if j < numbers:
        known = real.numbers[:, j][~np.isnan(real.numbers[:, j])]
        edges = np.unique(np.quantile(known, np.arange(1, 10) / 10)) if len(known) else np.zeros(0)
        one, two = (
            np.where(np.isnan(x), 0, 1 + np.searchsorted(edges, x, side="right"))
            for x in (real.numbers[:, j], synthetic.numbers[:, j])
        )
        return one, two
    j -= numbers
    counts = np.bincount(
        real.codes[:, j] + 1, minlength=max(real.codes[:, j].max(initial=0), synthetic.codes[:, j].max(initial=0)) + 2
    )
    counts[0] = len(real) + 1  # null keeps class 0
    place = np.empty(len(counts), dtype=np.int64)
    place[np.argsort(-counts, kind="stable")] = np.minimum(np.arange(len(counts)), CLASSES - 1)
    return place[real.codes[:, j] + 1], place[synthetic.codes[:, j] + 1]
