"""Membership inference: do the synthetic records reveal which records were in train?"""

from __future__ import annotations

import numpy as np

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Gauge, Measurement
from synthcli.tabular.judging import intervals
from synthcli.tabular.judging.encoding import cut, encode, one_per_unit
from synthcli.tabular.judging.neighbours import affordable, embed, nearest

MEMBERSHIP = Gauge(
    "membership_auc",
    "lower",
    frozenset({"train", "control", "synthetic"}),
    "ROC AUC of an attacker who ranks train and control records by their distance to the nearest synthetic record; "
    "0.5 is guessing",
    "auc",
)
GAUGES: tuple[Gauge, ...] = (MEMBERSHIP,)
CANDIDATES, REFERENCES = 4_000, 12_000  # maximum of members and of non-members each; of synthetic records
_FEWEST = 20


def measure(evidence: Evidence, *, rng: np.random.Generator) -> list[Measurement]:
    """Attack one record per privacy unit, so that records are independent; DeLong interval.

    control: the attack on two halves of control, both unseen by the fit. baseline: the attack on independent columns.
    """
    if note := intervals.missing_evidence(evidence, "train", "control", "synthetic"):
        return intervals.unmeasured(GAUGES, note)
    members, others = one_per_unit(evidence.train, rng=rng), one_per_unit(evidence.control, rng=rng)
    size = min(len(members), len(others), CANDIDATES if evidence.full else CANDIDATES // 2)
    if size < _FEWEST:
        return intervals.not_measurable(GAUGES, f"fewer than {_FEWEST} train or control records to distinguish")
    twice, references = affordable(2 * size, min(len(evidence.synthetic), REFERENCES), len(evidence.schema.columns))
    tables: dict[str, Table] = {"train": cut(members, twice // 2, rng=rng), "control": cut(others, twice // 2, rng=rng)}
    tables["synthetic"] = cut(evidence.synthetic, references, rng=rng)
    if evidence.full and evidence.baseline is not None and len(evidence.baseline):
        tables["baseline"] = cut(evidence.baseline, references, rng=rng)
    encoded = encode(tables, evidence.schema)
    if not encoded.names:
        return intervals.unmeasured(GAUGES, "no column to compare records by")
    points = embed(encoded)
    near = {
        k: [-nearest(points[side], points[k])[0] for side in ("train", "control")]
        for k in ("synthetic", "baseline")
        if k in points
    }
    value, variance = intervals.auc(*near["synthetic"])
    unseen = near["synthetic"][1]
    control = intervals.auc(*np.array_split(rng.permutation(unseen), 2))[0]
    base = intervals.auc(*near["baseline"])[0] if "baseline" in near else None
    return [
        intervals.measured(
            MEMBERSHIP, value, *intervals.around(value, variance), n=twice // 2 * 2, baseline=base, control=control
        )
    ]
