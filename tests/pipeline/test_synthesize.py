"""Synthetic data from DataFrames: fit, synthesize, the estimator, and what a run gives from its model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.base import clone

import synthcli
from synthcli import Run, Synthesizer
from synthcli.errors import ArtifactError, GateClosed, SpecError

QUICK: dict[str, Any] = {
    "generator": {"method": "trees", "params": {"trees": 1, "orders": 1, "discriminator": 0}},
    "evaluate": {"gates": []},
    "privacy_check": {"attacks": ["copies"], "gates": []},
    "refine": {"max_rounds": 1},
}
CLOSED = QUICK | {"evaluate": {"gates": [{"metric": "column_shapes", "min": 1.0}]}}


def people(rows: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    sex = rng.choice(["female", "male"], rows)
    return pd.DataFrame(
        {
            "age": rng.integers(18, 90, rows).astype("int16"),
            "sex": pd.Categorical(sex, categories=["male", "nobody", "female"], ordered=True),
            "income": rng.normal(30_000, 5_000, rows).round(2).astype("float32"),
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 500, rows), unit="D"),
            "smoker": rng.random(rows) < np.where(sex == "male", 0.8, 0.1),
            "visits": pd.array(np.where(rng.random(rows) < 0.2, None, rng.integers(0, 9, rows)), dtype="Int64"),
        }
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("SYNTH_STATE", str(folder / "state"))  # the first call trains, the others find the same run
    return synthcli.fit(people(), QUICK, root=folder)


def test_a_fit_is_a_run(run: Run) -> None:
    assert run.passed and run.rows == 240 and not run.related
    assert run.version.name.startswith("frame/") and run.version.verify() == []


def test_equal_frames_are_the_same_run(run: Run, folder: Path) -> None:
    again = synthcli.execute(QUICK, data=people(), root=folder, if_changed=True)
    assert not again.fresh and again.version.folder == run.version.folder


def test_more_rows_come_from_the_model(run: Run) -> None:
    first, same, other = (run.generate(30, seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(first, same)
    assert len(other) == 30 and not first.equals(other)
    old = run.generate(20, where="age >= 60 and sex == 'male'")
    assert (old["age"] >= 60).all() and (old["sex"] == "male").all()
    even = run.generate(40, balance={"sex": {"male": 0.5, "female": 0.5}})
    assert even["sex"].value_counts().to_dict() == {"male": 20, "female": 20}


def test_rows_are_completed_given_their_known_columns(run: Run) -> None:
    known = pd.DataFrame({"age": [20, None], "sex": ["male", "male"]})
    done = run.complete(known, impute=True)
    assert list(done.columns) == ["age", "sex"] and done["age"].notna().all() and done["age"][0] == 20
    assert set(run.complete(known).columns) == set(people().columns)


def test_what_a_run_cannot_give_is_refused(run: Run) -> None:
    with pytest.raises(SpecError, match="balance"):
        run.generate(5, balance={"sex": {"male": 2.0}})
    with pytest.raises(SpecError, match=r"rows: expected greater than or equal to 1"):
        run.generate(0)
    with pytest.raises(ArtifactError, match="has no table 'orders'"):
        run.arrow("orders")


def test_a_copy_has_the_types_of_its_frame(run: Run, folder: Path) -> None:
    made = synthcli.synthesize(people(), QUICK, root=folder)
    assert made.dtypes.drop("sex").to_dict() == people().dtypes.drop("sex").to_dict()
    assert list(made["sex"].cat.categories) == ["male", "female"]  # a word that no row has may be a person's
    assert made["sex"].cat.ordered and len(made) == 240


def test_polars_in_polars_out(folder: Path, run: Run) -> None:
    data = polars.from_pandas(people()[["age", "income", "smoker"]])
    made = synthcli.synthesize(data, QUICK, rows=50, root=folder)
    assert isinstance(made, polars.DataFrame) and made.schema == data.schema and len(made) == 50


def test_a_failed_gate_returns_nothing(folder: Path, run: Run) -> None:
    with pytest.raises(GateClosed, match=r"failed its gates \(column_shapes\).*report\.html"):
        synthcli.synthesize(people(), CLOSED, root=folder)
    assert len(synthcli.synthesize(people(), CLOSED, root=folder, keep_failed=True)) == 240
    with pytest.raises(GateClosed, match="column_shapes"):
        Synthesizer(CLOSED, root=folder).fit(people())


def test_the_estimator_follows_scikit_learn(folder: Path, run: Run) -> None:
    data = people().drop(columns="smoker")
    model = Synthesizer(QUICK, random_state=5, root=folder)
    assert clone(model).get_params() == model.get_params()
    with pytest.raises(SpecError, match="not fitted"):
        model.sample()
    assert model.fit(data, people()["smoker"]) is model
    assert list(model.feature_names_in_) == list(data.columns) and model.run_.seed == 5
    assert len(model.sample()) == 240 and len(model.sample(7)) == 7
    assert not model.sample(7).equals(model.sample(7))
    pd.testing.assert_frame_equal(model.sample(7, random_state=1), model.sample(7, random_state=1))
    assert list(model.sample(3).columns) == [*data.columns, "smoker"]
    with pytest.raises(SpecError, match="already has a column 'age'"):
        model.fit(data, data["age"])


def test_related_tables_are_frames_by_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYNTH_STATE", str(folder / "state"))
    rng = np.random.default_rng(0)
    users = pd.DataFrame({"id": range(120), "plan": rng.choice(["free", "paid"], 120)})
    owner = rng.integers(0, 120, 300)
    orders = pd.DataFrame({"id": range(300), "user": owner, "amount": rng.normal(20, 5, 300).round(2)})
    orders = orders.rename(columns={"user": "user_id"})
    related = synthcli.fit({"users": users, "orders": orders}, QUICK, root=folder)  # finds orders.user_id -> users.id
    made = related.frames()
    assert related.related and set(made) == {"users", "orders"} and len(made["users"]) == 120
    assert made["orders"]["user_id"].isin(made["users"]["id"]).all()
    more = related.generate(10)
    assert len(more["users"]) == 10 and more["orders"]["user_id"].isin(more["users"]["id"]).all()
    with pytest.raises(ArtifactError, match="several tables"):
        related.frame()
