"""Check what holds within every real unit: columns that are constant, and columns that go in one direction."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.panel.layout import learn, steps
from synthcli.relational.judging import missing_part, unmeasured
from synthcli.tabular.judging import intervals

CONSTANT = Gauge(
    "constant_columns",
    "higher",
    frozenset({"train", "units", "synthetic"}),
    "share of units with several rows in which a column that is constant in every unit of the train part has one value",
)
ORDER = Gauge(
    "row_order",
    "higher",
    frozenset({"train", "units", "synthetic"}),
    "share of rows that follow the row before them of the same unit in a column that orders the rows of the train part",
)
GAUGES: tuple[Gauge, ...] = (CONSTANT, ORDER)
Held = tuple[int, int]  # how often something holds, out of how many


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Measure both shares, over all columns and for each; the floor is measured on the control part."""
    if note := missing_part(evidence, "train", "synthetic"):
        return unmeasured(GAUGES, note)
    layout = learn(evidence.train)
    if layout is None:
        return [Measurement(g.name, 1.0, n=0, better=g.better, note="hardly any unit has several rows") for g in GAUGES]
    ordered = tuple(dict.fromkeys((*(() if layout.sort_by is None else (layout.sort_by,)), *layout.paths)))
    control = evidence.control if evidence.full else None
    falls = {c: _falls(evidence.train, c) for c in ordered}
    return [
        *_figures(CONSTANT, layout.constant, evidence.synthetic, control, _constant),
        *_figures(ORDER, ordered, evidence.synthetic, control, lambda t, c: _in_order(t, c, falls[c])),
    ]


def _figures(
    gauge: Gauge, columns: tuple[str, ...], synthetic: Table, control: Table | None, count: Callable[[Table, str], Held]
) -> list[Measurement]:
    """The share over all columns, and that of each column."""
    found = [count(synthetic, c) for c in columns]
    real = [count(control, c) if control is not None else (0, 0) for c in columns]
    each = [_share(gauge, held, floor, column) for column, held, floor in zip(columns, found, real)]
    return [_share(gauge, _sum(found), _sum(real), None), *each]


def _sum(some: list[Held]) -> Held:
    return sum(good for good, _ in some), sum(n for _, n in some)


def _share(gauge: Gauge, held: Held, real: Held, column: str | None) -> Measurement:
    good, n = held
    scope = "overall" if column is None else "column"
    if not n:
        return Measurement(gauge.name, 1.0, n=0, scope=scope, of=column, better=gauge.better, note="nothing to look at")
    value = good / n
    low, high = intervals.around(value, value * (1 - value) / n)
    floor = real[0] / real[1] if real[1] else None
    return Measurement(gauge.name, value, low, high, n, scope, column, better=gauge.better, floor=floor)


def _constant(table: Table, column: str) -> Held:
    units, codes = table.units(), pd.factorize(table.frame[column])[0]
    several = np.flatnonzero(np.bincount(units) > 1)
    known = pd.DataFrame({"unit": units, "code": codes})[codes >= 0].drop_duplicates()
    values = np.bincount(known["unit"], minlength=int(units.max(initial=-1)) + 1)
    return int((values[several] <= 1).sum()), len(several)


def _in_order(table: Table, column: str, falls: bool) -> Held:
    way = _ways(table, column)
    return int((way <= 0 if falls else way >= 0).sum()), len(way)


def _falls(train: Table, column: str) -> bool:
    """Whether a column falls more often than it rises, from row to row."""
    way = _ways(train, column)
    return int((way < 0).sum()) > int((way > 0).sum())


def _ways(table: Table, column: str) -> np.ndarray:
    """The direction of each step from a row of a unit to its next one. (steps,)"""
    units = table.units()
    order = np.argsort(units, kind="stable")
    values, units = table.frame[column].iloc[order], units[order]
    known = values.notna().to_numpy()
    return steps(values[known], units[known])
