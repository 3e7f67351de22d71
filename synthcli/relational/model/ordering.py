"""The column that orders the rows of a parent: a time without nulls, else an integer such as a year or a visit number.

An integer orders rows if the source lists the rows of each parent in its order, or if it hardly ever repeats within a
parent although chance alone would repeat it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.codec.parts import integers
from synthcli.contracts.schema import Schema

STEPS = 10  # pairs of siblings that differ, at least, and repetitions that chance would bring
STRICT = 0.3  # share of the pairs of siblings that an order of the source tells apart, at least
RARE = 0.2  # of the repetitions that chance would bring, at most, in a column that hardly repeats
NARROW = 0.7  # range within a parent, as a share of that of random rows, at most: years of a career, days of a stay
YEARS = (1500, 2200)  # integers between these may be calendar years


def time_column(frame: pd.DataFrame, schema: Schema, among: tuple[str, ...]) -> str | None:
    """Return the first time column without nulls. among: candidates."""
    for column in schema.columns:
        if column.kind == "datetime" and column.name in among and len(frame) and not frame[column.name].isna().any():
            return column.name
    return None


def are_years(values: pd.Series) -> bool:
    """Say whether integers can be calendar years. values: nulls are left out."""
    known = values.dropna()
    return values.dtype == "Int64" and len(known) > 0 and bool(known.between(*YEARS).all())


def ordering_integer(
    frame: pd.DataFrame, schema: Schema, among: tuple[str, ...], owner: np.ndarray, number: np.ndarray | None
) -> str | None:
    """Find the integer that orders the rows of each parent, None without one.

    among: candidates; owner: (rows,) position of the parent, negative without one; number: (rows,) a column that counts
    the rows of a parent, which the integer must follow.
    """
    found: dict[str, tuple[bool, bool, float]] = {}
    for name in among:
        if schema[name].kind != "integer" or frame[name].isna().any():
            continue
        values, years = integers(frame[name]), are_years(frame[name])
        listed = Steps.of(values, owner, np.arange(len(owner)) if number is None else number)
        if listed.in_order:
            found[name] = True, years, listed.up / max(listed.pairs, 1)
        elif number is None and _hardly_repeats(values, owner, years=years):
            found[name] = False, years, 0.0
    return max(found, key=lambda name: found[name]) if found else None


@dataclass(frozen=True)
class Steps:
    """Changes of a number between successive siblings. pairs: of siblings; up, down: pairs in which it grows, falls."""

    pairs: int
    up: int
    down: int

    @classmethod
    def of(cls, values: np.ndarray, owner: np.ndarray, rank: np.ndarray) -> Steps:
        """Count the changes. rank: (rows,) order of the siblings."""
        order = np.lexsort((rank, owner))
        same = (owner[order][1:] == owner[order][:-1]) & (owner[order][1:] >= 0)
        change = np.diff(values[order])[same]
        return cls(len(change), int((change > 0).sum()), int((change < 0).sum()))

    @property
    def in_order(self) -> bool:
        """Whether the number never falls, and grows often enough to tell siblings apart."""
        return self.down == 0 and self.up >= max(STEPS, STRICT * self.pairs)


def _hardly_repeats(values: np.ndarray, owner: np.ndarray, *, years: bool) -> bool:
    """Say whether a number tells the rows of a parent apart, as a position does and a measurement does not.

    The number of repetitions by chance is computed from the range within each parent, and from all rows. Products that
    a parent never has twice are not positions: the numbers of a parent are closer together than those of random rows,
    or begin with the same number for all parents, or are years.
    """
    has = owner >= 0
    if not has.any():
        return False
    families = pd.DataFrame({"owner": owner[has], "value": values[has]}).groupby("owner")["value"]
    ends = families.agg(["size", "nunique", "min", "max"])
    n, distinct = ends["size"].to_numpy(dtype=np.float64), ends["nunique"].to_numpy(dtype=np.float64)
    width = (ends["max"] - ends["min"]).to_numpy(dtype=np.float64)
    places = width + 1
    within = np.where(n > 2, n - places * (1 - (1 - 1 / places) ** n), 0.0)
    share = np.bincount(pd.factorize(values[has])[0]) / has.sum()
    overall = n * (n - 1) / 2 * float((share**2).sum())
    expected, seen = float(np.maximum(within, np.minimum(overall, n - 1)).sum()), float((n - distinct).sum())
    if expected < STEPS or seen > RARE * expected:
        return False
    several = n > 1
    spread = float(np.subtract(*np.quantile(values[has], [0.95, 0.05])))
    random_width = spread * (n[several] - 1) / (n[several] + 1)  # mean range of n uniform numbers
    return years or ends["min"].nunique() == 1 or bool(width[several].sum() <= NARROW * random_width.sum())
