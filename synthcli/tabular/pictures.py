"""Chart data of a report as plain JSON: histograms, category shares and associations of real and synthetic tables.

No single person is visible in it. A bin or category of real records is either empty or held by at least FEW privacy
units; smaller ones are merged with a neighbour. FEW units lie at or beyond each end of a number column.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.expressions.properties import figures, parse_property
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column
from synthcli.errors import SpecError
from synthcli.tabular.associations import pairs_of
from synthcli.tabular.attacks.distance import closest
from synthcli.tabular.disclosure import FEW, reach, rounded, too_few
from synthcli.tabular.joint import joint_pictures
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.encoding import as_floats, cut
from synthcli.tabular.metrics import detection

BINS = 24
WHOLE = 40  # range of integers up to which each integer gets its own bin
DISTINCT = 10  # number columns with at most this many distinct values are charted as ordered categories
CATEGORIES = 12  # most frequent categories shown; the others form one group
SAMPLED = 10  # synthetic rows that the page shows
LONGEST = 40  # characters of their cells
SKEWED = 12  # ratio of the upper to the lower tail from which the scale is logarithmic


def pictures(evidence: Evidence, *, rng: np.random.Generator, of: Collection[str] | None = None) -> dict[str, Any]:
    """Chart data: {rows, few, columns, pairs, joint, detector, distances, sample, properties}. Columns are in schema
    order, each with its type, shares of nulls, and bins or categories.

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
    pairs = pairs_of(sides, evidence.schema, rng=rng) if both else None
    return {
        "rows": {side: len(table) for side, table in sides.items()},
        "few": FEW,
        "columns": columns,
        "pairs": pairs,
        "joint": joint_pictures(listed, sides, rng=rng, first=pairs["names"] if pairs else None) if both else None,
        "detector": detection.discriminating_columns(evidence, rng=rng) if both else None,
        "distances": _distances(evidence, rng) if both else None,
        "sample": _sample(sides["synthetic"], [column.name for column in listed], rng),
        "properties": [_property(text, evidence) for text in dict.fromkeys(evidence.preserve)],
    }


def _sample(synthetic: Table, names: list[str], rng: np.random.Generator) -> dict[str, Any]:
    """A few synthetic rows as text: {columns, rows}; null is None."""
    at = np.sort(rng.permutation(len(synthetic))[:SAMPLED])
    body = synthetic.frame[names].iloc[at]
    rows = body.astype(object).where(body.notna(), None).to_numpy(dtype=object)
    return {"columns": names, "rows": [[_text(value) for value in row] for row in rows]}


def _text(value: Any) -> str | None:
    if value is None:
        return None
    text = f"{value:.6g}" if isinstance(value, float) else str(value).removesuffix(" 00:00:00")
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _distances(evidence: Evidence, rng: np.random.Generator) -> dict[str, Any] | None:
    """Bins of the distances of synthetic and of unseen real records to the closest training record, per column."""
    found = closest(evidence, rng=rng)
    if found is None:
        return None
    values = {side: distance for side, (distance, _) in found.items()}
    return bins("float", values, {side: units for side, (_, units) in found.items()})


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
    held = reach(*coded[lead], len(known))[order]
    shown = (
        min(CATEGORIES, int((held >= FEW).argmin()) if (held < FEW).any() else len(held))
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
    covered = lambda bins: len(np.unique(np.concatenate([holders[i] for i in bins])))  # noqa: E731
    for i in range(size):
        pending.append(i)
        if covered(pending) >= FEW or (len(pending) == 1 and not len(holders[i])):
            groups.append(pending)
            pending = []
    while pending and groups and 0 < covered(pending) < FEW:
        pending = groups.pop() + pending
    groups += [pending] if pending else []
    return np.repeat(np.arange(len(groups)), [len(g) for g in groups])
