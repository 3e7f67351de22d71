"""Models fitted to transformed columns, which enforce rules by construction, and loading of saved models."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli import plugins
from synthcli.artifacts import files
from synthcli.artifacts.store import RESHAPE
from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.columns.transforms.transformer import Transformer
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import Clipped, Model, Request
from synthcli.errors import SynthError


class TransformedModel(Model):
    """A model of transformed columns that generates the original ones. repaired: rule -> rows clipped to its range
    since the last reset.
    """

    def __init__(self, inner: Model, transformer: Transformer) -> None:
        self.inner, self.transformer = inner, transformer
        self._of_thread = threading.local()  # a cluster worker generates several blocks at once

    @property
    def completes(self) -> bool:
        return self.inner.completes

    @property
    def whole_units(self) -> bool:
        return self.inner.whole_units

    @property
    def repaired(self) -> dict[str, int]:
        if not hasattr(self._of_thread, "repaired"):
            self._of_thread.repaired = {}
        counts: dict[str, int] = self._of_thread.repaired
        return counts

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Table:
        return self._original(self.inner.sample(request, block, rng=rng))

    def complete(self, given: Request, start: int, *, rng: np.random.Generator) -> Table:
        """Complete rows given known cells, which always come back unchanged.

        The model is conditioned on a transformed cell only if all inputs of its transform are known.
        """
        given = self._with_computed(given)
        frame, known = self._transformed(given)
        allowed = {name: bound for name, bound in given.allowed.items() if name in self.transformer.schema.names}
        out = self._original(
            self.inner.complete(
                Request(given.rows, given.seed, frame=frame, known=known, allowed=allowed), start, rng=rng
            )
        )
        if given.frame is None:
            return out
        known_of = _known(given)
        for name in [n for n in given.frame.columns if n in out.frame]:  # includes columns that are clipped to a range
            out.frame[name] = given.frame[name].reset_index(drop=True).where(known_of[name], out.frame[name])
        for step in self.transformer.computed:  # from the known cells as they are
            value = step.value(out.frame)
            free = value.notna() & ~known_of.get(step.column, np.zeros(given.rows, dtype=bool))
            out.frame[step.column] = out.frame[step.column].mask(free, value)
        return out

    def _with_computed(self, given: Request) -> Request:
        """The request with the computed cells whose inputs are known."""
        if given.frame is None or not self.transformer.computed:
            return given
        frame, known_of = given.frame.reset_index(drop=True), _known(given)
        for step in self.transformer.computed:
            if not set(step.inputs) <= set(frame.columns):
                continue
            value = step.value(frame)
            inputs = np.all([known_of[name] for name in step.inputs], axis=0) & value.notna().to_numpy(dtype=bool)
            had = known_of.get(step.column, np.zeros(given.rows, dtype=bool))
            own = frame[step.column] if step.column in frame else self._blank(step.column, given.rows)
            frame[step.column] = own.mask(inputs & ~had, value)
            known_of[step.column] = had | inputs
        return replace(given, frame=frame, known=np.column_stack([known_of[name] for name in frame.columns]))

    def _transformed(self, given: Request) -> tuple[pd.DataFrame | None, np.ndarray | None]:
        """Transform the known cells: the frame of transformed columns and its mask of known cells."""
        if given.frame is None:
            return None, None
        known_of = _known(given)
        none = np.zeros(given.rows, dtype=bool)
        original = pd.DataFrame(
            {
                name: given.frame[name] if name in given.frame else self._blank(name, given.rows)
                for name in self.transformer.original.names
            }
        )
        original = pd.DataFrame({name: original[name].where(known_of.get(name, none)) for name in original})
        transformed = self.transformer.forward(original)
        for step in reversed(self.transformer.steps):
            inputs = (*step.rewritten, *step.inputs)
            all_known: np.ndarray = np.all([known_of.get(name, none) for name in inputs], axis=0)
            for name in step.made:
                if name not in step.rewritten:  # a copy of a column is known where the column is
                    known_of[name] = all_known
        transformed = transformed[[name for name in transformed if known_of.get(name, none).any()]]
        if not len(transformed.columns):
            return transformed, np.zeros((given.rows, 0), dtype=bool)
        return transformed, np.column_stack([known_of[name] for name in transformed])

    def _blank(self, name: str, rows: int) -> pd.Series:
        column = self.transformer.original[name]
        return frames.series(pa.chunked_array([pa.nulls(rows, frames.arrow_type(column.storage))]), column.kind)

    def _original(self, table: Any) -> Table:
        frame, repairs = self.transformer.repaired(table.frame)
        for name, count in repairs.items():
            self.repaired[name] = self.repaired.get(name, 0) + count
        return Table(frame, self.transformer.original)

    def made_up(
        self, rows: int, start: int, *, rng: np.random.Generator, batch: int = 0, drawn: pd.DataFrame | None = None
    ) -> Mapping[str, Any] | None:
        return self.inner.made_up(rows, start, rng=rng, batch=batch, drawn=drawn)

    @property
    def merged(self) -> dict[str, int]:
        return self.inner.merged

    @property
    def clipped(self) -> dict[str, Clipped]:
        return self.inner.clipped

    def check(self, request: Request) -> None:
        self.inner.check(request)

    def save(self, folder: Path) -> None:
        self.inner.save(folder)
        files.write_json(folder / RESHAPE, self.transformer.to_json())


def _known(given: Request) -> dict[Any, np.ndarray]:
    """Which cells of each column of a request are known. column -> (rows,) bool"""
    assert given.frame is not None
    known = np.ones(given.frame.shape, dtype=bool) if given.known is None else given.known
    return {name: known[:, place] for place, name in enumerate(given.frame.columns)}


def load_model(choice: Choice, folder: Path) -> Model:
    """Load a saved model. If the method pickles, the caller must have checked the hash."""
    module = plugins.ready(choice)
    try:
        model: Model = module.load(folder)
        if not (folder / RESHAPE).exists():
            return model
        return TransformedModel(model, Transformer.from_json(files.read_json(folder / RESHAPE)))
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise SynthError(f"{folder}: the model cannot be read ({error}); remedy: run with --fresh") from None
