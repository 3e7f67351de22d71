"""Sampling of the times of children: the first and the last of each parent, then those between."""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.relational.model import event_times
from synthcli.relational.model.context import context_frame
from synthcli.relational.model.siblings import Siblings, waves
from synthcli.relational.model.table_method import ConditionalModel
from synthcli.relational.model.table_model import TableModel
from synthcli.relational.model.time_windows import TimeWindows

DRAWS = (1, 4, 16, 64)  # draws of a first and a last time at once, until they lie within their window
NEAR = 0.1  # part of a window by which draws that are reflected may lie outside


def sample_times(
    model: TableModel,
    windows: TimeWindows,
    siblings: Siblings,
    context: dict[str, np.ndarray],
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Sample the time of each row, in order within a parent. context: (rows,) without times. (rows,) int64 ticks

    Rows without a parent come first.
    """
    clock, rows, opening = windows.clock, len(siblings.owner), siblings.opening
    alone = int((siblings.owner < 0).sum())
    n = siblings.n[opening]
    begin, finish = _sample_ends(model, windows, siblings, context, rng=rng)
    ticks = np.concatenate([clock.alone(alone, rng=rng), np.repeat(begin, n)])
    ticks[opening + n - 1] = finish
    if rows == alone:
        return ticks
    static = context_frame(context, rows)
    for wave in waves(n, 1, 1, offset=alone):
        before, last, pairs = (
            ticks[wave.first - 1],
            finish[wave.parents],
            siblings.n[wave.first] - siblings.i[wave.first],
        )
        taken = np.zeros(len(wave.rows))
        if "pace" in model.models:
            moment = clock.pace_context(*(np.repeat(each, wave.many) for each in (before, last, pairs)))
            drawn = model.models["pace"].draw(joined(static, wave.rows, moment), len(wave.rows), rng=rng.spawn(1)[0])
            taken = drawn[event_times.TAKEN].to_numpy(dtype=np.float64)
        ticks[wave.rows] = clock.walk(wave, taken, before, last, pairs)
    return ticks


def _sample_ends(
    model: TableModel,
    windows: TimeWindows,
    siblings: Siblings,
    context: dict[str, np.ndarray],
    *,
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """Sample the time of the first and of the last child of each parent that has any. (families,) int64 ticks each"""
    clock, opening = windows.clock, siblings.opening
    owner, pairs = siblings.owner[opening], siblings.n[opening] - 1
    low, base, need = windows.low[owner], windows.base[owner], pairs * clock.least
    high = np.maximum(windows.high[owner] - need, low)
    if "ends" not in model.models or not len(opening):
        return clock.at(low), clock.at(low + need)
    known = context_frame({c: v[opening] for c, v in context.items()} | windows.room(owner), len(opening))
    method = model.models["ends"]
    since = _draw_within(method, known, event_times.FIRST, low - base, high - base, rng=rng)
    known = known.assign(**{event_times.FIRST: pd.array(since, dtype="Int64")})
    room, usual = (high - base - since) // clock.stride, clock.excess(np.zeros_like(pairs), pairs)
    excess = _draw_within(method, known, event_times.EXCESS, usual, usual + room, rng=rng)
    slack = np.where(pairs > 0, clock.from_excess(excess, pairs), 0)
    return clock.at(base + since), clock.at(base + since + need + slack * clock.stride)


def _draw_within(
    method: ConditionalModel,
    known: pd.DataFrame,
    column: str,
    low: np.ndarray,
    high: np.ndarray,
    *,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draw an integer for each row that lies from low to high, given what is known of the row. (rows,) int64

    What lies a little outside is reflected at the end, as in density estimates on an interval (Schuster 1985); what
    lies further outside is drawn again, and moved to the nearest end if no draw lies within.
    """
    out, left = low.copy(), np.arange(len(known))
    for times in DRAWS:
        rows = np.tile(left, times)
        drawn = method.draw(known.iloc[rows].reset_index(drop=True), len(rows), rng=rng.spawn(1)[0])[column]
        values = _reflected(drawn.fillna(0).to_numpy(dtype=np.int64), low[rows], high[rows])
        good = (values >= low[rows]) & (values <= high[rows])
        out[left] = values[: len(left)]
        places, chosen = np.unique(rows[good], return_index=True)
        out[places] = values[good][chosen]
        left = np.setdiff1d(left, places)
        if not len(left):
            break
    return np.clip(out, low, high)


def _reflected(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Reflect integers that lie outside of an interval by no more than a small part of its width. (rows,) int64"""
    near = (high - low) * NEAR + 1
    values = np.where((values > high) & (values - high <= near), 2 * high + 1 - values, values)
    values = np.where((values < low) & (low - values <= near), 2 * low - 1 - values, values)
    return values.astype(np.int64)


def joined(static: pd.DataFrame, rows: np.ndarray, more: dict[str, np.ndarray]) -> pd.DataFrame:
    """Take the context of some rows, and add more columns."""
    return pd.concat([static.take(rows).reset_index(drop=True), context_frame(more, len(rows))], axis=1)
