"""The model that methods over the column codec share: they draw parts, this turns parts into a table and keeps files."""

from __future__ import annotations

import json
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns.asked import Asked
from synthcli.columns.codec import Codec, Values
from synthcli.contracts import BLOCK, Given, Job, Model, Request
from synthcli.tabular.data import Table


def encode(data: Table, job: Job) -> tuple[Codec, Values]:
    """The codec of a table and its parts."""
    codec = Codec.fit(data.frame, data.schema, key=seeds.fork(job.stream("made")), units=data.units())
    return codec, codec.encode(data.frame)


class CodedModel(Model):
    """A model over coded parts: arrays and JSON on disk, nothing that could run code."""

    def __init__(self, codec: Codec) -> None:
        self.codec = codec

    def check(self, request: Request) -> None:
        self.codec.check_rows(request.rows)

    @property
    def merged(self) -> dict[str, int]:
        return self.codec.merged

    @property
    def clipped(self) -> dict[str, int]:
        return self.codec.clipped

    @abstractmethod
    def draw(self, rows: int, *, rng: np.random.Generator) -> Values:
        """Every part of `rows` new rows."""

    def draw_asked(self, asked: Asked, *, rng: np.random.Generator) -> Values:
        """Every part of rows of which something is asked; of models that can do so."""
        raise NotImplementedError(f"{type(self).__name__} does not complete rows")

    @abstractmethod
    def state(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Numeric arrays and plain JSON from which `load` rebuilds the model."""

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Table:
        rows = request.size(block)
        parts, made_up = rng.spawn(2)
        frame = self.codec.decode(self.draw(rows, rng=parts), rows, start=block * BLOCK, rng=made_up)
        return Table(frame, self.codec.schema)

    def complete(self, given: Given, start: int, *, rng: np.random.Generator) -> Table:
        parts, made_up = rng.spawn(2)
        values = self.draw_asked(Asked.of(self.codec, given), rng=parts)
        frame = self.codec.decode(values, given.rows, start=start, rng=made_up)
        if given.frame is None:
            return Table(frame, self.codec.schema)
        for place, name in enumerate(given.frame.columns):
            if name in frame:  # the codec may spell a known cell otherwise: a word that it has not seen, an end that it does not reach
                own = given.frame[name].reset_index(drop=True)
                frame[name] = own if given.known is None else own.where(given.known[:, place], frame[name])
        return Table(frame, self.codec.schema)

    def made_up(self, rows: int, start: int, *, rng: np.random.Generator) -> dict[str, pd.Series]:
        return self.codec.made_up(rows, start=start, rng=rng)

    def save(self, folder: Path) -> None:
        arrays, plain = self.state()
        self.codec.save(folder)
        np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
        (folder / "model.json").write_text(json.dumps(plain))


def restore(folder: Path) -> tuple[Codec, dict[str, np.ndarray], dict[str, Any]]:
    """What `CodedModel.save` wrote: the codec, the arrays, the JSON."""
    with np.load(folder / "arrays.npz", allow_pickle=False) as arrays:
        loaded = {name: arrays[name] for name in arrays.files}
    return Codec.load(folder), loaded, json.loads((folder / "model.json").read_text())


def frequencies(codes: np.ndarray, size: int) -> np.ndarray:
    """Cumulated shares of the codes 0 .. size - 1. (size,)"""
    counts = np.bincount(codes, minlength=size).astype(float)
    return np.cumsum(counts / counts.sum())


def drawn(cumulated: np.ndarray, u: np.ndarray) -> np.ndarray:
    """Codes at uniform draws u, by inversion of their cumulated shares."""
    return np.minimum(np.searchsorted(cumulated, u, side="right"), len(cumulated) - 1).astype(np.int32)


def filled(values: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
    """A number part without NaN: places without a value take one drawn from the known ones, so that no spike arises."""
    hole = np.isnan(values)
    known = values[~hole]
    if not hole.any():
        return values
    out = values.copy()
    out[hole] = rng.choice(known, hole.sum()) if len(known) else 0.0
    return out
