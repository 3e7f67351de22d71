"""Run a spec: analyze, train, generate, evaluate, privacy-check; repeat from training while gates fail; then judge."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, cast, get_args

from synthcli.artifacts import files, store
from synthcli.artifacts.secret import keyed
from synthcli.artifacts.store import (
    ANALYZE,
    EVALUATE,
    FIT,
    GENERATE,
    PRIVACY,
    PROFILE,
    SAMPLE,
    STAGES,
    TRAIN,
    Store,
    Version,
    Workspace,
)
from synthcli.columns import units
from synthcli.columns.pii import protect
from synthcli.contracts.evaluation import Downstream, Evidence, Outcome, Usage
from synthcli.contracts.modality import Choice
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError, LimitReached, MissingExtra, SpecError, did_you_mean
from synthcli.pipeline import decisions, delivered, gates, keys, manifest, stages, user_code, verdict
from synthcli.pipeline.events import Events
from synthcli.pipeline.plan import Plan, make_plan, rows_requested
from synthcli.pipeline.refine import Round, best, next_choice
from synthcli.pipeline.run import Run
from synthcli.report import html
from synthcli.spec import table_keys
from synthcli.spec.load import Loaded, load_spec

Upto = Literal["analyze", "train", "generate", "evaluate", "privacy-check", "run"]


def execute(
    spec: str | Path | Mapping[str, Any] | Loaded | None,
    *,
    data: Any = None,
    root: str | Path = "artifacts",
    upto: Upto = "run",
    sets: str | Sequence[str] = (),
    fresh: bool = False,
    if_changed: bool = False,
    keep_failed: bool = False,
    trust: bool = False,
    events: Events | None = None,
) -> Run:
    """Run a spec up to and with a stage; `run` is the whole loop with refinement.

    spec: a file, its keys as a mapping, or what `load_spec` returned. data: a DataFrame in place of the source, or
    several by table name.
    fresh: build every stage again. if_changed: do nothing if the latest complete version has the same inputs.
    keep_failed: write the output also when a gate failed. trust: run the code that evaluate.domain and
    evaluate.downstream name. sets: a KEY=VALUE text or several, as --set. root: folder of the run folders. events:
    receives the progress. Raises SynthError for whatever a user can fix.
    """
    if upto not in (known := get_args(Upto)):
        raise SpecError(f"upto is {upto!r}; expected one of {', '.join(known)}.{did_you_mean(str(upto), known)}")
    if isinstance(spec, Loaded) and (data is not None or sets):
        raise SpecError("data and sets belong to load_spec, which returned this spec; remedy: load_spec(…, data=…)")
    loaded = spec if isinstance(spec, Loaded) else load_spec(spec, sets, data=data)
    shown = events or Events()
    plan = make_plan(loaded)
    if upto in ("evaluate", "privacy-check", "run"):
        user_code.check(loaded, trust)
    shelf = Store(Path(root), loaded.name)
    _keep_out(plan, shelf.root)
    if if_changed and (same := _unchanged(shelf, plan)) is not None:
        return Run(same, fresh=False)
    with shelf.workspace(
        keys.run_key(plan), lambda holder: shown.note(f"waiting for the same run in {holder}")
    ) as space:
        version = _Execution(plan, shelf, space, shown, upto, fresh, keep_failed).run()
        html.write(version)
    retention = plan.spec.retention
    if retention.keep is not None or retention.days is not None:
        shelf.prune(keep=retention.keep, days=retention.days)
    return Run(version)


def _keep_out(plan: Plan, root: Path) -> None:
    """Refuse an output inside the folder of runs."""
    target = plan.target
    if target is not None and isinstance(target.path, Path) and target.path.is_relative_to(root):
        raise plan.loaded.fail(
            [(("output", "path"), f"lies in {root}, where the run folders are; remedy: another folder")]
        )


def _unchanged(shelf: Store, plan: Plan) -> Version | None:
    """The latest complete version if it has the same inputs and its output stands unchanged."""
    complete = [v for v in shelf.versions() if v.known.get("complete")]
    if not complete or complete[-1].known["key"] != keys.run_key(plan):
        return None
    last = complete[-1]
    if (last.read(store.PLAN) or {}).get("output") != plan.to_json()["output"]:  # the dialect, say
        return None
    return last if not last.known.get("passed") or delivered.stands(plan, last.manifest()["output"]) else None


class _Execution:
    """One run in its workspace."""

    def __init__(
        self, plan: Plan, shelf: Store, space: Workspace, events: Events, upto: Upto, fresh: bool, keep_failed: bool
    ) -> None:
        self.plan, self.shelf, self.space, self.events = plan, shelf, space, events
        self.fresh, self.keep_failed = fresh, keep_failed
        self.real = plan.modality.read(plan.described)
        self.steps = list(STAGES) if upto == "run" else list(STAGES)[: list(STAGES).index(upto) + 1]
        self.loop = upto == "run"
        self.upto = upto
        self.started = time.time()
        self.records: dict[str, dict[str, Any]] = {}  # place -> its stage record

    def run(self) -> Version:
        plan = self.plan
        analyze = keys.analyze_key(plan)
        folder = self._stage(ANALYZE, analyze, lambda f: stages.analyze(f, plan, self.real, self.events))
        self.profile = files.read_json(folder / PROFILE)
        if sampled := self.profile.get("sampled"):
            self.events.note(
                f"the source has {sampled['of']:,} rows; learned from a uniform sample of {sampled['rows']:,}, by"
                f" {sampled['by']}"
            )
        undecided = decisions.warnings(plan.loaded, self.profile.get("undecided", ()))
        source_notes = verdict.source_notes(self.profile)
        for note in (*protect.notes(self.profile.get("personal", ())), *undecided, *source_notes):
            self.events.note(note)
        for note in self.profile.get("notes", ()):
            self.events.note(note)
        if plan.auto:
            chosen = plan.modality.choose(
                self.profile["parts"]["train"],
                Schema.from_json(self.profile["schema"]),
                plan.spec.generator.limits.build(),
            )
            self.plan = plan = plan.with_choice(chosen)
            self.events.note(f"auto: {chosen.method}: {chosen.why}")
        self.rows = rows_requested(plan.spec, self.profile["rows"])
        rounds = self._rounds() if len(self.steps) > 1 else []
        body = self._verdict(rounds) if rounds else None
        return self._finish(rounds, body)

    def _stage(self, place: str, key: str, build: Any, detail: str = "") -> Path:
        label = place.rpartition("/")[2]

        def announced(folder: Path) -> None:
            self.events.begin(label, detail)
            build(folder)

        folder, record = self.space.stage(place, key, announced, fresh=self.fresh)
        self.records[place] = record
        self.events.end(label, record["seconds"], cached=record["cached"], detail=detail)
        return folder

    def _rounds(self) -> list[Round]:
        """Try every candidate once, then turn the dial of the best while gates fail and rounds are left."""
        plan = self.plan
        choices = plan.choices if self.loop else plan.choices[:1]
        rounds: list[Round] = []
        steer = self.loop and self.real_has("validation") and (len(choices) > 1 or plan.max_rounds > 1)
        for choice in choices:
            rounds.append(self._try(len(rounds) + 1, choice, steer, alone=len(choices) == 1))
        while steer and not any(r.passed for r in rounds) and len(rounds) < plan.max_rounds:
            turned, why = next_choice(rounds)
            if turned is None:
                self.events.note(f"no further round: {why}")
                break
            self.events.note(f"round {len(rounds) + 1}: {turned.why}")
            rounds.append(self._try(len(rounds) + 1, turned, steer, alone=False))
        if all(r.error is not None for r in rounds):
            raise FitError("; ".join(f"{r.choice.method}: {r.error}" for r in rounds))
        return rounds

    def real_has(self, part: str) -> bool:
        return self.plan.has_data and part in self.profile.get("parts", {})

    def _try(self, number: int, choice: Choice, steer: bool, alone: bool) -> Round:
        """Run one round: fit, sample, and if there are more rounds to steer, judge against the validation part."""
        current = Round(number, choice)
        try:
            self._fit_and_sample(current)
            if steer:
                self._judge(current)
        except (FitError, LimitReached, MissingExtra) as error:
            if alone:
                raise
            current.error = str(error)
            self.events.note(f"{choice.method} cannot take part: {error}")
        return current

    def _fit_and_sample(self, current: Round) -> None:
        plan, choice, place = self.plan, current.choice, f"{store.ROUNDS}/{current.name}"
        current.folder = self.space.folder / place
        self._stage(
            f"{place}/{TRAIN}",
            keys.train_key(plan, choice),
            lambda f: stages.train(f, plan, self.real, choice, self.events),
            choice.method,
        )
        fit = files.read_json(current.folder / TRAIN / FIT)
        for text in (fit["warning"], f"{choice.method} stopped at {fit['limit']}" if fit["limit"] else None):
            if text:
                self.events.note(text)
        if "generate" not in self.steps:
            return

        def build(folder: Path) -> None:
            trained = self.space.folder / place / TRAIN
            stages.generate(folder, choice, trained, plan, self.real, self.rows, self.events)

        self._stage(f"{place}/{GENERATE}", keys.generate_key(plan, choice, self.rows), build, choice.method)

    def _judge(self, current: Round) -> None:
        """Judge a round against the validation part."""
        current.quality, current.privacy = self._measured(current, f"{store.ROUNDS}/{current.name}/", "validation")
        current.judged = True

    def _measured(self, current: Round, place: str, control: str) -> tuple[list[Outcome], list[Outcome]]:
        """Outcomes of the quality and the privacy gates against a part of the real data."""
        plan, choice = self.plan, current.choice
        assert current.folder is not None  # it was fitted
        generated, application = current.folder / GENERATE, self._downstream(current)

        @cache
        def seen() -> Evidence:  # read only if one of the two stages is not cached
            usage = self._usage(current.folder)
            found = plan.modality.evidence(self.real, generated, control, usage, plan.request(self.rows))
            return replace(found, downstream=application)

        outcomes: list[list[Outcome]] = []
        detail = "" if control == "holdout" else "validation"
        own = user_code.Domain(plan.loaded).measure if plan.spec.evaluate.domain is not None else None
        quality_key = keys.evaluate_key(
            plan, choice, self.rows, control, "" if application is None else str(application.code)
        )
        privacy_key = keys.privacy_key(plan, choice, self.rows, control)
        judged = (
            (EVALUATE, "metrics", plan.metrics, quality_key, plan.quality),
            (PRIVACY, "attacks", plan.attacks, privacy_key, plan.privacy),
        )
        for stage, kind, names, key, bounds in judged:
            if stage not in [STAGES[s] for s in self.steps]:
                outcomes.append([])
                continue

            def build(f: Path, kind: str = kind, names: Sequence[str] = names) -> None:
                mine = own if kind == "metrics" else None
                stages.measure(f, kind, names, plan, seen(), control, self.events, own=mine)
                if kind == "metrics" and not place:  # the report shows only the chosen round
                    stages.draw(f, plan, seen())

            folder = self._stage(f"{place}{stage}", key, build, detail)
            outcomes.append(gates.judge(bounds, stages.read_measurements(folder)))
        return outcomes[0], outcomes[1]

    def _downstream(self, current: Round) -> Downstream | None:
        """Run the user's application on a round's data: once in every run, since the application may have changed."""
        plan, application, place = (
            self.plan,
            self.plan.spec.evaluate.downstream,
            f"{store.ROUNDS}/{current.name}/{store.DOWNSTREAM}",
        )
        if application is None:
            return None
        assert current.folder is not None  # it was fitted
        key, generated = (
            keyed("downstream", keys.generate_key(plan, current.choice, self.rows), application.model_dump_json()),
            current.folder / GENERATE,
        )

        def build(folder: Path) -> None:
            self.events.begin("downstream", application.command)
            user_code.downstream(folder, application, plan, generated)

        folder, record = self.space.stage(place, key, build, fresh=True)
        result = user_code.read(folder)
        if not record["cached"]:
            self.events.end("downstream", record["seconds"], cached=False, detail=f"exit code {result.code}")
        return result

    def _usage(self, folder: Path | None) -> Usage:
        assert folder is not None
        fit, sample = files.read_json(folder / TRAIN / FIT), files.read_json(folder / GENERATE / SAMPLE)
        peak = max(fit["peak_memory"], sample["peak_memory"])
        return Usage(fit["seconds"], sample["seconds"], sample["rows"], peak, fit["model_bytes"])

    def _verdict(self, rounds: list[Round]) -> dict[str, Any] | None:
        """Adopt the best round as the run's own, and judge it once against the holdout."""
        chosen = best(rounds)
        assert chosen.folder is not None  # the best round has no error, since not all have one
        for step in ("train", "generate"):
            if step in self.steps:
                self.space.adopt(chosen.folder, STAGES[step])
        if "generate" not in self.steps:
            return None
        sample = files.read_json(chosen.folder / GENERATE / SAMPLE)
        for note in (*units.notes(self.profile, sample, self.plan.rows_apart), *verdict.wasted_notes(sample)):
            self.events.note(note)
        if "evaluate" not in self.steps:
            return None
        quality, privacy = self._measured(chosen, "", "holdout")
        fitted = files.read_json(chosen.folder / TRAIN / FIT)
        attacked = "privacy-check" in self.steps and bool(self.plan.attacks)
        body = verdict.build(
            self.plan,
            chosen,
            rounds,
            quality,
            privacy,
            fitted=fitted,
            sample=sample,
            profile=self.profile,
            with_privacy=attacked,
        )
        files.write_json(self.space.folder / store.VERDICT, body)
        return body

    def _finish(self, rounds: list[Round], body: dict[str, Any] | None) -> Version:
        plan, folder = self.plan, self.space.folder
        files.write_text(folder / store.SPEC, plan.loaded.text)
        files.write_json(folder / store.PLAN, plan.to_json() | {"sampled": self.profile.get("sampled")})
        output = self._deliver(body) if self.loop else None
        written = {store.ROUNDS, store.VERDICT, *(STAGES[s] for s in self.steps)} if rounds else set()
        self.space.clear({ANALYZE, store.SPEC, store.PLAN, *written})
        return self.shelf.finish(
            self.space,
            manifest.build(
                plan,
                self.space,
                rounds,
                body,
                upto=self.upto,
                complete="privacy-check" in self.steps,
                started=self.started,
                rows=self.profile["rows"],
                stages=self.records,
                output=output,
            ),
        )

    def _deliver(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """Write the output if the gates pass, or with --keep-failed."""
        target = self.plan.target
        if target is None:
            return None
        if body is not None and not body["passed"] and not self.keep_failed:
            self.events.note(f"a gate failed: {target.where} is left unchanged")
            return None
        declared = table_keys.declared(self.plan.to_json(), self.profile, target.table)
        target = replace(target, csv=target.csv.like(self.profile.get("csv")), declared=declared)
        written = self.plan.modality.deliver(self.space.folder / GENERATE, target, self.plan.request(self.rows))
        for note in cast(list[str], written.get("notes", [])):
            self.events.note(note)
        return written
