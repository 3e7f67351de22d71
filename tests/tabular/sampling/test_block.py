"""Rows as they were asked: exactly so many, each obeys, cells are exact, keys are unique and in a row, whoever makes
which block.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import plugins
from synthcli.columns.constraints.parse import Rule, parse_rule
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.columns.transforms.transformer import Transformer
from synthcli.contracts.modality import Engine
from synthcli.contracts.modelling import Job, Model, Request, silent
from synthcli.contracts.schema import Traits
from synthcli.errors import FitError, SynthError
from synthcli.spec.describe import request_of
from synthcli.spec.models import Generate
from synthcli.tabular.sampling import request
from synthcli.tabular.sampling.request import settle
from synthcli.tabular.sampling.stream import RowStream
from synthcli.tabular.sampling.transformed import TransformedModel

SMALL = 512


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot of few rows."""
    monkeypatch.setattr(request, "PILOT", 8 * SMALL)


def small(conditions: dict[str, Any], rows: int, seed: int) -> Request:
    """A request in blocks of few rows."""
    return replace(request_of(Generate(**conditions), seed, rows), block_size=SMALL)


def source(rows: int = 3000) -> Table:
    rng = np.random.default_rng(3)
    group = rng.choice(["a", "b", "c", "d"], rows, p=[0.7, 0.2, 0.09, 0.01])
    low = rng.integers(0, 50, rows)
    some = rng.integers(0, 9, rows)
    other = rng.integers(0, 9, rows)
    # one in a thousand has a value of its own; two hold it, so that it is nobody's alone
    word = np.where(np.arange(rows) % 1000 == 7, "rare", rng.choice(["x", "y"], rows))
    table = pa.table(
        {
            "id": pa.array([f"K-{i:05d}" for i in rng.permutation(rows)]),
            "group": pa.array(group),
            "city": pa.array(np.char.add(np.where(group == "a", "A", "Z"), rng.choice(["1", "2"], rows))),
            "flag": pa.array(rng.random(rows) < np.where(group == "a", 0.1, 0.6)),
            "level": pa.array(rng.integers(1, 5, rows), mask=rng.random(rows) < 0.1),
            "word": pa.array(word),
            "low": pa.array(low),
            "high": pa.array(low + rng.integers(0, 50, rows)),
            "some": pa.array(some),
            "other": pa.array(other),
            "total": pa.array(some + other),
            "weight": pa.array(rng.normal(70, 9, rows).astype(np.float32), pa.float32()),
        }
    )
    schema, frame = infer(table, {"id": Traits(type="id", unique=True)})
    return Table(frame, schema)


TABLE = source()
RULES = (
    {"increasing": ["low", "high"]},
    {"sum": {"total": "total", "of": ["some", "other"]}},
    {"one_of": ["group", "city"]},
)
_fitted: dict[Any, Model] = {}


def model(method: str, table: Table = TABLE, rules: tuple[Rule, ...] = (), key: str = "plain") -> Model:
    """Fitted once; rules are built in where they can be."""
    if (method, key) not in _fitted:
        module = plugins.method(method, "tabular")
        params = module.Params(**({"epochs": 1, "hidden": 8, "embedding": 4} if method == "arnet" else {}))
        transformer = (
            Transformer.plan(rules, table.frame, table.schema, keep=frozenset({"group", "flag"})) if rules else None
        )
        learned = Table(transformer.forward(table.frame), transformer.schema) if transformer is not None else table
        fitted = module.fit(learned, params, job=Job(1))
        _fitted[method, key] = fitted if transformer is None else TransformedModel(fitted, transformer)
    return _fitted[method, key]


def made(
    rows: int, fitted: Model, rules: tuple[Rule, ...] = (), seed: int = 5, table: Table = TABLE, **asked: Any
) -> tuple[pd.DataFrame, RowStream]:
    settled = settle(small(asked, rows, seed), fitted, table.schema, rules)
    out = RowStream(fitted, settled, table.schema, engine=Engine(workers=1))
    frame = pd.concat([t.frame for t in out.tables(silent)], ignore_index=True)
    assert len(frame) == rows == out.tally.generated
    return frame, out


def test_where_is_true_of_every_row_and_rows_are_exact() -> None:
    for rows in (1, SMALL, 3 * SMALL + 7):
        frame, _ = made(rows, model("trees"), where="group == 'd' and low > 40")
        assert (frame["group"] == "d").all() and (frame["low"] > 40).all()
        assert frame["id"].is_unique


@pytest.mark.parametrize("seed", range(3))
def test_the_last_of_rare_rows_are_found_by_a_method_that_cannot_be_told(seed: int) -> None:
    frame, _ = made(40, model("independent"), where="word == 'rare'", seed=seed)
    assert (frame["word"] == "rare").all()


def test_cells_are_exact_with_three_columns_nulls_and_a_value_of_one_row_in_a_thousand() -> None:
    balance = {"word": {"rare": 0.25}, "level": {"null": 0.5}, "flag": {"true": 0.5, "false": 0.5}}
    frame, out = made(2000, model("trees"), balance=balance)
    assert (frame["word"] == "rare").sum() == 500
    assert frame["level"].isna().sum() == 1000
    assert frame["flag"].sum() == 1000
    assert all(line["requested"] == line["achieved"] for line in out.report()["balance"])
    assert sum(out.tally.strata.values()) == 2000


def test_a_cell_is_spread_over_the_rows() -> None:
    frame, _ = made(4 * SMALL, model("trees"), balance={"group": {"d": 0.5}})
    shares = [(frame["group"].iloc[i : i + SMALL // 2] == "d").mean() for i in range(0, len(frame), SMALL // 2)]
    assert min(shares) > 0.35 and max(shares) < 0.65


def test_what_is_not_asked_follows_the_model() -> None:
    """Of rows steered into a rare group, flag is as among the source's rows of that group."""
    frame, _ = made(3000, model("trees"), where="group == 'd'")
    assert abs(frame["flag"].mean() - TABLE.frame["flag"][TABLE.frame["group"] == "d"].mean()) < 0.15
    frame, _ = made(3000, model("trees"), balance={"group": {"b": 0.5, "a": 0.5}})
    for group in "ab":
        assert (
            abs(
                frame["flag"][frame["group"] == group].mean()
                - TABLE.frame["flag"][TABLE.frame["group"] == group].mean()
            )
            < 0.06
        )


def test_rules_by_construction_hold_together_with_where_and_balance() -> None:
    rules = tuple(parse_rule(r).learn(TABLE.frame) for r in RULES)
    fitted = model("trees", rules=rules, key="rules")
    frame, _ = made(1500, fitted, rules, where="low >= 10 or flag", balance={"group": {"a": 0.25, "d": 0.25}})
    assert (frame["low"] <= frame["high"]).all() and (frame["total"] == frame["some"] + frame["other"]).all()
    assert not rules[2].violations(frame).any()
    assert ((frame["low"] >= 10) | frame["flag"]).all()
    assert frame["group"].value_counts()[["a", "d"]].tolist() == [375, 375]


def test_a_unique_rule_holds_across_blocks_with_cells() -> None:
    rules = (parse_rule({"unique": ["low", "high", "group"]}),)
    rows = 3 * SMALL + 11
    frame, out = made(rows, model("trees"), rules, balance={"group": {"a": 0.5, "b": 0.5}})
    assert not frame[["low", "high", "group"]].duplicated().any()
    assert frame["group"].value_counts()["a"] == -(-rows // 2) or frame["group"].value_counts()["a"] == rows // 2
    assert frame["id"].is_unique
    assert out.tally.refused["unique: low, high, group"] > 0


def test_a_unique_rule_that_cannot_hold_says_so() -> None:
    with pytest.raises(FitError, match=r"generate: \d+ of \d+ rows could be generated.*unique: flag, group"):
        made(200, model("independent"), (parse_rule({"unique": ["flag", "group"]}),))


@pytest.mark.parametrize(
    "method",
    ["independent", pytest.param("gaussian_copula", marks=pytest.mark.extra("sdv")), "bootstrap", "parametric"],
)
def test_methods_that_cannot_be_told_choose_among_rows(method: str) -> None:
    frame, out = made(700, model(method), where="low < 25", balance={"group": {"b": 0.5, "a": 0.5}})
    assert (frame["low"] < 25).all() and (frame["group"] == "b").sum() == 350
    assert out.report()["found_by"] == "rejection sampling"
    with pytest.raises(SynthError, match=r"generate\.where.*trees or arnet"):
        made(10, model(method), where="low > 500")


@pytest.mark.extra("neural")
def test_arnet_is_told(tmp_path: Any) -> None:
    frame, out = made(600, model("arnet"), balance={"group": {"d": 0.5}})
    assert (frame["group"] == "d").sum() == 300
    assert out.report()["found_by"] == "conditional sampling"


def test_keys_are_unique_and_as_they_would_be_without_a_condition() -> None:
    free, _ = made(1000, model("trees"))
    where, _ = made(1000, model("trees"), where="flag")
    assert free["id"].tolist() == where["id"].tolist()


def test_a_condition_on_a_key_leaves_keys_unique() -> None:
    frame, _ = made(1000, model("trees"), where="id < 'K-7'")
    assert frame["id"].is_unique and (frame["id"] < "K-7").all()


def test_keys_that_just_suffice() -> None:
    """100 keys for 100 rows, of which most that are drawn are refused."""
    columns = {"id": pa.array([f"{i:02d}" for i in range(100)] * 5), "x": pa.array(list(range(500)))}
    schema, frame = infer(pa.table(columns), {"id": Traits(type="id", pattern=r"\d{2}", unique=True)})
    table = Table(frame, schema)
    for rules in ((), (parse_rule({"unique": ["id"]}),)):
        got, _ = made(100, model("trees", table, key="keys"), rules, table=table, where="x > 250")
        assert got["id"].is_unique and (got["x"] > 250).all()


def test_values_obey_as_they_are_stored() -> None:
    """float32 rounds: what is below a bound before it is written must be below it after."""
    bound = float(np.float32(70.1))
    frame, _ = made(3000, model("trees"), where=f"weight < {bound!r}")
    assert (frame["weight"].astype("float32").astype("float64") < bound).all()
    assert (frame["weight"] == frame["weight"].astype("float32")).all()


def test_hopeless_conditions_end_soon_and_say_what_is_missing() -> None:
    with pytest.raises(FitError, match=r"no drawn row meets where: low \+ high < -1"):
        made(10, model("trees"), where="low + high < -1")
    with pytest.raises(FitError, match="no drawn row meets group != 'a'"):
        made(200, model("trees"), (parse_rule("group != 'a'"),), balance={"group": {"a": 0.5}})
    with pytest.raises(
        FitError, match=r"no drawn row meets low > 10000; remedy: weaken or remove the constraint; trees"
    ):
        made(10, model("independent"), (parse_rule("low > 10000"),))
    with pytest.raises(FitError, match=r"unique: group: the model has no further values; remedy: .* unique constraint"):
        made(100, model("independent"), (parse_rule({"unique": ["group"]}),))


def test_the_same_seed_gives_the_same_rows_and_another_does_not() -> None:
    asked = {"where": "low > 10", "balance": {"group": {"d": 0.5}}}
    one, two, other = (made(600, model("trees"), seed=s, **asked)[0] for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)


def test_fairness_in_the_rows() -> None:
    frame, out = made(4000, model("trees"), fairness={"target": "flag", "sensitive": ["group"]})
    rates = frame.groupby("group")["flag"].mean()
    assert rates.max() - rates.min() < 0.03
    said = out.report()["fairness"]
    assert (
        said["gap_before"] > 0.3 and said["gap_after"] == pytest.approx(said["gap_asked"]) and said["gap_after"] < 0.03
    )


def test_no_more_rows_are_drawn_than_needed() -> None:
    """A rule that refuses a few rows costs about as many more, not a block more."""
    _, out = made(2 * SMALL, model("trees"), (parse_rule("low > 0"),))
    assert out.tally.drawn < 2.6 * SMALL
