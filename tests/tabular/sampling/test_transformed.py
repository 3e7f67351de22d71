"""Saved models behind rules that are built in: what is known comes back, what is told reaches the model, real data is
likened.
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.constraints.parse import parse_rule
from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.columns.transforms.transformer import Transformer
from synthcli.contracts.modality import Choice
from synthcli.contracts.modelling import Allowed, Job, Request
from synthcli.errors import SynthError
from synthcli.pipeline import keys as stage_keys
from synthcli.pipeline.plan import make_plan
from synthcli.spec.load import load_spec
from synthcli.tabular.methods import trees
from synthcli.tabular.sampling.matched import LEAST, matched
from synthcli.tabular.sampling.request import SettledRequest
from synthcli.tabular.sampling.strata import Stratum
from synthcli.tabular.sampling.transformed import TransformedModel, load_model


def source(rows: int = 1500) -> Table:
    rng = np.random.default_rng(0)
    low, some = rng.integers(0, 60, rows), rng.integers(0, 9, rows)
    table = pa.table(
        {
            "id": pa.array([f"K{i:05d}" for i in range(rows)]),
            "group": pa.array(rng.choice(["a", "b", "c"], rows, p=[0.8, 0.15, 0.05])),
            "low": pa.array(low),
            "high": pa.array(low + rng.integers(0, 100, rows)),
            "some": pa.array(some),
            "other": pa.array(some * 2),
            "total": pa.array(some * 3),
            "age": pa.array(rng.integers(18, 90, rows)),
        }
    )
    schema, frame = infer(table, {})
    return Table(frame, schema)


TABLE = source()
RULES = [
    parse_rule({"increasing": ["low", "high"]}),
    parse_rule({"sum": {"total": "total", "of": ["some", "other"]}}),
    parse_rule("age <= 80 or age > 0"),
]
RULES += [parse_rule({"range": {"column": "age", "min": 18, "max": 90}})]


@pytest.fixture(scope="module")
def model() -> TransformedModel:
    transformer = Transformer.plan(RULES, TABLE.frame, TABLE.schema)
    assert transformer.rewritten and transformer.clips
    return TransformedModel(
        trees.fit(Table(transformer.forward(TABLE.frame), transformer.schema), trees.Params(), job=Job(1)), transformer
    )


def completed(model: Any, frame: pd.DataFrame, known: np.ndarray | None = None) -> pd.DataFrame:
    return model.complete(Request(len(frame), frame=frame, known=known), 0, rng=np.random.default_rng(0)).frame


def test_known_cells_come_back_also_of_rewritten_and_of_repaired_columns(model: TransformedModel) -> None:
    frame = TABLE.frame.iloc[:200][["low", "high", "total", "some", "age"]].reset_index(drop=True)
    frame["age"] = 5  # beyond the range
    known = np.random.default_rng(1).random(frame.shape) < 0.5
    out = completed(model, frame, known)
    for place, name in enumerate(frame.columns):
        assert out[name][known[:, place]].tolist() == frame[name][known[:, place]].tolist(), name
    assert list(out.columns) == TABLE.schema.names


def test_what_is_told_reaches_rewritten_columns_where_all_inputs_are_known(model: TransformedModel) -> None:
    frame = pd.DataFrame(
        {"low": pd.array([10, 50] * 300, dtype="Int64"), "high": pd.array([11, 149] * 300, dtype="Int64")}
    )
    out = completed(model, frame)
    assert out["low"].tolist() == frame["low"].tolist() and out["high"].tolist() == frame["high"].tolist()
    out = completed(model, frame[["low"]])
    assert (out["low"] <= out["high"]).all() and (out["total"] == out["some"] + out["other"]).all()


def test_bounds_of_plain_columns_reach_the_model(model: TransformedModel) -> None:
    out = model.complete(
        Request(300, allowed={"group": Allowed(values=frozenset({"c"}))}), 0, rng=np.random.default_rng(0)
    ).frame
    assert (out["group"] == "c").all()


def test_columns_made_by_position(model: TransformedModel) -> None:
    whole = model.sample(Request(500), 0, rng=np.random.default_rng(0)).frame["id"]
    part = model.made_up(100, 200, rng=np.random.default_rng(9))
    assert part["id"].tolist() == whole[200:300].tolist()


def test_repairs_are_counted_for_each_thread_alone(model: TransformedModel) -> None:
    model.repaired.clear()
    model.repaired["rule"] = 3
    seen: list[dict[str, int]] = []
    thread = threading.Thread(target=lambda: seen.append(dict(model.repaired)))
    thread.start()
    thread.join()
    assert seen == [{}] and model.repaired == {"rule": 3}
    model.repaired.clear()


def test_saved_and_loaded_it_makes_the_same(model: TransformedModel, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = load_model(Choice("trees", {}, modality="tabular"), tmp_path)
    one, two = (m.sample(Request(300), 0, rng=np.random.default_rng(2)).frame for m in (model, again))
    pd.testing.assert_frame_equal(one, two)
    (tmp_path / "arrays.npz").write_bytes(b"")
    with pytest.raises(SynthError, match="the model cannot be read"):
        load_model(Choice("trees", {}, modality="tabular"), tmp_path)


def test_real_data_is_likened_to_what_was_asked() -> None:
    asked = SettledRequest(1000, 0, strata=(Stratum({"group": "a"}, 500), Stratum({"group": "b"}, 500)))
    some = matched(TABLE, asked, rng=np.random.default_rng(0))
    assert some is not None
    counts = some.frame["group"].value_counts().to_dict()
    assert counts == {"a": (TABLE.frame["group"] == "b").sum(), "b": (TABLE.frame["group"] == "b").sum()}
    from synthcli.columns.expressions.compile import parse

    some = matched(TABLE, SettledRequest(1000, 0, where=parse("age >= 60")), rng=np.random.default_rng(0))
    assert some is not None and len(some) == (TABLE.frame["age"] >= 60).sum()
    assert (TABLE.frame["age"] == 18).sum() < LEAST
    assert matched(TABLE, SettledRequest(1000, 0, where=parse("age == 18")), rng=np.random.default_rng(0)) is None


def test_stages_that_depend_on_what_is_asked_have_keys_that_do(spec: Path) -> None:
    def keys(*sets: str) -> tuple[str, ...]:
        plan = make_plan(load_spec(spec, [*sets]))
        choice = plan.choices[0]
        return (
            stage_keys.analyze_key(plan),
            stage_keys.train_key(plan, choice),
            stage_keys.generate_key(plan, choice, 100),
            stage_keys.run_key(plan),
        )

    plain = keys()
    for asked in (
        "generate.where=age > 30",
        "generate.balance={sex: {male: 0.5}}",
        "generate.fairness={target: smoker, sensitive: [sex]}",
    ):
        other = keys(asked)
        assert other[0] == plain[0] and all(a != b for a, b in zip(other[1:], plain[1:])), asked
    half, most = keys("generate.balance={sex: {male: 0.5}}"), keys("generate.balance={sex: {male: 0.9}}")
    assert half[:2] == most[:2] and half[2:] != most[2:]  # the model may stay
    assert keys("execution.workers=3") == plain
    assert keys("execution.engine=dask", "execution.address=tcp://127.0.0.1:8786") == plain
