"""The head of a source: its first rows and an estimate of its size, without reading all of it."""

from __future__ import annotations

import contextlib
import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthcli import sources
from synthcli.sources import builtin, csv, dialect, files, jsonl, parquet

HEAD = 1 << 20  # bytes of a text file to read to estimate the number of rows
PACKED = 1 << 20  # bytes of a compressed file to read to estimate its size: a block of bzip2 takes up to 900,000


def stored_bytes(source: sources.Source) -> int | None:
    return sum(part.path.stat().st_size for part in sources.parts(source)) if source.type in sources.FILES else None


def first_rows(source: sources.Source) -> tuple[pa.Table | None, int | None, bool]:
    """The first rows, the total number of rows, and whether it is exact. None if that requires reading all."""
    if source.type == "builtin":
        table = _first(builtin.batches(source), source)
        assert table is not None
        return table, len(table), True
    if source.type == "sql" and "copy" in source.kept:  # to detect whether the rows are those of an earlier run
        path = source.kept["copy"][1]
        return _first(parquet.batches(path, source), source), pq.read_metadata(path).num_rows, True
    if source.type not in ("csv", "jsonl", "parquet"):
        return None, None, False
    found = sources.parts(source)
    if source.type == "parquet":
        rows = sum(pq.read_metadata(part.path).num_rows for part in found)
        return _first(parquet.batches(found[0].path, source), source), rows, True
    first = found[0].path
    head = files.head(first, HEAD)
    if source.type == "csv" and dialect.filtered(source):
        head = "".join(dialect.Lines(io.StringIO(head.decode("latin-1"), newline="\n"), source)).encode("latin-1")
    in_head = _records(head, _quote(source, first)) - (source.type == "csv" and source.header)
    if len(found) == 1 and len(head) < HEAD:
        rows, exact = in_head, True
    else:
        whole = sum(_plain(part.path) for part in found)
        rows, exact = round(whole * in_head / max(1, head.rfind(b"\n") + 1)), False
    return _first((csv if source.type == "csv" else jsonl).batches(first, source), source), rows, exact


def _first(batches: Any, source: sources.Source) -> pa.Table | None:
    """The first rows, with the columns that are read."""
    table = next((table for table in batches if len(table)), None)
    return None if table is None else table.select([n for n in table.column_names if n not in source.dropped])


def _quote(source: sources.Source, path: Path) -> str:
    return dialect.layout(source, path).quote if source.type == "csv" else ""


def _records(head: bytes, quote: str) -> int:
    """Count non-empty lines; line breaks inside quotes do not count. The last line may lack an end."""
    letters = np.frombuffer(head.replace(b"\r\n", b"\n").replace(b"\r", b"\n"), dtype=np.uint8)
    outside = np.cumsum(letters == ord(quote)) % 2 == 0 if quote else np.ones(len(letters), dtype=bool)
    ends = np.flatnonzero((letters == ord("\n")) & outside)
    filled = np.diff(ends, prepend=-1) > 1
    last = len(head) < HEAD and len(letters) > (ends[-1] + 1 if len(ends) else 0)
    return int(filled.sum()) + int(last)


def _plain(path: Path) -> int:
    """Estimate the decompressed size of a file from the compression ratio of its beginning."""
    ending, size = path.suffix.lower(), path.stat().st_size
    if ending == ".zip":
        with zipfile.ZipFile(path) as archive:
            return sum(inside.file_size for inside in archive.infolist())
    if ending not in files.COMPRESSION:
        return size
    with path.open("rb") as file:
        packed = file.read(PACKED)
    grown = 0
    with (
        contextlib.suppress(OSError),
        pa.CompressedInputStream(pa.BufferReader(packed), files.COMPRESSION[ending]) as stream,
    ):  # it is truncated
        while more := len(stream.read(HEAD)):
            grown += more
    return round(size * grown / max(1, len(packed)))
