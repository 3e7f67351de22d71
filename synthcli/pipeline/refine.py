"""Refinement: every candidate is tried, then the dial of the best one is turned until the gates pass.

If quality fails, it is turned towards fidelity; if privacy fails, towards privacy; between two values of which one
failed each way, it is set in between.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from synthcli import plugins
from synthcli.contracts.evaluation import Outcome
from synthcli.contracts.modality import Choice
from synthcli.pipeline import gates


@dataclass
class Round:
    """One round: a choice with its outcomes against the validation part. error: why it could not be fitted."""

    number: int
    choice: Choice
    folder: Path | None = None
    quality: list[Outcome] = field(default_factory=list)
    privacy: list[Outcome] = field(default_factory=list)
    error: str | None = None
    judged: bool = False

    @property
    def outcomes(self) -> list[Outcome]:
        return [*self.quality, *self.privacy]

    @property
    def passed(self) -> bool:
        return self.error is None and not gates.failed(self.outcomes)

    @property
    def name(self) -> str:
        return f"{self.number:02d}-{self.choice.method}"

    def order(self) -> tuple[Any, ...]:
        """Sort key, best first: rounds without error, then by their gates, then the earlier one."""
        return (self.error is not None, *gates.rank(self.outcomes), self.number)

    def dial(self) -> float | None:
        """The dial value of this round; None for a method without a dial."""
        dial = plugins.method(self.choice.method, self.choice.modality).DIAL
        return float(plugins.params(self.choice)[dial.param]) if dial is not None else None


def best(rounds: Sequence[Round]) -> Round:
    """The round to show: the first in order."""
    return min(rounds, key=Round.order)


def next_choice(rounds: Sequence[Round]) -> tuple[Choice | None, str]:
    """The next choice after rounds that all failed, and the reason; or None, and the reason why there is none."""
    lead = best(rounds)
    if lead.error is not None:
        return None, "no round could be fitted"
    if (why := gates.hopeless(lead.outcomes)) is not None:
        return None, f"refining cannot help {why}"
    method = lead.choice.method
    module = plugins.method(method, lead.choice.modality)
    if module.DIAL is None:
        return None, f"{method} has no dial between fidelity and privacy"
    quality, privacy = bool(gates.failed(lead.quality)), bool(gates.failed(lead.privacy))
    if quality and privacy:
        return None, f"quality and privacy gates fail at once with {method}, and one dial cannot serve both"
    dial, at = module.DIAL, lead.dial()
    assert at is not None  # the method has a dial
    goal, failing, other = (dial.fidelity, "quality", "privacy") if quality else (dial.privacy, "privacy", "quality")
    failed_other = _failed_at(rounds, method, other)
    # start from the furthest value that failed the same way, which is not always that of the leading round
    at = min(
        (v for v in _failed_at(rounds, method, failing) if v not in failed_other),
        key=lambda v: abs(v - goal),
        default=at,
    )
    between = [v for v in failed_other if min(at, goal) < v < max(at, goal)]
    value = dial.move(at, goal, min(between, key=lambda v: abs(v - at)) if between else None)
    params = _with(lead.choice, module, dial.param, value)
    turned = replace(lead.choice, params=params)
    if any(r.choice.method == method and plugins.params(r.choice) == plugins.params(turned) for r in rounds):
        return None, f"the dial {dial.param} of {method} has no value left to try"
    side = "a quality gate failed: more fidelity" if quality else "a privacy gate failed: more privacy"
    return replace(turned, why=f"{side}, {dial.param} {at:g} → {params[dial.param]:g}"), side


def _failed_at(rounds: Sequence[Round], method: str, side: str) -> list[float]:
    """Dial values of rounds of this method whose quality (or privacy) gates failed."""
    return [
        r.dial() or 0.0
        for r in rounds
        if r.choice.method == method and r.error is None and gates.failed(getattr(r, side))
    ]


def _with(choice: Choice, module: Any, param: str, value: float) -> dict[str, Any]:
    whole = module.Params.model_fields[param].annotation is int
    return {**choice.params, param: round(value) if whole else round(value, 6)}
