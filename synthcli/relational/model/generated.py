"""The tables of one sample while they are generated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
import pyarrow as pa

from synthcli.columns import frame as canonical
from synthcli.columns.codec.codec import Codec
from synthcli.contracts.schema import Column
from synthcli.relational.graph import Order
from synthcli.relational.model.layout import Layout
from synthcli.relational.model.rows import RelatedRows
from synthcli.relational.model.table_model import TableModel
from synthcli.relational.relationships import NULL, Relationship, positions

Kept = Mapping[str, tuple[pd.DataFrame, pd.DataFrame]]  # table -> its rows and their derived columns


class GeneratedTables(RelatedRows):
    """The generated rows of all tables, with the model of each table. relationships: in the order of the spec; batch:
    the seed of the request, so that batches share no keys.
    """

    def __init__(
        self, models: Mapping[str, TableModel], order: Order, relationships: Sequence[Relationship], batch: int = 0
    ) -> None:
        self.batch = batch
        super().__init__({name: model.layout for name, model in models.items()}, order)
        self.models, self.relationships = models, relationships

    def row_relationships(self, table: str) -> list[Relationship]:
        """Return the relationships whose parents are found together with the rows of a table, the driver first."""
        order = self.order
        return [order.driver[table], *order.linked[table]] if table in order.driver else []

    def set_parents(self, r: Relationship, at: np.ndarray) -> None:
        """Set the parent of each child row. at: (rows,) positions, NULL without one."""
        self.parents[r.name] = at

    def select_parents(self, relationships: Iterable[Relationship], rows: np.ndarray) -> None:
        """Keep or reorder the parents of rows. rows: a mask, or positions."""
        for r in relationships:
            self.parents[r.name] = self.parents[r.name][rows]

    def add(self, table: str, frame: pd.DataFrame, derived: pd.DataFrame) -> None:
        """Add a whole table."""
        self.frames[table], self.derived[table] = frame, derived

    def add_kept(self, table: str, kept: Kept) -> None:
        """Add a table that is given out as it is. Its parents are kept too."""
        self.add(table, *kept[table])
        for r in self.relationships:
            if r.child == table:
                at = positions(kept[r.parent][0], r.keys, kept[table][0], r.columns)
                self.set_parents(r, np.maximum(at, NULL))

    def drop_rows(self, table: str, drop: np.ndarray) -> None:
        """Drop rows of the table that was added last. drop: (rows,) bool"""
        frame = self.frames[table][~drop].reset_index(drop=True)
        for numbered in self.layouts[table].numbered:
            frame[numbered.column] = numbered.values(frame)
        self.add(table, frame, self.derived[table][~drop].reset_index(drop=True))
        self.select_parents(self.row_relationships(table), ~drop)

    def set_deferred_keys(self, r: Relationship, at: np.ndarray) -> None:
        """Set the parents of a deferred relationship, and the foreign keys that refer to them."""
        self.set_parents(r, at)
        frame = self.frames[r.child]
        others = {c for s in self.row_relationships(r.child) for c in s.columns}
        self.frames[r.child] = self.with_keys(frame.drop(columns=[c for c in r.columns if c not in others]), r)

    def with_keys(self, frame: pd.DataFrame, r: Relationship) -> pd.DataFrame:
        """Add the foreign keys of a relationship to a frame of child rows, except for columns that it already has."""
        at, parent, out = self.parents[r.name], self.frames[r.parent], {}
        for column, key in zip(r.columns, r.keys):
            if column not in frame:
                values = parent[key].reset_index(drop=True)
                taken = values.take(np.maximum(at, 0)).mask(at < 0) if len(values) else values.reindex(range(len(at)))
                out[column] = taken.reset_index(drop=True).astype(empty(self.layouts[r.child].schema[column]).dtype)
        return frame.assign(**out)

    def positional(self, table: str, rng: np.random.Generator) -> PositionalColumns:
        """Start the positional columns of a table at its first row."""
        codec = self.models[table].codec
        assert codec is not None  # only tables that are kept have none
        return PositionalColumns(codec, rng, self.batch)


class PositionalColumns:
    """Columns whose values follow from the position of a row, such as ids: no value is generated twice."""

    def __init__(self, codec: Codec, rng: np.random.Generator, batch: int = 0) -> None:
        self.codec, self.rng, self.used, self.batch = codec, rng, 0, batch

    def generate(self, rows: int, known: pd.DataFrame | None = None) -> pd.DataFrame:
        """Generate the columns of the next rows. known: their drawn columns, whose sex made-up names follow."""
        start, self.used = self.used, self.used + rows
        self.codec.check_rows(self.used)
        own = self.codec.own({}, rows, start=start, rng=self.rng, batch=self.batch, drawn=known)
        return self.codec.framed({}, rows, own)


def reads_positional(model: TableModel) -> bool:
    """Say whether the rules of a table read positional columns while its rows are drawn."""
    plan = model.rule_plan
    return plan is not None and bool(set(plan.beside) & set(model.layout.positional))


def empty(column: Column) -> pd.Series:
    """Return a column without rows, in its canonical dtype."""
    storage = canonical.arrow_type(column.storage)
    if column.kind in canonical.MODELLED or (column.kind == "id" and pa.types.is_integer(storage)):
        return canonical.series(pa.chunked_array([], type=storage), column.kind)
    return pd.Series([], dtype=canonical.STRING)


def null_columns(layout: Layout, rows: int) -> pd.DataFrame:
    """Return the drawn columns of a table with null in all rows."""
    columns = {c.name: empty(c).reindex(range(rows)) for c in layout.drawn()}
    return pd.DataFrame(columns, index=pd.RangeIndex(rows))
