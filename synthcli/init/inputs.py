"""What the words after `synth init` name: one table, or several: files, a folder, a glob, a workbook, a database."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from synthcli import sources
from synthcli.errors import DataError, SpecError
from synthcli.init.layout import laid_out
from synthcli.sources import catalogue, credentials, database, dialect, excel
from synthcli.sources.paths import ENDINGS, format_of, is_url, read_as

_DATABASES = {".db": "sqlite", ".sqlite": "sqlite", ".sqlite3": "sqlite", ".duckdb": "duckdb", ".ddb": "duckdb"}
_NO_NAME = re.compile(r"[^\w-]+")


@dataclass(frozen=True)
class Inputs:
    """The tables to examine by name; more than one are examined for relationships. title: the name of the spec; alone:
    the table to fall back to if no relationship is found, None if that is an error; others: the sheets of the workbook
    that are not read then.
    """

    tables: Mapping[str, sources.Source]
    title: str
    alone: str | None = None
    others: tuple[str, ...] = ()

    @property
    def several(self) -> bool:
        return len(self.tables) > 1

    def read_with(self, encoding: str | None, skip: int) -> Inputs:
        """The inputs read with these options. Raises SpecError for an unknown encoding, or other kinds of files."""
        if encoding is None and not skip:
            return self
        if encoding is not None:
            dialect.known_encoding(encoding, "--encoding")
        tables = {}
        for name, each in self.tables.items():
            if each.type not in (("csv",) if encoding is not None else ("csv", "excel")):
                option = "--encoding" if encoding is not None else "--skip"
                raise SpecError(f"{option} is for text files, and {each.where} is not one; remedy: leave {option} out")
            tables[name] = replace(each, encoding=encoding, skip=skip)
        return replace(self, tables=tables)


def parse(
    words: Sequence[str], *, format: str | None, table: str | None, folder: Path, sheet: str | None = None
) -> Inputs:
    """The tables that these words name. folder: of the spec, the base of relative paths in a database URL. Raises
    SpecError.
    """
    if sheet is not None and (len(words) > 1 or (format or read_as(words[0])) != "excel"):
        raise SpecError("--sheet names a sheet of one workbook; remedy: one .xlsx file, or leave --sheet out")
    for word in words:
        if credentials.literal(word):
            raise SpecError(
                "DATA contains a password, which the spec would show; remedy: take it from the environment, such as"
                " '${WAREHOUSE_URL}'"
            )
    if len(words) == 1:
        return _one(words[0], format, table, folder, sheet)
    if table is not None:
        raise SpecError("--table names a table of one database; remedy: one URL, or leave --table out")
    found: dict[str, sources.Source] = {}
    for word in words:
        if word.startswith("builtin:"):
            raise SpecError(f"{word}: a built-in table is examined alone; remedy: synth init {word}")
        for name, source in _one(word, format, None, folder).tables.items():
            if name in found:
                raise SpecError(f"{word}: two tables are named {name}; remedy: files with different names")
            found[name] = source
    _check_differ(found)
    return Inputs(found, "related")


def _one(word: str, format: str | None, table: str | None, folder: Path, sheet: str | None = None) -> Inputs:
    """The tables that one word names."""
    if word.startswith("builtin:"):
        name = word.partition(":")[2]
        return Inputs({name: sources.Source("builtin", name=name)}, name)
    url = _database(word, folder)
    if table is not None and url is None and (kind := read_as(word)) is not None:
        remedy = "--sheet for a sheet of a workbook" if kind == "excel" else "leave --table out"
        raise SpecError(f"--table names a table of a database, and {word} is a file; remedy: {remedy}")
    if table is not None:
        source = sources.Source("sql", url=url or word, table=table, folder=folder.absolute())
        return Inputs({table: source}, table.rpartition(".")[2])
    if url is not None:
        return _from_database(url, folder)
    if not is_url(word) and format is None and (several := _files(word)):
        return _from_files(word, several)
    source, title = _file(word, format)
    if sheet is not None:
        return Inputs({title: replace(source, sheet=sheet)}, title)
    if source.type == "excel" and isinstance(source.path, Path) and source.path.is_file():
        return _from_workbook(source, title)
    return Inputs({title: source}, title)


def _database(word: str, folder: Path) -> str | None:
    """The URL of a database: as given, or of a local file of SQLite or DuckDB; None if the word is none."""
    if database.kind_of(word) is not None or word.startswith("${"):
        return word
    kind = None if is_url(word) else _DATABASES.get(Path(word).suffix.lower())
    if kind is None:
        return None
    path = Path(word)
    return f"{kind}:///{path if path.is_absolute() else os.path.relpath(path, folder)}"


def _from_database(url: str, folder: Path) -> Inputs:
    """All tables of a database."""
    base = database.opened(url, "DATA", folder.absolute())
    names = catalogue.tables(base)
    if not names:
        raise DataError(f"{url} has no tables; remedy: --table for a table of another schema")
    title = "database" if base.file is None else base.file.stem
    found = {}
    for name in names:
        if "." in name or name in found:
            continue  # a spec names columns as TABLE.COLUMN
        found[name] = sources.Source("sql", url=url, table=name, folder=folder.absolute())
    return Inputs(found, names[0] if len(names) == 1 else _title(title))


def _files(word: str) -> list[Path]:
    """The data files of a folder, or those that a glob matches; empty for another word."""
    path = Path(word)
    if path.is_dir():
        inside = sorted(p for p in path.iterdir() if p.is_file() and not p.name.startswith((".", "_")))
        found = [p for p in inside if format_of(p.name.lower()) is not None]
        if not found and not any(path.rglob("*.*")):
            raise DataError(f"{word}: holds no data file; expected {', '.join(e.own[0] for e in ENDINGS.values())}")
        return found
    if not path.exists() and glob.has_magic(word):
        return [Path(p) for p in sorted(glob.glob(word, recursive=True)) if os.path.isfile(p)]
    return []


def _from_files(word: str, paths: Sequence[Path]) -> Inputs:
    """Several tables; one table if all files have the same columns."""
    found: dict[str, sources.Source] = {}
    for path in paths:
        source, title = _file(str(path), None)
        if (name := _name(title)) in found:
            raise SpecError(f"{word}: two tables are named {name}; remedy: files with different names")
        found[name] = source
    kinds = {source.type for source in found.values()}
    if len(found) == 1 or (len(kinds) == 1 and _same_columns(found.values())):
        kind, title = kinds.pop(), _title(Path(word.split("*")[0].rstrip("/")).name or "spec")
        return Inputs({title: sources.Source(kind, path=Path(word).absolute())}, title)
    return Inputs(found, _title(Path(word).resolve().name if Path(word).is_dir() else "related"))


def _from_workbook(source: sources.Source, title: str) -> Inputs:
    """The sheets of a workbook that hold a table; the largest of them alone if they are not related."""
    names = excel.sheets(Path(str(source.path)))
    found: dict[str, sources.Source] = {}
    sizes: dict[str, int] = {}
    for sheet in names:
        one = laid_out(replace(source, sheet=sheet))
        if not (size := _cells(one)):
            continue
        name = _name(sheet)
        if name in found:
            raise SpecError(f"{source.path}: two sheets are named {name}; remedy: sheets with different names")
        found[name], sizes[name] = one, size
    largest = max(sizes, key=lambda name: sizes[name], default=None)
    if largest is None or len(names) == 1:
        return Inputs({title: source}, title)
    others = tuple(name for name in names if name != found[largest].sheet)
    if len(found) == 1:
        return Inputs({title: found[largest]}, title, others=others)
    return Inputs(found, title, alone=largest, others=others)


def _cells(source: sources.Source) -> int:
    """The number of cells of a sheet; 0 if it holds no table: no rows below a header, or notes."""
    try:
        table = sources.read(source)
    except DataError:
        return 0
    return int(table.num_columns * len(table))


def _check_differ(found: Mapping[str, sources.Source]) -> None:
    """Raise SpecError if all files have the same columns: they are one table in parts."""
    if len(found) > 1 and _same_columns(found.values()):
        raise SpecError(
            f"{', '.join(found)} have the same columns, as the parts of one table; remedy: a glob in quotes, such as"
            " 'part-*.csv'"
        )


def _same_columns(some: Iterable[sources.Source]) -> bool:
    return len({frozenset(sources.columns(source)) for source in some}) == 1


def _file(word: str, format: str | None) -> tuple[sources.Source, str]:
    """The source of a file or a URL of it, and its title."""
    name = word.rstrip("/").rpartition("/")[2]
    kind = format or read_as(name)
    if kind not in sources.FILES:
        known = ", ".join(sources.FILES)
        raise SpecError(
            f"{word}: its {'format' if format else 'ending'} is not one of {known}; remedy: --format; --table for a"
            " database; builtin:NAME"
        )
    title = _title(re.sub(r"\.(gz|bz2|zst|zip)$", "", name).rpartition(".")[0] or name)
    return sources.Source(kind, path=word if is_url(word) else Path(word).absolute()), title


def _title(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.") or "spec"


def _name(title: str) -> str:
    """The name of a table, which may hold no dot: a spec names columns as TABLE.COLUMN."""
    return _NO_NAME.sub("_", title).strip("_") or "table"


def section(source: sources.Source, folder: Path) -> dict[str, object]:
    """The keys of a source in a spec. folder: of the spec, to which its path is relative."""
    if source.type == "builtin":
        return {"type": "builtin", "name": source.name}
    if source.type == "sql":
        return {"type": "sql", "url": source.url, "table": source.table}
    return {"type": source.type, **dict(_of_file(source, folder))}


def _of_file(source: sources.Source, folder: Path) -> Iterator[tuple[str, object]]:
    relative = isinstance(source.path, Path)
    yield "path", Path(os.path.relpath(str(source.path), folder.absolute())).as_posix() if relative else source.path
    if source.sheet is not None:
        yield "sheet", source.sheet
    plain = sources.Source(source.type)
    for key in ("encoding", "decimal", "header", "skip", "comment", "repair_names", "nested"):
        if (value := getattr(source, key)) != getattr(plain, key):
            yield key, value
