"""Infer the domain of a column: the only place where values of the source enter a codec.

Declarations in the spec take precedence; the rest is inferred. A domain contains no value that only one privacy unit
holds: rare categories are folded into their neighbours, and numbers are top coded (columns/codec/top_coding.py, which
also covers small tables).
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.columns.codec import top_coding
from synthcli.columns.codec.domain import CodesDomain, ConstantDomain, Domain, MadeDomain, MixedDomain
from synthcli.columns.codec.made_keys import MadeKeys
from synthcli.columns.codec.parts import dtype_name, integers, natural, spread, stand_in
from synthcli.columns.codec.see_numbers import is_few, see_numbers
from synthcli.columns.codec.spelled_numbers import looks_mixed, spelling_of
from synthcli.columns.codec.stand_ins import repeats, see_stand_ins
from synthcli.columns.codec.top_coding import held_by
from synthcli.columns.fake import generate as fake
from synthcli.columns.fake.births import Pyramid
from synthcli.columns.pii import rare_words
from synthcli.contracts.schema import Column, Traits
from synthcli.errors import DataError


def see(column: Column, values: pd.Series, units: np.ndarray | None = None, *, is_unit: bool = False) -> Domain:
    """The domain of a column. units: (rows,) privacy unit of each row, None if each row is its own unit; is_unit:
    whether the column names the privacy unit.
    """
    if column.kind not in frames.MODELLED:
        if not is_unit and repeats(column, values):
            return see_stand_ins(column, values, units)
        nulls = float(values.isna().mean()) if len(values) else 0.0
        known = values.dropna()
        keys = MadeKeys.of(column, known) if _is_key(column, known) else MadeKeys()
        births = _pyramid(column, values, units) if column.kind == "date_of_birth" else None
        return MadeDomain(nulls, keys, births)
    if _may_be_mixed(column, values) and (mixed := _see_mixed(column, values, units)) is not None:
        return mixed
    values, merged = _shared(column, values, units)
    known = values.dropna()
    distinct = known.nunique()
    declared = column.declared.categories is not None
    if (distinct == 0 or (distinct == 1 and len(known) == len(values))) and not declared:
        return ConstantDomain(dtype_name(values), _only(column, known))
    if column.kind in frames.CODES or is_few(column, known, _of(units, values)):
        return _see_codes(column, values, merged)
    return see_numbers(column, values, units)


def _is_key(column: Column, known: pd.Series) -> bool:
    """Whether a column of made values is a key with one value for each row."""
    return column.kind == "id" and fake.unique(column) and len(known) > 0 and known.dtype in ("Int64", frames.STRING)


def _pyramid(column: Column, values: pd.Series, units: np.ndarray | None) -> Pyramid | None:
    """The pyramid of dates of birth, also of those that are stored as words; None if they are no dates."""
    if values.dtype == frames.STRING:
        codes, known = pd.factorize(values)
        kind, dates, _ = spelling.parse(np.asarray(known, dtype=object), Traits(format=column.get("format")))
        if kind != "datetime":
            return None
        values = pd.concat([dates.reset_index(drop=True), pd.Series([None], dtype=dates.dtype)]).take(codes)
    if not pd.api.types.is_datetime64_any_dtype(values.dtype):
        return None
    return Pyramid.of(values.dropna(), _of(units, values))


def _of(units: np.ndarray | None, values: pd.Series) -> np.ndarray | None:
    """The units of the known values."""
    return None if units is None else units[values.notna().to_numpy()]


def _shared(column: Column, values: pd.Series, units: np.ndarray | None) -> tuple[pd.Series, int]:
    """Remove values that only one unit holds from a column that is coded by its values; also return the number of
    removed categories. A number that fewer than FEWEST units hold becomes null everywhere.
    """
    if column.kind == "category":
        if (rare := column.get("rare")) is not None:
            return merge_rare(values, rare.min_units, rare.as_, units, column)
        if column.declared.categories is not None:
            return values, 0
        return fold_few(values, units, rare_words.least_units(values, units))
    if column.kind not in frames.NUMBERS or top_coding.people(units, len(values)) < top_coding.LEAST:
        return values, 0
    known = values.notna().to_numpy()
    if column.declared.min is None or column.declared.max is None:
        if 0 < top_coding.people(_of(units, values), int(known.sum())) < top_coding.FEWEST:
            return values.where(np.zeros(len(values), dtype=bool)), 0
        if is_few(column, values[known], _of(units, values)):
            return fold_few(values, units)[0], 0
    return values, 0


def _only(column: Column, known: pd.Series) -> object:
    """The value of a constant column as JSON; None if all are null."""
    if not len(known):
        return None
    value = int(integers(known)[0]) if column.kind in ("datetime", "timedelta") else known.iloc[0]
    return value.item() if isinstance(value, np.generic) else value


def _see_codes(column: Column, values: pd.Series, merged: int) -> CodesDomain:
    seen = [v.item() if isinstance(v, np.generic) else v for v in values.dropna().unique()]
    rare, declared = column.get("rare"), column.declared.categories
    if declared is not None and column.kind == "category":
        if unknown := [v for v in seen if v not in declared and (rare is None or v != rare.as_)]:
            raise DataError(
                f"columns.{column.name}.categories lacks {unknown[0]!r}, which the source holds; remedy: add it, or"
                " fix the source"
            )
        seen = list(dict.fromkeys([*declared, *seen]))
    other = rare.as_ if rare and rare.as_ in seen else None
    return CodesDomain(str(values.dtype), tuple(sorted(seen, key=natural)), bool(values.isna().any()), other, merged)


def fold_few(values: pd.Series, units: np.ndarray | None, least: int = 2) -> tuple[pd.Series, int]:
    """Replace values that fewer than `least` privacy units hold by the next value in natural order that as many hold;
    also return their number.

    So nobody's own word is learned, and no collective category is needed. If no word is shared by `least` units, words
    that two share are kept; if none is, all become null. Small tables, in which every word may belong to one person,
    are not changed.
    """
    codes, known = pd.factorize(values)
    held = held_by(codes, units, len(known))
    several = held >= (least if (held >= least).any() else 2)
    if top_coding.people(units, len(values)) < top_coding.LEAST or several.all():
        return values, 0
    if not several.any():
        return values.where(np.zeros(len(values), dtype=bool)), len(known)
    kept = sorted(known[several], key=natural)
    new = [word if own else kept[stand_in(kept, word)] for word, own in zip(known, several)]
    lookup = pd.Series([*new, None], dtype=values.dtype)
    return lookup.take(codes).set_axis(values.index), int((~several).sum())


def merge_rare(
    values: pd.Series, least: int, other: str, units: np.ndarray | None, column: Column
) -> tuple[pd.Series, int]:
    """Replace categories of fewer than `least` units by `other`; also return the number of merged categories."""
    if values.dtype != frames.STRING:
        raise DataError(
            f"columns.{column.name}.rare: categories stored as {column.storage} cannot become {other!r}; remedy: store"
            " them as words"
        )
    codes, known = pd.factorize(values)
    rare = known[held_by(codes, units, len(known)) < least]
    return values.where(~values.isin(rare), other), len(rare)


def _may_be_mixed(column: Column, values: pd.Series) -> bool:
    """Whether a column can be mixed: strings whose categories the spec does not declare."""
    return (
        column.kind == "category"
        and values.dtype == frames.STRING
        and column.declared.categories is None
        and column.get("rare") is None
    )


def _see_mixed(column: Column, values: pd.Series, units: np.ndarray | None) -> MixedDomain | None:
    """The domain of a mixed column, with the words that several units hold; None if the column is not mixed."""
    if not looks_mixed(values.dropna()):
        return None
    codes, distinct = pd.factorize(values)
    spelling = spelling_of(list(distinct))
    assert spelling is not None
    scaled = spelling.read(list(distinct))
    held = held_by(codes, units, len(distinct))
    words = [w for w, number in zip(distinct, scaled) if number is None]
    kept = tuple(sorted((w for w, n, count in zip(distinct, scaled, held) if n is None and count >= 2), key=natural))
    if not kept:
        return None
    surrogate = Column(column.name, Traits(type="integer"), storage="int64")
    numbers = see_numbers(surrogate, spread(scaled, codes), units)
    nullable = bool(values.isna().any())
    return MixedDomain(str(values.dtype), numbers, kept, spelling, nullable, len(words) - len(kept))
