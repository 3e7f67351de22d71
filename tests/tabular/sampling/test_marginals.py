"""Rules that reject many draws: the rows that are accepted keep the marginals that the model has without the rules."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli import plugins
from synthcli.columns.constraints.parse import Rule, parse_rule
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modality import Engine
from synthcli.contracts.modelling import Job, Model, Request, silent
from synthcli.errors import FitError
from synthcli.spec.describe import request_of
from synthcli.spec.models import Generate
from synthcli.tabular.sampling import marginals
from synthcli.tabular.sampling.calibration import calibrate
from synthcli.tabular.sampling.classes import Classes
from synthcli.tabular.sampling.marginals import keep_marginals
from synthcli.tabular.sampling.request import SettledRequest, settle
from synthcli.tabular.sampling.stream import RowStream

ROWS = 3000
RULES = {  # of each kind one that no rewriting of columns builds in
    "implication": "ward == 'icu' implies stay >= 4",
    "difference": "abs(stay - days_between(start, end)) <= 1 or ward == 'day'",
    "three columns": "a + b + c <= 100",
    "nonlinear": "a * b <= 400",
}


def source(rows: int) -> Table:
    rng = np.random.default_rng(3)
    ward = rng.choice(["icu", "general", "day"], rows, p=[0.2, 0.5, 0.3])
    stay = rng.poisson(3, rows) + np.where(ward == "icu", 4, 0)
    start = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 30, rows), unit="D")
    days = np.where(ward == "day", rng.integers(0, 20, rows), (stay + rng.integers(-1, 2, rows)).clip(0))
    a = np.round(rng.gamma(3, 8, rows).clip(1, 90), 1)
    b = np.round((400 / a).clip(max=100 - a) * rng.random(rows), 1)
    columns = {
        "ward": ward,
        "stay": stay,
        "start": start,
        "end": start + pd.to_timedelta(days, unit="D"),
        "a": a,
        "b": b,
    }
    columns |= {"c": np.round((100 - a - b) * rng.random(rows), 1), "sex": rng.choice(["f", "m"], rows)}
    schema, frame = infer(pa.table({name: pa.array(values) for name, values in columns.items()}), {})
    return Table(frame, schema)


TABLE = source(1500)


@pytest.fixture(scope="module")
def models() -> dict[str, Model]:
    out = {}
    for name, params in (("independent", {}), ("trees", {"discriminator": 0})):
        method = plugins.method(name, "tabular")
        out[name] = method.fit(TABLE, method.Params(**params), job=Job(1))
    return out


def drawn(
    model: Model, rules: tuple[Rule, ...], calibrated: bool = True, **asked: Any
) -> tuple[pd.DataFrame, RowStream]:
    settled = settle(request_of(Generate(**asked), 5, ROWS), model, TABLE.schema, rules)
    if calibrated:
        settled = keep_marginals(settled, model, TABLE.schema)
    stream = RowStream(model, settled, TABLE.schema, engine=Engine(workers=1))
    return pd.concat([table.frame for table in stream.tables(silent)], ignore_index=True), stream


def rule(name: str) -> tuple[Rule, ...]:
    return (parse_rule(RULES[name]),)


def distances(frame: pd.DataFrame, other: pd.DataFrame) -> dict[str, float]:
    """The Kolmogorov-Smirnov distance of numbers and times, the total variation distance of words."""
    out = {}
    for name in frame:
        x, y = frame[name], other[name]
        if x.dtype == "string":
            out[name] = (
                0.5 * x.value_counts(normalize=True).sub(y.value_counts(normalize=True), fill_value=0).abs().sum()
            )
            continue
        x, y = (np.sort(v.astype("int64" if v.dtype.kind == "M" else "float64").to_numpy()) for v in (x, y))
        steps = np.unique(np.concatenate([x, y]))
        below = [np.searchsorted(v, steps, side="right") / len(v) for v in (x, y)]
        out[name] = float(np.abs(below[0] - below[1]).max())
    return out


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("method", ["independent", "trees"])
def test_columns_keep_their_marginals(models: dict[str, Model], method: str, name: str) -> None:
    free, _ = drawn(models[method], ())
    rejected, _ = drawn(models[method], rule(name), calibrated=False)
    frame, stream = drawn(models[method], rule(name))
    before, after = (max(distances(rows, free).values()) for rows in (rejected, frame))
    assert after < 0.045 and (before < 0.02 or after < before)
    if name == "difference":
        assert before > 0.15 and after < 0.3 * before
    assert len(frame) == ROWS and not rule(name)[0].violations(frame).any()
    assert frame.duplicated().sum() < 0.01 * ROWS  # no draw is used twice
    assert stream.tally.drawn >= ROWS + stream.tally.thinned


def test_rules_that_reject_few_draws_change_nothing(models: dict[str, Model]) -> None:
    settled = settle(Request(ROWS, 5), models["trees"], TABLE.schema, rule("implication"))
    assert keep_marginals(settled, models["trees"], TABLE.schema) is settled
    unique = settle(Request(9, 5), models["independent"], TABLE.schema, (parse_rule({"unique": ["ward"]}),))
    assert keep_marginals(unique, models["independent"], TABLE.schema) is unique  # a rule that compares rows


def test_the_same_seed_and_another_process_make_the_same_rows(models: dict[str, Model]) -> None:
    model, rules = models["independent"], rule("three columns")
    settled = settle(Request(ROWS, 5, 1024), model, TABLE.schema, rules)
    one = keep_marginals(settled, model, TABLE.schema)
    other = SettledRequest.from_json(json.loads(json.dumps(one.to_json())), TABLE.schema)
    frames = [
        pd.concat([table.frame for table in RowStream(model, asked, TABLE.schema).tables(silent)])
        for asked in (one, other, keep_marginals(settled, model, TABLE.schema))
    ]
    assert one.calibration is not None and len(frames[0]) == ROWS
    pd.testing.assert_frame_equal(frames[0], frames[1])
    pd.testing.assert_frame_equal(frames[0], frames[2])


def test_conditions_are_met_and_keep_marginals_as_well(models: dict[str, Model]) -> None:
    method = "trees"
    asked: dict[str, Any] = {"where": "sex == 'f'", "balance": {"ward": {"day": 0.2, "icu": 0.5, "general": 0.3}}}
    free, _ = drawn(models[method], (), **asked)
    rejected, _ = drawn(models[method], rule("difference"), calibrated=False, **asked)
    frame, _ = drawn(models[method], rule("difference"), **asked)
    assert frame["ward"].value_counts().to_dict() == {"icu": 1500, "general": 900, "day": 600}
    assert (frame["sex"] == "f").all() and not rule("difference")[0].violations(frame).any()
    before, after = (distances(rows, free) for rows in (rejected, frame))
    assert max(after.values()) < 0.06 and after["stay"] < max(0.03, before["stay"])


def test_values_that_a_rule_excludes_are_said_and_the_others_keep_their_shares(models: dict[str, Model]) -> None:
    rules = (parse_rule("ward != 'day' or a * b < 0"),)
    settled = keep_marginals(
        settle(Request(ROWS, 5), models["trees"], TABLE.schema, rules), models["trees"], TABLE.schema
    )
    frame, stream = drawn(models["trees"], rules)
    assert set(frame["ward"]) == {"icu", "general"}
    report = marginals.marginals_report(settled, stream.tally.thinned)["marginals"]
    day = float((TABLE.frame["ward"] == "day").mean())
    assert abs(report["off"]["ward"] - day) < 0.03 and "sex" not in report["off"]
    icu = (TABLE.frame["ward"] == "icu").sum() / (TABLE.frame["ward"] != "day").sum()
    assert abs((frame["ward"] == "icu").mean() - icu) < 0.04


def test_a_rule_that_no_row_meets_ends_after_a_few_draws(models: dict[str, Model]) -> None:
    with pytest.raises(FitError, match="no drawn row meets"):
        drawn(models["independent"], (parse_rule("a * b < 0"),))


def test_raking_gives_the_distribution_nearest_to_that_of_rejection() -> None:
    """Two flags, of which a rule excludes one combination: the factors are known in closed form."""
    joint = np.array([[0.36, 0.24], [0.24, 0.16]])  # independent, both 0.6
    obeying = joint.copy()
    obeying[1, 1] = 0
    rows = np.repeat(np.arange(4), np.round(obeying.ravel() * 10_000).astype(int))
    codes = [(rows // 2 + 2).astype(np.int16), (rows % 2 + 2).astype(np.int16)]
    classes = [Classes(name, levels=("f", "t", "u")) for name in ("x", "y")]
    target = np.array([0, 0, 0.6, 0.4, 0])
    found = calibrate(classes, codes, [target, target], frozenset({"x", "y"}), np.zeros(len(rows), int), np.ones(1))
    log = sum(factor[code] for factor, code in zip(found.factors, codes))
    accepted = np.bincount(rows, np.exp(np.minimum(log - found.level[0], 0)), 4)
    shares = accepted / accepted.sum()
    assert np.allclose(shares, [0.2, 0.4, 0.4, 0], atol=0.005)  # the only one with these margins
    assert max(found.off.values()) < 0.005
    words = pd.DataFrame({"x": np.array(list("fttf")), "y": np.array(list("ftft"))}, dtype="string")
    always = Classes("x", levels=("f", "t"))
    assert always.codes(words["x"]).tolist() == [1, 2, 2, 1]


def test_classes_of_numbers_words_and_nulls() -> None:
    numbers = pd.Series([1.0, 2.0, np.nan, 2.0, 9.0], name="n")
    assert Classes.of(numbers, 8).codes(numbers).tolist() == [1, 2, 0, 2, 3]
    times = pd.Series(pd.to_datetime(["2024-01-01", None, "2024-02-01"]), name="t")
    assert Classes.of(times, 8).codes(times).tolist() == [1, 0, 2]
    words = pd.Series(["a"] * 30 + ["b"] * 25 + ["c", None], name="w", dtype="string")
    found = Classes.of(words, 8)
    assert found.levels == ("a", "b") and found.codes(words)[[0, 30, 55, 56]].tolist() == [1, 2, 3, 0]
    assert Classes.from_json(json.loads(json.dumps(found.to_json()))) == found
