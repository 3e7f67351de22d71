"""Read sources and write outputs, one module per kind. A source is read as a stream of Arrow tables; frames are written
to a file or a table.

A module for files has `names(path, source)` and `batches(path, source)`; other modules have `columns`, `batches` and
`fingerprint` of a source.
"""

from __future__ import annotations

import hashlib
import importlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthcli.contracts.modality import Csv, Target
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.sources.paths import ENDINGS, is_url
from synthcli.sources.source import Source

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from synthcli.sources.places import FilePart
    from synthcli.sources.sampling import Sample

FILES = tuple(ENDINGS)  # kinds that are files, and formats of files
KINDS = (*FILES, "sql", "builtin", "frame", "none")
FORMATS = (*FILES, "sql")  # formats that can be written


def read(source: Source) -> pa.Table:
    """Read the whole table. Raises DataError with the path, the problem and the remedy."""
    import pyarrow as pa

    return _finished(pa.concat_tables(_batches(source), promote_options="permissive"), source)


def sample(source: Source, *, seed: int, unit: str | None = None) -> Sample:
    """Read the table, or a uniform sample of whole units if it does not fit into memory; see sampling.Sample."""
    from synthcli.sources import sampling

    drawn = sampling.draw(_batches(source), seed=seed, unit=unit, most=source.max_rows, text=spelled(source))
    return sampling.Sample(_finished(drawn.table, source), drawn.kept, drawn.rows)


def columns(source: Source) -> list[str]:
    """The column names, read from the first bytes if the format allows it."""
    from synthcli.sources import shape

    kind = _kind(source.type)
    if source.type not in FILES:
        return shape.kept(kind.columns(source), source)
    names: dict[str, None] = {}
    of_source = parts(source)
    for part in of_source:
        with part.named() as path:
            found = kind.names(path, source)
        if names and source.type != "jsonl":
            _check_same(list(names), found, part, of_source[0])
        names |= dict.fromkeys(found)
    return shape.kept([*names, *(key for key, _ in of_source[0].keys if key not in names)], source)


def fingerprint(source: Source) -> bytes:
    """A BLAKE2b digest of the content; empty for a source without data."""
    if source.type not in FILES:
        return bytes(_kind(source.type).fingerprint(source))
    from synthcli.sources import files

    of_source = parts(source)
    if len(of_source) == 1 and not of_source[0].keys:
        return files.digest(of_source[0].path)
    whole = hashlib.blake2b()
    for part in of_source:  # without file names: the same files in another folder are the same data
        whole.update(repr(part.keys).encode() + files.digest(part.path))
    return whole.digest()


def spelled(source: Source) -> bool:
    """Whether all cells are read as strings, so that types must be inferred."""
    return bool(_kind(source.type).TEXT)


def write(
    chunks: Iterator[pd.DataFrame],
    schema: Schema,
    path: Path | str,
    format: str,
    *,
    rows: int | None = None,
    csv: Csv | None = None,
    spelled: bool = True,
) -> int:
    """Write canonical frames of this schema one after another to a file or an object; returns the number of rows
    written, at most `rows`. csv: the dialect of a csv file; spelled: whether columns are spelled as in their source.

    The file appears under its name only when complete. Raises DataError if the target cannot be written.
    """
    from synthcli.columns.spelling import writing
    from synthcli.sources import remote

    if format not in FILES:
        raise SpecError(f"output.format is {format}; expected one of {', '.join(FILES)}.{did_you_mean(format, FILES)}")
    some = chunks if rows is None else _first(chunks, rows)
    some, schema = writing.as_source(some, schema) if spelled else (some, schema)
    how = (csv,) if format == "csv" and csv is not None else ()
    if not isinstance(path, str) or not is_url(path):
        return int(_kind(format).write(some, schema, Path(path), *how))
    remote.check(path, "output.path", write=True)
    with tempfile.TemporaryDirectory(prefix="synth-") as folder:
        local = Path(folder) / path.rpartition("/")[2]
        written = int(_kind(format).write(some, schema, local, *how))
        remote.upload(local, path)
    return written


def deliver(
    chunks: Iterator[pd.DataFrame], schema: Schema, target: Target, note: Callable[[str], None] | None = None
) -> int:
    """Write canonical frames to a file, an object or a table, which readers see complete or not at all; return the
    number of rows written. note: is told in what a table differs from its declaration.
    """
    if target.format == "sql":
        return int(importlib.import_module("synthcli.sources.sql_write").write(chunks, schema, target, note))
    assert target.path is not None  # checked with the spec
    return write(chunks, schema, target.path, target.format, csv=target.csv)


def csv_dialect(source: Source) -> dict[str, str] | None:
    """The dialect of a csv source: {delimiter, decimal, encoding}; None for other sources."""
    if source.type != "csv":
        return None
    from synthcli.sources import dialect

    layout = dialect.layout(source, parts(source)[0].path)
    encoding = "utf-8" if layout.encoding == "utf-8-sig" else layout.encoding
    return {"delimiter": layout.delimiter, "decimal": source.decimal, "encoding": encoding}


def declarations(source: Source) -> dict[str, Any] | None:
    """What the database declares about the table of a source, as JSON; None for a query and for other sources."""
    if source.type != "sql" or source.table is None:
        return None
    from synthcli.sources import catalogue, database

    return catalogue.describe(database.opened(source.url, "source.url", source.folder), source.table).to_json()


def digest(target: Target) -> str | None:
    """A hash of the object or the table at a target; None if there is none, and for a table that rows are appended to.
    Raises TryLater if it cannot be reached.
    """
    if target.if_exists == "append":
        return None
    place = {"url": target.url, "table": target.table} if target.format == "sql" else {"path": target.path}
    try:
        return fingerprint(Source(type=target.format, folder=target.folder, **place)).hex()
    except DataError:  # it does not exist
        return None


def parts(source: Source) -> list[FilePart]:
    """The files of a source, sorted by name; files behind a URL are first copied to this machine.

    Raises SpecError for an invalid path, DataError without a readable file.
    """
    from synthcli.sources import places, remote

    path = places.check_path(source)
    return places.local_parts(path, source.type) if isinstance(path, Path) else remote.parts(source, path)


def _batches(source: Source) -> Iterator[pa.Table]:
    """All rows, with the columns that are read."""
    if source.dropped:
        columns(source)  # raises for a dropped column that does not exist
    for table in _whole(source):
        yield table.select([name for name in table.column_names if name not in source.dropped])


def _whole(source: Source) -> Iterator[pa.Table]:
    """All rows, in the order of the files; the columns from folder names come last."""
    from synthcli.sources import places

    kind = _kind(source.type)
    if source.type not in FILES:
        yield from kind.batches(source)
        return
    of_source = parts(source)
    types = places.key_types(of_source, kind.TEXT)
    order: list[str] = []
    schema = None
    for part in of_source:
        with part.named() as path:
            if source.type != "jsonl" and len(of_source) > 1:
                found = kind.names(path, source)
                order = order or found
                _check_same(order, found, part, of_source[0])
            for table in kind.batches(path, source):
                whole = places.keyed(table.select(order) if order else table, part, types)
                schema = places.unified(schema, whole.schema, part)
                yield whole


def _check_same(expected: list[str], found: list[str], part: FilePart, first: FilePart) -> None:
    """Raise DataError if the columns of a file differ from those of the first one."""
    for names, others, what in ((expected, found, "lacks"), (found, expected, "has")):
        if odd := [n for n in names if n not in others]:
            beside = "which" if what == "lacks" else "which is not in"
            tail = f"{beside} {first.name}{' has' if what == 'lacks' else ''}"
            raise DataError(
                f"{part.name}: {what} the column {odd[0]}, {tail}; remedy: files with the same columns, or a narrower"
                " source.path"
            )


def _finished(table: pa.Table, source: Source) -> pa.Table:
    finish = getattr(_kind(source.type), "finished", None)
    return table if finish is None else finish(table, source)


def _kind(name: str) -> Any:
    if name not in KINDS:
        raise SpecError(f"source.type is {name}; expected one of {', '.join(KINDS)}.{did_you_mean(name, KINDS)}")
    return importlib.import_module(f"synthcli.sources.{name}")


def _first(chunks: Iterator[pd.DataFrame], rows: int) -> Iterator[pd.DataFrame]:
    left = rows
    for chunk in chunks:
        yield chunk.iloc[:left]
        left -= min(left, len(chunk))
        if not left:
            return
