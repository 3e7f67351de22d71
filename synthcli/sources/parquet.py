"""Parquet files: typed columns by name; dictionaries are preserved."""

from __future__ import annotations

import base64
import contextlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthcli.columns import frame as frames
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError
from synthcli.sources import files, shape

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = False
_ROWS = 1 << 16  # read at a time
_INDEX = re.compile(r"__index_level_\d+__")  # the name that pandas gives an unnamed index
GROUP, CELLS = (
    1 << 17,
    1 << 23,
)  # approximate rows of a row group; fewer for a wide table, to limit its cells
SHARED = 8  # minimum mean repetitions of numeric values for a dictionary to pay off


def batches(path: Path, source: Source) -> Iterator[pa.Table]:
    """Read the rows with their types. Raises DataError for damaged files, nested types, empty or duplicate names."""
    with _opened(path) as file:
        kept = _kept(file.schema_arrow)
        schema = file.schema_arrow.remove_metadata()
        shape.check_names(schema.names, path)
        yield shape.flat(schema.empty_table().select(kept), source, path)
        try:
            for group in range(
                file.num_row_groups
            ):  # one by one, because the reader keeps the bytes of all requested groups
                for batch in file.iter_batches(batch_size=_ROWS, row_groups=[group]):
                    table = pa.Table.from_batches([batch]).replace_schema_metadata(None).select(kept)
                    yield shape.flat(table, source, path)
        except (pa.ArrowException, OSError) as error:
            raise _damaged(path, error) from None


def names(path: Path, source: Source) -> list[str]:
    """The column names in the footer, without an index."""
    with _opened(path) as file:
        shape.check_names(file.schema_arrow.names, path)
        kept = _kept(file.schema_arrow)
        return shape.flat(file.schema_arrow.remove_metadata().empty_table().select(kept), source, path).column_names


def write(chunks: Iterator[pd.DataFrame | pa.Table], schema: Schema, path: Path) -> int:
    """Write several chunks per row group, with the types of the source; chunks are canonical frames, or Arrow tables of
    these types with strings as dictionaries.
    """
    groups = _groups(
        (chunk if isinstance(chunk, pa.Table) else frames.to_arrow(chunk, schema) for chunk in chunks),
        len(schema.columns),
    )
    arrow, rows = frames.arrow_schema(schema), 0
    first = next(groups, arrow.empty_table())
    with (
        files.replacing(path) as file,
        pq.ParquetWriter(file, first.schema, store_schema=False, **_how(first)) as writer,
    ):
        # strings are written as dictionaries and read as strings
        writer.add_key_value_metadata({"ARROW:schema": base64.b64encode(arrow.serialize()).decode()})
        for group in itertools.chain([first], groups):
            if len(group):
                writer.write_table(group, row_group_size=len(group))
            rows += len(group)
    return rows


def _groups(tables: Iterator[pa.Table], columns: int) -> Iterator[pa.Table]:
    """Combine tables into larger ones, because each row group takes space in the footer and a dictionary per column."""
    waiting: list[pa.Table] = []
    for table in tables:
        waiting.append(table)
        if sum(len(each) for each in waiting) >= min(GROUP, CELLS // max(1, columns)):
            yield pa.concat_tables(waiting).unify_dictionaries()
            waiting = []
    if waiting:
        yield pa.concat_tables(waiting).unify_dictionaries()


def _how(first: pa.Table) -> dict[str, Any]:
    """Options of the writer: dictionaries if values repeat, and no min/max statistics for strings in unsorted rows."""
    words = {field.name for field in first.schema if not pa.types.is_primitive(field.type)}
    shared = [
        name
        for name in first.schema.names
        if name in words or pc.count_distinct(first[name]).as_py() * SHARED <= len(first)
    ]
    return {
        "compression": "zstd",
        "use_dictionary": shared,
        "write_statistics": [name for name in first.schema.names if name not in words],
    }


def _opened(path: Path) -> pq.ParquetFile:
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _kept(schema: pa.Schema) -> list[str]:
    """The column names, without an unnamed pandas index that only numbers the rows."""
    index: list[object] = []
    with contextlib.suppress(ValueError):  # metadata of another program
        index = (schema.pandas_metadata or {}).get("index_columns", [])
    kept = [name for name in schema.names if name not in index or not _INDEX.fullmatch(name)]
    return kept or list(schema.names)


def _damaged(path: Path, error: BaseException) -> DataError:
    return DataError(
        f"{path} is not a complete parquet file: {str(error).splitlines()[0]}; remedy: fix source.type, or get the file"
        " again"
    )
