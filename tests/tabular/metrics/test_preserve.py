"""Agreement of named properties: by hand where it can be, and intervals that hold what they say."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence, Measurement
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular.metrics import preserve

SCHEMA = Schema(
    (Column("x", Traits(type="float"), storage="double"), Column("y", Traits(type="float"), storage="double"))
)


def table(x: np.ndarray, y: np.ndarray | None = None) -> Table:
    return Table(pd.DataFrame({"x": x, "y": x if y is None else y}), SCHEMA)


def measured(
    control: Table, synthetic: Table, *named: str, train: Table | None = None
) -> dict[str | None, Measurement]:
    seen = Evidence(SCHEMA, synthetic, train=train, control=control, preserve=named)
    return {m.of: m for m in preserve.measure(seen, rng=np.random.default_rng(1))}


def normal(n: int, seed: int, shift: float = 0.0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=n) + shift


def test_by_hand() -> None:
    x = np.r_[np.zeros(50), np.ones(50)]
    found = measured(table(x), table(np.r_[np.zeros(40), np.ones(60)]), "mean(x)", "share(x > 0.5)", train=table(x))
    assert found["share(x > 0.5)"].value == pytest.approx(0.9)
    assert found["mean(x)"].value == pytest.approx(1 - 0.1 / x.std(ddof=1))
    assert found["mean(x)"].floor == 1.0
    assert found[None].value == found["mean(x)"].value and found[None].note.startswith(
        "mean(x): real 0.5, synthetic 0.6"
    )


def test_correlations_are_half_their_difference() -> None:
    x = normal(500, 0)
    found = measured(table(x), table(x, -x), "corr(x, y)")
    assert found["corr(x, y)"].value == pytest.approx(0.0)


def test_a_constant_is_met_or_missed() -> None:
    same = measured(table(np.full(50, 3.0)), table(np.full(60, 3.0)), "mean(x)")["mean(x)"]
    other = measured(table(np.full(50, 3.0)), table(np.full(60, 3.1)), "mean(x)")["mean(x)"]
    assert (same.value, other.value) == (1.0, 0.0)


def test_what_is_not_defined_says_so() -> None:
    found = measured(table(normal(50, 0)), table(normal(50, 1)), "mean(x where x > 99)", "mean(x)")
    assert found["mean(x where x > 99)"].value is None and "0 real records" in found["mean(x where x > 99)"].note
    assert found[None].value is None and "x > 99" in found[None].note


def test_a_figure_of_few_people_is_not_told() -> None:
    x = np.r_[np.full(40, 1.0), 1234.0, 1236.0, 1241.0]
    few, many = "mean(x where x > 1000)", "mean(x)"
    found = measured(table(x), table(x + 1), few, many)
    assert found[few].value is not None and found[few].note.startswith(
        "synthetic 1238; the real value is not shown, since fewer than 10 privacy units"
    )
    assert found[None].note.startswith((f"{few}: synthetic 1238; the real", f"{many}: real"))
    assert found[many].note.startswith("real 87.2326, synthetic 88.2326, difference 1 ")


def test_rows_of_one_person_are_one_person() -> None:
    schema = Schema((*SCHEMA.columns, Column("who", Traits(type="id"), storage="int64")), unit="who")
    frame = pd.DataFrame({"x": normal(60, 0), "y": normal(60, 1), "who": np.arange(60) // 10})
    of_six, of_sixty = Table(frame, schema), Table(frame.assign(who=np.arange(60)), schema)
    notes = {}
    for name, control in (("six", of_six), ("sixty", of_sixty)):
        seen = Evidence(schema, of_sixty, control=control, preserve=("mean(x)",))
        notes[name] = preserve.measure(seen, rng=np.random.default_rng(1))[1].note
    assert "not shown" in notes["six"] and "real" in notes["sixty"] and "not shown" not in notes["sixty"]


@pytest.mark.parametrize("text", ["mean(x)", "median(x)", "share(x > 1)", "std(x)", "corr(x, y)"])
def test_intervals_of_one_population_reach_agreement(text: str) -> None:
    reached = 0
    for seed in range(60):
        one, two = normal(300, 2 * seed), normal(300, 2 * seed + 1)
        noise = [np.random.default_rng(900 + 2 * seed + i).normal(size=300) for i in (0, 1)]
        found = measured(table(one, one + noise[0]), table(two, two + noise[1]), text)[text]
        reached += found.high == 1.0
    assert 51 <= reached <= 60  # 95 % of 60 is 57, with a standard deviation of 1.7


def test_a_shift_is_seen_with_its_size() -> None:
    found = measured(table(normal(4_000, 0)), table(normal(4_000, 1, shift=0.5)), "mean(x)")["mean(x)"]
    assert found.low is not None and found.high is not None and found.low < 0.5 < found.high < 0.6


def test_large_tables_keep_the_precision_of_all_their_rows() -> None:
    control, few = table(normal(100_000, 0)), table(normal(100_000, 1))
    found = measured(control, few, "mean(x)")["mean(x)"]
    assert (
        found.low is not None and found.low > 0.975
    )  # two standard errors are 0.009; those of 25,000 rows would be 0.018
