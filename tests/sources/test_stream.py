"""Sources larger than what is kept: the sample, its units, the count, the types that other rows decide, and the memory
that it takes.
"""

from __future__ import annotations

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.errors import DataError
from synthcli.sources import Source, csv, jsonl, parquet, sampling


@pytest.fixture
def small_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "LIMIT", 200_000)


def table(rows: int, units: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    return pd.DataFrame(
        {"n": np.arange(rows), "unit": rng.integers(0, units, rows), "x": rng.normal(size=rows).round(3)}
    )


@pytest.fixture(params=["csv", "parquet", "jsonl"])
def large(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    path = tmp_path / f"x.{request.param}"
    frame = table(40_000)
    {"csv": lambda: frame.to_csv(path, index=False), "parquet": lambda: frame.to_parquet(path, index=False),
     "jsonl": lambda: frame.to_json(path, orient="records", lines=True)}[request.param]()  # fmt: skip
    return Source(request.param, path=path)


def test_what_fits_is_kept_whole(large: Source) -> None:
    drawn = sources.sample(large, seed=0)
    assert not drawn.partial and drawn.kept == drawn.rows == len(drawn.table) == 40_000
    assert drawn.table["n"].cast(pa.int64()).to_pylist() == list(range(40_000))


@pytest.mark.usefixtures("small_limit")
def test_the_sample_is_uniform_in_order_and_counted(large: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = sources.sample(large, seed=0)
    n = drawn.table["n"].cast(pa.int64()).to_numpy()[: drawn.kept]
    assert drawn.rows == 40_000 and 1_000 < drawn.kept < 20_000 and drawn.partial
    assert (np.diff(n) > 0).all()
    tenths = np.histogram(n, bins=10, range=(0, 40_000))[0]
    expected = drawn.kept / 10
    assert ((tenths - expected) ** 2 / expected).sum() < 30  # chi-squared with 9 degrees: below 28 in 999 of 1,000


@pytest.mark.usefixtures("small_limit")
def test_the_sample_does_not_depend_on_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table(40_000).to_csv(tmp_path / "x.csv", index=False)
    source = Source("csv", path=tmp_path / "x.csv", max_rows=1_000)
    kept = []
    for block in (1 << 14, 1 << 16, 1 << 24):
        monkeypatch.setattr(csv, "_BLOCK", block)
        drawn = sources.sample(source, seed=1, unit="unit")
        kept.append(drawn.table.slice(0, drawn.kept).to_pydict())
    assert kept[0] == kept[1] == kept[2] and 900 < len(kept[0]["n"]) <= 1_000
    assert sources.sample(source, seed=2, unit="unit").table["n"].to_pylist() != kept[0]["n"]


@pytest.mark.usefixtures("small_limit")
def test_units_are_whole(large: Source) -> None:
    most = Source(large.type, path=large.path, max_rows=5_000)
    drawn = sources.sample(most, seed=0, unit="unit")
    units = drawn.table.slice(0, drawn.kept)["unit"].cast(pa.int64()).to_pandas()
    whole = table(40_000)["unit"].value_counts()
    assert 4_800 < drawn.kept <= 5_000
    assert (units.value_counts().sort_index() == whole[np.sort(units.unique())]).all()


@pytest.mark.usefixtures("small_limit")
def test_a_unit_larger_than_the_sample_and_units_that_are_null(tmp_path: Path) -> None:
    frame = pd.DataFrame({"unit": ["giant"] * 30_000, "n": range(30_000)})
    frame.to_parquet(tmp_path / "x.parquet")
    drawn = sources.sample(Source("parquet", path=tmp_path / "x.parquet", max_rows=700), seed=0, unit="unit")
    assert drawn.kept == 700 and drawn.table["n"].to_pandas().median() > 10_000
    frame.assign(unit=pd.Series([None] * 30_000, dtype="string")).to_parquet(tmp_path / "x.parquet")
    assert sources.sample(Source("parquet", path=tmp_path / "x.parquet", max_rows=700), seed=0, unit="unit").kept == 700


@pytest.mark.usefixtures("small_limit")
@pytest.mark.parametrize(
    ("column", "odd", "kind"),
    [
        ("x", "see note", "category"),
        ("n", "1.5", "float"),
        ("n", "007", "category"),
        ("day", "unknown", "category"),
        ("n", "99999999999999999999", "category"),
    ],
)
def test_one_odd_cell_far_away_decides_the_type(tmp_path: Path, column: str, odd: str, kind: str) -> None:
    frame = table(40_000).astype({"n": str, "x": str}).assign(day="2020-01-01")
    usual = {"x": "float", "n": "integer", "day": "datetime"}
    source = Source("csv", path=tmp_path / "x.csv", max_rows=1_000)
    frame.to_csv(tmp_path / "x.csv", index=False)
    assert infer(sources.sample(source, seed=0).table, {}, text=True)[0][column].kind == usual[column]
    frame.loc[31_234, column] = odd
    frame.to_csv(tmp_path / "x.csv", index=False)
    drawn = sources.sample(source, seed=0)
    assert len(drawn.table) > drawn.kept == 1_000
    schema, _ = infer(drawn.table, {}, text=True)
    assert schema[column].kind in (kind, "text", "id") and schema[column].kind != usual[column]


@pytest.mark.usefixtures("small_limit")
def test_a_late_type_of_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl, "_BLOCK", 1 << 14)
    lines = [f'{{"a": {i}}}' for i in range(40_000)]
    (tmp_path / "x.jsonl").write_text("\n".join([*lines, '{"a": 1.5, "b": "late"}']))
    source = Source("jsonl", path=tmp_path / "x.jsonl", max_rows=100)
    drawn = sources.sample(source, seed=0)
    assert drawn.rows == 40_001 and [str(t) for t in drawn.table.schema.types] == ["double", "string"]
    (tmp_path / "x.jsonl").write_text("\n".join([*lines, '{"a": "word"}']))
    with pytest.raises(DataError, match="column a is a number in line 1 and a string in line 40001"):
        sources.sample(source, seed=0)


class TestSeveralFiles:
    def test_a_glob(self, tmp_path: Path) -> None:
        for i, name in enumerate(("b", "a", "c")):
            (tmp_path / f"{name}.csv").write_text(f"x,y\n{i},{name}\n")
        (tmp_path / "c.csv").write_text("y,x\nc,2\n")  # another order of columns
        source = Source("csv", path=tmp_path / "*.csv")
        assert sources.read(source).to_pydict() == {"x": ["1", "0", "2"], "y": ["a", "b", "c"]}
        assert sources.columns(source) == ["x", "y"]
        before = sources.fingerprint(source)
        (tmp_path / "d.csv").write_text("x,z\n1,2\n")
        assert sources.fingerprint(source) != before
        with pytest.raises(DataError, match=r"d\.csv: lacks the column y, which .*a\.csv has"):
            sources.read(source)

    def test_partitions(self, tmp_path: Path) -> None:
        for year in (2023, 2024):
            for city in ("Wien", "__HIVE_DEFAULT_PARTITION__"):
                folder = tmp_path / f"year={year}" / f"city={city}"
                folder.mkdir(parents=True)
                pq.write_table(pa.table({"v": [year]}), folder / "part-0.parquet")
        (tmp_path / "_SUCCESS").write_text("")
        (tmp_path / ".hidden.parquet").write_text("no parquet")
        source = Source("parquet", path=tmp_path)
        found = sources.read(source)
        assert sources.columns(source) == ["v", "year", "city"] and found.schema.field("year").type == pa.int64()
        assert sorted(zip(*found.to_pydict().values()), key=str) == [
            (2023, 2023, "Wien"),
            (2023, 2023, None),
            (2024, 2024, "Wien"),
            (2024, 2024, None),
        ]
        (tmp_path / "year=2025").mkdir()
        pq.write_table(pa.table({"v": [1]}), tmp_path / "year=2025" / "x.parquet")
        with pytest.raises(DataError, match=r"its folders name year, those of .* name year, city"):
            sources.read(source)

    def test_types_that_differ(self, tmp_path: Path) -> None:
        pq.write_table(pa.table({"v": [1]}), tmp_path / "a.parquet")
        pq.write_table(pa.table({"v": [1.5]}), tmp_path / "b.parquet")
        assert sources.read(Source("parquet", path=tmp_path))["v"].to_pylist() == [1.0, 1.5]
        pq.write_table(pa.table({"v": ["x"]}), tmp_path / "c.parquet")
        for look in (sources.read, lambda s: sources.sample(s, seed=0)):
            with pytest.raises(DataError, match=r"c\.parquet: .*v.*remedy"):
                look(Source("parquet", path=tmp_path))


def test_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.csv.zip", "w") as archive:
        archive.writestr("inner.csv", "a,b\n1,2\n")
    source = Source("csv", path=tmp_path / "x.csv.zip")
    assert sources.read(source).to_pydict() == {"a": ["1"], "b": ["2"]}
    with zipfile.ZipFile(tmp_path / "x.csv.zip", "a") as archive:
        archive.writestr("other.csv", "a,b\n1,2\n")
    with pytest.raises(DataError, match="holds 2 files; remedy"):
        sources.read(source)
    (tmp_path / "x.csv.zip").write_bytes(b"PK\3\4 broken")
    with pytest.raises(DataError, match="remedy"):
        sources.read(source)
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "x.csv.gz").write_bytes(gzip.compress(b"a\n1\n"))
    assert sources.read(Source("csv", path=tmp_path / "y")).to_pydict() == {"a": ["1"]}


def peak(path: Path, kind: str) -> tuple[float, Any]:
    """Peak megabytes of a process that samples a file, and (rows of the file, rows of the sample)."""
    code = """
import resource, sys
from pathlib import Path
from synthcli import sources
from synthcli.sources import csv
csv._BLOCK = 1 << 20  # Arrow reads 32 of them ahead
drawn = sources.sample(sources.Source(sys.argv[1], path=Path(sys.argv[2])), seed=0)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, drawn.rows, drawn.kept)
"""
    done = subprocess.run([sys.executable, "-c", code, kind, str(path)], capture_output=True, text=True, check=True)
    memory, rows, kept = done.stdout.split()
    return float(memory), (int(rows), int(kept))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, kind: str) -> None:
    import duckdb

    peaks = []
    for millions in (6, 24):
        path = tmp_path / f"{millions}.{kind}"
        rows = f"SELECT range AS id, random() AS x, hash(range)::varchar AS word FROM range({millions} * 1000000)"
        duckdb.sql(f"COPY ({rows}) TO '{path}' (FORMAT {kind})")
        memory, (counted, kept) = peak(path, kind)
        assert counted == millions * 10**6 and 100_000 < kept <= sampling.ROWS
        peaks.append(memory)
        path.unlink()
    assert peaks[1] < 2_000, peaks  # what is promised of a file of any size
    assert peaks[1] < peaks[0] * 1.3, peaks


def test_readers_give_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No kind of file is read in one piece."""
    monkeypatch.setattr(csv, "_BLOCK", 1 << 15)
    monkeypatch.setattr(jsonl, "_BLOCK", 1 << 15)
    monkeypatch.setattr(parquet, "_ROWS", 1_000)
    frame = table(20_000)
    frame.to_csv(tmp_path / "x.csv", index=False)
    frame.to_parquet(tmp_path / "x.parquet", index=False)
    frame.to_json(tmp_path / "x.jsonl", orient="records", lines=True)
    for kind in (csv, jsonl, parquet):
        name = kind.__name__.rpartition(".")[2]
        sizes = [len(t) for t in kind.batches(tmp_path / f"x.{name}", Source(name))]
        assert sum(sizes) == 20_000 and max(sizes) < 4_000
