"""The dialect of a delimited file: encoding, delimiter, quote and header, as declared or detected from its start."""

from __future__ import annotations

import codecs
import csv
import io
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from synthcli.errors import DataError, SpecError, did_you_mean
from synthcli.sources import files, shape

if TYPE_CHECKING:
    from synthcli.sources.source import Source

DELIMITERS = (",", ";", "\t", "|")
_ENCODINGS = (
    "utf-8",
    "latin-1",
    "cp1252",
    "utf-16",
    "iso-8859-15",
    "cp850",
    "cp437",
    "mac-roman",
    "gb18030",
    "shift_jis",
    "euc-jp",
    "euc-kr",
    "big5",
)
_REMEDY = f"the encoding that the file has, such as {', '.join(_ENCODINGS)}"
_NOT_FOR_FILES = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape"})
_HEAD = 256 << 10


@dataclass(frozen=True)
class Layout:
    """The dialect of a file. padded: whether a space follows every delimiter."""

    names: list[str]
    delimiter: str
    quote: str
    escape: str | None
    padded: bool
    encoding: str


class Lines:
    """The lines of a file that are read: without those before the header (`skip`) and comments. number: of the line
    that was given last, from 1.
    """

    def __init__(self, lines: Iterable[str], source: Source) -> None:
        self.lines, self.skip, self.comment = iter(lines), source.skip, source.comment
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        while True:
            line = next(self.lines)
            self.number += 1
            if self.number > self.skip and not (self.comment and line.startswith(self.comment)):
                return line


def filtered(source: Source) -> bool:
    """Whether some lines of a file are not read."""
    return bool(source.skip or source.comment)


def layout(source: Source, path: Path) -> Layout:
    """Detect the dialect of a file from its first bytes. Raises SpecError for an invalid dialect or encoding, DataError
    for one that does not match the file.
    """
    raw = files.head(path, _HEAD)
    encoding = _encoding(source, raw)
    if b"\0" in raw and not encoding.startswith(("utf-16", "utf-32")):
        raise DataError(
            f"{path} is not text: byte {raw.index(0)} is NUL; remedy: fix source.type, or source.encoding: utf-16"
        )
    text = _decoded(raw, encoding, path).replace("\r\n", "\n").replace("\r", "\n")
    if filtered(source):
        text = "".join(Lines(io.StringIO(text, newline="\n"), source))
    if not text.strip():
        raise DataError(f"{path} is empty; remedy: a header and rows")
    sample = text if len(raw) < _HEAD else text[: text.rfind("\n") + 1] or text
    delimiter, quote, escape = _dialect(source, sample)
    padded = _padded(sample, delimiter, quote)
    names = (
        _names(sample, delimiter, quote, padded)
        if source.header
        else [f"column_{i + 1}" for i in range(_width(sample, delimiter, quote))]
    )
    if source.delimiter is not None and len(names) == 1 and (other := _divides(sample, delimiter)):
        raise DataError(
            f"{path} is read as one column; the file looks delimited by {other!r}; remedy: source.delimiter: {other!r}"
        )
    names = shape.header(names, source, path)
    return Layout(names, delimiter, quote, escape, padded, encoding)


def _names(sample: str, delimiter: str, quote: str, padded: bool) -> list[str]:
    """The column names in the header, without padding."""
    names = _header(sample, delimiter, quote)
    if padded and all(name.startswith(" ") for name in names[1:]):
        return [*names[:1], *_header(sample, delimiter, quote, padded=True)[1:]]
    return names


def _header(sample: str, delimiter: str, quote: str, *, padded: bool = False) -> list[str]:
    return next(r for r in _records_of(sample, delimiter, quote, padded=padded) if r)


def _width(sample: str, delimiter: str, quote: str) -> int:
    return len(_header(sample, delimiter, quote))


def _records_of(sample: str, delimiter: str, quote: str, *, padded: bool = False) -> Iterator[list[str]]:
    return csv.reader(
        io.StringIO(sample, newline=""),
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=quoting(quote),
        skipinitialspace=padded,
    )


def _divides(sample: str, delimiter: str) -> str | None:
    """Another delimiter that splits the header and the first lines into the same number of cells."""
    for other in DELIMITERS:
        widths = {len(record) for record, _ in zip(_records_of(sample, other, '"'), range(50)) if record}
        if other != delimiter and len(widths) == 1 and widths != {1}:
            return other
    return None


def _encoding(source: Source, raw: bytes) -> str:
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) and source.encoding is None:
        return "utf-16"
    found = known_encoding(source.encoding or "utf-8", "source.encoding")
    return "utf-8-sig" if found == "utf-8" else found


def known_encoding(name: str, key: str) -> str:
    """The canonical name of a text encoding. key: its place in the spec. Raises SpecError for any other word."""
    try:
        found = codecs.lookup(name).name
        "a".encode(found)
    except (LookupError, ValueError):  # unknown, or not a text encoding, such as rot13 and base64
        raise SpecError(
            f"{key} is {name!r}, which is not a text encoding; remedy: {_REMEDY}.{did_you_mean(name, _ENCODINGS)}"
        ) from None
    if found in _NOT_FOR_FILES:
        raise SpecError(f"{key} is {name!r}, which text files do not have; remedy: {_REMEDY}")
    return found


def _decoded(raw: bytes, encoding: str, path: Path) -> str:
    try:
        return codecs.getincrementaldecoder(encoding)().decode(raw, final=len(raw) < _HEAD)
    except UnicodeDecodeError as error:
        raise not_text(path, encoding, error.start) from None


def not_text(path: Path, encoding: str, position: int) -> DataError:
    """Build the error about bytes that are invalid in an encoding."""
    name = "UTF-8" if encoding == "utf-8-sig" else encoding
    return DataError(
        f"{path} is not {name} at byte {position}; remedy: the encoding that it has, such as source.encoding: latin-1"
    )


def _dialect(source: Source, sample: str) -> tuple[str, str, str | None]:
    """Delimiter, quote and escape: as declared, else as detected by DuckDB, else comma and double quote."""
    for key in ("delimiter", "quote"):
        given = getattr(source, key)
        if given is not None and (len(given.encode()) > 1 or (key == "delimiter" and not given)):
            raise SpecError(
                f"source.{key} is {given!r}; expected one character, such as {',' if key == 'delimiter' else chr(39)}"
            )
        if given in ("\n", "\r", "\0", " " if key == "quote" else '"'):
            raise SpecError(
                f"source.{key} is {given!r}, which cannot be one; expected a character such as"
                f" {',' if key == 'delimiter' else chr(39)}"
            )
    if source.delimiter is not None and source.delimiter == source.quote:
        raise SpecError(
            f"source.delimiter and source.quote are both {source.quote!r}; remedy: two different characters, or leave"
            " out the quote"
        )
    if source.delimiter is not None and source.quote is not None:
        return source.delimiter, source.quote, None
    sniffed = _sniff(sample, source)
    if sniffed and source.delimiter is None and _missed(sample, sniffed[0]):
        sniffed = None
    delimiter = source.delimiter or (sniffed[0] if sniffed else _likeliest(sample))
    quote = source.quote if source.quote is not None else (sniffed[1] if sniffed and sniffed[1] != delimiter else '"')
    return delimiter, quote, sniffed[2] if sniffed and quote == sniffed[1] else None


def _sniff(sample: str, source: Source) -> tuple[str, str, str | None] | None:
    """The dialect that DuckDB detects; None if it fails."""
    import duckdb

    options = {"delim": source.delimiter, "quote": source.quote}
    given = "".join(f", {key}='{value.replace(chr(39), chr(39) * 2)}'" for key, value in options.items() if value)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "sample.csv"
        file.write_text(sample, encoding="utf-8", newline="")
        query = f"SELECT Delimiter, Quote, Escape FROM sniff_csv(?, all_varchar=true, sample_size=-1{given})"
        try:
            with duckdb.connect() as connection:
                found = connection.execute(query, [str(file)]).fetchone()
        except duckdb.Error:
            return None
    if found is None or found[0] not in {*DELIMITERS, source.delimiter}:
        return None
    quote = found[1] if found[1] in ('"', "'") else '"'
    return found[0], quote, "\\" if found[2] == "\\" else None


def _missed(sample: str, delimiter: str) -> bool:
    """Whether the detected dialect gives a single column although another delimiter, which also occurs below, splits
    the header.
    """
    other = _likeliest(sample)
    return (
        _cells_in_header(sample, delimiter) == 1 < _cells_in_header(sample, other)
        and other in sample.partition("\n")[2]
    )


def _likeliest(sample: str) -> str:
    return max(
        DELIMITERS, key=lambda delimiter: _cells_in_header(sample, delimiter)
    )  # the comma if none of them occurs


def _cells_in_header(sample: str, delimiter: str) -> int:
    return len(next((r for r in csv.reader(io.StringIO(sample), delimiter=delimiter) if r), []))


def _padded(sample: str, delimiter: str, quote: str) -> bool:
    """Whether a space follows every delimiter below the header, in a file without quotes."""
    body = sample.partition("\n")[2][:65536]
    return (
        delimiter in body and (not quote or quote not in body) and body.count(delimiter) == body.count(f"{delimiter} ")
    )


def quoting(quote: str) -> Literal[0, 3]:
    """The csv module's constant for files with or without quotes."""
    return csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
