"""The sections of a page about related tables: the diagram, figures of all tables side by side, each relationship."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from synthcli.artifacts.store import PRIVACY
from synthcli.report import charts, one_table, words
from synthcli.report.diagram import layout
from synthcli.report.reading import Body, Drawn, judged, known, line, of_table, put, reference, tables
from synthcli.wording import quantity

SIDE_BY_SIDE = ("column_shapes", "column_pair_trends", "detection_auc")
WORST = 10  # pairs of a relationship in its table


def structure(run: Body) -> Body | None:
    """The diagram: boxes of tables with their rows, lines of relationships with the children per parent. None for a run
    of one table.
    """
    names = tables(run)
    if not names:
        return None
    links = _links(run)
    place = layout(names, [(c, p) for c, p, _ in links])
    boxes = [{"name": name, "short": _cut(name), **place["boxes"][name], **_box(run, name)} for name in names]
    lines = [
        {**one, "label": _mean_children(run, i, c, p)}
        for i, (one, (c, p, _)) in enumerate(zip(place["lines"], links, strict=True))
    ]
    shown: list[Body] = []
    for one in lines:  # where labels would overlap only the first is shown; each distribution shows its own
        if any(
            abs(one["x"] - o["x"]) < 3.4 * len(one["label"] + o["label"]) + 8 and abs(one["y"] - o["y"]) < 16
            for o in shown
        ):
            one["label"] = ""
        else:
            shown.append(one)
    described = "; ".join(f"{c} belong to {p}" for c, p, _ in links)
    return {
        **place,
        "boxes": boxes,
        "lines": lines,
        "label": f"Diagram of {quantity(len(names), 'table')}: {described or 'no relationship between them'}",
    }


def _links(run: Body) -> list[tuple[str, str, str]]:
    """Child, parent and name of each relationship."""
    names = [r["name"] for r in run["profile"].get("relationships", [])]
    declared = run["plan"].get("source", {}).get("relationships", [])
    table = lambda end: (end if isinstance(end, str) else end[0]).partition(".")[0]  # noqa: E731
    return [(table(r["from"]), table(r["to"]), name) for r, name in zip(declared, names)]


def _drawn(run: Body) -> dict[str, Body]:
    return {r["name"]: r for r in run["pictures"].get("relationships", [])}


def _box(run: Body, name: str) -> Body:
    """A table's rows, and its role for the people in it."""
    profile = run["profile"]["tables"][name]
    unit = run["profile"].get("unit") or [None]
    kept, shared = profile.get("kept"), profile.get("in_every_part")
    role = "kept" if kept else "unit" if name == unit[0] else "shared" if shared else ""
    says = {"kept": "public, output unchanged", "unit": "privacy unit", "shared": "not personal", "": ""}[role]
    generated = run["sample"].get("tables", {}).get(name)
    return {
        "role": role,
        "says": says,
        "real": f"{profile['rows']:,}",
        "made": "" if generated is None else f"{generated:,}",
    }


def _mean_children(run: Body, i: int, child: str, parent: str) -> str:
    """The mean number of child rows per parent row: in the source, and in the synthetic tables."""
    rows = {name: one["rows"] for name, one in run["profile"]["tables"].items()}
    nulls = run["profile"]["relationships"][i]["null_share"]
    generated = list(_drawn(run).values())[i]["mean"] if _drawn(run) else None
    means = [rows[child] * (1 - nulls) / rows[parent] if rows[parent] else None, generated]
    return " → ".join(words.figure(float(f"{m:.3g}")) for m in means if m is not None)


def _cut(text: str, most: int = 16) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def each_table(run: Body, drawn: Drawn, datasets: Body) -> list[Body]:
    """For each table its place on the page, its figures, and the sections of a page of this table alone."""
    out = []
    for i, name in enumerate(tables(run)):
        part = of_table(run, name, f"t{i}-")
        seen = part["pictures"]["columns"]
        figures = {
            m["name"]: line(m, run["help"])
            for m in part["measured"]
            if m.get("scope") == "overall" and m["value"] is not None
        }
        out.append(
            {
                "id": f"table-{i}",
                "name": name,
                **_box(run, name),
                "columns": len(run["profile"]["tables"][name]["schema"]["columns"]),
                "figures": [figures[n] for n in SIDE_BY_SIDE if n in figures],
                "view": one_table.view(part, drawn, datasets) if seen else None,
            }
        )
    return out


def attacked(run: Body, drawn: Drawn) -> list[Body]:
    """A chart for each attack with a gate."""
    gated = {g["metric"] for g in judged(run)}
    found = dict.fromkeys(m["name"] for m in run["measured"] if m["stage"] == PRIVACY and m.get("scope") == "table")
    return side_by_side(run, drawn, [name for name in found if name in gated] or list(found))


def side_by_side(run: Body, drawn: Drawn, names: Sequence[str] = SIDE_BY_SIDE) -> list[Body]:
    """A chart for each figure: the value of every table, and the value that real data gets."""
    out = []
    for name in names:
        found = known(run["measured"], name, "table")
        if len(found) < 2:
            continue
        rows = []
        for table, m in found.items():
            real = reference(m)
            rows += [] if real is None else [{"name": table, "side": "real", "value": real, "low": real, "high": real}]
            rows.append({"name": table, "side": "synthetic", **{k: m.get(k) for k in ("value", "low", "high")}})
        half = 0.5 if name.endswith("_auc") or next(iter(found.values())).get("better") == "half" else None
        chart = charts.ranges(rows, name, f"{name} of each table, compared with real data", mark=half)
        out.append(
            {
                "name": name,
                "help": run["help"].get(name, {}).get("help", ""),
                "chart": put(drawn, f"tables-{name}", chart),
            }
        )
    return out


def each_relationship(run: Body, drawn: Drawn, datasets: Body) -> list[Body]:
    """For each relationship its numbers of children, and the associations between columns of parents and children."""
    found = _drawn(run)
    return [
        _relationship(i, c, p, name, found.get(name), run, drawn, datasets)
        for i, (c, p, name) in enumerate(_links(run))
    ]


def _relationship(
    i: int, child: str, parent: str, name: str, seen: Body | None, run: Body, drawn: Drawn, datasets: Body
) -> Body:
    measured: dict[str, Body] = {}
    for gauge in ("cardinality_shape", "referential_integrity", "key_uniqueness"):
        if (m := known(run["measured"], gauge, "relationship").get(name)) is not None:
            measured[gauge] = line(m, run["help"])
    trends, siblings = (_pairs(run, gauge, name) for gauge in ("parent_child_trend", "sibling_trend"))
    chart, maps = None, []
    if seen is not None:
        if seen["children"] is not None:
            label = f"Number of {child} per row of {parent}, real and synthetic"
            chart = put(
                drawn,
                f"children-{i}",
                charts.histogram(seen["children"], "integer", label, f"{child} per row of {parent}"),
            )
        if seen["trends"]:
            maps = _maps(i, child, parent, seen["trends"], drawn, datasets)
    worst = sorted(trends, key=lambda m: m["value"])[:WORST]
    return {
        "id": f"relationship-{i}",
        "name": name,
        "drawn": seen is not None,
        "child": child,
        "parent": parent,
        "chart": chart,
        "maps": maps,
        "measured": measured,
        "thinned": bool(seen and seen["thinned"]),
        "mean": _mean_children(run, i, child, parent),
        "without": {}
        if seen is None
        else {k: "few" if v is None else words.percent(v) for k, v in seen["without"].items()},
        "trend": _mean(trends),
        "siblings": _mean(siblings),
        "nulls": run["profile"]["relationships"][i]["null_share"],
        "times": run["profile"].get("times", {}).get(name, []),
        "worst": [
            line(m, run["help"], joint=None) | {"of": _pair(m["of"].removeprefix(f"{name}: "), child, parent)}
            for m in worst
        ],
    }


def _pair(of: str, child: str, parent: str) -> str:
    """`parent.x × child.y`, by the names of the tables."""
    up, _, low = of.removeprefix("parent.").partition(" × child.")
    return f"{f'number of {child}' if up == '#' else f'{parent}.{up}'} × {child}.{low}"


def _pairs(run: Body, gauge: str, name: str) -> list[Body]:
    """Measurements of pairs of columns of one relationship."""
    return [m for of, m in known(run["measured"], gauge, "pair").items() if of.startswith(f"{name}: ")]


def _mean(some: list[Body]) -> Body | None:
    """The mean agreement of pairs, and the value that real data gets."""
    if not some:
        return None
    floors: list[Any] = [m["floor"] for m in some if m.get("floor") is not None]
    return {
        "value": words.number(fmean(m["value"] for m in some)),
        "real": words.number(fmean(floors)) if floors else "",
        "pairs": len(some),
    }


def _maps(i: int, child: str, parent: str, found: Body, drawn: Drawn, datasets: Body) -> list[Body]:
    shared, titles = f"across-{i}", (parent, child)
    datasets[shared] = charts.across(found)
    make = lambda side, bound, label: charts.heat(found["rows"], found["columns"], side, bound, label, shared, titles)  # noqa: E731
    return one_table.heats(drawn, shared, found, make, f"columns of {parent} (down) and of {child} (across)")
