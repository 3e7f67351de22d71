"""What a page shows of coin sequences."""

from __future__ import annotations

from synthcli.report.reading import Body, Drawn

TEMPLATE = "figures.html.j2"
SECTIONS = (("coins", "Coins"),)


def view(run: Body, drawn: Drawn, datasets: Body) -> Body:
    heads = run["pictures"].get("heads", {})
    rows = [("share of heads", heads.get("real"), heads.get("synthetic"))]
    section = {"id": "coins", "title": "Coins", "caption": "Flips of a coin.", "rows": rows}
    return {"coins": True, "figure_sections": [section]}
