"""The file to complete: its rows with the types of the model, and its cells as they are written again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthcli import sources
from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.columns.discovery.infer import infer, parse
from synthcli.contracts.modality import Csv
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.sources import render
from synthcli.sources.paths import format_of
from synthcli.tabular.written import typed

DECIMAL = r"([-+]?\d+)\.0+"  # a whole number in a column that once had gaps


@dataclass(frozen=True)
class Known:
    """A file to complete.

    frame: the columns that the model knows, in canonical dtypes; beside: the other columns, unchanged; columns: of
    `beside`; order: all columns; lines: line number of each row (Parquet: row number), (rows,) int64; cells: the
    columns that the model knows as they stand in the file; text: whether these are all strings, as in csv; csv: the
    dialect of a csv file.
    """

    frame: pd.DataFrame
    beside: pd.DataFrame
    columns: tuple[Column, ...]
    order: tuple[str, ...]
    lines: np.ndarray
    cells: pa.Table
    text: bool
    csv: dict[str, str] | None = None


def read_known(path: Path, schema: Schema, decimal: str = ".") -> Known:
    """Read a file to complete. Raises DataError with the column and a value that is not of the model's type.

    decimal: the sign of a csv file.
    """
    format_ = format_of(path.name)
    if format_ is None:
        raise SpecError(f"{path}: the ending names no format; expected .csv, .parquet or .jsonl")
    if not path.is_file():
        beside = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise SpecError(f"{path} does not exist.{did_you_mean(path.name, beside)}")
    source = sources.Source(type=format_, path=path, decimal=decimal)
    table, text = sources.read(source), sources.spelled(source)
    shared = [name for name in table.column_names if name in schema.names]
    if not shared:
        near = did_you_mean(table.column_names[0], schema.names) if table.column_names else ""
        raise DataError(f"{path} has none of the model's columns.{near} Expected: {', '.join(schema.names)}")
    others = [name for name in table.column_names if name not in schema.names]
    frame = typed(table, schema, path=path, text=text)
    try:
        passed, beside = infer(
            table.select(others), dict.fromkeys(others, Traits(type="text")) if text else {}, text=text
        )
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    return Known(
        frame,
        beside.set_axis(range(len(table))),
        passed.columns,
        tuple(table.column_names),
        _lines(table, format_),
        table.select(shared),
        text,
        sources.csv_dialect(source),
    )


def written_again(
    chunks: Iterator[pd.DataFrame], given: Known, schema: Schema, format_: str, csv: Csv
) -> tuple[Iterator[pd.DataFrame], Schema]:
    """Completed chunks of these columns with the known cells as the file writes them, and the schema of the result.

    From text to csv, each known cell keeps its text. Otherwise, a column without gaps keeps its type. chunks: in the
    order of the file; csv: the dialect of a written csv. In one that changes numbers (a decimal comma) or text (escaped
    formulas), numbers and booleans are written by their values, in the format of the file.
    """
    if given.text and format_ == "csv":
        spelled = _spelled_as_given(schema, given)
        exact = csv.decimal in (None, ".") and csv.formulas == "keep"
        words = [c.name for c in schema.columns if exact or c.kind not in ("integer", "float", "boolean")]
        text = {name: Column(name, Traits(type="text")) for name in words}
        written = replace(spelled, columns=tuple(text.get(c.name, c) for c in spelled.columns))
        return _as_text(chunks, given, spelled, words), written
    own, frame = _own_types(given, schema)
    columns = {column.name: column for column in own}
    result = replace(schema, columns=tuple(columns.get(c.name, c) for c in schema.columns))
    return _with_columns(chunks, frame), result


def _as_text(
    chunks: Iterator[pd.DataFrame], given: Known, schema: Schema, words: Sequence[str]
) -> Iterator[pd.DataFrame]:
    """Chunks with some columns as strings: known cells as in the file, the others in the formats of the schema."""
    start = 0
    for chunk in chunks:
        cells = dict(zip(schema.names, (text for text, _ in render.cells(chunk, schema))))
        for name in (name for name in given.frame.columns if name in words):
            known = given.frame[name].iloc[start : start + len(chunk)].notna().to_numpy()
            text = given.cells[name].combine_chunks().cast(pa.string()).slice(start, len(chunk))
            if schema[name].kind in ("integer", "category") and not known.all():
                gaps = pc.fill_null(pc.match_substring_regex(text, f"^{DECIMAL}$"), False)
                known = known & ~gaps.to_numpy(zero_copy_only=False)  # written as the model knows it, as 34 for 34.0
            cells[name] = pc.if_else(pa.array(known), text, cells[name])
        spelled = {name: pd.Series(pd.array(cells[name], dtype=frames.STRING)) for name in words}
        yield chunk.assign(**spelled)
        start += len(chunk)


def _spelled_as_given(schema: Schema, given: Known) -> Schema:
    """The schema with the format that floats have in the file, such as no decimals where all are whole."""
    formats: dict[str, str | None] = {}
    for name in given.frame.columns:
        if schema[name].kind == "float":
            words = given.cells[name].drop_null().unique().cast(pa.string()).to_pylist()
            formats[name] = spelling.parse(np.array(words, dtype=object), Traits(type="float"))[2].get("format")
    return Schema(tuple(_with_format(c, formats[c.name]) if c.name in formats else c for c in schema.columns))


def _with_format(column: Column, form: str | None) -> Column:
    declared, inferred = (t.model_copy(update={"format": form}) for t in (column.declared, column.inferred))
    return replace(column, declared=declared, inferred=inferred)


def _own_types(given: Known, schema: Schema) -> tuple[tuple[Column, ...], pd.DataFrame]:
    """The columns without gaps in the types of the file; of text, whole numbers for which the model has a float."""
    full = [
        name for name in given.frame.columns if given.cells[name].null_count == 0 and given.frame[name].notna().all()
    ]
    own, frame = parse(given.cells.select(full), {}, text=given.text, protect=False)
    kept = [c for c in own.columns if not given.text or (c.kind == "integer" and schema[c.name].kind == "float")]
    return tuple(kept), frame[[c.name for c in kept]]


def _with_columns(chunks: Iterator[pd.DataFrame], columns: pd.DataFrame) -> Iterator[pd.DataFrame]:
    start = 0
    for chunk in chunks:
        part = columns.iloc[start : start + len(chunk)].reset_index(drop=True)
        start += len(chunk)
        yield chunk.assign(**{name: part[name] for name in part})


def _lines(table: pa.Table, format_: str) -> np.ndarray:
    """The line on which each row begins, counting the header and line breaks within cells. (rows,) int64"""
    rows = np.arange(1, len(table) + 1)
    if format_ != "csv":
        return rows + (format_ == "excel")
    more = np.zeros(len(table), dtype=np.int64)
    for column in table.columns:
        more += pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy()
    return rows + 1 + sum(name.count("\n") for name in table.column_names) + np.cumsum(more) - more
