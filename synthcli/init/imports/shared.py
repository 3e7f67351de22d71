"""The result that all imports share, and the meaning of type names in other systems."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from synthcli.columns.fake import generate as fake
from synthcli.errors import SpecError
from synthcli.init.imports.conditions import respelled


@dataclass(frozen=True)
class Imported:
    """The metadata of one table. columns: name -> traits as the spec writes them; constraints: as the spec writes them.

    key: primary key; relationships: {from: table.column, to: table.column}; personal: columns that are marked as
    personal data, with the words; required: columns that are never null; notes: what could not be taken over.
    """

    table: str | None
    columns: dict[str, dict[str, Any]]
    key: tuple[str, ...] = ()
    constraints: list[dict[str, Any]] = field(default_factory=list)
    relationships: list[dict[str, str]] = field(default_factory=list)
    personal: dict[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    notes: list[str] = field(default_factory=list)

    def renamed(self, spelled: Mapping[str, str]) -> Imported:
        """Rename the columns to the data's own names. spelled: lower-case name -> name. Columns that the data lacks are
        noted.
        """
        to = lambda name: spelled.get(name.lower(), name)  # noqa: E731
        lacking = [name for name in self.columns if name.lower() not in spelled]
        notes = [*self.notes, *([f"not in the data: {', '.join(lacking)}"] if lacking else [])]
        columns = {to(name): traits for name, traits in self.columns.items() if name not in lacking}
        personal = {to(name): why for name, why in self.personal.items()}
        rules = [
            {
                k: [to(n) for n in v] if k in ("unique", "one_of") else respelled(v, spelled) if k == "expr" else v
                for k, v in rule.items()
            }
            for rule in self.constraints
        ]
        return replace(self, columns=columns, key=tuple(map(to, self.key)), personal=personal, constraints=rules,
                       required=tuple(map(to, self.required)), notes=notes)  # fmt: skip


_TYPES = {
    "integer": (
        "integer int int2 int4 int8 smallint bigint tinyint mediumint serial bigserial smallserial byteint int64 int32"
        " int16 uinteger ubigint hugeint long short"
    ),
    "float": (
        "float real double float4 float8 float64 float32 number numeric decimal dec money smallmoney binary_float"
        " binary_double double_precision bignumeric"
    ),
    "boolean": "boolean bool bit",
    "datetime": (
        "date datetime datetime2 smalldatetime timestamp timestamptz timestamp_ntz timestamp_ltz timestamp_tz date-time"
        " datetimeoffset"
    ),
}
_KIND_OF_TYPE = {name: kind for kind, listed in _TYPES.items() for name in listed.split()}
PERSONAL = re.compile(r"\b(pii|personal|sensitive|confidential|restricted|phi|gdpr|special)\b", re.IGNORECASE)
_KIND_OF_PROVIDER = {provider: kind for kind, provider in fake.KINDS.items()} | {
    "credit_card_number": "card",
    "ssn": "ssn",
}


def mapping(value: Any) -> Mapping[str, Any]:
    """A value of a document if it is a mapping, else an empty one, since the file may hold anything."""
    return value if isinstance(value, Mapping) else {}


def listed(value: Any) -> list[Any]:
    """A value of a document if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def mappings(value: Any) -> list[Mapping[str, Any]]:
    """The mappings of a list."""
    return [v for v in listed(value) if isinstance(v, Mapping)]


def typed(name: str | None) -> dict[str, Any]:
    """Traits of an SQL or logical type, such as NUMERIC(10, 2); none for strings, whose type is inferred from the
    data.
    """
    if not name:
        return {}
    found = re.match(r"\s*([A-Za-z_][\w-]*(?:\s+precision)?)\s*(?:\(\s*(\d+)\s*(?:,\s*(-?\d+)\s*)?\))?", str(name))
    if not found:
        return {}
    word = re.sub(r"\s+", "_", found[1].lower())
    kind = _KIND_OF_TYPE.get(word)
    if word in ("number", "numeric", "decimal", "dec") and found[2] is not None:
        scale = int(found[3] or 0)
        return {"type": "integer"} if scale <= 0 else {"type": "float", "precision": min(scale, 15)}
    if word == "tinyint" and found[2] == "1":
        return {"type": "boolean"}
    if word in ("uuid", "guid", "uniqueidentifier"):
        return {"type": "uuid"}
    if word == "inet":
        return {"type": "ipv4"}
    return {"type": kind} if kind else {}


def provided(provider: str) -> dict[str, Any]:
    """Traits of a Faker provider: the built-in kind of that name, else text from that provider."""
    if provider in _KIND_OF_PROVIDER:
        return {"type": _KIND_OF_PROVIDER[provider]}
    return {"type": provider} if provider in fake.KINDS else {"type": "text", "provider": provider}


def pattern(text: Any) -> dict[str, Any]:
    """The pattern trait of a regular expression, where values can be generated from it."""
    from synthcli.columns.fake.patterns import Pattern

    try:
        Pattern.parse(str(text))
    except SpecError:
        return {}
    return {"pattern": str(text)}
