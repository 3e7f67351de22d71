"""The rows of related tables while a model is fitted or sampled: frames, parents, columns as context."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from synthcli.relational.graph import Order, lineage
from synthcli.relational.model.context import ContextFeature, cells, null_flags, take_cells
from synthcli.relational.model.layout import LEVEL, Layout
from synthcli.relational.model.rules import widened
from synthcli.relational.model.table_model import Link
from synthcli.relational.relationships import NULL, Relationship


class RelatedRows:
    """The rows of all tables that are known so far.

    frames: by table; derived: by table, the columns (#…) that count and time the children of a row; parents: by the
    name of a relationship, the position of the parent of each row, NULL without one.
    """

    def __init__(self, layouts: Mapping[str, Layout], order: Order) -> None:
        self.layouts, self.order = layouts, order
        self.frames: dict[str, pd.DataFrame] = {}
        self.derived: dict[str, pd.DataFrame] = {}
        self.parents: dict[str, np.ndarray] = {}
        self._cells: dict[tuple[str, str], np.ndarray] = {}

    def cells(self, table: str, column: str) -> np.ndarray:
        """Return a column as cells, computed once. (rows,)"""
        key = table, column
        if key not in self._cells:
            self._cells[key] = cells(self.frames[table][column], self.layouts[table].schema[column].kind)
        return self._cells[key]

    def ancestors(self, table: str) -> list[tuple[str, np.ndarray]]:
        """Return the parent table, the grandparent table and so on, with the position of each row's ancestor there."""
        out: list[tuple[str, np.ndarray]] = []
        for relationship in lineage(table, self.order.driver):
            at = self.parents[relationship.name]
            if out:
                below = out[-1][1]
                at = np.where(below < 0, NULL, at[below] if len(at) else NULL)
            out.append((relationship.parent, at))
        return out

    def with_ancestors(self, names: Sequence[str], table: str, own: pd.DataFrame) -> pd.DataFrame:
        """Look up columns by name: in a frame of the table's own rows, else in the tables of its ancestors."""
        return widened(names, table, own, self.frames, self.order, lambda r: self.parents[r.name])

    def features(self, table: str, prefix: str) -> tuple[ContextFeature, ...]:
        """Describe the modelled columns of a table as context. prefix: of their names."""
        layout = self.layouts[table]
        return tuple(ContextFeature.of(layout.schema[c], self.cells(table, c), f"{prefix}{c}") for c in layout.learned)

    def context(self, features: Sequence[ContextFeature], table: str, at: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context columns of the rows of a table at these positions."""
        out: dict[str, np.ndarray] = {}
        for feature in features:
            out |= feature.columns(take_cells(self.cells(table, feature.source), at))
        return out

    def ancestor_context(self, table: str, features: Sequence[tuple[str, ContextFeature]]) -> dict[str, np.ndarray]:
        """Compute the context that rows have from their ancestors. features: with the table of each."""
        out: dict[str, np.ndarray] = {}
        for ancestor, at in self.ancestors(table):
            out |= self.context([f for t, f in features if t == ancestor], ancestor, at)
        return out

    def link_context(self, link: Link, at: np.ndarray) -> dict[str, np.ndarray]:
        """Compute the context that rows have from another parent, and whether they have one."""
        flag = {link.flag: null_flags(at)} if link.nullable else {}
        return flag | self.context(link.features, link.relationship.parent, at)

    def deferred_context(
        self, r: Relationship, features: Sequence[ContextFeature], rows: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Compute the context for finding the parents of a deferred relationship: own columns, level in a hierarchy."""
        out = self.context(features, r.child, rows)
        if r.own:
            out[LEVEL] = self.derived[r.child][LEVEL].to_numpy(dtype=np.float64)[rows]
        return out
