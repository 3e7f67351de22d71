"""Format figures and bounds for people, the same on a terminal and on a page."""

from __future__ import annotations

import re
import time
from typing import Any

from synthcli.wording import quantity


def number(value: Any) -> str:
    """A figure with as many digits as a person reads; empty for None."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) < 1e-9:  # a rounding error instead of zero
        return "0"
    return f"{value:.4f}".rstrip("0").rstrip(".") if abs(value) >= 0.001 else f"{value:.2g}"


def figure(value: float | None, *, signed: bool = False) -> str:
    """A figure of the data itself, on any scale: four significant digits; empty for None."""
    if not value:
        return "" if value is None else "0"
    return f"{value:{'+' if signed else ''},.4g}" if abs(value) < 1e4 else f"{value:{'+' if signed else ''},.0f}"


def percent(value: float | None, digits: int = 1) -> str:
    """A share in percent; empty for None."""
    if value is None:
        return ""
    least = 10.0 ** -(digits + 2)
    return f"< {least:.{digits}%}" if 0 < value < least / 2 else f"{value:.{digits}%}"


def interval(measured: dict[str, Any]) -> str:
    """Both ends of a measurement's interval; empty where it has none, or is exact."""
    low, high = measured.get("low"), measured.get("high")
    return (
        "" if low is None or high is None or low == high == measured.get("value") else f"{number(low)} – {number(high)}"
    )


def bounds(gate: dict[str, Any]) -> str:
    """The bounds of a gate."""
    parts = [f"{sign} {gate[key]:g}" for key, sign in (("min", "≥"), ("max", "≤")) if gate.get(key) is not None]
    return " ".join(parts) + (" × real" if gate.get("of") == "floor" else "")


def params(given: dict[str, Any]) -> str:
    """Parameters with a value."""
    return ", ".join(f"{k}={v}" for k, v in given.items() if v not in (None, [], ()))


def moment(seconds: float) -> str:
    """A point in time in UTC, so that a page does not depend on the time zone."""
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def duration(seconds: float) -> str:
    """Seconds in the usual units."""
    return (
        f"{seconds:.1f} s"
        if seconds < 90
        else f"{seconds / 60:.1f} min"
        if seconds < 5400
        else f"{seconds / 3600:.1f} h"
    )


def age(seconds: float) -> str:
    """How long ago something was."""
    for size, unit in ((86_400.0, "day"), (3600.0, "hour"), (60.0, "minute")):
        if seconds >= size:
            return quantity(int(seconds // size), unit)
    return "just now"


def public(text: str) -> str:
    """A text without folders, hosts and user names: of a path or an address, only its last part is left."""
    shown = _ADDRESS.sub(lambda m: f"{m[1]}://…{f'/{m[2]}' if m[2] else ''}", text)
    return _PATH.sub(lambda m: f"…/{m[1]}" if m[1] else "…", _HOME.sub("…", shown))


_ADDRESS = re.compile(r"\b([A-Za-z][A-Za-z0-9+.-]*)://(?:[^\s'\"<>]*/)?([^\s'\"<>/]*)")
_HOME = re.compile(r"(?<![\w./…])(?:/(?:home|Users)/[^\s'\"/\\:;,)]+|/root|~[\w-]*)(?=$|[\s'\":;,)])")
_PATH = re.compile(r"(?<![\w./…:])(?:~[\w-]*|[A-Za-z]:)?[/\\](?:[^\s'\"/\\:;,)]+[/\\])+([^\s'\"/\\:;,)]*)")
