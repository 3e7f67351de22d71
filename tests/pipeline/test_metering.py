"""Work is measured, and what runs well past its limits is stopped."""

from __future__ import annotations

import time

import numpy as np
import pytest

from synthcli.contracts.modelling import Limits
from synthcli.errors import LimitReached
from synthcli.pipeline import metering


def test_seconds_and_peak_are_measured() -> None:
    with metering.metered() as meter:
        block = np.ones(40_000_000)  # 320 MB
        time.sleep(0.2)
        del block
    assert 0.2 <= meter.seconds < 5
    assert meter.peak > 320e6


@pytest.mark.parametrize("limits", [Limits(minutes=0.001), Limits(memory_gb=0.01)])
def test_work_that_does_not_look_at_the_clock_is_stopped(limits: Limits, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metering, "GRACE_SECONDS", 0.1)
    give_up, ended_by_itself = time.monotonic() + 60, []

    def work() -> None:
        with metering.metered(limits):
            while time.monotonic() < give_up:
                sum(range(1000))
            ended_by_itself.append(True)

    with pytest.raises(LimitReached, match=r"generator\.limits\."):
        work()
    assert not ended_by_itself


def test_within_the_limits_nothing_happens() -> None:
    with metering.metered(Limits(minutes=1, memory_gb=500)) as meter:
        time.sleep(0.1)
    assert meter.seconds >= 0.1
