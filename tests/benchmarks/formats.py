"""How often the type and the spelling of text columns are told: python -m tests.benchmarks.formats. Writes the table of
docs/formats.md.

Options: --no-write
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from synthcli.columns.spelling import unread
from tests.columns.spelling import corpus, held_out, later, measuring

DOCS = Path(__file__).parents[2] / "docs/formats.md"
START, END = "<!-- measured: written by python -m tests.benchmarks.formats -->", "<!-- end of measured -->"
SOURCES = {"csv": "csv", "jsonl": "jsonl", "parquet": "Parquet strings", "excel": "Excel text", "sql": "SQL text"}
HEAD = ("spellings", "source", "columns", "recall", "precision", "written alike", "words kept", "asked about")


def measured(cells: dict[str, corpus.Cell], kinds: Mapping[str, str], source: str, folder: Path) -> list[str]:
    """The figures of one set of spellings in one source, and what failed."""
    back = measuring.there_and_back(source, folder, corpus.columns(cells))
    found = {name: corpus.kind_of(back.schema[name].kind) for name in cells}
    typed = [name for name in cells if kinds[name] != "words"]
    right = [name for name in typed if found[name] == kinds[name]]
    taken = [name for name in cells if found[name] != "words"]
    alike = [n for n in right if back.same_values(n) and back.distance(n) < measuring.CLOSE]
    words = [name for name in cells if kinds[name] == "words"]
    kept = [name for name in words if found[name] == "words"]
    asked = [n for n in typed if found[n] == "words" and unread.of_column(back.schema[n]) is not None]
    for name in cells:
        if found[name] != kinds[name] or (name in right and name not in alike):
            print(f"  {source}: {name}: {found[name]}, {back.cells[name][1]} -> {back.again[name][1]}")
    missed = len(typed) - len(right)
    shares = [
        f"{len(right)} of {len(typed)} ({len(right) / len(typed):.1%})",
        f"{sum(found[n] == kinds[n] for n in taken)} of {len(taken)}",
        f"{len(alike)} of {len(right)}",
        f"{len(kept)} of {len(words)}",
        f"{len(asked)} of {missed}" if missed else "–",
    ]
    return [str(len(cells)), *shares]


def table() -> Iterator[str]:
    """The lines of the table."""
    yield "| " + " | ".join(HEAD) + " |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for title, module in (("in the tests", corpus), ("later", later), ("held out", held_out)):
        for source, shown in SOURCES.items():
            with tempfile.TemporaryDirectory(prefix="synth-") as folder:
                figures = measured(module.CELLS, module.KINDS, source, Path(folder))
            yield "| " + " | ".join([title, shown, *figures]) + " |"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--no-write", action="store_true")
    asked = parser.parse_args()
    text = "\n".join(table())
    print(text)
    if not asked.no_write:
        before, _, rest = DOCS.read_text().partition(START)
        after = rest.partition(END)[2]
        DOCS.write_text(f"{before}{START}\n\n{text}\n\n{END}{after}")


if __name__ == "__main__":
    main()
