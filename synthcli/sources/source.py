"""Source: the data to read. Target: the place to write to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Source:
    """The data to read. path: a file, a glob, a folder, or a URL of them; name: of a built-in table; url: of a
    database, with ${NAME} for environment variables, and table or query. folder: the folder that relative paths in a
    url start from.

    delimiter, quote, encoding: None means found by looking at the file. null_values: more spellings of null, besides
    the empty cell. decimal: "," where numbers are written 1.234,5. sheet: of a workbook; None: the first.
    """

    type: str
    path: Path | str | None = None
    name: str | None = None
    max_rows: int | None = None
    delimiter: str | None = None
    quote: str | None = None
    encoding: str | None = None
    header: bool = True
    decimal: str = "."
    null_values: tuple[str, ...] | None = None
    sheet: str | None = None
    url: str | None = None
    table: str | None = None
    query: str | None = None
    folder: Path | None = None
    kept: dict[str, Any] = field(
        default_factory=dict, repr=False, compare=False
    )  # local copies, which live as long as the source

    @property
    def where(self) -> str:
        """Its name in messages."""
        return str(self.path or self.name or f"{self.url} ({self.table or 'query'})")
