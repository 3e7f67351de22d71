"""Check and parse a spec of one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from synthcli import sources
from synthcli.columns import frame
from synthcli.columns.constraints import rule as rule_types
from synthcli.columns.constraints.computed import Computed
from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.expressions.compile import Expression, parse
from synthcli.columns.expressions.order import evaluation_order
from synthcli.columns.expressions.properties import parse_property
from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modality import Choice
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import SpecError, did_you_mean
from synthcli.spec import gates, places
from synthcli.spec.describe import Gates, open_source, unit_of
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.models import Spec
from synthcli.spec.traits import check_traits, rule_path
from synthcli.tabular.methods import distributions
from synthcli.tabular.source import Described

METHODS = "tabular"
JUDGES = ("tabular",)
# Default gates fail where the whole interval misses the bound: on a small table a sound synthesis misses it by chance.
QUALITY = (
    Gate("column_shapes", min=0.95, bound="favourable", of="floor"),
    Gate("column_pair_trends", min=0.95, bound="favourable", of="floor"),
    Gate("detection_auc", max=0.80, severity="warn", bound="favourable"),
)
WORST = (
    Gate("worst_column_shape", min=0.95, bound="favourable", of="floor"),
    Gate("worst_pair_trend", min=0.90, bound="favourable", of="floor"),
)
UTILITY = (Gate("utility_ratio", min=0.90, bound="favourable"),)
RULES = (Gate("constraint_violations", max=0.0, bound="value"),)
PRIVACY = (
    Gate("membership_auc", max=0.55, bound="favourable"),
    Gate("dcr_share", max=0.60, bound="favourable"),
    Gate("excess_copies", max=0.05, bound="favourable"),
    Gate("real_identifiers", max=0.05, bound="favourable"),
)


def default_gates(have: frozenset[str]) -> Gates:
    """The default gates that a spec has the evidence for."""
    single = "relationships" not in have  # the figures of related tables are means over tables
    quality = (
        *(QUALITY if "control" in have else ()),
        *(WORST if "control" in have and single else ()),
        *(UTILITY if {"target", "control"} <= have else ()),
    )
    return (*quality, *(RULES if "constraints" in have else ())), (PRIVACY if "control" in have else ())


def default_choice(loaded: Loaded) -> Choice | None:
    """trees, or distributions without data; None for auto."""
    if loaded.spec.generator.method == "auto":
        return None
    return Choice(
        "distributions" if loaded.spec.source.type == "none" else "trees",
        loaded.spec.generator.params,
        modality=METHODS,
    )


def problems(loaded: Loaded) -> Iterator[Problem]:
    """Yield the contradictions in sources, outputs and the user's own measurements."""
    yield from places.source(loaded.spec)
    yield from _own(loaded)
    yield from places.output(loaded)


def describe(loaded: Loaded) -> Described:
    """Parse the description of one table. Raises SpecError."""
    spec = loaded.spec
    split = spec.source.split
    rules, where = _parsed(loaded)

    def fail(rule: Rule | None, why: str) -> SpecError:
        if rule is None:
            return loaded.fail([(("generate", "where"), why)])
        return loaded.fail([(_place(loaded, rules, rule), why)])

    def check(kinds: Mapping[str, str]) -> None:
        check_columns(loaded, rules, kinds)
        check_traits(loaded, kinds)

    return Described(
        source=open_source(loaded),
        columns={name: traits for name, traits in spec.columns.items() if not traits.drop},
        rules=rules,
        unit=unit_of(spec) or spec.privacy_unit,
        parts=split.parts,
        stratify_by=split.stratify_by,
        where=where,
        target=spec.evaluate.target,
        preserve=spec.evaluate.preserve,
        seed=spec.seed,
        output=spec.output.format,
        schema=declared_schema(loaded, rules) if spec.source.type == "none" else None,
        check=check,
        fail=fail,
    )


def _parsed(loaded: Loaded) -> tuple[tuple[Rule, ...], Expression | None]:
    """The constraints and `where`. Raises one SpecError that lists all that cannot be parsed."""
    problems: list[Problem] = []
    rules: list[Rule] = []
    where = None
    for i, raw in enumerate(loaded.spec.constraints):
        try:
            rules.append(parse_rule(raw))
        except SpecError as error:
            problems.append((rule_path(loaded, i), str(error)))
    rules += _computed(loaded, problems)
    if loaded.spec.generate.where is not None:
        try:
            where = parse(loaded.spec.generate.where)
        except SpecError as error:
            problems.append((("generate", "where"), str(error)))
    if problems:
        raise loaded.fail(problems)
    return tuple(rules), where


def _computed(loaded: Loaded, problems: list[Problem]) -> list[Rule]:
    """The columns with `expr` of a spec with data, each after those that its expression reads. problems: receives
    what is wrong with them.
    """
    rules: dict[str, Rule] = {}
    if loaded.spec.source.type == "none":
        return []
    for name, traits in loaded.spec.columns.items():
        if traits.expr is not None:
            try:
                rules[name] = Computed(name, parse(traits.expr), traits.precision, traits.on_violation or "error")
            except SpecError as error:
                problems.append((("columns", name, "expr"), str(error)))
    try:
        return [rules[name] for name in evaluation_order({name: rule.columns - {name} for name, rule in rules.items()})]
    except SpecError as error:
        problems.append((("columns", next(iter(rules)), "expr"), str(error)))
        return []


def _place(loaded: Loaded, rules: Sequence[Rule], rule: Rule) -> tuple[str | int, ...]:
    """The position of a rule in the spec."""
    if isinstance(rule, Computed):
        return ("columns", rule.column, "expr")
    return rule_path(loaded, next(i for i, each in enumerate(rules) if each is rule))


def declared_schema(loaded: Loaded, rules: Sequence[Rule]) -> Schema:
    """The schema of a spec without a source. Raises SpecError for a column that lacks a distribution, or
    contradicts itself.
    """
    schema = distributions.complete(Schema(tuple(Column(name, traits) for name, traits in loaded.spec.columns.items())))
    distributions.check(schema, loaded.spec.generate.rows)
    check_columns(loaded, rules, {c.name: c.kind for c in schema.columns})
    return schema


def hold_against_source(loaded: Loaded, described: Described) -> int:
    """Check every name against the source's columns, and return their number. Raises SpecError."""
    if described.schema is not None:
        return len(described.schema.names)
    names = sources.columns(described.source)
    kinds = {name: loaded.spec.columns.get(name, Traits()).type or "category" for name in names}
    check_columns(loaded, described.rules, kinds)
    declared = {name: traits.type for name, traits in loaded.spec.columns.items() if traits.type is not None}
    check_traits(loaded, declared)
    return len(names)


def check_columns(loaded: Loaded, rules: Sequence[Rule], kinds: Mapping[str, str]) -> None:
    """Raise one SpecError that lists every key whose column is missing or unsuitable. kinds: column -> kind."""
    spec = loaded.spec
    named: list[tuple[tuple[str | int, ...], str | None]] = [
        (("privacy_unit",), spec.privacy_unit),
        (("source", "split", "stratify_by"), spec.source.split.stratify_by),
        (("evaluate", "target"), spec.evaluate.target),
        *((("columns", name), name) for name, traits in spec.columns.items() if not traits.drop),
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
                f"is of type {kinds[target]}, which no model can predict; remedy: a number, boolean or category",
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
    for rule in rules:
        if isinstance(rule, Computed) and rule.column not in kinds:
            continue  # named above
        try:
            rule.check(kinds)
        except SpecError as error:
            problems.append((_place(loaded, rules, rule), str(error)))
    if problems:
        raise loaded.fail(problems)


def _is_trees(spec: Spec) -> bool:
    return spec.generator.method in (None, "trees") and isinstance(
        spec.generator.params.get("order", ()), (list, tuple)
    )


def _some(names: Mapping[str, str], most: int = 12) -> str:
    shown = list(names)[:most]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")


def _own(loaded: Loaded) -> Iterator[Problem]:
    """Check the user's own measurements: properties, a metrics file, a command."""
    evaluate = loaded.spec.evaluate
    for i, text in enumerate(evaluate.preserve):
        if text in evaluate.preserve[:i]:
            yield ("evaluate", "preserve", i), "is listed twice; remedy: keep one of the two"
        try:
            parse_property(text)
        except SpecError as error:
            yield ("evaluate", "preserve", i), str(error)
    if evaluate.preserve and "control" not in gates.available(loaded.spec):
        yield ("evaluate", "preserve"), gates.LACKS["control"]
    if evaluate.domain is not None:
        file = loaded.resolve(evaluate.domain.path, "evaluate", "domain")
        if file.suffix != ".py" or not file.is_file():
            yield (
                ("evaluate", "domain"),
                f"{file} is not a Python file; expected one with measure(evidence, params, *, rng)",
            )
    if evaluate.downstream is not None and not evaluate.downstream.command.strip():
        yield ("evaluate", "downstream", "command"), "is empty"
