"""Where data comes from and goes to, one kind a file: read a source as an Arrow table, write frames as a file."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthcli.contracts import Schema
from synthcli.errors import SpecError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KINDS = ("csv", "parquet", "jsonl", "builtin", "none")
FORMATS = ("csv", "parquet", "jsonl")  # kinds that can be written


@dataclass(frozen=True)
class Source:
    """What to read. path: of a file; name: of a built-in table. delimiter, quote, encoding: None means found by looking at the file.

    null_values: more spellings of null, besides the empty cell. decimal: "," where numbers are written 1.234,5.
    """

    type: str
    path: Path | None = None
    name: str | None = None
    max_rows: int | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    header: bool = True
    decimal: str = "."
    null_values: tuple[str, ...] | None = None


def read(source: Source) -> pa.Table:
    """The whole table. Raises DataError with the path, what is wrong and the remedy."""
    return _kind(source.type).read(source)


def columns(source: Source) -> list[str]:
    """The column names, from the first bytes alone where the format allows it."""
    return _kind(source.type).columns(source)


def fingerprint(source: Source) -> bytes:
    """A BLAKE2b digest of the content; empty for a source without data."""
    return _kind(source.type).fingerprint(source)


def spelled(source: Source) -> bool:
    """True where every cell arrives as a string, so that types are yet to be inferred from the spelling."""
    return _kind(source.type).TEXT


def write(chunks: Iterator[pd.DataFrame], schema: Schema, path: Path, format: str, *, rows: int | None = None) -> int:
    """Write canonical frames of this schema one after the other; returns the rows written, at most `rows` where that is given.

    The file appears under its name only when it is whole. Raises DataError where the place does not take it.
    """
    if format not in FORMATS:
        raise SpecError(f"output.format is {format}; expected one of {', '.join(FORMATS)}.{did_you_mean(format, FORMATS)}")
    return _kind(format).write(chunks if rows is None else _first(chunks, rows), schema, Path(path))


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
