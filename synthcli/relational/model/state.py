"""One sample of related tables: the rows that are there so far, and what those who make more of them ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as canonical
from synthcli.contracts.schema import Column
from synthcli.relational.graph import Order
from synthcli.relational.model.layout import Layout
from synthcli.relational.model.rejection import Tally
from synthcli.relational.model.rows import World
from synthcli.relational.model.siblings import Siblings
from synthcli.relational.model.table_model import Sheet, put_above
from synthcli.relational.relationships import Relationship


class Sample:
    """sheets: what was learned of each table; world: the rows; tally: what became of those that broke a rule."""

    def __init__(
        self,
        sheets: Mapping[str, Sheet],
        order: Order,
        relationships: Sequence[Relationship],
        kept: frozenset[str],
        unit: str,
    ) -> None:
        self.sheets, self.order, self.relationships, self.kept, self.unit = sheets, order, relationships, kept, unit
        self.layouts: dict[str, Layout] = {name: sheet.layout for name, sheet in sheets.items()}
        self.world, self.tally = World(), Tally()

    def settled(self, name: str) -> list[Relationship]:
        """The relationships of a table whose parents are found with its rows, the one that makes them first."""
        return [self.order.driver[name], *self.order.linked[name]] if name in self.order.driver else []

    def with_key(self, frame: pd.DataFrame, r: Relationship, layout: Layout) -> pd.DataFrame:
        """The frame with the keys of the parents of a relationship, but for columns that it has from another one."""
        at, parent, out = self.world.at[r.name], self.world.frames[r.parent], {}
        for column, key in zip(r.columns, r.keys):
            if column not in frame:
                values = parent[key].reset_index(drop=True)
                taken = values.take(np.maximum(at, 0)).mask(at < 0) if len(values) else values.reindex(range(len(at)))
                out[column] = taken.reset_index(drop=True).astype(empty(layout.schema[column]).dtype)
        return frame.assign(**out)

    def made(self, name: str, rows: int, start: int, *, rng: np.random.Generator) -> pd.DataFrame:
        """Columns that are made up by position, of rows from `start` on."""
        codec = self.sheets[name].codec
        assert codec is not None  # only tables that are kept have none
        codec.check_rows(start + rows)
        return codec.decode({}, rows, start=start, rng=rng)

    def context(self, name: str, sheet: Sheet, owner: np.ndarray, parents: int) -> dict[str, np.ndarray]:
        """What is known of rows before their other parents are found: the columns of those above, and the number of
        siblings.
        """
        known: dict[str, np.ndarray] = {}
        put_above(known, sheet, self.world.above(name, self.order.driver), self.layouts, self.world)
        known["#n"] = Siblings.of(owner, parents).n.astype(np.float64)
        return known


def empty(column: Column) -> pd.Series:
    """No rows of a column, in its canonical dtype."""
    storage = canonical.arrow_type(column.storage)
    if column.kind in canonical.MODELLED or (column.kind == "id" and pa.types.is_integer(storage)):
        return canonical.series(pa.chunked_array([], type=storage), column.kind)
    return pd.Series([], dtype=canonical.STRING)
