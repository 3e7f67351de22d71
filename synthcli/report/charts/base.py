"""The charts of a page as Vega-Lite specs. Real data are filled bars, synthetic data are lines, so that no chart
depends on colour alone.

Names and values of the data occur only in data and domains, under fixed field names: no expression ever
holds one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Chart = dict[
    str, Any
]  # {spec, data: {field: [value, ...]}, label: description in words, table: [[field, heading], ...]}

REAL, LINE, SYNTHETIC, INK, MUTED, GOOD, HERE = (
    f"var(--{name})" for name in ("real", "real-line", "synthetic", "ink", "muted", "good", "accent")
)
CLASSES = 9  # of the heat maps' colours; odd, so that zero has one of its own

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "aria": False,  # the element around a chart carries one label in words, and a table
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "domainColor": "var(--line)",
        "tickColor": "var(--line)",
        "gridColor": "var(--grid)",
        "labelFontSize": 11,
        "titleFontSize": 11,
        "titleFontWeight": "normal",
        "labelLimit": 120,
        "labelOverlap": True,
        "labelSeparation": 6,
    },
    "text": {"fill": INK, "fontSize": 11},
}


def chart(
    layers: Sequence[dict[str, Any]], data: dict[str, list[Any]], label: str, table: list[list[str]], **more: Any
) -> Chart:
    """A layered chart that fills the width of its container."""
    spec = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}, **more, "layer": list(layers)}
    return {"spec": spec, "data": data, "label": label, "table": table}
