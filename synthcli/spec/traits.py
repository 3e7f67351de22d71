"""Check the declared traits of columns, and locate a constraint in a spec."""

from __future__ import annotations

from collections.abc import Mapping

from synthcli.columns import frame
from synthcli.columns.fake import generate as fake
from synthcli.spec.load import Loaded, Problem

KINDS = ("boolean", "integer", "float", "datetime", "timedelta", "category", "text", "word", "id")

# The kinds that each trait has an effect on when there is data; for other kinds it would be ignored, so it is refused.
SERVES = {
    "format": {*frame.NUMBERS, "boolean", "date_of_birth"},
    "min": {*frame.NUMBERS, "id", "date_of_birth"},
    "max": {*frame.NUMBERS, "id", "date_of_birth"},
    "precision": {"float"},
    "categories": {"category"},
    "rare": {"category"},
    "spikes": {"integer", "float"},
    "missing": {"integer", "float"},
    "pattern": {"id", "text", "word"},
    "check": {"id"},
    "provider": {"text"},
    "locale": {"text", *fake.KINDS},
    "length": {"text"},
    "unique": {"id", "text", "word", *fake.KINDS},
    "nulls": {"id", "text", "word", *fake.KINDS},
}


def check_traits(loaded: Loaded, kinds: Mapping[str, str]) -> None:
    """Raise one SpecError that lists every declared trait without effect on its column. kinds: column -> kind."""
    problems: list[Problem] = []
    for name, traits in loaded.spec.columns.items():
        kind = kinds.get(name)
        for key in sorted(traits.model_fields_set - {"type"}):
            if kind is not None and key in SERVES and kind not in SERVES[key] and getattr(traits, key) is not None:
                kinds_served = ", ".join(sorted(SERVES[key] & set(KINDS))) or "made-up kinds"
                problems.append(
                    (("columns", name, key), f"has no effect on a column of type {kind}; it applies to {kinds_served}")
                )
    if problems:
        raise loaded.fail(problems)


def rule_path(loaded: Loaded, i: int) -> tuple[str | int, ...]:
    """The position of the i-th constraint."""
    raw = loaded.document.data["constraints"][i]
    return ("constraints", i, next(iter(raw))) if isinstance(raw, dict) and raw else ("constraints", i)
