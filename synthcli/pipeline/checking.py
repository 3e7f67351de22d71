"""Validate a spec against the columns of its source; nothing is generated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from synthcli import plugins
from synthcli.pipeline import decisions, user_code
from synthcli.spec import describe
from synthcli.spec.check import check
from synthcli.spec.load import load_spec
from synthcli.spec.models import Spec


def checked(spec: str | Path, sets: Sequence[str], *, trust: bool = False) -> dict[str, Any]:
    """Validate a spec: {columns, method, gates, drops, warnings}. trust: also load the user's metrics; drops:
    constraints and computed columns that leave rows of the source out. Raises SpecError, DataError.
    """
    loaded = load_spec(spec, sets)
    found = check(loaded)
    user_code.check(loaded, trust)
    columns = describe.keys(found.modality).hold_against_source(loaded, found.described)
    size = plugins.modality(found.modality).look(found.described, {})
    given = (loaded.spec.evaluate.gates, loaded.spec.privacy_check.gates)
    gates = "default" if all(g is None for g in given) else sum(len(g or ()) for g in given)
    named = loaded.spec.generator.method == "auto" or not found.choices
    return {
        "columns": columns,
        "method": "auto" if named else ", ".join(c.method for c in found.choices),
        "gates": gates,
        "drops": _drops(loaded.spec),
        "warnings": decisions.warnings(loaded, size.undecided),
    }


def _drops(spec: Spec) -> int:
    """How many constraints and computed columns leave out the rows of the source that break them."""
    rules = [c.get("on_violation") for c in spec.constraints if isinstance(c, dict)]
    return [*rules, *(traits.on_violation for traits in spec.columns.values())].count("drop")
