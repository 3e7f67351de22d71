"""synth report: write the page of a run again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synthcli.cli import browser
from synthcli.cli import options as o
from synthcli.cli.door import door

Target = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="The file to write; default: report.html in the run's folder."),
]


def register(app: typer.Typer) -> None:
    """Put the command of this file on the app."""
    app.command("report", help="Write a run's report.html again, from its folder alone.")(report)


@door
def report(
    run: o.RunName, output: Target = None, open_: o.Open = False, root: o.Root = o.ROOT, as_json: o.Json = False
) -> None:
    """Write the page of a run."""
    from synthcli.artifacts import store
    from synthcli.report import html

    version = store.find(root, run)
    show(html.write(version, output), version.name, open_=open_, as_json=as_json)


def show(page: Path, what: str, *, open_: bool, as_json: bool) -> None:
    """Print the path of a page, and open it if requested."""
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, "run": what, "report": str(page)}, ensure_ascii=False))
    else:
        typer.echo(str(page))
    if open_:
        browser.show(page)
