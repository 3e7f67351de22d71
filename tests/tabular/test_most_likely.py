"""The most central of several draws, against the mode and the median."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery.infer import infer
from synthcli.tabular.most_likely import central


def chosen(column: str, values: np.ndarray | pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """The value that is chosen for each row, and all draws. values: (draws, rows)"""
    draws = [pd.DataFrame({column: row}) for row in np.asarray(values)]
    schema, _ = infer(pa.Table.from_pandas(pd.concat(draws), preserve_index=False), {})
    whole = np.stack([draw[column].to_numpy() for draw in draws])
    which = central(draws, pd.DataFrame({column: [True] * len(draws[0])}), schema)
    return whole[which, np.arange(whole.shape[1])], whole


def test_a_category_gets_its_mode() -> None:
    rng = np.random.default_rng(0)
    got, whole = chosen("c", rng.choice(["a", "b", "c"], (25, 200), p=[0.5, 0.3, 0.2]))
    counts = [pd.Series(column).value_counts() for column in whole.T]
    assert all(count[value] == count.max() for value, count in zip(got, counts))


def test_a_number_gets_the_draw_nearest_to_its_median() -> None:
    rng = np.random.default_rng(0)
    got, whole = chosen("x", rng.lognormal(0, 0.3, (25, 200)))
    assert got == pytest.approx(np.median(whole, axis=0))


def test_a_time_gets_the_draw_nearest_to_its_median() -> None:
    days = np.random.default_rng(0).integers(0, 400, (25, 50))
    got, whole = chosen("t", np.datetime64("2020-01-01") + days.astype("timedelta64[D]"))
    assert (got == np.median(whole.astype("int64"), axis=0).astype(whole.dtype)).all()


def test_null_is_chosen_where_most_draws_are_null() -> None:
    values = np.where(np.arange(25)[:, None] < [3, 20], np.nan, 1.5)
    got, _ = chosen("x", values)
    assert got[0] == 1.5 and np.isnan(got[1])


def test_a_whole_draw_is_chosen_over_all_unknown_cells() -> None:
    draws = [pd.DataFrame({"a": [a], "b": [b]}) for a, b in [("x", "p"), ("x", "q"), ("y", "p"), ("x", "p")]]
    schema, _ = infer(pa.Table.from_pandas(pd.concat(draws), preserve_index=False), {})
    assert central(draws, pd.DataFrame({"a": [True], "b": [True]}), schema)[0] == 0
    assert central(draws[1:3], pd.DataFrame({"a": [False], "b": [True]}), schema)[0] in (0, 1)
