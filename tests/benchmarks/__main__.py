"""`make bench`: start-up, the quickstart, and every method on built-in tables, in one run; prints one table, writes docs/benchmarks.md.

Options: --methods a,b  --tables a,b  --epochs N (for methods that count epochs; default 20)  --no-write
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

TOP = Path(__file__).parents[2]
SHOWN = ("column_shapes", "column_pair_trends", "detection_auc", "utility_ratio", "membership_auc", "dcr_share", "excess_copies")
COLUMNS = ("table", "method", "fit s", "rows/s", "peak MB", "shapes", "trends", "detection", "utility", "membership", "DCR share", "copies")


def seconds(words: list[str], times: int = 5) -> float:
    """Median wall seconds of a command."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def measure(table: str, method: str, epochs: int, folder: Path) -> list[str]:
    """One row: a run of a method on a built-in table in a process of its own."""
    from synthcli import plugins
    from synthcli.sources import builtin

    params = f"{{epochs: {epochs}}}" if "epochs" in plugins.method(method).Params.model_fields else "{}"
    spec = folder / f"{table}-{method}.yaml"
    spec.write_text(
        f"source: {{type: builtin, name: {table}}}\ngenerator: {{method: {method}, params: {params}}}\n"
        f"evaluate: {{target: {builtin.TARGETS[table]}, gates: []}}\nprivacy_check: {{gates: []}}\nrefine: {{max_rounds: 1}}\n"
    )
    import json

    said = subprocess.run(
        [sys.executable, "-m", "synthcli", "run", str(spec), "--root", str(folder), "--json", "-q"], capture_output=True, text=True, check=False
    )
    if said.returncode:
        return [table, method, *["failed"] * (len(COLUMNS) - 2)]
    m: dict[str, Any] = json.loads(said.stdout)["measurements"]
    figures = [f"{m[name]:.3f}" if m.get(name) is not None else "" for name in SHOWN]
    return [table, method, f"{m['fit_seconds']:.1f}", f"{m['rows_per_second'] or 0:,.0f}", f"{m['peak_memory_mb']:,.0f}", *figures]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--methods", default="")
    parser.add_argument("--tables", default="rand_health,affairs,breast_cancer")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--no-write", action="store_true")
    asked = parser.parse_args()
    from synthcli import plugins

    methods = asked.methods.split(",") if asked.methods else [m for m in plugins.names("methods") if plugins.method(m).NEEDS_DATA]
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        os.environ["SYNTH_STATE"] = str(folder / "state")
        help_seconds = seconds([sys.executable, "-m", "synthcli", "--help"])
        quickstart = seconds([sys.executable, "-m", "synthcli", "run", str(TOP / "specs/quickstart.yaml"), "--root", str(folder)], times=1)
        rows = [measure(table, method, asked.epochs, folder) for table in asked.tables.split(",") for method in methods]
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}"
    head = f"synth --help: {help_seconds:.2f} s (median of 5)   specs/quickstart.yaml: {quickstart:.1f} s   {machine}"
    shown = Table(*COLUMNS, box=None)
    for row in rows:
        shown.add_row(*row)
    console = Console(width=160)
    console.print(head)
    console.print(shown)
    if not asked.no_write:
        lines = ["| " + " | ".join(cells) + " |" for cells in (COLUMNS, ["---"] * len(COLUMNS), *rows)]
        text = f"# Benchmarks\n\nWritten by `make bench` in one run; nothing here is quoted. Networks were given {asked.epochs} epochs.\n\n{head}\n\n"
        (TOP / "docs/benchmarks.md").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
