"""Estimate the cost of a run before it runs: seconds and memory of each stage, files read and written.

Seconds are those of one core on an idle machine; trees use two cores if they are free. Memory is
peak resident memory of a stage, in GiB. Both come from what such stages took in earlier runs below the same
root, scaled by what the work depends on, else from the constants of the modality. Of a source that no run has
analyzed, only the head is read.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from synthcli import plugins, sources
from synthcli.artifacts import store
from synthcli.artifacts.secret import canonical
from synthcli.artifacts.store import (
    ANALYZE,
    EVALUATE,
    FIT,
    GENERATE,
    PLAN,
    PRIVACY,
    PROFILE,
    SAMPLE,
    STAGE,
    TRAIN,
    Store,
    Version,
)
from synthcli.contracts.cost import PROGRAM_GB, Cost, Work
from synthcli.contracts.modality import Choice, Size
from synthcli.contracts.modelling import BLOCK
from synthcli.contracts.schema import Schema
from synthcli.errors import ArtifactError
from synthcli.pipeline import keys
from synthcli.pipeline.plan import Plan
from synthcli.spec import describe

JUDGED = 30 * BLOCK  # most synthetic records that metrics use
START = 2.0  # seconds until worker processes are there
EARLIER, CONSTANTS = "earlier runs", "constants"
NEAR = 10.0  # ratio of work up to which an earlier run predicts better than the constants
VERSIONS = 20  # newest runs whose cost is used
UNKNOWN: Mapping[str, Any] = MappingProxyType({"seconds": None, "gigabytes": None, "basis": None})
_LOADED = frozenset({"breast_cancer", "diabetes", "wine", "iris"})


@dataclass(frozen=True)
class Step:
    """A stage of a run. keys: the keys that an earlier stage of the same inputs may have; empty if not known yet.

    choice: None for analyze; control: the part of the real data to compare with.
    """

    stage: str
    detail: str = ""
    keys: tuple[str, ...] = ()
    choice: Choice | None = None
    control: str = ""


def steps(plan: Plan, rows: int | None) -> list[Step]:
    """The first round of each candidate, then the verdict on the best. rows: to generate; None if not
    known.
    """
    choices = plan.choices
    if not choices:  # `auto` chooses once it has seen the types
        return [
            Step(ANALYZE, "", (keys.analyze_key(plan),)),
            *(Step(stage, "auto") for stage in (TRAIN, GENERATE, EVALUATE, PRIVACY)),
        ]
    steer = plan.has_data and plan.spec.source.split.validation > 0 and (len(choices) > 1 or plan.max_rounds > 1)
    out = [Step(ANALYZE, "", (keys.analyze_key(plan),))]
    for choice in choices:
        out.append(Step(TRAIN, choice.method, (keys.train_key(plan, choice),), choice))
        out.append(
            Step(GENERATE, choice.method, () if rows is None else (keys.generate_key(plan, choice, rows),), choice)
        )
        if steer:
            out += _judged(plan, (choice,), rows, "validation", f"{choice.method}, validation")
    best = choices[0].method if len(choices) == 1 else "the best"
    return out + _judged(plan, choices, rows, "holdout", best)


def _judged(plan: Plan, choices: Sequence[Choice], rows: int | None, control: str, detail: str) -> list[Step]:
    if rows is None:
        return [Step(stage, detail, (), choices[0], control) for stage in (EVALUATE, PRIVACY)]
    by_stage = {
        EVALUATE: tuple(keys.evaluate_key(plan, c, rows, control) for c in choices),
        PRIVACY: tuple(keys.privacy_key(plan, c, rows, control) for c in choices),
    }
    return [Step(stage, detail, found, choices[0], control) for stage, found in by_stage.items()]


@dataclass(frozen=True)
class Past:
    """A stage of an earlier run. alike: the settings that its seconds depend on; peak: bytes, None if it was
    not measured.
    """

    stage: str
    alike: str
    size: Work
    seconds: float
    peak: int | None = None


class Estimates:
    """Estimates for the stages of a plan, from the cost of earlier runs below `root`. rows: to generate, None if
    unknown.
    """

    def __init__(self, plan: Plan, table: Size, rows: int | None, root: Path) -> None:
        self.plan, self.table, self.rows = plan, table, rows
        self.past = list(earlier(root))

    def lines(self, found: Sequence[Step], index: Container[str]) -> list[dict[str, Any]]:
        """{stage, detail, cached, seconds, gigabytes, basis} of each step. index: keys of the stages that earlier runs
        have.
        """
        out: list[dict[str, Any]] = []
        loaded = self.plan.spec.source.name in _LOADED
        for step in found:
            cached = any(key in index for key in step.keys)
            line = {
                "stage": step.stage,
                "detail": step.detail,
                "cached": cached,
                **(UNKNOWN if cached else self.of(step)),
            }
            cost = self.cost(step) if not cached else None
            if cost is not None and cost.loading:
                if line["basis"] == CONSTANTS:
                    line["seconds"] = round(line["seconds"] + (0.0 if loaded else cost.loading), 2)
                loaded = True
            out.append(line)
        return out

    def of(self, step: Step) -> Mapping[str, Any]:
        """{seconds, gigabytes, basis}: all None if there is nothing to estimate them from."""
        size = self.size(step)
        if size is None or (step.choice is None and step.stage != ANALYZE):
            return UNKNOWN
        cost = self.cost(step)
        alike = _alike(step.stage, self.plan.to_json(), step.choice, step.control)
        known = [p for p in self.past if (p.stage, p.alike) == (step.stage, alike)]
        work = cost.seconds if cost is not None else lambda s: 1.0 + s.cells  # without constants: as rows × columns
        nearest = min(known, key=lambda p: abs(math.log(work(size) / work(p.size))), default=None)
        if nearest is not None and (cost is None or 1 / NEAR <= work(size) / work(nearest.size) <= NEAR):
            seconds, basis = nearest.seconds * work(size) / work(nearest.size), EARLIER
        elif cost is not None:
            seconds, basis = cost.seconds(size), CONSTANTS
        else:
            return UNKNOWN
        return self._told(step, seconds, _gigabytes(cost, size, nearest if basis == EARLIER else None), basis)

    def _told(self, step: Step, seconds: float, gigabytes: float | None, basis: str) -> Mapping[str, Any]:
        """Adjust an estimate for copies, worker processes and limits, which the constants ignore."""
        limit, request = self.plan.spec.generator.limits.minutes, self.plan.spec.generate
        if step.stage == TRAIN and limit is not None:
            seconds = min(seconds, 60 * limit)
        if step.stage == GENERATE and basis == CONSTANTS:
            engine, blocks = self.plan.engine, -(-(self.rows or 1) // BLOCK)
            if engine.kind == "dask":  # no constants for clusters
                return UNKNOWN
            if (processes := engine.processes(blocks)) > 1:
                seconds = START + seconds / processes
                gigabytes = (gigabytes or 0.0) + processes * PROGRAM_GB
            seconds *= request.copies
            if request.proper:
                again = self.of(Step(TRAIN, step.detail, (), step.choice))["seconds"]
                if again is None:
                    return UNKNOWN
                seconds += request.copies * again
        return {
            "seconds": round(seconds, 2),
            "gigabytes": None if gigabytes is None else round(gigabytes, 2),
            "basis": basis,
        }

    def cost(self, step: Step) -> Cost | None:
        """The constants of a stage; None if there are none."""
        plan = self.plan
        if step.stage == EVALUATE and plan.spec.evaluate.domain is not None:
            return None  # the cost of the user's metrics is not known
        if step.choice is None and step.stage != ANALYZE:
            return None  # `auto` has not chosen
        return plan.modality.cost(step.stage, step.choice, plan.described, plan.checked.request, step.control)

    def size(self, step: Step) -> Work | None:
        """The rows and columns that a stage works on; None if they are not known."""
        table = self.table
        if table.schema is None or table.parts is None or (self.rows is None and step.stage not in (ANALYZE, TRAIN)):
            return None
        rows = {
            ANALYZE: sum(table.parts.values()),
            TRAIN: table.parts.get("train", 0),
            GENERATE: self.rows or 0,
            **_judges(table.parts, step.control, self.rows or 0, self.plan.spec.generate.copies),
        }
        return self.plan.modality.work(rows[step.stage], table.schema)


def _gigabytes(cost: Cost | None, size: Work, past: Past | None) -> float | None:
    """Memory of the cells in addition to the program; from an earlier run if it was measured."""
    if past is not None and past.peak:
        program = min(past.peak / 2**30, PROGRAM_GB if cost is None else cost.program)
        return program + (past.peak / 2**30 - program) * size.cells / max(1, past.size.cells)
    return None if cost is None else cost.gigabytes(size)


def _alike(stage: str, plan: dict[str, Any], choice: Choice | None, control: str) -> str:
    """The settings of a resolved spec that determine the time of a stage, besides rows and columns."""
    method = [] if choice is None else [choice.method, plugins.params(choice)]
    evaluate, generate = (
        plan["evaluate"],
        {k: plan["generate"].get(k) for k in ("where", "balance", "fairness", "copies", "proper")},
    )
    real = plan["source"]["type"] != "none"
    settings: dict[str, Any] = {
        ANALYZE: plan["source"]["type"],
        TRAIN: [*method, bool(plan["constraints"])],
        GENERATE: [*method, plan["constraints"], generate, plan.get("execution")],
        EVALUATE: [
            real,
            control,
            evaluate["target"] is None,
            evaluate.get("domain"),
            len(evaluate.get("preserve") or ()),
            bool(plan["constraints"]),
        ],
        PRIVACY: [real, plan["privacy_check"]["attacks"], generate["copies"]],
    }
    return canonical(settings[stage])


def earlier(root: Path) -> Iterator[Past]:
    """The measured cost of stages of the newest versions below a root; unreadable ones are skipped."""
    versions = [version for name in store.names(root) for version in Store(root, name).versions()]
    seen: set[str] = set()
    for version in sorted(versions, key=lambda v: v.folder.stat().st_mtime, reverse=True)[:VERSIONS]:
        with contextlib.suppress(ArtifactError, KeyError):  # damaged, or of another version of this program
            yield from [p for key, p in _of_version(version) if key not in seen and not seen.add(key)]  # type: ignore[func-returns-value]


def _of_version(version: Version) -> Iterator[tuple[str, Past]]:
    """Each stage of a version by its key; several versions may share one."""
    plan, profile = version.read(PLAN), version.read(ANALYZE, PROFILE)
    if plan is None or profile is None:
        return
    schema, parts = Schema.from_json(profile["schema"]), profile.get("parts", {})
    name = describe.modality_of_run(plan)
    modality, methods = plugins.modality(name), describe.keys(name).METHODS

    def record(
        step: Step, rows: int, place: Sequence[str], took: dict[str, Any] | None = None
    ) -> Iterator[tuple[str, Past]]:
        if (record := version.read(*place, step.stage, STAGE)) is not None:
            own = took or record
            alike = _alike(step.stage, plan, step.choice, step.control)
            yield (
                record["key"],
                Past(step.stage, alike, modality.work(rows, schema), own["seconds"], own.get("peak_memory")),
            )

    yield from record(Step(ANALYZE), sum(parts.values()), ())
    places = [(store.ROUNDS, path.name) for path in sorted(version.folder.glob(f"{store.ROUNDS}/*"))]
    for place in [*places, ()]:
        fit, sample = version.read(*place, TRAIN, FIT), version.read(*place, GENERATE, SAMPLE)
        if fit is None:
            continue
        choice, control = Choice(fit["method"], fit["params"], modality=methods), "validation" if place else "holdout"
        if fit["limit"] is None:
            yield from record(Step(TRAIN, choice=choice), fit["rows"], place, fit)
        if sample is not None:
            several = plan["generate"]["copies"] > 1 or plan["generate"]["proper"]
            yield from record(Step(GENERATE, choice=choice), sample["rows"], place, None if several else sample)
            judged = _judges(parts, control, sample["rows"], plan["generate"]["copies"])
            for stage, rows in judged.items():
                yield from record(Step(stage, control=control), rows, place)


def _judges(parts: Mapping[str, int], control: str, rows: int, copies: int) -> dict[str, int]:
    """Rows that are measured, over all tables."""
    real = parts.get("train", 0) + parts.get(control, 0)
    return {EVALUATE: real + min(rows, JUDGED), PRIVACY: real + min(rows * copies, JUDGED)}


def total(lines: Sequence[dict[str, Any]], plan: Plan) -> dict[str, Any]:
    """Of the stages that would run: {seconds, gigabytes, unknown, max_rounds}. seconds: None if those of no stage are
    known; unknown: stages whose seconds are not in the sum.
    """
    runs = [line for line in lines if not line["cached"]]
    unknown = [
        f"{line['stage']} ({line['detail']})" if line["detail"] else line["stage"]
        for line in runs
        if line["seconds"] is None
    ]
    if plan.spec.evaluate.downstream is not None:
        unknown.append("evaluate.downstream")
    peaks = [line["gigabytes"] for line in runs if line["gigabytes"] is not None]
    known = [line["seconds"] for line in runs if line["seconds"] is not None]
    return {
        "seconds": round(sum(known), 2) if known or not runs else None,
        "gigabytes": max(peaks, default=None),
        "unknown": unknown,
        "max_rounds": plan.max_rounds,
    }


def reads(plan: Plan, table: Size) -> list[dict[str, Any]]:
    """{what, place, bytes, rows, exact, columns}: the sources, and other files that the spec names."""
    out: list[dict[str, Any]] = []
    opened = describe.open_sources(plan.loaded) if plan.has_data else {}
    for what, each in opened.items():
        size = each.path.stat().st_size if isinstance(each.path, Path) and each.path.is_file() else None
        line = {"what": what, "place": each.where, "bytes": size, "rows": None, "exact": True}
        if len(opened) == 1:
            line |= {"bytes": table.stored, "rows": table.records, "exact": table.exact}
        out.append(line | {"columns": table.columns if len(opened) == 1 else len(sources.columns(each))})
    if (domain := plan.spec.evaluate.domain) is not None:
        path = plan.loaded.resolve(domain.path, "evaluate", "domain")
        size = path.stat().st_size
        out.append({"what": "evaluate.domain", "place": str(path), "bytes": size, "rows": None, "exact": True})
    return out


def writes(plan: Plan, table: Size, rows: int | None, root: Path) -> list[dict[str, Any]]:
    """{what, place, rows, exact}: the run folder, and the output (each copy of it), which is written when the gates
    pass.
    """
    place = str(root.resolve() / plan.loaded.name)
    out: list[dict[str, Any]] = [{"what": "run", "place": place, "rows": None, "exact": True}]
    if plan.target is not None:
        exact = table.exact or plan.spec.generate.rows is not None
        for one in plan.modality.outputs(plan.target, plan.checked.request):
            out.append({"what": "output", "place": one.where, "rows": rows, "exact": exact})
    return out
