"""The keys and types of tables that an output creates: of the source's catalogue, and of the spec."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from synthcli.contracts.tables import DeclaredColumn, DeclaredTable, ForeignKey
from synthcli.sources.database import split_table

_NOT_NULL = re.compile(r"\s*([A-Za-z_]\w*)\s+is\s+not\s+null\s*", re.I)


def declared(plan: Mapping[str, Any], profile: Mapping[str, Any], target: str | None) -> dict[str, DeclaredTable]:
    """What each table of an output declares, by name; the only table is "". plan, profile: of the run, as JSON;
    target: the name of the only table in the database.
    """
    catalogue = {
        name: DeclaredTable.from_json(each)
        for name, each in (profile.get("catalogue") or {}).items()
        if each is not None
    }
    tables = plan["source"].get("tables")
    if not tables:
        name = split_table(str(plan["source"].get("table") or ""))[1]
        known = _renamed(catalogue.get("", DeclaredTable()), {name: str(target)})
        return {"": _merged(known, _of_spec(plan, "", ()))}
    names = {split_table(str(each.get("table") or name))[1]: name for name, each in tables.items()}
    foreign = _relationships(plan["source"].get("relationships") or ())
    return {
        name: _merged(_renamed(catalogue.get(name, DeclaredTable()), names), _of_spec(plan, name, foreign))
        for name in tables
    }


def _renamed(table: DeclaredTable, names: Mapping[str, str]) -> DeclaredTable:
    """The table with its foreign keys to the names that the output gives."""
    return replace(table, foreign=tuple(replace(key, table=names.get(key.table, key.table)) for key in table.foreign))


def _relationships(relationships: Sequence[Mapping[str, Any]]) -> list[tuple[str, ForeignKey]]:
    """The foreign keys of a spec, each with its table."""
    out = []
    for each in relationships:
        ends = []
        for end in (each["from"], each["to"]):
            words = [end] if isinstance(end, str) else list(end)
            ends.append((words[0].partition(".")[0], tuple(word.partition(".")[2] for word in words)))
        (child, columns), (parent, keys) = ends
        out.append((child, ForeignKey(columns, parent, keys)))
    return out


def _of_spec(plan: Mapping[str, Any], table: str, foreign: Sequence[tuple[str, ForeignKey]]) -> DeclaredTable:
    """What the spec declares about a table: keys, references, and columns that are never empty."""
    unique = [key.keys for _, key in foreign if key.table == table]
    required: list[str] = []
    for name, traits in plan["columns"].items():
        owner, _, column = name.partition(".") if table else ("", "", name)
        if owner != table:
            continue
        if traits.get("unique"):
            unique.append((column,))
        generated = plan["source"]["type"] == "none" and traits.get("type") is not None
        if generated and not traits.get("nulls") and traits.get("expr") is None and traits.get("after") is None:
            required.append(column)
    above = plan["source"]["tables"][table].get("per") if table and plan["source"]["type"] == "none" else None
    for child, key in foreign:
        if (
            child == table
            and key.table == above
            and not plan["columns"].get(f"{table}.{key.columns[0]}", {}).get("nulls")
        ):
            required += key.columns
    for rule in plan["constraints"]:
        if isinstance(rule, str) and not table and (found := _NOT_NULL.fullmatch(rule)):
            required.append(found[1])
        if isinstance(rule, Mapping) and rule.get("table", "") == table and rule.get("unique"):
            names = rule["unique"]
            unique.append((names,) if isinstance(names, str) else tuple(names))
    keys = list(dict.fromkeys(unique))
    return DeclaredTable(
        tuple(DeclaredColumn(name, "", nullable=False) for name in dict.fromkeys(required)),
        keys[0] if keys else (),
        tuple(keys[1:]),
        tuple(key for child, key in foreign if child == table),
    )


def _merged(known: DeclaredTable, spec: DeclaredTable) -> DeclaredTable:
    """The declarations of a catalogue, and those of the spec beside them."""
    required = {c.name for c in spec.columns}
    columns = tuple(replace(c, nullable=c.nullable and c.name not in required) for c in known.columns)
    more = tuple(c for c in spec.columns if c.name not in {k.name for k in known.columns})
    key = known.key or spec.key
    unique = [each for each in (*known.unique, spec.key, *spec.unique) if each and each != key]
    named = {key.columns for key in spec.foreign}
    foreign = (*spec.foreign, *(each for each in known.foreign if each.columns not in named))
    return DeclaredTable((*columns, *more), key, tuple(dict.fromkeys(unique)), foreign, known.kind)
