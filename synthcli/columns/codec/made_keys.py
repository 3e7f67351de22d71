"""Made keys of a column: their shape, and the room in which none of them is a key of the source.

Nothing of one key of the source is kept: ranges without keys are shortened at random (columns/fake/keyspace.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.fake import generate as fake
from synthcli.columns.fake.keyspace import ROOMY, TIGHT, Room, free, free_integers
from synthcli.columns.fake.patterns import WORD, Pattern
from synthcli.contracts.schema import Column
from synthcli.errors import SpecError


@dataclass(frozen=True)
class MadeKeys:
    """room: None if made keys may meet those of the source, because there is no room for others; pattern: replaces the
    inferred one, whose strings are all in use.
    """

    room: Room | None = None
    pattern: str | None = None

    @classmethod
    def of(cls, column: Column, known: pd.Series, *, repeats: bool = False) -> MadeKeys:
        """Find the room beside the keys of the source. known: without nulls, of the train part; repeats: whether a key
        stands for an entity, so that no more are needed than the source has.
        """
        tight = TIGHT if repeats else ROOMY / 2
        if known.dtype == frames.STRING:
            return _strings(column, known, tight)
        numbers = known.to_numpy(dtype=np.int64)
        low, high = column.declared.min, column.declared.max
        if low is not None or high is not None:
            return cls(_between(numbers, *fake.bounds(column), tight))
        return cls(free_integers(fake.bodies(column, numbers), fake.bounds(column)[1], tight))

    def column(self, column: Column) -> Column:
        """The column with the shape of the made keys."""
        if self.pattern is None:
            return column
        return replace(column, inferred=column.inferred.model_copy(update={"pattern": self.pattern}))

    def size(self, column: Column) -> int:
        """How many keys there are."""
        if self.room is not None:
            return self.room.size
        unique = replace(column, declared=column.declared.model_copy(update={"unique": True}))
        return fake.capacity(self.column(unique)) or WORD

    def to_json(self) -> dict[str, Any]:
        return {"room": None if self.room is None else [list(r) for r in self.room.ranges], "pattern": self.pattern}

    @classmethod
    def from_json(cls, data: Mapping[str, Any] | None) -> MadeKeys:
        ranges = (data or {}).get("room")
        room = None if ranges is None else Room(tuple((int(a), int(b)) for a, b in ranges))
        return cls(room, (data or {}).get("pattern"))


def _strings(column: Column, known: pd.Series, tight: float) -> MadeKeys:
    """The room among the strings of the column's pattern; if it is full, among those with one more digit."""
    text = column.get("pattern")
    if text is None:
        return MadeKeys()
    distinct = known.drop_duplicates().astype(str)
    bodies = fake.stripped(column, distinct)
    spaces: dict[str, tuple[int, np.ndarray]] = {}  # of each pattern: its size, and the places of the keys
    for pattern, times in ((text, ROOMY), (text, tight), (_longer(column), ROOMY), (text, TIGHT)):
        if pattern is None:
            continue
        if pattern not in spaces:
            try:
                whole = fake.body(column, Pattern.parse(pattern))
            except SpecError:
                return MadeKeys()  # reported where it is declared
            index = whole.index(bodies)
            if index is None:
                return MadeKeys()
            spaces[pattern] = whole.size, index[index >= 0]
        size, taken = spaces[pattern]
        room = free(taken, 0, size - 1, times=times)
        room = None if room is not None and room.size < times * len(distinct) else room
        if room is not None:
            return MadeKeys(room, None if pattern == text else pattern)
    return MadeKeys()


def _longer(column: Column) -> str | None:
    """The inferred pattern with one more digit in its last run of digits, which no key of the source has."""
    text = column.inferred.pattern
    if column.declared.pattern is not None or text is None or (at := text.rfind(r"\d")) < 0:
        return None
    return text[:at] + r"[1-9]" + text[at:] if not column.get("check") else None


def _between(numbers: np.ndarray, low: int, high: int, tight: float) -> Room | None:
    return free(numbers, low, high) or free(numbers, low, high, times=tight)
