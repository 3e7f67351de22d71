"""Numbers with words among them: which columns are read so, and that every word comes back as it was spelled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.codec.categorical import Codes
from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.domain import MixedDomain
from synthcli.columns.codec.mixed import Mixed
from synthcli.columns.codec.see import see
from synthcli.columns.codec.spelled_numbers import Spelling
from synthcli.columns.discovery.infer import infer
from synthcli.contracts.schema import Column, Traits

RNG = np.random.default_rng(0)


def coded(words: list[str | None], units: np.ndarray | None = None, **said: Any) -> tuple[Codec, pd.Series, pd.Series]:
    """The codec of a csv column, its values, and what becomes of them through the codec and back."""
    declared = {"x": Traits(**said)} if said else {}
    schema, data = infer(pa.table({"x": pa.array(words, pa.string())}), declared, text=True)
    codec = Codec.fit(data, schema, key=1, units=units)
    back = codec.decode(codec.encode(data), len(data), start=0, rng=np.random.default_rng(0))
    return codec, data["x"], back["x"]


def among(numbers: list[str], *words: str | None) -> list[str | None]:
    """Numbers with each of the words at every 20th place."""
    out: list[str | None] = list(numbers)
    for i, word in enumerate(words):
        out[i::20] = [word] * len(out[i::20])
    return out


def ends_shared(words: list[str | None]) -> list[str | None]:
    """With the least and the greatest number once more: what one row alone holds would be moved."""
    numbers = [w for w in words if w is not None and w.lstrip("-").replace(".", "").isdigit()]
    return [*words, min(numbers, key=float), max(numbers, key=float)]


INCOMES = [f"{x:.0f}" for x in np.exp(RNG.normal(10, 1, 500))]


@pytest.mark.parametrize(
    "numbers",
    [
        INCOMES,
        [f"{x:.2f}" for x in RNG.normal(50, 20, 500)],
        [f"{x:g}" for x in RNG.normal(50, 20, 500).round(2)],
        [f"{x}" for x in RNG.normal(50, 20, 500).round(2)],
        [f"{x:03d}" for x in RNG.integers(0, 120, 500)],
        [f"-{x}" for x in range(1, 501)],
        [f"{x}" for x in RNG.integers(0, 100, 500)],
    ],
    ids=["whole", "two_decimals", "short", "repr", "padded", "negative", "dense"],
)
@pytest.mark.parametrize("words", [("N",), ("N", "refused", ""), ("N", None)])
def test_quantities_with_words_round_trip(numbers: list[str], words: tuple[str | None, ...]) -> None:
    codec, values, back = coded(ends_shared(among(numbers, *words)))
    assert (
        isinstance(codec.columns[0], Mixed)
        and codec.schema["x"].kind == "category"
        and codec.schema["x"].storage == "string"
    )
    assert codec.columns[0].words == tuple(sorted(w for w in words if w is not None))
    pd.testing.assert_series_equal(back, values)


def test_states_are_value_null_words_spikes() -> None:
    numbers = ["0" if i % 7 == 0 else n for i, n in enumerate(INCOMES)]
    codec, values, _ = coded(among(numbers, "N", None, "B"))
    parts = codec.encode(pd.DataFrame({"x": pd.Series(["N", None, "B", "0", "12345"], dtype=values.dtype)}))
    assert parts["x#state"].tolist() == [3, 1, 2, 4, 0]
    assert np.isnan(parts["x"]).tolist() == [True] * 4 + [False]
    assert [p.size for p in codec.parts] == [5, 0]


@pytest.mark.parametrize(
    "words",
    [
        INCOMES,  # a source that stores numbers as words says that they are names
        among([f"{x}" for x in RNG.choice(RNG.integers(100, 10_000, 200), 5000)], "N"),  # 200 codes of industries
        among([f"{x:05d}" for x in RNG.integers(0, 99_999, 5000)], "none"),  # zip codes
        among([f"{x}" for x in RNG.integers(0, 15, 500)], "N"),  # few
        [f"{x}" for x in range(100)] + [f"w{i}" for i in range(60)] * 2,  # as many words
    ],
    ids=["no_word", "codes", "zips", "few", "words"],
)
def test_names_stay_categories(words: list[str | None]) -> None:
    data = pd.Series(words, dtype="string[pyarrow]")
    codec = Codec.fit(
        pd.DataFrame({"x": data}), infer(pa.table({"x": pa.array(words)}), {"x": Traits(type="category")})[0], key=1
    )
    assert isinstance(codec.columns[0], Codes)


def test_declared_categories_and_rare_are_left_alone() -> None:
    words = among([f"{x}" for x in RNG.integers(0, 100, 500)], "N")
    assert isinstance(coded(words, type="category", rare={"min_units": 2, "as": "other"})[0].columns[0], Codes)
    assert isinstance(coded(words, type="category", categories=tuple(dict.fromkeys(words)))[0].columns[0], Codes)  # type: ignore[arg-type]


def test_amounts_that_hardly_repeat_are_no_text_and_keys_are_no_amounts() -> None:
    amounts = [f"{x:.4f}" for x in RNG.normal(500, 100, 400)]
    assert coded(among(amounts, "refused"))[0].schema["x"].kind == "category"
    assert coded(among(amounts, "n/a"))[0].schema["x"].kind == "float"
    phones = [f"{x}" for x in RNG.choice(9_000_000, 400, replace=False) + 1_000_000]
    assert coded(["unknown", *phones])[0].schema["x"].kind in ("id", "text")


def test_a_word_of_one_person_is_not_learned() -> None:
    words = among(INCOMES, "N", "B")
    words[7] = "her own"
    codec, _, back = coded(words)
    assert codec.merged == {"x": 1} and back[7] == "N" and "her own" not in str(codec.columns)
    units = np.arange(500)
    units[np.array(words, dtype=object) == "N"] = 0
    codec, _, back = coded(words, units)
    assert codec.merged == {"x": 2} and "N" not in set(back)


def test_unseen_words_numbers_and_nulls() -> None:
    codec, values, _ = coded(ends_shared(among(INCOMES, "K", "N")))
    new = pd.DataFrame({"x": pd.Series(["A", "M", "Z", None, "-5", "99999999999", "1.5", "007"], dtype=values.dtype)})
    back = codec.decode(codec.encode(new), 8, start=0, rng=np.random.default_rng(0))["x"]
    low, high = min(map(int, INCOMES)), max(int(v) for v in values if v.isdigit())
    assert (
        back.tolist()[:4] == ["K", "N", "N", "K"]
        and int(back[4]) >= low
        and int(back[5]) == high
        and set(back[6:]) <= {"K", "N"}
    )


@pytest.mark.parametrize(
    "spelling", [Spelling(), Spelling(3), Spelling(None, 2, 2), Spelling(None, 0, 3), Spelling(None, 1, 3)]
)
def test_spelling_writes_what_it_reads(spelling: Spelling) -> None:
    numbers = RNG.integers(0 if spelling.width else -5000, 999 if spelling.width else 5000, 300)
    words = spelling.write(numbers)
    assert spelling.read(words) == numbers.tolist() and len(set(words)) == len(set(numbers.tolist()))
    assert spelling.read(["+1", "-0", "1e3", "", "N", " 1", "٣"]) == [None] * 7


def test_columns_keep_their_place_in_json() -> None:
    column = Column("x", Traits(type="category"))
    found = see(column, pd.Series(among(INCOMES, "N"), dtype="string[pyarrow]"))
    assert isinstance(found, MixedDomain)
    codec = Mixed.from_domain(column, found)
    assert Mixed.from_json(codec.to_json()) == codec
