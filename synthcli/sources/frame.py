"""DataFrames of a Python program as sources: pandas, polars, and all others that export Arrow (PyCapsule interface)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthcli.errors import DataError
from synthcli.sources import shape

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = False
WHERE = "the DataFrame"
_ROWS = 1 << 16  # per batch


def is_frame(data: object) -> bool:
    """Whether an object is a DataFrame that can be read."""
    return isinstance(data, pd.DataFrame) or (hasattr(data, "__arrow_c_stream__") and not isinstance(data, pd.Series))


def to_arrow(data: Any, where: str = WHERE) -> pa.Table:
    """The rows of a DataFrame as an Arrow table without metadata. A named index of pandas becomes a column.

    where: its name in messages. Raises DataError for a column that is not plain values, and for invalid names.
    """
    if isinstance(data, pd.DataFrame):
        table = _of_pandas(data, where)
    elif is_frame(data):
        table = _exported(data, where)
    else:
        raise DataError(f"{where} is a {type(data).__name__}; expected a DataFrame of pandas, polars or pyarrow")
    if not table.num_columns:
        raise DataError(f"{where} has no columns; remedy: a DataFrame with rows and columns")
    table = _plain_strings(table.replace_schema_metadata(None))
    shape.check_names(table.column_names, where)
    return table.combine_chunks()


def batches(source: Source) -> Iterator[pa.Table]:
    """The rows in pieces."""
    table = shape.flat(_table(source), source, source.where)
    yield table.schema.empty_table()
    yield from (table.slice(start, _ROWS) for start in range(0, len(table), _ROWS))


def columns(source: Source) -> list[str]:
    """The column names."""
    return list(shape.flat(_table(source).slice(0, 0), source, source.where).column_names)


def fingerprint(source: Source) -> bytes:
    """A BLAKE2b digest of types and values."""
    sink = pa.BufferOutputStream()
    # as Parquet, which does not store what lies in memory under a null
    pq.write_table(_table(source), sink, compression="NONE", write_statistics=False)
    return hashlib.blake2b(sink.getvalue()).digest()


def _table(source: Source) -> pa.Table:
    assert source.frame is not None  # the spec was checked
    return source.frame


def _exported(data: Any, where: str) -> pa.Table:
    """The Arrow table that another library exports."""
    try:
        return pa.table(data)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(
            f"{where} cannot be read as a table ({str(error).splitlines()[0]}); remedy: a DataFrame of plain columns"
        ) from None


def _plain_strings(table: pa.Table) -> pa.Table:
    """Strings of every layout as plain ones."""
    other = lambda t: pa.types.is_large_string(t) or pa.types.is_string_view(t)  # noqa: E731
    return table.cast(pa.schema([f.with_type(pa.string()) if other(f.type) else f for f in table.schema]))


def _of_pandas(data: pd.DataFrame, where: str) -> pa.Table:
    named = [name for name in data.index.names if name is not None]
    whole = data.reset_index(level=named) if named else data
    odd = [name for name in whole.columns if not isinstance(name, str)]
    if odd:
        raise DataError(
            f"{where} has the column name {odd[0]!r}, which is not a string; remedy: df.columns ="
            " df.columns.map(str), or one level of names"
        )
    if whole.columns.has_duplicates:
        shape.check_names(list(whole.columns), where)
    arrays = {name: _array(whole[name], f"{where}: column {name}") for name in whole.columns}
    return pa.table(arrays)


def _array(values: pd.Series, where: str) -> pa.Array:
    """A column as Arrow. Raises DataError for values of several types, and for types that no file can hold."""
    try:
        array = pa.Array.from_pandas(values)
    except (pa.ArrowException, TypeError, ValueError) as error:
        why = str(error).splitlines()[0]
        raise DataError(
            f"{where} has values that are not of one plain type ({why}); remedy: convert it, such as"
            " df[column].astype('string')"
        ) from None
    whole = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    if isinstance(whole, pa.ExtensionArray):
        raise DataError(
            f"{where} has the type {values.dtype}, which is not a plain value; remedy: convert it, such as"
            " df[column].astype('string')"
        )
    return whole
