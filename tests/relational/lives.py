"""Simulated tables whose times depend on dates of the rows above: players and their seasons, patients and their stays."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from synthcli.relational.data import Tables
from synthcli.relational.relationships import Relationship
from tests.relational.simulated import tables

DAYS = 365.2425


def _dates(days: np.ndarray, null: np.ndarray | None = None) -> pa.Array:
    return pa.array(np.asarray(days, dtype=np.int64).astype("datetime64[D]"), mask=null)


def _years(days: np.ndarray) -> np.ndarray:
    return np.asarray(days, dtype=np.int64).astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970


def archive(people: int = 400, seed: int = 1) -> Tables:
    """Players born over a century, and a row for each team of each of their seasons.

    They start at 17 to 33 in the year of their debut, play most years in a row, play best at 27, and never after their
    death; the dead have a date of death, some births are unknown; stints count the teams of a season.
    """
    rng = np.random.default_rng(seed)
    birth = rng.integers(-25_000, 10_000, people)
    start = _years(birth) + np.clip(np.rint(rng.normal(24, 2.5, people)), 17, 33).astype(int)
    debut = (start - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(int) + rng.integers(90, 250, people)
    career = np.minimum(rng.geometric(0.18, people), 20)
    player = np.repeat(np.arange(people), career)
    gap = 1 + (rng.random(len(player)) < 0.06)
    before = np.cumsum(gap) - gap
    first = np.cumsum(career) - career
    year = start[player] + before - before[first][player]
    stints = 1 + (rng.random(len(player)) < 0.08)
    row = np.repeat(np.arange(len(player)), stints)
    age = (year - _years(birth)[player])[row]
    last = np.zeros(people, dtype=np.int64)
    np.maximum.at(last, player, year)
    end = (last + 1 - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(int)
    death = np.maximum(end, birth + (rng.normal(74, 12, people) * DAYS).astype(int))
    games = np.clip(np.rint(rng.normal(140 - 1.5 * (age - 27) ** 2, 12)), 1, 162).astype(int)
    return tables(
        {
            "people": {
                "id": pa.array(5_000 + np.arange(people)),
                "birth": _dates(birth, rng.random(people) < 0.03),
                "death": _dates(death, death > 18_000),
                "debut": _dates(debut),
                "hand": pa.array(rng.choice(["left", "right"], people).tolist()),
            },
            "seasons": {
                "person_id": pa.array(5_000 + player[row]),
                "year": pa.array(year[row]),
                "stint": pa.array(np.arange(len(row)) - (np.cumsum(stints) - stints)[row] + 1),
                "games": pa.array(games),
            },
        },
        (Relationship.parse("seasons.person_id", "people.id"),),
    )


def hospital(people: int = 300, seed: int = 2) -> Tables:
    """Patients of all ages, their stays of a few years, and laboratory values on some days of each stay, from day 0."""
    rng = np.random.default_rng(seed)
    birth = rng.integers(-18_000, 14_000, people)
    owner = np.repeat(np.arange(people), rng.poisson(1.6, people))
    admitted = rng.integers(16_500, 19_500, len(owner))
    age = _years(admitted) - _years(birth)[owner]
    stay = rng.geometric(0.2, len(owner)) + np.where(age > 70, rng.integers(0, 8, len(owner)), 0)
    last = np.full(people, 16_500)
    np.maximum.at(last, owner, admitted + stay)
    day = [np.flatnonzero(np.r_[True, rng.random(n) < 0.5]) for n in stay]
    line = np.repeat(np.arange(len(owner)), [len(d) for d in day])
    return tables(
        {
            "patients": {
                "id": pa.array(100 + np.arange(people)),
                "birth": _dates(birth),
                "death": _dates(last + rng.integers(0, 300, people), rng.random(people) > 0.3),
            },
            "stays": {
                "id": pa.array(9_000 + np.arange(len(owner))),
                "patient_id": pa.array(100 + owner),
                "admitted": _dates(admitted),
                "discharged": _dates(admitted + stay),
                "age": pa.array(age),
            },
            "lab": {
                "stay_id": pa.array(9_000 + line),
                "day": pa.array(np.concatenate(day)),
                "crp": pa.array(np.round(rng.normal(2 + age[line] / 20, 0.5), 1)),
            },
        },
        (Relationship.parse("stays.patient_id", "patients.id"), Relationship.parse("lab.stay_id", "stays.id")),
    )
