"""SQL DDL: CREATE TABLE of the usual dialects, with keys, checks, enumerations and references, and ALTER TABLE ... ADD
of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from synthcli.init.imports.conditions import condition, plain
from synthcli.init.imports.shared import Imported, typed

_NAME = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|[A-Za-z_][\w$]*)'
_TABLE = re.compile(
    rf"\bcreate\s+(?:or\s+replace\s+)?(?:(?:global|local|temp|temporary|transient|volatile|unlogged|external|hybrid|multiset|set)\s+)*"
    rf"table\s+(?:if\s+not\s+exists\s+)?({_NAME}(?:\s*\.\s*{_NAME})*)\s*\(",
    re.IGNORECASE,
)
_ALTER = re.compile(
    rf"\balter\s+table\s+(?:only\s+)?(?:if\s+exists\s+)?({_NAME}(?:\s*\.\s*{_NAME})*)\s+(?=(?:with\s+\w+\s+)?add\b)",
    re.IGNORECASE,
)
_ADD = re.compile(r"\s*(?:with\s+\w+\s+)?add\s+", re.IGNORECASE)
_ENUM = re.compile(rf"\bcreate\s+type\s+({_NAME}(?:\s*\.\s*{_NAME})*)\s+as\s+enum\s*\(", re.IGNORECASE)
_DOMAIN = re.compile(rf"\bcreate\s+domain\s+({_NAME}(?:\s*\.\s*{_NAME})*)\s+(?:as\s+)?([^;]*)", re.IGNORECASE)
_TYPE = re.compile(
    rf"\s*(?:{_NAME}\s*\.\s*)?((?:double\s+precision|character\s+varying|{_NAME})(?:\s*\([^()]*\))?(?:\s+unsigned)?)(\s*\[|\s+array\b)?",
    re.IGNORECASE,
)
_RULE = re.compile(
    r"\s*(?:constraint\s+" + _NAME + r"\s+)?(primary\s+key|unique(?:\s+(?:key|index))?|check|foreign\s+key|exclude)\b",
    re.IGNORECASE,
)
_NO_COLUMN = re.compile(
    r"\s*(?:(?:constraint|primary\s+key|unique|check|foreign\s+key|exclude|like|fulltext|spatial)\b[\s(\"`\[]|period\s+for\b"
    rf"|(?:index|key)\s*(?:{_NAME}\s*)?\(\s*[^\d\s)])",
    re.IGNORECASE,  # a column may have the name key
)
_NESTED = re.compile(r"\b(?:array|struct|map|range)\s*<[^<>]*>|\bnested\s*<[^<>]*>", re.IGNORECASE)
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_LITERAL = re.compile(r"'(?:[^']|'')*'")


def recognise(data: Any) -> bool:
    """Whether a text creates a table."""
    return isinstance(data, str) and bool(_TABLE.search(_plain(data)))


def read(data: str) -> list[Imported]:
    """The tables of a text of DDL."""
    text = _plain(data)
    kinds = _kinds(text)
    found: dict[str, Imported] = {}
    for start in _TABLE.finditer(text):
        name = _name(start[1])
        body = text[start.end() : _closing(text, start.end())]
        found[name] = _table(name, [part for part in _split(body) if part.strip()], kinds)
    for start in _ALTER.finditer(text):
        name, end = _name(start[1]), re.compile(r";|^\s*go\s*$", re.IGNORECASE | re.MULTILINE).search(text, start.end())
        for part in _split(text[start.end() : end.start() if end else len(text)]) if name in found else []:
            if _RULE.match(part := _ADD.sub("", part, count=1)):
                found[name] = _rule(found[name], part)
    for table in found.values():
        for link in table.relationships:  # REFERENCES parent: its key
            parent, _, column = link["to"].rpartition(".")
            key = found[parent].key if parent in found else ()
            link["to"] = f"{parent}.{column or (key[0] if len(key) == 1 else link['from'].rpartition('.')[2])}"
    return list(found.values())


def _plain(text: str) -> str:
    """Remove comments and the parameters of nested types; quoted text stays, with a backslash before a quote turned
    into a doubled quote.
    """
    if "`" in text:  # MySQL and BigQuery
        text = re.sub(
            r"'(?:[^'\\]|''|\\.)*'",
            lambda m: re.sub(r"\\(.)", lambda e: "''" if e[1] == "'" else e[1], m[0]),
            text,
            flags=re.DOTALL,
        )
    text = re.sub(
        rf"{_LITERAL.pattern}|{_COMMENT.pattern}",
        lambda m: m[0] if m[0].startswith("'") else " ",
        text,
        flags=re.DOTALL,
    )
    while _NESTED.search(text):
        text = _NESTED.sub("nested", text)
    return text


def _kinds(text: str) -> dict[str, str]:
    """Types that the text defines: name -> the type to read instead."""
    kinds = {_name(m[1]).lower(): f"enum({text[m.end() : _closing(text, m.end())]})" for m in _ENUM.finditer(text)}
    return kinds | {_name(m[1]).lower(): m[2] for m in _DOMAIN.finditer(text)}


def _closing(text: str, at: int) -> int:
    """The position of the bracket that closes the one opened before a position."""
    depth, quote = 1, ""
    for i in range(at, len(text)):
        char = text[i]
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        else:
            depth += (char == "(") - (char == ")")
            if depth == 0:
                return i
    return len(text)


def _split(body: str) -> list[str]:
    """The parts between commas outside of brackets and quotes."""
    parts, depth, quote, last = [], 0, "", 0
    for i, char in enumerate(body):
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
        elif char == "," and depth == 0:
            parts.append(body[last:i])
            last = i + 1
        else:
            depth += (char == "(") - (char == ")")
    return [*parts, body[last:]]


def _name(written: str) -> str:
    """The last part of a qualified name, without quotes."""
    last = str(re.findall(_NAME, written)[-1])
    return last[1:-1].replace('""', '"').rpartition("." if last[0] == "`" else "\0")[2] if last[0] in '"`[' else last


def _names(written: str) -> list[str]:
    """The names in the first brackets of a text."""
    start = written.find("(")
    parts = _split(written[start + 1 : _closing(written, start + 1)]) if start >= 0 else []
    return [_name(first[0]) for part in parts if (first := re.search(_NAME, part))]


def _table(name: str, parts: list[str], kinds: Mapping[str, str]) -> Imported:
    table = Imported(name, {})
    for part in parts:
        if not _NO_COLUMN.match(part):
            table = _column(table, part.strip(), kinds)
    for part in parts:
        if _RULE.match(part):
            table = _rule(table, part)
    return table


def _column(table: Imported, part: str, kinds: Mapping[str, str]) -> Imported:
    found = re.match(_NAME, part)
    if not found:
        return table
    name, rest = _name(found[0]), part[found.end() :]
    kind = _TYPE.match(rest)
    own = kinds.get(_name(kind[1]).lower()) if kind else None
    if kind and own is not None:
        own = re.sub(r"\bvalue\b", lambda m: found[0], own, flags=re.IGNORECASE)
        rest = f" {own} {rest[kind.end() :]}"
        kind = _TYPE.match(rest)
    table.columns[name] = _traits(kind, rest)
    if kind and (kind[2] or kind[1].lower() == "nested"):
        table.notes.append(f"{name} is nested; flatten it into columns of their own")
    bare = re.sub(_LITERAL, "''", rest)
    if re.search(r"\bprimary\s+key\b", bare, re.IGNORECASE):
        table = _keyed(table, [name])
    if re.search(r"\bunique\b", bare, re.IGNORECASE):
        table.columns[name]["unique"] = True
    if re.search(r"\bnot\s+null\b|\bprimary\s+key\b", bare, re.IGNORECASE):
        table = _with(table, required=(*table.required, name))
    for check in re.finditer(r"\bcheck\s*\(", rest, re.IGNORECASE):
        _condition(table, rest[check.end() : _closing(rest, check.end())])
    if linked := re.search(rf"\breferences\s+({_NAME}(?:\s*\.\s*{_NAME})*)\s*(\([^)]*\))?", rest, re.IGNORECASE):
        table.relationships.append(
            {"from": f"{table.table}.{name}", "to": f"{_name(linked[1])}.{(_names(linked[2] or '') or [''])[0]}"}
        )
    return table


def _traits(kind: re.Match[str] | None, rest: str) -> dict[str, Any]:
    """Traits of a type. rest: the text after the column's name."""
    written = kind[1].translate(str.maketrans("", "", '[]"`')) if kind else ""
    if kind is None or kind[2] or written.lower() == "number":  # number: whole in Snowflake, any in Oracle
        return {}
    if re.match(r"(enum|set)\b", written, re.IGNORECASE):
        values = [v[1:-1].replace("''", "'") for v in _LITERAL.findall(rest[: _closing(rest, rest.find("(") + 1)])]
        return {"type": "category", "categories": values} if written.lower().startswith("enum") else {}
    return typed(written)


def _rule(table: Imported, part: str) -> Imported:
    """A constraint of the table."""
    found = _RULE.match(part)
    assert found is not None
    kind, rest = re.sub(r"\s+", " ", found[1].lower()), part[found.end() :]
    if kind == "primary key":
        return _keyed(table, _names(rest))
    if kind.startswith("unique"):
        names = _names(rest)
        if len(names) == 1 and names[0] in table.columns:
            table.columns[names[0]]["unique"] = True
        elif names:
            table.constraints.append({"unique": names})
    elif kind == "check":
        start = rest.find("(") + 1
        _condition(table, rest[start : _closing(rest, start)])
    elif kind == "foreign key":
        to = re.search(rf"\breferences\s+({_NAME}(?:\s*\.\s*{_NAME})*)\s*(\([^)]*\))?", rest, re.IGNORECASE)
        own = _names(rest)
        if to:
            theirs = _names(to[2] or "") or (own if len(own) > 1 else [""])
            table.relationships.extend(
                {"from": f"{table.table}.{a}", "to": f"{_name(to[1])}.{b}"} for a, b in zip(own, theirs)
            )
    return table


def _keyed(table: Imported, names: list[str]) -> Imported:
    if len(names) == 1 and names[0] in table.columns:
        table.columns[names[0]]["unique"] = True
    elif len(names) > 1:
        table.constraints.append({"unique": names})
    return _with(table, key=tuple(names))


def _condition(table: Imported, sql: str) -> None:
    """A check: the values of one column, or an expression, or a note."""
    bare = plain(sql).strip()
    while bare.startswith("(") and _closing(bare, 1) == len(bare) - 1:
        bare = bare[1:-1].strip()
    listed = re.fullmatch(rf"\s*\(?\s*({_NAME})\s*\)?\s+in\s*\(((?:\s*'(?:[^']|'')*'\s*,?)+)\)\s*", bare, re.IGNORECASE)
    if listed and _name(listed[1]) in table.columns:
        values = [v[1:-1].replace("''", "'") for v in _LITERAL.findall(listed[2])]
        table.columns[_name(listed[1])] = {"type": "category", "categories": values}
        return
    rule = condition(sql)
    if rule is None:
        table.notes.append(f"check {' '.join(sql.split())}")
    else:
        table.constraints.append(dict(rule))


def _with(table: Imported, **changes: Any) -> Imported:
    from dataclasses import replace

    return replace(table, **changes)
