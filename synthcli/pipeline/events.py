"""What a run tells whoever watches it. The CLI shows it; by default nobody does."""

from __future__ import annotations


class Events:
    """Every method may be overridden; none returns anything."""

    def begin(self, stage: str, detail: str = "") -> None:
        """A stage starts to be built."""

    def progress(self, label: str, done: float, total: float, note: str = "") -> None:
        """`done` of `total` steps inside the stage."""

    def end(self, stage: str, seconds: float, *, cached: bool, detail: str = "") -> None:
        """A stage is there: built now, or kept from before."""

    def note(self, text: str) -> None:
        """Something a person should know."""
