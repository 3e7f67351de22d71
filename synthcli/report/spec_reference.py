"""The reference of the spec: every key, every kind of column, every constraint and every function of expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from synthcli.columns.expressions.functions import FUNCTIONS
from synthcli.columns.fake import generate as fake
from synthcli.contracts.schema import Column, Traits
from synthcli.spec.models import Spec

_EXAMPLE_SEED = 7
_BOUNDS = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
_TYPES = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false", "null": ""}
Json = Mapping[str, Any]


def spec_keys() -> list[dict[str, str]]:
    """Every key of the spec, a section's keys after it: {key, type, default, help}."""
    schema = Spec.model_json_schema(by_alias=True)
    return list(_keys(schema, schema.get("$defs", {}), ""))


def kinds() -> list[dict[str, str]]:
    """Every kind of made-up column with an example: {kind, example}."""
    return [{"kind": kind, "example": _example(kind)} for kind in sorted(fake.KINDS)]


def functions() -> list[dict[str, str]]:
    """Every function of expressions: {call, takes, gives, help, example}."""
    return [
        {
            "call": f"{name}({each.arguments})",
            "gives": each.gives,
            "help": each.help,
            "example": f"{each.example[0]} → {each.example[1]}",
        }
        for name, each in sorted(FUNCTIONS.items())
    ]


def _keys(section: Json, definitions: Json, above: str) -> Iterator[dict[str, str]]:
    required = section.get("required", ())
    for name, described in section.get("properties", {}).items():
        key = f"{above}{name}"
        nested = list(_sections(described, definitions))
        yield {
            "key": key,
            "type": _type(described, definitions),
            "default": "required" if name in required else _default(described, bool(nested)),
            "help": str(described.get("description", "")),
        }
        for each, inside in nested:
            yield from _keys(each, definitions, f"{key}{inside}.")


def _sections(described: Json, definitions: Json, inside: str = "") -> Iterator[tuple[Json, str]]:
    """The sections that a key may hold, and the place of their keys: "" in itself, [] in a list, .NAME in a mapping."""
    if "$ref" in described:
        definition = definitions[described["$ref"].rpartition("/")[2]]
        if "properties" in definition:
            yield definition, inside
        return
    for option in described.get("anyOf", ()):
        yield from _sections(option, definitions, inside)
    if isinstance(items := described.get("items"), dict):
        yield from _sections(items, definitions, f"{inside}[]")
    if isinstance(values := described.get("additionalProperties"), dict):
        yield from _sections(values, definitions, f"{inside}.NAME")


def _type(described: Json, definitions: Json) -> str:
    """A phrase for what a key accepts."""
    if "$ref" in described:
        return "keys below" if "properties" in definitions[described["$ref"].rpartition("/")[2]] else "text"
    if "const" in described:
        return f"`{described['const']}`"
    if "enum" in described:
        return ", ".join(f"`{each}`" for each in described["enum"])
    if "anyOf" in described:
        options = [phrase for option in described["anyOf"] if (phrase := _type(option, definitions))]
        return " or ".join(dict.fromkeys(options))
    if described.get("type") == "array":
        items = described.get("items")
        return f"list of {_type(items, definitions)}" if isinstance(items, dict) and items else "list"
    if described.get("type") == "object":
        values = described.get("additionalProperties")
        return f"NAME: {_type(values, definitions)}" if isinstance(values, dict) and values else "mapping"
    type_ = _TYPES.get(str(described.get("type")), "any value")
    return " ".join(part for part in (type_, *bounds(described)) if part)


def bounds(described: Json) -> list[str]:
    """The bounds that a JSON schema sets on a number, such as ≥ 1."""
    return [f"{sign} {described[key]:g}" for key, sign in _BOUNDS.items() if key in described]


def _default(described: Json, is_section: bool) -> str:
    value = described.get("default")
    if value is None or value == "" or is_section:
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _example(kind: str) -> str:
    column = Column("example", Traits(type=kind, locale="en_US"))
    values = fake.make(column, 0, 1, key=_EXAMPLE_SEED, rng=np.random.default_rng(_EXAMPLE_SEED))
    return str(values.iloc[0])
