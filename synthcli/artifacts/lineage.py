"""List runs, and compare two of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthcli.artifacts import store
from synthcli.artifacts.store import MEASURED, PLAN, STAGES, Store, Version
from synthcli.errors import ArtifactError


def listing(root: Path, name: str | None) -> list[dict[str, Any]]:
    """Versions by name and number, and unfinished runs with their finished stages."""
    out: list[dict[str, Any]] = []
    for one in store.chosen(root, name):
        shelf = Store(root, one)
        out += [_line(version) for version in shelf.versions()]
        for folder in shelf.unfinished():
            stages = sorted({p.parent.name for p in folder.rglob(store.STAGE)})
            out.append({"run": f"{one}/{folder.name}", "state": "unfinished", "stages": stages})
    return out


_STATES = {True: "passed", False: "failed", None: "not measurable"}


def _line(version: Version) -> dict[str, Any]:
    try:
        manifest, verdict = version.manifest(), version.verdict()
    except ArtifactError as error:
        return {"run": version.name, "state": "damaged", "why": str(error)}
    passed = manifest.get("passed")
    state = {True: "passed", False: "failed", None: f"up to {manifest['upto']}"}[passed]
    return {
        "run": version.name,
        "state": state,
        "method": verdict["method"] if verdict else None,
        "finished": manifest["finished"],
        "failed": verdict["failed"] if verdict else [],
        "rows": (version.read(store.GENERATE, store.SAMPLE) or {}).get("rows"),
        "figures": measurements(version),
    }


def begun(run: dict[str, Any]) -> bool:
    """Whether a line of a listing has anything to show: a version, or an unfinished run with a finished stage."""
    return run["state"] != "unfinished" or bool(run["stages"])


def measurements(version: Version) -> dict[str, Any]:
    """Overall measurements of a run against the holdout: name -> value."""
    out = {}
    for stage in (STAGES["evaluate"], STAGES["privacy-check"]):
        for m in (version.read(stage, MEASURED) or {"measurements": []})["measurements"]:
            if m.get("scope", "overall") == "overall":
                out[m["name"]] = m["value"]
    return out


def difference(first: Version, second: Version) -> dict[str, Any]:
    """{section: [[what, first, second], ...]}: only the differences."""
    a, b = first.manifest(), second.manifest()
    sections = {
        "spec": (_flat(first.read(PLAN)), _flat(second.read(PLAN))),
        "data": (_flat(a["data"]), _flat(b["data"])),
        "code and packages": (
            _flat({**a["code"], **a["packages"], "python": a["python"]}),
            _flat({**b["code"], **b["packages"], "python": b["python"]}),
        ),
        "measurements": (measurements(first), measurements(second)),
        "verdict": (_gates(first), _gates(second)),
        "files": (_data_hash(a), _data_hash(b)),
    }
    changed = {
        name: [[k, x.get(k), y.get(k)] for k in sorted(x.keys() | y.keys()) if x.get(k) != y.get(k)]
        for name, (x, y) in sections.items()
    }
    return {
        "first": first.name,
        "second": second.name,
        "changed": {name: rows for name, rows in changed.items() if rows},
    }


def _gates(version: Version) -> dict[str, Any]:
    verdict = version.verdict() or {"gates": [], "passed": None, "method": None}
    gates = {f"gate {g['metric']}": _STATES[g["passed"]] for g in verdict["gates"]}
    return {"passed": verdict["passed"], "method": verdict["method"], **gates}


def _data_hash(manifest: dict[str, Any]) -> dict[str, Any]:
    name = f"{store.GENERATE}/{store.DATA}"
    return {"synthetic data": manifest["files"].get(name)}


def _flat(data: Any) -> dict[str, Any]:
    """Nested keys as dotted names."""
    return dict(_leaves(data, ""))


def _leaves(data: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    items = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else None
    if items is None:
        yield prefix, data
        return
    for key, value in items:
        yield from _leaves(value, f"{prefix}.{key}" if prefix else str(key))
