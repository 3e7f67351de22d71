"""Find the files of a source: one file, a glob, or a folder with its partitions, local or behind a URL, each as a local
file to read.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote

import pyarrow as pa

from synthcli.errors import DataError, SpecError
from synthcli.sources import files
from synthcli.sources.paths import ENDINGS, is_url

if TYPE_CHECKING:
    from synthcli.sources.source import Source

_NULL = "__HIVE_DEFAULT_PARTITION__"
_VARIABLE = re.compile(r"\$(\{|[A-Za-z_])")


@dataclass(frozen=True)
class FilePart:
    """One file of a source. path: where to read it; name: its name in messages; keys: columns from its folder names,
    key=value.
    """

    path: Path
    name: str
    keys: tuple[tuple[str, str | None], ...] = ()

    @contextlib.contextmanager
    def named(self) -> Iterator[Path]:
        """The path; errors in the block show the name of the file instead of the path."""
        try:
            yield self.path
        except DataError as error:
            raise DataError(str(error).replace(str(self.path), self.name)) from None


def local_parts(path: Path, kind: str) -> list[FilePart]:
    """The files of a local path, sorted by name: one, the matches of a glob, or the files of a folder. kind: of the
    source. Raises DataError without a readable file.
    """
    if os.path.isdir(path):
        return _folder(path, kind)
    if not os.path.lexists(path) and glob.has_magic(str(path)):
        found = [Path(p) for p in sorted(glob.glob(str(path), recursive=True)) if os.path.isfile(p)]
        if not found:
            raise DataError(f"{path}: no file matches; remedy: fix source.path")
        return _with_keys([FilePart(files.check_local(p), str(p)) for p in found], fixed_root(str(path)))
    return [FilePart(files.check_local(path), str(path))]


def check_path(source: Source) -> Path | str:
    """The path of a source: a local one, or a URL. Raises SpecError for an invalid one: empty, with variables or a NUL
    byte.
    """
    if source.path is None:
        raise SpecError(f"source.path is missing; a source of type {source.type} is a file")
    path = str(source.path)
    if not path.strip():
        raise SpecError("source.path is empty; expected the path of a file")
    if "\0" in path:
        raise SpecError(
            f"source.path is {path!r}, which is not a valid file name: it holds a NUL byte; remedy: fix source.path"
        )
    if is_url(path):
        return path
    if _VARIABLE.search(path) and not os.path.exists(path):
        raise SpecError(
            f"source.path is {path}; environment variables in paths are not supported by this version; remedy: the"
            " full path"
        )
    return Path(path)


def fixed_root(path: str) -> str:
    """The folder of a glob before its first wildcard."""
    return path[: re.search(r"[*?\[]", path).start()].rpartition("/")[0]  # type: ignore[union-attr]


def takes(path: Path | str, kind: str, target: Path | str) -> bool:
    """Whether a source with this path reads, or would read next time, a file written to the target. kind: of the
    source.
    """
    here, there = str(path), str(target)
    if here == there or is_url(here) != is_url(there):
        return here == there
    if glob.has_magic(here) and (is_url(here) or not os.path.lexists(here)):
        return re.fullmatch(_matched(here), there) is not None
    below = there.removeprefix(f"{here.rstrip('/')}/")
    return below != there and is_data(below, kind) and (is_url(here) or os.path.isdir(here))


def _matched(pattern: str) -> str:
    """The regular expression that is equivalent to a glob."""
    known = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    pieces = re.findall(r"\*\*/|\*\*|\*|\?|\[[^\]]+\]|.", pattern, re.DOTALL)
    return "".join(
        known.get(p) or (f"[{'^' if p[1] == '!' else ''}{p[1:-1].removeprefix('!')}]" if len(p) > 1 else re.escape(p))
        for p in pieces
    )


def _folder(folder: Path, kind: str) -> list[FilePart]:
    found = sorted(p for p in folder.rglob("*") if p.is_file() and is_data(p.relative_to(folder).as_posix(), kind))
    if not found:
        expected = ", ".join(ENDINGS[kind].all)
        raise DataError(
            f"{folder} is a folder; remedy: source.path of one {kind} file, or of a folder with such files"
            f" ({expected}) in it"
        )
    return _with_keys([FilePart(files.check_local(p), str(p)) for p in found], str(folder))


def is_data(name: str, kind: str) -> bool:
    """Whether a file in a folder is a data file: it has one of the kind's endings, and is neither hidden nor a marker
    such as _SUCCESS.
    """
    path = PurePosixPath(name)
    plain = path.with_suffix("") if path.suffix.lower() in {*files.COMPRESSION, ".zip"} else path
    return plain.suffix.lower() in ENDINGS[kind].all and not any(p.startswith((".", "_")) for p in path.parts)


def _with_keys(found: list[FilePart], root: str) -> list[FilePart]:
    return [replace(part, keys=keys_of(part.name, root)) for part in found]


def keys_of(name: str, root: str) -> tuple[tuple[str, str | None], ...]:
    """The columns in the folder names below a root: year=2024/month=3 (Hive partitions)."""
    folders = name[len(root) :].split("/")[:-1]
    pairs = [f.partition("=")[::2] for f in folders if "=" in f and not f.startswith("=")]
    return tuple((unquote(key), None if value == _NULL else unquote(value)) for key, value in pairs)


def keyed(table: pa.Table, part: FilePart, kinds: dict[str, pa.DataType]) -> pa.Table:
    """Add the columns from the folder names to the table of a file. Raises DataError if the file already has such a
    column.
    """
    for key, value in part.keys:
        if key in table.column_names:
            raise DataError(
                f"{part.name}: column {key} is in the file and in the name of its folder; remedy: rename one of the two"
            )
        plain = pa.scalar(value, pa.string()).cast(kinds[key])
        table = table.append_column(key, pa.repeat(plain, len(table)))
    return table


def key_types(found: list[FilePart], text: bool) -> dict[str, pa.DataType]:
    """The types of the columns from folder names: integers if all values are, strings in a text source.

    Raises DataError if the files have different keys.
    """
    first = found[0]
    for part in found:
        if [k for k, _ in part.keys] != [k for k, _ in first.keys]:
            named = ", ".join(k for k, _ in part.keys) or "none"
            raise DataError(
                f"{part.name}: its folders name {named}, those of {first.name} name"
                f" {', '.join(k for k, _ in first.keys) or 'none'}"
            )
    values = {key: [dict(p.keys)[key] for p in found] for key, _ in first.keys}
    whole = {key: all(v is None or re.fullmatch(r"0|-?[1-9]\d{0,17}", v) for v in some) for key, some in values.items()}
    return {key: pa.int64() if whole[key] and not text else pa.string() for key in values}


def unified(schema: pa.Schema | None, found: pa.Schema, part: FilePart) -> pa.Schema:
    """The common schema of this file and those before, with the widest numeric types. Raises DataError for incompatible
    types.
    """
    try:
        return found if schema is None else pa.unify_schemas([schema, found], promote_options="permissive")
    except pa.ArrowTypeError as error:
        reason = str(error).partition("Field ")[2] or str(error)
        raise DataError(
            f"{part.name}: column {reason} in the files before; remedy: files with the same types, or a narrower"
            " source.path"
        ) from None
