"""The table of the privacy unit as a model of its own, for whoever asks for rows of a kind: its columns, and how many
children each row has.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli.contracts.modelling import Dataset, Model, Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.model.rejection import stored
from synthcli.relational.model.table_model import Sheet


class Top(Model):
    """table: makes a Dataset of a frame and a schema. schema: of its rows, those columns (#…) that count children among
    them.

    Rows do not obey the rules of the table but for those that are built in: whoever takes them looks
    (tabular/sampling/stream.py).
    """

    def __init__(self, sheet: Sheet, table: Any) -> None:
        self.sheet, self.table = sheet, table
        layout, self.shaper = sheet.layout, None if sheet.obeyed is None else sheet.obeyed.shaper
        self.own = [c.name for c in layout.drawn()]
        values = sheet.models.get("values")
        self.counts = [] if values is None else [c for c in values.drawn if c.startswith("#")]
        looked_at = (
            frozenset()
            if sheet.obeyed is None
            else frozenset().union(*(rule.columns for rule in sheet.obeyed.by("drawn")))
        )
        self.made = [c for c in layout.made if c in looked_at]  # the others are made when all rows are there
        columns = tuple(c for c in layout.schema.columns if c.name in (*self.own, *self.made))
        self.schema = Schema((*columns, *(Column(c, Traits(type="integer"), Traits(), "int64") for c in self.counts)))
        self.repaired: dict[str, int] = {}

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Dataset:
        return self.complete(Request(request.size(block)), block * request.block_size, rng=rng)

    def complete(self, given: Request, start: int, *, rng: np.random.Generator) -> Dataset:
        """Rows of which `allowed` is true as far as the model can be told; nothing of single rows is known."""
        drawing, making = rng.spawn(2)
        rewritten = frozenset() if self.sheet.obeyed is None else self.sheet.obeyed.rewritten
        allowed = {name: bound for name, bound in given.allowed.items() if name not in rewritten}
        if "values" in self.sheet.models:
            drawn = self.sheet.models["values"].draw(None, given.rows, allowed=allowed, rng=drawing)
        else:
            drawn = pd.DataFrame(index=pd.RangeIndex(given.rows))
        frame = pd.concat([drawn, self._made(given.rows, start, rng=making)], axis=1)
        return self.table(stored(self._restored(frame), self.schema), self.schema)

    def _restored(self, frame: pd.DataFrame) -> pd.DataFrame:
        if self.shaper is None or not (self.shaper.steps or self.shaper.clips):
            return frame
        apart = [*self.counts, *self.made]
        looked_at = frame[[c for c in frame if c not in apart or c in self.shaper.original.names]]
        whole, repairs = self.shaper.repaired(looked_at)
        for name, rows in repairs.items():
            self.repaired[name] = self.repaired.get(name, 0) + rows
        return pd.concat([whole[self.own], frame[apart]], axis=1)

    def _made(self, rows: int, start: int, *, rng: np.random.Generator) -> pd.DataFrame:
        codec = self.sheet.codec
        assert codec is not None  # a table that is kept is no privacy unit's
        if not self.made:
            return pd.DataFrame(index=pd.RangeIndex(rows))
        return codec.decode({}, rows, start=start, rng=rng)[self.made]

    def made_up(self, rows: int, start: int, *, rng: np.random.Generator) -> Mapping[str, Any] | None:
        return dict(self._made(rows, start, rng=rng))

    def check(self, request: Request) -> None:
        assert self.sheet.codec is not None
        self.sheet.codec.check_rows(request.rows)

    def save(self, folder: Path) -> None:
        raise NotImplementedError("it is saved with the tables that it is one of")
