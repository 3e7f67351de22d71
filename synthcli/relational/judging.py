"""What the metrics of related tables share: means over relationships, and the rows of two related tables joined."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.model.context import UNIT
from synthcli.relational.relationships import Relationship
from synthcli.tabular.metrics import trends

PAIRS = 120  # pairs of columns of a relationship; a random choice if there are more
ROWS = 25_000  # rows that a pair is measured on
JoinRows = Callable[[Tables, Relationship], Table]
ChoosePairs = Callable[[list[str]], list[tuple[str, str]]]


def unmeasured(gauges: Sequence[Gauge], note: str) -> list[Measurement]:
    """Return each gauge without a value. note: why."""
    return [Measurement(g.name, None, unit=g.unit, better=g.better, note=note) for g in gauges]


def missing_part(evidence: Evidence, *needed: str) -> str | None:
    """Name the first needed part that is missing or empty; None if all exist."""
    for name in needed:
        part = getattr(evidence, name)
        if part is None or not len(part):
            return "there is no holdout to compare with" if name == "control" else f"no {name} records"
    return None


def with_mean(gauge: Gauge, each: Sequence[Measurement], n: int) -> list[Measurement]:
    """Put the mean of some measurements before them.

    Its interval assumes full dependence, so it is never too narrow.
    """
    known = [m for m in each if m.value is not None]
    if not known:
        return unmeasured([gauge], each[0].note if each else "no relationship for which it can be computed")
    mean = lambda values: None if any(v is None for v in values) else float(np.mean(values))  # noqa: E731
    value, low, high = (mean([getattr(m, key) for m in known]) for key in ("value", "low", "high"))
    floor, baseline = mean([m.floor for m in known]), mean([m.baseline for m in known])
    overall = Measurement(
        gauge.name, value, low, high, n, unit=gauge.unit, better=gauge.better, floor=floor, baseline=baseline
    )
    return [overall, *each]


def count_similarity(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Compare two samples of counts: 1 - Kolmogorov-Smirnov distance, and its variance (delta method at the widest
    point). Neither is empty.
    """
    points = np.unique(np.r_[a, b])
    f, g = (np.searchsorted(np.sort(x), points, side="right") / len(x) for x in (a, b))
    at = int(np.argmax(np.abs(f - g)))
    variance = f[at] * (1 - f[at]) / len(a) + g[at] * (1 - g[at]) / len(b)
    return float(1 - abs(f[at] - g[at])), float(variance)


def join_parents(tables: Tables, relationship: Relationship) -> Table:
    """Join each child row with its parent: columns `parent.x` and `child.y`, and `parent.#`, the number of children."""
    at = tables.parents(relationship)
    rows = np.flatnonzero(at >= 0)
    out: dict[str, pd.Series] = {}
    columns: list[Column] = []
    for side, name, positions in (("parent", relationship.parent, at[rows]), ("child", relationship.child, rows)):
        keys = key_columns(tables, name)
        for column in tables.schemas[name].columns:
            if column.kind in frames.MODELLED and column.name not in keys:
                label = f"{side}.{column.name}"
                out[label] = tables.frames[name][column.name].take(positions).reset_index(drop=True)
                columns.append(Column(label, column.declared, column.inferred, column.storage))
    out["parent.#"] = pd.Series(pd.array(tables.children(relationship)[at[rows]], dtype="Int64"))
    columns.append(Column("parent.#", Traits(type="integer"), Traits(), "int64"))
    return table_with_units(out, columns, at[rows])


def table_with_units(values: dict[str, pd.Series], columns: Sequence[Column], units: np.ndarray) -> Table:
    """Build a table whose privacy units are these. units: (rows,) codes."""
    frame = pd.DataFrame({**values, UNIT: pd.Series(pd.array(units, dtype="Int64"))})
    return Table(frame, Schema((*columns, Column(UNIT, Traits(type="id"), Traits(), "int64")), UNIT))


def key_columns(tables: Tables, name: str) -> set[str]:
    """Return the columns of a table that are part of a key; they carry no information about the row."""
    return {
        c for r in tables.relationships for t, cs in ((r.child, r.columns), (r.parent, r.keys)) if t == name for c in cs
    }


def pair_trends(
    gauge: Gauge, evidence: Evidence, rows: JoinRows, pairs: ChoosePairs, *, rng: np.random.Generator
) -> list[Measurement]:
    """Measure the pair trends of every relationship, and their mean.

    rows: the joined rows of a relationship; pairs: the pairs of their columns to measure.
    """
    if note := missing_part(evidence, "control", "synthetic"):
        return unmeasured([gauge], note)
    each: list[Measurement] = []
    for r in evidence.control.relationships:
        given = {"control": evidence.control, "synthetic": evidence.synthetic}
        if evidence.full and evidence.train is not None:
            given["train"] = evidence.train
        sides = {side: rows(tables, r) for side, tables in given.items()}
        if all(len(s) for s in sides.values()):
            chosen = pairs(sides["control"].schema.names)
            each += measure_pairs(gauge, sides, chosen, f"{r.name}: ", full=evidence.full, rng=rng)
    return with_mean(gauge, each, len(evidence.synthetic))


def measure_pairs(
    gauge: Gauge,
    sides: dict[str, Table],
    pairs: Sequence[tuple[str, str]],
    prefix: str,
    *,
    full: bool,
    rng: np.random.Generator,
) -> list[Measurement]:
    """Measure the trend of each pair of columns. sides: control, synthetic, and train where there is one; prefix: of
    the names of the pairs.
    """
    if len(pairs) > PAIRS:
        pairs = [pairs[i] for i in np.sort(rng.choice(len(pairs), PAIRS, replace=False))]
    sides = {side: _subsample(table, rng) for side, table in sides.items()}
    out = []
    for pair in pairs:
        found = trends.measure(_pair_evidence(sides, pair, full=full, rng=rng), rng=rng)[0]
        of = f"{prefix}{' × '.join(pair)}"
        out.append(replace(found, name=gauge.name, scope="pair", of=of, unit=gauge.unit, better=gauge.better))
    return out


def _pair_evidence(sides: dict[str, Table], pair: tuple[str, str], *, full: bool, rng: np.random.Generator) -> Evidence:
    """Cut the evidence down to two columns; the baseline is train with one of them shuffled."""
    whole = sides["control"].schema
    schema = Schema((*(whole[c] for c in pair), whole[UNIT]), UNIT)
    cut = {side: Table(each.frame, schema) for side, each in sides.items()}
    shuffled = None
    if full and "train" in cut:
        frame = cut["train"].frame
        mixed = frame[pair[0]].take(rng.permutation(len(frame))).reset_index(drop=True)
        shuffled = Table(frame.assign(**{pair[0]: mixed}), schema)
    return Evidence(schema, cut["synthetic"], cut.get("train"), cut["control"], shuffled, full=full)


def _subsample(table: Table, rng: np.random.Generator) -> Table:
    if len(table) <= ROWS:
        return table
    return table.take(np.sort(rng.choice(len(table), ROWS, replace=False)))
