"""A fitted panel: whole units of exactly the requested rows, with what holds within a unit, the same after loading."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery.infer import infer
from synthcli.columns.table import Table
from synthcli.contracts.modelling import Job, Model, Request
from synthcli.contracts.schema import Traits
from synthcli.errors import SpecError
from synthcli.panel.methods import trees
from synthcli.panel.model import PANEL, PanelModel, choose
from tests.panel import simulated

PARAMS = trees.Params(trees=2, discriminator=0)


@pytest.fixture(scope="module")
def model(panel: Table) -> Model:
    return trees.fit(panel, PARAMS, job=Job(3))


def drawn(model: Model, rows: int, block: int = 0, size: int = 2000) -> pd.DataFrame:
    made: Table = model.sample(Request(rows, block_size=size), block, rng=np.random.default_rng([rows, block]))  # type: ignore[assignment]
    return made.frame


def test_units_are_chosen_for_exactly_the_rows() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        sizes, rows = rng.integers(1, 9, 40), int(rng.integers(1, 100))
        taken, given = choose(sizes, rows)
        assert given.sum() == rows and len(set(taken)) == len(taken) == len(given)
        assert (given <= sizes[taken]).all() and (given < sizes[taken]).sum() <= 1
    assert choose(np.array([4, 3, 2]), 6)[0].tolist() == [0, 2]
    taken, given = choose(np.array([5]), 2)
    assert (taken.tolist(), given.tolist()) == ([0], [2])
    assert choose(np.array([2, 2]), 7)[1].sum() == 7  # all units together are too small


def test_rows_of_a_unit(panel: Table, model: Model) -> None:
    made = drawn(model, 1200)
    assert len(made) == 1200 and list(made) == panel.schema.names
    same = made["patient"].eq(made["patient"].shift())
    assert same.sum() == len(made) - made["patient"].nunique(), "rows of a unit follow each other"
    for name in ("sex", "email", "height"):
        assert (made.groupby("patient")[name].nunique() <= 1).all()
    assert 0.1 < made["height"].isna().mean() < 0.2
    gaps = made["admitted"].diff()[same].dt.days
    assert set(gaps) <= {7, 14, 21, 28} | set(gaps[gaps < 7]) and (gaps >= 0).all() and (gaps < 7).mean() < 0.03
    assert (made["number"].diff()[same] == 1).mean() > 0.97
    assert (made["discharged"] - made["admitted"]).dt.days.between(0, 5).all()
    assert made["visit_id"].is_unique


def test_numbers_of_rows_and_changes_are_those_of_the_source(panel: Table, model: Model) -> None:
    made = drawn(model, 2000)
    shares = [f["patient"].value_counts().value_counts(normalize=True) for f in (panel.frame, made)]
    assert shares[0].sub(shares[1], fill_value=0).abs().max() < 0.08
    lag = []
    for frame in (panel.frame, made):
        before = frame.groupby("patient", sort=False)["pressure"].shift()
        lag.append(frame["pressure"].astype(float).corr(before.astype(float)))
    assert lag[0] > 0.9 and lag[1] > 0.7


def test_blocks_share_no_unit_and_no_key(model: Model) -> None:
    blocks = [drawn(model, 2500, block, 1000) for block in range(3)]
    assert [len(b) for b in blocks] == [1000, 1000, 500]
    assert pd.concat(blocks)["visit_id"].is_unique
    assert sum(b["patient"].nunique() for b in blocks) == pd.concat(blocks)["patient"].nunique()


def test_the_same_after_loading(model: Model, tmp_path: Path) -> None:
    model.save(tmp_path)
    again = trees.load(tmp_path)
    pd.testing.assert_frame_equal(drawn(again, 60), drawn(model, 60))
    assert again.merged == model.merged and again.clipped == model.clipped
    assert set(model.clipped) <= {"height", "pressure", "discharged", "number", "admitted"}


def test_units_with_one_row_are_learned_as_rows(panel: Table, tmp_path: Path) -> None:
    single = trees.fit(Table(panel.frame.drop_duplicates("patient"), panel.schema), PARAMS, job=Job(0))
    assert not isinstance(single, PanelModel) and not single.whole_units
    single.save(tmp_path)
    assert not (tmp_path / PANEL).exists() and not trees.load(tmp_path).whole_units


def test_too_few_keys_are_refused(panel: Table) -> None:
    short = panel.frame.assign(patient=panel.frame["patient"].str[:1] + panel.frame["patient"].str[-3:])
    columns = tuple(
        c
        if c.name != "patient"
        else type(c)(c.name, c.declared.model_copy(update={"pattern": "P[0-9]{3}"}), c.inferred)
        for c in panel.schema.columns
    )
    model = trees.fit(Table(short, type(panel.schema)(columns, "patient")), PARAMS, job=Job(0))
    model.check(Request(1500))  # 1500 rows of about 550 units
    with pytest.raises(SpecError, match="patient"):
        model.check(Request(6000))


def test_names_of_units_and_of_rows_agree_with_the_sex() -> None:
    """A name of the unit follows its sex, a name of the row (a nurse's) the sex in the row."""
    from faker.providers.person.de_DE import Provider

    frame = simulated.visits()[["patient", "sex", "admitted", "pressure"]]
    rng = np.random.default_rng(4)
    frame["nurse_sex"] = rng.choice(["f", "m"], len(frame))
    frame["first_name"] = frame.groupby("patient")["sex"].transform("first")
    frame["nurse_first_name"] = [f"{name} {i}" for i, name in enumerate(frame["nurse_sex"])]
    declared = {name: Traits(type="first_name", locale="de_DE") for name in ("first_name", "nurse_first_name")}
    schema, canonical = infer(pa.Table.from_pandas(frame, preserve_index=False), declared, unit="patient")
    made = drawn(trees.fit(Table(canonical, schema), PARAMS, job=Job(3)), 400)
    women, men = (set(names) for names in (Provider.first_names_female, Provider.first_names_male))
    for prefix in ("", "nurse_"):
        is_woman = made[f"{prefix}sex"] == "f"
        assert made.loc[is_woman, f"{prefix}first_name"].isin(women).all()
        assert made.loc[~is_woman, f"{prefix}first_name"].isin(men).all()
