"""Constraints: expressions over a row that are checked on the source and hold in the output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from synthcli.columns.expressions import Expression, parse
from synthcli.errors import DataError, SpecError, did_you_mean

OnViolation = Literal["error", "warn", "drop"]
EXAMPLES = 3  # rows that an error shows


@dataclass(frozen=True)
class Constraint:
    """A boolean expression over a row, and what to do with the rows of the source that violate it."""

    text: str
    expression: Expression
    on_violation: OnViolation = "error"

    def check(self, kinds: Mapping[str, str]) -> None:
        """Raise SpecError for unknown columns, kinds that clash, and a result that is not boolean. kinds: of the schema's columns."""
        _boolean(self.text, self.expression.check(kinds))

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        """Where it is definitely false; unknown is satisfied, as in SQL's CHECK. (rows,) bool; raises SpecError when it is not boolean."""
        result = self.expression.evaluate(frame)
        _boolean(self.text, "boolean" if result.dtype == "boolean" else str(result.dtype))
        return ~result.fillna(True).to_numpy(dtype=bool)


def parse_constraint(text: str, on_violation: OnViolation = "error") -> Constraint:
    """The constraint that a text spells. Raises SpecError when it cannot be read or evidently is not boolean."""
    if on_violation not in get_args(OnViolation):
        choices = get_args(OnViolation)
        raise SpecError(f"constraint {text}: on_violation is {on_violation!r}; expected {', '.join(choices)}.{did_you_mean(on_violation, choices)}")
    constraint = Constraint(text, parse(text), on_violation)
    constraint.check(dict.fromkeys(constraint.expression.columns, "category"))  # a category may hold any kind of value
    return constraint


def check_source(frame: pd.DataFrame, constraints: Sequence[Constraint]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The rows to learn from, and for the report {constraint, violations, share, action} of each constraint, in order.

    Rows that a `drop` refuses go first; `warn` and `error` look at the rows that are left. Raises DataError when an `error`
    constraint is violated or no row is left.
    """
    dropping = {i: c.violations(frame) for i, c in enumerate(constraints) if c.on_violation == "drop"}
    keep = ~np.any([np.zeros(len(frame), dtype=bool), *dropping.values()], axis=0)
    if len(frame) and not keep.any():
        names = "; ".join(constraints[i].text for i in dropping)
        raise DataError(f"constraints with on_violation: drop leave none of {len(frame)} rows: {names}; remedy: mend the constraint or the source")
    findings, failures = [], []
    for i, constraint in enumerate(constraints):
        broken = dropping[i] if i in dropping else constraint.violations(frame) & keep
        looked_at = len(frame) if i in dropping else int(keep.sum())
        count = int(broken.sum())
        share = count / looked_at if looked_at else 0.0
        findings.append({"constraint": constraint.text, "violations": count, "share": share, "action": constraint.on_violation if count else "none"})
        if count and constraint.on_violation == "error":
            failures.append(_failure(frame, constraint, broken, share))
    if failures:
        raise DataError("\n".join(failures) + "\nremedy: mend the source, or set on_violation: warn or on_violation: drop")
    return frame[keep].reset_index(drop=True), findings


def _failure(frame: pd.DataFrame, constraint: Constraint, broken: np.ndarray, share: float) -> str:
    """One violated constraint in words, with examples; row 1 is the first row of data."""
    places = np.flatnonzero(broken)[:EXAMPLES]
    names = [name for name in frame.columns if name in constraint.expression.columns]
    rows = [f"row {place + 1}" + "".join(f", {name} = {_show(frame[name].iloc[place])}" for name in names) for place in places]
    return f"constraint {constraint.text} is violated by {broken.sum()} rows of the source ({share:.2%}): " + "; ".join(rows)


def _show(value: Any) -> str:
    return "null" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value)


def _boolean(text: str, kind: str) -> None:
    if kind not in ("boolean", "any"):
        remedy = f"compare it, such as ({text}) > 0 or ({text}) is not null"
        raise SpecError(f"constraint {text}: the result is {kind}, expected true or false; remedy: {remedy}")
