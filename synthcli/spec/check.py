"""Check that a spec has no contradictions, and parse it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from synthcli import plugins
from synthcli.columns import frame
from synthcli.columns.fake import generate as fake
from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modality import Choice, Described, Engine, Target
from synthcli.contracts.modelling import Request
from synthcli.contracts.schema import Column
from synthcli.errors import SpecError, did_you_mean
from synthcli.spec import describe, gates
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.models import Spec
from synthcli.spec.traits import KINDS

GUARANTEE = "none"  # the only guarantee that a spec can require so far


@dataclass(frozen=True)
class Checked:
    """A parsed spec without contradictions. choices: empty until `auto` has seen the profile; request: its rows are 0
    unless the spec gives a number.
    """

    modality: str
    described: Described
    request: Request
    choices: tuple[Choice, ...]
    quality: tuple[Gate, ...]
    privacy: tuple[Gate, ...]
    attacks: tuple[str, ...]
    engine: Engine
    target: Target | None


def check(loaded: Loaded) -> Checked:
    """Parse a spec. Raises one SpecError that lists every contradiction that can be found without data."""
    spec, modality = loaded.spec, describe.known_modality(loaded)
    room = describe.keys(modality)
    problems = [
        *room.problems(loaded),
        *_columns(spec),
        *_generator(loaded, room.METHODS),
        *_conditions(spec),
        *gates.problems(loaded, room.JUDGES),
    ]
    if problems:
        raise loaded.fail(problems)
    described = room.describe(loaded)
    (quality, privacy), attacks = gates.resolved(spec, modality)
    return Checked(
        modality=modality,
        described=described,
        request=describe.request_of(spec.generate, spec.seed, spec.generate.rows or 0),
        choices=describe.choices(loaded),
        quality=quality,
        privacy=privacy,
        attacks=attacks,
        engine=describe.engine_of(spec),
        target=describe.open_target(loaded),
    )


def _columns(spec: Spec) -> Iterator[Problem]:
    for name, traits in spec.columns.items():
        known = (*KINDS, *fake.KINDS)
        if traits.type is not None and traits.type not in known:
            yield (
                ("columns", name, "type"),
                f"unknown type.{did_you_mean(traits.type, known)} Known: {', '.join(known)}",
            )
        if traits.drop is not None and (odd := sorted(traits.model_fields_set - {"drop"})):
            yield ("columns", name, odd[0]), "has no effect on a column with drop; remedy: leave one of the two out"
        if traits.drop and spec.source.type == "none":
            yield ("columns", name, "drop"), "there is no column to drop (source.type: none); remedy: leave it out"
        if traits.drop and name == describe.unit_of(spec):
            yield ("columns", name, "drop"), "is the privacy_unit, which tells whose rows they are; remedy: keep it"
        if spec.source.type != "none":
            for key in sorted(traits.model_fields_set & {"distribution", "weights", "sequence", "after"}):
                yield (
                    ("columns", name, key),
                    "describes how to generate a column without data; it belongs to source.type: none",
                )
        if traits.expr is not None and spec.source.tables is not None and spec.source.type != "none":
            remedy = f"constraints: [{{table: {name.partition('.')[0]}, expr: …}}]"
            yield (
                ("columns", name, "expr"),
                f"computes columns of a single table, not of related tables; remedy: {remedy}",
            )
        if traits.on_violation is not None and (traits.expr is None or spec.source.type == "none"):
            yield (
                ("columns", name, "on_violation"),
                "says what rows of the source do that disagree with expr; remedy: remove it",
            )
        low, high = traits.min, traits.max
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
            yield ("columns", name, "min"), f"is greater than max: {high}"
        for key in ("min", "max"):
            bound = getattr(traits, key)
            if isinstance(bound, str) and traits.type in ("integer", "float"):
                yield ("columns", name, key), f"expected a number for a column of type {traits.type}"
        if (
            spec.source.type != "none"
            and traits.type is not None
            and traits.type in known
            and traits.type not in frame.MODELLED
        ):
            try:
                fake.check(Column(name, traits))
            except SpecError as error:
                yield ("columns", name), str(error)


def _generator(loaded: Loaded, methods: str) -> Iterator[Problem]:
    spec = loaded.spec
    generator = spec.generator
    if generator.candidates is not None:
        for key in sorted(generator.model_fields_set & {"method", "params"}):
            yield ("generator", key), "cannot be combined with candidates; remedy: keep one of the two"
        for i, candidate in enumerate(generator.candidates):
            if candidate in generator.candidates[:i]:
                yield ("generator", "candidates", i), "is listed twice; remedy: keep one of the two"
            yield from _method(("generator", "candidates", i), candidate.method, candidate.params, spec, methods)
        return
    if generator.method == "auto":
        if generator.params:
            yield ("generator", "params"), "method: auto chooses the parameters; remedy: name the method"
        if spec.source.type == "none":
            yield ("generator", "method"), "auto needs data, and source.type is none; remedy: method: distributions"
        return
    method = generator.method or describe.choices(loaded)[0].method
    yield from _method(("generator",), method, generator.params, spec, methods)


def _method(
    path: tuple[str | int, ...], name: str, params: Mapping[str, object], spec: Spec, methods: str
) -> Iterator[Problem]:
    if name == "auto":
        yield (*path, "method"), "auto cannot be a candidate; remedy: name the methods"
        return
    try:
        module = plugins.method(name, methods)
    except SpecError as error:
        yield (*path, "method"), str(error)
        return
    if spec.source.type == "none" and "without_data" not in module.CAN:
        yield (*path, "method"), f"{name} learns from data, and source.type is none; remedy: method: distributions"
    if spec.source.type != "none" and "without_data" in module.CAN:
        yield (*path, "method"), f"{name} generates data from the spec alone; remedy: source: {{type: none}}"
    if GUARANTEE not in module.MODES:
        yield (*path, "method"), f"{name} needs a guarantee, one of {', '.join(sorted(module.MODES))}"
    try:
        module.Params.model_validate(params)
    except ValidationError as error:
        known = list(module.Params.model_fields)
        for e in error.errors():
            key = tuple(e["loc"])
            if e["type"] == "extra_forbidden":
                message = (
                    f"{name} has no such parameter.{did_you_mean(str(key[0]), known)} Known:"
                    f" {', '.join(known) or 'none'}"
                )
            else:
                message = str(e["msg"]).replace("Input should be", "expected").replace("Value error, ", "")
            yield (*path, "params", *key), message


_NO_VALUE = "has no values; expected {value: share}, such as {female: 0.5, male: 0.5}; remedy: leave the column out"


def _conditions(spec: Spec) -> Iterator[Problem]:
    request = spec.generate
    if request.rows is not None and request.scale is not None:
        yield ("generate", "scale"), "cannot be combined with rows; remedy: keep one of the two"
    if spec.source.type == "none" and request.rows is None and spec.source.tables is None:
        yield ("generate", "rows"), "is missing: without data, the number of rows to generate must be given"
    if spec.source.type == "none" and request.scale is not None:
        yield ("generate", "scale"), "there is no data to scale; remedy: rows"
    for name, shares in (request.balance or {}).items():
        if not shares or (total := sum(shares.values())) > 1 + 1e-9:
            yield (
                ("generate", "balance", name),
                f"the shares add up to {total:g}; expected at most 1" if shares else _NO_VALUE,
            )
    if (fair := request.fairness) is not None:
        if fair.target in fair.sensitive:
            yield ("generate", "fairness", "target"), "is among the sensitive columns; remedy: keep one of the two"
        if others := sorted(set(request.balance or ()) - {fair.target}):
            yield (
                ("generate", "balance", others[0]),
                "cannot be combined with fairness, which sets the joint distribution; only its target can be balanced",
            )
    if request.proper and spec.source.type == "none":
        yield (
            ("generate", "proper"),
            "fits the generator again to a bootstrap sample of the data, and there is no data (source.type: none)",
        )
    if spec.execution.engine == "dask" and spec.execution.address is None:
        yield ("execution",), "engine dask needs address: of the scheduler, such as tcp://127.0.0.1:8786"
    if spec.execution.engine == "dask" and spec.execution.workers is not None:
        yield ("execution", "workers"), "counts local processes; a Dask cluster has its own"
    if spec.execution.engine == "local" and spec.execution.address is not None:
        yield ("execution", "address"), "belongs to engine: dask"
    no_validation = spec.source.type == "none" or spec.source.split.validation == 0
    if no_validation and (spec.refine.max_rounds or 1) > 1:
        yield (
            ("refine", "max_rounds"),
            "rounds are judged on the validation part, and there is none; remedy: max_rounds: 1",
        )
    if no_validation and spec.generator.candidates is not None and len(spec.generator.candidates) > 1:
        yield ("generator", "candidates"), "a race is decided on the validation part, and there is none"
    if spec.source.type == "none" and spec.evaluate.target is not None:
        yield ("evaluate", "target"), "there is no real data to test a downstream model on"
