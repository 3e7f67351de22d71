"""The dialect of csv outputs: as declared, else that of the source, and always one that reads back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modality import Csv
from synthcli.errors import DataError
from synthcli.sources import Source

ROWS = {
    "name": ["Müller; Söhne", 'say "hi"', None, " x", "=1+1"],
    "price": [1.5, -2.25, None, 1e-7, 1234.0],
    "count": [1, -2, 3, None, 5],
    "when": pd.to_datetime(["2020-01-31", None, "2021-02-01", "2021-02-01", "2021-02-01"]),
    "ok": [True, False, None, True, False],
}


def table() -> Table:
    frame = pd.DataFrame(ROWS).astype({"count": "Int64", "ok": "boolean"})
    schema, canonical = infer(pa.Table.from_pandas(frame, preserve_index=False), {})
    return Table(canonical, schema)


@pytest.mark.parametrize(
    "style",
    [
        Csv(),
        Csv(delimiter=";", decimal=","),
        Csv(delimiter="\t", encoding="utf-16"),
        Csv(delimiter="|", encoding="latin-1"),
        Csv(delimiter=":", encoding="utf-8-sig"),
        Csv(decimal=","),
    ],
    ids=str,
)
def test_what_is_written_reads_back(style: Csv, tmp_path: Path) -> None:
    path, real = tmp_path / "x.csv", table()
    sources.write(iter([real.frame.iloc[:2], real.frame.iloc[2:]]), real.schema, path, "csv", csv=style)
    whole = style.like(None)
    encoding = None if (whole.encoding or "").startswith("utf") else whole.encoding
    source = Source("csv", path, delimiter=whole.delimiter, decimal=str(whole.decimal), encoding=encoding)
    _, back = infer(sources.read(source), {"ok": real.schema["ok"].declared}, text=True)
    back["when"] = back["when"].astype(real.frame["when"].dtype)
    pd.testing.assert_frame_equal(back, real.frame, check_dtype=False)
    raw = path.read_bytes()
    assert raw.count(b"\xff\xfe") == (whole.encoding == "utf-16") and raw.count(b"\xef\xbb\xbf") == (
        whole.encoding == "utf-8-sig"
    )


@pytest.mark.parametrize(
    ("declared", "source", "expected"),
    [
        ({}, None, (",", ".")),
        ({}, {"delimiter": ";", "decimal": ","}, (";", ",")),
        ({"delimiter": ","}, {"delimiter": ";", "decimal": ","}, (",", ".")),
        ({"decimal": ","}, {"delimiter": ",", "decimal": "."}, (";", ",")),
        ({"delimiter": "\t", "decimal": ","}, {"delimiter": ";", "decimal": "."}, ("\t", ",")),
    ],
)
def test_a_declared_sign_overrules_the_other_one_of_the_source(
    declared: dict[str, str], source: dict[str, str] | None, expected: tuple[str, str]
) -> None:
    style = Csv(**declared).like(source)
    assert (style.delimiter, style.decimal) == expected


def test_formulas_are_escaped_where_a_spreadsheet_would_run_them(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    frame = pd.DataFrame({"w": ["=1+1", "+x", "-x", "@x", "a=b", "\tx"], "n": [-1, 2, 3, 4, 5, 6]})
    schema, canonical = infer(pa.Table.from_pandas(frame, preserve_index=False), {})
    sources.write(iter([canonical]), schema, path, "csv", csv=Csv(formulas="escape"))
    assert path.read_text().splitlines()[1:] == [
        '"\'=1+1",-1',
        '"\'+x",2',
        '"\'-x",3',
        '"\'@x",4',
        "a=b,5",
        '"\'\tx",6',
    ]


def test_a_character_that_the_encoding_lacks_is_named_with_its_column(tmp_path: Path) -> None:
    real = table()
    with pytest.raises(DataError, match=r"column name holds 'ü', which ascii does not have; remedy: output\.encoding"):
        sources.write(iter([real.frame]), real.schema, tmp_path / "x.csv", "csv", csv=Csv(encoding="ascii"))
    assert not list(tmp_path.iterdir())


GERMAN = "alter;gewicht;stadt\n" + "\n".join(f"{20 + i % 50};{60 + i % 30},{i % 10};Köln" for i in range(120)) + "\n"


@pytest.fixture
def german(tmp_path: Path) -> Path:
    (tmp_path / "leute.csv").write_text(GERMAN, encoding="latin-1")
    spec = tmp_path / "leute.yaml"
    spec.write_text(
        "source: {type: csv, path: leute.csv, decimal: ',', encoding: latin-1}\n"
        "generator: {method: independent}\nevaluate: {gates: []}\nprivacy_check: {attacks: [], gates: []}\n"
        "refine: {max_rounds: 1}\noutput: {format: csv, path: out.csv}\n"
    )
    return spec


def test_a_run_writes_the_dialect_of_its_source(german: Path, synth: Any, tmp_path: Path) -> None:
    assert synth("run", german).code == 0
    lines = (tmp_path / "out.csv").read_text(encoding="latin-1").splitlines()
    assert lines[0] == "alter;gewicht;stadt"
    assert all(line.count(";") == 2 and line.endswith("Köln") and "," in line.split(";")[1] for line in lines[1:])
    assert synth("generate", "--from", "leute/1", "--rows", 5, "-o", "more.csv").code == 0
    assert (tmp_path / "more.csv").read_text(encoding="latin-1").splitlines()[0] == "alter;gewicht;stadt"
    said = synth("run", german, "--set", "output.delimiter=','", "--set", "output.encoding=utf-8")
    assert said.code == 0, said.err
    assert (tmp_path / "out.csv").read_text(encoding="utf-8").splitlines()[0] == "alter,gewicht,stadt"


def test_another_dialect_is_a_change(german: Path, synth: Any, tmp_path: Path) -> None:
    assert synth("run", german).code == 0
    said = synth("run", german, "--if-changed", "--set", "output.delimiter='|'")
    assert said.code == 0 and (tmp_path / "out.csv").read_text(encoding="latin-1").startswith("alter|gewicht|stadt")


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("output.delimiter=x", r"output\.delimiter is 'x' .*cannot be told from the cells"),
        ("output.encoding=utf-9", r"output\.encoding is 'utf-9' .*is not a text encoding.*Did you mean utf-8"),
        ("output={format: parquet, path: out.parquet, formulas: escape}", "formulas .*belongs to output.format: csv"),
        ("output={format: csv, path: out.csv, delimiter: ',', decimal: ','}", "is also the decimal sign"),
    ],
)
def test_a_dialect_that_cannot_be_is_refused(german: Path, synth: Any, key: str, message: str) -> None:
    said = synth("check", german, "--set", key)
    assert said.code == 1 and re.search(message, said.err), said.err
