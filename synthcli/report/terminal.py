"""The terminal's view of a run. Reads run folders, never data. Pages are lists of rich renderables."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from synthcli.artifacts import lineage, store
from synthcli.artifacts.store import Version
from synthcli.report import words
from synthcli.report.reading import reference

Page = list[Any]
SHOWN = 10  # worst columns and pairs of a metric that `runs show` lists


def show(page: Page) -> None:
    """Print a page; without colour and at full width in a pipe."""
    width = None if sys.stdout.isatty() else 160
    console = Console(width=width, highlight=False, soft_wrap=False)
    for item in page:
        console.print(item)


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
        "output": (manifest.get("output") or {}).get("path"),
        "verdict": verdict,
        "measurements": lineage.measurements(version),
    }
    return {**body, "manifest": manifest} if whole else body


def run_page(version: Version, *, fresh: bool, whole: bool = False) -> Page:
    """The verdict first, then its gates, then the paths of the files."""
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
        page += [_headline(version, verdict), _gate_table(verdict)]
        page += [_round_table(verdict)] if len(verdict["rounds"]) > 1 else []
        if whole:
            page.append(_measurement_table(version))
        page += [Text(f"· {note}", style="dim") for note in verdict["notes"]]
    return [*page, _places(version, manifest)]


def _headline(version: Version, verdict: dict[str, Any]) -> Text:
    text = Text()
    text.append("PASSED" if verdict["passed"] else "FAILED", style="bold green" if verdict["passed"] else "bold red")
    text.append(f"  {version.name}  by {verdict['method']}", style="bold")
    if not verdict["passed"]:
        text.append(
            f"  gates failed: {', '.join(verdict['failed'])}"
            + ("; the best round is shown" if len(verdict["rounds"]) > 1 else "")
        )
    if verdict["warned"]:
        text.append(f"  warnings: {', '.join(verdict['warned'])}", style="yellow")
    return text


def _gate_table(verdict: dict[str, Any]) -> Table:
    table = _table("", "gate", "measured", "95 % interval", "required", "real data", "independent", "why")
    for gate in verdict["gates"]:
        m = gate["measured"] or {}
        mark = (
            Text("pass", style="green")
            if gate["passed"]
            else Text("warn", style="yellow")
            if gate["severity"] == "warn"
            else Text("FAIL", style="bold red")
        )
        figures = [
            words.number(m.get("value")),
            words.interval(m),
            words.bounds(gate),
            words.number(reference(m)),
            words.number(m.get("baseline")),
        ]
        table.add_row(mark, gate["metric"], *figures, gate["why"])
    return table


def _round_table(verdict: dict[str, Any]) -> Table:
    table = _table("", "round", "parameters", "against validation", "why")
    for tried in verdict["rounds"]:
        failed = [g["metric"] for g in tried["gates"] if not g["passed"] and g["severity"] == "error"]
        state = tried["error"] or (
            "passes" if tried["passed"] else f"fails {', '.join(failed)}" if tried["steered"] else "not judged"
        )
        chosen = Text("→", style="bold") if tried["round"] == verdict["round"] else ""
        table.add_row(chosen, tried["round"], words.params(tried["params"]), state, tried["why"])
    return table


def _measurement_table(version: Version) -> Table:
    table = _table(
        "measured against the holdout", "of", "value", "95 % interval", "real data", "independent", "control", "note"
    )
    for stage in (store.EVALUATE, store.PRIVACY):
        body = version.read(stage, store.MEASURED) or {"measurements": []}
        for name in dict.fromkeys(m["name"] for m in body["measurements"]):
            some = [m for m in body["measurements"] if m["name"] == name]
            overall, parts = (
                [m for m in some if m.get("scope", "overall") == "overall"],
                [m for m in some if m.get("scope", "overall") != "overall"],
            )
            for m in [*overall, *_worst(parts)]:
                label = Text(name, style="bold") if m in overall else Text("")
                table.add_row(
                    label,
                    m.get("of", ""),
                    words.number(m["value"]),
                    words.interval(m),
                    words.number(m.get("floor")),
                    words.number(m.get("baseline")),
                    words.number(m.get("control")),
                    m.get("note", ""),
                )
    return table


def _worst(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    known = [m for m in parts if m["value"] is not None]
    return sorted(known, key=lambda m: -m["value"] if m.get("better") == "lower" else m["value"])[:SHOWN]


def _analysis(version: Version) -> Table:
    profile = version.read(store.ANALYZE, store.PROFILE)
    table = _table(f"{profile['rows']:,} rows", "type", "nulls", "distinct", "values")
    for column in profile.get("columns", []):
        values = ", ".join(str(v) for v, _ in column.get("top", [])[:6]) or " … ".join(
            str(q) for q in column.get("quantiles", [])[::3]
        )
        values = values or column.get("pattern") or ("made up, not learned" if not column["modelled"] else "")
        table.add_row(
            column["name"], column["type"], f"{column['null_share']:.1%}", f"{column['distinct']:,}", values[:80]
        )
    return table


def _places(version: Version, manifest: dict[str, Any]) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_row("run", _path(version.folder))
    if version.data().exists():
        table.add_row("data", _path(version.data()))
    if manifest.get("output"):
        for one in manifest["output"].get("copies") or [manifest["output"]]:
            table.add_row("output", Text(one["path"]) if "://" in one["path"] else _path(Path(one["path"])))
    return table


def _path(path: Path) -> Text:
    try:
        return Text(str(path.relative_to(Path.cwd())), overflow="fold")
    except ValueError:
        return Text(str(path), overflow="fold")


def plan_page(found: dict[str, Any]) -> Page:
    """Stages, whether they would run and their cost; the files that are read and written."""
    table = _table("stage", "of", "", "seconds", "memory", "by")
    for line in found["stages"]:
        kept = Text("kept", style="green") if line["cached"] else Text("runs", style="yellow")
        took = (
            ("", "")
            if line["cached"]
            else (_about(line["seconds"]), "" if line["gigabytes"] is None else f"≈ {line['gigabytes']:.1f} GiB")
        )
        table.add_row(line["stage"], line["detail"], kept, *took, line["basis"] or "")
    total = found["total"]
    peak = "" if total["gigabytes"] is None else f", {total['gigabytes']:.1f} GiB at peak"
    unknown = f"; unknown: {', '.join(total['unknown'])}" if total["unknown"] else ""
    whole = Text(f"total {_about(total['seconds'])}{peak}{unknown}", style="bold")
    basis = "constants assume one free core; earlier runs reflect the load of the machine at that time"
    rounds = "the first round of each candidate"
    if total["max_rounds"] > 1:
        rounds += f"; where gates fail, refinement repeats train to privacy-check, up to {total['max_rounds']} rounds"
    return [table, whole, Text(rounds, style="dim"), Text(basis, style="dim"), _touched(found)]


def _about(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"≈ {words.duration(seconds)}"


def _touched(found: dict[str, Any]) -> Table:
    """The files and tables that a run reads and writes."""
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for way in ("reads", "writes"):
        for one in found[way]:
            size = [f"{one['bytes']:,} bytes"] if one.get("bytes") is not None else []
            if one["rows"] is not None:
                size.append(f"{'' if one['exact'] else '≈ '}{one['rows']:,} rows")
            elif one["what"] == "source":
                size.append("rows unknown")
            size += [f"{one['columns']} columns"] if "columns" in one else []
            table.add_row(way, one["what"], Text(one["place"], overflow="fold"), ", ".join(size))
    return table


def methods_page(methods: list[dict[str, Any]]) -> Page:
    """One line per method."""
    table = _table("method", "modality", "learns", "guarantee", "dial", "what it is")
    for m in methods:
        missing = "" if m["installed"] else f" (not installed: synthcli[{m['extra']}])"
        dial = m["dial"]["param"] if m["dial"] else ""
        table.add_row(
            m["name"] + missing,
            m["modality"],
            "from data" if m["needs_data"] else "no",
            ", ".join(m["guarantees"]),
            dial,
            m["summary"],
        )
    return [table]


def method_page(method: dict[str, Any]) -> Page:
    """A method with its parameters."""
    table = _table("parameter", "default", "bounds", "what it does")
    for p in method["params"]:
        table.add_row(p["name"], "" if p["default"] is None else str(p["default"]), p["bounds"], p["help"])
    dial = method["dial"]
    turns = (
        f"dial: {dial['param']}, from {dial['fidelity']:g} (fidelity) to {dial['privacy']:g} (privacy)"
        if dial
        else "no dial"
    )
    extra = "" if method["installed"] else f"; not installed: pip install 'synthcli[{method['extra']}]'"
    return [Text(method["name"], style="bold"), Text(method["about"]), Text(turns + extra, style="dim"), table]


def gauges_page(gauges: list[dict[str, Any]]) -> Page:
    """The metrics and attacks that gates can name."""
    table = _table("metric", "section", "better", "needs", "what it is")
    for g in gauges:
        table.add_row(
            g["name"], g["section"], "0.5" if g["better"] == "half" else g["better"], ", ".join(g["needs"]), g["help"]
        )
    return [table]


def runs_page(runs: list[dict[str, Any]], root: Path) -> Page:
    """Versions, one per line."""
    if not runs:
        return [Text(f"no runs below {root}")]
    table = _table("run", "state", "method", "rows", "finished", "")
    for run in runs:
        if run["state"] == "unfinished":
            table.add_row(
                run["run"],
                Text("unfinished", style="yellow"),
                "",
                "",
                "",
                f"has {', '.join(run['stages']) or 'no stage'}; the same command resumes from there",
            )
            continue
        if run["state"] == "damaged":
            table.add_row(run["run"], Text("damaged", style="red"), "", "", "", run["why"])
            continue
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(run["finished"]))
        style = {"passed": "green", "failed": "red"}.get(run["state"], "")
        rows = f"{run['rows']:,}" if run["rows"] is not None else ""
        table.add_row(
            run["run"], Text(run["state"], style=style), run["method"] or "", rows, when, ", ".join(run["failed"])
        )
    return [table]


def diff_page(found: dict[str, Any]) -> Page:
    """The differences, by section."""
    if not found["changed"]:
        return [Text(f"{found['first']} and {found['second']} do not differ")]
    page: Page = []
    for section, rows in found["changed"].items():
        table = _table(section, found["first"], found["second"])
        for what, a, b in rows:
            table.add_row(what, _cell(a), _cell(b))
        page.append(table)
    return page


def rows_page(frame: Any, title: str) -> Page:
    """A small frame as a table."""
    table = _table(*map(str, frame.columns))
    for row in frame.astype(object).where(frame.notna(), None).itertuples(index=False):
        table.add_row(
            *(
                "∅" if v is None else f"{v:.6g}" if isinstance(v, float) else str(v).removesuffix(" 00:00:00")
                for v in row
            )
        )
    return [Text(title, style="dim"), table]


def _table(*columns: str) -> Table:
    table = Table(box=None, header_style="dim", pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _cell(value: Any) -> str:
    return "" if value is None else words.number(value) if isinstance(value, float) else str(value)[:60]
