"""Repairs of rows that break a rule: times that are moved, parents without children, rows that are dropped."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcli.columns.constraints.rule import Rule
from synthcli.errors import FitError
from synthcli.relational.model.event_times import Clock

STEPS = 48  # times that a time which breaks a rule is moved, further each time
LOST = 0.05  # share of the rows of a table that may be dropped


def broken_by(rules: Sequence[Rule], frame: pd.DataFrame) -> dict[str, np.ndarray]:
    """Find the rows that break each rule: its text -> (rows,) bool."""
    return {rule.text: rule.violations(frame) for rule in rules}


def move_times(
    ticks: np.ndarray,
    frame: pd.DataFrame,
    rules: Sequence[Rule],
    clock: Clock,
    *,
    bounds: tuple[np.ndarray, np.ndarray],
    owner: np.ndarray,
    rng: np.random.Generator,
) -> tuple[np.ndarray, dict[str, int]]:
    """Move times that break a rule to the nearest that does not. Also returns the rows that broke each rule.

    ticks: (rows,); frame: (rows,) the other columns that rules read; bounds: (rows,), (rows,) the first and the last
    tick of each; owner: (rows,) the parent of each, whose children are to stay distinct if the clock says so.
    """
    out, counts = ticks.copy(), dict[str, int]()
    alone = [rule for rule in rules if not rule.TABLE]
    span = max(clock.grain, clock.end - clock.start)
    for step in range(STEPS):
        found = broken_by(rules, frame.assign(**{clock.column: clock.series(out)}))
        if step == 0:
            counts = {text: int(rows.sum()) for text, rows in found.items()}
        bad = np.flatnonzero(np.any(list(found.values()), axis=0))
        if not len(bad):
            break
        reach = max(1, min(2 * span // clock.grain, 2 ** (step // 2)))
        for sign in rng.permutation([-1, 1]):
            fresh = ticks[bad] + sign * rng.integers(1, reach + 1, size=len(bad)) * clock.grain
            seen = frame.iloc[bad].reset_index(drop=True).assign(**{clock.column: clock.series(fresh)})
            good = ~np.any(list(broken_by(alone, seen).values()), axis=0) if alone else np.ones(len(bad), dtype=bool)
            good &= (fresh >= bounds[0][bad]) & (fresh <= bounds[1][bad])
            if clock.distinct:
                good &= ~_taken(fresh, owner[bad], out, owner)
            out[bad[good]] = fresh[good]
            bad = bad[~good]
            if not len(bad):
                break
    return out, counts


def _taken(fresh: np.ndarray, mine: np.ndarray, ticks: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Find the new times that a sibling has, or that repeat among the new ones. fresh, mine: (n,); (n,) bool"""
    new, old = pd.MultiIndex.from_arrays([mine, fresh]), pd.MultiIndex.from_arrays([owner, ticks])
    return (mine >= 0) & (np.asarray(new.isin(old)) | np.asarray(new.duplicated()))


def check_losses(table: str, broken: dict[str, np.ndarray], rows: int, before: int, *, may_drop: bool) -> None:
    """Raise FitError where too many rows of a table break a rule, or any row of a table that may lose none.

    broken: rule text -> rows that break it; rows: of the table; before: rows that were dropped earlier.
    """
    lost = before + int(np.any(list(broken.values()), axis=0).sum())
    rows += before
    if not may_drop or lost > max(10, LOST * rows):
        raise FitError(
            f"constraints: table {table}: {lost:,} of {rows:,} generated rows break {' and '.join(broken)}, and"
            " none of many other draws obeys; remedy: a weaker constraint, or one on columns that are drawn"
        )
