"""Constraints: conditions on a table that are checked on the source and hold in the output.

A Rule can identify the rows that break it: an expression over a row (Constraint, here) or a named form such as `unique`
(columns/constraints/parse.py). Unknown counts as satisfied, as in SQL's CHECK.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from synthcli.columns.expressions.compile import Expression, parse
from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.wording import quantity

OnViolation = Literal["error", "warn", "drop"]
EXAMPLES = 3  # rows in the examples of a finding


class Rule(ABC):
    """A condition on a table. text: its name in reports; on_violation: the action for rows of the source that break
    it.
    """

    TABLE = False  # whether violations of a row depend on the rows before it
    text: str
    on_violation: OnViolation

    @property
    @abstractmethod
    def columns(self) -> frozenset[str]:
        """The columns that the rule reads."""

    @property
    def formula(self) -> Expression | None:
        """The rule as an expression over a row, for the solver; None if it has no such form."""
        return None

    @abstractmethod
    def check(self, kinds: Mapping[str, str]) -> None:
        """Raise SpecError for unknown columns and clashing kinds. kinds: of the schema's columns."""

    def learn(self, frame: pd.DataFrame, units: np.ndarray | None = None) -> Rule:
        """The rule with the facts that it learns from the source, such as the combinations that occur; the rule itself
        if it learns none. units: (rows,) privacy unit of each row, None if each row is its own unit.
        """
        return self

    @abstractmethod
    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        """The rows that break the rule. frame: canonical dtypes (columns/frame.py). (rows,) bool"""

    @abstractmethod
    def to_json(self) -> dict[str, Any]:
        """The rule in the form of a spec, with the facts that it has learned; columns/constraints/parse.py reads it
        back.
        """


@dataclass(frozen=True)
class Constraint(Rule):
    """A boolean expression over a row, and the action for rows of the source that violate it."""

    text: str
    expression: Expression
    on_violation: OnViolation = "error"

    @property
    def columns(self) -> frozenset[str]:
        return self.expression.columns

    @property
    def formula(self) -> Expression | None:
        return self.expression

    def check(self, kinds: Mapping[str, str]) -> None:
        """Raise SpecError for unknown columns, clashing kinds, and a result that is not boolean. kinds: of the schema's
        columns.
        """
        _boolean(self.text, self.expression.check(kinds))

    def violations(self, frame: pd.DataFrame) -> np.ndarray:
        """The rows where the expression is definitely false; unknown is satisfied, as in SQL's CHECK. (rows,) bool;
        raises SpecError when the result is not boolean.
        """
        result = self.expression.evaluate(frame)
        _boolean(self.text, "boolean" if result.dtype == "boolean" else str(result.dtype))
        return ~result.fillna(True).to_numpy(dtype=bool)

    def to_json(self) -> dict[str, Any]:
        return {"expr": self.text, "on_violation": self.on_violation}


def parse_constraint(text: str, on_violation: OnViolation = "error") -> Constraint:
    """Parse a constraint. Raises SpecError when the text is invalid or certainly not boolean."""
    check_action(text, on_violation)
    constraint = Constraint(text, parse(text), on_violation)
    constraint.check(dict.fromkeys(constraint.expression.columns, "category"))  # a category may hold any kind of value
    return constraint


def check_action(text: str, on_violation: Any) -> None:
    """Raise SpecError for an invalid on_violation. text: of the constraint."""
    choices = get_args(OnViolation)
    if on_violation not in choices:
        raise SpecError(
            f"constraint {text}: on_violation is {on_violation!r}; expected"
            f" {', '.join(choices)}.{did_you_mean(on_violation, choices)}"
        )


def check_source(frame: pd.DataFrame, constraints: Sequence[Rule]) -> tuple[pd.DataFrame, list[dict[str, Any]]]:
    """The rows to learn from, and a finding for the report on each constraint, in order: {constraint, violations,
    share, action, examples}.

    Rows that a `drop` refuses go first, those of rules over the table after those of rules over a row; `warn` and
    `error` look at the rows that are left. examples: up to EXAMPLES lines such as "row 2, age = -1"; row 1 is the first
    row of data. Raises DataError when an `error` constraint is violated or no row is left.
    """
    keep = np.ones(len(frame), dtype=bool)
    dropped: dict[int, tuple[np.ndarray, int]] = {}
    for table in (False, True):
        looked_at = keep.copy()
        for i, rule in enumerate(constraints):
            if rule.on_violation == "drop" and table == rule.TABLE:
                broken = _broken(rule, frame, keep if table else looked_at)
                dropped[i] = broken, int((keep if table else looked_at).sum())
                keep = keep & ~broken
    if len(frame) and not keep.any():
        names = "; ".join(constraints[i].text for i in sorted(dropped))
        raise DataError(
            f"constraints with on_violation: drop leave none of {quantity(len(frame), 'row')}: {names};"
            " remedy: fix the constraint or the source"
        )
    findings, failures = [], []
    for i, rule in enumerate(constraints):
        broken, rows = dropped[i] if i in dropped else (_broken(rule, frame, keep), int(keep.sum()))
        count = int(broken.sum())
        examples = _examples(frame, rule, broken)
        finding = {"constraint": rule.text, "violations": count, "share": count / rows if rows else 0.0}
        findings.append(finding | {"action": rule.on_violation if count else "none", "examples": examples})
        if count and rule.on_violation == "error":
            shown = "; ".join(examples)
            failures.append(
                f"constraint {rule.text} is violated by {quantity(count, 'row')} of the source"
                f" ({count / rows:.2%}): {shown}"
            )
    if failures:
        raise DataError(
            "\n".join(failures) + "\nremedy: fix the source, or set on_violation: warn or on_violation: drop"
        )
    return frame[keep].reset_index(drop=True), findings


def without_examples(findings: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Findings in the form to store, without rows of the source."""
    return [{key: value for key, value in finding.items() if key != "examples"} for finding in findings]


def _broken(rule: Rule, frame: pd.DataFrame, among: np.ndarray) -> np.ndarray:
    """The given rows that break a rule. (rows,) bool"""
    broken = np.zeros(len(frame), dtype=bool)
    broken[among] = rule.violations(frame[among].reset_index(drop=True))
    return broken


def _examples(frame: pd.DataFrame, rule: Rule, broken: np.ndarray) -> list[str]:
    """A phrase that shows the first rows that break a rule."""
    names = [name for name in frame.columns if name in rule.columns]
    places = np.flatnonzero(broken)[:EXAMPLES]
    return [
        f"row {place + 1}" + "".join(f", {name} = {_show(frame[name].iloc[place])}" for name in names)
        for place in places
    ]


def _show(value: Any) -> str:
    return "null" if pd.isna(value) else repr(value) if isinstance(value, str) else str(value)


def _boolean(text: str, kind: str) -> None:
    if kind not in ("boolean", "any"):
        remedy = f"compare it, such as ({text}) > 0 or ({text}) is not null"
        raise SpecError(f"constraint {text}: the result is {kind}, expected true or false; remedy: {remedy}")
