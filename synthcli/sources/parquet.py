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
_ROWS = 1 << 16  # read at a time


def batches(path: Path, source: Source) -> Iterator[pa.Table]:
    """The rows with their types. Raises DataError for a damaged file, nested types, names that are empty or there twice."""
    with _opened(path) as file:
        schema = file.schema_arrow.remove_metadata()
        _check(schema, path)
        yield schema.empty_table()
        try:
            for group in range(file.num_row_groups):  # one by one: the reader keeps the bytes of all groups that it was asked for
                for batch in file.iter_batches(batch_size=_ROWS, row_groups=[group]):
                    yield pa.Table.from_batches([batch]).replace_schema_metadata(None)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from None


def names(path: Path, source: Source) -> list[str]:
    """The names in the footer."""
    with _opened(path) as file:
        _check(file.schema_arrow, path)
        return list(file.schema_arrow.names)


def write(chunks: Iterator[pd.DataFrame | pa.Table], schema: Schema, path: Path) -> int:
    """One row group a chunk, in the source's own types; chunks are canonical frames, or Arrow tables of these types."""
    rows = 0
    arrow = frames.arrow_schema(schema)
    with files.replacing(path) as file, pq.ParquetWriter(file, arrow, compression="zstd") as writer:
        for chunk in chunks:
            if len(chunk):
                table = chunk if isinstance(chunk, pa.Table) else frames.to_arrow(chunk, schema)
                writer.write_table(table, row_group_size=len(chunk))
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
