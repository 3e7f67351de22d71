"""Check and parse a spec of related tables: keys, sources, and the conditions on each table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from synthcli import plugins, sources
from synthcli.columns import frame
from synthcli.columns.constraints import rule as rule_types
from synthcli.columns.constraints.parse import FORMS, parse_rule
from synthcli.columns.constraints.rule import Rule
from synthcli.columns.expressions.compile import parse
from synthcli.contracts.evaluation import Gate
from synthcli.contracts.modality import Choice
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import SpecError, did_you_mean
from synthcli.relational import constraints
from synthcli.relational.data import check_names
from synthcli.relational.fixtures.recipe import Recipe
from synthcli.relational.fixtures.source import NoTables
from synthcli.relational.model.rules import check as check_rule
from synthcli.relational.relationships import Relationship, root
from synthcli.relational.source import Described, tables_of
from synthcli.spec import fixtures, places
from synthcli.spec.describe import Gates, table_sources
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.modalities import tabular
from synthcli.spec.models import Spec
from synthcli.spec.traits import check_traits

_SINGLE: dict[tuple[str, ...], str] = {  # keys that only single tables support
    ("generate", "copies"): "copies",
    ("generate", "proper"): "generators fitted again for each copy",
    ("evaluate", "preserve"): "named properties",
    ("evaluate", "domain"): "own metrics",
    ("evaluate", "downstream"): "downstream commands",
    ("execution", "workers"): "workers",
    ("execution", "address"): "clusters",
}
Columns = Mapping[str, Mapping[str, str]]  # table -> column -> kind
METHODS = "tabular"
JUDGES = ("tabular", "relational")
RELATIONS = (
    Gate("referential_integrity", min=1.0, bound="value"),
    Gate("cardinality_shape", min=0.95, bound="favourable", of="floor"),
    Gate("parent_child_trend", min=0.95, bound="favourable", of="floor"),
)


def default_gates(have: frozenset[str]) -> Gates:
    """The default gates of one table, and those on relationships; the ones against a floor require a control."""
    (quality, privacy), rules = tabular.default_gates(have - {"constraints"}), tabular.RULES
    relations = RELATIONS if "control" in have else tuple(g for g in RELATIONS if g.of is None)
    return (*quality, *relations, *(rules if "constraints" in have else ())), privacy


def default_choice(loaded: Loaded) -> Choice | None:
    """trees, also for auto: related tables need a method that draws rows given known values."""
    if loaded.spec.generator.method == "auto":
        why = "related tables need a method that draws rows given known values"
        return Choice("trees", {}, why, modality=METHODS)
    method = "distributions" if loaded.spec.source.type == "none" else "trees"
    return Choice(method, loaded.spec.generator.params, modality=METHODS)


def problems(loaded: Loaded) -> Iterator[Problem]:
    """Yield the contradictions that can be found without data."""
    spec = loaded.spec
    yield from _source(spec)
    yield from fixtures.problems(spec)
    yield from _tables(spec)
    yield from _conditions(spec)
    for path, what in _SINGLE.items():
        section = getattr(spec, path[0])
        if path[1] in section.model_fields_set and getattr(section, path[1]) not in (None, 1, (), False):
            yield path, f"{what} are not supported for related tables by this version; remedy: leave it out"
    if spec.execution.engine == "dask":
        yield (
            ("execution", "engine"),
            "clusters are not supported for related tables by this version; remedy: engine: local",
        )
    may = plugins.able(METHODS, "complete")
    for path_, method in _methods(spec):
        if method in plugins.names("methods", METHODS) and method not in may and spec.source.type != "none":
            why = f"{method} does not draw rows given known values, which related tables need"
            yield path_, f"{why}; remedy: one of {', '.join(may)}"
    yield from places.output_tables(loaded)


def _methods(spec: Spec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Every method of the spec, with its position."""
    if spec.generator.method not in (None, "auto"):
        yield ("generator", "method"), str(spec.generator.method)
    yield from ((("generator", "candidates", i), each.method) for i, each in enumerate(spec.generator.candidates or ()))


def _source(spec: Spec) -> Iterator[Problem]:
    for key in sorted(spec.source.model_fields_set - {"type", "tables", "relationships", "split", "dataset"}):
        yield ("source", key), "belongs to a source of one table; remedy: under source.tables"
    if spec.source.type not in ("tables", "none"):
        yield (
            ("source", "type"),
            "cannot be combined with tables; remedy: leave it out, and give the type of each table",
        )
    yield from places.split(spec)
    if not spec.source.relationships:
        yield (
            ("source",),
            "has tables and no relationships; remedy: relationships: [{from: TABLE.COLUMN, to: TABLE.COLUMN}]",
        )
    if spec.source.type != "none":
        yield from places.of_tables(spec)


def _tables(spec: Spec) -> Iterator[Problem]:
    """Every key that must name one of the tables."""
    tables = spec.source.tables or {}
    known = f"Tables: {', '.join(tables)}"
    for i, r in enumerate(spec.source.relationships):
        for key, end in (("from", r.from_), ("to", r.to)):
            for word in (end,) if isinstance(end, str) else end:
                if word.partition(".")[0] not in tables or not word.partition(".")[2]:
                    yield (
                        ("source", "relationships", i, key),
                        f"{word!r} is not TABLE.COLUMN.{did_you_mean(word.partition('.')[0], tables)} {known}",
                    )
    for name in spec.columns:
        if name.partition(".")[0] not in tables or not name.partition(".")[2]:
            yield ("columns", name), f"expected TABLE.COLUMN.{did_you_mean(name.partition('.')[0], tables)} {known}"
    if spec.privacy_unit is not None and spec.privacy_unit.partition(".")[0] not in tables:
        yield ("privacy_unit",), f"expected TABLE or TABLE.COLUMN.{did_you_mean(spec.privacy_unit, tables)} {known}"
    elif tables and spec.privacy_unit is not None and tables[spec.privacy_unit.partition(".")[0]].keep:
        yield (
            ("privacy_unit",),
            (
                "is a public table (keep: true); remedy: leave out keep: true, or name the table of the protected"
                " persons"
            ),
        )
    for path, named in (
        (("evaluate", "target"), spec.evaluate.target),
        (("source", "split", "stratify_by"), spec.source.split.stratify_by),
    ):
        if named is not None and (named.partition(".")[0] not in tables or not named.partition(".")[2]):
            yield path, f"expected TABLE.COLUMN.{did_you_mean(named.partition('.')[0], tables)} {known}"


def unit_of(spec: Spec) -> str | None:
    """The table of the privacy unit; None if a relationship is invalid."""
    tables = list(spec.source.tables or {})
    try:
        relationships = [Relationship.parse(r.from_, r.to) for r in spec.source.relationships]
    except SpecError:
        return None
    return spec.privacy_unit.partition(".")[0] if spec.privacy_unit is not None else root(tables, relationships)


def _names(spec: Spec) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """The columns of the unit's table that `generate` names, with their positions."""
    request = spec.generate
    if request.where is not None:
        try:
            yield from ((("generate", "where"), name) for name in sorted(parse(request.where).columns))
        except SpecError:
            return  # reported by _conditions
    yield from ((("generate", "balance", name), name) for name in request.balance or ())
    if request.fairness is not None:
        yield ("generate", "fairness", "target"), request.fairness.target
        yield from (
            (("generate", "fairness", "sensitive", i), name) for i, name in enumerate(request.fairness.sensitive)
        )


def _conditions(spec: Spec) -> Iterator[Problem]:
    """Check that conditions are on the table of the privacy unit, whose rows are generated first."""
    request, tables = spec.generate, spec.source.tables or {}
    if (unit := unit_of(spec)) not in tables or all(
        v is None for v in (request.where, request.balance, request.fairness)
    ):
        return
    for r in spec.source.relationships:
        one = r.from_ if isinstance(r.from_, str) else r.from_[0]
        other = r.to if isinstance(r.to, str) else r.to[0]
        above = other.partition(".")[0]
        if one.partition(".")[0] == unit and above != unit:
            key = next(key for key in ("where", "balance", "fairness") if getattr(request, key) is not None)
            remedy = (
                "leave it out"
                if above in tables and tables[above].keep
                else f"privacy_unit: {above}, and conditions on it"
            )
            yield (
                ("generate", key),
                f"is a condition on {unit}, whose rows are generated given those of {above}; remedy: {remedy}",
            )
            break
    if request.where is not None:
        try:
            rule_types.parse_constraint(request.where)
        except SpecError as error:
            yield ("generate", "where"), str(error)
    for path, name in _names(spec):
        table, _, column = name.partition(".")
        if column and table in tables:
            remedy = f"write {column}" if table == unit else f"a condition on columns of {unit}; its child rows follow"
            yield (
                path,
                (
                    f"{name!r}: conditions are on columns of {unit}, the table of the privacy unit, alone; remedy:"
                    f" {remedy}"
                ),
            )


# --- checked against the data


def against(loaded: Loaded, tables: Columns, unit: str, *, typed: bool = True) -> None:
    """Raise one SpecError that lists every key whose column is missing or of an unsuitable kind. typed: whether kinds
    are known.
    """
    spec = loaded.spec
    problems: list[Problem] = []
    for name, said in spec.columns.items():
        table, _, column = name.partition(".")
        if not said.drop and column not in tables[table]:
            problems.append((("columns", name), _lacks(table, column, tables)))
    for i, r in enumerate(spec.source.relationships):
        for key, end in (("from", r.from_), ("to", r.to)):
            for word in (end,) if isinstance(end, str) else end:
                table, _, column = word.partition(".")
                if column not in tables[table]:
                    problems.append((("source", "relationships", i, key), _lacks(table, column, tables)))
    for path, named in (
        (("evaluate", "target"), spec.evaluate.target),
        (("source", "split", "stratify_by"), spec.source.split.stratify_by),
    ):
        if named is None:
            continue
        table, _, column = named.partition(".")
        if column not in tables[table]:
            problems.append((path, _lacks(table, column, tables)))
        elif path[-1] == "target" and typed and tables[table][column] not in frame.MODELLED:
            problems.append(
                (
                    path,
                    (
                        f"is of type {tables[table][column]}, which no model can predict; remedy: a number, boolean or"
                        " category"
                    ),
                )
            )
        elif path[-1] == "stratify_by" and table != unit:
            problems.append((path, f"is a column of {table}; expected one of {unit}, the table of the privacy unit"))
    who = (spec.privacy_unit or "").partition(".")[2]
    if who and who not in tables[unit]:
        problems.append((("privacy_unit",), _lacks(unit, who, tables)))
    problems += [(path, _lacks(unit, name, tables)) for path, name in _names(spec) if name not in tables[unit]]
    if typed:
        made_up = [(path, name) for path, name in _names(spec) if tables[unit].get(name, "float") not in frame.MODELLED]
        why = "is of type {}, whose values are made up and never learned; remedy: a condition on other columns"
        problems += [(path, f"{name} {why.format(tables[unit][name])}") for path, name in made_up]
    if spec.generate.where is not None and typed and not problems:
        try:
            rule_types.parse_constraint(spec.generate.where).check(tables[unit])
        except SpecError as error:
            problems.append((("generate", "where"), str(error)))
    if problems:
        raise loaded.fail(problems)


def _lacks(table: str, column: str, tables: Columns) -> str:
    names = list(tables[table])
    shown = ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
    return f"table {table} has no column {column!r}.{did_you_mean(column, names)} Columns: {shown}"


# --- parsed


def describe(loaded: Loaded) -> Described:
    """Parse the description of related tables. Raises SpecError."""
    spec = loaded.spec
    tables, split, none = spec.source.tables or {}, spec.source.split, spec.source.type == "none"
    rules: dict[str, tuple[Rule, ...]] = {}
    places: dict[tuple[str, str], Any] = {}
    for i, raw in enumerate(spec.constraints):
        table, rule = _rule_of(loaded, i, raw)
        if rule.text in [known.text for known in rules.get(table, ())]:
            raise loaded.fail([(("constraints", i), "is listed twice; remedy: keep one of the two")])
        rules[table] = (*rules.get(table, ()), rule)
        form = next((key for key in raw if key in FORMS), None)
        places[table, rule.text] = ("constraints", i) if form is None else ("constraints", i, form)
    relationships = tuple(Relationship.parse(r.from_, r.to, r.on_orphans) for r in spec.source.relationships)
    traits = by_table({name: t for name, t in spec.columns.items() if not t.drop}, list(tables), "columns")
    return Described(
        recipe=fixtures.recipe(loaded, relationships, traits, rules) if none else None,
        check=lambda schemas, unit: _against(loaded, schemas, unit),
        fail=lambda table, rule, why: loaded.fail([(places[table, rule.text], why)]),
        sources={} if none else table_sources(loaded),
        relationships=relationships,
        traits=traits,
        rules=rules,
        kept=frozenset(name for name, each in tables.items() if each.keep),
        unit=spec.privacy_unit,
        parts=split.parts,
        stratify_by=split.stratify_by,
        target=spec.evaluate.target,
        seed=spec.seed,
        output=spec.output.format,
    )


def _rule_of(loaded: Loaded, i: int, raw: Any) -> tuple[str, Rule]:
    """The table and the rule of a constraint. Raises SpecError."""
    tables = loaded.spec.source.tables or {}
    if not isinstance(raw, Mapping) or raw.get("table") not in tables:
        named = raw.get("table") if isinstance(raw, Mapping) else None
        near = did_you_mean(str(named), tables) if named is not None else ""
        why = f"names none of the tables; expected {{table: NAME, expr: …}}.{near} Tables: {', '.join(tables)}"
        raise loaded.fail([(("constraints", i, "table") if named is not None else ("constraints", i), why)])
    try:
        return str(raw["table"]), parse_rule({k: v for k, v in raw.items() if k != "table"})
    except SpecError as error:
        form = next((key for key in raw if key in FORMS), None)
        raise loaded.fail([(("constraints", i) if form is None else ("constraints", i, form), str(error))]) from None


def by_table(keyed: Mapping[str, Any], tables: Sequence[str], where: str) -> dict[str, dict[str, Any]]:
    """Regroup values keyed by table.column: table -> column -> value. Raises SpecError for an unknown table."""
    out: dict[str, dict[str, Any]] = {name: {} for name in tables}
    for key, value in keyed.items():
        table, dot, column = key.partition(".")
        if table not in out or not dot:
            raise SpecError(
                f"{where}.{key}: expected table.column.{did_you_mean(table, tables)} Tables: {', '.join(tables)}"
            )
        out[table][column] = value
    return out


def _against(loaded: Loaded, schemas: Mapping[str, Schema], unit: str) -> None:
    kinds = {table: {c.name: c.kind for c in schema.columns} for table, schema in schemas.items()}
    against(loaded, kinds, unit)
    check_traits(
        loaded, {f"{table}.{column}": kind for table, columns in kinds.items() for column, kind in columns.items()}
    )


def _hold_against_recipe(loaded: Loaded, described: Described, recipe: Recipe) -> int:
    """Check every rule against the columns that are generated, and return their number."""
    empty = NoTables(described, recipe).tables
    for name, some in described.rules.items():
        for rule in some:
            try:
                check_rule(rule, name, empty.schemas, recipe.order)
            except SpecError as error:
                raise described.fail(name, rule, str(error).removeprefix(f"constraint {rule.text}: ")) from None
    return sum(len(schema.names) for schema in recipe.schemas.values())


def hold_against_source(loaded: Loaded, described: Described) -> int:
    """Check every name against the tables' columns, and return their number. Raises SpecError, DataError."""
    spec = loaded.spec
    if described.recipe is not None:
        return _hold_against_recipe(loaded, described, described.recipe)
    names = {table: sources.columns(source) for table, source in described.sources.items()}
    declared = {
        t: {c: spec.columns.get(f"{t}.{c}", Traits()).type or "category" for c in columns}
        for t, columns in names.items()
    }
    schemas = {
        t: Schema(tuple(Column(c, Traits(type=kind)) for c, kind in columns.items())) for t, columns in declared.items()
    }
    empty = tables_of(described, {t: pd.DataFrame(columns=columns) for t, columns in names.items()}, schemas)
    against(loaded, declared, empty.unit[0], typed=False)
    check_names(empty)
    constraints.ruled(empty, described.rules, described.fail, typed=False)
    return sum(map(len, names.values()))
