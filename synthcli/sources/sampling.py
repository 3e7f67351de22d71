"""A uniform sample of a stream of rows, by whole privacy units, plus rows that help to infer column types.

A unit is kept if its keyed hash is among the smallest, so that the sample depends on seed and content only, not on
batch sizes or readers. Data within LIMIT are kept whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from synthcli import seeds

LIMIT = 64 << 20  # maximum bytes of cells to keep without source.max_rows
ROWS = 1_000_000  # maximum rows without source.max_rows
_SHAPES = 200  # maximum distinct shapes of a column; with more it is text
_RAW = 5_000
_ALL = np.uint64(2**64 - 1)


@dataclass(frozen=True)
class Sample:
    """table: `kept` rows in the order of the source, followed by rows with cells of a new shape, to infer types from.

    rows: total number in the source.
    """

    table: pa.Table
    kept: int
    rows: int

    @property
    def partial(self) -> bool:
        return self.kept < self.rows


def draw(
    batches: Iterable[pa.Table], *, seed: int, unit: str | None = None, most: int | None = None, text: bool = False
) -> Sample:
    """Sample a stream. most: maximum rows if the stream exceeds LIMIT bytes; None for as many as fit. text: whether
    cells are strings.
    """
    sampler = _Sampler(seed, unit, most)
    spellings = _Spellings() if text else None
    for batch in batches:
        if spellings is not None:
            spellings.look(batch, sampler.rows)
        sampler.add(batch)
    table, index = sampler.result()
    kept = len(table)
    if spellings is not None and kept < sampler.rows and (rare := spellings.beside(index)) is not None:
        table = pa.concat_tables([table, rare])
    return Sample(table, kept, sampler.rows)


@dataclass
class _Sampler:
    """Keeps the rows of the units with the smallest hashes."""

    seed: int
    unit: str | None
    most: int | None
    rows: int = 0
    thinned: bool = False
    bytes_seen: int = 0
    schema: pa.Schema | None = None
    tables: list[pa.Table] = field(default_factory=list)
    marks: list[np.ndarray] = field(
        default_factory=list
    )  # (3, rows) uint64: hash of the unit, hash of the row, position in the source
    held: int = 0
    bar: np.uint64 = _ALL

    def add(self, table: pa.Table) -> None:
        unified = [table.schema] if self.schema is None else [self.schema, table.schema]
        self.schema = pa.unify_schemas(unified, promote_options="permissive")
        position = np.arange(self.rows, self.rows + len(table), dtype=np.uint64)
        own = _mixed(position, seeds.key(self.seed, "max_rows", "row"))
        marks = np.stack(
            [own if self.unit not in table.column_names else self._units(table[self.unit], own), own, position]
        )
        self.rows += len(table)
        self.bytes_seen += table.nbytes
        if self.thinned:
            keep = marks[0] <= self.bar
            table, marks = table.filter(pa.array(keep)), marks[:, keep]
        self.tables.append(table)
        self.marks.append(marks)
        self.held += len(table)
        if self.bytes_seen > LIMIT:
            if self.most is None:
                self.most = max(1, min(ROWS, int(LIMIT / self.bytes_seen * self.rows)))
            if self.held > 2 * self.most or (not self.thinned and self.held > self.most):
                self._thin(self.most)

    def result(self) -> tuple[pa.Table, np.ndarray]:
        """The sampled rows, and their positions in the source. (rows,) uint64"""
        if self.most is not None and self.bytes_seen > LIMIT and self.held > self.most:
            self._thin(self.most)
        assert self.schema is not None  # every source yields at least one batch
        table = pa.concat_tables([self.schema.empty_table(), *self.tables], promote_options="permissive")
        return table, np.concatenate([m[2] for m in self.marks])

    def _units(self, values: pa.ChunkedArray, own: np.ndarray) -> np.ndarray:
        """The keyed hash of each row's unit; a row whose unit is null is a unit of its own. (rows,) uint64"""
        codes, known = pd.factorize(values.cast(pa.string()).to_pandas())
        key = f"{seeds.key(self.seed, 'max_rows', 'unit'):032x}"[:16]
        hashes = pd.util.hash_array(np.asarray(known, dtype=object), hash_key=key, categorize=False)
        return np.where(codes < 0, own, hashes[codes] if len(hashes) else own)

    def _thin(self, most: int) -> None:
        """Drop the units with the largest hashes until at most `most` rows are left; truncate a single larger unit to
        `most` rows.
        """
        marks = np.concatenate(self.marks, axis=1)
        units, sizes = np.unique(marks[0], return_counts=True)
        fits = np.cumsum(sizes) <= most
        self.bar = units[fits][-1] if fits.any() else units[0]
        keep = marks[0] <= self.bar
        if not fits.any():
            keep &= marks[1] <= np.partition(marks[1][keep], most - 1)[most - 1]
        ends = np.cumsum([len(t) for t in self.tables])[:-1]
        thinner = [t.filter(pa.array(k)) for t, k in zip(self.tables, np.split(keep, ends))]
        self.tables = [pa.concat_tables(thinner, promote_options="permissive").combine_chunks()]
        self.marks, self.held, self.thinned = [marks[:, keep]], int(keep.sum()), True


def _mixed(numbers: np.ndarray, key: int) -> np.ndarray:
    """A 64-bit hash of integers (splitmix64, Steele et al. 2014) under a key. (rows,) uint64"""
    z = (numbers + np.uint64(key % 2**64)) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(key >> 64)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


_DIGITS = np.arange(256, dtype=np.uint8)
_DIGITS[ord("0") : ord("9") + 1] = ord("9")


class _Spellings:
    """Collects the first row with each new cell shape in a column, so that a single n/a among numbers decides the
    column's type.
    """

    def __init__(self) -> None:
        self.raw: dict[str, pa.Array] = {}
        self.shapes: dict[str, set[str]] = {}
        self.rows: list[pa.Table] = []
        self.index: list[np.ndarray] = []

    def look(self, table: pa.Table, start: int) -> None:
        """Add the rows of a batch. position: of its first row in the source."""
        found = {row for name in table.column_names for row in self._new(name, table[name])}
        if found:
            rows = np.array(sorted(found), dtype=np.uint64)
            self.rows.append(table.take(pa.array(rows)))
            self.index.append(rows + np.uint64(start))

    def beside(self, index: np.ndarray) -> pa.Table | None:
        """The rows found, except those at these positions."""
        if not self.rows:
            return None
        fresh = ~np.isin(np.concatenate(self.index), index)
        return pa.concat_tables(self.rows).filter(pa.array(fresh))

    def _new(self, name: str, cells: pa.ChunkedArray) -> list[int]:
        shapes, raw = self.shapes.setdefault(name, set()), self.raw.get(name, pa.array([], pa.string()))
        if len(shapes) > _SHAPES or len(raw) > _RAW:
            return []
        found: list[int] = []
        start = 0
        for chunk in cells.chunks:
            shaped = _shaped(chunk)
            seen = pc.unique(shaped)
            fresh = seen.filter(pc.invert(pc.is_in(seen, value_set=raw)))
            raw = pa.concat_arrays([raw, fresh])
            for shape in fresh[:_RAW].to_pylist():
                short = re.sub(r"9{1,18}", "9", shape)
                if short not in shapes and len(shapes) <= _SHAPES:
                    shapes.add(short)
                    found.append(start + pc.index(shaped, shape).as_py())
            start += len(chunk)
        self.raw[name] = raw
        return found


def _shaped(cells: pa.StringArray) -> pa.StringArray:
    """Replace every digit except a leading zero by 9, and null by the empty string."""
    if cells.offset:
        cells = pa.concat_arrays([cells, pa.array([], pa.string())])
    _, places, letters = cells.buffers()
    offsets = (
        np.frombuffer(places, dtype=np.int32)[cells.offset : cells.offset + len(cells) + 1]
        if len(cells)
        else np.zeros(1, np.int32)
    )
    data = np.frombuffer(letters, dtype=np.uint8) if letters is not None else np.zeros(0, np.uint8)
    shaped = _DIGITS[data]
    first = offsets[:-1][np.diff(offsets) > 1]
    codes = first[(data[first] == ord("0")) & (shaped[first + 1] == ord("9"))]
    shaped[codes] = ord("0")
    return pa.StringArray.from_buffers(len(cells), pa.py_buffer(np.ascontiguousarray(offsets)), pa.py_buffer(shaped))
