"""How long a person waits before anything happens: the help, and the quickstart from an empty folder."""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from tests.benchmarks.harness import processes
from tests.benchmarks.harness.document import Section, figure, grid, machine

TITLE = "Start-up"
QUICKSTART = Path(__file__).parents[2] / "specs" / "quickstart.yaml"
TIMES = 5


def arguments(parser: argparse.ArgumentParser) -> None:
    """None of its own."""


def run(asked: argparse.Namespace) -> list[Section]:
    """Wall seconds and peak memory of two commands."""
    help_ = [processes.python(["-m", "synthcli", "--help"]) for _ in range(TIMES)]
    with tempfile.TemporaryDirectory() as scratch:
        quick = processes.python(["-m", "synthcli", "run", str(QUICKSTART), "--root", scratch])
    if quick.code not in (0, 4) or any(ran.code for ran in help_):
        raise SystemExit(f"--start: {quick.why}")
    rows = [
        [
            f"`synth --help` (median of {TIMES})",
            figure(statistics.median(r.seconds for r in help_), 2),
            figure(help_[0].peak / 2**20, 0),
        ],
        ["`synth run specs/quickstart.yaml`", figure(quick.seconds, 1), figure(quick.peak / 2**20, 0)],
    ]
    return [Section(TITLE, f"{machine()}.", grid(("command", "seconds", "peak MB"), rows))]
