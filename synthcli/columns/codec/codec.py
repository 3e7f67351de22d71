"""The column codec that all methods use: it encodes a frame as parts of two kinds, codes and numbers, and decodes them.

column                                   parts
constant, all null                       none: restored on decoding
id, text, e-mail and the like            none: generated on decoding (columns/fake/generate.py), never learned
id that repeats                          a code for the entity, whose key is generated (columns/codec/stand_ins.py)
boolean, category, number of few values  one code; null is the last code
integer, float, datetime, timedelta      a number; if the column has nulls or point masses, first a code for its state
                                         (0 the value, 1 null, 2... the point masses); if numbers are heaped, a code for
                                         the rounding step (columns/codec/heaping.py)
category of numbers and a few words      a code for its state (0 the number, 1 null, 2... words, then point masses),
                                         and a number as above
latitude and longitude                   a number each, and before the latitude a code for the place
                                         (columns/codec/places.py)

A number is NaN where the state is not "value". Integers and times count in steps of their own granularity from their
minimum, so that they stay exact in float64 up to 2^53 steps; zoned times count in local time if that is coarser, as for
whole days. A value that only one person holds is not learned: rare categories are folded (`merged`) and numbers are top
coded (`clipped`, columns/codec/top_coding.py).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.codec import clips
from synthcli.columns.codec import places as geo_places
from synthcli.columns.codec.categorical import Codes, Constant, Made, relaxed
from synthcli.columns.codec.domain import (
    CodesDomain,
    ConstantDomain,
    Domain,
    MadeDomain,
    MixedDomain,
    NumbersDomain,
    StandInsDomain,
)
from synthcli.columns.codec.mixed import Mixed
from synthcli.columns.codec.numeric import Numbers
from synthcli.columns.codec.parts import Part, Scale, Values, escaped
from synthcli.columns.codec.see import see
from synthcli.columns.codec.stand_ins import StandIns
from synthcli.columns.fake import generate as fake
from synthcli.columns.fake import persons
from synthcli.columns.pii import sexes
from synthcli.contracts.modelling import Clipped
from synthcli.contracts.schema import Column, Schema

__all__ = ["Codec", "Part", "Values", "build"]


@dataclass(frozen=True)
class Codec:
    """Column codecs in schema order. merged: number of rare categories merged, per column; clipped: what top coding
    changed, per column; key: seeds the generated values.
    """

    schema: Schema
    columns: tuple[Any, ...]
    key: int
    merged: dict[str, int] = field(default_factory=dict)
    clipped: dict[str, Clipped] = field(default_factory=dict)
    places: tuple[geo_places.Place, ...] = ()

    @classmethod
    def fit(cls, data: pd.DataFrame, schema: Schema, *, key: int, units: np.ndarray | None = None) -> Codec:
        """Infer the domain of each column and build its codec. units: (rows,) privacy unit of each row."""
        if units is not None and len(np.unique(units)) == len(units):
            units = None
        domains = [
            see(column, data[column.name], units, is_unit=column.name == schema.unit) for column in schema.columns
        ]
        numbers = {c.name for c, domain in zip(schema.columns, domains) if isinstance(domain, NumbersDomain)}
        pairs = [pair for pair in geo_places.pairs(schema, data) if {*pair} <= numbers]
        places = [geo_places.see(data[a], data[b], units) for a, b in pairs]
        return cls.from_domains(schema, domains, key=key, places=tuple(p for p in places if p is not None))

    @classmethod
    def from_domains(
        cls, schema: Schema, domains: Sequence[Domain], *, key: int, places: tuple[geo_places.Place, ...] = ()
    ) -> Codec:
        """Build the codec from the domains of the columns, in schema order."""
        by_name = list(zip(schema.names, domains, strict=True))
        merged = {name: d.merged for name, d in by_name if isinstance(d, CodesDomain | MixedDomain) and d.merged}
        asked = ((column, clips.of_domain(column, domain)) for column, domain in zip(schema.columns, domains))
        clipped = {column.name: found for column, found in asked if found is not None}
        columns = tuple(build(column, domain, key) for column, domain in zip(schema.columns, domains))
        return cls(schema, columns, key, merged, clipped, places)

    @property
    def parts(self) -> tuple[Part, ...]:
        """All parts in column order. A state precedes its value; a place directly precedes its latitude."""
        places = {escaped(place.latitude): (place.part,) for place in self.places}
        return tuple(
            each for column in self.columns for part in column.parts for each in (*places.get(part.name, ()), part)
        )

    @property
    def scales(self) -> dict[str, Scale]:
        """The scale of each number part."""
        return {codec.parts[-1].name: codec.scale for codec in self.columns if isinstance(codec, Numbers | Mixed)}

    def encode(self, data: pd.DataFrame) -> Values:
        """Encode a frame as parts. An unseen value becomes the rare category if there is one, else its neighbour in
        natural order.
        """
        out: Values = {}
        for column, codec in zip(self.schema.columns, self.columns):
            out.update(codec.encode(data[column.name]))
        return out | {
            place.part.name: place.encode(data[place.latitude], data[place.longitude]) for place in self.places
        }

    def apart(self, columns: Collection[str]) -> Codec:
        """A copy without the places that share only one coordinate with `columns`: one coordinate does not determine a
        place.
        """
        return replace(
            self,
            places=tuple(place for place in self.places if len({place.latitude, place.longitude} & {*columns}) != 1),
        )

    def axes(self, values: Values) -> Values:
        """Codes as they are, and each number part on the axis of its column: point masses and rounding applied."""
        numbers = (codec for codec in self.columns if isinstance(codec, Numbers | Mixed))
        return values | {codec.parts[-1].name: codec.axis(values) for codec in numbers}

    @property
    def seen_on_axes(self) -> frozenset[str]:
        """Parts that are redundant given the axes of the numbers."""
        states = (part for codec in self.columns if isinstance(codec, Numbers) for part in codec.parts[:-1])
        return frozenset(part.name for part in (*states, *(place.part for place in self.places)))

    def decode(
        self, values: Mapping[str, np.ndarray], rows: int, *, start: int, rng: np.random.Generator, batch: int = 0
    ) -> pd.DataFrame:
        """Decode `rows` rows to a canonical frame. start: position in the output of the first row; batch: the seed of
        the request; generated keys depend on both.
        """
        return self.framed(values, rows, self.own(values, rows, start=start, rng=rng, batch=batch))

    def own(
        self,
        values: Mapping[str, np.ndarray],
        rows: int,
        *,
        start: int,
        rng: np.random.Generator,
        batch: int = 0,
        drawn: pd.DataFrame | None = None,
    ) -> dict[str, pd.Series]:
        """Generate the columns whose values depend on positions: those that are not learned, and stand-ins. drawn:
        other columns of these rows, those among `values` by default; made-up names follow their sex.
        """
        stand_ins = {
            c.name: codec.decode(values, rows, start=start, batch=batch)
            for c, codec in zip(self.schema.columns, self.columns)
            if isinstance(codec, StandIns)
        }
        drawn = self.telling(values, rows) if drawn is None else drawn
        return self.made_up(rows, start=start, rng=rng, batch=batch, drawn=drawn) | stand_ins

    def framed(self, values: Mapping[str, np.ndarray], rows: int, own: Mapping[str, pd.Series]) -> pd.DataFrame:
        """Decode parts to a canonical frame. own: the generated columns."""
        columns = zip(self.schema.columns, self.columns)
        return pd.DataFrame(
            {c.name: own[c.name] if c.name in own else codec.decode(values, rows) for c, codec in columns}, copy=False
        )

    def stored(self, values: Mapping[str, np.ndarray], rows: int, own: Mapping[str, pd.Series]) -> pa.Table:
        """Decode to an Arrow table with the storage types of the source, except that strings become dictionaries."""
        out: dict[str, pa.Array] = {}
        for column, codec in zip(self.schema.columns, self.columns):
            words = codec.words(values, frames.arrow_type(column.storage)) if isinstance(codec, Codes) else None
            if words is None:
                words = frames.stored(own[column.name] if column.name in own else codec.decode(values, rows), column)
            out[column.name] = words
        return pa.table(out)

    def made_up(
        self,
        rows: int,
        *,
        start: int,
        rng: np.random.Generator,
        batch: int = 0,
        drawn: pd.DataFrame | None = None,
    ) -> dict[str, pd.Series]:
        """Generate the columns that are not learned, for positions start... of the output. drawn: other columns of
        these rows, of which names follow those that tell the sex.
        """
        streams = zip(self.schema.columns, self.columns, rng.spawn(len(self.columns)))
        of = {} if drawn is None or not self.people else sexes.of_people(self.people, drawn, self.sexes)
        return {
            c.name: codec.make(
                c,
                start,
                rows,
                key=self.key,
                rng=stream,
                batch=batch,
                sexes=of.get(c.name),
                about=self.people.get(c.name),
            )
            for c, codec, stream in streams
            if isinstance(codec, Made)
        }

    def renumbered(self, frame: pd.DataFrame | None, rows: int, *, start: int, batch: int) -> dict[str, pd.Series]:
        """The stand-ins of rows that were drawn, at positions start... of the output; None: of rows whose entities are
        all made anew.
        """
        return {
            c.name: codec.others(rows, start=start, batch=batch)
            if frame is None
            else codec.renumbered(frame[c.name], start=start, batch=batch)
            for c, codec in zip(self.schema.columns, self.columns)
            if isinstance(codec, StandIns)
        }

    @cached_property
    def people(self) -> dict[str, str]:
        """The columns of made-up people, and their roles."""
        return persons.roles(c.name for c in self.schema.columns if fake.is_person(c))

    @cached_property
    def sexes(self) -> dict[str, dict[Hashable, int]]:
        """The columns that tell the sex of a person, with the meanings of their categories."""
        coded = {c.name: codec for c, codec in zip(self.schema.columns, self.columns) if isinstance(codec, Codes)}
        found = {name: sexes.meanings(name, codec.categories) for name, codec in coded.items()}
        return {name: meaning for name, meaning in found.items() if meaning}

    def telling(self, values: Mapping[str, np.ndarray], rows: int) -> pd.DataFrame | None:
        """The decoded columns that made-up names follow; None if there are none among the values."""
        if not self.people or not self.sexes:
            return None
        by_name = {c.name: codec for c, codec in zip(self.schema.columns, self.columns) if c.name in self.sexes}
        ready = {name: codec for name, codec in by_name.items() if all(part.name in values for part in codec.parts)}
        return pd.DataFrame({name: codec.decode(values, rows) for name, codec in ready.items()}) if ready else None

    def check_rows(self, rows: int) -> None:
        """Raise SpecError if a unique generated column has fewer possible values than rows."""
        for column, codec in zip(self.schema.columns, self.columns):
            if isinstance(codec, Made):
                fake.check_rows(relaxed(codec.keys.column(column), rows), rows)

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
        schema = Schema.from_json(body["schema"])
        columns = tuple(
            StandIns.from_json(c, column, body["key"])
            if (kind := c.pop("codec")) == StandIns.__name__
            else kinds[kind].from_json(c)
            for c, column in zip(body["columns"], schema.columns)
        )
        places = tuple(geo_places.Place.from_json(place) for place in body.get("places", ()))
        return cls(schema, columns, body["key"], body["merged"], body.get("clipped", {}), places)


def build(column: Column, domain: Domain, key: int = 0) -> Any:
    """Build the codec of a column from its domain. key: seeds the generated values."""
    if isinstance(domain, StandInsDomain):
        return StandIns.from_domain(column, domain, key)
    kinds: dict[type, Any] = {
        ConstantDomain: Constant,
        MadeDomain: Made,
        CodesDomain: Codes,
        NumbersDomain: Numbers,
        MixedDomain: Mixed,
    }
    return kinds[type(domain)].from_domain(column, domain)
