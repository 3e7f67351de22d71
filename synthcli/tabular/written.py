"""Rows of a file with the types of a schema, and generated rows as a reader of the output gets them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthcli import sources
from synthcli.columns import frame as frames
from synthcli.columns.discovery.infer import parse
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError
from synthcli.sources import sql_write
from synthcli.sources.paths import ENDINGS


@dataclass(frozen=True)
class WrittenRows:
    """Generated rows as a reader of the output gets them, in chunks. path: the Parquet file of the generate stage;
    format: of the output.
    """

    path: Path
    schema: Schema
    format: str

    def __iter__(self) -> Iterator[pd.DataFrame]:
        with pq.ParquetFile(self.path) as file:
            for group in range(file.num_row_groups):
                yield read_back(file.read_row_group(group), self.schema, self.format)


def read_back(table: pa.Table, schema: Schema, format_: str) -> pd.DataFrame:
    """The canonical frame of rows that were written in a format and read again with the types of the schema.

    table: with the storage types of the schema. Raises DataError if the written rows cannot be read with these types.
    """
    if format_ == "parquet":  # the rows were read from such a file
        return frames.to_frame(table, schema)
    if format_ == "sql":
        stored = sql_write.storable(table)
        return pd.DataFrame({c.name: frames.series(stored[c.name], c.kind) for c in schema.columns})
    with tempfile.TemporaryDirectory(prefix="synth-") as folder:
        path = Path(folder) / f"rows{ENDINGS[format_].own[0]}"
        sources.write(iter([frames.to_frame(table, schema)]), schema, path, format_)
        source = sources.Source(type=format_, path=path)
        return typed(sources.read(source), schema, path=path, text=sources.spelled(source))


def typed(table: pa.Table, schema: Schema, *, path: Path, text: bool) -> pd.DataFrame:
    """The columns that a table shares with a schema, in the schema's canonical dtypes. text: whether all cells are
    strings. Raises DataError with the column and a value that is not of its type.
    """
    shared = [name for name in table.column_names if name in schema.names]
    table = table.select(shared)
    try:
        _, frame = parse(
            _whole(table, schema) if text else table,
            {name: _traits(schema[name]) for name in shared},
            text=text,
            protect=False,
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    columns = {name: conformed(frame[name], schema[name], path) for name in shared}
    return pd.DataFrame(columns, index=range(len(table)))


def conformed(values: pd.Series, column: Column, path: Path) -> pd.Series:
    """Convert a column to the canonical dtype of the schema's column. Raises DataError with a value if it fails."""
    dtype = frames.series(pa.chunked_array([], type=frames.arrow_type(column.storage)), column.kind).dtype
    if values.dtype == dtype:
        return values
    try:
        if values.isna().all():
            return pd.Series([None] * len(values), dtype=dtype)
        if isinstance(dtype, pd.DatetimeTZDtype) and getattr(values.dtype, "tz", None) is None:
            return values.dt.tz_localize(dtype.tz).astype(dtype)
        if dtype == "boolean" and values.dtype == frames.STRING:
            return (
                values.str.lower()
                .map({"true": True, "false": False, "1": True, "0": False}, na_action="ignore")
                .astype(dtype)
            )
        if values.dtype == frames.STRING and dtype in ("Int64", "float64"):
            return pd.to_numeric(values).astype(dtype)
        return values.astype(dtype)
    except (TypeError, ValueError, AttributeError) as error:
        shown = values.dropna().iloc[0]
        raise DataError(
            f"{path}: column {column.name} holds {shown!r}, which is not of the model's type {column.kind} ({error})"
        ) from None


def _whole(table: pa.Table, schema: Schema) -> pa.Table:
    """Strip ".0" from integers: many tools write 34 as 34.0 if the column has gaps."""
    for place, name in enumerate(table.column_names):
        if schema[name].kind == "integer" and pa.types.is_string(table.schema.field(name).type):
            table = table.set_column(
                place, name, pc.replace_substring_regex(table[name], r"^\s*([-+]?\d+)\.0*\s*$", r"\1")
            )
    return table


def _traits(column: Column) -> Traits:
    """Traits to parse a column with: the type of the model's column, or text for fake values."""
    if column.kind in frames.MODELLED:
        return Traits(type=column.kind, format=column.get("format"))
    return Traits(type="integer" if "int" in column.storage else "text")
