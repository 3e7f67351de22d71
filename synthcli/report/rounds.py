"""The refinement section of a page: each round, and quality against privacy."""

from __future__ import annotations

from synthcli.report import charts, words
from synthcli.report.reading import Body, Drawn, bounds, put

TRADED = 4  # gates of a kind that the trade-off plot offers


def rounds(run: Body, drawn: Drawn) -> Body | None:
    """The rounds of refinement, and for each pair of gates a plot of quality against privacy."""
    verdict = run["verdict"]
    if verdict is None or (len(verdict["rounds"]) == 1 and not verdict["rounds"][0]["steered"]):
        return None
    lines = []
    for tried in verdict["rounds"]:
        failed = [g["metric"] for g in tried["gates"] if g["passed"] is False and g["severity"] == "error"]
        state = tried["error"] or (
            "passes" if tried["passed"] else f"fails {', '.join(failed)}" if tried["steered"] else "not judged"
        )
        lines.append(
            {
                **tried,
                "state": state,
                "chosen": tried["round"] == verdict["round"],
                "params": words.params(tried["params"]),
            }
        )
    axes = {
        kind: [g for g in verdict["gates"] if g["kind"] == kind and g["measured"]][:TRADED]
        for kind in ("quality", "privacy")
    }
    for x in axes["quality"]:
        for y in axes["privacy"]:
            points = [
                p
                for line in lines
                if (p := _point(line, run["tried"].get(line["round"], {}), x["metric"], y["metric"]))
            ]
            if points:
                label = f"Rounds by {x['metric']} and {y['metric']}"
                put(drawn, f"trade-{x['metric']}-{y['metric']}", charts.tradeoff(points, _axis(x), _axis(y), label))
    names = {kind: [g["metric"] for g in some] for kind, some in axes.items()}
    return {"lines": lines, "plot": any(name.startswith("trade-") for name in drawn), **names}


def _point(line: Body, measured: dict[str, Body], x: str, y: str) -> Body | None:
    at = {"x": measured.get(x, {}), "y": measured.get(y, {})}
    if any(m.get("value") is None for m in at.values()):
        return None
    ends = {f"{name}{end}": m.get(end, m["value"]) for name, m in at.items() for end in ("low", "high")}
    return {
        "round": line["round"],
        "state": line["state"],
        "chosen": line["chosen"],
        "x": at["x"]["value"],
        "y": at["y"]["value"],
        **ends,
    }


def _axis(gate: Body) -> Body:
    low, high = bounds(gate)
    return {"metric": gate["metric"], "better": gate["measured"].get("better", "higher"), "low": low, "high": high}
