"""JSON lines: one object per line, plain or compressed; strings stay strings, including dates."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json

from synthcli.contracts.schema import Schema
from synthcli.errors import DataError
from synthcli.sources import files, render, shape

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = False
_BLOCK = 8 << 20
_LARGEST = 2**63


def batches(path: Path, source: Source) -> Iterator[pa.Table]:
    """Read the rows, some megabytes at a time; a key that first occurs late becomes a column from there on.

    Raises DataError with the line that is not a flat object.
    """
    schema = pa.schema([])
    with files.opened(path) as stream:
        for first_line, block in _blocks(stream):
            table = _parse(block, {}, path)
            if words := {f.name: kind for f in table.schema if (kind := _worded(f.type)) != f.type}:
                table = _parse(block, words, path).select(
                    table.column_names
                )  # Arrow would convert strings that look like dates
            shape.check_names(table.column_names, path)
            table = shape.flat(table, source, path)
            try:
                schema = pa.unify_schemas([schema, table.schema], promote_options="permissive")
            except pa.ArrowTypeError as error:
                raise _culprit(path, str(error)) from None
            _check_integers(table, block, first_line, path)
            yield table
    if not len(schema):
        raise DataError(f"{path} is empty; remedy: one JSON object a line")


def names(path: Path, source: Source) -> list[str]:
    """The keys of the lines in the first megabytes."""
    if source.nested is not None:
        return next(batches(path, source)).column_names
    data = files.head(path, _BLOCK)
    lines = data.splitlines() if len(data) < _BLOCK else data.splitlines()[:-1]
    found: dict[str, None] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            found |= dict.fromkeys(_object(line, number, path))
    return list(found)


def write(chunks: Iterator[pd.DataFrame], schema: Schema, path: Path) -> int:
    """Write one object per line; null for nulls and for infinities, which JSON lacks."""
    rows = 0
    with files.replacing(path) as file, files.compressed(file, path) as stream:
        for chunk in chunks:
            stream.write(render.lines(_objects(chunk, schema)))
            rows += len(chunk)
    return rows


def _objects(chunk: pd.DataFrame, schema: Schema) -> pa.Array:
    """One JSON object per row. (rows,) string"""
    parts: list[pa.Array | str] = []
    for position, (column, (cells, quoted)) in enumerate(zip(schema.columns, render.cells(chunk, schema, json=True))):
        parts.append(("{" if not position else ", ") + json.dumps(column.name, ensure_ascii=False) + ": ")
        parts.append(pc.fill_null(_quoted(cells) if quoted else cells, "null"))
    return render.join([*parts, "}"] if parts else ["{}"], len(chunk))


def _quoted(cells: pa.Array) -> pa.Array:
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"')):
        cells = pc.replace_substring(cells, plain, escaped)
    if pc.any(pc.match_substring_regex(cells, r"[\x00-\x1f]")).as_py():
        for code in range(32):
            cells = pc.replace_substring(cells, chr(code), json.dumps(chr(code))[1:-1])
    return pc.binary_join_element_wise('"', cells, '"', "")


def _blocks(stream: pa.NativeFile) -> Iterator[tuple[int, bytes]]:
    """Blocks of complete lines, some megabytes each, with the number of the first line."""
    line, rest = 1, b""
    while data := stream.read(_BLOCK):
        whole, newline, rest = (rest + data).rpartition(b"\n")
        if whole.strip():
            yield line, whole + newline
        line += whole.count(b"\n") + len(newline)
    if rest.strip():
        yield line, rest


def _parse(block: bytes, types: dict[str, pa.DataType], path: Path) -> pa.Table:
    reading = pa.json.ReadOptions(block_size=len(block) + 1)
    parsing = pa.json.ParseOptions(explicit_schema=pa.schema(list(types.items())), newlines_in_values=False)
    try:
        return pa.json.read_json(pa.BufferReader(block), read_options=reading, parse_options=parsing)
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        reason = str(error)
    raise _culprit(path, reason)


def _worded(type_: pa.DataType) -> pa.DataType:
    """The type with strings for moments, also within objects and lists."""
    if pa.types.is_struct(type_):
        return pa.struct([field.with_type(_worded(field.type)) for field in type_])
    if pa.types.is_list(type_):
        return pa.list_(_worded(type_.value_type))
    return pa.string() if pa.types.is_temporal(type_) else type_


def _culprit(path: Path, reason: str) -> DataError:
    """Find the first invalid line by reading line by line, because Arrow counts rows from the start of a block."""
    kinds: dict[str, tuple[str, int]] = {}
    with files.opened(path) as stream:
        for number, line in enumerate(io.BufferedReader(stream), 1):
            if not line.strip():
                continue
            try:
                record = _object(line, number, path)
            except DataError as error:
                return error
            for name, value in record.items():
                kind = _kind(value)
                first, where = kinds.setdefault(name, (kind, number)) if kind else ("", 0)
                if kind and kind != first:
                    both = f"{first} in line {where} and {kind} in line {number}"
                    return DataError(f"{path}: column {name} is {both}; remedy: one type a column, such as all strings")
    return DataError(f"{path} cannot be read: {reason.splitlines()[0]}; remedy: one JSON object a line, each key once")


def _kind(value: object) -> str | None:
    if value is None:
        return None
    names = {bool: "a boolean", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names[type(value)]


def _object(line: bytes, number: int, path: Path) -> dict[str, object]:
    try:
        record = json.loads(line.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: line {number} is not UTF-8 at byte {error.start}; remedy: save the file as UTF-8"
        ) from None
    except ValueError as error:
        shown = line.decode(errors="replace").strip()[:60]
        raise DataError(f"{path}: line {number} is not JSON ({error}): {shown}; remedy: one object a line") from None
    if not isinstance(record, dict):
        shown = line.decode(errors="replace").strip()[:60]
        raise DataError(
            f"{path}: line {number} is {_kind(record) or 'null'}, not an object: {shown}; remedy: one object a line"
        )
    return record


def _check_integers(table: pa.Table, block: bytes, first_line: int, path: Path) -> None:
    """Raise DataError if a block holds integers beyond 64 bits, which Arrow reads as floats and truncates."""
    floats = [f.name for f in table.schema if pa.types.is_floating(f.type)]
    large = [name for name in floats if (pc.max(pc.abs(table[name])).as_py() or 0) >= _LARGEST]
    for number, line in enumerate(block.splitlines() if large else [], first_line):
        record = _object(line, number, path) if line.strip() else {}
        for name in large:
            if isinstance(record.get(name), int):
                raise DataError(
                    f"{path}: column {name} holds integers beyond 2^63 - 1, which lose digits; remedy: store them as"
                    " strings"
                )
