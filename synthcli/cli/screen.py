"""Show a run in progress: bars on a terminal, plain lines in a pipe, nothing when quiet. All of it on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from synthcli.pipeline.events import Events

LINE_EVERY = 10.0  # seconds between plain lines of progress


@contextmanager
def watching(*, quiet: bool) -> Iterator[Events]:
    """Show the events of a run on this screen."""
    if quiet:
        yield Events()
    elif sys.stderr.isatty():
        with _Bars() as bars:
            yield bars
    else:
        yield _Lines()


def _clock(seconds: float) -> str:
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"


class _Pace:
    """The speed and the remaining time of a piece of work."""

    def __init__(self) -> None:
        self.label, self.started, self.first = "", 0.0, 0.0

    def left(self, label: str, done: float, total: float) -> tuple[float, float | None]:
        """Steps per second and seconds left; None while it is too early to tell."""
        if label != self.label or done < self.first:
            self.label, self.started, self.first = label, time.monotonic(), done
        spent, steps = time.monotonic() - self.started, done - self.first
        if spent < 0.5 or steps <= 0:
            return 0.0, None
        return steps / spent, (total - done) * spent / steps


class _Lines(Events):
    """One line per stage, and one every LINE_EVERY seconds of a long one."""

    def __init__(self) -> None:
        self.pace, self.spoke = _Pace(), time.monotonic()

    def begin(self, stage: str, detail: str = "") -> None:
        self.spoke = time.monotonic()
        print(f"{stage:<16} {detail}", file=sys.stderr, flush=True)

    def progress(self, label: str, done: float, total: float, note: str = "") -> None:
        rate, left = self.pace.left(label, done, total)
        if time.monotonic() - self.spoke >= LINE_EVERY and left is not None:
            self.spoke = time.monotonic()
            print(
                f"  {label} {done:,.0f}/{total:,.0f}, {rate:,.1f}/s, {_clock(left)} left {note}".rstrip(),
                file=sys.stderr,
                flush=True,
            )

    def end(self, stage: str, seconds: float, *, cached: bool, detail: str = "") -> None:
        how = "unchanged, kept" if cached else f"done in {seconds:.1f} s"
        print(f"{stage:<16} {how}{f' ({detail})' if detail else ''}", file=sys.stderr, flush=True)

    def note(self, text: str) -> None:
        print(f"note: {text}", file=sys.stderr, flush=True)


class _Bars(Events):
    """A line per finished stage, and a bar for the stage in progress."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.console = Console(stderr=True, highlight=False)
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description:<16}"),
            BarColumn(30),
            TextColumn("{task.fields[pace]}"),
            TimeElapsedColumn(),
        )
        self.bars = Progress(*columns, console=self.console, transient=True)
        self.task: Any = None
        self.pace = _Pace()

    def __enter__(self) -> _Bars:
        self.bars.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.bars.stop()

    def begin(self, stage: str, detail: str = "") -> None:
        self.pace = _Pace()
        self.task = self.bars.add_task(stage, total=None, pace=detail)

    def progress(self, label: str, done: float, total: float, note: str = "") -> None:
        if self.task is None:
            return
        rate, left = self.pace.left(label, done, total)
        pace = (
            f"{label} {done:,.0f}/{total:,.0f}"
            + (f"  {rate:,.1f}/s  {_clock(left)} left" if left is not None else "")
            + (f"  {note}" if note else "")
        )
        self.bars.update(self.task, completed=done, total=total or None, pace=pace)

    def end(self, stage: str, seconds: float, *, cached: bool, detail: str = "") -> None:
        if self.task is not None:
            self.bars.remove_task(self.task)
            self.task = None
        how = "[dim]unchanged, kept[/]" if cached else f"{seconds:6.1f} s"
        self.bars.console.print(f"[green]✓[/] {stage:<16} {how}  [dim]{detail}[/]")

    def note(self, text: str) -> None:
        self.bars.console.print("[yellow]![/] ", end="")
        self.bars.console.print(text, markup=False)
