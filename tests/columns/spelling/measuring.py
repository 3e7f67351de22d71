"""Write the corpus to a source, read it, write it as its source does, and compare both."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa

from synthcli import sources
from synthcli.columns.discovery.infer import parse
from synthcli.contracts.modality import Target
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.sources import Source
from tests.columns.spelling import corpus

ENDINGS = {"csv": "csv", "jsonl": "jsonl", "parquet": "parquet", "excel": "xlsx"}
CLOSE = 0.12  # largest distance between the shares of shapes


@dataclass(frozen=True)
class Back:
    """A table as it was read (schema, frame, raw cells) and as it was written again."""

    schema: Schema
    frame: pd.DataFrame
    cells: pa.Table
    again: pa.Table
    reread: pd.DataFrame

    def same_values(self, name: str) -> bool:
        """Whether the written cells are read as the same values."""
        return bool(self.frame[name].equals(self.reread[name]))

    def distance(self, name: str) -> float:
        """The total variation distance between the shapes of the cells that were read and of those that were written."""
        first, second = (Counter(map(shape, t[name].to_pylist())) for t in (self.cells, self.again))
        return sum(abs(first[s] - second[s]) for s in {*first, *second}) / 2 / max(1, self.cells.num_rows)


def shape(cell: object) -> str:
    """The shape of a cell: 9 for digits, a for letters; words for missing as they are."""
    text = "" if cell is None else str(cell)
    if (offset := re.search(r"[+-]\d\d:?\d\d$", text)) is not None and ":" in text:
        return offset[0]
    if not any(c.isdigit() for c in text):
        return text
    text = re.sub(r"\d{1,3}([,.'’_ \u00a0\u202f]\d{3})+", "9", text)
    return re.sub(r"[^\W\d_]{3,}", "a", re.sub(r"\d+", lambda m: "9" if len(m[0]) != 2 else "99", text))


def there_and_back(kind: str, folder: Path, cells: dict[str, list[str]] | None = None) -> Back:
    """Columns, by default the corpus, in a source of a kind, read and written again."""
    cells = corpus.columns() if cells is None else cells
    names = {name: f"c{i}" for i, name in enumerate(cells)}
    parts = [list(cells)[i : i + 90] for i in range(0, len(cells), 90)] if kind == "sql" else [list(cells)]
    backs = [
        again(pa.table({names[n]: pa.array(cells[n], pa.string()) for n in part}), kind, folder / str(i))
        for i, part in enumerate(parts)
    ]
    back = {short: name for name, short in names.items()}
    return Back(
        Schema(
            tuple(
                Column(back[c.name], c.declared, c.inferred, c.storage, c.spelling)
                for b in backs
                for c in b.schema.columns
            )
        ),
        pd.concat([b.frame.rename(columns=back) for b in backs], axis=1),
        _joined([b.cells for b in backs], back),
        _joined([b.again for b in backs], back),
        pd.concat([b.reread.rename(columns=back) for b in backs], axis=1),
    )


def _joined(tables: list[pa.Table], names: dict[str, str]) -> pa.Table:
    return pa.table({names[name]: table[name] for table in tables for name in table.column_names})


def again(table: pa.Table, kind: str, folder: Path) -> Back:
    """A table written to a source of a kind as it is, read with inferred types, and written as its source."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = Schema(tuple(_plain(field) for field in table.schema))
    _write(
        iter([table.to_pandas(types_mapper={pa.string(): pd.StringDtype("pyarrow")}.get)]), plain, kind, folder / "a"
    )
    source = _source(kind, folder / "a")
    cells, text = sources.read(source), sources.spelled(source)
    schema, frame = parse(cells, {}, text=text, protect=False)
    _write(iter([frame]), schema, kind, folder / "b")
    written = sources.read(_source(kind, folder / "b"))
    said = {c.name: Traits(type=c.kind, format=c.get("format")) for c in schema.columns if c.kind in corpus.TYPED}
    said |= {c.name: Traits(type="text") for c in schema.columns if c.kind not in corpus.TYPED and text}
    _, reread = parse(written, said, text=text, protect=False)
    return Back(schema, frame, cells, written, reread.astype(frame.dtypes))


def _plain(field: pa.Field) -> Column:
    kind = "integer" if pa.types.is_integer(field.type) else "category"
    return Column(field.name, Traits(type=kind), storage=str(field.type))


def _write(chunks: object, schema: Schema, kind: str, path: Path) -> None:
    if kind == "sql":
        url = f"sqlite:///{path}.db"
        sources.deliver(chunks, schema, Target("sql", None, url=url, table="t"))  # type: ignore[arg-type]
        return
    sources.write(chunks, schema, path.with_suffix(f".{ENDINGS[kind]}"), kind)  # type: ignore[arg-type]


def _source(kind: str, path: Path) -> Source:
    if kind == "sql":
        return Source("sql", url=f"sqlite:///{path}.db", table="t")
    return Source(kind, path=path.with_suffix(f".{ENDINGS[kind]}"))
