"""Types, values and spellings by looking: what comes out of a column of words, and what a wrong declaration says."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns import frame as frames
from synthcli.columns import spelling
from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Column, Traits
from synthcli.errors import DataError


def column(cells: list[Any], *, unit: bool = False, **said: Any) -> tuple[Column, pd.Series]:
    """What is inferred of a csv column of these cells."""
    declared = {"x": Traits(**said)} if said else {}
    schema, frame = infer(
        pa.table({"x": pa.array(cells, pa.string())}), declared, unit="x" if unit else None, text=True
    )
    return schema["x"], frame["x"]


def typed(values: pa.Array, *, unit: bool = False, **said: Any) -> tuple[Column, pd.Series]:
    """What is inferred of a typed column."""
    schema, frame = infer(pa.table({"x": values}), {"x": Traits(**said)} if said else {}, unit="x" if unit else None)
    return schema["x"], frame["x"]


class TestUnit:
    def test_whole_floats_are_integer_ids(self) -> None:
        for found, values in (
            column(["116.0", None, "7.0"], unit=True),
            typed(pa.array([116.0, None, 7.0]), unit=True),
        ):
            assert (found.kind, found.storage) == ("id", "int64")
            assert values.tolist() == [116, pd.NA, 7]

    @pytest.mark.parametrize(
        "values",
        [pa.array([1.5, None, 2.0]), pa.array([1e300, 2.0]), pa.array([float("inf")]), pa.array([True, False])],
    )
    def test_others_are_strings(self, values: pa.Array) -> None:
        found, made = typed(values, unit=True)
        assert (found.kind, found.storage, made.dtype) == ("id", "string", frames.STRING)
        assert made.isna().tolist() == values.is_null().to_pylist()

    @pytest.mark.parametrize(
        "cells", [["1.5", "2.25"], ["2024-01-01", "2024-01-02"], ["true", "false"], ["007", "8"], ["1e5", "2e5"]]
    )
    def test_words_stay_as_spelled(self, cells: list[str]) -> None:
        found, values = column(cells, unit=True)
        assert (found.kind, found.storage, values.tolist()) == ("id", "string", cells)

    def test_datetimes_are_ids(self) -> None:
        found, values = typed(pa.array([dt.datetime(2024, 1, 1), None]), unit=True)
        assert (found.kind, found.storage) == ("id", "string") and values[0].startswith("2024-01-01")

    def test_a_learned_type_is_refused(self) -> None:
        with pytest.raises(DataError, match=r"column x is the privacy_unit.*declared category; remedy: type: id"):
            column(["a", "b"], unit=True, type="category")


class TestNumbers:
    @pytest.mark.parametrize(
        ("cells", "precision", "form"),
        [
            (["49.0", "11.0"], 0, "%.1f"),
            (["0.40", "1.25"], 2, "%.2f"),
            (["1.25", "3.75"], 2, None),
            (["1.5", "12"], 1, "%g"),
            (["1.50", "2.5"], 1, "%.1f|%.2f"),
            (["1e-5", "2"], 5, None),
            (["inf", "-Infinity", "1.0"], 0, "%.1f"),
        ],
    )
    def test_decimals(self, cells: list[str], precision: int, form: str | None) -> None:
        found, values = column(cells)
        assert (found.kind, found.storage, found.get("precision"), found.get("format")) == (
            "float",
            "double",
            precision,
            form,
        )
        assert values.tolist() == [float(c) for c in cells]

    def test_declared_precision_is_not_cut(self) -> None:
        assert column(["0.40", "1.25"], type="float", precision=4)[0].get("format") is None

    def test_made_values_stay_whole(self) -> None:
        table = pa.table({"x": [f"{i}.0" for i in range(40)]})
        schema, data = infer(table, {}, text=True)
        codec = Codec.fit(data, schema, key=1)
        made = codec.decode({codec.parts[-1].name: np.array([3.3, 7.9])}, 2, start=0, rng=np.random.default_rng(0))
        assert made["x"].tolist() == [3.0, 8.0]

    @pytest.mark.parametrize("cells", [["+4917012345", "+4917012346"], ["+1.5", "2.5"], ["1e999", "2"], ["inf", "nan"]])
    def test_words_that_are_no_numbers(self, cells: list[str]) -> None:
        found, values = column(cells)
        assert found.storage == "string"
        assert [v for v in values if pd.notna(v)] == [c for c in cells if c != "nan"]

    def test_a_plus_may_be_declared(self) -> None:
        assert column(["+3", "-3"], type="integer")[1].tolist() == [3, -3]

    def test_specials(self) -> None:
        found, values = column(["inf", "-inf", "INFINITY", "nan", "NaN", "NAN", "1e308", "-0.0"])
        assert found.kind == "float"
        np.testing.assert_array_equal(values, [np.inf, -np.inf, np.inf, np.nan, np.nan, np.nan, 1e308, -0.0])
        assert np.signbit(values.iloc[-1]) and (found.get("min"), found.get("max")) == (None, None)

    def test_tiny_numbers_keep_their_digits(self) -> None:
        found, _ = typed(pa.array([3e-14, 7.25e-13]))
        assert found.get("precision") is None
        assert typed(pa.array([0.0, 0.25]))[0].get("precision") == 2

    def test_infinities_alone(self) -> None:
        found, _ = typed(pa.array([np.inf, -np.inf]))
        assert (found.kind, found.get("min")) == ("float", None)

    def test_categories_of_numbers(self) -> None:
        assert column(["0.5", "1.5"], type="category", categories=(0.5, 1.5))[1].tolist() == [0.5, 1.5]
        assert column(["True", "False"], type="category", categories=(True, False))[1].tolist() == [True, False]


class TestDates:
    @pytest.mark.parametrize(
        "form",
        [
            "%m/%d/%y",
            "%d.%m.%y",
            "%b %d, %Y",
            "%B %d, %Y",
            "%d %B %Y",
            "%d %b %Y",
            "%Y-%m-%d %I:%M %p",
            "%m/%d/%Y %I:%M %p",
            "%m/%d/%Y %I:%M:%S %p",
            "%m-%d-%Y",
            "%Y-%m-%d",
            "%Y-%m-%dT%H:%M:%SZ",
            "%d-%b-%y",
            "%Y-%m-%d %H:%M:%S.%f",
        ],
    )
    def test_common_formats(self, form: str) -> None:
        moments = [
            dt.datetime(2023, 12, 31, 23, 5, 7, 1),
            dt.datetime(2024, 2, 29, 1, 59, 8),
            dt.datetime(1999, 3, 14, 12, 0, 9),
        ]
        cells = [m.strftime(form) for m in moments]
        found, values = column(cells)
        assert (found.kind, found.get("format")) == ("datetime", form)
        assert values.dt.tz_localize(None).tolist() == [dt.datetime.strptime(c, form) for c in cells]
        assert (found.storage == "date32[day]") == ("H" not in form and "I" not in form)

    @pytest.mark.parametrize(
        ("cells", "form"),
        [
            (["1/5/2020", "12/31/2019"], "%-m/%-d/%Y"),
            (["31.1.2020", "5.12.2019"], "%-d.%-m.%Y"),
            (["1/5/2020 9:05", "12/31/2019 23:00"], "%-m/%-d/%Y %-H:%M"),
            (["Jan 5, 2020", "Dec 31, 2019"], "%b %-d, %Y"),
            (["01/5/2020", "12/31/2019"], "%m/%-d/%Y"),
            (["5 May 2020", "05 May 2020"], "%d %b %Y"),
        ],
    )
    def test_days_without_leading_zeros(self, cells: list[str], form: str) -> None:
        found, values = column(cells)
        assert (found.kind, found.get("format")) == ("datetime", form)
        assert "05" in cells[1] or values.dt.strftime(form).tolist() == cells
        assert column(cells, format=form)[1].tolist() == values.tolist()
        assert (found.storage == "date32[day]") == (":" not in cells[0])

    @pytest.mark.parametrize(
        ("digits", "zone"), [(3, ""), (3, "Z"), (1, ""), (2, "+0200"), (3, "+02:00"), (6, ""), (6, "Z")]
    )
    def test_fractions_keep_their_digits(self, digits: int, zone: str) -> None:
        cells = [f"2024-01-{d:02} 10:00:0{d}.{'12345600'[d : d + digits]}{zone}" for d in (1, 2)] + [None]
        found, values = column(cells)
        spelled = {"+0200": "%z", "+02:00": "%:z"}.get(zone, zone)
        assert found.get("format") == f"%Y-%m-%d %H:%M:%S.%{'' if digits == 6 else digits}f{spelled}"
        assert (found.kind, values.dt.microsecond[0]) == ("datetime", int("234560"[:digits].ljust(6, "0")))
        assert spelling.written(values[:2], found.get("format")).tolist() == cells[:2]
        assert column(cells, format=found.get("format"))[1].tolist()[:2] == values.tolist()[:2]

    def test_fractions_of_different_lengths(self) -> None:
        found, values = column(["2024-01-01 10:00:00.5", "2024-01-01 10:00:00.125"])
        assert found.get("format") == "%Y-%m-%d %H:%M:%S.%f" and values.dt.microsecond.tolist() == [500_000, 125_000]

    @pytest.mark.parametrize(("year", "first"), [("2024", "%Y"), ("24", "%y")])
    def test_day_first_where_a_value_decides(self, year: str, first: str) -> None:
        assert column([f"01/02/{year}", f"03/04/{year}"])[0].get("format") == f"%m/%d/{first}"
        assert column([f"01/02/{year}", f"31/12/{year}"])[0].get("format") == f"%d/%m/{first}"

    @pytest.mark.parametrize("cells", [["20240131101500", "20240131101501"], ["20240131", "20240201"]])
    def test_plain_integers_stay(self, cells: list[str]) -> None:
        assert column(cells)[0].kind == "integer"

    @pytest.mark.parametrize(
        "cells", [["1.2.10", "2.10.13"], ["12 Main St", "3 Oak St"], ["192.168.1.10", "10.0.0.12"]]
    )
    def test_what_is_no_date(self, cells: list[str]) -> None:
        assert column(cells)[0].storage == "string"

    def test_years_beyond_nanoseconds(self) -> None:
        found, values = column(["2024-01-01", "9999-12-31", None])
        assert found.kind == "datetime" and values.dt.year.tolist()[:2] == [2024, 9999] and pd.isna(values[2])

    def test_dates_that_no_format_reads_are_no_keys(self) -> None:
        days = [f"{d:02}-{m}-20{y}" for y in (23, 24) for m in ("joulu", "touko") for d in range(1, 29)]
        found, _ = column(days)
        assert found.kind == "text"
        assert column([f"{i:03}-{i % 90 + 10}-{i + 10000}" for i in range(100)])[0].kind == "id"

    @pytest.mark.parametrize(("spelled", "form"), [("+02:00", "%:z"), ("+0200", "%z"), ("-09:30", "%:z")])
    def test_one_offset_stays(self, spelled: str, form: str) -> None:
        found, values = column([f"2024-07-01T10:00:00{spelled}", None, f"2024-12-01T23:30:00{spelled}"])
        colon = spelled if ":" in spelled else f"{spelled[:3]}:{spelled[3:]}"
        assert (found.storage, found.get("format")) == (f"timestamp[us, tz={colon}]", f"%Y-%m-%dT%H:%M:%S{form}")
        assert values.dt.hour.tolist()[::2] == [10, 23]
        assert (
            values.dtype
            == frames.series(pa.chunked_array([pa.array([0], frames.arrow_type(found.storage))]), "datetime").dtype
        )

    def test_offsets_that_differ_become_utc(self) -> None:
        found, values = column(["2024-07-01T10:00:00+02:00", "2024-12-01T10:00:00+01:00"])
        assert found.storage == "timestamp[us, tz=UTC]" and values.dt.hour.tolist() == [8, 9]

    def test_dates_in_memory_as_from_a_typed_source(self) -> None:
        spelled = column(["2024-01-01", "2024-06-01"])[1]
        assert spelled.dtype == typed(pa.array([dt.date(2024, 1, 1)]))[1].dtype


class TestNulls:
    def test_an_empty_string_is_a_value(self) -> None:
        assert column(["", None, "x"])[1].tolist() == ["", pd.NA, "x"]
        assert column(["  ", None, "x"])[1].tolist() == ["  ", pd.NA, "x"]

    @pytest.mark.parametrize(
        ("cells", "kind"),
        [(["", "1"], "integer"), (["", "1.5"], "float"), (["", "2024-01-01"], "datetime"), (["", "true"], "boolean")],
    )
    def test_among_numbers_it_is_none(self, cells: list[str], kind: str) -> None:
        found, values = column(cells)
        assert found.kind == kind and values.isna().tolist() == [True, False]


class TestDeclared:
    @pytest.mark.parametrize(
        ("cells", "said", "message"),
        [
            (
                ["1", "120", "130", None],
                {"type": "integer", "max": 110},
                r"column x .*2 of 3 values lie above its declared max 110, such as 120; remedy",
            ),
            (["1.5", "-0.5"], {"min": 0}, "1 of 2 values lies below its declared min 0, such as -0.5"),
            (
                ["2024-01-01", "2025-06-01"],
                {"max": "2024-12-31"},
                "above its declared max 2024-12-31, such as 2025-06-01",
            ),
            (["2024-01-01T00:00:00+02:00", "2025-01-01T00:00:00+02:00"], {"max": "2024-12-31"}, "1 of 2 values"),
            (["1 days", "2 days"], {"type": "timedelta", "max": "36h"}, "such as 2 days"),
            (["1", "2"], {"type": "integer", "min": "abc"}, r"columns\.x\.min is 'abc'; expected a number"),
            (["2024-01-01"], {"min": "soon"}, r"columns\.x\.min is 'soon'; expected a date such as"),
            (["2024-01-01"], {"min": 2020}, r"columns\.x\.min is 2020; expected a date"),
            (["2024-01-01"], {"type": "datetime", "format": "%Q"}, r"has the format '%Q', which no date can have"),
            (["2024-01-01"], {"format": "%Y-%"}, r"has the format '%Y-%'"),
            (
                ["2024-01-01"],
                {"type": "datetime", "format": "%d.%m.%Y"},
                r"of format '%d.%m.%Y' and holds '2024-01-01'; remedy",
            ),
            (["a", "b"], {"format": "%Y"}, r"holds 'a'"),
            (["a", "b"], {"format": "a"}, r"has the format 'a'; expected a date's"),
            (["1.5"], {"type": "float", "format": "%d"}, r"expected %\.2f"),
            (["maybe"], {"type": "boolean", "format": "yes|no"}, r"declared boolean and holds \['maybe'\]"),
        ],
    )
    def test_what_the_source_breaks(self, cells: list[str | None], said: dict[str, Any], message: str) -> None:
        with pytest.raises(DataError, match=message):
            column(cells, **said)

    def test_bounds_that_hold(self) -> None:
        assert column(["18", "90"], type="integer", min=18, max=90)[0].declared.max == 90
        assert column(["9223372036854775807", "1"], max=2**63 - 1)[1].max() == 2**63 - 1
        assert column(["2024-01-01"], min="2024-01-01", max="2024-01-01")[0].kind == "datetime"

    def test_missing_codes_may_lie_beyond(self) -> None:
        assert column(["-9", "5", "7"], min=0, spikes=(-9,))[1].tolist() == [-9, 5, 7]

    def test_date_bounds_reach_the_codec(self) -> None:
        table = pa.table({"x": [f"2024-01-{d:02}" for d in range(1, 29)]})
        schema, data = infer(table, {"x": Traits(min="2024-01-01", max="2024-02-15")}, text=True)
        codec = Codec.fit(data, schema, key=1)
        made = codec.decode({"x": np.array([0.0, 20.0, 99.0])}, 3, start=0, rng=np.random.default_rng(0))
        assert made["x"].dt.strftime("%m-%d").tolist() == ["01-01", "01-21", "02-15"]

    def test_a_format_implies_its_type(self) -> None:
        assert column(["20240131", "20240201"], format="%Y%m%d")[0].kind == "datetime"
        assert column(["J", "N"], format="J|N")[0].kind == "boolean"
        assert column(["1", "2"], format="%.2f")[0].kind == "float"
