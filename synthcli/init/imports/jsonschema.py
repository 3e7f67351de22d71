"""JSON Schema of a record, or of a list of records; references within the document are followed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from synthcli.init.imports.shared import Imported, listed, pattern

MOST_NESTED = 8  # references and parts of parts, which may go round
_KINDS = {"integer": "integer", "number": "float", "boolean": "boolean"}
_FORMATS = {
    "email": {"type": "email"},
    "idn-email": {"type": "email"},
    "ipv4": {"type": "ipv4"},
    "ipv6": {"type": "ipv6"},
    "uri": {"type": "url"},
    "url": {"type": "url"},
    "uuid": {"type": "uuid"},
    "date": {"type": "datetime"},
    "date-time": {"type": "datetime"},
}


def recognise(data: Any) -> bool:
    """Whether values are a schema of records: an object with properties, or a list of objects."""
    return isinstance(data, Mapping) and bool(_records(data))


def read(data: Mapping[str, Any]) -> list[Imported]:
    """The only table of a schema."""
    record = _records(data)
    columns, personal, notes = {}, {}, []
    for name, declared in record["properties"].items():
        declared = _resolved(declared, data)
        if declared.get("type") in ("object", "array"):
            notes.append(f"{name} is nested; flatten it into columns of their own")
            continue
        columns[str(name)] = _traits(declared)
        if declared.get("x-pii") or declared.get("pii"):
            personal[str(name)] = "JSON Schema: pii"
    return [
        Imported(
            str(data.get("title")) if data.get("title") else None,
            columns,
            personal=personal,
            notes=notes,
            required=tuple(map(str, listed(record.get("required")))),
        )
    ]


def _records(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of one record."""
    here = _resolved(data, data)
    if isinstance(here.get("items"), Mapping):
        here = _resolved(here["items"], data)
    return here if isinstance(here.get("properties"), Mapping) else {}


def _resolved(declared: Any, whole: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """A subschema with its reference followed, all of its parts merged, and without the null of a nullable one."""
    for _ in range(8):
        reference = declared.get("$ref") if isinstance(declared, Mapping) else None
        if not (isinstance(reference, str) and reference.startswith("#/")):
            break
        found: Any = whole
        for step in reference[2:].split("/"):
            found = found.get(step.replace("~1", "/").replace("~0", "~"), {}) if isinstance(found, Mapping) else {}
        declared = {**found, **{k: v for k, v in declared.items() if k != "$ref"}} if isinstance(found, Mapping) else {}
    out = dict(declared) if isinstance(declared, Mapping) else {}
    if depth < MOST_NESTED:
        out = _merged(out, whole, depth + 1)
    if isinstance(out.get("type"), list):
        real = [t for t in out["type"] if t != "null"]
        out["type"] = real[0] if len(real) == 1 else None
    return out


def _merged(out: dict[str, Any], whole: Mapping[str, Any], depth: int) -> dict[str, Any]:
    """Merge the parts of allOf, the only non-null choice of anyOf and oneOf, and constants into an enumeration."""
    for part in listed(out.get("allOf")):
        part = _resolved(part, whole, depth)
        both = {
            k: {**part[k], **out[k]}
            for k in ("properties",)
            if isinstance(part.get(k), Mapping) and isinstance(out.get(k), Mapping)
        }
        required = [*listed(part.get("required")), *listed(out.get("required"))]
        out = {**part, **out, **both, **({"required": required} if required else {})}
    for key in ("anyOf", "oneOf"):
        real = [o for o in listed(out.get(key)) if isinstance(o, Mapping) and o.get("type") != "null"]
        if len(real) == 1:
            out |= _resolved(real[0], whole, depth)
        elif real and all("const" in o for o in real):
            out["enum"] = [o["const"] for o in real]
    return out


def _traits(declared: Mapping[str, Any]) -> dict[str, Any]:
    kind = _KINDS.get(str(declared.get("type")))
    traits: dict[str, Any] = {"type": kind} if kind else {}
    traits |= limits(declared)
    if isinstance(declared.get("enum"), list):
        real = [v for v in declared["enum"] if v is not None]
        traits |= {"type": "category", "categories": real} if kind != "boolean" and real else {}
    elif "const" in declared:
        traits |= {"type": "category", "categories": [declared["const"]]}
    if declared.get("pattern"):
        traits |= pattern(declared["pattern"])
    return traits | formatted(declared.get("format"))


def formatted(format: Any) -> dict[str, Any]:
    """Traits of a string's format."""
    return dict(_FORMATS.get(str(format), {}))


def limits(declared: Mapping[str, Any]) -> dict[str, Any]:
    """min, max and precision of a number. An exclusive bound of an integer is moved by one; of other numbers it is
    kept unchanged.
    """
    out: dict[str, Any] = {}
    whole = "integer" in (declared.get("type"), declared.get("logicalType"))
    for key, exclusive, trait, step in (
        ("minimum", "exclusiveMinimum", "min", 1),
        ("maximum", "exclusiveMaximum", "max", -1),
    ):
        for name, by in ((key, 0), (exclusive, step if whole else 0)):
            bound = declared.get(name)
            if isinstance(bound, (int, float)) and not isinstance(bound, bool):
                out[trait] = bound + by
            elif isinstance(bound, str) and declared.get("logicalType") in ("date", "timestamp"):
                out[trait] = bound
    of = declared.get("multipleOf")
    if isinstance(of, float) and 0 < of < 1 and not whole:
        out["precision"] = min(15, round(-math.log10(of)))
    return out
