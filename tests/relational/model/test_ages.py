"""Times of children as ages: anchors are found, windows hold, and generated tables have no season before a birth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from synthcli import seeds
from synthcli.contracts.modelling import Job
from synthcli.relational.data import Tables
from synthcli.relational.graph import order
from synthcli.relational.model import model as related_model
from synthcli.relational.model.anchors import Candidate, find_anchors
from synthcli.relational.model.clock_notes import clock_notes
from synthcli.relational.model.derived_columns import Derived, How
from synthcli.relational.model.event_times import Clock
from synthcli.relational.model.layout import lay_out
from synthcli.relational.model.time_windows import TimeWindows
from tests.relational import lives
from tests.relational.conftest import BASE

PARENTS = 40


def fitted(tables: Tables) -> tuple[Tables, related_model.RelationalModel, Tables]:
    tables = tables.checked()[0]
    model = related_model.fit(tables, BASE, job=Job(1))
    return tables, model, model.sample(len(tables), rng=seeds.stream(1, "made"))


@pytest.fixture(scope="module")
def archive() -> tuple[Tables, related_model.RelationalModel, Tables]:
    return fitted(lives.archive(250))


@pytest.fixture(scope="module")
def hospital() -> tuple[Tables, related_model.RelationalModel, Tables]:
    return fitted(lives.hospital(200))


def with_parents(tables: Tables, child: str) -> pd.DataFrame:
    """The rows of a child table beside the columns of their parents."""
    r = next(r for r in tables.relationships if r.child == child)
    above = tables.frames[r.parent].take(tables.parents(r)).reset_index(drop=True).add_prefix("up.")
    return pd.concat([tables.frames[child], above], axis=1)


def year(dates: pd.Series) -> pd.Series:
    return dates.dt.year.astype("Float64")


# --- anchors and windows


def dates(days: np.ndarray, unit: str = "s") -> pd.Series:
    return pd.Series(np.asarray(days).astype("datetime64[D]").astype(f"datetime64[{unit}]"))


def integer_years(days: np.ndarray) -> pd.Series:
    return pd.Series(pd.array(dates(days).dt.year, dtype="Int64"))


def lifetimes() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """The owner and the day of rows, the birth and the death of their parents."""
    rng = np.random.default_rng(1)
    birth = rng.integers(0, 20_000, PARENTS)
    owner = np.repeat(np.arange(PARENTS), 3)
    day = birth[owner] + np.tile([7_000, 7_500, 9_000], PARENTS) + rng.integers(0, 200, len(owner))
    return owner, day, birth, birth + 9_200 + rng.integers(0, 5_000, PARENTS)


@pytest.mark.parametrize("child", ["date", "year"])
@pytest.mark.parametrize("parent", ["date", "year"])
def test_origins_and_ends_are_found_in_any_grain(child: str, parent: str) -> None:
    owner, day, birth, death = lifetimes()
    times = dates(day) if child == "date" else integer_years(day)
    kind = dates if parent == "date" else integer_years
    other = kind(np.random.default_rng(2).integers(0, 29_000, PARENTS))
    clock = Clock.of("at", times, owner, None)
    offered = [
        Candidate("p", name, v) for name, v in (("death", kind(death)), ("other", other), ("birth", kind(birth)))
    ]
    found = {a.column: a for a in find_anchors(clock, clock.ticks(times), owner, None, offered)}
    assert set(found) == {"birth", "death"}
    assert next(iter(found)) == "birth" and found["birth"].origin and found["birth"].after
    assert found["death"].before and not found["death"].after
    age = (1 if child == "year" else 365.25) * np.array([18, 27])
    assert found["birth"].low >= age[0] and found["birth"].high <= age[1]


def test_a_time_of_day_may_lie_in_the_day_of_an_end() -> None:
    owner, day, _, _ = lifetimes()
    at = pd.Series((day * 86_400 + np.arange(len(day)) * 61).astype("datetime64[s]"))
    end = dates(day.reshape(PARENTS, 3).max(axis=1))
    clock = Clock.of("at", at, owner, None)
    (anchor,) = find_anchors(clock, clock.ticks(at), owner, None, [Candidate("p", "end", end)])
    assert anchor.coarse and anchor.before
    _, latest, _ = anchor.steps(end, clock)
    assert (clock.series(clock.at(latest)).dt.normalize() == end).all()


def test_windows_keep_bounds_and_give_way_in_turn() -> None:
    owner, day, birth, death = lifetimes()
    times, clock = integer_years(day), Clock.of("at", integer_years(day), owner, None)
    offered = [Candidate("p", "birth", dates(birth)), Candidate("p", "death", dates(death))]
    anchors = find_anchors(clock, clock.ticks(times), owner, None, offered)
    born = pd.to_datetime(pd.Series(["1980-06-01", "1980-06-01", "1980-06-01", None])).astype("datetime64[s]")
    died = pd.to_datetime(pd.Series([None, "2003-02-01", "1975-01-01", "2001-05-05"])).astype("datetime64[s]")
    values = [born if a.column == "birth" else died for a in anchors]
    windows = TimeWindows.of(clock, anchors, values, np.array([2, 2, 2, 2]))
    low, high = (clock.at(each).tolist() for each in (windows.low, windows.high))
    assert low[0] == 1980 + anchors[0].low and high[0] == 1980 + anchors[0].high
    assert (low[1], high[1]) == (low[0], 2003 + min(0, anchors[1].high))
    assert windows.capacity(np.array([2, 2, 2, 2])).tolist() == [2, 2, 0, 2], "died before birth: no time is left"
    assert high[3] == 2001 + min(0, anchors[1].high) and low[3] >= clock.start


def test_days_of_a_stay_are_bounded_by_its_length(
    hospital: tuple[Tables, related_model.RelationalModel, Tables],
) -> None:
    (anchor,) = [a for a in hospital[1].table_models["lab"].layout.anchors if a.since is not None]
    assert anchor.name == "the days from stays.admitted to stays.discharged" and anchor.before
    rows = with_parents(hospital[2], "lab")
    assert (rows["day"] <= (rows["up.discharged"] - rows["up.admitted"]).dt.days).all()


@pytest.mark.parametrize(("how", "expected"), [("years", [1, 0, None]), ("age", [0, 0, None]), ("days", [2, 31, None])])
def test_what_is_derived_from_a_date(how: How, expected: list[int | None]) -> None:
    time = pd.to_datetime(pd.Series(["2001-01-01", "2001-02-01", "2001-02-01"])).astype("datetime64[s]")
    born = pd.to_datetime(pd.Series(["2000-12-30", "2001-01-01", None])).astype("datetime64[s]")
    values = Derived("age", how, "p", "born").values(time, born)
    assert [None if pd.isna(v) else int(v) for v in values] == expected


def test_dates_of_a_person_are_measured_from_one_of_them(
    archive: tuple[Tables, related_model.RelationalModel, Tables],
) -> None:
    layout = archive[1].table_models["people"].layout
    assert layout.origin == "debut" and {r.column for r in layout.relative} == {"birth", "death"}
    real, made = (t.frames["people"] for t in (archive[0], archive[2]))
    for frame in (real, made):
        age = year(frame["debut"]) - year(frame["birth"])
        assert age.min() >= 16 and age.max() <= 34
    assert made["death"].max() <= real["death"].max()
    assert made["death"].isna().mean() == pytest.approx(real["death"].isna().mean(), abs=0.1)


def test_dates_that_rules_read_stay_as_they_are() -> None:
    tables = lives.archive(100).checked()[0]
    generated = order(tables)
    assert lay_out(tables, generated)[1]["people"].origin == "debut"
    ruled = lay_out(tables, generated, {"people": frozenset({"debut"})})[1]["people"]
    assert ruled.origin is None and not ruled.relative


# --- generated tables


def test_no_season_before_birth_or_debut_or_after_death(
    archive: tuple[Tables, related_model.RelationalModel, Tables],
) -> None:
    real, model, made = archive
    found = {anchor.column: anchor for anchor in model.table_models["seasons"].layout.anchors}
    assert found["birth"].after and found["debut"].after and found["death"].before
    for tables in (real, made):
        rows = with_parents(tables, "seasons")
        assert not (rows["year"] < year(rows["up.birth"])).any()
        assert not (rows["year"] < year(rows["up.debut"])).any()
        assert not (rows["year"] > year(rows["up.death"])).any()


def test_years_are_in_order_with_the_gaps_of_the_source(
    archive: tuple[Tables, related_model.RelationalModel, Tables],
) -> None:
    gaps = []
    for tables in (archive[0], archive[2]):
        rows = tables.frames["seasons"]
        gap = rows.groupby("person_id")["year"].diff().dropna().astype(int)
        gaps.append(gap)
        stint = rows.groupby(["person_id", "year"])["stint"].agg(["min", "max", "size", "nunique"])
        assert (stint["min"] == 1).all() and (stint["max"] == stint["size"]).all()
        assert (stint["nunique"] == stint["size"]).all()
    assert gaps[1].min() >= 0
    for size in (0, 1, 2):
        assert (gaps[1] == size).mean() == pytest.approx((gaps[0] == size).mean(), abs=0.1)


def test_what_depends_on_age_is_kept(archive: tuple[Tables, related_model.RelationalModel, Tables]) -> None:
    games = []
    for tables in (archive[0], archive[2]):
        rows = with_parents(tables, "seasons")
        age = rows["year"] - year(rows["up.birth"])
        games.append([float(rows["games"][(age >= low) & (age < low + 5)].mean()) for low in (20, 25, 35)])
    assert np.allclose(games[0], games[1], atol=30)
    assert games[1][1] > games[1][2] + 60


def test_days_of_a_stay_start_at_zero_and_never_repeat(
    hospital: tuple[Tables, related_model.RelationalModel, Tables],
) -> None:
    day = hospital[2].frames["lab"].groupby("stay_id")["day"]
    assert (day.first() == 0).all() and (day.diff().dropna() >= 1).all()


def test_stays_lie_within_a_life(hospital: tuple[Tables, related_model.RelationalModel, Tables]) -> None:
    rows = with_parents(hospital[2], "stays")
    assert not (rows["admitted"] < rows["up.birth"]).any() and not (rows["discharged"] > rows["up.death"]).any()
    assert (rows["discharged"] > rows["admitted"]).all()


def test_ages_that_follow_from_a_birth_are_exact(
    hospital: tuple[Tables, related_model.RelationalModel, Tables],
) -> None:
    stays = hospital[1].table_models["stays"]
    assert stays.layout.derived == (Derived("age", "years", "patients", "birth"),)
    rows = with_parents(hospital[2], "stays")
    assert (rows["age"] == year(rows["admitted"]) - year(rows["up.birth"])).all()
    lab = hospital[2]
    above = lab.frames["stays"].take(lab.parents(lab.relationships[1]))["age"].to_numpy(dtype=float)
    assert np.corrcoef(above, lab.frames["lab"]["crp"].to_numpy(dtype=float))[0, 1] > 0.5


def test_what_was_found_is_said(archive: tuple[Tables, related_model.RelationalModel, Tables]) -> None:
    layouts = {name: table.layout for name, table in archive[1].table_models.items()}
    notes = clock_notes("seasons", layouts["seasons"])
    assert "seasons.year is learned as years since people.debut" in notes
    assert "seasons.year is never before people.debut or people.birth" in notes
    assert "seasons.year is never after people.death" in notes
    assert clock_notes("people", layouts["people"]) == []


def test_a_saved_model_gives_the_same_ages(
    archive: tuple[Tables, related_model.RelationalModel, Tables], tmp_path: Path
) -> None:
    real, model, made = archive
    model.save(tmp_path)
    again = related_model.load(tmp_path, BASE).sample(len(real), rng=seeds.stream(1, "made"))
    assert all(again.frames[name].equals(frame) for name, frame in made.frames.items())
