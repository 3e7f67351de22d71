"""Excel workbooks: one sheet, whose first non-empty row holds the column names; cells keep their types."""

from __future__ import annotations

import contextlib
import datetime as dt
import io
import itertools
import re
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthcli.columns import frame as frames
from synthcli.contracts.schema import Schema
from synthcli.errors import DataError, MissingExtra, did_you_mean
from synthcli.sources import files, shape

if TYPE_CHECKING:
    from synthcli.sources.source import Source

TEXT = False
_ROWS = 10_000  # read at a time
_FORMULAS = 100  # rows to search for formulas without a value
_MOST_ROWS, _MOST_COLUMNS, _LONGEST = 1_048_576, 16_384, 32_767  # limits of a sheet, a sheet and a cell
_EXACT = 10**15  # Excel stores fifteen digits of a number
_FIRST_DAY = pd.Timestamp("1900-03-01")  # before it, Excel's calendar contains a day that did not exist
_CONTROL = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
_FORMATS = {"date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm:ss", "timedelta": "[h]:mm:ss"}


def batches(path: Path, source: Source) -> Iterator[pa.Table]:
    """Read the rows of the sheet. A column with cells of several types becomes strings; errors such as #N/A become
    null.
    """
    rows = _rows(path, source)
    first = next(rows, ())
    names = _header(first, source, path)
    parts: list[list[pa.Array]] = [[] for _ in names]
    while block := list(itertools.islice(rows, _ROWS)):
        for i, cells in enumerate(_by_column(block, len(names), path)):
            parts[i].append(_typed(cells))
    table = pa.table([_unified(arrays) for arrays in parts], names=names)
    if empty := [i for i, column in enumerate(table.columns) if column.null_count == len(table) > 0]:
        _check_computed(path, source, names, empty)
        bare = ["" if i in empty and first[i] is None else name for i, name in enumerate(names)]
        if not source.repair_names:
            shape.check_names(bare, path)  # an empty margin is not an index
    yield table


def names(path: Path, source: Source) -> list[str]:
    """The names in the first row."""
    return _header(next(_rows(path, source), ()), source, path)


def write(chunks: Iterator[pd.DataFrame], schema: Schema, path: Path) -> int:
    """Write one sheet. Zoned datetimes and integers with more than fifteen digits become text, because Excel supports
    neither.

    Raises DataError beyond the limits of a sheet on rows, columns or letters.
    """
    openpyxl = _openpyxl()
    if len(schema.columns) > _MOST_COLUMNS:
        raise DataError(
            f"{path}: {len(schema.columns):,} columns; a sheet holds at most {_MOST_COLUMNS:,}; remedy: output.format:"
            " parquet or csv"
        )
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("data")
    rows = 0
    with files.replacing(path) as file, contextlib.ExitStack() as unfinished:
        unfinished.callback(sheet.close)
        sheet.append([_text(sheet, name) for name in schema.names])
        for chunk in chunks:
            rows += len(chunk)
            if rows >= _MOST_ROWS:
                raise DataError(
                    f"{path}: more than {_MOST_ROWS - 1:,} rows, which no sheet can hold; remedy: output.format:"
                    " parquet or csv"
                )
            table = frames.to_arrow(chunk, schema)
            for record in zip(*(_written(sheet, table[name], path) for name in schema.names)):
                sheet.append(record)
        unfinished.pop_all()  # saving closes it
        with tempfile.TemporaryFile() as packed:
            book.save(packed)
            _repacked(packed, file)
    return rows


def _openpyxl() -> Any:
    try:
        import openpyxl
    except ImportError:
        raise MissingExtra("an Excel workbook", "excel") from None
    return openpyxl


def _check_computed(path: Path, source: Source, names: list[str], empty: list[int]) -> None:
    """Raise DataError if an empty column holds formulas: some programs write formulas without their results."""
    rows = _rows(path, source, formulas=True)
    next(rows)
    for row in itertools.islice(rows, _FORMULAS):
        for i in empty:
            if i < len(row) and isinstance(row[i], str) and row[i].startswith("="):
                raise DataError(
                    f"{path}: column {names[i]} holds formulas that were never computed; remedy: open and save it in a"
                    " spreadsheet program"
                )


def _rows(path: Path, source: Source, *, formulas: bool = False) -> Iterator[tuple[Any, ...]]:
    """The non-empty rows. formulas: the text of formulas, instead of their results."""
    book = _opened(path, formulas=formulas)
    try:
        sheet = _sheet(book, path, source)
        for row in sheet.iter_rows(min_row=source.skip + 1):
            cells = tuple(None if c.data_type == "e" or c.value == "" else c.value for c in row)
            if any(c is not None for c in cells):
                yield cells
    finally:
        book.close()


def top(path: Path, source: Source, rows: int) -> list[tuple[Any, ...]]:
    """The cells of the first rows of the sheet, empty rows too."""
    book = _opened(path, formulas=False)
    try:
        sheet = _sheet(book, path, source)
        cells = sheet.iter_rows(max_row=rows, values_only=True)
        return [tuple(None if c == "" else c for c in row) for row in cells]
    finally:
        book.close()


def _sheet(book: Any, path: Path, source: Source) -> Any:
    """The sheet that is read. Raises DataError if the workbook has none of that name."""
    sheets = [s.title for s in book.worksheets]
    if not sheets or (source.sheet is not None and source.sheet not in sheets):
        hint = did_you_mean(source.sheet or "", sheets)
        raise DataError(
            f"{path} has no sheet {source.sheet!r}; remedy: source.sheet, one of {', '.join(sheets)}.{hint}"
        )
    sheet = book[source.sheet or sheets[0]]
    sheet.reset_dimensions()  # some programs write wrong dimensions
    return sheet


def sheets(path: Path) -> list[str]:
    """The names of the sheets of a workbook."""
    book = _opened(files.check_local(path), formulas=False)
    try:
        return [s.title for s in book.worksheets]
    finally:
        book.close()


def _opened(path: Path, *, formulas: bool) -> Any:
    """The workbook of a file. Raises DataError for another kind of file."""
    openpyxl = _openpyxl()
    try:
        return openpyxl.load_workbook(
            io.BytesIO(path.read_bytes()), read_only=True, data_only=not formulas
        )  # regardless of the file extension
    except (zipfile.BadZipFile, KeyError, ValueError, OSError, openpyxl.utils.exceptions.InvalidFileException) as error:
        raise DataError(
            f"{path} is not an Excel workbook (.xlsx): {str(error)[:200]}; remedy: fix source.type, or save it as .xlsx"
        ) from None


def _header(row: tuple[Any, ...], source: Source, path: Path) -> list[str]:
    names = ["" if cell is None else str(cell) for cell in row]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise DataError(f"{path} is empty; remedy: a sheet with a row of names and rows below it, or source.sheet")
    return shape.header(names, source, path)


def _by_column(block: list[tuple[Any, ...]], width: int, path: Path) -> Iterator[tuple[Any, ...]]:
    """The cells of each column. Raises DataError if a row is wider than the header."""
    for row in block:
        if any(cell is not None for cell in row[width:]):
            remedy = "name every column, clear the cells, or source.sheet where another sheet is meant"
            raise DataError(f"{path}: a row has more cells than the {width} names in the first row; remedy: {remedy}")
    padded = [row[:width] + (None,) * (width - len(row)) for row in block]
    return iter(zip(*padded))


def _typed(cells: tuple[Any, ...]) -> pa.Array:
    """Convert cells to a column: their common type if they share one, else strings."""
    kinds = {type(c) for c in cells if c is not None}
    if kinds == {int, float}:
        return pa.array([None if c is None else float(c) for c in cells], pa.float64())
    if kinds == {dt.datetime} and all(c is None or c.time() == dt.time() for c in cells):
        return pa.array([None if c is None else c.date() for c in cells], pa.date32())
    plain: dict[type, pa.DataType] = {
        bool: pa.bool_(),
        int: pa.int64(),
        float: pa.float64(),
        str: pa.string(),
        dt.datetime: pa.timestamp("us"),
        dt.date: pa.date32(),
        dt.time: pa.time64("us"),
        dt.timedelta: pa.duration("us"),
    }
    if len(kinds) <= 1:
        kind = next(iter(kinds), None)
        return pa.array(cells, pa.null() if kind is None else plain.get(kind, pa.string()))
    return pa.array([None if c is None else _spelled(c) for c in cells], pa.string())


def _spelled(cell: Any) -> str:
    if isinstance(cell, dt.datetime) and cell.time() == dt.time():
        return cell.date().isoformat()
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)


def _unified(arrays: list[pa.Array]) -> pa.ChunkedArray:
    """One type for the blocks of a column: their common type, numbers, datetimes, else strings."""
    types = {a.type for a in arrays if not pa.types.is_null(a.type)}
    if len(types) <= 1:
        want = next(iter(types), pa.null())
    elif types <= {pa.int64(), pa.float64()}:
        want = pa.float64()
    elif types <= {pa.date32(), pa.timestamp("us")}:
        want = pa.timestamp("us")
    else:
        want = pa.string()
        arrays = [_typed_words(a) for a in arrays]
    return pa.chunked_array([a.cast(want) for a in arrays], type=want)


def _typed_words(array: pa.Array) -> pa.Array:
    return (
        array
        if pa.types.is_string(array.type)
        else pa.array([None if c is None else _spelled(c) for c in array.to_pylist()], pa.string())
    )


def _written(sheet: Any, column: pa.ChunkedArray, path: Path) -> Iterator[Any]:
    """Convert a column to cells that openpyxl accepts."""
    t, kind = pa.types, column.type
    if t.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if t.is_boolean(kind) or t.is_null(kind):
        return iter(column.to_pylist())
    if t.is_integer(kind) and (pc.max(pc.abs(column.cast(pa.int64()))).as_py() or 0) < _EXACT:
        return iter(column.to_pylist())
    if t.is_floating(kind) or t.is_decimal(kind):
        numbers = column.cast(pa.float64(), safe=False)
        return iter(pc.if_else(pc.is_finite(numbers), numbers, None).to_pylist())
    if t.is_duration(kind):
        return (_cell(sheet, c, "timedelta") for c in column.cast(pa.duration("us"), safe=False).to_pylist())
    if t.is_time(kind):
        return iter(column.to_pylist())
    if t.is_date(kind) or (t.is_timestamp(kind) and kind.tz is None):
        moments = column.cast(pa.timestamp("us"), safe=False)
        if not pc.any(pc.less(moments, pa.scalar(_FIRST_DAY, pa.timestamp("us")))).as_py():
            return (_cell(sheet, c, "date" if t.is_date(kind) else "datetime") for c in moments.to_pylist())
    return (_text(sheet, c) for c in _words(column, path))


def _words(column: pa.ChunkedArray, path: Path) -> list[str | None]:
    words = pc.replace_substring_regex(column.cast(pa.string()), _CONTROL, "")  # characters that a workbook cannot hold
    if (pc.max(pc.utf8_length(words)).as_py() or 0) > _LONGEST:
        raise DataError(
            f"{path}: a text is longer than {_LONGEST:,} letters, which no cell can hold; remedy: output.format:"
            " parquet or csv"
        )
    return list(words.to_pylist())


def _cell(sheet: Any, value: Any, kind: str) -> Any:
    if value is None:
        return None
    cell = _openpyxl().cell.WriteOnlyCell(sheet, value=value)
    cell.number_format = _FORMATS[kind]
    return cell


def _text(sheet: Any, value: str | None) -> Any:
    """A text cell, even if it looks like a formula or an error."""
    if not value or value[0] not in "=#":
        return value
    cell = _openpyxl().cell.WriteOnlyCell(sheet, value=value)
    cell.data_type = "s"
    return cell


def _repacked(packed: Any, file: BinaryIO) -> None:
    """Remove the time of writing from the workbook, so that the same rows give the same bytes."""
    with zipfile.ZipFile(packed) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            fixed = zipfile.ZipInfo(item.filename, (1980, 1, 1, 0, 0, 0))
            fixed.compress_type = zipfile.ZIP_DEFLATED
            if item.filename == "docProps/core.xml":
                new.writestr(fixed, re.sub(rb"\d{4}-\d\d-\d\dT[\d:.]+Z", b"1980-01-01T00:00:00Z", old.read(item)))
                continue
            with old.open(item) as source, new.open(fixed, "w", force_zip64=True) as target:
                while data := source.read(1 << 20):
                    target.write(data)
