"""The table of the privacy unit as a model of its own, so that a request can set conditions on its rows."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.as_written import as_written
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Dataset, Model, Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.relational.model.table_model import TableModel


class RootTableModel(Model):
    """Samples the drawn columns of a table without parents, and the columns (#…) that count the children of each row.

    Rows obey the rules that are built into the model; whoever samples must check the others
    (tabular/sampling/stream.py).
    """

    def __init__(self, model: TableModel) -> None:
        self.model, self.plan = model, model.rule_plan
        layout, values = model.layout, model.models.get("values")
        self.own = [c.name for c in layout.drawn()]
        self.counts = [] if values is None else [c for c in values.drawn if c.startswith("#")]
        rules = () if self.plan is None else self.plan.by("drawn")
        read = frozenset[str]().union(*(rule.columns for rule in rules))
        self.positional = [c for c in layout.positional if c in read]  # the others follow when all rows are generated
        columns = tuple(c for c in layout.schema.columns if c.name in (*self.own, *self.positional))
        self.schema = Schema((*columns, *(Column(c, Traits(type="integer"), Traits(), "int64") for c in self.counts)))
        self.repaired: dict[str, int] = {}

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Dataset:
        return self.complete(Request(request.size(block), request.seed), block * request.block_size, rng=rng)

    def complete(self, given: Request, start: int, *, rng: np.random.Generator) -> Dataset:
        """Draw rows that hold the values allowed, as far as the model can be steered; no row has known values."""
        drawing, positional = rng.spawn(2)
        rewritten = frozenset(r.column for r in self.model.layout.relative)
        rewritten |= frozenset() if self.plan is None else self.plan.rewritten
        allowed = {name: bound for name, bound in given.allowed.items() if name not in rewritten}
        if "values" in self.model.models:
            drawn = self.model.models["values"].draw(None, given.rows, allowed=allowed, rng=drawing)
        else:
            drawn = pd.DataFrame(index=pd.RangeIndex(given.rows))
        drawn = self.model.layout.dated(drawn)
        own = self._positional(given.rows, start, rng=positional, batch=given.seed, drawn=drawn)
        frame = pd.concat([drawn, own], axis=1)
        return Table(as_written(self._restored(frame), self.schema), self.schema)

    def _restored(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Convert drawn columns to those of the table, and count the values that a rule moved."""
        shaper = None if self.plan is None else self.plan.shaper
        if shaper is None or not (shaper.steps or shaper.clips):
            return frame
        apart = [*self.counts, *self.positional]
        read = frame[[c for c in frame if c not in apart or c in shaper.original.names]]
        whole, repairs = shaper.repaired(read)
        for name, rows in repairs.items():
            self.repaired[name] = self.repaired.get(name, 0) + rows
        return pd.concat([whole[self.own], frame[apart]], axis=1)

    def _positional(
        self, rows: int, start: int, *, rng: np.random.Generator, batch: int = 0, drawn: pd.DataFrame | None = None
    ) -> pd.DataFrame:
        """Generate the positional columns that rules read, of rows from `start` on."""
        codec = self.model.codec
        assert codec is not None  # a table that is kept has no privacy units
        if not self.positional:
            return pd.DataFrame(index=pd.RangeIndex(rows))
        own = codec.own({}, rows, start=start, rng=rng, batch=batch, drawn=drawn)
        return codec.framed({}, rows, own)[self.positional]

    def made_up(
        self, rows: int, start: int, *, rng: np.random.Generator, batch: int = 0, drawn: pd.DataFrame | None = None
    ) -> Mapping[str, Any] | None:
        return dict(self._positional(rows, start, rng=rng, batch=batch, drawn=drawn))

    def check(self, request: Request) -> None:
        assert self.model.codec is not None
        self.model.codec.check_rows(request.rows)

    def save(self, folder: Path) -> None:
        raise NotImplementedError("it is saved with the tables that it is one of")
