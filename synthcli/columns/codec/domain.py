"""What coding a column needs to know: bounds, categories, precision, nullability, point masses.

A domain is declared in the spec, or seen (columns/codec/see.py), or both. A codec is built from a domain and a
column's name and type; it never looks at data itself. Whatever stands in a domain may stand in a file: a value that
one privacy unit alone holds does not belong here, save where columns/codec/top_coding.py says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synthcli.columns.codec.spelled_numbers import Spelling


@dataclass(frozen=True)
class ConstantDomain:
    """One value, or none. dtype: of the canonical values (parts.dtype_name); value: JSON; of times an integer in the
    storage unit.
    """

    dtype: str
    value: Any = None


@dataclass(frozen=True)
class MadeDomain:
    """Values that are made up. nulls: the share of nulls."""

    nulls: float = 0.0


@dataclass(frozen=True)
class CodesDomain:
    """Few values. categories: in natural order; other: the category that takes what is not among them; merged: how
    many rarer categories went into others.
    """

    dtype: str
    categories: tuple[Any, ...]
    nullable: bool = False
    other: str | None = None
    merged: int = 0


@dataclass(frozen=True)
class NumbersDomain:
    """A number with an order. low, high, spikes: in the column's own units, times in ticks.

    Whole numbers (integers, times) count in steps from `base`; decimals: of a float, None for all that it has. spikes:
    point masses, infinities among them; clock: a zoned time that is counted as its clocks show it; grains: how round
    the number may be, of a float in units of its last decimal; clipped: rows that lay beyond low or high.
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
    clipped: int = 0


@dataclass(frozen=True)
class MixedDomain:
    """Numbers with words among them. numbers: in units of the last decimal; words: in natural order; merged: words
    that one privacy unit alone held, which are not among them.
    """

    dtype: str
    numbers: NumbersDomain
    words: tuple[str, ...]
    spelling: Spelling
    nullable: bool = False
    merged: int = 0


Domain = ConstantDomain | MadeDomain | CodesDomain | NumbersDomain | MixedDomain
