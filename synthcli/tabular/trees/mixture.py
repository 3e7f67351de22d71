"""Several chains of forests that differ in the order of the columns, and rows that each follow one of them.

The errors of an order are its own: a mixture of densities is nearer to the truth than its parts are on average (the log
is concave).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from synthcli.columns.codec.conditions import Asked
from synthcli.columns.codec.parts import Values
from synthcli.tabular.trees.sequential import Chain, Learned, follow, last_asked


def draw(chains: Sequence[Learned], rows: int, *, rng: np.random.Generator) -> Values:
    """Every part of `rows` rows, as many of each chain."""
    return _mixed(chains, rows, _drawn, rng=rng)


def complete(chains: Sequence[Learned], asked: Asked, *, rng: np.random.Generator) -> Values:
    """The same where something is asked of the rows; where it is known, by the chain that is through with it
    soonest.
    """
    if asked.known:
        return follow(min(chains, key=lambda learned: last_asked(learned, asked)), asked, rng=rng)
    return _mixed(
        chains, asked.rows, lambda learned, rows, rng: follow(learned, Asked(rows, {}, asked.within), rng=rng), rng=rng
    )


def _drawn(learned: Learned, rows: int, rng: np.random.Generator) -> Values:
    chain = Chain(learned, Asked(rows))
    for name, stream in zip(learned.order, rng.spawn(len(learned.order))):
        chain.step(name, rng=stream)
    return chain.out


def _mixed(
    chains: Sequence[Learned],
    rows: int,
    made: Callable[[Learned, int, np.random.Generator], Values],
    *,
    rng: np.random.Generator,
) -> Values:
    """Rows of the chains in turn: within a chain they come in no order. Parts that only some chains have are left
    out.
    """
    many = max(1, min(len(chains), rows))
    if many == 1:
        return made(chains[0], rows, rng)
    own = [
        made(learned, len(range(k, rows, many)), stream)
        for k, (learned, stream) in enumerate(zip(chains, rng.spawn(many)))
    ]
    out = {
        name: np.empty(rows, dtype=values.dtype)
        for name, values in own[0].items()
        if all(name in other for other in own)
    }
    for name, values in out.items():
        for k, each in enumerate(own):
            values[k::many] = each[name]
    return out
