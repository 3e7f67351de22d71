"""The column codec under every method: a frame of any types becomes parts of two kinds, codes and numbers, and back.

column                                   parts
constant, all null                       none: put back as it was
id, text, e-mail and other made kinds    none: made up when decoded (columns/fake/generate.py), never learned
boolean, category, number of few values  one code; null is the last code
integer, float, datetime, timedelta      a number; before it, where there are nulls or spikes, a code for its state
                                         (0 the value, 1 null, 2... the spikes); where most values are round, a code for
                                         how round it is (columns/codec/heaping.py)
category of numbers and a few words      a code for its state (0 the number, 1 null, 2... the words, then the spikes),
                                         and a number as above
latitude and longitude                   a number each, and before the latitude's a code for the place
                                         (columns/codec/places.py)

A number is NaN where the state is not "value". Integers and times are counted in their own granularity from their
minimum, so that they stay exact in float64 up to 2^53 steps; zoned times by their own clocks where that is coarser, as
days are. A value that one person alone holds is not learned: rare words are folded (`merged`), the ends of numbers are
moved inwards (`clipped`, columns/codec/top_coding.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.codec import places as geo_places
from synthcli.columns.codec.categorical import Codes, Constant, Made, relaxed
from synthcli.columns.codec.mixed import Mixed, is_candidate
from synthcli.columns.codec.numeric import Numbers, held_by, is_few
from synthcli.columns.codec.parts import Part, Scale, Values, escaped, natural, stand_in
from synthcli.columns.fake import generate as fake
from synthcli.contracts.schema import Column, Schema
from synthcli.errors import DataError

LEAST_UNITS = 50  # privacy units that a table needs for words of one unit to be folded away

__all__ = ["Codec", "Part", "Values", "merge_rare"]


@dataclass(frozen=True)
class Codec:
    """Column codecs in schema order. merged: rare categories that were merged, per column; clipped: rows whose number
    lay beyond the ends that are learned, per column. key: of the made-up values."""

    schema: Schema
    columns: tuple[Any, ...]
    key: int
    merged: dict[str, int] = field(default_factory=dict)
    clipped: dict[str, int] = field(default_factory=dict)
    places: tuple[geo_places.Place, ...] = ()

    @classmethod
    def fit(cls, data: pd.DataFrame, schema: Schema, *, key: int, units: np.ndarray | None = None) -> Codec:
        """Learn how each column is coded. units: (rows,) privacy unit of each row, for the rare-category rule."""
        merged: dict[str, int] = {}
        columns = []
        if units is not None and len(np.unique(units)) == len(units):
            units = None
        for column in schema.columns:
            codec, count = _fit(column, data[column.name], units)
            columns.append(codec)
            merged[column.name] = count
        clipped = {
            column.name: codec.clipped
            for column, codec in zip(schema.columns, columns)
            if isinstance(codec, Numbers | Mixed)
        }
        numbers = {codec.name for codec in columns if isinstance(codec, Numbers)}
        found = [
            geo_places.Place.fit(data[a], data[b], units)
            for a, b in geo_places.pairs(schema, data)
            if {a, b} <= numbers
        ]
        places = tuple(place for place in found if place is not None)
        return cls(
            schema,
            tuple(columns),
            key,
            {n: c for n, c in merged.items() if c},
            {n: c for n, c in clipped.items() if c},
            places,
        )

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts in column order; a state comes before its value, a place right before the latitude."""
        places = {escaped(place.latitude): (place.part,) for place in self.places}
        return tuple(
            each for column in self.columns for part in column.parts for each in (*places.get(part.name, ()), part)
        )

    @property
    def scales(self) -> dict[str, Scale]:
        """What each number part counts."""
        return {codec.parts[-1].name: codec.scale for codec in self.columns if isinstance(codec, Numbers | Mixed)}

    def encode(self, data: pd.DataFrame) -> Values:
        """Parts of a frame. A category that the codec has not seen is coded as its rare category, else as null, else as
        the first.
        """
        out: Values = {}
        for column, codec in zip(self.schema.columns, self.columns):
            out.update(codec.encode(data[column.name]))
        return out | {
            place.part.name: place.encode(data[place.latitude], data[place.longitude]) for place in self.places
        }

    def apart(self, columns: Collection[str]) -> Codec:
        """The same without the places of which these columns are one half: where that alone is known, the place is
        not.
        """
        return replace(
            self,
            places=tuple(place for place in self.places if len({place.latitude, place.longitude} & {*columns}) != 1),
        )

    def axes(self, values: Values) -> Values:
        """Codes, and for each number part where the rows lie among the numbers of its column, spikes and rounding
        included.
        """
        numbers = (codec for codec in self.columns if isinstance(codec, Numbers | Mixed))
        return values | {codec.parts[-1].name: codec.axis(values) for codec in numbers}

    @property
    def seen_on_axes(self) -> frozenset[str]:
        """Parts that the axes of numbers say already."""
        states = (part for codec in self.columns if isinstance(codec, Numbers) for part in codec.parts[:-1])
        return frozenset(part.name for part in (*states, *(place.part for place in self.places)))

    def decode(
        self, values: Mapping[str, np.ndarray], rows: int, *, start: int, rng: np.random.Generator
    ) -> pd.DataFrame:
        """A canonical frame of `rows` rows, which stand at positions start... of the output (made-up keys count by
        position).
        """
        return self.framed(values, rows, self.made_up(rows, start=start, rng=rng))

    def framed(self, values: Mapping[str, np.ndarray], rows: int, own: Mapping[str, pd.Series]) -> pd.DataFrame:
        """A canonical frame of parts. own: the columns that are made up."""
        columns = zip(self.schema.columns, self.columns)
        return pd.DataFrame(
            {c.name: own[c.name] if c.name in own else codec.decode(values, rows) for c, codec in columns}, copy=False
        )

    def stored(self, values: Mapping[str, np.ndarray], rows: int, own: Mapping[str, pd.Series]) -> pa.Table:
        """The same as an Arrow table with the storage types of the source, but words as dictionaries."""
        out: dict[str, pa.Array] = {}
        for column, codec in zip(self.schema.columns, self.columns):
            words = codec.words(values, frames.arrow_type(column.storage)) if isinstance(codec, Codes) else None
            if words is None:
                words = frames.stored(own[column.name] if column.name in own else codec.decode(values, rows), column)
            out[column.name] = words
        return pa.table(out)

    def made_up(self, rows: int, *, start: int, rng: np.random.Generator) -> dict[str, pd.Series]:
        """The columns that are made up, at positions start... of the output."""
        streams = zip(self.schema.columns, self.columns, rng.spawn(len(self.columns)))
        return {
            c.name: codec.make(c, start, rows, key=self.key, rng=stream)
            for c, codec, stream in streams
            if isinstance(codec, Made)
        }

    def check_rows(self, rows: int) -> None:
        """Raise SpecError where a unique made-up column has fewer values than rows."""
        for column, codec in zip(self.schema.columns, self.columns):
            if isinstance(codec, Made):
                fake.check_rows(relaxed(column, rows), rows)

    def save(self, folder: Path) -> None:
        """Write codec.json."""
        body = {
            "schema": self.schema.to_json(),
            "key": self.key,
            "merged": self.merged,
            "clipped": self.clipped,
            "places": [place.to_json() for place in self.places],
            "columns": [{"codec": type(c).__name__, **c.to_json()} for c in self.columns],
        }
        (folder / "codec.json").write_text(json.dumps(body, ensure_ascii=False))

    @classmethod
    def load(cls, folder: Path) -> Codec:
        body = json.loads((folder / "codec.json").read_text())
        kinds = {kind.__name__: kind for kind in (Constant, Made, Codes, Numbers, Mixed)}
        columns = tuple(kinds[c.pop("codec")].from_json(c) for c in body["columns"])
        places = tuple(geo_places.Place.from_json(place) for place in body.get("places", ()))
        return cls(
            Schema.from_json(body["schema"]), columns, body["key"], body["merged"], body.get("clipped", {}), places
        )


def _fit(column: Column, values: pd.Series, units: np.ndarray | None) -> tuple[Any, int]:
    """The codec of a column, and how many rare categories were merged for it."""
    count = 0
    if is_candidate(column, values) and (mixed := Mixed.fit(column, values, units)) is not None:
        return mixed
    if (rare := column.get("rare")) is not None and column.kind == "category":
        values, count = merge_rare(values, rare.min_units, rare.as_, units, column)
    elif column.kind == "category" and values.dtype == frames.STRING and column.declared.categories is None:
        values, count = fold_singular(values, units)
    return _choose(column, values, units), count


def _choose(column: Column, values: pd.Series, units: np.ndarray | None) -> Any:
    if column.kind not in frames.MODELLED:
        return Made.fit(values)
    known = values.dropna()
    distinct = known.nunique()
    declared = column.declared.categories is not None
    if (distinct == 0 or (distinct == 1 and len(known) == len(values))) and not declared:
        return Constant.fit(column, values)
    if column.kind in frames.CODES or is_few(
        column, known, None if units is None else units[values.notna().to_numpy()]
    ):
        return Codes.fit(column, values)
    return Numbers.fit(column, values, units)


def fold_singular(values: pd.Series, units: np.ndarray | None) -> tuple[pd.Series, int]:
    """Words that one privacy unit alone holds, replaced by the next word in natural order that several hold; with their
    number.

    Nobody's own word is learned, without a word being made up for all of them. Small tables, whose every word may be
    one person's, are left as they are.
    """
    codes, known = pd.factorize(values)
    several = held_by(codes, units, len(known)) >= 2
    people = len(values) if units is None else len(np.unique(units))
    if people < LEAST_UNITS or several.all() or several.sum() < 2:
        return values, 0
    kept = sorted(known[several], key=natural)
    swap = {word: kept[stand_in(kept, word)] for word in known[~several]}
    return values.where(~values.isin(list(swap)), values.map(swap).astype(values.dtype)), len(swap)


def merge_rare(
    values: pd.Series, least: int, other: str, units: np.ndarray | None, column: Column
) -> tuple[pd.Series, int]:
    """Categories of fewer than `least` units replaced by `other`; with the number of categories merged."""
    if values.dtype != frames.STRING:
        raise DataError(
            f"columns.{column.name}.rare: categories stored as {column.storage} cannot become {other!r}; remedy: store"
            " them as words"
        )
    codes, known = pd.factorize(values)
    rare = known[held_by(codes, units, len(known)) < least]
    return values.where(~values.isin(rare), other), len(rare)
