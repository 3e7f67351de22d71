"""What is done beside the loop: check, plan, preview, and more rows from an old run's model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files, store
from synthcli.artifacts.store import FIT, MODEL, PLAN, TRAIN, Store
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job, Limits, Model
from synthcli.contracts.schema import Schema
from synthcli.errors import ArtifactError, GateClosed, SpecError
from synthcli.pipeline import estimate, related_again, stages, trusted
from synthcli.pipeline.auto import choose
from synthcli.pipeline.events import Events
from synthcli.pipeline.glimpse import glimpse
from synthcli.pipeline.making import Making
from synthcli.pipeline.models import load_model
from synthcli.pipeline.plan import Choice, make_plan, open_source
from synthcli.pipeline.real import Real, declared_schema
from synthcli.pipeline.wanted import settle
from synthcli.sources.paths import format_of
from synthcli.spec import check
from synthcli.spec.load import load_spec
from synthcli.spec.models import Generate

GLANCE_ROWS, GLANCE_MINUTES = 2_000, 1.0


def checked(spec: str | Path, sets: Sequence[str], *, trust: bool = False) -> dict[str, Any]:
    """Validate a spec against its source's column names; trust: load its own metrics too. Raises SpecError,
    DataError.
    """
    loaded = load_spec(spec, sets)
    check.check(loaded)
    trusted.check(loaded, trust)
    if loaded.spec.source.tables is not None:
        names = [""] * related_again.checked(loaded)
    elif loaded.spec.source.type == "none":
        names = declared_schema(loaded).names
    else:
        names = sources.columns(open_source(loaded))
        check.check_names(loaded, names)
    generator, given = loaded.spec.generator, (loaded.spec.evaluate.gates, loaded.spec.privacy_check.gates)
    method = ", ".join(c.method for c in generator.candidates) if generator.candidates else loaded.spec.method
    gates = "default" if all(g is None for g in given) else sum(len(g or ()) for g in given)
    return {"columns": len(names), "method": method, "gates": gates}


def foreseen(spec: str | Path, root: Path, sets: Sequence[str]) -> dict[str, Any]:
    """What a run would do: {stages, total, reads, writes}; nothing is made.

    stages: of the first round of each candidate, whether an earlier run has them, and what those that would run take,
    see estimate.Estimates.
    """
    plan = make_plan(load_spec(spec, sets))
    index = Store(root, plan.loaded.name).stage_index()
    profile = _profile(index, plan.analyze_key())
    seen = glimpse(plan, profile)
    if plan.auto and seen.schema is not None and seen.parts is not None:
        chosen = Choice(**choose(seen.parts["train"], seen.schema, plan.spec.generator.limits.build()))
        plan = plan.with_choice(chosen)
    lines = estimate.Estimates(plan, seen, root).lines(estimate.steps(plan, seen.asked if profile else None), index)
    return {
        "stages": lines,
        "total": estimate.total(lines, plan),
        "reads": estimate.reads(plan, seen),
        "writes": estimate.writes(plan, seen, root),
    }


def _profile(index: dict[str, Path], key: str) -> dict[str, Any]:
    return files.read_json(index[key] / store.PROFILE) if key in index else {}


def glance(spec: str | Path, rows: int, sets: Sequence[str]) -> tuple[pd.DataFrame | dict[str, pd.DataFrame], str]:
    """A few rows (of related tables: of each) from a fit on at most GLANCE_ROWS rows, and the method; nothing is
    written.
    """
    import tempfile

    plan = make_plan(load_spec(spec, sets))
    if plan.related:
        return related_again.glance(plan, rows, GLANCE_ROWS, GLANCE_MINUTES)
    real = Real(plan)
    train = real.train
    if len(train) > GLANCE_ROWS:
        train = Table(
            train.frame.iloc[seeds.stream(plan.spec.seed, "preview").permutation(len(train))[:GLANCE_ROWS]],
            train.schema,
        )
    if plan.auto:
        plan = plan.with_choice(Choice(**choose(len(train), train.schema, Limits(minutes=GLANCE_MINUTES))))
    choice = plan.choices[0]
    module = plugins.ready(choice.method)
    with tempfile.TemporaryDirectory() as scratch:
        job = Job(
            plan.spec.seed, Path(scratch), "cpu", Limits(minutes=GLANCE_MINUTES), target=plan.spec.evaluate.target
        )
        model = module.fit(train, module.Params.model_validate(choice.params), job=job)
        wanted = settle(plan.spec.generate, rows, model, train.schema, real.constraints, plan.spec.seed)
        tables = Making(model, wanted, train.schema).tables(Events())
        return pd.concat([t.frame for t in tables], ignore_index=True), choice.method


def more(
    root: Path,
    run: str,
    rows: int,
    target: Path,
    *,
    seed: int | None,
    keep_failed: bool,
    events: Events,
    generate: Generate | None = None,
) -> dict[str, Any]:
    """Rows from a run's model, without its source, that obey its constraints. {run, rows, output, sha256}; of related
    tables a folder of files.

    generate: conditions on the rows; None: those of the run. Raises GateClosed when the run did not pass its gates or
    does not verify (unless keep_failed), ArtifactError when it holds a pickled model that this user's run did not
    write.
    """
    version, _, plan = opened(root, run, keep_failed=keep_failed)
    asked = generate if generate is not None else Generate.model_validate(_conditions(plan["generate"]))
    if plan["source"].get("tables"):
        return related_again.more(version, plan, rows, target, asked, plan["seed"] if seed is None else seed, events)
    old = released(root, run, keep_failed=keep_failed)
    format_ = format_for(target, old)
    own = old.plan["seed"] if seed is None else seed
    wanted = settle(asked, rows, old.model, old.schema, old.rules, own)
    making = Making(old.model, wanted, old.schema, old.method, old.version.folder / TRAIN / MODEL)
    making.write(target, format_, events)
    return {
        "run": old.version.name,
        "rows": rows,
        "output": str(target),
        "sha256": files.sha256(target),
        "asked": making.report(),
    }


@dataclass(frozen=True)
class Released:
    """What more rows are made from: a run's model with the rules and the schema that its rows obey."""

    version: store.Version
    method: str
    model: Model
    schema: Schema
    rules: list[Rule]
    plan: dict[str, Any]


def opened(root: Path, run: str, *, keep_failed: bool) -> tuple[store.Version, dict[str, Any], dict[str, Any]]:
    """A run whose model may be used, what fitting it told, and its plan. Raises GateClosed, ArtifactError."""
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


def released(root: Path, run: str, *, keep_failed: bool) -> Released:
    """A run of one table whose model may be used. Raises GateClosed, ArtifactError, SpecError."""
    version, fit, plan = opened(root, run, keep_failed=keep_failed)
    if plan["source"].get("tables"):
        raise SpecError(
            f"{version.name} is a run of related tables, and --given and --impute complete the rows of one; remedy:"
            " --rows N"
        )
    trained = version.folder / TRAIN
    model = load_model(fit["method"], trained / MODEL)
    return Released(version, fit["method"], model, Schema.from_json(fit["schema"]), stages.read_rules(trained), plan)


def format_for(target: Path, old: Released) -> str:
    """The format that the ending of --output names. Raises SpecError for none, and for the source of the run."""
    format_ = format_of(target.name)
    if format_ is None:
        raise SpecError(f"--output {target}: the ending names no format; expected .csv, .parquet or .jsonl")
    if str(target.resolve()) == old.version.known.get("data", {}).get("path"):
        raise SpecError(f"--output {target}: is the source of that run, which would be overwritten")
    return format_


def _conditions(generate: dict[str, Any]) -> dict[str, Any]:
    return {key: generate.get(key) for key in ("where", "balance", "fairness")}
