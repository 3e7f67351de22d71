"""The built-in tables meet their descriptions."""

from __future__ import annotations

import pytest
from statsmodels.datasets import randhie

from synthcli import sources
from synthcli.columns.discovery.infer import infer
from synthcli.errors import SpecError
from synthcli.sources import Source, builtin


@pytest.mark.parametrize("name", builtin.names())
def test_meets_its_description(name: str) -> None:
    source = Source("builtin", name=name)
    table = sources.read(source)
    about = builtin.describe(name)
    assert table.num_rows == about["rows"]
    assert list(about["columns"]) == table.column_names == sources.columns(source)
    assert about["target"] in table.column_names and about["unit"] in (None, *table.column_names)
    schema, frame = infer(table, {}, unit=about["unit"])
    assert len(frame) == about["rows"] and frame[about["target"]].notna().all()
    assert {c.kind for c in schema.columns} <= {"integer", "float", "boolean", "category", "id"}
    assert len(sources.fingerprint(source)) == 64 and sources.fingerprint(source) == sources.fingerprint(source)


def test_rand_health_is_the_published_extract() -> None:
    ours = sources.read(Source("builtin", name="rand_health")).to_pandas()
    theirs = randhie.load_pandas().data
    assert (ours["sex"] == "female").sum() == 10_439 and (ours["coinsurance"] == 0).sum() == 10_997
    assert (ours["doctor_visits"] == theirs["mdvis"]).all()
    assert (ours["individual_deductible"] == (theirs["idp"] == 1)).all()
    assert (ours["chronic_diseases"] == theirs["disea"]).all()
    health = {"excellent": (0, 0, 0), "good": (1, 0, 0), "fair": (0, 1, 0), "poor": (0, 0, 1)}
    assert [health[h] for h in ours["self_rated_health"]] == list(
        theirs[["hlthg", "hlthf", "hlthp"]].itertuples(index=False, name=None)
    )
    assert (ours["physical_limitation"].isna() == ~theirs["physlm"].isin([0, 1])).all()


def test_rand_health_subjects_are_people() -> None:
    frame = sources.read(Source("builtin", name="rand_health")).to_pandas()
    assert frame["subject"].nunique() == 5912
    assert frame.groupby("subject").size().between(1, 5).all() and not frame.duplicated(["subject", "year"]).any()
    assert (
        (frame.groupby("subject")[["sex", "coinsurance", "self_rated_health", "chronic_diseases"]].nunique() == 1)
        .all()
        .all()
    )


def test_unknown_name() -> None:
    with pytest.raises(
        SpecError, match=r"source\.name is rand_helth; expected one of rand_health, .* Did you mean rand_health\?"
    ):
        sources.read(Source("builtin", name="rand_helth"))
    with pytest.raises(SpecError, match=r"source\.name is missing"):
        sources.columns(Source("builtin"))
