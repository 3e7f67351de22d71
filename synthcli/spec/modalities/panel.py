"""Check and parse a spec of a panel: a single table whose privacy unit may have several rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modality import Choice
from synthcli.spec.describe import Gates, beyond_panels, unit_of
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.modalities import tabular
from synthcli.spec.modalities.tabular import describe, hold_against_source

METHODS = "panel"
JUDGES = ("tabular", "panel")
UNITS = (
    Gate("rows_per_unit", min=0.95, bound="favourable", of="floor"),
    Gate("row_to_row_trend", min=0.95, bound="favourable", of="floor"),
)


def default_gates(have: frozenset[str]) -> Gates:
    """The default gates of one table, and those on units and their rows."""
    quality, privacy = tabular.default_gates(have)
    return (*quality, *(UNITS if "control" in have else ())), privacy


def default_choice(loaded: Loaded) -> Choice | None:
    """trees; None for auto."""
    choice = tabular.default_choice(loaded)
    return None if choice is None else replace(choice, modality=METHODS)


def problems(loaded: Loaded) -> Iterator[Problem]:
    """Yield what contradicts itself in a single table, and what a panel cannot do."""
    if unit_of(loaded.spec) is None:
        yield ("modality",), "needs a privacy_unit, the column that says which rows belong together"
    yield from tabular.problems(loaded)
    for path, why in beyond_panels(loaded.spec):
        yield path, f"{why}, or modality: tabular"


__all__ = ["JUDGES", "METHODS", "default_choice", "default_gates", "describe", "hold_against_source", "problems"]
