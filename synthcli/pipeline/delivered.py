"""Whether what a version delivered still stands where it was delivered, unchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from synthcli import sources
from synthcli.artifacts import files
from synthcli.contracts.modality import Target
from synthcli.pipeline.plan import Plan
from synthcli.sources.paths import ENDINGS


def stands(plan: Plan, output: Mapping[str, Any] | None) -> bool:
    """Whether every file, object and table of an output has the bytes that were delivered. output: of the manifest,
    None if nothing was delivered. A table that rows are appended to is not compared.
    """
    if plan.target is None:
        return True
    if output is None or output["format"] != plan.target.format:
        return False
    digests = _digests(output)
    targets = _targets(plan, plan.target, output)
    return targets.keys() == digests.keys() and all(
        digests[where] is None or _digest(target) == digests[where] for where, target in targets.items()
    )


def _digest(target: Target) -> str | None:
    if not isinstance(target.path, Path):
        return sources.digest(target)
    return files.sha256(target.path) if target.path.is_file() else None


def _digests(output: Mapping[str, Any]) -> dict[str, str | None]:
    """The hash of each delivered file or table, by its place."""
    if "tables" in output:
        tables = output.get("digests", output["tables"])
        return {f"{output['path']} {name}": tables[name] for name in output["tables"]}
    return {each["path"]: each.get("sha256", each.get("digest")) for each in output.get("copies", [output])}


def _targets(plan: Plan, target: Target, output: Mapping[str, Any]) -> dict[str, Target]:
    """Where each file or table is delivered by this plan, by its place."""
    if "tables" not in output:
        return {each.where: each for each in plan.modality.outputs(target, plan.request(0))}
    if not isinstance(target.path, Path):
        return {f"{target.url} {name}": replace(target, table=name) for name in output["tables"]}
    ending = ENDINGS[target.format].own[0]
    return {f"{target.path} {name}": replace(target, path=target.path / f"{name}{ending}") for name in output["tables"]}
