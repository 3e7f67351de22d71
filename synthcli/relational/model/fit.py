"""Fitting of related tables: the derived columns of all tables, then the models of one table after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np
import pandas as pd

from synthcli.columns.constraints.rule import Rule
from synthcli.contracts.modelling import Job
from synthcli.relational.data import Tables
from synthcli.relational.graph import order
from synthcli.relational.model.fit_table import TableLearner
from synthcli.relational.model.layout import LEVEL, count, lay_out
from synthcli.relational.model.rows import RelatedRows
from synthcli.relational.model.table_method import TableMethod
from synthcli.relational.model.table_model import TableModel
from synthcli.relational.relationships import NULL, Relationship

NO_RULES: Mapping[str, Sequence[Rule]] = MappingProxyType({})
NONE_KEPT: Mapping[str, frozenset[str]] = MappingProxyType({})


class TablesLearner:
    """Fits related tables once. rules: by table; keep: by table, the columns that no rule may rewrite; openings: by
    table, the columns whose value before the first row of a parent is the parent's column of that name.
    """

    def __init__(
        self,
        tables: Tables,
        method: TableMethod,
        job: Job,
        rules: Mapping[str, Sequence[Rule]] = NO_RULES,
        keep: Mapping[str, frozenset[str]] = NONE_KEPT,
        openings: Mapping[str, frozenset[str]] = NONE_KEPT,
    ) -> None:
        self.method, self.job, self.rules, self.keep, self.openings = method, job, rules, keep, openings
        self.order = order(tables)
        ruled = {name: frozenset(c for rule in some for c in rule.columns) for name, some in rules.items()}
        self.tables, layouts = lay_out(tables, self.order, ruled)
        self.units = self.tables.units()
        self.rows = RelatedRows(layouts, self.order)
        self.rows.frames |= self.tables.frames
        self.rows.parents |= {r.name: self._parents(r) for r in self.tables.relationships}
        self.rows.derived |= {name: self._derived(name) for name in self.order.tables}

    def _parents(self, r: Relationship) -> np.ndarray:
        """Return the parent of each row, NULL without one; a row that refers to itself has none. (rows,)"""
        at = np.maximum(self.tables.parents(r), NULL)
        return np.where(at == np.arange(len(at)), NULL, at) if r.own else at

    def _derived(self, name: str) -> pd.DataFrame:
        """Compute how many children each row has; its level and reports in a hierarchy."""
        frame, out = self.tables.frames[name], dict[str, pd.Series]()
        for k, r in enumerate(self.tables.relationships):
            if r.parent != name or r.child in self.tables.kept:
                continue
            if r.own:
                hierarchy = self.tables.hierarchies[name]
                out |= {count(k): _integers(hierarchy.reports), LEVEL: _integers(hierarchy.level)}
                continue
            at = self.rows.parents[r.name]
            out[count(k)] = _integers(np.bincount(at[at >= 0], minlength=len(frame)))
        return pd.DataFrame(out, index=frame.index)

    def fit(self) -> dict[str, TableModel]:
        """Fit every table, parents before children."""
        names, models = self.order.tables, dict[str, TableModel]()
        for i, name in enumerate(names):
            if name in self.tables.kept:
                rows, layout = len(self.tables.frames[name]), self.rows.layouts[name]
                models[name] = TableModel(layout, rows, shared=True, features=self.rows.features(name, f"{name}."))
                continue
            opened = self.openings.get(name, frozenset())
            units, method = self.units[name], self.method
            learner = TableLearner(name, self.tables, self.rows, units, models, method, self.job, opened)
            models[name] = learner.fit(self.rules.get(name, ()), self.keep.get(name, frozenset()))
            self.job.going("tables", i + 1, len(names), name)
        return models


def _integers(values: np.ndarray) -> pd.Series:
    return pd.Series(pd.array(values, dtype="Int64"))
