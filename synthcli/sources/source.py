"""The source to read from and the target to write to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class Source:
    """The data to read. path: a file, a glob, a folder, or a URL of them; name: of a built-in table; url: of a
    database, with ${NAME} for environment variables, and table or query. folder: the base of relative paths in a url.
    frame: the rows of a DataFrame.

    delimiter, quote, encoding: None to detect them. null_values: further spellings of null besides the empty cell.
    decimal: "," for numbers like 1.234,5. sheet: of a workbook; None for the first. skip: lines before the header;
    comment: the beginning of lines that are not read. repair_names: name nameless and repeated columns. nested:
    "flatten" or "drop" objects and lists, see shape.flat. dropped: columns that are not read.
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
    skip: int = 0
    comment: str | None = None
    repair_names: bool = False
    nested: str | None = None
    dropped: frozenset[str] = frozenset()
    url: str | None = None
    table: str | None = None
    query: str | None = None
    folder: Path | None = None
    frame: pa.Table | None = field(default=None, repr=False, compare=False)
    kept: dict[str, Any] = field(
        default_factory=dict, repr=False, compare=False
    )  # local copies, which last as long as the source

    @property
    def where(self) -> str:
        """The name in messages."""
        if self.frame is not None:
            return "the DataFrame"
        return str(self.path or self.name or f"{self.url} ({self.table or 'query'})")
