"""Preservation of the properties that the spec names: means, quantiles, shares and correlations."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from synthcli.columns import missing_codes
from synthcli.columns.expressions.properties import Property, figures, parse_property
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.errors import SpecError
from synthcli.tabular.judging import intervals

PRESERVE = Gauge(
    "preserve",
    "higher",
    frozenset({"control", "synthetic", "preserve"}),
    "smallest agreement of the properties in evaluate.preserve: 1 - |real - synthetic| / scale; scale: 1 "
    "(share), 2 (corr), else the real deviation",
)
GAUGES: tuple[Gauge, ...] = (PRESERVE,)
RESAMPLES = 200
_AT_ONCE = 4_000_000  # maximum number of weights in memory


@dataclass(frozen=True)
class _Side:
    """A property of one table. value: over all rows; spread: deviations of the resamples, (RESAMPLES,); rows, units:
    number of rows and units with a value.
    """

    value: float
    spread: np.ndarray
    rows: int
    units: int


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """One measurement per property with both values in its note, and overall the worst; [] without properties.

    Interval: 95 % percentile bootstrap of the difference (control by privacy unit, synthetic by row), converted to
    agreement. Floor: train.
    """
    if not evidence.preserve:
        return []
    if note := intervals.missing_evidence(evidence, "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    control, synthetic, train = (_values(t) for t in (evidence.control, evidence.synthetic, evidence.train))
    known = replace(evidence, control=control, synthetic=synthetic, train=train)
    found = []
    for text in dict.fromkeys(evidence.preserve):
        prop = parse_property(text)
        found.append(_one(prop, evidence if prop.name == "share" else known, rng=rng))
    missing = [m for m in found if m.value is None]
    if missing:
        note = f"{missing[0].of}: {missing[0].note}"
        return [*intervals.unmeasured(GAUGES, note), *found]
    worst = min(found, key=lambda m: m.value if m.value is not None else 0.0)
    floors = [m.floor for m in found if m.floor is not None]
    low, high = (min(getattr(m, end) for m in found) for end in ("low", "high"))
    overall = intervals.measured(
        PRESERVE, worst.value, low, high, n=worst.n, floor=min(floors, default=None), note=f"{worst.of}: {worst.note}"
    )
    return [overall, *found]


def _values(table: Table | None) -> Table | None:
    """The table with null for its codes for missing values, which are no values to average."""
    return None if table is None else Table(missing_codes.without(table.frame, table.schema), table.schema)


def _one(prop: Property, evidence: Evidence, *, rng: np.random.Generator) -> Measurement:
    try:
        real, synthetic = (
            _side(prop, t, units=k, rng=rng) for t, k in ((evidence.control, True), (evidence.synthetic, False))
        )
        scale = _scale(prop, evidence.control)
        train = (
            _side(prop, evidence.train, units=False, rng=None) if evidence.full and evidence.train is not None else None
        )
    except SpecError as error:  # the column's values are of an unexpected type
        return intervals.measured(PRESERVE, None, scope="property", of=prop.text, note=str(error).splitlines()[0])
    if not (np.isfinite(real.value) and np.isfinite(synthetic.value)):
        which = "real" if not np.isfinite(real.value) else "synthetic"
        rows = real.rows if which == "real" else synthetic.rows
        return intervals.measured(
            PRESERVE,
            None,
            scope="property",
            of=prop.text,
            note=f"is not defined over the {rows} {which} records with a value",
        )
    apart = synthetic.value - real.value
    low, high = _percentiles(apart + synthetic.spread - real.spread, apart)
    ends = _agreement(np.array([max(-low, high), 0.0 if low <= 0 <= high else min(abs(low), abs(high))]), scale)
    note = f"real {real.value:.6g}, synthetic {synthetic.value:.6g}, difference {apart:.3g} ({low:.3g} to {high:.3g})"
    if real.units < intervals.FEW:  # the difference would disclose the real value too
        note = (
            f"synthetic {synthetic.value:.6g}; the real value is not shown, since fewer than {intervals.FEW} privacy"
            " units have one"
        )
    floor = None if train is None else float(_agreement(np.array([abs(train.value - real.value)]), scale)[0])
    value = float(_agreement(np.array([abs(apart)]), scale)[0])
    return intervals.measured(
        PRESERVE,
        value,
        *map(float, ends),
        n=synthetic.rows,
        scope="property",
        of=prop.text,
        floor=floor,
        note=note,
    )


def _agreement(apart: np.ndarray, scale: float) -> np.ndarray:
    """1 - |difference| / scale, clipped at 0; with scale 0 (constant real values), 1 if equal and 0 otherwise."""
    if scale <= 0:
        return np.where(apart > 0, 0.0, 1.0)
    return np.clip(1 - np.abs(apart) / scale, 0, 1)


def _scale(prop: Property, control: Table) -> float:
    """Scale of the difference: the range of a share or a correlation, otherwise the standard deviation of the real
    values.
    """
    if prop.name in ("share", "corr"):
        return 1.0 if prop.name == "share" else 2.0
    values = prop.values(control.frame, prop.rows(control.frame))
    return float(figures("std", None, values, np.ones((1, len(values))))[0]) if len(values) > 1 else 0.0


def _side(prop: Property, table: Table, *, units: bool, rng: np.random.Generator | None) -> _Side:
    """The property of a table. Resamples use at most intervals.ROWS rows, and their deviations are scaled to all rows.
    rng: None for no resamples.
    """
    rows = prop.rows(table.frame)
    values = prop.values(table.frame, rows)
    none = np.zeros(RESAMPLES)
    groups = np.unique(table.units()[rows], return_inverse=True)[1].reshape(-1) if units else np.arange(len(rows))
    counts = len(rows), len(np.unique(groups))
    if len(rows) < 2:
        return _Side(np.nan, none, *counts)
    value = float(figures(prop.name, prop.q, values, np.ones((1, len(rows))))[0])
    if rng is None:
        return _Side(value, none, *counts)
    kept = np.flatnonzero(groups < intervals.ROWS) if units else np.sort(rng.permutation(len(rows))[: intervals.ROWS])
    values, groups = values[kept], np.unique(groups[kept], return_inverse=True)[1].reshape(-1)
    here = float(figures(prop.name, prop.q, values, np.ones((1, len(kept))))[0])
    drawn = np.concatenate([figures(prop.name, prop.q, values, w) for w in _weights(groups, rng=rng)])
    spread = np.where(np.isfinite(drawn), drawn - here, 0.0) * np.sqrt(len(kept) / len(rows))
    return _Side(value, spread, *counts)


def _weights(groups: np.ndarray, *, rng: np.random.Generator) -> Iterator[np.ndarray]:
    """Multiplicity of each row in each bootstrap resample of the groups, in batches of resamples. (b, rows)"""
    count = int(groups.max()) + 1
    steps = max(1, min(RESAMPLES, _AT_ONCE // len(groups)))
    for start in range(0, RESAMPLES, steps):
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=min(steps, RESAMPLES - start))
        yield drawn[:, groups].astype(np.float64)


def _percentiles(spread: np.ndarray, value: float) -> tuple[float, float]:
    """2.5 % and 97.5 % quantiles of the resampled differences, widened to include the estimate."""
    low, high = np.quantile(spread, [0.025, 0.975])
    return min(float(low), value), max(float(high), value)
