"""Foresee what a run would do; nothing is generated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthcli.artifacts import files, store
from synthcli.artifacts.store import Store
from synthcli.pipeline import decisions, keys
from synthcli.pipeline.plan import make_plan, rows_requested
from synthcli.pipeline.preflight import estimate
from synthcli.spec.load import load_spec


def foreseen(spec: str | Path, root: Path, sets: Sequence[str]) -> dict[str, Any]:
    """Foresee a run: {stages, total, reads, writes, warnings}.

    stages: those of the first round of each candidate, whether an earlier run has them, and their estimated cost, see
    estimate.Estimates.
    """
    plan = make_plan(load_spec(spec, sets))
    index = Store(root, plan.loaded.name).stage_index()
    key = keys.analyze_key(plan)
    profile = files.read_json(index[key] / store.PROFILE) if key in index else {}
    size = plan.modality.look(plan.described, profile)
    if plan.auto and size.schema is not None and size.parts is not None:
        limits = plan.spec.generator.limits.build()
        plan = plan.with_choice(plan.modality.choose(size.parts["train"], size.schema, limits))
    rows = plan.spec.generate.rows
    if rows is None and size.records:
        rows = rows_requested(plan.spec, size.records)
    estimates = estimate.Estimates(plan, size, rows, root)
    lines = estimates.lines(estimate.steps(plan, rows if profile else None), index)
    return {
        "stages": lines,
        "total": estimate.total(lines, plan),
        "reads": estimate.reads(plan, size),
        "writes": estimate.writes(plan, size, rows, root),
        "warnings": decisions.warnings(plan.loaded, size.undecided),
    }
