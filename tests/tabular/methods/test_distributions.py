import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from synthcli.columns import frame as frames
from synthcli.columns.table import Table
from synthcli.contracts.modelling import BLOCK, Job, Request
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import SpecError
from synthcli.tabular.methods import distributions


def schema_of(columns):
    return Schema(tuple(Column(name, Traits.model_validate(traits)) for name, traits in columns.items()))


def model_of(columns, seed=0):
    schema = schema_of(columns)
    return distributions.fit(
        Table(pd.DataFrame(columns=schema.names), schema), distributions.Params(), job=Job(seed=seed)
    )


def sample(columns, rows=4000, block=0, seed=0):
    return model_of(columns).sample(Request(rows), block, rng=np.random.default_rng(seed)).frame


def one(traits, rows=4000, **more):
    return sample({"x": traits, **more}, rows)["x"]


SPEC = {
    "id": {"type": "id", "pattern": r"C-\d{5}", "unique": True},
    "name": {"type": "name", "locale": "de_DE"},
    "age": {"type": "integer", "distribution": {"normal": {"mean": 41, "std": 13}}, "min": 18, "max": 99},
    "plan": {"type": "category", "weights": {"basic": 0.7, "plus": 0.25, "pro": 0.05}},
    "since": {"type": "datetime", "distribution": {"uniform": {"low": "2020-01-01", "high": "2025-12-31"}}},
    "discount": {"type": "float", "expr": "0.2 if plan == 'pro' else 0"},
}


def test_the_spec_of_the_documentation():
    frame = sample(SPEC)
    assert frame["id"].str.fullmatch(r"C-\d{5}").all() and frame["id"].is_unique
    assert frame["age"].dtype == "Int64" and frame["age"].between(18, 99).all()
    assert np.allclose(
        frame["plan"].value_counts(normalize=True)[["basic", "plus", "pro"]], [0.7, 0.25, 0.05], atol=0.03
    )
    assert frame["since"].dtype == "datetime64[us]" and frame["since"].between("2020-01-01", "2025-12-31").all()
    assert ((frame["discount"] == 0.2) == (frame["plan"] == "pro")).all()


def test_arrow_storage_takes_every_kind():
    columns = SPEC | {
        "day": {"type": "datetime", "format": "%Y-%m-%d", "min": "2024-01-01", "max": "2024-01-03"},
        "moment": {"type": "datetime", "format": "%Y-%m-%dT%H:%M:%S%z", "min": "2024-01-01", "max": "2024-01-03"},
        "ok": {"type": "boolean"},
        "took": {"type": "timedelta", "distribution": {"exponential": {"mean": "90s"}}},
        "born": {"type": "date_of_birth"},
        "n": {"type": "id", "min": 1},
        "level": {"categories": [1, 2, 3], "nulls": 0.5},
        "next": {"type": "datetime", "format": "%Y-%m-%d", "expr": "day"},
    }
    table = model_of(columns).sample(Request(100), 0, rng=np.random.default_rng(0))
    arrow = frames.to_arrow(table.frame, table.schema)
    back = frames.to_frame(arrow, table.schema)
    pd.testing.assert_frame_equal(back, table.frame)  # canonical dtypes, nothing lost
    assert [str(arrow.schema.field(n).type) for n in ("day", "moment", "ok", "took", "born", "n", "level")] == [
        "date32[day]", "timestamp[us, tz=UTC]", "bool", "duration[us]", "date32[day]", "int64", "int64",
    ]  # fmt: skip
    assert (table.frame["next"] == table.frame["day"]).all() and set(table.frame["day"].dt.day) == {1, 2, 3}


@pytest.mark.parametrize(
    ("said", "oracle"),
    [
        ({"uniform": {"low": 2, "high": 5}}, stats.uniform(2, 3)),
        ({"normal": {"mean": 3, "std": 2}}, stats.norm(3, 2)),
        ({"lognormal": {"mean": 1, "sigma": 0.5}}, stats.lognorm(0.5, scale=np.e)),
        ({"exponential": {"mean": 4}}, stats.expon(scale=4)),
        ({"exponential": {"rate": 4}}, stats.expon(scale=0.25)),
        ({"beta": {"a": 2, "b": 3}}, stats.beta(2, 3)),
        ({"gamma": {"shape": 2, "scale": 3}}, stats.gamma(2, scale=3)),
        ({"gamma": {"a": 2, "loc": 1}}, stats.gamma(2, loc=1)),
        ({"triangular": {"low": 0, "mode": 1, "high": 4}}, stats.triang(0.25, 0, 4)),
        ({"pareto": {"shape": 3}}, stats.pareto(3)),
        ({"weibull": {"shape": 1.5, "scale": 2}}, stats.weibull_min(1.5, scale=2)),
        ({"student_t": {"df": 5}}, stats.t(5)),
        ({"gumbel_r": {"loc": 1, "scale": 2}}, stats.gumbel_r(1, 2)),
        ({"uniform": {"loc": 1, "scale": 2}}, stats.uniform(1, 2)),
    ],
)
def test_continuous_distributions_are_scipys(said, oracle):
    assert stats.kstest(one({"type": "float", "distribution": said}), oracle.cdf).pvalue > 1e-3


@pytest.mark.parametrize(
    ("said", "oracle"),
    [
        ({"poisson": {"mean": 3}}, stats.poisson(3)), ({"binomial": {"n": 10, "p": 0.3}}, stats.binom(10, 0.3)),
        ({"geometric": {"p": 0.4}}, stats.geom(0.4)), ({"negative_binomial": {"n": 3, "p": 0.5}}, stats.nbinom(3, 0.5)),
        ({"zipf": {"a": 3}}, stats.zipf(3)), ({"uniform": {"low": 1, "high": 6}}, stats.randint(1, 7)),
        ({"bernoulli": {"p": 0.3}}, stats.bernoulli(0.3)),
    ],
)  # fmt: skip
def test_integer_distributions_are_scipys(said, oracle):
    values = one({"type": "integer", "distribution": said}, rows=8000)
    shares = values.value_counts(normalize=True)
    assert all(abs(share - oracle.pmf(k)) < 0.025 for k, share in shares.items()) and values.dtype == "Int64"


def test_truncation_follows_the_law_between_the_bounds():
    values = one({"type": "float", "distribution": {"normal": {}}, "min": 0.5, "max": 2})
    assert stats.kstest(values, stats.truncnorm(0.5, 2).cdf).pvalue > 1e-3
    assert values.is_unique  # clipping would pile up at the bounds
    far = one({"type": "float", "distribution": {"normal": {}}, "min": 12})
    assert stats.kstest(far, stats.truncnorm(12, np.inf).cdf).pvalue > 1e-3


def test_truncated_integers_have_whole_ends():
    dice = one({"type": "integer", "distribution": "uniform", "min": 1, "max": 6}, rows=12_000)
    assert np.allclose(dice.value_counts(normalize=True), 1 / 6, atol=0.015) and set(dice) == set(range(1, 7))
    flat = one(
        {"type": "integer", "distribution": {"normal": {"mean": 0, "std": 1000}}, "min": 1, "max": 4}, rows=12_000
    )
    assert np.allclose(flat.value_counts(normalize=True), 0.25, atol=0.015)
    tail = one({"type": "integer", "distribution": {"poisson": {"mean": 2}}, "min": 1, "max": 3}, rows=12_000)
    pmf = stats.poisson(2).pmf([1, 2, 3])
    assert np.allclose(tail.value_counts(normalize=True).sort_index(), pmf / pmf.sum(), atol=0.015)


def test_precision_rounds_and_stays_inside():
    values = one({"type": "float", "distribution": "uniform", "min": 0, "max": 0.97, "precision": 1})
    assert values.between(0, 0.97).all() and set(values.round(6)) == {*np.round(np.arange(10) / 10, 1), 0.97}


def test_dates_have_the_resolution_of_their_format():
    around = {"normal": {"mean": "2024-06-01", "std": "10d"}}
    days = one({"type": "datetime", "format": "%d.%m.%Y", "distribution": around, "min": "01.05.2024"})
    assert days.dtype == "datetime64[s]" and (days.dt.hour == 0).all() and (days >= "2024-05-01").all()
    assert abs((days - pd.Timestamp("2024-06-01")).dt.days.std() - 10) < 0.6
    minutes = one({"type": "datetime", "format": "%Y-%m-%d %H:%M", "distribution": around})
    assert (minutes.dt.second == 0).all() and minutes.dt.minute.nunique() == 60


def test_durations():
    took = one({"type": "timedelta", "distribution": {"uniform": {"low": "10min", "high": "1h"}}})
    assert took.dtype == "timedelta64[us]" and took.between(pd.Timedelta("10min"), pd.Timedelta("1h")).all()


def test_sequences_go_on_over_blocks():
    columns = {
        "i": {"sequence": {"start": 100, "step": 5}},
        "f": {"type": "float", "sequence": {"start": 0, "step": 0.5}},
        "t": {"type": "datetime", "sequence": {"start": "2024-01-01", "step": "15min"}},
        "k": {"type": "id", "sequence": {}},
    }
    second = sample(columns, rows=BLOCK + 3, block=1)
    assert list(second["i"]) == [100 + 5 * (BLOCK + i) for i in range(3)] and list(second["k"]) == [
        BLOCK + 1 + i for i in range(3)
    ]
    assert second["f"][0] == BLOCK / 2 and second["t"][1] == pd.Timestamp("2024-01-01") + (BLOCK + 1) * pd.Timedelta(
        "15min"
    )


def test_booleans_and_weights_of_other_types():
    assert abs(one({"type": "boolean", "distribution": {"bernoulli": {"p": 0.3}}}).mean() - 0.3) < 0.03
    assert abs(one({"type": "boolean", "weights": {"true": 1, "false": 3}}).mean() - 0.25) < 0.03
    assert abs(one({"type": "boolean", "format": "J|N", "weights": {"J": 4, "N": 1}}).mean() - 0.8) < 0.03
    assert set(one({"type": "integer", "weights": {"1": 1, "7": 1, "9": 0}})) == {1, 7}
    assert set(one({"categories": [True, False]})) == {True, False}


def test_expressions_are_made_after_what_they_read():
    frame = sample(
        {
            "c": {"type": "integer", "expr": "b * 2"},
            "b": {"expr": "a + 0.25"},
            "a": {"type": "float", "min": 0, "max": 9, "nulls": 0.2},
        }
    )
    assert list(frame.columns) == ["c", "b", "a"]
    null = frame["a"].isna()
    assert 0.15 < null.mean() < 0.25 and (frame["c"].isna() == null).all()
    known = frame[~null]
    assert (
        np.array_equal(known["c"].to_numpy(dtype=float), np.rint((known["a"] + 0.25) * 2))
        and frame["b"].dtype == "float64"
    )


def test_a_new_column_changes_no_other():
    pd.testing.assert_frame_equal(sample(SPEC), sample({"new": {"type": "boolean"}} | SPEC)[list(SPEC)])


def test_same_seed_same_rows_and_blocks_differ():
    model, request = model_of(SPEC), Request(BLOCK + 500)
    rows = lambda block, seed: model.sample(request, block, rng=np.random.default_rng(seed)).frame  # noqa: E731
    pd.testing.assert_frame_equal(rows(1, 3), rows(1, 3))
    assert len(rows(1, 3)) == 500 and not rows(1, 3)["age"].equals(rows(1, 4)["age"])
    assert pd.concat([rows(0, 1)["id"], rows(1, 1)["id"]]).is_unique


def test_saved_models_sample_the_same(tmp_path):
    model = model_of(SPEC, seed=5)
    model.save(tmp_path / "m")
    json.loads((tmp_path / "m" / "model.json").read_text())
    again = distributions.load(tmp_path / "m")
    frame = [m.sample(Request(50), 0, rng=np.random.default_rng(1)).frame for m in (model, again)]
    pd.testing.assert_frame_equal(*frame)
    assert again.schema == model.schema


def test_rows_of_data_are_not_looked_at():
    schema = schema_of({"x": {"type": "integer"}})
    with pytest.raises(SpecError, match="does not say how"):
        distributions.fit(Table(pd.DataFrame({"x": [1, 2]}), schema), distributions.Params(), job=Job())


BAD = [
    (
        {"type": "integer", "distribution": {"normall": {}}},
        r"columns\.x\.distribution: unknown distribution 'normall'\. Did you mean normal\?",
    ),
    (
        {"type": "float", "distribution": {"normal": {"sd": 1}}},
        r"columns\.x\.distribution: normal has no parameter 'sd'.*It takes: mean",
    ),
    (
        {"type": "float", "distribution": {"uniform": {"low": 1}}},
        r"columns\.x\.distribution: uniform needs high; it takes: low, high",
    ),
    (
        {"type": "float", "distribution": {"normal": {"std": -1}}},
        r"columns\.x\.distribution: normal: std is -1; expected a number above 0",
    ),
    (
        {"type": "float", "distribution": {"normal": {"std": "big"}}},
        r"columns\.x\.distribution: std is 'big'; expected a number",
    ),
    (
        {"type": "float", "distribution": {"gumbel_r": {"scale": -1}}},
        r"columns\.x\.distribution: gumbel_r: .*not valid",
    ),
    ({"type": "float", "distribution": {"normal": {}, "beta": {}}}, r"columns\.x\.distribution: names 2 distributions"),
    (
        {"type": "float", "distribution": {"exponential": {"mean": 1}}, "max": -1},
        r"columns\.x\.distribution: exponential has no probability",
    ),
    ({"type": "float", "distribution": {"exponential": {"rate": 0}}}, r"rate is 0; expected"),
    ({"type": "float", "distribution": "uniform", "min": 3, "max": 1}, r"columns\.x: min 3 is above max 1"),
    (
        {"type": "integer", "distribution": {"poisson": {"mean": 1e30}}},
        r"columns\.x\.distribution: poisson cannot draw numbers",
    ),
    (
        {"type": "integer", "distribution": {"binomial": {"n": 2.5, "p": 0.5}}},
        r"columns\.x\.distribution: binomial: n is 2\.5",
    ),
    ({"type": "float", "min": "a", "max": 3}, r"columns\.x\.min is 'a'; expected a number"),
    (
        {"type": "integer", "distribution": {"pareto": {"shape": 0.01}}},
        r"columns\.x\.distribution: generates numbers that int64 cannot hold",
    ),
    ({"type": "category"}, r"columns\.x does not say how to generate it; remedy: distribution, weights"),
    ({}, r"columns\.x does not say how to generate it"),
    ({"type": "integer", "min": 3}, r"columns\.x does not say how"),
    ({"type": "integr", "min": 3}, r"columns\.x\.type: unknown type 'integr'\. Did you mean integer\?"),
    (
        {"type": "category", "weights": {"a": 1}, "expr": "y"},
        r"columns\.x has two recipes, expr and weights",
    ),
    ({"type": "category", "weights": {"a": -1}}, r"columns\.x\.weights\.a is -1"),
    ({"type": "category", "weights": {"a": 0}}, r"columns\.x\.weights: are all 0"),
    (
        {"type": "category", "categories": ["a", "b"], "weights": {"c": 1}},
        r"columns\.x\.weights: 'c' is not among its categories",
    ),
    ({"type": "integer", "weights": {"a": 1}}, r"columns\.x\.weights: a are not all of type integer"),
    ({"type": "boolean", "weights": {"maybe": 1}}, r"columns\.x\.weights: maybe"),
    ({"type": "boolean", "distribution": {"normal": {}}}, r"columns\.x\.distribution: normal does not make boolean"),
    ({"type": "email", "distribution": {"normal": {}}}, r"columns\.x\.distribution: normal does not make email"),
    ({"type": "category", "weights": {"a": 1}, "min": 3}, r"columns\.x\.min bounds a distribution"),
    (
        {"type": "integer", "min": 0, "max": 1, "locale": "de_DE"},
        r"columns\.x\.locale is 'de_DE', which is for made-up types.*generated by distribution; remedy",
    ),
    (
        {"type": "category", "weights": {"a": 1}, "locale": "de_DE"},
        r"columns\.x\.locale is 'de_DE'.*generated by weights",
    ),
    ({"type": "id", "locale": "de_DE"}, r"columns\.x\.locale is 'de_DE'.*generated by type: id"),
    (
        {"type": "city", "pattern": "[A-Z]{3}", "locale": "de_DE"},
        r"columns\.x\.locale is 'de_DE'.*generated by pattern",
    ),
    (
        {"type": "integer", "min": 0, "max": 9, "precision": 2},
        r"columns\.x\.precision is 2, which rounds floats.*is of type integer",
    ),
    ({"type": "name", "precision": 0}, r"columns\.x\.precision is 0.*is of type name"),
    ({"type": "float", "weights": {"0.25": 1}, "precision": 1}, r"columns\.x\.precision is 1.*is generated by weights"),
    ({"type": "float", "min": 0, "max": 1, "spikes": [0]}, r"columns\.x\.spikes is learned from data"),
    ({"type": "integer", "min": 0, "max": 1, "unique": True}, r"columns\.x\.unique cannot be guaranteed"),
    (
        {"type": "datetime", "distribution": {"uniform": {"low": "someday", "high": "2024-01-01"}}},
        r"columns\.x\.distribution\.low is 'someday'; expected a date",
    ),
    (
        {"type": "datetime", "distribution": {"exponential": {"mean": "3d"}}},
        r"columns\.x\.distribution: exponential says not around which date",
    ),
    (
        {"type": "datetime", "distribution": {"normal": {"mean": "2024-01-01", "std": 3}}},
        r"columns\.x\.distribution: std is 3; expected a duration",
    ),
    ({"type": "datetime", "sequence": {"start": "2024-01-01"}}, r"columns\.x\.sequence: start .*expected such as"),
    (
        {"type": "datetime", "sequence": {"start": "2024-01-01", "step": "soon"}},
        r"columns\.x\.sequence\.step is 'soon'; expected a duration",
    ),
    ({"type": "integer", "sequence": {"step": 0.5}}, r"columns\.x\.sequence: 1.* and 0\.5 do not count"),
    ({"type": "category", "sequence": {}}, r"columns\.x\.sequence: .*do not count a category"),
    ({"type": "float", "expr": "z + 1"}, r"columns\.x\.expr: there is no column 'z'"),
    ({"type": "float", "expr": "y +"}, r"columns\.x\.expr: "),
    ({"type": "float", "expr": "'a'"}, r"columns\.x\.expr: returns a string, but the column is of type float"),
    ({"type": "float", "expr": "y + 1"}, r"columns\.x\.expr: .*in a cycle: x → y → x"),
    ({"type": "id", "pattern": "[a"}, r"columns\.x\.pattern '\[a' is not a regular expression"),
]


@pytest.mark.parametrize(("traits", "message"), BAD)
def test_what_cannot_be_made_is_found_by_check(traits, message):
    y = {"type": "float", "expr": "x"} if traits.get("expr") == "y + 1" else {"type": "float", "min": 0, "max": 1}
    with pytest.raises(SpecError, match=message):
        distributions.check(schema_of({"x": traits, "y": y}))


def test_check_knows_the_rows_that_will_be_asked_for():
    schema = schema_of({"x": {"type": "id", "pattern": r"\d{2}"}})
    distributions.check(schema, rows=100)
    with pytest.raises(SpecError, match="100 unique values, but 101 rows"):
        distributions.check(schema, rows=101)
    with pytest.raises(SpecError, match=r"beyond 2\^63"):
        distributions.check(schema_of({"x": {"sequence": {"step": 1e15}}}), rows=10**5)


def test_no_rows():
    assert len(sample(SPEC, rows=0)) == 0
