"""Plan which columns to rewrite for which rule: each column at most once, without cycles, and only if the inverse
restores the frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import dtype_name, integers
from synthcli.columns.constraints.parse import Computed, OneHot, OneOf
from synthcli.columns.constraints.table_rules import joined
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.syntax import Node
from synthcli.columns.transforms import computed as computing
from synthcli.columns.transforms.differences import Difference
from synthcli.columns.transforms.measures import difference_column, grid, heaped, spread, with_time_grid
from synthcli.columns.transforms.pieces import Bounded, Equal, Group, Order, Piece
from synthcli.columns.transforms.plan import Plan
from synthcli.columns.transforms.steps import Choice, Combination, Derived, Step, with_nulls
from synthcli.contracts.schema import Column, Schema, Traits

LEAST_ROWS = 100  # minimum rows to judge the effect of a difference
FINER = 3.0  # ratio of distinct values, difference to column, above which rewriting blurs the column
HEAPED, SCATTERED = (
    0.01,
    2.0,
)  # minimum probability that two rows share a value, and its minimum ratio to that of the difference
HOPELESS = 0.9  # share of independent rows that break an order, above which rejection sampling would not terminate
STANDALONE = 0.5  # combinations per row, above which a table of them would copy rows
FEW_COMBINATIONS = 50  # always allow a table of so many combinations
JOINED = 100_000  # maximum number of combinations that rules with a shared column allow together
UNSUPPORTED = "rules of this kind cannot hold by construction"
LONGEST = 40  # maximum length of a new name that lists its columns


@dataclass
class Planner(Plan):
    """Adds the steps of a rule to the plan. `take` returns the reason if it refuses a piece."""

    orders: set[tuple[str, str, bool]] = field(default_factory=set)

    def take(self, piece: Piece) -> str | None:
        """Add the steps for a piece, or return the reason why that is impossible."""
        if isinstance(piece, Order):
            return self.order(piece)
        if isinstance(piece, Equal):
            reasons = []
            for column, expression in ((piece.column, piece.expression), *piece.others):
                if (reason := self.equal(column, expression, piece)) is None:
                    return None
                reasons.append(reason)
            if piece.bounded is not None and computing.bounded(self, piece.bounded) is None:
                return None
            return reasons[0]
        if isinstance(piece, Computed):
            return computing.computed(self, piece)
        if isinstance(piece, Bounded):
            return computing.bounded(self, piece)
        if isinstance(piece, Group):
            return self.one_of(piece.rule) if isinstance(piece.rule, OneOf) else self.one_hot(piece.rule)
        return UNSUPPORTED

    # --- orders

    def order(self, piece: Order) -> str | None:
        reasons = []
        for i, (low, high) in enumerate(zip(piece.of, piece.of[1:]), start=1):
            if self.known_order(low, high, piece.strict) and len(piece.of) == 2:
                continue
            reason = self.difference(high, piece.of[:i], 1, piece.strict)
            if reason is not None and i == 1:
                other = self.difference(low, (high,), -1, piece.strict)
                reason = None if other is None else "; ".join(dict.fromkeys([reason, other]))
            if reason is not None:
                reasons.append(reason)
            else:
                self.orders |= {
                    (base, high, piece.strict) for base in (piece.of[i - 1 : i] if reasons else piece.of[:i])
                }
        return "; ".join(reasons) or None

    def known_order(self, low: str, high: str, strict: bool) -> bool:
        """Whether earlier orders imply this one through columns without nulls."""
        seen, todo = set(), [(low, False)]
        while todo:
            at, sure = todo.pop()
            if at == high and (sure or not strict):
                return True
            if (at, sure) not in seen and (at == low or self.frame[at].notna().all()):
                seen.add((at, sure))
                todo += [(b, sure or s) for a, b, s in self.orders if a == at]
        return False

    def difference(self, column: str, bases: tuple[str, ...], sign: int, strict: bool) -> str | None:
        if (reason := self.refused((column,), bases)) is not None:
            return reason
        step = self._difference(column, bases, sign, strict)
        if isinstance(step, str):
            return step
        if (reason := self.unsuitable(step)) is not None:
            return reason
        made = step.forward(self.frame)
        alone = [] if step.alone is None else [_copy(self.schema[column], step.alone)]
        return self.accept(step, [difference_column(step, made[step.name]), *alone])

    def _difference(self, column: str, bases: tuple[str, ...], sign: int, strict: bool) -> Difference | str:
        """The step for an order, or the reason why it cannot be built."""
        columns = [self.schema[n] for n in (column, *bases)]
        values = [self.frame[c.name] for c in columns]
        kinds = {"number" if c.kind in ("integer", "float") else c.kind for c in columns}
        if len(kinds) > 1 or not all(c.kind in frames.NUMBERS for c in columns):
            return "its columns are not numbers, dates or durations of one kind"
        name = self.name(f"{column} - {bases[-1]}" if sign > 0 else f"{bases[-1]} - {column}")
        unknown = self.frame[list(bases)].isna().all(axis=1)
        alone = self.name(f"{column} alone", name) if (unknown & values[0].notna()).any() else None
        step = Difference(column, bases, name, dtype_name(values[0]), sign, strict, alone=alone)
        if kinds == {"number"}:
            step = self._numbers(step, columns, values)
        else:
            found = with_time_grid(step, columns[0], values)
            if isinstance(found, str):
                return found
            step = found
        if step.whole and spread(values, step.unit) >= 2**62:
            return "the differences of its numbers exceed 64 bits"
        if not step.whole and any(np.isinf(v.to_numpy(dtype="float64", na_value=np.nan)).any() for v in values):
            return "it has infinite numbers"
        if self._breaks_order(step):
            return "a row of the source breaks it"
        return step

    def _numbers(self, step: Difference, columns: Sequence[Column], values: Sequence[pd.Series]) -> Difference:
        if all(v.dtype == "Int64" for v in values):
            start, steps = grid(integers(values[0].dropna()), 1)
            return replace(step, start=start, step=steps)
        precisions = [c.get("precision") if v.dtype == "float64" else 0 for c, v in zip(columns, values)]
        known = [p for p in precisions if p is not None]
        return replace(
            step, whole=False, precision=precisions[0], decimals=max(known) if len(known) == len(precisions) else None
        )

    def _breaks_order(self, step: Difference) -> bool:
        """Whether a row of the frame breaks the order."""
        (value, null), (base, unknown) = step.read(self.frame[step.column]), step.base(self.frame)
        apart = (step.sign * (value - base))[~null & ~unknown]
        return bool(
            (apart < step.least).any() if step.whole else (apart <= 0).any() if step.strict else (apart < 0).any()
        )

    def unsuitable(self, step: Difference) -> str | None:
        """The reason against a difference: it gains nothing, or a column of few values would get many."""
        value, (base, unknown) = self.frame[step.column], step.base(self.frame)
        own, null = step.read(value)
        own, base = own[~null], base[~unknown]
        if len(self.frame) < LEAST_ROWS or not len(own) or not len(base):
            return None
        high, low = (own, base) if step.sign > 0 else (base, own)
        if low.max() < high.min():
            return "its columns are far apart: no row comes close to breaking it"
        apart = step.forward(self.frame)[step.name].dropna()
        finer = apart.nunique() > FINER * len(np.unique(own)) or heaped(own) > max(
            HEAPED, SCATTERED * heaped(apart.to_numpy())
        )
        broken = 1 - np.searchsorted(np.sort(low), high, side="right").mean() / len(low)
        if finer and broken < HOPELESS:
            return (
                f"many rows share values of {step.column}, but not its distance to {step.bases[-1]}:"
                " rewriting would blur it"
            )
        return None

    # --- equalities and groups

    def equal(self, column: str, expression: Expression, piece: Equal) -> str | None:
        if (reason := self.refused((column,), sorted(expression.columns))) is not None:
            return reason
        said, own = self.schema[column], self.frame[column]
        decimals = [
            self.schema[c].get("precision") if self.schema[c].kind == "float" else 0
            for c in (column, *sorted(expression.columns))
        ]
        fits = decimals[0] is not None and (
            piece.near or (piece.rule is not None and all(d is not None and d <= decimals[0] for d in decimals[1:]))
        )
        step = Derived(
            column, expression, dtype_name(own), decimals[0] if fits else None, said.storage == "date32[day]"
        )
        if (
            own.dtype == "Int64"
            and expression.evaluate(self.frame).dtype != "Int64"
            and not (piece.near or _rounds(expression.tree))
        ):
            return f"{column} is an integer, but the expression may not be"
        if said.storage.startswith("decimal") and not fits:
            return f"{column} has a fixed number of decimals, but the expression may have more"
        alone = self.name(f"{column} alone")
        step = with_nulls(step, own, step.value(self.frame), alone, self.name(f"{column} missing", alone))
        made = [_copy(said, step.alone)] if step.alone is not None else []
        made += (
            [Column(step.missing, inferred=Traits(type="boolean"), storage="bool")] if step.missing is not None else []
        )
        return self.accept(step, made)

    def one_hot(self, rule: OneHot) -> str | None:
        if (reason := self.refused(rule.of, ())) is not None:
            return reason
        null = np.isnan(rule.read(self.frame))
        if rule.violations(self.frame).any():
            return "a row of the source breaks it"
        if (null.any(axis=0) & ~null.all(axis=0)).any():
            return "rows of the source have a null among known values"
        none = "none"
        while none in rule.of:
            none += " of them"
        name = self.name(_joined(rule.of))
        step = Choice(rule, name, none, tuple(str(self.frame[c].dtype) for c in rule.of))
        return self.accept(step, [Column(name, inferred=Traits(type="category"))])

    def one_of(self, rule: OneOf) -> str | None:
        """Add the step for a table of combinations, merged with the tables that share a column with it."""
        shared = [step for step in self.steps if isinstance(step, Combination) and step.rule.columns & rule.columns]
        if not shared:
            return self._combined(rule)
        steps, columns = self.steps, self.columns
        merged = {name for step in shared for name in step.made}
        self.steps = [step for step in steps if step not in shared]
        self.columns = {name: column for name, column in columns.items() if name not in merged}
        built = [step.rule for step in shared if isinstance(step.rule, OneOf)]
        reason = self._combined(rule, *built)
        if reason is not None:
            self.steps, self.columns = steps, columns
            return f"{reason} if it shares columns with {'; '.join(step.rule.text for step in shared)}"
        return None

    def _combined(self, rule: OneOf, *built: OneOf) -> str | None:
        """Add one step for the combinations that a rule allows, and those that have a table already."""
        of = tuple(dict.fromkeys(name for one in (*built, rule) for name in one.of))
        if (reason := self.refused(of, ())) is not None:
            return reason
        if made_up := [c for c in of if self.schema[c].kind not in frames.MODELLED]:
            return f"{made_up[0]} is generated, not learned"
        found: OneOf | None = OneOf(of).collect(self.frame)
        rows = 0 if found is None or found.table is None else len(found.table)
        if rows > max(FEW_COMBINATIONS, STANDALONE * len(self.frame)):
            return "most rows have a unique combination, which would be copied"
        if built:  # a combination of all columns may be one person's: only the rules' own tables are kept
            found = joined([rule.collect(self.frame), *built], of, most=JOINED)
        if found is None:
            return f"more than {JOINED:,} combinations would be allowed"
        name = self.name(_joined(of))
        return self.accept(Combination(found, name), [Column(name, inferred=Traits(type="category"))])


def transformed_schema(schema: Schema, steps: Sequence[Step], columns: dict[str, Column]) -> Schema:
    """The schema with the new columns of the steps, each at the position of the first column that its step rewrites."""
    first = {step.rewritten[0]: step for step in steps}
    gone = {name for step in steps for name in step.rewritten}
    out: list[Column] = []
    for column in schema.columns:
        if column.name not in gone:
            out.append(column)
        elif column.name in first:
            out += [columns[name] for name in first[column.name].made]
    return Schema(tuple(out), schema.unit)


def _rounds(node: Node) -> bool:
    return node.op == "call" and node.value in ("floor", "ceil", "round") and len(node.args) == 1


def _joined(columns: Sequence[str]) -> str:
    joined = " | ".join(columns)
    return joined if len(joined) <= LONGEST else f"{columns[0]} | … | {columns[-1]}"


def _copy(column: Column, name: str) -> Column:
    return Column(name, column.declared, column.inferred, column.storage)
