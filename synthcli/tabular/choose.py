"""What `method: auto` takes, from rows, types and limits, and why. `make bench ARGS=--auto` holds the choice against
every method.

trees, unless they do not fit into generator.limits: then cheaper trees are taken, then independent columns. Never
chosen: gaussian_copula, which led on small tables of numbers until trees learned to keep the relations of few rows, and
now does no better there; arnet, which takes several times as long and led on one small table alone, on which it leaked;
bootstrap, which repeats real rows.
"""

from __future__ import annotations

from dataclasses import replace

from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import Limits
from synthcli.contracts.schema import Schema
from synthcli.tabular import costs

TREES = Choice("trees", {}, modality="tabular")
FEW_TREES = Choice("trees", {"trees": 1}, modality="tabular")
INDEPENDENT = Choice("independent", {}, modality="tabular")


def choose(rows: int, schema: Schema, limits: Limits | None = None) -> Choice:
    """The choice for a table of so many rows. limits: of the fit; what is expected to break them is not
    chosen.
    """
    size = costs.work(rows, schema)
    if size.learned < 2:
        return _said(INDEPENDENT, f"{size.learned} columns to model: there is nothing to depend on")
    seen = f"{rows:,} rows × {size.learned} columns, {size.numbers / size.learned:.0%} of them numbers"
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
    assert cost is not None  # of all that may be chosen it is known
    return cost


def _needs(choice: Choice, size: Work) -> str:
    cost = _cost(choice)
    return f"about {_time(cost.seconds(size))} and {cost.gigabytes(size):.1f} GB"


def _beyond(cost: Cost, size: Work, limits: Limits) -> str | None:
    """How it would break a limit; None where it would not."""
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
