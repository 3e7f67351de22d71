"""Parquet files: typed, columns by name, dictionaries kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthcli.columns import frame as frames
from synthcli.contracts import Schema
from synthcli.errors import DataError
from synthcli.sources import files

if TYPE_CHECKING:
    from synthcli.sources import Source

TEXT = False


def read(source: Source) -> pa.Table:
    """The table with its types. Raises DataError for a damaged file, nested types, names that are empty or there twice."""
    path = files.locate(source)
    with _opened(path) as file:
        _check(file.schema_arrow, path)
        try:
            return file.read().replace_schema_metadata(None)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from None


def columns(source: Source) -> list[str]:
    """The names in the footer."""
    path = files.locate(source)
    with _opened(path) as file:
        _check(file.schema_arrow, path)
        return file.schema_arrow.names


def fingerprint(source: Source) -> bytes:
    """BLAKE2b of the file."""
    return files.digest(files.locate(source))


def write(chunks: Iterator[pd.DataFrame], schema: Schema, path: Path) -> int:
    """One row group a chunk, in the source's own types."""
    rows = 0
    arrow = frames.arrow_schema(schema)
    with files.replacing(path) as file, pq.ParquetWriter(file, arrow, compression="zstd") as writer:
        for chunk in chunks:
            if len(chunk):
                writer.write_table(frames.to_arrow(chunk, schema), row_group_size=len(chunk))
            rows += len(chunk)
    return rows


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _check(schema: pa.Schema, path: Path) -> None:
    files.check_names(schema.names, path)
    files.check_plain(schema, path)


def _damaged(path: Path, error: BaseException) -> DataError:
    return DataError(f"{path} is no whole parquet file: {str(error).splitlines()[0]}; remedy: mend source.type, or get the file again")
