"""What the judges of related tables share: measurements as means over relationships, and the rows of two tables side by
side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.data import Tables
from synthcli.relational.model.context import UNIT
from synthcli.relational.relationships import Relationship

Z = 1.959964  # two-sided 95 %
Trend = Callable[..., list[Measurement]]  # measure(evidence, *, rng) of the table floor's pair trends
PAIRS = 120  # pairs of columns of a relationship; of more, a random choice
ROWS = 25_000  # rows that a pair is measured on


def unmeasured(gauges: Sequence[Gauge], note: str) -> list[Measurement]:
    """Each gauge without a value, and why."""
    return [Measurement(g.name, None, unit=g.unit, better=g.better, note=note) for g in gauges]


def lacking(evidence: Evidence, *needed: str) -> str | None:
    """Why these parts cannot be looked at; None when they are all there."""
    for name in needed:
        part = getattr(evidence, name)
        if part is None or not len(part):
            return "no real records were kept apart to compare with" if name == "control" else f"no {name} records"
    return None


def joined(gauge: Gauge, each: Sequence[Measurement], n: int) -> list[Measurement]:
    """The mean of figures of relationships or pairs, then those figures. Its interval takes them for wholly dependent,
    so it is never too narrow.
    """
    known = [m for m in each if m.value is not None]
    if not known:
        return unmeasured([gauge], each[0].note if each else "no relationship for which it can be computed")
    mean = lambda values: None if any(v is None for v in values) else float(np.mean(values))  # noqa: E731
    value, low, high = (mean([getattr(m, key) for m in known]) for key in ("value", "low", "high"))
    floor, baseline = mean([m.floor for m in known]), mean([m.baseline for m in known])
    return [
        Measurement(
            gauge.name, value, low, high, n, unit=gauge.unit, better=gauge.better, floor=floor, baseline=baseline
        ),
        *each,
    ]


def side_by_side(tables: Tables, relationship: Relationship, table: Any) -> Any:
    """Each child row beside its parent's, as a table of the table floor: columns `parent.x`, `child.y`, and how many
    siblings it has.
    """
    at = tables.parents(relationship)
    rows = np.flatnonzero(at >= 0)
    up, low = tables.schemas[relationship.parent], tables.schemas[relationship.child]
    out: dict[str, pd.Series] = {}
    columns: list[Column] = []
    for mark, schema, frame, taken, keys in (
        ("parent", up, tables.frames[relationship.parent], at[rows], key_columns(tables, relationship.parent)),
        ("child", low, tables.frames[relationship.child], rows, key_columns(tables, relationship.child)),
    ):
        for column in schema.columns:
            if column.kind in frames.MODELLED and column.name not in keys:
                name = f"{mark}.{column.name}"
                out[name] = frame[column.name].take(taken).reset_index(drop=True)
                columns.append(Column(name, column.declared, column.inferred, column.storage))
    out["parent.#"] = pd.Series(pd.array(tables.children(relationship)[at[rows]], dtype="Int64"))
    columns.append(Column("parent.#", Traits(type="integer"), Traits(), "int64"))
    return _with_units(out, columns, at[rows], table)


def _with_units(out: dict[str, pd.Series], columns: list[Column], units: np.ndarray, table: Any) -> Any:
    out[UNIT] = pd.Series(pd.array(units, dtype="Int64"))
    return table(pd.DataFrame(out), Schema((*columns, Column(UNIT, Traits(type="id"), Traits(), "int64")), UNIT))


def key_columns(tables: Tables, name: str) -> set[str]:
    """Columns of a table that relationships are made of; they say nothing of the row."""
    return {
        c for r in tables.relationships for t, cs in ((r.child, r.columns), (r.parent, r.keys)) if t == name for c in cs
    }


def across(
    gauge: Gauge,
    evidence: Evidence,
    rows: Callable[[Tables, Relationship], Any],
    pairs: Callable[[list[str]], list[tuple[str, str]]],
    trend: Trend,
    table: Any,
    *,
    rng: np.random.Generator,
) -> list[Measurement]:
    """The pair trends of every relationship and their mean. rows: of a relationship, as a table of the table floor;
    pairs: of its columns.
    """
    if note := lacking(evidence, "control", "synthetic"):
        return unmeasured([gauge], note)
    each: list[Measurement] = []
    for r in evidence.control.relationships:
        given = {"control": evidence.control, "synthetic": evidence.synthetic}
        if evidence.full and evidence.train is not None:
            given["train"] = evidence.train
        sides = {side: rows(tables, r) for side, tables in given.items()}
        if not all(len(s) for s in sides.values()):
            continue
        each += _pairs(gauge, evidence, sides, pairs(sides["control"].schema.names), r.name, trend, table, rng=rng)
    return joined(gauge, each, len(evidence.synthetic))


def _pairs(
    gauge: Gauge,
    evidence: Evidence,
    sides: dict[str, Any],
    pairs: Sequence[tuple[str, str]],
    mark: str,
    trend: Trend,
    table: Any,
    *,
    rng: np.random.Generator,
) -> list[Measurement]:
    """A measurement for each pair of columns by the table floor's pair trends. sides: control, synthetic, and train
    where there is one.
    """
    if len(pairs) > PAIRS:
        pairs = [pairs[i] for i in np.sort(rng.choice(len(pairs), PAIRS, replace=False))]
    sides = {side: _some(each, table, rng) for side, each in sides.items()}
    out = []
    for pair in pairs:
        schema = Schema((*(sides["control"].schema[c] for c in pair), sides["control"].schema[UNIT]), UNIT)
        cut = {side: table(each.frame, schema) for side, each in sides.items()}
        shuffled = None
        if evidence.full and "train" in cut:
            frame = cut["train"].frame
            mixed = frame[pair[0]].take(rng.permutation(len(frame))).reset_index(drop=True)
            shuffled = table(frame.assign(**{pair[0]: mixed}), schema)
        seen = Evidence(schema, cut["synthetic"], cut.get("train"), cut["control"], shuffled, full=evidence.full)
        found = trend(seen, rng=rng)[0]
        of = f"{mark}: {' × '.join(pair)}"
        out.append(replace(found, name=gauge.name, scope="pair", of=of, unit=gauge.unit, better=gauge.better))
    return out


def _some(each: Any, table: Any, rng: np.random.Generator) -> Any:
    if len(each) <= ROWS:
        return each
    return table(each.frame.iloc[np.sort(rng.choice(len(each), ROWS, replace=False))], each.schema)
