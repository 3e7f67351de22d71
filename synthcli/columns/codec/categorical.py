"""Codecs of columns without a scale: constants, generated values, and categories as codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.codec.domain import CodesDomain, ConstantDomain, MadeDomain
from synthcli.columns.codec.made_keys import MadeKeys
from synthcli.columns.codec.parts import Part, Values, dtype_of, escaped, stand_in, times
from synthcli.columns.fake import generate as fake
from synthcli.columns.fake.births import Pyramid
from synthcli.contracts.schema import Column


@dataclass(frozen=True)
class Constant:
    """A column with a single value, or only nulls. value: JSON; for times, an integer in the storage unit."""

    name: str
    dtype: str
    value: Any
    parts: tuple[Part, ...] = ()

    @classmethod
    def from_domain(cls, column: Column, domain: ConstantDomain) -> Constant:
        return cls(column.name, domain.dtype, domain.value)

    def encode(self, values: pd.Series) -> Values:
        return {}

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        if self.dtype.startswith(("timestamp", "duration")):
            return times(np.full(rows, self.value or 0, dtype=np.int64), np.full(rows, self.value is None), self.dtype)
        return pd.Series([self.value] * rows, dtype=dtype_of(self.dtype))

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": self.dtype,
            "value": repr(self.value) if isinstance(self.value, float) else self.value,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Constant:
        value = data["value"]  # floats are stored as strings: JSON has no infinity
        return cls(
            data["name"], data["dtype"], float(value) if data["dtype"] == "float64" and value is not None else value
        )


@dataclass(frozen=True)
class Made:
    """A column whose values are generated, not learned. nulls: the share of nulls in the source, unless the spec
    declares one; keys: where made keys are found; births: the pyramid of dates of birth.
    """

    nulls: float
    keys: MadeKeys = field(default_factory=MadeKeys)
    births: Pyramid | None = None
    parts: tuple[Part, ...] = ()

    @classmethod
    def from_domain(cls, column: Column, domain: MadeDomain) -> Made:
        return cls(domain.nulls, domain.keys, domain.births)

    def encode(self, values: pd.Series) -> Values:
        return {}

    def make(
        self,
        column: Column,
        start: int,
        rows: int,
        *,
        key: int,
        rng: np.random.Generator,
        batch: int = 0,
        sexes: np.ndarray | None = None,
        about: str | None = None,
    ) -> pd.Series:
        """Generate values for positions start..., with the source's share of nulls unless the spec declares one. batch:
        the seed of the request; sexes, about: of the people in these rows, see fake.make.
        """
        column = relaxed(self.keys.column(column), start + rows)
        out = fake.make(
            column,
            start,
            rows,
            key=key,
            rng=rng,
            room=self.keys.room,
            batch=batch,
            sexes=sexes,
            about=about,
            births=self.births,
        )
        if column.get("nulls") is None and self.nulls > 0:
            out = out.mask(rng.random(rows) < self.nulls)
        return out

    def to_json(self) -> dict[str, Any]:
        births = None if self.births is None else self.births.to_json()
        return {"nulls": self.nulls, "keys": self.keys.to_json(), "births": births}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Made:
        births = data.get("births")
        return cls(
            data["nulls"],
            MadeKeys.from_json(data.get("keys")),
            None if births is None else Pyramid.from_json(births),
        )


@dataclass(frozen=True)
class Codes:
    """A categorical column. categories: in natural order; if `nullable`, null is the code after the last one."""

    name: str
    dtype: str
    categories: tuple[Any, ...]
    nullable: bool
    other: str | None = None  # the category for values that the codec has not seen

    @property
    def parts(self) -> tuple[Part, ...]:
        return (Part(escaped(self.name), self.name, len(self.categories) + self.nullable),)

    @classmethod
    def from_domain(cls, column: Column, domain: CodesDomain) -> Codes:
        return cls(column.name, domain.dtype, domain.categories, domain.nullable, domain.other)

    def encode(self, values: pd.Series) -> Values:
        index = pd.Index(self._series(self.categories))
        codes = index.get_indexer(pd.Index(values.astype(index.dtype)))
        codes = np.where(values.isna().to_numpy(), len(self.categories) if self.nullable else -1, codes)
        if self.other in self.categories:
            codes = np.where(codes < 0, self.categories.index(self.other), codes)
        unknown = np.flatnonzero(codes < 0)
        for value in values.iloc[unknown].unique():
            known = not pd.isna(value) and len(self.categories) > 0
            codes[unknown[(values.iloc[unknown] == value).to_numpy(dtype=bool, na_value=False)]] = (
                stand_in(self.categories, value) if known else 0
            )
        return {escaped(self.name): np.maximum(codes, 0).astype(np.int32)}

    def decode(self, values: Mapping[str, np.ndarray], rows: int) -> pd.Series:
        return pd.Series(self._lookup.take(values[escaped(self.name)]))

    def words(self, values: Mapping[str, np.ndarray], storage: pa.DataType) -> pa.DictionaryArray | None:
        """Decode to an Arrow dictionary array, the fastest to write; None if `storage` is not a string type."""
        plain = storage.value_type if pa.types.is_dictionary(storage) else storage
        if dtype_of(self.dtype) != frames.STRING or plain not in (pa.string(), pa.large_string()):
            return None
        codes, known = values[escaped(self.name)], len(self.categories)
        indices = pa.array(codes, mask=codes >= known if self.nullable else None)
        found = pa.DictionaryArray.from_arrays(indices, pa.array(self.categories, plain))
        return found.cast(storage) if plain is not storage else found

    @cached_property
    def _lookup(self) -> Any:
        return self._series((*self.categories, None)).array

    def _series(self, values: tuple[Any, ...]) -> pd.Series:
        return pd.Series(list(values), dtype=dtype_of(self.dtype))

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "dtype": self.dtype,
            "categories": list(self.categories),
            "nullable": self.nullable,
            "other": self.other,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Codes:
        return cls(**{**data, "categories": tuple(data["categories"])})


def relaxed(column: Column, rows: int) -> Column:
    """Drop the uniqueness of a key that repeats in the source and has too few possible values for one per row."""
    room = fake.capacity(column)
    if column.declared.unique is None and not column.inferred.unique and room is not None and rows > room:
        return replace(column, declared=column.declared.model_copy(update={"unique": False}))
    return column
