"""One table: how the loop reads, fits, generates, judges and delivers it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from synthcli import plugins, seeds, sources
from synthcli.artifacts import files
from synthcli.artifacts.store import DATA, UNASKED
from synthcli.columns import units
from synthcli.columns.constraints.rule import without_examples
from synthcli.columns.pii import protect, rare_words
from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.evaluation import Measurement, Usage
from synthcli.contracts.modality import Choice, Completion, Engine, Json, Origin, Size, Target
from synthcli.contracts.modelling import Job, Limits, Progress, Request, silent
from synthcli.contracts.schema import Schema
from synthcli.sources import Source
from synthcli.tabular import choose as choosing
from synthcli.tabular import costs, output, source_stats
from synthcli.tabular import evidence as judging
from synthcli.tabular import fitted as fitting
from synthcli.tabular import pictures as drawing
from synthcli.tabular import profile as profiling
from synthcli.tabular.evidence import TableEvidence
from synthcli.tabular.fitted import FittedTable
from synthcli.tabular.impute import impute_rows
from synthcli.tabular.sampling.marginals import keep_marginals, marginals_report
from synthcli.tabular.sampling.request import SettledRequest, settle
from synthcli.tabular.sampling.stream import RowStream
from synthcli.tabular.source import Described, Real, whole_units

COUNTS = "rows"
BUILDS_ON: tuple[str, ...] = ()
FREELY = 50_000  # rows that a model generates without conditions, at most


def read(described: Described) -> Real:
    """The parts of the table, read when a stage first needs them."""
    return Real(described)


def look(described: Described, profile: Json) -> Size:
    """The size of a source that was not read: from its profile if an earlier run made one, else from its head."""
    return source_stats.look(described, profile)


def work(records: int, schema: Schema) -> Work:
    """The work that so many rows make."""
    return costs.work(records, schema)


def cost(stage: str, choice: Choice | None, described: Described, request: Request, control: str) -> Cost | None:
    """What a stage takes, None if nobody timed it."""
    return cost_of(stage, choice, described.source, request, control)


def cost_of(stage: str, choice: Choice | None, source: Source, request: Request, control: str) -> Cost | None:
    """What a stage takes for rows of this source."""
    return costs.of_stage(stage, choice, source, control=control, conditional=request.where is not None)


def profile(real: Real, *, progress: Progress) -> Json:
    """Schema, distributions, dependencies and keys of the train part; what the constraints found in the source;
    sizes of the parts.
    """
    table = real.train
    body: Json = {
        "rows": real.source_rows,
        "sampled": real.sampled,
        "csv": sources.csv_dialect(real.described.source),
        "catalogue": {"": sources.declarations(real.described.source)},
        "schema": table.schema.to_json(),
        "constraints": without_examples(real.findings),
    }
    if real.described.has_data:
        body["repeating_unit"] = units.repeating(real.table)
        body["parts"] = {name: len(part) for name, part in real.parts.items()}
        body |= profiling.profile(table, progress=progress)
        body["personal"] = [one.to_json() for one in protect.found(table.schema, table.frame)]
        open_ = rare_words.undecided(table.schema, table.frame, table.units())
        body["undecided"] = [one.to_json() for one in open_]
    return body


def choose(records: int, schema: Schema, limits: Limits) -> Choice:
    """The method that `auto` takes, by rows and types of the train part."""
    return choosing.choose(records, schema, limits)


def fit(
    real: Real, choice: Choice, request: Request, *, job: Job, bootstrap: np.random.Generator | None
) -> FittedTable:
    """Fit a method to the train part, or to a bootstrap of its units."""
    return fitting.fit(real, choice, request, job=job, bootstrap=bootstrap)


def load(choice: Choice, trained: Path) -> FittedTable:
    """The generator that a train stage saved."""
    return fitting.load(choice, trained)


def generate(fitted: FittedTable, request: Request, folder: Path, *, engine: Engine, progress: Progress) -> Json:
    """data.parquet, streamed block by block; with conditions also unasked.parquet, rows generated without them."""
    settled = settle(request, fitted.model, fitted.schema, fitted.rules)
    asked = keep_marginals(settled, fitted.model, fitted.schema)
    stream = RowStream(fitted.model, asked, fitted.schema, fitted.choice, fitted.folder, engine)
    schema, tally = stream.store(folder / DATA, progress), stream.tally
    body: Json = {
        "refused_by_constraints": sum(tally.refused.get(rule.text, 0) for rule in fitted.rules),
        "drawn": tally.drawn,
        "refused": tally.refused,
        "rules": [rule.text for rule in fitted.rules],
        "repaired": tally.repaired,
        "schema": schema.to_json(),
    } | marginals_report(asked, tally.thinned)
    if fitted.schema.unit is not None and not fitted.model.whole_units:
        body["rows_by_unit"] = units.written(folder / DATA, fitted.schema.unit)
    if settled.where is not None or settled.strata:
        body |= {"asked": stream.report(), "wanted": settled.to_json()}
        plain = SettledRequest(min(request.rows, FREELY), request.seed, request.block_size, rules=fitted.rules)
        plain = keep_marginals(plain, fitted.model, fitted.schema)
        RowStream(fitted.model, plain, schema).store(folder / UNASKED, silent)
    return body


def evidence(real: Real, generated: Path, control: str, usage: Usage | None, request: Request) -> TableEvidence:
    """The synthetic rows beside the real ones that they should resemble."""
    return judging.evidence(real, generated, control, usage, request)


def measure(
    kind: str, names: Sequence[str], evidence: TableEvidence, *, seed: int, progress: Progress
) -> list[Measurement]:
    """The figures of metrics or attacks; attacks see all copies at once."""
    if kind == "attacks" and evidence.attacked is not None:
        evidence = replace(evidence, synthetic=evidence.attacked)
    measured: list[Measurement] = []
    for i, name in enumerate(names):
        progress(kind, i, len(names), name)
        measured += plugins.judge(kind, name, "tabular").measure(evidence, rng=seeds.stream(seed, kind, name))
    return measured


def pictures(evidence: TableEvidence, *, seed: int) -> Json:
    """What the report draws of both tables, without a value that stands for one person."""
    return drawing.pictures(evidence, rng=seeds.stream(seed, "pictures"))


def deliver(generated: Path, target: Target, request: Request) -> Json:
    """Each copy where it goes, seen there only when whole."""
    return output.deliver(generated, target, request.copies)


def outputs(target: Target, request: Request) -> list[Target]:
    """Where `deliver` writes each copy."""
    return [one for _, one in output.targets(target, request.copies)]


def more(fitted: FittedTable, request: Request, target: Target, origin: Origin, *, progress: Progress) -> Json:
    """Rows from an old run's model, streamed into a file."""
    path = output.file_of(target)
    format_ = output.format_for(path, origin, target.format)
    settled = settle(request, fitted.model, fitted.schema, fitted.rules)
    settled = keep_marginals(settled, fitted.model, fitted.schema)
    stream = RowStream(fitted.model, settled, fitted.schema, fitted.choice, fitted.folder)
    stream.write(path, format_, progress, csv=origin.csv)
    return {"output": str(path), "sha256": files.sha256(path), "asked": stream.report()}


def complete(
    fitted: FittedTable, known: Path, target: Path, origin: Origin, *, how: Completion, seed: int, progress: Progress
) -> Json:
    """The rows of a file, completed given the cells that are known."""
    return impute_rows(fitted, known, target, origin, how=how, seed=seed, progress=progress)


def preview(real: Real, choice: Choice, request: Request, *, most: int, job: Job) -> Mapping[str, pd.DataFrame]:
    """A few rows from a fit on whole units of at most `most` rows, whose rules are met by rejection alone."""
    train = real.train
    if len(train) > most:
        train = train.take(whole_units(train.units(), most, rng=seeds.stream(real.described.seed, "preview")))
    module = plugins.ready(choice)
    model = module.fit(train, module.Params.model_validate(choice.params), job=job)
    settled = settle(request, model, train.schema, real.constraints)
    tables = RowStream(model, settled, train.schema).tables(silent)
    return {"": pd.concat([t.frame for t in tables], ignore_index=True)}
