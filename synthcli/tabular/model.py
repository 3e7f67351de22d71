"""Base class of methods over the column codec: they draw encoded parts, which it decodes into tables and saves."""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli import seeds
from synthcli.columns.codec.codec import Codec, Values
from synthcli.columns.codec.conditions import Conditions
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Clipped, Job, Model, Request
from synthcli.tabular.rejection.discriminator import Discriminator


def encode(data: Table, job: Job) -> tuple[Codec, Values]:
    """Fit the codec of a table and encode the table."""
    codec = Codec.fit(data.frame, data.schema, key=seeds.fork(job.stream("made")), units=data.units())
    return codec, codec.encode(data.frame)


class EncodedRows(Table):
    """Encoded rows, decoded into a frame on first access; rows that are only written are never decoded. own: the
    columns of fake values.
    """

    def __init__(self, codec: Codec, values: Values, rows: int, own: Mapping[str, pd.Series]) -> None:
        self.schema, self._rows = codec.schema, rows
        self._parts: tuple[Codec, Values, Mapping[str, pd.Series]] | None = (codec, values, own)

    def __len__(self) -> int:
        return self._rows

    @cached_property
    def frame(self) -> pd.DataFrame:
        assert self._parts is not None  # released once the frame exists
        codec, values, own = self._parts
        self._parts = None
        return codec.framed(values, self._rows, own)

    def arrow(self) -> pa.Table:
        if self._parts is None:
            return super().arrow()
        codec, values, own = self._parts
        return codec.stored(values, self._rows, own)


class CodedModel(Model):
    """A model of encoded parts, saved as arrays and JSON, which cannot run code. discriminator: rejects generated rows
    that are too frequent.
    """

    discriminator: Discriminator | None = None

    def __init__(self, codec: Codec) -> None:
        self.codec = codec

    def check(self, request: Request) -> None:
        self.codec.check_rows(request.rows)

    @property
    def merged(self) -> dict[str, int]:
        return self.codec.merged

    @property
    def clipped(self) -> dict[str, Clipped]:
        return self.codec.clipped

    @abstractmethod
    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        """Draw every part of `rows` rows."""

    def draw_given(self, conditions: Conditions, *, rng: np.random.Generator) -> Values:
        """Draw every part of rows that meet conditions; only models that `complete` rows implement it."""
        raise NotImplementedError(f"{type(self).__name__} does not complete rows")

    @property
    def completes(self) -> bool:
        return type(self).draw_given is not CodedModel.draw_given

    def draw_axes(self, rows: int, *, rng: np.random.Generator) -> Values:
        """Draw rows, encoded on the axes of the discriminator."""
        return self.codec.axes(self.draw(rows, rng=rng))

    @abstractmethod
    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Numeric arrays and plain JSON from which `load` rebuilds the model."""

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Table:
        rows = request.size(block)
        parts, made_up = rng.spawn(2)
        values = (
            self.draw(rows, rng=parts)
            if self.discriminator is None
            else self.discriminator.sample(rows, self.draw, self.codec.axes, rng=parts)
        )
        start = block * request.block_size
        own = self.codec.own(values, rows, start=start, rng=made_up, batch=request.seed)
        return EncodedRows(self.codec, values, rows, own)

    def complete(self, given: Request, start: int, *, rng: np.random.Generator) -> Table:
        parts, made_up = rng.spawn(2)
        values = self._draw_given(Conditions.of(self.codec, given), rng=parts)
        frame = self.codec.decode(values, given.rows, start=start, rng=made_up, batch=given.seed)
        if given.frame is None:
            return Table(frame, self.codec.schema)
        for place, name in enumerate(given.frame.columns):
            if name not in frame:
                continue
            # restore known cells: the codec changes unseen categories and values beyond its range
            cells = given.frame[name].reset_index(drop=True)
            frame[name] = cells if given.known is None else cells.where(given.known[:, place], frame[name])
        return Table(frame, self.codec.schema)

    def _draw_given(self, conditions: Conditions, *, rng: np.random.Generator) -> Values:
        """Draw rows, with rejection sampling unless cells are known: such rows cannot stand in for each other."""
        if self.discriminator is None or conditions.known:
            return self.draw_given(conditions, rng=rng)

        def drawn(rows: int, *, rng: np.random.Generator) -> Values:
            return self.draw_given(Conditions(rows, {}, conditions.within), rng=rng)

        return self.discriminator.sample(conditions.rows, drawn, self.codec.axes, rng=rng)

    def made_up(
        self, rows: int, start: int, *, rng: np.random.Generator, batch: int = 0, drawn: pd.DataFrame | None = None
    ) -> dict[str, pd.Series]:
        own = self.codec.made_up(rows, start=start, rng=rng, batch=batch, drawn=drawn)
        return own | self.codec.renumbered(drawn, rows, start=start, batch=batch)

    def save(self, folder: Path) -> None:
        arrays, plain = self.state()
        self.codec.save(folder)
        np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
        (folder / "model.json").write_text(json.dumps(plain))
        if self.discriminator is not None:
            self.discriminator.save(folder)


def restore(folder: Path) -> tuple[Codec, dict[str, np.ndarray], dict[str, Any]]:
    """Load what `CodedModel.save` wrote: the codec, the arrays, the JSON."""
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        loaded = {name: arrays[name] for name in arrays.files}
    return Codec.load(folder), loaded, json.loads((folder / "model.json").read_text())


def frequencies(codes: np.ndarray, size: int) -> np.ndarray:
    """Cumulative distribution of the codes 0 .. size - 1. (size,)"""
    counts = np.bincount(codes, minlength=size).astype(float)
    return np.cumsum(counts / counts.sum())


def draw_codes(cumulated: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Draw codes at uniform u by inversion of their cumulative distribution."""
    return np.minimum(np.searchsorted(cumulated, u, side="right"), len(cumulated) - 1).astype(np.int32)


def fill_missing(values: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """Replace NaN in a number by draws from its known values, which creates no spike."""
    missing = np.isnan(values)
    known = values[~missing]
    if not missing.any():
        return values
    out = values.copy()
    out[missing] = rng.choice(known, missing.sum()) if len(known) else 0.0
    return out
