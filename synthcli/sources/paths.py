"""Facts about a path from its text alone: whether it is a URL, and the format of its extension."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath

_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+)://")


@dataclass(frozen=True)
class Endings:
    """The file extensions of a format. own: those that always mean the format, the first one for new files; read:
    others that a folder of such files may hold.
    """

    own: tuple[str, ...]
    read: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        return self.own + self.read


ENDINGS = {
    "csv": Endings((".csv", ".tsv", ".tab", ".psv"), (".txt", ".dat")),
    "parquet": Endings((".parquet", ".pq"), (".parq",)),
    "jsonl": Endings((".jsonl", ".ndjson"), (".json",)),
    "excel": Endings((".xlsx",), (".xlsm",)),
}


def is_url(path: str) -> bool:
    """Whether a path is a URL."""
    return _URL.match(path) is not None


def format_of(name: str) -> str | None:
    """The format of a file extension; None if unknown."""
    ending = PurePath(name.removesuffix(".gz")).suffix
    return next((format_ for format_, endings in ENDINGS.items() if ending in endings.own), None)


def read_as(name: str) -> str | None:
    """The format that a file of this name may be read as, packed or not; None if unknown."""
    plain = PurePath(re.sub(r"\.(gz|bz2|zst|zip)$", "", name.lower())).suffix
    return next((format_ for format_, endings in ENDINGS.items() if plain in endings.all), None)
