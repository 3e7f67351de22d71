"""Build verdict.json: every gate with its measurement and outcome, and the rounds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synthcli import plugins
from synthcli.columns import units
from synthcli.columns.pii import protect, rare_words
from synthcli.contracts.evaluation import Gate, Outcome
from synthcli.errors import listed
from synthcli.pipeline import gates
from synthcli.pipeline.plan import Plan
from synthcli.pipeline.refine import Round
from synthcli.report import ends
from synthcli.wording import quantity

WASTED = 0.05  # share of the draws that a constraint throws away, above which the verdict says so
UNREAD = "unread_columns"  # columns of numbers or dates that no format reads, made up as text
NO_GUARANTEE = "No formal privacy guarantee: the privacy figures come from attacks, which are not a proof."


def build(
    plan: Plan,
    chosen: Round,
    rounds: Sequence[Round],
    quality: list[Outcome],
    privacy: list[Outcome],
    *,
    fitted: Mapping[str, Any],
    sample: Mapping[str, Any],
    profile: Mapping[str, Any],
    with_privacy: bool,
) -> dict[str, Any]:
    """Judge the chosen round against the holdout. fitted, sample, profile: the records of training, sampling and
    analysis."""
    quality = [*quality, *_unread(profile)]
    outcomes = [*quality, *privacy]
    failures = gates.failed(outcomes)
    noted = [
        *_of_kind("personal", protect.notes(profile.get("personal", ()))),
        *_of_kind("personal", rare_words.notes(profile.get("undecided", ()))),
        *_of_kind("structure", units.notes(profile, sample, plan.rows_apart)),
        *_of_kind("made", _made_notes(profile)),
        *_of_kind("learned", [*source_notes(profile), *_learned_notes(fitted)]),
        *_of_kind("limits", _limit_notes(plan, outcomes)),
        *_of_kind("request", _request_notes(plan, sample)),
        *_of_kind("rows", _row_notes(sample)),
    ]
    return {
        "passed": not failures,
        "scope": "quality and privacy" if with_privacy else "quality",
        "round": chosen.name,
        "method": chosen.choice.method,
        "params": plugins.params(chosen.choice),
        "why": chosen.choice.why,
        "gates": [
            {"kind": kind, **_outcome(o)} for kind, some in (("quality", quality), ("privacy", privacy)) for o in some
        ],
        "failed": [o.gate.metric for o in failures],
        "warned": [o.gate.metric for o in gates.warned(outcomes)],
        "not_measurable": [o.gate.metric for o in outcomes if o.passed is None],
        "rounds": [_round(r) for r in rounds],
        "notes": [note["text"] for note in noted],
        "noted": noted,
    }


def _unread(profile: Mapping[str, Any]) -> list[Outcome]:
    """A failed gate where text was made up in columns that look like numbers or dates."""
    found = [one for one in profile.get("undecided", ()) if "why" in one and one["made"]]
    if not found:
        return []
    why = "; ".join(rare_words.told(one) for one in found)
    return [Outcome(Gate(UNREAD, max=0), False, None, None, f"{why}; remedy: {rare_words.READINGS}")]


def _outcome(outcome: Outcome) -> dict[str, Any]:
    gate = {k: v for k, v in outcome.gate.__dict__.items() if v is not None and k != "strict"}
    measured = outcome.measurement.to_json() if outcome.measurement is not None else None
    return {**gate, "passed": outcome.passed, "margin": outcome.margin, "why": outcome.why, "measured": measured}


def _round(tried: Round) -> dict[str, Any]:
    return {
        "round": tried.name,
        "params": plugins.params(tried.choice),
        "why": tried.choice.why,
        "error": tried.error,
        "steered": tried.judged,
        "passed": tried.passed if tried.judged else None,
        "gates": [_outcome(o) for o in tried.outcomes],
    }


def source_notes(profile: Mapping[str, Any]) -> list[str]:
    """The rows of the source that were left out because they break a constraint with on_violation: drop."""
    found = {f["constraint"]: f["violations"] for f in profile.get("constraints", ()) if f["action"] == "drop"}
    if not found:
        return []
    return [
        "Rows of the source that break a constraint were left out before anything was learned (on_violation: drop):"
        f" {_counts(found)}."
    ]


def _of_kind(kind: str, texts: Sequence[str]) -> list[dict[str, str]]:
    """Notes of one kind; the page groups them by it."""
    return [{"kind": kind, "text": text} for text in texts]


def _made_notes(profile: Mapping[str, Any]) -> list[str]:
    """The columns whose values are made up, without those that the notes on personal data name."""
    named = {c["column"] for c in profile.get("personal", ()) if c["made"] and not c["declared"]}
    columns = [("", c) for c in profile.get("columns", ())]
    columns += [(f"{name}.", c) for name, one in profile.get("tables", {}).items() for c in one.get("columns", ())]
    made = [f"{table}{c['name']}" for table, c in columns if not c.get("modelled", True)]
    found = [name for name in made if name not in named]
    return [f"Made up, never learned from the source: {listed(found)}."] if found else []


def _learned_notes(fitted: Mapping[str, Any]) -> list[str]:
    """What was changed in the data before it was learned."""
    notes = []
    if merged := fitted["merged_rare"]:
        notes.append(f"Rare categories were merged before training: {_counts(merged)}.")
    if moved := ends.of_columns(fitted["clipped"]):
        notes.append(moved)
    return notes


def _limit_notes(plan: Plan, outcomes: Sequence[Outcome]) -> list[str]:
    """What was not checked, and what is not guaranteed."""
    notes = [NO_GUARANTEE] if plan.has_data else []
    for open_ in (o for o in outcomes if o.passed is None):
        notes.append(
            f"The gate on {open_.gate.metric} neither passed nor failed, {open_.why}; `severity: error` in the spec"
            " makes it fail."
        )
    if unclear := gates.unclear(outcomes):
        notes.append(
            "Not clearly met, which chance explains at this size of the table: "
            + "; ".join(unclear)
            + ". More rows, or a bound of your own, decide."
        )
    if not outcomes:
        notes.append("No gate was set: this run passes because nothing was checked.")
    if not plan.attacks:
        notes.append("No attack was run: privacy was not measured.")
    if plan.has_data and plan.spec.source.split.holdout == 0:
        notes.append("No holdout: nothing was compared with real data that the generator had not seen.")
    return notes


def _request_notes(plan: Plan, sample: Mapping[str, Any]) -> list[str]:
    """Whether the rows meet the conditions of the request, and at what cost."""
    notes = list(sample.get("support", ()))
    if (n := plan.spec.generate.copies) > 1:
        notes.append(f"{n} copies: quality was measured on the first, attacks used all of them together.")
    if (conditions := sample.get("asked")) is not None:
        if "where" in conditions:
            notes.append(
                f"Every row satisfies {conditions['where']}; without the condition, {conditions['share_by_itself']:.2%}"
                " of the model's rows do."
            )
        named = plan.spec.generate.balance or ()  # fairness also sets counts of values, which the spec does not name
        if balance := [line for line in conditions.get("balance", ()) if line["column"] in named]:
            missed = [line for line in balance if line["requested"] != line["achieved"]]
            notes.append(
                f"Balance: {len(balance) - len(missed)} of {quantity(len(balance), 'value')} have exactly the requested"
                " rows."
            )
        if (fair := conditions.get("fairness")) is not None:
            notes.append(
                f"Demographic parity gap of {fair['target']} by {', '.join(fair['sensitive'])}:"
                f" {fair['gap_before']:.3f} before, {fair['gap_asked']:.3f} now."
            )
    return notes


def _row_notes(sample: Mapping[str, Any]) -> list[str]:
    """Generated rows that were refused, repaired or left out."""
    notes = []
    if refused := sample.get("refused"):
        notes.append(
            "Rows that broke a constraint or condition were drawn again:"
            f" {_counts({name: count for name, count in refused.items() if name})}."
        )
    notes += wasted_notes(sample)
    if repaired := sample.get("repaired"):
        notes.append(f"Rows were repaired to satisfy the constraints: {_counts(repaired)}.")
    if dropped := sample.get("dropped"):
        notes.append(f"Rows that could not satisfy the constraints were left out: {_counts(dropped)}.")
    return notes


def wasted_notes(sample: Mapping[str, Any]) -> list[str]:
    """Constraints that threw away more than WASTED of the draws, and what was done to keep the columns as they are."""
    drawn = sample.get("drawn") or 0
    shares = {rule: sample.get("refused", {}).get(rule, 0) / drawn for rule in sample.get("rules", ()) if drawn}
    named = ", ".join(f"{rule} ({share:.0%})" for rule, share in shares.items() if share > WASTED)
    if not named:
        return []
    remedy = "computing a column instead (columns.X.expr) avoids this."
    kept = sample.get("marginals")
    if kept is None:
        return [
            f"Constraints threw away many of the draws, which bends distributions: {named}. See the worst column"
            f" and pair; {remedy}"
        ]
    off = ", ".join(f"{column} ({share:.0%} of the rows)" for column, share in kept["off"].items())
    return [
        f"Constraints threw away many of the draws: {named}. {quantity(kept['left_out'], 'row')} that obey"
        f" them {'was' if kept['left_out'] == 1 else 'were'} left out as well, so that {listed(kept['columns'])} keep"
        " the distributions that the model has without the constraints"
        + (f", except for {off}, where few or no draws obey" if off else "")
        + f". See the worst pair for their relations; {remedy}"
    ]


def _counts(columns: Mapping[str, int]) -> str:
    """The first six columns with their counts."""
    return ", ".join(f"{count} of {name}" for name, count in list(columns.items())[:6]) + (
        " and more" if len(columns) > 6 else ""
    )
