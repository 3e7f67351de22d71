"""The terminal's view of a run. Reads run folders, never data. Pages are lists of rich renderables."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from synthcli.artifacts import lineage, store
from synthcli.artifacts.store import Version
from synthcli.report import words
from synthcli.report.grid import Field, Grid, note
from synthcli.report.reading import reference, state
from synthcli.report.sentences import remedy
from synthcli.wording import quantity

Page = list[Any]
SHOWN = 10  # worst columns and pairs of a metric that `runs show` lists
MARKS = {
    "pass": Text("pass", style="green"),
    "warn": Text("warn", style="yellow"),
    "open": Text("not measurable", style="yellow"),
    "fail": Text("FAIL", style="bold red"),
}
PIPED = 160  # characters a line in a pipe


def show(page: Page) -> None:
    """Print a page; in a pipe without colour, as wide as COLUMNS or PIPED."""
    console = Console(width=width(), highlight=False)
    for before, item in zip([None, *page], page, strict=False):
        if isinstance(item, Grid) and isinstance(before, Grid):
            console.print()
        console.print(item, soft_wrap=isinstance(item, Text))  # a path that the terminal wraps can be copied


def width() -> int:
    """Characters a line: of the terminal; in a pipe COLUMNS, or PIPED."""
    if sys.stdout.isatty():
        return Console().width
    given = os.environ.get("COLUMNS", "")
    return int(given) if given.isdigit() and int(given) > 0 else PIPED


def summary(version: Version, exit_code: int, *, fresh: bool, whole: bool = False) -> dict[str, Any]:
    """The JSON object that --json prints."""
    manifest, verdict = version.manifest(), version.verdict()
    body = {
        "exit_code": exit_code,
        "run": version.name,
        "folder": str(version.folder),
        "changed": fresh,
        "upto": manifest["upto"],
        "passed": manifest["passed"],
        "data": str(version.data()) if version.data().exists() else None,
        "report": str(version.folder / store.REPORT) if (version.folder / store.REPORT).exists() else None,
        "output": (manifest.get("output") or {}).get("path"),
        "verdict": verdict,
        "measurements": lineage.measurements(version),
    }
    return {**body, "manifest": manifest} if whole else body


def run_page(version: Version, *, fresh: bool, whole: bool = False) -> Page:
    """The verdict first, then its gates, then the paths of the files, the page last."""
    manifest, verdict = version.manifest(), version.verdict()
    page: Page = []
    if not fresh:
        page.append(Text("nothing changed: the last verdict stands", style="dim"))
    if verdict is None:
        page.append(
            _analysis(version)
            if manifest["upto"] == "analyze"
            else Text(f"{version.name}: done up to {manifest['upto']}; no gate was set", style="bold")
        )
    else:
        page += [*_headline(version, verdict), _gate_table(verdict)]
        page += [_round_table(verdict)] if len(verdict["rounds"]) > 1 else []
        if whole:
            page.append(_measurement_table(version))
        page += [note(text) for text in verdict["notes"]]
    return [*page, *_places(version, manifest)]


def _headline(version: Version, verdict: dict[str, Any]) -> Page:
    """Passed or failed, the run and its method; which gates failed and which warn."""
    passed = verdict["passed"]
    first = Text("PASSED" if passed else "FAILED", style="bold green" if passed else "bold red")
    first.append(f"  {version.name}  method {verdict['method']}", style="bold")
    page: Page = [first]
    if not passed:
        best = "; the best round is shown" if len(verdict["rounds"]) > 1 else ""
        page.append(note(f"gates that failed: {', '.join(verdict['failed'])}{best}", "red"))
        for gate in verdict["gates"]:
            if state(gate) == "fail" and (text := remedy(gate)):
                page.append(note(f"{gate['metric']}: {text}", "none"))
    if verdict["warned"]:
        page.append(note(f"warnings: {', '.join(verdict['warned'])}", "yellow"))
    if open_ := verdict.get("not_measurable"):
        page.append(note(f"not measurable: {', '.join(open_)}", "yellow"))
    return page


def _gate_table(verdict: dict[str, Any]) -> Grid:
    fields = [
        *(Field(""), Field("gate"), Field("measured"), Field("95 % interval"), Field("required"), Field("real data")),
        *(Field("independent", optional=True), Field("why", "words")),
    ]
    rows = []
    for gate in verdict["gates"]:
        m = gate["measured"] or {}
        figures = [
            words.number(m.get("value")),
            words.interval(m),
            words.bounds(gate),
            words.number(reference(m)),
            words.number(m.get("baseline")),
        ]
        rows.append([MARKS[state(gate)].copy(), gate["metric"], *figures, gate["why"]])
    return Grid(fields, rows, lead=2)


def _round_table(verdict: dict[str, Any]) -> Grid:
    fields = [
        *(Field(""), Field("round"), Field("against validation", "words")),
        *(Field("parameters", "words"), Field("why", "words")),
    ]
    rows = []
    for tried in verdict["rounds"]:
        failed = [g["metric"] for g in tried["gates"] if g["passed"] is False and g["severity"] == "error"]
        state = tried["error"] or (
            "passes" if tried["passed"] else f"fails {', '.join(failed)}" if tried["steered"] else "not judged"
        )
        chosen = Text("→", style="bold") if tried["round"] == verdict["round"] else ""
        rows.append([chosen, tried["round"], state, words.params(tried["params"]), tried["why"]])
    return Grid(fields, rows, lead=2)


def _measurement_table(version: Version) -> Grid:
    """Each figure of the whole data, and below it its worst columns and pairs."""
    rows: list[list[str | Text]] = []
    for stage in (store.EVALUATE, store.PRIVACY):
        body = version.read(stage, store.MEASURED) or {"measurements": []}
        for name in dict.fromkeys(m["name"] for m in body["measurements"]):
            some = [m for m in body["measurements"] if m["name"] == name]
            overall = [m for m in some if m.get("scope", "overall") == "overall"]
            parts = [m for m in some if m.get("scope", "overall") != "overall"]
            for m in [*overall, *_worst(parts)]:
                label = Text(name, style="bold") if m in overall else Text(f"  {m.get('of', '')}")
                figures = [words.number(m["value"]), words.interval(m)]
                figures += [words.number(m.get(key)) for key in ("floor", "baseline", "control")]
                rows.append([label, *figures, m.get("note", "")])
    beside = [Field("real data"), Field("independent", optional=True), Field("control", optional=True)]
    title = Field("measured against the holdout", "name")
    return Grid([title, Field("value"), Field("95 % interval"), *beside, Field("note", "words")], rows, below=True)


def _worst(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = [m for m in parts if m["value"] is not None]
    return sorted(known, key=lambda m: -m["value"] if m.get("better") == "lower" else m["value"])[:SHOWN]


def _analysis(version: Version) -> Grid:
    profile = version.read(store.ANALYZE, store.PROFILE)
    fields = [
        *(Field(quantity(profile["rows"], "row"), "name"), Field("type"), Field("nulls"), Field("distinct")),
        Field("values", "words"),
    ]
    rows = []
    for column in profile.get("columns", []):
        values = ", ".join(str(v) for v, _ in column.get("top", [])[:6]) or " … ".join(
            str(q) for q in column.get("quantiles", [])[::3]
        )
        values = values or column.get("pattern") or ("made up, not learned" if not column["modelled"] else "")
        shares = [f"{column['null_share']:.1%}", f"{column['distinct']:,}"]
        rows.append([column["name"], column["type"], *shares, values[:80]])
    return Grid(fields, rows)


def _places(version: Version, manifest: dict[str, Any]) -> Page:
    """The paths of the run's files; the page of the run comes last."""
    places = [("run", _path(version.folder))]
    if version.data().exists():
        places.append(("data", _path(version.data())))
    if manifest.get("output"):
        for one in manifest["output"].get("copies") or [manifest["output"]]:
            places.append(("output", one["path"] if "://" in one["path"] else _path(Path(one["path"]))))
    if (version.folder / store.REPORT).exists():
        places.append(("report", _path(version.folder / store.REPORT)))
    return [Text(f"{what:<6}  {place}") for what, place in places]


def _path(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
