"""dbt schema.yml: models, seeds, snapshots and the tables of sources, with their tests, constraints and meta."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synthcli.columns.discovery.relation import quoted
from synthcli.init.imports.conditions import condition
from synthcli.init.imports.shared import PERSONAL, Imported, listed, mapping, mappings, pattern, typed

_SECTIONS = ("models", "seeds", "snapshots")


def recognise(data: Any) -> bool:
    """Whether values are a dbt properties file: a list of models, seeds, snapshots or sources with columns."""
    return isinstance(data, Mapping) and any(True for _ in _tables(data))


def read(data: Mapping[str, Any]) -> list[Imported]:
    """The models, seeds, snapshots and source tables of a properties file."""
    return [_table(table) for table in _tables(data)]


def _tables(data: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    listed = [data.get(section) for section in _SECTIONS]
    sources = data.get("sources")
    if isinstance(sources, list):
        listed += [source.get("tables") for source in sources if isinstance(source, Mapping)]
    for tables in listed:
        for table in tables if isinstance(tables, list) else []:
            if isinstance(table, Mapping) and isinstance(table.get("columns"), list):
                yield table


class _Reading:
    """The traits and constraints of one table, collected while it is read."""

    def __init__(self, name: str) -> None:
        self.out = Imported(name, {})
        self.required: list[str] = []
        self.key: tuple[str, ...] = ()

    def test(self, column: str | None, test: Any) -> None:
        """Add a test, or a constraint of the same name, of a column or of the table."""
        name, given = _called(test)
        kind = name.rpartition(".")[2]
        known = {
            "unique": self.unique,
            "not_null": self.not_null,
            "accepted_values": self.values,
            "relationships": self.link,
            "accepted_range": self.bounds,
            "expression_is_true": self.expression,
            "unique_combination_of_columns": self.joint,
            "expect_column_values_to_be_in_set": self.values,
            "expect_column_values_to_be_between": self.bounds,
            "expect_column_values_to_be_unique": self.unique,
            "expect_column_values_to_not_be_null": self.not_null,
            "expect_column_values_to_match_regex": self.pattern,
            "expect_compound_columns_to_be_unique": self.joint,
        }
        where = given.get("where") or given.get("row_condition")
        if kind in known and not where:
            known[kind](column, given)
        else:
            self.out.notes.append(f"test {name}{f' of {column}' if column else ''}{f' where {where}' if where else ''}")

    def unique(self, column: str | None, given: dict[str, Any]) -> None:
        if column is not None:
            self.out.columns[column]["unique"] = True

    def not_null(self, column: str | None, given: dict[str, Any]) -> None:
        if column is not None:
            self.required.append(column)

    def values(self, column: str | None, given: dict[str, Any]) -> None:
        values = given.get("values", given.get("value_set"))
        if column is not None and isinstance(values, list):
            self.out.columns[column] |= {"type": "category", "categories": list(values)}

    def pattern(self, column: str | None, given: dict[str, Any]) -> None:
        if column is not None:
            self.out.columns[column] |= pattern(given.get("regex"))

    def bounds(self, column: str | None, given: dict[str, Any]) -> None:
        if column is None:
            return
        for key, trait, sign in (("min_value", "min", ">"), ("max_value", "max", "<")):
            bound = given.get(key)
            date = re.fullmatch(r"\s*'([\d :.T-]+)'(?:\s*::\s*\w+)?\s*", str(bound))
            strict = not given.get("inclusive", True) or given.get("strictly", False)
            if (isinstance(bound, (int, float)) or date) and not strict:
                self.out.columns[column][trait] = date[1] if date else bound
            elif isinstance(bound, (int, float)) or date:
                self.out.constraints.append({"expr": f"{quoted(column)} {sign} {date[0].strip() if date else bound}"})
            elif bound is not None:
                self.out.notes.append(f"{key} {bound} of {column}")

    def expression(self, column: str | None, given: dict[str, Any]) -> None:
        text = str(given.get("expression", ""))
        self.condition(f'"{column}" {text}' if column is not None else text)

    def condition(self, sql: str) -> None:
        rule = condition(sql)
        if rule is None:
            self.out.notes.append(f"expression {sql}")
        else:
            self.out.constraints.append(dict(rule))

    def joint(self, column: str | None, given: dict[str, Any]) -> None:
        self.out.constraints.append(
            {"unique": [str(c) for c in listed(given.get("combination_of_columns") or given.get("column_list"))]}
        )

    def link(self, column: str | None, given: dict[str, Any]) -> None:
        link = {"from": f"{self.out.table}.{column}", "to": f"{_referred(given.get('to'))}.{given.get('field')}"}
        if link not in self.out.relationships:
            self.out.relationships.append(link)

    def constraint(self, column: str | None, declared: Mapping[str, Any]) -> None:
        """Add a constraint of a contract."""
        kind = declared.get("type")
        columns = [column] if column is not None else [str(c) for c in listed(declared.get("columns"))]
        if kind == "primary_key":
            self.key = tuple(columns)
        elif kind == "unique" and len(columns) > 1:
            self.out.constraints.append({"unique": columns})
        elif kind == "check" and declared.get("expression"):
            self.condition(str(declared["expression"]))
        elif kind == "foreign_key" and isinstance(declared.get("to_columns"), list):
            for own, field in zip(columns, declared["to_columns"]):
                self.link(own, {"to": declared.get("to"), "field": field})
        elif kind == "foreign_key":
            self.out.notes.append(
                f"foreign key of {', '.join(columns)}: {declared.get('to') or declared.get('expression')}"
            )
        else:
            for name in columns:
                self.test(name, str(kind))


def _called(test: Any) -> tuple[str, dict[str, Any]]:
    """Parse a test's name and arguments: a word, {name: arguments}, or {name: label, test_name: ...}."""
    if not isinstance(test, Mapping) or not test:
        return (test, {}) if isinstance(test, str) else ("", {})
    name, given = (test["test_name"], test) if "test_name" in test else next(iter(test.items()))
    given = dict(given) if isinstance(given, Mapping) else {}
    for key in ("arguments", "config"):
        more = given.pop(key, None)
        given |= mapping(more)
    return str(name), given


def _referred(to: Any) -> str:
    """The table that ref('x') or source('a', 'x') names."""
    found = re.findall(r"'([^']+)'|\"([^\"]+)\"", str(to or ""))
    return "".join(found[-1]) if found else str(to)


def _table(table: Mapping[str, Any]) -> Imported:
    reading = _Reading(str(table.get("name")))
    columns = [c for c in table["columns"] if isinstance(c, Mapping) and c.get("name")]
    for column in columns:
        reading.out.columns[str(column["name"])] = typed(column.get("data_type"))
        if why := _personal(column):
            reading.out.personal[str(column["name"])] = why
    for column in columns:
        for test in [*listed(column.get("tests")), *listed(column.get("data_tests"))]:
            reading.test(str(column["name"]), test)
        for declared in mappings(column.get("constraints")):
            reading.constraint(str(column["name"]), declared)
    for test in [*listed(table.get("tests")), *listed(table.get("data_tests"))]:
        reading.test(None, test)
    for declared in mappings(table.get("constraints")):
        reading.constraint(None, declared)
    if len(reading.key) == 1 and reading.key[0] in reading.out.columns:
        reading.out.columns[reading.key[0]]["unique"] = True
    elif reading.key:
        reading.out.constraints.append({"unique": list(reading.key)})
    out = reading.out
    return Imported(
        out.table,
        out.columns,
        reading.key,
        out.constraints,
        out.relationships,
        out.personal,
        tuple(reading.required),
        out.notes,
    )


def _personal(column: Mapping[str, Any]) -> str:
    """The marking of a column as personal data, in its meta or tags; empty if there is none."""
    metas = [mapping(column.get("meta")), mapping(mapping(column.get("config")).get("meta"))]
    words = [
        f"{key}: {value}"
        for meta in metas
        for key, value in meta.items()
        if value not in (False, None, "false", "no", "none")
    ]
    words += [str(tag) for tag in [*listed(column.get("tags")), *listed(column.get("policy_tags"))]]
    return next((f"dbt: {word}" for word in words if PERSONAL.search(word.replace("_", " "))), "")
