"""SDV metadata: single-table and multi-table JSON of any version since V1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synthcli.init.imports.shared import Imported, listed, mapping, mappings, pattern, provided

_TYPES = {
    "numerical": {},
    "categorical": {"type": "category"},
    "boolean": {"type": "boolean"},
    "id": {"type": "id"},
    "unknown": {},
    "text": {"type": "text"},
}
_OURS = {
    "phone_number": "phone_number",
    "user_name": "user_name",
    "license_plate": "license_plate",
    "ipv4_address": "ipv4",
    "ipv6_address": "ipv6",
}


def recognise(data: Any) -> bool:
    """Whether values are SDV metadata: columns with an sdtype."""
    return isinstance(data, Mapping) and any(
        isinstance(traits, Mapping) and "sdtype" in traits
        for table in _tables(data).values()
        for traits in dict(table.get("columns") or {}).values()
    )


def read(data: Mapping[str, Any]) -> list[Imported]:
    """The tables of the metadata."""
    links = [
        {
            "from": f"{r.get('child_table_name')}.{r.get('child_foreign_key')}",
            "to": f"{r.get('parent_table_name')}.{r.get('parent_primary_key')}",
        }
        for r in mappings(data.get("relationships"))
    ]
    return [_table(name, table, links) for name, table in _tables(data).items()]


def _tables(data: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    tables = (
        data.get("tables")
        if isinstance(data.get("tables"), Mapping)
        else {"": data}
        if isinstance(data.get("columns"), Mapping)
        else {}
    )
    return {
        str(name): table
        for name, table in dict(tables or {}).items()
        if isinstance(table, Mapping) and isinstance(table.get("columns"), Mapping)
    }


def _table(name: str, table: Mapping[str, Any], links: list[dict[str, str]]) -> Imported:
    primary = table.get("primary_key")
    key = (primary,) if isinstance(primary, str) else tuple(map(str, listed(primary)))
    declared = {str(column): mapping(traits) for column, traits in table["columns"].items()}
    columns = {column: _traits(traits, (column,) == key) for column, traits in declared.items()}
    personal = {column: "SDV: pii" for column, traits in declared.items() if traits.get("pii")}
    unique = [{"unique": list(map(str, a))} for a in listed(table.get("alternate_keys")) if isinstance(a, list)]
    for alternate in listed(table.get("alternate_keys")):
        if isinstance(alternate, str) and alternate in columns:
            columns[alternate]["unique"] = True
    joint = [{"unique": list(key)}] if len(key) > 1 else []
    own = [link for link in links if name in (link["from"].split(".")[0], link["to"].split(".")[0])]
    notes = [f"sequence_key {table['sequence_key']}: series are another modality"] if table.get("sequence_key") else []
    return Imported(name or None, columns, key, [*joint, *unique], own, personal, notes=notes)


def _traits(declared: Mapping[str, Any], key: bool) -> dict[str, Any]:
    sdtype = str(declared.get("sdtype"))
    traits: dict[str, Any] = {"unique": True} if key else {}
    if sdtype == "datetime":
        return (
            traits
            | {"type": "datetime"}
            | ({"format": declared["datetime_format"]} if declared.get("datetime_format") else {})
        )
    if sdtype == "numerical":
        whole = str(declared.get("computer_representation", "")).lower().startswith(("int", "uint"))
        return traits | ({"type": "integer"} if whole else {})
    if sdtype in _TYPES:
        return traits | _TYPES[sdtype] | (pattern(declared["regex_format"]) if declared.get("regex_format") else {})
    if declared.get("pii") is False:
        return traits  # SDV learns the values
    return traits | provided(_OURS.get(sdtype, sdtype))
