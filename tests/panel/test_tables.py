"""The layout of a panel, found by looking, and the way to two tables and back."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.table import Table
from synthcli.panel import layout as layouts
from synthcli.panel.layout import PanelLayout, learn
from synthcli.panel.tables import KEY, ROWS, UNITS, gap, join, split
from tests.panel.simulated import read, visits


def found(table: Table) -> PanelLayout:
    layout = learn(table)
    assert layout is not None
    again = PanelLayout.from_json(json.loads(json.dumps(layout.to_json())))
    assert again == layout
    return again


def test_columns_of_the_unit_and_of_its_rows(panel: Table) -> None:
    layout = found(panel)
    assert set(layout.constant) == {"sex", "height", "email"} and layout.gaps == ("height",)
    assert layout.sort_by == "admitted" == layout.varying[0] and not layout.descending
    assert set(layout.paths) == {"admitted", "number"}
    assert layout.relative("discharged") and not layout.relative("admitted")


def test_two_tables_and_back(panel: Table) -> None:
    layout = found(panel)
    two = split(panel, layout)
    units, rows = two.frames[UNITS], two.frames[ROWS]
    assert len(units) == panel.frame["patient"].nunique() and len(units) + len(rows) == len(panel)
    assert two.schemas[UNITS]["patient"].get("unique") and "visit_id" not in units
    assert two.schemas[ROWS].names[0] == KEY and set(rows["admitted"] * 86400 % (7 * 86400)) == {0}
    assert set(units["discharged"]) <= {i * 86400 for i in range(6)}
    assert units[gap("height")].any() and not units["height"].isna().all()
    back = join(two, layout)
    order = np.lexsort((panel.frame["admitted"], panel.units()))
    real = panel.frame.iloc[order].reset_index(drop=True)
    low, high = (pd.Timestamp(layout.paths["admitted"].__getattribute__(end), unit="s") for end in ("low", "high"))
    inside = real.groupby(real["patient"])["admitted"].transform(lambda s: s.between(low, high).all())
    assert inside.mean() > 0.95  # paths that leave what several units reach are moved
    for name in (c for c in real if c != "visit_id"):
        assert back[name].dtype == real[name].dtype
        pd.testing.assert_series_equal(back[name][inside], real[name][inside])


def test_a_source_with_the_last_row_first_comes_back_so() -> None:
    table = read(visits(120).iloc[::-1])
    layout = found(table)
    assert layout.sort_by == "admitted" and layout.descending
    back = join(split(table, layout), layout)
    steps = back["admitted"].diff()[back["patient"].eq(back["patient"].shift())]
    assert (steps <= pd.Timedelta(0)).all()


@pytest.mark.parametrize("shuffled", [False, True])
def test_an_integer_orders_rows_where_there_is_no_date(shuffled: bool) -> None:
    frame = visits(120).drop(columns=["admitted", "discharged"])
    table = read(frame.sample(frac=1, random_state=1) if shuffled else frame)
    layout = found(table)
    assert layout.sort_by == ("number" if shuffled else None) and "number" in layout.paths
    back = join(split(table, layout), layout)
    assert (back.groupby("patient", sort=False)["number"].diff().dropna() == 1).all()


def test_a_column_that_changes_once_belongs_to_the_rows(panel: Table) -> None:
    changed = panel.frame.copy()
    row = int(np.flatnonzero(changed["patient"].duplicated())[0])
    changed.loc[row, "sex"] = "f" if changed.loc[row, "sex"] == "m" else "m"
    assert "sex" not in found(Table(changed, panel.schema)).constant


def test_a_table_of_single_rows_is_no_panel(panel: Table) -> None:
    assert learn(Table(panel.frame.drop_duplicates("patient"), panel.schema)) is None
    several = np.flatnonzero(np.bincount(panel.units()) > 1)
    few = panel.take(np.flatnonzero(np.isin(panel.units(), several[: layouts.LEAST - 1])))
    assert learn(few) is None
    assert learn(panel.take(np.flatnonzero(np.isin(panel.units(), several[: layouts.LEAST])))) is not None


def test_a_row_without_a_unit_is_a_unit(panel: Table) -> None:
    frame = panel.frame.copy()
    alone = np.flatnonzero(frame["patient"].duplicated())[:3]
    frame.loc[alone, "patient"] = None
    table = Table(frame, panel.schema)
    two = split(table, found(table))
    assert len(two.frames[UNITS]) == frame["patient"].nunique() + 3
    assert two.schemas[UNITS]["patient"].get("nulls") == 0
