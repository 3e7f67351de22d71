"""A mixture of sequential models that differ in their visit sequence; each row is drawn from one of them.

Each visit sequence makes errors of its own. Since the logarithm is concave, a mixture of densities is nearer to the
truth than its components are on average.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synthcli.columns.codec.conditions import Conditions
from synthcli.columns.codec.parts import Values
from synthcli.tabular.trees.sequential import SequentialModel, SequentialSampler, draw_conditional, last_condition


def draw(models: Sequence[SequentialModel], rows: int, *, rng: np.random.Generator) -> Values:
    """Draw every part of `rows` rows, equally many from each model."""
    return _mix(models, rows, _draw_one, rng=rng)


def complete(models: Sequence[SequentialModel], conditions: Conditions, *, rng: np.random.Generator) -> Values:
    """Draw rows that meet conditions. If cells are known, use the model that reaches its last condition first."""
    if conditions.known:
        return draw_conditional(min(models, key=lambda model: last_condition(model, conditions)), conditions, rng=rng)

    def draw_some(model: SequentialModel, rows: int, rng: np.random.Generator) -> Values:
        return draw_conditional(model, Conditions(rows, {}, conditions.within), rng=rng)

    return _mix(models, conditions.rows, draw_some, rng=rng)


def _draw_one(model: SequentialModel, rows: int, rng: np.random.Generator) -> Values:
    sampler = SequentialSampler(model, Conditions(rows))
    for name, stream in zip(model.order, rng.spawn(len(model.order))):
        sampler.draw_next(name, rng=stream)
    return sampler.out


def _mix(
    models: Sequence[SequentialModel],
    rows: int,
    draw: Callable[[SequentialModel, int, np.random.Generator], Values],
    *,
    rng: np.random.Generator,
) -> Values:
    """Rows of the models in turn. Parts that only some models have are left out."""
    count = max(1, min(len(models), rows))
    if count == 1:
        return draw(models[0], rows, rng)
    drawn = [
        draw(model, len(range(k, rows, count)), stream)
        for k, (model, stream) in enumerate(zip(models, rng.spawn(count)))
    ]
    out = {
        name: np.empty(rows, dtype=values.dtype)
        for name, values in drawn[0].items()
        if all(name in other for other in drawn)
    }
    for name, values in out.items():
        for k, each in enumerate(drawn):
            values[k::count] = each[name]
    return out
