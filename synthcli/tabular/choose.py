"""Choice of a method for `method: auto`, with a reason, from rows, types and limits. `make bench ARGS=--auto` compares
the choice with every method.

The choice is trees; if they exceed generator.limits, cheaper trees, then independent columns. Never chosen are
gaussian_copula (no better than trees, not even on small tables of numbers), arnet (several times slower, better on one
small table only, on which it leaked) and bootstrap (repeats real rows).
"""

from __future__ import annotations

from dataclasses import replace

from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import Limits
from synthcli.contracts.schema import Schema
from synthcli.tabular import costs
from synthcli.wording import quantity

TREES = Choice("trees", {}, modality="tabular")
FEW_TREES = Choice("trees", {"trees": 1}, modality="tabular")
INDEPENDENT = Choice("independent", {}, modality="tabular")


def choose(rows: int, schema: Schema, limits: Limits | None = None) -> Choice:
    """Choose a method for a table. limits: of the fit; a method expected to exceed them is not chosen."""
    size = costs.work(rows, schema)
    if size.learned < 2:
        return _said(INDEPENDENT, f"{quantity(size.learned, 'modelled column')}, hence no dependencies")
    numbers = f"{size.numbers / size.learned:.0%} of them numbers"
    seen = f"{quantity(rows, 'row')} × {quantity(size.learned, 'column')}, {numbers}"
    refused: list[str] = []
    for choice in (TREES, FEW_TREES):
        if (too_much := _beyond(_cost(choice), size, limits or Limits())) is None:
            reason = (
                "trees are the most faithful, or close to it, and among the fastest"
                if choice is TREES
                else f"{_words(choice)} fits"
            )
            return _said(choice, "; ".join([f"{seen}: {reason}", _needs(choice, size), *refused]))
        refused.append(f"not {_words(choice)}: {too_much}")
    remedy = "source.max_rows or a higher limit makes room for trees"
    return _said(
        INDEPENDENT, "; ".join([f"{seen}: only independent columns fit", _needs(INDEPENDENT, size), *refused, remedy])
    )


def _cost(choice: Choice) -> Cost:
    cost = costs.trained(choice)
    assert cost is not None  # every candidate has been timed
    return cost


def _needs(choice: Choice, size: Work) -> str:
    cost = _cost(choice)
    return f"about {_time(cost.seconds(size))} and {cost.gigabytes(size):.1f} GB"


def _beyond(cost: Cost, size: Work, limits: Limits) -> str | None:
    """The limit that the cost exceeds, in words; None if it exceeds none."""
    seconds, gigabytes = cost.seconds(size), cost.gigabytes(size)
    if limits.minutes is not None and seconds > limits.minutes * 60:
        return f"about {_time(seconds)}, generator.limits.minutes is {limits.minutes:g}"
    if limits.memory_gb is not None and gigabytes > limits.memory_gb:
        return f"about {gigabytes:.1f} GB, generator.limits.memory_gb is {limits.memory_gb:g}"
    return None


def _time(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 120 else f"{seconds / 60:,.0f} min"


def _words(choice: Choice) -> str:
    words = ", ".join(f"{key}: {value}" for key, value in choice.params.items())
    return f"{choice.method} ({words})" if words else choice.method


def _said(choice: Choice, why: str) -> Choice:
    return replace(choice, why=why)
