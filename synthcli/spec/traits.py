"""Traits of columns that a spec declares, and the place of a constraint in a spec."""

from __future__ import annotations

from collections.abc import Mapping

from synthcli.columns import frame
from synthcli.columns.fake import generate as fake
from synthcli.spec.load import Loaded, Problem

KINDS = ("boolean", "integer", "float", "datetime", "timedelta", "category", "text", "id")

# What each trait does something for, where data is learned from; any other use would be ignored, and is refused.
SERVES = {
    "format": {"datetime", "boolean", "float", "date_of_birth"},
    "min": {*frame.NUMBERS, "id", "date_of_birth"},
    "max": {*frame.NUMBERS, "id", "date_of_birth"},
    "precision": {"float"},
    "categories": {"category"},
    "rare": {"category"},
    "spikes": {"integer", "float"},
    "pattern": {"id", "text"},
    "provider": {"text"},
    "locale": {"text", *fake.KINDS},
    "unique": {"id", "text", *fake.KINDS},
    "nulls": {"id", "text", *fake.KINDS},
}


def check_traits(loaded: Loaded, kinds: Mapping[str, str]) -> None:
    """Raise one SpecError for every declared trait that does nothing for a column of its kind. kinds: column ->
    kind.
    """
    problems: list[Problem] = []
    for name, traits in loaded.spec.columns.items():
        kind = kinds.get(name)
        for key in sorted(traits.model_fields_set - {"type"}):
            if kind is not None and key in SERVES and kind not in SERVES[key] and getattr(traits, key) is not None:
                kinds_served = ", ".join(sorted(SERVES[key] & set(KINDS))) or "made-up kinds"
                problems.append(
                    (("columns", name, key), f"does nothing for a column of type {kind}; it serves {kinds_served}")
                )
    if problems:
        raise loaded.fail(problems)


def rule_path(loaded: Loaded, i: int) -> tuple[str | int, ...]:
    """Where the i-th constraint stands."""
    raw = loaded.document.data["constraints"][i]
    return ("constraints", i, next(iter(raw))) if isinstance(raw, dict) and raw else ("constraints", i)
