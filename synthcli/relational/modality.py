"""Related tables: how the loop reads, fits, generates, judges and delivers them."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import seeds, sources
from synthcli.artifacts import files
from synthcli.artifacts.store import SAMPLE, UNASKED_MARK, table_file
from synthcli.columns.codec.top_coding import unit_codes
from synthcli.columns.frame import to_arrow
from synthcli.columns.pii import rare_words
from synthcli.contracts.cost import Cost, Work
from synthcli.contracts.evaluation import Measurement, Usage
from synthcli.contracts.modality import Choice, Completion, Engine, Json, Origin, Size, Target
from synthcli.contracts.modelling import Job, Limits, Progress, Request, silent
from synthcli.contracts.schema import Schema
from synthcli.errors import SpecError
from synthcli.relational import conditions, constraints, costs, output
from synthcli.relational import evidence as judging
from synthcli.relational import fitted as fitting
from synthcli.relational import pictures as drawing
from synthcli.relational import profile as profiling
from synthcli.relational.data import Tables
from synthcli.relational.evidence import RelatedEvidence
from synthcli.relational.fitted import FittedRecipe, FittedTables
from synthcli.relational.fixtures.source import NoTables
from synthcli.relational.model import model as related_model
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.source import Described, RealTables, holder, keyed_traits
from synthcli.sources import head
from synthcli.sources.database import reads
from synthcli.sources.paths import format_of, is_url
from synthcli.tabular import modality as tabular
from synthcli.tabular import source_stats

COUNTS = "rows of the privacy unit's table"
BUILDS_ON: tuple[str, ...] = ()
FREELY = 20_000  # maximum units generated without conditions
LEAST = 50  # minimum units that a preview is fitted to


def read(described: Described) -> RealTables | NoTables:
    """Open the tables; they are read when a stage first needs them. Without data: their schemas."""
    return RealTables(described) if described.recipe is None else NoTables(described, described.recipe)


def look(described: Described, profile: Json) -> Size:
    """The size of the unit's table: from the profile of an earlier run, else from its head."""
    if not profile:
        return replace(costs.look(described), undecided=_undecided(described))
    schema = Schema.from_json(cast(dict[str, object], profile["schema"]))
    parts, rows = cast(dict[str, int], profile["parts"]), cast(int, profile["rows"])
    undecided = cast(list[dict[str, object]], profile.get("undecided", []))
    return Size(len(schema.columns), schema, rows, True, None, parts, undecided)


def _undecided(described: Described) -> list[dict[str, object]]:
    """The columns that need a decision, from the first rows of each table."""
    out: list[dict[str, object]] = []
    for name, source in described.sources.items():
        table = None if name in described.kept else head.first_rows(source)[0]
        if table is None:
            continue
        key = holder(described, name)
        traits = keyed_traits(described, name, table.column_names)
        known = source_stats.first(source, table, traits, holder=key)
        units = unit_codes(known.frame[key]) if key in known.frame else None
        found = rare_words.undecided(known.schema, known.frame, units)
        out += [{**one.to_json(), "column": f"{name}.{one.column}"} for one in found]
    return out


def work(records: int, schema: Schema) -> Work:
    """The work of one table."""
    return tabular.work(records, schema)


def cost(stage: str, choice: Choice | None, described: Described, request: Request, control: str) -> Cost | None:
    """The cost of all tables, as a function of the work on the unit's table."""
    return costs.cost(stage, choice, described, control=control, conditional=request.where is not None)


def profile(real: RealTables | NoTables, *, progress: Progress) -> Json:
    """A profile of each table, and of the relationships."""
    if isinstance(real, NoTables):
        return real.profile()
    return profiling.profile(real, progress=progress)


def choose(records: int, schema: Schema, limits: Limits) -> Choice:
    """Always trees: related tables need a method that draws rows given known values."""
    return Choice("trees", {}, "trees draw rows given known values", modality="tabular")


def fit(
    real: RealTables | NoTables, choice: Choice, request: Request, *, job: Job, bootstrap: np.random.Generator | None
) -> FittedTables | FittedRecipe:
    """Fit a table method to each table, given the rows above. Without data: keep the recipe."""
    return fitting.fit(real, choice, request, job=job, bootstrap=bootstrap)


def load(choice: Choice, trained: Path) -> FittedTables | FittedRecipe:
    """The generator that a train stage saved."""
    return fitting.load(choice, trained)


def generate(
    fitted: FittedTables | FittedRecipe, request: Request, folder: Path, *, engine: Engine, progress: Progress
) -> Json:
    """Write TABLE.parquet for each table; with conditions also TABLE.unasked.parquet, generated without them."""
    counts = RejectionCounts()
    tables, conditioned = _sampled(fitted, request, counts, progress)
    _write(folder, tables, "", progress)
    total = sum(tables.rows.values())
    left_out = cast(int, cast(Json, conditioned.get("marginals", {})).get("left_out", 0))
    if "wanted" in conditioned and isinstance(fitted, FittedTables):
        unconditional = fitted.model.sample(min(request.rows, FREELY), rng=seeds.stream(request.seed, "unasked"))
        _write(folder, unconditional, UNASKED_MARK, silent)
    return {
        "records": total,
        "refused_by_constraints": sum(n for text, n in counts.refused.items() if text in fitted.rules),
        "drawn": total + sum(counts.refused.values()) + left_out,
        "refused": counts.refused,
        "rules": sorted(fitted.rules),
        "repaired": counts.repaired,
        "dropped": counts.dropped,
        "schema": tables.schema.to_json(),
        "tables": tables.rows,
        "schemas": {name: schema.to_json() for name, schema in tables.schemas.items()},
        **conditioned,
    }


def _sampled(
    fitted: FittedTables | FittedRecipe, request: Request, counts: RejectionCounts, progress: Progress
) -> tuple[Tables, Json]:
    """Generate tables; also what sample.json says of conditions and of marginals that were kept."""
    if isinstance(fitted, FittedRecipe):
        return fitted.model.sample(request.rows, seed=request.seed, counts=counts), {}
    return conditions.generate(fitted.model, request, counts, progress)


def _write(folder: Path, tables: Tables, mark: str, progress: Progress) -> None:
    """Write TABLE.parquet of each table, with a suffix to its name."""
    for i, (name, frame) in enumerate(tables.frames.items()):
        progress("tables", i, len(tables.frames), name)
        pq.write_table(to_arrow(frame, tables.schemas[name]), folder / table_file(name, mark))


def evidence(
    real: RealTables | NoTables, generated: Path, control: str, usage: Usage | None, request: Request
) -> RelatedEvidence:
    """The synthetic tables and the real ones to compare them with, if there are any."""
    if isinstance(real, NoTables):
        return judging.without_data(real, generated, usage)
    return judging.evidence(real, generated, control, usage, request)


def measure(
    kind: str, names: Sequence[str], evidence: RelatedEvidence, *, seed: int, progress: Progress
) -> list[Measurement]:
    """Measure each table and all of them, then the relationships."""
    return judging.measure(kind, names, evidence, seed=seed, progress=progress)


def pictures(evidence: RelatedEvidence, *, seed: int) -> Json:
    """The charts' data of each table and of the relationships."""
    return drawing.pictures(evidence, seed=seed)


def deliver(generated: Path, target: Target, request: Request) -> Json:
    """Write a folder with a file per table, or the tables of a database."""
    return output.deliver(generated, target)


def outputs(target: Target, request: Request) -> list[Target]:
    """The folder or the database."""
    return [target]


def more(
    fitted: FittedTables | FittedRecipe, request: Request, target: Target, origin: Origin, *, progress: Progress
) -> Json:
    """Generate tables from an old run's model, as files of a folder or tables of a database."""
    own = str(cast(dict[str, object], origin.plan["output"])["format"])
    format_ = target.format or (own if own in sources.FILES else "parquet")
    if isinstance(target.path, Path):
        _check_folder(target.path, origin)
    else:
        _check_database(target, origin)
    counts = RejectionCounts()
    tables, conditioned = _sampled(fitted, request, counts, progress)
    with tempfile.TemporaryDirectory(prefix="synth-") as scratch:
        _write(Path(scratch), tables, "", silent)
        files.write_json(
            Path(scratch) / SAMPLE, {"schemas": {name: schema.to_json() for name, schema in tables.schemas.items()}}
        )
        written = output.deliver(
            Path(scratch), replace(target, format=format_, csv=origin.csv, declared=origin.declared)
        )
    return {
        "tables": tables.rows,
        "output": target.where,
        "format": format_,
        **({} if format_ == "sql" else {"files": written["tables"]}),
        **({"asked": conditioned["asked"]} if "asked" in conditioned else {}),
        **({"notes": written["notes"]} if "notes" in written else {}),
        "refused": counts.refused,
        "repaired": counts.repaired,
        "dropped": counts.dropped,
    }


def _check_database(target: Target, origin: Origin) -> None:
    """Raise SpecError for a database that a table of the source is read from under a name that would be written."""
    described = cast(dict[str, dict[str, dict[str, str]]], origin.plan["source"])["tables"]
    for name, each in described.items():
        if each.get("url") and reads(each["url"], each.get("table"), each.get("query"), str(target.url), name,
                                     origin.folder):  # fmt: skip
            raise SpecError(
                f"--output {target.where}: table {name} is the source of that run, which would be overwritten; remedy:"
                " another database"
            )


def _check_folder(target: Path, origin: Origin) -> None:
    """Raise SpecError for a target that cannot be a folder of files."""
    if format_of(target.name) is not None:
        raise SpecError(f"--output {target}: related tables are written to a folder; remedy: the name of a folder")
    if not target.resolve().parent.is_dir():
        raise SpecError(f"--output {target}: the folder {target.resolve().parent} does not exist; remedy: create it")
    described = cast(dict[str, dict[str, dict[str, str]]], origin.plan["source"])["tables"]
    paths = [each["path"] for each in described.values() if each.get("path")]
    read_from = {(origin.folder / path).resolve().parent for path in paths if not is_url(path)}
    if target.is_file() or target.resolve() in read_from:
        why = "a file" if target.is_file() else "the folder of the source of that run, which would be overwritten"
        raise SpecError(f"--output {target} is {why}; remedy: the name of a folder of its own")


def complete(
    fitted: FittedTables | FittedRecipe,
    known: Path,
    target: Path,
    origin: Origin,
    *,
    how: Completion,
    seed: int,
    progress: Progress,
) -> Json:
    """Raise SpecError: only the rows of a single table can be completed."""
    raise SpecError(
        f"{origin.name} is a run of related tables, and --given and --impute complete the rows of one; remedy: --rows N"
    )


def preview(
    real: RealTables | NoTables, choice: Choice, request: Request, *, most: int, job: Job
) -> Mapping[str, pd.DataFrame]:
    """A few rows of each table, from a fit on whole units of about `most` rows in all."""
    if isinstance(real, NoTables):
        fitted = fitting.fit(real, choice, request, job=job, bootstrap=None)
        made, _ = _sampled(fitted, request, RejectionCounts(), silent)
        return {name: frame.head(request.rows) for name, frame in made.frames.items()}
    train, seed = real.train, real.described.seed
    units = max(LEAST, most * len(train) // max(1, sum(train.rows.values())))
    if units < len(train):
        keep = {name: np.ones(n, dtype=bool) for name, n in train.rows.items()}
        chosen = seeds.stream(seed, "preview").permutation(len(train))[:units]
        keep[train.unit[0]] = np.isin(np.arange(len(train)), chosen)
        train = constraints.without(train, keep).checked()[0]
    job.target = None
    model = related_model.fit(
        train, fitting.base_of(choice), job=job, rules=real.rules, keep=fitting.kept(real, request)
    )
    tables, _ = conditions.generate(model, request, RejectionCounts(), silent)
    return {name: frame.head(request.rows) for name, frame in tables.frames.items()}
