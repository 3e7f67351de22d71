"""Files completed: what is known comes back as it is, what is drawn follows what is known, rules hold where they
can.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.errors import DataError
from synthcli.tabular.known_cells import read_known

ROWS = 2000


def stays(rows: int = ROWS, seed: int = 0) -> pd.DataFrame:
    """ward drives sick, cost and code; code looks like a number; never is always empty; early <= late."""
    rng = np.random.default_rng(seed)
    ward = rng.choice(["a", "b", "c"], rows, p=[0.6, 0.3, 0.1])
    sick = rng.random(rows) < np.select([ward == "a", ward == "b"], [0.1, 0.5], 0.95)
    early = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 200, rows), unit="D")
    late = early + pd.to_timedelta(rng.integers(0, 30, rows), unit="D")
    return pd.DataFrame(
        {
            "key": [f"{i:05d}" for i in rng.permutation(rows)],
            "ward": ward,
            "sick": sick,
            "cost": np.round(np.exp(rng.normal(np.where(sick, 6.0, 3.0), 0.4)), 2),
            "age": np.where(rng.random(rows) < 0.2, np.nan, rng.integers(20, 90, rows)),
            "code": np.where(ward == "a", "01", rng.choice(["02", "10", "11"], rows)),
            "early": early.strftime("%Y-%m-%d"),
            "late": late.strftime("%Y-%m-%d"),
            "never": None,
        }
    )


@pytest.fixture
def run(tmp_path: Path, synth: Any) -> Any:
    """`synth generate --from` a run of trees over the stays; returns what was said and what was written."""
    stays().to_csv(tmp_path / "stays.csv", index=False)
    (tmp_path / "stays.yaml").write_text(
        "source: {type: csv, path: stays.csv}\nseed: 5\ncolumns: {code: {type: category}, key: {type:"
        " id}}\nconstraints: ['early <= late', 'age >= 18']\nevaluate: {gates: []}\nprivacy_check: {attacks: [], gates:"
        " []}\nrefine: {max_rounds: 1}\n"
    )
    said = synth("train", tmp_path / "stays.yaml")
    assert said.code == 0, said.err

    def completed(
        kind: str, frame: pd.DataFrame, name: str = "known.csv", code: int = 0, **more: Any
    ) -> tuple[Any, pd.DataFrame | None]:
        known, target = tmp_path / name, tmp_path / f"out-{name}"
        frame.to_csv(known, index=False) if name.endswith("csv") else frame.to_parquet(known, index=False)
        words = ["generate", "--from", "stays", f"--{kind}", known, "-o", target, "--keep-failed", "--json"]
        said = synth(*words, *(f"--{k}" if v is True else f"--{k}={v}" for k, v in more.items()))
        assert said.code == code, said.err
        if code:
            return said, None
        return said, (
            pd.read_csv(target, dtype=str, keep_default_na=False) if name.endswith("csv") else pd.read_parquet(target)
        )

    return completed


def test_known_cells_come_back_exactly_whatever_they_are(run: Any) -> None:
    known = pd.DataFrame(
        {
            "ward": ["a", "unheard of", "c", "", "b"],
            "sick": ["True", "False", "", "True", "False"],
            "cost": ["1000000.25", "", "-5.00", "12.50", "20.10"],
            "age": ["140", "30", "", "", "55"],
            "code": ["01", "99", "", "007", "11"],
            "early": ["2031-05-06", "1999-12-31", "", "2024-02-01", "2024-02-01"],
            "key": ["00007", "x", "", "1", "2"],
            "remark": ["extra, cell", "", "3", "4", "5.0"],
        }
    )
    _, out = run("given", known)
    assert list(out.columns) == ["key", "ward", "sick", "cost", "age", "code", "early", "late", "never", "remark"]
    for name in ("ward", "sick", "cost", "age", "code", "early", "key", "remark"):
        was = known[name] != ""
        assert out.loc[was, name].tolist() == known.loc[was, name].tolist(), name
    assert out["age"].str.fullmatch(r"\d+|").all()  # the drawn ones are written as the known ones
    assert (out["late"] != "").all() and (out.loc[[3, 4], "early"] <= out.loc[[3, 4], "late"]).all()
    assert out["remark"][1] == ""


def test_columns_without_gaps_keep_the_types_of_the_file(run: Any) -> None:
    known = pd.DataFrame(
        {"age": pd.array([30, 40], dtype="int64"), "cost": pd.array([5, 7], dtype="int32"), "code": ["01", "10"]}
    )
    _, out = run("given", known, "typed.parquet")
    for name in known:
        assert out[name].tolist() == known[name].tolist() and out[name].dtype.kind == known[name].dtype.kind, name


def test_what_is_drawn_follows_what_is_known(run: Any) -> None:
    """Against the distribution that the data was made from."""
    _, out = run("given", pd.DataFrame({"ward": ["a"] * 500 + ["b"] * 500 + ["c"] * 500}))
    share = (out["sick"].str.lower() == "true").groupby(out["ward"]).mean()
    assert (
        share["a"] == pytest.approx(0.1, abs=0.06)
        and share["b"] == pytest.approx(0.5, abs=0.09)
        and share["c"] == pytest.approx(0.95, abs=0.06)
    )
    assert (out.loc[out["ward"] == "a", "code"] == "01").mean() > 0.97
    assert 0.1 < (out["age"] == "").mean() < 0.3  # nulls come as in the source
    assert out["key"].is_unique


def test_imputed_values_are_never_null_and_sensible_backwards(run: Any) -> None:
    truth = stays(900, seed=9)
    known = truth.assign(ward=None, age=np.where(np.arange(900) % 3, np.nan, truth["age"]))[
        ["late", "ward", "sick", "cost", "code", "age"]
    ]
    said, out = run("impute", known)
    assert list(out.columns) == list(known.columns)
    assert (out["ward"] != "").all() and (out["age"] != "").all()
    assert said.json["filled"] == int(known.isna().sum().sum())
    # P(ward = a | code = 01) = 1; and P(c | sick, other code) = 0.095 / (0.15 + 0.095)
    assert (out.loc[truth["code"] == "01", "ward"] == "a").mean() > 0.97
    among = (truth["code"] != "01") & truth["sick"]
    assert (out.loc[among, "ward"] == "c").mean() == pytest.approx(0.095 / 0.245, abs=0.12)
    assert out["late"].tolist() == known["late"].tolist()


def test_parquet_keeps_types_of_extra_columns_and_null_cells(run: Any) -> None:
    known = pd.DataFrame(
        {
            "ward": ["a", None, "c"],
            "sick": pd.array([True, None, False], dtype="boolean"),
            "cost": [1.5, np.nan, 2.0],
            "score": pd.array([3, None, 5], dtype="Int64"),
            "when": pd.to_datetime(["2024-01-01 10:00", None, "2024-01-02 11:30"]),
        }
    )
    _, out = run("impute", known, "known.parquet")
    assert out["score"].tolist()[::2] == [3, 5] and pd.isna(out["score"][1])
    assert out["when"].equals(known["when"]) or (out["when"].dropna() == known["when"].dropna()).all()
    assert (
        out["cost"].notna().all() and out["cost"][0] == 1.5 and out["ward"].notna().all() and out["sick"].notna().all()
    )


def test_rows_whose_known_cells_break_a_rule_are_counted_and_kept(run: Any) -> None:
    known = pd.DataFrame(
        {
            "early": ["2024-03-01", "2024-02-01", "2024-03-01"],
            "late": ["2024-02-01", "2024-03-01", ""],
            "age": ["30", "3", "40"],
        }
    )
    said, out = run("given", known)
    assert said.json["breaking"] == 2
    assert said.json["broken"] == [
        {"constraint": "early <= late", "rows": 1, "lines": [2]},
        {"constraint": "age >= 18", "rows": 1, "lines": [3]},
    ]
    assert out["late"][0] == "2024-02-01" and out["age"].astype(float)[1] == 3
    assert out["late"][2] >= "2024-03-01"


def test_broken_constraints_are_named_with_their_first_lines(run: Any, tmp_path: Path, synth: Any) -> None:
    ages = ["3"] * 7 + ["40"]
    said, _ = run("given", pd.DataFrame({"age": ages, "remark": ["one\nand two", *"abcdefg"]}))
    assert said.json["broken"] == [{"constraint": "age >= 18", "rows": 7, "lines": [2, 4, 5, 6, 7]}]
    said = synth(
        "generate", "--from", "stays", "--given", tmp_path / "known.csv", "-o", tmp_path / "o.csv", "--keep-failed"
    )
    assert "7 rows hold known values that break a constraint: age >= 18 (7: line 2, 4, 5, 6, 7, …)" in said.out
    said, _ = run("given", pd.DataFrame({"age": [3.0, 40.0, 4.0]}), "known.parquet")
    assert said.json["broken"] == [{"constraint": "age >= 18", "rows": 2, "lines": [1, 3]}]


def test_a_category_that_gaps_have_made_decimal_is_the_one_that_the_model_knows(run: Any) -> None:
    _, out = run("impute", pd.DataFrame({"code": [10.0, None, 11.0, 12.0], "remark": ["10.0"] * 4}))
    assert out["code"].tolist()[::2] == ["10", "11"] and out["code"][1] in ("01", "02", "10", "11")
    assert out["code"][3] == "12.0" and set(out["remark"]) == {"10.0"}, (
        "what the model does not know comes back as it is"
    )


@pytest.mark.parametrize("kind", ["given", "impute"])
def test_no_rows_and_empty_columns(run: Any, kind: str) -> None:
    said, out = run(kind, pd.DataFrame({"ward": [], "cost": []}))
    assert said.json["rows"] == 0 and len(out) == 0 and {"ward", "cost"} <= set(out.columns)
    said, out = run(kind, pd.DataFrame({"ward": ["a"] * 40, "sick": [None] * 40, "key": [None] * 40}), "empty.csv")
    assert (out["sick"] != "").all() and (out["key"] != "").all() and out["key"].is_unique


def test_a_column_that_the_model_knows_as_empty_alone(run: Any) -> None:
    said, out = run("given", pd.DataFrame({"ward": ["a", "b"], "never": ["x", None]}))
    assert out["never"].tolist() == ["x", ""]
    said, _ = run("impute", pd.DataFrame({"ward": ["a", "b"], "never": ["x", None]}), "n.csv", code=1)
    assert "column never" in said.err and "only null" in said.err


def test_the_same_seed_gives_the_same_file(run: Any) -> None:
    known = pd.DataFrame({"ward": ["a", "b"] * 20})
    one, two, other = (run("given", known, f"{i}.csv", seed=s)[1] for i, s in enumerate((1, 1, 2)))
    pd.testing.assert_frame_equal(one, two)
    assert not one.equals(other)


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (pd.DataFrame({"wards": ["a"]}), ["none of the model's columns", "Did you mean ward"]),
        (pd.DataFrame({"age": ["old"]}), ["known.csv", "age", "old"]),
        (pd.DataFrame({"sick": ["perhaps"]}), ["known.csv", "sick", "perhaps"]),
        (pd.DataFrame({"early": ["31.12.2024"]}), ["known.csv", "early", "31.12.2024"]),
    ],
)
def test_errors_name_file_column_and_value(run: Any, frame: pd.DataFrame, words: list[str]) -> None:
    said, _ = run("given", frame, code=1)
    for word in words:
        assert word in said.err, said.err


def test_a_method_that_cannot_complete_says_so(spec: Path, synth: Any, tmp_path: Path) -> None:
    assert synth("run", spec).code == 0
    (tmp_path / "known.csv").write_text("sex\nmale\n")
    said = synth("generate", "--from", "people", "--given", "known.csv")
    assert said.code == 1 and "independent cannot complete rows" in said.err and "trees" in said.err


def test_whole_numbers_that_gaps_have_made_decimal_are_read_as_integers(tmp_path: Path) -> None:
    schema = Schema(
        (Column("n", Traits(type="integer"), storage="int64"), Column("m", Traits(type="integer"), storage="int64"))
    )
    file = tmp_path / "gaps.csv"
    pd.DataFrame({"n": [34, None, -7], "m": [1, 2, 9007199254740993]}).to_csv(file, index=False)  # pandas writes 34.0
    assert "34.0" in file.read_text()
    known = read_known(file, schema).frame
    assert known["n"].tolist() == [34, pd.NA, -7] and known["m"].tolist() == [
        1,
        2,
        9007199254740993,
    ], "the digits of large ones are kept"
    file.write_text("n\n34.5\n")
    with pytest.raises(DataError, match=r"gaps\.csv: column n .*'34\.5'"):
        read_known(file, schema)


def test_the_most_likely_values_predict_better_than_draws(run: Any) -> None:
    """Against the distribution that the data was made from: ward a is rarely sick, ward c nearly always."""
    known = stays().assign(sick=None, code=None)[["ward", "sick", "code", "early", "late"]].head(300)
    known.loc[known.index[::2], "late"] = None
    expected = known["ward"].map({"a": False, "c": True})
    right = {}
    for name, more in (("drawn", {}), ("likely", {"most-likely": True})):
        _, out = run("impute", known, **more)
        sick = out["sick"].str.lower() == "true"
        sure = expected.notna()
        right[name] = (sick[sure] == expected[sure]).mean()
        assert (out[["sick", "code", "late"]] != "").all(axis=None)
        assert (out["early"] <= out["late"]).all()
    assert right["likely"] > 0.99 > right["drawn"] + 0.02


def test_most_likely_needs_a_file(synth: Any) -> None:
    said = synth("generate", "--from", "stays", "--rows", 5, "--most-likely")
    assert said.code == 2 and "--most-likely requires --given FILE or --impute FILE" in said.err
