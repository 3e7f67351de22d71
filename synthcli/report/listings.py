"""Lists on the terminal: what a run would do, methods, metrics, versions, differences, rows. Pages are lists of rich
renderables.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from rich.text import Text

from synthcli.report import words
from synthcli.report.grid import Field, Grid, Note, note, stacked
from synthcli.report.terminal import Page
from synthcli.wording import agreeing, quantity

WIDEST = 32  # characters of a cell of a preview
_HASH = re.compile(r"\b[0-9a-f]{32,}\b")
STACKED = 6  # pieces of a preview with many columns
SHORT = {  # the figures of a list of runs: metric -> heading
    "column_shapes": "shapes",
    "column_pair_trends": "pairs",
    "detection_auc": "detector",
    "cardinality_shape": "children",
    "parent_child_trend": "parents",
    "utility_ratio": "utility",
    "membership_auc": "membership",
}


def plan_page(found: dict[str, Any]) -> Page:
    """Stages, whether they would run and their cost; the files that are read and written."""
    fields = [
        *(Field("stage"), Field("method", "name"), Field(""), Field("time"), Field("memory")),
        Field("basis", "words"),
    ]
    rows: list[list[str | Text]] = []
    for line in found["stages"]:
        kept = Text("kept", style="green") if line["cached"] else Text("runs", style="yellow")
        took = (
            ("", "")
            if line["cached"]
            else (_about(line["seconds"]), "" if line["gigabytes"] is None else f"≈ {line['gigabytes']:.1f} GiB")
        )
        rows.append([line["stage"], line["detail"], kept, *took, line["basis"] or ""])
    total = found["total"]
    peak = "" if total["gigabytes"] is None else f", {total['gigabytes']:.1f} GiB at peak"
    unknown = f"; unknown: {', '.join(total['unknown'])}" if total["unknown"] else ""
    whole = Text(f"total {_about(total['seconds'])}{peak}{unknown}", style="bold")
    basis = "constants assume one free core; earlier runs reflect the load of the machine at that time"
    rounds = "the first round of each candidate"
    if total["max_rounds"] > 1:
        rounds += f"; where gates fail, refinement repeats train to privacy-check, up to {total['max_rounds']} rounds"
    warned = [Text(text, style="yellow") for text in found["warnings"]]
    return [Grid(fields, rows), whole, note(rounds), note(basis), _touched(found), *warned]


def _about(seconds: float | None) -> str:
    return "unknown" if seconds is None else f"≈ {words.duration(seconds)}"


def _touched(found: dict[str, Any]) -> Grid:
    """The files and tables that a run reads and writes."""
    rows = []
    for way in ("reads", "writes"):
        for one in found[way]:
            size = [quantity(one["bytes"], "byte")] if one.get("bytes") is not None else []
            if one["rows"] is not None:
                size.append(f"{'' if one['exact'] else '≈ '}{quantity(one['rows'], 'row')}")
            elif one["what"] == "source":
                size.append("rows unknown")
            size += [quantity(one["columns"], "column")] if "columns" in one else []
            rows.append([way, one["what"], ", ".join(size), one["place"]])
    return Grid([Field(""), Field("", "name"), Field(""), Field("", "words")], rows)


def methods_page(methods: list[dict[str, Any]]) -> Page:
    """One line per method."""
    fields = [
        *(Field("method", "name"), Field("modality"), Field("learns"), Field("guarantee")),
        *(Field("dial", optional=True), Field("what it is", "words")),
    ]
    rows = []
    for m in methods:
        missing = "" if m["installed"] else f" (not installed: synthcli[{m['extra']}])"
        learns = "from data" if m["needs_data"] else "no"
        dial = m["dial"]["param"] if m["dial"] else ""
        rows.append([m["name"], m["modality"], learns, ", ".join(m["guarantees"]), dial, m["summary"] + missing])
    return [Grid(fields, rows)]


def method_page(method: dict[str, Any]) -> Page:
    """A method with its parameters."""
    fields = [Field("parameter"), Field("default", "name"), Field("bounds"), Field("what it does", "words")]
    rows = [
        [p["name"], "" if p["default"] is None else str(p["default"]), p["bounds"], p["help"]] for p in method["params"]
    ]
    dial = method["dial"]
    turns = (
        f"dial: {dial['param']}, from {dial['fidelity']:g} (fidelity) to {dial['privacy']:g} (privacy)"
        if dial
        else "no dial"
    )
    extra = "" if method["installed"] else f"; not installed: pip install 'synthcli[{method['extra']}]'"
    about = [Note(" ".join(part.split()), "none", "") for part in method["about"].split("\n\n")]
    return [Text(method["name"], style="bold"), *about, note(turns + extra), Grid(fields, rows)]


def gauges_page(gauges: list[dict[str, Any]]) -> Page:
    """The metrics and attacks that gates can name."""
    fields = [
        *(Field("metric"), Field("section"), Field("better"), Field("needs", "name", optional=True)),
        Field("what it is", "words"),
    ]
    rows = [
        [g["name"], g["section"], "0.5" if g["better"] == "half" else g["better"], ", ".join(g["needs"]), g["help"]]
        for g in gauges
    ]
    return [Grid(fields, rows)]


def runs_page(runs: list[dict[str, Any]], root: Path, *, hidden: int = 0, now: float | None = None) -> Page:
    """Versions with their figures, one per line. hidden: starts that are left out; now: for the ages."""
    starts = f"{quantity(hidden, 'start')} without a finished stage {agreeing(hidden, 'is', 'are')} hidden"
    hint: Page = [note(f"{starts}; --all lists {agreeing(hidden, 'it', 'them')}")] if hidden else []
    if not runs:
        return [Text(f"no runs below {root}"), *hint]
    figures = [name for name in SHORT if any(name in run.get("figures", {}) for run in runs)]
    fields = [
        *(Field("run"), Field("verdict"), Field("method", optional=True), Field("rows", optional=True)),
        *(Field(SHORT[name], optional=i > 0) for i, name in enumerate(figures)),
        *(Field("age"), Field("", "words")),
    ]
    rows = [_run(run, figures, time.time() if now is None else now) for run in runs]
    return [Grid(fields, rows, lead=2, below=True), *hint]


def _run(run: dict[str, Any], figures: list[str], now: float) -> list[str | Text]:
    """A version, an unfinished or a damaged run as a row."""
    none = [""] * (len(figures) + 2)
    if run["state"] == "unfinished":
        stages = f"finished: {', '.join(run['stages'])}" if run["stages"] else "no stage is finished"
        name, _, key = run["run"].partition("/.unfinished-")
        mark = Text("unfinished", style="yellow")
        return [f"{name}/… {key[:6]}", mark, *none, "", f"{stages}; the same command resumes from there"]
    if run["state"] == "damaged":
        return [run["run"], Text("damaged", style="red"), *none, "", run["why"]]
    style = {"passed": "green", "failed": "red"}.get(run["state"], "")
    rows = f"{run['rows']:,}" if run["rows"] is not None else ""
    shown = [words.number(run["figures"].get(name)) for name in figures]
    failed = f"failed: {', '.join(run['failed'])}" if run["failed"] else ""
    age = words.age(now - run["finished"])
    return [run["run"], Text(run["state"], style=style), run["method"] or "", rows, *shown, age, failed]


def diff_page(found: dict[str, Any]) -> Page:
    """The differences, by section."""
    if not found["changed"]:
        return [Text(f"{found['first']} and {found['second']} do not differ")]
    page: Page = []
    for section, rows in found["changed"].items():
        fields = [Field(section, "name"), Field(found["first"], "words"), Field(found["second"], "words")]
        page.append(Grid(fields, [[what, _cell(a), _cell(b)] for what, a, b in rows]))
    return page


def rows_page(frame: Any, title: str, width: int) -> Page:
    """A small frame as one table, or several where it has more columns than fit; width: of the screen."""
    body = frame.astype(object).where(frame.notna(), None)
    rows = [[_value(v) for v in row] for row in body.itertuples(index=False)]
    grids, left = stacked([_short(str(c)) for c in frame.columns], rows, width, STACKED)
    page: Page = [note(title)]
    for i, grid in enumerate(grids):
        page += [Text(""), grid] if i else [grid]
    return [*page, note(f"… {quantity(left, 'column')} more; --json has them all")] if left else page


def _value(value: Any) -> str:
    if value is None:
        return "∅"
    return f"{value:.6g}" if isinstance(value, float) else _short(str(value).removesuffix(" 00:00:00"))


def _short(text: str) -> str:
    one = " ".join(text.split())
    return one if len(one) <= WIDEST else f"{one[: WIDEST - 1]}…"


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    text = words.number(value) if isinstance(value, float) else str(value)
    text = _HASH.sub(lambda m: f"{m[0][:12]}…", text)
    return text if len(text) <= 60 else f"{text[:59]}…"
