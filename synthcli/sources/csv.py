"""Delimited text: every cell stays a string, so that leading zeros, precision and date formats survive until types are
inferred.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from synthcli.columns.spelling import NULLS
from synthcli.contracts.modality import Csv
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError
from synthcli.sources import dialect, files, render
from synthcli.sources.dialect import DELIMITERS, Layout
from synthcli.wording import quantity

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = True
COMMA = Csv()
_FORMULA = r"^[=+\-@\t\r]"  # as OWASP lists them: CSV injection
_BLOCK = 16 << 20  # maximum length of a record
_COMMA_NUMBER = r"^\s*[+-]?(\d+|\d{1,3}(\.\d{3})+)?(,\d*)?([eE][+-]?\d+)?\s*$"


def batches(path: Path, source: Source) -> Iterator[pa.Table]:
    """Read all columns as strings, some thousand rows at a time. An empty cell without quotes is null, and so are
    `null_values`.

    Raises DataError with the line for rows that do not match the header, invalid bytes, and empty or duplicate names.
    """
    layout = dialect.layout(source, path)
    last: pa.Table | None = None
    for table in _parse(source, path, layout):
        last = table if len(table) else last
        yield pa.table(
            [_cells(array, source, layout.padded and i > 0) for i, array in enumerate(table.columns)],
            names=layout.names,
        )
    if last is not None and any("\n" in (last[name][-1].as_py() or "") for name in layout.names):
        _scan(path, layout, source)  # an unclosed quote swallows the rest of the file


def names(path: Path, source: Source) -> list[str]:
    """The names in the header."""
    return dialect.layout(source, path).names


def finished(table: pa.Table, source: Source) -> pa.Table:
    """Convert decimal commas to points; this needs all cells of a column."""
    if source.decimal != ",":
        return table
    return pa.table([_decimal_point(array) for array in table.columns], names=table.column_names)


def write(chunks: Iterator[pd.DataFrame], schema: Schema, path: Path, style: Csv = COMMA) -> int:
    """Write a header and one line per row. An empty cell is null, "" an empty string; a single column writes "" for
    both, because many readers skip empty lines.

    Raises DataError with the column for a character that the encoding does not have.
    """
    rows, style = 0, style.like(None)
    delimiter, encoding = str(style.delimiter), style.encoding or "utf-8"
    header = delimiter.join(_quoted(pa.array(schema.names, pa.string()), delimiter).to_pylist())
    with files.replacing(path) as file, files.compressed(file, path) as stream:
        stream.write(_encoded(f"{header}\n".encode(), encoding, schema, [], start=True))
        for chunk in chunks:
            cells = [_cell(text, words, style) for text, words in render.cells(chunk, schema)]
            if len(cells) == 1:
                cells = [pc.fill_null(cells[0], '""')]
            stream.write(_encoded(render.lines(_records(cells, delimiter)), encoding, schema, cells))
            rows += len(chunk)
    return rows


def _cell(text: pa.Array, words: bool, style: Csv) -> pa.Array:
    """A column's cells in a dialect. words: whether they are text, not numbers or booleans."""
    if not words:
        return pc.replace_substring(text, ".", ",") if style.decimal == "," else text
    if style.formulas == "escape":
        text = pc.if_else(pc.match_substring_regex(text, _FORMULA), pc.binary_join_element_wise("'", text, ""), text)
    return _quoted(text, str(style.delimiter))


def _encoded(text: bytes, encoding: str, schema: Schema, cells: list[pa.Array], start: bool = False) -> bytes:
    """UTF-8 text in another encoding. start: of the file, which alone bears a byte order mark."""
    if codecs.lookup(encoding).name == "utf-8":
        return text
    try:
        encoded = text.decode().encode(encoding)
    except UnicodeEncodeError as error:
        raise DataError(_unencodable(error, encoding, schema, cells)) from None
    mark = b"" if start else "".encode(encoding)
    return encoded[len(mark) :] if mark else encoded


def _unencodable(error: UnicodeEncodeError, encoding: str, schema: Schema, cells: list[pa.Array]) -> str:
    character = error.object[error.start]
    inside = (pc.any(pc.match_substring(cell, character)).as_py() for cell in cells)
    name = next((name for name, found in zip(schema.names, inside) if found), None)
    where = "a column name" if name is None else f"column {name}"
    return f"{where} holds {character!r}, which {encoding} does not have; remedy: output.encoding: utf-8"


def _records(cells: list[pa.Array], delimiter: str) -> pa.Array:
    return pc.binary_join_element_wise(*cells, delimiter, null_handling="replace", null_replacement="")


def _quoted(text: pa.Array, delimiter: str) -> pa.Array:
    """Quote cells that hold a delimiter, a quote, an end of line or outer spaces, or are empty."""
    needy = pc.match_substring_regex(text, "^$|[,;|\\t\"'\\r\\n]|^\\s|\\s$|^\ufeff")
    if delimiter not in DELIMITERS:
        needy = pc.or_(needy, pc.match_substring(text, delimiter))
    return pc.if_else(needy, pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', ""), text)


def _parse(source: Source, path: Path, layout: Layout) -> Iterator[pa.Table]:
    names = layout.names
    reading = pa.csv.ReadOptions(
        column_names=names,
        skip_rows_after_names=int(source.header),
        block_size=_BLOCK,
        encoding="utf8" if layout.encoding == "utf-8-sig" or dialect.filtered(source) else layout.encoding,
    )
    parsing = pa.csv.ParseOptions(
        delimiter=layout.delimiter,
        quote_char=layout.quote or False,
        double_quote=layout.escape is None,
        escape_char=layout.escape or False,
        newlines_in_values=True,
        ignore_empty_lines=len(names) > 1,  # in a single column an empty line is null
    )
    converting = pa.csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
    )
    rows = 0
    with files.opened(path) as stream:
        text = pa.PythonFile(_Filtered(stream, path, layout, source), mode="r") if dialect.filtered(source) else stream
        try:
            with pa.csv.open_csv(
                text, read_options=reading, parse_options=parsing, convert_options=converting
            ) as reader:
                for batch in reader:
                    rows += len(batch)
                    yield pa.Table.from_batches([batch])
            if rows:
                return
            reason = ""
        except (pa.ArrowInvalid, UnicodeError) as error:
            reason = str(error)
    if _scan(path, layout, source) > int(source.header) and reason:  # else only a header, whose line may lack an end
        raise DataError(
            f"{path} cannot be read: {reason.splitlines()[0][:200]}; remedy: source.delimiter, source.quote, or fix"
            " the file"
        )
    yield pa.table({name: pa.array([], pa.string()) for name in names})


class _Filtered(io.RawIOBase):
    """The lines of a file that are read, as UTF-8."""

    def __init__(self, stream: pa.NativeFile, path: Path, layout: Layout, source: Source) -> None:
        self.lines = dialect.Lines(_lines(stream, path, layout.encoding), source)
        self.rest = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        pieces, length = [self.rest], len(self.rest)
        while size < 0 or length < size:
            if (line := next(self.lines, None)) is None:
                break
            pieces.append(line.encode())
            length += len(pieces[-1])
        whole = b"".join(pieces)
        whole, self.rest = (whole, b"") if size < 0 else (whole[:size], whole[size:])
        return whole


def _scan(path: Path, layout: Layout, source: Source) -> int:
    """Count the records one by one. Raises DataError that names the first broken one."""
    expected, count = len(layout.names), 0
    with files.opened(path) as stream:
        lines = dialect.Lines(_lines(stream, path, layout.encoding), source)
        records = csv.reader(
            lines,
            delimiter=layout.delimiter,
            quotechar=layout.quote or None,
            quoting=dialect.quoting(layout.quote),
            doublequote=layout.escape is None,
            escapechar=layout.escape,
            strict=True,
        )
        start = 1
        try:
            for record in records:
                if len(record) not in (expected, 0):
                    remedy = "quote the cells that hold the delimiter, or name source.delimiter"
                    if expected == 1 and not dialect.filtered(source):
                        remedy = f"source.skip: {start - 1} if the header is in that line, source.comment, or {remedy}"
                    cells = quantity(len(record), "cell")
                    raise DataError(f"{path}: line {start} has {cells}; expected {expected}; remedy: {remedy}")
                start = lines.number + 1
                count += bool(record)
        except csv.Error as error:
            if "field limit" not in str(error):  # a long cell is valid
                raise DataError(
                    f"{path}: line {start}: {error}; remedy: close the quote, or name source.quote"
                ) from None
    return count


def _lines(stream: pa.NativeFile, path: Path, encoding: str) -> Iterator[str]:
    """The lines of a text. Raises DataError with the position of bytes that are not valid in its encoding."""
    decoder = codecs.getincrementaldecoder(encoding)()
    position, rest, block = 0, "", b"-"
    while block:
        block = stream.read(1 << 20)
        kept = len(decoder.getstate()[0])
        try:
            rest += decoder.decode(block, final=not block)
        except UnicodeDecodeError as error:
            raise dialect.not_text(path, encoding, position - kept + error.start) from None
        position += len(block)
        *whole, rest = rest.split("\n")
        yield from (line.replace("\0", " ") + "\n" for line in whole)
    if rest:
        yield rest


def _cells(array: pa.ChunkedArray, source: Source, padded: bool) -> pa.ChunkedArray:
    """Remove padding from a column, and set its extra nulls."""
    if padded:
        array = pc.utf8_ltrim_whitespace(array)
        array = pc.if_else(pc.equal(array, ""), None, array)
    if source.null_values:
        tokens = pa.array(source.null_values, pa.string())
        array = pc.if_else(pc.is_in(pc.utf8_trim_whitespace(array), value_set=tokens), None, array)
    return array


def _decimal_point(array: pa.ChunkedArray) -> pa.ChunkedArray:
    """Convert 1.234,5 to 1234.5, in a column where all non-null cells are such numbers."""
    null = pc.is_in(pc.utf8_trim_whitespace(array), value_set=pa.array(sorted(NULLS), pa.string()))
    number = pc.and_(pc.match_substring_regex(array, _COMMA_NUMBER), pc.match_substring_regex(array, r"\d"))
    if not pc.all(pc.or_(pc.or_(null, number), pc.is_null(array)), min_count=0).as_py():
        return array
    return pc.replace_substring(pc.replace_substring(array, ".", ""), ",", ".")
