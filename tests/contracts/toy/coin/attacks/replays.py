"""Training sequences that come out again, beside unseen ones."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement

GAUGES = (
    Gauge("coin_replays", "lower", frozenset({"train", "control"}), "share of replayed sequences, beyond chance"),
)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    rates = [
        np.mean([s in set(part.flips) for s in evidence.synthetic.flips]) for part in (evidence.train, evidence.control)
    ]
    return [Measurement("coin_replays", float(rates[0] - rates[1]), better="lower", control=float(rates[1]))]
