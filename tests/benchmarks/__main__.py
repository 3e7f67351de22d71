"""`make bench`: benches in one run each, one table each, on the terminal and in docs/benchmarks.md.

A bench is a module of this folder with TITLE, `arguments(parser)` and `run(asked) -> list[Section]`; --NAME runs it.
Without any: start and compare.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType

from rich.console import Console
from rich.markdown import Markdown

from tests.benchmarks.harness import document

PAGE = Path(__file__).parents[2] / "docs" / "benchmarks.md"
USUAL = ("start", "compare")


def benches() -> dict[str, ModuleType]:
    """The benches that are there, by name."""
    names = [m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if not m.ispkg and m.name != "__main__"]
    modules = {name: importlib.import_module(f"tests.benchmarks.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "TITLE") and hasattr(module, "run")}


def parse(words: list[str], there: dict[str, ModuleType]) -> argparse.Namespace:
    """The options of all benches; `benches`: which ones to run."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--all", action="store_true", help="every bench")
    parser.add_argument("--no-write", action="store_true", help=f"leave {PAGE.name} as it is")
    for name, module in there.items():
        group = parser.add_argument_group(name, (module.__doc__ or "").splitlines()[0])
        group.add_argument(f"--{name}", dest="benches", action="append_const", const=name, help="run this bench")
        if hasattr(module, "arguments"):
            module.arguments(group)
    asked = parser.parse_args(words)
    asked.benches = list(there) if asked.all else asked.benches or [name for name in USUAL if name in there]
    return asked


def main() -> None:
    """Run what was asked for; each section is written as soon as its bench is through."""
    there = benches()
    asked = parse(sys.argv[1:], there)
    console = Console(width=170)
    with tempfile.TemporaryDirectory() as state:
        os.environ["SYNTH_STATE"] = state
        for name in asked.benches:
            sections = there[name].run(asked)
            for section in sections:
                console.print(Markdown(section.markdown()))
            if not asked.no_write:
                document.write(PAGE, sections)


if __name__ == "__main__":
    main()
