"""Data contracts: the Open Data Contract Standard (2 and 3) and the Data Contract Specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcli.spec.imports import jsonschema
from synthcli.spec.imports.shared import PERSONAL, Imported, pattern, typed


def recognise(data: Any) -> bool:
    """Whether values are a contract: kind: DataContract, or dataContractSpecification."""
    return isinstance(data, Mapping) and ("dataContractSpecification" in data or data.get("kind") == "DataContract")


def read(data: Mapping[str, Any]) -> list[Imported]:
    """Its tables."""
    if "dataContractSpecification" in data:
        models = dict(data.get("models") or {})
        return [_table(str(name), dict(model.get("fields") or {}), model) for name, model in models.items() if isinstance(model, Mapping)]
    listed = data.get("schema") or data.get("dataset") or []
    return [_table(_name(t, "table"), _properties(t), t) for t in listed if isinstance(t, Mapping)]


def _name(said: Mapping[str, Any], old: str) -> str:
    return str(said.get("physicalName") or said.get("name") or said.get(old))


def _properties(table: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Fields by the name that they have in the data."""
    listed = table.get("properties") or table.get("columns") or []
    return {_name(f, "column"): f for f in listed if isinstance(f, Mapping)}


def _table(name: str, fields: Mapping[str, Mapping[str, Any]], table: Mapping[str, Any]) -> Imported:
    places = {n: int(f.get("primaryKeyPosition") or i + 1) for i, (n, f) in enumerate(fields.items())
              if any(f.get(key) for key in ("primaryKey", "isPrimaryKey", "primary", "isPrimary"))}  # fmt: skip
    key = tuple(sorted(places, key=lambda n: places[n])) or tuple(map(str, table.get("primaryKey") or ()))
    columns = {n: _traits(f) for n, f in fields.items()}
    if len(key) == 1 and key[0] in columns:
        columns[key[0]]["unique"] = True
    constraints = [{"unique": list(key)}] if len(key) > 1 else []
    links = [{"from": f"{name}.{n}", "to": str(f["references"])} for n, f in fields.items() if isinstance(f.get("references"), str)]
    for n, f in fields.items():
        for link in f.get("relationships") or []:
            if isinstance(link, Mapping) and link.get("to"):
                links.append({"from": f"{name}.{n}", "to": str(link["to"])})
    personal = {n: why for n, f in fields.items() if (why := _personal(f))}
    required = tuple(n for n, f in fields.items() if f.get("required") or f.get("isNullable") is False)
    notes = [f"quality of {n}: {q.get('rule') or q.get('metric') or q.get('description') or q.get('type')}" for n, f in fields.items()
             for q in f.get("quality") or [] if isinstance(q, Mapping)]  # fmt: skip
    return Imported(name, columns, key, constraints, links, personal, required, notes)


def _traits(said: Mapping[str, Any]) -> dict[str, Any]:
    """Traits of a field. logicalTypeOptions of version 3 and the keys of the specification are those of JSON Schema."""
    options = {**said, **(said.get("logicalTypeOptions") or {})}
    traits = typed(said.get("physicalType")) | typed(said.get("logicalType") or said.get("type")) | jsonschema.limits(options)
    if isinstance(said.get("enum"), list):
        traits |= {"type": "category", "categories": list(said["enum"])}
    if options.get("pattern"):
        traits |= pattern(options["pattern"])
    if said.get("unique") or said.get("isUnique"):
        traits["unique"] = True
    if isinstance(said.get("scale"), int) and traits.get("type") == "float":
        traits["precision"] = said["scale"]
    return traits | jsonschema.formatted(options.get("format"))


def _personal(said: Mapping[str, Any]) -> str:
    if said.get("pii") is True:
        return "contract: pii"
    words = [str(said.get("classification") or ""), *(str(tag) for tag in said.get("tags") or [])]
    return next((f"contract: {word}" for word in words if PERSONAL.search(word)), "")
