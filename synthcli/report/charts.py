"""The charts of a page as Vega-Lite specs. Real data are filled bars, synthetic data are lines, so that no chart depends on colour alone.

Names and values that come from data stand in data and in domains, under field names of our own: no expression ever holds one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

Chart = dict[str, Any]  # {spec, data: {field: [value, ...]}, label: what it shows, in words, table: [[field, heading], ...]}

REAL, LINE, SYNTHETIC, INK, MUTED, GOOD, HERE = (f"var(--{name})" for name in ("real", "real-line", "synthetic", "ink", "muted", "good", "accent"))
CLASSES = 9  # of the heat maps' colours; odd, so that zero has one of its own

CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": "system-ui, sans-serif",
    "view": {"stroke": None},
    "aria": False,  # the element around a chart carries one label in words, and a table
    "axis": {
        "labelColor": MUTED, "titleColor": MUTED, "domainColor": "var(--line)", "tickColor": "var(--line)", "gridColor": "var(--grid)",
        "labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "labelLimit": 120, "labelOverlap": True,
    },
    "text": {"fill": INK, "fontSize": 11},
}  # fmt: skip


def chart(layers: Sequence[dict[str, Any]], data: dict[str, list[Any]], label: str, table: list[list[str]], **more: Any) -> Chart:
    """A layered chart as wide as its place."""
    spec = {"width": "container", "autosize": {"type": "fit-x", "contains": "padding"}, **more, "layer": list(layers)}
    return {"spec": spec, "data": data, "label": label, "table": table}


def column(picture: dict[str, Any], label: str) -> Chart | None:
    """A column's two distributions; None for one that is made up, or too small to draw."""
    if found := picture.get("categories"):
        return _categories(found, label)
    return _histogram(picture["bins"], picture["kind"], label) if picture.get("bins") else None


def _histogram(bins: dict[str, Any], kind: str, label: str) -> Chart:
    """Areas are shares: where small bins were merged, the height is the share of an even bin."""
    edges, unit = bins["edges"], ""
    if kind == "datetime":
        edges = [e * 1000 for e in edges]
    if kind == "timedelta":
        unit, seconds = next((u, s) for u, s in (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1)) if max(edges) >= 3 * s or s == 1)
        edges = [e / seconds for e in edges]
    where = (lambda x: math.log1p(x / bins["constant"])) if bins["scale"] == "log" else float
    widths = [where(b) - where(a) for a, b in itertools.pairwise(edges)]
    base = sorted(widths)[len(widths) // 2]
    sides = [side for side in ("real", "synthetic") if side in bins]
    data: dict[str, list[Any]] = {"lo": edges[:-1], "hi": edges[1:], **{side: bins[side] for side in sides}}
    data["range"] = [_range(a, b, kind, bins["whole"]) for a, b in itertools.pairwise(bins["edges"])] if not unit else _plain(edges)
    for side in sides:
        data[side[0]] = [round(share * base / width, 5) for share, width in zip(bins[side], widths, strict=True)]
    scale: dict[str, Any] = {"domain": [edges[0], edges[-1]], "nice": False, "zero": False}
    if bins["scale"] == "log":
        scale |= {"type": "symlog", "constant": bins["constant"]}
    axis: dict[str, Any] = {"grid": False, "tickCount": 5, "title": unit or None, "labelFlush": True}
    if bins["scale"] == "log":
        axis["values"] = _decades(edges[0], edges[-1], bins["constant"])
    if kind != "datetime":
        axis["format"] = ".3~s" if max(map(abs, edges)) >= 10_000 else ",.10~g"
    else:
        scale = {"type": "utc", "nice": False}
    if bins["whole"] and len(edges) <= 40:
        axis["tickMinStep"] = 1
    x = {"field": "lo", "type": "temporal" if kind == "datetime" else "quantitative", "scale": scale, "axis": axis}
    tip = [{"field": "range", "title": "values"}, *({"field": s, "title": s, "format": ".2%"} for s in sides)]
    layers: list[dict[str, Any]] = []
    if "real" in bins:
        layers.append(
            {
                "mark": {"type": "rect", "fill": REAL, "stroke": LINE, "strokeWidth": 0.5},
                "encoding": {"x": x, "x2": {"field": "hi"}, "y": _share("r"), "y2": {"datum": 0}},
            }
        )
    layers.append(
        {
            "transform": [{"fold": ["lo", "hi"], "as": ["end", "at"]}],
            "mark": {"type": "line", "order": False, "stroke": SYNTHETIC, "strokeWidth": 2, "strokeJoin": "round"},
            "encoding": {"x": {**x, "field": "at"}, "y": _share("s")},
        }
    )
    hover = {"x": x, "x2": {"field": "hi"}, "tooltip": tip}
    layers.append({"mark": {"type": "rect", "fill": "transparent"}, "encoding": hover})
    return chart(layers, data, label, [["range", "values"], *[[str(s), str(s)] for s in sides]], height=150)


def _share(field: str) -> dict[str, Any]:
    return {
        "field": field,
        "type": "quantitative",
        "axis": {"format": ".0%", "tickCount": 3, "title": None, "domain": False, "ticks": False},
        "scale": {"zero": True},
    }


def _range(low: float, high: float, kind: str, whole: bool) -> str:
    if kind == "datetime":
        import datetime

        day = lambda s: (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=s)).isoformat(" ", "minutes").removesuffix(" 00:00")  # noqa: E731
        return f"{day(low)} – {day(high)}"
    if whole:
        first, last = math.ceil(low), math.floor(high)
        return f"{first:,}" if first == last else f"{first:,} – {last:,}"
    return f"{low:,.10g} – {high:,.10g}"


def _plain(edges: list[float]) -> list[str]:
    return [f"{a:,.4g} – {b:,.4g}" for a, b in itertools.pairwise(edges)]


def _decades(low: float, high: float, constant: float) -> list[float]:
    """Zero, where it is in view, and powers of ten above the constant."""
    powers = [10.0**p for p in range(math.ceil(math.log10(constant)), math.floor(math.log10(max(high, constant))) + 1)]
    return [x for x in (0.0, *powers) if low <= x <= high]


def _categories(found: dict[str, Any], label: str) -> Chart:
    sides = [side for side in ("real", "synthetic") if side in found]
    data: dict[str, list[Any]] = {"value": _distinct([_cut(v) for v in found["values"]]), **{side: list(found[side]) for side in sides}}
    if rest := found["others"]:
        data["value"].append(f"… {rest['values']:,} other{'s' if rest['values'] != 1 else ''}")
        for side in sides:
            data[side].append(rest[side])
    tip = [{"field": "value", "title": "value"}, *({"field": s, "title": s, "format": ".2%"} for s in sides)]
    y = {"field": "value", "type": "nominal", "sort": None, "axis": {"title": None, "ticks": False, "domain": False}}
    x = lambda side: {"field": side, "type": "quantitative", "axis": {"format": ".0%", "tickCount": 4, "title": None}, "scale": {"zero": True}}  # noqa: E731
    layers: list[dict[str, Any]] = []
    if "real" in found:
        bar = {"type": "bar", "fill": REAL, "stroke": LINE, "strokeWidth": 0.5, "height": {"band": 0.78}}
        layers.append({"mark": bar, "encoding": {"y": y, "x": x("real"), "tooltip": tip}})
    tick = {"type": "tick", "color": SYNTHETIC, "thickness": 3, "height": {"band": 0.95}}
    layers.append({"mark": tick, "encoding": {"y": y, "x": x("synthetic"), "tooltip": tip}})
    return chart(layers, data, label, [["value", "value"], *[[str(s), str(s)] for s in sides]], height=18 * len(data["value"]) + 4)


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _distinct(texts: list[str]) -> list[str]:
    """The same texts, those that turn up again with a number."""
    seen: dict[str, int] = {}
    out = []
    for text in texts:
        seen[text] = seen.get(text, 0) + 1
        out.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return out


def bullet(measured: dict[str, Any], low: float | None, high: float | None, label: str) -> Chart | None:
    """A figure with its interval on a scale of its own; low, high: the bounds asked, whose inside is shaded. None: it was not measured.

    floor (what unseen real data get) is a full tick, baseline (independent columns) a dotted one where it is near enough to draw.
    """
    value = measured.get("value")
    if value is None:
        return None
    ends = [value if measured.get(key) is None else measured[key] for key in ("low", "high")]
    floor = measured.get("floor") if measured.get("floor") is not None else measured.get("control")
    near = [x for x in (value, *ends, low, high, floor) if x is not None]
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
        inside = {"x": {"datum": domain[0] if low is None else low, **x}, "x2": {"datum": domain[1] if high is None else high}}
        layers.append({"mark": {"type": "rect", "fill": GOOD, "opacity": 0.16}, "encoding": inside})
        layers += [
            {"mark": {"type": "rule", "stroke": GOOD, "strokeWidth": 1.5}, "encoding": {"x": {"datum": bound, **x}}}
            for bound in (low, high)
            if bound is not None
        ]
    if floor is not None:
        layers.append({"mark": {"type": "tick", "color": LINE, "thickness": 2.5, "size": 18}, "encoding": {"x": {"field": "floor", **x}}})
    if baseline is not None and baseline in near:
        layers.append(
            {
                "mark": {"type": "point", "shape": "cross", "fill": MUTED, "strokeWidth": 0, "angle": 45, "size": 45, "opacity": 1},
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
    layers.append({"mark": {"type": "point", "filled": True, "size": 95, "fill": INK, "opacity": 1}, "encoding": {"x": {"field": "value", **x}}})
    layers.append(
        {"mark": {"type": "rect", "fill": "transparent"}, "encoding": {"x": {"datum": domain[0], **x}, "x2": {"datum": domain[1]}, "tooltip": tip}}
    )
    return chart(layers, data, label, [list(pair) for pair in _BULLET], height=26)


_BULLET = (("value", "measured"), ("low", "from"), ("high", "to"), ("floor", "real data"), ("baseline", "independent columns"))


def heat(names: list[str], side: str, bound: float, label: str) -> Chart:
    """One of the three heat maps over the shared data `pairs`. side: real, synthetic or difference; bound: the end of the colours."""
    show = len(names) <= 32
    axis: dict[str, Any] = {"title": None, "ticks": False, "domain": False, "labels": show, "labelLimit": 90, "labelOverlap": False}
    colours = {"type": "quantize", "domain": [-bound, bound], "range": [f"var(--heat-{i})" for i in range(CLASSES)]}
    tip = [{"field": "a", "title": "column"}, {"field": "b", "title": "with"}, *({"field": f, "title": f, "format": "+.3f"} for f in HEATS)]
    named = {"type": "nominal", "sort": None, "scale": {"domain": names, "padding": 0.04}}
    encoding = {
        "x": {"field": "b", **named, "axis": {**axis, "labelAngle": -60}},
        "y": {"field": "a", **named, "axis": axis},
        "fill": {"field": side, "type": "quantitative", "scale": colours, "legend": None},
        "tooltip": tip,
    }
    table = [["a", "column"], ["b", "with"], *([f, f] for f in HEATS)]
    found = chart([{"mark": "rect", "encoding": encoding}], {}, label, table, height=max(180, min(420, 26 * len(names))))
    return {**found, "data": "pairs"}


HEATS = ("real", "synthetic", "difference")


def pairs(found: dict[str, Any]) -> dict[str, list[Any]]:
    """The data of the heat maps: both triangles, so that a row can be read through."""
    names = found["names"]
    out: dict[str, list[Any]] = {key: [] for key in ("a", "b", *HEATS)}
    upper = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    for (i, j), real, synthetic in zip(upper, found["real"], found["synthetic"], strict=True):
        apart = None if real is None or synthetic is None else round(synthetic - real, 3)
        for a, b in ((i, j), (j, i)):
            for key, value in zip(out, (names[a], names[b], real, synthetic, apart), strict=True):
                out[key].append(value)
    return out


def bars(names: list[str], values: list[float], title: str, label: str) -> Chart:
    """One bar a name, longest first as given."""
    y = {"field": "name", "type": "nominal", "sort": None, "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 160}}
    x = {"field": "value", "type": "quantitative", "axis": {"title": title, "tickCount": 5}}
    tip = [{"field": "name", "title": "column"}, {"field": "value", "title": title, "format": ".4~g"}]
    mark = {"type": "bar", "fill": SYNTHETIC, "opacity": 0.85, "height": {"band": 0.7}}
    layers = [{"mark": mark, "encoding": {"y": y, "x": x, "tooltip": tip}}]
    return chart(layers, {"name": names, "value": values}, label, [["name", "column"], ["value", title]], height=22 * len(names) + 4)


def ranges(rows: list[dict[str, Any]], title: str, label: str, *, mark: float | None = None) -> Chart:
    """One figure with its interval a line. rows: {name, side: real | synthetic | independent, value, low, high}; mark: a vertical line."""
    data = {key: [row.get(key) for row in rows] for key in ("name", "side", "value", "low", "high")}
    y = {"field": "name", "type": "nominal", "sort": None, "axis": {"title": None, "ticks": False, "domain": False, "labelLimit": 260}}
    x = {"type": "quantitative", "scale": {"zero": False}, "axis": {"title": title, "tickCount": 6}}
    sides = ["real", "synthetic", "independent"]
    colour = {"field": "side", "type": "nominal", "scale": {"domain": sides, "range": [LINE, SYNTHETIC, MUTED]}, "legend": None}
    shape = {"field": "side", "type": "nominal", "scale": {"domain": sides, "range": ["square", "circle", "diamond"]}, "legend": None}
    tip = [{"field": "name", "title": ""}, *({"field": f, "title": f, "format": ".4~g"} for f in ("value", "low", "high"))]
    layers: list[dict[str, Any]] = []
    if mark is not None:
        layers.append({"mark": {"type": "rule", "stroke": MUTED, "strokeDash": [4, 3]}, "encoding": {"x": {"datum": mark, **x}}})
    layers.append(
        {
            "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.55},
            "encoding": {"y": y, "x": {"field": "low", **x}, "x2": {"field": "high"}, "stroke": colour},
        }
    )
    point = {"type": "point", "filled": True, "size": 110, "opacity": 1}
    layers.append({"mark": point, "encoding": {"y": y, "x": {"field": "value", **x}, "fill": colour, "shape": shape, "tooltip": tip}})
    return chart(layers, data, label, [["name", ""], ["value", "value"], ["low", "from"], ["high", "to"]], height=26 * len(rows) + 4)


def tradeoff(points: list[dict[str, Any]], x: dict[str, Any], y: dict[str, Any], label: str) -> Chart:
    """Rounds as quality against privacy. points: {round, chosen, state, x, y, and their low, high}; x, y: {metric, better, low, high} (bounds).

    Axes run so that better lies up and to the right; where both gates pass is shaded.
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
    tip = [{"field": "round", "title": "round"}, {"field": "state", "title": ""}, {"field": "x", "title": x["metric"], "format": ".4~g"}]
    tip.append({"field": "y", "title": y["metric"], "format": ".4~g"})
    chosen = {"condition": {"test": "datum.chosen", "value": SYNTHETIC}, "value": "var(--paper)"}
    thin = {"type": "rule", "stroke": SYNTHETIC, "strokeWidth": 1.5, "opacity": 0.5}
    layers: list[dict[str, Any]] = [
        {"mark": {"type": "rect", "fill": GOOD, "opacity": 0.14}, "encoding": inside},
        {"mark": {"type": "line", "stroke": MUTED, "strokeDash": [3, 3], "strokeWidth": 1}, "encoding": {**at, "order": {"field": "round"}}},
        {"mark": thin, "encoding": {"x": {"field": "xlow", **places["x"]}, "x2": {"field": "xhigh"}, "y": at["y"]}},
        {"mark": thin, "encoding": {"y": {"field": "ylow", **places["y"]}, "y2": {"field": "yhigh"}, "x": at["x"]}},
        {
            "mark": {"type": "point", "filled": True, "size": 160, "stroke": SYNTHETIC, "strokeWidth": 2, "opacity": 1},
            "encoding": {**at, "fill": chosen, "tooltip": tip},
        },
        {"mark": {"type": "text", "align": "left", "dx": 11, "dy": -10}, "encoding": {**at, "text": {"field": "round"}}},
    ]
    head = [["round", "round"], ["state", "against validation"], ["x", x["metric"]], ["y", y["metric"]]]
    return chart(layers, data, label, head, height=320)
