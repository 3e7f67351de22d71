"""Everything that a user can cause, as one tree; each leaf knows its exit code.

    SynthError                 1   the spec or the data is at fault
    ├── SpecError              1   a key, a value or a contradiction in the YAML
    ├── DataError              1   a source that cannot be read, or data that cannot be used
    ├── FitError               1   a generator that cannot learn from this data
    ├── MissingExtra           1   a package that this method needs is not installed
    ├── LimitReached           1   generator.limits stopped a fit that had nothing usable yet
    ├── ArtifactError          1   a run folder that is missing, damaged or not to be trusted
    ├── GateClosed             4   a run that did not pass its gates, so that nothing of it is released
    └── TryLater               6   a lock or a source that may be free later

Anything else that escapes is a bug of ours: the CLI writes a log, names it, and exits with 3.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class SynthError(Exception):
    """What a user can cause and fix: the message says what, where, the value and the remedy."""

    exit_code = 1


class SpecError(SynthError):
    """The spec says something that is unknown, of the wrong type or contradictory."""


class DataError(SynthError):
    """The source cannot be read, or what it holds cannot be used."""


class FitError(SynthError):
    """A generator cannot learn from this data with these parameters."""


class MissingExtra(SynthError):
    """A package of an extra is not installed."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs a package that is not installed; remedy: pip install 'synthcli[{extra}]'")
        self.named = what, extra

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str, str]]:
        return MissingExtra, self.named  # so that it comes whole from another process


class LimitReached(SynthError):
    """`generator.limits` stopped a fit before it had anything usable."""


class ArtifactError(SynthError):
    """A run folder is missing, damaged, or not to be trusted."""


class GateClosed(SynthError):
    """The run did not pass its gates, or does not verify: nothing of it is released."""

    exit_code = 4


class TryLater(SynthError):
    """Somebody else holds what is needed; the same command may work later."""

    exit_code = 6


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """` Did you mean x?` for the nearest known word, or nothing."""
    near = difflib.get_close_matches(str(word), [str(k) for k in known], n=1, cutoff=0.6)
    return f" Did you mean {near[0]}?" if near else ""


def listed(names: Iterable[str], most: int = 12) -> str:
    """The first names, and how many more there are."""
    names = list(names)
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
