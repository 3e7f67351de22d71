"""The sections of a page about a run as a whole: gates, headlines, utility, attacks, constraints, lineage."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from synthcli.artifacts import store
from synthcli.artifacts.store import PRIVACY, Version
from synthcli.report import charts, words
from synthcli.report.reading import Body, Drawn, bounds, judged, known, line, overall, put, state, tables
from synthcli.report.sentences import remedy, sentence

HEADLINES = (
    "column_shapes",
    "column_pair_trends",
    "detection_auc",
    "cardinality_shape",
    "parent_child_trend",
    "utility_ratio",
    "membership_auc",
)


def gates(run: Body, drawn: Drawn) -> list[Body]:
    """Each gate with its state, figure and chart; failed ones first."""
    out = []
    for i, gate in enumerate(judged(run)):
        m = gate["measured"] or {"name": gate["metric"], "value": None}
        label = (
            f"{gate['metric']}: measured {words.number(m.get('value')) or 'nothing'}, required {words.bounds(gate)}:"
            f" {state(gate)}"
        )
        chart = put(drawn, f"gate-{i}", charts.bullet(m, *bounds(gate), label))
        more = {
            "state": state(gate),
            "kind": gate["kind"],
            "required": words.bounds(gate),
            "why": _why(gate),
            "chart": chart,
            "bar": _bar(gate),
        }
        out.append(line(m, run["help"], **more, applies=_APPLIES[gate["bound"]]))
    return sorted(out, key=lambda g: ("fail", "open", "warn", "pass").index(g["state"]))


_APPLIES = {
    "interval": "applies to the whole interval",
    "value": "applies to the value",
    "favourable": "fails where the whole interval misses it",
}


def _bar(gate: Body) -> str:
    """A bound relative to the floor, as an absolute figure."""
    return " – ".join(words.number(b) for b in bounds(gate) if b is not None) if gate.get("of") == "floor" else ""


def _why(gate: Body) -> str:
    """The reason why a gate fails, or its margin."""
    if gate["why"]:
        return str(gate["why"])
    return f"margin {words.number(gate['margin'])}" if gate["margin"] else "exactly at its bound"


def tiles(run: Body) -> list[Body]:
    """The headline figures, each with its sentence."""
    states, found = {g["metric"]: state(g) for g in judged(run)}, overall(run["measured"])
    there = [name for name in HEADLINES if name in found and found[name]["value"] is not None]
    target = run["plan"].get("evaluate", {}).get("target")
    return [
        line(found[name], run["help"], state=states.get(name, ""), sentence=sentence(found[name], target))
        for name in there
    ]


def todo(run: Body) -> list[Body]:
    """The failed gates with what they say and what to do: {name, why, sentence, remedy}."""
    target = run["plan"].get("evaluate", {}).get("target")
    return [
        {
            "name": gate["metric"],
            "why": words.public(gate["why"]),
            "sentence": sentence(gate["measured"], target) if gate["measured"] else "",
            "remedy": remedy(gate),
        }
        for gate in judged(run)
        if state(gate) == "fail"
    ]


def distances(run: Body, drawn: Drawn) -> str | None:
    """The chart of the distances of synthetic and of unseen real rows to the closest training row."""
    bins = run["pictures"].get("distances")
    if bins is None:
        return None
    label = "Distances to the closest training row, of synthetic rows and of real rows that the generator never saw"
    title = "distance to the closest training row (0: equal)"
    return put(drawn, "distances", charts.histogram(bins, "float", label, title))


def utility(run: Body, drawn: Drawn) -> Body | None:
    """Models trained on synthetic and on real data, both tested on real data."""
    found = {
        name: m
        for name, m in overall(run["measured"]).items()
        if name.removesuffix("_linear") in ("tstr", "trtr", "utility_ratio")
    }
    if not found:
        return None
    rows: list[Body] = []
    for end, model in (("", "Boosted trees"), ("_linear", "Linear model")):
        real, synthetic = found.get(f"trtr{end}"), found.get(f"tstr{end}")
        for m, side in ((real, "real"), (synthetic, "synthetic")):
            if m is not None and m["value"] is not None:
                rows.append(
                    {
                        "name": f"{model}, trained on {side}",
                        "side": side,
                        **{k: m.get(k) for k in ("value", "low", "high")},
                    }
                )
        if synthetic is not None and (chance := synthetic.get("baseline")) is not None:
            rows.append(
                {
                    "name": f"{model}, on independent columns",
                    "side": "independent",
                    "value": chance,
                    "low": chance,
                    "high": chance,
                }
            )
    unit = next((m["unit"] for m in found.values() if m.get("unit")), "")
    title = {"auc": "ROC AUC", "r2": "R²"}.get(unit, unit) + " on the holdout"
    target = run["plan"].get("evaluate", {}).get("target")
    chart = put(drawn, "utility", charts.ranges(rows, title, f"Scores of models of {target}")) if rows else None
    return {"target": target, "chart": chart, "lines": [line(m, run["help"]) for m in found.values()], "unit": unit}


def attacks(run: Body, drawn: Drawn) -> list[Body]:
    """Every figure of the privacy check, with its gate if it has one."""
    gated = {g["metric"]: g for g in judged(run)}
    out = []
    for i, m in enumerate(
        m for m in run["measured"] if m["stage"] == PRIVACY and m.get("scope", "overall") == "overall"
    ):
        gate = gated.get(m["name"])
        low, high = bounds({**gate, "measured": m}) if gate else (None, None)
        chart = put(drawn, f"attack-{i}", charts.bullet(m, low, high, f"{m['name']}: {words.number(m['value'])}"))
        out.append(
            line(
                m,
                run["help"],
                chart=chart,
                required=words.bounds(gate) if gate else "",
                state=state(gate) if gate else "",
            )
        )
    return out


def personal(run: Body) -> list[Body]:
    """Columns of the source that hold, or may hold, personal data: their kind, the evidence, and their treatment; the
    most certain first.
    """
    order = {"direct identifier": 0, "special category": 1}

    def became(c: dict[str, Any]) -> str:
        return "made up, never learned" if c["made"] else "learned, as the spec says" if c["declared"] else "learned"

    found = sorted(run["profile"].get("personal", []), key=lambda c: (order.get(c["sensitivity"], 2), c["made"]))
    return [{**c, "kind": c["kind"].replace("_", " "), "became": became(c)} for c in found]


def rules(run: Body) -> list[Body]:
    """Each constraint: its violations in the source, the way it holds, and its violations in the synthetic data;
    orphans of related tables too.
    """
    broken = known(run["measured"], "constraint_violations", "rule")
    found = {_text(f): f for f in run["profile"].get("constraints", [])}
    holds = {f["constraint"]: f for f in run["fit"].get("constraints", [])}
    texts = dict.fromkeys([*found, *broken])
    return [
        {"text": text, **_rule(run, text, found.get(text), broken.get(text)), **_holder(run, text, holds.get(text))}
        for text in texts
    ]


def _text(found: Body) -> str:
    """A constraint as measurements name it: with related tables, after the name of its table."""
    table, text = found.get("table"), str(found["constraint"])
    return text if table is None or text.startswith(f"{table}: ") else f"{table}: {text}"


def _rule(run: Body, text: str, source: Body | None, broken: Body | None) -> Body:
    refused, repaired = (run["sample"].get(what, {}).get(text, 0) for what in ("refused", "repaired"))
    return {
        "found": None if source is None else source["violations"],
        "share": None if source is None else source.get("share"),
        "then": "" if source is None or not source["violations"] else _THEN[source["action"]],
        "refused": refused,
        "repaired": repaired,
        "broken": None if broken is None else broken["value"],
        "interval": "" if broken is None or not broken["value"] else words.interval(broken),
        "beside": None if broken is None else broken.get("baseline"),
    }


_THEN = {
    "drop": "those rows were left out",
    "warn": "a warning; the rows were learned from",
    "error": "refused",
    "none": "",
}
_HOLDS = {
    "repair": "by repair: rows that break it are corrected",
    "rejection": "by rejection: rows that break it are drawn again",
    "construction": "by construction: no row can break it",
}


def _holder(run: Body, text: str, found: Body | None) -> Body:
    if found is not None:
        return {"by": _HOLDS.get(found["holds_by"], found["holds_by"]), "why": found["why"] or ""}
    if text in [r["name"] for r in run["profile"].get("relationships", [])]:
        return {"by": "by construction: each key refers to a generated row", "why": ""}
    return {"by": "checked, not enforced" if tables(run) else "", "why": ""}


def lineage(version: Version, run: Body) -> Body:
    """The origin of the run, and the command that reproduces it."""
    manifest = run["manifest"]
    spec = manifest.get("spec_path") or str(version.folder / store.SPEC)
    root = ["--root", version.folder.parent.parent.name]
    evaluate = run["plan"].get("evaluate", {})
    trust = ["--trust"] if evaluate.get("domain") or evaluate.get("downstream") else []
    parts = [
        "synth",
        "run",
        Path(spec).name,
        *root,
        *trust,
        *(word for text in manifest.get("overrides", []) for word in ("--set", text)),
    ]
    return {
        "command": words.public(shlex.join(parts)),
        "verify": shlex.join(["synth", "runs", "verify", version.name, *root]),
    }
