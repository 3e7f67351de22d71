"""Convert generated rows to the types of a database."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def plain(table: pa.Table, kind: str) -> pa.Table:
    """Convert a table to types of the database: dictionaries to their values; in SQLite, datetimes to UTC and durations
    to text. kind: of the database; empty for none in particular.
    """
    return pa.table({name: _stored(column, kind) for name, column in zip(table.column_names, table.columns)})


def _stored(column: pa.ChunkedArray, kind: str) -> pa.ChunkedArray:
    t = pa.types
    if t.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if t.is_null(column.type):
        return column.cast(pa.string())
    if t.is_timestamp(column.type):
        zone = None if kind == "sqlite" else column.type.tz
        return column.cast(pa.timestamp("us", column.type.tz), safe=False).cast(pa.timestamp("us", zone))
    if t.is_date(column.type):
        return column.cast(pa.date32())
    if t.is_time(column.type):
        return column.cast(pa.time64("us"), safe=False)
    if t.is_duration(column.type) and kind == "sqlite":
        words = [None if c is None else str(c) for c in column.cast(pa.duration("us"), safe=False).to_pylist()]
        return pa.chunked_array([pa.array(words, pa.string())])
    if t.is_float16(column.type):
        return column.cast(pa.float32())
    return column


def sql_type(kind: pa.DataType) -> Any:
    """The SQLAlchemy type of an Arrow type."""
    import sqlalchemy as sa

    t = pa.types
    if t.is_decimal(kind):
        return sa.Numeric(kind.precision, kind.scale)
    if t.is_timestamp(kind):
        return sa.DateTime(timezone=kind.tz is not None)
    if kind == pa.uint64():
        return sa.Numeric(20, 0)
    pairs: tuple[tuple[Any, Any], ...] = (
        (t.is_boolean, sa.Boolean()),
        (t.is_int8, sa.SmallInteger()),
        (t.is_int16, sa.SmallInteger()),
        (t.is_uint8, sa.SmallInteger()),
        (t.is_int32, sa.Integer()),
        (t.is_uint16, sa.Integer()),
        (t.is_integer, sa.BigInteger()),
        (t.is_float32, sa.REAL()),
        (t.is_floating, sa.Double()),
        (t.is_date, sa.Date()),
        (t.is_time, sa.Time()),
        (t.is_duration, sa.Interval()),
    )
    return next((sql for test, sql in pairs if test(kind)), sa.Text())
