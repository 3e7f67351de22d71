"""The `synth` command: every group of commands on one Typer app. Nothing heavy is imported before a command runs."""

from __future__ import annotations

from typing import Annotated

import typer

from synthcli.cli import init, inspect, report, run, runs
from synthcli.version import __version__

app = typer.Typer(
    name="synth",
    help="Synthetic data from a spec: analyze, train, generate, evaluate, privacy-check, and a verdict.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run.register(app)
inspect.register(app)
report.register(app)
init.register(app)
app.add_typer(runs.app, name="runs")


def _version(requested: bool) -> None:
    if requested:
        typer.echo(f"synth {__version__}")
        raise typer.Exit()


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    pass
