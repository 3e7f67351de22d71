"""The manifest of a run: its inputs, stages and environment."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

from synthcli import plugins
from synthcli.artifacts import files, store
from synthcli.artifacts.store import Workspace
from synthcli.packages import packages
from synthcli.pipeline import keys
from synthcli.pipeline.plan import Plan
from synthcli.pipeline.refine import Round
from synthcli.version import __version__


def build(
    plan: Plan,
    space: Workspace,
    rounds: Sequence[Round],
    verdict: Mapping[str, Any] | None,
    *,
    upto: str,
    complete: bool,
    started: float,
    rows: int,
    stages: Mapping[str, Mapping[str, Any]],
    output: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """manifest.json. rows: of the source; stages: place -> its record; output: the delivered files or tables."""
    source = plan.spec.source
    pickled = {r.choice.method for r in rounds if r.folder is not None and _method(r).TRUSTED_LOAD}
    return {
        "name": plan.loaded.name,
        "key": space.key,
        "upto": upto,
        "complete": complete,
        "passed": bool(verdict["passed"]) if verdict is not None else None,
        "started": started,
        "finished": time.time(),
        "data": {
            "source": source.type,
            "dataset": source.dataset,
            "hash": plan.data_key,
            "rows": rows,
            "path": str("" if source.path is None else plan.loaded.place(source.path, "source", "path")),
        },
        "spec_path": str(plan.loaded.file),
        "spec_hash": files.sha256(space.folder / store.SPEC),
        "purpose": plan.spec.purpose,
        "seed": plan.spec.seed,
        "randomness": "numpy PCG64 streams named by stage and block, from the spec's seed",
        "code": {"synthcli": __version__, "hash": keys.code_hash(plan.checked.modality)},
        "packages": packages(*(r.choice for r in rounds)),
        "python": sys.version.split()[0],
        "platform": platform.platform(),
        "stages": {place: {k: record[k] for k in ("key", "seconds", "cached")} for place, record in stages.items()},
        "rounds": [r.name for r in rounds],
        "pickled": sorted(pickled),
        "output": output,
        "overrides": list(plan.loaded.sets),
    }


def _method(tried: Round) -> Any:
    return plugins.method(tried.choice.method, tried.choice.modality)
