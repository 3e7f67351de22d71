"""Saved models as the loop uses them: a method's own, behind the rules that were built into what it learned."""

from __future__ import annotations

import threading
from collections.abc import Mapping
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
from synthcli.contracts.modelling import Model, Request
from synthcli.errors import SynthError


class Shaped(Model):
    """A model of rewritten columns that gives the original ones. repaired: rule -> rows moved into their range since it
    was last asked.
    """

    def __init__(self, inner: Model, shaper: Transformer) -> None:
        self.inner, self.shaper = inner, shaper
        self._of_thread = threading.local()  # a cluster's worker makes several blocks at once

    @property
    def completes(self) -> bool:
        return self.inner.completes

    @property
    def repaired(self) -> dict[str, int]:
        if not hasattr(self._of_thread, "repaired"):
            self._of_thread.repaired = {}
        counts: dict[str, int] = self._of_thread.repaired
        return counts

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Table:
        return self._original(self.inner.sample(request, block, rng=rng))

    def complete(self, given: Request, start: int, *, rng: np.random.Generator) -> Table:
        """Cells of a rewritten column are told to the model where all that they are rewritten with is known too, and
        put back in any case.
        """
        frame, known = self._told(given)
        allowed = {name: bound for name, bound in given.allowed.items() if name not in self.shaper.rewritten}
        out = self._original(
            self.inner.complete(Request(given.rows, frame=frame, known=known, allowed=allowed), start, rng=rng)
        )
        if given.frame is None:
            return out
        for place, name in enumerate(given.frame.columns):
            if name in out.frame:  # also columns that a range repairs
                own = given.frame[name].reset_index(drop=True)
                out.frame[name] = own if given.known is None else own.where(given.known[:, place], out.frame[name])
        return out

    def _told(self, given: Request) -> tuple[pd.DataFrame | None, np.ndarray | None]:
        """What is known, in rewritten columns."""
        if given.frame is None:
            return None, None
        known = np.ones(given.frame.shape, dtype=bool) if given.known is None else given.known
        sure: dict[Any, np.ndarray] = {name: known[:, place] for place, name in enumerate(given.frame.columns)}
        none = np.zeros(given.rows, dtype=bool)
        whole = pd.DataFrame(
            {
                name: given.frame[name] if name in given.frame else self._blank(name, given.rows)
                for name in self.shaper.original.names
            }
        )
        whole = pd.DataFrame({name: whole[name].where(sure.get(name, none)) for name in whole})
        told = self.shaper.forward(whole)
        for step in reversed(self.shaper.steps):
            all_known: np.ndarray = np.all([sure.get(name, none) for name in (*step.rewritten, *step.inputs)], axis=0)
            for name in step.made:
                sure[name] = all_known
        told = told[[name for name in told if sure.get(name, none).any()]]
        return told, (
            np.column_stack([sure[name] for name in told])
            if len(told.columns)
            else np.zeros((given.rows, 0), dtype=bool)
        )

    def _blank(self, name: str, rows: int) -> pd.Series:
        column = self.shaper.original[name]
        return frames.series(pa.chunked_array([pa.nulls(rows, frames.arrow_type(column.storage))]), column.kind)

    def _original(self, table: Any) -> Table:
        frame, repairs = self.shaper.repaired(table.frame)
        for name, count in repairs.items():
            self.repaired[name] = self.repaired.get(name, 0) + count
        return Table(frame, self.shaper.original)

    def made_up(self, rows: int, start: int, *, rng: np.random.Generator) -> Mapping[str, Any] | None:
        return self.inner.made_up(rows, start, rng=rng)

    @property
    def merged(self) -> dict[str, int]:
        return self.inner.merged

    @property
    def clipped(self) -> dict[str, int]:
        return self.inner.clipped

    def check(self, request: Request) -> None:
        self.inner.check(request)

    def save(self, folder: Path) -> None:
        self.inner.save(folder)
        files.write_json(folder / RESHAPE, self.shaper.to_json())


def load_model(choice: Choice, folder: Path) -> Model:
    """A saved model. The caller has checked its hash where the method pickles."""
    module = plugins.ready(choice)
    try:
        model: Model = module.load(folder)
        return (
            Shaped(model, Transformer.from_json(files.read_json(folder / RESHAPE)))
            if (folder / RESHAPE).exists()
            else model
        )
    except (OSError, EOFError, ValueError, KeyError, BadZipFile) as error:
        raise SynthError(f"{folder}: the model cannot be read ({error}); remedy: run with --fresh") from None
