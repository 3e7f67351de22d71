"""Joint pictures of pairs: right shares, no cell of fewer than FEW real units, the pairs that differ and that relate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.frame import STRING
from synthcli.columns.table import Table
from synthcli.contracts.schema import Column, Schema, Traits
from synthcli.tabular import joint
from synthcli.tabular.disclosure import FEW, hidden, reach
from synthcli.tabular.joint import joint_pictures

KINDS = {"x": "float", "n": "integer", "when": "datetime", "word": "category"}


def draw(seed: int, *, linked: bool, rows: int = 900, per_unit: int = 1) -> Table:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=rows)
    n = np.where(rng.random(rows) < 0.9, x > 0, rng.random(rows) < 0.5) if linked else rng.random(rows) < 0.5
    words = rng.choice([f"word {i}" for i in range(60)], rows, p=np.arange(60, 0, -1) / 1830)
    frame = pd.DataFrame(
        {
            "who": pd.array([f"P{i // per_unit}" for i in range(rows)], dtype=STRING),
            "x": np.where(rng.random(rows) < 0.1, np.nan, x),
            "n": pd.array(10 * n.astype(int) + rng.integers(0, 9, rows), dtype="Int64"),
            "when": pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 400, rows), unit="D"),
            "word": pd.array(words, dtype=STRING),
        }
    )
    columns = (
        Column("who", inferred=Traits(type="id")),
        *(Column(c, inferred=Traits(type=k)) for c, k in KINDS.items()),
    )
    return Table(frame, Schema(columns, unit="who"))


@pytest.fixture(scope="module")
def sides() -> dict[str, Table]:
    return {"real": draw(1, linked=True), "synthetic": draw(2, linked=False)}


@pytest.fixture(scope="module")
def found(sides: dict[str, Table]) -> dict:
    body = joint_pictures(list(sides["real"].schema.columns), sides, rng=np.random.default_rng(0))
    assert body is not None
    return body


def test_the_pair_that_differs_most_comes_first(found: dict) -> None:
    assert {found["pairs"][0]["a"], found["pairs"][0]["b"]} == {"x", "n"}
    assert len(found["pairs"]) == 6


def test_shares_are_those_of_the_rows(found: dict, sides: dict[str, Table]) -> None:
    """Against a cross table of the synthetic side by words and ranges."""
    pair = next(p for p in found["pairs"] if (p["a"], p["b"]) == ("n", "word"))
    rows, columns = (found["axes"][name]["labels"] for name in ("n", "word"))
    frame = sides["synthetic"].frame
    low = frame["n"] < int(rows[0].removeprefix("< "))
    for j, word in enumerate(columns[:-1]):
        assert pair["synthetic"][j] == pytest.approx(float((low & (frame["word"] == word)).mean()), abs=1e-4)
    assert sum(pair["synthetic"]) == pytest.approx(1, abs=0.01)
    assert columns[-1] == "others"


def test_nulls_have_a_class_of_their_own(found: dict) -> None:
    assert found["axes"]["x"]["labels"][-1] == "null"
    assert found["axes"]["x"]["ordered"]


@pytest.mark.parametrize("per_unit", [1, 6])
def test_no_cell_shows_fewer_than_few_real_units(per_unit: int) -> None:
    sides = {"real": draw(3, linked=True, per_unit=per_unit), "synthetic": draw(4, linked=True)}
    body = joint_pictures(list(sides["real"].schema.columns), sides, rng=np.random.default_rng(0))
    assert body is not None
    units = sides["real"].units()
    blank = 0
    for pair in body["pairs"]:
        a, b = (joint._axis(column(sides, pair[side]), sides, units, most(units)) for side in ("a", "b"))
        assert a is not None
        assert b is not None
        held = reach(a.real * len(b.labels) + b.real, units, len(pair["real"]))
        shown = np.array([v is not None for v in pair["real"]])
        blank += int((~shown).sum())
        assert not ((held > 0) & (held < FEW) & shown).any()
    assert blank


def column(sides: dict[str, Table], name: str) -> Column:
    return next(c for c in sides["real"].schema.columns if c.name == name)


def most(units: np.ndarray) -> int:
    return int(np.clip(np.sqrt(len(np.unique(units)) / joint.HELD), 2, joint.CLASSES))


def test_a_hidden_cell_cannot_be_found_by_subtraction() -> None:
    """One unit alone in a cell: the smallest cell that is shown goes with it."""
    cells = np.array([0] * 30 + [1] * 12 + [2])
    assert hidden(cells, np.arange(43), 4).tolist() == [False, True, True, False]


def test_edges_name_no_lowest_and_no_highest_value(found: dict, sides: dict[str, Table]) -> None:
    text = " ".join(label for axis in found["axes"].values() for label in axis["labels"])
    when = sides["real"].frame["when"]
    assert f"{when.min():%Y-%m-%d}" not in text
    assert f"{when.max():%Y-%m-%d}" not in text


def test_of_many_pairs_those_that_differ_and_those_that_relate_are_kept(
    sides: dict[str, Table], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(joint, "PICTURED", 3)
    body = joint_pictures(list(sides["real"].schema.columns), sides, rng=np.random.default_rng(0))
    assert body is not None
    assert len(body["pairs"]) == 3
    assert {body["pairs"][0]["a"], body["pairs"][0]["b"]} == {"x", "n"}


def test_columns_without_two_classes_have_no_picture() -> None:
    one = draw(1, linked=True)
    same = Table(one.frame.assign(word="same", n=pd.array([1] * len(one), dtype="Int64")), one.schema)
    body = joint_pictures(list(one.schema.columns), {"real": same, "synthetic": same}, rng=np.random.default_rng(0))
    assert body is not None
    assert [(p["a"], p["b"]) for p in body["pairs"]] == [("x", "when")]
