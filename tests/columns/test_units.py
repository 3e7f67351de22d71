"""Rows per privacy unit: where a table has several, and where an output lost them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from synthcli.columns import units
from synthcli.columns.table import Table
from synthcli.contracts.schema import Column, Schema, Traits


def table(who: list[str | None], unit: str | None = "who") -> Table:
    frame = pd.DataFrame({"who": pd.array(who, dtype="string")})
    return Table(frame, Schema((Column("who", Traits(type="id"), Traits(), "string"),), unit))


def test_a_unit_repeats_where_rows_share_it() -> None:
    assert units.repeating(table(["a", "a", "b", None, None])) == {"column": "who", "units": 4, "rows": 5}
    assert units.repeating(table(["a", "b", None, None])) is None
    assert units.repeating(table(["a", "a"], unit=None)) is None
    assert units.repeating(table([])) is None


def test_units_of_a_file_are_counted_over_row_groups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    frame = pd.DataFrame({"who": ["a", "a", "b", "c", "c", "c"], "x": range(6)})
    frame.to_parquet(tmp_path / "t.parquet", row_group_size=2)
    assert units.written(tmp_path / "t.parquet", "who") == {"units": 3, "rows": 6}
    monkeypatch.setattr(units, "COUNTED", 4)
    assert units.written(tmp_path / "t.parquet", "who") == {"units": 3, "rows": 4}
    monkeypatch.setattr(units, "COUNTED", 1)  # one group is read in any case
    assert units.written(tmp_path / "t.parquet", "who") == {"units": 1, "rows": 2}


def test_what_is_lost_is_told_with_figures() -> None:
    source = {"repeating_unit": {"column": "who", "units": 5912, "rows": 20190}}
    (note,) = units.notes(source, {"rows_by_unit": {"units": 20190, "rows": 20190}})
    assert "5,912 units of who have 20,190 rows in the source; the output has one row per unit" in note
    (note,) = units.notes(source, {"rows_by_unit": {"units": 1200, "rows": 20190}})
    assert "the output has 20,190 rows of 1,200 units, each row drawn by itself" in note
    assert units.notes({"repeating_unit": None}, {"rows_by_unit": {"units": 3, "rows": 3}}) == []
    assert units.notes(source, {}) == []
