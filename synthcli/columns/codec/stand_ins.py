"""A key that repeats and is not the privacy unit: which entity goes with which rows is learned by number, and each
entity gets a made key.

An entity of at least SHARED_BY privacy units is a category whose label is a made key: 300 doctors stay 300 doctors,
with their rows. The others are made anew: a generated row of such an entity joins a new one, and new entities have as
many rows each as those of the source. No key of the source is in the codec once it is saved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns.codec.domain import StandInsDomain
from synthcli.columns.codec.made_keys import MadeKeys
from synthcli.columns.codec.parts import Part, Values, escaped
from synthcli.columns.codec.top_coding import held_by
from synthcli.columns.fake import generate as fake
from synthcli.columns.fake.keyspace import placed
from synthcli.columns.fake.unique import permute
from synthcli.contracts.schema import Column

TRAINED = 0.7  # share of a source's rows that a fit sees by default: its entities have more rows than are seen
SHARED_BY = 5  # privacy units of an entity that is learned
LARGEST = 5  # entities that reach the largest size that is kept


def repeats(column: Column, values: pd.Series) -> bool:
    """Whether a column is a key whose values repeat, and the spec does not ask for unique ones."""
    known = values.dropna()
    return column.kind == "id" and column.declared.unique is None and len(known) > 1 and not known.is_unique


def see_stand_ins(column: Column, values: pd.Series, units: np.ndarray | None) -> StandInsDomain:
    """The domain of a key that repeats. units: (rows,) privacy unit of each row."""
    codes, known = pd.factorize(values)
    often = held_by(codes, units, len(known)) >= SHARED_BY
    rows = np.bincount(codes[codes >= 0], minlength=len(known))
    common = np.flatnonzero(often)[np.argsort(-rows[often], kind="stable")]
    sizes = np.sort(rows[~often])
    if len(sizes):  # the largest ones are somebody's
        sizes = np.minimum(sizes, sizes[-min(LARGEST, len(sizes))])
    keys = MadeKeys.of(column, values.dropna(), repeats=True)
    numbers = {known[entity]: number for number, entity in enumerate(common)}
    rare = int(rows[~often].sum())
    turn = round(int(rows.sum()) / TRAINED)
    return StandInsDomain(len(common), tuple(sizes.tolist()), rare, turn, bool(values.isna().any()), keys, numbers)


@dataclass(frozen=True)
class StandIns:
    """The codec of such a column. key: as of the codec of the table."""

    column: Column
    key: int
    common: int
    sizes: tuple[int, ...]
    rare: int
    rows: int
    nullable: bool
    keys: MadeKeys
    codes: Mapping[Any, int] = field(default_factory=dict, repr=False)

    @classmethod
    def from_domain(cls, column: Column, domain: StandInsDomain, key: int) -> StandIns:
        made = domain.keys.column(replace(column, declared=column.declared.model_copy(update={"unique": True})))
        return cls(made, key, **domain.__dict__)

    @property
    def parts(self) -> tuple[Part, ...]:
        """One code: a learned entity, else any other one, else null."""
        size = self.common + (self.rare > 0) + self.nullable
        return (Part(escaped(self.column.name), self.column.name, size),) if size > 1 else ()

    def encode(self, values: pd.Series) -> Values:
        if not self.parts:
            return {}
        found = values.map(self.codes if self.codes else {k: i for i, k in enumerate(self.labels)})
        other = self.common if self.rare else 0
        missing = self.common + (self.rare > 0) if self.nullable else other
        codes = np.where(values.isna(), missing, found.fillna(other).to_numpy(dtype=np.int64))
        return {escaped(self.column.name): codes.astype(np.int32)}

    def decode(self, values: Mapping[str, np.ndarray], rows: int, *, start: int = 0, batch: int = 0) -> pd.Series:
        """The keys of rows start... of the output."""
        codes = values.get(escaped(self.column.name), np.zeros(rows, dtype=np.int64))
        out = self.others(rows, start=start, batch=batch)
        known = np.flatnonzero(codes < self.common)
        out.iloc[known] = self.labels.take(codes[known]).to_numpy()
        return out.mask(codes >= self.common + (self.rare > 0)) if self.nullable else out

    def renumbered(self, drawn: pd.Series, *, start: int, batch: int) -> pd.Series:
        """Rows that were drawn, at other positions: those of entities made anew join the ones of these positions."""
        keep = (drawn.isna() | drawn.isin(self.labels)).to_numpy()
        return drawn.reset_index(drop=True).where(keep, self.others(len(drawn), start=start, batch=batch))

    @cached_property
    def labels(self) -> pd.Series:
        """The keys of the learned entities."""
        return self._at(np.arange(self.common, dtype=np.uint64))

    def others(self, rows: int, *, start: int, batch: int) -> pd.Series:
        """The key that each row gets if its entity is made anew. Entities take turns of about as many rows as the
        source has, in which each gets the rows that its size says.
        """
        if not self.sizes or not rows:
            return self._at(np.zeros(rows, dtype=np.uint64))
        place = np.arange(start, start + rows, dtype=np.uint64)
        turn, slot = place // np.uint64(self.rows), place % np.uint64(self.rows)
        mixed = permute(slot, self.rows, seeds.key(self.key, self.column.name, "turn")).astype(np.int64)
        ends = np.cumsum(self.sizes)
        entity = np.searchsorted(ends, mixed * int(ends[-1]) // self.rows, side="right")
        number = turn.astype(np.int64) * len(self.sizes) + np.minimum(entity, len(self.sizes) - 1)
        room = max(1, self.keys.size(self.column) - self.common)
        return self._at(np.uint64(self.common) + placed((number % room).astype(np.uint64), room, batch))

    def _at(self, positions: np.ndarray) -> pd.Series:
        return fake.at(self.column, positions, key=self.key, room=self.keys.room)

    def to_json(self) -> dict[str, Any]:
        counts = np.unique(self.sizes, return_counts=True) if self.sizes else ((), ())
        return {
            "name": self.column.name,
            "common": self.common,
            "sizes": [[int(size), int(n)] for size, n in zip(*counts)],
            "rare": self.rare,
            "rows": self.rows,
            "nullable": self.nullable,
            "keys": self.keys.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any], column: Column, key: int) -> StandIns:
        sizes = tuple(size for size, n in data["sizes"] for _ in range(n))
        keys = MadeKeys.from_json(data["keys"])
        domain = StandInsDomain(data["common"], sizes, data["rare"], data["rows"], data["nullable"], keys)
        return cls.from_domain(column, domain, key)
