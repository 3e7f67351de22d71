"""Columns of words that few privacy units share: made up, or learned as far as several units share them."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from synthcli.columns.codec.codec import Codec
from synthcli.columns.codec.see import fold_few, see
from synthcli.columns.discovery.infer import infer
from synthcli.columns.fake import generate
from synthcli.columns.frame import STRING
from synthcli.columns.pii import rare_words, same_look
from synthcli.contracts.schema import Traits


def words(rows: int, size: int, seed: int = 0) -> list[str]:
    """Words of a pool of so many."""
    rng = np.random.default_rng(seed)
    pool = ["".join(rng.choice([a + b for a in "bdfgklm" for b in "aeiou"], 4)).capitalize() for _ in range(size)]
    return [pool[i] for i in rng.integers(0, size, rows)]


def mixed(rows: int, rare: float) -> list[str]:
    """Ten common words, and a share of rare ones."""
    rng = np.random.default_rng(2)
    return [w if rng.random() < rare else f"Common{rng.integers(10)}" for w in words(rows, rows)]


def kept(values: list[str], declared: Traits | None = None) -> tuple[str, set[str]]:
    """The kind of an undeclared column, and the words that its domain holds."""
    table = pa.table({"x": values, "y": list(range(len(values)))})
    schema, frame = infer(table, {} if declared is None else {"x": declared})
    domain = see(schema["x"], frame["x"])
    return schema["x"].kind, set(getattr(domain, "categories", ()))


@pytest.mark.parametrize("rows", [300, 20_000])
def test_words_that_few_share_are_made_up_at_any_size(rows: int) -> None:
    values = words(rows, rows // 2)
    kind, categories = kept(values)
    assert (kind, categories) == ("word", set())
    assert kept(words(rows, 12))[0] == "category"


def test_common_words_are_learned_and_rare_ones_folded() -> None:
    values = mixed(1_000, 0.2)
    kind, categories = kept(values)
    assert kind == "category" and categories == {f"Common{i}" for i in range(10)}
    assert kept(values, Traits(type="category"))[1] == categories  # as {type: category} promises


def test_made_up_words_follow_the_look_and_are_none_of_the_source() -> None:
    values = words(2_000, 1_500)
    schema, frame = infer(pa.table({"x": values}), {})
    assert not any(word in schema["x"].get("pattern") for word in set(values))
    codec = Codec.fit(frame, schema, key=3)
    made = set(codec.decode({}, 2_000, start=0, rng=np.random.default_rng(1))["x"])
    assert len(made & set(values)) <= 5 and len(made) > 500  # equal by chance alone
    assert all(re.fullmatch(r"[A-Z][a-z]{3,12}", word) for word in made)


@pytest.mark.parametrize(
    ("values", "look"),
    [
        ([f"CAR-{i}" for i in range(5, 500)], r"CAR-\d{2,3}"),
        (["GROSS WORT", "MEHR WORTE"] * 30, r"[A-Z]{3,12} [A-Z]{3,12}"),
        ([f"{a}/{b}" for a in range(100, 120) for b in range(10, 20)], r"\d{3}/\d{2}"),
        (["ab", "cd", "e"] * 10, r"[a-z]{1,2}"),
        ([], r"[A-Z][a-z]+"),
        (["...", "?"] * 20, r"[A-Z][a-z]+"),
    ],
)
def test_looks(values: list[str], look: str) -> None:
    pattern = same_look.pattern(pd.Series(values, dtype=STRING))
    made = generate.Pattern.parse(pattern).sample(50, rng=np.random.default_rng(0))
    assert all(re.fullmatch(look, word) for word in made), (pattern, made[:5])


def test_units_count_and_not_rows() -> None:
    units = np.repeat(np.arange(200), 5)
    values = pd.Series([f"word {chr(97 + u % 26)}{chr(97 + u // 26)}" for u in units], dtype=STRING)
    seen = rare_words.look(values, units)
    assert seen is not None and (seen.words, seen.rare, seen.units, seen.share) == (200, 200, 200, 1.0)
    assert rare_words.look(values) is None  # each word has five rows, but they are of one person


def test_a_small_table_of_words_that_one_person_holds() -> None:
    assert kept([f"Wort{chr(97 + i)}" for i in range(12)] + ["oft"] * 4)[0] == "word"
    assert kept(["a", "b", "c", "d"] * 5)[0] == "category"


def test_known_kinds_are_made_up_as_such() -> None:
    urls = [f"https://example.com/{i % 300}" for i in range(400)]
    table = pa.table({"host_url": urls, "home_city": words(400, 300)})
    schema, _ = infer(table, {})
    assert (schema["host_url"].kind, schema["home_city"].kind) == ("url", "city")


def test_fold_keeps_words_of_two_units_if_none_is_common() -> None:
    values = pd.Series([f"w{i // 2}" for i in range(100)] + ["alone"], dtype=STRING)
    folded, merged = fold_few(values, None, least=5)
    assert merged == 1 and "alone" not in set(folded)


def test_what_is_undecided_and_what_is_not() -> None:
    values = mixed(600, 0.2)
    table = pa.table({"x": values, "z": words(600, 500), "name": [f"{w} {w}" for w in words(600, 500)]})
    schema, frame = infer(table, {})
    found = {one.column: one for one in rare_words.undecided(schema, frame)}
    assert found["z"].made and not found["x"].made
    for declared in (Traits(type="category"), Traits(type="word"), Traits(type="text")):
        schema, frame = infer(table, {"x": declared, "z": declared})
        assert not {"x", "z"} & {one.column for one in rare_words.undecided(schema, frame)}
    notes = rare_words.notes([one.to_json() for one in found.values()])
    assert all("Undecided" in note for note in notes) and not any(v in note for v in values[:50] for note in notes)
