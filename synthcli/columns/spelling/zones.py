"""The time zone that has the offsets of some moments, winter and summer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from synthcli.columns.words import listed

NAMES = listed("""
    Europe/Berlin Europe/London Europe/Athens Europe/Lisbon America/New_York America/Chicago America/Denver
    America/Los_Angeles America/Halifax America/Anchorage America/St_Johns America/Santiago Australia/Sydney
    Australia/Adelaide Pacific/Auckland Asia/Jerusalem Africa/Cairo
    """)
LEAST = 10  # distinct moments that tell a zone


def of_offsets(moments: pd.Series, offsets: Sequence[str]) -> str | None:
    """The name of a zone in which every moment has its offset, such as +02:00; None if there is none. moments: in
    UTC.
    """
    if len(moments) < LEAST:
        return None
    want = np.array([_minutes(offset) for offset in offsets])
    utc = moments.dt.tz_convert("UTC").dt.tz_localize(None)
    for name in NAMES:
        some = moments.iloc[:50]
        if (_shift(some, utc.iloc[:50], name) == want[:50]).all() and (_shift(moments, utc, name) == want).all():
            return name
    return None


def _minutes(offset: str) -> int:
    hours, minutes = int(offset[1:3]), int(offset[4:6])
    return (-1 if offset[0] == "-" else 1) * (60 * hours + minutes)


def _shift(moments: pd.Series, utc: pd.Series, name: str) -> np.ndarray:
    local = moments.dt.tz_convert(name).dt.tz_localize(None)
    return np.asarray((local - utc).dt.total_seconds() / 60)
