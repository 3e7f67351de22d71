"""synth init: examine data and write a first, commented spec to review."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthcli.cli import options as o
from synthcli.cli.door import door
from synthcli.wording import quantity

if TYPE_CHECKING:
    from synthcli.init.findings import Findings
    from synthcli.init.imports.shared import Imported
    from synthcli.init.inputs import Inputs
    from synthcli.init.related.findings import RelatedFindings

Data = Annotated[
    list[str],
    typer.Argument(
        metavar="DATA...",
        help="Files, a folder or a glob of csv, parquet, jsonl or excel; the URL of a database; or builtin:NAME."
        " Several tables are examined for their keys and relationships.",
    ),
]
To = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="SPEC", help="Where to write; - is the screen. Default: the data's name with .yaml."
    ),
]
From = Annotated[
    Path | None,
    typer.Option(
        "--from", metavar="METADATA", help="SDV metadata, dbt schema.yml, ODCS or data contract, JSON Schema, SQL DDL."
    ),
]
Format = Annotated[
    str | None, typer.Option("--format", help="csv, parquet, jsonl or excel, if the ending does not say.")
]
TableName = Annotated[str | None, typer.Option("--table", help="For a database: the table, or schema.table.")]
Sheet = Annotated[str | None, typer.Option("--sheet", help="For a workbook: the sheet.")]
Encoding = Annotated[str | None, typer.Option("--encoding", help="For csv, such as latin-1, if it is not found.")]
Skip = Annotated[int, typer.Option("--skip", min=0, help="For csv and excel: lines before the header, if not found.")]
Force = Annotated[bool, typer.Option("--force", help="Overwrite an existing spec.")]


def register(app: typer.Typer) -> None:
    """Put the command of this file on the app."""
    app.command("init", help="Examine data and write a commented spec to review.")(init)


@door
def init(
    data: Data,
    output: To = None,
    metadata: From = None,
    format: Format = None,
    table: TableName = None,
    sheet: Sheet = None,
    encoding: Encoding = None,
    skip: Skip = 0,
    force: Force = False,
    as_json: o.Json = False,
) -> None:
    """Write a first spec."""
    from synthcli.errors import SpecError
    from synthcli.init.inputs import parse

    screen = output is not None and str(output) == "-"
    folder = Path() if screen or output is None else output.parent
    inputs = parse(data, format=format, table=table, folder=folder, sheet=sheet).read_with(encoding, skip)
    target = output or Path(f"{inputs.title}.yaml")
    if not screen and target.exists() and not force:
        raise SpecError(f"{target} already exists; remedy: --output with another name, or --force")
    if not screen and not target.absolute().parent.is_dir():
        raise SpecError(f"{target}: the folder {target.parent} does not exist; remedy: create it")
    text, summary, line = _drafted(inputs, metadata, " ".join(data), Path() if screen else target.parent)
    if not screen:
        target.write_text(text, encoding="utf-8")
    if as_json:
        shown = {"exit_code": 0, "spec": None if screen else str(target), **summary}
        typer.echo(json.dumps(shown, ensure_ascii=False))
    elif screen:
        typer.echo(text, nl=False)
    else:
        typer.echo(f"{target}: {line}; review it, then run `synth run {target}`")


def _drafted(inputs: Inputs, metadata: Path | None, title: str, folder: Path) -> tuple[str, dict[str, Any], str]:
    """The text of the spec, its summary, and the summary in words. folder: of the spec."""
    from dataclasses import replace

    from synthcli.errors import SpecError
    from synthcli.init import draft, findings
    from synthcli.init.imports import catalogue as of_catalogue
    from synthcli.init.inputs import section
    from synthcli.init.related import draft as related_draft
    from synthcli.init.related import findings as related

    others = (
        "" if not inputs.others else f"; not read: {quantity(len(inputs.others), 'sheet')} ({', '.join(inputs.others)})"
    )
    inputs = replace(inputs, tables={name: findings.settled(source) for name, source in inputs.tables.items()})
    imported = {} if metadata is None else _imported(inputs, metadata)
    if inputs.several:
        try:
            many = related.look(inputs.tables, imported)
        except SpecError:
            if inputs.alone is None:
                raise
        else:
            keys = {name: section(source, folder) for name, source in inputs.tables.items()}
            return related_draft.draft(many, keys, title=title), _related_summary(many), _related_line(many)
    name = inputs.alone or next(iter(inputs.tables))
    known = imported.get(name) if imported else of_catalogue.of_source(inputs.tables[name])
    found = findings.look(inputs.tables[name], known)
    line = (
        f"sheet {source.sheet} of {title}: {_line(found)}{others}"
        if (source := inputs.tables[name]).sheet
        else _line(found)
    )
    return draft.draft(found, section(source, folder), title=title), _summary(found), line


def _imported(inputs: Inputs, metadata: Path) -> dict[str, Imported]:
    """The metadata of each table. Raises SpecError if it describes none of them."""
    from synthcli import sources
    from synthcli.errors import SpecError
    from synthcli.init import imports

    out: dict[str, Imported] = {}
    last: SpecError | None = None
    for name, source in inputs.tables.items():
        stem = inputs.title if len(inputs.tables) == 1 else name
        try:
            out[name] = imports.load(metadata, sources.columns(source), stem=stem)
        except SpecError as error:
            last = error
    if not out and last is not None:
        raise last
    return out


def _related_line(found: RelatedFindings) -> str:
    rows = sum(each.rows for each in found.tables.values())
    return (
        f"{quantity(len(found.tables), 'table')}, {quantity(rows, 'row')},"
        f" {quantity(len(found.structure.links), 'relationship')}, {quantity(len(found.left_out), 'note')} on what was"
        " left out"
    )


def _line(found: Findings) -> str:
    counted = _summary(found)
    return (
        f"{quantity(len(found.columns), 'column')}, {quantity(found.rows, 'row')},"
        f" {quantity(counted['direct_identifiers'], 'direct identifier')},"
        f" {quantity(counted['special_categories'], 'special category', 'special categories')},"
        f" {quantity(counted['constraints'], 'rule')}"
    )


def _related_summary(found: RelatedFindings) -> dict[str, Any]:
    """The relationships and the counts of each table, without a value of the data."""
    return {
        "privacy_unit": found.unit.table,
        "relationships": [
            {"from": f"{r.child}.{'+'.join(r.columns)}", "to": f"{r.parent}.{'+'.join(r.keys)}", "why": link.why,
             "orphans": link.orphans}
            for link in found.structure.links for r in (link.relationship,)
        ],
        "left_out": list(found.left_out),
        "tables": {name: _summary(each) for name, each in found.tables.items()},
    }  # fmt: skip


def _summary(found: Findings) -> dict[str, Any]:
    """The counts and the guesses, without a value of the data."""
    columns: list[dict[str, Any]] = [
        {"name": f.name, "type": f.kind, "made_up": f.made_up,
         "guesses": [{"kind": g.kind, "sensitivity": g.sensitivity, "confidence": round(g.confidence, 2), "by": g.by}
                     for g in (f.guess, f.special) if g]}
        for f in found.columns
    ]  # fmt: skip
    kinds = [g["sensitivity"] for c in columns for g in c["guesses"]]
    return {
        "rows": found.rows,
        "privacy_unit": found.unit and found.unit[0],
        "target": found.target and found.target[0],
        "direct_identifiers": kinds.count("direct identifier"),
        "special_categories": kinds.count("special category"),
        "constraints": len(found.suggestions),
        "columns": columns,
    }
