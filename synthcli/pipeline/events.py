"""Events of a run. The CLI shows them; by default they are ignored."""

from __future__ import annotations


class Events:
    """Every method may be overridden; none returns anything."""

    def begin(self, stage: str, detail: str = "") -> None:
        """A stage starts."""

    def progress(self, label: str, done: float, total: float, note: str = "") -> None:
        """`done` of `total` steps inside the stage."""

    def end(self, stage: str, seconds: float, *, cached: bool, detail: str = "") -> None:
        """A stage is complete: built now, or kept from an earlier run."""

    def note(self, text: str) -> None:
        """A message for the user."""
