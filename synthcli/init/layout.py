"""Detect how a file is laid out, for the first spec: lines before the header, comments, nameless and repeated columns,
a missing header, nested values.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from synthcli import sources
from synthcli.columns import spelling
from synthcli.contracts.schema import Traits
from synthcli.errors import DataError
from synthcli.sources import excel, files, head
from synthcli.sources.dialect import DELIMITERS

EXAMINED = 1 << 16  # bytes in which lines before the header are looked for
LONGEST = 100  # lines before a header, at most
ROWS = 2_000  # that tell whether the first line is a header
_COMMENTS = ("#", "%", "//", "--")
_NUMBER = re.compile(r"[-+]?\d+([.,]\d+)?")
_YEAR = re.compile(r"(1[89]|20)\d\d")


def laid_out(source: sources.Source) -> sources.Source:
    """The source with the options of layout that were not given and that it needs to be read. The rest of a source that
    cannot be read stays as it is.
    """
    if source.type not in sources.FILES or not isinstance(source.path, Path) or not source.path.is_file():
        return source
    if source.skip == 0 and source.comment is None:
        source = replace(source, **_before_header(source))
    if not source.repair_names and not source.nested and not _readable(source):
        repairs = [replace(source, repair_names=True), replace(source, nested="flatten")]
        fit = {"csv": repairs[:1], "excel": repairs[:1]}.get(source.type, repairs[1:])
        source = next((each for each in fit if _readable(each)), source)
    if source.type == "csv" and source.header and _no_header(source):
        source = replace(source, header=False)
    return source


def _readable(source: sources.Source) -> bool:
    """Whether the first rows can be read."""
    try:
        if source.type == "excel":
            return bool(sources.columns(source))
        head.first_rows(source)
    except DataError:
        return False
    return True


def _before_header(source: sources.Source) -> dict[str, Any]:
    """{skip} or {comment} if something stands before the header."""
    path = Path(str(source.path))
    if source.type == "excel":
        rows = [["" if c is None else str(c) for c in row] for row in excel.top(path, source, 2 * LONGEST)]
        start = _start(rows)
        return {"skip": start} if start else {}
    if source.type != "csv":
        return {}
    try:
        text = files.head(path, EXAMINED).decode(source.encoding or "utf-8", errors="replace")
    except DataError:
        return {}
    lines = [line.rstrip("\r") for line in text.removeprefix("\ufeff").split("\n")[:-1] or [text]]
    for mark in _COMMENTS:
        if lines and lines[0].startswith(mark) and not all(line.startswith(mark) for line in lines):
            return {"comment": mark}
    delimiters = DELIMITERS if source.delimiter is None else (source.delimiter,)
    tables = [[next(csv.reader([line], delimiter=each), []) for line in lines] for each in delimiters]
    regular = max(tables, key=_regularity)
    start = _start(regular) if _regularity(regular) > 0.5 else 0
    return {"skip": start} if start else {}


def _regularity(rows: Sequence[Sequence[str]]) -> float:
    """The share of non-empty rows that have the commonest width; 0 if that is a single cell."""
    width, times = _width(rows)
    return times / sum(map(bool, rows)) if width > 1 else 0.0


def _width(rows: Sequence[Sequence[str]]) -> tuple[int, int]:
    """The commonest number of cells, and how many rows have it."""
    return max(Counter(len(row) for row in rows if row).items(), key=lambda found: found[1], default=(0, 0))


def _start(rows: Sequence[Sequence[str]]) -> int:
    """The number of rows before the header: empty ones, titles in the first cells. 0 if unclear."""
    width = _width(rows)[0]
    if width < 2:
        return 0
    for number, row in enumerate(rows[: LONGEST + 1]):
        filled = sum(bool(cell.strip()) for cell in row)
        title = filled <= max(1, width // 2) and (len(row) < width or width > 2)
        if not title:
            return number if len(row) == width else 0
    return 0


def _no_header(source: sources.Source) -> bool:
    """Whether the first line is a row like the others: where rows hold numbers, so does it. Numbers that count up, such
    as years, are names.
    """
    try:
        table = head.first_rows(source)[0]
    except DataError:
        return False
    if table is None or len(table) < 5:
        return False
    some = table.slice(0, ROWS)
    numeric = [
        name
        for name in some.column_names
        if spelling.parse(some[name].drop_null().unique().to_numpy(zero_copy_only=False), Traits())[0]
        in ("integer", "float")
    ]
    if not numeric or not all(_NUMBER.fullmatch(name.strip()) for name in numeric):
        return False
    if len(numeric) < 3 and all(_YEAR.fullmatch(name.strip()) for name in numeric):
        return False
    steps = np.diff([float(name.replace(",", ".")) for name in numeric])
    return len(steps) < 2 or len(set(steps.round(9))) > 1
