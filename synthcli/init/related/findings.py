"""Examine several tables for a first spec: their relationships, the privacy unit, and the columns of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from synthcli import sources
from synthcli.columns import frame as frames
from synthcli.columns.codec.top_coding import held_by
from synthcli.columns.pii import detect
from synthcli.contracts.schema import Schema
from synthcli.contracts.tables import DeclaredTable
from synthcli.errors import DataError, SpecError
from synthcli.init import findings
from synthcli.init.findings import Finding, Findings, TableContent
from synthcli.init.imports.catalogue import of_source
from synthcli.init.imports.shared import Imported
from synthcli.init.related import people, relationships
from synthcli.init.related.people import Unit
from synthcli.init.related.relationships import Link, Structure
from synthcli.relational.data import Tables
from synthcli.relational.relationships import Relationship, downwards
from synthcli.sources import catalogue, database


@dataclass(frozen=True)
class RelatedFindings:
    """The findings on related tables. tables: of each, parents first; unit: the proposed privacy unit; public: code
    lists, whose words many units share; left_out: tables and relationships that the draft does not take, with the
    reason.
    """

    tables: Mapping[str, Findings]
    structure: Structure
    unit: Unit
    public: frozenset[str]
    left_out: tuple[str, ...]


def look(tables: Mapping[str, sources.Source], imported: Mapping[str, Imported] | None = None) -> RelatedFindings:
    """Read tables and examine them. imported: metadata by table. Raises SpecError if no relationship is found."""
    contents, left_out = _read(tables)
    declared, known_keys, named = _declared(tables, imported or {})
    structure = relationships.find({n: c.frame for n, c in contents.items()}, declared, known_keys, source=named)
    if not structure.links:
        near = "".join(f"\n  {note}" for note in structure.left_out)
        raise SpecError(
            f"no relationship was found between {', '.join(contents)}; remedy: synth init with one of them alone, or"
            f" write source.relationships by hand{near}"
        )
    guesses = {name: content.detected[0] for name, content in contents.items()}
    rows = {name: len(content.frame) for name, content in contents.items()}
    kept = _component(guesses, structure.relationships, rows)
    left_out += [
        f"table {name}: no relationship leads from it to the other tables; synth init examines it alone"
        for name in contents
        if name not in kept
    ]
    links = tuple(link for link in structure.links if link.relationship.child in kept)
    unit = people.propose({n: guesses[n] for n in kept}, [link.relationship for link in links], rows)
    structure = replace(structure, links=_sorted(links, unit))
    order = downwards(kept, structure.relationships)
    contents = {name: contents[name] for name in order}
    units = _units(contents, structure, unit)
    found = _examined(contents, structure, units, imported or {})
    public = frozenset(
        name for name in order if name not in (unit.table, *unit.others) and units[name] is None
        and _is_code_list(name, found[name], contents, structure, units)
    )  # fmt: skip
    return RelatedFindings(found, structure, unit, public, (*left_out, *structure.left_out))


def _read(tables: Mapping[str, sources.Source]) -> tuple[dict[str, TableContent], list[str]]:
    """The tables that have rows, and a note on each that has none."""
    contents, notes = {}, []
    for name, source in tables.items():
        try:
            contents[name] = findings.read(source)
        except findings.NoRows:
            notes.append(f"table {name}: has columns and no rows")
    if not contents:
        raise DataError("none of the tables has rows; remedy: a source with data")
    return contents, notes


def _declared(
    tables: Mapping[str, sources.Source], imported: Mapping[str, Imported]
) -> tuple[list[Relationship], dict[str, Sequence[str]], str]:
    """The relationships and keys that metadata or a catalogue declares, and the name of that source."""
    spelled = {name.lower(): name for name in tables}
    known_keys: dict[str, Sequence[str]] = {}
    out: list[Relationship] = []
    for name, metadata in imported.items():
        known_keys[name] = metadata.key
        for link in metadata.relationships:
            r = Relationship.parse(link["from"], link["to"])
            out.append(
                replace(r, child=spelled.get(r.child.lower(), r.child), parent=spelled.get(r.parent.lower(), r.parent))
            )
    if imported:
        return out, known_keys, "the metadata"
    for name, each in declared_tables(tables).items():
        known_keys[name] = each.key if len(each.key) else ()
        out += [
            Relationship(name, f.columns, spelled.get(f.table.lower(), f.table), f.keys)
            for f in each.foreign
            if f.keys and len(f.keys) == len(f.columns)
        ]
    return out, known_keys, "the catalogue"


def declared_tables(tables: Mapping[str, sources.Source]) -> dict[str, DeclaredTable]:
    """What databases declare about those tables that are read from one."""
    return {
        name: catalogue.describe(database.opened(source.url, "DATA", source.folder), source.table)
        for name, source in tables.items()
        if source.type == "sql" and source.table is not None
    }


def _component(
    guesses: Mapping[str, Mapping[str, list[detect.Guess]]],
    links: Sequence[Relationship],
    rows: Mapping[str, int],
) -> list[str]:
    """The tables that relationships connect; of several groups, the largest, then the one with people."""
    groups: list[list[str]] = []
    for name in guesses:
        if any(name in group for group in groups):
            continue
        group, size = [name], 0
        while len(group) > size:
            size = len(group)
            group += [
                t for r in links for t in (r.child, r.parent)
                if {r.child, r.parent} & set(group) and t not in group and t in guesses
            ]  # fmt: skip
            group = list(dict.fromkeys(group))
        groups.append(group)
    linked = [g for g in groups if any(r.child in g for r in links)]
    best = max(
        linked,
        key=lambda g: (
            len(g),
            people.propose({n: guesses[n] for n in g}, [r for r in links if r.child in g], rows).people,
        ),
    )
    return [name for name in guesses if name in best]


def _sorted(links: Sequence[Link], unit: Unit) -> tuple[Link, ...]:
    """The relationships of each table with the one first that makes its rows: of the parent that depends most closely
    on the privacy unit.
    """
    related = [link.relationship for link in links]
    below = {unit.table: 0}
    for _ in links:  # the longest way down from the unit; cycles end with the number of links
        for r in related:
            if r.parent in below and not r.own and r.child != unit.table:
                below[r.child] = max(below.get(r.child, 0), min(below[r.parent] + 1, len(links)))
    children = list(dict.fromkeys(r.child for r in related))
    return tuple(
        link
        for child in children
        for link in sorted(
            (link for link in links if link.relationship.child == child),
            key=lambda link: (
                link.relationship.own, -below.get(link.relationship.parent, -1), -link.strength, link.orphans
            ),
        )
    )  # fmt: skip


def _units(contents: Mapping[str, TableContent], structure: Structure, unit: Unit) -> dict[str, np.ndarray | None]:
    """The privacy unit of each row of the tables: None for a table whose rows belong to no unit."""
    schemas: dict[str, Schema] = {name: content.schema for name, content in contents.items()}
    rows = {name: content.frame for name, content in contents.items()}
    return Tables(rows, schemas, structure.relationships, unit=(unit.table, None)).units()


def _examined(
    contents: Mapping[str, TableContent],
    structure: Structure,
    units: Mapping[str, np.ndarray | None],
    imported: Mapping[str, Imported],
) -> dict[str, Findings]:
    """The findings on each table, given the privacy unit of each of its rows."""
    out = {}
    for name, content in contents.items():
        each = _alone(units[name], len(content.frame))
        known = imported.get(name) if imported else of_source(content.source)
        found = findings.examine(content, known, units=each, keys=_key_columns(name, structure))
        out[name] = replace(found, columns=tuple(_described(name, c, structure) for c in found.columns))
    return out


def _is_code_list(
    table: str,
    found: Findings,
    contents: Mapping[str, TableContent],
    structure: Structure,
    units: Mapping[str, np.ndarray | None],
) -> bool:
    """Whether a table explains words that many units share: its keys are words, it refers to no other table and holds
    no direct identifier.
    """
    refers = [r for r in structure.relationships if r.parent == table and not r.own]
    if any(r.child == table for r in structure.relationships) or any(c.made_up and c.guess for c in found.columns):
        return False
    return all(
        contents[r.child].frame[r.columns[0]].dtype == frames.STRING
        and _fewest(contents[r.child].frame[r.columns[0]], units[r.child]) >= findings.SHARED
        for r in refers
    )


def _fewest(values: pd.Series, units: np.ndarray | None) -> int:
    """The least number of units that share a value."""
    codes, known = pd.factorize(values)
    return int(held_by(codes, units, len(known)).min(initial=len(values)))


def _alone(units: np.ndarray | None, rows: int) -> np.ndarray:
    return np.arange(rows) if units is None else units


def _key_columns(table: str, structure: Structure) -> frozenset[str]:
    """The columns of a table at either end of a relationship."""
    ends = [(t, c) for r in structure.relationships for t, cs in ((r.child, r.columns), (r.parent, r.keys)) for c in cs]
    return frozenset(c for t, c in ends if t == table)


def _described(table: str, finding: Finding, structure: Structure) -> Finding:
    refers = [r for r in structure.relationships if r.child == table and finding.name in r.columns]
    named = [r for r in structure.relationships if r.parent == table and finding.name in r.keys]
    if not refers and not named:
        return finding
    facts = [f"refers to {r.parent}.{r.keys[r.columns.index(finding.name)]}" for r in refers]
    children = list(dict.fromkeys(r.child for r in named))
    facts += [f"key, which {', '.join(children)} {'refers' if len(children) == 1 else 'refer'} to"] if named else []
    return replace(finding, facts=tuple(facts))
