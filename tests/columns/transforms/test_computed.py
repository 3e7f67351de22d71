"""Columns that are computed hold exactly for anything that a method draws, and what matters of the others is kept."""

import json

import numpy as np
import pandas as pd
import pytest

from synthcli.columns import frame as frames
from synthcli.columns.constraints.computed import Computed
from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.expressions.compile import parse
from synthcli.columns.transforms.transformer import Transformer
from synthcli.contracts.schema import Column, Schema, Traits

ROWS = 300


def stays(seed=0):
    """Stays in hospital: two dates, the days between them, the age, a bill."""
    rng = np.random.default_rng(seed)
    start = np.datetime64("2021-01-01", "s") + rng.integers(0, 800, ROWS) * np.timedelta64(86400, "s")
    stay = rng.geometric(0.25, ROWS) - 1
    born = start - rng.integers(0, 30_000, ROWS) * np.timedelta64(86400, "s")
    frame = pd.DataFrame(
        {
            "born": born,
            "start": start,
            "end": start + stay * np.timedelta64(86400, "s"),
            "stay": pd.array(stay, dtype="Int64"),
            "rate": np.round(rng.gamma(5, 90, ROWS), 2),
        }
    )
    frame["age"] = parse("years_between(born, start)").evaluate(frame)
    frame["cost"] = np.round(frame["rate"] * stay, 2)
    frame["vat"] = np.round(frame["cost"] * 0.19, 2)
    kinds = {"born": "date_of_birth", "start": "datetime", "end": "datetime", "stay": "integer", "age": "integer"}
    storage = dict.fromkeys(("born", "start", "end"), "date32[day]") | dict.fromkeys(("stay", "age"), "int64")
    columns = tuple(
        Column(c, inferred=Traits(type=kinds.get(c, "float"), precision=None if c in kinds else 2),
               storage=storage.get(c, "double"))
        for c in frame
    )  # fmt: skip
    return frame, Schema(columns)


EXPRESSIONS = {
    "stay": "days_between(start, end)",
    "age": "years_between(born, start)",
    "cost": "rate * stay",
    "vat": "cost * 0.19",
}


def rules(**more):
    return [Computed(c, parse(text), 2 if c in ("cost", "vat") else None) for c, text in (EXPRESSIONS | more).items()]


def drawn(plan, frame, seed=0):
    """Independent draws of each learned column, restored."""
    rng, learned = np.random.default_rng(seed), plan.forward(frame)
    shuffled = {c: learned[c].take(rng.permutation(ROWS)).reset_index(drop=True) for c in learned}
    return plan.inverse(pd.DataFrame(shuffled))


def test_everything_holds_for_independent_draws_and_the_stay_keeps_its_distribution():
    frame, schema = stays()
    plan = Transformer.plan(rules(), frame, schema)
    assert set(plan.how.values()) == {"construction"}
    assert {"stay", "age"} <= set(plan.schema.names) and not {"end", "cost", "vat"} & set(plan.schema.names)
    again = Transformer.from_json(json.loads(json.dumps(plan.to_json())))
    out = drawn(again, frame)
    assert not any(rule.violations(out).any() for rule in rules())
    assert sorted(out["stay"]) == sorted(frame["stay"]) and sorted(out["age"]) == sorted(frame["age"])
    assert (out["born"] <= out["start"]).all() and (out.dtypes == frame.dtypes).all()
    frames.to_arrow(out, schema)


def test_what_comes_back_is_what_went_in():
    frame, schema = stays()
    plan = Transformer.plan([r for r in rules() if r.column != "age"], frame, schema)
    pd.testing.assert_frame_equal(plan.inverse(plan.forward(frame)), frame)


def test_the_dates_of_a_rounded_difference_are_learned_as_one_date_and_a_residual():
    frame, schema = stays()
    weeks = Computed("stay", parse("floor(days_between(start, end) / 7)"))
    frame["stay"] = weeks.value(frame).astype("Int64")
    plan = Transformer.plan([weeks], frame, schema)
    out = drawn(plan, frame)
    assert "end beside start" in plan.schema.names and not weeks.violations(out).any()
    assert sorted(out["stay"]) == sorted(frame["stay"])


def test_rows_of_the_source_that_disagree_do_not_hinder():
    frame, schema = stays()
    frame.loc[:30, "stay"] += 1
    plan = Transformer.plan(rules(), frame, schema)
    assert set(plan.how.values()) == {"construction"}
    assert not any(rule.violations(drawn(plan, frame)).any() for rule in rules())


def test_a_column_that_something_depends_on_is_learned_and_still_computed():
    frame, schema = stays()
    plan = Transformer.plan(rules(), frame, schema, keep=frozenset({"cost", "end"}))
    assert {"cost", "end"} <= set(plan.schema.names)
    assert not any(rule.violations(drawn(plan, frame)).any() for rule in rules())


def test_nulls_stay_where_they_were():
    frame, schema = stays()
    frame.loc[:40, "end"] = pd.NaT
    frame.loc[20:60, "stay"] = pd.NA
    plan = Transformer.plan(rules(), frame, schema)
    back = plan.inverse(plan.forward(frame))
    assert back[["stay", "end"]].isna().equals(frame[["stay", "end"]].isna())
    assert not any(rule.violations(drawn(plan, frame)).any() for rule in rules())


@pytest.mark.parametrize(
    "text",
    ["abs(stay - days_between(start, end)) <= 1", "-1 <= days_between(start, end) - stay <= 1"],
)
def test_bounded_differences_hold_by_construction_and_bend_nothing(text):
    frame, schema = stays()
    off = np.random.default_rng(1).integers(-1, 2, ROWS)
    frame["stay"] = pd.array(np.maximum(frame["stay"].to_numpy(dtype=int) + off, 0), dtype="Int64")
    rule = parse_rule(text)
    plan = Transformer.plan([rule], frame, schema)
    out = drawn(plan, frame)
    assert plan.how[rule.text] == "construction" and not rule.violations(out).any()
    assert out["stay"].mean() == frame["stay"].mean()
