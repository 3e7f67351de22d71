"""What `method: auto` takes, from rows, types and limits, and why. `make bench ARGS=--auto` holds the choice against every method.

trees, unless they do not fit into generator.limits: then cheaper trees are taken, then independent columns. Never chosen: gaussian_copula, which led on
small tables of numbers until trees learned to keep the relations of few rows, and now does no better there; arnet, which takes several times as long and
led on one small table alone, on which it leaked; bootstrap, which repeats real rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from synthcli.columns import frame as frames
from synthcli.contracts import Limits, Schema

NEAR = 40  # columns that a tree looks at, about; beyond, a column takes no longer for there being more


@dataclass(frozen=True)
class Shape:
    """What cost depends on: rows, and columns that are numbers or codes."""

    rows: int
    numbers: int
    codes: int

    @property
    def columns(self) -> int:
        return self.numbers + self.codes

    def __str__(self) -> str:
        share = self.numbers / max(1, self.columns)
        return f"{self.rows:,} rows × {self.columns} columns, {share:.0%} of them numbers"


@dataclass(frozen=True)
class Candidate:
    """A method that may be taken. seconds: of a fit on one core; bytes_: of memory for each cell, beside what the program itself holds."""

    method: str
    params: dict[str, Any]
    seconds: Callable[[Shape], float]
    bytes_: float

    def gigabytes(self, shape: Shape) -> float:
        """Resident memory at the height of a fit, about."""
        return _PROGRAM_GB + shape.rows * shape.columns * self.bytes_ / 2**30

    def __str__(self) -> str:
        words = ", ".join(f"{key}: {value}" for key, value in self.params.items())
        return f"{self.method} ({words})" if words else self.method


def _trees(share: float) -> Callable[[Shape], float]:
    """Seconds of forests with that share of the default's trees: a number's splits cost about eight times what a code's do."""
    return lambda s: 0.02 * s.columns + share * s.rows * min(s.columns, NEAR) * (4e-6 * s.numbers + 0.5e-6 * s.codes)


# Fitted to CPU seconds of 500 to 48,000 rows × 15 to 240 simulated columns on one core: for trees from 0.9 to 2.4 times what was measured. Bytes are
# twice what a cell had added to resident memory once a fit was through.
_PROGRAM_GB = 0.5
TREES = Candidate("trees", {}, _trees(1.0), 230)
FEW_TREES = Candidate("trees", {"trees": 1}, _trees(0.35), 230)
COPULA = Candidate("gaussian_copula", {}, lambda s: 3 + s.rows * s.columns * (10e-6 + 0.08e-6 * s.columns), 170)
INDEPENDENT = Candidate("independent", {}, lambda s: 0.005 * s.columns + s.rows * s.columns * 0.5e-6, 80)


def choose(rows: int, schema: Schema, limits: Limits | None = None) -> dict[str, Any]:
    """{method, params, why} for a table of so many rows. limits: of the fit; what is expected to break them is not chosen."""
    kinds = [c.kind for c in schema.columns if c.kind in frames.MODELLED]
    shape = Shape(rows, sum(k in frames.NUMBERS for k in kinds), sum(k in frames.CODES for k in kinds))
    if shape.columns < 2:
        return _said(INDEPENDENT, f"{shape.columns} columns to model: there is nothing to depend on")
    refused: list[str] = []
    for candidate in (TREES, FEW_TREES):
        if (too_much := _beyond(candidate, shape, limits or Limits())) is None:
            reason = "trees are the most faithful, or close to it, and among the fastest" if candidate is TREES else f"{candidate} fits"
            return _said(candidate, "; ".join([f"{shape}: {reason}", _needs(candidate, shape), *refused]))
        refused.append(f"not {candidate}: {too_much}")
    remedy = "source.max_rows or a higher limit makes room for trees"
    return _said(INDEPENDENT, "; ".join([f"{shape}: only independent columns fit", _needs(INDEPENDENT, shape), *refused, remedy]))


def _needs(candidate: Candidate, shape: Shape) -> str:
    return f"about {_time(candidate.seconds(shape))} and {candidate.gigabytes(shape):.1f} GB"


def _beyond(candidate: Candidate, shape: Shape, limits: Limits) -> str | None:
    """How it would break a limit; None where it would not."""
    seconds, gigabytes = candidate.seconds(shape), candidate.gigabytes(shape)
    if limits.minutes is not None and seconds > limits.minutes * 60:
        return f"about {_time(seconds)}, generator.limits.minutes is {limits.minutes:g}"
    if limits.memory_gb is not None and gigabytes > limits.memory_gb:
        return f"about {gigabytes:.1f} GB, generator.limits.memory_gb is {limits.memory_gb:g}"
    return None


def _time(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def _said(candidate: Candidate, why: str) -> dict[str, Any]:
    return {"method": candidate.method, "params": dict(candidate.params), "why": why}
