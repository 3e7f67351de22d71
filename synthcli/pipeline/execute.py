"""The whole way: analyze, train, generate, evaluate, privacy-check, back to training while gates fail, then the
verdict.
"""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal, get_args

import pandas as pd
import pyarrow.parquet as pq

from synthcli import plugins
from synthcli.artifacts import files, store
from synthcli.artifacts.secret import keyed
from synthcli.artifacts.store import (
    ANALYZE,
    DOWNSTREAM,
    EVALUATE,
    FIT,
    GENERATE,
    PRIVACY,
    PROFILE,
    ROUNDS,
    SAMPLE,
    STAGES,
    TRAIN,
    Store,
    Version,
    Workspace,
)
from synthcli.columns import frame as frames
from synthcli.columns.pii import protect
from synthcli.contracts.evaluation import Downstream, Evidence, Usage
from synthcli.contracts.schema import Schema
from synthcli.errors import ArtifactError, FitError, LimitReached, MissingExtra, SpecError, did_you_mean
from synthcli.packages import packages
from synthcli.pipeline import copies, gates, related, stages, trusted, verdict
from synthcli.pipeline.auto import choose
from synthcli.pipeline.events import Events
from synthcli.pipeline.plan import Choice, Plan, code_hash, make_plan, open_target, rows_asked
from synthcli.pipeline.real import Real
from synthcli.pipeline.refine import Round, best, next_choice
from synthcli.report import html, notebook
from synthcli.spec.load import Loaded, load_spec
from synthcli.version import __version__

Upto = Literal["analyze", "train", "generate", "evaluate", "privacy-check", "run"]


@dataclass(frozen=True)
class Run:
    """A finished run. fresh: False where --if-changed found nothing new."""

    version: Version
    fresh: bool = True

    @property
    def verdict(self) -> dict[str, Any] | None:
        return self.version.verdict()

    @property
    def passed(self) -> bool:
        """Whether every gate that was asked passed; True where none was."""
        verdict = self.verdict
        return verdict is None or bool(verdict["passed"])

    @property
    def exit_code(self) -> int:
        return 0 if self.passed else 4

    @property
    def data(self) -> Path:
        """The synthetic table as Parquet."""
        return self.version.data()

    def frame(self, copy: int | None = None) -> pd.DataFrame:
        """The synthetic table in memory; copy: which of generate.copies, from 1. Raises ArtifactError for one that was
        not made.
        """
        path = self.data if copy is None else self.data.with_name(store.copy_file(copy))
        if not path.exists():
            what = "rows" if copy is None else f"copy {copy}"
            raise ArtifactError(
                f"{self.version.name} has no {what}; remedy:"
                f" {'a run up to generate' if copy is None else 'generate.copies'}"
            )
        return frames.to_frame(
            pq.read_table(path), Schema.from_json(files.read_json(self.data.parent / SAMPLE)["schema"])
        )

    def _repr_html_(self) -> str:
        return notebook.fragment(self.version, fresh=self.fresh)


def execute(
    spec: str | Path | Loaded,
    *,
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

    fresh: build every stage anew. if_changed: do nothing where the latest complete version has the same inputs.
    keep_failed: write the output also when a gate failed. trust: run the code that evaluate.domain and
    evaluate.downstream name. sets: a KEY=VALUE text or several, as --set. root: folder of the run folders. events: who
    is told of progress. Raises SynthError for whatever a user can mend.
    """
    if upto not in (known := get_args(Upto)):
        raise SpecError(f"upto is {upto!r}; expected one of {', '.join(known)}.{did_you_mean(str(upto), known)}")
    loaded = spec if isinstance(spec, Loaded) else load_spec(spec, sets)
    shown = events or Events()
    plan = make_plan(loaded)
    if upto in ("evaluate", "privacy-check", "run"):
        trusted.check(loaded, trust)
    shelf = Store(Path(root), loaded.name)
    _keep_out(loaded, shelf.root)
    if if_changed and (same := _unchanged(shelf, plan)) is not None:
        return Run(same, fresh=False)
    with shelf.workspace(plan.key(), lambda holder: shown.note(f"waiting for the same run in {holder}")) as space:
        version = _Execution(plan, shelf, space, shown, upto, fresh, keep_failed).run()
        html.write(version)
    retention = plan.spec.retention
    if retention.keep is not None or retention.days is not None:
        shelf.prune(keep=retention.keep, days=retention.days)
    return Run(version)


def _keep_out(loaded: Loaded, root: Path) -> None:
    """Refuse an output that would stand among the run folders."""
    target = open_target(loaded)
    if target is not None and isinstance(target.path, Path) and target.path.is_relative_to(root):
        raise loaded.fail([(("output", "path"), f"lies in {root}, where the run folders are; remedy: another folder")])


def _unchanged(shelf: Store, plan: Plan) -> Version | None:
    """The latest complete version where it has these inputs and its output still stands."""
    complete = [v for v in shelf.versions() if v.known.get("complete")]
    if not complete or complete[-1].known["key"] != plan.key():
        return None
    target, passed = open_target(plan.loaded), complete[-1].known.get("passed")
    outputs = (
        [] if target is None or not passed else [t.path for _, t in copies.targets(target, plan.spec.generate.copies)]
    )
    return None if any(isinstance(path, Path) and not path.exists() for path in outputs) else complete[-1]


class _Execution:
    """One run in its workspace."""

    def __init__(
        self, plan: Plan, shelf: Store, space: Workspace, events: Events, upto: Upto, fresh: bool, keep_failed: bool
    ) -> None:
        self.plan, self.shelf, self.space, self.events, self.fresh, self.keep_failed = (
            plan,
            shelf,
            space,
            events,
            fresh,
            keep_failed,
        )
        self.real: Any = related.RelatedReal(related.described(plan.loaded)) if plan.related else Real(plan)
        self.does: Any = related if plan.related else stages  # what each stage does
        self.steps = list(STAGES) if upto == "run" else list(STAGES)[: list(STAGES).index(upto) + 1]
        self.loop = upto == "run"
        self.upto = upto
        self.started = time.time()
        self.made: dict[str, dict[str, Any]] = {}  # place -> its stage record

    def run(self) -> Version:
        plan = self.plan
        folder = self._stage(ANALYZE, plan.analyze_key(), lambda f: self.does.analyze(f, plan, self.real, self.events))
        self.profile = files.read_json(folder / PROFILE)
        if sampled := self.profile.get("sampled"):
            self.events.note(
                f"the source has {sampled['of']:,} rows; learned from a uniform sample of {sampled['rows']:,}, by"
                f" {sampled['by']}"
            )
        for note in protect.notes(self.profile.get("personal", ())):
            self.events.note(note)
        if plan.auto:
            schema, limits = Schema.from_json(self.profile["schema"]), plan.spec.generator.limits.build()
            chosen = Choice(**choose(self.profile["parts"]["train"], schema, limits))
            self.plan = plan = plan.with_choice(chosen)
            self.events.note(f"auto: {chosen.method}: {chosen.why}")
        self.rows = rows_asked(plan.spec, self.profile["rows"])
        rounds = self._rounds() if len(self.steps) > 1 else []
        body = self._verdict(rounds) if rounds else None
        return self._finish(rounds, body)

    def _stage(self, place: str, key: str, build: Any, detail: str = "") -> Path:
        label = place.rpartition("/")[2]

        def announced(folder: Path) -> None:
            self.events.begin(label, detail)
            build(folder)

        folder, record = self.space.stage(place, key, announced, fresh=self.fresh)
        self.made[place] = record
        self.events.end(label, record["seconds"], cached=record["cached"], detail=detail)
        return folder

    def _rounds(self) -> list[Round]:
        """Every candidate once, then the dial of the best, while its gates fail and rounds are left."""
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
        """One round: fit, sample, and where it steers, judge against the validation part."""
        current = Round(number, choice)
        try:
            self._make(current)
            if steer:
                self._judge(current)
        except (FitError, LimitReached, MissingExtra) as error:
            if alone:
                raise
            current.error = str(error)
            self.events.note(f"{choice.method} cannot take part: {error}")
        return current

    def _make(self, current: Round) -> None:
        plan, choice, place = self.plan, current.choice, f"{ROUNDS}/{current.name}"
        current.folder = self.space.folder / place
        self._stage(
            f"{place}/{TRAIN}",
            plan.train_key(choice),
            lambda f: self.does.train(f, plan, self.real, choice, self.events),
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
            if plan.related:
                related.generate(folder, choice, trained, plan, self.rows, self.events)
            else:
                copies.generate(folder, choice, trained, plan, self.real, self.rows, self.events)

        self._stage(f"{place}/{GENERATE}", plan.generate_key(choice, self.rows), build, choice.method)

    def _judge(self, current: Round) -> None:
        """Measure a round against the validation part."""
        current.quality, current.privacy = self._measured(current, f"{ROUNDS}/{current.name}/", "validation")
        current.judged = True

    def _measured(self, current: Round, place: str, control: str) -> tuple[list[Any], list[Any]]:
        """Outcomes of the quality and the privacy gates against a part of the real data."""
        plan, choice = self.plan, current.choice
        assert current.folder is not None  # it was made
        source, said = current.folder / GENERATE, self._downstream(current)
        schema = Schema.from_json(files.read_json(source / SAMPLE)["schema"])

        @cache
        def seen() -> Evidence:  # read when the first of the two stages that is not cached asks for it
            found = self.does.evidence(plan, self.real, source, schema, control, self._usage(current.folder))
            return replace(found, downstream=said)

        seed, events = plan.spec.seed, self.events
        outcomes: list[list[Any]] = []
        detail = "" if control == "holdout" else "validation"
        own = trusted.Domain(plan.loaded).measure if plan.spec.evaluate.domain is not None else None
        keys = (
            plan.evaluate_key(choice, self.rows, control, "" if said is None else str(said.code)),
            plan.privacy_key(choice, self.rows, control),
        )
        judged = ((EVALUATE, "metrics", keys[0], plan.quality), (PRIVACY, "attacks", keys[1], plan.privacy))
        for stage, kind, key, bounds in judged:
            if stage not in [STAGES[s] for s in self.steps]:
                outcomes.append([])
                continue
            names = plugins.names(kind) if kind == "metrics" else plan.attacks

            def build(f: Path, kind: str = kind, names: Sequence[str] = names) -> None:
                looked = seen() if kind == "metrics" else copies.together(seen(), source, plan.spec.generate.copies)
                self.does.measure(f, kind, names, looked, control, seed, events, own=own if kind == "metrics" else None)
                if kind == "metrics" and not place:  # the chosen round's, which the report shows
                    self.does.draw(f, seen(), seed)

            folder = self._stage(f"{place}{stage}", key, build, detail)
            outcomes.append(gates.judge(bounds, stages.read_measurements(folder)))
        return outcomes[0], outcomes[1]

    def _downstream(self, current: Round) -> Downstream | None:
        """What the user's application says of a round's data: asked once in each run, as what it is made of may have
        changed.
        """
        plan, asked, place = self.plan, self.plan.spec.evaluate.downstream, f"{ROUNDS}/{current.name}/{DOWNSTREAM}"
        if asked is None:
            return None
        assert current.folder is not None  # it was made
        key, generated = (
            keyed("downstream", plan.generate_key(current.choice, self.rows), asked.model_dump_json()),
            current.folder / GENERATE,
        )

        def build(folder: Path) -> None:
            self.events.begin("downstream", asked.command)
            trusted.downstream(folder, asked, plan.loaded, generated)

        folder, record = self.space.stage(place, key, build, fresh=True)
        said = trusted.read(folder)
        if not record["cached"]:
            self.events.end("downstream", record["seconds"], cached=False, detail=f"exit code {said.code}")
        return said

    def _usage(self, folder: Path | None) -> Usage:
        assert folder is not None
        fit, sample = files.read_json(folder / TRAIN / FIT), files.read_json(folder / GENERATE / SAMPLE)
        peak = max(fit["peak_memory"], sample["peak_memory"])
        return Usage(fit["seconds"], sample["seconds"], sample["rows"], peak, fit["model_bytes"])

    def _verdict(self, rounds: list[Round]) -> dict[str, Any] | None:
        """Show the best round as the run's own and judge it once against the holdout."""
        chosen = best(rounds)
        assert chosen.folder is not None  # a round that failed is never the best while another did not
        for step in ("train", "generate"):
            if step in self.steps:
                self.space.adopt(chosen.folder, STAGES[step])
        if "evaluate" not in self.steps:
            return None
        quality, privacy = self._measured(chosen, "", "holdout")
        fitted = files.read_json(chosen.folder / TRAIN / FIT)
        made = files.read_json(chosen.folder / GENERATE / SAMPLE)
        attacked = "privacy-check" in self.steps and bool(self.plan.attacks)
        body = verdict.build(
            self.plan,
            chosen,
            rounds,
            quality,
            privacy,
            fitted=fitted,
            sample=made,
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
        made = {ROUNDS, store.VERDICT, *(STAGES[s] for s in self.steps)} if rounds else set()
        self.space.clear({ANALYZE, store.SPEC, store.PLAN, *made})
        manifest = {
            "name": plan.loaded.name,
            "key": self.space.key,
            "upto": self.upto,
            "complete": "privacy-check" in self.steps,
            "passed": bool(body and body["passed"]) if body is not None else None,
            "started": self.started,
            "finished": time.time(),
            "data": {
                "source": plan.spec.source.type,
                "dataset": plan.spec.source.dataset,
                "hash": plan.data_key,
                "rows": self.profile["rows"],
                "path": str(plan.source.path or ""),
            },
            "spec_path": str(plan.loaded.file),
            "spec_hash": files.sha256(folder / store.SPEC),
            "seed": plan.spec.seed,
            "randomness": "numpy PCG64 streams named by stage and block, from the spec's seed",
            "code": {"synthcli": __version__, "hash": code_hash()},
            "packages": packages(*(r.choice.method for r in rounds)),
            "python": sys.version.split()[0],
            "platform": platform.platform(),
            "stages": {
                place: {k: record[k] for k in ("key", "seconds", "cached")} for place, record in self.made.items()
            },
            "rounds": [r.name for r in rounds],
            "pickled": sorted(
                {
                    r.choice.method
                    for r in rounds
                    if r.folder is not None and plugins.method(r.choice.method).TRUSTED_LOAD
                }
            ),
            "output": output,
            "overrides": list(plan.loaded.sets),
        }
        return self.shelf.finish(self.space, manifest)

    def _deliver(self, body: dict[str, Any] | None) -> dict[str, Any] | None:
        """Write the output in one step, each copy in one of its own, when the gates pass or --keep-failed says so."""
        asked = open_target(self.plan.loaded)
        if asked is None:
            return None
        if body is not None and not body["passed"] and not self.keep_failed:
            self.events.note(f"a gate failed: {asked.where} is left as it was")
            return None
        if self.plan.related and asked.format == "sql":
            rows = related.deliver_sql(self.space.folder / GENERATE, asked)
            return {"path": f"{asked.url}", "format": asked.format, "tables": rows}
        if self.plan.related:
            folder = self.plan.loaded.resolve(self.plan.spec.output.path or "", "output", "path")
            return {
                "path": str(folder),
                "format": asked.format,
                "tables": related.deliver(self.space.folder / GENERATE, folder, asked.format),
            }
        written = []
        for name, target in copies.targets(asked, self.plan.spec.generate.copies):
            copies.deliver(self.space.folder / GENERATE, target, name)
            written.append(
                {
                    "path": target.where,
                    **({"sha256": files.sha256(target.path)} if isinstance(target.path, Path) else {}),
                }
            )
        return {**written[0], "format": asked.format, **({"copies": written} if len(written) > 1 else {})}
