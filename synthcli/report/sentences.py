"""A figure as one sentence for a reader without statistics, and what to do where its gate fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from synthcli.report.words import number, percent

Figure = dict[str, Any]


def sentence(m: Figure, target: str | None = None) -> str:
    """What a measurement says, in one sentence; empty for a metric that has none. target: of evaluate.target."""
    say = _SENTENCES.get(m["name"])
    return "" if say is None or m.get("value") is None else say(m, target or "the target")


def remedy(gate: Figure) -> str:
    """What to do about a gate that failed; empty for a metric of the user's own."""
    return out_of_reach(gate) or _REMEDIES.get(gate["metric"], "")


def out_of_reach(gate: Figure) -> str:
    """What to do about a bound that a second real sample would not meet; empty for any other."""
    floor = (gate["measured"] or {}).get("floor")
    if floor is None or gate.get("of") == "floor":
        return ""
    low, high = gate.get("min"), gate.get("max")
    if (low is None or floor >= low) and (high is None or floor <= high):
        return ""
    return (
        f"A second real sample gets {number(floor)} and would fail too. Set a bound that real data meets, or one that"
        " is relative to real data (of: floor)."
    )


def _kept(what: str) -> Callable[[Figure, str], str]:
    """A similarity, relative to what a second real sample gets."""

    def say(m: Figure, _: str) -> str:
        floor = m.get("floor")
        if not floor:
            return f"{what} agree with the real data to {percent(m['value'])}."
        return f"{what} are kept to {percent(min(m['value'] / floor, 1.0))} of what a second real sample would show."

    return say


def _guessed(what: str) -> Callable[[Figure, str], str]:
    """The area under a ROC curve as the share of pairs that are put in the right order."""

    def say(m: Figure, _: str) -> str:
        return f"{what} in {percent(max(m['value'], 0.0), 0)} of cases; guessing is right in 50%."

    return say


def _utility(m: Figure, target: str) -> str:
    share = percent(max(m["value"], 0.0), 0)
    return f"A model of {target} trained on synthetic rows predicts {share} as well as one trained on real rows."


def _excess(m: Figure, _: str) -> str:
    if m["value"] <= 0:
        return "Synthetic rows repeat rows of the training data no more often than unseen real rows do."
    return f"{percent(m['value'], 2)} of synthetic rows repeat a training row beyond what unseen real rows do."


def _identified(m: Figure, _: str) -> str:
    if m["value"] <= 0:
        return "Synthetic rows bear a key or a rare word of the training data no more often than unseen real rows do."
    return f"{percent(m['value'], 2)} of synthetic rows bear a real key or a word that hardly any real person shares."


def _nearer(m: Figure, _: str) -> str:
    share = percent(m["value"], 0)
    return f"{share} of synthetic rows lie nearer to the training data than to other real data; 50% is no memory of it."


def _broken(m: Figure, _: str) -> str:
    return "No row breaks a rule." if not m["value"] else f"{percent(m['value'], 2)} of rows break a rule."


def _whole(what: str) -> Callable[[Figure, str], str]:
    return lambda m, _: f"{percent(m['value'], 2)} of {what}."


def _gap(m: Figure, target: str) -> str:
    return f"Between groups, shares of a value of the target differ by up to {percent(m['value'])}."


def _code(m: Figure, _: str) -> str:
    return (
        "Your application accepts the data." if not m["value"] else f"Your application ended with {number(m['value'])}."
    )


_SENTENCES: dict[str, Callable[[Figure, str], str]] = {
    "column_shapes": _kept("The distributions of single columns"),
    "column_pair_trends": _kept("Relations between columns"),
    "worst_column_shape": _kept("The distribution of the column that differs most"),
    "worst_pair_trend": _kept("The relation between the two columns that differ most"),
    "parent_child_trend": _kept("Relations between the columns of a parent and its children"),
    "sibling_trend": _kept("Relations between consecutive rows of one parent"),
    "cardinality_shape": _kept("The numbers of children of a parent"),
    "rows_per_unit": _kept("The numbers of rows of a privacy unit"),
    "row_to_row_trend": _kept("Relations between consecutive rows of one privacy unit"),
    "category_coverage": _kept("The categories that occur"),
    "range_coverage": _kept("The ranges of numbers"),
    "missing_values": _kept("The shares of missing values"),
    "preserve": _kept("The properties that the spec names"),
    "detection_auc": _guessed("Of one real and one synthetic row, a trained classifier picks the synthetic one"),
    "membership_auc": _guessed(
        "Of one person in the training data and one outside, an attacker picks the one who was in it"
    ),
    "utility_ratio": _utility,
    "utility_ratio_linear": _utility,
    "excess_copies": _excess,
    "dcr_share": _nearer,
    "constraint_violations": _broken,
    "constant_columns": _whole("values that are constant within real units are constant within synthetic ones"),
    "row_order": _whole("rows follow the row before them in the order of the real rows"),
    "real_identifiers": _identified,
    "referential_integrity": _whole("references lead to a row of the table that they name"),
    "key_uniqueness": _whole("keys are unique"),
    "parity_gap": _gap,
    "downstream_exit_code": _code,
}

_CLOSER = (
    "Raise fidelity: more rounds (refine.max_rounds), a dial nearer to fidelity (`synth methods METHOD` names it),"
    " more training rows, or another method (generator.candidates)."
)
_SAFER = (
    "Do not release this data. Turn the method's dial towards privacy (`synth methods METHOD` names it), leave out"
    " columns that nobody needs, or train on more rows."
)
_REMEDIES = {
    "column_shapes": f"The page shows which columns differ most (Columns). {_CLOSER}",
    "column_pair_trends": f"The page shows which pairs differ most (Pairs of columns). {_CLOSER}",
    "worst_column_shape": "The page shows which column that is (Columns); rules that throw away many draws can bend it."
    f" {_CLOSER}",
    "worst_pair_trend": f"The page shows which pair that is (Pairs of columns). {_CLOSER}",
    "kl_divergence": f"The page shows which columns differ most (Columns). {_CLOSER}",
    "wasserstein": f"The page shows which columns differ most (Columns). {_CLOSER}",
    "detection_auc": "The page shows which columns give the rows away (Detector): state their rules or formats in the"
    f" spec first. {_CLOSER}",
    "c2st": f"The page shows which columns give the rows away (Detector). {_CLOSER}",
    "category_coverage": "Rare words are merged on purpose. Declare the words that must occur (columns.X.categories),"
    " or generate more rows.",
    "range_coverage": "Ends that few people hold are cut on purpose. Declare public bounds (columns.X.min, max).",
    "utility_ratio": f"Name the target (evaluate.target), which is then generated first. {_CLOSER}",
    "utility_ratio_linear": f"Name the target (evaluate.target), which is then generated first. {_CLOSER}",
    "constraint_violations": "The page shows which rule is broken (Constraints); drop a rule that contradicts another.",
    "preserve": f"The page shows which property differs most (Requirements). {_CLOSER}",
    "cardinality_shape": f"The page shows which relationship differs (Relationships). {_CLOSER}",
    "parent_child_trend": f"The page shows which pairs differ most (Relationships). {_CLOSER}",
    "sibling_trend": f"Rows of one parent depend on each other: order them by a time column. {_CLOSER}",
    "referential_integrity": "The page shows which relationship is broken (Relationships): check its columns and keys"
    " in source.relationships.",
    "rows_per_unit": "A condition on rows (generate.where) leaves out rows of units: compare a run without it."
    f" {_CLOSER}",
    "row_to_row_trend": "The page shows which columns differ most. Check that privacy_unit names who the rows belong"
    f" to, and that a column orders the rows of a unit (a date, a number). {_CLOSER}",
    "constant_columns": "The page shows which columns change within a unit. State rules over columns of the unit apart"
    " from rules over columns of its rows.",
    "row_order": "The page shows which column is out of order. Leave out rules over the column that orders the rows.",
    "parity_gap": "Set generate.fairness with this target and these groups.",
    "membership_auc": _SAFER,
    "excess_copies": "Do not release this data. Columns that number the rows, or few distinct rows, make copies:"
    " declare such columns as keys ({type: id}), or turn the method's dial towards privacy.",
    "copies": "Compare with excess_copies: where real rows repeat each other as often, copies are no leak. Otherwise"
    f" {_SAFER[0].lower()}{_SAFER[1:]}",
    "real_identifiers": "Declare the columns that hold keys or names of people as such ({type: id}, {type: name}), or"
    " fold their rare words: rare: {min_units: 10, as: other}.",
    "dcr_share": _SAFER,
    "dcr_median": _SAFER,
    "downstream_exit_code": "Read the log of your application, which lies in the folder of the run.",
}
