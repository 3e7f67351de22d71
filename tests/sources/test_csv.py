"""Dialects, encodings, nulls and broken files of delimited text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.errors import DataError, SpecError
from synthcli.sources import Source


@pytest.fixture
def read(tmp_path: Path):
    def call(data: str | bytes, **options: Any) -> dict[str, list[str | None]]:
        path = tmp_path / "x.csv"
        path.write_bytes(data.encode() if isinstance(data, str) else data)
        source = Source("csv", path=path, **options)
        table = sources.read(source)
        assert sources.columns(source) == table.column_names
        assert {str(t) for t in table.schema.types} <= {"string"}
        return table.to_pydict()

    return call


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("quote", ['"', "'"])
def test_dialects_are_sniffed(read, delimiter: str, quote: str) -> None:
    rows = [f"{quote}x{delimiter}{i}{quote}{delimiter}{i}{delimiter}word" for i in range(5)]
    found = read("\n".join([delimiter.join("abc"), *rows]))
    assert found == {"a": [f"x{delimiter}{i}" for i in range(5)], "b": [str(i) for i in range(5)], "c": ["word"] * 5}


def test_apostrophes_are_no_quotes(read) -> None:
    assert read("name;n\nO'Brien;1\n'tis;2\n") == {"name": ["O'Brien", "'tis"], "n": ["1", "2"]}


def test_backslash_escapes(read) -> None:
    assert read('a,b\n"x\\"y",2\n"z",3\n') == {"a": ['x"y', "z"], "b": ["2", "3"]}


def test_given_dialect_wins(read) -> None:
    assert read("a~b\n1~2\n", delimiter="~") == {"a": ["1"], "b": ["2"]}
    assert read("a,b\n'1,2\n", delimiter=",", quote="") == {"a": ["'1"], "b": ["2"]}
    with pytest.raises(SpecError, match=r"source\.delimiter is '::'"):
        read("a::b\n", delimiter="::")


def test_one_column(read) -> None:
    assert read("name\nAnn\nBob\n") == {"name": ["Ann", "Bob"]}
    assert read("price, EUR\n1\n2\n") == {"price, EUR": ["1", "2"]}
    assert read("text\nhello, world\nfoo\n") == {"text": ["hello, world", "foo"]}
    assert read("n\n1\n\n3\n") == {"n": ["1", None, "3"]}


def test_spelling_survives(read) -> None:
    cells = ["007", "1.50", "2024-02-30", "1e5", "TRUE", "NA", "é"]
    assert read("a,b\n" + "".join(f"{c},x\n" for c in cells))["a"] == cells


def test_empty_and_null(read) -> None:
    assert read('a,b\n,""\nx,y\n') == {"a": [None, "x"], "b": ["", "y"]}
    assert read("a,b\n?,-\nx, ? \n", null_values=("?", "-")) == {"a": [None, "x"], "b": [None, None]}


def test_newlines_in_cells(read) -> None:
    assert read('a,b\r\n"1\r\n2",x\r\n3,"y\n"\r\n') == {"a": ["1\r\n2", "3"], "b": ["x", "y\n"]}
    assert read('"a\nb",c\n1,2\n') == {"a\nb": ["1"], "c": ["2"]}


def test_padding_is_stripped(read) -> None:
    assert read("age, work\n39, Private\n40, ?\n41, \n", null_values=("?",)) == {
        "age": ["39", "40", "41"],
        "work": ["Private", None, None],
    }
    assert read('a,b\n1, x\n2,"y"\n')["b"] == [" x", "y"]  # a file with quotes says what it means


def test_no_header(read) -> None:
    assert read("1,x\n2,y\n", header=False) == {"column_1": ["1", "2"], "column_2": ["x", "y"]}


def test_header_alone(read) -> None:
    assert read("a,b\n") == {"a": [], "b": []}
    assert read("a,b") == {"a": [], "b": []}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_marked_encodings(read, encoding: str) -> None:
    assert read("naïve,b\nŁódź,2\n".encode(encoding)) == {"naïve": ["Łódź"], "b": ["2"]}


def test_encodings(read) -> None:
    data = "a,b\n1,Zürich\n".encode("latin-1")
    assert read(data, encoding="latin-1") == {"a": ["1"], "b": ["Zürich"]}
    with pytest.raises(DataError, match=r"not UTF-8 at byte 7; remedy: .*source\.encoding: latin-1"):
        read(data)
    with pytest.raises(SpecError, match=r"source\.encoding is 'utf-9'.*Did you mean utf-8\?"):
        read(data, encoding="utf-9")


def test_bad_byte_far_in_the_file(read) -> None:
    good = "é,word\n".encode() * 300_000
    with pytest.raises(DataError, match=f"not UTF-8 at byte {len(good) + 4}"):
        read(b"a,b\n" + good + b"\xff,x\n")


def test_decimal_comma(read) -> None:
    found = read("a;b;c;d\n1.234,5;1,5;x,y;01.02.2020\n-7;;3,5;NA\n", decimal=",")
    assert found == {"a": ["1234.5", "-7"], "b": ["1.5", None], "c": ["x,y", "3,5"], "d": ["01.02.2020", "NA"]}


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a,b\n1,2\n3,4,5\n", "line 3 has 3 cells; expected 2"),
        ('a,b\n"1\n\n",2\n3\n', "line 5 has 1 cell; expected 2"),
        ("a,a\n1,2\n", "2 columns are named a"),
        ("a,,c\n1,2,3\n", "column 2 of 3 has no name"),
        (",a,\n1,2,3\n", "column 3 of 3 has no name"),
        ("\n\n", "is empty"),
        (bytes(range(256)), "is not text: byte 0 is NUL"),
        ('a,b\n1,2\n3,"4\n5,6\n', "line 3: unexpected end of data; remedy: close the quote"),
    ],
)
def test_broken(read, data: str | bytes, message: str) -> None:
    with (
        pytest.raises(DataError, match=rf"x\.csv.*{message}.*remedy")
        if "remedy" not in message
        else pytest.raises(DataError, match=message)
    ):
        read(data)


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (",a,b", ["index", "a", "b"]),
        (",index,b", ["unnamed_1", "index", "b"]),
        (",,b", ["index", "unnamed_2", "b"]),
        ('"",a,b', ["index", "a", "b"]),
    ],
)
def test_an_index_without_a_name_is_named(read, header: str, names: list[str]) -> None:
    assert read(f"{header}\n0,x,2\n1,y,3\n") == dict(zip(names, (["0", "1"], ["x", "y"], ["2", "3"])))


def test_large_file_keeps_all_rows(read) -> None:
    rows = 400_000
    found = read("i,word\n" + "".join(f'{i},"a ""b"", {i}"\n' for i in range(rows)))
    assert len(found["i"]) == rows and found["word"][-1] == f'a "b", {rows - 1}'


def test_header_names_keep_their_spaces(read, tmp_path: Path) -> None:
    assert read('" a ",b\n1,2\n') == {" a ": ["1"], "b": ["2"]}
    assert read("a, b\n1,2\n3,4\n", delimiter=",") == {"a": ["1", "3"], " b": ["2", "4"]}
    assert read("a , b\n1 , 2\n3 , 4\n", delimiter=",") == {"a ": ["1 ", "3 "], "b": ["2", "4"]}
    schema, frame = infer(pa.table({" a ": ["x"], "b": ["y"]}), {}, text=True)
    sources.write(iter([frame]), schema, tmp_path / "y", "csv")
    assert (tmp_path / "y").read_text() == '" a ",b\nx,y\n'


def test_a_delimiter_that_the_file_lacks(read) -> None:
    with pytest.raises(
        DataError, match=r"read as one column; the file looks delimited by ','; remedy: source\.delimiter"
    ):
        read("a,b\n1,2\n3,4\n", delimiter=";")
    assert read("text, long\nhello, world, all\nfoo\n", delimiter="\t") == {"text, long": ["hello, world, all", "foo"]}


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"delimiter": ";", "quote": ";"}, r"delimiter and source\.quote are both ';'; remedy"),
        ({"delimiter": '"'}, r"source\.delimiter is '\"', which cannot be one"),
        ({"delimiter": "\n"}, "which cannot be one"),
        ({"quote": "\r"}, "which cannot be one"),
        ({"encoding": "rot13"}, r"source\.encoding is 'rot13', which is not a text encoding; remedy"),
        ({"encoding": "base64"}, "not a text encoding; remedy"),
        ({"encoding": "hex"}, "not a text encoding; remedy"),
        ({"encoding": "punycode"}, "text files do not have; remedy"),
        ({"encoding": "undefined"}, "not a text encoding"),
        ({"encoding": "lattin-1"}, r"remedy: .* Did you mean latin-1\?"),
        ({"encoding": "a\0b"}, "not a text encoding"),
    ],
)
def test_dialects_that_cannot_be(read, keys: dict[str, str], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        read("a,b\n1,2\n", **keys)


def test_an_apostrophe_as_delimiter(read) -> None:
    assert read("a'b\n1'2\n", delimiter="'") == {"a": ["1"], "b": ["2"]}
