"""Enforcement of rules over whole tables: parents that get no children, and rows that are dropped."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.constraints.rule import Rule
from synthcli.relational.model.generated import GeneratedTables
from synthcli.relational.model.layout import count
from synthcli.relational.model.rejection_counts import RejectionCounts
from synthcli.relational.model.repair import broken_by, check_losses
from synthcli.relational.model.rules import named
from synthcli.relational.relationships import Relationship, rows_at


@dataclass(frozen=True)
class RuleEnforcer:
    """Enforces the rules of generated tables. fixed: tables that may lose no row, such as the privacy unit's."""

    generated: GeneratedTables
    counts: RejectionCounts
    fixed: frozenset[str]

    def child_counts(self, r: Relationship) -> tuple[np.ndarray, np.ndarray]:
        """Count the children that each parent is to get, and find the parents that no rule refuses. (parents,) each."""
        derived, name = self.generated.derived[r.parent], count(self.generated.relationships.index(r))
        if name not in derived:  # the parent had no rows
            return np.zeros(len(derived), dtype=np.int64), np.ones(len(derived), dtype=bool)
        n = np.maximum(derived[name].fillna(0).to_numpy(dtype=np.int64), 0)
        plan = self.generated.models[r.child].rule_plan
        if plan is None:
            return n, np.ones(len(n), dtype=bool)
        if any(set(rule.columns) <= set(r.columns) for rule in plan.by("pairs")):  # one child of each parent
            n = np.minimum(n, 1)
        refused = self._refused_parents(r, plan.by("parents"), n)
        return np.where(refused, 0, n), ~refused

    def _refused_parents(self, r: Relationship, rules: tuple[Rule, ...], n: np.ndarray) -> np.ndarray:
        """Find the parents that break a rule, and count those that would have children. (parents,) bool"""
        out = np.zeros(len(n), dtype=bool)
        for rule in rules:
            columns = self._parent_columns(rule, r)
            if columns is not None:
                broken = rule.violations(columns)
                self.counts.add("repaired", r.child, rule.text, int((broken & ~out & (n > 0)).sum()))
                out |= broken
        return out

    def _parent_columns(self, rule: Rule, r: Relationship) -> pd.DataFrame | None:
        """Look up what a rule reads for each possible parent; None if it reads other tables than theirs or above."""
        frames, columns = self.generated.frames, dict[str, pd.Series]()
        is_driver = r is self.generated.order.driver.get(r.child)
        above = dict(self.generated.ancestors(r.parent)) if is_driver else {}
        for name in rule.columns:
            table, column = named(name, frames)
            if table == r.parent:
                columns[name] = frames[r.parent][column]
            elif table in above:
                columns[name] = rows_at(frames[str(table)][column], above[table])
            else:
                return None
        return pd.DataFrame(columns, index=pd.RangeIndex(len(frames[r.parent])))

    def enforce(self, table: str, *, complete: bool) -> None:
        """Drop the rows of a table that still break a rule, as long as no other row refers to them.

        complete: whether deferred keys are known too. Raises FitError where a rule cannot be kept.
        """
        generated, plan = self.generated, self.generated.models[table].rule_plan
        if plan is None:
            return
        deferred = set()
        if not complete:
            deferred = {c for r in generated.order.deferred if r.child == table for c in r.columns}
        rules = [rule for rule in plan.rules if not rule.columns & deferred]
        names = sorted({c for rule in rules for c in rule.columns})
        dropped = 0
        while True:  # dropping changes the numbers of the other rows, and rules may read these
            frame = generated.frames[table]
            found = broken_by(rules, generated.with_ancestors(names, table, frame))
            broken = {text: rows for text, rows in found.items() if rows.any()}
            if not broken:
                return
            check_losses(table, broken, len(frame), dropped, may_drop=not complete and table not in self.fixed)
            for text, rows in broken.items():
                self.counts.add("dropped", table, text, int(rows.sum()))
            drop = np.any(list(broken.values()), axis=0)
            generated.drop_rows(table, drop)
            dropped += int(drop.sum())
