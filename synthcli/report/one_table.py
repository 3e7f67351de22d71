"""The sections of a page about one table: a card for each column, pairs of columns, the detector."""

from __future__ import annotations

from typing import Any

from synthcli.report import charts, ends, words
from synthcli.report.reading import Body, Drawn, known, line, overall, put

PAIRS, TELLING = 15, 12  # pairs in the table, columns in a chart of the detector
MANY = 14  # columns of a heat map that is drawn large
_DRAWN = frozenset({"integer", "float", "datetime", "timedelta", "boolean", "category"})


def view(part: Body, drawn: Drawn, datasets: Body) -> Body:
    """{mark, few, columns, sample, pairs, detector} of a table; its charts go into `drawn`, data that several charts
    share into `datasets`.
    """
    return {
        "mark": part["mark"],
        "few": part["pictures"].get("few"),
        "columns": _columns(part, drawn),
        "sample": part["pictures"].get("sample"),
        "pairs": _pairs(part, drawn, datasets),
        "detector": _detector(part, drawn),
    }


def _columns(part: Body, drawn: Drawn) -> list[Body]:
    """A card for each column, worst first; made-up columns last."""
    shapes = known(part["measured"], "column_shapes", "column")
    out = []
    for i, picture in enumerate(part["pictures"]["columns"]):
        name, shape = picture["name"], shapes.get(picture["name"])
        score = None if shape is None else shape["value"]
        score_text = f", shapes agree to {words.percent(score)}" if score is not None else ""
        of = f" of {part['name']}" if part["name"] else ""
        chart = put(
            drawn,
            f"{part['mark']}column-{i}",
            charts.column(picture, f"Distribution of {name}{of}, real and synthetic{score_text}"),
        )
        note = (
            _others(picture)
            if chart
            else (
                "too few values to draw" if picture["kind"] in _DRAWN else "made up, never learned: no values are shown"
            )
        )
        out.append(
            {
                "id": f"{part['mark']}column-{i}",
                "place": i,
                "name": name,
                "kind": picture["kind"],
                "chart": chart,
                "note": note,
                "ends": ends.of_column(part["clipped"].get(name)),
                "score": score,
                "real": None if shape is None else shape.get("floor"),
                "nulls": picture["nulls"],
            }
        )
    return sorted(out, key=lambda c: (c["score"] is None, c["score"] or 0.0, c["place"]))


def _others(picture: Body) -> str:
    """The values of a category that its chart has no bar for."""
    found = picture.get("categories")
    if not found or not charts.dwarfing(found):
        return ""
    rest = found["others"]
    shares = " → ".join(words.percent(rest[side]) for side in ("real", "synthetic") if side in rest)
    return f"… and {words.quantity(rest['values'], 'other value')} with {shares} of the rows together"


def _pairs(part: Body, drawn: Drawn, datasets: Body) -> Body | None:
    """The three heat maps, and the pairs with the lowest agreement."""
    found = part["pictures"].get("pairs")
    worst = sorted(known(part["measured"], "column_pair_trends", "pair").values(), key=lambda m: m["value"])[:PAIRS]
    if found is None and not worst:
        return None
    maps: list[Body] = []
    if found is not None:
        shared = f"{part['mark']}pairs"
        datasets[shared] = charts.pairs(found)
        of = f" of {part['name']}" if part["name"] else ""
        maps = heats(
            drawn,
            shared,
            found,
            lambda side, bound, label: charts.heat(found["names"], found["names"], side, bound, label, shared),
            f"columns{of}",
        )
    joint = _joint(part, drawn, datasets)
    ids = {name: j["id"] for j in joint for name in (j["name"], f"{j['b']} × {j['a']}")}
    return {
        "maps": maps,
        "joint": joint,
        "mark": part["mark"],
        "shown": len(found["names"]) if found else 0,
        "of": found["of"] if found else 0,
        "worst": [line(m, part["help"], joint=ids.get(m["of"])) for m in worst],
    }


def _joint(part: Body, drawn: Drawn, datasets: Body) -> list[Body]:
    """The joint pictures of the pairs that have one: {id, a, b, name}; their charts are id-real, id-synthetic and
    id-difference.
    """
    found = part["pictures"].get("joint") or {"pairs": []}
    out: list[Body] = []
    for i, pair in enumerate(found["pairs"]):
        id_, down, across = f"{part['mark']}joint-{i}", found["axes"][pair["a"]], found["axes"][pair["b"]]
        datasets[id_] = charts.cells(down["labels"], across["labels"], pair)
        largest = max(v for side in ("real", "synthetic") for v in pair[side] if v is not None)
        apart = max((abs(v) for v in datasets[id_]["difference"] if v is not None), default=0.0)
        rows = down["labels"][::-1] if down["ordered"] else down["labels"]
        for side in charts.HEATS:
            label = f"Shares of rows by {pair['a']} (down) and {pair['b']} (across): {side}"
            bound = max(apart, 0.001) if side == "difference" else largest
            put(drawn, f"{id_}-{side}", charts.joint(rows, across["labels"], side, bound, label, id_))
        out.append({"id": id_, "a": pair["a"], "b": pair["b"], "name": f"{pair['a']} × {pair['b']}"})
    return out


def heats(drawn: Drawn, mark: str, found: Body, make: Any, what: str) -> list[Body]:
    """Real, synthetic, difference. found: values of both; make: (side, bound, label) -> chart; what: the columns."""
    apart = [
        abs(s - r) for r, s in zip(found["real"], found["synthetic"], strict=True) if r is not None and s is not None
    ]
    widest = max(0.1, max(apart, default=0.0))
    out: list[Body] = []
    wide = len(found.get("columns") or found["names"]) > MANY
    for side, title in (("real", "Real"), ("synthetic", "Synthetic"), ("difference", "Difference")):
        bound = widest if side == "difference" else 1.0
        label = f"Associations between {what}, {title.lower()}; the pairs that differ most are listed in the table"
        out.append(
            {
                "title": title,
                "wide": wide,
                "bound": words.number(round(bound, 2)),
                "chart": put(drawn, f"{mark}-{side}", make(side, bound, label)),
            }
        )
    return out


def _detector(part: Body, drawn: Drawn) -> Body | None:
    """How well the detector recognises synthetic rows: by all columns, and by each."""
    found, alone = part["pictures"].get("detector"), list(known(part["measured"], "detection_auc", "column").values())
    figure = overall(part["measured"]).get("detection_auc")
    if figure is None:
        return None
    together = single = None
    lead = [c for c in found["columns"] if c["drop"] > 0][:TELLING] if found is not None else []
    if lead:
        label = f"Columns that the detector relies on: {', '.join(c['name'] for c in lead[:3])} first"
        bars = charts.bars(
            [c["name"] for c in lead], [c["drop"] for c in lead], "AUC lost when the column is shuffled", label
        )
        together = put(drawn, f"{part['mark']}detector", bars)
    if alone:
        lead = sorted(alone, key=lambda m: -m["value"])[:TELLING]
        rows = [{"name": m["of"], "side": "synthetic", **{k: m.get(k) for k in ("value", "low", "high")}} for m in lead]
        ranges = charts.ranges(rows, "AUC by this column alone", "AUC of the detector by single columns", mark=0.5)
        single = put(drawn, f"{part['mark']}alone", ranges)
    return {**line(figure, part["help"]), "together": together, "alone": single}
