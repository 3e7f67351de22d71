"""Parts of the reader and the writer of text columns, one by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import sources
from synthcli.columns import spelling
from synthcli.columns.discovery.infer import infer, parse, read_again
from synthcli.columns.pii import rare_words
from synthcli.columns.spelling import composing, dates, durations, numbers, unread, writing
from synthcli.contracts.schema import Schema, Traits
from synthcli.errors import DataError
from synthcli.init.findings import look


def read(cells: list[str | None], *, text: bool = True, **said: Any) -> tuple[Schema, pd.Series]:
    schema, frame = infer(
        pa.table({"x": pa.array(cells, pa.string())}), {"x": Traits(**said)} if said else {}, text=text
    )
    return schema, frame["x"]


def back(cells: list[str | None], **how: Any) -> list[str | None]:
    schema, values = read(cells, **how)
    chunks, _ = writing.as_source(iter([pd.DataFrame({"x": values})]), schema)
    return [None if pd.isna(w) else str(w) for w in next(chunks)["x"]]


@pytest.mark.parametrize(
    "text",
    ["%.2f", "%,.2f", "%.,2f €", "$%,.2f", "%d", "%,d", "%.1f%%", "%g", "%,g", "%,.2f;(%,.2f)", "%.2f;%.2f-", "%.3e"],
)
def test_a_format_of_numbers_reads_what_it_writes(text: str) -> None:
    form = numbers.form_of(text)
    assert form is not None and form.text == text
    values = np.array([0.0, 1.5, -12.25, 1234.5, -9876543.0])
    words = form.write(values)
    again = np.array(numbers.read(words, [form]), dtype=float)
    assert np.allclose(again[form.exact(values)], values[form.exact(values)], rtol=1e-3)


@pytest.mark.parametrize("text", ["%Y-%m-%d", "%d.%m.%Y", "x", "%q", "%,,d"])
def test_other_texts_are_no_formats_of_numbers(text: str) -> None:
    assert numbers.form_of(text) is None


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["1,234", "987", "12,500"], [1234, 987, 12500]),
        (["1.230", "987", "12.500"], [1230, 987, 12500]),
        (["0,125", "0,250", "1,500"], [0.125, 0.25, 1.5]),
        (["1234,500", "12,250"], [1234.5, 12.25]),
        (["1.234.567", "12.345"], [1234567, 12345]),
        (["€ 1.234", "€ 12.500"], [1234, 12500]),
    ],
)
def test_separators_are_told_by_what_is_there(cells: list[str | None], values: list[float]) -> None:
    assert read(cells)[1].tolist() == values and back(cells) == cells


def test_what_may_be_either_is_read_and_asked_about() -> None:
    either = [f"{i},{100 + 7 * i % 900}" for i in range(1, 30)]
    asked = unread.of_column(read([*either])[0]["x"])
    assert asked is not None and not asked.made and "thousands or decimals" in asked.why
    days = [f"{d:02d}/{m:02d}/2024" for d in range(1, 12) for m in (1, 5, 9)]
    found = read([*days])[0]["x"]
    assert "month or the day" in unread.of_column(found).why  # type: ignore[union-attr]
    declared = read([*days], format="%d/%m/%Y")[0]["x"]
    assert unread.of_column(declared) is None


@pytest.mark.parametrize(
    ("cells", "form"),
    [
        (["8. Mai 2023", "23. Juni 2024", "1. März 2022"], "%-d. %B@de %Y"),
        (["8 août 2023", "23 juin 2024", "13 mai 2022"], "%-d %B@fr %Y"),
        (["8 de agosto de 2023", "23 de junio de 2024"], "%-d de %B@es de %Y"),
        (["August 8th, 2023", "June 23rd, 2024", "May 1st, 2022"], "%B %-d%o, %Y"),
        (["08AUG2023", "23JUN2024"], "%d%^b%Y"),
        (["Aug-08-2023 1:05pm", "Jun-23-2024 11:30am"], "%b-%d-%Y %-I:%M%P"),
    ],
)
def test_a_format_is_put_together_from_a_word(cells: list[str], form: str) -> None:
    schema, values = read([*cells])
    assert schema["x"].get("format") == form
    assert [str(w) for w in dates.written(values, form)] == cells


@pytest.mark.parametrize("word", ["1.2.10", "192.168.1.10", "12 Main St", "3:16", "J45.1", "A 12", "12-34-56-78"])
def test_what_is_no_date_has_no_format(word: str) -> None:
    assert not [f for f in composing.candidates(word) if dates.moments([word], f) is not None]


@pytest.mark.parametrize(
    ("word", "form", "seconds"),
    [
        ("26:30", "%H:%M", 95_400),
        ("12:05 AM", "%I:%M %p", 300),
        ("PT1H30M", "ISO8601", 5_400),
        ("P1DT2H", "ISO8601", 93_600),
        ("PT36H", "ISO8601 PT", 129_600),
        ("-00:30:00", "%H:%M:%S", -1_800),
        ("1 days 02:00:00", "%D days %H:%M:%S", 93_600),
    ],
)
def test_durations_are_read_and_written(word: str, form: str, seconds: int) -> None:
    assert durations.read([word], form) == [seconds * 1_000_000]
    assert durations.write(np.array([seconds * 1_000_000]), form) == [word]


def test_formats_and_words_for_missing_are_written_at_their_shares() -> None:
    rng = np.random.default_rng(0)
    days = pd.date_range("2020-01-01", periods=1000).strftime("%Y-%m-%d").tolist()
    cells = [d if i % 10 < 7 else f"{d[8:]}/{d[5:7]}/{d[:4]}" for i, d in enumerate(days)]
    cells = [("-" if rng.random() < 0.75 else "n/a") if i % 20 == 0 else c for i, c in enumerate(cells)]
    written = pd.Series(back([*cells]))
    known = written[written.str.contains(r"\d")]
    share = pd.Series(cells)[pd.Series(cells).str.contains(r"\d")].str.contains("/").mean()
    assert abs(known.str.contains("/").mean() - share) < 0.01
    assert set(written[~written.str.contains(r"\d")]) == {"-", "n/a"} and (written == "-").sum() > 25


def test_a_value_is_written_in_a_format_that_keeps_it() -> None:
    cells = [f"2024-01-{1 + i % 28:02d}" + (" 10:15" if i % 3 else "") for i in range(90)]
    assert back([*cells]) == cells


@pytest.mark.parametrize("form", ["%Y%m%d", None])
def test_integers_of_a_typed_source_are_dates_if_declared(form: str | None) -> None:
    table = pa.table({"x": pa.array([20240623, 20231231, None])})
    schema, frame = infer(table, {"x": Traits(type="datetime", format=form)} if form else {})
    assert schema["x"].kind == ("datetime" if form else "integer")
    if form:
        assert frame["x"].dt.day.tolist()[:2] == [23, 31]
        chunks, written = writing.as_source(iter([frame]), schema)
        assert written["x"].storage == "int64" and next(chunks)["x"].tolist() == [20240623, 20231231, pd.NA]


def test_a_declared_date_that_an_integer_is_not_is_refused() -> None:
    table = pa.table({"x": pa.array([20240623, 20231372])})
    with pytest.raises(DataError, match="column x is declared datetime of format '%Y%m%d' and holds '20231372'"):
        infer(table, {"x": Traits(type="datetime", format="%Y%m%d")})


def test_booleans_are_written_in_their_words() -> None:
    cells = ["true", "TRUE", "True", "true", "false", "false"] * 50
    written = pd.Series(back([*cells])).value_counts()
    assert written.to_dict() == {"true": 100, "false": 100, "TRUE": 50, "True": 50}
    declared = read(["yes", "Y", "No", "yes", "n"], type="boolean")[1]
    assert declared.tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("cells", [["10E0", "39E8", "12E3"], ["1.2", "1.10", "2.0"] * 4])
def test_codes_that_look_like_floats_stay_words(cells: list[str]) -> None:
    assert read([*cells])[1].tolist() == cells and read([*cells], text=False)[1].tolist() == cells


def test_text_made_up_in_a_column_of_numbers_is_undecided() -> None:
    cells = [f"{1000 + 13 * i}.{i % 90 + 10}" if i % 2 else f"{1 + i},{100 + i},50" for i in range(90)]
    mixed = [f"${1.5 * i:.2f}" if i % 2 else f"€{1.7 * i:.2f}" for i in range(1, 120)]
    schema, values = read([*mixed])
    (one,) = [u.to_json() for u in rare_words.undecided(schema, pd.DataFrame({"x": values}))]
    assert one["made"] and "look like numbers" in rare_words.told(one) and "does not pass" in rare_words.does(one)
    assert not any(cell in str(one) for cell in (*cells, *mixed))


def test_a_draft_of_bounds_with_a_word_for_missing(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    low = rng.integers(10_000, 60_000, 300)
    high = low + rng.integers(1, 20_000, 300)
    shown = ["-" if i % 50 == 0 else str(a) for i, a in enumerate(low)]
    pd.DataFrame({"low": shown, "high": high}).to_csv(tmp_path / "t.csv", index=False)
    found = look(sources.Source("csv", path=tmp_path / "t.csv"))
    assert [f.kind for f in found.columns] == ["integer", "integer"]
    assert [s.text for s in found.suggestions] == ["low <= high"]


def test_written_rows_are_read_again_as_they_were() -> None:
    table = pa.table({"x": [f"{i}.500,25 €" for i in range(1, 40)], "y": pa.array(range(39))})
    schema, frame = parse(table, {}, protect=False)
    chunks, written = writing.as_source(iter([frame]), schema)
    spelled = pa.table({name: pa.array(values) for name, values in next(chunks).items()})
    assert written["x"].storage == "string" and spelled["x"].to_pylist() == table["x"].to_pylist()
    pd.testing.assert_frame_equal(read_again(spelled, schema), frame)


def test_a_format_of_the_wrong_type_is_refused() -> None:
    with pytest.raises(DataError, match="expected one of a time or a duration"):
        spelling.typed_by(Traits(type="timedelta", format="%Y"))
    with pytest.raises(DataError, match="for a number"):
        spelling.typed_by(Traits(type="integer", format="%.2f"))
