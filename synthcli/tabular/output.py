"""Delivery of generated tables: one file or database table per copy, streamed, visible only once complete."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq

from synthcli import sources
from synthcli.artifacts import files, store
from synthcli.artifacts.store import SAMPLE, copy_file
from synthcli.columns import frame as frames
from synthcli.contracts.modality import Json, Origin, Target
from synthcli.contracts.schema import Schema
from synthcli.errors import SpecError
from synthcli.sources.paths import format_of


def deliver(generated: Path, target: Target, copies: int) -> Json:
    """Write each copy to its target; return the targets with their hashes."""
    written: list[Json] = []
    notes: list[str] = []
    for name, one in targets(target, copies):
        _deliver(generated, one, name, notes)
        own: Json = (
            {"sha256": files.sha256(one.path)} if isinstance(one.path, Path) else {"digest": sources.digest(one)}
        )
        written.append({"path": one.where, **own})
    more: Json = {"notes": list(dict.fromkeys(notes))} if notes else {}
    return {**written[0], "format": target.format, **({"copies": written} if len(written) > 1 else {}), **more}


def file_of(target: Target) -> Path:
    """The path of a target. Raises SpecError for a database: rows of one table are written to a file."""
    if not isinstance(target.path, Path):
        raise SpecError(f"--output {target.where}: --from writes the rows of one table to a file; remedy: rows.csv")
    return target.path


def format_for(target: Path, origin: Origin, format: str = "") -> str:
    """The given format, else by the file extension of --output. Raises SpecError if it is unknown, if both are given
    and differ, or if the target is the source.
    """
    ending = format_of(target.name)
    if format and ending not in (None, format):
        raise SpecError(
            f"--output {target} has the ending of {ending}, and --format is {format}; remedy: leave one out"
        )
    format_ = format or ending
    if format_ is None:
        raise SpecError(
            f"--output {target}: the ending names no format; expected .csv, .parquet or .jsonl; remedy: --format"
        )
    if str(target.resolve()) == origin.read:
        raise SpecError(f"--output {target} is the source of that run, which would be overwritten")
    return format_


def numbered(path: Path, copy: int) -> Path:
    """The path of a numbered copy: people.csv.gz becomes people-2.csv.gz."""
    stem, dot, endings = path.name.partition(".")
    return path.with_name(f"{stem}-{copy}{dot}{endings}")


def targets(target: Target, copies: int) -> list[tuple[str, Target]]:
    """Each table of the generate stage with its target: people-1.csv, people-2.csv … for several copies (database
    tables: people_1 …).
    """
    if copies == 1:
        return [(store.DATA, target)]
    return [(copy_file(i), _target(target, i)) for i in range(1, copies + 1)]


def _target(target: Target, copy: int) -> Target:
    if target.table is not None:
        return replace(target, table=f"{target.table}_{copy}")
    assert target.path is not None  # the spec was checked
    if isinstance(target.path, Path):
        return replace(target, path=numbered(target.path, copy))
    front, slash, name = target.path.rpartition("/")
    return replace(target, path=f"{front}{slash}{numbered(Path(name), copy)}")


def _deliver(generated: Path, target: Target, name: str, notes: list[str]) -> None:
    """Stream a generated table to its target, visible only once complete. name: of the table in the generate stage;
    notes: gets what a database table differs in.
    """
    schema = Schema.from_json(files.read_json(generated / SAMPLE)["schema"])
    with pq.ParquetFile(generated / name) as file:
        chunks = (frames.to_frame(file.read_row_group(i), schema) for i in range(file.num_row_groups))
        sources.deliver(chunks, schema, target, notes.append)
