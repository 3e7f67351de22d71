"""Keys are found by what a column holds, whatever its name; quantities that happen to be unique are not."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.discovery import keys
from synthcli.columns.discovery.infer import infer, look, parse
from synthcli.contracts.schema import Traits

ROWS = 600


@cache
def table() -> pd.DataFrame:
    """A column of each kind, over entities that have several rows."""
    rng = np.random.default_rng(0)
    letters = list("abcdefgh")
    stems = ["".join(rng.choice(letters, rng.integers(4, 8))) for _ in range(300)]
    codes = np.array([f"{stem}{i % 90 + 10}" for i, stem in enumerate(stems)])
    who = rng.integers(0, 300, ROWS)
    born = rng.integers(1900, 1990, 300)
    hidden = rng.integers(10_000, 99_999, ROWS)
    return pd.DataFrame(
        {
            "players_id": codes[who],
            "x2": np.array([f"DE{i:05d}" for i in rng.choice(99_999, 300, replace=False)])[who],
            "x1": rng.choice(9_000_000, ROWS, replace=False) + 1_000_000,
            "konto": 4_000_000_000 + 7 * rng.permutation(ROWS),
            "n": rng.permutation(ROWS) + 1,
            "x3": (rng.choice(900_000, 300, replace=False) + 100_000)[who],
            "born": born[who],
            "hex": [f"{rng.integers(0, 2**40):010x}" for _ in range(ROWS)],
            "income": np.exp(rng.normal(10.4, 0.4, ROWS)).round(2),
            "wealth": np.exp(rng.normal(11, 0.3, ROWS)).astype(int),
            "at": 1_600_000_000 + rng.choice(10**7, ROWS, replace=False),
            "day": [int(d.strftime("%Y%m%d")) for d in pd.date_range("2020-01-01", periods=ROWS)],
            "lat": rng.uniform(40, 50, ROWS),
            "count": rng.permutation(ROWS),
            "x4": hidden,
            "x5": hidden * 0.5 + rng.normal(0, 9_000, ROWS),
            "icd": rng.choice([f"{c}{i}.{j}" for c in "EIJK" for i in range(10, 40) for j in range(9)], ROWS),
            "size": [f"{i}kg" for i in rng.permutation(ROWS)],
            "year": rng.integers(1990, 2020, ROWS),
            "city": rng.choice(["Wien", "Graz"], ROWS),
        }
    )


@cache
def found() -> dict[str, keys.Key]:
    return keys.find(*parse(pa.Table.from_pandas(table()), {}, protect=False))


@pytest.mark.parametrize("name", ["players_id", "x2", "x1", "konto", "n", "x3"])
def test_keys_whatever_their_name(name: str) -> None:
    assert name in found()


@pytest.mark.parametrize(
    "name", ["born", "income", "wealth", "at", "day", "lat", "count", "x4", "x5", "icd", "size", "year", "city"]
)
def test_quantities_times_and_classifications_are_none(name: str) -> None:
    assert name not in found()


def test_those_that_join_rows_repeat() -> None:
    assert {name for name, key in found().items() if key.repeats} == {"players_id", "x2", "x3"}


def test_no_value_is_in_a_reason() -> None:
    values = {str(v) for name in found() for v in table()[name]}
    assert not any(word in values for key in found().values() for word in key.why.split() if len(word) > 3)


def test_the_shape_is_kept_and_the_spec_decides() -> None:
    schema, frame = parse(pa.Table.from_pandas(table()), {"x1": Traits(type="integer")})
    looked = look(schema, frame, learned={"n"})
    assert looked["players_id"].kind == "id" and looked["players_id"].inferred.unique is False
    assert looked["players_id"].inferred.pattern == r"[a-z]{4,7}\d{2}"
    assert looked["hex"].inferred.pattern == "[0-9a-f]{10}"
    assert (looked["x1"].kind, looked["n"].kind) == ("integer", "integer")


def test_a_declared_integer_key_stays_an_integer() -> None:
    cells = pa.table({"k": [str(i) for i in range(100, 160)]})
    schema, frame = infer(cells, {"k": Traits(type="id")}, text=True)
    assert (schema["k"].kind, str(frame["k"].dtype), schema["k"].storage) == ("id", "Int64", "int64")


@pytest.mark.parametrize(
    "name", ["playerID", "playerId", "user_id", "userid", "Kundennr", "orderNr", "ID", "account no"]
)
def test_names_of_keys(name: str) -> None:
    assert keys.named(name)


@pytest.mark.parametrize("name", ["mid", "paid", "PAID", "bid", "covid", "grid", "humid", "volcano"])
def test_words_that_end_like_a_key_are_none(name: str) -> None:
    assert not keys.named(name)


def test_what_follows_from_a_quantity_makes_it_no_key() -> None:
    rng = np.random.default_rng(0)
    kilos = rng.integers(40, 110, 1000)
    frame = pd.DataFrame({"x": kilos, "pounds": np.round(kilos * 2.2, 1), "group": kilos // 10, "z": rng.random(1000)})
    frame["group"] = "group " + frame["group"].astype(str)
    schema, canonical = parse(pa.Table.from_pandas(frame), {})
    assert keys.find(schema, canonical) == {}
