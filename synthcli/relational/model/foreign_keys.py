"""Parents of rows other than the one that determines their number, and parents of deferred relationships."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from synthcli.columns.constraints.parse import Unique
from synthcli.relational.model.context import context_frame
from synthcli.relational.model.enforcement import RuleEnforcer
from synthcli.relational.model.generated import GeneratedTables
from synthcli.relational.model.layout import LEVEL
from synthcli.relational.model.links import exchange_duplicates, match_parents, similarity_rank
from synthcli.relational.model.siblings import Siblings
from synthcli.relational.model.table_model import Link, TableModel
from synthcli.relational.relationships import NULL, Relationship

Groups = tuple[np.ndarray, np.ndarray] | None  # codes of rows and of parents that must be equal


@dataclass(frozen=True)
class ParentMatcher:
    """Matches generated rows to parents by columns of the parents, which are drawn with the rows."""

    generated: GeneratedTables
    enforcer: RuleEnforcer

    def match_links(self, table: str, owner: np.ndarray, *, rng: np.random.Generator) -> np.ndarray:
        """Find the other parents of all rows of a table, and say which rows to keep. (rows,) bool

        Rows are left out that lack a parent they need, or repeat a combination of keys that must be unique. owner:
        (rows,) the parent that determines their number.
        """
        generated, model = self.generated, self.generated.models[table]
        rows, keep = len(owner), np.ones(len(owner), dtype=bool)
        drawn = pd.DataFrame(index=pd.RangeIndex(rows))
        if "links" in model.models:
            context = context_frame(self.initial_context(table, owner), rows)
            drawn = model.models["links"].draw(context, rows, rng=rng)
        for k, link in enumerate(model.links):
            r = link.relationship
            some = np.flatnonzero(drawn[link.flag] == "known") if link.nullable else np.arange(rows)
            groups = self._shared_keys(r, generated.row_relationships(table)[: k + 1])
            at = np.full(rows, NULL)
            at[some] = self._match(link, drawn.iloc[some], some, groups, rng=rng)
            generated.set_parents(r, at)
            if not link.nullable:
                keep &= at >= 0
        for columns in _unique_keys(model):
            keep &= ~self._separate(table, columns, rng=rng)
        return keep

    def initial_context(self, table: str, owner: np.ndarray) -> dict[str, np.ndarray]:
        """Compute what is known of rows before their other parents: ancestors, and the number of siblings."""
        generated = self.generated
        known = generated.ancestor_context(table, generated.models[table].ancestor_features)
        parents = len(generated.frames[generated.order.driver[table].parent])
        return known | {"#n": Siblings.of(owner, parents).n.astype(np.float64)}

    def match_deferred(self, r: Relationship, *, rng: np.random.Generator) -> None:
        """Find the parents of a deferred relationship; those within a table level by level."""
        generated, model = self.generated, self.generated.models[r.child]
        link = next(each for each in model.deferred if each.relationship == r)
        rows = len(generated.frames[r.child])
        level = generated.derived[r.child][LEVEL].to_numpy(dtype=np.int64) if r.own else None
        some = np.arange(rows) if level is None else np.flatnonzero(level > 0)
        drawn = pd.DataFrame(index=pd.RangeIndex(len(some)))
        if f"late {r.name}" in model.models and len(some):
            context = context_frame(generated.deferred_context(r, model.features, some), len(some))
            drawn = model.models[f"late {r.name}"].draw(context, len(some), rng=rng)
        if link.nullable:
            has_parent = (drawn[link.flag] == "known").to_numpy()
            some, drawn = some[has_parent], drawn[has_parent]
        at = np.full(rows, NULL)
        at[some] = self._match(link, drawn, some, None if level is None else (level, level + 1), rng=rng)
        if link.looped and level is not None:
            at = np.where(level == 0, np.arange(rows), at)
        generated.set_deferred_keys(r, at)

    def _match(
        self, link: Link, drawn: pd.DataFrame, rows: np.ndarray, groups: Groups, *, rng: np.random.Generator
    ) -> np.ndarray:
        """Match rows to the parents that fit what was drawn of them. (rows,) int64"""
        n, may = self.enforcer.child_counts(link.relationship)
        offered, allowed = self._features(link)[may].reset_index(drop=True), np.flatnonzero(may)
        names = [c for c in offered if c in drawn]
        selected = None if groups is None else (groups[0][rows], groups[1][may])
        at = match_parents(drawn[names].reset_index(drop=True), offered[names], n[may], selected, rng=rng)
        return np.r_[allowed, NULL][at]  # none is the last

    def _features(self, link: Link) -> pd.DataFrame:
        """Compute the columns that all parents of a relationship are matched by, the most informative first."""
        parent = link.relationship.parent
        parents = len(self.generated.frames[parent])
        return context_frame(self.generated.context(link.features, parent, np.arange(parents)), parents)

    def _separate(self, table: str, columns: tuple[str, ...], *, rng: np.random.Generator) -> np.ndarray:
        """Exchange parents until no combination of these keys repeats, and find the rows that still do. (rows,) bool"""
        generated, known = self.generated, self.generated.row_relationships(table)
        relevant = [r for r in known if set(r.columns) <= set(columns)]
        links = [link for link in generated.models[table].links if link.relationship in relevant]
        if {c for r in relevant for c in r.columns} != set(columns) or not links:
            return np.zeros(len(generated.parents[known[0].name]), dtype=bool)  # checked when the rows are complete
        r = links[-1].relationship
        others, last = [generated.parents[s.name] for s in relevant if s != r], generated.parents[r.name]
        rest = np.zeros(len(last), dtype=np.int64) if not others else others[0]
        if len(others) > 1:
            rest = pd.factorize(pd.MultiIndex.from_arrays(others))[0]
        if self._shared_keys(r, [s for s in known if s != r]) is None:
            at, repeated = exchange_duplicates(rest, last, similarity_rank(self._features(links[-1])), rng=rng)
            generated.set_parents(r, at)
            return repeated
        # parents may not be exchanged between rows of different groups
        complete = np.all([last >= 0, *(at >= 0 for at in others)], axis=0)
        return pd.Series(rest * (int(last.max(initial=0)) + 2) + last).duplicated().to_numpy() & complete

    def _shared_keys(self, r: Relationship, known: Sequence[Relationship]) -> Groups:
        """Encode the key columns that a relationship shares with others of the same row; None without such columns."""
        generated, found = self.generated, None
        for column, key in zip(r.columns, r.keys):
            other = next((s for s in known if column in s.columns), None)
            if other is None:
                continue
            source = generated.frames[other.parent][other.keys[other.columns.index(column)]]
            at = generated.parents[other.name]
            mine = source.take(np.maximum(at, 0)).mask(at < 0) if len(source) else source.reindex(range(len(at)))
            codes = pd.factorize(pd.concat([mine, generated.frames[r.parent][key]], ignore_index=True))[0]
            one, two = codes[: len(at)], codes[len(at) :]
            wide = int(codes.max(initial=0)) + 2
            found = (one, two) if found is None else (found[0] * wide + one, found[1] * wide + two)
        return found


def _unique_keys(model: TableModel) -> list[tuple[str, ...]]:
    """Return the combinations of key columns that must be unique."""
    plan = model.rule_plan
    by_rule = [] if plan is None else [rule.of for rule in plan.by("pairs") if isinstance(rule, Unique)]
    return [columns for columns in dict.fromkeys([*by_rule, model.distinct]) if columns]
