"""What is done beside the loop with related tables: check, preview, and more rows from an old run's model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from synthcli import seeds, sources
from synthcli.artifacts import files
from synthcli.artifacts.store import FIT, MODEL, SAMPLE, TRAIN, Version, table_file
from synthcli.columns.frame import to_arrow
from synthcli.contracts.modelling import Job, Limits
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import SpecError
from synthcli.pipeline import related, related_asked, related_rules
from synthcli.pipeline.events import Events
from synthcli.pipeline.plan import Choice, Plan, table_sources
from synthcli.pipeline.related_real import RelatedReal, described, tables_of
from synthcli.relational.data import Tables, check_names
from synthcli.relational.model import model as related_model
from synthcli.relational.model.rejection import Tally
from synthcli.sources.paths import format_of, is_url
from synthcli.spec import check_related
from synthcli.spec.load import Loaded
from synthcli.spec.models import Generate

LEAST = 50  # units that a preview learns from, at least


def checked(loaded: Loaded) -> int:
    """Hold a spec against the column names of its tables; how many there are. Raises SpecError, DataError."""
    said, spec = described(loaded), loaded.spec
    names = {table: sources.columns(source) for table, source in table_sources(loaded).items()}
    declared = {
        t: {c: spec.columns.get(f"{t}.{c}", Traits()).type or "category" for c in columns}
        for t, columns in names.items()
    }
    schemas = {
        t: Schema(tuple(Column(c, Traits(type=kind)) for c, kind in columns.items())) for t, columns in declared.items()
    }
    empty = tables_of(said, {t: pd.DataFrame(columns=columns) for t, columns in names.items()}, schemas)
    check_related.against(loaded, declared, empty.unit[0], typed=False)
    check_names(empty)
    related_rules.ruled(empty, said.rules, said.fail, typed=False)
    return sum(map(len, names.values()))


def glance(plan: Plan, rows: int, most: int, minutes: float) -> tuple[dict[str, pd.DataFrame], str]:
    """A few rows of each table, from a fit on whole units of about `most` rows in all, and the method."""
    real, choice, seed = RelatedReal(described(plan.loaded)), plan.choices[0], plan.spec.seed
    train = real.train
    units = max(LEAST, most * len(train) // max(1, sum(train.rows.values())))
    if units < len(train):
        keep = {name: np.ones(n, dtype=bool) for name, n in train.rows.items()}
        chosen = seeds.stream(seed, "preview").permutation(len(train))[:units]
        keep[train.unit[0]] = np.isin(np.arange(len(train)), chosen)
        train = related_rules.without(train, keep).checked()[0]
    with tempfile.TemporaryDirectory() as scratch:
        job = Job(seed, Path(scratch), "cpu", Limits(minutes=minutes))
        model = related_model.fit(
            train, related.base_of(choice), job=job, rules=real.rules, keep=related.kept(plan, real)
        )
    made, _ = related_asked.made(model, plan.spec.generate, rows, seed, Tally(), Events())
    return {name: frame.head(rows) for name, frame in made.frames.items()}, choice.method


def more(
    version: Version, plan: dict[str, Any], rows: int, target: Path, asked: Generate, seed: int, events: Events
) -> dict[str, Any]:
    """Tables from the model of a run, as files of a folder. {run, rows, tables, output, files, asked}. Raises
    SpecError, DataError, FitError.
    """
    if format_of(target.name) is not None:
        raise SpecError(
            f"--output {target}: this run is of related tables, which go to a folder of files; remedy: the name of a"
            " folder"
        )
    if not target.resolve().parent.is_dir():
        raise SpecError(f"--output {target}: the folder {target.resolve().parent} does not exist; remedy: make it")
    if target.is_file() or target.resolve() in _read(version, plan):
        why = "a file" if target.is_file() else "the folder of the source of that run, which would be overwritten"
        raise SpecError(f"--output {target}: is {why}; remedy: the name of a folder of its own")
    fit, tally = version.read(TRAIN, FIT), Tally()
    assert fit is not None  # the run was opened
    model = related_model.load(version.folder / TRAIN / MODEL, related.base_of(Choice(fit["method"], fit["params"])))
    made, report = related_asked.made(model, asked, rows, seed, tally, events)
    format_ = plan["output"]["format"]
    with tempfile.TemporaryDirectory(prefix="synth-") as scratch:
        written = related.deliver(
            _kept(Path(scratch), made), target, format_ if format_ in sources.FILES else "parquet"
        )
    body = {"run": version.name, "rows": rows, "tables": made.rows, "output": str(target), "files": written}
    return {
        **body,
        **({"asked": report["asked"]} if report else {}),
        "refused": tally.refused,
        "repaired": tally.repaired,
        "dropped": tally.dropped,
    }


def _read(version: Version, plan: dict[str, Any]) -> set[Path]:
    """The folders that the run's source was read from."""
    folder = Path(version.known.get("spec_path", ".")).parent
    paths = [each["path"] for each in plan["source"]["tables"].values() if each.get("path")]
    return {(folder / path).resolve().parent for path in paths if not is_url(path)}


def _kept(folder: Path, tables: Tables) -> Path:
    """Tables as a generate stage keeps them."""
    for name, frame in tables.frames.items():
        pq.write_table(to_arrow(frame, tables.schemas[name]), folder / table_file(name))
    files.write_json(folder / SAMPLE, {"schemas": {name: schema.to_json() for name, schema in tables.schemas.items()}})
    return folder
