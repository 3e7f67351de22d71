"""synth check, plan, methods, schema: commands that generate nothing."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from synthcli.cli import options as o
from synthcli.cli.door import door
from synthcli.wording import quantity


def register(app: typer.Typer) -> None:
    """Put the commands of this file on the app."""
    app.command("check", help="Validate a spec; reads column names and types only.")(check)
    app.command(
        "plan",
        help=("Show what a run would do: stages to run or keep, seconds, memory, files; generates nothing."),
    )(plan)
    app.command("methods", help="List methods, show one with its parameters, or list metrics and attacks.")(methods)
    app.command("schema", help="Print the JSON Schema of the spec, for editors.")(schema)


@door
def check(spec: o.Spec, sets: o.Sets = None, trust: o.Trust = False, as_json: o.Json = False) -> None:
    """Validate a spec."""
    from synthcli.pipeline.checking import checked

    found = checked(spec, list(sets or []), trust=trust)
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, **found}, ensure_ascii=False))
    else:
        gates = "default gates" if found["gates"] == "default" else quantity(found["gates"], "gate")
        size = f"{quantity(found['columns'], 'column')}, method {found['method']}, {gates}"
        for warning in found["warnings"]:
            typer.echo(f"{spec}: warning: {warning}")
        typer.echo(f"{spec}: valid; {size}")
        if found["drops"]:
            typer.echo(
                f"{quantity(found['drops'], 'constraint or computed column', 'constraints or computed columns')} with"
                " on_violation: drop; rows of the source that break one are left out, and counted in the verdict"
            )


@door
def plan(
    spec: o.Spec,
    sets: o.Sets = None,
    rows: o.Rows = None,
    seed: o.Seed = None,
    root: o.Root = o.ROOT,
    as_json: o.Json = False,
) -> None:
    """Show which stages would run, their cost, and the files read and written."""
    from synthcli.pipeline.preflight.plan import foreseen
    from synthcli.report import listings, terminal

    found = foreseen(spec, root, o.overrides(sets, rows, seed))
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, **found}, ensure_ascii=False))
    else:
        terminal.show(listings.plan_page(found))


@door
def methods(
    name: Annotated[
        str | None, typer.Argument(metavar="[NAME]", help="One method.", autocompletion=o.complete_method)
    ] = None,
    metrics: Annotated[bool, typer.Option("--metrics", help="Metrics and attacks that gates can name.")] = False,
    as_json: o.Json = False,
) -> None:
    """List methods or metrics."""
    from synthcli.report import listings, reference, terminal

    if metrics:
        found = reference.gauges()
        page = listings.gauges_page(found)
    elif name is None:
        found = reference.methods()
        page = listings.methods_page(found)
    else:
        found = [reference.method(name)]
        page = listings.method_page(found[0])
    if as_json:
        key = "metrics" if metrics else "methods"
        typer.echo(json.dumps({"exit_code": 0, key: found}, ensure_ascii=False))
    else:
        terminal.show(page)


@door
def schema() -> None:
    """Print the JSON Schema."""
    from synthcli.spec.models import Spec

    typer.echo(
        json.dumps(
            {"$schema": "https://json-schema.org/draft/2020-12/schema", **Spec.model_json_schema(by_alias=True)},
            indent=2,
            ensure_ascii=False,
        )
    )
