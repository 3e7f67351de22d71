"""Heat maps of the associations between columns."""

from __future__ import annotations

from typing import Any

from synthcli.report.charts.base import CLASSES, Chart, chart

HEATS = ("real", "synthetic", "difference")
NAMED = 32  # columns of a side whose names are shown; with more, the tooltip of a cell names them


def heat(
    rows: list[str],
    columns: list[str],
    side: str,
    bound: float,
    label: str,
    shared: str,
    titles: tuple[str, str] = ("column", "with"),
) -> Chart:
    """One of the three heat maps over shared data. side: real, synthetic or difference; bound: the end of the colour
    scale; titles: the words for row and column.
    """
    axis: dict[str, Any] = {"title": None, "ticks": False, "domain": False, "labelLimit": 110, "labelOverlap": False}
    colours = {"type": "quantize", "domain": [-bound, bound], "range": [f"var(--heat-{i})" for i in range(CLASSES)]}
    tip = [
        {"field": "a", "title": titles[0]},
        {"field": "b", "title": titles[1]},
        *({"field": f, "title": f, "format": "+.3f"} for f in HEATS),
    ]
    place = lambda field, names, **more: {  # noqa: E731
        "field": field, "type": "nominal", "sort": None, "scale": {"domain": names, "padding": 0.04},
        "axis": {**axis, "labels": len(names) <= NAMED, **more},
    }  # fmt: skip
    encoding = {
        "x": place("b", columns, labelAngle=-60),
        "y": place("a", rows),
        "fill": {"field": side, "type": "quantitative", "scale": colours, "legend": None},
        "tooltip": tip,
    }
    table = [["a", titles[0]], ["b", titles[1]], *([f, f] for f in HEATS)]
    found = chart([{"mark": "rect", "encoding": encoding}], {}, label, table, height=max(90, min(420, 26 * len(rows))))
    return {**found, "data": shared}


def pairs(found: dict[str, Any]) -> dict[str, list[Any]]:
    """The data of the heat maps of one table: both triangles, so that a complete row can be read."""
    names = found["names"]
    upper = [(i, j) for i in range(len(names)) for j in range(i + 1, len(names))]
    cells = [
        (names[a], names[b], r, s)
        for (i, j), r, s in zip(upper, found["real"], found["synthetic"], strict=True)
        for a, b in ((i, j), (j, i))
    ]
    return _cells(cells)


def across(found: dict[str, Any]) -> dict[str, list[Any]]:
    """The data of the heat maps of two tables: rows for columns of one, columns for those of the other."""
    names = [(a, b) for a in found["rows"] for b in found["columns"]]
    return _cells([(a, b, r, s) for (a, b), r, s in zip(names, found["real"], found["synthetic"], strict=True)])


def _cells(cells: list[tuple[str, str, float | None, float | None]]) -> dict[str, list[Any]]:
    apart = [None if r is None or s is None else round(s - r, 3) for _, _, r, s in cells]
    columns = zip(*cells, strict=True) if cells else ([], [], [], [])
    return {**{key: list(values) for key, values in zip(("a", "b", *HEATS), columns)}, "difference": apart}


SHADES = 5  # colours of a joint picture's shares


def joint(rows: list[str], columns: list[str], side: str, bound: float, label: str, shared: str) -> Chart:
    """One of the three joint pictures of two columns over shared data. bound: the largest share, or difference."""
    names = [f"var(--heat-{i})" for i in range(CLASSES)]
    if side == "difference":
        colours: dict[str, Any] = {"type": "quantize", "domain": [-bound, bound], "range": names}
    else:  # steps that grow, so that a few large cells leave differences of the others visible
        steps = [bound * (i / SHADES) ** 2 for i in range(1, SHADES)]
        middle = CLASSES // 2
        shades = names[middle::-1] if side == "real" else names[middle:]
        colours = {"type": "threshold", "domain": steps, "range": shades}
    axis: dict[str, Any] = {"title": None, "ticks": False, "domain": False, "labelLimit": 130, "labelOverlap": False}
    tip = [
        {"field": "a", "title": "down"},
        {"field": "b", "title": "across"},
        *({"field": f, "title": f, "format": "+.2%" if f == "difference" else ".2%"} for f in HEATS),
    ]
    scale = {"padding": 0.04}
    encoding = {
        "x": {"field": "b", "type": "nominal", "sort": None, "scale": {**scale, "domain": columns}}
        | {"axis": {**axis, "labelAngle": -60}},
        "y": {"field": "a", "type": "nominal", "sort": None, "scale": {**scale, "domain": rows}, "axis": axis},
        "fill": {"field": side, "type": "quantitative", "scale": colours, "legend": None},
        "tooltip": tip,
    }
    table = [["a", "down"], ["b", "across"], *([f, f] for f in HEATS)]
    high = max(90, min(300, 30 * len(rows)))
    return {**chart([{"mark": "rect", "encoding": encoding}], {}, label, table, height=high), "data": shared}


def cells(rows: list[str], columns: list[str], found: dict[str, Any]) -> dict[str, list[Any]]:
    """The data of a joint picture, without cells that are empty on both sides. found: {real, synthetic}, the labels of
    `columns` varying fastest.
    """
    names = [(a, b) for a in rows for b in columns]
    held = [
        (a, b, r, s)
        for (a, b), r, s in zip(names, found["real"], found["synthetic"], strict=True)
        if r is None or r or s
    ]
    apart = [None if r is None else round(s - r, 4) for _, _, r, s in held]
    columns_ = zip(*held, strict=True) if held else ([], [], [], [])
    return {**{key: list(v) for key, v in zip(("a", "b", *HEATS), columns_)}, "difference": apart}
