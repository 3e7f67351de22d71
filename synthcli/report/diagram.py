"""The layout of the diagram of related tables: parents above their children, as plain numbers for a drawing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

BOX, HIGH, ACROSS, DOWN, EDGE = 172, 62, 30, 74, 8  # pixels: width and height of a box, room between boxes, around them
Link = tuple[str, str]  # child, parent


def levels(names: Sequence[str], links: Sequence[Link]) -> dict[str, int]:
    """The level of each table: below all its parents; a table without parents right above its first child. Cycles are
    cut where they close.
    """
    depth = dict.fromkeys(names, 0)
    for _ in names:  # a longest path has no more steps than there are tables
        moved = {c: max(depth[c], depth[p] + 1) for c, p in links if c != p and depth[p] + 1 > depth[c]}
        if not moved or max(moved.values()) >= len(names):
            break
        depth |= moved
    for name in names:
        below = [depth[c] for c, p in links if p == name and c != name]
        if below and not any(c == name and p != name for c, p in links):
            depth[name] = max(min(below) - 1, 0)
    first = min(depth.values(), default=0)
    return {name: d - first for name, d in depth.items()}


def layout(names: Sequence[str], links: Sequence[Link]) -> dict[str, Any]:
    """{width, height, boxes: {name: {x, y}}, lines: [{path, foot, x, y}]}; x, y of a line: the position of its label;
    lines as links are.
    """
    depth = levels(names, links)
    rows = [[n for n in names if depth[n] == level] for level in range(max(depth.values(), default=0) + 1)]
    for _ in range(3):
        for i, row in enumerate(rows):
            rows[i] = sorted(row, key=lambda name: _pull(name, links, rows))
    widest = max((len(row) for row in rows), default=1)
    width = widest * BOX + (widest - 1) * ACROSS + 2 * EDGE
    boxes = {}
    for level, row in enumerate(rows):
        left = (width - len(row) * BOX - (len(row) - 1) * ACROSS) / 2
        for i, name in enumerate(row):
            boxes[name] = {"x": left + i * (BOX + ACROSS), "y": EDGE + level * (HIGH + DOWN)}
    loops = 26 if any(c == p for c, p in links) else 0
    return {
        "width": width + 2 * loops,
        "height": 2 * EDGE + len(rows) * HIGH + (len(rows) - 1) * DOWN,
        "box": BOX,
        "high": HIGH,
        "boxes": boxes,
        "lines": _lines(boxes, links),
    }


def _pull(name: str, links: Sequence[Link], rows: list[list[str]]) -> float:
    """The preferred position of a table in its row by the positions of its neighbours, from -1 to 1."""
    place = {n: (2 * i + 1) / len(row) - 1 for row in rows for i, n in enumerate(row)}
    near = [place[b if a == name else a] for a, b in links if name in (a, b) and a != b]
    return sum(near) / len(near) if near else place[name]


def _lines(boxes: Mapping[str, Any], links: Sequence[Link]) -> list[dict[str, Any]]:
    """A curve from the bottom of each parent to the top of its child, where a crow's foot shows that there may be
    many.
    """
    out = []
    for i, (child, parent) in enumerate(links):
        below, above = boxes[child], boxes[parent]
        if child == parent:
            x, y = below["x"] + BOX, below["y"] + HIGH / 2
            path = f"M{x:g} {y - 14:g} C{x + 34:g} {y - 20:g} {x + 34:g} {y + 20:g} {x:g} {y + 14:g}"
            out.append({"path": path, "foot": "", "x": x - 30, "y": y + 46})
            continue
        leave = _port(
            above["x"], i, _sorted([j for j, (c, p) in enumerate(links) if p == parent and c != p], 0, links, boxes)
        )
        enter = _port(
            below["x"], i, _sorted([j for j, (c, p) in enumerate(links) if c == child and c != p], 1, links, boxes)
        )
        y1, y2 = above["y"] + HIGH, below["y"]
        middle = (y1 + y2) / 2
        path = f"M{leave:g} {y1:g} C{leave:g} {y1 + 18:g} {enter:g} {y2 - 28:g} {enter:g} {y2:g}"
        foot = f"M{enter - 7:g} {y2:g} L{enter:g} {y2 - 10:g} L{enter + 7:g} {y2:g}"
        label = min(middle, y1 + DOWN / 2)  # in the first gap, where no box lies over it
        out.append(
            {"path": path, "foot": foot, "x": leave + (enter - leave) * (label - y1) / (y2 - y1), "y": label + 4}
        )
    return out


def _sorted(some: list[int], end: int, links: Sequence[Link], boxes: Mapping[str, Any]) -> list[int]:
    """Lines of one box sorted by their other ends, so that they do not cross right away. end: 0 for children, 1 for
    parents.
    """
    return sorted(some, key=lambda j: float(boxes[links[j][end]]["x"]))


def _port(left: float, mine: int, all_: list[int]) -> float:
    """The point where one of several lines meets its box."""
    return left + BOX * (all_.index(mine) + 1) / (len(all_) + 1)
