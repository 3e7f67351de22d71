"""Where generated related tables go: a folder with a file per table, or the tables of a database."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from synthcli import sources
from synthcli.artifacts import files
from synthcli.artifacts.store import table_file
from synthcli.columns import frame as frames
from synthcli.contracts.modality import Json, Target
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError
from synthcli.relational.evidence import schemas_of
from synthcli.sources import sql_write
from synthcli.sources.paths import ENDINGS


def deliver(generated: Path, target: Target) -> Json:
    """All tables into a folder or a database; what became of each."""
    if target.format == "sql":
        return {"path": f"{target.url}", "format": "sql", "tables": to_database(generated, target)}
    assert isinstance(target.path, Path)  # the spec was checked
    tables = to_folder(generated, target.path, target.format)
    return {"path": str(target.path), "format": target.format, "tables": tables}


def to_database(generated: Path, target: Target) -> dict[str, int]:
    """All tables into a database, parents before children, in the place of those of their names; the rows of each."""
    schemas = schemas_of(generated)
    return sql_write.write_all(
        {name: (_chunks(generated, name, schema), schema) for name, schema in schemas.items()}, target
    )


def _chunks(generated: Path, name: str, schema: Schema) -> Iterator[pd.DataFrame]:
    """A table that `generate` wrote, piece by piece."""
    with pq.ParquetFile(generated / table_file(name)) as file:
        for i in range(file.num_row_groups):
            yield frames.to_frame(file.read_row_group(i), schema)


def to_folder(generated: Path, target: Path, format_: str) -> dict[str, str]:
    """A folder with a file for each table, which takes the place of the one before it when it is whole; the hash of
    each file.

    Raises DataError where the folder holds anything else than such files.
    """
    schemas = schemas_of(generated)
    names = {name: f"{name}{ENDINGS[format_].own[0]}" for name in schemas}
    if target.exists() and (others := sorted(p.name for p in target.iterdir() if p.is_dir() or p.stem not in schemas)):
        raise DataError(
            f"{target}: holds {others[0]}, which is none of the tables, and would be removed; remedy: a folder of its"
            " own for output.path"
        )
    fresh, old = (target.with_name(f".{target.name}.{os.getpid()}.{word}") for word in ("new", "old"))
    fresh.mkdir(mode=0o700)
    try:
        for name, schema in schemas.items():
            sources.write(_chunks(generated, name, schema), schema, fresh / names[name], format_)
        if target.exists():
            target.rename(old)
        fresh.rename(target)
    except BaseException:
        if old.exists():  # what was there stays there
            old.rename(target)
        raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
    return {name: files.sha256(target / file) for name, file in names.items()}
