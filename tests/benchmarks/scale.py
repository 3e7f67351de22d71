"""How the default method grows with rows and columns: seconds, memory, and rows per second to Parquet."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from synthcli import seeds
from synthcli.contracts.schema import Schema
from tests.benchmarks.compare import Engine, Failed, make, task_of
from tests.benchmarks.harness.document import Section, figure, grid, machine

TITLE = "Scale"
ROWS, SLOW_ROWS = (100_000, 1_000_000), 10_000_000
WIDE = (10_000, 300)  # rows, columns
GENERATED, COUNTED = 1_000_000, 100_000_000
GROUP = 100_000  # rows simulated at a time
HEAD = ("rows learned", "columns", "fit s", "rows made", "rows/s to Parquet", "whole run s", "peak MB")
ABOUT = (
    "Simulated rows, not real ones: fifteen columns with the same types and numbers of categories as the UCI Adult"
    " table, correlated through two latent numbers per row (the wide table has the stated number of such columns, half"
    " of them numeric). whole run s: `synth generate` from the file to the generated rows, including reading, type"
    " inference and profiling; peak MB is for the same run."
)
_ADULT_CATEGORIES = (
    9,
    16,
    7,
    15,
    6,
    5,
    2,
    42,
    2,
)  # workclass, education, marital status, occupation, relationship, race, sex, country, income


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this bench."""
    parser.add_argument(
        "--scale-rows",
        default=",".join(str(n) for n in ROWS),
        help="rows to learn from, one run each; --slow adds 10 million",
    )
    parser.add_argument(
        "--scale-wide", default="x".join(str(n) for n in WIDE), help="ROWSxCOLUMNS of the wide table; empty: none"
    )
    parser.add_argument("--scale-made", type=int, default=GENERATED, help="rows to make from each")
    parser.add_argument("--scale-counted", type=int, default=COUNTED, help="rows that --slow makes and counts")
    parser.add_argument("--scale-method", default="trees")
    parser.add_argument(
        "--slow", action="store_true", help="with --scale: 10 million rows learned, and 100 million made and counted"
    )


def run(asked: argparse.Namespace) -> list[Section]:
    """One run of the whole program for each size."""
    engine = Engine("synthcli", asked.scale_method, sys.executable)
    sizes = [(int(n), 15, asked.scale_made) for n in asked.scale_rows.split(",") if n]
    if asked.scale_wide:
        rows, columns = (int(n) for n in asked.scale_wide.split("x"))
        sizes.append((rows, columns, rows))
    if asked.slow:
        sizes += [(SLOW_ROWS, 15, asked.scale_made), (ROWS[0], 15, asked.scale_counted)]
    lines, notes = [], []
    for rows, columns, made in sizes:
        print(f"scale: {rows:,} rows × {columns} columns, {made:,} made", file=sys.stderr, flush=True)
        try:
            lines.append(measured(engine, rows, columns, made, asked.seed))
        except Failed as error:
            notes.append(f"- {rows:,} rows × {columns} columns: {error}")
    about = f"{ABOUT} Method: {asked.scale_method}.\n\n{machine()}."
    return [Section(TITLE, about, grid(HEAD, lines), "\n".join(notes))]


def measured(engine: Engine, rows: int, columns: int, made: int, seed: int) -> list[str]:
    """One line. The rows made are counted in the file, group by group. Raises Failed."""
    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        simulate(place / "train.parquet", rows, columns, rng=seeds.stream(seed, "scale", rows, columns))
        task = task_of(
            engine,
            Schema(()),
            "income" if columns == 15 else None,
            place / "train.parquet",
            place / "made.parquet",
            made,
            seed,
        )
        took, ran = make(engine, task, place, None)
        with pq.ParquetFile(task["out"]) as file:
            counted = sum(len(batch) for batch in file.iter_batches(1 << 20, columns=[file.schema_arrow.names[0]]))
    if counted != made:
        raise Failed(f"{made:,} rows were asked for and {counted:,} were made")
    speed = made / max(took["sample_seconds"], 1e-3)
    figures = [
        figure(took["fit_seconds"], 1),
        f"{made:,}",
        figure(speed, 0),
        figure(ran.seconds, 1),
        figure(ran.peak / 2**20, 0),
    ]
    return [f"{rows:,}", str(columns), *figures]


def simulate(path: Path, rows: int, columns: int, *, rng: np.random.Generator) -> None:
    """A Parquet file of tied columns, written a group of rows at a time."""
    writer = None
    for group in _groups(rows, columns, rng):
        writer = writer or pq.ParquetWriter(path, group.schema)
        writer.write_table(group)
    assert writer is not None  # rows is at least 1
    writer.close()


def _groups(rows: int, columns: int, rng: np.random.Generator) -> Iterator[pa.Table]:
    loads = rng.normal(size=(2, max(columns, 15)))
    spread = np.sqrt((loads**2).sum(0) + 0.36)
    for start in range(0, rows, GROUP):
        n = min(GROUP, rows - start)
        hidden = (
            rng.normal(size=(n, 2)) @ loads + 0.6 * rng.normal(size=(n, loads.shape[1]))
        ) / spread  # (n, columns), each standard normal
        yield _adult(hidden) if columns == 15 else _wide(hidden[:, :columns])


def _adult(hidden: np.ndarray) -> pa.Table:
    """Fifteen columns: six numbers and nine categories."""
    numbers = {
        "age": np.clip(38 + 13 * hidden[:, 0], 17, 90).astype(np.int64),
        "weight": np.exp(12 + 0.45 * hidden[:, 1]).astype(np.int64),
        "education_years": np.clip(10 + 2.5 * hidden[:, 2], 1, 16).astype(np.int64),
        "capital_gain": np.where(hidden[:, 3] > 1.4, np.exp(6 + hidden[:, 3]), 0).astype(np.int64),  # 92 % zeros
        "capital_loss": np.where(hidden[:, 4] > 1.65, 1_500 + 150 * hidden[:, 4], 0).astype(np.int64),  # 95 % zeros
        "hours": np.clip(40 + np.where(np.abs(hidden[:, 5]) < 0.6, 0, 10 * hidden[:, 5]), 1, 99).astype(np.int64),
    }
    names = (
        "workclass",
        "education",
        "marital_status",
        "occupation",
        "relationship",
        "race",
        "sex",
        "country",
        "income",
    )
    words = {name: _words(hidden[:, 6 + i], size) for i, (name, size) in enumerate(zip(names, _ADULT_CATEGORIES))}
    return pa.table({**{k: pa.array(v) for k, v in numbers.items()}, **words})


def _wide(hidden: np.ndarray) -> pa.Table:
    """Half numbers, half categories of 2 to 12."""
    d = hidden.shape[1]
    return pa.table(
        {
            f"c{j}": pa.array(np.round(hidden[:, j], 3)) if j % 2 == 0 else _words(hidden[:, j], 2 + j % 11)
            for j in range(d)
        }
    )


def _words(hidden: np.ndarray, size: int) -> pa.Array:
    """Categories of falling frequency: cuts of the hidden number."""
    cuts = 3.5 * np.arange(1, size) / size - 1.0
    return pa.DictionaryArray.from_arrays(
        pa.array(np.searchsorted(cuts, hidden)), pa.array([f"class {i}" for i in range(size)])
    ).cast(pa.string())
