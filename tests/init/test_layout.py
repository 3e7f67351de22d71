"""How `synth init` finds what stands before a header, names that must be repaired, and the sheet that holds the table."""

import json

import openpyxl
import pandas as pd
import pytest

from synthcli import sources
from synthcli.errors import SpecError
from synthcli.init.findings import settled
from synthcli.init.inputs import parse, section
from synthcli.sources import Source

ROWS = "".join(f"{20 + i % 50},{'abc'[i % 3]},{i * 7 % 90}.5\n" for i in range(60))
TABLE = "age,kind,score\n" + ROWS
PLAIN = ["age", "kind", "score"]


def found(tmp_path, data, name="t.csv"):
    """The options that are detected, and the names that are read."""
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    inputs = parse([str(path)], format=None, table=None, folder=tmp_path)
    source = settled(next(iter(inputs.tables.values())))
    kept = {k: v for k, v in section(source, tmp_path).items() if k not in ("type", "path")}
    return kept, sources.columns(source)


@pytest.mark.parametrize(
    ("data", "options", "names"),
    [
        (TABLE, {}, PLAIN),
        ("Exported by the lab\nDate: 2024-01-02\n\n" + TABLE, {"skip": 3}, PLAIN),
        ("Report,,\n,,\n" + TABLE, {"skip": 2}, PLAIN),
        ("# version 2\n#\n" + TABLE, {"comment": "#"}, PLAIN),
        ("age,kind,\n" + ROWS, {"repair_names": True}, ["age", "kind", "column_3"]),
        ("age,kind,kind\n" + ROWS, {"repair_names": True}, ["age", "kind", "kind_2"]),
        (ROWS, {"header": False}, ["column_1", "column_2", "column_3"]),
        ("kind;größe\nä;1\n".encode("cp1252"), {"encoding": "cp1252"}, ["kind", "größe"]),
        (",age,kind\n" + "".join(f"{i},{i * 3 % 70},x\n" for i in range(9)), {}, ["index", "age", "kind"]),
        ("country,1990,1991,1992\n" + "".join(f"c{i},{i}.5,{i}.7,{i}.9\n" for i in range(9)), {},
         ["country", "1990", "1991", "1992"]),
        ("name,2023,2024\n" + "".join(f"c{i},{i},{i * 2}\n" for i in range(9)), {}, ["name", "2023", "2024"]),
        ("text\n" + "one, two\n" * 3 + "three\n" * 20, {}, None),
    ],
    ids=["plain", "title", "cells", "comment", "nameless", "twice", "no-header", "encoding", "index", "years", "two-years",
         "ragged"],
)  # fmt: skip
def test_the_layout_of_a_file_is_found(tmp_path, data, options, names):
    if names is None:  # cannot be read: nothing is guessed
        path = tmp_path / "t.csv"
        path.write_text(data)
        assert settled(Source("csv", path=path)).skip == 0
        return
    assert found(tmp_path, data) == (options, names)


@pytest.mark.parametrize(("name", "delimiter"), [("t.tsv", "\t"), ("t.txt", ";"), ("t.tab", "\t"), ("t.dat", "|")])
def test_endings_of_delimited_text(tmp_path, name, delimiter):
    assert found(tmp_path, TABLE.replace(",", delimiter), name) == ({}, PLAIN)


def test_nested_json_is_flattened_in_the_draft(tmp_path):
    data = "".join(json.dumps({"n": i, "who": {"sex": "fm"[i % 2]}}) + "\n" for i in range(20))
    assert found(tmp_path, data, "t.jsonl") == ({"nested": "flatten"}, ["n", "who.sex"])


def workbook(path, sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return str(path)


DATA = [["age", "kind"], *([i, "ab"[i % 2]] for i in range(30))]


@pytest.fixture
def cover(tmp_path):
    notes = [["Notes"], ["made in 2024"], ["by me"]]
    return workbook(tmp_path / "t.xlsx", {"Cover": [["Report"], [None, "2024"]], "Data": DATA, "Notes": notes})


def test_the_sheet_that_holds_the_table_is_read_and_the_others_are_named(cover, synth, tmp_path):
    said = synth("init", cover)
    assert said.code == 0, said.err
    assert "sheet Data of" in said.out and "2 columns, 30 rows" in said.out
    assert "not read: 2 sheets (Cover, Notes)" in said.out
    assert "  sheet: Data\n" in (tmp_path / "t.yaml").read_text()
    assert synth("check", "t.yaml").code == 0


def test_a_sheet_can_be_named(cover, synth, tmp_path):
    assert "1 column, 2 rows" in synth("init", cover, "--sheet", "Notes").out
    said = synth("init", cover, "--sheet", "Dat", "--force")
    assert said.code == 1 and "Did you mean Data?" in said.err
    said = synth("init", cover, "--table", "Data", "--force")
    assert said.code == 1 and "remedy: --sheet for a sheet of a workbook" in said.err


def test_rows_before_the_header_of_a_sheet(tmp_path):
    path = workbook(tmp_path / "t.xlsx", {"Data": [["Report of 2024"], [], *DATA]})
    source = settled(parse([path], format=None, table=None, folder=tmp_path).tables["t"])
    assert source.skip == 2 and sources.columns(source) == ["age", "kind"]


def test_options_of_reading_are_said_on_the_command_line(tmp_path, synth):
    (tmp_path / "t.csv").write_bytes(b"a;b\nc;d\n" + "ä;1\n".encode("cp850") * 9)
    assert synth("init", "t.csv", "--encoding", "cp850", "--skip", "1").code == 0
    text = (tmp_path / "t.yaml").read_text()
    assert "  encoding: cp850\n" in text and "  skip: 1  #" in text and "  c: {" in text
    assert "did you mean" in synth("init", "t.csv", "--encoding", "latin1x", "--force").err.lower()
    with pytest.raises(SpecError, match="--encoding is for text files"):
        parse(["builtin:iris"], format=None, table=None, folder=tmp_path).read_with("latin-1", 0)


def test_a_dropped_column_is_nowhere(spec, synth, tmp_path):
    spec.write_text(spec.read_text() + "columns: {city: {drop: true}}\n")
    assert synth("check", spec).code == 0
    said = synth("run", spec, "--root", "runs")
    assert said.code == 0, said.err
    run = next((tmp_path / "runs" / "people").glob("0*"))
    assert "city" not in pd.read_parquet(run / "3-generate" / "data.parquet").columns
    assert not [p for p in run.rglob("*") if p.suffix in (".json", ".html") and "Steyr" in p.read_text()]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("city: {drop: true, type: category}", "has no effect on a column with drop"),
        ("cty: {drop: true}", "Did you mean city?"),
        ("age: {drop: true}", "unknown column age"),
    ],
    ids=["with-others", "typo", "in-a-rule"],
)
def test_a_drop_that_cannot_be_is_refused(spec, synth, columns, message):
    spec.write_text(spec.read_text() + f"columns: {{{columns}}}\n")
    said = synth("check", spec)
    assert said.code == 1 and message in said.err
