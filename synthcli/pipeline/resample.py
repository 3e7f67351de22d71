"""Generate more records from an old run's model without its source, and complete the rows of a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from synthcli import plugins
from synthcli.artifacts import store
from synthcli.artifacts.store import ANALYZE, FIT, PLAN, PROFILE, TRAIN, Version
from synthcli.contracts.modality import Choice, Completion, Fitted, Modality, Origin, Support, Target
from synthcli.contracts.modelling import Request
from synthcli.errors import ArtifactError, GateClosed, SpecError
from synthcli.pipeline.events import Events
from synthcli.pipeline.stages import support_note
from synthcli.spec import describe, table_keys, yaml
from synthcli.spec.load import override, validate
from synthcli.spec.models import Generate

CONDITIONS = ("where", "balance", "fairness")


@dataclass(frozen=True)
class Released:
    """A run whose model may be used. seed: the seed of its spec; request: its conditions."""

    version: Version
    modality: Modality
    fitted: Fitted
    origin: Origin
    seed: int
    request: Request


def more(
    root: Path,
    run: str,
    rows: int | None,
    target: Path | Target,
    *,
    seed: int | None,
    keep_failed: bool,
    events: Events,
    generate: Generate | None = None,
) -> dict[str, Any]:
    """Generate records from a run's model: {run, rows, output, …}.

    rows: None for as many as generate.rows or generate.scale says; generate: conditions on the records; None: those of
    the run. Raises GateClosed when the run did not pass its gates or does not verify (unless keep_failed),
    ArtifactError when it holds a pickled model that this user's run did not write, SpecError without a number of rows.
    """
    old = released(root, run, keep_failed=keep_failed)
    own = old.seed if seed is None else seed
    request = old.request if generate is None else describe.request_of(generate, own)
    rows = _rows(old.version, generate) if rows is None else rows
    request = replace(request, rows=rows, seed=own)
    to = Target("", target) if isinstance(target, Path) else target
    written = old.modality.more(old.fitted, request, to, old.origin, progress=events.progress)
    return {"run": old.version.name, "rows": rows, **written, **_support(old.version, written)}


def _support(version: Version, written: Mapping[str, Any]) -> dict[str, str]:
    """How many real records stand behind `where`: estimated, since the source is not read, by the share of the model's
    unconditional rows that meet it, of the records that it learned from.
    """
    asked, fit = written.get("asked") or {}, version.read(TRAIN, FIT) or {}
    if asked.get("share_by_itself") is None or not isinstance(fit.get("rows"), int):
        return {}
    found = Support(asked["where"], int(asked["rows"]), round(asked["share_by_itself"] * fit["rows"]))
    return {"support": support_note(found, about="about ")}


def conditions(root: Path, run: str, sets: Sequence[str], where: str | None) -> Generate | None:
    """The conditions of a run with keys of generate that are set anew, as KEY=VALUE; None to keep them. where: in place
    of all of them. Raises SpecError for another key.
    """
    if where is not None and not sets:
        return Generate(where=where)
    if not sets:
        return None
    plan = store.find(root, run).read(PLAN) or {}
    own = {key: value for key in CONDITIONS if (value := plan.get("generate", {}).get(key)) is not None}
    own |= {} if where is None else {"where": where}
    document = yaml.Document({"source": {"type": "none"}, "generate": own}, {}, run)
    allowed = (*CONDITIONS, "rows", "scale")
    for text in sets:
        key = text.partition("=")[0].strip().split(".")
        if key[0] != "generate" or len(key) < 2 or key[1] not in allowed:
            raise SpecError(
                f"--set {text}: with --from, only keys of generate can be set: {', '.join(allowed)}; remedy: a SPEC for"
                " the others"
            )
        document = override(document, text)
    return validate(document).generate


def _rows(version: Version, generate: Generate | None) -> int:
    """The number of rows that generate asks for. Raises SpecError without one."""
    if generate is None or (generate.rows is None and generate.scale is None):
        raise SpecError("--from needs --rows N, --set generate.rows=N or --set generate.scale=X")
    profile = version.read(ANALYZE, PROFILE) or {}
    return generate.rows or max(1, round(int(profile.get("rows", 0)) * float(generate.scale or 1)))


def completed(
    root: Path,
    run: str,
    known: Path,
    target: Path,
    *,
    how: Completion,
    seed: int | None,
    keep_failed: bool,
    events: Events,
) -> dict[str, Any]:
    """Complete the rows of a file by a run's model: {run, rows, output, …}. Raises as `more`."""
    old = released(root, run, keep_failed=keep_failed)
    own = old.seed if seed is None else seed
    written = old.modality.complete(old.fitted, known, target, old.origin, how=how, seed=own, progress=events.progress)
    return {"run": old.version.name, **written}


def released(root: Path, run: str, *, keep_failed: bool) -> Released:
    """Open a run whose model may be used. Raises GateClosed, ArtifactError."""
    version, fit, plan = _opened(root, run, keep_failed=keep_failed)
    name = describe.modality_of_run(plan)
    modality = plugins.modality(name)
    choice = Choice(fit["method"], fit["params"], modality=describe.keys(name).METHODS)
    known = version.known
    folder = Path(known.get("spec_path", ".")).parent
    profile = version.read(ANALYZE, PROFILE) or {}
    csv = describe.csv_of(plan["output"]).like(profile.get("csv"))
    declared = table_keys.declared(plan, profile, None)
    origin = Origin(version.name, plan, folder, known.get("data", {}).get("path", ""), csv, declared)
    conditions = Generate.model_validate({key: plan["generate"].get(key) for key in CONDITIONS})
    request = describe.request_of(conditions, plan["seed"])
    return Released(version, modality, modality.load(choice, version.folder / TRAIN), origin, plan["seed"], request)


def _opened(root: Path, run: str, *, keep_failed: bool) -> tuple[Version, dict[str, Any], dict[str, Any]]:
    """A run with its fit.json and its plan. Raises GateClosed, ArtifactError."""
    version = store.find(root, run)
    wrong, verdict = version.verify(), version.verdict()
    if wrong and not keep_failed:
        raise GateClosed(
            f"{version.name} does not verify: {wrong[0]}; nothing is released; remedy: run it here, or --keep-failed"
        )
    if not keep_failed and (verdict is None or not verdict["passed"]):
        state = "was never judged" if verdict is None else f"failed its gates ({', '.join(verdict['failed'])})"
        raise GateClosed(f"{version.name} {state}; nothing is released; remedy: --keep-failed, or a run that passes")
    fit, plan = version.read(TRAIN, FIT), version.read(PLAN)
    if fit is None:
        raise ArtifactError(f"{version.name} has no model; remedy: `synth train`")
    if fit["pickled"] and wrong:
        raise ArtifactError(
            f"{version.name}: its model is a pickle, which can run code, and the run does not verify: {wrong[0]};"
            " remedy: train it here"
        )
    return version, fit, plan
