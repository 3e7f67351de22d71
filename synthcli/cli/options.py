"""Options and arguments that several commands share, with their completion."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def _methods() -> list[str]:
    from synthcli import plugins

    names = (name for modality in plugins.modalities() for name in plugins.names("methods", modality))
    return [*dict.fromkeys(names), "auto"]


def _runs() -> list[str]:
    from synthcli.artifacts import store

    root = Path(os.environ.get("SYNTH_ROOT", "artifacts")).resolve()
    return [
        choice for name in store.names(root) for choice in (name, *(v.name for v in store.Store(root, name).versions()))
    ]


def _specs() -> list[str]:
    return sorted(str(p) for pattern in ("*.yaml", "*.yml", "*/*.yaml", "*/*.yml") for p in Path().glob(pattern))


def _starting(incomplete: str, known: list[str]) -> list[str]:
    return [word for word in known if word.startswith(incomplete)]


def complete_method(incomplete: str) -> list[str]:
    """Names of methods, for the shell."""
    return _starting(incomplete, _methods())


def complete_run(incomplete: str) -> list[str]:
    """Names of runs, for the shell."""
    return _starting(incomplete, _runs())


def complete_spec(incomplete: str) -> list[str]:
    """Spec files, for the shell."""
    return _starting(incomplete, _specs())


Spec = Annotated[Path, typer.Argument(metavar="SPEC", help="The spec, a YAML file.", autocompletion=complete_spec)]
RunName = Annotated[
    str,
    typer.Argument(
        metavar="RUN", help="NAME, NAME/latest, NAME/passed, NAME/7 or a run's folder.", autocompletion=complete_run
    ),
]
Sets = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set any key of the spec; may be repeated."),
]
Rows = Annotated[int | None, typer.Option("--rows", min=1, help="Number of rows to generate (generate.rows).")]
Seed = Annotated[int | None, typer.Option("--seed", min=0, help="Seed of all random numbers but privacy noise.")]
Root = Annotated[Path, typer.Option("--root", envvar="SYNTH_ROOT", help="Folder that holds the runs.")]
Fresh = Annotated[bool, typer.Option("--fresh", help="Run every stage again, even if nothing changed.")]
IfChanged = Annotated[
    bool, typer.Option("--if-changed", help="Do nothing if nothing changed, and exit with the code of the last run.")
]
KeepFailed = Annotated[bool, typer.Option("--keep-failed", help="Write the output even if a gate failed.")]
Trust = Annotated[bool, typer.Option("--trust", help="Run the code that evaluate.domain and evaluate.downstream name.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Print errors only.")]
Open = Annotated[bool, typer.Option("--open", help="Open the page in the browser.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object on stdout; all else goes to stderr.")]

ROOT = Path("artifacts")


def overrides(sets: list[str] | None, rows: int | None, seed: int | None) -> list[str]:
    """Translate --rows and --seed to --set; they override it."""
    out = list(sets or [])
    if rows is not None:
        out += ["generate.scale=null", f"generate.rows={rows}"]
    if seed is not None:
        out.append(f"seed={seed}")
    return out
