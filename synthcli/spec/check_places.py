"""What a spec says of places: where data comes from and where it goes, without contradiction and without secrets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath

from synthcli import sources
from synthcli.errors import SpecError, did_you_mean
from synthcli.sources import builtin, credentials, database, remote
from synthcli.spec.load import Loaded, Problem
from synthcli.spec.models import Source, Spec


def source(spec: Spec) -> Iterator[Problem]:
    source = spec.source
    files = source.type in sources.FILES
    if files and source.path is None:
        yield ("source",), f"type {source.type} needs path: FILE"
    if not files and source.path is not None:
        yield ("source", "path"), f"type {source.type} has no path.{' Give name: instead' if source.type == 'builtin' else ''}"
    if source.type == "builtin" and source.name is None:
        yield ("source",), f"type builtin needs name: one of {', '.join(builtin.names())}"
    if source.type == "builtin" and source.name is not None and source.name not in builtin.names():
        known = builtin.names()
        yield ("source", "name"), f"there is no such table.{did_you_mean(source.name, known)} Known: {', '.join(known)}"
    if source.type != "builtin" and source.name is not None:
        yield ("source", "name"), f"type {source.type} has no name"
    if source.path is not None and remote.is_url(source.path):
        yield from _remote(("source", "path"), source.path, write=False)
    yield from _source_table(source)
    if source.type != "csv":
        for key in sorted(source.model_fields_set & {"delimiter", "quote", "header", "decimal", "null_values"}):
            yield ("source", key), "belongs to csv sources"
    if source.split.validation + source.split.holdout >= 1:
        yield ("source", "split"), "validation and holdout leave nothing to train on; expected a sum below 1"
    if source.type == "none":
        for key in sorted(source.model_fields_set & {"split", "max_rows"}):
            yield ("source", key), "there is no data to split or sample (source.type: none)"
        if not spec.columns:
            yield ("columns",), "source.type none needs columns that say how they are made"
        if spec.privacy_unit is not None:
            yield ("privacy_unit",), "there is no data to protect (source.type: none)"


def _source_table(source: Source) -> Iterator[Problem]:
    """The keys of a database, and of a workbook."""
    if source.sheet is not None and source.type != "excel":
        yield ("source", "sheet"), "belongs to excel sources"
    if source.type != "sql":
        for key in sorted(source.model_fields_set & {"url", "table", "query"}):
            yield ("source", key) if key != "url" else ("source",), f"{key} belongs to sources of type sql"
        return
    if source.url is None:
        yield ("source",), "type sql needs url: a database, such as ${WAREHOUSE_URL}"
    else:
        yield from _secret("source", source.url)
    if (source.table is None) == (source.query is None):
        yield ("source",), "type sql needs one of table: NAME and query: SELECT …"
    if source.query is not None:
        try:
            database.one_select(source.query)
        except SpecError as error:
            yield ("source", "query"), str(error).partition("; ")[2]


_SINGLE: dict[tuple[str, ...], str] = {  # what is asked of one table only
    ("generate", "where"): "conditions", ("generate", "balance"): "balancing", ("generate", "fairness"): "fairness",
    ("generate", "copies"): "copies", ("evaluate", "preserve"): "named properties", ("evaluate", "domain"): "own metrics",
    ("evaluate", "downstream"): "downstream commands", ("execution", "workers"): "workers", ("output", "url"): "databases",
}  # fmt: skip


def tables(loaded: Loaded) -> Iterator[Problem]:
    """Related tables: what their source, their keys and their output must be, and what is asked of single tables alone."""
    spec = loaded.spec
    tables = spec.source.tables or {}
    for key in sorted(spec.source.model_fields_set - {"type", "tables", "relationships", "split", "dataset"}):
        yield ("source", key), "belongs to a source of one table; remedy: under source.tables"
    if spec.source.type != "tables":
        yield ("source", "type"), "stands beside tables; remedy: leave it out, and give the type of each table"
    if not spec.source.relationships:
        yield ("source",), "has tables and no relationships; remedy: relationships: [{from: TABLE.COLUMN, to: TABLE.COLUMN}]"
    for i, r in enumerate(spec.source.relationships):
        for key, said in (("from", r.from_), ("to", r.to)):
            for word in (said,) if isinstance(said, str) else said:
                if word.partition(".")[0] not in tables or not word.partition(".")[2]:
                    why = f"{word!r} is no TABLE.COLUMN.{did_you_mean(word.partition('.')[0], tables)} Tables: {', '.join(tables)}"
                    yield ("source", "relationships", i, key), why
    for name in spec.columns:
        if name.partition(".")[0] not in tables:
            yield ("columns", name), f"expected TABLE.COLUMN.{did_you_mean(name.partition('.')[0], tables)} Tables: {', '.join(tables)}"
    if spec.privacy_unit is not None and spec.privacy_unit.partition(".")[0] not in tables:
        yield ("privacy_unit",), f"expected TABLE or TABLE.COLUMN.{did_you_mean(spec.privacy_unit, tables)} Tables: {', '.join(tables)}"
    for path, what in _SINGLE.items():
        section = getattr(spec, path[0])
        if path[1] in section.model_fields_set and getattr(section, path[1]) not in (None, 1, ()):
            yield path, f"{what} are not offered for related tables by this version"
    if spec.generator.method == "auto":
        yield ("generator", "method"), "auto looks at one table; remedy: method: trees"
    if spec.output.path is not None:
        target = loaded.resolve(spec.output.path, "output", "path")
        if target.is_file() or not target.parent.is_dir():
            yield ("output", "path"), "expected a folder for a file per table, in a folder that exists"


def output(loaded: Loaded) -> Iterator[Problem]:
    """The output must be a table, an object, or a file of its own in a folder that exists, with an ending that fits its format."""
    output, source = loaded.spec.output, loaded.spec.source
    if output.format == "sql":
        yield from _output_table(loaded.spec)
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
            yield key, f"the folder {target.parent} does not exist; remedy: make it"
        if target == loaded.file:
            yield key, "is the spec itself, which would be overwritten"
        name = target.name
    copies = loaded.spec.generate.copies
    written = [target] if copies == 1 else [f"{_stem(str(target))[0]}-{i}{_stem(str(target))[1]}" for i in range(1, copies + 1)]
    if source.path is not None and str(loaded.place(source.path, "source", "path")) in map(str, written):
        yield key, "is the source itself, which would be overwritten"
    told = format_of(name)
    if told is not None and told != output.format:
        yield key, f"ends like {told}, and output.format is {output.format}; remedy: make the two agree"


def _stem(path: str) -> tuple[str, str]:
    """A path and its endings: people, .csv.gz"""
    folder, slash, name = path.rpartition("/")
    stem, dot, endings = name.partition(".")
    return f"{folder}{slash}{stem}", f"{dot}{endings}"


def _output_table(spec: Spec) -> Iterator[Problem]:
    output = spec.output
    if output.path is not None:
        yield ("output", "path"), "format sql has no path; remedy: url and table"
    for key in ("url", "table"):
        if getattr(output, key) is None:
            yield ("output",), f"format sql needs {key}: {'${WAREHOUSE_URL}' if key == 'url' else 'NAME'}"
    if output.url is not None:
        yield from _secret("output", output.url)
    if output.table is not None and (output.url, output.table) == (spec.source.url, spec.source.table):
        yield ("output", "table"), "is the source itself, which would be overwritten"


def _secret(section: str, url: str) -> Iterator[Problem]:
    """Named by its section, as the value of a key is shown."""
    if credentials.literal(url):
        yield (section,), "a password stands in the url; remedy: take it from the environment, such as url: ${WAREHOUSE_URL}"


def _remote(key: tuple[str, ...], path: str, *, write: bool) -> Iterator[Problem]:
    if credentials.literal(path):
        yield key[:1], "a secret stands in the path; remedy: credentials in the environment, where the store looks for them"
        return
    try:
        remote.check(path, ".".join(key), write=write)
    except SpecError as error:
        yield key, str(error).partition("; ")[2]


def format_of(name: str) -> str | None:
    """The format that a file's ending tells, None where it tells none."""
    endings = {".csv": "csv", ".parquet": "parquet", ".pq": "parquet", ".jsonl": "jsonl", ".ndjson": "jsonl", ".xlsx": "excel"}
    return endings.get(PurePath(name.removesuffix(".gz")).suffix)
