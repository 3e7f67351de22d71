"""Parse what a spec describes: its modality, its sources and outputs, and its request."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Protocol, cast

from pydantic import ValidationError

from synthcli import plugins, sources
from synthcli.columns.expressions.compile import parse
from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modality import Choice, Csv, Described, Engine, Target
from synthcli.contracts.modelling import Parity, Request
from synthcli.errors import SpecError, did_you_mean
from synthcli.sources import builtin
from synthcli.spec import given, places
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.models import Generate, Spec

Gates = tuple[tuple[Gate, ...], tuple[Gate, ...]]  # of quality and of privacy


class Keys(Protocol):
    """spec/modalities/NAME.py: the keys that a modality accepts, and their meaning."""

    METHODS: str  # the modality whose methods it uses
    JUDGES: tuple[str, ...]  # the modalities whose metrics and attacks measure it

    def problems(self, loaded: Loaded) -> Iterator[Problem]:
        """Yield the contradictions that can be found without data."""

    def describe(self, loaded: Loaded) -> Described:
        """Parse the description of the data. Raises SpecError."""

    def hold_against_source(self, loaded: Loaded, described: Described) -> int:
        """Check every name against the source's columns, and return their number. Raises SpecError."""

    def default_choice(self, loaded: Loaded) -> Choice | None:
        """The method of a spec that names none, or auto. None: the choice depends on the profile."""

    def default_gates(self, have: frozenset[str]) -> Gates:
        """The gates of a spec that sets none. have: the available evidence, see Gauge.needs."""


def modality_of(spec: Spec) -> str:
    """The modality that a spec names, else the one that its source and its privacy unit imply.

    One table with a privacy unit is a panel, unless the spec requests what a panel cannot do. If no unit has several
    rows, a panel is learned as a table is.
    """
    if spec.modality is not None:
        return spec.modality
    if spec.source.tables is not None:
        return "relational"
    return "panel" if unit_of(spec) is not None and next(beyond_panels(spec), None) is None else "tabular"


def beyond_panels(spec: Spec) -> Iterator[Problem]:
    """Yield what a spec of one table requests that a panel cannot do."""
    generator, panels = spec.generator, plugins.names("methods", "panel")
    named: list[tuple[tuple[str | int, ...], str | None]] = [(("generator", "method"), generator.method)]
    named += [(("generator", "candidates", i), c.method) for i, c in enumerate(generator.candidates or ())]
    for path, method in named:
        if method in plugins.names("methods", "tabular") and method not in panels:
            yield path, f"{method} learns each row by itself; remedy: {' or '.join(panels)}"
    if spec.generate.proper:
        yield (
            ("generate", "proper"),
            "a panel cannot be fitted to a bootstrap sample by this version; remedy: remove it",
        )


def rows_apart(spec: Spec) -> str:
    """Why a spec of one table with a privacy unit does not keep the rows of a unit together; empty if it does."""
    if modality_of(spec) == "panel":
        return ""
    for path, why in beyond_panels(spec):
        return f"{'.'.join(map(str, path))}: {why}"
    return "modality: tabular learns each row by itself; remedy: remove it"


def unit_of(spec: Spec) -> str | None:
    """The column of the privacy unit of one table with data, None if each row is its own unit."""
    if spec.source.type == "none":
        return None
    default = builtin.UNITS.get(spec.source.name or "") if spec.source.type == "builtin" else None
    return spec.privacy_unit or default


def dropped(spec: Spec) -> list[str]:
    """The columns that are not read, as the spec names them."""
    return [name for name, traits in spec.columns.items() if traits.drop]


def has_rules(spec: Spec) -> bool:
    """Whether rows obey rules: constraints, or, with data, columns that are computed from others."""
    return bool(spec.constraints) or (
        spec.source.type != "none" and any(traits.expr is not None for traits in spec.columns.values())
    )


def modality_of_run(plan: Mapping[str, object]) -> str:
    """The modality of a run. plan: its plan.json; those of older versions do not name it."""
    source = cast(Mapping[str, object], plan["source"])
    return str(plan.get("modality") or ("relational" if source.get("tables") else "tabular"))


def keys(modality: str) -> Keys:
    """The module that defines the keys of a modality."""
    return cast(Keys, importlib.import_module(f"synthcli.spec.modalities.{modality}"))


def known_modality(loaded: Loaded) -> str:
    """The modality of a spec. Raises SpecError if it does not exist or contradicts the source."""
    name = modality_of(loaded.spec)
    if name not in plugins.modalities():
        near = did_you_mean(name, plugins.modalities())
        raise loaded.fail(
            [(("modality",), f"there is no such modality.{near} Known: {', '.join(plugins.modalities())}")]
        )
    if (name == "relational") != (loaded.spec.source.tables is not None):
        why = "needs source.tables" if name == "relational" else "source.tables makes it relational"
        raise loaded.fail([(("modality",), f"{why}; remedy: leave modality out")])
    return name


def choices(loaded: Loaded) -> tuple[Choice, ...]:
    """The methods that a run tries; empty until `auto` has seen the profile."""
    generator, room = loaded.spec.generator, keys(modality_of(loaded.spec))
    if generator.candidates is not None:
        return tuple(Choice(c.method, c.params, modality=room.METHODS) for c in generator.candidates)
    if generator.method not in (None, "auto"):
        return (Choice(str(generator.method), generator.params, modality=room.METHODS),)
    default = room.default_choice(loaded)
    return () if default is None else (default,)


def request_of(generate: Generate, seed: int, rows: int = 0) -> Request:
    """The request to a generator. rows: 0 while the number is not known. Raises SpecError for an invalid condition."""
    fair = generate.fairness
    try:
        where = None if generate.where is None else parse(generate.where)
    except SpecError as error:
        raise SpecError(f"generate.where: {error}") from None
    return Request(
        rows,
        seed,
        where=where,
        balance=generate.balance,
        fairness=None if fair is None else Parity(fair.target, fair.sensitive),
        copies=generate.copies,
        proper=generate.proper,
    )


def conditions(keys: Mapping[str, object], rows: int) -> Generate | None:
    """The conditions that a Python program gives on generated rows, as keys of `generate`; None for no conditions.

    Raises SpecError for a number of rows or a condition that a spec would not accept.
    """
    try:
        found = Generate.model_validate({"rows": rows, **keys})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise SpecError(f"{key}: {str(first['msg']).replace('Input should be', 'expected')}") from None
    return found if keys else None


def engine_of(spec: Spec) -> Engine:
    """The engine that generates rows."""
    execution = spec.execution
    return Engine(execution.engine, execution.workers, execution.address)


def open_sources(loaded: Loaded) -> dict[str, sources.Source]:
    """The sources of a spec by their keys, with paths resolved."""
    if loaded.spec.source.tables is None:
        return {"source": open_source(loaded)}
    if loaded.spec.source.type == "none":
        return {}
    return {f"source.tables.{name}": each for name, each in table_sources(loaded).items()}


def open_source(loaded: Loaded) -> sources.Source:
    """The source of one table, with its path resolved."""
    options = loaded.spec.source.model_dump(exclude={"dataset", "split", "path", "tables", "relationships"})
    path = loaded.spec.source.path
    resolved = None if path is None else loaded.place(path, "source", "path")
    frame = loaded.frames.get(given.SINGLE)
    return sources.Source(
        path=resolved, folder=loaded.file.parent, frame=frame, dropped=frozenset(dropped(loaded.spec)), **options
    )


def table_sources(loaded: Loaded) -> dict[str, sources.Source]:
    """The sources of related tables, with paths resolved."""
    out = {}
    gone = [name.partition(".") for name in dropped(loaded.spec)]
    for name, each in (loaded.spec.source.tables or {}).items():
        path = None if each.path is None else loaded.place(each.path, "source", "tables", name, "path")
        options = each.model_dump(exclude={"path", "type", "keep", "rows", "per", "children"})
        frame = loaded.frames.get(name)
        left_out = frozenset(column for table, _, column in gone if table == name)
        out[name] = sources.Source(
            places.table_type(each), path, folder=loaded.file.parent, frame=frame, dropped=left_out, **options
        )
    return out


def open_target(loaded: Loaded) -> Target | None:
    """The target of the output besides the run folder; None if the spec has none."""
    output = loaded.spec.output
    if output.path is None and output.url is None:
        return None
    path = None if output.path is None else loaded.place(output.path, "output", "path")
    csv = csv_of(output.model_dump())
    return Target(output.format, path, output.url, output.table, output.if_exists, loaded.file.parent, csv)


def csv_of(output: Mapping[str, Any]) -> Csv:
    """The csv dialect among the keys of `output`; those that a spec or an older run does not have are not given."""
    return Csv(**{f.name: output[f.name] for f in fields(Csv) if f.name in output})
