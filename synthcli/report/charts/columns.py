"""Charts of a column's real and synthetic distributions: histograms on a suitable scale, shares of categories."""

from __future__ import annotations

import itertools
import math
from typing import Any

from synthcli.report.charts.base import LINE, REAL, SYNTHETIC, Chart, chart
from synthcli.wording import quantity

DWARFS = 1.5  # times the largest share shown, from which the other values are told in words


def column(picture: dict[str, Any], label: str) -> Chart | None:
    """The chart of a column's two distributions; None for a column that is generated without data, or too small to
    draw.
    """
    if found := picture.get("categories"):
        return _categories(found, label)
    return histogram(picture["bins"], picture["kind"], label) if picture.get("bins") else None


def histogram(bins: dict[str, Any], kind: str, label: str, title: str | None = None) -> Chart:
    """Areas are shares: where small bins were merged, the height is the share of an even bin. title: of the axis."""
    edges, unit = bins["edges"], ""
    if kind == "datetime":
        edges = [e * 1000 for e in edges]
    if kind == "timedelta":
        unit, seconds = next(
            (u, s)
            for u, s in (("days", 86400), ("hours", 3600), ("minutes", 60), ("seconds", 1))
            if max(edges) >= 3 * s or s == 1
        )
        edges = [e / seconds for e in edges]
    where = (lambda x: math.log1p(x / bins["constant"])) if bins["scale"] == "log" else float
    widths = [where(b) - where(a) for a, b in itertools.pairwise(edges)]
    sides = [side for side in ("real", "synthetic") if side in bins]
    base = sorted(widths)[len(widths) // 2]
    base = min(
        base, *(width / share for side in sides for share, width in zip(bins[side], widths, strict=True) if share)
    )  # no bar above 100 %
    data: dict[str, list[Any]] = {"lo": edges[:-1], "hi": edges[1:], **{side: bins[side] for side in sides}}
    data["range"] = (
        [_range(a, b, kind, bins["whole"]) for a, b in itertools.pairwise(bins["edges"])] if not unit else _plain(edges)
    )
    for side in sides:
        data[side[0]] = [round(share * base / width, 5) for share, width in zip(bins[side], widths, strict=True)]
    scale: dict[str, Any] = {"domain": [edges[0], edges[-1]], "nice": False, "zero": False}
    if bins["scale"] == "log":
        scale |= {"type": "symlog", "constant": bins["constant"]}
    named = ", ".join(part for part in (unit or title, "logarithmic scale" if bins["scale"] == "log" else "") if part)
    axis: dict[str, Any] = {"grid": False, "tickCount": 5, "title": named or None, "labelFlush": True}
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

        def day(s: float) -> str:
            return (
                (datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=s))
                .isoformat(" ", "minutes")
                .removesuffix(" 00:00")
            )

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
    data: dict[str, list[Any]] = {
        "value": _distinct([_cut(v) for v in found["values"]]),
        **{side: list(found[side]) for side in sides},
    }
    if (rest := found["others"]) and not dwarfing(found):
        data["value"].append(f"… {quantity(rest['values'], 'other')}")
        for side in sides:
            data[side].append(rest[side])
    tip = [{"field": "value", "title": "value"}, *({"field": s, "title": s, "format": ".2%"} for s in sides)]
    y = {"field": "value", "type": "nominal", "sort": None, "axis": {"title": None, "ticks": False, "domain": False}}

    def x(side: str) -> dict[str, Any]:
        return {
            "field": side,
            "type": "quantitative",
            "axis": {"format": ".0%", "tickCount": 4, "title": None},
            "scale": {"zero": True},
        }

    layers: list[dict[str, Any]] = []
    if "real" in found:
        bar = {"type": "bar", "fill": REAL, "stroke": LINE, "strokeWidth": 0.5, "height": {"band": 0.78}}
        layers.append({"mark": bar, "encoding": {"y": y, "x": x("real"), "tooltip": tip}})
    tick = {"type": "tick", "color": SYNTHETIC, "thickness": 3, "height": {"band": 0.95}}
    layers.append({"mark": tick, "encoding": {"y": y, "x": x("synthetic"), "tooltip": tip}})
    return chart(
        layers,
        data,
        label,
        [["value", "value"], *[[str(s), str(s)] for s in sides]],
        height=18 * len(data["value"]) + 4,
    )


def dwarfing(found: dict[str, Any]) -> bool:
    """Whether the other values together are so many that their bar would leave no room for those shown."""
    sides = [side for side in ("real", "synthetic") if side in found]
    if not found["others"] or not found["values"]:
        return False
    return bool(max(found["others"][side] for side in sides) > DWARFS * max(max(found[side]) for side in sides))


def _cut(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _distinct(texts: list[str]) -> list[str]:
    """The texts with a number appended to repeated ones."""
    seen: dict[str, int] = {}
    out = []
    for text in texts:
        seen[text] = seen.get(text, 0) + 1
        out.append(text if seen[text] == 1 else f"{text} ({seen[text]})")
    return out
