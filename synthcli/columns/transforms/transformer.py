"""Rules that hold by construction: columns are rewritten before a method learns them, so that the inverse of anything
it samples obeys the rules.

rule                                    columns                      instead
a <= b, a < b, increasing: [a, b, c]    b (c)                        b - a (c - b): not negative; or a as its distance
                                        below b
sum, total == a + b, t == price * n     the total                    nothing: computed again
one_hot: [a, b, c]                      a, b, c                      one category: which of them is true
one_of: [a, b]                          a, b                         one category: the place in the table of
                                        combinations
range, 0 <= age <= 120                  age, as it is                what lies outside is moved to the end (repair,
                                        counted)

All others, and those that conflict (a column is rewritten once) or that a row of the frame breaks, stay with rejection:
rows that break them are drawn again. `how` says what each rule holds by; `why` gives the reason where it is rejection.

What a rewriting could spoil, and what is done about it:
- A difference moves what is typical of b (few values, month ends, zeros, round amounts) to where a puts it. Where b - a
  has far more distinct values than b has, or values that many rows of b share are scattered, it is a that is rewritten,
  if that is better, and else neither, unless independent columns would break the rule in nearly all rows, when
  rejection would not come to an end. A huge spread of a does no harm to b: b - a has the spread that b has around it,
  and the values that come back are rounded to b's own grid and decimals.
- The marginal of b is then learned by way of a and b - a. Methods learn pairs, so it costs little; but where the
  highest a lies below the lowest b, nothing is to be gained, and nothing is rewritten.
- b may come back beyond the highest b of the source: a late start and a long stay. That is what the two say together,
  so that it is not cut off, which would pile rows up at one person's value. Declared bounds are law: `bounds` are rules
  to reject by.
- A table of combinations in which most rows stand alone would copy rows, and is left to rejection.
- Where values are missing in a base, the column keeps its own values, in a column of its own (`b alone`): nothing is
  lost or made up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pandas as pd

from synthcli.columns.constraints.bounds import allowed
from synthcli.columns.constraints.linear import kinds_of
from synthcli.columns.constraints.parse import Increasing, OneHot, OneOf, Range, Sum, parse_rule
from synthcli.columns.constraints.rule import Constraint, Rule
from synthcli.columns.transforms.pieces import pieces
from synthcli.columns.transforms.planner import UNSUPPORTED, Planner, transformed_schema
from synthcli.columns.transforms.steps import STEPS, Step
from synthcli.contracts.schema import Column, Schema

How = Literal["construction", "repair", "rejection"]


@dataclass(frozen=True)
class Transformer:
    """A plan of steps that rewrite columns. original: the schema of the source; schema: of what a method learns.
    Without steps and clips, it changes nothing.

    how, why: rule text -> what it holds by, and the reason where that is rejection. bounds: rules that make declared
    bounds of rewritten columns hold, to reject by beside the others.
    """

    original: Schema
    schema: Schema
    steps: tuple[Step, ...] = ()
    clips: tuple[Rule, ...] = ()
    how: Mapping[str, How] = field(default_factory=dict)
    why: Mapping[str, str] = field(default_factory=dict)
    bounds: tuple[Rule, ...] = ()

    @classmethod
    def plan(
        cls, rules: Sequence[Rule], frame: pd.DataFrame, schema: Schema, *, keep: frozenset[str] = frozenset()
    ) -> Transformer:
        """Decide how each rule is to hold. frame: rows to learn from, canonical dtypes; pass only rows that obey all
        rules, since a rule that a row breaks cannot be built in. keep: columns that must stay unchanged, such as the
        target of the evaluation.
        """
        planner = Planner(frame, schema, keep)
        kinds = kinds_of(schema, frame)
        how: dict[str, How] = {}
        why: dict[str, str] = {}
        clips: list[Rule] = []
        for rule in sorted(rules, key=_rank):
            reasons = ["a row of the source breaks it"] if rule.violations(frame).any() else []
            ways: set[How] = set()
            for piece in pieces(rule, kinds):
                if isinstance(piece, Rule):
                    clips += [] if reasons else [piece]
                    ways.add("repair")
                elif (reason := planner.take(piece)) is None:
                    ways.add("construction")
                else:
                    reasons.append(reason)
            how[rule.text] = "rejection" if reasons or not ways else "repair" if "repair" in ways else "construction"
            if how[rule.text] == "rejection":
                why[rule.text] = "; ".join(dict.fromkeys(reasons)) or (
                    "rows are compared as they come" if rule.TABLE else UNSUPPORTED
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
        return cls(schema, learned, tuple(steps), kept, ordered, why, tuple(bounds))

    def forward(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame that a method learns, from one of the original schema."""
        values: dict[str, pd.Series] = {name: frame[name].reset_index(drop=True) for name in self.original.names}
        for step in reversed(self.steps):  # a step reads its inputs before they are rewritten
            made = step.forward(pd.DataFrame({name: values[name] for name in (*step.rewritten, *step.inputs)}))
            for name in step.rewritten:
                del values[name]
            values |= made
        return pd.DataFrame({name: values[name] for name in self.schema.names})

    def inverse(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Sampled rows in the original schema and dtypes."""
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
        """Columns that a method does not see; conditions on them (where, given) cannot be passed to it."""
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
        )


def _rank(rule: Rule) -> int:
    """The order in which rules are built in: groups of columns first, then computed columns, then orders; ranges need
    nothing.
    """
    return next((i for i, kind in enumerate((OneOf, OneHot, Sum, Increasing, Constraint)) if isinstance(rule, kind)), 9)


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
    if (low is None and high is None) or column.declared.spikes is not None:
        return None
    return Range(column.name, low, high)
