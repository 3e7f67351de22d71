"""Columns of strings that look like numbers or dates and cannot be read as such."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from synthcli.columns import frame as frames
from synthcli.columns.spelling import missing
from synthcli.contracts.schema import Column, Schema

MOSTLY = 0.8  # share of the rows that look so
DISTINCT = 20  # distinct words that look so; fewer are learned as words
_NUMBER = re.compile(
    r"[<>≤≥~≈(-]?\s?(?:[$€£¥]\s?)?[+-]?(?:\d{1,3}(?:[ .,'’]\d{3})+|\d{1,8})(?:[.,]\d+)?(?:[eE][+-]?\d+)?"
    r"\s?(?:[%‰$€£¥°]|[^\W\d_]{1,5})?\)?-?"
)
_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?:[T ,].*)?|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}(?:[T ,].*)?"
    r"|\d{1,2}(?:\.|th|st|nd|rd)?[- ][^\W\d_]{3,9}\.?,?[- ]\d{2,4}(?:[ ,].*)?"
)
_CODE = re.compile(r"0\d+|\d+[eE]\d+|\d+")  # digits alone are names where they were not read as numbers


def why(words: np.ndarray, counts: np.ndarray, nulls: Collection[str] = ()) -> str:
    """Why a column of strings may be meant as numbers or dates, without its values; empty if it is not. words: distinct
    and stripped; counts: rows of each.
    """
    kept = np.array([not missing.is_missing(w) for w in words], dtype=bool)
    real, rows = words[kept], counts[kept]
    if len(real) < DISTINCT or not rows.sum():
        return ""
    for what, shape in (("dates", _DATE), ("numbers", _NUMBER)):
        like = np.array([bool(shape.fullmatch(w)) and not _CODE.fullmatch(w) for w in real], dtype=bool)
        if what == "numbers" and not like.any():
            continue
        share = float(rows[like].sum() / rows.sum())
        if share >= MOSTLY and like.sum() >= DISTINCT and not _is_version(real[like]):
            most = f"{share:.0%} of its values look" if share < 1 else "its values look"
            return f"{most} like {what}, but no format reads all of them"
    return ""


def _is_version(words: np.ndarray) -> bool:
    """Whether nearly all words are numbers with points between them, such as 1.10.2 or 10.0.0.1, or codes with a
    letter.
    """
    coded = sum(bool(re.fullmatch(r"\d+(\.\d+)+|\d+[A-Za-z]|\d{1,3}( \d+)+", w)) for w in words.tolist())
    return coded > 0.5 * len(words)


@dataclass(frozen=True)
class Unread:
    """A column whose type the spec leaves open and its values do not tell. why: a phrase without values; made: whether
    it is made up as text.
    """

    column: str
    why: str
    made: bool

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def of_column(column: Column) -> Unread | None:
    """What is unsure about a column; None if it is told, declared, or learned as words."""
    if column.spelling is None or not column.spelling.unsure or column.declared.type is not None:
        return None
    told = column.kind in frames.NUMBERS
    if column.declared.format is not None or (not told and column.kind not in ("text", "word")):
        return None
    return Unread(column.name, column.spelling.unsure, not told)


def of_schema(schema: Schema) -> list[Unread]:
    """The columns of a table whose values do not tell their type."""
    return [one for one in map(of_column, schema.columns) if one is not None]
