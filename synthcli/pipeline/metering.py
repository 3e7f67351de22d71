"""Measure time and memory of a piece of work, and enforce `generator.limits` on work that does not check them
itself.
"""

from __future__ import annotations

import _thread
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

import psutil

from synthcli.contracts.modelling import Limits
from synthcli.errors import LimitReached

PERIOD = 0.05  # seconds between memory readings
GRACE_SECONDS, GRACE_MEMORY = 10.0, 1.25  # allowance for work that stops by itself


@dataclass
class Meter:
    """Seconds of wall time and peak resident memory in bytes, complete once the work is done."""

    seconds: float = 0.0
    peak: int = 0


@contextmanager
def metered(limits: Limits | None = None) -> Iterator[Meter]:
    """Measure the body. With limits, a body that runs well past them is stopped with LimitReached (main thread
    only).
    """
    meter, done, process = Meter(), threading.Event(), psutil.Process()
    hard = _hard(limits) if limits is not None and threading.current_thread() is threading.main_thread() else None
    started = time.monotonic()

    def watch() -> None:
        while not done.wait(PERIOD):
            meter.peak = max(meter.peak, process.memory_info().rss)
            if hard is not None and not hard.fired and hard.over(time.monotonic() - started, meter.peak):
                hard.fired = True
                _thread.interrupt_main(signal.SIGALRM)

    meter.peak = process.memory_info().rss
    watcher = threading.Thread(target=watch, daemon=True)
    before = signal.signal(signal.SIGALRM, hard.stop) if hard is not None else None
    watcher.start()
    try:
        yield meter
    finally:
        done.set()
        watcher.join()
        if hard is not None:
            signal.signal(signal.SIGALRM, before)
        meter.seconds = time.monotonic() - started
        meter.peak = max(meter.peak, process.memory_info().rss)


class _Hard:
    """Limits with their allowance."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.fired, self.why = limits, False, ""

    def over(self, seconds: float, memory: int) -> bool:
        minutes, gigabytes = self.limits.minutes, self.limits.memory_gb
        if minutes is not None and seconds > minutes * 60 + max(GRACE_SECONDS, 6 * minutes):
            self.why = f"generator.limits.minutes: {minutes:g}"
        if gigabytes is not None and memory > gigabytes * GRACE_MEMORY * 2**30:
            self.why = f"generator.limits.memory_gb: {gigabytes:g}"
        return bool(self.why)

    def stop(self, number: int, frame: FrameType | None) -> None:
        raise LimitReached(
            f"{self.why} was reached before the fit had a usable model; remedy: a higher limit, a smaller"
            " source.max_rows or another method"
        )


def _hard(limits: Limits) -> _Hard | None:
    return _Hard(limits) if limits.minutes is not None or limits.memory_gb is not None else None
