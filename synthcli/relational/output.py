"""Write generated related tables to a folder with a file per table, or to a database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from synthcli import sources
from synthcli.artifacts import files
from synthcli.artifacts.store import table_file
from synthcli.columns import frame as frames
from synthcli.contracts.modality import Csv, Json, Target
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError
from synthcli.relational.evidence import schemas_of
from synthcli.sources import sql_write
from synthcli.sources.paths import ENDINGS


def deliver(generated: Path, target: Target) -> Json:
    """Write all tables to a folder or a database; returns the hash or the rows of each."""
    if target.format == "sql":
        notes: list[str] = []
        tables = to_database(generated, target, notes)
        digests = {name: sources.digest(replace(target, table=name)) for name in tables}
        more: Json = {"notes": notes} if notes else {}
        return {"path": f"{target.url}", "format": "sql", "tables": tables, "digests": digests, **more}
    assert isinstance(target.path, Path)  # the spec was checked
    written = to_folder(generated, target.path, target.format, target.csv)
    return {"path": str(target.path), "format": target.format, "tables": written}


def to_database(generated: Path, target: Target, notes: list[str]) -> dict[str, int]:
    """Write all tables to a database, exchanging the rows of those that exist; returns the rows of each. notes: gets
    what a table differs in.
    """
    schemas = schemas_of(generated)
    return sql_write.write_all(
        {name: (_chunks(generated, name, schema), schema) for name, schema in schemas.items()},
        target,
        notes.append,
    )


def _chunks(generated: Path, name: str, schema: Schema) -> Iterator[pd.DataFrame]:
    """Read a table that `generate` wrote, in chunks."""
    with pq.ParquetFile(generated / table_file(name)) as file:
        for i in range(file.num_row_groups):
            yield frames.to_frame(file.read_row_group(i), schema)


def to_folder(generated: Path, target: Path, format_: str, csv: Csv | None = None) -> dict[str, str]:
    """Write a folder with a file for each table, which replaces the old one once complete; returns the hash of each
    file. csv: the dialect of csv files.

    Raises DataError if the folder holds other files.
    """
    schemas = schemas_of(generated)
    names = {name: f"{name}{ENDINGS[format_].own[0]}" for name in schemas}
    if target.exists() and (others := sorted(p.name for p in target.iterdir() if p.is_dir() or p.stem not in schemas)):
        raise DataError(
            f"{target} holds {others[0]}, which is not one of the tables and would be removed; remedy: a folder of its"
            " own for output.path"
        )
    fresh, old = (target.with_name(f".{target.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    fresh.mkdir(mode=0o700)
    try:
        for name, schema in schemas.items():
            sources.write(_chunks(generated, name, schema), schema, fresh / names[name], format_, csv=csv)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists():  # restore the old folder
            old.rename(target)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return {name: files.sha256(target / file) for name, file in names.items()}
