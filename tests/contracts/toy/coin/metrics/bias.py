"""How near the share of heads is to that of unseen sequences."""

from __future__ import annotations

import numpy as np

from synthcli.contracts.evaluation import Evidence, Gauge, Measurement

GAUGES = (Gauge("coin_bias", "higher", frozenset({"control"}), "1 - |difference of the shares of heads|"),)


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    value = 1 - abs(evidence.synthetic.heads - evidence.control.heads)
    floor = 1 - abs(evidence.train.heads - evidence.control.heads)
    return [Measurement("coin_bias", value, n=len(evidence.synthetic), floor=floor)]
