"""synth init: examine data and write a first, commented spec to review."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Annotated, Any

import typer

from synthcli.cli import options as o
from synthcli.cli.door import door
from synthcli.wording import quantity

Data = Annotated[
    str,
    typer.Argument(
        metavar="DATA",
        help="A file, glob or URL of csv, parquet, jsonl or excel; the URL of a database; or builtin:NAME.",
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
    force: Force = False,
    as_json: o.Json = False,
) -> None:
    """Write a first spec."""
    from synthcli import sources
    from synthcli.errors import SpecError
    from synthcli.init import imports
    from synthcli.init.draft import draft
    from synthcli.init.findings import look, settled

    screen = output is not None and str(output) == "-"
    source, title = _source(data, format, table, Path() if screen or output is None else output.parent)
    target = output or Path(f"{title}.yaml")
    if not screen and target.exists() and not force:
        raise SpecError(f"{target} already exists; remedy: --output with another name, or --force")
    if not screen and not target.absolute().parent.is_dir():
        raise SpecError(f"{target}: the folder {target.parent} does not exist; remedy: create it")
    source = settled(source)
    imported = None if metadata is None else imports.load(metadata, sources.columns(source), stem=title)
    found = look(source, imported)
    text = draft(found, _section(source, Path() if screen else target.parent), title=data)
    if not screen:
        target.write_text(text, encoding="utf-8")
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, **_summary(found, None if screen else target)}, ensure_ascii=False))
    elif screen:
        typer.echo(text, nl=False)
    else:
        summary = _summary(found, target)
        counts = (
            f"{quantity(summary['direct_identifiers'], 'direct identifier')},"
            f" {quantity(summary['special_categories'], 'special category', 'special categories')},"
            f" {quantity(summary['constraints'], 'rule')}"
        )
        typer.echo(
            f"{target}: {quantity(len(found.columns), 'column')}, {quantity(found.rows, 'row')}, {counts};"
            f" review it, then run `synth run {target}`"
        )


def _source(data: str, format: str | None, table: str | None, folder: Path) -> tuple[Any, str]:
    """The source to read, and its title. folder: of the spec, the base of relative paths in a database URL."""
    from synthcli import sources
    from synthcli.errors import SpecError
    from synthcli.sources import credentials
    from synthcli.sources.paths import format_of, is_url

    if data.startswith("builtin:"):
        name = data.partition(":")[2]
        return sources.Source("builtin", name=name), name
    if credentials.literal(data):
        raise SpecError(
            "DATA contains a password, which the spec would show; remedy: take it from the environment, such as"
            " '${WAREHOUSE_URL}'"
        )
    if table is not None:
        return sources.Source("sql", url=data, table=table, folder=folder.absolute()), table.rpartition(".")[2]
    name = data.rstrip("/").rpartition("/")[2]
    kind = format or format_of(name.lower())
    if kind not in sources.FILES:
        known = ", ".join(sources.FILES)
        raise SpecError(
            f"{data}: its {'format' if format else 'ending'} is not one of {known}; remedy: --format; --table for a"
            " database; builtin:NAME"
        )
    title = re.sub(r"[^A-Za-z0-9_.-]+", "-", name.removesuffix(".gz").rpartition(".")[0] or name).strip("-.") or "spec"
    return sources.Source(kind, path=data if is_url(data) else Path(data).absolute()), title


def _section(source: Any, folder: Path) -> dict[str, Any]:
    """The source section, with a path relative to the spec."""
    if source.type == "builtin":
        return {"type": "builtin", "name": source.name}
    if source.type == "sql":
        return {"type": "sql", "url": source.url, "table": source.table}
    path = (
        source.path
        if isinstance(source.path, str)
        else Path(os.path.relpath(source.path, folder.absolute())).as_posix()
    )
    encoding = {"encoding": source.encoding} if source.encoding is not None else {}
    return {
        "type": source.type,
        "path": path,
        **encoding,
        **({"decimal": source.decimal} if source.decimal != "." else {}),
    }


def _summary(found: Any, target: Path | None) -> dict[str, Any]:
    """The counts and the guesses, without a value of the data."""
    columns = [
        {"name": f.name, "type": f.kind, "made_up": f.made_up,
         "guesses": [{"kind": g.kind, "sensitivity": g.sensitivity, "confidence": round(g.confidence, 2), "by": g.by}
                     for g in (f.guess, f.special) if g]}
        for f in found.columns
    ]  # fmt: skip
    kinds = [g["sensitivity"] for c in columns for g in c["guesses"]]
    return {
        "spec": None if target is None else str(target),
        "rows": found.rows,
        "privacy_unit": found.unit and found.unit[0],
        "target": found.target and found.target[0],
        "direct_identifiers": kinds.count("direct identifier"),
        "special_categories": kinds.count("special category"),
        "constraints": len(found.suggestions),
        "columns": columns,
    }
