"""Check sources and outputs of a spec for contradictions and for secrets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from synthcli import sources
from synthcli.contracts.modality import Csv
from synthcli.errors import SpecError, did_you_mean
from synthcli.sources import builtin, credentials, database, dialect, places, remote
from synthcli.sources.paths import format_of, is_url, read_as
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.models import Output, Place, Spec, TableSource


def source(spec: Spec) -> Iterator[Problem]:
    source = spec.source
    files = source.type in sources.FILES
    if files and source.path is None:
        yield ("source",), f"type {source.type} needs path: FILE"
    if not files and source.path is not None:
        yield (
            ("source", "path"),
            f"type {source.type} has no path.{' Give name: instead' if source.type == 'builtin' else ''}",
        )
    if source.type == "builtin" and source.name is None:
        yield ("source",), f"type builtin needs name: one of {', '.join(builtin.names())}"
    if source.type == "builtin" and source.name is not None and source.name not in builtin.names():
        known = builtin.names()
        yield ("source", "name"), f"there is no such table.{did_you_mean(source.name, known)} Known: {', '.join(known)}"
    if source.type != "builtin" and source.name is not None:
        yield ("source", "name"), f"type {source.type} has no name"
    yield from place(("source",), source, source.type)
    yield from split(spec)
    if source.type == "none":
        for key in sorted(source.model_fields_set & {"split", "max_rows"}):
            yield ("source", key), "there is no data to split or sample (source.type: none)"
        if not spec.columns:
            yield ("columns",), "source.type none needs columns that describe how to generate them"
        if spec.privacy_unit is not None:
            yield ("privacy_unit",), "there is no data to protect (source.type: none)"


def split(spec: Spec) -> Iterator[Problem]:
    """A split without a train part."""
    if spec.source.split.validation + spec.source.split.holdout >= 1:
        yield ("source", "split"), "validation and holdout leave nothing to train on; expected a sum below 1"


_KEYS = {  # types of sources -> the keys that they alone have
    ("csv",): {"delimiter", "quote", "header", "decimal", "null_values", "comment"},
    ("csv", "excel"): {"skip", "repair_names"},
    ("parquet", "jsonl", "frame"): {"nested"},
}


def place(at: tuple[str, ...], source: Place, type_: str) -> Iterator[Problem]:
    """Check the keys of a file, a database or a workbook. at: their position."""
    if source.path is not None and is_url(source.path):
        yield from _remote((*at, "path"), source.path, write=False)
    if source.sheet is not None and type_ != "excel":
        yield (*at, "sheet"), "belongs to excel sources"
    for kinds, keys in _KEYS.items():
        if type_ not in kinds:
            for key in sorted(source.model_fields_set & keys):
                yield (*at, key), f"belongs to {' and '.join(kinds)} sources"
    if type_ != "sql":
        for key in sorted(source.model_fields_set & {"url", "table", "query"}):
            yield (*at, key) if key != "url" else at, f"{key} belongs to sources of type sql"
        return
    if source.url is None:
        yield at, "type sql needs url: a database, such as ${WAREHOUSE_URL}"
    else:
        yield from _secret(at, source.url)
    if (source.table is None) == (source.query is None):
        yield at, "type sql needs one of table: NAME and query: SELECT …"
    if source.query is not None:
        try:
            database.one_select(source.query)
        except SpecError as error:
            yield (*at, "query"), str(error).partition("; ")[2]


def table_type(each: TableSource) -> str:
    """The type of one of several tables: declared, else by the ending of its path."""
    return each.type or ("sql" if each.url is not None else read_as(each.path or "") or "csv")


def of_tables(spec: Spec) -> Iterator[Problem]:
    """Check the sources of related tables."""
    for name, each in (spec.source.tables or {}).items():
        at, type_ = ("source", "tables", name), table_type(each)
        if type_ not in ("sql", "frame") and each.path is None:
            yield at, "needs path: FILE, or url: and table: of a database"
        if type_ in ("sql", "frame") and each.path is not None:
            yield (
                (*at, "path"),
                f"type {type_} has no path; remedy: {'url and table' if type_ == 'sql' else 'leave it out'}",
            )
        yield from place(at, each, type_)


def output(loaded: Loaded) -> Iterator[Problem]:
    """The output must be a table, an object, or a file of its own in a folder that exists, with an ending that fits its
    format.
    """
    output, source = loaded.spec.output, loaded.spec.source
    yield from _csv(output)
    if output.format == "sql":
        yield from _output_table(loaded)
        return
    for name in sorted(output.model_fields_set & {"url", "table", "if_exists"}):
        yield ("output", name) if name != "url" else ("output",), f"{name} belongs to output.format: sql"
    if output.path is None:
        return
    key = ("output", "path")
    target = loaded.place(output.path, *key)
    if isinstance(target, str):
        yield from _remote(key, target, write=True)
        name = target.rpartition("/")[2]
    else:
        if not output.path.strip() or target.is_dir():
            yield key, "is a folder; expected the path of a file"
            return
        if not target.parent.is_dir():
            yield key, f"the folder {target.parent} does not exist; remedy: create it"
        if target == loaded.file:
            yield key, "is the spec itself, which would be overwritten"
        name = target.name
    copies = loaded.spec.generate.copies
    written = (
        [target]
        if copies == 1
        else [f"{_stem(str(target))[0]}-{i}{_stem(str(target))[1]}" for i in range(1, copies + 1)]
    )
    if source.path is not None:
        read = loaded.place(source.path, "source", "path")
        if str(read) in map(str, written):
            yield key, "is the source itself, which would be overwritten"
        elif any(places.takes(read, source.type, each) for each in written):
            yield (
                key,
                "matches source.path, so the next run would read it as real data; remedy: another folder",
            )
    ending = format_of(name)
    if ending is not None and ending != output.format:
        yield key, f"has the ending of {ending}, and output.format is {output.format}; remedy: make the two agree"


_NOT_DELIMITERS = frozenset("\"'.-+\n\r\0")


def _csv(output: Output) -> Iterator[Problem]:
    """Check the dialect of a csv output."""
    keys = [field.name for field in fields(Csv)]
    if output.format != "csv":
        yield from (
            (("output", key), "belongs to output.format: csv") for key in keys if key in output.model_fields_set
        )
        return
    sign = output.delimiter
    if sign is not None and (sign.isalnum() or sign in _NOT_DELIMITERS):
        yield ("output", "delimiter"), "cannot be told from the cells; expected a character such as ',' or ';'"
    if sign is not None and sign == output.decimal:
        yield ("output", "delimiter"), "is also the decimal sign; remedy: delimiter: ';'"
    if output.encoding is not None:
        try:
            dialect.known_encoding(output.encoding, "output.encoding")
        except SpecError as error:
            yield ("output", "encoding"), str(error).partition(", which ")[2]


def _stem(path: str) -> tuple[str, str]:
    """A path and its endings: people, .csv.gz"""
    folder, slash, name = path.rpartition("/")
    stem, dot, endings = name.partition(".")
    return f"{folder}{slash}{stem}", f"{dot}{endings}"


def output_tables(loaded: Loaded) -> Iterator[Problem]:
    """Check the output of related tables: a folder of files, or tables of a database under their own names."""
    output, tables = loaded.spec.output, loaded.spec.source.tables or {}
    yield from _csv(output)
    if output.table is not None:
        yield ("output", "table"), "related tables keep their names; remedy: leave it out"
    if output.format != "sql":
        for name in sorted(output.model_fields_set & {"url", "if_exists"}):
            yield ("output", name) if name != "url" else ("output",), f"{name} belongs to output.format: sql"
        if output.path is not None and is_url(output.path):
            yield (
                ("output", "path"),
                "related tables go to a folder of this machine, or to a database; remedy: a path, or format: sql",
            )
        elif output.path is not None:
            target = loaded.resolve(output.path, "output", "path")
            if target.is_file() or not target.parent.is_dir():
                yield ("output", "path"), "expected a folder for a file per table, in a folder that exists"
            read = {
                loaded.resolve(t.path, "source", "tables", n, "path").parent
                for n, t in tables.items()
                if t.path and not is_url(t.path)
            }
            if target in read:
                yield (
                    ("output", "path"),
                    "is the folder of the source, which would be overwritten; remedy: a folder of its own",
                )
        return
    if output.path is not None:
        yield ("output", "path"), "format sql has no path; remedy: url"
    if output.url is None:
        yield ("output",), "format sql needs url: ${WAREHOUSE_URL}"
    else:
        yield from _secret(("output",), output.url)
    if output.if_exists == "append":
        yield (
            ("output", "if_exists"),
            "generated keys would repeat existing ones; remedy: replace, or fail",
        )
    url, folder = output.url, loaded.file.parent
    if same := [
        n
        for n, each in tables.items()
        if url is not None and each.url and database.reads(each.url, each.table, each.query, url, n, folder)
    ]:
        yield ("output",), f"table {same[0]} is the source itself, which would be overwritten; remedy: another database"


def _output_table(loaded: Loaded) -> Iterator[Problem]:
    output, source = loaded.spec.output, loaded.spec.source
    if output.path is not None:
        yield ("output", "path"), "format sql has no path; remedy: url and table"
    for key in ("url", "table"):
        if getattr(output, key) is None:
            yield ("output",), f"format sql needs {key}: {'${WAREHOUSE_URL}' if key == 'url' else 'NAME'}"
    if output.url is not None:
        yield from _secret(("output",), output.url)
    if output.table is None or output.url is None or source.url is None or output.if_exists == "fail":
        return
    if database.reads(source.url, source.table, source.query, output.url, output.table, loaded.file.parent):
        yield ("output", "table"), "is the source itself, which would be overwritten"


def _secret(section: tuple[str, ...], url: str) -> Iterator[Problem]:
    """Refuse a password in a url. Reported at the section, since the message shows the value of a key."""
    if credentials.literal(url):
        yield (
            section,
            "the url contains a password; remedy: take it from the environment, such as url: ${WAREHOUSE_URL}",
        )


def _remote(key: tuple[str, ...], path: str, *, write: bool) -> Iterator[Problem]:
    if credentials.literal(path):
        yield (
            key[:-1],
            "the path contains a secret; remedy: credentials in the environment, where the store reads them",
        )
        return
    try:
        remote.check(path, ".".join(key), write=write)
    except SpecError as error:
        yield key, str(error).partition("; ")[2]
