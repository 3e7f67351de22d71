"""The named forms of a constraint: range, sum, one_hot, increasing over a row; unique and one_of over a table.

    0 <= age <= 120   or   {expr: ...}          a boolean expression that must not be false
    {range: {column: age, min: 0, max: 120}}
    {sum: {total: t, of: [a, b, c], tolerance: 0}}
    {one_hot: [a, b, c], exactly: 1}            or at_most: 1; columns of booleans, or of 0 and 1
    {increasing: [a, b, c], strict: false}      nulls are skipped
    {unique: [a, b]}                            rows with a null in any of them are exempt, as in SQL
    {one_of: [a, b]}                            combinations that occur together in the source; null is a value there

Each may set on_violation: error, warn or drop. A comparison with null is unknown and counts as satisfied.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from synthcli.columns.constraints.computed import Computed
from synthcli.columns.constraints.mixed_numbers import OverNumbers
from synthcli.columns.constraints.row_rules import Increasing, OneHot, Range, Sum, kind_of_end, size
from synthcli.columns.constraints.rule import Constraint, OnViolation, Rule, check_action, parse_constraint
from synthcli.columns.constraints.table_rules import OneOf, Unique, from_values
from synthcli.errors import SpecError, did_you_mean

__all__ = ["Computed", "Constraint", "Increasing", "OneHot", "OneOf", "Range", "Rule", "Sum", "Unique", "parse_rule"]


def parse_rule(raw: Any) -> Rule:
    """Parse one value of `constraints` (or the output of `to_json`). Raises SpecError that names the key and the
    remedy.
    """
    if isinstance(raw, str):
        return parse_constraint(raw)
    if not isinstance(raw, Mapping):
        raise SpecError(f"a constraint is {raw!r}; expected an expression, or one of {', '.join(FORMS)} with its value")
    if "computed" in raw:  # a column with `expr`, as to_json writes it
        return Computed.from_json(raw)
    if "over_numbers" in raw:
        return OverNumbers(parse_rule(raw["rule"]), tuple(raw["over_numbers"]))
    form = next((key for key in FORMS if key in raw), None)
    if form is None:
        word = next((str(key) for key in raw if key != "on_violation"), "")
        raise SpecError(
            f"a constraint has the key {word!r}; expected one of {', '.join(FORMS)}.{did_you_mean(word, FORMS)}"
        )
    build, more = FORMS[form]
    _only(form, raw, (form, "on_violation", *more))
    on_violation = raw.get("on_violation", "error")
    check_action(form, on_violation)
    return build(raw, on_violation)


def _expr(raw: Mapping[str, Any], on_violation: OnViolation) -> Rule:
    if not isinstance(raw["expr"], str):
        raise SpecError(f"expr is {raw['expr']!r}; expected an expression in quotes, such as 'age >= 18'")
    return parse_constraint(raw["expr"], on_violation)


def _range(raw: Mapping[str, Any], on_violation: OnViolation) -> Range:
    body = _body("range", raw, ("column",), ("min", "max"))
    column, low, high = _column("range.column", body["column"]), body.get("min"), body.get("max")
    for key, value in (("min", low), ("max", high)):
        if value is not None and kind_of_end(value) is None:
            raise SpecError(
                f"range.{key} is {value!r}; expected a number, a date such as 2024-12-31 or a duration such as 1h"
            )
    if low is None and high is None:
        raise SpecError(f"range of {column} has no end; remedy: min, max or both")
    if low is not None and high is not None:
        if kind_of_end(low) != kind_of_end(high):
            raise SpecError(f"range of {column}: min {low!r} and max {high!r} are of different kinds")
        if size(low) > size(high):
            raise SpecError(f"range of {column}: min {low} lies above max {high}; remedy: swap them")
    return Range(column, low, high, on_violation)


def _sum(raw: Mapping[str, Any], on_violation: OnViolation) -> Sum:
    body = _body("sum", raw, ("total", "of"), ("tolerance",))
    total, of, tolerance = (
        _column("sum.total", body["total"]),
        _columns("sum.of", body["of"], 1),
        body.get("tolerance", 0),
    )
    if isinstance(tolerance, bool) or not isinstance(tolerance, int | float) or not 0 <= tolerance < np.inf:
        raise SpecError(f"sum.tolerance is {tolerance!r}; expected a number from 0")
    if total in of:
        raise SpecError(f"sum.of holds the total {total}; remedy: leave it out of its own parts")
    return Sum(total, of, tolerance, on_violation)


def _one_hot(raw: Mapping[str, Any], on_violation: OnViolation) -> OneHot:
    for key in ("exactly", "at_most"):
        if key in raw and (raw[key] != 1 or raw[key] is True):
            raise SpecError(f"one_hot: {key} is {raw[key]!r}; expected 1")
    if "exactly" in raw and "at_most" in raw:
        raise SpecError("one_hot has both exactly and at_most; remedy: keep one of them")
    return OneHot(_columns("one_hot", raw["one_hot"], 2), "at_most" in raw, on_violation)


def _increasing(raw: Mapping[str, Any], on_violation: OnViolation) -> Increasing:
    strict = raw.get("strict", False)
    if not isinstance(strict, bool):
        raise SpecError(f"increasing: strict is {strict!r}; expected true or false")
    return Increasing(_columns("increasing", raw["increasing"], 2), strict, on_violation)


def _unique(raw: Mapping[str, Any], on_violation: OnViolation) -> Unique:
    of = raw["unique"]
    return Unique(_columns("unique", [of] if isinstance(of, str) else of, 1), on_violation)


def _one_of(raw: Mapping[str, Any], on_violation: OnViolation) -> OneOf:
    learned = raw.get("combinations")
    rule = OneOf(_columns("one_of", raw["one_of"], 2), on_violation)
    return rule if learned is None else replace(rule, table=pd.DataFrame({c: from_values(learned[c]) for c in rule.of}))


# form -> its parser, further keys
FORMS: dict[str, tuple[Callable[[Mapping[str, Any], OnViolation], Rule], tuple[str, ...]]] = {
    "expr": (_expr, ()), "range": (_range, ()), "sum": (_sum, ()), "one_hot": (_one_hot, ("exactly", "at_most")),
    "increasing": (_increasing, ("strict",)), "unique": (_unique, ()), "one_of": (_one_of, ("combinations",)),
}  # fmt: skip


def _only(where: str, raw: Mapping[str, Any], known: Sequence[str]) -> None:
    for key in raw:
        if key not in known:
            raise SpecError(f"{where}: unknown key {key!r}.{did_you_mean(str(key), known)} Known: {', '.join(known)}")


def _body(form: str, raw: Mapping[str, Any], needs: Sequence[str], may: Sequence[str]) -> Mapping[str, Any]:
    body = raw[form]
    if not isinstance(body, Mapping):
        raise SpecError(f"{form} is {body!r}; expected {{{', '.join(f'{key}: …' for key in needs)}}}")
    _only(form, body, (*needs, *may))
    for key in needs:
        if key not in body:
            raise SpecError(f"{form} lacks {key}; expected {{{', '.join(f'{k}: …' for k in needs)}}}")
    return body


def _column(where: str, value: Any) -> str:
    if not isinstance(value, str):
        raise SpecError(f"{where} is {value!r}; expected the name of a column")
    return value


def _columns(where: str, value: Any, least: int) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or len(value) < least:
        raise SpecError(f"{where} is {value!r}; expected a list of {least} columns or more")
    names = tuple(_column(f"{where}[{i}]", v) for i, v in enumerate(value))
    if twice := [n for i, n in enumerate(names) if n in names[:i]]:
        raise SpecError(f"{where} names {twice[0]} twice; remedy: each column once")
    return names
