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
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as frames
from synthcli.columns.codec import places as geo_places
from synthcli.columns.codec.categorical import Codes, Constant, Made, relaxed
from synthcli.columns.codec.domain import CodesDomain, ConstantDomain, Domain, MadeDomain, MixedDomain, NumbersDomain
from synthcli.columns.codec.mixed import Mixed
from synthcli.columns.codec.numeric import Numbers
from synthcli.columns.codec.parts import Part, Scale, Values, escaped
from synthcli.columns.codec.see import see
from synthcli.columns.fake import generate as fake
from synthcli.contracts.schema import Column, Schema

__all__ = ["Codec", "Part", "Values", "build"]


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
        """See the domain of each column, and build the codec of them. units: (rows,) privacy unit of each row."""
        if units is not None and len(np.unique(units)) == len(units):
            units = None
        domains = [see(column, data[column.name], units) for column in schema.columns]
        numbers = {c.name for c, domain in zip(schema.columns, domains) if isinstance(domain, NumbersDomain)}
        pairs = [pair for pair in geo_places.pairs(schema, data) if {*pair} <= numbers]
        places = [geo_places.see(data[a], data[b], units) for a, b in pairs]
        return cls.from_domains(schema, domains, key=key, places=tuple(p for p in places if p is not None))

    @classmethod
    def from_domains(
        cls, schema: Schema, domains: Sequence[Domain], *, key: int, places: tuple[geo_places.Place, ...] = ()
    ) -> Codec:
        """The codec of columns with these domains, in schema order."""
        by_name = list(zip(schema.names, domains, strict=True))
        merged = {name: d.merged for name, d in by_name if isinstance(d, CodesDomain | MixedDomain) and d.merged}
        clipped = {name: count for name, domain in by_name if (count := _clipped(domain))}
        columns = tuple(build(column, domain) for column, domain in zip(schema.columns, domains))
        return cls(schema, columns, key, merged, clipped, places)

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


def build(column: Column, domain: Domain) -> Any:
    """The codec of a column with this domain."""
    kinds: dict[type, Any] = {
        ConstantDomain: Constant,
        MadeDomain: Made,
        CodesDomain: Codes,
        NumbersDomain: Numbers,
        MixedDomain: Mixed,
    }
    return kinds[type(domain)].from_domain(column, domain)


def _clipped(domain: Domain) -> int:
    numbers = domain.numbers if isinstance(domain, MixedDomain) else domain
    return numbers.clipped if isinstance(numbers, NumbersDomain) else 0
