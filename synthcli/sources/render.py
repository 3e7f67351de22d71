"""Render cells as text for text formats; every function works on whole columns."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.contracts.schema import Column, Schema


def cells(chunk: pd.DataFrame, schema: Schema, *, json: bool = False) -> Iterator[tuple[pa.Array, bool]]:
    """The cells of each column as strings, nulls preserved, and whether they are text rather than numbers or booleans.

    Numbers use the shortest text that parses back, or the source's number of decimals; datetimes and booleans use the
    format of the source (JSON has its own numbers and booleans).
    """
    table = frames.to_arrow(chunk, schema)
    for column in schema.columns:
        array = table[column.name].combine_chunks()
        if isinstance(array, pa.ChunkedArray):
            array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        yield _text(array, chunk[column.name], column, json)


def join(parts: list[pa.Array | str], rows: int) -> pa.Array:
    """The parts of each row concatenated; nulls count as empty. (rows,) string"""
    arrays = [pa.repeat(pa.scalar(p), rows) if isinstance(p, str) else p for p in parts]
    return pc.binary_join_element_wise(*arrays, "", null_handling="replace", null_replacement="")


def lines(rows: pa.Array) -> bytes:
    """Each row followed by a newline, as UTF-8."""
    if not len(rows):
        return b""
    ended = pc.binary_join_element_wise(
        rows.cast(pa.large_string()), pa.scalar("\n", pa.large_string()), pa.scalar("", pa.large_string())
    )
    whole = pc.binary_join(pa.LargeListArray.from_arrays([0, len(ended)], ended), pa.scalar("", pa.large_string()))
    return whole[0].as_buffer().to_pybytes()


def _text(array: pa.Array, values: pd.Series, column: Column, json: bool) -> tuple[pa.Array, bool]:
    t = pa.types
    if t.is_boolean(array.type):
        true, _, false = ("true|false" if json else column.get("format") or "true|false").partition("|")
        return pc.if_else(array, true, false), False
    if t.is_floating(array.type):
        return _floats(array, None if json else column.get("format"), json), False
    if t.is_integer(array.type) or t.is_decimal(array.type):
        return array.cast(pa.string()), False
    if t.is_timestamp(array.type) or t.is_date(array.type):
        return _moments(array, values, column), True
    if t.is_time(array.type):
        return array.cast(pa.string()), True
    if t.is_duration(array.type):
        return _spelled(values, lambda known: known.astype(str)), True
    return array.cast(pa.string()), True


def _floats(array: pa.Array, form: str | None, json: bool) -> pa.Array:
    """Floats as text: fixed decimals for formats like %.2f; else the shortest text that parses back to the same value.
    Whole numbers keep a .0, so that they parse as floats, unless the format is %g.
    """
    if json:
        array = pc.if_else(pc.is_finite(array), array, None)
    if form is not None and form != "%g" and spelling.FLOAT_FORMAT.fullmatch(form):
        null = array.is_null().to_numpy(zero_copy_only=False)
        return pa.array(np.char.mod(form, array.to_numpy(zero_copy_only=False)).astype(object), pa.string(), mask=null)
    text = array.cast(pa.string())
    if form == "%g":
        return text
    whole = pc.invert(pc.match_substring_regex(text, "[.eEn]"))  # n: inf, nan
    return pc.if_else(whole, pc.binary_join_element_wise(text, ".0", ""), text)


def _moments(array: pa.Array, values: pd.Series, column: Column) -> pa.Array:
    form = column.get("format")
    if form:
        return _spelled(values, lambda known: spelling.written(known, form))
    if pa.types.is_date(array.type):
        return array.cast(pa.date32()).cast(pa.string())
    return pc.strftime(array, format="%Y-%m-%dT%H:%M:%S" + ("%z" if array.type.tz else ""), locale="C")


def _spelled(values: pd.Series, spell: object) -> pa.Array:
    """Format distinct values once, then map them back to their rows."""
    codes, known = pd.factorize(values)
    words = pa.array(spell(pd.Series(known)).tolist(), pa.string())  # type: ignore[operator]
    return words.take(pa.array(codes, pa.int64(), mask=codes < 0))
