"""The keys of a spec for coin sequences."""

from __future__ import annotations

from collections.abc import Iterator

from synthcli.coin.data import Described

from synthcli import sources
from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modality import Choice
from synthcli.spec.describe import Gates, open_source
from synthcli.spec.load import Loaded, Problem

METHODS = "coin"
JUDGES = ("coin",)


def problems(loaded: Loaded) -> Iterator[Problem]:
    if loaded.spec.constraints:
        yield ("constraints",), "coins obey no rules"


def describe(loaded: Loaded) -> Described:
    return Described(open_source(loaded), loaded.spec.seed)


def hold_against_source(loaded: Loaded, described: Described) -> int:
    names = sources.columns(described.source)
    if "flips" not in names:
        raise loaded.fail([(("source", "path"), f"has no column flips. Columns: {', '.join(names)}")])
    return len(names)


def default_choice(loaded: Loaded) -> Choice | None:
    return Choice("bernoulli", loaded.spec.generator.params, modality=METHODS)


def default_gates(have: frozenset[str]) -> Gates:
    return (Gate("coin_bias", min=0.9, bound="value"),), (Gate("coin_replays", max=0.1, bound="value"),)
