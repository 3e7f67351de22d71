"""A program in a process of its own: what it printed, how long it took, and the most memory that it and its children
held.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass

import psutil

PERIOD = 0.1  # seconds between looks at memory


@dataclass(frozen=True)
class Ran:
    """code: None where it was stopped for taking longer than it may. peak: bytes of resident memory, summed over the
    process and its children.
    """

    code: int | None
    seconds: float
    peak: int
    out: str
    err: str

    @property
    def why(self) -> str:
        """The last thing it said, for one that failed."""
        if self.code is None:
            return f"stopped after {self.seconds / 60:.0f} minutes"
        lines = [line for line in self.err.strip().splitlines() if line.strip()]
        return lines[-1].strip()[:200] if lines else f"exit code {self.code}"


def run(words: Sequence[str], *, minutes: float | None = None) -> Ran:
    """Run to the end, or for so many minutes."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        started = time.perf_counter()
        process = subprocess.Popen(list(words), stdout=out, stderr=err, stdin=subprocess.DEVNULL)
        peaks, done = [0], threading.Event()
        watcher = threading.Thread(target=_watch, args=(process.pid, peaks, done), daemon=True)
        watcher.start()
        try:
            code: int | None = process.wait(None if minutes is None else minutes * 60)
        except subprocess.TimeoutExpired:
            code = None
        except BaseException:
            _stop(process)
            raise
        seconds = time.perf_counter() - started
        if code is None:
            _stop(process)
        done.set()
        watcher.join()
        out.seek(0)
        err.seek(0)
        return Ran(code, seconds, peaks[0], out.read(), err.read())


def python(words: Sequence[str], *, minutes: float | None = None) -> Ran:
    """The same for words after this interpreter."""
    return run([sys.executable, *words], minutes=minutes)


def _family(pid: int) -> list[psutil.Process]:
    try:
        own = psutil.Process(pid)
        return [own, *own.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _watch(pid: int, peaks: list[int], done: threading.Event) -> None:
    while True:
        held = 0
        for process in _family(pid):
            try:
                held += process.memory_info().rss
            except psutil.NoSuchProcess:  # it ended between the two looks
                continue
        peaks[0] = max(peaks[0], held)
        if done.wait(PERIOD):
            return


def _stop(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    for each in reversed(_family(process.pid)):
        try:
            each.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
