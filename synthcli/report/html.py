"""report.html: one self-contained page of a run, made from its folder alone. It fetches nothing, and never reads data."""

from __future__ import annotations

import base64
import hashlib
import json
import shlex
from functools import cache
from pathlib import Path
from typing import Any

from synthcli.artifacts import files, store
from synthcli.artifacts.store import ANALYZE, EVALUATE, FIT, GENERATE, MEASURED, PICTURES, PLAN, PRIVACY, PROFILE, REPORT, SAMPLE, TRAIN, Version
from synthcli.report import charts, words

FOLDER = Path(__file__).parent / "page"
PAIRS, TRADED = 15, 4  # pairs in the table; gates of a kind that the trade-off plot offers
HEADLINES = ("column_shapes", "column_pair_trends", "detection_auc", "utility_ratio", "membership_auc")
SECTIONS = (
    ("verdict", "Verdict"), ("gates", "Gates"), ("columns", "Columns"), ("pairs", "Pairs of columns"), ("detector", "Detector"), ("utility", "Utility"),
    ("privacy", "Privacy"), ("rounds", "Rounds"), ("constraints", "Constraints"), ("lineage", "Lineage"),
)  # fmt: skip
_SHOWS = {"privacy": "attacks", "constraints": "rules"}
Body = dict[str, Any]


def write(version: Version, target: Path | None = None) -> Path:
    """Write a run's page, by default into its folder, and say where it is."""
    place = target or version.folder / REPORT
    files.write_text(place, page(version))
    return place


def page(version: Version) -> str:
    """The page of a finished run, whatever it is up to. Raises ArtifactError for a damaged one."""
    run = _read(version)
    drawn: dict[str, charts.Chart] = {}
    context: Body = {
        "run": run,
        "title": version.name,
        "gates": _gates(run, drawn),
        "tiles": _tiles(run),
        "columns": _columns(run, drawn),
        "pairs": _pairs(run, drawn),
        "detector": _detector(run, drawn),
        "utility": _utility(run, drawn),
        "attacks": _attacks(run, drawn),
        "rounds": _rounds(run, drawn),
        "rules": _rules(run),
        "asked": run["sample"].get("asked"),
        "lineage": _lineage(version, run),
        "figures": [_line(m, run["help"]) for m in run["measured"] if m.get("scope", "overall") == "overall"],
    }
    context |= {
        "sections": [(name, title) for name, title in SECTIONS if name in ("verdict", "lineage") or context[_SHOWS.get(name, name)]],
        "drawn": drawn,
    }
    datasets = {"pairs": charts.pairs(run["pictures"]["pairs"])} if run["pictures"].get("pairs") else {}
    return render("run.html.j2", context, {"charts": drawn, "datasets": datasets, "config": charts.CONFIG})


def render(template: str, context: Body, data: Body) -> str:
    """A template with its styles, scripts and the data of its charts inside, under a policy that lets nothing else run or load."""
    scripts = [_asset("watch.js"), _asset("vega.js"), _asset("page.js")]
    policy = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts)
    return (
        _templates()
        .get_template(template)
        .render(**context, style=_asset("style.css"), scripts=scripts, policy=policy, data=_embedded(data), w=words)
    )


@cache
def _templates() -> Any:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)


@cache
def _asset(name: str) -> Any:
    from markupsafe import Markup

    return Markup((FOLDER / name).read_text(encoding="utf-8"))


def _embedded(data: Body) -> Any:
    """JSON that can stand in a script element: no character that could end it."""
    from markupsafe import Markup

    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))


def _read(version: Version) -> Body:
    """All that the page is made from; what a run does not have is empty."""
    from synthcli.report.reference import gauges

    measured, control = [], None
    for stage in (EVALUATE, PRIVACY):
        body = version.read(stage, MEASURED) or {"measurements": []}
        control = control or body.get("control")
        measured += [{**m, "stage": stage} for m in body["measurements"]]
    return {
        "manifest": version.manifest(),
        "verdict": version.verdict(),
        "plan": version.read(PLAN) or {},
        "profile": version.read(ANALYZE, PROFILE) or {},
        "fit": version.read(TRAIN, FIT) or {},
        "sample": version.read(GENERATE, SAMPLE) or {},
        "pictures": version.read(EVALUATE, PICTURES) or {"columns": []},
        "measured": measured,
        "control": control,
        "tried": {name: _overall(version, name) for name in version.manifest().get("rounds", [])},
        "help": {g["name"]: g for g in gauges()},
        "spec": (version.folder / store.SPEC).read_text(encoding="utf-8") if (version.folder / store.SPEC).exists() else "",
    }


def _overall(version: Version, tried: str) -> dict[str, Body]:
    """Overall measurements of a round by name."""
    found = [m for s in (EVALUATE, PRIVACY) for m in (version.read("rounds", tried, s, MEASURED) or {"measurements": []})["measurements"]]
    return {m["name"]: m for m in found if m.get("scope", "overall") == "overall"}


def _of(run: Body, name: str, scope: str) -> dict[str, Body]:
    """Measurements of one name by what they are of."""
    return {m["of"]: m for m in run["measured"] if m["name"] == name and m.get("scope", "overall") == scope and m["value"] is not None}


def _line(m: Body, help_: dict[str, Body], **more: Any) -> Body:
    """A measurement as a line of a table."""
    real = m.get("floor") if m.get("floor") is not None else m.get("control")
    shown = {key: words.number(value) for key, value in (("value", m.get("value")), ("real", real), ("baseline", m.get("baseline")))}
    about = help_.get(m["name"], {})
    return {"name": m["name"], "of": m.get("of", ""), "help": about.get("help", ""), "unit": m.get("unit", ""), **shown,
            "interval": words.interval(m), "note": m.get("note", ""), "better": m.get("better", "higher"), **more}  # fmt: skip


def _gates(run: Body, drawn: dict[str, charts.Chart]) -> list[Body]:
    """Each gate with its state, figure and chart; failed ones first."""
    out = []
    for i, gate in enumerate((run["verdict"] or {"gates": []})["gates"]):
        m = gate["measured"] or {"name": gate["metric"], "value": None}
        low, high = bounds(gate)
        state = "pass" if gate["passed"] else "warn" if gate["severity"] == "warn" else "fail"
        why = gate["why"] or f"inside by {words.number(gate['margin'])}"
        label = f"{gate['metric']}: measured {words.number(m.get('value')) or 'nothing'}, asked {words.asked(gate)}: {state}"
        name = _put(drawn, f"gate-{i}", charts.bullet(m, low, high, label))
        out.append(
            _line(
                m, run["help"], state=state, kind=gate["kind"], asked=words.asked(gate), why=why, chart=name, of_interval=gate["bound"] == "interval"
            )
        )
    return sorted(out, key=lambda g: ("fail", "warn", "pass").index(g["state"]))


def bounds(gate: Body) -> tuple[float | None, float | None]:
    """The bounds of a gate on the scale of what was measured: times the floor, where they are relative to it."""
    floor = (gate.get("measured") or {}).get("floor") if gate.get("of") == "floor" else 1.0
    low, high = (None if gate.get(key) is None or floor is None else gate[key] * floor for key in ("min", "max"))
    return low, high


def _put(drawn: dict[str, charts.Chart], name: str, chart: charts.Chart | None) -> str | None:
    """Keep a chart for the page; its name, None where there is nothing to draw."""
    if chart is None:
        return None
    drawn[name] = chart
    return name


def _tiles(run: Body) -> list[Body]:
    """The figures that people ask for first."""
    states = {
        g["metric"]: "pass" if g["passed"] else "warn" if g["severity"] == "warn" else "fail" for g in (run["verdict"] or {"gates": []})["gates"]
    }
    found = {m["name"]: m for m in run["measured"] if m.get("scope", "overall") == "overall" and m["value"] is not None}
    return [_line(found[name], run["help"], state=states.get(name, "")) for name in HEADLINES if name in found]


def _columns(run: Body, drawn: dict[str, charts.Chart]) -> list[Body]:
    """A card for each column, worst first; made-up columns last."""
    shapes, missing, alone = (_of(run, name, "column") for name in ("column_shapes", "missing_values", "detection_auc"))
    out = []
    for i, picture in enumerate(run["pictures"]["columns"]):
        name, shape = picture["name"], shapes.get(picture["name"])
        score = None if shape is None else shape["value"]
        said = f", shapes agree to {words.percent(score)}" if score is not None else ""
        chart = _put(drawn, f"column-{i}", charts.column(picture, f"Distribution of {name}, real and synthetic{said}"))
        note = "" if chart else "too few values to show any" if picture["kind"] in _DRAWN else "made up, never learned: no value of it is shown"
        out.append(
            {
                "id": f"column-{i}", "place": i, "name": name, "kind": picture["kind"], "chart": chart, "note": note, "score": score,
                "real": None if shape is None else shape.get("floor"), "nulls": picture["nulls"], "missing": missing.get(name), "alone": alone.get(name),
            }
        )  # fmt: skip
    return sorted(out, key=lambda c: (c["score"] is None, c["score"] or 0.0, c["place"]))


_DRAWN = frozenset({"integer", "float", "datetime", "timedelta", "boolean", "category"})


def _pairs(run: Body, drawn: dict[str, charts.Chart]) -> Body | None:
    """The three heat maps and the pairs that agree least."""
    found = run["pictures"].get("pairs")
    worst = sorted(_of(run, "column_pair_trends", "pair").values(), key=lambda m: m["value"])[:PAIRS]
    if found is None and not worst:
        return None
    maps, ends = [], (1.0, 1.0)
    if found is not None:
        apart = [abs(s - r) for r, s in zip(found["real"], found["synthetic"], strict=True) if r is not None and s is not None]
        ends = (1.0, max(0.1, max(apart, default=0.0)))
        for side, title in (("real", "Real"), ("synthetic", "Synthetic"), ("difference", "Difference")):
            bound = ends[side == "difference"]
            label = f"Associations between columns, {title.lower()}; the pairs that differ most are listed in the table"
            maps.append(
                {
                    "title": title,
                    "bound": words.number(round(bound, 2)),
                    "chart": _put(drawn, f"heat-{side}", charts.heat(found["names"], side, bound, label)),
                }
            )
    return {
        "maps": maps,
        "shown": len(found["names"]) if found else 0,
        "of": found["of"] if found else 0,
        "worst": [_line(m, run["help"]) for m in worst],
    }


def _detector(run: Body, drawn: dict[str, charts.Chart]) -> Body | None:
    """What gives synthetic rows away: together, and column by column."""
    found, alone = run["pictures"].get("detector"), list(_of(run, "detection_auc", "column").values())
    overall = next((m for m in run["measured"] if m["name"] == "detection_auc" and m.get("scope", "overall") == "overall"), None)
    if overall is None:
        return None
    together = single = None
    if found is not None:
        lead = [c for c in found["columns"] if c["drop"] > 0][:12]
        label = f"What the detector goes by: {', '.join(c['name'] for c in lead[:3]) or 'nothing'} first"
        together = (
            _put(drawn, "detector", charts.bars([c["name"] for c in lead], [c["drop"] for c in lead], "AUC lost when the column is shuffled", label))
            if lead
            else None
        )
    if alone:
        rows = [{"name": m["of"], "side": "synthetic", **{k: m.get(k) for k in ("value", "low", "high")}} for m in alone]
        single = _put(
            drawn, "alone", charts.ranges(rows, "AUC of a detector that sees this column alone", "Columns by what they alone give away", mark=0.5)
        )
    return {
        **_line(overall, run["help"]),
        "chart": _put(drawn, "auc", charts.bullet(overall, None, None, "AUC of the detector")),
        "together": together,
        "alone": single,
    }


def _utility(run: Body, drawn: dict[str, charts.Chart]) -> Body | None:
    """Models trained on synthetic and on real data, both tested on real data."""
    found = {m["name"]: m for m in run["measured"] if m["name"].removesuffix("_linear") in ("tstr", "trtr", "utility_ratio")}
    if not found:
        return None
    rows: list[Body] = []
    for end, model in (("", "Boosted trees"), ("_linear", "Linear model")):
        real, synthetic = found.get(f"trtr{end}"), found.get(f"tstr{end}")
        for m, side in ((real, "real"), (synthetic, "synthetic")):
            if m is not None and m["value"] is not None:
                rows.append({"name": f"{model}, trained on {side}", "side": side, **{k: m.get(k) for k in ("value", "low", "high")}})
        if synthetic is not None and synthetic.get("baseline") is not None:
            rows.append(
                {"name": f"{model}, on independent columns", "side": "independent", **dict.fromkeys(("value", "low", "high"), synthetic["baseline"])}
            )
    unit = next((m["unit"] for m in found.values() if m.get("unit")), "")
    title = {"auc": "ROC AUC", "r2": "R²"}.get(unit, unit) + " on real records that were kept apart"
    chart = (
        _put(drawn, "utility", charts.ranges(rows, title, f"Scores of models of {run['plan'].get('evaluate', {}).get('target')}")) if rows else None
    )
    lines = [_line(m, run["help"]) for m in found.values()]
    return {"target": run["plan"].get("evaluate", {}).get("target"), "chart": chart, "lines": lines, "unit": unit}


def _attacks(run: Body, drawn: dict[str, charts.Chart]) -> list[Body]:
    """Every figure of the privacy check, with its gate where one was asked."""
    asked = {g["metric"]: g for g in (run["verdict"] or {"gates": []})["gates"]}
    out = []
    for i, m in enumerate(m for m in run["measured"] if m["stage"] == PRIVACY and m.get("scope", "overall") == "overall"):
        gate = asked.get(m["name"])
        low, high = bounds({**gate, "measured": m}) if gate else (None, None)
        chart = _put(drawn, f"attack-{i}", charts.bullet(m, low, high, f"{m['name']}: {words.number(m['value'])}"))
        out.append(_line(m, run["help"], chart=chart, asked=words.asked(gate) if gate else ""))
    return out


def _rounds(run: Body, drawn: dict[str, charts.Chart]) -> Body | None:
    """What refinement tried, and for each two gates its plot of quality against privacy."""
    verdict = run["verdict"]
    if verdict is None:
        return None
    lines = []
    for tried in verdict["rounds"]:
        failed = [g["metric"] for g in tried["gates"] if not g["passed"] and g["severity"] == "error"]
        state = tried["error"] or ("passes" if tried["passed"] else f"fails {', '.join(failed)}" if tried["steered"] else "not judged")
        lines.append({**tried, "state": state, "chosen": tried["round"] == verdict["round"], "params": words.params(tried["params"])})
    axes = {kind: [g for g in verdict["gates"] if g["kind"] == kind and g["measured"]][:TRADED] for kind in ("quality", "privacy")}
    for x in axes["quality"]:
        for y in axes["privacy"]:
            points = [p for line in lines if (p := _point(line, run["tried"].get(line["round"], {}), x["metric"], y["metric"]))]
            if points:
                label = f"Rounds by {x['metric']} and {y['metric']}"
                _put(drawn, f"trade-{x['metric']}-{y['metric']}", charts.tradeoff(points, _axis(x), _axis(y), label))
    names = {kind: [g["metric"] for g in some] for kind, some in axes.items()}
    return {"lines": lines, "plot": any(name.startswith("trade-") for name in drawn), **names}


def _point(line: Body, measured: dict[str, Body], x: str, y: str) -> Body | None:
    at = {"x": measured.get(x, {}), "y": measured.get(y, {})}
    if any(m.get("value") is None for m in at.values()):
        return None
    ends = {f"{name}{end}": m.get(end, m["value"]) for name, m in at.items() for end in ("low", "high")}
    return {"round": line["round"], "state": line["state"], "chosen": line["chosen"], "x": at["x"]["value"], "y": at["y"]["value"], **ends}


def _axis(gate: Body) -> Body:
    low, high = bounds(gate)
    return {"metric": gate["metric"], "better": gate["measured"].get("better", "higher"), "low": low, "high": high}


def _rules(run: Body) -> list[Body]:
    """Each constraint: what it found in the source, and in the synthetic table."""
    broken = _of(run, "constraint_violations", "rule")
    found = {f["constraint"]: f for f in run["profile"].get("constraints", [])}
    holds = {f["constraint"]: f for f in run["fit"].get("constraints", [])}
    texts = dict.fromkeys([*found, *broken])
    return [
        {
            "text": text,
            "source": found.get(text),
            "holds_by": holds.get(text),
            "refused": run["sample"].get("refused", {}).get(text, 0),
            "repaired": run["sample"].get("repaired", {}).get(text, 0),
            "synthetic": None if text not in broken else {**broken[text], "interval": words.interval(broken[text])},
        }
        for text in texts
    ]


def _lineage(version: Version, run: Body) -> Body:
    """Where it comes from, and the command that makes it again."""
    manifest = run["manifest"]
    spec = manifest.get("spec_path") or str(version.folder / store.SPEC)
    root = version.folder.parent.parent
    parts = ["synth", "run", spec, "--root", str(root), *(word for text in manifest.get("overrides", []) for word in ("--set", text))]
    return {
        "command": shlex.join(parts),
        "verify": shlex.join(["synth", "runs", "verify", version.name, "--root", str(root)]),
        "folder": str(version.folder),
    }
