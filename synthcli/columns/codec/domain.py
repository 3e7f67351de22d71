"""The domain of a column, from which its codec is built: bounds, categories, precision, nullability, point masses.

A domain is declared in the spec, inferred from data (columns/codec/see.py), or both. A codec is built from a domain and
the name and type of a column; it never reads data itself. A domain may be written to a file, so it must not contain a
value that only one privacy unit holds, except where columns/codec/top_coding.py allows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from synthcli.columns.codec.made_keys import MadeKeys
from synthcli.columns.codec.spelled_numbers import Spelling
from synthcli.columns.fake.births import Pyramid


@dataclass(frozen=True)
class ConstantDomain:
    """A single value, or only nulls. dtype: of the canonical values (parts.dtype_name); value: JSON; for times, an
    integer in the storage unit.
    """

    dtype: str
    value: Any = None


@dataclass(frozen=True)
class MadeDomain:
    """Values that are generated, not learned. nulls: the share of nulls; keys: where keys that are not of the source
    are found; births: the pyramid of dates of birth.
    """

    nulls: float = 0.0
    keys: MadeKeys = field(default_factory=MadeKeys)
    births: Pyramid | None = None


@dataclass(frozen=True)
class StandInsDomain:
    """A key that repeats. common: entities of enough privacy units, which are learned by number; sizes: rows of each
    other entity, ascending; rare: rows of all of these; rows: of the output in one
    turn; each turn has new entities.
    """

    common: int
    sizes: tuple[int, ...] = ()
    rare: int = 0
    rows: int = 0
    nullable: bool = False
    keys: MadeKeys = field(default_factory=MadeKeys)
    codes: Mapping[Any, int] = field(default_factory=dict, repr=False)  # of the keys, in memory alone


@dataclass(frozen=True)
class CodesDomain:
    """Categories. categories: in natural order; other: the category for unseen values; merged: number of rare
    categories merged into others.
    """

    dtype: str
    categories: tuple[Any, ...]
    nullable: bool = False
    other: str | None = None
    merged: int = 0


@dataclass(frozen=True)
class NumbersDomain:
    """A numeric range. low, high, spikes: in the units of the column, times in ticks.

    Whole numbers (integers, times) count in steps from `base`; decimals: to which a float is rounded, None for full
    precision; spikes: point masses, including infinities; clock: whether a zoned time counts in local time; grains:
    rounding steps (columns/codec/heaping.py), for floats in units of the last decimal; months: step of dates that are
    all the first day of a month, such as 12 for years, 0 for other columns; clipped: how many values lay
    below low and above high; known: the values that were asked.
    """

    dtype: str
    whole: bool
    low: float
    high: float
    base: int = 0
    step: int = 1
    decimals: int | None = None
    nullable: bool = False
    spikes: tuple[float, ...] = ()
    clock: bool = False
    grains: tuple[int, ...] = ()
    clipped: tuple[int, int] = (0, 0)
    known: int = 0
    months: int = 0


@dataclass(frozen=True)
class MixedDomain:
    """Numbers mixed with words. numbers: in units of the last decimal; words: in natural order; merged: number of words
    left out because only one privacy unit held them.
    """

    dtype: str
    numbers: NumbersDomain
    words: tuple[str, ...]
    spelling: Spelling
    nullable: bool = False
    merged: int = 0


Domain = ConstantDomain | MadeDomain | StandInsDomain | CodesDomain | NumbersDomain | MixedDomain
