"""Plan columns that are computed from others, and columns that a rule keeps near others.

Of the columns of a linear equation, the one that varies most is restored from the rest: where stay = discharge -
admission, a method learns the admission and the stay, not two dates whose small difference it would lose. Otherwise the
computed column itself is restored; dates of which only the difference matters are learned as one date and a residual.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pandas as pd

from synthcli.columns import frame as frames
from synthcli.columns.codec.parts import dtype_name
from synthcli.columns.constraints.computed import Computed
from synthcli.columns.expressions.compile import Expression
from synthcli.columns.expressions.syntax import Node
from synthcli.columns.transforms.pieces import Bounded
from synthcli.columns.transforms.plan import Plan
from synthcli.columns.transforms.residuals import BirthYear, Residual, ages
from synthcli.columns.transforms.solve import linear, solved
from synthcli.columns.transforms.steps import Derived, with_nulls
from synthcli.contracts.schema import Column, Traits

CLOSER = 0.5  # ratio of the spread of a difference to that of its columns, below which the difference is learned
_TICKS = {"s": 10**6, "ms": 10**3, "us": 1}  # microseconds


def computed(plan: Plan, rule: Computed) -> str | None:
    """Add the steps for a column that is computed, or return the reason why that is impossible."""
    if rule.column == plan.schema.unit:
        return f"{rule.column} must stay unchanged"
    holds = not rule.violations(plan.frame).any()
    if holds and _swapped(plan, rule):
        return None
    if holds and _born(plan, rule):
        return None
    for start, end in _dates(rule.expression.tree):
        near(plan, end, Expression(start, frozenset({start}), Node("name", 0, value=start)))
    return _direct(plan, rule)


def _swapped(plan: Plan, rule: Computed) -> bool:
    """Restore another column of a linear equation, which varies much more than the computed one."""
    value = linear(_minus(Node("name", 0, value=rule.column), rule.expression.tree), plan.kinds)
    if value is None or plan.schema[rule.column].kind not in frames.MODELLED:
        return False
    spread = {name: _spread(plan, name) * abs(float(f)) for name, f in value.terms.items() if name in plan.frame}
    others = sorted(spread, key=lambda name: -spread[name])
    for target in others:
        if spread[target] * CLOSER <= spread[rule.column] or plan.schema[target].kind not in frames.MODELLED:
            return False
        expression = solved(value, target, plan.kinds)
        if expression is not None and plan.refused((target,), sorted(expression.columns)) is None:
            step = derived(plan, target, expression)
            if plan.accept(step, _beside(plan, step)) is None:
                return True
    return False


def _born(plan: Plan, rule: Computed) -> bool:
    """Move a made-up date of birth to the year that agrees with the age."""
    found = ages(rule.expression.tree)
    if found is None or found[0] not in plan.schema.names:
        return False
    born, at, plus = found
    made_up = plan.schema[born].kind not in frames.MODELLED
    if not made_up or plan.kinds[born].name != "datetime" or plan.refused((born,), (rule.column, at)) is not None:
        return False
    plan.steps.append(BirthYear(born, rule.column, at, plus))
    plan.columns[born] = plan.schema[born]
    return True


def _direct(plan: Plan, rule: Computed) -> str | None:
    """Restore the column itself, whatever the source holds."""
    inputs = sorted(rule.expression.columns)
    reason = plan.refused((rule.column,), inputs, may_keep=True)
    if reason is not None:
        return reason
    step = replace(derived(plan, rule.column, rule.expression), copied=rule.column in plan.keep)
    plan.steps.append(step)
    made = [plan.schema[rule.column]] if step.copied else []
    plan.columns |= {column.name: column for column in (*made, *_beside(plan, step))}
    return None


def derived(plan: Plan, column: str, expression: Expression) -> Derived:
    """The step that restores a column from an expression."""
    said, own = plan.schema[column], plan.frame[column]
    step = Derived(column, expression, dtype_name(own), said.get("precision"), said.storage == "date32[day]")
    alone = plan.name(f"{column} alone")
    return with_nulls(step, own, step.value(plan.frame), alone, plan.name(f"{column} missing", alone))


def _beside(plan: Plan, step: Derived) -> list[Column]:
    """The columns that a step adds for nulls."""
    said = plan.schema[step.column]
    alone = [] if step.alone is None else [Column(step.alone, said.declared, said.inferred, said.storage)]
    missing = [] if step.missing is None else [Column(step.missing, inferred=Traits(type="boolean"), storage="bool")]
    return [*alone, *missing]


# --- residuals


def bounded(plan: Plan, piece: Bounded) -> str | None:
    """Add the step for a linear value between bounds, or return the reason why that is impossible."""
    value = linear(piece.tree, plan.kinds)
    if value is None or len(value.terms) < 2:
        return "rules of this kind cannot hold by construction"
    spread = {name: _spread(plan, name) * abs(float(f)) for name, f in value.terms.items()}
    reasons = []
    for target in sorted(spread, key=lambda name: -spread[name]):
        expression = solved(value, target, plan.kinds)
        if expression is None:
            continue
        unit = Fraction(1) if plan.kinds[target].name == "number" else Fraction(_tick(plan.frame[target]))
        ends = [None if e is None else float(e / value.terms[target] / unit) for e in piece.ends]
        low, high = ends if value.terms[target] > 0 else ends[::-1]
        reason = near(plan, target, expression, low, high)
        if reason is None:
            return None
        reasons.append(reason)
    return reasons[0] if reasons else "it cannot be solved for one of its columns"


def near(
    plan: Plan, column: str, expression: Expression, low: float | None = None, high: float | None = None
) -> str | None:
    """Learn a column as its residual from an expression, if the residual varies less than the column."""
    if (reason := plan.refused((column,), sorted(expression.columns))) is not None:
        return reason
    said, own = plan.schema[column], plan.frame[column]
    if said.kind not in frames.NUMBERS or any(plan.schema[n].kind not in frames.MODELLED for n in expression.columns):
        return f"{column} or a column beside it is not a number or a date that is learned"
    days = said.storage == "date32[day]"
    step = Residual(
        column,
        expression,
        plan.name(f"{column} beside {', '.join(sorted(expression.columns))}"),
        dtype_name(own),
        low,
        high,
        said.get("precision"),
        86_400 if days else 1,
        days,
    )
    if step.unit is not None and (step.unit not in _TICKS or getattr(own.dtype, "tz", None) is not None):
        return f"the times of {column} are too fine, or have a timezone"
    gives = step.value(plan.frame)
    if (own.notna() & gives.isna()).any():
        step = replace(step, alone=plan.name(f"{column} alone", step.name))
    apart = step.forward(plan.frame)[step.name]
    if not _std(apart) < CLOSER * _std(own):
        return f"{column} is not closer to the columns beside it than to its own mean"
    kind = "integer" if own.dtype == "Int64" else "float" if step.unit is None else "timedelta"
    storage = {"integer": "int64", "float": "double"}.get(kind, f"duration[{step.unit}]")
    traits = Traits(type=kind, precision=step.precision if kind == "float" else None)
    made = [Column(step.name, inferred=traits, storage=storage)]
    made += [] if step.alone is None else [Column(step.alone, said.declared, said.inferred, said.storage)]
    return plan.accept(step, made)


def _dates(tree: Node) -> Iterator[tuple[str, str]]:
    """Pairs (start, end) of date columns of which an expression reads the difference."""
    if tree.op == "call" and tree.value.endswith("_between") and all(a.op == "name" for a in tree.args):
        yield tree.args[0].value, tree.args[1].value
    if tree.op == "arithmetic" and tree.value[0][0] == "-" and all(a.op == "name" for a in tree.args[:2]):
        yield tree.args[1].value, tree.args[0].value
    for part in tree.args:
        yield from _dates(part)


def _minus(left: Node, right: Node) -> Node:
    return Node("arithmetic", 0, (left, right), (("-", 0),))


def _tick(values: pd.Series) -> int:
    """Microseconds of a tick of a column of times."""
    unit = str(getattr(values.dt, "unit", "us"))
    return _TICKS.get(unit, 1)


def _spread(plan: Plan, name: str) -> float:
    """The standard deviation of a column, of times in microseconds."""
    values = plan.frame[name]
    if plan.kinds[name].name in ("datetime", "timedelta"):
        return _std(values) * _tick(values)
    return _std(values)


def _std(values: pd.Series) -> float:
    """The standard deviation of numbers, or of times in ticks; 0 without values."""
    known = values.dropna()
    if pd.api.types.is_datetime64_any_dtype(known.dtype) or pd.api.types.is_timedelta64_dtype(known.dtype):
        numbers = known.astype("int64").to_numpy(dtype=float)
    elif pd.api.types.is_numeric_dtype(known.dtype):
        numbers = known.to_numpy(dtype=float)
    else:
        return 0.0
    return float(np.std(numbers)) if len(numbers) else 0.0


__all__ = ["bounded", "computed", "near"]
