"""Rules that hold by construction: columns are rewritten before a method learns them, so that the inverse of any sample
obeys the rules.

rule                                    columns                      instead
a <= b, a < b, increasing: [a, b, c]    b (c)                        b - a (c - b): not negative; or a as its distance
                                        below b
sum, total == a + b, t == price * n     the total                    nothing: recomputed
columns.X.expr                          X, or what varies most       nothing: recomputed (transforms/computed.py)
abs(x - f(a, b)) <= c                   what varies most             its bounded residual from the other columns
one_hot: [a, b, c]                      a, b, c                      one category: which one is true
one_of: [a, b]                          a, b                         one category: the index in the table of
                                        combinations; one for all rules that share columns
range, 0 <= age <= 120                  age, unchanged               values outside are clipped to the bounds (repair,
                                        counted)

Other rules, rules that conflict (a column is rewritten once) and rules that a row of the frame breaks are left to
rejection sampling: rows that break them are redrawn. `how` tells how each rule is enforced; `why` gives the reason for
rejection.

Side effects of rewriting, and how they are handled:
- A difference smears features of b (few distinct values, month ends, zeros, round amounts) by adding a. If b - a has
  far more distinct values than b, or breaks up values that many rows of b share, a is rewritten instead, if that is
  better. Otherwise neither is rewritten, unless independent columns would break the rule in nearly all rows, so that
  rejection sampling would not terminate. A wide spread of a does not affect b: b - a has the spread of b around a, and
  restored values are rounded to b's own grid and decimals.
- The marginal of b is then learned through a and b - a. Methods learn pairs, so the loss is small. If the highest a is
  below the lowest b, rewriting gains nothing and is skipped.
- b would be restored beyond the published ends of b (columns/codec/top_coding.py), for example by a late start and a
  long stay. It is reflected there, between the base and the end, so that rows do not pile up, or put there if many rows
  of the source are; where the base itself lies beyond the end, it is the nearest value that obeys.
  Declared bounds hold otherwise: `bounds` are further rules for rejection.
- A table of combinations in which most rows are unique would copy rows, so it is left to rejection.
- If a base has missing values, the column keeps its own values there, in a separate column (`b alone`): nothing is lost
  or invented.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pandas as pd

from synthcli.columns.constraints.bounds import allowed
from synthcli.columns.constraints.linear import kinds_of
from synthcli.columns.constraints.parse import Computed, Increasing, OneHot, OneOf, Range, Sum, parse_rule
from synthcli.columns.constraints.rule import Constraint, Rule
from synthcli.columns.transforms.computed import derived
from synthcli.columns.transforms.differences import Difference
from synthcli.columns.transforms.ends import Ends
from synthcli.columns.transforms.pieces import pieces
from synthcli.columns.transforms.planner import UNSUPPORTED, Planner, transformed_schema
from synthcli.columns.transforms.residuals import Residual
from synthcli.columns.transforms.steps import STEPS, Derived, Step
from synthcli.contracts.schema import Column, Schema

How = Literal["construction", "repair", "rejection"]


@dataclass(frozen=True)
class Transformer:
    """A plan of steps that rewrite columns. original: the schema of the source; schema: the schema that a method
    learns. Without steps and clips, it changes nothing.

    computed: the columns that the spec computes, each after those that it reads.

    how, why: rule text -> how it is enforced, and the reason if that is rejection. bounds: further rejection rules, for
    the declared bounds of rewritten columns.
    """

    original: Schema
    schema: Schema
    steps: tuple[Step, ...] = ()
    clips: tuple[Rule, ...] = ()
    how: Mapping[str, How] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[Rule, ...] = ()
    computed: tuple[Derived, ...] = ()

    @classmethod
    def plan(
        cls,
        rules: Sequence[Rule],
        frame: pd.DataFrame,
        schema: Schema,
        *,
        keep: frozenset[str] = frozenset(),
    ) -> Transformer:
        """Decide how to enforce each rule. frame: rows to learn from, canonical dtypes; pass only rows that obey all
        rules, since a rule that a row breaks cannot hold by construction. keep: columns that must stay unchanged, such
        as the target of the evaluation.
        """
        planner = Planner(frame, schema, keep)
        kinds = kinds_of(schema, frame)
        how: dict[str, How] = {}
        why: dict[str, str] = {}
        clips: list[Rule] = []
        for rule in sorted(rules, key=_rank):
            breaks = not isinstance(rule, Computed) and rule.violations(frame).any()
            reasons = ["a row of the source breaks it"] if breaks else []
            ways: set[How] = set()
            for piece in pieces(rule, kinds):
                if isinstance(piece, Rule) and not isinstance(piece, Computed):
                    clips += [] if reasons else [piece]
                    ways.add("repair")
                elif (reason := planner.take(piece)) is None:
                    ways.add("construction")
                else:
                    reasons.append(reason)
            how[rule.text] = "rejection" if reasons or not ways else "repair" if "repair" in ways else "construction"
            if how[rule.text] == "rejection":
                why[rule.text] = "; ".join(dict.fromkeys(reasons)) or (
                    "rows are compared with earlier rows" if rule.TABLE else UNSUPPORTED
                )
        rewritten = {name for step in planner.steps for name in step.rewritten}
        for clip in [c for c in clips if c.columns & rewritten]:
            how[clip.text] = "rejection"
            why[clip.text] = f"{', '.join(clip.columns)} is rewritten for another constraint"
        steps = planner.ordered()
        bounds = [
            bound for name in schema.names if name in rewritten and (bound := _declared(schema[name])) is not None
        ]
        kept = tuple(c for c in clips if not c.columns & rewritten)
        ordered = {rule.text: how[rule.text] for rule in rules}
        learned = transformed_schema(schema, steps, planner.columns)
        computed = tuple(derived(planner, r.column, r.expression) for r in rules if isinstance(r, Computed))
        return cls(schema, learned, tuple(steps), kept, ordered, why, tuple(bounds), computed)

    def within_ends(self, frame: pd.DataFrame, units: np.ndarray | None) -> Transformer:
        """The plan with the published ends of the columns that it restores, beyond which a value of `frame` itself is
        not restored. units: (rows,) privacy unit of each row, None if each row is its own unit.
        """
        steps = tuple(_with_ends(step, frame, self.original, units) for step in self.steps)
        return replace(self, steps=steps)

    def forward(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Rewrite a frame of the original schema to the one that a method learns."""
        values: dict[str, pd.Series] = {name: frame[name].reset_index(drop=True) for name in self.original.names}
        for step in reversed(self.steps):  # a step reads its inputs before they are rewritten
            made = step.forward(pd.DataFrame({name: values[name] for name in (*step.rewritten, *step.inputs)}))
            for name in step.rewritten:
                del values[name]
            values |= made
        return pd.DataFrame({name: values[name] for name in self.schema.names})

    def inverse(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Restore sampled rows to the original schema and dtypes."""
        return self.repaired(frame)[0]

    def repaired(self, frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
        """`inverse`, and the number of rows that each range repaired: rule text -> rows."""
        values: dict[str, pd.Series] = {name: frame[name].reset_index(drop=True) for name in frame.columns}
        counts: dict[str, int] = {}
        for rule in self.clips:
            (name,) = rule.columns
            values[name], counts[rule.text] = _clip(values[name], rule)
        for step in self.steps:
            values |= step.inverse(
                pd.DataFrame({name: values[name] for name in (*step.made, *step.inputs)}, index=range(len(frame)))
            )
        return pd.DataFrame({name: values[name] for name in self.original.names}), counts

    @property
    def rewritten(self) -> frozenset[str]:
        """Columns hidden from the method; conditions on them (where, given) cannot be passed to it."""
        return frozenset(name for step in self.steps for name in step.rewritten)

    def to_json(self) -> dict[str, Any]:
        return {
            "original": self.original.to_json(),
            "schema": self.schema.to_json(),
            "steps": [{"kind": type(step).__name__, **step.to_json()} for step in self.steps],
            "clips": [rule.to_json() for rule in self.clips],
            "how": dict(self.how),
            "why": dict(self.why),
            "bounds": [rule.to_json() for rule in self.bounds],
            "computed": [step.to_json() for step in self.computed],
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Transformer:
        steps = tuple(STEPS[s["kind"]].from_json({k: v for k, v in s.items() if k != "kind"}) for s in data["steps"])
        clips, bounds = (tuple(parse_rule(r) for r in data[key]) for key in ("clips", "bounds"))
        return cls(
            Schema.from_json(data["original"]),
            Schema.from_json(data["schema"]),
            steps,
            clips,
            data["how"],
            data["why"],
            bounds,
            tuple(Derived.from_json(step) for step in data.get("computed", ())),
        )


def _with_ends(step: Step, frame: pd.DataFrame, schema: Schema, units: np.ndarray | None) -> Step:
    """The step with the published ends of its column."""
    if not isinstance(step, Difference | Residual):
        return step
    return replace(step, ends=Ends.of(frame[step.column], schema[step.column], units, step.unit))


def _rank(rule: Rule) -> int:
    """The order in which to plan rules: groups of columns first, then computed columns, then orders; ranges need no
    step.
    """
    return next(
        (i for i, kind in enumerate((Computed, OneOf, OneHot, Sum, Increasing, Constraint)) if isinstance(rule, kind)),
        9,
    )


def _clip(values: pd.Series, rule: Rule) -> tuple[pd.Series, int]:
    """A column clipped to the bounds of a rule, and the number of rows that changed."""
    assert rule.formula is not None
    (name,) = rule.columns
    broken = rule.violations(pd.DataFrame({name: values}))
    if not broken.any():
        return values, 0
    column = Column(name)
    kinds = kinds_of(Schema((column,)), pd.DataFrame({name: values}))
    bound = (allowed(rule.formula, kinds) or {})[name]
    low, high = (None if v is None else _like(v, values) for v in (bound.low, bound.high))
    return values.clip(low, high).astype(values.dtype), int(broken.sum())


def _like(value: Any, values: pd.Series) -> Any:
    """A bound in the unit of a column of times."""
    return value.as_unit(values.dt.unit) if isinstance(value, pd.Timestamp | pd.Timedelta) else value


def _declared(column: Column) -> Rule | None:
    """The declared bounds of a column as a rule."""
    low, high = column.declared.min, column.declared.max
    if (low is None and high is None) or column.declared.spikes is not None or column.missing:
        return None
    return Range(column.name, low, high)
