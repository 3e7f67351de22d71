"""Compare two runs, as plain data for the terminal and as a page: gates, figures, columns, settings, data, the
specs.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from synthcli.artifacts import files, lineage, store
from synthcli.artifacts.store import EVALUATE, MEASURED, PRIVACY, Version
from synthcli.report import charts, words
from synthcli.report.html import render
from synthcli.report.reading import bounds, reference, state

SHOWN = 30  # columns with the largest changes
SECTIONS = (
    ("verdict", "Verdicts"),
    ("gates", "Gates"),
    ("figures", "Figures"),
    ("properties", "Requirements"),
    ("relationships", "Relationships"),
    ("tables", "Tables"),
    ("columns", "Columns"),
    ("changed", "Differences"),
    ("spec", "Specs"),
)
PARTS: dict[str, tuple[str, tuple[str, ...]]] = {  # section -> scope of its measurements, and which metrics
    "properties": ("property", ("preserve",)),
    "relationships": ("relationship", ("cardinality_shape",)),
    "tables": ("table", ("column_shapes", "column_pair_trends", "detection_auc", "membership_auc")),
    "columns": ("column", ("column_shapes",)),
}
Body = dict[str, Any]


def compare(first: Version, second: Version) -> Body:
    """{first, second, same_data, gates, figures, properties, relationships, tables, columns, changed, spec}; deltas are
    second minus first.

    figures: overall measurements, each with `apart` where the intervals do not overlap; those of properties,
    relationships, tables and columns have `metric` too, largest changes first; spec: lines of both runs.
    """
    sides = [_side(first), _side(second)]
    return {
        "first": sides[0]["head"],
        "second": sides[1]["head"],
        "same_data": first.manifest()["data"]["hash"] == second.manifest()["data"]["hash"],
        "gates": _gates(*sides),
        "figures": _figures(sides, "overall"),
        **{
            section: sorted(_figures(sides, scope, metrics), key=lambda m: -abs(m["delta"] or 0.0))
            for section, (scope, metrics) in PARTS.items()
        },
        "changed": lineage.difference(first, second)["changed"],
        "spec": list(_beside(sides[0]["spec"], sides[1]["spec"])),
    }


def _figures(sides: list[Body], scope: str, metrics: Sequence[str] | None = None) -> list[Body]:
    """Measurements of one scope in both runs; metrics: their names, None for all. name: the columns of each, or the
    metric of a whole run.
    """
    found = [
        {k: m for k, m in s["measured"].items() if k[1] == scope and (metrics is None or k[0] in metrics)}
        for s in sides
    ]
    return [
        {**_moved(k[2] or k[0], found[0].get(k), found[1].get(k)), "metric": k[0]}
        for k in dict.fromkeys([*found[0], *found[1]])
    ]


def page(first: Version, second: Version) -> str:
    """The comparison as one self-contained page."""
    found = compare(first, second)
    drawn: dict[str, charts.Chart] = {}
    for i, gate in enumerate(found["gates"]):
        for side, other in (("first", "second"), ("second", "first")):
            if (one := gate[side]) is not None:
                label = (
                    f"{gate['metric']} of the {side} run:"
                    f" {words.number(one['measured'].get('value')) or 'not measured'}"
                )
                chart = charts.bullet(
                    one["measured"], one["bounds"][0], one["bounds"][1], label, beside=_reach(gate[other])
                )
                one["chart"] = f"{side}-{i}" if chart else None
                drawn |= {f"{side}-{i}": chart} if chart else {}
    moved = [
        {"id": section, "title": title, "all": found[section], "charts": _charts(section, found, drawn)}
        for section, title in SECTIONS
        if section in PARTS
    ]
    here = {"verdict", "changed"} | {name for name in ("gates", "figures", *PARTS, "spec") if found[name]}
    context = {
        "d": found,
        "title": f"{first.name} and {second.name}",
        "moved": moved,
        "tables": [],
        "sections": [s for s in SECTIONS if s[0] in here],
    }
    return render("diff.html.j2", context, {"charts": drawn, "datasets": {}, "config": charts.CONFIG})


def write(first: Version, second: Version, target: Path) -> Path:
    """Write the page and return its path."""
    files.write_text(target, page(first, second))
    return target


def _reach(gate: Body | None) -> list[float | None]:
    """The range of all values in both runs, for a common scale."""
    return (
        []
        if gate is None
        else [
            *gate["bounds"],
            *(gate["measured"].get(key) for key in ("value", "low", "high")),
            reference(gate["measured"]),
        ]
    )


def _charts(section: str, found: Body, drawn: dict[str, charts.Chart]) -> list[Body]:
    """A chart for each metric of a section: the changed figures in both runs."""
    out = []
    for metric in dict.fromkeys(m["metric"] for m in found[section]):
        moved = [m for m in found[section] if m["metric"] == metric and m["delta"]][:SHOWN]
        rows = [
            {"name": m["name"], "side": side, **{k: one.get(k) for k in ("value", "low", "high")}}
            for m in moved
            for side, one in _both(m)
        ]
        if rows:
            drawn[f"{section}-{metric}"] = charts.ranges(
                rows, metric, f"{metric} of {section} in both runs, the largest changes first"
            )
            out.append({"chart": f"{section}-{metric}", "metric": metric})
    return out


def _both(moved: Body) -> list[tuple[str, Body]]:
    """A column's figures as the two sides of the chart."""
    return [
        (mark, moved[side]) for mark, side in (("real", "first"), ("synthetic", "second")) if moved[side] is not None
    ]


def _side(version: Version) -> Body:
    manifest, verdict = version.manifest(), version.verdict()
    measured = {}
    for stage in (EVALUATE, PRIVACY):
        for m in (version.read(stage, MEASURED) or {"measurements": []})["measurements"]:
            measured[m["name"], m.get("scope", "overall"), m.get("of")] = m
    spec = version.folder / store.SPEC
    head = {
        "run": version.name,
        "passed": verdict["passed"] if verdict else None,
        "method": verdict["method"] if verdict else None,
        "params": words.params(verdict["params"]) if verdict else "",
        "failed": verdict["failed"] if verdict else [],
        "finished": manifest["finished"],
        "rows": manifest["data"]["rows"],
        "data": manifest["data"]["hash"],
    }
    gates = {(g["kind"], g["metric"]): g for g in (verdict or {"gates": []})["gates"]}
    return {
        "head": head,
        "gates": gates,
        "measured": measured,
        "spec": spec.read_text(encoding="utf-8") if spec.exists() else "",
    }


def _gates(one: Body, two: Body) -> list[Body]:
    """The gates of either run, those with a changed outcome first."""
    out = []
    for kind, metric in dict.fromkeys([*one["gates"], *two["gates"]]):
        pair = [side["gates"].get((kind, metric)) for side in (one, two)]
        lines = [None if g is None else _gate(g) for g in pair]
        turned = None not in lines and lines[0]["state"] != lines[1]["state"]  # type: ignore[index]
        values = [
            line["measured"]["value"]
            for line in lines
            if line is not None and line["measured"].get("value") is not None
        ]
        delta = values[1] - values[0] if len(values) == 2 else None
        out.append(
            {"kind": kind, "metric": metric, "first": lines[0], "second": lines[1], "turned": turned, "delta": delta}
        )
    return sorted(out, key=lambda g: not g["turned"])


def _gate(gate: Body) -> Body:
    return {
        "state": state(gate),
        "required": words.bounds(gate),
        "measured": gate["measured"] or {},
        "bounds": list(bounds(gate)),
        "why": gate["why"],
        "chart": None,
    }


def _moved(name: str, one: Body | None, two: Body | None) -> Body:
    """A figure in both runs; better: the run that it favours, if it changed; apart: the intervals do not overlap."""
    values = [m["value"] for m in (one, two) if m is not None and m.get("value") is not None]
    out: Body = {"name": name, "first": one, "second": two, "delta": None, "better": None, "apart": False}
    if one is None or two is None or len(values) < 2:
        return out
    a, b = ((abs(v - 0.5) if one.get("better") == "half" else v) for v in values)
    up = one.get("better", "higher") == "higher"
    better = None if a == b else "second" if (b > a) == up else "first"
    known = all(m.get(end) is not None for m in (one, two) for end in ("low", "high"))
    apart = known and (one["high"] < two["low"] or two["high"] < one["low"])
    return {**out, "delta": values[1] - values[0], "better": better, "apart": apart}


def _beside(one: str, two: str) -> Iterator[tuple[str | None, str | None]]:
    """Lines of two texts side by side."""
    a, b = one.splitlines(), two.splitlines()
    for _, i, j, k, m in difflib.SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
        left, right = a[i:j], b[k:m]
        for n in range(max(len(left), len(right))):
            yield left[n] if n < len(left) else None, right[n] if n < len(right) else None
