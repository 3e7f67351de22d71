"""What is asked, settled: shares to whole rows, exactly; errors that name the part."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.table import Table
from synthcli.contracts.modelling import BLOCK, Allowed, Model, Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import FitError, SpecError, SynthError
from synthcli.spec.describe import request_of
from synthcli.spec.models import Generate
from synthcli.tabular.sampling import raking
from synthcli.tabular.sampling import strata as strata
from synthcli.tabular.sampling.request import SettledRequest, settle
from synthcli.tabular.sampling.strata import Stratum

SCHEMA = Schema(
    (
        Column("id", Traits(type="id"), storage="string"),
        Column("day", Traits(type="datetime"), storage="timestamp[us]"),
        Column("sex", Traits(type="category"), storage="string"),
        Column("smoker", Traits(type="boolean"), storage="bool"),
        Column("n", Traits(type="integer"), storage="int64"),
        Column("x", Traits(type="float"), storage="double"),
    )
)
LEARNED = {"n": {0, 1, 2, 3, 99}, "sex": {"m", "f", "rare"}}


class Coin(Model):
    """Rows of known shares: sex is m in 3 of 4 rows, and then smokes in half of them, else in one of ten. Completes
    what is told of one column.
    """

    def sample(self, request: Request, block: int, *, rng: np.random.Generator) -> Table:
        rows = request.size(block)
        sex = rng.choice(["m", "f"], rows, p=[0.75, 0.25])
        frame = pd.DataFrame(
            {
                "id": pd.Series([f"k{i}" for i in range(rows)], dtype="string[pyarrow]"),
                "day": pd.to_datetime(pd.Series(["2024-01-01"] * rows)).astype("datetime64[us]"),
                "sex": pd.Series(sex, dtype="string[pyarrow]"),
                "smoker": pd.array(rng.random(rows) < np.where(sex == "m", 0.5, 0.1), dtype="boolean"),
                "n": pd.Series(rng.integers(0, 4, rows), dtype="Int64").mask(rng.random(rows) < 0.1),
                "x": rng.random(rows),
            }
        )
        return Table(frame, SCHEMA)

    def complete(self, given: Any, start: int, *, rng: np.random.Generator) -> Table:
        frame = self.sample(Request(given.rows), 0, rng=rng).frame
        for name, allowed in given.allowed.items():
            if allowed.values and not allowed.values <= LEARNED.get(name, allowed.values):
                raise FitError(f"column {name}: the model has learned no such value. Did you mean rare?")
            if allowed.values:
                frame[name] = pd.Series(rng.choice(sorted(allowed.values), given.rows), dtype=frame[name].dtype)
            elif allowed.null:
                frame[name] = pd.Series([None] * given.rows, dtype=frame[name].dtype)
        return Table(frame, SCHEMA)

    def save(self, folder: Any) -> None:
        raise NotImplementedError


class Free(Coin):
    completes = False


def settled(rows: int = 1000, model: Model | None = None, **asked: Any) -> SettledRequest:
    return settle(request_of(Generate(**asked), 1, rows), model or Coin(), SCHEMA, ())


def totals(wanted: SettledRequest, name: str) -> dict[Any, int]:
    out: dict[Any, int] = {}
    for stratum in wanted.strata:
        out[stratum.values[name]] = out.get(stratum.values[name], 0) + stratum.rows
    return out


def test_one_margin_is_exact_and_sums_to_the_rows() -> None:
    assert totals(settled(balance={"smoker": {"true": 0.7, "false": 0.3}}), "smoker") == {True: 700, False: 300}
    assert sum(totals(settled(999, balance={"n": {"0": 1 / 3, "1": 1 / 3, "2": 1 / 3}}), "n").values()) == 999


def test_what_is_left_unsaid_keeps_its_proportions() -> None:
    got = totals(settled(100_000, balance={"n": {"null": 0.5}}), "n")
    assert got[None] == 50_000
    assert all(12_000 < got[i] < 13_000 for i in range(4))  # evenly, as the model draws them


def test_three_margins_are_each_exact() -> None:
    asked = settled(
        1000,
        balance={"sex": {"f": 0.6, "m": 0.4}, "smoker": {"true": 0.5}, "n": {"1": 0.1, "2": 0.2, "3": 0.3, "0": 0.4}},
    )
    assert totals(asked, "sex") == {"f": 600, "m": 400}
    assert totals(asked, "smoker") == {True: 500, False: 500}
    assert {k: v for k, v in totals(asked, "n").items() if v} == {1: 100, 2: 200, 3: 300, 0: 400}


def test_balance_keeps_the_odds_ratio_of_the_model() -> None:
    """Iterative proportional fitting keeps odds ratios: here (0.5 * 0.9) / (0.5 * 0.1) = 9."""
    strata = {
        tuple(c.values.values()): c.rows
        for c in settled(10**6, balance={"sex": {"f": 0.5, "m": 0.5}, "smoker": {"true": 0.5}}).strata
    }
    odds = strata["m", True] * strata["f", False] / (strata["m", False] * strata["f", True])
    assert 8 < odds < 10


def test_fairness_makes_the_target_independent_and_keeps_both_margins() -> None:
    asked = settled(100_000, fairness={"target": "smoker", "sensitive": ["sex"]})
    strata = {(c.values["sex"], c.values["smoker"]): c.rows for c in asked.strata}
    rates = [strata[s, True] / (strata[s, True] + strata[s, False]) for s in "mf"]
    assert abs(rates[0] - rates[1]) < 1e-4
    assert 0.35 < asked.report["fairness"]["gap_before"] < 0.45  # 0.5 - 0.1
    assert asked.report["fairness"]["gap_asked"] < 1e-4
    assert abs(totals(asked, "sex")["m"] - 75_000) < 1000


def test_fairness_with_the_target_balanced() -> None:
    asked = settled(10_000, fairness={"target": "smoker", "sensitive": ["sex", "n"]}, balance={"smoker": {"true": 0.5}})
    assert totals(asked, "smoker") == {True: 5000, False: 5000}
    assert asked.report["fairness"]["gap_asked"] < 0.01


def test_a_value_too_rare_for_the_pilot_is_asked_of_the_model() -> None:
    assert totals(settled(balance={"sex": {"rare": 0.5}}), "sex")["rare"] == 500
    assert totals(settled(balance={"n": {"99": 0.25}}), "n")[99] == 250


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"balance": {"sexx": {"m": 1.0}}}, ["generate.balance.sexx", "Did you mean sex"]),
        ({"balance": {"sex": {"rares": 0.5}}}, ["generate.balance.sex", "'rares'", "Did you mean rare", "Known: f, m"]),
        ({"balance": {"sex": {"mm": 0.0}}}, ["generate.balance.sex", "'mm'"]),
        ({"balance": {"sex": {"m": 0.8, "f": 0.4}}}, ["generate.balance.sex", "1.2"]),
        ({"balance": {"sex": {"m": 0.5, "f": 0.4, "null": 0.0}}}, ["generate.balance.sex", "0.9"]),
        ({"balance": {"smoker": {"yes": 0.5}}}, ["generate.balance.smoker", "'yes'", "true"]),
        ({"balance": {"n": {"1.5": 0.5}}}, ["generate.balance.n", "'1.5'"]),
        ({"balance": {"n": {"1": 0.5, "1.0": 0.5}}}, ["generate.balance.n", "twice"]),
        ({"balance": {"n": {"7": 0.5}}}, ["generate.balance.n", "'7'", "null"]),
        ({"balance": {"x": {"1": 0.5}}}, ["generate.balance.x", "at most 100"]),
        (
            {"balance": {"x": {"0-0.5": 0.5}}},
            ["generate.balance.x: '0-0.5' is a range", "remedy: generate.where: 'x >= …'"],
        ),
        ({"balance": {"n": {"0..1": 0.5}}}, ["generate.balance.n: '0..1' is a range"]),
        ({"balance": {"n": {"<2": 0.5}}}, ["generate.balance.n: '<2' is a range"]),
        ({"balance": {"sex": {"18-30": 0.5}}}, ["no value '18-30'", "Known: f, m"]),
        ({"balance": {"n": {"-1": 0.5}}}, ["no value '-1'"]),
        ({"balance": {"id": {"a": 0.5}}}, ["generate.balance.id", "made up"]),
        ({"balance": {"day": {"2024-01-01": 0.5}}}, ["generate.balance.day", "datetime"]),
        ({"fairness": {"target": "sex", "sensitive": ["smok"]}}, ["generate.fairness", "Did you mean smoker"]),
        ({"fairness": {"target": "x", "sensitive": ["sex"]}}, ["generate.fairness", "x has"]),
        ({"where": "sexx == 'm'"}, ["generate.where", "Did you mean sex"]),
        ({"where": "sex == 'm' and sex == 'f'"}, ["generate.where", "contradicts itself"]),
        ({"where": "sex == 'm' and sex != 'm'"}, ["generate.where", "contradicts itself"]),
        ({"where": "sex == 'rarer'"}, ["generate.where", "Did you mean rare"]),
        (
            {"where": "sex == 'm'", "balance": {"sex": {"f": 0.5}}},
            ["generate.balance.sex", "f is excluded by generate.where"],
        ),
        ({"where": "sex > 3"}, ["generate.where"]),
        ({"where": "x + 1"}, ["generate.where", "expected true or false"]),
        ({"where": "x >"}, ["x >"]),
        ({"where": "id == 'q'"}, ["generate.where", "id", "made up"]),
    ],
)
def test_errors_name_the_part(asked: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(SynthError) as caught:
        settled(**asked)
    for word in words:
        assert word in str(caught.value), str(caught.value)


def test_a_condition_against_the_constraints_is_an_error_that_names_them() -> None:
    rules = tuple(parse_rule(text) for text in ("n >= 2", "x < 1"))
    with pytest.raises(SpecError, match=r"generate\.where: no row can meet n < 2 and obey n >= 2; remedy"):
        settle(request_of(Generate(where="n < 2"), 1, 10), Coin(), SCHEMA, rules)


def test_too_many_combinations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strata, "STRATA", 9)
    with pytest.raises(SpecError, match="sex × n have 10 combinations; at most 9"):
        settled(balance={"sex": {"m": 0.5}, "n": {"1": 0.5}})


def test_a_model_that_cannot_be_told_needs_rows_of_that_kind() -> None:
    with pytest.raises(FitError, match=r"generate\.where: none of 32,768 unconditioned rows.*trees or arnet"):
        settled(model=Free(), where="x > 2")
    assert not settled(model=Free(), where="x > 0.99").guided
    with pytest.raises(SpecError, match="no value 'rare'"):
        settled(model=Free(), balance={"sex": {"rare": 0.5}})


def test_common_rows_are_chosen_and_rare_ones_are_steered_to() -> None:
    assert not settled(where="sex == 'm'").guided
    rare = settled(where="sex == 'm' and x < 0.01")
    assert rare.guided and rare.allowed["sex"] == Allowed(values=frozenset({"m"}))


def test_rows_of_a_block_add_up_over_blocks() -> None:
    for rows in (1, 2, 7, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 5):
        sizes = raking.largest_remainder(np.array([0.1, 0.0003, 0.8997]) * rows, rows)
        asked = SettledRequest(rows, 0, strata=tuple(Stratum({"a": i}, int(n)) for i, n in enumerate(sizes)))
        counts = np.array([asked.counts(b) for b in range(asked.blocks)])
        assert counts.sum(axis=0).tolist() == sizes.tolist()
        assert counts.sum(axis=1).tolist() == [asked.size(b) for b in range(asked.blocks)]


def test_each_block_has_about_its_share_of_each_cell() -> None:
    asked = SettledRequest(10**12, 0, strata=(Stratum({"a": 0}, 10**11), Stratum({"a": 1}, 9 * 10**11)))
    for block in (0, 12_345, 61_035_155):
        assert abs(asked.counts(block)[0] - 1638) < 20


def test_the_cell_of_a_row() -> None:
    strata = (Stratum({"sex": "m", "n": None}, 1), Stratum({"sex": "f", "n": 1}, 1))
    frame = pd.DataFrame(
        {
            "sex": pd.array(["m", "f", "f", None, "z"], dtype="string[pyarrow]"),
            "n": pd.array([None, 1, 2, 1, None], dtype="Int64"),
        }
    )
    assert SettledRequest(2, 0, strata=strata).stratum_of(frame).tolist() == [0, 1, -1, -1, -1]


def test_it_is_told_to_another_process() -> None:
    asked = settled(where="sex == 'm' and x < 0.01", balance={"n": {"null": 0.5, "1": 0.5}, "smoker": {"true": 0.5}})
    again = SettledRequest.from_json(json.loads(json.dumps(asked.to_json())), SCHEMA)
    assert (again.rows, again.strata, again.guided, again.allowed, again.where) == (
        asked.rows, asked.strata, asked.guided, asked.allowed, asked.where,
    )  # fmt: skip


def test_whole_numbers_keep_margins() -> None:
    rng = np.random.default_rng(0)
    for shape in ((3, 4), (2, 3, 4), (8, 9)):
        share = rng.dirichlet(np.ones(int(np.prod(shape)))).reshape(shape)
        got = raking.whole_rows(share * 100, 100)
        assert got.sum() == 100
        assert np.abs(got - share * 100).max() < 1 + 1e-6
        for axis in range(len(shape)):
            others = tuple(i for i in range(len(shape)) if i != axis)
            assert np.abs(got.sum(axis=others) - share.sum(axis=others) * 100).max() < 1 + 1e-6


def test_parity_gap_by_hand() -> None:
    assert raking.parity_gap(np.array([[30, 70], [60, 40]]), 1) == pytest.approx(0.3)
    assert raking.parity_gap(np.array([[30, 70], [60, 40]]), 0) == pytest.approx(70 / 110 - 30 / 90)
    assert raking.parity_gap(np.zeros((2, 2)), 1) == 0.0
