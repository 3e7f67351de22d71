"""The message of a request that cannot be filled: which conditions no drawn row met, and what helps."""

from __future__ import annotations

import numpy as np

from synthcli.columns.constraints.rule import Rule
from synthcli.columns.constraints.table_rules import Unique
from synthcli.tabular.sampling.request import SettledRequest
from synthcli.tabular.sampling.strata import Stratum


def infeasible(
    request: SettledRequest,
    target: Stratum,
    missing: np.ndarray,
    total: int,
    satisfied: dict[str, int],
    *,
    completes: bool,
) -> str:
    """Explain which conditions no drawn row met, or else which one is the rarest, and what helps. completes: whether
    the model draws rows given conditions.
    """
    unfilled = [request.strata[i] for i in np.flatnonzero(missing)] if request.strata else [target]
    what = f" where {unfilled[0].text}" if unfilled[0].values else ""
    more = f" (or in {len(unfilled) - 1} other strata)" if len(unfilled) > 1 else ""
    done = total - int(missing.sum())
    start = f"generate: {done} of {total} rows could be generated, and no more{what}{more}"
    rules = {rule.text: rule for rule in request.rules}
    never = [name for name, rows in satisfied.items() if rows == 0]
    if never:
        remedy = _remedy([rules.get(name) for name in never], request, completes)
        return f"{start}: no drawn row meets {'; '.join(never)}; remedy: {remedy}"
    rarest = min(satisfied, key=lambda name: satisfied[name], default=unfilled[0].text)
    reason = f": {rarest} is too rare" if rarest else ""
    if isinstance(rules.get(rarest), Unique):
        reason = f": {rarest}: the model has no further values"
    elif len(satisfied) > 1:
        reason = f": too few rows meet all of: {'; '.join(satisfied)} (rarest: {rarest})"
    return f"{start}{reason}; remedy: fewer rows, or {_remedy([rules.get(rarest)], request, completes)}"


def _remedy(broken: list[Rule | None], request: SettledRequest, completes: bool) -> str:
    """What helps against rules that the rows of a model do not meet; None among them: a condition of the request."""
    if any(isinstance(rule, Unique) for rule in broken):
        return "leave out the unique constraint, or columns with more values in it"
    if any(broken):
        weaker = "weaken or remove the constraint"
        return weaker if completes else f"{weaker}; trees learn relations between columns that other methods miss"
    if completes or request.guided:
        return "request values that occur in the source"
    return "request values that occur in the source, or a method that takes conditions: trees or arnet"
