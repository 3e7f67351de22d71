"""Related tables beside SDV's HMA: learned from the same units, judged by SDMetrics' definitions against unseen
ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from synthcli import seeds, sources
from synthcli.columns import frame as canonical
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.modelling import Job
from synthcli.contracts.schema import Traits
from synthcli.relational.data import Tables
from synthcli.relational.judging import join_parents, key_columns
from synthcli.relational.model import model as related_model
from synthcli.relational.model.table_method import TableMethod
from synthcli.relational.relationships import Relationship
from synthcli.tabular.methods import trees
from tests.benchmarks.harness import processes
from tests.benchmarks.harness.document import Section, figure, grid, machine

TITLE = "Related tables"
ENGINES = ("synthcli", "sdv_hma")
UNSEEN = 0.3
HEAD = (
    "tables",
    "generator",
    "cardinality shape",
    "column shapes",
    "parent-child trend",
    "inter-table trends",
    "sibling trend",
    "keys",
    "fit s",
    "sample s",
    "peak MB",
)
ABOUT = (
    "Learned from 70 % of the rows of the root table with all that hangs from them, judged against the other 30 %;"
    " `real` is the learned part in the place of synthetic tables. Judged with SDMetrics: CardinalityShapeSimilarity;"
    " KSComplement and TVComplement of every column that is no key, averaged; CorrelationSimilarity and"
    " ContingencySimilarity of every column of a parent, its number of children among them, with every column of its"
    " children (parent-child trend); its quality report's Intertable Trends, which leaves numbers of children out and"
    " is empty where parents have no columns; CorrelationSimilarity of a number with the same parent's previous one"
    " (sibling trend); the share of foreign keys that lead to a row (keys)."
)


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this bench."""
    parser.add_argument(
        "--related-data",
        default="",
        help="a folder with a file per table; TABLE_id, or the table's singular, refers to its id; default: simulated",
    )
    parser.add_argument("--related-engines", default=",".join(ENGINES))
    parser.add_argument("--related-minutes", type=float, default=60, help="for each generator")


def run(asked: argparse.Namespace) -> list[Section]:
    """Every engine in a process of its own."""
    name, tables = (
        ("simulated shop", _simulated())
        if not asked.related_data
        else (Path(asked.related_data).name, folder(Path(asked.related_data)))
    )
    tables = tables.checked()[0]
    parts = tables.split({"train": 1 - UNSEEN, "unseen": UNSEEN}, rng=seeds.stream(asked.seed, "related"))
    lines, notes = [_line(name, "real", judged(parts["unseen"], parts["train"]), None)], []
    for engine in asked.related_engines.split(","):
        with tempfile.TemporaryDirectory() as scratch:
            place = Path(scratch)
            _write(parts["train"], place)
            print(f"related: {engine}", file=sys.stderr, flush=True)
            ran = processes.python(
                ["-m", "tests.benchmarks.relational", engine, str(place), str(asked.seed)],
                minutes=asked.related_minutes,
            )
            if ran.code != 0:
                notes.append(f"- {engine}: {ran.why}")
                continue
            took = json.loads(ran.out.strip().splitlines()[-1]) | {"peak": ran.peak}
            lines.append(_line(name, engine, judged(parts["unseen"], _read(parts["train"], place / "made")), took))
    rows = ", ".join(f"{n:,} {t}" for t, n in tables.rows.items())
    return [Section(TITLE, f"{ABOUT}\n\n{name}: {rows}. {machine()}.", grid(HEAD, lines), "\n".join(notes))]


def _line(name: str, engine: str, found: dict[str, float], took: dict[str, float] | None) -> list[str]:
    figures = [figure(found.get(k)) for k in ("cardinality", "shapes", "trend", "intertable", "siblings", "keys")]
    speed = (
        [figure(took["fit"], 1), figure(took["sample"], 1), figure(took["peak"] / 2**20, 0)] if took else ["", "", ""]
    )
    return [name, engine, *figures, *speed]


def judged(real: Tables, other: Tables) -> dict[str, float]:
    """Figures of one set of tables against another, by SDMetrics."""
    from sdmetrics.column_pairs import ContingencySimilarity, CorrelationSimilarity
    from sdmetrics.multi_table import CardinalityShapeSimilarity
    from sdmetrics.single_column import KSComplement, TVComplement

    shapes, trends, siblings, keys = [], [], [], []
    for name, schema in real.schemas.items():
        for c in schema.columns:
            if c.kind in canonical.MODELLED and c.name not in key_columns(real, name):
                kind = KSComplement if c.kind in canonical.NUMBERS else TVComplement
                shapes.append(
                    kind.compute(_plain(real.frames[name][c.name], c.kind), _plain(other.frames[name][c.name], c.kind))
                )
    for r in real.relationships:
        a, b = join_parents(real, r), join_parents(other, r)
        kinds = {c.name: c.kind for c in a.schema.columns}
        for up in (n for n in a.schema.names if n.startswith("parent.")):
            for low in (n for n in a.schema.names if n.startswith("child.")):
                pair = [pd.DataFrame({n: _plain(side.frame[n], kinds[n]) for n in (up, low)}) for side in (a, b)]
                numbers = {kinds[up], kinds[low]} <= canonical.NUMBERS
                trends.append((CorrelationSimilarity if numbers else ContingencySimilarity).compute(*pair))
        siblings += _siblings(real, other, r)
        known = ~other.frames[r.child][list(r.columns)].isna().any(axis=1).to_numpy()
        keys.append(float((other.parents(r)[known] >= 0).mean()))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        meta = _metadata(real).to_dict()
        cardinality = CardinalityShapeSimilarity.compute(_raw(real), _raw(other), meta)
    mean = lambda values: float(np.nanmean(values)) if len(values) and not np.isnan(values).all() else np.nan  # noqa: E731
    return {
        "cardinality": cardinality,
        "shapes": mean(shapes),
        "trend": mean(trends),
        "intertable": _report(real, other, meta),
        "siblings": mean(siblings),
        "keys": mean(keys),
    }


def _report(real: Tables, other: Tables, meta: dict[str, object]) -> float:
    from sdmetrics.reports.multi_table import QualityReport

    report = QualityReport()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        report.generate(_raw(real), _raw(other), meta, verbose=False)
    table = report.get_properties().set_index("Property")["Score"]
    return float(table.get("Intertable Trends", np.nan))


def _siblings(real: Tables, other: Tables, r: Relationship) -> list[float]:
    from sdmetrics.column_pairs import CorrelationSimilarity

    from synthcli.relational.metrics.siblings import join_previous_siblings, sort_column

    by = sort_column(real, r)
    a, b = join_previous_siblings(real, r, by).frame, join_previous_siblings(other, r, by).frame
    schema = real.schemas[r.child]
    names = [c.name for c in schema.columns if c.kind in canonical.NUMBERS and c.name not in key_columns(real, r.child)]
    pairs = [
        [pd.DataFrame({n: _plain(side[n], schema[c].kind) for n in (f"{c} before", f"this {c}")}) for side in (a, b)]
        for c in names
    ]
    return [CorrelationSimilarity.compute(*pair) for pair in pairs if len(pair[0]) > 2 and len(pair[1]) > 2]


def _plain(values: pd.Series, kind: str) -> pd.Series:
    """A column in the types that SDMetrics takes."""
    if kind == "datetime":
        return pd.to_datetime(values).astype("datetime64[ns]")
    return values.astype("float64") if kind in ("integer", "float") else values.astype(object)


def _raw(tables: Tables) -> dict[str, pd.DataFrame]:
    """Frames as SDV takes them: keys as words."""
    out = {}
    for name, schema in tables.schemas.items():
        keys, frame = key_columns(tables, name), tables.frames[name]
        out[name] = pd.DataFrame(
            {
                c.name: (
                    frame[c.name].astype("string").astype(object) if c.name in keys else _plain(frame[c.name], c.kind)
                )
                for c in schema.columns
            }
        )
    return out


def _metadata(tables: Tables) -> object:
    """What SDV is told: the types and the keys that synthcli knows."""
    from sdv.metadata import Metadata

    kinds = {"integer": "numerical", "float": "numerical", "datetime": "datetime"}
    described: dict[str, object] = {}
    for name, schema in tables.schemas.items():
        keys = key_columns(tables, name)
        columns = {
            c.name: {"sdtype": "id" if c.name in keys else kinds.get(c.kind, "categorical")} for c in schema.columns
        }
        primary = next((r.keys[0] for r in tables.relationships if r.parent == name and len(r.keys) == 1), None)
        described[name] = {"columns": columns} | ({"primary_key": primary} if primary else {})
    links = [
        {
            "parent_table_name": r.parent,
            "parent_primary_key": r.keys[0],
            "child_table_name": r.child,
            "child_foreign_key": r.columns[0],
        }
        for r in tables.relationships
        if len(r.keys) == 1
    ]
    return Metadata.load_from_dict({"tables": described, "relationships": links})


def folder(path: Path) -> Tables:
    """The tables of a folder; a column called like another table, or its singular, and _id refers to the id of that
    table.
    """
    found = {
        p.name.partition(".")[0]: p for p in sorted(path.iterdir()) if p.name.endswith((".csv", ".csv.gz", ".parquet"))
    }
    read = {n: sources.Source("parquet" if p.name.endswith(".parquet") else "csv", path=p) for n, p in found.items()}
    names = {n: sources.columns(s) for n, s in read.items()}
    relationships = [
        Relationship(child, (column,), parent, ("id",))
        for child, columns in names.items()
        for column in columns
        for parent in names
        if "id" in names[parent] and column in (f"{parent}_id", f"{parent.removesuffix('s')}_id")
    ]
    keys = {(t, c) for r in relationships for t, c in ((r.child, r.columns[0]), (r.parent, "id"))}
    schemas, frames = {}, {}
    for name, source in read.items():
        declared = {c: Traits(type="id") for t, c in keys if t == name}
        schemas[name], frames[name] = infer(sources.read(source), declared, text=sources.spelled(source))
    return Tables(frames, schemas, relationships)


def _simulated() -> Tables:
    from tests.relational.simulated import retail

    return retail(3_000)


def _write(tables: Tables, place: Path) -> None:
    for name, frame in tables.frames.items():
        pq.write_table(canonical.to_arrow(frame, tables.schemas[name]), place / f"{name}.parquet")
    body = {
        "schemas": {n: s.to_json() for n, s in tables.schemas.items()},
        "relationships": [r.to_json() for r in tables.relationships],
    }
    (place / "tables.json").write_text(json.dumps(body))


def _read(like: Tables, place: Path) -> Tables:
    frames = {n: canonical.to_frame(pq.read_table(place / f"{n}.parquet"), s) for n, s in like.schemas.items()}
    return Tables(frames, like.schemas, like.relationships)


def _loaded(place: Path) -> Tables:
    from synthcli.contracts.schema import Schema

    body = json.loads((place / "tables.json").read_text())
    schemas = {n: Schema.from_json(s) for n, s in body["schemas"].items()}
    frames = {n: canonical.to_frame(pq.read_table(place / f"{n}.parquet"), s) for n, s in schemas.items()}
    return Tables(frames, schemas, [Relationship.from_json(r) for r in body["relationships"]])


def main(engine: str, place: Path, seed: int) -> None:
    """What an engine's own process does: learn, make as many, write them, and print how long it took."""
    tables = _loaded(place)
    (place / "made").mkdir()
    started = time.perf_counter()
    if engine == "synthcli":
        fitted = related_model.fit(tables.checked()[0], TableMethod(trees), job=Job(seed))
        middle = time.perf_counter()
        made = fitted.sample(len(tables), rng=seeds.stream(seed, "made")).frames
        took = middle - started, time.perf_counter() - middle
    else:
        made, took = _hma(tables, seed)
    for name, frame in made.items():
        schema = tables.schemas[name]
        table = pa.table(
            {c.name: _stored(frame[c.name], c.kind, canonical.arrow_type(c.storage)) for c in schema.columns}
        )
        pq.write_table(table, place / "made" / f"{name}.parquet")
    print(json.dumps({"fit": took[0], "sample": took[1]}))


def _stored(values: pd.Series, kind: str, type_: pa.DataType) -> pa.Array:
    if kind == "integer" or (kind == "id" and pa.types.is_integer(type_)):
        values = pd.to_numeric(values, errors="coerce").astype("Float64").round().astype("Int64")
    if kind == "datetime":
        values = pd.to_datetime(values)
    array = pa.Array.from_pandas(values)
    array = array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
    return array.cast(type_, safe=False)


def _hma(tables: Tables, seed: int) -> tuple[dict[str, pd.DataFrame], tuple[float, float]]:
    from sdv.multi_table import HMASynthesizer

    np.random.seed(seed)  # SDV draws from numpy's shared state
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        started = time.perf_counter()
        synthesizer = HMASynthesizer(_metadata(tables), verbose=False)
        synthesizer.fit(_raw(tables))
        middle = time.perf_counter()
        made = synthesizer.sample(num_rows=len(tables), main_table_name=tables.unit[0])
    return made, (middle - started, time.perf_counter() - middle)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
