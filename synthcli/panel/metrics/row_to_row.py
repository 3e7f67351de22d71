"""Compare how the rows of one unit follow each other, in synthetic and in real data."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.contracts.schema import Column
from synthcli.panel.layout import PanelLayout, learn
from synthcli.relational.judging import measure_pairs, missing_part, table_with_units, unmeasured, with_mean

TRENDS = Gauge(
    "row_to_row_trend",
    "higher",
    frozenset({"control", "units", "synthetic"}),
    "mean over columns that vary within units of the similarity that column_pair_trends takes between a row and the "
    "row of the same unit before it",
)
GAUGES: tuple[Gauge, ...] = (TRENDS,)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Measure the trend between each varying column and the same column of the row before, and the mean."""
    if note := missing_part(evidence, "control", "train", "synthetic"):
        return unmeasured(GAUGES, note)
    layout = learn(evidence.train)
    parts = {"control": evidence.control, "synthetic": evidence.synthetic}
    if evidence.full:
        parts["train"] = evidence.train
    sides = {} if layout is None else {name: _joined(part, layout) for name, part in parts.items()}
    if layout is None or not all(len(side) for side in sides.values()):
        return [Measurement(TRENDS.name, 1.0, n=0, better=TRENDS.better, note="hardly any unit has several rows")]
    names = [c.removeprefix("this ") for c in sides["control"].schema.names if c.startswith("this ")]
    pairs = [(f"{name} before", f"this {name}") for name in names]
    each = measure_pairs(TRENDS, sides, pairs, "", full=evidence.full, rng=rng)
    return with_mean(TRENDS, each, len(evidence.synthetic))


def _joined(table: Table, layout: PanelLayout) -> Table:
    """Each row beside the row of its unit before it: columns `x before` and `this x`."""
    units = table.units()
    order = layout.rows_in_order(table.frame, units)
    same = units[order][1:] == units[order][:-1]
    current, previous = order[1:][same], order[:-1][same]
    values: dict[str, pd.Series] = {}
    columns: list[Column] = []
    for column in table.schema.columns:
        if column.kind in frames.MODELLED and column.name in layout.varying:
            for name, rows in ((f"{column.name} before", previous), (f"this {column.name}", current)):
                values[name] = table.frame[column.name].take(rows).reset_index(drop=True)
                columns.append(Column(name, column.declared, column.inferred, column.storage))
    return table_with_units(values, columns, units[current])
