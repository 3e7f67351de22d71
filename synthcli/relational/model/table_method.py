"""A method of tables as the engine of related tables: models that draw some columns given others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from synthcli import seeds
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Allowed, Job, Model, Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import FitError
from synthcli.relational.model.context import UNIT, context_schema

ANY: Mapping[str, Allowed] = MappingProxyType({})


@dataclass(frozen=True)
class TableMethod:
    """A method of tables and its parameters. module: the plugin; params: as in the spec."""

    module: Any
    params: Mapping[str, Any] = field(default_factory=dict)

    def check_conditional(self) -> None:
        """Raise FitError for a method that cannot draw the rest of a row given some of its columns."""
        if "order" not in self.module.Params.model_fields:
            raise FitError(
                f"{self.module.__name__.rpartition('.')[2]} does not draw rows given what is known of them; remedy:"
                " generator.method: trees"
            )

    def fit(
        self,
        context: pd.DataFrame,
        values: pd.DataFrame,
        schema: Schema,
        units: np.ndarray | None,
        *,
        job: Job,
        name: str,
    ) -> ConditionalModel:
        """Fit a model of the columns of the schema given the context. units: (rows,) privacy units; name: its seed."""
        given = tuple(context.columns)
        columns = (*context_schema(context).columns, *schema.columns)
        frame = pd.concat([context.reset_index(drop=True), values[schema.names].reset_index(drop=True)], axis=1)
        if units is not None:
            columns = (Column(UNIT, Traits(type="id", unique=False), Traits(), "int64"), *columns)
            frame.insert(0, UNIT, pd.array(units, dtype="Int64"))
        table = Table(frame, Schema(columns, UNIT if units is not None else None))
        seed = seeds.key(job.seed, "related", name) % 2**63
        own = Job(seed, job.folder, job.device, job.limits, job.progress, None, job.started)
        model = self.module.fit(table, self._params(given, schema), job=own)
        job.reached = job.reached or own.reached
        return ConditionalModel(model, given, tuple(schema.names))

    def _params(self, given: tuple[str, ...], schema: Schema) -> Any:
        order = (*given, *(c for c in self.params.get("order", ()) if c in schema.names))
        params: dict[str, Any] = {**self.params, "order": order}
        if "given" in self.module.Params.model_fields:  # what is always known need not be learned
            params["given"] = given
        return self.module.Params.model_validate(params)

    def load(self, folder: Path, given: tuple[str, ...], drawn: tuple[str, ...]) -> ConditionalModel:
        """Read a model that was saved in a folder."""
        return ConditionalModel(self.module.load(folder), given, drawn)


class ConditionalModel:
    """A fitted model that draws some columns given others. given: the context, in order; drawn: the other columns."""

    def __init__(self, model: Model, given: tuple[str, ...], drawn: tuple[str, ...]) -> None:
        self.model, self.given, self.drawn = model, given, drawn
        made = model.made_up(0, 0, rng=np.random.default_rng(0)) or {}
        self.makes_keys = not made.keys().isdisjoint(drawn)

    def draw(
        self, context: pd.DataFrame | None, rows: int, *, allowed: Mapping[str, Allowed] = ANY, rng: np.random.Generator
    ) -> pd.DataFrame:
        """Draw the other columns of rows given their context. allowed: what each row may hold.

        Columns to draw that the context has are known, and stay as they are.
        """
        frame = None
        if context is not None and len(context.columns):
            frame = context[[*self.given, *(c for c in self.drawn if c in context)]]
        # rows are drawn in many calls, whose entities made anew must not be the same ones
        start = int(rng.integers(2**40)) if self.makes_keys else 0
        completed: Any = self.model.complete(Request(rows, frame=frame, allowed=allowed), start, rng=rng)
        return completed.frame[list(self.drawn)]
