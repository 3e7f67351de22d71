"""The drawing of the rooms in docs/contributing.md, made from the imports. `make house` writes it; a test compares it."""

from __future__ import annotations

import ast
from pathlib import Path

TOP = Path(__file__).parents[2]
PAGE = TOP / "docs" / "contributing.md"
BEGIN, END = "<!-- house: written by `make house` -->", "<!-- end of house -->"


def rooms() -> dict[str, list[Path]]:
    """Room -> its files: a folder below the package, or a file beside the folders."""
    found: dict[str, list[Path]] = {}
    package = TOP / "synthcli"
    for path in sorted(package.rglob("*.py")):
        room = path.relative_to(package).parts[0].removesuffix(".py")
        if room not in ("__init__", "__main__"):
            found.setdefault(room, []).append(path)
    return found


def imported(path: Path) -> set[str]:
    """The rooms that a file imports, anywhere in its text."""
    out = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("synthcli"):
            parts = str(node.module).split(".")
            out |= {parts[1]} if len(parts) > 1 else {alias.name for alias in node.names}
    return out


def arrows() -> dict[str, set[str]]:
    """Room -> the rooms that it imports."""
    found = rooms()
    every = {room: set().union(*(imported(path) for path in paths)) for room, paths in found.items()}
    return {room: {other for other in others if other in found and other != room} for room, others in every.items()}


def reduced(graph: dict[str, set[str]]) -> dict[str, set[str]]:
    """Without arrows that a longer way implies, so that the drawing can be read."""

    def reach(room: str) -> set[str]:
        return graph[room] | set().union(*(reach(other) for other in graph[room]))

    return {room: others - set().union(*(reach(other) for other in others)) for room, others in graph.items()}


def drawing() -> str:
    """The block of the page: a diagram, and a line per room."""
    graph, files = arrows(), rooms()
    few = reduced(graph)
    depth: dict[str, int] = {}

    def level(room: str) -> int:
        if room not in depth:
            depth[room] = 1 + max((level(other) for other in graph[room]), default=0)
        return depth[room]

    order = sorted(graph, key=lambda room: (-level(room), room))
    lines = ["```mermaid", "graph TD"]
    lines += [f"    {room} --> {other}" for room in order for other in sorted(few[room])]
    lines += ["```", "", "| level | room | modules | imports |", "|--:|---|--:|---|"]
    for room in order:
        uses = ", ".join(sorted(graph[room], key=lambda other: (-depth[other], other)))
        lines.append(f"| {depth[room]} | `{room}` | {len(files[room])} | {uses or '–'} |")
    return "\n".join(lines)


def page() -> str:
    """The whole page with the drawing of today."""
    text = PAGE.read_text(encoding="utf-8")
    before, after = text.split(BEGIN)[0], text.split(END)[1]
    return f"{before}{BEGIN}\n\n{drawing()}\n\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
