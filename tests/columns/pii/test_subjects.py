"""Whether the rows of a table are people: an age is somebody's, a mean age is nobody's."""

import numpy as np
import pandas as pd
import pytest

from synthcli.columns.pii import detect

rng = np.random.default_rng(0)
STATES = [
    "Alabama",
    "Alaska",
    "Arizona",
    "California",
    "Colorado",
    "Florida",
    "Georgia",
    "Idaho",
    "Iowa",
    "Kansas",
    "Maine",
    "Nevada",
]
PEOPLE = {
    "survey": pd.DataFrame(
        {
            "age": rng.integers(18, 90, 300),
            "sex": rng.choice([0, 1], 300),
            "educ": rng.integers(8, 20, 300),
            "income": rng.gamma(2, 20_000, 300),
        }
    ),
    "town of each": pd.DataFrame(
        {
            "age": rng.integers(18, 90, 200),
            "education": rng.integers(1, 7, 200),
            "income": rng.integers(1, 24, 200),
            "popul": rng.choice([0, 10, 500, 3000], 200),
        }
    ),
    "one from each state": pd.DataFrame(
        {
            "name": [
                f"{a} {b}" for a, b in zip(["Anna", "John", "Mary"] * 4, ["Smith", "Jones", "Brown", "Clark"] * 3)
            ],
            "state": STATES,
            "age": rng.integers(18, 90, 12),
        }
    ),
    "panel": pd.DataFrame(
        {
            "subject": np.repeat(range(40), 5),
            "year": np.tile(range(5), 40),
            "age": np.repeat(rng.integers(18, 60, 40), 5),
            "sex": np.repeat(rng.choice(["f", "m"], 40), 5),
        }
    ),
}
OTHERS = {
    "states": pd.DataFrame(
        {"region_name": STATES, "age": rng.normal(38, 2, 12).round(1), "income": rng.normal(50_000, 4_000, 12)}
    ),
    "states by value": pd.DataFrame({"x": STATES, "income": rng.normal(50_000, 4_000, 12)}),
    "years": pd.DataFrame({"year": range(1960, 2000), "income": rng.gamma(2, 20_000, 40)}),
    "quarters": pd.DataFrame(
        {"date": pd.date_range("2000-01-01", periods=40, freq="QS"), "income": rng.gamma(2, 20_000, 40)}
    ),
    "countries and years": pd.DataFrame(
        {"country": np.repeat(STATES, 8), "year": np.tile(range(8), 12), "age": rng.integers(18, 90, 96)}
    ),
    "rates": pd.DataFrame({"cancer": rng.integers(1, 300, 50), "population": rng.integers(1_000, 90_000, 50)}),
    "shares": pd.DataFrame(
        {
            "PERBLACK": rng.uniform(0, 40, 60).round(1),
            "PERPOVERTY": rng.uniform(5, 30, 60).round(1),
            "INCOME": rng.normal(34_000, 3_000, 60).round(),
        }
    ),
    "animals": pd.DataFrame({"species": rng.choice(["a", "b"], 60), "sex": rng.choice(["female", "male"], 60)}),
    "houses": pd.DataFrame(
        {
            "PRICE": rng.gamma(4, 50_000, 80).round(),
            "SQFT": rng.integers(60, 300, 80),
            "NROOM": rng.integers(1, 9, 80),
            "AGE": rng.integers(0, 90, 80),
        }
    ),
}


def counted(frame: pd.DataFrame) -> set[str]:
    """The columns of which a guess about people counts."""
    found, _ = detect.detect_all(frame)
    return {
        name
        for name, some in found.items()
        for g in some
        if g.confidence >= detect.SURE and g.sensitivity != "direct identifier"
    }


@pytest.mark.parametrize("name", PEOPLE)
def test_people(name: str) -> None:
    assert "age" in counted(PEOPLE[name]) and detect.detect_all(PEOPLE[name])[1] is None


@pytest.mark.parametrize("name", OTHERS)
def test_places_moments_sums_and_things(name: str) -> None:
    assert counted(OTHERS[name]) == set()
    assert detect.detect_all(OTHERS[name])[1]


def test_direct_identifiers_stay_what_they_are() -> None:
    frame = OTHERS["states"].assign(contact=[f"office{i}@state.org" for i in range(12)])
    assert detect.surest(detect.detect_all(frame)[0]["contact"]).kind == "email"
