"""The rules of one of several tables: which columns of other tables they may name, and how each rule is enforced.

drawn     a rule over drawn columns: built into the fitted model (columns/transforms/transformer.py), else rows that
          break it are drawn again given their context: ancestors, other parents, time and earlier siblings
timed     a rule over the time that orders siblings, and over no drawn column: times that break it are moved
parents   a rule over columns of one parent alone: parents that break it get no children
pairs     unique over foreign keys: parents are exchanged between rows
last      a rule over columns that are known once the table is complete: checked then
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthcli.columns.constraints.parse import Unique, parse_rule
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.transforms.transformer import Transformer
from synthcli.contracts.schema import Schema
from synthcli.errors import FitError, SpecError, did_you_mean
from synthcli.relational.graph import Order, lineage
from synthcli.relational.model.layout import Layout
from synthcli.relational.relationships import NULL, Relationship, rows_at

Way = Literal["drawn", "timed", "parents", "pairs", "last"]
_HOW: dict[Way, tuple[str, str]] = {
    "timed": ("repair", "times that break it are moved to the nearest that does not"),
    "parents": ("repair", "parents that break it have no children"),
    "pairs": ("repair", "partners are exchanged until no pair is there twice"),
    "last": ("rejection", "looked at when the table is whole"),
}


@dataclass(frozen=True)
class RulePlan:
    """How each rule of a table is enforced.

    ways: of each rule; beside: columns that rules read and the table method does not draw; shaper: rewrites drawn
    columns so that rules hold; how, why: rule text -> what it holds by, and the reason.
    """

    rules: tuple[Rule, ...]
    ways: tuple[Way, ...]
    beside: tuple[str, ...]
    shaper: Transformer | None
    how: Mapping[str, str]
    why: Mapping[str, str | None]

    def by(self, *ways: Way) -> tuple[Rule, ...]:
        """Return the rules that are enforced in these ways."""
        return tuple(rule for rule, way in zip(self.rules, self.ways) if way in ways)

    @property
    def rewritten(self) -> frozenset[str]:
        """The columns that the table method does not see."""
        return frozenset() if self.shaper is None else self.shaper.rewritten

    def to_json(self) -> dict[str, Any]:
        return {
            "rules": [rule.to_json() for rule in self.rules],
            "ways": self.ways,
            "beside": self.beside,
            "how": dict(self.how),
            "why": dict(self.why),
            "shaper": None if self.shaper is None else self.shaper.to_json(),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> RulePlan:
        shaper = None if data["shaper"] is None else Transformer.from_json(data["shaper"])
        rules = tuple(parse_rule(rule) for rule in data["rules"])
        return cls(rules, tuple(data["ways"]), tuple(data["beside"]), shaper, data["how"], data["why"])


# --- columns of ancestors


def paths(table: str, order: Order) -> dict[str, list[tuple[Relationship, ...]]]:
    """Return the ancestor tables of a table, with each chain of relationships that leads to them.

    Rules may name the columns of an ancestor that exactly one chain leads to.
    """
    drivers = lineage(table, order.driver)
    found: dict[str, list[tuple[Relationship, ...]]] = {}
    for i, r in enumerate(drivers):
        found.setdefault(r.parent, []).append(tuple(drivers[: i + 1]))
    for r in order.linked.get(table, ()):
        found.setdefault(r.parent, []).append((r,))
    return found


def named(name: str, tables: Mapping[str, Any]) -> tuple[str | None, str]:
    """Split a name such as users.since into table and column; the table is None if there is none of that name."""
    table = max((t for t in tables if name.startswith(f"{t}.")), key=len, default=None)
    return table, name if table is None else name[len(table) + 1 :]


def kinds(table: str, schemas: Mapping[str, Schema], order: Order) -> Schema:
    """Return the columns that a rule of a table may name: its own, and TABLE.COLUMN of its ancestors."""
    single = [t for t, ways in paths(table, order).items() if len(ways) == 1 and t != table]
    above = (
        replace(c, name=f"{t}.{c.name}")
        for t in single
        for c in schemas[t].columns
        if f"{t}.{c.name}" not in schemas[table].names
    )
    return Schema((*schemas[table].columns, *above))


def check(rule: Rule, table: str, schemas: Mapping[str, Schema], order: Order) -> None:
    """Raise SpecError for a rule that names an unknown column, or that nothing can enforce."""
    known = {c.name: c.kind for c in kinds(table, schemas, order).columns}
    for name in sorted(rule.columns - known.keys()):
        raise SpecError(f"constraint {rule.text}: {_unknown(name, table, schemas, order)}")
    rule.check(known)
    tables = sorted({str(named(name, schemas)[0]) for name in rule.columns - set(schemas[table].names)})
    if tables and not rule.columns & set(schemas[table].names) and (len(tables) > 1 or rule.TABLE):
        raise SpecError(
            f"constraint {rule.text}: looks at columns of {' and '.join(tables)} alone; remedy: name a column of"
            f" {table} in it, or say it of another table"
        )


def _unknown(name: str, table: str, schemas: Mapping[str, Schema], order: Order) -> str:
    """Say why a rule may not name a column, and the remedy."""
    other, column = named(name, schemas)
    found = paths(table, order)
    if other is None and "." in name and (near := did_you_mean(name.partition(".")[0], schemas)):
        return f"there is no table {name.partition('.')[0]!r}.{near} Tables: {', '.join(schemas)}"
    if other is None:
        near = did_you_mean(name, schemas[table].names) or f" Columns: {', '.join(schemas[table].names[:12])}"
        return f"table {table} has no column {name!r}.{near}"
    if column not in schemas[other].names:
        return f"table {other} has no column {column!r}.{did_you_mean(column, schemas[other].names)}"
    if other == table and table not in found:
        return (
            f"{name} is a column of the table itself, or of the row above it in the same table; remedy: {column}, for a"
            " column of the row itself"
        )
    if len(found.get(other, ())) > 1:
        return (
            f"several relationships lead from {table} to {other}, so that {name} could be of either; remedy: a"
            " constraint within one table"
        )
    may = [t for t, ways in found.items() if len(ways) == 1]
    return (
        f"no row of {other} stands above one of {table}; columns of other tables that it may name:"
        f" {', '.join(f'{t}.…' for t in may) or 'none'}"
    )


def reached(path: Sequence[Relationship], at: Callable[[Relationship], np.ndarray]) -> np.ndarray:
    """Follow relationships from each row upwards, one after the other. Returns positions, below 0 without a row."""
    out = at(path[0])
    for r in path[1:]:
        above = at(r)
        out = np.where(out < 0, NULL, above[out] if len(above) else NULL)
    return out


def widened(
    names: Sequence[str],
    table: str,
    own: pd.DataFrame,
    frames: Mapping[str, pd.DataFrame],
    order: Order,
    at: Callable[[Relationship], np.ndarray],
) -> pd.DataFrame:
    """Look up columns by name: of the rows themselves, else of their ancestors. own: (rows,) of the table."""
    found, out = paths(table, order), dict[str, pd.Series]()
    for name in names:
        if name in own:
            out[name] = own[name].reset_index(drop=True)
        else:
            other, column = named(name, frames)
            out[name] = rows_at(frames[str(other)][column], reached(found[str(other)][0], at))
    return pd.DataFrame(out, index=pd.RangeIndex(len(own)))


# --- how they are enforced


def way_of(rule: Rule, layout: Layout, deferred: frozenset[str], numbered: frozenset[str], schema: Schema) -> Way:
    """Choose how a rule is enforced. deferred: keys known at the end; numbered: columns known before a row is drawn."""
    drawn = {c.name for c in layout.drawn()}
    counted = {n.column for n in layout.numbered} - numbered
    if rule.columns & (deferred | counted):
        return "last"
    if rule.columns & (drawn | set(layout.positional)):
        return "drawn"
    if layout.clock is not None and layout.clock.column in rule.columns:
        return "timed"
    if not rule.columns & set(schema.names):
        return "parents"
    return "pairs" if isinstance(rule, Unique) and rule.columns <= set(layout.foreign) else "last"


def plan_rules(
    table: str,
    rules: Sequence[Rule],
    layout: Layout,
    wide: pd.DataFrame,
    schema: Schema,
    ways: Sequence[Way],
    keep: frozenset[str],
    units: np.ndarray | None,
) -> tuple[RulePlan, np.ndarray]:
    """Plan how rules are enforced, and find the rows that obey them. (rows,) bool

    wide: the columns that are drawn and those that rules name; schema: of them; keep: columns that may not be
    rewritten; units: (rows,) privacy unit of each row, None if each row is its own unit. Raises FitError where no row
    obeys all rules over drawn columns.
    """
    mine = [rule for rule, way in zip(rules, ways) if way == "drawn"]
    own = {c.name for c in layout.drawn()}
    beside = tuple(name for name in wide if name not in own)
    how, why = dict[str, str](), dict[str, str | None]()
    good = np.ones(len(wide), dtype=bool)
    shaper = None
    if mine and own and len(wide):
        good = ~np.any([rule.violations(wide) for rule in mine], axis=0)
        if not good.any():
            raise FitError(
                f"constraints: no row of table {table} obeys all of them in the train part; remedy: on_violation: drop,"
                " or a weaker constraint"
            )
        obeying = wide[good].reset_index(drop=True)
        shaper = Transformer.plan(mine, obeying, schema, keep=keep | set(beside))
        shaper = shaper.within_ends(obeying, None if units is None else units[good])
    for rule, way in zip(rules, ways):
        how[rule.text], why[rule.text] = _HOW.get(way, ("rejection", "rows that break it are drawn again"))
        if way == "drawn" and shaper is not None:
            how[rule.text], why[rule.text] = shaper.how[rule.text], shaper.why.get(rule.text)
    bounds = () if shaper is None else shaper.bounds
    return RulePlan((*rules, *bounds), (*ways, *["drawn"] * len(bounds)), beside, shaper, how, why), good  # type: ignore[arg-type]
