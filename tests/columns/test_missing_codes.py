"""Codes for missing values: found, kept at their rate by a model, and null where values count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli.columns import missing_codes
from synthcli.columns.codec.codec import Codec
from synthcli.columns.discovery.infer import infer
from synthcli.columns.frame import pa
from synthcli.columns.table import Table
from synthcli.contracts.evaluation import Evidence
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError
from synthcli.tabular.metrics import preserve


def mixed(values: np.ndarray, *codes: float, share: float = 0.1) -> pd.Series:
    rng = np.random.default_rng(1)
    out = values.astype(float)
    for code in codes:
        out[rng.random(len(out)) < share] = code
    whole = np.all(out % 1 == 0)
    return pd.Series(pd.array(out.astype(int), dtype="Int64")) if whole else pd.Series(out)


RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (mixed(RNG.integers(18, 90, 1000), -1, 999), (-1, 999)),
        (mixed(RNG.integers(1, 6, 1000), 99), (99,)),  # an answer from 1 to 5
        (mixed(RNG.integers(0, 6, 1000), -1), (-1,)),
        (mixed(np.round(RNG.gamma(3, 10, 1000), 1), -9, 9999), (-9, 9999)),
        (mixed(RNG.integers(-20, 40, 1000), -1), ()),  # temperatures
        (mixed(RNG.integers(0, 100, 1000)), ()),  # 99 is a value like its neighbours
        (mixed(RNG.integers(0, 2, 1000), -1), ()),  # too few other values to tell
        (mixed(RNG.integers(18, 90, 1000), 500), ()),  # not spelled like a code
    ],
)
def test_codes_are_spelled_like_codes_and_lie_apart(values: pd.Series, codes: tuple[float, ...]) -> None:
    assert missing_codes.find(values, None) == codes
    assert missing_codes.find(values, np.zeros(len(values), dtype=int)) == ()  # one person's values


def test_declared_codes_keep_their_rate_and_lie_outside_the_bounds() -> None:
    said = {"age": Traits(type="integer", min=0, max=120, missing=(-1, 999))}
    ages = mixed(RNG.integers(18, 90, 2000), -1, 999)
    schema, frame = infer(pa.table({"age": ages}), said)
    codec = Codec.fit(frame, schema, key=0)
    out = codec.decode(codec.encode(frame), len(frame), start=0, rng=np.random.default_rng(0))["age"]
    for code in (-1, 999):
        assert (out == code).sum() == (ages == code).sum() > 100
    with pytest.raises(DataError, match="min"):
        infer(pa.table({"age": ages}), {"age": Traits(type="integer", min=0)})


def test_codes_do_not_bend_the_means_that_matter() -> None:
    schema = Schema((Column("x", Traits(type="float", missing=(-1.0,)), storage="double"),))
    values = np.r_[RNG.normal(50, 1, 400), np.full(400, -1.0)]
    few = np.r_[RNG.normal(50, 1, 600), np.full(200, -1.0)]
    sides = {k: Table(pd.DataFrame({"x": v}), schema) for k, v in (("control", values), ("synthetic", few))}
    evidence = Evidence(schema, **sides, preserve=("mean(x)", "share(x == -1)"), full=False)
    _, mean, share = preserve.measure(evidence, rng=np.random.default_rng(0))
    assert mean.value is not None and mean.value > 0.9
    assert share.value == pytest.approx(0.75)


def test_imputation_fills_codes_and_draws_none(tmp_path: Path, synth) -> None:
    ages = mixed(RNG.integers(18, 90, 600), -1, share=0.3)
    pd.DataFrame({"age": ages, "sex": RNG.choice(["f", "m"], 600)}).to_csv(tmp_path / "t.csv", index=False)
    (tmp_path / "t.yaml").write_text(
        "source: {type: csv, path: t.csv}\ncolumns: {age: {type: integer, missing: [-1]}}\n"
        "generator: {params: {trees: 2, discriminator: 0}}\nevaluate: {gates: []}\n"
        "privacy_check: {attacks: [], gates: []}\nrefine: {max_rounds: 1}\n"
    )
    assert synth("train", tmp_path / "t.yaml").code == 0
    pd.DataFrame({"age": ["-1", "30", ""], "sex": ["f", "m", "f"]}).to_csv(tmp_path / "k.csv", index=False)
    said = synth("generate", "--from", "t", "--impute", tmp_path / "k.csv", "-o", tmp_path / "o.csv", "--keep-failed")
    assert said.code == 0, said.err
    out = pd.read_csv(tmp_path / "o.csv")["age"]
    assert out[1] == 30 and (out >= 18).all()
