"""The view of a run in a notebook: the verdict, its gates as a small table, and links to the report and the data."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from typing import Any

from synthcli.artifacts.store import REPORT, Version
from synthcli.report import words
from synthcli.report.reading import state

_STATE = {
    "pass": ("✓ pass", "#1a7f37"),
    "warn": ("! warn", "#9a6700"),
    "fail": ("✕ fail", "#cf222e"),
    "open": ("? not measurable", "#9a6700"),
}
_HEAD = ("", "gate", "measured", "95 % interval", "required", "real data", "why")


def fragment(version: Version, *, fresh: bool = True) -> str:
    """A piece of HTML without scripts and without a style sheet; every text is escaped."""
    verdict, manifest = version.verdict(), version.manifest()
    if verdict is None:
        headline = f"<b>{escape(version.name)}</b>: done up to {escape(str(manifest['upto']))}; no gate was set"
    else:
        word, colour = ("PASSED", _STATE["pass"][1]) if verdict["passed"] else ("FAILED", _STATE["fail"][1])
        failed = "" if verdict["passed"] else f"; gates failed: {escape(', '.join(verdict['failed']))}"
        headline = (
            f'<b style="color:{colour}">{word}</b> <b>{escape(version.name)}</b> by {escape(verdict["method"])}{failed}'
        )
    notes = "" if fresh else "<p>Nothing changed: the last verdict stands.</p>"
    return f'<div class="synth-run"><p>{headline}</p>{_gates(verdict)}{notes}<p>{_places(version)}</p></div>'


def _gates(verdict: dict[str, Any] | None) -> str:
    if verdict is None or not verdict["gates"]:
        return ""
    head = "".join(f"<th>{escape(h)}</th>" for h in _HEAD)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(map(_line, verdict['gates']))}</tbody></table>"


def _line(gate: dict[str, Any]) -> str:
    m = gate["measured"] or {}
    mark, colour = _STATE[state(gate)]
    figures = (
        words.number(m.get("value")) or "not measured",
        words.interval(m),
        words.bounds(gate),
        words.number(m.get("floor")),
    )
    cells = (gate["metric"], *figures, gate["why"])
    return (
        f'<tr><td style="color:{colour}">{mark}</td>' + "".join(f"<td>{escape(str(c))}</td>" for c in cells) + "</tr>"
    )


def _places(version: Version) -> str:
    links = [f'<a href="{escape(_address(version.folder / REPORT), quote=True)}" target="_blank">report</a>']
    if version.data().exists():
        links.append(f"data: <code>{escape(str(version.data()))}</code>")
    return " · ".join(links)


def _address(path: Path) -> str:
    """A path relative to the notebook, which its server can open; a file: address for paths elsewhere."""
    here = Path.cwd()
    return path.relative_to(here).as_posix() if path.is_relative_to(here) else f"file://{os.fspath(path)}"
