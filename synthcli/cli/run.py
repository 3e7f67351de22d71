"""synth run, single stages, generate --from, preview."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from synthcli.cli import options as o
from synthcli.cli.door import door
from synthcli.wording import agreeing, quantity

if TYPE_CHECKING:
    from synthcli.contracts.modality import Target

FROM = typer.Option(
    "--from",
    metavar="RUN",
    help="Generate rows from the model of an earlier run, without its source.",
    autocompletion=o.complete_run,
)
GIVEN = typer.Option(
    "--given", metavar="FILE", help="With --from: rows with some known columns; the model adds the rest."
)
IMPUTE = typer.Option("--impute", metavar="FILE", help="With --from: fill the empty cells of a file.")
MOST_LIKELY = typer.Option(
    "--most-likely", help="With --impute or --given: fill in the most likely values instead of random draws."
)
WHERE = typer.Option("--where", metavar="EXPRESSION", help="With --from: a condition on every row.")
TO = typer.Option(
    "--output",
    "-o",
    help="With --from: the file to write; its ending is the format. For related tables: a folder, or a database.",
)
FORMAT = typer.Option(
    "--format", help="With --from: csv, parquet, jsonl, excel, or sql (then -o is the URL of a database)."
)
STAGE_HELP = {
    "analyze": "Examine the data: types, nulls, distributions, dependencies, keys, rare values.",
    "train": "Run up to fitting the generator.",
    "evaluate": "Run up to the quality gates, one round.",
    "privacy-check": "Run up to the privacy gates, one round.",
}


def register(app: typer.Typer) -> None:
    """Put the commands of this file on the app."""
    app.command("run", help="Run the whole loop: learn, generate, evaluate, check privacy, and judge.")(run)
    for stage, text in STAGE_HELP.items():
        app.command(stage, help=text)(_stage_command(stage))
    app.command("generate", help="Run up to generating; with --from, generate more rows from an earlier run.")(generate)
    app.command("preview", help="Show a few rows from a small, quick fit; nothing is saved.")(preview)


@door
def run(
    spec: o.Spec,
    sets: o.Sets = None,
    rows: o.Rows = None,
    seed: o.Seed = None,
    root: o.Root = o.ROOT,
    if_changed: o.IfChanged = False,
    fresh: o.Fresh = False,
    keep_failed: o.KeepFailed = False,
    trust: o.Trust = False,
    quiet: o.Quiet = False,
    open_: o.Open = False,
    as_json: o.Json = False,
) -> None:
    """Run the whole loop and show the verdict."""
    settings = {"if_changed": if_changed, "fresh": fresh, "keep_failed": keep_failed, "trust": trust}
    _execute("run", spec, o.overrides(sets, rows, seed), root, quiet, as_json, settings, open_=open_)


def _stage_command(stage: str) -> Any:
    @door
    def command(
        spec: o.Spec,
        sets: o.Sets = None,
        rows: o.Rows = None,
        seed: o.Seed = None,
        root: o.Root = o.ROOT,
        fresh: o.Fresh = False,
        trust: o.Trust = False,
        quiet: o.Quiet = False,
        as_json: o.Json = False,
    ) -> None:
        _execute(stage, spec, o.overrides(sets, rows, seed), root, quiet, as_json, {"fresh": fresh, "trust": trust})

    return command


def _execute(
    upto: str,
    spec: Path,
    sets: list[str],
    root: Path,
    quiet: bool,
    as_json: bool,
    settings: dict[str, bool],
    *,
    open_: bool = False,
) -> None:
    from synthcli.artifacts.store import REPORT
    from synthcli.cli import browser, screen
    from synthcli.pipeline.execute import execute
    from synthcli.report import terminal

    with screen.watching(quiet=quiet) as events:
        done = execute(spec, root=root, upto=upto, sets=sets, events=events, **settings)  # type: ignore[arg-type]
    if as_json:
        typer.echo(json.dumps(terminal.summary(done.version, done.exit_code, fresh=done.fresh), ensure_ascii=False))
    elif not quiet:
        terminal.show(terminal.run_page(done.version, fresh=done.fresh))
    if open_:
        browser.show(done.version.folder / REPORT)
    raise typer.Exit(done.exit_code)


@door
def generate(
    spec: Annotated[
        Path | None, typer.Argument(metavar="[SPEC]", help="The spec, a YAML file.", autocompletion=o.complete_spec)
    ] = None,
    from_: Annotated[str | None, FROM] = None,
    output: Annotated[str | None, TO] = None,
    format: Annotated[str | None, FORMAT] = None,
    given: Annotated[Path | None, GIVEN] = None,
    impute: Annotated[Path | None, IMPUTE] = None,
    most_likely: Annotated[bool, MOST_LIKELY] = False,
    where: Annotated[str | None, WHERE] = None,
    sets: o.Sets = None,
    rows: o.Rows = None,
    seed: o.Seed = None,
    root: o.Root = o.ROOT,
    fresh: o.Fresh = False,
    keep_failed: o.KeepFailed = False,
    quiet: o.Quiet = False,
    as_json: o.Json = False,
) -> None:
    """Generate from a spec, or from the model of an earlier run."""
    if (spec is None) == (from_ is None):
        raise typer.BadParameter("give either a SPEC or --from RUN")
    if spec is not None:
        if keep_failed or any(each is not None for each in (output, format, given, impute, where)):
            raise typer.BadParameter(
                "--output, --format, --keep-failed, --given, --impute and --where require --from; in a spec, set"
                " generate and output"
            )
        _execute("generate", spec, o.overrides(sets, rows, seed), root, quiet, as_json, {"fresh": fresh})
        return
    if fresh:
        raise typer.BadParameter("--fresh requires a SPEC; --from uses the model of the run")
    if (given is not None or impute is not None) and (sets or format is not None):
        raise typer.BadParameter("--set and --format do not go with --given and --impute")
    if most_likely and given is None and impute is None:
        raise typer.BadParameter("--most-likely requires --given FILE or --impute FILE")
    common = {"root": root, "run": str(from_), "seed": seed, "keep_failed": keep_failed}
    if given is not None or impute is not None:
        if (given is not None and impute is not None) or rows is not None or where is not None:
            raise typer.BadParameter("give one of --given FILE, --impute FILE, or --rows N [--where EXPRESSION]")
        result = _completed(given or impute, output, impute is not None, most_likely, quiet, common)
    else:
        result = _more(output, format, where, list(sets or []), rows, quiet, common)
    if as_json:
        typer.echo(json.dumps({"exit_code": 0, **result}, ensure_ascii=False))
    elif not quiet:
        typer.echo(_said(result))


def _said(result: dict[str, Any]) -> str:
    """What was generated, from which run, and where it is."""
    what = quantity(result["rows"], "row")
    if tables := result.get("tables"):
        every = f"{quantity(sum(tables.values()), 'row')} in {quantity(len(tables), 'table')}"
        what += f" of the privacy unit's table, {every},"
    more = f"; {quantity(result['filled'], 'cell')} filled" if result.get("filled") else ""
    if n := result.get("breaking"):
        holds = agreeing(n, "holds", "hold")
        more += f"; {quantity(n, 'row')} {holds} known values that break a constraint: {_broken(result)}"
    support = f"\n{result['support']}" if result.get("support") else ""
    notes = "".join(f"\n{note}" for note in result.get("notes", ()))
    return f"{what} from {result['run']} in {result['output']}{more}{support}{notes}"


def _broken(result: dict[str, Any]) -> str:
    """Each constraint that known values break, with the number of rows and the first lines."""
    return "; ".join(
        f"{each['constraint']} ({each['rows']:,}: line"
        f" {', '.join(map(str, each['lines']))}{', …' if each['rows'] > len(each['lines']) else ''})"
        for each in result["broken"]
    )


def _completed(
    known: Path | None, output: str | None, impute: bool, most_likely: bool, quiet: bool, common: dict[str, Any]
) -> dict[str, Any]:
    """Complete the rows of a file by an old run's model."""
    from synthcli.cli import screen
    from synthcli.contracts.modality import Completion
    from synthcli.pipeline.resample import completed

    assert known is not None
    path = Path(output or _completed_name(known.name))
    with screen.watching(quiet=quiet) as events:
        return completed(known=known, target=path, how=Completion(impute, most_likely), events=events, **common)


def _more(
    output: str | None,
    format: str | None,
    where: str | None,
    sets: list[str],
    rows: int | None,
    quiet: bool,
    common: dict[str, Any],
) -> dict[str, Any]:
    """Sample a number of rows from an old run's model."""
    from synthcli.cli import screen
    from synthcli.pipeline.resample import conditions, more

    if rows is None and not sets:
        raise typer.BadParameter("--from needs --rows N, --given FILE or --impute FILE")
    if where is not None and not where.strip():
        raise typer.BadParameter("--where is empty; expected an expression such as 'age >= 80'")
    root, run = common["root"], common["run"]
    with screen.watching(quiet=quiet) as events:
        generate = conditions(root, run, sets, where)
        target = _target(output or _rows_name(root, run, rows, format), format)
        return more(rows=rows, target=target, events=events, generate=generate, **common)


def _target(output: str, format: str | None) -> Target:
    """Where to write rows: a file, a folder, or a database. Raises SpecError."""
    from synthcli import sources
    from synthcli.contracts.modality import Target
    from synthcli.errors import SpecError, did_you_mean
    from synthcli.sources import credentials, database

    if format is not None and format not in sources.FORMATS:
        known = ", ".join(sources.FORMATS)
        raise SpecError(f"--format is {format}; expected one of {known}.{did_you_mean(format, sources.FORMATS)}")
    url = database.kind_of(output) is not None or output.startswith("${")
    if format not in (None, "sql") and url:
        raise SpecError(f"--format is {format}, but --output is a database; remedy: --format sql, or a file or folder")
    if not url:
        if format == "sql":
            raise SpecError(f"--output {output}: --format sql requires the URL of a database, such as sqlite:///new.db")
        return Target(format or "", Path(output))
    if credentials.literal(output):
        raise SpecError("--output contains a password; remedy: take it from the environment, as '${WAREHOUSE_URL}'")
    return Target("sql", url=output, folder=Path().absolute())


def _rows_name(root: Path, run: str, rows: int | None, format: str | None) -> str:
    """The name of the output: a file, or a folder for related tables."""
    from synthcli.artifacts import store
    from synthcli.sources.paths import ENDINGS
    from synthcli.spec.describe import modality_of_run

    plan = store.find(root, run).read(store.PLAN) or {"source": {}}
    ending = ENDINGS[format].own[0] if format in ENDINGS else ".parquet"
    return f"{run.replace('/', '-')}-{rows or 'more'}" + ("" if modality_of_run(plan) == "relational" else ending)


def _completed_name(name: str) -> str:
    """people.csv.gz -> people-completed.csv.gz"""
    stem, dot, ending = name.removesuffix(".gz").rpartition(".")
    return f"{stem}-completed{dot}{ending}{'.gz' if name.endswith('.gz') else ''}"


@door
def preview(
    spec: o.Spec,
    sets: o.Sets = None,
    seed: o.Seed = None,
    rows: Annotated[int, typer.Option("--rows", min=1, max=1000)] = 20,
    as_json: o.Json = False,
) -> None:
    """Show a few rows."""
    from synthcli.pipeline.preview import preview as previewed
    from synthcli.report import listings, terminal

    found, method = previewed(spec, rows, o.overrides(sets, None, seed))
    plain = lambda frame: json.loads(frame.to_json(orient="records", date_format="iso"))  # noqa: E731
    if as_json:
        alone = list(found) == [""]
        body = (
            {"rows": plain(found[""])} if alone else {"tables": {name: plain(frame) for name, frame in found.items()}}
        )
        typer.echo(json.dumps({"exit_code": 0, "method": method, **body}, ensure_ascii=False))
        return
    for name, frame in found.items():
        what = f"{quantity(len(frame), 'row')}{f' of {name}' if name else ''} from a small fit of {method}; not kept"
        terminal.show(listings.rows_page(frame, what, terminal.width()))
