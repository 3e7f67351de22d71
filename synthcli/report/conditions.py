"""The conditions section of a page: conditions on rows, balance, fairness, copies; properties, own metrics and the
user's application.
"""

from __future__ import annotations

from synthcli.artifacts.store import EVALUATE
from synthcli.report import charts, words
from synthcli.report.reading import Body, Drawn, bounds, judged, line, overall, put, state

FAIR = ("parity_gap", "predicted_parity_gap", "fairness_cost")


def rows(run: Body, drawn: Drawn) -> Body | None:
    """The conditions on the generated rows: {where, balance, copies, made, drawn, …}; None if there are none."""
    report, generate = run["sample"].get("asked") or {}, run["plan"].get("generate", {})
    copies = generate.get("copies") or 1
    where = report.get("where")
    balance = _balance(report.get("balance", []) if generate.get("balance") else [], drawn)
    if where is None and not balance and copies == 1:
        return None
    return {
        "table": report.get("table"),
        "where": where,
        "by_itself": report.get("share_by_itself"),
        "balance": balance,
        "copies": copies,
        "proper": bool(generate.get("proper")),
        "made": report.get("made"),
        "drawn": report.get("drawn"),
        "found_by": report.get("found_by"),
    }


def _balance(lines: list[Body], drawn: Drawn) -> list[Body]:
    """A chart for each balanced column, and whether every value has the requested number of rows."""
    out = []
    for i, column in enumerate(dict.fromkeys(b["column"] for b in lines)):
        some = [b for b in lines if b["column"] == column]
        requested, generated = [b["requested"] for b in some], [b["achieved"] for b in some]
        chart = charts.requested_rows(
            [b["value"] for b in some], requested, generated, f"Requested and generated rows of each value of {column}"
        )
        missed = sum(abs(a - b) for a, b in zip(requested, generated, strict=True))
        out.append({"column": column, "chart": put(drawn, f"balance-{i}", chart), "missed": missed})
    return out


def fairness(run: Body, drawn: Drawn) -> Body | None:
    """The gap between groups in real data, as learned and as generated, and in models; and its cost."""
    report, found = (run["sample"].get("asked") or {}).get("fairness"), overall(run["measured"])
    if report is None:
        return None
    gap, predicted = (found.get(name, {}) for name in FAIR[:2])
    by = ", ".join(report["sensitive"])
    figures = [
        {"name": "Real data", "side": "real", "value": gap.get("floor")},
        {"name": "This model, unconditional", "side": "independent", "value": report["gap_before"]},
        {"name": "Generated rows", "side": "synthetic", "value": report.get("gap_after", gap.get("value"))},
        {"name": "Predictions of a model of real data", "side": "real", "value": predicted.get("floor")},
        {
            "name": "Predictions of a model of these rows",
            "side": "synthetic",
            **{k: predicted.get(k) for k in ("value", "low", "high")},
        },
    ]
    known = [
        {**f, **{end: f["value"] if f.get(end) is None else f[end] for end in ("low", "high")}}
        for f in figures
        if f["value"] is not None
    ]
    label = f"Largest difference in {report['target']} between groups of {by}"
    gates = {g["metric"]: g for g in judged(run)}
    lines = [line(found[name], run["help"], **_gate(gates.get(name))) for name in FAIR if name in found]
    chart = charts.ranges(known, "largest difference in shares", label, mark=0)
    return {"target": report["target"], "by": by, "chart": put(drawn, "fairness", chart), "lines": lines}


def _gate(gate: Body | None) -> Body:
    return {"required": words.bounds(gate) if gate else "", "state": state(gate) if gate else ""}


def matters(run: Body, drawn: Drawn) -> Body | None:
    """{properties, own, downstream}: the requirements of the spec; None where it has none."""
    gates, found = {g["metric"]: g for g in judged(run)}, overall(run["measured"])
    own = [m for name, m in found.items() if name not in run["help"] and m["stage"] == EVALUATE]
    properties = [_property(i, m, run, gates.get("preserve"), drawn) for i, m in enumerate(_properties(run))]
    out = {
        "properties": properties,
        "own": [_own(i, m, run, gates.get(m["name"]), drawn) for i, m in enumerate(own)],
        "downstream": _downstream(run, found.get("downstream_exit_code"), gates.get("downstream_exit_code")),
    }
    passed = sum(p["state"] == "pass" for p in properties) if any(p["state"] for p in properties) else None
    return {**out, "passed": passed} if any(out.values()) else None


def _properties(run: Body) -> list[Body]:
    """The properties with the lowest agreement first; those without a measurement before them."""
    found = [m for m in run["measured"] if m["name"] == "preserve" and m.get("scope") == "property"]
    return sorted(found, key=lambda m: -1.0 if m["value"] is None else m["value"])


def _property(i: int, m: Body, run: Body, gate: Body | None, drawn: Drawn) -> Body:
    """One property: both figures, their agreement on its scale, and whether it passes the gate."""
    none: Body = {"real": None, "synthetic": None}
    seen: Body = next((p for p in run["pictures"].get("properties", []) if p["text"] == m["of"]), none)
    low, high = (None, None) if gate is None else bounds({**gate, "measured": m})
    chart = charts.bullet(m, low, high, f"{m['of']}: agreement {words.number(m['value'])}")
    real, synthetic = seen["real"], seen["synthetic"]
    apart = None if real is None or synthetic is None else synthetic - real
    figures = {side: words.figure(seen[side]) for side in ("real", "synthetic")}
    return {
        "text": m["of"],
        **figures,
        "apart": "" if apart is None else words.figure(apart, signed=True),
        "agreement": words.number(m["value"]),
        "interval": words.interval(m),
        "beside": words.number(m.get("floor")),
        "chart": put(drawn, f"property-{i}", chart),
        "state": _passes(m, gate, low),
        "note": m.get("note", "") if m["value"] is None or apart is None else "",
    }


def _passes(m: Body, gate: Body | None, least: float | None) -> str:
    """pass, warn or fail by the bound of the gate on all properties; empty without a gate."""
    if gate is None or least is None:
        return ""
    end = m.get({"interval": "low", "favourable": "high"}.get(gate["bound"], "value"))
    end = m["value"] if end is None else end
    return "pass" if end is not None and end >= least else "warn" if gate["severity"] == "warn" else "fail"


def _own(i: int, m: Body, run: Body, gate: Body | None, drawn: Drawn) -> Body:
    low, high = bounds(gate) if gate else (None, None)
    chart = charts.bullet(m, low, high, f"{m['name']}: {words.number(m['value'])}")
    return line(m, run["help"], chart=put(drawn, f"own-{i}", chart), **_gate(gate))


def _downstream(run: Body, m: Body | None, gate: Body | None) -> Body | None:
    """The user's application: its command, its exit code, and the path of its log."""
    ran = run["downstream"]
    if m is None or ran is None:
        return None
    return {**ran, "took": words.duration(ran["seconds"]), **_gate(gate)}
