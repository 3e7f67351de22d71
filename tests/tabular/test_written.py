"""Rules hold for the rows of the written file, and are measured on it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli import sources
from synthcli.columns import frame as frames
from synthcli.columns.constraints.table_rules import Unique
from synthcli.columns.discovery.infer import look, parse
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.modelling import Job, Limits, Request, silent
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.methods import independent
from synthcli.tabular.metrics import rules
from synthcli.tabular.sampling.request import settle
from synthcli.tabular.sampling.stream import RowStream
from synthcli.tabular.written import WrittenRows, read_back

SEASONS = Unique(("player", "year"))


def seasons(rows: int = 600, *, form: str = "%Y") -> Table:
    """Players with one row a year, whose date is any day of it in the source."""
    rng = np.random.default_rng(0)
    cells = rng.permutation(40 * 30)[:rows]
    days = [f"{1980 + c % 30}-{1 + c % 12:02d}-{1 + c % 28:02d}" for c in cells]
    frame = pd.DataFrame({"player": [f"p{c // 30}" for c in cells], "year": pd.to_datetime(days).as_unit("us")})
    schema, parsed = parse(frames.pa.Table.from_pandas(frame), {"year": Traits(type="datetime", format=form)})
    return Table(parsed, look(schema, parsed))


@pytest.mark.parametrize("format_", ["csv", "jsonl", "parquet", "excel"])
def test_rows_that_differ_only_within_a_year_are_duplicates_of_the_file(format_: str, tmp_path: Path) -> None:
    real = seasons()
    assert not SEASONS.violations(real.frame).any()
    model = independent.fit(real, independent.Params(), job=Job(0, tmp_path, "cpu", Limits(), silent))
    settled = settle(Request(300, 0), model, real.schema, (SEASONS,))
    stream = RowStream(model, settled, real.schema)
    stream.write(tmp_path / "data.parquet", "parquet", silent)
    written = tmp_path / f"out.{'xlsx' if format_ == 'excel' else format_}"
    sources.write(
        (t.frame for t in RowStream(model, settled, real.schema).tables(silent)), real.schema, written, format_
    )
    raw = sources.read(sources.Source(type=format_, path=written)).to_pandas()
    assert len(raw) == 300 and not raw.duplicated().any()
    assert stream.tally.refused[SEASONS.text] > 0
    if format_ == "csv":
        assert raw["year"].str.fullmatch(r"\d{4}").all()


def test_violations_are_counted_in_what_a_reader_of_the_output_gets(tmp_path: Path) -> None:
    schema = Schema(
        (
            Column("player", Traits(type="category")),
            Column("year", Traits(type="datetime", format="%Y"), storage="timestamp[us]"),
        )
    )
    days = pd.Series(pd.to_datetime(["2001-01-01", "2001-12-31", "2002-05-05", None]).as_unit("us"))
    frame = pd.DataFrame({"player": pd.Series(["a", "a", "a", "a"], dtype=frames.STRING), "year": days})
    sources.write(iter([frame, frame.assign(player="b")]), schema, tmp_path / "data.parquet", "parquet")
    evidence = Evidence(schema, Table(frame, schema), constraints=(SEASONS,))

    def measured(format_: str, copies: int = 1) -> tuple[float | None, int | None]:
        rows = WrittenRows(tmp_path / "data.parquet", schema, format_)
        found = rules.measure(replace(evidence, written=(rows,) * copies), rng=np.random.default_rng(0))
        return found[0].value, found[0].n

    assert measured("parquet") == (0.0, 8)
    assert measured("csv") == (0.25, 8)
    assert measured("csv", copies=2) == (0.25, 16)  # copies are files of their own


def test_duplicates_far_apart_in_the_file_are_found(tmp_path: Path) -> None:
    schema = Schema((Column("k", Traits(type="integer"), storage="int64"),))
    chunks = [
        pd.DataFrame({"k": pd.array(range(5), dtype="Int64")}),
        pd.DataFrame({"k": pd.array([9, 0], dtype="Int64")}),
    ]
    evidence = Evidence(schema, Table(chunks[0], schema), constraints=(Unique(("k",)),), written=(chunks,))
    overall, by_rule = rules.measure(evidence, rng=np.random.default_rng(0))
    assert overall.value == by_rule.value == pytest.approx(1 / 7) and by_rule.of == "unique: k"


@pytest.mark.parametrize("format_", ["csv", "jsonl", "excel", "sql"])
def test_rows_come_back_with_their_types(format_: str) -> None:
    schema = Schema(
        (
            Column("code", Traits(type="category")),
            Column("n", Traits(type="integer"), storage="int64"),
            Column("x", Traits(type="float", format="%.1f"), storage="double"),
            Column("yes", Traits(type="boolean", format="J|N"), storage="bool"),
            Column("at", Traits(type="datetime"), storage="timestamp[us]"),
        )
    )
    frame = pd.DataFrame(
        {
            "code": pd.Series(["007", "N", "a,b"], dtype=frames.STRING),
            "n": pd.array([1, None, 3], dtype="Int64"),
            "x": [0.5, np.nan, 1e6],
            "yes": pd.array([True, None, False], dtype="boolean"),
            "at": pd.Series(pd.to_datetime(["2024-01-01 10:00:01", None, "1999-12-31 00:00:00"]).as_unit("us")),
        }
    )
    pd.testing.assert_frame_equal(read_back(frames.to_arrow(frame, schema), schema, format_), frame)
