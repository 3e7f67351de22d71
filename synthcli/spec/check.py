"""What a spec must be besides well-formed: no contradictions, and true of the source's columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from pydantic import ValidationError

from synthcli import plugins
from synthcli.columns import frame
from synthcli.columns.constraints import parse
from synthcli.columns.constraints import rule as rule_types
from synthcli.columns.expressions.properties import parse_property
from synthcli.columns.fake import generate as fake
from synthcli.contracts.evaluation import Gauge
from synthcli.contracts.schema import Column, Traits
from synthcli.errors import SpecError, did_you_mean
from synthcli.spec import places
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.modalities import relational
from synthcli.spec.models import GateKeys, Spec

KINDS = ("boolean", "integer", "float", "datetime", "timedelta", "category", "text", "id")
PRIVACY = "attacks"


def gauges(kind: str, rooms: Collection[str] | None = None) -> dict[str, Gauge]:
    """Everything that metrics/ or attacks/ can measure, by name; rooms: of these modules only."""
    return {
        gauge.name: gauge
        for floor in plugins.FLOORS
        for name in plugins.names(kind, floor)
        if rooms is None or name in rooms
        for gauge in plugins.judge(kind, name, floor).GAUGES
    }


def check(loaded: Loaded) -> None:
    """Raise one SpecError with every contradiction that can be seen without data."""
    spec = loaded.spec
    if spec.source.tables is not None:
        if problems := [
            *relational.check(loaded),
            *_columns(spec),
            *_generator(spec),
            *_asked(spec),
            *_gates(loaded),
        ]:
            raise loaded.fail(problems)
        return
    problems = [
        *places.source(spec),
        *_columns(spec),
        *_generator(spec),
        *_asked(spec),
        *_own(loaded),
        *_gates(loaded),
        *places.output(loaded),
    ]
    if problems:
        raise loaded.fail(problems)


def check_columns(loaded: Loaded, kinds: Mapping[str, str]) -> None:
    """Raise one SpecError for every key that names a column which the data lacks. kinds: column -> kind."""
    spec = loaded.spec
    named: list[tuple[tuple[str | int, ...], str | None]] = [
        (("privacy_unit",), spec.privacy_unit),
        (("source", "split", "stratify_by"), spec.source.split.stratify_by),
        (("evaluate", "target"), spec.evaluate.target),
        *((("columns", name), name) for name in spec.columns),
        *((("generate", "balance", name), name) for name in spec.generate.balance or ()),
        *(
            (("generate", "fairness", "sensitive", i), name)
            for i, name in enumerate(spec.generate.fairness.sensitive if spec.generate.fairness else ())
        ),
        *([(("generate", "fairness", "target"), spec.generate.fairness.target)] if spec.generate.fairness else []),
        *(
            (("generator", "params", "order", i), c)
            for i, c in enumerate(spec.generator.params.get("order", ()) if _is_trees(spec) else ())
        ),
    ]
    problems: list[Problem] = [
        (path, f"the data has no column {name!r}.{did_you_mean(name, kinds)} Columns: {_some(kinds)}")
        for path, name in named
        if name is not None and name not in kinds
    ]
    target = spec.evaluate.target
    if target is not None and target in kinds and kinds[target] not in frame.MODELLED:
        problems.append(
            (
                ("evaluate", "target"),
                f"is of type {kinds[target]}, which no model predicts; remedy: a number, boolean or category",
            )
        )
    if spec.generate.where is not None:
        try:
            rule_types.parse_constraint(spec.generate.where).check(kinds)
        except SpecError as error:
            problems.append((("generate", "where"), str(error)))
    for i, text in enumerate(spec.evaluate.preserve):
        try:
            parse_property(text).check(kinds)
        except SpecError as error:
            problems.append((("evaluate", "preserve", i), str(error)))
    for i, rule in enumerate(spec.constraints):
        try:
            parse.parse_rule(rule).check(kinds)
        except SpecError as error:
            problems.append((rule_path(loaded, i), str(error)))
    if problems:
        raise loaded.fail(problems)


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


def _is_trees(spec: Spec) -> bool:
    return spec.method == "trees" and isinstance(spec.generator.params.get("order", ()), (list, tuple))


def _some(names: Mapping[str, str], most: int = 12) -> str:
    shown = list(names)[:most]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def rule_path(loaded: Loaded, i: int) -> tuple[str | int, ...]:
    """Where the i-th constraint stands."""
    raw = loaded.document.data["constraints"][i]
    return ("constraints", i, next(iter(raw))) if isinstance(raw, dict) and raw else ("constraints", i)


def _columns(spec: Spec) -> Iterator[Problem]:
    for name, traits in spec.columns.items():
        known = (*KINDS, *fake.KINDS)
        if traits.type is not None and traits.type not in known:
            yield (
                ("columns", name, "type"),
                f"unknown type.{did_you_mean(traits.type, known)} Known: {', '.join(known)}",
            )
        if spec.source.type != "none":
            for key in sorted(traits.model_fields_set & {"distribution", "weights", "sequence", "expr"}):
                yield ("columns", name, key), "says how a column is made without data; it belongs to source.type: none"
        low, high = traits.min, traits.max
        if isinstance(low, (int, float)) and isinstance(high, (int, float)) and low > high:
            yield ("columns", name, "min"), f"lies above max: {high}"
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


def _generator(spec: Spec) -> Iterator[Problem]:
    generator = spec.generator
    if generator.candidates is not None:
        for key in sorted(generator.model_fields_set & {"method", "params"}):
            yield ("generator", key), "stands beside candidates; remedy: keep one of the two"
        for i, candidate in enumerate(generator.candidates):
            if candidate in generator.candidates[:i]:
                yield ("generator", "candidates", i), "stands twice; remedy: keep one of the two"
            yield from _method(("generator", "candidates", i), candidate.method, candidate.params, spec)
        return
    if generator.method == "auto":
        if generator.params:
            yield ("generator", "params"), "method: auto chooses the parameters; remedy: name the method"
        if spec.source.type == "none":
            yield ("generator", "method"), "auto looks at data, and source.type is none; remedy: method: distributions"
        return
    yield from _method(("generator",), spec.method, generator.params, spec)


def _method(path: tuple[str | int, ...], name: str, params: Mapping[str, object], spec: Spec) -> Iterator[Problem]:
    if name == "auto":
        yield (*path, "method"), "auto does not race; remedy: name the methods"
        return
    try:
        module = plugins.method(name)
    except SpecError as error:
        yield (*path, "method"), str(error)
        return
    if spec.source.type == "none" and module.NEEDS_DATA:
        yield (*path, "method"), f"{name} learns from data, and source.type is none; remedy: method: distributions"
    if spec.source.type != "none" and not module.NEEDS_DATA:
        yield (*path, "method"), f"{name} makes data from the spec alone; remedy: source: {{type: none}}"
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


_NO_VALUE = "names no value; expected {value: share}, such as {female: 0.5, male: 0.5}; remedy: leave the column out"


def _asked(spec: Spec) -> Iterator[Problem]:
    asked = spec.generate
    if asked.rows is not None and asked.scale is not None:
        yield ("generate", "scale"), "stands beside rows; remedy: keep one of the two"
    if spec.source.type == "none" and asked.rows is None:
        yield ("generate", "rows"), "is missing: without data, rows must say how many to make"
    if spec.source.type == "none" and asked.scale is not None:
        yield ("generate", "scale"), "there is no data to scale; remedy: rows"
    for name, shares in (asked.balance or {}).items():
        if not shares or (total := sum(shares.values())) > 1 + 1e-9:
            yield (
                ("generate", "balance", name),
                f"the shares add up to {total:g}; expected at most 1" if shares else _NO_VALUE,
            )
    if (fair := asked.fairness) is not None:
        if fair.target in fair.sensitive:
            yield ("generate", "fairness", "target"), "is among the sensitive columns; remedy: keep one of the two"
        if others := sorted(set(asked.balance or ()) - {fair.target}):
            yield (
                ("generate", "balance", others[0]),
                "stands beside fairness, which decides how columns go together; only its target may be balanced",
            )
    if asked.proper and spec.source.type == "none":
        yield (
            ("generate", "proper"),
            "fits the generator anew to a bootstrap of the data, and there is no data (source.type: none)",
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
            "rounds are steered by the validation part, and there is none; remedy: max_rounds: 1",
        )
    if no_validation and spec.generator.candidates is not None and len(spec.generator.candidates) > 1:
        yield ("generator", "candidates"), "a race is decided on the validation part, and there is none"
    if spec.source.type == "none" and spec.evaluate.target is not None:
        yield ("evaluate", "target"), "there is no real data to test a downstream model on"


def _own(loaded: Loaded) -> Iterator[Problem]:
    """What the user brings: properties, a file of metrics, a command."""
    evaluate = loaded.spec.evaluate
    for i, text in enumerate(evaluate.preserve):
        if text in evaluate.preserve[:i]:
            yield ("evaluate", "preserve", i), "stands twice; remedy: keep one of the two"
        try:
            parse_property(text)
        except SpecError as error:
            yield ("evaluate", "preserve", i), str(error)
    if evaluate.preserve and "control" not in available(loaded.spec):
        yield ("evaluate", "preserve"), _LACKS["control"]
    if evaluate.domain is not None:
        file = loaded.resolve(evaluate.domain.path, "evaluate", "domain")
        if file.suffix != ".py" or not file.is_file():
            yield (
                ("evaluate", "domain"),
                f"{file} is no Python file; expected one with measure(evidence, params, *, rng)",
            )
    if evaluate.downstream is not None and not evaluate.downstream.command.strip():
        yield ("evaluate", "downstream", "command"), "is empty"


def _domain_gauges(loaded: Loaded) -> dict[str, Gauge]:
    """The gates whose metric is named in the user's file of metrics: what it measures is known only once it runs."""
    evaluate = loaded.spec.evaluate
    if evaluate.domain is None:
        return {}
    try:
        text = loaded.resolve(evaluate.domain.path, "evaluate", "domain").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    named = [gate.metric for gate in evaluate.gates or () if gate.metric in text]
    return {
        name: Gauge(name, "higher", frozenset({"synthetic"}), f"measured by {evaluate.domain.path}") for name in named
    }


def available(spec: Spec) -> frozenset[str]:
    """What a verdict of this spec can look at; see Gauge.needs."""
    have = {"synthetic"}
    if spec.source.type != "none":
        have.add("train")
        if spec.source.split.holdout > 0:
            have.add("control")
    if spec.source.tables is not None:
        have.add("relationships")
    if spec.evaluate.target is not None:
        have.add("target")
    if spec.constraints:
        have.add("constraints")
    asked = {
        "preserve": spec.evaluate.preserve,
        "fairness": spec.generate.fairness,
        "downstream": spec.evaluate.downstream,
    }
    have |= {name for name, given in asked.items() if given}
    return frozenset(have)


_LACKS = {
    "control": "needs a holdout part of real data; remedy: source.split.holdout above 0",
    "train": "needs real data, and source.type is none",
    "target": "needs evaluate.target: COLUMN",
    "constraints": "needs constraints",
    "relationships": "needs source.tables and source.relationships",
    "preserve": "needs evaluate.preserve: properties, such as mean(age)",
    "fairness": "needs generate.fairness: {target: COLUMN, sensitive: [COLUMN]}",
    "downstream": "needs evaluate.downstream: {command: …}",
}


def _gates(loaded: Loaded) -> Iterator[Problem]:
    spec = loaded.spec
    quality, privacy = _domain_gauges(loaded) | gauges("metrics"), gauges(PRIVACY)
    chosen = spec.privacy_check.attacks
    if chosen != "default":
        for i, attack in enumerate(chosen):
            if attack not in plugins.names(PRIVACY):
                yield (
                    ("privacy_check", "attacks", i),
                    (
                        f"unknown attack.{did_you_mean(attack, plugins.names(PRIVACY))} Known:"
                        f" {', '.join(plugins.names(PRIVACY))}"
                    ),
                )
        privacy = gauges(PRIVACY, chosen)
    have = available(spec)
    yield from _bounds("evaluate", spec.evaluate.gates or (), quality, "privacy_check.gates", gauges(PRIVACY), have)
    yield from _bounds("privacy_check", spec.privacy_check.gates or (), privacy, "evaluate.gates", quality, have)


def _bounds(
    section: str,
    gates: tuple[GateKeys, ...],
    known: Mapping[str, Gauge],
    other: str,
    others: Mapping[str, Gauge],
    have: frozenset[str],
) -> Iterator[Problem]:
    for i, gate in enumerate(gates):
        path = (section, "gates", i)
        if gate.min is None and gate.max is None:
            yield path, f"the gate on {gate.metric} has neither min nor max"
        if gate.min is not None and gate.max is not None and gate.min > gate.max:
            yield (*path, "min"), f"lies above max: {gate.max}"
        if gate.metric not in known:
            hint = f" It belongs to {other}." if gate.metric in others else did_you_mean(gate.metric, known)
            yield (*path, "metric"), f"this spec measures no such thing.{hint} Known: {', '.join(known)}"
            continue
        for lack in sorted(known[gate.metric].needs - have):
            yield (*path, "metric"), f"cannot be measured by this spec: it {_LACKS[lack]}"
        if gate.of == "floor" and "control" not in have:
            yield (*path, "of"), "the floor is what unseen real data gets, and there is no holdout part"


def check_names(loaded: Loaded, names: Sequence[str]) -> None:
    """`check_columns` as far as column names alone allow; a rule's names are checked, its types are not."""
    check_columns(loaded, {name: loaded.spec.columns.get(name, Traits()).type or "category" for name in names})
    check_traits(loaded, {name: traits.type for name, traits in loaded.spec.columns.items() if traits.type is not None})
