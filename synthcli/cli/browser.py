"""Show a page in the user's browser, where there is a display."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def show(page: Path) -> None:
    """Open a file in the browser; without a display, say where it is."""
    import webbrowser

    place = page.resolve()
    try:
        opened = _display() and webbrowser.open(place.as_uri())
    except webbrowser.Error:
        opened = False
    if not opened:
        print(f"note: no browser could be opened here; the page is {place}", file=sys.stderr)


def _display() -> bool:
    """Whether a browser has a screen to appear on: without one, webbrowser would start a text browser in this terminal
    and wait for it.
    """
    if sys.platform in ("win32", "darwin", "cygwin"):
        return True
    return any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
