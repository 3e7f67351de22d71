"""Columns of words that few privacy units share: values of people, never learned in silence.

A word that fewer than FEW_UNITS units hold is rare. If most words of a column are rare, what to do with it is for the
user to decide: `columns: {x: {type: …}}`. Until then, only words that FEW_UNITS units share are learned; a column in
which most units hold a rare word is made up (type word: made-up words of the same look).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec import top_coding
from synthcli.columns.codec.spelled_numbers import looks_mixed
from synthcli.columns.spelling import unread
from synthcli.contracts.schema import Column, Schema

FEW_UNITS = 5  # a word that fewer privacy units hold is rare
LEAST_WORDS = 20  # minimum rare words of a column that needs a decision
FEWEST_WORDS = 8  # the same in tables too small for folding (top_coding.LEAST), of words that one unit holds
LEAST_SHARE = 0.02  # minimum share of the units that hold a rare word
MADE_UP = 0.5  # share of the units that hold a rare word from which the column is made up
CHOICES = (
    "{type: category} learns its common words and folds the rare ones; {type: word} makes up words of the same look;"
    " {type: text}, or a kind such as name or city, makes up those"
)
READINGS = (
    "{format: …} reads numbers, dates or times, several formats separated by |; {type: category} learns the words;"
    " {type: text} makes up text"
)


@dataclass(frozen=True)
class Rare:
    """How many distinct words a column has, how many of them fewer than FEW_UNITS units hold, the number of units with
    a value, and the share of them that hold a rare word.
    """

    words: int
    rare: int
    units: int
    share: float

    @property
    def made_up(self) -> bool:
        """Whether so many units hold a rare word that the common ones are not worth learning."""
        return self.share >= MADE_UP


@dataclass(frozen=True)
class Undecided:
    """A column of rare words whose type the spec does not declare. made: whether all of it is made up."""

    column: str
    words: int
    rare: int
    units: int
    share: float
    made: bool

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "share": round(self.share, 4)}


def look(values: pd.Series, units: np.ndarray | None = None) -> Rare | None:
    """Count the rare words of a column of strings; None unless most of its words are rare, and enough units hold one.

    units: (rows,) privacy unit of each row, None if each row is its own unit.
    """
    known = values.dropna()
    if values.dtype != frames.STRING or not len(known) or looks_mixed(known):
        return None
    codes, distinct = pd.factorize(values)
    held = top_coding.held_by(codes, units, len(distinct))
    present = units if units is None else units[codes >= 0]
    people = top_coding.people(present, len(known))
    small = top_coding.people(units, len(values)) < top_coding.LEAST
    rare = held < (2 if small else FEW_UNITS)
    count = int(rare.sum())
    if count < max(FEWEST_WORDS if small else LEAST_WORDS, 0.5 * len(distinct)):
        return None
    holds = np.isin(codes, np.flatnonzero(rare))
    share = (int(holds.sum()) if units is None else len(np.unique(units[holds]))) / max(1, people)
    return Rare(len(distinct), count, people, share) if share >= LEAST_SHARE else None


def least_units(values: pd.Series, units: np.ndarray | None = None) -> int:
    """How many units must hold a word for it to be learned. If most units hold a rare word, the column is learned only
    if the spec insists; then two units are enough.
    """
    rare = look(values, units)
    return 2 if rare is None or rare.made_up else FEW_UNITS


def undecided(schema: Schema, frame: pd.DataFrame, units: np.ndarray | None = None) -> list[Undecided | unread.Unread]:
    """The columns whose type the spec does not declare: of rare words, and those whose values do not tell it. frame:
    the train part.
    """
    out: list[Undecided | unread.Unread] = [*unread.of_schema(schema)]
    told = {one.column for one in out}
    for column in schema.columns:
        if column.declared.type is not None or column.kind not in ("category", "word") or _listed(column):
            continue
        if column.name in told:
            continue
        if (found := look(frame[column.name], units)) is not None:
            made = column.kind == "word"
            out.append(Undecided(column.name, found.words, found.rare, found.units, found.share, made))
    return out


def _listed(column: Column) -> bool:
    """Whether the spec says which words are learned."""
    return column.declared.categories is not None or column.declared.rare is not None


def told(one: Mapping[str, Any]) -> str:
    """What is undecided about a column, as `Undecided.to_json`, in words that show none of its values."""
    if "why" in one:
        return f"column {one['column']}: {one['why']}"
    return (
        f"column {one['column']} has {one['words']:,} distinct words, {one['rare']:,} of which fewer than"
        f" {FEW_UNITS} of {one['units']:,} units hold; {one['share']:.0%} of the units hold such a word"
    )


def does(one: Mapping[str, Any]) -> str:
    """What happens to an undecided column."""
    if "why" in one:
        return "it is made up as text, and the run does not pass" if one["made"] else "the first is taken"
    return "its words are made up" if one["made"] else f"only words that {FEW_UNITS} units share are learned"


def notes(found: Sequence[Mapping[str, Any]]) -> list[str]:
    """A warning for each undecided column. found: in the form of `Undecided.to_json`."""
    return [
        f"Undecided: {told(one)}. Until the spec decides, {does(one)}. Decide in columns: {{{one['column']}: …}}:"
        f" {choices(one)}."
        for one in found
    ]


def choices(one: Mapping[str, Any]) -> str:
    """What the spec can say about an undecided column."""
    if "why" not in one:
        return CHOICES
    return READINGS if one["made"] else "format: the one that is meant"
