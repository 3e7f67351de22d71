"""docs/benchmarks.md: a section per bench, each rewritten only when its bench ran; and the same tables on a
terminal.
"""

from __future__ import annotations

import os
import platform
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from synthcli import __version__

INTRO = """# Benchmarks

Written by `make bench`, which replaces a section when its benchmark runs again. Nothing here is quoted: every figure was measured by the command that its
section names, on the machine that it names. Benchmarks that were not run are not listed.
"""


@dataclass(frozen=True)
class Section:
    """What a bench has to say. about: Markdown before the table; table: Markdown, or nothing; after: notes."""

    title: str
    about: str
    table: str = ""
    after: str = ""

    def markdown(self) -> str:
        return "\n\n".join(part for part in (f"## {self.title}", self.about, self.table, self.after) if part) + "\n"


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, words to the left and figures to the right."""
    kinds = ["---" if any(re.search(r"[a-z]{2}", row[i]) for row in rows) else "--:" for i in range(len(head))]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, kinds, *rows))


def figure(value: float | None, decimals: int = 3) -> str:
    """A number, or nothing where there is none."""
    return "" if value is None or value != value else f"{value:,.{decimals}f}"


def machine() -> str:
    """What the figures were measured on."""
    return f"synthcli {__version__}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def merged(old: str, new: Sequence[Section]) -> str:
    """The document with these sections in the place of those of the same title; new ones at the end."""
    kept = re.split(r"^(?=## )", old, flags=re.MULTILINE)[1:]
    sections = {part.splitlines()[0].removeprefix("## ").strip(): part.rstrip() + "\n" for part in kept}
    sections |= {section.title: section.markdown() for section in new}
    return "\n".join([INTRO, *sections.values()])


def write(path: Path, sections: Sequence[Section]) -> None:
    """Replace these sections of the document on disk."""
    path.write_text(merged(path.read_text(encoding="utf-8") if path.exists() else "", sections), encoding="utf-8")
