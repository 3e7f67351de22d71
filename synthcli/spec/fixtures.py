"""Check and parse related tables without data: source.type none with tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from synthcli.columns.constraints.rule import Rule
from synthcli.contracts.schema import Schema, Traits
from synthcli.errors import SpecError, did_you_mean
from synthcli.relational.fixtures.recipe import Recipe, TableRecipe, completed, law
from synthcli.relational.relationships import Relationship, root
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.models import Spec, TableSource

_RECIPE = frozenset({"rows", "per", "children"})


def problems(spec: Spec) -> Iterator[Problem]:
    """Contradictions in the tables of a spec without data, and keys of such tables in a spec with data."""
    tables = spec.source.tables or {}
    if spec.source.type != "none":
        for name, each in tables.items():
            for key in sorted(each.model_fields_set & _RECIPE):
                yield ("source", "tables", name, key), "generates rows without data; it belongs to source.type: none"
        return
    if "split" in spec.source.model_fields_set:
        yield ("source", "split"), "there is no data to split (source.type: none)"
    if spec.privacy_unit is not None:
        yield ("privacy_unit",), "there is no data to protect (source.type: none)"
    for key in ("where", "balance", "fairness", "scale"):
        if getattr(spec.generate, key) is not None:
            yield ("generate", key), "needs data to learn from (source.type: none); remedy: constraints, or weights"
    for name, each in tables.items():
        yield from ((("source", "tables", name, *path), why) for path, why in _table(name, each, spec))
    yield from _structure(spec)


def _table(name: str, each: TableSource, spec: Spec) -> Iterator[tuple[tuple[str, ...], str]]:
    """The contradictions of one table."""
    tables = spec.source.tables or {}
    for key in sorted(each.model_fields_set - _RECIPE):
        yield (key,), "describes data, and source.type is none; remedy: rows, or per and children"
    if (each.rows is None) == (each.per is None):
        yield (), "needs one of rows: N and per: TABLE"
    if each.per is None and each.children is not None:
        yield ("children",), "counts the rows for each row of another table; remedy: per: TABLE"
    if each.per is None:
        return
    if each.per not in tables or each.per == name:
        yield ("per",), f"is not another table.{did_you_mean(each.per, tables)} Tables: {', '.join(tables)}"
    elif not any(_ends(r.from_) == name and _ends(r.to) == each.per for r in spec.source.relationships):
        yield ("per",), f"no relationship leads from {name} to {each.per}; remedy: relationships"
    if isinstance(each.children, int) and each.children < 0:
        yield ("children",), "expected a number from 0"
    elif isinstance(each.children, str | dict):
        try:
            law(each.children)
        except SpecError as error:
            yield ("children",), str(error)


def _structure(spec: Spec) -> Iterator[Problem]:
    """Composite keys, cycles of tables, and traits of foreign keys."""
    tables = list(spec.source.tables or {})
    foreign: dict[str, str] = {}
    for i, r in enumerate(spec.source.relationships):
        if not isinstance(r.from_, str) or not isinstance(r.to, str):
            yield ("source", "relationships", i), "keys of several columns need data; remedy: a key of one column"
            return
        foreign[r.from_] = r.to
    links = [(_ends(child), _ends(parent)) for child, parent in foreign.items()]
    left = set(tables)
    while free := {t for t in left if not any(c == t and p in left and p != t for c, p in links)}:
        left -= free
    if left:
        yield (
            ("source", "relationships"),
            f"{', '.join(sorted(left))} depend on each other in a cycle; remedy: break it",
        )
        return
    try:
        top = root(tables, [Relationship.parse(c, p) for c, p in foreign.items()])
    except SpecError as error:
        yield ("source", "relationships"), str(error)
        return
    if spec.source.tables and spec.source.tables[top].rows is None:
        yield ("source", "tables", top), "depends on no other table, and needs rows: N"
    for name, traits in spec.columns.items():
        if name in foreign and (odd := sorted(traits.model_fields_set - {"nulls", "type"})):
            yield ("columns", name, odd[0]), f"its values are those of {foreign[name]}; only nulls can be set"


def _ends(end: str | tuple[str, ...]) -> str:
    return (end if isinstance(end, str) else end[0]).partition(".")[0]


def recipe(
    loaded: Loaded,
    relationships: tuple[Relationship, ...],
    traits: Mapping[str, Mapping[str, Traits]],
    rules: Mapping[str, tuple[Rule, ...]],
) -> Recipe:
    """The recipe of all tables. Raises SpecError."""
    tables = {
        name: TableRecipe(Schema(()), each.rows, each.per, 1 if each.children is None else each.children)
        for name, each in (loaded.spec.source.tables or {}).items()
    }
    return completed(tables, relationships, rules, traits)
