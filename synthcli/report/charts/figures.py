"""Charts of figures with their intervals: one figure on its scale with its bounds, several as lines or bars, two
against each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from synthcli.report.charts.base import GOOD, INK, LINE, MUTED, SYNTHETIC, Chart, chart


def bullet(
    measured: dict[str, Any], low: float | None, high: float | None, label: str, *, beside: Sequence[float | None] = ()
) -> Chart | None:
    """A figure with its interval on its own scale; low, high: the bounds of the gate, with the range between them
    shaded. None: it was not measured.

    floor (the value of unseen real data) is a full tick, baseline (independent columns) a cross if it is near
    enough. beside: further values that the scale must cover, so that two bullets can be compared.
    """
    value = measured.get("value")
    if value is None:
        return None
    ends = [value if measured.get(key) is None else measured[key] for key in ("low", "high")]
    floor = measured.get("floor") if measured.get("floor") is not None else measured.get("control")
    near = [x for x in (value, *ends, low, high, floor, *beside) if x is not None]
    span = max(max(near) - min(near), 0.02 * max(map(abs, near)), 1e-3)
    baseline = measured.get("baseline")
    if baseline is not None and min(near) - 2 * span <= baseline <= max(near) + 2 * span:
        near.append(baseline)
        span = max(near) - min(near)
    domain = [min(near) - 0.12 * span, max(near) + 0.12 * span]
    data = {"value": [value], "low": [ends[0]], "high": [ends[1]], "floor": [floor], "baseline": [baseline]}
    axis = {"tickCount": 4, "title": None, "grid": False, "domain": False, "tickSize": 3, "labelFlush": False}
    x = {"type": "quantitative", "scale": {"domain": domain, "nice": False, "zero": False}, "axis": axis}
    layers: list[dict[str, Any]] = []
    if low is not None or high is not None:
        inside = {
            "x": {"datum": domain[0] if low is None else low, **x},
            "x2": {"datum": domain[1] if high is None else high},
        }
        layers.append({"mark": {"type": "rect", "fill": GOOD, "opacity": 0.16}, "encoding": inside})
        layers += [
            {"mark": {"type": "rule", "stroke": GOOD, "strokeWidth": 1.5}, "encoding": {"x": {"datum": bound, **x}}}
            for bound in (low, high)
            if bound is not None
        ]
    if floor is not None:
        layers.append(
            {
                "mark": {"type": "tick", "color": LINE, "thickness": 2.5, "size": 18},
                "encoding": {"x": {"field": "floor", **x}},
            }
        )
    if baseline is not None and baseline in near:
        layers.append(
            {
                "mark": {
                    "type": "point",
                    "shape": "cross",
                    "fill": MUTED,
                    "strokeWidth": 0,
                    "angle": 45,
                    "size": 45,
                    "opacity": 1,
                },
                "encoding": {"x": {"field": "baseline", **x}},
            }
        )
    layers.append(
        {
            "mark": {"type": "rule", "stroke": INK, "strokeWidth": 4, "opacity": 0.45},
            "encoding": {"x": {"field": "low", **x}, "x2": {"field": "high"}},
        }
    )
    tip = [{"field": f, "title": t, "format": ".4~g"} for f, t in _BULLET]
    layers.append(
        {
            "mark": {"type": "point", "filled": True, "size": 95, "fill": INK, "opacity": 1},
            "encoding": {"x": {"field": "value", **x}},
        }
    )
    layers.append(
        {
            "mark": {"type": "rect", "fill": "transparent"},
            "encoding": {"x": {"datum": domain[0], **x}, "x2": {"datum": domain[1]}, "tooltip": tip},
        }
    )
    return chart(layers, data, label, [list(pair) for pair in _BULLET], height=26)


_BULLET = (
    ("value", "measured"),
    ("low", "from"),
    ("high", "to"),
    ("floor", "real data"),
    ("baseline", "independent columns"),
)


def bars(names: list[str], values: list[float], title: str, label: str) -> Chart:
    """One bar per name, longest first as given."""
    y = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 160},
    }
    x = {"field": "value", "type": "quantitative", "axis": {"title": title, "tickCount": 5}}
    tip = [{"field": "name", "title": "column"}, {"field": "value", "title": title, "format": ".4~g"}]
    mark = {"type": "bar", "fill": SYNTHETIC, "opacity": 0.85, "height": {"band": 0.7}}
    layers = [{"mark": mark, "encoding": {"y": y, "x": x, "tooltip": tip}}]
    return chart(
        layers,
        {"name": names, "value": values},
        label,
        [["name", "column"], ["value", title]],
        height=22 * len(names) + 4,
    )


def requested_rows(names: list[str], requested: list[int], generated: list[int], label: str) -> Chart:
    """Requested rows as bars, generated rows as ticks."""
    y = {
        "field": "name",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 200},
    }

    def x(field: str) -> dict[str, Any]:
        return {
            "field": field,
            "type": "quantitative",
            "axis": {"title": "rows", "tickCount": 5, "format": ",d"},
        }

    tip = [
        {"field": "name", "title": "value"},
        {"field": "requested", "title": "requested", "format": ","},
        {"field": "generated", "title": "generated", "format": ","},
    ]
    bar = {"type": "bar", "fill": GOOD, "opacity": 0.25, "stroke": GOOD, "strokeWidth": 1, "height": {"band": 0.78}}
    tick = {"type": "tick", "color": SYNTHETIC, "thickness": 3, "height": {"band": 0.95}}
    layers = [
        {"mark": m, "encoding": {"y": y, "x": x(field), "tooltip": tip}}
        for m, field in ((bar, "requested"), (tick, "generated"))
    ]
    table = [["name", "value"], ["requested", "requested rows"], ["generated", "generated rows"]]
    return chart(
        layers,
        {"name": names, "requested": requested, "generated": generated},
        label,
        table,
        height=20 * len(names) + 4,
    )


def ranges(rows: list[dict[str, Any]], title: str, label: str, *, mark: float | None = None) -> Chart:
    """One figure with its interval per line. rows: {name, side: real | synthetic | independent, value, low, high};
    mark: a vertical line.
    """
    data = {key: [row.get(key) for row in rows] for key in ("name", "side", "value", "low", "high")}
    order = {"domain": list(dict.fromkeys(data["name"]))}
    y = {
        "field": "name",
        "type": "nominal",
        "scale": order,
        "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 260},
    }
    x = {"type": "quantitative", "scale": {"zero": False, "padding": 8}, "axis": {"title": title, "tickCount": 6}}
    sides = ["real", "synthetic", "independent"]
    colour = {
        "field": "side",
        "type": "nominal",
        "scale": {"domain": sides, "range": [LINE, SYNTHETIC, MUTED]},
        "legend": None,
    }
    shape = {
        "field": "side",
        "type": "nominal",
        "scale": {"domain": sides, "range": ["square", "circle", "diamond"]},
        "legend": None,
    }
    tip = [
        {"field": "name", "title": ""},
        *({"field": f, "title": f, "format": ".4~g"} for f in ("value", "low", "high")),
    ]
    layers: list[dict[str, Any]] = []
    if mark is not None:
        layers.append(
            {"mark": {"type": "rule", "stroke": MUTED, "strokeDash": [4, 3]}, "encoding": {"x": {"datum": mark, **x}}}
        )
    layers.append(
        {
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.55},
            "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}, "stroke": colour},
        }
    )
    point = {"type": "point", "filled": True, "size": 110, "opacity": 1}
    layers.append(
        {
            "mark": point,
            "encoding": {"y": y, "x": {"field": "value", **x}, "fill": colour, "shape": shape, "tooltip": tip},
        }
    )
    return chart(
        layers,
        data,
        label,
        [["name", ""], ["value", "value"], ["low", "from"], ["high", "to"]],
        height=26 * len(order["domain"]) + 4,
    )


def tradeoff(points: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], label: str) -> Chart:
    """Rounds as quality against privacy. points: {round, chosen, state, x, y, and their low, high}; x, y: {metric,
    better, low, high} (bounds).

    Axes run so that better lies up and to the right; the region where both gates pass is shaded.
    """
    keys = ("round", "state", "chosen", "x", "xlow", "xhigh", "y", "ylow", "yhigh")
    data = {key: [p.get(key) for p in points] for key in keys}
    places, edges = {}, {}
    for name, axis in (("x", x), ("y", y)):
        known = [p[k] for p in points for k in (name, f"{name}low", f"{name}high") if p.get(k) is not None]
        known += [b for b in (axis["low"], axis["high"]) if b is not None]
        pad = max(0.08 * (max(known) - min(known)), 1e-3)
        edges[name] = (min(known) - pad, max(known) + pad)
        arrow = "→" if name == "x" else "↑"
        title = f"{axis['metric']} ({'better' if name == 'x' else 'safer'} {arrow})"
        scale = {"domain": list(edges[name]), "zero": False, "nice": False, "reverse": axis["better"] != "higher"}
        places[name] = {"type": "quantitative", "scale": scale, "axis": {"title": title, "tickCount": 6}}
    inside: dict[str, Any] = {}
    for name, axis in (("x", x), ("y", y)):
        low, high = (edges[name][i] if axis[end] is None else axis[end] for i, end in enumerate(("low", "high")))
        inside |= {name: {"datum": low, **places[name]}, f"{name}2": {"datum": high}}
    at = {name: {"field": name, **places[name]} for name in ("x", "y")}
    tip = [
        {"field": "round", "title": "round"},
        {"field": "state", "title": ""},
        {"field": "x", "title": x["metric"], "format": ".4~g"},
    ]
    tip.append({"field": "y", "title": y["metric"], "format": ".4~g"})
    chosen = {"condition": {"test": "datum.chosen", "value": SYNTHETIC}, "value": "var(--paper)"}
    thin = {"type": "rule", "stroke": SYNTHETIC, "strokeWidth": 1.5, "opacity": 0.5}
    layers: list[dict[str, Any]] = [
        {
            "data": {"values": [{}]},
            "mark": {"type": "rect", "fill": GOOD, "opacity": 0.14},
            "encoding": inside,
        },  # once, not once a round
        {
            "mark": {"type": "line", "stroke": MUTED, "strokeDash": [3, 3], "strokeWidth": 1},
            "encoding": {**at, "order": {"field": "round"}},
        },
        {"mark": thin, "encoding": {"x": {"field": "xlow", **places["x"]}, "x2": {"field": "xhigh"}, "y": at["y"]}},
        {"mark": thin, "encoding": {"y": {"field": "ylow", **places["y"]}, "y2": {"field": "yhigh"}, "x": at["x"]}},
        {
            "mark": {"type": "point", "filled": True, "size": 160, "stroke": SYNTHETIC, "strokeWidth": 2, "opacity": 1},
            "encoding": {**at, "fill": chosen, "tooltip": tip},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 11, "dy": -10},
            "encoding": {**at, "text": {"field": "round"}},
        },
    ]
    head = [["round", "round"], ["state", "against validation"], ["x", x["metric"]], ["y", y["metric"]]]
    return chart(layers, data, label, head, height=320)
