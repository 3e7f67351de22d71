"""synth runs: list, show, diff, verify, prune."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from synthcli.cli import options as o
from synthcli.cli import report
from synthcli.cli.door import door
from synthcli.wording import quantity

app = typer.Typer(
    help="Versions of runs: list, show, diff, verify, prune.", no_args_is_help=True, rich_markup_mode=None
)
Name = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="Runs of one spec only.", autocompletion=o.complete_run)
]


@app.command("list", help="List runs with their verdicts, figures and ages.")
@door
def list_(
    name: Name = None,
    every: Annotated[
        bool, typer.Option("--all", help="Also list starts that ended before a stage was finished.")
    ] = False,
    root: o.Root = o.ROOT,
    as_json: o.Json = False,
) -> None:
    """List versions."""
    from synthcli.artifacts import lineage
    from synthcli.report import listings, terminal

    found = lineage.listing(root, name)
    shown = [run for run in found if every or lineage.begun(run)]
    hidden = len(found) - len(shown)
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, "runs": shown, "hidden": hidden}, ensure_ascii=False))
    else:
        terminal.show(listings.runs_page(shown, root, hidden=hidden))


@app.command("show", help="Show a run's verdict, measurements and files.")
@door
def show(run: o.RunName, root: o.Root = o.ROOT, as_json: o.Json = False) -> None:
    """Show a run."""
    from synthcli.artifacts import store
    from synthcli.report import terminal

    version = store.find(root, run)
    if as_json:
        typer.echo(json.dumps(terminal.summary(version, 0, fresh=False, whole=True), ensure_ascii=False))
    else:
        terminal.show(terminal.run_page(version, fresh=True, whole=True))


@app.command("diff", help="Show what changed between two runs: spec, data, packages, figures.")
@door
def diff(
    first: o.RunName,
    second: o.RunName,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write the comparison as a page.")
    ] = None,
    open_: Annotated[bool, typer.Option("--open", help="With --output: show it in the browser.")] = False,
    root: o.Root = o.ROOT,
    as_json: o.Json = False,
) -> None:
    """Compare two runs."""
    from synthcli.artifacts import lineage, store
    from synthcli.report import diff as side_by_side
    from synthcli.report import listings, terminal

    pair = store.find(root, first), store.find(root, second)
    if output is not None:
        report.show(side_by_side.write(*pair, output), f"{first} {second}", open_=open_, as_json=as_json)
        return
    found = lineage.difference(*pair)
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, **found}, ensure_ascii=False))
    else:
        terminal.show(listings.diff_page(found))


@app.command("verify", help="Compare the hashes of a run's files with its sealed manifest.")
@door
def verify(run: o.RunName, root: o.Root = o.ROOT, as_json: o.Json = False) -> None:
    """Verify a run."""
    from synthcli.artifacts import store

    version = store.find(root, run)
    wrong = version.verify()
    if as_json:
        typer.echo(
            json.dumps({"exit_code": 1 if wrong else 0, "run": version.name, "wrong": wrong}, ensure_ascii=False)
        )
    else:
        typer.echo(
            "\n".join(
                [f"{version.name}: {'does not verify' if wrong else 'verified'}", *(f"  {line}" for line in wrong)]
            )
        )
    raise typer.Exit(1 if wrong else 0)


@app.command("prune", help="Remove old versions, never the latest and the last that passed.")
@door
def prune(
    name: Name = None,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="Number of newest versions to keep.")] = None,
    days: Annotated[
        float | None, typer.Option("--days", min=0, help="Remove versions that are older than this many days.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only print what would be removed.")] = False,
    root: o.Root = o.ROOT,
    as_json: o.Json = False,
) -> None:
    """Remove old versions."""
    from synthcli.artifacts import store

    if keep is None and days is None:
        raise typer.BadParameter("give --keep N, --days D, or both")
    removed = [
        v.name
        for n in store.chosen(root, name)
        for v in store.Store(root, n).prune(keep=keep, days=days, dry_run=dry_run)
    ]
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, "removed": removed, "dry_run": dry_run}))
    else:
        typer.echo(
            "\n".join(
                [
                    f"{'would remove' if dry_run else 'removed'} {quantity(len(removed), 'version')}",
                    *(f"  {n}" for n in removed),
                ]
            )
        )
