"""The stages, for every modality: analyze, train, generate, evaluate, privacy-check. Each writes its own folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from synthcli import plugins, seeds
from synthcli.artifacts import files
from synthcli.artifacts.store import (
    CHECKPOINTS,
    DATA,
    FIT,
    MEASURED,
    MODEL,
    PICTURES,
    PROFILE,
    SAMPLE,
    SCRATCH,
    copy_file,
)
from synthcli.contracts.evaluation import Evidence, Measurement
from synthcli.contracts.modality import Choice, Fitted, Real, Support
from synthcli.contracts.modelling import Job, Request
from synthcli.errors import FitError
from synthcli.pipeline.events import Events
from synthcli.pipeline.metering import metered
from synthcli.pipeline.plan import Plan
from synthcli.wording import quantity

FEW_UNITS, PER_UNIT = 10, 100  # real units behind a condition, and rows for each of them, beyond which a note warns
Own = Callable[..., list[Measurement]]


def analyze(folder: Path, plan: Plan, real: Real, events: Events) -> None:
    """Write profile.json."""
    files.write_json(folder / PROFILE, plan.modality.profile(real, progress=events.progress))


def train(folder: Path, plan: Plan, real: Real, choice: Choice, events: Events) -> None:
    """Write model/ and fit.json: seconds, peak memory, size, and the limit that stopped the fit, if any."""
    module = plugins.ready(choice)
    limits = plan.spec.generator.limits.build()
    target = files.make_folder(folder / MODEL)
    with metered(limits) as meter:
        fitted, job = fit(folder, plan, real, choice, seeds.key(plan.spec.seed, "train") % 2**63, events)
        fitted.save(target)
    shutil.rmtree(folder / CHECKPOINTS)
    body = {
        "method": choice.method,
        "params": plugins.params(choice),
        "why": choice.why,
        "seconds": round(meter.seconds, 3),
        "peak_memory": meter.peak,
        "model_bytes": sum(p.stat().st_size for p in target.rglob("*") if p.is_file()),
        "limit": job.reached,
        "merged_rare": dict(fitted.merged),
        "clipped": dict(fitted.clipped),
        "device": job.device,
        "pickled": module.TRUSTED_LOAD,
        "warning": module.WARNING,
        **fitted.details,
    }
    files.write_json(folder / FIT, body)


def fit(
    folder: Path,
    plan: Plan,
    real: Real,
    choice: Choice,
    seed: int,
    events: Events,
    units: np.random.Generator | None = None,
) -> tuple[Fitted, Job]:
    """Fit a generator. units: draws a bootstrap sample of the privacy units; None to use the train part."""
    work, limits = files.make_folder(folder / CHECKPOINTS), plan.spec.generator.limits.build()
    where = device(plugins.ready(choice).EXTRA)
    job = Job(seed, work, where, limits, events.progress, plan.spec.evaluate.target)
    try:
        return plan.modality.fit(real, choice, plan.checked.request, job=job, bootstrap=units), job
    except (MemoryError, RecursionError) as error:
        kind = type(error).__name__.removesuffix("Error").lower()
        raise FitError(
            f"{choice.method} ran out of {kind}; remedy: set source.max_rows, to learn from fewer records"
        ) from None


def device(extra: str | None) -> str:
    """Return cuda if a torch method has a GPU, else cpu."""
    if extra is None or "torch" not in plugins.EXTRAS[extra]:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def generate(folder: Path, choice: Choice, trained: Path, plan: Plan, real: Real, rows: int, events: Events) -> None:
    """Write the data files and sample.json. Quality is measured on the first copy.

    Each copy has random streams of its own. By default all come from the one fitted model; `proper: true` fits the
    generator again for each copy to a bootstrap sample of the privacy units, which stands for a draw of its parameters
    from their posterior (Raghunathan, Reiter & Rubin 2003; Nowok, Raab & Dibben 2016 call it proper synthesis).
    """
    request = plan.request(rows)
    if request.copies == 1 and not request.proper:
        _generate(folder, choice, trained, plan, real, request, events)
        return
    for copy in range(1, request.copies + 1):
        events.progress("copies", copy - 1, request.copies)
        scratch = files.make_folder(folder / SCRATCH)
        source = _refitted(scratch, choice, trained, plan, real, copy, events) if request.proper else trained
        if copy == 1:
            _generate(folder, choice, source, plan, real, request, events)
            os.link(folder / DATA, folder / copy_file(1))
        else:
            own = replace(request, seed=seeds.key(plan.spec.seed, "copy", copy) % 2**63)
            fitted = plan.modality.load(choice, source)
            plan.modality.generate(fitted, own, scratch, engine=plan.engine, progress=events.progress)
            os.rename(scratch / DATA, folder / copy_file(copy))
        shutil.rmtree(scratch, ignore_errors=True)
    events.progress("copies", request.copies, request.copies)


def _check_support(plan: Plan, real: Real, request: Request, events: Events) -> list[str]:
    """Say how many real units stand behind each condition. Raises FitError if there is none and the spec does not allow
    it.
    """
    notes = []
    for found in real.support(request) if plan.has_data and request.conditional else ():
        if not found.units and not plan.spec.generate.allow_unseen:
            raise FitError(
                f"generate: no real unit of the train part meets {found.text}, so its rows would be made from nothing;"
                " remedy: a condition that real rows meet, or generate.allow_unseen: true"
            )
        notes.append(support_note(found))
        events.note(notes[-1])
    return notes


def support_note(found: Support, *, about: str = "") -> str:
    """The real units behind a condition, with a warning where they are few. about: stands before an estimate."""
    few = found.units < FEW_UNITS or found.requested > PER_UNIT * found.units
    warning = "; so few real examples cannot show how such rows vary" if few else ""
    units = about + quantity(found.units, "real unit")
    return f"{'Warning: ' if few else ''}{found.requested:,} rows where {found.text} rest on {units}{warning}."


def _generate(
    folder: Path, choice: Choice, trained: Path, plan: Plan, real: Real, request: Request, events: Events
) -> None:
    """Write one data set and its sample.json: rows, seconds, and the details of the modality."""
    with metered() as meter:
        fitted = plan.modality.load(choice, trained)
        details = plan.modality.generate(fitted, request, folder, engine=plan.engine, progress=events.progress)
    support = _check_support(plan, real, request, events)  # after the request was checked against the model
    records = int(str(details.pop("records", request.rows)))  # of all tables, if there are several
    body = {
        "rows": request.rows,
        "seconds": round(meter.seconds, 3),
        "rows_per_second": round(records / max(meter.seconds, 1e-6), 1),
        "peak_memory": meter.peak,
        **({"support": support} if support else {}),
        **details,
    }
    files.write_json(folder / SAMPLE, body)


def _refitted(folder: Path, choice: Choice, trained: Path, plan: Plan, real: Real, copy: int, events: Events) -> Path:
    """Fit the generator to a bootstrap sample of the units, and save it as a train stage does."""
    seed = seeds.key(plan.spec.seed, "proper", copy) % 2**63
    fitted, _ = fit(folder, plan, real, choice, seed, events, seeds.stream(seed, "units"))
    fitted.save(files.make_folder(folder / MODEL))
    shutil.copyfile(trained / FIT, folder / FIT)
    return folder


def measure(
    folder: Path,
    kind: str,
    names: Sequence[str],
    plan: Plan,
    evidence: Evidence,
    control: str,
    events: Events,
    *,
    own: Own | None = None,
) -> None:
    """Write measurements.json of metrics or attacks. control: the part of the real data to compare with; own: the
    user's metrics.
    """
    seed = plan.spec.seed
    measured = plan.modality.measure(kind, names, evidence, seed=seed, progress=events.progress)
    if own is not None:
        events.progress(kind, len(names), len(names), "domain")
        measured += own(evidence, rng=seeds.stream(seed, kind, "domain"))
    events.progress(kind, len(names), len(names))
    files.write_json(folder / MEASURED, {"control": control, "measurements": [m.to_json() for m in measured]})


def draw(folder: Path, plan: Plan, evidence: Evidence) -> None:
    """Write pictures.json, the data of the report's charts, without a value of any single person."""
    files.write_json(folder / PICTURES, plan.modality.pictures(evidence, seed=plan.spec.seed))


def read_measurements(folder: Path) -> list[Measurement]:
    """Read what `measure` wrote."""
    return [Measurement(**{**m, "value": m.get("value")}) for m in files.read_json(folder / MEASURED)["measurements"]]
