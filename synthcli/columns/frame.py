"""The canonical in-memory table, and its conversion to and from Arrow.

kind                    pandas dtype                                 null
boolean                 boolean                                      NA
integer                 Int64                                        NA
float                   float64                                      NaN
datetime                datetime64[unit] or datetime64[unit, tz]     NaT
timedelta               timedelta64[unit]                            NaT
category                boolean, Int64, float64 or string[pyarrow], by its storage
everything else         string[pyarrow]                              NA
"""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthcli.contracts.schema import Column, Schema
from synthcli.errors import DataError

NUMBERS = frozenset({"integer", "float", "datetime", "timedelta"})  # kinds with an order and distances
CODES = frozenset({"boolean", "category"})  # categorical kinds
MODELLED = NUMBERS | CODES  # kinds that a generator learns; values of all others are generated
STRING = pd.StringDtype("pyarrow")

_ALIASES = {
    "date32[day]": pa.date32(),
    "date64[ms]": pa.date64(),
    "double": pa.float64(),
    "float": pa.float32(),
    "halffloat": pa.float16(),
}


def arrow_type(storage: str) -> pa.DataType:
    """The Arrow type that prints as `storage`. Raises ValueError for types that no column can have."""
    if storage in _ALIASES:
        return _ALIASES[storage]
    if found := re.fullmatch(r"timestamp\[(\w+), tz=(.+)\]", storage):
        return pa.timestamp(found[1], found[2])
    if found := re.fullmatch(r"decimal(128|256)\((\d+), (-?\d+)\)", storage):
        return (pa.decimal128 if found[1] == "128" else pa.decimal256)(int(found[2]), int(found[3]))
    if found := re.fullmatch(r"dictionary<values=(.+), indices=(\w+), ordered=(\d)>", storage):
        return pa.dictionary(arrow_type(found[2]), arrow_type(found[1]), found[3] == "1")
    return pa.type_for_alias(storage)


def kind_of(type_: pa.DataType) -> str | None:
    """The kind that an Arrow type implies; None for strings, for which the values decide. Raises DataError for nested
    types.
    """
    t = pa.types
    if t.is_dictionary(type_):
        return kind_of(type_.value_type) or "category"
    if t.is_boolean(type_):
        return "boolean"
    if t.is_integer(type_):
        return "integer"
    if t.is_floating(type_) or t.is_decimal(type_):
        return "float"
    if t.is_timestamp(type_) or t.is_date(type_):
        return "datetime"
    if t.is_duration(type_) or t.is_time(type_):
        return "timedelta"
    if t.is_string(type_) or t.is_large_string(type_) or t.is_string_view(type_) or t.is_null(type_):
        return None
    raise DataError(
        f"has the type {type_}, which is not a plain value; remedy: source.nested: flatten, or drop, where the source"
        " takes it, else plain columns"
    )


def series(array: pa.ChunkedArray, kind: str) -> pd.Series:
    """A column of a canonical dtype from an Arrow array whose type fits the kind."""
    if pa.types.is_dictionary(array.type):
        array = array.cast(array.type.value_type)
    if pa.types.is_null(array.type):
        array = array.cast(
            {"boolean": pa.bool_(), "integer": pa.int64(), "float": pa.float64(), "datetime": pa.timestamp("us")}.get(
                kind, pa.string()
            )
        )
    if pa.types.is_decimal(array.type):
        array = array.cast(pa.float64(), safe=False)
    if pa.types.is_date(array.type):
        array = array.cast(pa.timestamp("s" if pa.types.is_date32(array.type) else "ms"))
    if pa.types.is_time(array.type):
        array = (
            array.cast(pa.int32() if pa.types.is_time32(array.type) else pa.int64())
            .cast(pa.int64())
            .cast(pa.duration(array.type.unit))
        )
    if pa.types.is_boolean(array.type):
        return array.to_pandas(types_mapper={pa.bool_(): pd.BooleanDtype()}.get)
    if pa.types.is_integer(array.type):
        return array.cast(pa.int64()).to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    if pa.types.is_floating(array.type):
        return array.cast(pa.float64()).to_pandas().astype("float64")
    if pa.types.is_temporal(array.type):
        return array.to_pandas()
    return pd.Series(pd.array(array.cast(pa.string()), dtype=STRING))


def to_frame(table: pa.Table, schema: Schema) -> pd.DataFrame:
    """Convert an Arrow table with the schema's storage types to a canonical frame."""
    return pd.DataFrame({c.name: series(table[c.name], c.kind) for c in schema.columns})


def to_arrow(frame: pd.DataFrame, schema: Schema) -> pa.Table:
    """Convert a canonical frame to an Arrow table with the storage types of the source. Raises DataError if a value
    does not fit.
    """
    return pa.table({c.name: stored(frame[c.name], c) for c in schema.columns}, schema=arrow_schema(schema))


def arrow_schema(schema: Schema) -> pa.Schema:
    """The storage types as an Arrow schema."""
    return pa.schema([pa.field(c.name, arrow_type(c.storage)) for c in schema.columns])


def stored(values: pd.Series, column: Column) -> pa.Array:
    """Convert a column to its storage type. Raises DataError if a value does not fit."""
    want = arrow_type(column.storage)
    if pa.types.is_null(want):
        return pa.nulls(len(values))
    array = pa.Array.from_pandas(values)
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    plain = want.value_type if pa.types.is_dictionary(want) else want
    try:
        if pa.types.is_time(plain):
            array = (
                array.cast(pa.duration(plain.unit), safe=False)
                .cast(pa.int64())
                .cast(pa.int32() if pa.types.is_time32(plain) else pa.int64())
            )
        if pa.types.is_decimal(plain):
            array = pc.round(array, plain.scale).cast(plain, safe=False)
        else:
            array = array.cast(plain, safe=not (pa.types.is_temporal(plain) or pa.types.is_floating(plain)))
    except pa.ArrowInvalid as error:
        raise DataError(f"column {column.name}: a value does not fit its type {column.storage}: {error}") from None
    return array.cast(want) if plain is not want else array
