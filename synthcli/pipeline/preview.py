"""Preview a few records from a small fit; nothing is written."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from synthcli.contracts.modelling import Job, Limits
from synthcli.pipeline.plan import make_plan
from synthcli.spec.load import load_spec

RECORDS, MINUTES = 2_000, 1.0  # limits of a preview's fit


def preview(spec: str | Path, rows: int, sets: Sequence[str]) -> tuple[Mapping[str, pd.DataFrame], str]:
    """Return tables by name, "" for a single one, from a fit on at most RECORDS records; and the method."""
    plan = make_plan(load_spec(spec, sets))
    real, limits = plan.modality.read(plan.described), Limits(minutes=MINUTES)
    if plan.auto:
        plan = plan.with_choice(plan.modality.choose(len(real.train), real.train.schema, limits))
    choice = plan.choices[0]
    with tempfile.TemporaryDirectory() as scratch:
        job = Job(plan.spec.seed, Path(scratch), "cpu", limits, target=plan.spec.evaluate.target)
        tables = plan.modality.preview(real, choice, plan.request(rows), most=RECORDS, job=job)
    return tables, choice.method
