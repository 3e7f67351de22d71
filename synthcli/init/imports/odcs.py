"""Data contracts: the Open Data Contract Standard (2 and 3) and the Data Contract Specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcli.init.imports import jsonschema
from synthcli.init.imports.shared import PERSONAL, Imported, listed, mapping, mappings, pattern, typed


def recognise(data: Any) -> bool:
    """Whether values are a contract: kind: DataContract, or dataContractSpecification."""
    return isinstance(data, Mapping) and ("dataContractSpecification" in data or data.get("kind") == "DataContract")


def read(data: Mapping[str, Any]) -> list[Imported]:
    """The tables of a contract."""
    if "dataContractSpecification" in data:
        return [
            _table(str(name), _fields(model, data), model)
            for name, model in mapping(data.get("models")).items()
            if isinstance(model, Mapping)
        ]
    listed = data.get("schema") or data.get("dataset")
    return [_table(_name(t, "table"), _properties(t), t) for t in mappings(listed)]


def _fields(model: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Fields of the Data Contract Specification, with the definitions that they refer to."""
    known = {f"#/definitions/{name}": mapping(declared) for name, declared in mapping(data.get("definitions")).items()}
    fields = {str(name): mapping(field) for name, field in mapping(model.get("fields")).items()}
    return {name: {**known.get(str(field.get("$ref")), {}), **field} for name, field in fields.items()}


def _name(declared: Mapping[str, Any], old: str) -> str:
    return str(declared.get("physicalName") or declared.get("name") or declared.get(old))


def _properties(table: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Fields by their physical name."""
    return {_name(f, "column"): f for f in mappings(table.get("properties") or table.get("columns"))}


def _table(name: str, fields: Mapping[str, Mapping[str, Any]], table: Mapping[str, Any]) -> Imported:
    places = {n: _place(f.get("primaryKeyPosition"), i + 1) for i, (n, f) in enumerate(fields.items())
              if any(f.get(key) for key in ("primaryKey", "isPrimaryKey", "primary", "isPrimary"))}  # fmt: skip
    key = tuple(sorted(places, key=lambda n: places[n])) or tuple(map(str, listed(table.get("primaryKey"))))
    columns = {n: _traits(f) for n, f in fields.items()}
    if len(key) == 1 and key[0] in columns:
        columns[key[0]]["unique"] = True
    constraints = [{"unique": list(key)}] if len(key) > 1 else []
    links = [
        {"from": f"{name}.{n}", "to": str(f["references"])}
        for n, f in fields.items()
        if isinstance(f.get("references"), str)
    ]
    for n, f in fields.items():
        links += [
            {"from": f"{name}.{n}", "to": str(link["to"])}
            for link in mappings(f.get("relationships"))
            if link.get("to")
        ]
    for link in mappings(table.get("relationships")):
        ends = [
            [str(c) for c in end] if isinstance(end, list) else [str(end)] for end in (link.get("from"), link.get("to"))
        ]
        links += [{"from": f"{name}.{a.rpartition('.')[2]}", "to": b} for a, b in zip(*ends)]
    personal = {n: why for n, f in fields.items() if (why := _personal(f))}
    required = tuple(n for n, f in fields.items() if f.get("required") or f.get("isNullable") is False)
    notes = [f"{n} is nested; flatten it into columns of their own" for n, f in fields.items() if _nested(f)]
    declared = [
        (n, q) for n, f in [*fields.items(), (name, table)] for q in mappings(f.get("quality")) if not _values(q)
    ]
    notes += [
        f"quality of {n}: {q.get('rule') or q.get('metric') or q.get('description') or q.get('type')}"
        for n, q in declared
    ]
    return Imported(name, columns, key, constraints, links, personal, required, notes)


def _traits(declared: Mapping[str, Any]) -> dict[str, Any]:
    """Traits of a field. logicalTypeOptions of version 3 and the keys of the specification are those of JSON Schema."""
    options = {**declared, **mapping(declared.get("logicalTypeOptions"))}
    if _nested(declared):
        return {}
    traits = (
        typed(declared.get("physicalType"))
        | typed(declared.get("logicalType") or declared.get("type"))
        | jsonschema.limits(options)
    )
    if isinstance(declared.get("enum"), list):
        traits |= {"type": "category", "categories": list(declared["enum"])}
    if values := next((v for q in mappings(declared.get("quality")) if (v := _values(q))), None):
        traits |= {"type": "category", "categories": values}
    if options.get("pattern"):
        traits |= pattern(options["pattern"])
    if declared.get("unique") or declared.get("isUnique"):
        traits["unique"] = True
    if isinstance(declared.get("scale"), int) and traits.get("type") == "float":
        traits["precision"] = declared["scale"]
    return traits | jsonschema.formatted(options.get("format"))


def _place(declared: Any, otherwise: int) -> int:
    return declared if isinstance(declared, int) and declared > 0 else otherwise


def _nested(declared: Mapping[str, Any]) -> bool:
    kind = declared.get("logicalType") or declared.get("type")
    return kind in ("object", "array", "struct", "record", "map") or bool(
        declared.get("properties") or declared.get("fields")
    )


def _values(rule: Mapping[str, Any]) -> list[Any]:
    """The values that a quality rule allows; empty for other rules."""
    if (rule.get("metric") or rule.get("rule")) != "invalidValues" or rule.get("mustBe") != 0:
        return []
    values = {**rule, **mapping(rule.get("arguments"))}.get("validValues")
    return [v for v in values if isinstance(v, (str, int, float))] if isinstance(values, list) else []


def _personal(declared: Mapping[str, Any]) -> str:
    if declared.get("pii") is True:
        return "contract: pii"
    words = [str(declared.get("classification") or ""), *(str(tag) for tag in listed(declared.get("tags")))]
    return next((f"contract: {word}" for word in words if PERSONAL.search(word)), "")
